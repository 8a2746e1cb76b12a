/* pool: many seeds in a few processes. A seed that kills its process (a failed assertion, a loop) is a
 * failure of that seed and of no other. */
#ifndef TIERBED_CAMPAIGN_POOL_H
#define TIERBED_CAMPAIGN_POOL_H

#include "campaign/run.h"

#define POOL_JOBS_MAX 64u
#define POOL_SEED_SECONDS 300u /* wall clock that a single seed may take */

struct pool_config {
    struct campaign_options options;
    uint64_t first, last; /* seeds, both included */
    uint32_t jobs;
    bool until_failure; /* stop after the first failing seed */
    /* Called in this process for every seed, in the order of their ends. */
    void *context;
    void (*on_result)(void *context, const struct campaign_result *result);
};

/* STATUS_OK when every seed was run, whatever was found. */
enum status campaign_pool_run(const struct pool_config *config, struct error *error);

#endif
