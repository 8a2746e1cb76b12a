/* dqn: Q-learning with a network, a replay ring and a target network (Mnih et al. 2015), optionally double
 * (van Hasselt et al. 2016). */
#ifndef TIERBED_LEARN_DQN_H
#define TIERBED_LEARN_DQN_H

#include "common/learn/agent.h"
#include "common/learn/epsilon.h"
#include "common/learn/experience.h"
#include "common/learn/learner.h"

/* ------------------------------------------------------------------------------------------ equations */

/* A minibatch of `count` rows; all borrowed. */
struct dqn_batch {
    uint32_t count, action_count;
    const uint32_t *actions;   /* [count] */
    const real *rewards;       /* [count] */
    const uint8_t *terminated; /* [count] */
    const real *target_next;   /* [count][action_count]: Q'(s', .) of the target network */
    const real *online_next;   /* the same of the network itself: double; NULL: not double */
};

/* y = r + discount Q'(s', a*), a* the best action of Q' or, double, of Q; ties to the lowest; r alone where
 * terminated. targets [count]. */
void dqn_targets(const struct dqn_batch *batch, double discount, real *targets);

/* Mean Huber loss between Q(s, a), from values [count][action_count], and targets; d_values (overwritten) is
 * 0 but at the actions taken. scratch [2 count]. */
double dqn_loss(const struct dqn_batch *batch, const real *values, const real *targets, double delta,
                real *d_values, real *scratch);

/* ---------------------------------------------------------------------------------------------- agent */

struct dqn_config {
    struct agent_layers hidden; /* ReLU */
    double rate, discount;      /* rate of Adam */
    double huber;               /* where the loss turns linear */
    double gradient_norm;
    struct epsilon_config epsilon;
    uint32_t batch, replay_capacity, warm_up, update_every;
    uint32_t target_every; /* updates between copies to the target network; 0: it follows by tau instead */
    double tau;
    bool double_q;
};

struct dqn {
    struct agent agent;
    struct dqn_config config;
    uint32_t action_count;
    struct learner q;
    struct mlp_trace trace, next_trace; /* for single observations and minibatches; for s' */
    struct experience experience;
    struct random_stream explore, evaluate;
    uint64_t step;              /* exploring actions so far */
    uint64_t update_count;      /* ever */
    real *parameters;           /* owned, [q.count] */
    struct dqn_workspace *work; /* owned */
};

extern const struct agent_class dqn_class;

#endif
