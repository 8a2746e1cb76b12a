/* plus_update: gradient steps of the predictors and, through them, of the actors. */
#include <string.h>

#include "schemes/cpdrl/plus_parts.h"

static uint32_t batch_steps(const struct cpdrl_plus *agent) {
    return (agent->config.batch_rows + agent->config.device_count - 1) / agent->config.device_count;
}

static const real *record_of(const struct cpdrl_plus *agent, uint32_t slot, uint32_t device) {
    return agent->records + ((size_t)slot * agent->config.device_count + device) * RECORD_FIELDS;
}

static uint32_t remembered(const struct cpdrl_plus *agent) {
    return agent->step < agent->config.replay_steps ? (uint32_t)agent->step : agent->config.replay_steps;
}

static void draw_slots(struct cpdrl_plus *agent) {
    for (uint32_t i = 0; i < batch_steps(agent); i++)
        agent->workspace->slots[i] = (uint32_t)random_below(&agent->minibatch, remembered(agent));
}

/* ---- predictors ---- */

struct examples {
    uint32_t local, offloaded;
};

static struct examples gather_step(struct cpdrl_plus *agent, uint32_t slot, struct examples at) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    for (uint32_t n = 0; n < agent->config.device_count; n++) {
        const real *record = record_of(agent, slot, n);
        const real *measured = record + RECORD_DELAY;
        if (record[RECORD_KIND] == RECORD_LOCAL) {
            real *x = w->local_x + at.local * LOCAL_INPUTS;
            x[0] = record[RECORD_BITS];
            x[1] = record[RECORD_CYCLES];
            x[2] = record[RECORD_CLOCK];
            memcpy(w->local_y + at.local++ * CPDRL_PREDICTOR_OUTPUTS, measured, 2 * sizeof *measured);
        } else if (record[RECORD_KIND] == RECORD_OFFLOADED) {
            memcpy(w->offloaded_x + at.offloaded * OFFLOADED_INPUTS, record,
                   OFFLOADED_INPUTS * sizeof *record);
            memcpy(w->offloaded_y + at.offloaded++ * CPDRL_PREDICTOR_OUTPUTS, measured, 2 * sizeof *measured);
        }
    }
    return at;
}

static void update_predictors(struct cpdrl_plus *agent) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    struct examples count = {0, 0};
    draw_slots(agent);
    for (uint32_t i = 0; i < batch_steps(agent); i++)
        count = gather_step(agent, w->slots[i], count);
    double rate = cpdrl_plus_scheduled(agent, &agent->config.predictor_rate);
    cpdrl_predictor_train(&agent->local, w->local_x, w->local_y, count.local, rate);
    cpdrl_predictor_train(&agent->offloaded, w->offloaded_x, w->offloaded_y, count.offloaded, rate);
}

/* Scales from the whole warm-up, as far as the rows of the workspace reach. */
static void fix_scales(struct cpdrl_plus *agent) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    const double spread_min = 0.1; /* equal devices still need a scale: a tenth of a factor e */
    struct examples count = {0, 0};
    for (uint32_t slot = 0; slot < remembered(agent); slot++)
        if (count.local + count.offloaded + agent->config.device_count <= w->rows_max)
            count = gather_step(agent, slot, count);
    if (count.local > 0)
        cpdrl_predictor_scale(&agent->local, w->local_x, w->local_y, count.local, spread_min);
    if (count.offloaded > 0)
        cpdrl_predictor_scale(&agent->offloaded, w->offloaded_x, w->offloaded_y, count.offloaded, spread_min);
}

/* ---- actors ---- */

static void step_actor(struct cpdrl_plus *agent, struct cpdrl_plus_network *actor, const real *x,
                       const real *d_out, uint32_t rows) {
    mlp_backward(&actor->mlp, actor->parameters, x, d_out, rows, &actor->trace, actor->gradients, NULL);
    actor->optimiser.config.learning_rate = cpdrl_plus_scheduled(agent, &agent->config.actor_rate);
    optimiser_step(&actor->optimiser, actor->parameters, actor->gradients);
}

/* Clocks of all devices of the drawn steps, whether they worked locally or not. */
static void update_clock_actor(struct cpdrl_plus *agent) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    uint32_t count = agent->config.device_count, rows = 0;
    for (uint32_t i = 0; i < batch_steps(agent); i++)
        for (uint32_t n = 0; n < count; n++) {
            const real *record = record_of(agent, w->slots[i], n);
            if (record[RECORD_KIND] == RECORD_NOTHING)
                continue;
            struct cpdrl_plus_row row = {.bits = record[RECORD_BITS], .cycles = record[RECORD_CYCLES]};
            cpdrl_plus_clock_input(agent, &row, w->clock_in + rows * CLOCK_ACTOR_INPUTS);
            w->local_x[rows * LOCAL_INPUTS] = row.bits;
            w->local_x[rows++ * LOCAL_INPUTS + 1] = row.cycles;
        }
    if (rows == 0)
        return;
    const real *raw = mlp_forward(&agent->clock_actor.mlp, agent->clock_actor.parameters, w->clock_in, rows,
                                  &agent->clock_actor.trace);
    for (uint32_t i = 0; i < rows; i++)
        w->local_x[i * LOCAL_INPUTS + 2] = cpdrl_plus_log_clock(agent, raw[i], &w->clock_out[i]);
    cpdrl_predictor_forward(&agent->local, w->local_x, rows, w->local_y);
    for (uint32_t i = 0; i < rows; i++)
        cpdrl_plus_cost(agent, w->local_y + i * CPDRL_PREDICTOR_OUTPUTS,
                        w->local_d + i * CPDRL_PREDICTOR_OUTPUTS);
    cpdrl_predictor_backward(&agent->local, w->local_d, rows, w->local_x);
    for (uint32_t i = 0; i < rows; i++)
        w->clock_out[i] *= w->local_x[i * LOCAL_INPUTS + 2] / (real)rows;
    step_actor(agent, &agent->clock_actor, w->clock_in, w->clock_out, rows);
}

/* Inputs of the radio actor and the fixed inputs of the predictor, for all who offloaded in the drawn steps.
 * Returns the number of rows; ends[i] is where the rows of drawn step i end. */
static uint32_t gather_offloaders(struct cpdrl_plus *agent, uint32_t *ends) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    uint32_t rows = 0;
    for (uint32_t i = 0; i < batch_steps(agent); i++) {
        for (uint32_t n = 0; n < agent->config.device_count; n++) {
            const real *record = record_of(agent, w->slots[i], n);
            if (record[RECORD_KIND] != RECORD_OFFLOADED)
                continue;
            struct cpdrl_plus_row row = {record[RECORD_BITS], record[RECORD_CYCLES], record[RECORD_GAIN]};
            cpdrl_plus_radio_input(agent, &row, record[RECORD_COUNT],
                                   w->radio_in + rows * RADIO_ACTOR_INPUTS);
            memcpy(w->offloaded_x + rows++ * OFFLOADED_INPUTS, record, OFFLOADED_INPUTS * sizeof *record);
        }
        ends[i] = rows;
    }
    return rows;
}

/* Log softmax of the scores of one step into the bandwidth column. */
static void share_out(struct cpdrl_plus_workspace *w, const real *raw, uint32_t begin, uint32_t end) {
    real highest = -INFINITY, sum = 0;
    for (uint32_t i = begin; i < end; i++)
        highest = real_max(highest, raw[i * RADIO_ACTOR_OUTPUTS]);
    for (uint32_t i = begin; i < end; i++)
        sum += real_exp(raw[i * RADIO_ACTOR_OUTPUTS] - highest);
    for (uint32_t i = begin; i < end; i++)
        w->offloaded_x[i * OFFLOADED_INPUTS + RECORD_BANDWIDTH] =
            raw[i * RADIO_ACTOR_OUTPUTS] - highest - real_log(sum);
}

/* d log share_j / d score_i = [i = j] - share_i. */
static void share_back(struct cpdrl_plus_workspace *w, const real *raw, uint32_t begin, uint32_t end) {
    real highest = -INFINITY, sum = 0, total = 0;
    for (uint32_t i = begin; i < end; i++)
        highest = real_max(highest, raw[i * RADIO_ACTOR_OUTPUTS]);
    for (uint32_t i = begin; i < end; i++) {
        sum += real_exp(raw[i * RADIO_ACTOR_OUTPUTS] - highest);
        total += w->offloaded_x[i * OFFLOADED_INPUTS + RECORD_BANDWIDTH];
    }
    for (uint32_t i = begin; i < end; i++)
        w->radio_out[i * RADIO_ACTOR_OUTPUTS] =
            w->offloaded_x[i * OFFLOADED_INPUTS + RECORD_BANDWIDTH] -
            real_exp(raw[i * RADIO_ACTOR_OUTPUTS] - highest) / sum * total;
}

static void update_radio_actor(struct cpdrl_plus *agent) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    uint32_t *ends = w->ends, rows = gather_offloaders(agent, ends);
    if (rows == 0)
        return;
    const real *raw = mlp_forward(&agent->radio_actor.mlp, agent->radio_actor.parameters, w->radio_in, rows,
                                  &agent->radio_actor.trace);
    for (uint32_t i = 0; i < batch_steps(agent); i++)
        share_out(w, raw, i > 0 ? ends[i - 1] : 0, ends[i]);
    for (uint32_t i = 0; i < rows; i++)
        w->offloaded_x[i * OFFLOADED_INPUTS + RECORD_POWER] = cpdrl_plus_log_power(
            agent, raw[i * RADIO_ACTOR_OUTPUTS + 1], &w->radio_out[i * RADIO_ACTOR_OUTPUTS + 1]);
    cpdrl_predictor_forward(&agent->offloaded, w->offloaded_x, rows, w->offloaded_y);
    for (uint32_t i = 0; i < rows; i++)
        cpdrl_plus_cost(agent, w->offloaded_y + i * CPDRL_PREDICTOR_OUTPUTS,
                        w->offloaded_d + i * CPDRL_PREDICTOR_OUTPUTS);
    cpdrl_predictor_backward(&agent->offloaded, w->offloaded_d, rows, w->offloaded_x);
    for (uint32_t i = 0; i < batch_steps(agent); i++)
        share_back(w, raw, i > 0 ? ends[i - 1] : 0, ends[i]);
    for (uint32_t i = 0; i < rows; i++) {
        w->radio_out[i * RADIO_ACTOR_OUTPUTS + 1] *= w->offloaded_x[i * OFFLOADED_INPUTS + RECORD_POWER];
        w->radio_out[i * RADIO_ACTOR_OUTPUTS] /= (real)rows;
        w->radio_out[i * RADIO_ACTOR_OUTPUTS + 1] /= (real)rows;
    }
    step_actor(agent, &agent->radio_actor, w->radio_in, w->radio_out, rows);
}

void cpdrl_plus_update(struct cpdrl_plus *agent) {
    if (agent->step == agent->config.warm_up_steps)
        fix_scales(agent);
    for (uint32_t i = 0; i < agent->config.predictor_updates; i++)
        update_predictors(agent);
    for (uint32_t i = 0; i < agent->config.actor_updates; i++) {
        draw_slots(agent);
        update_clock_actor(agent);
        update_radio_actor(agent);
    }
}
