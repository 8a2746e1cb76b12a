/* policy_head: log-probabilities and entropies for acting are computed in double; policy_evaluate and
 * policy_backward, the loops of training, do their exponentials in `real`. */
#include "common/learn/policy_head.h"

#include <assert.h>

static const double log_two_pi = 1.8378770664093454836;

struct policy_head policy_head_of(const struct agent_space *space) {
    struct policy_head head = {.discrete_count = space->discrete_count,
                               .continuous_count = space->continuous_count};
    for (uint32_t i = 0; i < space->discrete_count; i++) {
        head.discrete_sizes[i] = space->discrete_sizes[i];
        head.logit_count += space->discrete_sizes[i];
    }
    head.output_size = head.logit_count + head.continuous_count;
    return head;
}

/* log sum exp(logits), so that log p_i = logits[i] - it. */
static double log_sum_exp(const real *logits, uint32_t count) {
    assert(count > 0);
    double most = (double)logits[0], sum = 0;
    uint32_t k = 0;
    for (uint32_t i = 1; i < count; i++)
        most = (double)logits[i] > most ? (double)logits[i] : most;
    do
        sum += exp((double)logits[k] - most);
    while (++k < count);
    return most + log(sum);
}

static uint32_t choice_greedy(const real *logits, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

static uint32_t choice_draw(const real *logits, uint32_t count, struct random_stream *stream) {
    double left = random_uniform(stream), total = log_sum_exp(logits, count);
    for (uint32_t i = 0; i + 1 < count; i++) {
        left -= exp((double)logits[i] - total);
        if (left < 0)
            return i;
    }
    return count - 1;
}

void policy_sample(const struct policy_head *head, const real *output, const real *log_std,
                   struct random_stream *stream, struct agent_action *action) {
    const real *logits = output, *means = output + head->logit_count;
    for (uint32_t i = 0; i < head->discrete_count; logits += head->discrete_sizes[i++])
        action->discrete[i] = stream == NULL ? choice_greedy(logits, head->discrete_sizes[i])
                                             : choice_draw(logits, head->discrete_sizes[i], stream);
    for (uint32_t i = 0; i < head->continuous_count; i++) {
        double noise = stream == NULL ? 0.0 : random_normal(stream);
        action->continuous[i] = (real)((double)means[i] + exp((double)log_std[i]) * noise);
    }
    struct policy_point point = {output, log_std, action->discrete, action->continuous};
    action->log_probability = (real)policy_log_probability(head, &point);
}

double policy_log_probability(const struct policy_head *head, const struct policy_point *point) {
    const real *logits = point->output, *means = point->output + head->logit_count;
    double sum = 0;
    for (uint32_t i = 0; i < head->discrete_count; logits += head->discrete_sizes[i++])
        sum += (double)logits[point->discrete[i]] - log_sum_exp(logits, head->discrete_sizes[i]);
    for (uint32_t i = 0; i < head->continuous_count; i++) {
        double log_std = (double)point->log_std[i];
        double z = ((double)point->continuous[i] - (double)means[i]) * exp(-log_std);
        sum -= 0.5 * z * z + log_std + 0.5 * log_two_pi;
    }
    return sum;
}

/* - sum p log p */
static double choice_entropy(const real *logits, uint32_t count) {
    double total = log_sum_exp(logits, count), sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        double log_p = (double)logits[i] - total;
        sum -= exp(log_p) * log_p;
    }
    return sum;
}

double policy_entropy(const struct policy_head *head, const struct policy_point *point) {
    const real *logits = point->output;
    double sum = 0;
    for (uint32_t i = 0; i < head->discrete_count; logits += head->discrete_sizes[i++])
        sum += choice_entropy(logits, head->discrete_sizes[i]);
    for (uint32_t i = 0; i < head->continuous_count; i++)
        sum += (double)point->log_std[i] + 0.5 * (1.0 + log_two_pi);
    return sum;
}

/* One choice: log-softmax into `work`, returns its part of the log-probability and of the entropy. */
static struct policy_measure choice_evaluate(const real *logits, uint32_t count, uint32_t chosen,
                                             real *work) {
    assert(count > 0);
    real most = logits[0], sum = 0;
    for (uint32_t i = 1; i < count; i++)
        most = logits[i] > most ? logits[i] : most;
    double weighted = 0; /* sum of exp(x) x, x = logit - most */
    uint32_t k = 0;
    do {
        work[k] = logits[k] - most;
        real part = real_exp(work[k]);
        sum += part;
        weighted += part > 0 ? (double)part * (double)work[k] : 0.0;
    } while (++k < count);
    double log_sum = log((double)sum);
    for (uint32_t i = 0; i < count; i++)
        work[i] = (real)((double)work[i] - log_sum);
    return (struct policy_measure){(double)(logits[chosen] - most) - log_sum,
                                   log_sum - weighted / (double)sum};
}

struct policy_measure policy_evaluate(const struct policy_head *head, const struct policy_point *point,
                                      real *work) {
    struct policy_measure measure = {0};
    const real *logits = point->output, *means = point->output + head->logit_count;
    real *normalised = work + head->logit_count; /* (action - mean) / deviation */
    for (uint32_t i = 0; i < head->discrete_count; i++) {
        struct policy_measure part =
            choice_evaluate(logits, head->discrete_sizes[i], point->discrete[i], work);
        measure.log_probability += part.log_probability;
        measure.entropy += part.entropy;
        logits += head->discrete_sizes[i];
        work += head->discrete_sizes[i];
    }
    for (uint32_t i = 0; i < head->continuous_count; i++) {
        double log_std = (double)point->log_std[i];
        double z = ((double)point->continuous[i] - (double)means[i]) * exp(-log_std);
        normalised[i] = (real)z;
        measure.log_probability -= 0.5 * z * z + log_std + 0.5 * log_two_pi;
        measure.entropy += log_std + 0.5 * (1.0 + log_two_pi);
    }
    return measure;
}

/* d log p(chosen) / d logit_j = [j = chosen] - p_j;  d H / d logit_j = - p_j (log p_j + H) */
static void choice_backward(uint32_t count, uint32_t chosen, const struct policy_slope *slope, real *work) {
    real entropy = 0, by_probability = (real)slope->log_probability, by_entropy = (real)slope->entropy;
    if (by_entropy != 0)
        for (uint32_t j = 0; j < count; j++) {
            real p = real_exp(work[j]);
            entropy -= p > 0 ? p * work[j] : 0;
        }
    for (uint32_t j = 0; j < count; j++) {
        real p = real_exp(work[j]);
        real bend = by_entropy != 0 && p > 0 ? p * (work[j] + entropy) : 0;
        work[j] = by_probability * ((real)(j == chosen) - p) - by_entropy * bend;
    }
}

void policy_backward(const struct policy_head *head, const struct policy_point *point,
                     const struct policy_slope *slope, real *work, real *d_log_std) {
    real *d_means = work + head->logit_count;
    for (uint32_t i = 0; i < head->discrete_count; work += head->discrete_sizes[i++])
        choice_backward(head->discrete_sizes[i], point->discrete[i], slope, work);
    for (uint32_t i = 0; i < head->continuous_count; i++) {
        double z = (double)d_means[i];
        d_means[i] = (real)(slope->log_probability * z * exp(-(double)point->log_std[i]));
        d_log_std[i] += (real)(slope->log_probability * (z * z - 1.0) + slope->entropy);
    }
}
