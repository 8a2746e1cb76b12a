/* maddpg: under the agent interface: settings, opening, checkpoints. */
#include <stddef.h>

#include "common/learn/maddpg.h"

static void maddpg_defaults(void *config) {
    *(struct maddpg_config *)config = (struct maddpg_config){
        .actor_hidden = {2, {64, 512}},
        .critic_hidden = {2, {64, 512}},
        .actor_rate = 1e-4,
        .critic_rate = 1e-3,
        .discount = 0.99,
        .tau = 0.01,
        .output_range = 3e-3,
        .noise_begin = 0.2,
        .noise_end = 0.02,
        .batch = 64,
        .replay_capacity = 100000,
        .update_every = 1,
        .store_once = true,
        .prioritised = true,
        .priority_alpha = 0.6,
        .priority_beta = 0.4,
        .priority_floor = 1e-6,
    };
}

#define AT(member) offsetof(struct maddpg_config, member)

static const struct agent_option maddpg_options[] = {
    {"actor_hidden", AGENT_OPTION_LAYERS, AT(actor_hidden), 1, 65536, "sizes of an actor's hidden layers"},
    {"critic_hidden", AGENT_OPTION_LAYERS, AT(critic_hidden), 1, 65536, "sizes of a critic's hidden layers"},
    {"actor_rate", AGENT_OPTION_NUMBER, AT(actor_rate), 0, 1, "learning rate of actors"},
    {"critic_rate", AGENT_OPTION_NUMBER, AT(critic_rate), 0, 1, "learning rate of critics"},
    {"discount", AGENT_OPTION_NUMBER, AT(discount), 0, 1, "gamma, weight of the value of what follows"},
    {"tau", AGENT_OPTION_NUMBER, AT(tau), 0, 1, "part of the networks that targets take over at each round"},
    {"output_range", AGENT_OPTION_NUMBER, AT(output_range), 0, 10, "last layers start uniform in +- this"},
    {"noise_begin", AGENT_OPTION_NUMBER, AT(noise_begin), 0, 10,
     "first standard deviation of exploration noise"},
    {"noise_end", AGENT_OPTION_NUMBER, AT(noise_end), 0, 10, "last standard deviation of exploration noise"},
    {"noise_steps", AGENT_OPTION_COUNT, AT(noise_steps), 0, 4e9,
     "actions from first to last; 0: stays at the first"},
    {"noise_each_episode", AGENT_OPTION_FLAG, AT(noise_each_episode), 0, 1,
     "noise starts anew in every episode"},
    {"batch", AGENT_OPTION_COUNT, AT(batch), 1, 1e6, "transitions in a minibatch, one for all agents"},
    {"replay_capacity", AGENT_OPTION_COUNT, AT(replay_capacity), 2, 1e9, "transitions that are remembered"},
    {"warm_up", AGENT_OPTION_COUNT, AT(warm_up), 0, 4e9,
     "transitions of uniform actions before learning begins"},
    {"update_every", AGENT_OPTION_COUNT, AT(update_every), 1, 1e6, "transitions for each round of updates"},
    {"store_once", AGENT_OPTION_FLAG, AT(store_once), 0, 1, "replay keeps each state once"},
    {"prioritised", AGENT_OPTION_FLAG, AT(prioritised), 0, 1, "prioritised rather than uniform replay"},
    {"priority_alpha", AGENT_OPTION_NUMBER, AT(priority_alpha), 0, 2, "power of priorities; 0: uniform"},
    {"priority_beta", AGENT_OPTION_NUMBER, AT(priority_beta), 0, 1, "power of importance weights; 0: none"},
    {"priority_floor", AGENT_OPTION_NUMBER, AT(priority_floor), 1e-12, 1, "added to every magnitude"},
    {"priority_reward", AGENT_OPTION_NUMBER, AT(priority_reward), 0, 1,
     "part of the reward in the magnitude; the rest is the error"},
};

/* The space of one actor: the space divided evenly. */
static enum status divide(const struct agent_space *space, struct agent_space *own, struct error *error) {
    uint32_t count = space->actor_count;
    if (space->observation_size % count != 0 || space->continuous_count % count != 0 ||
        space->discrete_count % count != 0)
        return error_set(error, STATUS_INVALID,
                         "%u actors cannot have %u observations, %u choices and %u numbers evenly", count,
                         space->observation_size, space->discrete_count, space->continuous_count);
    *own = (struct agent_space){.observation_size = space->observation_size / count,
                                .discrete_count = space->discrete_count / count,
                                .continuous_count = space->continuous_count / count,
                                .actor_count = 1};
    for (uint32_t i = 0; i < own->discrete_count; i++)
        own->discrete_sizes[i] = space->discrete_sizes[i];
    for (uint32_t i = own->discrete_count; i < space->discrete_count; i++)
        if (space->discrete_sizes[i] != space->discrete_sizes[i - own->discrete_count])
            return error_set(error, STATUS_INVALID,
                             "actors differ in their choices: choice %u has %u options, choice %u has %u", i,
                             space->discrete_sizes[i], i - own->discrete_count,
                             space->discrete_sizes[i - own->discrete_count]);
    return STATUS_OK;
}

static enum status check(const struct maddpg *maddpg, struct error *error) {
    const struct maddpg_config *config = &maddpg->config;
    if (config->replay_capacity <= config->batch)
        return error_set(error, STATUS_INVALID, "replay_capacity %u must exceed batch %u",
                         config->replay_capacity, config->batch);
    if (config->head.forward != NULL && config->head.action_size != action_code_size(&maddpg->own))
        return error_set(error, STATUS_INVALID,
                         "the action head gives %u numbers, the code of an action has %u",
                         config->head.action_size, action_code_size(&maddpg->own));
    return STATUS_OK;
}

static struct action_head head_of(struct maddpg *maddpg) {
    if (maddpg->config.head.forward != NULL)
        return maddpg->config.head;
    if (maddpg->own.discrete_count > 0)
        return action_head_choices(&maddpg->own);
    return action_head_identity(maddpg->own.continuous_count);
}

static enum status open_networks(struct maddpg *maddpg) {
    const struct maddpg_config *config = &maddpg->config;
    uint32_t count = maddpg->agent_count, states = maddpg->own.observation_size;
    uint32_t joint = count * (states + maddpg->head.action_size);
    struct mlp actor = learner_shape(states, &config->actor_hidden, maddpg->head.raw_size, ACTIVATION_TANH);
    struct mlp critic = learner_shape(joint, &config->critic_hidden, 1, ACTIVATION_NONE);
    size_t actor_count = mlp_parameter_count(&actor), critic_count = mlp_parameter_count(&critic);
    maddpg->parameter_count = count * (actor_count + critic_count);
    maddpg->parameters = learner_scratch(&maddpg->arena, maddpg->parameter_count);
    maddpg->gradients =
        learner_scratch(&maddpg->arena, actor_count > critic_count ? actor_count : critic_count);
    struct random_stream stream;
    agent_stream(&maddpg->agent, RANDOM_INITIALISE, &stream);
    for (uint32_t i = 0; i < count; i++) {
        struct maddpg_agent *one = &maddpg->agents[i];
        real *of_critic = maddpg->parameters + count * actor_count + i * critic_count;
        TRY(learner_open(&one->actor, &actor, config->actor_rate, true,
                         maddpg->parameters + i * actor_count));
        TRY(learner_open(&one->critic, &critic, config->critic_rate, true, of_critic));
        learner_initialise(&one->actor, config->output_range, &stream);
        learner_initialise(&one->critic, config->output_range, &stream);
    }
    TRY(mlp_trace_open(&maddpg->actor_trace, &actor, config->batch));
    return mlp_trace_open(&maddpg->critic_trace, &critic, config->batch);
}

static void take_scratch(struct maddpg *maddpg) {
    struct arena *arena = &maddpg->arena;
    size_t batch = maddpg->config.batch, states = maddpg->own.observation_size;
    size_t actions = maddpg->head.action_size, raws = maddpg->head.raw_size, count = maddpg->agent_count;
    maddpg->joint = learner_scratch(arena, batch * count * (states + actions));
    maddpg->next_joint = learner_scratch(arena, batch * count * (states + actions));
    maddpg->state = learner_scratch(arena, batch * states);
    maddpg->action = learner_scratch(arena, batch * actions);
    maddpg->kept = learner_scratch(arena, batch * actions);
    maddpg->d_action = learner_scratch(arena, batch * actions);
    maddpg->d_raw = learner_scratch(arena, batch * raws);
    maddpg->d_hidden = learner_scratch(arena, batch * maddpg->agents[0].critic.mlp.sizes[1]);
    maddpg->q = learner_scratch(arena, batch);
    maddpg->d_q = learner_scratch(arena, batch);
    maddpg->target = learner_scratch(arena, batch);
    maddpg->magnitude = learner_scratch(arena, batch);
    maddpg->raw = learner_scratch(arena, raws);
    maddpg->code = learner_scratch(arena, count * actions);
    maddpg->terminal = arena_alloc(arena, count);
}

static enum status open_experience(struct maddpg *maddpg) {
    const struct maddpg_config *config = &maddpg->config;
    struct experience_config experience = {
        .replay = {.capacity = config->replay_capacity,
                   .state_size = maddpg->agent.space.observation_size,
                   .action_size = maddpg->agent_count * maddpg->head.action_size,
                   .reward_size = maddpg->agent_count,
                   .chained = config->store_once},
        .prioritised = config->prioritised,
        .priority = {.alpha = config->priority_alpha,
                     .beta = config->priority_beta,
                     .floor = config->priority_floor},
        .batch = config->batch,
        .warm_up = config->warm_up,
        .update_every = config->update_every,
    };
    struct random_stream stream;
    agent_stream(&maddpg->agent, RANDOM_MINIBATCH, &stream);
    return experience_open(&maddpg->experience, &experience, &stream);
}

static enum status maddpg_open(struct agent *agent, const void *config, struct error *error) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    maddpg->config = *(const struct maddpg_config *)config;
    arena_init(&maddpg->arena);
    TRY(divide(&agent->space, &maddpg->own, error));
    TRY(check(maddpg, error));
    maddpg->head = head_of(maddpg);
    maddpg->agents = arena_alloc_array(&maddpg->arena, agent->space.actor_count, sizeof *maddpg->agents);
    maddpg->agent_count = agent->space.actor_count;
    maddpg->noise.config = (struct noise_config){.begin = maddpg->config.noise_begin,
                                                 .end = maddpg->config.noise_end,
                                                 .steps = maddpg->config.noise_steps,
                                                 .each_episode = maddpg->config.noise_each_episode};
    agent_stream(agent, RANDOM_EXPLORE, &maddpg->explore);
    enum status status = open_networks(maddpg);
    if (status == STATUS_OK)
        status = open_experience(maddpg);
    if (status != STATUS_OK)
        return error_set(error, status, "no memory for an agent of class maddpg");
    take_scratch(maddpg);
    return STATUS_OK;
}

static void maddpg_close(struct agent *agent) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        learner_close(&maddpg->agents[i].actor);
        learner_close(&maddpg->agents[i].critic);
    }
    mlp_trace_close(&maddpg->actor_trace);
    mlp_trace_close(&maddpg->critic_trace);
    experience_close(&maddpg->experience);
    arena_close(&maddpg->arena);
}

/* The part of an action that belongs to one actor. */
static struct agent_action own_action(const struct maddpg *maddpg, const struct agent_action *action,
                                      uint32_t index) {
    return (struct agent_action){.discrete = action->discrete + (size_t)index * maddpg->own.discrete_count,
                                 .continuous =
                                     action->continuous + (size_t)index * maddpg->own.continuous_count};
}

static void agent_maddpg_act(struct agent *agent, const real *observation, enum agent_mode mode,
                             struct agent_action *action) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    maddpg_act(maddpg, observation, mode, maddpg->code);
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        struct agent_action own = own_action(maddpg, action, i);
        action_decode(&maddpg->own, maddpg->code + (size_t)i * maddpg->head.action_size, &own);
    }
    action->log_probability = 0;
}

static void agent_maddpg_observe(struct agent *agent, const struct agent_transition *transition) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        struct agent_action own = own_action(maddpg, &transition->action, i);
        action_encode(&maddpg->own, &own, maddpg->code + (size_t)i * maddpg->head.action_size);
    }
    maddpg_observe(maddpg, transition, maddpg->code);
}

static void agent_maddpg_learn(struct agent *agent, struct agent_report *report) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    while (experience_take_update(&maddpg->experience)) {
        maddpg_update(maddpg);
        report->update_count++;
        for (uint32_t i = 0; i < maddpg->agent_count; i++) {
            report->policy_loss += maddpg->agents[i].actor_loss / maddpg->agent_count;
            report->value_loss += maddpg->agents[i].critic_loss / maddpg->agent_count;
        }
    }
    if (report->update_count == 0)
        return;
    report->policy_loss /= report->update_count;
    report->value_loss /= report->update_count;
    report->temperature = noise_scale(&maddpg->noise);
}

static real *maddpg_parameters(struct agent *agent, size_t *count) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    *count = maddpg->parameter_count;
    return maddpg->parameters;
}

static size_t maddpg_saved_bytes(const struct agent *agent) {
    const struct maddpg *maddpg = (const struct maddpg *)agent;
    size_t bytes = experience_saved_bytes(&maddpg->experience) + AGENT_STREAM_BYTES + 2 * 8;
    for (uint32_t i = 0; i < maddpg->agent_count; i++)
        bytes +=
            learner_saved_bytes(&maddpg->agents[i].actor) + learner_saved_bytes(&maddpg->agents[i].critic);
    return bytes;
}

static void maddpg_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct maddpg *maddpg = (const struct maddpg *)agent;
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        learner_save(&maddpg->agents[i].actor, writer);
        learner_save(&maddpg->agents[i].critic, writer);
    }
    experience_save(&maddpg->experience, writer);
    agent_stream_save(&maddpg->explore, writer);
    bytes_put_u64(writer, maddpg->noise.step);
    bytes_put_u64(writer, maddpg->round_count);
}

static enum status maddpg_load(struct agent *agent, struct bytes_reader *reader) {
    struct maddpg *maddpg = (struct maddpg *)agent;
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        TRY(learner_load(&maddpg->agents[i].actor, reader));
        TRY(learner_load(&maddpg->agents[i].critic, reader));
    }
    TRY(experience_load(&maddpg->experience, reader));
    TRY(agent_stream_load(&maddpg->explore, reader));
    maddpg->noise.step = bytes_get_u64(reader);
    maddpg->round_count = bytes_get_u64(reader);
    return bytes_done(reader) ? STATUS_OK : STATUS_INVALID;
}

const struct agent_class maddpg_class = {
    .name = "maddpg",
    .text = "actors of their own, critics that see all; one minibatch for all, prioritised",
    .agent_bytes = sizeof(struct maddpg),
    .config_bytes = sizeof(struct maddpg_config),
    .options = maddpg_options,
    .option_count = sizeof maddpg_options / sizeof maddpg_options[0],
    .defaults = maddpg_defaults,
    .open = maddpg_open,
    .close = maddpg_close,
    .act = agent_maddpg_act,
    .observe = agent_maddpg_observe,
    .learn = agent_maddpg_learn,
    .parameters = maddpg_parameters,
    .saved_bytes = maddpg_saved_bytes,
    .save = maddpg_save,
    .load = maddpg_load,
};
