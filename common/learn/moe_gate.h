/* moe_gate: which experts serve a row, and with what weight: the noisy top-k gate of Shazeer et al. 2017.
 *
 * clean = x W_gate, spread = softplus(x W_noise) + floor, noisy = clean + noise spread. The k largest noisy
 * logits are kept (of equal ones the lowest index), and the gates are the softmax over these alone; all
 * others are exactly 0. Noise belongs to training: without it noisy = clean.
 *
 * Over a batch an expert's importance is the sum of its gates, its load the expected number of rows that
 * would choose it if its noise were drawn again: the sum of Phi((clean - threshold) / spread), where the
 * threshold is the (k+1)-th noisy logit for an expert that was kept and the k-th for one that was not.
 * Without noise, or with all experts kept, the load is a count and has no gradient. The balance loss is
 * balance (cv^2(importance) + cv^2(load)), the squared coefficient of variation with unbiased variance,
 * always over the whole batch. */
#ifndef TIERBED_LEARN_MOE_GATE_H
#define TIERBED_LEARN_MOE_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/real.h"

#define MOE_NOISE_FLOOR 1e-2 /* of Shazeer et al. */
#define MOE_BALANCE 1e-2     /* weight of the balance loss there */
#define MOE_CV_EPSILON 1e-10 /* added to the squared mean */

struct moe_gate {
    uint32_t in, experts;
    double noise_floor, balance;
};

/* W_gate [in][experts], then W_noise [in][experts]. */
static inline size_t moe_gate_parameter_count(const struct moe_gate *gate) {
    return (size_t)2 * gate->in * gate->experts;
}

/* What a pass leaves behind. Owned; close with moe_gate_trace_close. */
struct moe_gate_trace {
    uint32_t batch_max, batch, k;
    const real *noise;                               /* borrowed from the forward pass, NULL: none */
    real *clean, *softplus, *spread, *noisy, *gates; /* [batch][experts]; spread is softplus + floor */
    uint32_t
        *chosen; /* [batch][experts]: the largest k + 1 in order, as far as there are; behind them, rubbish */
    real *importance, *load; /* [experts] */
    real *slopes;            /* [2][experts]: of the balance loss in both */
    real *scratch;           /* [3][batch][experts] */
    real *dx;                /* [batch][in] */
    real *block;             /* owned memory behind the reals */
};
enum status moe_gate_trace_open(struct moe_gate_trace *trace, const struct moe_gate *gate,
                                uint32_t batch_max);
void moe_gate_trace_close(struct moe_gate_trace *trace); /* safe on zeros */

/* A gate with its weights, keeping k of its experts, 1 .. experts. */
struct moe_gate_run {
    const struct moe_gate *gate;
    const real *parameters; /* borrowed */
    uint32_t k;
};

/* x [batch][in], noise [batch][experts] of standard normal draws (NULL: evaluation): fills the trace. */
void moe_gate_forward(const struct moe_gate_run *run, const real *x, const real *noise, uint32_t batch,
                      struct moe_gate_trace *trace);

/* Of the last forward pass. */
double moe_gate_balance_loss(const struct moe_gate *gate, const struct moe_gate_trace *trace);

/* dgates [batch][experts] (read where an expert was kept) plus the gradient of the balance loss -> gradients
 * of the weights (overwritten) and dx [batch][in] (NULL: not wanted). */
struct moe_gate_gradients {
    real *parameters, *dx;
};
void moe_gate_backward(const struct moe_gate_run *run, const real *x, const real *dgates,
                       struct moe_gate_trace *trace, const struct moe_gate_gradients *gradients);

/* Standard normal draws, [count]. */
void moe_noise_draw(struct random_stream *stream, size_t count, real *noise);

#endif
