/* ppo_class: settings, memory and checkpoints of PPO. */
#include <assert.h>
#include <stdlib.h>

#include "common/learn/ppo.h"
#include "common/learn/ppo_workspace.h"

#define OPTION(member) offsetof(struct ppo_config, member)

static const struct agent_option options[] = {
    {"hidden", AGENT_OPTION_LAYERS, OPTION(hidden), 1, 4096, "hidden layers of actor and critic"},
    {"horizon", AGENT_OPTION_COUNT, OPTION(horizon), 1, 1 << 20, "steps between updates"},
    {"epochs", AGENT_OPTION_COUNT, OPTION(epochs), 1, 1000, "passes over the steps in an update"},
    {"minibatches", AGENT_OPTION_COUNT, OPTION(minibatches), 1, 1 << 20, "gradient steps in a pass"},
    {"actor_rate", AGENT_OPTION_NUMBER, OPTION(actor_rate), 0, 10, "learning rate of the actor (Adam)"},
    {"critic_rate", AGENT_OPTION_NUMBER, OPTION(critic_rate), 0, 10,
     "learning rate of the critic; 0: actor_rate"},
    {"anneal_rounds", AGENT_OPTION_COUNT, OPTION(anneal_rounds), 0, 1e9,
     "updates over which the learning rates fall linearly to 0; 0: never"},
    {"discount", AGENT_OPTION_NUMBER, OPTION(discount), 0, 1, "gamma, weight of the value of what follows"},
    {"lambda", AGENT_OPTION_NUMBER, OPTION(lambda), 0, 1, "of generalised advantage estimation"},
    {"clip", AGENT_OPTION_NUMBER, OPTION(loss.clip), 1e-6, 1, "of the probability ratio"},
    {"entropy", AGENT_OPTION_NUMBER, OPTION(loss.entropy_coefficient), 0, 100, "weight of the entropy bonus"},
    {"value", AGENT_OPTION_NUMBER, OPTION(loss.value_coefficient), 0, 100, "weight of the critic's loss"},
    {"normalise_advantage", AGENT_OPTION_FLAG, OPTION(loss.normalise_advantage), 0, 1,
     "within each minibatch"},
    {"value_clip", AGENT_OPTION_FLAG, OPTION(loss.value_clip), 0, 1, "bound the critic's change too"},
    {"gradient_norm", AGENT_OPTION_NUMBER, OPTION(gradient_norm), 1e-6, 1e9,
     "bound of the global gradient norm"},
    {"log_std", AGENT_OPTION_NUMBER, OPTION(log_std), -10, 2, "log of the first standard deviation"},
    {"uniform", AGENT_OPTION_NUMBER, OPTION(uniform), 0, 0.99,
     "probability of a uniform action while exploring"},
    {"normalise_observation", AGENT_OPTION_FLAG, OPTION(normalise_observation), 0, 1,
     "by running mean and deviation"},
    {"normalise_reward", AGENT_OPTION_FLAG, OPTION(normalise_reward), 0, 1,
     "by the running deviation of returns"},
};

static void ppo_defaults(void *config) {
    *(struct ppo_config *)config = (struct ppo_config){.hidden = {2, {64, 64}},
                                                       .horizon = 256,
                                                       .epochs = 4,
                                                       .minibatches = 4,
                                                       .actor_rate = 3e-4,
                                                       .discount = 0.99,
                                                       .lambda = 0.95,
                                                       .loss = {.clip = 0.2,
                                                                .entropy_coefficient = 0.01,
                                                                .value_coefficient = 0.5,
                                                                .normalise_advantage = true},
                                                       .gradient_norm = 0.5,
                                                       .log_std = -0.5};
}

/* --------------------------------------------------------------------------------------------- memory */

static real *cut(real **at, size_t count) {
    real *piece = *at;
    *at += count;
    return piece;
}

static enum status workspace_open(struct ppo *ppo) {
    struct ppo_workspace *work = ppo->work = calloc(1, sizeof *work);
    if (work == NULL)
        return STATUS_MEMORY;
    const struct agent_space *space = &ppo->agent.space;
    size_t rows = ppo->config.horizon,
           batch = work->batch_count = ppo->config.horizon / ppo->config.minibatches;
    size_t size = space->observation_size;
    work->block =
        calloc((1 + rows + batch) * size + 4 * rows + (4 + space->continuous_count) * batch, sizeof(real));
    work->order = calloc(rows, sizeof *work->order);
    work->batch_discrete = calloc(batch * space->discrete_count + 1, sizeof *work->batch_discrete);
    if (work->block == NULL || work->order == NULL || work->batch_discrete == NULL)
        return STATUS_MEMORY;
    real *at = work->block;
    work->observation = cut(&at, size);
    work->observations = cut(&at, rows * size);
    work->rewards = cut(&at, rows);
    work->values = cut(&at, rows);
    work->advantages = cut(&at, rows);
    work->returns = cut(&at, rows);
    work->batch_observations = cut(&at, batch * size);
    work->batch_old_log_probabilities = cut(&at, batch);
    work->batch_advantages = cut(&at, batch);
    work->batch_returns = cut(&at, batch);
    work->batch_old_values = cut(&at, batch);
    work->batch_continuous = cut(&at, batch * space->continuous_count);
    return STATUS_OK;
}

static void workspace_close(struct ppo_workspace *work) {
    if (work == NULL)
        return;
    free(work->block);
    free(work->order);
    free(work->batch_discrete);
    free(work);
}

static enum status statistics_open(struct ppo_statistics *statistics, const struct ppo *ppo) {
    TRY(normaliser_init(&statistics->observations,
                        ppo->config.normalise_observation ? ppo->agent.space.observation_size : 0));
    return normaliser_init(&statistics->returns, ppo->config.normalise_reward ? 1 : 0);
}

static enum status memory_open(struct ppo *ppo) {
    const struct ppo_config *config = &ppo->config;
    TRY(actor_critic_open(&ppo->net, &ppo->agent.space, &config->hidden,
                          config->horizon / config->minibatches));
    TRY(rollout_init(&ppo->rollout, &ppo->agent.space, config->horizon));
    TRY(statistics_open(&ppo->applied, ppo));
    TRY(statistics_open(&ppo->pending, ppo));
    size_t count = ppo->net.parameter_count, actor = ppo->net.critic_offset;
    struct optimiser_config adam = optimiser_adam(config->actor_rate);
    adam.epsilon = 1e-5;
    TRY(optimiser_init(&ppo->actor_optimiser, &adam, actor));
    TRY(optimiser_init(&ppo->critic_optimiser, &adam, count - actor));
    ppo->parameters = calloc(count, sizeof(real));
    ppo->gradient = calloc(count, sizeof(real));
    if (ppo->parameters == NULL || ppo->gradient == NULL)
        return STATUS_MEMORY;
    return workspace_open(ppo);
}

static enum status ppo_open(struct agent *agent, const void *config, struct error *error) {
    struct ppo *ppo = (struct ppo *)agent;
    ppo->config = *(const struct ppo_config *)config;
    if (agent->space.actor_count != 1)
        return error_set(error, STATUS_INVALID, "ppo trains one actor, not %u", agent->space.actor_count);
    if (ppo->config.horizon % ppo->config.minibatches != 0)
        return error_set(error, STATUS_INVALID, "ppo: horizon %u is no multiple of minibatches %u",
                         ppo->config.horizon, ppo->config.minibatches);
    if (memory_open(ppo) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for a ppo agent of %zu parameters",
                         ppo->net.parameter_count);
    struct random_stream initialise;
    agent_stream(agent, RANDOM_INITIALISE, &initialise);
    agent_stream(agent, RANDOM_EXPLORE, &ppo->explore);
    agent_stream(agent, RANDOM_MINIBATCH, &ppo->minibatch);
    agent_stream(agent, RANDOM_EVALUATE, &ppo->evaluate);
    actor_critic_initialise(&ppo->net, ppo->config.log_std, &initialise, ppo->parameters);
    return STATUS_OK;
}

static void ppo_close(struct agent *agent) {
    struct ppo *ppo = (struct ppo *)agent;
    workspace_close(ppo->work);
    free(ppo->parameters);
    free(ppo->gradient);
    optimiser_close(&ppo->actor_optimiser);
    optimiser_close(&ppo->critic_optimiser);
    normaliser_close(&ppo->applied.observations);
    normaliser_close(&ppo->applied.returns);
    normaliser_close(&ppo->pending.observations);
    normaliser_close(&ppo->pending.returns);
    rollout_close(&ppo->rollout);
    actor_critic_close(&ppo->net);
}

static real *ppo_parameters(struct agent *agent, size_t *count) {
    struct ppo *ppo = ppo_of(agent);
    *count = ppo->net.parameter_count;
    return ppo->parameters;
}

/* ----------------------------------------------------------------------------------------- checkpoint */

static size_t statistics_saved_bytes(const struct ppo_statistics *statistics) {
    return normaliser_saved_bytes(&statistics->observations) + normaliser_saved_bytes(&statistics->returns);
}

static size_t ppo_saved_bytes(const struct agent *agent) {
    const struct ppo *ppo = (const struct ppo *)agent;
    return reals_saved_bytes(ppo->net.parameter_count) + optimiser_saved_bytes(&ppo->actor_optimiser) +
           optimiser_saved_bytes(&ppo->critic_optimiser) + rollout_saved_bytes(&ppo->rollout) +
           statistics_saved_bytes(&ppo->applied) + statistics_saved_bytes(&ppo->pending) + 8 +
           3 * AGENT_STREAM_BYTES + 8;
}

static void statistics_save(const struct ppo_statistics *statistics, struct bytes_writer *writer) {
    normaliser_save(&statistics->observations, writer);
    normaliser_save(&statistics->returns, writer);
}

static void ppo_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct ppo *ppo = (const struct ppo *)agent;
    assert(!ppo->in_round);
    reals_save(writer, ppo->parameters, ppo->net.parameter_count);
    optimiser_save(&ppo->actor_optimiser, writer);
    optimiser_save(&ppo->critic_optimiser, writer);
    rollout_save(&ppo->rollout, writer);
    statistics_save(&ppo->applied, writer);
    statistics_save(&ppo->pending, writer);
    bytes_put_f64(writer, ppo->running_return);
    agent_stream_save(&ppo->explore, writer);
    agent_stream_save(&ppo->minibatch, writer);
    agent_stream_save(&ppo->evaluate, writer);
    bytes_put_u64(writer, ppo->round);
}

static enum status statistics_load(struct ppo_statistics *statistics, struct bytes_reader *reader) {
    TRY(normaliser_load(&statistics->observations, reader));
    return normaliser_load(&statistics->returns, reader);
}

static enum status ppo_load(struct agent *agent, struct bytes_reader *reader) {
    struct ppo *ppo = ppo_of(agent);
    ppo->in_round = false;
    TRY(reals_load(reader, ppo->parameters, ppo->net.parameter_count));
    TRY(optimiser_load(&ppo->actor_optimiser, reader));
    TRY(optimiser_load(&ppo->critic_optimiser, reader));
    TRY(rollout_load(&ppo->rollout, &agent->space, reader));
    TRY(statistics_load(&ppo->applied, reader));
    TRY(statistics_load(&ppo->pending, reader));
    ppo->running_return = bytes_get_f64(reader);
    TRY(agent_stream_load(&ppo->explore, reader));
    TRY(agent_stream_load(&ppo->minibatch, reader));
    TRY(agent_stream_load(&ppo->evaluate, reader));
    ppo->round = bytes_get_u64(reader);
    return reader->failed ? STATUS_INVALID : STATUS_OK;
}

const struct agent_class ppo_class = {
    .name = "ppo",
    .text = "proximal policy optimisation: clipped ratio, generalised advantages, choices and numbers",
    .agent_bytes = sizeof(struct ppo),
    .config_bytes = sizeof(struct ppo_config),
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .defaults = ppo_defaults,
    .open = ppo_open,
    .close = ppo_close,
    .act = ppo_act,
    .observe = ppo_observe,
    .learn = ppo_learn,
    .parameters = ppo_parameters,
    .saved_bytes = ppo_saved_bytes,
    .save = ppo_save,
    .load = ppo_load,
};
