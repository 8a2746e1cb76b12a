#include "nodes/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes/sync.h"

#define SETUP_WAIT_NS 200000000LL

/* ---- the message ---- */

static void put_text(struct bytes_writer *writer, const char *text) {
    bytes_put_u32(writer, (uint32_t)strlen(text));
    bytes_put(writer, text, strlen(text));
}

static const char *get_text(struct bytes_reader *reader, struct arena *arena) {
    uint32_t size = bytes_get_u32(reader);
    const uint8_t *text = bytes_get(reader, size);
    char *copy = text != NULL ? arena_alloc(arena, (size_t)size + 1) : NULL;
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

enum status setup_send(struct bus *bus, const struct setup *setup) {
    size_t room = strlen(setup->run_dir) + strlen(setup->scenario_text) + sizeof setup->nonce + 64;
    uint8_t *data = malloc(room);
    if (data == NULL)
        return STATUS_MEMORY;
    struct bytes_writer writer = bytes_writer_over(data, room);
    bytes_put_u8(&writer, SYNC_SETUP);
    bytes_put_u8(&writer, (uint8_t)setup->placement);
    bytes_put_u8(&writer, setup->trace);
    bytes_put_f64(&writer, setup->speed);
    bytes_put(&writer, setup->nonce, sizeof setup->nonce);
    put_text(&writer, setup->run_dir);
    put_text(&writer, setup->scenario_text);
    enum status status = writer.failed ? STATUS_LIMIT : STATUS_OK;
    for (uint32_t rank = 1; rank < bus_size(bus) && status == STATUS_OK; rank++)
        status = bus_send(bus, rank, BUS_CONTROL, data, writer.used);
    bus_flush(bus);
    free(data);
    return status;
}

void setup_call_off(struct bus *bus) {
    uint8_t kind = SYNC_FINISH;
    for (uint32_t rank = 1; rank < bus_size(bus); rank++)
        bus_send(bus, rank, BUS_CONTROL, &kind, 1);
    bus_flush(bus);
}

static enum status setup_decode(const struct bus_message *message, struct arena *arena, struct setup *setup,
                                struct error *error) {
    struct bytes_reader reader = bytes_reader_over(message->data, message->size);
    uint8_t kind = bytes_get_u8(&reader);
    if (kind == SYNC_FINISH)
        return STATUS_STOPPED;
    setup->placement = (enum placement_kind)bytes_get_u8(&reader);
    setup->trace = bytes_get_u8(&reader) != 0;
    setup->speed = bytes_get_f64(&reader);
    const uint8_t *nonce = bytes_get(&reader, sizeof setup->nonce);
    setup->run_dir = get_text(&reader, arena);
    setup->scenario_text = get_text(&reader, arena);
    if (kind != SYNC_SETUP || !bytes_done(&reader) || setup->placement > PLACEMENT_CYCLIC)
        return error_set(error, STATUS_INVALID,
                         "malformed setup from the director; are all programs of one version?");
    memcpy(setup->nonce, nonce, sizeof setup->nonce);
    return STATUS_OK;
}

enum status setup_receive(struct bus *bus, struct arena *arena, struct setup *setup, struct error *error) {
    struct bus_message message;
    while (!bus_receive(bus, &message)) {
        bus_wait(bus, SETUP_WAIT_NS);
        if (bus_peer_dead(bus, 0))
            return error_set(error, STATUS_PEER, "the director (rank 0) ended before the run began");
    }
    return setup_decode(&message, arena, setup, error);
}

/* ---- the member ---- */

void setup_trace_path(const struct setup *setup, uint32_t rank, char *path, size_t size) {
    snprintf(path, size, "%s/trace-%u.part", setup->run_dir, rank);
}

static enum status open_keyring(struct member *member, const struct setup *setup, uint32_t rank,
                                uint32_t ranks, struct error *error) {
    struct keyring_config config = {.scenario = &member->scenario,
                                    .topology = &member->topology,
                                    .rank_of_node = ranks > 1 ? member->placement.rank_of_node : NULL,
                                    .rank = rank,
                                    .rank_count = ranks};
    memcpy(config.nonce, setup->nonce, sizeof config.nonce);
    return keyring_open(&member->keyring, &config, error);
}

enum status member_open(struct member *member, const struct setup *setup, uint32_t rank, uint32_t ranks,
                        bool children, struct error *error) {
    memset(member, 0, sizeof *member);
    arena_init(&member->arena);
    struct scenario_problems *problems = arena_alloc(&member->arena, sizeof *problems);
    if (scenario_load_text(setup->scenario_text, strlen(setup->scenario_text), "scenario.yaml", NULL, 0,
                           &member->arena, &member->scenario, problems) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "the resolved scenario does not load: %s",
                         problems->count ? problems->items[0].text : "no reason given");
    TRY(topology_build(&member->scenario, &member->arena, &member->topology, error));
    TRY(placement_init(&member->placement, setup->placement, ranks, &member->topology, error));
    if (setup->trace) {
        setup_trace_path(setup, rank, member->trace_path, sizeof member->trace_path);
        TRY(trace_open(member->trace_path, &member->trace, error));
    }
    TRY(open_keyring(member, setup, rank, ranks, error));
    struct host_config config = {.scenario = &member->scenario,
                                 .topology = &member->topology,
                                 .scenario_text = setup->scenario_text,
                                 .run_dir = setup->run_dir,
                                 .rank_of_node = ranks > 1 ? member->placement.rank_of_node : NULL,
                                 .rank = rank,
                                 .rank_count = ranks,
                                 .keyring = &member->keyring,
                                 .children = children,
                                 .trace = member->trace,
                                 .speed = setup->speed};
    return host_open(&member->host, &config, error);
}

enum status member_close(struct member *member, struct error *error) {
    host_close(&member->host);
    keyring_close(&member->keyring);
    enum status status = trace_close(member->trace, error);
    placement_close(&member->placement);
    arena_close(&member->arena);
    return status;
}
