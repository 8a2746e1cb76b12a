/* plus_policy: from tasks to a decision: actors, the search of the mask, exploration. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "schemes/cpdrl/plus_parts.h"

static bool present(const struct cpdrl_task *task) {
    return task->bits > 0.0;
}

void cpdrl_plus_rows(const struct cpdrl_plus *agent, const struct cpdrl_task *tasks,
                     struct cpdrl_plus_row *rows) {
    for (uint32_t n = 0; n < agent->config.device_count; n++) {
        rows[n] = (struct cpdrl_plus_row){0};
        if (!present(&tasks[n]))
            continue;
        assert(tasks[n].cycles_per_bit > 0.0 && tasks[n].gain > 0.0);
        rows[n].bits = (real)log(tasks[n].bits);
        rows[n].cycles = (real)log(tasks[n].cycles_per_bit);
        rows[n].gain = (real)log(tasks[n].gain);
    }
}

static real sigmoid(real x) {
    return 1 / (1 + real_exp(-x));
}

real cpdrl_plus_log_clock(const struct cpdrl_plus *agent, real raw, real *slope) {
    const struct cpdrl_box *box = &agent->config.box;
    real low = (real)box->clock_min_hz, span = (real)(box->clock_max_hz - box->clock_min_hz);
    real share = sigmoid(raw), clock_hz = low + span * share;
    if (slope != NULL)
        *slope = span * share * (1 - share) / clock_hz;
    return real_log(clock_hz);
}

real cpdrl_plus_log_power(const struct cpdrl_plus *agent, real raw, real *slope) {
    const struct cpdrl_box *box = &agent->config.box;
    real low = (real)log(box->power_min_w), span = (real)log(box->power_max_w / box->power_min_w);
    real share = sigmoid(raw);
    if (slope != NULL)
        *slope = span * share * (1 - share);
    return low + span * share;
}

void cpdrl_plus_clock_input(const struct cpdrl_plus *agent, const struct cpdrl_plus_row *row, real *input) {
    input[0] = cpdrl_predictor_scaled(&agent->local, 0, row->bits);
    input[1] = cpdrl_predictor_scaled(&agent->local, 1, row->cycles);
}

void cpdrl_plus_radio_input(const struct cpdrl_plus *agent, const struct cpdrl_plus_row *row, real log_count,
                            real *input) {
    input[0] = cpdrl_predictor_scaled(&agent->offloaded, RECORD_BITS, row->bits);
    input[1] = cpdrl_predictor_scaled(&agent->offloaded, RECORD_CYCLES, row->cycles);
    input[2] = cpdrl_predictor_scaled(&agent->offloaded, RECORD_GAIN, row->gain);
    input[3] = cpdrl_predictor_scaled(&agent->offloaded, RECORD_COUNT, log_count);
}

double cpdrl_plus_cost(const struct cpdrl_plus *agent, const real *y, real *d) {
    const struct cpdrl_box *box = &agent->config.box;
    bool logarithms = agent->config.log_outputs;
    double delay = logarithms ? exp((double)y[0]) : (double)y[0];
    double energy = logarithms ? exp((double)y[1]) : (double)y[1];
    double late = delay - (1.0 - agent->config.late_margin) * box->deadline_s;
    double late_weight = late > 0.0 ? agent->config.late_weight : 0.0;
    if (d != NULL) {
        d[0] = (real)((box->delay_weight + late_weight) * (logarithms ? delay : 1.0));
        d[1] = (real)(box->energy_weight * (logarithms ? energy : 1.0));
    }
    return box->delay_weight * delay + box->energy_weight * energy + late_weight * late;
}

/* ---- what the actors want ---- */

static void intend(struct cpdrl_plus *agent, const struct cpdrl_plus_row *rows,
                   struct cpdrl_plus_intent *intent) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    uint32_t count = agent->config.device_count;
    for (uint32_t n = 0; n < count; n++)
        cpdrl_plus_clock_input(agent, &rows[n], w->clock_in + n * CLOCK_ACTOR_INPUTS);
    const real *clock = mlp_forward(&agent->clock_actor.mlp, agent->clock_actor.parameters, w->clock_in,
                                    count, &agent->clock_actor.trace);
    memcpy(intent->clock, clock, count * sizeof *clock);
    for (uint32_t m = 1; m <= count; m++)
        for (uint32_t n = 0; n < count; n++)
            cpdrl_plus_radio_input(agent, &rows[n], real_log((real)m),
                                   w->radio_in + ((m - 1) * count + n) * RADIO_ACTOR_INPUTS);
    const real *radio = mlp_forward(&agent->radio_actor.mlp, agent->radio_actor.parameters, w->radio_in,
                                    count * count, &agent->radio_actor.trace);
    for (uint32_t m = 1; m <= count; m++)
        for (uint32_t n = 0; n < count; n++) {
            intent->score[m][n] = radio[((m - 1) * count + n) * RADIO_ACTOR_OUTPUTS];
            intent->power[m][n] = radio[((m - 1) * count + n) * RADIO_ACTOR_OUTPUTS + 1];
        }
}

/* Logarithms of the shares of the band: log softmax of the scores of those in the mask. */
static void log_shares(const real *score, uint32_t mask, uint32_t count, real *shares) {
    real highest = -INFINITY, sum = 0;
    for (uint32_t n = 0; n < count; n++)
        if (mask >> n & 1)
            highest = real_max(highest, score[n]);
    for (uint32_t n = 0; n < count; n++)
        if (mask >> n & 1)
            sum += real_exp(score[n] - highest);
    for (uint32_t n = 0; n < count; n++)
        shares[n] = score[n] - highest - real_log(sum);
}

/* ---- the mask ---- */

struct plus_search {
    struct cpdrl_plus *agent;
    const struct cpdrl_plus_row *rows;
    const struct cpdrl_plus_intent *intent;
    uint32_t present; /* mask of the devices that have a task */
    double local_cost[CPDRL_DEVICES_MAX];
};

static void predict_local(struct plus_search *search) {
    struct cpdrl_plus *agent = search->agent;
    struct cpdrl_plus_workspace *w = agent->workspace;
    uint32_t count = agent->config.device_count;
    for (uint32_t n = 0; n < count; n++) {
        real *x = w->local_x + n * LOCAL_INPUTS;
        x[0] = search->rows[n].bits;
        x[1] = search->rows[n].cycles;
        x[2] = cpdrl_plus_log_clock(agent, search->intent->clock[n], NULL);
    }
    cpdrl_predictor_forward(&agent->local, w->local_x, count, w->local_y);
    for (uint32_t n = 0; n < count; n++)
        search->local_cost[n] = search->present >> n & 1
                                    ? cpdrl_plus_cost(agent, w->local_y + n * CPDRL_PREDICTOR_OUTPUTS, NULL)
                                    : 0.0;
}

/* Appends the offloaded devices of a mask to the rows of the workspace; returns the number of rows. */
static uint32_t append_mask(const struct plus_search *search, uint32_t mask, uint32_t at) {
    const struct cpdrl_plus *agent = search->agent;
    uint32_t count = agent->config.device_count, m = (uint32_t)__builtin_popcount(mask);
    real shares[CPDRL_DEVICES_MAX];
    log_shares(search->intent->score[m], mask, count, shares);
    for (uint32_t n = 0; n < count; n++)
        if (mask >> n & 1) {
            real *x = agent->workspace->offloaded_x + at++ * OFFLOADED_INPUTS;
            x[RECORD_BITS] = search->rows[n].bits;
            x[RECORD_CYCLES] = search->rows[n].cycles;
            x[RECORD_GAIN] = search->rows[n].gain;
            x[RECORD_BANDWIDTH] = shares[n];
            x[RECORD_POWER] = cpdrl_plus_log_power(agent, search->intent->power[m][n], NULL);
            x[RECORD_COUNT] = real_log((real)m);
        }
    return at;
}

/* Predicted objectives of up to device_count + 1 masks. */
static void predict_masks(const struct plus_search *search, const uint32_t *masks, uint32_t mask_count,
                          double *costs) {
    struct cpdrl_plus *agent = search->agent;
    struct cpdrl_plus_workspace *w = agent->workspace;
    uint32_t rows = 0;
    for (uint32_t i = 0; i < mask_count; i++)
        rows = append_mask(search, masks[i], rows);
    cpdrl_predictor_forward(&agent->offloaded, w->offloaded_x, rows, w->offloaded_y);
    const real *y = w->offloaded_y;
    for (uint32_t i = 0; i < mask_count; i++) {
        costs[i] = 0.0;
        for (uint32_t n = 0; n < agent->config.device_count; n++) {
            bool offloaded = masks[i] >> n & 1;
            costs[i] += offloaded ? cpdrl_plus_cost(agent, y, NULL) : search->local_cost[n];
            y += offloaded ? CPDRL_PREDICTOR_OUTPUTS : 0;
        }
    }
}

/* From nobody, the flip that helps most, until none helps. Every round lowers the predicted objective, so it
 * ends. */
static uint32_t search_mask(struct plus_search *search) {
    uint32_t count = search->agent->config.device_count, best_mask = 0, masks[CPDRL_DEVICES_MAX];
    double best = 0.0, costs[CPDRL_DEVICES_MAX];
    predict_local(search);
    for (uint32_t n = 0; n < count; n++)
        best += search->local_cost[n];
    for (bool improved = true; improved;) {
        improved = false;
        for (uint32_t n = 0; n < count; n++)
            masks[n] = best_mask ^ 1u << n;
        predict_masks(search, masks, count, costs);
        for (uint32_t n = 0; n < count; n++)
            if (search->present >> n & 1 && costs[n] < best) {
                best = costs[n];
                best_mask = masks[n];
                improved = true;
            }
    }
    return best_mask;
}

/* Instead of the search: who expects to pay less by offloading than by computing, when all offload. */
static uint32_t compare_own_costs(struct plus_search *search) {
    struct cpdrl_plus_workspace *w = search->agent->workspace;
    predict_local(search);
    uint32_t mask = 0, rows = append_mask(search, search->present, 0);
    cpdrl_predictor_forward(&search->agent->offloaded, w->offloaded_x, rows, w->offloaded_y);
    const real *y = w->offloaded_y;
    for (uint32_t n = 0; n < search->agent->config.device_count; n++)
        if (search->present >> n & 1) {
            mask |= (uint32_t)(cpdrl_plus_cost(search->agent, y, NULL) < search->local_cost[n]) << n;
            y += CPDRL_PREDICTOR_OUTPUTS;
        }
    return mask;
}

/* ---- decisions ---- */

/* Devices of neither mask are given nothing. */
static void give_decision(const struct cpdrl_plus *agent, const struct cpdrl_plus_intent *intent,
                          uint32_t mask, uint32_t local_mask, struct cpdrl_decision *decision) {
    const struct cpdrl_box *box = &agent->config.box;
    uint32_t count = agent->config.device_count, m = (uint32_t)__builtin_popcount(mask);
    real shares[CPDRL_DEVICES_MAX];
    log_shares(intent->score[m], mask, count, shares);
    *decision = (struct cpdrl_decision){0};
    double sum = 0.0;
    for (uint32_t n = 0; n < count; n++)
        sum += mask >> n & 1 ? exp((double)shares[n]) : 0.0;
    for (uint32_t n = 0; n < count; n++) {
        decision->offloaded[n] = mask >> n & 1;
        if (decision->offloaded[n]) {
            double power_w = exp((double)cpdrl_plus_log_power(agent, intent->power[m][n], NULL));
            decision->bandwidth_hz[n] = box->bandwidth_hz * exp((double)shares[n]) / sum;
            decision->power_w[n] = fmin(fmax(power_w, box->power_min_w), box->power_max_w);
        } else if (local_mask >> n & 1) {
            double clock_hz = exp((double)cpdrl_plus_log_clock(agent, intent->clock[n], NULL));
            decision->clock_hz[n] = fmin(fmax(clock_hz, box->clock_min_hz), box->clock_max_hz);
        }
    }
}

/* Warm-up: any number of offloaders is as likely as any other; clocks and log powers uniform, shares uneven.
 */
static uint32_t draw_intent(struct cpdrl_plus *agent, uint32_t present_mask,
                            struct cpdrl_plus_intent *intent) {
    uint32_t mask = 0, count = agent->config.device_count;
    double probability = random_uniform(&agent->explore);
    for (uint32_t n = 0; n < count; n++)
        mask |= (uint32_t)random_chance(&agent->explore, probability) << n;
    mask &= present_mask;
    uint32_t m = (uint32_t)__builtin_popcount(mask);
    for (uint32_t n = 0; n < count; n++) {
        double clock = 0.01 + 0.98 * random_uniform(&agent->explore);
        double power = 0.01 + 0.98 * random_uniform(&agent->explore);
        intent->clock[n] = (real)log(clock / (1.0 - clock));
        intent->power[m][n] = (real)log(power / (1.0 - power));
        intent->score[m][n] = (real)random_normal(&agent->explore);
    }
    return mask;
}

static uint32_t disturb(struct cpdrl_plus *agent, uint32_t present_mask, struct cpdrl_plus_intent *intent,
                        uint32_t mask) {
    uint32_t count = agent->config.device_count;
    double flip = cpdrl_plus_scheduled(agent, &agent->config.flip);
    double noise = cpdrl_plus_scheduled(agent, &agent->config.noise);
    for (uint32_t n = 0; n < count; n++)
        mask ^= (uint32_t)random_chance(&agent->explore, flip) << n;
    mask &= present_mask;
    uint32_t m = (uint32_t)__builtin_popcount(mask);
    for (uint32_t n = 0; n < count; n++) {
        intent->clock[n] += (real)(noise * random_normal(&agent->explore));
        intent->power[m][n] += (real)(noise * random_normal(&agent->explore));
        intent->score[m][n] += (real)(noise * random_normal(&agent->explore));
    }
    return mask;
}

void cpdrl_plus_decide(struct cpdrl_plus *agent, const struct cpdrl_task *tasks, bool explore,
                       struct cpdrl_decision *decision) {
    struct cpdrl_plus_row rows[CPDRL_DEVICES_MAX];
    struct cpdrl_plus_intent intent = {0};
    uint32_t mask, present_mask = 0;
    cpdrl_plus_rows(agent, tasks, rows);
    for (uint32_t n = 0; n < agent->config.device_count; n++)
        present_mask |= (uint32_t)present(&tasks[n]) << n;
    if (explore && agent->step < agent->config.warm_up_steps) {
        mask = draw_intent(agent, present_mask, &intent);
    } else {
        struct plus_search search = {
            .agent = agent, .rows = rows, .intent = &intent, .present = present_mask};
        intend(agent, rows, &intent);
        mask = agent->config.search ? search_mask(&search) : compare_own_costs(&search);
        if (explore)
            mask = disturb(agent, present_mask, &intent, mask);
    }
    give_decision(agent, &intent, mask, present_mask & ~mask, decision);
}

double cpdrl_plus_predict(struct cpdrl_plus *agent, const struct cpdrl_task *tasks,
                          const struct cpdrl_decision *decision) {
    struct cpdrl_plus_workspace *w = agent->workspace;
    struct cpdrl_plus_row rows[CPDRL_DEVICES_MAX];
    uint32_t count = agent->config.device_count, local = 0, offloaded = 0, m = 0;
    cpdrl_plus_rows(agent, tasks, rows);
    for (uint32_t n = 0; n < count; n++)
        m += decision->offloaded[n];
    for (uint32_t n = 0; n < count; n++) {
        if (!present(&tasks[n]))
            continue;
        if (decision->offloaded[n]) {
            const real x[] = {rows[n].bits,
                              rows[n].cycles,
                              rows[n].gain,
                              (real)log(decision->bandwidth_hz[n] / agent->config.box.bandwidth_hz),
                              (real)log(decision->power_w[n]),
                              real_log((real)m)};
            memcpy(w->offloaded_x + offloaded++ * OFFLOADED_INPUTS, x, sizeof x);
        } else {
            const real x[] = {rows[n].bits, rows[n].cycles, (real)log(decision->clock_hz[n])};
            memcpy(w->local_x + local++ * LOCAL_INPUTS, x, sizeof x);
        }
    }
    double cost = 0.0;
    cpdrl_predictor_forward(&agent->local, w->local_x, local, w->local_y);
    for (uint32_t i = 0; i < local; i++)
        cost += cpdrl_plus_cost(agent, w->local_y + i * CPDRL_PREDICTOR_OUTPUTS, NULL);
    cpdrl_predictor_forward(&agent->offloaded, w->offloaded_x, offloaded, w->offloaded_y);
    for (uint32_t i = 0; i < offloaded; i++)
        cost += cpdrl_plus_cost(agent, w->offloaded_y + i * CPDRL_PREDICTOR_OUTPUTS, NULL);
    return cost;
}
