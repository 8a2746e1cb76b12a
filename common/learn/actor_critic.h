/* actor_critic: the two networks of an on-policy learner over one flat block of parameters: actor, log_std,
 * critic.
 *
 * The actor ends in what policy_head.h reads; the critic in one value. Both see the same observations and
 * share no layer. Hidden layers are tanh, orthogonal with gain sqrt 2, the actor's last 0.01, the critic's 1
 * (Andrychowicz et al. 2021). The struct holds shapes and scratch memory; parameters are the caller's. */
#ifndef TIERBED_LEARN_ACTOR_CRITIC_H
#define TIERBED_LEARN_ACTOR_CRITIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/learn/agent.h"
#include "common/learn/mlp.h"
#include "common/learn/policy_head.h"

struct actor_critic {
    struct policy_head head;
    struct mlp actor, critic;
    size_t log_std_offset, critic_offset, parameter_count;
    struct mlp_trace actor_trace, critic_trace;
    real *d_outputs,
        *d_values; /* owned, [batch_max][output_size], [batch_max]: for the caller's loss gradients */
};

/* `layers`: hidden layers of both. batch_max: most rows of a pass. Close follows a failure too. */
enum status actor_critic_open(struct actor_critic *net, const struct agent_space *space,
                              const struct agent_layers *layers, uint32_t batch_max);
void actor_critic_close(struct actor_critic *net); /* safe on zeros */

void actor_critic_initialise(const struct actor_critic *net, double log_std, struct random_stream *stream,
                             real *parameters);

/* Outputs [batch][output_size] and values [batch] of `observations`, borrowed until the next pass. */
const real *actor_critic_outputs(struct actor_critic *net, const real *parameters, const real *observations,
                                 uint32_t batch);
const real *actor_critic_values(struct actor_critic *net, const real *parameters, const real *observations,
                                uint32_t batch);

/* After both passes over `observations`: net->d_outputs and net->d_values -> the gradients of actor and
 * critic, which are overwritten; those of log_std are the caller's and stay. */
void actor_critic_backward(struct actor_critic *net, const real *parameters, const real *observations,
                           uint32_t batch, real *gradient);

static inline const real *actor_critic_log_std(const struct actor_critic *net, const real *parameters) {
    return parameters + net->log_std_offset;
}

#endif
