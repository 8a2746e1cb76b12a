#include "tests/lib/world.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "nodes/director/admission.h"
#include "nodes/director/session.h"
#include "nodes/rank.h"

struct world {
    const struct world_config *config;
    struct world_result *result;
    struct setup setup;
    struct bus **endpoints;
    uint32_t count;
    struct member *members;
    struct rank_run *runs;
    struct director director;
    struct admission admission;
    uint64_t *node_digests;
    uint32_t node_count;
};

static void take_row(struct world *world, const struct row *row) {
    struct world_result *result = world->result;
    if (world->config->on_row != NULL)
        world->config->on_row(world->config->row_context, row);
    if (row->kind == ROW_TASK) {
        result->tasks++;
        result->done += row->as.task.drop == DROP_NONE;
        result->drops[row->as.task.drop]++;
    } else if (row->kind == ROW_NODE) {
        world->node_digests[row->as.node.node] = row->as.node.digest;
        result->protocol_errors += row->as.node.protocol_errors;
    } else if (row->kind == ROW_PROCESS) {
        result->events += row->as.process.events;
    }
}

static enum status on_rows(void *context, const uint8_t *data, size_t size, struct error *error) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct row row;
    while (bytes_left(&reader) > 0) {
        if (row_decode(&reader, &row) != STATUS_OK)
            return error_set(error, STATUS_INVALID, "malformed row");
        take_row(context, &row);
    }
    return STATUS_OK;
}

static enum status on_final(void *context, uint32_t rank, const uint8_t *data, size_t size,
                            struct error *error) {
    (void)rank;
    return on_rows(context, data, size, error);
}

static void on_join(void *context, uint32_t rank, const uint8_t *data, size_t size) {
    admission_take(&((struct world *)context)->admission, rank, data, size);
}

static const uint8_t *admission(void *context, size_t *size) {
    return admission_result(&((struct world *)context)->admission, size);
}

static enum status open_members(struct world *world, struct error *error) {
    for (uint32_t rank = 0; rank < world->count; rank++)
        TRY(member_open(&world->members[rank], &world->setup, rank, world->count, false, error));
    const struct member *first = &world->members[0];
    world->node_count = first->topology.node_count;
    world->node_digests = calloc(world->node_count, sizeof *world->node_digests);
    const struct keyring_config *config = &first->keyring.config;
    bool joins = keyring_must_join(config);
    if (joins)
        TRY(admission_open(&world->admission, config, error));
    director_init(&world->director,
                  &(struct director_config){.bus = world->endpoints[0],
                                            .end_ns = first->scenario.slot_ns * first->scenario.slots +
                                                      first->scenario.drain_ns,
                                            .chunk_ns = first->scenario.slot_ns,
                                            .context = world,
                                            .on_join = joins ? on_join : NULL,
                                            .admission = joins ? admission : NULL,
                                            .on_rows = on_rows,
                                            .on_final = on_final});
    for (uint32_t rank = 0; rank < world->count; rank++) {
        world->runs[rank].member = &world->members[rank];
        rank_begin(&world->runs[rank], world->endpoints[rank], rank == 0 ? &world->director : NULL, NULL);
    }
    return STATUS_OK;
}

static enum status turn(struct world *world, uint64_t turn_seed, struct error *error) {
    struct random_stream stream;
    random_init(&stream, turn_seed, 0, RANDOM_TEST);
    while (!director_done(&world->director)) {
        bool any;
        int64_t sleep_ns;
        uint32_t rank = (uint32_t)random_below(&stream, world->count);
        if (loop_is_over(&world->runs[rank].loop))
            continue;
        TRY(loop_step(&world->runs[rank].loop, &any, &sleep_ns, error));
    }
    *error = world->director.error;
    return world->director.status;
}

static void close_all(struct world *world) {
    struct error error;
    for (uint32_t rank = 0; rank < world->count; rank++) {
        if (world->runs[rank].loop.process != NULL)
            process_close(&world->runs[rank].process);
        member_close(&world->members[rank], &error);
        bus_close(world->endpoints[rank]);
    }
    if (world->director.peers != NULL)
        director_close(&world->director);
    admission_close(&world->admission);
    free(world->endpoints);
    free(world->members);
    free(world->runs);
    free(world->node_digests);
}

enum status world_run(const struct world_config *config, struct world_result *result) {
    memset(result, 0, sizeof *result);
    struct world world = {.config = config,
                          .result = result,
                          .count = config->processes,
                          .setup = {.placement = config->placement,
                                    .run_dir = config->run_dir,
                                    .scenario_text = config->scenario_text}};
    TRY(bus_memory_open(config->processes, &world.endpoints, &result->error));
    world.members = calloc(world.count, sizeof *world.members);
    world.runs = calloc(world.count, sizeof *world.runs);
    enum status status = open_members(&world, &result->error);
    if (status == STATUS_OK)
        status = turn(&world, config->turn_seed, &result->error);
    if (status == STATUS_OK)
        session_digest(world.node_digests, world.node_count, result->digest);
    result->rounds = world.director.rounds;
    close_all(&world);
    return status;
}
