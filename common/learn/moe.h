/* moe: a mixture of experts, y = sum over the kept experts of gate x expert(x) (Shazeer et al. 2017).
 *
 * Experts are perceptrons of one shape, which take what the gate takes. Only the experts that a row has
 * chosen are computed for it. Both how many experts are kept and how much of each expert runs (elastic.h) are
 * arguments of a pass. The block holds the weights of the gate (moe_gate.h), then expert after expert. */
#ifndef TIERBED_LEARN_MOE_H
#define TIERBED_LEARN_MOE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/learn/elastic.h"
#include "common/learn/initialiser.h"
#include "common/learn/mlp.h"
#include "common/learn/moe_gate.h"
#include "common/learn/optimiser.h"
#include "common/learn/real.h"

struct moe {
    struct moe_gate gate;
    struct mlp expert; /* its input has the size of the gate's */
};

size_t moe_parameter_count(const struct moe *moe);
size_t moe_expert_offset(const struct moe *moe, uint32_t expert);

/* Experts by `hidden` and `last` as mlp_initialise; gate weights uniform in +-1 / sqrt(in), noise weights 0:
 * every expert begins with the same chance of noise. */
void moe_initialise(const struct moe *moe, const struct initialiser *hidden, const struct initialiser *last,
                    struct random_stream *stream, real *parameters);

/* Products and sums of a pass for one row with k experts, each of the slice: what DyNN (III) charges, 2 for
 * each product of an expert, 1 for each weighted output. */
uint64_t moe_row_operations(const struct moe *moe, uint32_t k, const struct elastic_slice *slice);

/* What a pass leaves behind, for up to batch_max rows that keep up to k_max experts each. Owned; close with
 * moe_trace_close. */
struct moe_trace {
    uint32_t batch_max, k_max;
    struct moe_gate_trace gate;
    struct elastic_trace experts; /* of batch_max k_max rows, expert after expert */
    uint32_t *begin;              /* [experts + 1]: where the rows of each expert begin */
    uint32_t *rows;               /* [batch k]: which row of the batch */
    real *x, *dx, *dy;            /* [batch k][size]: of these rows */
    real *y;                      /* [batch][output] */
    real *dgates;                 /* [batch][experts] */
    real *block;                  /* owned memory behind the reals of this struct */
};
enum status moe_trace_open(struct moe_trace *trace, const struct moe *moe, uint32_t batch_max,
                           uint32_t k_max);
void moe_trace_close(struct moe_trace *trace); /* safe on zeros */

/* A mixture and the part of it that runs, all borrowed. */
struct moe_run {
    const struct moe *moe;
    const real *parameters;
    uint32_t k; /* experts kept, 1 .. experts */
    const struct elastic_slice *slice;
};

/* x [batch][in], noise [batch][experts] of standard normal draws (NULL: evaluation; else it must live until
 * the backward pass); returns y [batch][output of the slice], borrowed from the trace. */
const real *moe_forward(const struct moe_run *run, const real *x, const real *noise, uint32_t batch,
                        struct moe_trace *trace);

/* After moe_forward with the same x and trace: dy -> gradients, the whole block overwritten, 0 where nothing
 * was touched, with the gradient of the balance loss (moe_gate_balance_loss) added; dx [batch][in] (NULL: not
 * wanted). */
void moe_backward(const struct moe_run *run, const real *x, struct moe_trace *trace,
                  const struct elastic_backward *backward);

/* One optimiser step on the gate and on the slices of the experts that had rows in the last pass; parameters
 * and moments of all others stay as they are. */
void moe_step(const struct moe_run *run, const struct moe_trace *trace, struct optimiser *optimiser,
              real *parameters, const real *gradients);

#endif
