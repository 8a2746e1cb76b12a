/* template: a small scheme to start from. It learns how many of n tasks to offload: an agent chooses the
 * number, those with the best gain go, and share the band evenly. Reward: minus the objective. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/learn/agent.h"
#include "common/model/cost.h"
#include "common/model/scenario_schema.h"
#include "schemes/scheme.h"

/* ---- what a scenario may set: rows of a table; keys, units, ranges and defaults are checked, printed and
 * documented ---- */

struct template_options {
    double learning_rate;
};

static const struct schema_field option_rows[] = {
    {.key = "learning_rate",
     .type = SCHEMA_NUMBER,
     .offset = offsetof(struct template_options, learning_rate),
     .size = sizeof(double),
     .flags = SCHEMA_ABOVE,
     .maximum = 1,
     .fallback = "0.1",
     .doc = "How far a value moves towards what was measured."},
};
static const struct schema option_schema = {.fields = option_rows,
                                            .count = sizeof option_rows / sizeof *option_rows};

/* ---- state ---- */

struct template {
    struct scheme_env env;
    struct agent *agent; /* owned */
    struct agent_action action;
    double evaluate_sum;
    uint32_t evaluate_count;
};

static enum status template_open(void *state, const struct scheme_env *env, struct error *error) {
    struct template *self = state;
    const struct template_options *options = env->options;
    struct agent_space space = {
        .observation_size = 1, .discrete_count = 1, .discrete_sizes = {env->device_count + 1}};
    const struct agent_class *class = agent_class_find("q_table");
    void *config = malloc(class->config_bytes);
    char rate[32];
    self->env = *env;
    if (config == NULL || agent_action_open(&self->action, &space) != STATUS_OK) {
        free(config);
        return error_set(error, STATUS_MEMORY, "no memory for an agent of %u devices", env->device_count);
    }
    class->defaults(config);
    snprintf(rate, sizeof rate, "%.17g", options->learning_rate);
    enum status status = agent_config_set(class, config, "rate", rate, error);
    if (status == STATUS_OK)
        status = agent_open(
            &self->agent, class,
            &(struct agent_setup){.space = &space, .config = config, .seed = env->seed, .id = env->node},
            error);
    free(config);
    return status;
}

static void template_close(void *state) {
    struct template *self = state;
    agent_action_close(&self->action);
    agent_close(self->agent);
}

/* ---- a slot ---- */

static const real nothing_seen[1] = {0}; /* one state: what is best does not depend on what was before */

/* How many devices have a better gain than device i (ties: the lower number). */
static uint32_t rank_of(const struct scheme_slot *slot, uint32_t count, uint32_t i) {
    uint32_t better = 0;
    for (uint32_t k = 0; k < count; k++)
        better += slot->tasks[k].gain > slot->tasks[i].gain ||
                  (k < i && slot->tasks[k].gain == slot->tasks[i].gain);
    return better;
}

static void template_decide(void *state, const struct scheme_slot *slot, struct scheme_decision *decisions) {
    struct template *self = state;
    const struct scenario_offloading *offloading = self->env.offloading;
    agent_act(self->agent, nothing_seen, slot->phase == SCHEME_TRAIN ? AGENT_EXPLORE : AGENT_GREEDY,
              &self->action);
    uint32_t offloaded = self->action.discrete[0];
    for (uint32_t i = 0; i < self->env.device_count; i++)
        decisions[i] =
            (struct scheme_decision){.offload = rank_of(slot, self->env.device_count, i) < offloaded,
                                     .bandwidth_hz = self->env.bandwidth_hz / fmax(offloaded, 1),
                                     .power_w = sqrt(offloading->power_w[0] * offloading->power_w[1]),
                                     .clock_hz = (offloading->clock_hz[0] + offloading->clock_hz[1]) / 2};
}

static void template_settle(void *state, const struct scheme_slot *slot,
                            const struct scheme_decision *decisions, const struct scheme_outcome *outcomes,
                            const struct scheme_log *log) {
    struct template *self = state;
    const struct scenario_offloading *offloading = self->env.offloading;
    double objective = 0.0;
    (void)decisions;
    for (uint32_t i = 0; i < self->env.device_count; i++)
        objective += cost_weighted(offloading->delay_weight, outcomes[i].delay_s, offloading->energy_weight,
                                   outcomes[i].energy_j);
    log->series(log->context, "objective", objective);
    if (slot->phase == SCHEME_EVALUATE) {
        self->evaluate_sum += objective;
        self->evaluate_count++;
        return;
    }
    real reward = (real)-objective;
    struct agent_report report;
    agent_observe(self->agent, &(struct agent_transition){.observation = nothing_seen,
                                                          .next_observation = nothing_seen,
                                                          .action = self->action,
                                                          .reward = &reward,
                                                          .terminated = true});
    agent_learn(self->agent, &report);
}

static void template_finish(void *state, const struct scheme_log *log) {
    struct template *self = state;
    if (self->evaluate_count > 0)
        log->result(log->context, "objective_policy", "", self->evaluate_sum / self->evaluate_count);
}

/* ---- checkpoints ---- */

static size_t template_saved_bytes(const void *state) {
    return 12 + agent_saved_bytes(((const struct template *)state)->agent);
}

static void template_save(const void *state, struct bytes_writer *writer) {
    const struct template *self = state;
    bytes_put_f64(writer, self->evaluate_sum);
    bytes_put_u32(writer, self->evaluate_count);
    agent_save(self->agent, writer);
}

static enum status template_load(void *state, struct bytes_reader *reader) {
    struct template *self = state;
    struct error ignored;
    self->evaluate_sum = bytes_get_f64(reader);
    self->evaluate_count = bytes_get_u32(reader);
    return agent_load(self->agent, reader, &ignored);
}

const struct scheme template_scheme = {
    .options = {.schema = &option_schema, .bytes = sizeof(struct template_options)},
    .state_bytes = sizeof(struct template),
    .open = template_open,
    .close = template_close,
    .decide = template_decide,
    .settle = template_settle,
    .finish = template_finish,
    .saved_bytes = template_saved_bytes,
    .save = template_save,
    .load = template_load,
};
