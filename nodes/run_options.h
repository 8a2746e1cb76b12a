/* run_options: how a scenario is to be run. One parser for `tierbed run` and for the director's own program,
 * so that the mpirun line that `tierbed run --dry-run` prints can be typed by hand. */
#ifndef TIERBED_NODES_RUN_OPTIONS_H
#define TIERBED_NODES_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"
#include "nodes/placement.h"

#define RUN_OVERRIDES_MAX 64
#define RUN_PROCESSES_MAX 4096

struct run_options {
    const char *scenario_path;
    struct scenario_override overrides[RUN_OVERRIDES_MAX]; /* texts borrowed from argv */
    size_t override_count;
    char seed[40];          /* text of the override that --seed stands for: do not copy the struct */
    const char *resume_dir; /* NULL: begin anew; else see nodes/run_resume.h, with the texts that it makes */
    char resume_scenario[4200], resume_from[4200], resume_slot[48];
    const char *out_dir; /* NULL: runs/NAME-sSEED-TIME */
    bool trace, quiet, no_report;
    bool relaxed; /* the record need not outlive the machine before it is closed (record_config.durable) */
    double speed; /* > 0: wall clock, virtual seconds per wall second */
    bool wall_clock;
    uint32_t processes; /* 0: one per node */
    enum placement_kind placement;
    bool placement_given;
};

struct run_option_info {
    const char *name, *argument, *help;
};

/* The table ends with a NULL name. */
extern const struct run_option_info run_option_table[];

void run_options_init(struct run_options *options);

/* Takes one option by its long name. STATUS_INVALID with a sentence when it or its argument is wrong;
 * STATUS_UNSUPPORTED when the name is not in the table. */
enum status run_options_take(struct run_options *options, const char *name, const char *argument,
                             struct error *error);

/* Checks that the options fit each other. */
enum status run_options_check(const struct run_options *options, struct error *error);

/* Rewrites `options` as arguments: at most `capacity` pointers into argv order "--set", "a=b", ...; texts
 * that had to be made lie in `arena`. Returns the count. */
size_t run_options_arguments(const struct run_options *options, struct arena *arena, const char **arguments,
                             size_t capacity);

#endif
