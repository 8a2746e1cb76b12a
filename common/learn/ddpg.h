/* ddpg: deep deterministic policy gradient (Lillicrap et al. 2016) for one agent, with an action head for
 * choices and masks (straight-through).
 *
 * An update: y = r + gamma (1 - terminal) Q'(s', h(mu'(s'))), with targets Q', mu' and head h; a step of the
 * critic on mean (Q(s, a) - y)^2; then a step of the actor on -mean Q(s, h(mu(s))) + weight auxiliary(mu(s))
 * through the critic as it is after its step; then the targets follow both. Noise is added to the raw outputs
 * before the head; replay stores the action behind it.
 *
 * Works under the agent interface (ddpg_class). A scheme that hardens actions itself opens it with agent_open
 * and uses the functions below with (struct ddpg *)agent. */
#ifndef TIERBED_LEARN_DDPG_H
#define TIERBED_LEARN_DDPG_H

#include "common/base/arena.h"
#include "common/learn/action_head.h"
#include "common/learn/agent.h"
#include "common/learn/experience.h"
#include "common/learn/learner.h"
#include "common/learn/noise.h"

struct ddpg_config {
    struct agent_layers actor_hidden, critic_hidden; /* 24, 16 */
    double actor_rate, critic_rate;                  /* Adam; 1e-4 */
    double discount, tau;                            /* 0.99, 0.005 */
    double output_range;                             /* last layers start uniform in +-this; 3e-3 */
    double noise_begin, noise_end;                   /* standard deviation on raw outputs in [-1, 1] */
    uint32_t noise_steps;                            /* actions from begin to end; 0: constant */
    bool noise_each_episode;
    uint32_t batch, replay_capacity;
    uint32_t warm_up; /* transitions with uniform raw outputs before the policy acts and learning begins */
    uint32_t update_every;
    bool store_once; /* s' is the state of the next slot (replay.h) */
    /* Not a setting of files. forward NULL: action_head_choices, or the identity where there are no choices.
     * Its action is the code of an action of the agent's space (action_head.h); what its context points to
     * lives as long as the agent. */
    struct action_head head;
};

struct ddpg {
    struct agent agent;
    struct ddpg_config config;
    struct action_head head;
    struct learner actor, critic;
    struct mlp_trace actor_trace, critic_trace;
    struct experience experience;
    struct noise noise;
    struct random_stream explore;
    double critic_loss, actor_loss,
        auxiliary_loss; /* of the last update; actor_loss holds the auxiliary part */
    uint64_t update_count;
    struct arena arena; /* owns all that follows */
    real *parameters;   /* [parameter_count]: actor, critic */
    size_t parameter_count;
    real *gradients;                                  /* of either network */
    real *state, *next_state, *joint, *next_joint;    /* [batch][...], joint: s, then a */
    real *action, *d_action, *d_raw, *d_hidden, *d_q; /* [batch][...] */
    real *target;                                     /* [batch]: y */
    real *raw, *code;                                 /* one row each, for acting */
};

extern const struct agent_class ddpg_class;

/* observation -> raw [head.raw_size], with noise in AGENT_EXPLORE, clipped to [-1, 1]; uniform during
 * warm-up. */
void ddpg_act_raw(struct ddpg *ddpg, const real *observation, enum agent_mode mode, real *raw);
/* The same through the head: raw (may be NULL: not wanted) and action [head.action_size]. */
void ddpg_act(struct ddpg *ddpg, const real *observation, enum agent_mode mode, real *raw, real *action);
/* Stores one transition; action [head.action_size], hard, as carried out. Its reward is reward[0]. The
 * episode ends with terminated or truncated. */
void ddpg_observe(struct ddpg *ddpg, const struct agent_transition *transition, const real *action);
/* One update on a minibatch drawn from replay, due or not; replay holds at least one transition. Losses are
 * in the struct. */
void ddpg_update(struct ddpg *ddpg);
/* The same on the slots in experience.slots. */
void ddpg_update_drawn(struct ddpg *ddpg);

#endif
