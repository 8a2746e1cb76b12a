/* ddpg: under the agent interface: settings, opening, checkpoints. */
#include <stddef.h>

#include "common/learn/ddpg.h"

static void ddpg_defaults(void *config) {
    *(struct ddpg_config *)config = (struct ddpg_config){
        .actor_hidden = {2, {24, 16}},
        .critic_hidden = {2, {24, 16}},
        .actor_rate = 1e-4,
        .critic_rate = 1e-4,
        .discount = 0.99,
        .tau = 0.005,
        .output_range = 3e-3,
        .noise_begin = 0.2,
        .noise_end = 0.02,
        .batch = 64,
        .replay_capacity = 100000,
        .update_every = 1,
    };
}

#define AT(member) offsetof(struct ddpg_config, member)

static const struct agent_option ddpg_options[] = {
    {"actor_hidden", AGENT_OPTION_LAYERS, AT(actor_hidden), 1, 65536, "sizes of the actor's hidden layers"},
    {"critic_hidden", AGENT_OPTION_LAYERS, AT(critic_hidden), 1, 65536,
     "sizes of the critic's hidden layers"},
    {"actor_rate", AGENT_OPTION_NUMBER, AT(actor_rate), 0, 1, "learning rate of the actor"},
    {"critic_rate", AGENT_OPTION_NUMBER, AT(critic_rate), 0, 1, "learning rate of the critic"},
    {"discount", AGENT_OPTION_NUMBER, AT(discount), 0, 1, "gamma, weight of the value of what follows"},
    {"tau", AGENT_OPTION_NUMBER, AT(tau), 0, 1, "part of the networks that targets take over at each update"},
    {"output_range", AGENT_OPTION_NUMBER, AT(output_range), 0, 10, "last layers start uniform in +- this"},
    {"noise_begin", AGENT_OPTION_NUMBER, AT(noise_begin), 0, 10,
     "first standard deviation of exploration noise"},
    {"noise_end", AGENT_OPTION_NUMBER, AT(noise_end), 0, 10, "last standard deviation of exploration noise"},
    {"noise_steps", AGENT_OPTION_COUNT, AT(noise_steps), 0, 4e9,
     "actions from first to last; 0: stays at the first"},
    {"noise_each_episode", AGENT_OPTION_FLAG, AT(noise_each_episode), 0, 1,
     "noise starts anew in every episode"},
    {"batch", AGENT_OPTION_COUNT, AT(batch), 1, 1e6, "transitions in a minibatch"},
    {"replay_capacity", AGENT_OPTION_COUNT, AT(replay_capacity), 2, 1e9, "transitions that are remembered"},
    {"warm_up", AGENT_OPTION_COUNT, AT(warm_up), 0, 4e9,
     "transitions of uniform actions before learning begins"},
    {"update_every", AGENT_OPTION_COUNT, AT(update_every), 1, 1e6, "transitions for each update"},
    {"store_once", AGENT_OPTION_FLAG, AT(store_once), 0, 1, "replay keeps each state once"},
};

static enum status check(const struct agent *agent, const struct ddpg_config *config, struct error *error) {
    if (agent->space.actor_count > 1)
        return error_set(error, STATUS_INVALID, "ddpg trains one actor, the space has %u; use maddpg",
                         agent->space.actor_count);
    if (config->replay_capacity <= config->batch)
        return error_set(error, STATUS_INVALID, "replay_capacity %u must exceed batch %u",
                         config->replay_capacity, config->batch);
    if (config->head.forward != NULL && config->head.action_size != action_code_size(&agent->space))
        return error_set(error, STATUS_INVALID,
                         "the action head gives %u numbers, the code of an action has %u",
                         config->head.action_size, action_code_size(&agent->space));
    return STATUS_OK;
}

static struct action_head head_of(struct ddpg *ddpg) {
    if (ddpg->config.head.forward != NULL)
        return ddpg->config.head;
    if (ddpg->agent.space.discrete_count > 0)
        return action_head_choices(&ddpg->agent.space);
    return action_head_identity(ddpg->agent.space.continuous_count);
}

static void take_scratch(struct ddpg *ddpg) {
    struct arena *arena = &ddpg->arena;
    size_t batch = ddpg->config.batch, states = ddpg->agent.space.observation_size;
    size_t actions = ddpg->head.action_size, raws = ddpg->head.raw_size;
    size_t largest = ddpg->actor.count > ddpg->critic.count ? ddpg->actor.count : ddpg->critic.count;
    ddpg->gradients = learner_scratch(arena, largest);
    ddpg->state = learner_scratch(arena, batch * states);
    ddpg->next_state = learner_scratch(arena, batch * states);
    ddpg->joint = learner_scratch(arena, batch * (states + actions));
    ddpg->next_joint = learner_scratch(arena, batch * (states + actions));
    ddpg->d_hidden = learner_scratch(arena, batch * ddpg->critic.mlp.sizes[1]);
    ddpg->action = learner_scratch(arena, batch * actions);
    ddpg->d_action = learner_scratch(arena, batch * actions);
    ddpg->d_raw = learner_scratch(arena, batch * raws);
    ddpg->d_q = learner_scratch(arena, batch);
    ddpg->target = learner_scratch(arena, batch);
    ddpg->raw = learner_scratch(arena, raws);
    ddpg->code = learner_scratch(arena, actions);
}

static enum status open_networks(struct ddpg *ddpg) {
    const struct ddpg_config *config = &ddpg->config;
    uint32_t states = ddpg->agent.space.observation_size;
    struct mlp actor = learner_shape(states, &config->actor_hidden, ddpg->head.raw_size, ACTIVATION_TANH);
    struct mlp critic =
        learner_shape(states + ddpg->head.action_size, &config->critic_hidden, 1, ACTIVATION_NONE);
    size_t actor_count = mlp_parameter_count(&actor);
    ddpg->parameter_count = actor_count + mlp_parameter_count(&critic);
    ddpg->parameters = learner_scratch(&ddpg->arena, ddpg->parameter_count);
    TRY(learner_open(&ddpg->actor, &actor, config->actor_rate, true, ddpg->parameters));
    TRY(learner_open(&ddpg->critic, &critic, config->critic_rate, true, ddpg->parameters + actor_count));
    struct random_stream stream;
    agent_stream(&ddpg->agent, RANDOM_INITIALISE, &stream);
    learner_initialise(&ddpg->actor, config->output_range, &stream);
    learner_initialise(&ddpg->critic, config->output_range, &stream);
    TRY(mlp_trace_open(&ddpg->actor_trace, &actor, config->batch));
    return mlp_trace_open(&ddpg->critic_trace, &critic, config->batch);
}

static enum status open_experience(struct ddpg *ddpg) {
    const struct ddpg_config *config = &ddpg->config;
    struct random_stream stream;
    agent_stream(&ddpg->agent, RANDOM_MINIBATCH, &stream);
    return experience_open(
        &ddpg->experience,
        &(struct experience_config){.replay = {.capacity = config->replay_capacity,
                                               .state_size = ddpg->agent.space.observation_size,
                                               .action_size = ddpg->head.action_size,
                                               .reward_size = 1,
                                               .chained = config->store_once},
                                    .batch = config->batch,
                                    .warm_up = config->warm_up,
                                    .update_every = config->update_every},
        &stream);
}

static enum status ddpg_open(struct agent *agent, const void *config, struct error *error) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    ddpg->config = *(const struct ddpg_config *)config;
    arena_init(&ddpg->arena);
    TRY(check(agent, &ddpg->config, error));
    ddpg->head = head_of(ddpg);
    ddpg->noise.config = (struct noise_config){.begin = ddpg->config.noise_begin,
                                               .end = ddpg->config.noise_end,
                                               .steps = ddpg->config.noise_steps,
                                               .each_episode = ddpg->config.noise_each_episode};
    agent_stream(agent, RANDOM_EXPLORE, &ddpg->explore);
    enum status status = open_networks(ddpg);
    if (status == STATUS_OK)
        status = open_experience(ddpg);
    if (status != STATUS_OK)
        return error_set(error, status, "no memory for an agent of class ddpg");
    take_scratch(ddpg);
    return STATUS_OK;
}

static void ddpg_close(struct agent *agent) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    learner_close(&ddpg->actor);
    learner_close(&ddpg->critic);
    mlp_trace_close(&ddpg->actor_trace);
    mlp_trace_close(&ddpg->critic_trace);
    experience_close(&ddpg->experience);
    arena_close(&ddpg->arena);
}

static void agent_ddpg_act(struct agent *agent, const real *observation, enum agent_mode mode,
                           struct agent_action *action) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    ddpg_act(ddpg, observation, mode, NULL, ddpg->code);
    action_decode(&agent->space, ddpg->code, action);
}

static void agent_ddpg_observe(struct agent *agent, const struct agent_transition *transition) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    action_encode(&agent->space, &transition->action, ddpg->code);
    ddpg_observe(ddpg, transition, ddpg->code);
}

static void agent_ddpg_learn(struct agent *agent, struct agent_report *report) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    while (experience_take_update(&ddpg->experience)) {
        ddpg_update(ddpg);
        report->update_count++;
        report->policy_loss += ddpg->actor_loss;
        report->value_loss += ddpg->critic_loss;
    }
    if (report->update_count == 0)
        return;
    report->policy_loss /= report->update_count;
    report->value_loss /= report->update_count;
    report->temperature = noise_scale(&ddpg->noise);
}

static real *ddpg_parameters(struct agent *agent, size_t *count) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    *count = ddpg->parameter_count;
    return ddpg->parameters;
}

static size_t ddpg_saved_bytes(const struct agent *agent) {
    const struct ddpg *ddpg = (const struct ddpg *)agent;
    return learner_saved_bytes(&ddpg->actor) + learner_saved_bytes(&ddpg->critic) +
           experience_saved_bytes(&ddpg->experience) + AGENT_STREAM_BYTES + 2 * 8;
}

static void ddpg_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct ddpg *ddpg = (const struct ddpg *)agent;
    learner_save(&ddpg->actor, writer);
    learner_save(&ddpg->critic, writer);
    experience_save(&ddpg->experience, writer);
    agent_stream_save(&ddpg->explore, writer);
    bytes_put_u64(writer, ddpg->noise.step);
    bytes_put_u64(writer, ddpg->update_count);
}

static enum status ddpg_load(struct agent *agent, struct bytes_reader *reader) {
    struct ddpg *ddpg = (struct ddpg *)agent;
    TRY(learner_load(&ddpg->actor, reader));
    TRY(learner_load(&ddpg->critic, reader));
    TRY(experience_load(&ddpg->experience, reader));
    TRY(agent_stream_load(&ddpg->explore, reader));
    ddpg->noise.step = bytes_get_u64(reader);
    ddpg->update_count = bytes_get_u64(reader);
    return bytes_done(reader) ? STATUS_OK : STATUS_INVALID;
}

const struct agent_class ddpg_class = {
    .name = "ddpg",
    .text = "deep deterministic policy gradient; choices by a straight-through head",
    .agent_bytes = sizeof(struct ddpg),
    .config_bytes = sizeof(struct ddpg_config),
    .options = ddpg_options,
    .option_count = sizeof ddpg_options / sizeof ddpg_options[0],
    .defaults = ddpg_defaults,
    .open = ddpg_open,
    .close = ddpg_close,
    .act = agent_ddpg_act,
    .observe = agent_ddpg_observe,
    .learn = agent_ddpg_learn,
    .parameters = ddpg_parameters,
    .saved_bytes = ddpg_saved_bytes,
    .save = ddpg_save,
    .load = ddpg_load,
};
