/* launch: composes the mpirun line of a run, shows it, runs it and says how it ended.
 *
 * One program per role (MPMD), block by block; rank 0 is the first process of the first block. mpirun runs in
 * a process group of its own, so Ctrl-C reaches only the launcher, which sends SIGTERM to rank 0 alone, so
 * that it ends the run in order, and falls back on mpirun only when that takes too long
 * (docs/decisions/processes.md). Knows nothing of scenarios. */
#ifndef TIERBED_CLI_LAUNCH_H
#define TIERBED_CLI_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"

struct launch_block {
    const char *program;          /* path */
    uint32_t count;               /* processes */
    const char *const *arguments; /* ends with NULL; NULL: none */
};

struct launch_plan {
    const struct launch_block *blocks; /* borrowed, as all below */
    size_t block_count;
    const char *hostfile;       /* NULL: this host alone */
    const char *const *exports; /* names of environment variables to hand to every rank; NULL: none */
    bool abort_on_death;   /* mpirun itself ends the run when a process dies or fails, and its exit code tells
                            * of it. Otherwise the others live on so that rank 0 can end the run in order;
                            * mpirun's exit code then is 0 and rank 0 must leave word of how it ended. */
    bool quiet;            /* do not say that root's permission was set */
    bool output_to_stderr; /* what ranks print on stdout goes to stderr */
    void (*on_tick)(void *context); /* called every LAUNCH_TICK_MS while the run goes on; may be NULL */
    void *context;
};

#define LAUNCH_TICK_MS 100
#define LAUNCH_LINGER_S 7

struct launch_result {
    int exit_code; /* mpirun's; 128 + signal when a signal ended it */
    bool stopped;  /* the user asked to stop */
    bool forced;   /* the run did not end by itself in time: after a stop, or after a process had gone */
    bool killed;   /* a signal ended mpirun that the launcher did not send */
    double wall_s;
};

/* Prints the line so that it can be typed into a shell, environment first. */
void launch_print(const struct launch_plan *plan, FILE *file);

/* Runs the plan to its end; fills `result` in any case. STATUS_OK when mpirun ended with 0, STATUS_STOPPED
 * when the user asked to stop, STATUS_PEER when mpirun was killed, a rank died from a signal, or one was gone
 * and the others did not end within LAUNCH_LINGER_S, STATUS_FAILED for another exit code (see `result`),
 * STATUS_IO or STATUS_UNSUPPORTED when mpirun could not be started; `error` then says why. */
enum status launch_run(const struct launch_plan *plan, struct launch_result *result, struct error *error);

/* The path of program `name` beside the running executable: "/usr/bin/tierbed-" "edge". STATUS_IO when it is
 * missing. */
enum status launch_find_program(const char *name, char *path, size_t size, struct error *error);

#endif
