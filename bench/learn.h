/* learn: how long the steps of learning take, in one thread, beside the figures of PyTorch 1.13 on one core.
 */
#ifndef TIERBED_BENCH_LEARN_H
#define TIERBED_BENCH_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `tierbed bench learn`: parses options, measures, prints. Returns the exit code. */
int bench_learn(int argc, char **argv);

/* One thing to measure. */
struct learn_row {
    const char *name;
    const char *what;    /* one line: shapes, batch, what a step contains */
    double reference_us; /* what PyTorch needs for it; 0: not known */
    double asked;        /* how many times faster than that is asked for */
    void *(*open)(void); /* context, owned by the row until close; NULL: no memory */
    void (*step)(void *context);
    void (*close)(void *context);
};

/* Tables of rows, each ending with a NULL name; learn.c lists them. One file a group: learn_<group>.c. */
extern const struct learn_row learn_rows_mlp[], learn_rows_off_policy[], learn_rows_convnet[];

struct learn_result {
    uint64_t steps; /* of one repetition */
    uint32_t repetitions;
    double median_us, minimum_us; /* processor time of one step, over repetitions */
    double ratio;                 /* reference / median; 0: no reference */
    bool reached;                 /* ratio >= asked */
};

/* Repeats steps for about time_s a repetition after a warm-up of the same length. False: no memory. */
bool learn_measure(const struct learn_row *row, uint32_t repetitions, double time_s,
                   struct learn_result *result);

#endif
