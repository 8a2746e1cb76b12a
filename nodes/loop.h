/* loop: the one loop of every process: take what the bus brings, step the process and the director, wait.
 *
 * A rank that only hosts nodes has no director; rank 0 has one, and has a process too when nodes are packed.
 */
#ifndef TIERBED_NODES_LOOP_H
#define TIERBED_NODES_LOOP_H

#include <signal.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "nodes/director/director.h"
#include "nodes/process.h"

struct loop {
    struct bus *bus;
    struct process *process;              /* NULL: hosts nothing */
    struct director *director;            /* NULL: not rank 0 */
    const volatile sig_atomic_t *stopped; /* set by a signal handler; NULL: never */
    double wait_s;                        /* out: wall time spent waiting */
};

/* Runs until the director is done, or the process has sent FINAL. STATUS_OK then, whatever the reason of the
 * end (the director knows it); STATUS_PEER when rank 0 has died; STATUS_INVALID on a malformed message. */
enum status loop_run(struct loop *loop, struct error *error);

/* One turn without waiting: `any` tells whether something happened, `sleep_ns` how long the director would
 * sleep (negative: until a message comes). For tests that turn many loops in one thread. */
enum status loop_step(struct loop *loop, bool *any, int64_t *sleep_ns, struct error *error);
bool loop_is_over(const struct loop *loop);

#endif
