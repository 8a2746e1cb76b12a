#include "schemes/cpdrl/head.h"

#include <string.h>

#include "common/model/action.h"

/* What one device's outputs say before the mask, and how the mask weighs them. */
struct outputs {
    real decision;          /* a of Eq. (15): exactly 0 or 1, or the sigmoid */
    real u[CPDRL_PARTS];    /* of band, clock and power, in [0, 1] */
    real kept[CPDRL_PARTS]; /* the mask of Eq. (16): the rounded decision, through which no gradient passes */
};

/* Where part `part` of device i is read. */
static uint32_t place(const struct cpdrl_head *config, enum cpdrl_part part, uint32_t i) {
    bool copied = config->as_printed && part != CPDRL_PART_DECISION;
    return (copied ? CPDRL_PART_BAND : part) * config->device_count + i;
}

static struct outputs read_outputs(const struct cpdrl_head *config, const real *raw, uint32_t i) {
    struct outputs outputs;
    double a_raw = (double)raw[i];
    real a = config->hard ? (real)action_offload(a_raw, config->steepness)
                          : (real)action_sigmoid(config->steepness * a_raw);
    outputs.decision = a;
    for (unsigned part = CPDRL_PART_BAND; part < CPDRL_PARTS; part++) {
        real kept = part == CPDRL_PART_CLOCK ? 1 - a : a;
        outputs.u[part] = (raw[place(config, part, i)] + 1) / 2;
        outputs.kept[part] = config->masked ? kept : 1;
    }
    return outputs;
}

static void forward(const struct action_head *head, const real *raw, uint32_t batch, real *action) {
    const struct cpdrl_head *config = head->context;
    uint32_t n = config->device_count, width = CPDRL_PARTS * n;
    for (uint32_t row = 0; row < batch; row++, raw += width, action += width)
        for (uint32_t i = 0; i < n; i++) {
            struct outputs outputs = read_outputs(config, raw, i);
            action[i] = outputs.decision;
            for (unsigned part = CPDRL_PART_BAND; part < CPDRL_PARTS; part++)
                action[part * n + i] = outputs.kept[part] * outputs.u[part];
        }
}

/* The decision has the slope of its sigmoid, whether it was rounded or not. */
static void backward(const struct action_head *head, const real *raw, const real *d_action, uint32_t batch,
                     real *d_raw) {
    const struct cpdrl_head *config = head->context;
    uint32_t n = config->device_count, width = CPDRL_PARTS * n;
    memset(d_raw, 0, (size_t)batch * width * sizeof *d_raw);
    for (uint32_t row = 0; row < batch; row++, raw += width, d_action += width, d_raw += width)
        for (uint32_t i = 0; i < n; i++) {
            struct outputs outputs = read_outputs(config, raw, i);
            d_raw[i] = d_action[i] * (real)action_offload_slope((double)raw[i], config->steepness);
            for (unsigned part = CPDRL_PART_BAND; part < CPDRL_PARTS; part++)
                d_raw[place(config, part, i)] += d_action[part * n + i] * outputs.kept[part] / 2;
        }
}

/* Eq. (19) of one device before the mask, and its gradient times `weight`: a f^2 + (1 - a) (b^2 + p^2); du/dx
 * = 1/2. */
static double inconsistency(const struct cpdrl_head *config, const real *raw, uint32_t i, double weight,
                            real *d_raw) {
    struct outputs outputs = read_outputs(config, raw, i);
    double a = (double)outputs.decision, b = (double)outputs.u[CPDRL_PART_BAND];
    double f = (double)outputs.u[CPDRL_PART_CLOCK], p = (double)outputs.u[CPDRL_PART_POWER];
    if (d_raw != NULL) {
        double slope = action_offload_slope((double)raw[i], config->steepness);
        d_raw[i] += (real)(weight * (f * f - b * b - p * p) * slope);
        d_raw[place(config, CPDRL_PART_BAND, i)] += (real)(weight * (1 - a) * b);
        d_raw[place(config, CPDRL_PART_CLOCK, i)] += (real)(weight * a * f);
        d_raw[place(config, CPDRL_PART_POWER, i)] += (real)(weight * (1 - a) * p);
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
