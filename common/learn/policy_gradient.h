/* policy_gradient: what A3C and REINFORCE share: an actor and a critic, a rollout of at most `horizon` steps,
 * and one gradient of the advantage actor-critic loss over all of it.
 *
 * A class embeds struct policy_gradient as its first member; policy_gradient_act, _observe, _parameters then
 * serve in its table as they are. */
#ifndef TIERBED_LEARN_POLICY_GRADIENT_H
#define TIERBED_LEARN_POLICY_GRADIENT_H

#include <stdbool.h>

#include "common/learn/actor_critic.h"
#include "common/learn/agent.h"
#include "common/learn/rollout.h"

/* ---------------------------------------------------------------------------------------------- the loss */

struct policy_loss_config {
    double entropy_coefficient, value_coefficient;
    bool baseline; /* advantage = return - value, and the critic learns; else the return itself */
};

/* `count` rows, all borrowed. */
struct policy_batch {
    uint32_t count;
    const real *outputs;      /* [count][head->output_size] */
    const real *log_std;      /* [continuous_count] */
    const real *values;       /* [count] */
    const uint32_t *discrete; /* [count][discrete_count] */
    const real *continuous;   /* [count][continuous_count] */
    const real *returns;      /* [count], n-step (gae_returns) */
};

struct policy_loss {
    double total;   /* policy - entropy_coefficient entropy + value_coefficient value */
    double policy;  /* sum of -log p(a) A; A is a constant here: no gradient reaches the critic through it */
    double value;   /* sum of (R - V)^2; 0 without baseline */
    double entropy; /* sum; of log-softmax, so that no probability of 0 makes a NaN */
};

/* Where gradients go, all overwritten. */
struct policy_slopes {
    real *outputs, *log_std, *values;
};

/* Sums over the rows, not means (Mnih et al. 2016, algorithm S3). */
struct policy_loss policy_loss(const struct policy_head *head, const struct policy_loss_config *config,
                               const struct policy_batch *batch, const struct policy_slopes *slopes);

/* ---------------------------------------------------------------------------------------------- the core */

struct policy_gradient_config {
    struct agent_layers hidden;
    uint32_t horizon; /* most steps before a gradient */
    double discount, log_std;
    struct policy_loss_config loss;
    double gradient_norm;
};

struct policy_gradient {
    struct agent agent;
    struct policy_gradient_config config;
    struct actor_critic net;
    real *parameters, *gradient; /* owned, [net.parameter_count] */
    real *returns;               /* owned, [horizon] */
    struct rollout rollout;
    struct random_stream explore, evaluate;
};

/* The config is checked by the class's options. Close follows a failure too. */
enum status policy_gradient_open(struct policy_gradient *core, const struct policy_gradient_config *config,
                                 struct error *error);
void policy_gradient_close(struct policy_gradient *core);

void policy_gradient_act(struct agent *agent, const real *observation, enum agent_mode mode,
                         struct agent_action *action);
void policy_gradient_observe(struct agent *agent, const struct agent_transition *transition);
real *policy_gradient_parameters(struct agent *agent, size_t *count);

/* The rollout is full, or its last step ended an episode. */
bool policy_gradient_ended(const struct policy_gradient *core);

/* The loss's gradient over the whole rollout times `scale`, clipped, into `gradient` [net.parameter_count]
 * (overwritten); empties the rollout. `report` gets means per step. */
void policy_gradient_compute(struct policy_gradient *core, double scale, real *gradient,
                             struct agent_report *report);

size_t policy_gradient_saved_bytes(const struct policy_gradient *core);
void policy_gradient_save(const struct policy_gradient *core, struct bytes_writer *writer);
enum status policy_gradient_load(struct policy_gradient *core, struct bytes_reader *reader);

#endif
