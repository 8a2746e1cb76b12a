#include "common/learn/hybrid_policy.h"

#include <assert.h>
#include <string.h>

#include "common/learn/learner.h"
#include "common/learn/softmax.h"
#include "common/learn/squashed.h"

#define PI 3.14159265358979323846

struct hybrid_policy hybrid_policy_of(const struct agent_space *space, bool straight, double log_std_min,
                                      double log_std_max) {
    struct hybrid_policy policy = {.discrete_count = space->discrete_count,
                                   .continuous_count = space->continuous_count,
                                   .joint_count = 1,
                                   .log_std_min = log_std_min,
                                   .log_std_max = log_std_max};
    uint64_t joint = 1;
    for (uint32_t head = 0; head < space->discrete_count; head++) {
        uint32_t size = space->discrete_sizes[head];
        policy.discrete_sizes[head] = size;
        policy.logit_count += size;
        joint = joint > HYBRID_JOINT_MAX ? joint : joint * size;
    }
    policy.straight = space->discrete_count > 0 && (straight || joint > HYBRID_JOINT_MAX);
    if (!policy.straight)
        policy.joint_count = (uint32_t)joint;
    policy.output_size = policy.logit_count + 2 * policy.continuous_count;
    return policy;
}

struct hybrid_draw hybrid_draw_of(const struct hybrid_policy *policy, uint32_t batch, struct arena *arena) {
    size_t rows = batch;
    return (struct hybrid_draw){.noise = learner_scratch(arena, rows * policy->continuous_count),
                                .uniform = learner_scratch(arena, rows * policy->discrete_count),
                                .log_p = learner_scratch(arena, rows * policy->logit_count),
                                .joint = learner_scratch(arena, rows * policy->joint_count),
                                .choice = learner_scratch(arena, rows * policy->logit_count),
                                .log_std = learner_scratch(arena, rows * policy->continuous_count),
                                .u = learner_scratch(arena, rows * policy->continuous_count),
                                .action = learner_scratch(arena, rows * policy->continuous_count),
                                .entropy = learner_scratch(arena, rows),
                                .log_probability = learner_scratch(arena, rows)};
}

void hybrid_randomise(const struct hybrid_policy *policy, struct random_stream *stream, uint32_t batch,
                      struct hybrid_draw *draw) {
    size_t numbers = (size_t)batch * policy->continuous_count,
           choices = (size_t)batch * policy->discrete_count;
    for (size_t i = 0; i < numbers; i++)
        draw->noise[i] = stream != NULL ? (real)random_normal(stream) : 0;
    for (size_t i = 0; i < choices; i++)
        draw->uniform[i] = stream != NULL ? (real)random_uniform(stream) : -1;
}

/* ---------------------------------------------------------------------------------------------- forward */

/* The first option whose running sum of probabilities exceeds `uniform`; below 0: the likeliest. */
static uint32_t choose(const real *log_p, uint32_t size, real uniform) {
    uint32_t best = 0;
    real sum = 0;
    for (uint32_t i = 0; i < size; i++) {
        sum += real_exp(log_p[i]);
        if (uniform >= 0 && sum > uniform)
            return i;
        if (log_p[i] > log_p[best])
            best = i;
    }
    return best; /* rounding left the sum below `uniform`, or the likeliest was asked for */
}

/* All heads of one row; returns the entropy. */
static real evaluate_choices(const struct hybrid_policy *policy, const real *logits, const real *uniform,
                             real *log_p, real *choice) {
    double entropy = 0;
    memset(choice, 0, policy->logit_count * sizeof *choice);
    for (uint32_t head = 0; head < policy->discrete_count; head++) {
        uint32_t size = policy->discrete_sizes[head];
        log_softmax_forward(logits, 1, size, log_p);
        for (uint32_t i = 0; i < size; i++)
            entropy -= (double)(real_exp(log_p[i]) * log_p[i]);
        choice[choose(log_p, size, uniform[head])] = 1;
        logits += size;
        log_p += size;
        choice += size;
    }
    return (real)entropy;
}

/* joint = outer product of the heads' probabilities, the first head slowest. */
static void evaluate_joint(const struct hybrid_policy *policy, const real *log_p, real *joint) {
    joint[0] = 1;
    if (policy->straight)
        return;
    uint32_t count = 1;
    for (uint32_t head = 0; head < policy->discrete_count; head++) {
        uint32_t size = policy->discrete_sizes[head];
        for (uint32_t j = count; j-- > 0;) /* from the end, in place */
            for (uint32_t i = size; i-- > 0;)
                joint[j * size + i] = joint[j] * real_exp(log_p[i]);
        count *= size;
        log_p += size;
    }
}

static real clamp(real value, double low, double high) {
    return value < (real)low ? (real)low : value > (real)high ? (real)high : value;
}

/* log pi = sum(-noise^2/2 - log_std - log(2 pi)/2 - log(1 - tanh^2 u)), from the noise itself: (u - mean) /
 * std would cancel. */
static void evaluate_numbers(const struct hybrid_policy *policy, const real *mean, size_t row,
                             struct hybrid_draw *draw) {
    size_t numbers = policy->continuous_count, at = row * numbers;
    double sum = -0.5 * log(2 * PI) * (double)numbers;
    for (size_t i = 0; i < numbers; i++) {
        real noise = draw->noise[at + i],
             log_std = clamp(mean[numbers + i], policy->log_std_min, policy->log_std_max);
        real u = mean[i] + real_exp(log_std) * noise;
        sum -= (double)(noise * noise / 2 + log_std + squashed_log_slope(u));
        draw->log_std[at + i] = log_std;
        draw->u[at + i] = u;
        draw->action[at + i] = real_tanh(u);
    }
    draw->log_probability[row] = (real)sum;
}

void hybrid_evaluate(const struct hybrid_policy *policy, const real *outputs, uint32_t batch,
                     struct hybrid_draw *draw) {
    size_t logits = policy->logit_count;
    for (size_t row = 0; row < batch; row++) {
        const real *output = outputs + row * policy->output_size;
        draw->entropy[row] = evaluate_choices(policy, output, draw->uniform + row * policy->discrete_count,
                                              draw->log_p + row * logits, draw->choice + row * logits);
        evaluate_joint(policy, draw->log_p + row * logits, draw->joint + row * policy->joint_count);
        evaluate_numbers(policy, output + logits, row, draw);
    }
}

uint32_t hybrid_joint_index(const struct hybrid_policy *policy, const real *choice) {
    uint32_t index = 0;
    for (uint32_t head = 0; head < policy->discrete_count && !policy->straight; head++) {
        uint32_t size = policy->discrete_sizes[head], taken = 0;
        while (taken + 1 < size && !(choice[taken] > 0))
            taken++;
        index = index * size + taken;
        choice += size;
    }
    return index;
}

/* --------------------------------------------------------------------------------------------- backward */

/* d_p[i] += weight E[value | choice of `head` is i]: the derivative of weight sum joint value in that head's
 * probabilities. `stride`: combinations of the heads behind it. */
static void value_slope(const struct hybrid_policy *policy, const real *log_p, const real *value,
                        uint32_t head, real weight, real *d_p) {
    for (uint32_t j = 0; j < policy->joint_count; j++) {
        uint32_t rest = j, taken = 0;
        real others = 1;
        const real *end = log_p + policy->logit_count;
        for (uint32_t k = policy->discrete_count; k-- > 0;) {
            uint32_t size = policy->discrete_sizes[k], i = rest % size;
            rest /= size;
            end -= size;
            if (k == head)
                taken = i;
            else
                others *= real_exp(end[i]);
        }
        d_p[taken] += weight * others * value[j];
    }
}

static void backward_choices(const struct hybrid_policy *policy, const struct hybrid_draw *draw,
                             const struct hybrid_slope *slope, size_t row, real *d_logits) {
    const real *log_p = draw->log_p + row * policy->logit_count;
    size_t at = 0;
    for (uint32_t head = 0; head < policy->discrete_count; head++) {
        uint32_t size = policy->discrete_sizes[head];
        real *d_p = d_logits + at; /* first the slope in probabilities, then in logits */
        memset(d_p, 0, size * sizeof *d_p);
        if (policy->straight)
            memcpy(d_p, slope->d_choice + row * policy->logit_count + at, size * sizeof *d_p);
        else
            value_slope(policy, log_p, slope->value + row * policy->joint_count, head, slope->value_weight,
                        d_p);
        double mean =
            0; /* of the slope under p; entropy: dH/dp_i = -log p_i up to a constant, which cancels */
        for (uint32_t i = 0; i < size; i++) {
            d_p[i] -= slope->d_entropy * log_p[at + i];
            mean += (double)(real_exp(log_p[at + i]) * d_p[i]);
        }
        for (uint32_t i = 0; i < size; i++)
            d_p[i] = real_exp(log_p[at + i]) * (d_p[i] - (real)mean);
        at += size;
    }
}

static void backward_numbers(const struct hybrid_policy *policy, const real *raw_log_std,
                             const struct hybrid_draw *draw, const struct hybrid_slope *slope, size_t at,
                             real *d_mean) {
    size_t numbers = policy->continuous_count;
    for (size_t i = 0; i < numbers; i++) {
        real a = draw->action[at + i], spread = real_exp(draw->log_std[at + i]) * draw->noise[at + i];
        /* log pi = -noise^2/2 - log_std - log(1 - tanh^2 u) + const, and -d log(1 - tanh^2 u)/du = 2 tanh u
         */
        real d_u = slope->d_action[at + i] * (1 - a * a) + slope->d_log_probability * 2 * a;
        bool clamped =
            raw_log_std[i] < (real)policy->log_std_min || raw_log_std[i] > (real)policy->log_std_max;
        d_mean[i] = d_u;
        d_mean[numbers + i] = clamped ? 0 : d_u * spread - slope->d_log_probability;
    }
}

void hybrid_backward(const struct hybrid_policy *policy, const real *outputs, const struct hybrid_draw *draw,
                     const struct hybrid_slope *slope, uint32_t batch, real *d_outputs) {
    size_t logits = policy->logit_count, numbers = policy->continuous_count;
    for (size_t row = 0; row < batch; row++) {
        const real *output = outputs + row * policy->output_size;
        real *d_output = d_outputs + row * policy->output_size;
        backward_choices(policy, draw, slope, row, d_output);
        backward_numbers(policy, output + logits + numbers, draw, slope, row * numbers, d_output + logits);
    }
}
