/* ppo: proximal policy optimisation (Schulman et al. 2017), alone or as one of several workers that train one
 * policy.
 *
 * Alone, agent_learn does a whole round when `horizon` steps have been observed. Together, every worker has
 * an agent with the same configuration and parameters, and whoever runs them does the same round step by
 * step:
 *
 *   all workers have ppo_ready;
 *   statistics: the workers' `pending` are merged in the order of their ids (normaliser_merge_all), and
 * everyone gets the result (ppo_statistics_set); left out when neither normaliser is on; ppo_begin;
 *   ppo_step_count times: ppo_gradient everywhere, the mean of the gradients by reduce.h, ppo_apply of it
 * everywhere (or at one place, and ppo_pull); ppo_finish.
 *
 * One worker alone does with this exactly what agent_learn does. Steps come from one environment in order; an
 * episode need not end with a rollout. */
#ifndef TIERBED_LEARN_PPO_H
#define TIERBED_LEARN_PPO_H

#include "common/learn/actor_critic.h"
#include "common/learn/agent.h"
#include "common/learn/normaliser.h"
#include "common/learn/optimiser.h"
#include "common/learn/ppo_loss.h"
#include "common/learn/rollout.h"

struct ppo_config {
    struct agent_layers hidden;
    uint32_t horizon, epochs, minibatches; /* horizon: a multiple of minibatches */
    double actor_rate, critic_rate;        /* the latter 0: the former */
    uint32_t anneal_rounds;                /* both fall linearly to 0 over so many rounds; 0: they stay */
    double discount, lambda;
    struct ppo_loss_config loss;
    double gradient_norm; /* global bound */
    double log_std;       /* at the start */
    double uniform;       /* probability of a uniform action while exploring; the mixture's log-probability is
                             stored */
    bool normalise_observation, normalise_reward;
};

/* What the normalisers have collected since the last round: rows of observations, and of discounted return.
 */
struct ppo_statistics {
    struct normaliser observations, returns;
};

struct ppo {
    struct agent agent;
    struct ppo_config config;
    struct actor_critic net;
    real *parameters, *gradient; /* owned, [net.parameter_count] */
    struct optimiser actor_optimiser, critic_optimiser;
    struct rollout rollout;
    struct ppo_statistics applied, pending;
    double running_return; /* discounted, of the episode under way; for the scale of rewards */
    struct random_stream explore, minibatch, evaluate;
    uint64_t round;
    uint32_t step; /* gradients so far in this round */
    bool in_round;
    struct ppo_workspace *work; /* owned */
};

extern const struct agent_class ppo_class;

/* `agent` as what it is; its class must be ppo_class. */
struct ppo *ppo_of(struct agent *agent);

bool ppo_ready(const struct ppo *ppo);
void ppo_statistics_set(struct ppo *ppo, const struct ppo_statistics *merged);
void ppo_begin(struct ppo *ppo);
uint32_t ppo_step_count(const struct ppo *ppo);

/* The gradient of the next minibatch at the present parameters, [net.parameter_count], overwritten; not
 * clipped. Changes nothing but which minibatch is next. Adds what it found to `report` (sums; ppo_finish
 * divides). */
void ppo_gradient(struct ppo *ppo, real *gradient, struct agent_report *report);

/* Clips `gradient` (in place) and takes the step. */
void ppo_apply(struct ppo *ppo, real *gradient, struct agent_report *report);
void ppo_finish(struct ppo *ppo, struct agent_report *report);

/* parameters = weight of `shared` + (1 - weight) of own; weight 1: a copy. Not within a round but after
 * ppo_apply. */
void ppo_pull(struct ppo *ppo, const real *shared, double weight);

#endif
