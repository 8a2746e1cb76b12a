#include "common/learn/moe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

size_t moe_expert_offset(const struct moe *moe, uint32_t expert) {
    return moe_gate_parameter_count(&moe->gate) + expert * mlp_parameter_count(&moe->expert);
}

size_t moe_parameter_count(const struct moe *moe) {
    return moe_expert_offset(moe, moe->gate.experts);
}

void moe_initialise(const struct moe *moe, const struct initialiser *hidden, const struct initialiser *last,
                    struct random_stream *stream, real *parameters) {
    static const struct initialiser gating = {INITIALISER_FAN_IN, 1};
    size_t weights = moe_gate_parameter_count(&moe->gate) / 2;
    initialiser_fill(&gating, moe->gate.in, moe->gate.experts, stream, parameters, NULL);
    memset(parameters + weights, 0, weights * sizeof *parameters);
    for (uint32_t expert = 0; expert < moe->gate.experts; expert++)
        mlp_initialise(&moe->expert, hidden, last, stream, parameters + moe_expert_offset(moe, expert));
}

uint64_t moe_row_operations(const struct moe *moe, uint32_t k, const struct elastic_slice *slice) {
    uint64_t products = 0;
    assert(k >= 1 && k <= moe->gate.experts);
    for (uint32_t layer = 0; layer < slice->depth; layer++)
        products += (uint64_t)slice->sizes[layer] * slice->sizes[layer + 1];
    return k * (2 * products + slice->sizes[slice->depth]);
}

/* ---- the trace ---- */

static uint32_t widest_output(const struct moe *moe) {
    uint32_t widest = 1;
    for (uint32_t layer = 1; layer <= moe->expert.layer_count; layer++)
        widest = moe->expert.sizes[layer] > widest ? moe->expert.sizes[layer] : widest;
    return widest;
}

static enum status open_parts(struct moe_trace *trace, const struct moe *moe) {
    size_t rows = (size_t)trace->batch_max * trace->k_max, in = moe->gate.in, out = widest_output(moe);
    size_t own = 2 * rows * in + rows * out + trace->batch_max * (out + moe->gate.experts);
    TRY(moe_gate_trace_open(&trace->gate, &moe->gate, trace->batch_max));
    TRY(elastic_trace_open(&trace->experts, &moe->expert, (uint32_t)rows));
    trace->block = calloc(own, sizeof *trace->block);
    trace->begin = calloc((size_t)moe->gate.experts + 1, sizeof *trace->begin);
    trace->rows = calloc(rows, sizeof *trace->rows);
    if (trace->block == NULL || trace->begin == NULL || trace->rows == NULL)
        return STATUS_MEMORY;
    trace->x = trace->block;
    trace->dx = trace->x + rows * in;
    trace->dy = trace->dx + rows * in;
    trace->y = trace->dy + rows * out;
    trace->dgates = trace->y + trace->batch_max * out;
    return STATUS_OK;
}

enum status moe_trace_open(struct moe_trace *trace, const struct moe *moe, uint32_t batch_max,
                           uint32_t k_max) {
    *trace = (struct moe_trace){.batch_max = batch_max, .k_max = k_max};
    assert(batch_max >= 1 && k_max >= 1 && k_max <= moe->gate.experts &&
           moe->expert.sizes[0] == moe->gate.in);
    enum status status = open_parts(trace, moe);
    if (status != STATUS_OK)
        moe_trace_close(trace);
    return status;
}

void moe_trace_close(struct moe_trace *trace) {
    moe_gate_trace_close(&trace->gate);
    elastic_trace_close(&trace->experts);
    free(trace->begin);
    free(trace->rows);
    free(trace->block);
    *trace = (struct moe_trace){0};
}

/* ---- passes ---- */

/* One expert of a run with the rows that chose it. */
struct share {
    struct elastic elastic;
    struct elastic_trace trace; /* a view: values from its first row on */
    uint32_t expert, begin, count;
};

static struct share share_of(const struct moe_run *run, const struct moe_trace *trace, uint32_t expert) {
    const struct mlp *full = &run->moe->expert;
    struct share share = {.expert = expert, .begin = trace->begin[expert], .trace = trace->experts};
    share.elastic = (struct elastic){full, run->slice, run->parameters + moe_expert_offset(run->moe, expert)};
    share.count = trace->begin[expert + 1] - share.begin;
    for (uint32_t layer = 1; layer <= run->slice->depth; layer++)
        share.trace.mlp.values[layer] += (size_t)share.begin * run->slice->sizes[layer];
    return share;
}

/* Lists the rows of each expert, ascending. */
static void list_rows(const struct moe_run *run, struct moe_trace *trace) {
    uint32_t experts = run->moe->gate.experts, used = 0;
    for (uint32_t expert = 0; expert < experts; expert++) {
        trace->begin[expert] = used;
        for (uint32_t row = 0; row < trace->gate.batch; row++)
            for (uint32_t i = 0; i < run->k; i++)
                if (trace->gate.chosen[(size_t)row * experts + i] == expert)
                    trace->rows[used++] = row;
    }
    trace->begin[experts] = used;
}

const real *moe_forward(const struct moe_run *run, const real *x, const real *noise, uint32_t batch,
                        struct moe_trace *trace) {
    size_t in = run->moe->gate.in, out = run->slice->sizes[run->slice->depth],
           experts = run->moe->gate.experts;
    struct moe_gate_run gate = {&run->moe->gate, run->parameters, run->k};
    assert(batch <= trace->batch_max && run->k <= trace->k_max);
    moe_gate_forward(&gate, x, noise, batch, &trace->gate);
    list_rows(run, trace);
    for (uint32_t i = 0; i < trace->begin[experts]; i++)
        memcpy(trace->x + i * in, x + trace->rows[i] * in, in * sizeof *x);
    memset(trace->y, 0, batch * out * sizeof *trace->y);
    for (uint32_t expert = 0; expert < experts; expert++) {
        struct share share = share_of(run, trace, expert);
        if (share.count == 0)
            continue;
        const real *from =
            elastic_forward(&share.elastic, trace->x + share.begin * in, share.count, &share.trace);
        for (uint32_t i = share.begin; i < share.begin + share.count; i++, from += out) {
            real gate_value = trace->gate.gates[trace->rows[i] * experts + expert];
            for (size_t o = 0; o < out; o++)
                trace->y[trace->rows[i] * out + o] += gate_value * from[o];
        }
    }
    return trace->y;
}

/* Through y = sum of gate x output: the gradient in the gates and in the outputs of one expert. */
static void back_sum(const struct share *share, struct moe_trace *trace, const real *dy, size_t experts) {
    size_t out = share->elastic.slice->sizes[share->elastic.slice->depth];
    const real *output = share->trace.mlp.values[share->elastic.slice->depth];
    real *to = trace->dy + share->begin * out;
    for (uint32_t i = share->begin; i < share->begin + share->count; i++, output += out, to += out) {
        size_t row = trace->rows[i], at = row * experts + share->expert;
        real sum = 0, gate = trace->gate.gates[at];
        for (size_t o = 0; o < out; o++) {
            sum += dy[row * out + o] * output[o];
            to[o] = gate * dy[row * out + o];
        }
        trace->dgates[at] = sum;
    }
}

static void back_experts(const struct moe_run *run, struct moe_trace *trace,
                         const struct elastic_backward *backward) {
    const struct moe *moe = run->moe;
    size_t in = moe->gate.in, out = run->slice->sizes[run->slice->depth];
    for (uint32_t expert = 0; expert < moe->gate.experts; expert++) {
        struct share share = share_of(run, trace, expert);
        if (share.count == 0)
            continue;
        back_sum(&share, trace, backward->dy, moe->gate.experts);
        struct elastic_backward one = {.dy = trace->dy + share.begin * out,
                                       .gradients = backward->gradients + moe_expert_offset(moe, expert),
                                       .dx = backward->dx != NULL ? trace->dx + share.begin * in : NULL};
        elastic_backward(&share.elastic, trace->x + share.begin * in, share.count, &share.trace, &one);
    }
}

void moe_backward(const struct moe_run *run, const real *x, struct moe_trace *trace,
                  const struct elastic_backward *backward) {
    size_t in = run->moe->gate.in, experts = run->moe->gate.experts;
    assert(backward->gradients != NULL);
    memset(backward->gradients, 0, moe_parameter_count(run->moe) * sizeof *backward->gradients);
    back_experts(run, trace, backward);
    struct moe_gate_run gate = {&run->moe->gate, run->parameters, run->k};
    moe_gate_backward(&gate, x, trace->dgates, &trace->gate,
                      &(struct moe_gate_gradients){backward->gradients, backward->dx});
    for (uint32_t i = 0; backward->dx != NULL && i < trace->begin[experts]; i++)
        for (size_t j = 0; j < in; j++)
            backward->dx[trace->rows[i] * in + j] += trace->dx[i * in + j];
}

void moe_step(const struct moe_run *run, const struct moe_trace *trace, struct optimiser *optimiser,
              real *parameters, const real *gradients) {
    struct optimiser gate = *optimiser;
    assert(optimiser->count == moe_parameter_count(run->moe));
    gate.count = moe_gate_parameter_count(&run->moe->gate);
    optimiser_step(&gate, parameters, gradients);
    optimiser->step++;
    for (uint32_t expert = 0; expert < run->moe->gate.experts; expert++) {
        struct share share = share_of(run, trace, expert);
        size_t offset = moe_expert_offset(run->moe, expert);
        if (share.count > 0)
            elastic_step_part(optimiser, &share.elastic, offset, parameters + offset, gradients + offset);
    }
}
