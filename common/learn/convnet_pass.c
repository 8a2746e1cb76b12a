#include "common/learn/convnet_pass.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/batch_norm.h"
#include "common/learn/dense.h"
#include "common/learn/loss.h"

#define ALIGNMENT 64 /* bytes: a cache line, the widest vector register */

/* ---- the trace ---- */

/* An activation may overwrite what it follows unless the layer there needs its own output to go backward. */
static bool in_place(const struct convnet *net, uint32_t layer) {
    if (net->layers[layer].kind != CONVNET_ACTIVATION || layer == 0)
        return false;
    enum convnet_kind before = net->layers[layer - 1].kind;
    return before == CONVNET_CONV || before == CONVNET_BATCH_NORM || before == CONVNET_DENSE;
}

/* Hands out `count` reals behind `*used`; NULL while only counting. */
static real *take(real *block, size_t *used, size_t count) {
    size_t each = ALIGNMENT / sizeof(real), at = *used;
    *used += (count + each - 1) / each * each;
    return block == NULL ? NULL : block + at;
}

/* Room for one layer, none for what shares memory: the input of a flatten in front is the caller's. */
static void lay_out_layer(struct convnet_trace *trace, const struct convnet *net, uint32_t layer,
                          size_t *used) {
    const struct convnet_layer *self = &net->layers[layer];
    size_t count = (size_t)trace->batch_max * convnet_size_count(&self->size);
    if (self->kind == CONVNET_FLATTEN || in_place(net, layer))
        trace->values[layer] = layer == 0 ? NULL : trace->values[layer - 1];
    else
        trace->values[layer] = take(trace->block, used, count);
    if (self->kind == CONVNET_BATCH_NORM)
        trace->norms[layer] = take(trace->block, used, 4 * (size_t)self->size.channels);
}

static size_t lay_out(struct convnet_trace *trace, const struct convnet *net) {
    size_t used = 0, widest = 0, scratch = 0;
    for (uint32_t layer = 0; layer < net->layer_count; layer++) {
        lay_out_layer(trace, net, layer, &used);
        size_t count = (size_t)trace->batch_max * convnet_size_count(&net->layers[layer].size);
        widest = count > widest ? count : widest;
        if (net->layers[layer].kind == CONVNET_CONV) {
            struct conv shape = convnet_conv_shape(net, layer);
            count = conv_scratch_count(&shape, trace->batch_max);
            scratch = count > scratch ? count : scratch;
        }
    }
    trace->scratch = take(trace->block, &used, scratch);
    trace->gradients[0] = take(trace->block, &used, widest);
    trace->gradients[1] = take(trace->block, &used, widest);
    trace->output_gradient =
        take(trace->block, &used, (size_t)trace->batch_max * convnet_size_count(convnet_output(net)));
    return used;
}

enum status convnet_trace_open(struct convnet_trace *trace, const struct convnet *net, uint32_t batch_max) {
    *trace = (struct convnet_trace){.batch_max = batch_max};
    assert(batch_max >= 1 && net->layer_count >= 1);
    size_t bytes = lay_out(trace, net) * sizeof(real);
    trace->block = aligned_alloc(ALIGNMENT, bytes);
    if (trace->block == NULL)
        return STATUS_MEMORY;
    memset(trace->block, 0, bytes);
    lay_out(trace, net);
    return STATUS_OK;
}

void convnet_trace_close(struct convnet_trace *trace) {
    free(trace->block);
    *trace = (struct convnet_trace){0};
}

/* ---- one layer ---- */

/* What the layers of one pass share. */
struct pass {
    const struct convnet_model *model;
    struct convnet_trace *trace;
    const real *x; /* of the net */
    uint32_t batch;
};

static const real *layer_input(const struct pass *pass, uint32_t layer) {
    while (layer > 0 && pass->trace->values[layer - 1] == NULL)
        layer--; /* a flatten in front */
    return layer == 0 ? pass->x : pass->trace->values[layer - 1];
}

static struct conv_layer conv_of(const struct pass *pass, uint32_t layer) {
    const struct convnet *net = pass->model->net;
    const real *weight = pass->model->parameters + convnet_parameter_offset(net, layer);
    return (struct conv_layer){.shape = convnet_conv_shape(net, layer),
                               .weight = weight,
                               .bias = weight + convnet_weight_count(net, layer),
                               .scratch = pass->trace->scratch};
}

static struct dense dense_of(const struct pass *pass, uint32_t layer) {
    const struct convnet *net = pass->model->net;
    const real *weight = pass->model->parameters + convnet_parameter_offset(net, layer);
    return (struct dense){.in = convnet_layer_input(net, layer)->channels,
                          .out = net->layers[layer].size.channels,
                          .weight = weight,
                          .bias = weight + convnet_weight_count(net, layer)};
}

static struct batch_norm norm_of(const struct pass *pass, uint32_t layer) {
    const struct convnet *net = pass->model->net;
    const real *gamma = pass->model->parameters + convnet_parameter_offset(net, layer);
    size_t channels = net->layers[layer].size.channels;
    real *saved = pass->trace->norms[layer];
    return (struct batch_norm){.channels = channels,
                               .epsilon = BATCH_NORM_EPSILON,
                               .momentum = BATCH_NORM_MOMENTUM,
                               .gamma = gamma,
                               .beta = gamma + channels,
                               .mean = saved,
                               .scale = saved + channels,
                               .training = pass->trace->training};
}

static size_t pixel_rows(const struct pass *pass, const struct convnet_size *size) {
    return (size_t)pass->batch * size->height * size->width;
}

static size_t value_count(const struct pass *pass, uint32_t layer) {
    return pass->batch * convnet_size_count(&pass->model->net->layers[layer].size);
}

static bool relu_follows(const struct convnet *net, uint32_t layer) {
    return layer + 1 < net->layer_count && net->layers[layer + 1].kind == CONVNET_ACTIVATION &&
           net->layers[layer + 1].activation == ACTIVATION_RELU;
}

/* ---- forward ---- */

static void forward_norm(const struct pass *pass, uint32_t layer, const real *x, real *y) {
    struct batch_norm norm = norm_of(pass, layer);
    size_t rows = pixel_rows(pass, &pass->model->net->layers[layer].size);
    real *running = pass->model->statistics + convnet_statistic_offset(pass->model->net, layer);
    real *pair[2] = {running, running + norm.channels};
    if (norm.training)
        batch_norm_train(&norm, x, rows, pair, y);
    else
        batch_norm_evaluate(&norm, x, rows, (const real *const[2]){pair[0], pair[1]}, y);
}

static void forward_layer(const struct pass *pass, uint32_t layer) {
    const struct convnet *net = pass->model->net;
    const struct convnet_layer *self = &net->layers[layer];
    const real *x = layer_input(pass, layer);
    real *y = pass->trace->values[layer];
    switch (self->kind) {
    case CONVNET_CONV: {
        struct conv_layer conv = conv_of(pass, layer);
        conv_forward(&conv, x, pass->batch, relu_follows(net, layer), y);
        return;
    }
    case CONVNET_BATCH_NORM:
        forward_norm(pass, layer, x, y);
        return;
    case CONVNET_ACTIVATION:
        if (layer == 0 || net->layers[layer - 1].kind != CONVNET_CONV || self->activation != ACTIVATION_RELU)
            activation_forward(self->activation, x, value_count(pass, layer), y);
        return;
    case CONVNET_POOL: {
        struct pool pool = convnet_pool_shape(net, layer);
        pool_forward(&pool, x, pass->batch, y);
        return;
    }
    case CONVNET_DENSE: {
        struct dense dense = dense_of(pass, layer);
        dense_forward(&dense, x, pass->batch, y);
        return;
    }
    case CONVNET_FLATTEN:
    case CONVNET_KIND_COUNT:
        return;
    }
}

static const real *forward(const struct pass *pass, bool training) {
    uint32_t layers = pass->model->net->layer_count;
    assert(pass->batch >= 1 && pass->batch <= pass->trace->batch_max);
    pass->trace->training = training;
    for (uint32_t layer = 0; layer < layers; layer++)
        forward_layer(pass, layer);
    return layer_input(pass, layers);
}

const real *convnet_forward(const struct convnet_model *model, const real *x, uint32_t batch,
                            struct convnet_trace *trace) {
    return forward(&(struct pass){.model = model, .trace = trace, .x = x, .batch = batch}, false);
}

const real *convnet_forward_training(const struct convnet_model *model, const real *x, uint32_t batch,
                                     struct convnet_trace *trace) {
    return forward(&(struct pass){.model = model, .trace = trace, .x = x, .batch = batch}, true);
}

/* ---- backward ---- */

/* Each of these: dy of the layer -> its gradients (NULL: not wanted) and dx (NULL: not wanted). */

static void backward_conv(const struct pass *pass, uint32_t layer, const real *dy, real *gradients,
                          real *dx) {
    struct conv_layer conv = conv_of(pass, layer);
    if (gradients != NULL)
        conv_backward_weight(&conv, layer_input(pass, layer), dy, pass->batch, gradients,
                             gradients + conv_weight_count(&conv.shape));
    if (dx != NULL)
        conv_backward_input(&conv, dy, pass->batch, dx);
}

static void backward_norm(const struct pass *pass, uint32_t layer, const real *dy, real *gradients,
                          real *dx) {
    struct batch_norm norm = norm_of(pass, layer);
    real *own = gradients != NULL ? gradients : norm.scale + norm.channels;
    struct batch_norm_pass with = {.x = layer_input(pass, layer),
                                   .rows = pixel_rows(pass, &pass->model->net->layers[layer].size),
                                   .dgamma = own,
                                   .dbeta = own + norm.channels};
    batch_norm_backward(&norm, &with, dy, dx);
}

static void backward_dense(const struct pass *pass, uint32_t layer, const real *dy, real *gradients,
                           real *dx) {
    struct dense dense = dense_of(pass, layer);
    struct dense_gradients wanted = {0};
    wanted.weight = gradients;
    wanted.bias = gradients != NULL ? gradients + dense.in * dense.out : NULL;
    wanted.x = dx;
    dense_backward(&dense, layer_input(pass, layer), dy, pass->batch, &wanted);
}

static void backward_layer(const struct pass *pass, uint32_t layer, const real *dy, real *gradients,
                           real *dx) {
    const struct convnet *net = pass->model->net;
    switch (net->layers[layer].kind) {
    case CONVNET_CONV:
        backward_conv(pass, layer, dy, gradients, dx);
        return;
    case CONVNET_BATCH_NORM:
        backward_norm(pass, layer, dy, gradients, dx);
        return;
    case CONVNET_DENSE:
        backward_dense(pass, layer, dy, gradients, dx);
        return;
    case CONVNET_ACTIVATION:
        activation_backward(net->layers[layer].activation, pass->trace->values[layer], dy,
                            value_count(pass, layer), dx);
        return;
    case CONVNET_POOL: {
        struct pool pool = convnet_pool_shape(net, layer);
        struct pool_pass with = {layer_input(pass, layer), pass->trace->values[layer], pass->batch};
        pool_backward(&pool, &with, dy, dx);
        return;
    }
    case CONVNET_FLATTEN:
        assert(dx != NULL); /* it has no parameters, so somebody below wants this */
        memmove(dx, dy, value_count(pass, layer) * sizeof *dx);
        return;
    case CONVNET_KIND_COUNT:
        return;
    }
}

static uint32_t first_with_parameters(const struct convnet *net) {
    uint32_t layer = 0;
    while (layer < net->layer_count && convnet_layer_parameter_count(net, layer) == 0)
        layer++;
    return layer;
}

/* Layers that need not move their gradient: a flatten, and an activation when the memory is ours. */
static real *backward_target(const struct pass *pass, uint32_t layer, real *current) {
    enum convnet_kind kind = pass->model->net->layers[layer].kind;
    if (current != NULL && (kind == CONVNET_ACTIVATION || kind == CONVNET_FLATTEN))
        return current;
    return current == pass->trace->gradients[0] ? pass->trace->gradients[1] : pass->trace->gradients[0];
}

void convnet_backward(const struct convnet_model *model, const real *x, const real *dy, uint32_t batch,
                      struct convnet_trace *trace, const struct convnet_gradients *gradients) {
    struct pass pass = {.model = model, .trace = trace, .x = x, .batch = batch};
    const struct convnet *net = model->net;
    uint32_t lowest = gradients->x != NULL ? 0 : first_with_parameters(net);
    real *current = NULL; /* the gradient, once it lies in memory of the trace */
    for (uint32_t layer = net->layer_count; layer-- > lowest;) {
        real *own = gradients->parameters;
        own = own != NULL ? own + convnet_parameter_offset(net, layer) : NULL;
        real *to = layer == 0 ? gradients->x : backward_target(&pass, layer, current);
        if (layer == lowest && gradients->x == NULL)
            to = NULL;
        const real *from = current != NULL ? current : dy;
        if (to != from || net->layers[layer].kind != CONVNET_FLATTEN)
            backward_layer(&pass, layer, from, own, to);
        current = to;
    }
}

/* ---- training ---- */

double convnet_train_step(const struct convnet_trainer *trainer, const real *x, const uint32_t *labels,
                          uint32_t batch) {
    const struct convnet_model *model = &trainer->model;
    struct convnet_trace *trace = trainer->trace;
    size_t classes = convnet_size_count(convnet_output(model->net));
    const real *logits = convnet_forward_training(model, x, batch, trace);
    double loss = loss_cross_entropy(logits, labels, batch, classes, trace->output_gradient);
    convnet_backward(model, x, trace->output_gradient, batch, trace,
                     &(struct convnet_gradients){.parameters = trainer->gradients});
    optimiser_step(trainer->optimiser, model->parameters, trainer->gradients);
    return loss;
}

uint32_t convnet_correct_count(const struct convnet_model *model, const real *x, const uint32_t *labels,
                               uint32_t batch, struct convnet_trace *trace) {
    size_t classes = convnet_size_count(convnet_output(model->net));
    const real *logits = convnet_forward(model, x, batch, trace);
    uint32_t correct = 0;
    for (uint32_t image = 0; image < batch; image++, logits += classes) {
        size_t best = 0;
        for (size_t i = 1; i < classes; i++)
            best = logits[i] > logits[best] ? i : best;
        correct += best == labels[image];
    }
    return correct;
}
