#include "common/learn/q_table.h"

#include <stdlib.h>

#include "common/learn/optimiser.h"

#define ENTRIES_MAX (UINT64_C(1) << 26)
#define ACTIONS_MAX 65536

double q_update(real *table, uint32_t action_count, const struct q_step *step, double rate, double discount) {
    const real *next = table + step->next_cell * action_count;
    double following = step->terminated ? 0.0 : (double)next[choice_best(next, action_count, NULL)];
    real *entry = table + step->cell * action_count + step->action;
    double difference = step->reward + discount * following - (double)*entry;
    *entry = (real)((double)*entry + rate * difference);
    return difference;
}

static void q_table_act(struct agent *agent, const real *observation, enum agent_mode mode,
                        struct agent_action *action) {
    struct q_table *q = (struct q_table *)agent;
    const real *values = q->table + discretiser_cell(&q->discretiser, observation) * q->action_count;
    struct random_stream *stream = mode == AGENT_EXPLORE ? &q->explore : &q->evaluate;
    uint32_t choice;
    if (mode == AGENT_EXPLORE && random_chance(stream, epsilon_at(&q->config.epsilon, q->step++)))
        choice = (uint32_t)random_below(stream, q->action_count);
    else
        choice = choice_best(values, q->action_count, mode == AGENT_GREEDY ? NULL : stream);
    choice_split(&agent->space, choice, action->discrete);
    action->log_probability = 0;
}

static void q_table_observe(struct agent *agent, const struct agent_transition *transition) {
    struct q_table *q = (struct q_table *)agent;
    struct q_step step = {.cell = discretiser_cell(&q->discretiser, transition->observation),
                          .next_cell = discretiser_cell(&q->discretiser, transition->next_observation),
                          .action = choice_index(&agent->space, transition->action.discrete),
                          .reward = (double)transition->reward[0],
                          .terminated = transition->terminated};
    double difference = q_update(q->table, q->action_count, &step, q->config.rate, q->config.discount);
    q->squares += difference * difference;
    q->update_count++;
}

static void q_table_learn(struct agent *agent, struct agent_report *report) {
    struct q_table *q = (struct q_table *)agent;
    if (q->update_count == 0)
        return;
    report->update_count = q->update_count;
    report->value_loss = q->squares / q->update_count;
    report->temperature = epsilon_at(&q->config.epsilon, q->step);
    q->update_count = 0;
    q->squares = 0;
}

static real *q_table_parameters(struct agent *agent, size_t *count) {
    struct q_table *q = (struct q_table *)agent;
    *count = q->count;
    return q->table;
}

/* ------------------------------------------------------------------------------------- class, checkpoint */

#define OPTION(member) offsetof(struct q_table_config, member)

static const struct agent_option options[] = {
    {"rate", AGENT_OPTION_NUMBER, OPTION(rate), 0, 1, "learning rate"},
    {"discount", AGENT_OPTION_NUMBER, OPTION(discount), 0, 1, "gamma, weight of the value of what follows"},
    {"initial", AGENT_OPTION_NUMBER, OPTION(initial), -1e9, 1e9, "first value of every entry"},
    {"epsilon_begin", AGENT_OPTION_NUMBER, OPTION(epsilon.begin), 0, 1,
     "first probability of a random action"},
    {"epsilon_end", AGENT_OPTION_NUMBER, OPTION(epsilon.end), 0, 1, "last probability of a random action"},
    {"epsilon_steps", AGENT_OPTION_COUNT, OPTION(epsilon.steps), 0, 4e9, "actions from first to last"},
    {"low", AGENT_OPTION_NUMBER, OPTION(low), -1e9, 1e9, "where the bins of an observation begin"},
    {"high", AGENT_OPTION_NUMBER, OPTION(high), -1e9, 1e9, "where they end"},
    {"bins", AGENT_OPTION_COUNT, OPTION(bins), 1, 1 << 20, "bins per number of an observation"},
};

static void q_table_defaults(void *config) {
    *(struct q_table_config *)config = (struct q_table_config){
        .rate = 0.1, .discount = 0.99, .epsilon = {1.0, 0.05, 10000}, .low = -1, .high = 1, .bins = 10};
}

static enum status bins_open(struct q_table *q, struct error *error) {
    uint32_t size = q->agent.space.observation_size;
    struct discretiser_axis *axes = calloc(size, sizeof *axes);
    if (axes == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the bins of a q_table agent");
    for (uint32_t i = 0; i < size; i++)
        axes[i] = q->config.axes != NULL
                      ? q->config.axes[i]
                      : (struct discretiser_axis){q->config.low, q->config.high, q->config.bins};
    enum status status = discretiser_init(&q->discretiser, axes, size, ENTRIES_MAX / q->action_count);
    free(axes);
    q->config.axes = NULL; /* was borrowed */
    if (status == STATUS_INVALID)
        return error_set(error, status,
                         "q_table: low must be below high, and bins and actions make no more than %llu "
                         "entries",
                         (unsigned long long)ENTRIES_MAX);
    return status;
}

static enum status q_table_open(struct agent *agent, const void *config, struct error *error) {
    struct q_table *q = (struct q_table *)agent;
    q->config = *(const struct q_table_config *)config;
    q->action_count = choice_count(&agent->space, ACTIONS_MAX);
    if (q->action_count == 0 || agent->space.actor_count != 1)
        return error_set(error, STATUS_INVALID,
                         "q_table needs one actor whose action is at most %d combined choices and no numbers",
                         ACTIONS_MAX);
    TRY(bins_open(q, error));
    q->count = (size_t)q->discretiser.cell_count * q->action_count;
    q->table = calloc(q->count, sizeof *q->table);
    if (q->table == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for a table of %zu entries", q->count);
    for (size_t i = 0; i < q->count; i++)
        q->table[i] = (real)q->config.initial;
    agent_stream(agent, RANDOM_EXPLORE, &q->explore);
    agent_stream(agent, RANDOM_EVALUATE, &q->evaluate);
    return STATUS_OK;
}

static void q_table_close(struct agent *agent) {
    struct q_table *q = (struct q_table *)agent;
    free(q->table);
    discretiser_close(&q->discretiser);
}

static size_t q_table_saved_bytes(const struct agent *agent) {
    const struct q_table *q = (const struct q_table *)agent;
    return reals_saved_bytes(q->count) + 2 * AGENT_STREAM_BYTES + 8 + 4 + 8;
}

static void q_table_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct q_table *q = (const struct q_table *)agent;
    reals_save(writer, q->table, q->count);
    agent_stream_save(&q->explore, writer);
    agent_stream_save(&q->evaluate, writer);
    bytes_put_u64(writer, q->step);
    bytes_put_u32(writer, q->update_count);
    bytes_put_f64(writer, q->squares);
}

static enum status q_table_load(struct agent *agent, struct bytes_reader *reader) {
    struct q_table *q = (struct q_table *)agent;
    TRY(reals_load(reader, q->table, q->count));
    TRY(agent_stream_load(&q->explore, reader));
    TRY(agent_stream_load(&q->evaluate, reader));
    q->step = bytes_get_u64(reader);
    q->update_count = bytes_get_u32(reader);
    q->squares = bytes_get_f64(reader);
    return reader->failed ? STATUS_INVALID : STATUS_OK;
}

const struct agent_class q_table_class = {
    .name = "q_table",
    .text = "tabular Q-learning over observations in bins; epsilon falls by step",
    .agent_bytes = sizeof(struct q_table),
    .config_bytes = sizeof(struct q_table_config),
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .defaults = q_table_defaults,
    .open = q_table_open,
    .close = q_table_close,
    .act = q_table_act,
    .observe = q_table_observe,
    .learn = q_table_learn,
    .parameters = q_table_parameters,
    .saved_bytes = q_table_saved_bytes,
    .save = q_table_save,
    .load = q_table_load,
};
