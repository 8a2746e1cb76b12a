/* scripted: random actions, callbacks, lists. */
#include "common/learn/scripted.h"

#include <string.h>

/* ---------------------------------------------------------------------------------------------- common */

static void defaults_none(void *config) {
    (void)config;
}

static void observe_nothing(struct agent *agent, const struct agent_transition *transition) {
    (void)agent;
    (void)transition;
}

static void learn_nothing(struct agent *agent, struct agent_report *report) {
    (void)agent;
    (void)report;
}

static real *parameters_none(struct agent *agent, size_t *count) {
    (void)agent;
    *count = 0;
    return NULL;
}

static void close_nothing(struct agent *agent) {
    (void)agent;
}

/* ---------------------------------------------------------------------------------------------- random */

struct random_agent {
    struct agent agent;
    struct random_stream explore, evaluate;
};

void action_uniform(const struct agent_space *space, struct random_stream *stream,
                    struct agent_action *action) {
    double log_probability = -(double)space->continuous_count * log(2.0); /* density 1/2 on [-1, 1] */
    for (uint32_t i = 0; i < space->discrete_count; i++) {
        action->discrete[i] = (uint32_t)random_below(stream, space->discrete_sizes[i]);
        log_probability -= log((double)space->discrete_sizes[i]);
    }
    for (uint32_t i = 0; i < space->continuous_count; i++)
        action->continuous[i] = (real)(2.0 * random_uniform(stream) - 1.0);
    action->log_probability = (real)log_probability;
}

static enum status random_open(struct agent *agent, const void *config, struct error *error) {
    (void)config;
    (void)error;
    struct random_agent *random = (struct random_agent *)agent;
    agent_stream(agent, RANDOM_EXPLORE, &random->explore);
    agent_stream(agent, RANDOM_EVALUATE, &random->evaluate);
    return STATUS_OK;
}

static void random_act(struct agent *agent, const real *observation, enum agent_mode mode,
                       struct agent_action *action) {
    (void)observation;
    struct random_agent *random = (struct random_agent *)agent;
    action_uniform(&agent->space, mode == AGENT_EXPLORE ? &random->explore : &random->evaluate, action);
}

static size_t random_saved_bytes(const struct agent *agent) {
    (void)agent;
    return 2 * AGENT_STREAM_BYTES;
}

static void random_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct random_agent *random = (const struct random_agent *)agent;
    agent_stream_save(&random->explore, writer);
    agent_stream_save(&random->evaluate, writer);
}

static enum status random_load(struct agent *agent, struct bytes_reader *reader) {
    struct random_agent *random = (struct random_agent *)agent;
    TRY(agent_stream_load(&random->explore, reader));
    return agent_stream_load(&random->evaluate, reader);
}

const struct agent_class random_class = {
    .name = "random",
    .text = "draws every action uniformly and learns nothing",
    .agent_bytes = sizeof(struct random_agent),
    .defaults = defaults_none,
    .open = random_open,
    .close = close_nothing,
    .act = random_act,
    .observe = observe_nothing,
    .learn = learn_nothing,
    .parameters = parameters_none,
    .saved_bytes = random_saved_bytes,
    .save = random_save,
    .load = random_load,
};

/* -------------------------------------------------------------------------------------------- scripted */

struct scripted_agent {
    struct agent agent;
    struct scripted_config config;
    uint32_t next; /* row of the list */
};

static void scripted_defaults(void *config) {
    memset(config, 0, sizeof(struct scripted_config));
}

static enum status scripted_open(struct agent *agent, const void *config, struct error *error) {
    struct scripted_agent *scripted = (struct scripted_agent *)agent;
    scripted->config = *(const struct scripted_config *)config;
    const uint32_t *row = scripted->config.list_discrete;
    for (uint32_t i = 0; row != NULL && i < scripted->config.list_count; i++)
        for (uint32_t head = 0; head < agent->space.discrete_count; head++, row++)
            if (*row >= agent->space.discrete_sizes[head])
                return error_set(error, STATUS_INVALID,
                                 "action %u of the list: choice %u is %u, of %u options", i, head, *row,
                                 agent->space.discrete_sizes[head]);
    return STATUS_OK;
}

static void scripted_act(struct agent *agent, const real *observation, enum agent_mode mode,
                         struct agent_action *action) {
    (void)mode;
    struct scripted_agent *scripted = (struct scripted_agent *)agent;
    const struct scripted_config *config = &scripted->config;
    const struct agent_space *space = &agent->space;
    action->log_probability = 0;
    memset(action->discrete, 0, space->discrete_count * sizeof *action->discrete);
    memset(action->continuous, 0, space->continuous_count * sizeof *action->continuous);
    if (config->callback != NULL) {
        config->callback(config->context, observation, action);
        return;
    }
    if (config->list_count == 0)
        return;
    size_t row = scripted->next;
    scripted->next = (scripted->next + 1) % config->list_count;
    if (config->list_discrete != NULL)
        memcpy(action->discrete, config->list_discrete + row * space->discrete_count,
               space->discrete_count * sizeof *action->discrete);
    if (config->list_continuous != NULL)
        memcpy(action->continuous, config->list_continuous + row * space->continuous_count,
               space->continuous_count * sizeof *action->continuous);
}

static size_t scripted_saved_bytes(const struct agent *agent) {
    (void)agent;
    return 4;
}

static void scripted_save(const struct agent *agent, struct bytes_writer *writer) {
    bytes_put_u32(writer, ((const struct scripted_agent *)agent)->next);
}

static enum status scripted_load(struct agent *agent, struct bytes_reader *reader) {
    struct scripted_agent *scripted = (struct scripted_agent *)agent;
    uint32_t next = bytes_get_u32(reader);
    if (reader->failed || (next > 0 && next >= scripted->config.list_count))
        return STATUS_INVALID;
    scripted->next = next;
    return STATUS_OK;
}

const struct agent_class scripted_class = {
    .name = "scripted",
    .text = "asks a callback or plays a list of actions; learns nothing",
    .agent_bytes = sizeof(struct scripted_agent),
    .config_bytes = sizeof(struct scripted_config),
    .defaults = scripted_defaults,
    .open = scripted_open,
    .close = close_nothing,
    .act = scripted_act,
    .observe = observe_nothing,
    .learn = learn_nothing,
    .parameters = parameters_none,
    .saved_bytes = scripted_saved_bytes,
    .save = scripted_save,
    .load = scripted_load,
};
