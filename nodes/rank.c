#include "nodes/rank.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nodes/director/session.h"
#include "nodes/sync.h"

/* ---- a member ---- */

static uint64_t peak_rss_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

static const uint8_t *take_final(void *context, size_t *size) {
    struct rank_run *run = context;
    struct host *host = &run->member->host;
    struct row row = {.kind = ROW_PROCESS,
                      .as.process = {.rank = host->config.rank,
                                     .nodes = host->here_count,
                                     .events = host->engine.executed,
                                     .windows = run->process.windows,
                                     .batches_sent = run->process.batches_sent,
                                     .bytes_sent = run->process.bytes_sent,
                                     .busy_s = run->process.busy_s,
                                     .wait_s = run->loop.wait_s,
                                     .peak_rss_bytes = peak_rss_bytes(),
                                     .late_p50_s = pacer_quantile_s(&host->pacer, 0.5),
                                     .late_p99_s = pacer_quantile_s(&host->pacer, 0.99),
                                     .late_max_s = host->pacer.late_max_s}};
    host_add_row(host, &row);
    return host_take_final(host, size);
}

static const uint8_t *take_rows(void *context, size_t *size) {
    return host_take_rows(&((struct rank_run *)context)->member->host, size);
}

void rank_begin(struct rank_run *run, struct bus *bus, struct director *director, const volatile sig_atomic_t *stopped) {
    struct host *host = run->member != NULL ? &run->member->host : NULL;
    run->loop = (struct loop){
        .bus = bus, .process = host ? &run->process : NULL, .director = director, .stopped = stopped};
    if (host == NULL)
        return;
    struct process_config config = {.bus = bus,
                                    .engine = &host->engine,
                                    .lookahead_ns = host_lookahead_ns(host),
                                    .pacer = &host->pacer,
                                    .context = run,
                                    .take_rows = take_rows,
                                    .take_final = take_final};
    host->error = &run->process.error;
    process_init(&run->process, &config);
}

enum status rank_run(struct rank_run *run, struct bus *bus, struct director *director,
                     const volatile sig_atomic_t *stopped, struct error *error) {
    rank_begin(run, bus, director, stopped);
    enum status status = loop_run(&run->loop, error);
    if (run->member != NULL)
        process_close(&run->process);
    return status;
}

static bool plays(enum node_role role, const struct member *member, uint32_t rank, struct error *error) {
    for (uint32_t id = 0; role != ROLE_COUNT && id < member->topology.node_count; id++) {
        const struct topology_node *node = &member->topology.nodes[id];
        if (member->placement.rank_of_node[id] == rank && node->role != role) {
            error_set(error, STATUS_INVALID,
                      "rank %u should play %s, a %s, but runs the program for role %s; start the programs in the order that "
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
    if (failed) {
        bus_abandon(bus);
        _exit(status_exit_code(status != STATUS_OK ? status : run.process.status));
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
        fprintf(stderr, "tierbed: rank 0 must run tierbed-director (or tierbed-packed); see `tierbed run --dry-run`\n");
        bus_abandon(bus);
        _exit(2);
    }
    if (directs)
        return session_main(argc, argv, bus);
    signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group; the director ends the run in order */
    return member_main(bus, role);
}
