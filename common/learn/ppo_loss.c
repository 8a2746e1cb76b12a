#include "common/learn/ppo_loss.h"

#include <assert.h>

struct scale {
    double mean, factor;
};

/* Brings the minibatch's advantages to mean 0 and unbiased deviation 1. One row has no deviation: left as it
 * is. */
static struct scale advantage_scale(const struct ppo_loss_config *config, const struct ppo_batch *batch) {
    if (!config->normalise_advantage || batch->count < 2)
        return (struct scale){0.0, 1.0};
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        sum += (double)batch->advantages[i];
    double mean = sum / batch->count;
    for (uint32_t i = 0; i < batch->count; i++) {
        double distance = (double)batch->advantages[i] - mean;
        squares += distance * distance;
    }
    return (struct scale){mean, 1.0 / (sqrt(squares / (batch->count - 1)) + 1e-8)};
}

static struct policy_point point_at(const struct policy_head *head, const struct ppo_batch *batch,
                                    uint32_t row) {
    return (struct policy_point){.output = batch->outputs + (size_t)row * head->output_size,
                                 .log_std = batch->log_std,
                                 .discrete = batch->discrete + (size_t)row * head->discrete_count,
                                 .continuous = batch->continuous + (size_t)row * head->continuous_count};
}

/* Eq. (7) of one row: adds to the loss, returns d loss / d log-probability (not yet over the count). */
static double policy_row(double clip, double log_ratio, double advantage, struct ppo_loss *loss) {
    double ratio = exp(log_ratio);
    double bounded = ratio < 1 - clip ? 1 - clip : ratio > 1 + clip ? 1 + clip : ratio;
    double free_loss = -advantage * ratio, bounded_loss = -advantage * bounded;
    loss->kl += (ratio - 1) - log_ratio;
    loss->clip_fraction += fabs(ratio - 1) > clip ? 1.0 : 0.0;
    loss->policy += bounded_loss > free_loss ? bounded_loss : free_loss;
    return bounded_loss > free_loss ? 0.0 : free_loss; /* d ratio / d log-probability = ratio */
}

/* 1/2 squared error of one row; returns its derivative in the value. */
static double value_row(const struct ppo_loss_config *config, const struct ppo_batch *batch, uint32_t row,
                        struct ppo_loss *loss) {
    double value = (double)batch->values[row], target = (double)batch->returns[row], slope = value - target;
    double error = slope * slope;
    if (config->value_clip) {
        double old = (double)batch->old_values[row], change = value - old;
        bool outside = fabs(change) > config->clip;
        double bounded = old + (outside ? copysign(config->clip, change) : change) - target;
        if (bounded * bounded > error) {
            error = bounded * bounded;
            slope = outside ? 0.0 : bounded;
        }
    }
    loss->value += 0.5 * error;
    return slope;
}

struct ppo_loss ppo_loss(const struct policy_head *head, const struct ppo_loss_config *config,
                         const struct ppo_batch *batch, const struct ppo_slopes *slopes) {
    assert(batch->count > 0);
    struct ppo_loss loss = {0};
    struct scale scale = advantage_scale(config, batch);
    double each = 1.0 / batch->count;
    for (uint32_t i = 0; i < head->continuous_count; i++)
        slopes->log_std[i] = 0;
    for (uint32_t row = 0; row < batch->count; row++) {
        struct policy_point point = point_at(head, batch, row);
        real *d_output = slopes->outputs + (size_t)row * head->output_size;
        struct policy_measure now = policy_evaluate(head, &point, d_output);
        double log_ratio = now.log_probability - (double)batch->old_log_probabilities[row];
        double advantage = ((double)batch->advantages[row] - scale.mean) * scale.factor;
        struct policy_slope slope = {each * policy_row(config->clip, log_ratio, advantage, &loss),
                                     -each * config->entropy_coefficient};
        loss.entropy += now.entropy;
        policy_backward(head, &point, &slope, d_output, slopes->log_std);
        slopes->values[row] = (real)(each * config->value_coefficient * value_row(config, batch, row, &loss));
    }
    loss.policy *= each;
    loss.value *= each;
    loss.entropy *= each;
    loss.kl *= each;
    loss.clip_fraction *= each;
    loss.total =
        loss.policy - config->entropy_coefficient * loss.entropy + config->value_coefficient * loss.value;
    return loss;
}
