/* ppo_workspace: scratch memory of a PPO round, and what ppo_class.c and ppo.c share. Nothing in it outlives
 * a round, so nothing of it is saved. */
#ifndef TIERBED_LEARN_PPO_WORKSPACE_H
#define TIERBED_LEARN_PPO_WORKSPACE_H

#include "common/learn/ppo.h"

struct ppo_workspace {
    uint32_t batch_count; /* rows of a minibatch */
    real *block;          /* owned: all arrays of reals below */
    real *observation;    /* one, normalised */
    /* The whole rollout: */
    real *observations; /* normalised */
    real *rewards, *values, *advantages, *returns;
    uint32_t *order; /* owned: a permutation of its rows */
    /* One minibatch: */
    real *batch_observations, *batch_continuous, *batch_old_log_probabilities, *batch_advantages,
        *batch_returns, *batch_old_values;
    uint32_t *batch_discrete; /* owned */
};

void ppo_act(struct agent *agent, const real *observation, enum agent_mode mode, struct agent_action *action);
void ppo_observe(struct agent *agent, const struct agent_transition *transition);
void ppo_learn(struct agent *agent, struct agent_report *report);

#endif
