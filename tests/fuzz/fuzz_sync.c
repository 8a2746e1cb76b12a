/* Goal: no bytes that come over the bus crash a process or the director, whoever sent them.
 * Method: the input is cut into messages (a byte of lane, a byte of length, content); each goes to a process
 * with a small PHOLD in its engine and to a director, both on a memory bus. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench/phold.h"
#include "nodes/director/director.h"
#include "nodes/process.h"

struct target {
    struct bus **buses;
    struct phold phold;
    struct engine engine;
    struct process process;
    struct director director;
};

static void target_open(struct target *target) {
    static const struct phold_config config = {.lps = 8,
                                               .events_per_lp = 1,
                                               .remote = 0.5,
                                               .lookahead_s = 0.1,
                                               .mean_s = 1.0,
                                               .end_s = 5.0,
                                               .seed = 1};
    static const uint32_t rank_of_lp[8] = {0, 0, 0, 0, 1, 1, 1, 1};
    struct error error;
    if (bus_memory_open(2, &target->buses, &error) != STATUS_OK)
        abort();
    phold_init(&target->phold, &config);
    engine_init(&target->engine, &(struct engine_config){.node_count = 8,
                                                         .rank_count = 2,
                                                         .rank_of_node = rank_of_lp,
                                                         .step_max = 50,
                                                         .deliver = phold_deliver,
                                                         .context = &target->phold});
    phold_start(&target->phold, &target->engine);
    director_init(&target->director, &(struct director_config){.bus = target->buses[0],
                                                               .end_ns = vtime_from_s(5.0),
                                                               .chunk_ns = vtime_from_s(1.0)});
    process_init(&target->process, &(struct process_config){.bus = target->buses[0],
                                                            .engine = &target->engine,
                                                            .lookahead_ns = 100000000});
}

static void target_close(struct target *target) {
    process_close(&target->process);
    director_close(&target->director);
    engine_close(&target->engine);
    phold_close(&target->phold);
    bus_close(target->buses[0]);
    bus_close(target->buses[1]);
    free(target->buses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct target target = {0};
    target_open(&target);
    while (size >= 2) {
        struct bus_message message = {.source = data[0] >> 7, .lane = data[0] & 1 ? BUS_EVENTS : BUS_CONTROL};
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        message.data = data + 2;
        message.size = length;
        if (!target.process.finished)
            (void)process_on_message(&target.process, &message);
        (void)process_step(&target.process);
        if (message.lane == BUS_CONTROL)
            director_on_message(&target.director, &message);
        (void)director_step(&target.director, 1.0);
        data += 2 + length;
        size -= 2 + length;
    }
    target_close(&target);
    return 0;
}
