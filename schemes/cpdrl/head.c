#include "schemes/cpdrl/head.h"

#include "common/model/action.h"

static real unit(real raw) {
    return (raw + 1) / 2;
}

/* The decision of Eq. (15): exactly 0 or 1, or the sigmoid. */
static real decision_of(const struct cpdrl_head *config, real raw) {
    if (config->hard)
        return action_offload((double)raw, config->steepness);
    return (real)action_sigmoid(config->steepness * (double)raw);
}

static void forward(const struct action_head *head, const real *raw, uint32_t batch, real *action) {
    const struct cpdrl_head *config = head->context;
    uint32_t n = config->device_count;
    for (uint32_t row = 0; row < batch; row++, raw += CPDRL_PARTS * n, action += CPDRL_PARTS * n)
        for (uint32_t i = 0; i < n; i++) {
            real a = decision_of(config, raw[i]);
            real remote = config->masked ? a : 1, local = config->masked ? 1 - a : 1;
            action[i] = a;
            action[CPDRL_PART_BAND * n + i] = remote * unit(raw[CPDRL_PART_BAND * n + i]);
            action[CPDRL_PART_CLOCK * n + i] = local * unit(raw[CPDRL_PART_CLOCK * n + i]);
            action[CPDRL_PART_POWER * n + i] = remote * unit(raw[CPDRL_PART_POWER * n + i]);
        }
}

/* The mask of Eq. (16) is the rounded decision, through which no gradient passes; the decision itself has the
 * slope of its sigmoid. */
static void backward(const struct action_head *head, const real *raw, const real *d_action, uint32_t batch,
                     real *d_raw) {
    const struct cpdrl_head *config = head->context;
    uint32_t n = config->device_count, width = CPDRL_PARTS * n;
    for (uint32_t row = 0; row < batch; row++, raw += width, d_action += width, d_raw += width)
        for (uint32_t i = 0; i < n; i++) {
            real a = decision_of(config, raw[i]);
            real remote = config->masked ? a : 1, local = config->masked ? 1 - a : 1;
            d_raw[i] = d_action[i] * (real)action_offload_slope((double)raw[i], config->steepness);
            d_raw[CPDRL_PART_BAND * n + i] = d_action[CPDRL_PART_BAND * n + i] * remote / 2;
            d_raw[CPDRL_PART_CLOCK * n + i] = d_action[CPDRL_PART_CLOCK * n + i] * local / 2;
            d_raw[CPDRL_PART_POWER * n + i] = d_action[CPDRL_PART_POWER * n + i] * remote / 2;
        }
}

/* Eq. (19) of one device before the mask, and its gradient times `weight`: a f^2 + (1 - a) (b^2 + p^2). */
static double inconsistency(const struct cpdrl_head *config, const real *raw, uint32_t i, double weight,
                            real *d_raw) {
    uint32_t n = config->device_count;
    double a = (double)decision_of(config, raw[i]);
    double b = (double)unit(raw[CPDRL_PART_BAND * n + i]), f = (double)unit(raw[CPDRL_PART_CLOCK * n + i]);
    double p = (double)unit(raw[CPDRL_PART_POWER * n + i]);
    if (d_raw != NULL) {
        double slope = action_offload_slope((double)raw[i], config->steepness);
        d_raw[i] += (real)(weight * (f * f - b * b - p * p) * slope);
        d_raw[CPDRL_PART_BAND * n + i] += (real)(weight * (1 - a) * b); /* du/dx = 1/2 */
        d_raw[CPDRL_PART_CLOCK * n + i] += (real)(weight * a * f);
        d_raw[CPDRL_PART_POWER * n + i] += (real)(weight * (1 - a) * p);
    }
    return a * f * f + (1 - a) * (b * b + p * p);
}

static double auxiliary(const struct action_head *head, const real *raw, uint32_t batch, double weight,
                        real *d_raw) {
    const struct cpdrl_head *config = head->context;
    uint32_t n = config->device_count, width = CPDRL_PARTS * n;
    double total = 0.0, each = 1.0 / ((double)batch * n);
    for (uint32_t row = 0; row < batch; row++)
        for (uint32_t i = 0; i < n; i++)
            total += inconsistency(config, raw + (size_t)row * width, i, weight * each,
                                   d_raw != NULL ? d_raw + (size_t)row * width : NULL);
    return total * each;
}

struct action_head cpdrl_action_head(struct cpdrl_head *config) {
    uint32_t size = CPDRL_PARTS * config->device_count;
    return (struct action_head){.context = config,
                                .raw_size = size,
                                .action_size = size,
                                .forward = forward,
                                .backward = backward,
                                .auxiliary = config->penalty > 0.0 ? auxiliary : NULL,
                                .auxiliary_weight = config->penalty};
}
