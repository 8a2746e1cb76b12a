/* hybrid_policy: a stochastic policy over choices (categorical, one per head) and numbers (squashed
 * Gaussian), all independent given the state; sampled so that gradients pass through.
 *
 * An actor puts out [logits of all heads | means | raw log_std]; log_std = clamp(raw, min, max), with no
 * gradient where it is clamped. Numbers are reparameterised, u = mean + exp(log_std) noise, action = tanh(u).
 * Choices come in one of two ways:
 *   expectation      the critic rates every joint choice (all combinations, the first head slowest), and the
 * mean of these ratings is taken exactly: no sample, no bias, no variance; straight-through the critic gets a
 * one-hot sample, and its gradient passes as if it had got the probabilities: biased, but of a size that does
 * not grow with the number of combinations. */
#ifndef TIERBED_LEARN_HYBRID_POLICY_H
#define TIERBED_LEARN_HYBRID_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/random.h"
#include "common/learn/agent.h"
#include "common/learn/real.h"

#define HYBRID_JOINT_MAX 256 /* combinations that expectation may take */

struct hybrid_policy {
    uint32_t discrete_count, discrete_sizes[AGENT_HEADS_MAX];
    uint32_t logit_count; /* of all heads */
    uint32_t continuous_count;
    uint32_t output_size; /* of the actor */
    uint32_t joint_count; /* combinations of choices; 1: straight-through, or no choices */
    bool straight;        /* straight-through rather than expectation */
    double log_std_min, log_std_max;
};

/* Straight-through where it is asked for or where there are more than HYBRID_JOINT_MAX combinations. */
struct hybrid_policy hybrid_policy_of(const struct agent_space *space, bool straight, double log_std_min,
                                      double log_std_max);

/* What a batch of states leads to; arrays of [batch][...], in the arena they were taken from. */
struct hybrid_draw {
    real *noise, *uniform;      /* [continuous], [discrete]: the randomness, drawn or given */
    real *log_p;                /* [logits]: log-softmax of each head */
    real *joint;                /* [joint]: probabilities of combinations; 1 where joint_count is 1 */
    real *choice;               /* [logits]: one-hot */
    real *log_std, *u, *action; /* [continuous] */
    real *entropy;              /* []: of the choices, nat */
    real *log_probability;      /* []: of the numbers, nat (differential) */
};
struct hybrid_draw hybrid_draw_of(const struct hybrid_policy *policy, uint32_t batch, struct arena *arena);

/* New randomness; stream NULL: none, the likeliest choice and tanh of the mean. */
void hybrid_randomise(const struct hybrid_policy *policy, struct random_stream *stream, uint32_t batch,
                      struct hybrid_draw *draw);
/* outputs [batch][output_size] and the randomness in `draw` -> everything else in it. */
void hybrid_evaluate(const struct hybrid_policy *policy, const real *outputs, uint32_t batch,
                     struct hybrid_draw *draw);

/* What the loss wants of each row of a batch; expectation reads `value`, straight-through `d_choice`. */
struct hybrid_slope {
    const real *value; /* [batch][joint]: the loss holds value_weight sum joint value */
    real value_weight;
    const real *d_choice;              /* [batch][logits] */
    const real *d_action;              /* [batch][continuous] */
    real d_entropy, d_log_probability; /* the same for every row */
};

/* -> d_outputs [batch][output_size], overwritten. */
void hybrid_backward(const struct hybrid_policy *policy, const real *outputs, const struct hybrid_draw *draw,
                     const struct hybrid_slope *slope, uint32_t batch, real *d_outputs);

/* The number of the combination that one-hot `choice` [logits] stands for; 0 where joint_count is 1. */
uint32_t hybrid_joint_index(const struct hybrid_policy *policy, const real *choice);

#endif
