#include "common/learn/policy_gradient.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/optimiser.h"

struct policy_loss policy_loss(const struct policy_head *head, const struct policy_loss_config *config,
                               const struct policy_batch *batch, const struct policy_slopes *slopes) {
    struct policy_loss loss = {0};
    for (uint32_t i = 0; i < head->continuous_count; i++)
        slopes->log_std[i] = 0;
    for (uint32_t row = 0; row < batch->count; row++) {
        struct policy_point point = {.output = batch->outputs + (size_t)row * head->output_size,
                                     .log_std = batch->log_std};
        if (head->discrete_count > 0)
            point.discrete = batch->discrete + (size_t)row * head->discrete_count;
        if (head->continuous_count > 0)
            point.continuous = batch->continuous + (size_t)row * head->continuous_count;
        double target = (double)batch->returns[row];
        double error = config->baseline ? target - (double)batch->values[row] : 0.0;
        double advantage = config->baseline ? error : target;
        struct policy_slope slope = {-advantage, -config->entropy_coefficient};
        real *d_output = slopes->outputs + (size_t)row * head->output_size;
        struct policy_measure now = policy_evaluate(head, &point, d_output);
        loss.policy -= advantage * now.log_probability;
        loss.entropy += now.entropy;
        loss.value += error * error;
        policy_backward(head, &point, &slope, d_output, slopes->log_std);
        slopes->values[row] = (real)(-2.0 * config->value_coefficient * error);
    }
    loss.total =
        loss.policy - config->entropy_coefficient * loss.entropy + config->value_coefficient * loss.value;
    return loss;
}

static enum status memory_open(struct policy_gradient *core) {
    const struct policy_gradient_config *config = &core->config;
    TRY(actor_critic_open(&core->net, &core->agent.space, &config->hidden, config->horizon));
    TRY(rollout_init(&core->rollout, &core->agent.space, config->horizon));
    core->parameters = calloc(core->net.parameter_count, sizeof(real));
    core->gradient = calloc(core->net.parameter_count, sizeof(real));
    core->returns = calloc(config->horizon, sizeof(real));
    return core->parameters != NULL && core->gradient != NULL && core->returns != NULL ? STATUS_OK
                                                                                       : STATUS_MEMORY;
}

enum status policy_gradient_open(struct policy_gradient *core, const struct policy_gradient_config *config,
                                 struct error *error) {
    const struct agent *agent = &core->agent;
    core->config = *config;
    if (agent->space.actor_count != 1)
        return error_set(error, STATUS_INVALID, "%s trains one actor, not %u", agent->class->name,
                         agent->space.actor_count);
    if (memory_open(core) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for an agent of class %s", agent->class->name);
    struct random_stream initialise;
    agent_stream(agent, RANDOM_INITIALISE, &initialise);
    agent_stream(agent, RANDOM_EXPLORE, &core->explore);
    agent_stream(agent, RANDOM_EVALUATE, &core->evaluate);
    actor_critic_initialise(&core->net, config->log_std, &initialise, core->parameters);
    return STATUS_OK;
}

void policy_gradient_close(struct policy_gradient *core) {
    free(core->parameters);
    free(core->gradient);
    free(core->returns);
    rollout_close(&core->rollout);
    actor_critic_close(&core->net);
}

void policy_gradient_act(struct agent *agent, const real *observation, enum agent_mode mode,
                         struct agent_action *action) {
    struct policy_gradient *core = (struct policy_gradient *)agent;
    const real *outputs = actor_critic_outputs(&core->net, core->parameters, observation, 1);
    struct random_stream *stream = mode == AGENT_EXPLORE ? &core->explore : &core->evaluate;
    policy_sample(&core->net.head, outputs, actor_critic_log_std(&core->net, core->parameters),
                  mode == AGENT_GREEDY ? NULL : stream, action);
}

void policy_gradient_observe(struct agent *agent, const struct agent_transition *transition) {
    struct policy_gradient *core = (struct policy_gradient *)agent;
    real value = 0;
    if (core->config.loss.baseline && rollout_wants_value(&core->rollout, transition))
        value = actor_critic_values(&core->net, core->parameters, transition->next_observation, 1)[0];
    rollout_add(&core->rollout, transition, value);
}

real *policy_gradient_parameters(struct agent *agent, size_t *count) {
    struct policy_gradient *core = (struct policy_gradient *)agent;
    *count = core->net.parameter_count;
    return core->parameters;
}

bool policy_gradient_ended(const struct policy_gradient *core) {
    uint32_t fill = core->rollout.fill;
    return rollout_full(&core->rollout) ||
           (fill > 0 && (core->rollout.terminated[fill - 1] != 0 || core->rollout.truncated[fill - 1] != 0));
}

void policy_gradient_compute(struct policy_gradient *core, double scale, real *gradient,
                             struct agent_report *report) {
    struct actor_critic *net = &core->net;
    const struct rollout *rollout = &core->rollout;
    assert(rollout->fill > 0);
    struct gae_steps steps = rollout_steps(rollout, rollout->rewards, NULL);
    gae_returns(&steps, core->config.discount, core->returns);
    struct policy_batch batch = {
        .count = rollout->fill,
        .outputs = actor_critic_outputs(net, core->parameters, rollout->observations, rollout->fill),
        .log_std = actor_critic_log_std(net, core->parameters),
        .values = actor_critic_values(net, core->parameters, rollout->observations, rollout->fill),
        .discrete = rollout->discrete,
        .continuous = rollout->continuous,
        .returns = core->returns};
    struct policy_slopes slopes = {net->d_outputs, gradient + net->log_std_offset, net->d_values};
    struct policy_loss loss = policy_loss(&net->head, &core->config.loss, &batch, &slopes);
    actor_critic_backward(net, core->parameters, rollout->observations, rollout->fill, gradient);
    for (size_t i = 0; i < net->parameter_count; i++)
        gradient[i] *= (real)scale;
    report->gradient_norm = gradient_clip(gradient, net->parameter_count, core->config.gradient_norm);
    report->policy_loss = loss.policy / rollout->fill;
    report->value_loss = loss.value / rollout->fill;
    report->entropy = loss.entropy / rollout->fill;
    rollout_clear(&core->rollout);
}

size_t policy_gradient_saved_bytes(const struct policy_gradient *core) {
    return reals_saved_bytes(core->net.parameter_count) + rollout_saved_bytes(&core->rollout) +
           2 * AGENT_STREAM_BYTES;
}

void policy_gradient_save(const struct policy_gradient *core, struct bytes_writer *writer) {
    reals_save(writer, core->parameters, core->net.parameter_count);
    rollout_save(&core->rollout, writer);
    agent_stream_save(&core->explore, writer);
    agent_stream_save(&core->evaluate, writer);
}

enum status policy_gradient_load(struct policy_gradient *core, struct bytes_reader *reader) {
    TRY(reals_load(reader, core->parameters, core->net.parameter_count));
    TRY(rollout_load(&core->rollout, &core->agent.space, reader));
    TRY(agent_stream_load(&core->explore, reader));
    return agent_stream_load(&core->evaluate, reader);
}
