/* experiment_plan: every run that a sweep asks for, resolved and named by its key. Runs that are the same for
 * two arms (which read different things out of them) are there once. */
#ifndef TIERBED_CLI_EXPERIMENT_PLAN_H
#define TIERBED_CLI_EXPERIMENT_PLAN_H

#include "cli/experiment_key.h"
#include "cli/experiment_sweep.h"

enum run_state { RUN_WAITING = 0, RUN_REUSED, RUN_DONE, RUN_FAILED };

struct plan_run {
    char key[KEY_TEXT_SIZE];
    const char *scenario_path;
    const char **sets; /* in order; the seed not among them */
    uint32_t set_count;
    uint64_t seed;
    const char *text; /* resolved scenario */
    char name[160];   /* "x=5 greedy seed 3" */
    enum run_state state;
    int exit_code; /* failed: as `tierbed run` returned; 128 + signal for one that died */
    char digest[72];
    char log[4096]; /* failed: where its output is */
};

struct plan {
    const struct sweep *sweep;
    struct plan_run *runs;
    uint32_t run_count;
    uint32_t *of; /* [arm][point][seed] -> run */
};

/* Resolves every run. Everything lives in `arena`. Problems of the scenario with its overrides are printed to
 * stderr, with the run that has them. STATUS_INVALID then. */
enum status plan_make(const struct sweep *sweep, struct key_base *base, struct arena *arena,
                      struct plan *plan, struct error *error);

struct plan_run *plan_run_at(const struct plan *plan, uint32_t arm, uint32_t point, uint32_t seed);

/* The command that repeats a run alone under mpirun, quoted for a shell; in `arena`. */
const char *plan_command(const struct plan_run *run, struct arena *arena);

#endif
