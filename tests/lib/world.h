/* world: a whole run in one process and one thread: every member on its own endpoint of a memory bus, turned
 * in an order drawn from a seed, so that no result can depend on which process happens to go first. */
#ifndef TIERBED_TESTS_LIB_WORLD_H
#define TIERBED_TESTS_LIB_WORLD_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/record/rows.h"
#include "nodes/placement.h"

struct world_config {
    const char *scenario_text;
    uint32_t processes;
    enum placement_kind placement;
    uint64_t turn_seed;  /* order in which members are turned */
    const char *run_dir; /* for durable stores; NULL: none */
    void *row_context;   /* told of every row of the record; NULL: nobody */
    void (*on_row)(void *context, const struct row *row);
};

struct world_result {
    uint64_t digest[4];
    uint64_t tasks, done, events, rounds, protocol_errors;
    uint64_t drops[16]; /* by enum drop_reason */
    struct error error;
};

enum status world_run(const struct world_config *config, struct world_result *result);

#endif
