/* experiment_pool: makes the runs of a plan that are not in the cache, some at a time, each in a child
 * process of its own that executes this program again. The children die with this process; a signal ends them
 * in order. */
#ifndef TIERBED_CLI_EXPERIMENT_POOL_H
#define TIERBED_CLI_EXPERIMENT_POOL_H

#include "cli/experiment_cache.h"
#include "cli/experiment_plan.h"

struct pool_config {
    uint32_t jobs;
    bool force;           /* make runs again that are in the cache */
    bool verbose, quiet;  /* a line for every run; nothing at all */
    const char *fail_dir; /* logs of failed runs go here; made when needed */
};

struct pool_result {
    uint32_t reused, made, failed;
    double wall_s;
};

/* Fills state, digest and log of every run. STATUS_STOPPED: a signal asked to stop; the runs that finished
 * are kept. STATUS_OK also when runs failed. */
enum status pool_run(struct plan *plan, const struct cache *cache, const struct pool_config *config,
                     struct pool_result *result, struct error *error);

/* Cores this process may use. */
uint32_t pool_default_jobs(void);

#endif
