/* mlp: dense layers and activations in a row. */
#include "common/learn/mlp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/dense.h"

struct mlp mlp_of(const uint32_t *sizes, uint32_t layer_count, enum activation hidden,
                  enum activation output) {
    assert(layer_count >= 1 && layer_count <= MLP_LAYERS_MAX);
    struct mlp mlp = {.layer_count = layer_count, .hidden = hidden, .output = output};
    for (uint32_t i = 0; i <= layer_count; i++) {
        assert(sizes[i] >= 1);
        mlp.sizes[i] = sizes[i];
    }
    return mlp;
}

size_t mlp_layer_offset(const struct mlp *mlp, uint32_t layer) {
    size_t offset = 0;
    for (uint32_t i = 0; i < layer; i++)
        offset += ((size_t)mlp->sizes[i] + 1) * mlp->sizes[i + 1];
    return offset;
}

size_t mlp_parameter_count(const struct mlp *mlp) {
    return mlp_layer_offset(mlp, mlp->layer_count);
}

void mlp_initialise(const struct mlp *mlp, const struct initialiser *hidden, const struct initialiser *last,
                    struct random_stream *stream, real *parameters) {
    for (uint32_t layer = 0; layer < mlp->layer_count; layer++) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
        initialiser_fill(layer + 1 < mlp->layer_count ? hidden : last, in, out, stream, parameters,
                         parameters + in * out);
        parameters += (in + 1) * out;
    }
}

#define ALIGNMENT 64 /* bytes: a cache line, the widest vector register */

static size_t aligned_count(size_t count) {
    size_t each = ALIGNMENT / sizeof(real);
    return (count + each - 1) / each * each;
}

enum status mlp_trace_open(struct mlp_trace *trace, const struct mlp *mlp, uint32_t batch_max) {
    *trace = (struct mlp_trace){.batch_max = batch_max};
    size_t total = 0, widest = 0, at = 0;
    for (uint32_t layer = 1; layer <= mlp->layer_count; layer++) {
        size_t count = aligned_count((size_t)batch_max * mlp->sizes[layer]);
        total += count;
        widest = count > widest ? count : widest;
    }
    size_t bytes = (total + 2 * widest) * sizeof(real);
    trace->block = aligned_alloc(ALIGNMENT, bytes > 0 ? bytes : ALIGNMENT);
    if (trace->block == NULL)
        return STATUS_MEMORY;
    memset(trace->block, 0, bytes);
    for (uint32_t layer = 1; layer <= mlp->layer_count; layer++) {
        trace->values[layer] = trace->block + at;
        at += aligned_count((size_t)batch_max * mlp->sizes[layer]);
    }
    trace->scratch[0] = trace->block + at;
    trace->scratch[1] = trace->block + at + widest;
    return STATUS_OK;
}

void mlp_trace_close(struct mlp_trace *trace) {
    free(trace->block);
    *trace = (struct mlp_trace){0};
}

static struct dense layer_of(const struct mlp *mlp, const real *parameters, uint32_t layer) {
    size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
    const real *weight = parameters + mlp_layer_offset(mlp, layer);
    return (struct dense){.in = in, .out = out, .weight = weight, .bias = weight + in * out};
}

static enum activation activation_after(const struct mlp *mlp, uint32_t layer) {
    return layer + 1 < mlp->layer_count ? mlp->hidden : mlp->output;
}

const real *mlp_forward(const struct mlp *mlp, const real *parameters, const real *x, uint32_t batch,
                        struct mlp_trace *trace) {
    assert(batch <= trace->batch_max);
    for (uint32_t layer = 0; layer < mlp->layer_count; layer++) {
        struct dense dense = layer_of(mlp, parameters, layer);
        real *y = trace->values[layer + 1];
        dense_forward(&dense, x, batch, y);
        activation_forward(activation_after(mlp, layer), y, batch * dense.out, y);
        x = y;
    }
    return x;
}

void mlp_backward(const struct mlp *mlp, const real *parameters, const real *x, const real *dy,
                  uint32_t batch, struct mlp_trace *trace, real *gradients, real *dx) {
    assert(batch <= trace->batch_max);
    for (uint32_t layer = mlp->layer_count; layer-- > 0;) {
        struct dense dense = layer_of(mlp, parameters, layer);
        const real *input = layer == 0 ? x : trace->values[layer];
        real *dz = trace->scratch[0];
        activation_backward(activation_after(mlp, layer), trace->values[layer + 1], dy, batch * dense.out,
                            dz);
        struct dense_gradients out = {.x = trace->scratch[1]};
        if (layer == 0)
            out.x = dx;
        if (gradients != NULL) {
            out.weight = gradients + (dense.weight - parameters);
            out.bias = gradients + (dense.bias - parameters);
        }
        dense_backward(&dense, input, dz, batch, &out);
        dy = out.x;
    }
}
