#include "common/learn/learner.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/dense.h"

struct mlp learner_shape(uint32_t in, const struct agent_layers *hidden, uint32_t out,
                         enum activation output) {
    uint32_t sizes[AGENT_LAYERS_MAX + 2] = {in};
    assert(hidden->count <= AGENT_LAYERS_MAX);
    for (uint32_t i = 0; i < hidden->count; i++)
        sizes[i + 1] = hidden->sizes[i];
    sizes[hidden->count + 1] = out;
    return mlp_of(sizes, hidden->count + 1, ACTIVATION_RELU, output);
}

enum status learner_open(struct learner *learner, const struct mlp *mlp, double learning_rate,
                         bool with_target, real *parameters) {
    *learner = (struct learner){.mlp = *mlp, .count = mlp_parameter_count(mlp)};
    learner->parameters = parameters;
    struct optimiser_config adam = optimiser_adam(learning_rate);
    if (with_target) {
        learner->target = calloc(learner->count, sizeof *learner->target);
        if (learner->target == NULL)
            return STATUS_MEMORY;
    }
    return optimiser_init(&learner->optimiser, &adam, learner->count);
}

void learner_close(struct learner *learner) {
    free(learner->target);
    optimiser_close(&learner->optimiser);
    *learner = (struct learner){0};
}

void learner_initialise(struct learner *learner, double last, struct random_stream *stream) {
    struct initialiser hidden = {.kind = INITIALISER_FAN_IN, .gain = 1.0};
    struct initialiser output = {.kind = INITIALISER_UNIFORM, .gain = last};
    mlp_initialise(&learner->mlp, &hidden, &output, stream, learner->parameters);
    if (learner->target != NULL)
        memcpy(learner->target, learner->parameters, learner->count * sizeof(real));
}

void learner_step(struct learner *learner, const real *gradients) {
    optimiser_step(&learner->optimiser, learner->parameters, gradients);
}

void learner_follow(struct learner *learner, double tau) {
    soft_update(learner->target, learner->parameters, learner->count, tau);
}

/* dy in the outputs of the first layer, behind its activation: the gradient of all layers that follow it. */
static void backward_tail(const struct learner *learner, const real *dy, uint32_t batch,
                          struct mlp_trace *trace, real *d_hidden) {
    const struct mlp *mlp = &learner->mlp;
    struct mlp tail = mlp_of(mlp->sizes + 1, mlp->layer_count - 1, mlp->hidden, mlp->output);
    struct mlp_trace of_tail = {.batch_max = trace->batch_max,
                                .scratch = {trace->scratch[0], trace->scratch[1]}};
    memcpy(of_tail.values, trace->values + 1, mlp->layer_count * sizeof *of_tail.values);
    mlp_backward(&tail, learner->parameters + mlp_layer_offset(mlp, 1), trace->values[1], dy, batch, &of_tail,
                 NULL, d_hidden);
}

void learner_backward_columns(const struct learner *learner, const real *dy, uint32_t batch,
                              struct mlp_trace *trace, const struct learner_columns *columns) {
    const struct mlp *mlp = &learner->mlp;
    size_t out = mlp->sizes[1];
    const real *d_first = dy;
    assert(mlp->layer_count > 1 || mlp->output == ACTIVATION_NONE);
    if (mlp->layer_count > 1) {
        backward_tail(learner, dy, batch, trace, columns->d_hidden);
        activation_backward(mlp->hidden, trace->values[1], columns->d_hidden, batch * out, columns->d_hidden);
        d_first = columns->d_hidden;
    }
    const struct dense rows = {
        .in = columns->count, .out = out, .weight = learner->parameters + columns->first * out};
    dense_backward(&rows, NULL, d_first, batch, &(struct dense_gradients){.x = columns->dx});
}

size_t learner_saved_bytes(const struct learner *learner) {
    return (learner->target != NULL ? 2u : 1u) * reals_saved_bytes(learner->count) +
           optimiser_saved_bytes(&learner->optimiser);
}

void learner_save(const struct learner *learner, struct bytes_writer *writer) {
    reals_save(writer, learner->parameters, learner->count);
    if (learner->target != NULL)
        reals_save(writer, learner->target, learner->count);
    optimiser_save(&learner->optimiser, writer);
}

static enum status load_finite(struct bytes_reader *reader, real *values, size_t count) {
    TRY(reals_load(reader, values, count));
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return STATUS_INVALID;
    return STATUS_OK;
}

enum status learner_load(struct learner *learner, struct bytes_reader *reader) {
    TRY(load_finite(reader, learner->parameters, learner->count));
    if (learner->target != NULL)
        TRY(load_finite(reader, learner->target, learner->count));
    return optimiser_load(&learner->optimiser, reader);
}

#define CACHE_LINE 64 /* bytes */

real *learner_scratch(struct arena *arena, size_t count) {
    size_t spare = CACHE_LINE / sizeof(real);
    uintptr_t at = (uintptr_t)arena_alloc_array(arena, count + spare, sizeof(real));
    return (real *)((at + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}
