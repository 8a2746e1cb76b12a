/* rank_main: the main of every program with nodes. Apart from rank.c, so that programs without MPI need not
 * link it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nodes/director/session.h"
#include "nodes/rank.h"
#include "nodes/sync.h"

static bool plays(enum node_role role, const struct member *member, uint32_t rank, struct error *error) {
    for (uint32_t id = 0; role != ROLE_COUNT && id < member->topology.node_count; id++) {
        const struct topology_node *node = &member->topology.nodes[id];
        if (member->placement.rank_of_node[id] == rank && node->role != role) {
            error_set(error, STATUS_INVALID,
                      "rank %u should play %s, a %s, but runs the program for role %s; start the programs in "
                      "the order that "
                      "`tierbed run --dry-run` prints",
                      rank, node->name, node_role_name(node->role), node_role_name(role));
            return false;
        }
    }
    return true;
}

/* A rank that cannot take part says so, so that the director does not wait for it. */
static void tell_failure(struct bus *bus, const struct error *error) {
    uint8_t data[sizeof error->text + 2];
    size_t length = strlen(error->text);
    data[0] = SYNC_FAILURE;
    data[1] = (uint8_t)error->status;
    memcpy(data + 2, error->text, length);
    bus_send(bus, 0, BUS_CONTROL, data, length + 2);
    bus_flush(bus);
}

static int member_main(struct bus *bus, enum node_role role) {
    struct member member = {0};
    struct rank_run run = {.member = &member};
    struct setup setup;
    struct error error = {0};
    struct arena arena;
    arena_init(&arena);
    enum status status = setup_receive(bus, &arena, &setup, &error);
    if (status == STATUS_STOPPED) {
        arena_close(&arena);
        bus_close(bus);
        return 0;
    }
    if (status == STATUS_OK)
        status = member_open(&member, &setup, bus_rank(bus), bus_size(bus), true, &error);
    if (status == STATUS_OK && !plays(role, &member, bus_rank(bus), &error))
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        status = rank_run(&run, bus, NULL, NULL, &error);
    else if (status != STATUS_PEER)
        tell_failure(bus, &error);
    bool failed = run.process.status != STATUS_OK || status != STATUS_OK;
    member_close(&member, failed ? NULL : &error);
    arena_close(&arena);
    if (failed || run.process.abandon) {
        bus_abandon(bus);
        _exit(failed ? status_exit_code(status != STATUS_OK ? status : run.process.status) : 0);
    }
    bus_close(bus);
    return 0;
}

int rank_main(int argc, char **argv, enum node_role role) {
    struct error error = {0};
    struct bus *bus;
    if (argc == 3 && strcmp(argv[1], HOSTING_CHILD_OPTION) == 0)
        return hosting_child_main(atoi(argv[2]));
    if (session_wants_help(argc, argv))
        return session_help(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    if (bus_mpi_open(&argc, &argv, &bus, &error) != STATUS_OK) {
        fprintf(stderr, "tierbed: %s\n", error.text);
        return status_exit_code(error.status);
    }
    bool directs = bus_rank(bus) == 0;
    if (directs && role != ROLE_DIRECTOR && role != ROLE_COUNT) {
        fprintf(
            stderr,
            "tierbed: rank 0 must run tierbed-director (or tierbed-packed); see `tierbed run --dry-run`\n");
        bus_abandon(bus);
        _exit(2);
    }
    if (directs)
        return session_main(argc, argv, bus);
    signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group; the director ends the run in order */
    return member_main(bus, role);
}
