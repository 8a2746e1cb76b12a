#include "common/learn/dqn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/loss.h"

#define ACTIONS_MAX 65536
#define LAST_LAYER 3e-3 /* first weights of the last layer are uniform in +- this */

void dqn_targets(const struct dqn_batch *batch, double discount, real *targets) {
    for (uint32_t i = 0; i < batch->count; i++) {
        const real *next = batch->target_next + (size_t)i * batch->action_count;
        const real *chooser =
            batch->online_next == NULL ? next : batch->online_next + (size_t)i * batch->action_count;
        double following =
            batch->terminated[i] != 0 ? 0.0 : (double)next[choice_best(chooser, batch->action_count, NULL)];
        targets[i] = (real)((double)batch->rewards[i] + discount * following);
    }
}

double dqn_loss(const struct dqn_batch *batch, const real *values, const real *targets, double delta,
                real *d_values, real *scratch) {
    real *taken = scratch, *d_taken = scratch + batch->count;
    for (uint32_t i = 0; i < batch->count; i++)
        taken[i] = values[(size_t)i * batch->action_count + batch->actions[i]];
    double loss = loss_huber(taken, targets, batch->count, delta, d_taken);
    memset(d_values, 0, (size_t)batch->count * batch->action_count * sizeof *d_values);
    for (uint32_t i = 0; i < batch->count; i++)
        d_values[(size_t)i * batch->action_count + batch->actions[i]] = d_taken[i];
    return loss;
}

/* Scratch memory of an update; nothing in it is saved. */
struct dqn_workspace {
    real *block; /* owned: all arrays of reals */
    real *states, *next_states, *online_next, *d_values, *gradient, *rewards, *targets, *scratch, *codes;
    uint32_t *actions;   /* owned, [batch] */
    uint8_t *terminated; /* owned, [batch] */
};

static void dqn_act(struct agent *agent, const real *observation, enum agent_mode mode,
                    struct agent_action *action) {
    struct dqn *dqn = (struct dqn *)agent;
    struct random_stream *stream = mode == AGENT_EXPLORE ? &dqn->explore : &dqn->evaluate;
    uint32_t choice;
    if (mode == AGENT_EXPLORE && random_chance(stream, epsilon_at(&dqn->config.epsilon, dqn->step++)))
        choice = (uint32_t)random_below(stream, dqn->action_count);
    else
        choice = choice_best(mlp_forward(&dqn->q.mlp, dqn->q.parameters, observation, 1, &dqn->trace),
                             dqn->action_count, mode == AGENT_GREEDY ? NULL : stream);
    choice_split(&agent->space, choice, action->discrete);
    action->log_probability = 0;
}

static void dqn_observe(struct agent *agent, const struct agent_transition *transition) {
    struct dqn *dqn = (struct dqn *)agent;
    real code = (real)choice_index(&agent->space, transition->action.discrete);
    uint8_t terminal = transition->terminated;
    struct replay_transition stored = {.state = transition->observation,
                                       .action = &code,
                                       .reward = transition->reward,
                                       .next_state = transition->next_observation,
                                       .terminal = &terminal};
    experience_push(&dqn->experience, &stored);
}

/* Draws a minibatch and copies it together. */
static struct dqn_batch gather(struct dqn *dqn) {
    struct dqn_workspace *work = dqn->work;
    const struct replay *replay = &dqn->experience.replay;
    uint32_t batch = dqn->config.batch, size = dqn->agent.space.observation_size;
    const uint32_t *slots = dqn->experience.slots;
    experience_draw(&dqn->experience);
    replay_states(replay, slots, batch, work->states, size);
    replay_next_states(replay, slots, batch, work->next_states, size);
    replay_actions(replay, slots, batch, work->codes, 1);
    for (uint32_t i = 0; i < batch; i++) {
        work->actions[i] = (uint32_t)work->codes[i];
        work->rewards[i] = *replay_reward(replay, slots[i]);
        work->terminated[i] = *replay_terminal(replay, slots[i]);
    }
    return (struct dqn_batch){.count = batch,
                              .action_count = dqn->action_count,
                              .actions = work->actions,
                              .rewards = work->rewards,
                              .terminated = work->terminated};
}

static void follow(struct dqn *dqn) {
    const struct dqn_config *config = &dqn->config;
    if (config->target_every == 0)
        learner_follow(&dqn->q, config->tau);
    else if (dqn->update_count % config->target_every == 0)
        learner_follow(&dqn->q, 1.0);
}

static void update(struct dqn *dqn, struct agent_report *report) {
    struct dqn_workspace *work = dqn->work;
    const struct mlp *mlp = &dqn->q.mlp;
    struct dqn_batch batch = gather(dqn);
    if (dqn->config.double_q) {
        const real *online =
            mlp_forward(mlp, dqn->q.parameters, work->next_states, batch.count, &dqn->next_trace);
        memcpy(work->online_next, online, (size_t)batch.count * dqn->action_count * sizeof(real));
        batch.online_next = work->online_next;
    }
    batch.target_next = mlp_forward(mlp, dqn->q.target, work->next_states, batch.count, &dqn->next_trace);
    dqn_targets(&batch, dqn->config.discount, work->targets);
    const real *values = mlp_forward(mlp, dqn->q.parameters, work->states, batch.count, &dqn->trace);
    report->value_loss +=
        dqn_loss(&batch, values, work->targets, dqn->config.huber, work->d_values, work->scratch);
    mlp_backward(mlp, dqn->q.parameters, work->states, work->d_values, batch.count, &dqn->trace,
                 work->gradient, NULL);
    report->gradient_norm += gradient_clip(work->gradient, dqn->q.count, dqn->config.gradient_norm);
    learner_step(&dqn->q, work->gradient);
    dqn->update_count++;
    report->update_count++;
    follow(dqn);
}

static void dqn_learn(struct agent *agent, struct agent_report *report) {
    struct dqn *dqn = (struct dqn *)agent;
    while (experience_take_update(&dqn->experience))
        update(dqn, report);
    if (report->update_count == 0)
        return;
    report->value_loss /= report->update_count;
    report->gradient_norm /= report->update_count;
    report->temperature = epsilon_at(&dqn->config.epsilon, dqn->step);
}

static real *dqn_parameters(struct agent *agent, size_t *count) {
    struct dqn *dqn = (struct dqn *)agent;
    *count = dqn->q.count;
    return dqn->parameters;
}

/* --------------------------------------------------------------------------------------------- memory */

#define OPTION(member) offsetof(struct dqn_config, member)

static const struct agent_option options[] = {
    {"hidden", AGENT_OPTION_LAYERS, OPTION(hidden), 1, 4096, "hidden layers"},
    {"rate", AGENT_OPTION_NUMBER, OPTION(rate), 0, 10, "learning rate (Adam)"},
    {"discount", AGENT_OPTION_NUMBER, OPTION(discount), 0, 1, "gamma, weight of the value of what follows"},
    {"huber", AGENT_OPTION_NUMBER, OPTION(huber), 1e-6, 1e9, "error at which the loss turns linear"},
    {"gradient_norm", AGENT_OPTION_NUMBER, OPTION(gradient_norm), 1e-6, 1e9,
     "bound of the global gradient norm"},
    {"epsilon_begin", AGENT_OPTION_NUMBER, OPTION(epsilon.begin), 0, 1,
     "first probability of a random action"},
    {"epsilon_end", AGENT_OPTION_NUMBER, OPTION(epsilon.end), 0, 1, "last probability of a random action"},
    {"epsilon_steps", AGENT_OPTION_COUNT, OPTION(epsilon.steps), 0, 4e9, "actions from first to last"},
    {"batch", AGENT_OPTION_COUNT, OPTION(batch), 1, 1e6, "transitions in a minibatch"},
    {"replay_capacity", AGENT_OPTION_COUNT, OPTION(replay_capacity), 2, 1e9,
     "transitions that are remembered"},
    {"warm_up", AGENT_OPTION_COUNT, OPTION(warm_up), 0, 4e9, "transitions before learning begins"},
    {"update_every", AGENT_OPTION_COUNT, OPTION(update_every), 1, 1e6, "transitions for each update"},
    {"target_every", AGENT_OPTION_COUNT, OPTION(target_every), 0, 4e9,
     "updates between copies to the target network; 0: it follows by tau"},
    {"tau", AGENT_OPTION_NUMBER, OPTION(tau), 0, 1, "part that the target network takes over at each update"},
    {"double", AGENT_OPTION_FLAG, OPTION(double_q), 0, 1,
     "the network chooses the action, the target values it"},
};

static void dqn_defaults(void *config) {
    *(struct dqn_config *)config = (struct dqn_config){.hidden = {2, {64, 64}},
                                                       .rate = 1e-3,
                                                       .discount = 0.99,
                                                       .huber = 1,
                                                       .gradient_norm = 10,
                                                       .epsilon = {1.0, 0.05, 10000},
                                                       .batch = 32,
                                                       .replay_capacity = 10000,
                                                       .warm_up = 500,
                                                       .update_every = 1,
                                                       .target_every = 200,
                                                       .tau = 0.005,
                                                       .double_q = true};
}

static real *cut(real **at, size_t count) {
    real *piece = *at;
    *at += count;
    return piece;
}

static enum status workspace_open(struct dqn *dqn) {
    struct dqn_workspace *work = dqn->work = calloc(1, sizeof *work);
    if (work == NULL)
        return STATUS_MEMORY;
    size_t batch = dqn->config.batch, size = dqn->agent.space.observation_size, actions = dqn->action_count;
    work->block = calloc(batch * (2 * size + 2 * actions + 5) + dqn->q.count, sizeof(real));
    work->actions = calloc(batch, sizeof *work->actions);
    work->terminated = calloc(batch, 1);
    if (work->block == NULL || work->actions == NULL || work->terminated == NULL)
        return STATUS_MEMORY;
    real *at = work->block;
    work->states = cut(&at, batch * size);
    work->next_states = cut(&at, batch * size);
    work->online_next = cut(&at, batch * actions);
    work->d_values = cut(&at, batch * actions);
    work->rewards = cut(&at, batch);
    work->targets = cut(&at, batch);
    work->codes = cut(&at, batch);
    work->scratch = cut(&at, 2 * batch);
    work->gradient = cut(&at, dqn->q.count);
    return STATUS_OK;
}

static enum status memory_open(struct dqn *dqn) {
    const struct dqn_config *config = &dqn->config;
    struct mlp mlp =
        learner_shape(dqn->agent.space.observation_size, &config->hidden, dqn->action_count, ACTIVATION_NONE);
    struct experience_config remembered = {.replay = {.capacity = config->replay_capacity,
                                                      .state_size = dqn->agent.space.observation_size,
                                                      .action_size = 1,
                                                      .reward_size = 1},
                                           .batch = config->batch,
                                           .warm_up = config->warm_up,
                                           .update_every = config->update_every};
    struct random_stream minibatch;
    agent_stream(&dqn->agent, RANDOM_MINIBATCH, &minibatch);
    TRY(experience_open(&dqn->experience, &remembered, &minibatch));
    TRY(mlp_trace_open(&dqn->trace, &mlp, config->batch));
    TRY(mlp_trace_open(&dqn->next_trace, &mlp, config->batch));
    dqn->parameters = calloc(mlp_parameter_count(&mlp), sizeof(real));
    if (dqn->parameters == NULL)
        return STATUS_MEMORY;
    TRY(learner_open(&dqn->q, &mlp, config->rate, true, dqn->parameters));
    return workspace_open(dqn);
}

static enum status dqn_open(struct agent *agent, const void *config, struct error *error) {
    struct dqn *dqn = (struct dqn *)agent;
    dqn->config = *(const struct dqn_config *)config;
    dqn->action_count = choice_count(&agent->space, ACTIONS_MAX);
    if (dqn->action_count == 0 || agent->space.actor_count != 1)
        return error_set(error, STATUS_INVALID,
                         "dqn needs one actor whose action is at most %d combined choices and no numbers",
                         ACTIONS_MAX);
    if (dqn->config.batch > dqn->config.replay_capacity)
        return error_set(error, STATUS_INVALID, "dqn: batch %u is larger than replay_capacity %u",
                         dqn->config.batch, dqn->config.replay_capacity);
    if (memory_open(dqn) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for a dqn agent");
    struct random_stream initialise;
    agent_stream(agent, RANDOM_INITIALISE, &initialise);
    agent_stream(agent, RANDOM_EXPLORE, &dqn->explore);
    agent_stream(agent, RANDOM_EVALUATE, &dqn->evaluate);
    learner_initialise(&dqn->q, LAST_LAYER, &initialise);
    return STATUS_OK;
}

static void dqn_close(struct agent *agent) {
    struct dqn *dqn = (struct dqn *)agent;
    if (dqn->work != NULL) {
        free(dqn->work->block);
        free(dqn->work->actions);
        free(dqn->work->terminated);
        free(dqn->work);
    }
    learner_close(&dqn->q);
    free(dqn->parameters);
    mlp_trace_close(&dqn->trace);
    mlp_trace_close(&dqn->next_trace);
    experience_close(&dqn->experience);
}

/* ----------------------------------------------------------------------------------------- checkpoint */

static size_t dqn_saved_bytes(const struct agent *agent) {
    const struct dqn *dqn = (const struct dqn *)agent;
    return learner_saved_bytes(&dqn->q) + experience_saved_bytes(&dqn->experience) + 2 * AGENT_STREAM_BYTES +
           2 * 8;
}

static void dqn_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct dqn *dqn = (const struct dqn *)agent;
    learner_save(&dqn->q, writer);
    experience_save(&dqn->experience, writer);
    agent_stream_save(&dqn->explore, writer);
    agent_stream_save(&dqn->evaluate, writer);
    bytes_put_u64(writer, dqn->step);
    bytes_put_u64(writer, dqn->update_count);
}

/* Actions are kept as numbers: each must be one of the space. */
static bool actions_hold(const struct dqn *dqn) {
    const struct replay *replay = &dqn->experience.replay;
    for (uint32_t i = 0; i < replay->used; i++) {
        real code = replay->actions[i];
        if (replay->valid[i] != 0 &&
            !(code >= 0 && code < (real)dqn->action_count && code == (real)(uint32_t)code))
            return false;
    }
    return true;
}

static enum status dqn_load(struct agent *agent, struct bytes_reader *reader) {
    struct dqn *dqn = (struct dqn *)agent;
    TRY(learner_load(&dqn->q, reader));
    TRY(experience_load(&dqn->experience, reader));
    TRY(agent_stream_load(&dqn->explore, reader));
    TRY(agent_stream_load(&dqn->evaluate, reader));
    dqn->step = bytes_get_u64(reader);
    dqn->update_count = bytes_get_u64(reader);
    return reader->failed || !actions_hold(dqn) ? STATUS_INVALID : STATUS_OK;
}

const struct agent_class dqn_class = {
    .name = "dqn",
    .text = "deep Q-network, double by default: replay, target network, Huber loss",
    .agent_bytes = sizeof(struct dqn),
    .config_bytes = sizeof(struct dqn_config),
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .defaults = dqn_defaults,
    .open = dqn_open,
    .close = dqn_close,
    .act = dqn_act,
    .observe = dqn_observe,
    .learn = dqn_learn,
    .parameters = dqn_parameters,
    .saved_bytes = dqn_saved_bytes,
    .save = dqn_save,
    .load = dqn_load,
};
