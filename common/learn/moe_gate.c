#include "common/learn/moe_gate.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/activation.h"
#include "common/learn/dense.h"

#define ROOT_2 1.41421356237309504880
#define ROOT_2_PI 2.50662827463100050242

enum status moe_gate_trace_open(struct moe_gate_trace *trace, const struct moe_gate *gate,
                                uint32_t batch_max) {
    size_t count = (size_t)batch_max * gate->experts;
    *trace = (struct moe_gate_trace){.batch_max = batch_max};
    assert(batch_max >= 1 && gate->experts >= 1 && gate->in >= 1);
    trace->block =
        calloc(8 * count + 4 * (size_t)gate->experts + (size_t)batch_max * gate->in, sizeof *trace->block);
    trace->chosen = calloc(count, sizeof *trace->chosen);
    if (trace->block == NULL || trace->chosen == NULL) {
        moe_gate_trace_close(trace);
        return STATUS_MEMORY;
    }
    real **parts[] = {&trace->clean, &trace->softplus, &trace->spread, &trace->noisy, &trace->gates};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        *parts[i] = trace->block + i * count;
    trace->scratch = trace->block + 5 * count;
    trace->importance = trace->scratch + 3 * count;
    trace->load = trace->importance + gate->experts;
    trace->slopes = trace->load + gate->experts;
    trace->dx = trace->slopes + 2 * (size_t)gate->experts;
    return STATUS_OK;
}

void moe_gate_trace_close(struct moe_gate_trace *trace) {
    free(trace->block);
    free(trace->chosen);
    *trace = (struct moe_gate_trace){0};
}

/* The layer that W_gate (index 0) or W_noise (1) is. */
static struct dense layer_of(const struct moe_gate_run *run, size_t index) {
    size_t in = run->gate->in, out = run->gate->experts;
    return (struct dense){.in = in, .out = out, .weight = run->parameters + index * in * out};
}

/* ---- forward ---- */

/* The `wanted` largest of `count` values, largest first, of equal ones the lowest index first. */
static void choose(const real *values, uint32_t count, uint32_t wanted, uint32_t *chosen) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = found;
        while (at > 0 && values[i] > values[chosen[at - 1]])
            at--;
        if (at >= wanted)
            continue;
        found += found < wanted;
        memmove(chosen + at + 1, chosen + at, (found - 1 - at) * sizeof *chosen);
        chosen[at] = i;
    }
}

static void softmax_over(const real *logits, const uint32_t *kept, uint32_t k, real *gates) {
    real most = logits[kept[0]], sum = 0; /* the first is the largest */
    for (uint32_t i = 0; i < k; i++)
        sum += gates[kept[i]] = real_exp(logits[kept[i]] - most);
    for (uint32_t i = 0; i < k; i++)
        gates[kept[i]] /= sum;
}

static bool load_is_smooth(const struct moe_gate *gate, const struct moe_gate_trace *trace) {
    return trace->noise != NULL && trace->k < gate->experts;
}

static bool is_kept(const uint32_t *chosen, uint32_t k, uint32_t expert) {
    for (uint32_t i = 0; i < k; i++)
        if (chosen[i] == expert)
            return true;
    return false;
}

/* The expert whose logit an expert competes with in a row. */
static uint32_t rival_of(const struct moe_gate_trace *trace, const uint32_t *chosen, uint32_t expert) {
    return chosen[is_kept(chosen, trace->k, expert) ? trace->k : trace->k - 1];
}

/* How far an expert's clean logit is above its rival, in spreads. */
static double margin(const struct moe_gate_trace *trace, size_t at, size_t rival_at) {
    return ((double)trace->clean[at] - (double)trace->noisy[rival_at]) / (double)trace->spread[at];
}

static void sum_load(const struct moe_gate *gate, struct moe_gate_trace *trace) {
    for (uint32_t expert = 0; expert < gate->experts; expert++) {
        double importance = 0, load = 0;
        for (uint32_t row = 0; row < trace->batch; row++) {
            size_t first = (size_t)row * gate->experts, at = first + expert;
            importance += (double)trace->gates[at];
            if (load_is_smooth(gate, trace)) {
                uint32_t rival = rival_of(trace, trace->chosen + first, expert);
                load += 0.5 * erfc(-margin(trace, at, first + rival) / ROOT_2);
            } else
                load += is_kept(trace->chosen + first, trace->k, expert);
        }
        trace->importance[expert] = (real)importance;
        trace->load[expert] = (real)load;
    }
}

void moe_gate_forward(const struct moe_gate_run *run, const real *x, const real *noise, uint32_t batch,
                      struct moe_gate_trace *trace) {
    const struct moe_gate *gate = run->gate;
    uint32_t experts = gate->experts, wanted = run->k < experts ? run->k + 1 : experts;
    size_t count = (size_t)batch * experts;
    assert(batch <= trace->batch_max && run->k >= 1 && run->k <= experts);
    trace->batch = batch;
    trace->k = run->k;
    trace->noise = noise;
    struct dense gating = layer_of(run, 0), spreading = layer_of(run, 1);
    dense_forward(&gating, x, batch, trace->clean);
    dense_forward(&spreading, x, batch, trace->softplus);
    activation_forward(ACTIVATION_SOFTPLUS, trace->softplus, count, trace->softplus);
    for (size_t i = 0; i < count; i++) {
        trace->spread[i] = trace->softplus[i] + (real)gate->noise_floor;
        trace->noisy[i] = trace->clean[i] + (noise != NULL ? noise[i] * trace->spread[i] : 0);
    }
    memset(trace->gates, 0, count * sizeof *trace->gates);
    for (size_t first = 0; first < count; first += experts) {
        choose(trace->noisy + first, experts, wanted, trace->chosen + first);
        softmax_over(trace->noisy + first, trace->chosen + first, run->k, trace->gates + first);
    }
    sum_load(gate, trace);
}

/* ---- balance ---- */

static double mean_of(const real *values, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)values[i];
    return sum / count;
}

/* Unbiased. */
static double variance_of(const real *values, uint32_t count, double mean) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += ((double)values[i] - mean) * ((double)values[i] - mean);
    return count > 1 ? sum / (count - 1) : 0;
}

static double squared_variation(const real *values, uint32_t count) {
    double mean = mean_of(values, count);
    return variance_of(values, count, mean) / (mean * mean + MOE_CV_EPSILON);
}

/* d squared_variation / d values[index]. */
static double squared_variation_slope(const real *values, uint32_t count, uint32_t index) {
    if (count < 2)
        return 0;
    double mean = mean_of(values, count), below = mean * mean + MOE_CV_EPSILON;
    double by_variance = 2 * ((double)values[index] - mean) / (count - 1) / below;
    double by_mean = -variance_of(values, count, mean) / (below * below) * 2 * mean / count;
    return by_variance + by_mean;
}

double moe_gate_balance_loss(const struct moe_gate *gate, const struct moe_gate_trace *trace) {
    return gate->balance * (squared_variation(trace->importance, gate->experts) +
                            squared_variation(trace->load, gate->experts));
}

/* ---- backward ---- */

/* Gradients on their way back, [batch][experts] each. */
struct going_back {
    real *noisy, *clean, *spread; /* clean: besides what comes through noisy */
};

/* Through the softmax over the kept logits of a row; slopes [experts] of the balance loss in the importance.
 */
static void back_softmax(const struct moe_gate_trace *trace, size_t first, const real *dgates,
                         const real *slopes, real *dnoisy) {
    const uint32_t *kept = trace->chosen + first;
    const real *gates = trace->gates + first;
    real sum = 0;
    for (uint32_t i = 0; i < trace->k; i++) {
        uint32_t expert = kept[i];
        dnoisy[expert] = dgates[expert] + slopes[expert];
        sum += gates[expert] * dnoisy[expert];
    }
    for (uint32_t i = 0; i < trace->k; i++)
        dnoisy[kept[i]] = gates[kept[i]] * (dnoisy[kept[i]] - sum);
}

/* Through the load of one expert in a row. The rival's logit carries gradient too. */
static void back_load(const struct moe_gate_trace *trace, size_t first, uint32_t expert, double slope,
                      const struct going_back *back) {
    size_t at = first + expert, rival = first + rival_of(trace, trace->chosen + first, expert);
    double above = margin(trace, at, rival), spread = (double)trace->spread[at];
    real pull = (real)(slope * exp(-0.5 * above * above) / ROOT_2_PI / spread);
    back->clean[at] += pull;
    back->noisy[rival] -= pull;
    back->spread[at] -= pull * (real)above;
}

/* The gradient in every logit and spread of the batch, from dgates and the balance loss. */
static void back_logits(const struct moe_gate *gate, struct moe_gate_trace *trace, const real *dgates,
                        const struct going_back *back) {
    real *by_importance = trace->slopes, *by_load = trace->slopes + gate->experts;
    for (uint32_t i = 0; i < gate->experts; i++) {
        by_importance[i] =
            (real)(gate->balance * squared_variation_slope(trace->importance, gate->experts, i));
        by_load[i] = (real)(gate->balance * squared_variation_slope(trace->load, gate->experts, i));
    }
    for (uint32_t row = 0; row < trace->batch; row++) {
        size_t first = (size_t)row * gate->experts;
        back_softmax(trace, first, dgates + first, by_importance, back->noisy + first);
        for (uint32_t expert = 0; load_is_smooth(gate, trace) && expert < gate->experts; expert++)
            back_load(trace, first, expert, (double)by_load[expert], back);
    }
}

/* From noisy = clean + noise spread and spread = softplus(softplus) + floor: back->clean and back->spread
 * become the gradients of the two dense layers' outputs. */
static void back_noise(const struct moe_gate_trace *trace, size_t count, const struct going_back *back) {
    for (size_t i = 0; i < count; i++) {
        back->clean[i] += back->noisy[i];
        back->spread[i] += trace->noise != NULL ? trace->noise[i] * back->noisy[i] : 0;
    }
    activation_backward(ACTIVATION_SOFTPLUS, trace->softplus, back->spread, count, back->spread);
}

/* From the outputs of the two dense layers to their weights and to x. */
static void back_layers(const struct moe_gate_run *run, const real *x, const struct moe_gate_trace *trace,
                        const struct going_back *back, const struct moe_gate_gradients *gradients) {
    size_t weights = (size_t)run->gate->in * run->gate->experts,
           inputs = (size_t)trace->batch * run->gate->in;
    struct dense gating = layer_of(run, 0), spreading = layer_of(run, 1);
    struct dense_gradients to = {.weight = gradients->parameters, .x = gradients->dx};
    dense_backward(&gating, x, back->clean, trace->batch, &to);
    to = (struct dense_gradients){.weight = gradients->parameters + weights,
                                  .x = gradients->dx != NULL ? trace->dx : NULL};
    dense_backward(&spreading, x, back->spread, trace->batch, &to);
    for (size_t i = 0; gradients->dx != NULL && i < inputs; i++)
        gradients->dx[i] += trace->dx[i];
}

void moe_gate_backward(const struct moe_gate_run *run, const real *x, const real *dgates,
                       struct moe_gate_trace *trace, const struct moe_gate_gradients *gradients) {
    const struct moe_gate *gate = run->gate;
    size_t count = (size_t)trace->batch * gate->experts;
    struct going_back back = {trace->scratch, trace->scratch + count, trace->scratch + 2 * count};
    memset(trace->scratch, 0, 3 * count * sizeof *trace->scratch);
    back_logits(gate, trace, dgates, &back);
    back_noise(trace, count, &back);
    back_layers(run, x, trace, &back, gradients);
}

void moe_noise_draw(struct random_stream *stream, size_t count, real *noise) {
    for (size_t i = 0; i < count; i++)
        noise[i] = (real)random_normal(stream);
}
