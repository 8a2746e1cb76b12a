#include "common/learn/actor_critic.h"

#include <assert.h>
#include <stdlib.h>

static struct mlp mlp_between(uint32_t in, const struct agent_layers *layers, uint32_t out) {
    uint32_t sizes[AGENT_LAYERS_MAX + 2] = {in};
    for (uint32_t i = 0; i < layers->count; i++)
        sizes[i + 1] = layers->sizes[i];
    sizes[layers->count + 1] = out;
    return mlp_of(sizes, layers->count + 1, ACTIVATION_TANH, ACTIVATION_NONE);
}

enum status actor_critic_open(struct actor_critic *net, const struct agent_space *space,
                              const struct agent_layers *layers, uint32_t batch_max) {
    *net = (struct actor_critic){.head = policy_head_of(space)};
    net->actor = mlp_between(space->observation_size, layers, net->head.output_size);
    net->critic = mlp_between(space->observation_size, layers, 1);
    net->log_std_offset = mlp_parameter_count(&net->actor);
    net->critic_offset = net->log_std_offset + space->continuous_count;
    net->parameter_count = net->critic_offset + mlp_parameter_count(&net->critic);
    TRY(mlp_trace_open(&net->actor_trace, &net->actor, batch_max));
    TRY(mlp_trace_open(&net->critic_trace, &net->critic, batch_max));
    net->d_outputs = calloc((size_t)batch_max * net->head.output_size + 1, sizeof(real));
    net->d_values = calloc((size_t)batch_max + 1, sizeof(real));
    return net->d_outputs != NULL && net->d_values != NULL ? STATUS_OK : STATUS_MEMORY;
}

void actor_critic_close(struct actor_critic *net) {
    mlp_trace_close(&net->actor_trace);
    mlp_trace_close(&net->critic_trace);
    free(net->d_outputs);
    free(net->d_values);
    *net = (struct actor_critic){0};
}

void actor_critic_initialise(const struct actor_critic *net, double log_std, struct random_stream *stream,
                             real *parameters) {
    const struct initialiser hidden = {INITIALISER_ORTHOGONAL, 1.4142135623730951},
                             policy = {INITIALISER_ORTHOGONAL, 0.01}, value = {INITIALISER_ORTHOGONAL, 1.0};
    mlp_initialise(&net->actor, &hidden, &policy, stream, parameters);
    for (uint32_t i = 0; i < net->head.continuous_count; i++)
        parameters[net->log_std_offset + i] = (real)log_std;
    mlp_initialise(&net->critic, &hidden, &value, stream, parameters + net->critic_offset);
}

const real *actor_critic_outputs(struct actor_critic *net, const real *parameters, const real *observations,
                                 uint32_t batch) {
    return mlp_forward(&net->actor, parameters, observations, batch, &net->actor_trace);
}

const real *actor_critic_values(struct actor_critic *net, const real *parameters, const real *observations,
                                uint32_t batch) {
    return mlp_forward(&net->critic, parameters + net->critic_offset, observations, batch,
                       &net->critic_trace);
}

void actor_critic_backward(struct actor_critic *net, const real *parameters, const real *observations,
                           uint32_t batch, real *gradient) {
    mlp_backward(&net->actor, parameters, observations, net->d_outputs, batch, &net->actor_trace, gradient,
                 NULL);
    mlp_backward(&net->critic, parameters + net->critic_offset, observations, net->d_values, batch,
                 &net->critic_trace, gradient + net->critic_offset, NULL);
}
