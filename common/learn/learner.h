/* learner: a network that is trained: its shape, parameters, target copy and optimiser.
 *
 * The parameters lie in a block of the agent, so that what an agent hands out is one block; gradients and
 * activations belong to the caller too, who shares them between networks. */
#ifndef TIERBED_LEARN_LEARNER_H
#define TIERBED_LEARN_LEARNER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/learn/agent.h"
#include "common/learn/mlp.h"
#include "common/learn/optimiser.h"

struct learner {
    struct mlp mlp;
    size_t count;     /* parameters */
    real *parameters; /* borrowed, [count] */
    real *target;     /* owned, [count]; NULL: has none */
    struct optimiser optimiser;
};

/* in -> hidden layers (ReLU) -> out. */
struct mlp learner_shape(uint32_t in, const struct agent_layers *hidden, uint32_t out,
                         enum activation output);

/* The block is borrowed and may hold anything; its values come from learner_initialise or learner_load. */
enum status learner_open(struct learner *learner, const struct mlp *mlp, double learning_rate,
                         bool with_target, real *parameters);
void learner_close(struct learner *learner); /* safe on zeros */

/* Hidden layers uniform in +-1/sqrt(in), the last in +-last (Lillicrap et al. 2016, 7); the target is a copy.
 */
void learner_initialise(struct learner *learner, double last, struct random_stream *stream);

/* One optimiser step; gradients [count]. */
void learner_step(struct learner *learner, const real *gradients);
/* target = tau online + (1 - tau) target. */
void learner_follow(struct learner *learner, double tau);

/* Which columns of a network's input a gradient is wanted in, and room for it. */
struct learner_columns {
    size_t first, count;
    real *d_hidden; /* [batch][first hidden size]; not read without hidden layers */
    real *dx;       /* [batch][count] */
};

/* After mlp_forward with the same trace: dy [batch][output] -> the gradient in some columns of the input,
 * which costs no more than they need. No gradient in the parameters. */
void learner_backward_columns(const struct learner *learner, const real *dy, uint32_t batch,
                              struct mlp_trace *trace, const struct learner_columns *columns);

/* Room for `count` numbers, zeros, from a cache line's begin; lives as long as the arena. */
real *learner_scratch(struct arena *arena, size_t count);

/* Parameters, target, optimiser. load: STATUS_INVALID when counts differ or a number is not finite. */
size_t learner_saved_bytes(const struct learner *learner);
void learner_save(const struct learner *learner, struct bytes_writer *writer);
enum status learner_load(struct learner *learner, struct bytes_reader *reader);

#endif
