/* ppo_loss: what PPO minimises on one minibatch, and its gradient in the networks' outputs (Schulman et al.
 * 2017, Eqs. (7), (9)). No network, no state. */
#ifndef TIERBED_LEARN_PPO_LOSS_H
#define TIERBED_LEARN_PPO_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/learn/policy_head.h"

struct ppo_loss_config {
    double clip; /* of the ratio: [1 - clip, 1 + clip]; of the value's change, with value_clip */
    double entropy_coefficient, value_coefficient;
    bool normalise_advantage; /* over the minibatch: less mean, over unbiased deviation + 1e-8; needs two rows
                               */
    bool value_clip;
};

/* A minibatch of `count` rows, all borrowed. The actions are as drawn, never clipped. */
struct ppo_batch {
    uint32_t count;
    const real *outputs;               /* [count][head->output_size], of the policy being trained */
    const real *log_std;               /* [continuous_count] */
    const real *values;                /* [count] */
    const uint32_t *discrete;          /* [count][discrete_count] */
    const real *continuous;            /* [count][continuous_count] */
    const real *old_log_probabilities; /* [count], of the whole hybrid action when drawn */
    const real *advantages, *returns;  /* [count] */
    const real *old_values;            /* [count] */
};

struct ppo_loss {
    double total;  /* policy - entropy_coefficient entropy + value_coefficient value */
    double policy; /* mean of max(-A r, -A clip(r)) */
    double value;  /* 1/2 mean of squared errors, the larger of clipped and unclipped ones */
    double entropy, kl, clip_fraction; /* kl: mean of (r - 1) - log r (Schulman 2020) */
};

struct ppo_slopes {
    real *outputs; /* [count][head->output_size], overwritten */
    real *log_std; /* [continuous_count], overwritten */
    real *values;  /* [count], overwritten */
};

struct ppo_loss ppo_loss(const struct policy_head *head, const struct ppo_loss_config *config,
                         const struct ppo_batch *batch, const struct ppo_slopes *slopes);

#endif
