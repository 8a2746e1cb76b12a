/* sac: soft actor-critic (Haarnoja et al. 2018) for numbers, choices, or both (hybrid_policy.h), with twin
 * critics and temperatures that adjust themselves, one for choices and one for numbers (Delalleau et al.
 * 2019).
 *
 * An update: with alpha_d, alpha_c the temperatures, H the entropy of the choices, log pi of the numbers,
 *   y = r + gamma (1 - terminal) (min_k Q'_k(s', a') + alpha_d H(s') - alpha_c log pi(a'|s')),
 *   critics on mean (Q_k(s, a) - y)^2,
 *   actor on mean(-min_k Q_k(s, a~) - alpha_d H + alpha_c log pi(a~|s)) through the critics after their step,
 * of which only the gradient in their input is formed, temperatures on alpha_d (H - H_d) and alpha_c (-log pi
 * - H_c), with target entropies H_d, H_c; target critics follow. y carries no gradient. How choices enter: by
 * expectation over their combinations where there are at most HYBRID_JOINT_MAX (the critic puts out one value
 * for each, and min is taken for each), else straight-through on a one-hot sample; `straight_through` asks
 * for the latter. A scheme that rounds numbers itself (JOPA) lets the critic see them before rounding. */
#ifndef TIERBED_LEARN_SAC_H
#define TIERBED_LEARN_SAC_H

#include "common/base/arena.h"
#include "common/learn/agent.h"
#include "common/learn/experience.h"
#include "common/learn/hybrid_policy.h"
#include "common/learn/learner.h"

enum { SAC_CHOICES = 0, SAC_NUMBERS = 1 }; /* indices of temperatures */

struct sac_config {
    struct agent_layers actor_hidden, critic_hidden;  /* 256, 256, 256 */
    double actor_rate, critic_rate, temperature_rate; /* Adam; 3e-4 each */
    double discount, tau;                             /* 0.99, 0.005 */
    double output_range;                              /* last layers start uniform in +-this; 3e-3 */
    double temperature;                               /* at first, or always; 0.2 */
    bool temperature_fixed;
    double target_entropy_choices; /* H_d as part of the largest, sum log sizes; 0.5 */
    double target_entropy_numbers; /* H_c for each number, nat; -1 */
    bool entropy_in_target;        /* false: y without its entropy terms (JOPA Eq. (25)) */
    bool straight_through;
    double log_std_min, log_std_max;                        /* -5, 2 */
    uint32_t batch, replay_capacity, warm_up, update_every; /* warm_up as in ddpg.h; batch 128 */
    bool store_once;
};

struct sac {
    struct agent agent;
    struct sac_config config;
    struct hybrid_policy policy;
    struct learner actor, critics[2];
    struct mlp_trace actor_trace, critic_traces[2];
    struct experience experience;
    real log_temperature[2]; /* of choices, of numbers */
    struct optimiser temperature_optimiser;
    double target_entropy[2];
    struct random_stream explore, evaluate, sampling; /* sampling: actions inside updates */
    double critic_loss, actor_loss, entropy;          /* of the last update; entropy H - log pi */
    double temperature_loss;
    uint64_t update_count;
    struct arena arena; /* owns all that follows */
    real *parameters;   /* [parameter_count]: actor, critics */
    size_t parameter_count;
    real *gradients;                       /* of one network */
    real *states;                          /* [2 batch][observation]: s, then s' */
    real *joint, *next_joint;              /* [batch][observation + coded action]: critic inputs */
    real *d_input, *d_hidden;              /* [batch][coded action], [batch][first hidden size of a critic] */
    uint32_t *rows;                        /* [batch]: those that a backward pass takes */
    uint32_t *taken;                       /* [batch]: which of the critic's outputs the action stands for */
    real *target;                          /* [batch]: y */
    real *value, *d_value[2];              /* [batch][joint]: min Q, and slopes in either critic's outputs */
    real *d_choice, *d_action;             /* [batch][logits], [batch][numbers] */
    real *d_outputs;                       /* [batch][actor outputs] */
    struct hybrid_draw draw, next, acting; /* of s, of s', of one row */
    real *code;                            /* one coded action */
};

extern const struct agent_class sac_class;

/* Temperature alpha of SAC_CHOICES or SAC_NUMBERS. */
double sac_temperature(const struct sac *sac, int which);
/* One update on a minibatch drawn from replay, due or not; _drawn: on experience.slots as they are. */
void sac_update(struct sac *sac);
void sac_update_drawn(struct sac *sac);

/* The parts of an update, in this order: the minibatch and its policies; y; critics; actor; temperatures.
 * Each step leaves its gradient in `gradients` (critics: that of the second). */
void sac_prepare(struct sac *sac);
void sac_find_targets(struct sac *sac);
void sac_step_critics(struct sac *sac);
void sac_step_actor(struct sac *sac);
void sac_step_temperatures(struct sac *sac);

/* mean over `count` of alpha (entropy - target), alpha = exp(log_temperature); its derivative in
 * log_temperature is the same number. */
double sac_temperature_loss(double log_temperature, const real *entropy, size_t count, double target);

#endif
