#include "common/learn/elastic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct elastic_slice elastic_slice_of(const struct mlp *full, uint32_t depth, uint32_t width) {
    assert(depth >= 1 && depth <= full->layer_count && width >= 1);
    struct elastic_slice slice = {.depth = depth, .sizes = {full->sizes[0]}};
    for (uint32_t i = 1; i <= depth; i++) {
        bool whole = i == full->layer_count || full->sizes[i] < width;
        slice.sizes[i] = whole ? full->sizes[i] : width;
    }
    return slice;
}

struct elastic_slice elastic_slice_full(const struct mlp *full) {
    return elastic_slice_of(full, full->layer_count, UINT32_MAX);
}

struct mlp elastic_mlp(const struct mlp *full, const struct elastic_slice *slice) {
    assert(slice->sizes[0] == full->sizes[0]);
    bool last = slice->depth == full->layer_count;
    return mlp_of(slice->sizes, slice->depth, full->hidden, last ? full->output : full->hidden);
}

bool elastic_is_front(const struct mlp *full, const struct elastic_slice *slice) {
    return memcmp(full->sizes, slice->sizes, (slice->depth + 1) * sizeof *full->sizes) == 0;
}

/* ---- runs of entries that a slice touches ---- */

/* A run of a row of a weight, or of a bias, in the full and in the compact block. */
struct run {
    size_t full, compact, count;
};
typedef void run_function(const struct run *run, void *context);

static void each_run(const struct mlp *full, const struct elastic_slice *slice, run_function *visit,
                     void *context) {
    size_t compact = 0;
    for (uint32_t layer = 0; layer < slice->depth; layer++) {
        size_t offset = mlp_layer_offset(full, layer), step = full->sizes[layer + 1];
        for (size_t row = 0; row <= slice->sizes[layer]; row++) {
            size_t at =
                row < slice->sizes[layer] ? row : full->sizes[layer]; /* behind the weight: the bias */
            struct run run = {offset + at * step, compact, slice->sizes[layer + 1]};
            visit(&run, context);
            compact += run.count;
        }
    }
}

struct copy {
    const real *from;
    real *to;
};

static void gather_run(const struct run *run, void *context) {
    struct copy *copy = context;
    memcpy(copy->to + run->compact, copy->from + run->full, run->count * sizeof *copy->to);
}

static void scatter_run(const struct run *run, void *context) {
    struct copy *copy = context;
    memcpy(copy->to + run->full, copy->from + run->compact, run->count * sizeof *copy->to);
}

void elastic_gather(const struct mlp *full, const struct elastic_slice *slice, const real *parameters,
                    real *compact) {
    each_run(full, slice, gather_run, &(struct copy){parameters, compact});
}

void elastic_scatter(const struct mlp *full, const struct elastic_slice *slice, const real *compact,
                     real *parameters) {
    each_run(full, slice, scatter_run, &(struct copy){compact, parameters});
}

/* ---- passes ---- */

enum status elastic_trace_open(struct elastic_trace *trace, const struct mlp *full, uint32_t batch_max) {
    *trace = (struct elastic_trace){0};
    trace->parameters = calloc(mlp_parameter_count(full), sizeof *trace->parameters);
    trace->gradients = calloc(mlp_parameter_count(full), sizeof *trace->gradients);
    enum status status = mlp_trace_open(&trace->mlp, full, batch_max);
    if (status == STATUS_OK && (trace->parameters == NULL || trace->gradients == NULL))
        status = STATUS_MEMORY;
    if (status != STATUS_OK)
        elastic_trace_close(trace);
    return status;
}

void elastic_trace_close(struct elastic_trace *trace) {
    mlp_trace_close(&trace->mlp);
    free(trace->parameters);
    free(trace->gradients);
    *trace = (struct elastic_trace){0};
}

static const real *slice_parameters(const struct elastic *elastic, struct elastic_trace *trace) {
    if (elastic_is_front(elastic->full, elastic->slice))
        return elastic->parameters;
    elastic_gather(elastic->full, elastic->slice, elastic->parameters, trace->parameters);
    return trace->parameters;
}

const real *elastic_forward(const struct elastic *elastic, const real *x, uint32_t batch,
                            struct elastic_trace *trace) {
    struct mlp mlp = elastic_mlp(elastic->full, elastic->slice);
    return mlp_forward(&mlp, slice_parameters(elastic, trace), x, batch, &trace->mlp);
}

void elastic_backward(const struct elastic *elastic, const real *x, uint32_t batch,
                      struct elastic_trace *trace, const struct elastic_backward *backward) {
    struct mlp mlp = elastic_mlp(elastic->full, elastic->slice);
    const real *parameters = slice_parameters(elastic, trace);
    bool front = elastic_is_front(elastic->full, elastic->slice);
    real *gradients = front || backward->gradients == NULL ? backward->gradients : trace->gradients;
    mlp_backward(&mlp, parameters, x, backward->dy, batch, &trace->mlp, gradients, backward->dx);
    if (!front && backward->gradients != NULL)
        elastic_scatter(elastic->full, elastic->slice, gradients, backward->gradients);
}

/* ---- training ---- */

struct step {
    struct optimiser *optimiser;
    size_t offset;
    real *parameters;
    const real *gradients;
};

/* A step of an optimiser that knows this run only. */
static void step_run(const struct run *run, void *context) {
    const struct step *step = context;
    size_t at = step->offset + run->full;
    struct optimiser part = *step->optimiser;
    assert(part.step > 0 && at + run->count <= part.count);
    part.step--; /* the step below counts it again */
    part.count = run->count;
    part.first = part.first != NULL ? part.first + at : NULL;
    part.second = part.second != NULL ? part.second + at : NULL;
    optimiser_step(&part, step->parameters + run->full, step->gradients + run->full);
}

void elastic_step_part(struct optimiser *optimiser, const struct elastic *elastic, size_t offset,
                       real *parameters, const real *gradients) {
    struct step step = {.optimiser = optimiser, .offset = offset, .gradients = gradients};
    step.parameters = parameters;
    if (elastic_is_front(elastic->full, elastic->slice))
        step_run(&(struct run){.count = mlp_layer_offset(elastic->full, elastic->slice->depth)}, &step);
    else
        each_run(elastic->full, elastic->slice, step_run, &step);
}

void elastic_step(struct optimiser *optimiser, const struct elastic *elastic, real *parameters,
                  const real *gradients) {
    optimiser->step++;
    elastic_step_part(optimiser, elastic, 0, parameters, gradients);
}

static uint32_t between(uint32_t low, uint32_t high, struct random_stream *stream) {
    return low + (uint32_t)random_below(stream, (uint64_t)high - low + 1);
}

struct elastic_choice elastic_choose(const struct elastic_range *range, uint32_t index,
                                     struct random_stream *stream) {
    assert(range->depth_min <= range->depth_max && range->width_min <= range->width_max);
    if (index == 0)
        return (struct elastic_choice){range->depth_max, range->width_max};
    if (index == 1)
        return (struct elastic_choice){range->depth_min, range->width_min};
    struct elastic_choice choice = {.depth = between(range->depth_min, range->depth_max, stream)};
    choice.width = between(range->width_min, range->width_max, stream);
    return choice;
}
