/* maddpg: multi-agent deep deterministic policy gradient (Lowe et al. 2017): actors that see their own
 * observation, critics that see all observations and actions [S|U]; with prioritised replay if wanted.
 *
 * One round of updates draws one minibatch for all agents. The targets' actions U' = (h(mu'_1(s'_1)), ...)
 * are found once. Then, for agent after agent i: y = r_i + gamma (1 - terminal_i) Q'_i([S'|U']); a step of
 * critic i on mean w (Q_i([S|U]) - y)^2, w the importance weights; a step of actor i on -mean Q_i([S|U with
 * the own action from mu_i]) through the critic as it is after its step: the actions of others come from
 * replay and carry no gradient. Last, targets follow. No agent's step depends on another's of the same round,
 * so their order does not matter.
 *
 * The magnitude of a transition in prioritised replay is the mean over agents of
 * (1 - v) |delta_i| + v |r_i|, v = priority_reward, delta unweighted, before the step (UCMS Eq. (27)-(29)).
 */
#ifndef TIERBED_LEARN_MADDPG_H
#define TIERBED_LEARN_MADDPG_H

#include "common/base/arena.h"
#include "common/learn/action_head.h"
#include "common/learn/agent.h"
#include "common/learn/experience.h"
#include "common/learn/learner.h"
#include "common/learn/noise.h"

struct maddpg_config {
    struct agent_layers actor_hidden, critic_hidden; /* 64, 512 */
    double actor_rate, critic_rate;                  /* Adam; 1e-4, 1e-3 */
    double discount, tau;                            /* 0.99, 0.01 */
    double output_range;                             /* last layers start uniform in +-this; 3e-3 */
    double noise_begin, noise_end;                   /* as in ddpg.h */
    uint32_t noise_steps;
    bool noise_each_episode;
    uint32_t batch, replay_capacity, warm_up, update_every;
    bool store_once;
    bool prioritised;
    double priority_alpha, priority_beta, priority_floor; /* priority.h */
    double priority_reward;                               /* v: part of the reward in the magnitude, 0 .. 1 */
    /* Not a setting of files: the head of every actor; see ddpg.h. Its action is the code of one actor's
     * action. */
    struct action_head head;
};

struct maddpg_agent {
    struct learner actor, critic;
    double critic_loss, actor_loss; /* of the last round */
};

struct maddpg {
    struct agent agent;
    struct maddpg_config config;
    struct agent_space own; /* of one actor: its observation, its action */
    struct action_head head;
    uint32_t agent_count;
    struct maddpg_agent *agents; /* [agent_count] */
    struct mlp_trace actor_trace, critic_trace;
    struct experience experience;
    struct noise noise;
    struct random_stream explore;
    uint64_t round_count;
    struct arena arena; /* owns what pointers here point to */
    real *parameters;   /* [parameter_count]: actors, then critics */
    size_t parameter_count;
    real *gradients;          /* of one network */
    real *joint, *next_joint; /* [batch][agent_count (states + actions)]: S then U */
    real *state;              /* [batch][own states] */
    real *action, *kept,
        *d_action;  /* [batch][own actions]; kept: what replay has in the columns of `action` */
    real *d_raw;    /* [batch][raw] */
    real *d_hidden; /* [batch][first hidden size of a critic] */
    real *q, *d_q, *target, *magnitude; /* [batch] */
    real *raw, *code;                   /* [raw], [agent_count actions]: acting */
    uint8_t *terminal;                  /* [agent_count]: observing */
};

extern const struct agent_class maddpg_class;

/* observation [agent_count own] -> action [agent_count head.action_size], the codes of all; noise in
 * AGENT_EXPLORE. */
void maddpg_act(struct maddpg *maddpg, const real *observation, enum agent_mode mode, real *action);
/* One actor alone, as a device runs it: its observation -> raw [head.raw_size], without noise. */
void maddpg_act_one(struct maddpg *maddpg, uint32_t index, const real *observation, real *raw);
/* Stores one transition; action as maddpg_act gives it, reward [agent_count]. */
void maddpg_observe(struct maddpg *maddpg, const struct agent_transition *transition, const real *action);
/* One round on a minibatch drawn from replay, due or not; _drawn: on experience.slots and .weights as they
 * are. */
void maddpg_update(struct maddpg *maddpg);
void maddpg_update_drawn(struct maddpg *maddpg);

/* The parts of a round: [S|U] and [S'|U'] of the minibatch; then, for any agents in any order, the step of
 * its critic, the step of its actor after it. Each leaves its gradient in `gradients`, and what the first
 * finds in `target`. */
void maddpg_prepare(struct maddpg *maddpg);
void maddpg_step_critic(struct maddpg *maddpg, uint32_t index);
void maddpg_step_actor(struct maddpg *maddpg, uint32_t index);

#endif
