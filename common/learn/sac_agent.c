/* sac: under the agent interface: settings, opening, acting, checkpoints. */
#include <string.h>

#include "common/learn/action_head.h"
#include "common/learn/sac.h"

static void sac_defaults(void *config) {
    *(struct sac_config *)config = (struct sac_config){
        .actor_hidden = {3, {256, 256, 256}},
        .critic_hidden = {3, {256, 256, 256}},
        .actor_rate = 3e-4,
        .critic_rate = 3e-4,
        .temperature_rate = 3e-4,
        .discount = 0.99,
        .tau = 0.005,
        .output_range = 3e-3,
        .temperature = 0.2,
        .target_entropy_choices = 0.5,
        .target_entropy_numbers = -1,
        .entropy_in_target = true,
        .log_std_min = -5,
        .log_std_max = 2,
        .batch = 128,
        .replay_capacity = 100000,
        .update_every = 1,
    };
}

#define AT(member) offsetof(struct sac_config, member)

static const struct agent_option sac_options[] = {
    {"actor_hidden", AGENT_OPTION_LAYERS, AT(actor_hidden), 1, 65536, "sizes of the actor's hidden layers"},
    {"critic_hidden", AGENT_OPTION_LAYERS, AT(critic_hidden), 1, 65536,
     "sizes of the critics' hidden layers"},
    {"actor_rate", AGENT_OPTION_NUMBER, AT(actor_rate), 0, 1, "learning rate of the actor"},
    {"critic_rate", AGENT_OPTION_NUMBER, AT(critic_rate), 0, 1, "learning rate of the critics"},
    {"temperature_rate", AGENT_OPTION_NUMBER, AT(temperature_rate), 0, 1,
     "learning rate of the temperatures"},
    {"discount", AGENT_OPTION_NUMBER, AT(discount), 0, 1, "gamma, weight of the value of what follows"},
    {"tau", AGENT_OPTION_NUMBER, AT(tau), 0, 1, "part of the critics that targets take over at each update"},
    {"output_range", AGENT_OPTION_NUMBER, AT(output_range), 0, 10, "last layers start uniform in +- this"},
    {"temperature", AGENT_OPTION_NUMBER, AT(temperature), 1e-12, 1e3,
     "weight of entropy at first, or always"},
    {"temperature_fixed", AGENT_OPTION_FLAG, AT(temperature_fixed), 0, 1, "the temperature stays as it is"},
    {"target_entropy_choices", AGENT_OPTION_NUMBER, AT(target_entropy_choices), 0, 1,
     "entropy of choices to keep, part of the largest"},
    {"target_entropy_numbers", AGENT_OPTION_NUMBER, AT(target_entropy_numbers), -10, 1,
     "entropy to keep for each number, nat"},
    {"entropy_in_target", AGENT_OPTION_FLAG, AT(entropy_in_target), 0, 1,
     "targets of critics hold the entropy"},
    {"straight_through", AGENT_OPTION_FLAG, AT(straight_through), 0, 1,
     "choices by straight-through samples, not by expectation"},
    {"log_std_min", AGENT_OPTION_NUMBER, AT(log_std_min), -20, 2, "least log standard deviation"},
    {"log_std_max", AGENT_OPTION_NUMBER, AT(log_std_max), -20, 5, "largest log standard deviation"},
    {"batch", AGENT_OPTION_COUNT, AT(batch), 1, 1e6, "transitions in a minibatch"},
    {"replay_capacity", AGENT_OPTION_COUNT, AT(replay_capacity), 2, 1e9, "transitions that are remembered"},
    {"warm_up", AGENT_OPTION_COUNT, AT(warm_up), 0, 4e9,
     "transitions of uniform actions before learning begins"},
    {"update_every", AGENT_OPTION_COUNT, AT(update_every), 1, 1e6, "transitions for each update"},
    {"store_once", AGENT_OPTION_FLAG, AT(store_once), 0, 1, "replay keeps each state once"},
};

static enum status check(const struct agent *agent, const struct sac_config *config, struct error *error) {
    if (agent->space.actor_count > 1)
        return error_set(error, STATUS_INVALID, "sac trains one actor, the space has %u; use maddpg",
                         agent->space.actor_count);
    if (config->replay_capacity <= config->batch)
        return error_set(error, STATUS_INVALID, "replay_capacity %u must exceed batch %u",
                         config->replay_capacity, config->batch);
    if (config->log_std_min > config->log_std_max)
        return error_set(error, STATUS_INVALID, "log_std_min %g exceeds log_std_max %g", config->log_std_min,
                         config->log_std_max);
    return STATUS_OK;
}

/* ---------------------------------------------------------------------------------------------- opening */

static enum status open_critic(struct sac *sac, int which, const struct mlp *shape, real *parameters) {
    TRY(learner_open(&sac->critics[which], shape, sac->config.critic_rate, true, parameters));
    return mlp_trace_open(&sac->critic_traces[which], shape, sac->config.batch);
}

static enum status open_networks(struct sac *sac) {
    const struct sac_config *config = &sac->config;
    const struct hybrid_policy *policy = &sac->policy;
    uint32_t states = sac->agent.space.observation_size;
    uint32_t input = states + policy->continuous_count + (policy->straight ? policy->logit_count : 0);
    struct mlp actor = learner_shape(states, &config->actor_hidden, policy->output_size, ACTIVATION_NONE);
    struct mlp critic = learner_shape(input, &config->critic_hidden, policy->joint_count, ACTIVATION_NONE);
    size_t of_actor = mlp_parameter_count(&actor), of_critic = mlp_parameter_count(&critic);
    sac->parameter_count = of_actor + 2 * of_critic;
    sac->parameters = learner_scratch(&sac->arena, sac->parameter_count);
    sac->gradients = learner_scratch(&sac->arena, of_actor > of_critic ? of_actor : of_critic);
    TRY(learner_open(&sac->actor, &actor, config->actor_rate, false, sac->parameters));
    TRY(mlp_trace_open(&sac->actor_trace, &actor, 2 * config->batch));
    TRY(open_critic(sac, 0, &critic, sac->parameters + of_actor));
    TRY(open_critic(sac, 1, &critic, sac->parameters + of_actor + of_critic));
    struct random_stream stream;
    agent_stream(&sac->agent, RANDOM_INITIALISE, &stream);
    learner_initialise(&sac->actor, config->output_range, &stream);
    learner_initialise(&sac->critics[0], config->output_range, &stream);
    learner_initialise(&sac->critics[1], config->output_range, &stream);
    return STATUS_OK;
}

static enum status open_temperatures(struct sac *sac) {
    struct optimiser_config adam = optimiser_adam(sac->config.temperature_rate);
    const struct agent_space *space = &sac->agent.space;
    double largest = 0;
    for (uint32_t i = 0; i < space->discrete_count; i++)
        largest += log((double)space->discrete_sizes[i]);
    sac->target_entropy[SAC_CHOICES] = sac->config.target_entropy_choices * largest;
    sac->target_entropy[SAC_NUMBERS] = sac->config.target_entropy_numbers * space->continuous_count;
    for (int i = 0; i < 2; i++)
        sac->log_temperature[i] = (real)log(sac->config.temperature);
    return optimiser_init(&sac->temperature_optimiser, &adam, 2);
}

static void take_scratch(struct sac *sac) {
    struct arena *arena = &sac->arena;
    const struct hybrid_policy *policy = &sac->policy;
    size_t batch = sac->config.batch, states = sac->agent.space.observation_size;
    size_t input = mlp_input_size(&sac->critics[0].mlp);
    sac->states = learner_scratch(arena, 2 * batch * states);
    sac->joint = learner_scratch(arena, batch * input);
    sac->next_joint = learner_scratch(arena, batch * input);
    sac->d_input = learner_scratch(arena, batch * (input - states));
    sac->d_hidden = learner_scratch(arena, batch * sac->critics[0].mlp.sizes[1]);
    sac->rows = arena_alloc_array(arena, batch, sizeof *sac->rows);
    sac->taken = arena_alloc_array(arena, batch, sizeof *sac->taken);
    sac->target = learner_scratch(arena, batch);
    sac->value = learner_scratch(arena, batch * policy->joint_count);
    sac->d_value[0] = learner_scratch(arena, batch * policy->joint_count);
    sac->d_value[1] = learner_scratch(arena, batch * policy->joint_count);
    sac->d_choice = learner_scratch(arena, batch * policy->logit_count);
    sac->d_action = learner_scratch(arena, batch * policy->continuous_count);
    sac->d_outputs = learner_scratch(arena, batch * policy->output_size);
    sac->code = learner_scratch(arena, action_code_size(&sac->agent.space));
    sac->draw = hybrid_draw_of(policy, sac->config.batch, arena);
    sac->next = hybrid_draw_of(policy, sac->config.batch, arena);
    sac->acting = hybrid_draw_of(policy, 1, arena);
}

static enum status open_experience(struct sac *sac) {
    const struct sac_config *config = &sac->config;
    struct random_stream stream;
    agent_stream(&sac->agent, RANDOM_MINIBATCH, &stream);
    return experience_open(
        &sac->experience,
        &(struct experience_config){.replay = {.capacity = config->replay_capacity,
                                               .state_size = sac->agent.space.observation_size,
                                               .action_size = action_code_size(&sac->agent.space),
                                               .reward_size = 1,
                                               .chained = config->store_once},
                                    .batch = config->batch,
                                    .warm_up = config->warm_up,
                                    .update_every = config->update_every},
        &stream);
}

static enum status sac_open(struct agent *agent, const void *config, struct error *error) {
    struct sac *sac = (struct sac *)agent;
    sac->config = *(const struct sac_config *)config;
    arena_init(&sac->arena);
    TRY(check(agent, &sac->config, error));
    sac->policy = hybrid_policy_of(&agent->space, sac->config.straight_through, sac->config.log_std_min,
                                   sac->config.log_std_max);
    agent_stream(agent, RANDOM_EXPLORE, &sac->explore);
    agent_stream(agent, RANDOM_EVALUATE, &sac->evaluate);
    random_init(&sac->sampling, agent->seed, agent->id, RANDOM_EXPLORE | UINT64_C(1) << 32);
    enum status status = open_networks(sac);
    if (status == STATUS_OK)
        status = open_temperatures(sac);
    if (status == STATUS_OK)
        status = open_experience(sac);
    if (status != STATUS_OK)
        return error_set(error, status, "no memory for an agent of class sac");
    take_scratch(sac);
    return STATUS_OK;
}

static void sac_close(struct agent *agent) {
    struct sac *sac = (struct sac *)agent;
    learner_close(&sac->actor);
    mlp_trace_close(&sac->actor_trace);
    for (int i = 0; i < 2; i++) {
        learner_close(&sac->critics[i]);
        mlp_trace_close(&sac->critic_traces[i]);
    }
    optimiser_close(&sac->temperature_optimiser);
    experience_close(&sac->experience);
    arena_close(&sac->arena);
}

/* ----------------------------------------------------------------------------------------------- acting */

/* Uniform choices and numbers; their log-probability. */
static void draw_uniform(struct sac *sac, struct agent_action *action) {
    const struct agent_space *space = &sac->agent.space;
    double log_probability = 0;
    for (uint32_t i = 0; i < space->discrete_count; i++) {
        action->discrete[i] = (uint32_t)random_below(&sac->explore, space->discrete_sizes[i]);
        log_probability -= log((double)space->discrete_sizes[i]);
    }
    for (uint32_t i = 0; i < space->continuous_count; i++) {
        action->continuous[i] = (real)(2.0 * random_uniform(&sac->explore) - 1.0);
        log_probability -= log(2.0);
    }
    action->log_probability = (real)log_probability;
}

static real choices_log_probability(const struct hybrid_policy *policy, const struct hybrid_draw *draw) {
    real sum = 0;
    for (uint32_t i = 0; i < policy->logit_count; i++)
        sum += draw->choice[i] > 0 ? draw->log_p[i] : 0;
    return sum;
}

static void sac_act(struct agent *agent, const real *observation, enum agent_mode mode,
                    struct agent_action *action) {
    struct sac *sac = (struct sac *)agent;
    const struct hybrid_policy *policy = &sac->policy;
    struct random_stream *stream = mode == AGENT_EXPLORE  ? &sac->explore
                                   : mode == AGENT_SAMPLE ? &sac->evaluate
                                                          : NULL;
    if (mode == AGENT_EXPLORE && sac->experience.seen < sac->config.warm_up) {
        draw_uniform(sac, action);
        return;
    }
    const real *outputs =
        mlp_forward(&sac->actor.mlp, sac->actor.parameters, observation, 1, &sac->actor_trace);
    hybrid_randomise(policy, stream, 1, &sac->acting);
    hybrid_evaluate(policy, outputs, 1, &sac->acting);
    memcpy(sac->code, sac->acting.choice, policy->logit_count * sizeof *sac->code);
    memcpy(sac->code + policy->logit_count, sac->acting.action, policy->continuous_count * sizeof *sac->code);
    action_decode(&agent->space, sac->code, action);
    action->log_probability = sac->acting.log_probability[0] + choices_log_probability(policy, &sac->acting);
}

static void sac_observe(struct agent *agent, const struct agent_transition *transition) {
    struct sac *sac = (struct sac *)agent;
    uint8_t terminal = transition->terminated;
    action_encode(&agent->space, &transition->action, sac->code);
    experience_push(&sac->experience, &(struct replay_transition){.state = transition->observation,
                                                                  .action = sac->code,
                                                                  .reward = transition->reward,
                                                                  .next_state = transition->next_observation,
                                                                  .terminal = &terminal});
}

static void sac_learn(struct agent *agent, struct agent_report *report) {
    struct sac *sac = (struct sac *)agent;
    while (experience_take_update(&sac->experience)) {
        sac_update(sac);
        report->update_count++;
        report->policy_loss += sac->actor_loss;
        report->value_loss += sac->critic_loss;
        report->entropy += sac->entropy;
    }
    if (report->update_count == 0)
        return;
    report->policy_loss /= report->update_count;
    report->value_loss /= report->update_count;
    report->entropy /= report->update_count;
    report->temperature = sac_temperature(sac, sac->policy.continuous_count > 0 ? SAC_NUMBERS : SAC_CHOICES);
}

static real *sac_parameters(struct agent *agent, size_t *count) {
    struct sac *sac = (struct sac *)agent;
    *count = sac->parameter_count;
    return sac->parameters;
}

/* ------------------------------------------------------------------------------------------ checkpoints */

static size_t sac_saved_bytes(const struct agent *agent) {
    const struct sac *sac = (const struct sac *)agent;
    return learner_saved_bytes(&sac->actor) + learner_saved_bytes(&sac->critics[0]) +
           learner_saved_bytes(&sac->critics[1]) + reals_saved_bytes(2) +
           optimiser_saved_bytes(&sac->temperature_optimiser) + experience_saved_bytes(&sac->experience) +
           3 * AGENT_STREAM_BYTES + 8;
}

static void sac_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct sac *sac = (const struct sac *)agent;
    learner_save(&sac->actor, writer);
    learner_save(&sac->critics[0], writer);
    learner_save(&sac->critics[1], writer);
    reals_save(writer, sac->log_temperature, 2);
    optimiser_save(&sac->temperature_optimiser, writer);
    experience_save(&sac->experience, writer);
    agent_stream_save(&sac->explore, writer);
    agent_stream_save(&sac->evaluate, writer);
    agent_stream_save(&sac->sampling, writer);
    bytes_put_u64(writer, sac->update_count);
}

static enum status sac_load(struct agent *agent, struct bytes_reader *reader) {
    struct sac *sac = (struct sac *)agent;
    TRY(learner_load(&sac->actor, reader));
    TRY(learner_load(&sac->critics[0], reader));
    TRY(learner_load(&sac->critics[1], reader));
    TRY(reals_load(reader, sac->log_temperature, 2));
    TRY(optimiser_load(&sac->temperature_optimiser, reader));
    TRY(experience_load(&sac->experience, reader));
    TRY(agent_stream_load(&sac->explore, reader));
    TRY(agent_stream_load(&sac->evaluate, reader));
    TRY(agent_stream_load(&sac->sampling, reader));
    sac->update_count = bytes_get_u64(reader);
    return bytes_done(reader) && isfinite(sac->log_temperature[0]) && isfinite(sac->log_temperature[1])
               ? STATUS_OK
               : STATUS_INVALID;
}

const struct agent_class sac_class = {
    .name = "sac",
    .text = "soft actor-critic over choices and numbers; twin critics, temperatures that adjust themselves",
    .agent_bytes = sizeof(struct sac),
    .config_bytes = sizeof(struct sac_config),
    .options = sac_options,
    .option_count = sizeof sac_options / sizeof sac_options[0],
    .defaults = sac_defaults,
    .open = sac_open,
    .close = sac_close,
    .act = sac_act,
    .observe = sac_observe,
    .learn = sac_learn,
    .parameters = sac_parameters,
    .saved_bytes = sac_saved_bytes,
    .save = sac_save,
    .load = sac_load,
};
