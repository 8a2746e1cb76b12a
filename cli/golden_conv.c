/* golden_conv: convolution, ReLU and pooling in a row, batch normalisation, ties of pooling, and a whole net.
 */
#include <string.h>

#include "cli/golden_checks.h"
#include "cli/golden_images.h"
#include "common/learn/batch_norm.h"
#include "common/learn/convnet_pass.h"
#include "common/learn/loss.h"
#include "common/learn/pool.h"

#define SIDE_MAX 64 /* of strides and paddings */

/* ---- convolution, ReLU, pooling ---- */

struct conv_case {
    struct golden_tensor x, kernel;
    struct conv_layer layer;
    size_t batch, conv_shape[4], pool_shape[4]; /* as in the file */
    real *y, *pooled, *dpool, *dy;
};

static size_t count_of(const size_t shape[4]) {
    return shape[0] * shape[1] * shape[2] * shape[3];
}

static struct pool pool_of(const size_t shape[4]) {
    return (struct pool){(uint32_t)shape[2], (uint32_t)shape[3], (uint32_t)shape[1]};
}

static void open_case(struct golden *golden, struct golden_node node, struct conv_case *one) {
    *one = (struct conv_case){.x = golden_read_images(golden, node, "x"),
                              .kernel = golden_read_kernel(golden, node, "W")};
    const size_t steps[2] = {golden_count(golden, node, "stride", SIDE_MAX),
                             golden_count(golden, node, "pad", SIDE_MAX)};
    struct conv conv = golden_conv_of(golden, node, &one->x, &one->kernel, steps);
    size_t conv_shape[4] = {one->x.shape[0], conv.out, conv_out_height(&conv), conv_out_width(&conv)};
    size_t pool_shape[4] = {conv_shape[0], conv.out, conv_shape[2] / 2, conv_shape[3] / 2};
    if (!golden->failed && count_of(pool_shape) == 0)
        golden_refuse(golden, node, "nothing is left to pool");
    memcpy(one->conv_shape, conv_shape, sizeof conv_shape);
    memcpy(one->pool_shape, pool_shape, sizeof pool_shape);
    one->batch = conv_shape[0];
    one->layer = (struct conv_layer){.shape = conv,
                                     .weight = one->kernel.data,
                                     .bias = golden_reals(golden, node, "b", conv.out),
                                     .scratch = golden_conv_scratch(golden, &conv, one->batch)};
    one->y = golden_room(golden, count_of(conv_shape));
    one->dy = golden_room(golden, count_of(conv_shape));
    one->pooled = golden_room(golden, count_of(pool_shape));
}

static void forward_case(struct golden *golden, struct golden_node node, struct conv_case *one) {
    conv_forward(&one->layer, one->x.data, (uint32_t)one->batch, false, one->y);
    golden_expect_images(golden, node, "conv", one->y, one->conv_shape);
    conv_forward(&one->layer, one->x.data, (uint32_t)one->batch, true, one->y);
    golden_expect_images(golden, node, "relu", one->y, one->conv_shape);
    struct pool pool = pool_of(one->conv_shape);
    pool_forward(&pool, one->y, (uint32_t)one->batch, one->pooled);
    golden_expect_images(golden, node, "pool2", one->pooled, one->pool_shape);
}

static void backward_case(struct golden *golden, struct golden_node node, struct conv_case *one) {
    struct golden_tensor dpool = golden_read_images(golden, node, "dpool");
    if (!golden->failed && memcmp(dpool.shape, one->pool_shape, sizeof one->pool_shape) != 0)
        golden_refuse(golden, node, "dpool has not the shape of pool2");
    if (golden->failed)
        return;
    struct pool pool = pool_of(one->conv_shape);
    struct pool_pass pass = {one->y, one->pooled, (uint32_t)one->batch};
    real *dx = golden_room(golden, one->x.count), *weight = golden_room(golden, one->kernel.count);
    real *bias = golden_room(golden, one->layer.shape.out);
    pool_backward(&pool, &pass, dpool.data, one->dy);
    activation_backward(ACTIVATION_RELU, one->y, one->dy, count_of(one->conv_shape), one->dy);
    conv_backward_input(&one->layer, one->dy, (uint32_t)one->batch, dx);
    conv_backward_weight(&one->layer, one->x.data, one->dy, (uint32_t)one->batch, weight, bias);
    golden_expect_images(golden, node, "dx", dx, one->x.shape);
    golden_expect_kernel(golden, node, "dW", weight, one->kernel.shape);
    golden_expect(golden, node, "db", bias, one->layer.shape.out);
}

static void check_case(struct golden *golden, struct golden_node node) {
    struct conv_case one;
    open_case(golden, node, &one);
    if (golden->failed)
        return;
    forward_case(golden, node, &one);
    backward_case(golden, node, &one);
}

/* All pixels of a plane alike: the gradient that arrives is 1 everywhere. */
static void check_ties(struct golden *golden, struct golden_node node) {
    struct golden_tensor x = golden_read_images(golden, node, "x");
    if (!golden->failed && (x.shape[2] < 2 || x.shape[3] < 2))
        golden_refuse(golden, golden_get(golden, node, "x"), "expected at least 2 x 2 pixels");
    if (golden->failed)
        return;
    struct pool pool = pool_of(x.shape);
    size_t count = x.shape[0] * (x.shape[2] / 2) * (x.shape[3] / 2) * x.shape[1];
    real *y = golden_room(golden, count), *dy = golden_room(golden, count),
         *dx = golden_room(golden, x.count);
    for (size_t i = 0; i < count; i++)
        dy[i] = 1;
    pool_forward(&pool, x.data, (uint32_t)x.shape[0], y);
    pool_backward(&pool, &(struct pool_pass){x.data, y, (uint32_t)x.shape[0]}, dy, dx);
    golden_expect_images(golden, node, "dx", dx, x.shape);
}

/* ---- batch normalisation ---- */

static void check_norm(struct golden *golden, struct golden_node node) {
    struct golden_tensor x = golden_read_images(golden, node, "x"),
                         dy = golden_read_images(golden, node, "dy");
    size_t channels = x.shape[1], rows = x.shape[0] * x.shape[2] * x.shape[3];
    if (!golden->failed && (rows < 2 || memcmp(x.shape, dy.shape, sizeof x.shape) != 0))
        golden_refuse(golden, node, "expected x and dy of one shape, at least 2 pixels");
    struct batch_norm norm = {.channels = channels,
                              .epsilon = golden_number(golden, node, "eps"),
                              .momentum = golden_number(golden, node, "momentum"),
                              .gamma = golden_reals(golden, node, "gamma", channels),
                              .beta = golden_reals(golden, node, "beta", channels),
                              .mean = golden_room(golden, channels),
                              .scale = golden_room(golden, channels)};
    if (!golden->failed && !(norm.epsilon > 0))
        golden_refuse(golden, golden_get(golden, node, "eps"), "expected more than 0");
    real *mean = golden_room(golden, channels), *variance = golden_room(golden, channels);
    real *y = golden_room(golden, x.count), *dx = golden_room(golden, x.count);
    struct batch_norm_pass pass = {x.data, rows, golden_room(golden, channels),
                                   golden_room(golden, channels)};
    if (golden->failed)
        return;
    for (size_t i = 0; i < channels; i++)
        variance[i] = 1;
    batch_norm_train(&norm, x.data, rows, (real *[2]){mean, variance}, y);
    golden_expect_images(golden, node, "y_train", y, x.shape);
    batch_norm_backward(&norm, &pass, dy.data, dx);
    golden_expect_images(golden, node, "dx", dx, x.shape);
    golden_expect(golden, node, "dgamma", pass.dgamma, channels);
    golden_expect(golden, node, "dbeta", pass.dbeta, channels);
    golden_expect(golden, node, "running_mean_after", mean, channels);
    golden_expect(golden, node, "running_var_after_unbiased", variance, channels);
    batch_norm_evaluate(&norm, x.data, rows, (const real *const[2]){mean, variance}, y);
    golden_expect_images(golden, node, "y_eval_after", y, x.shape);
}

/* ---- a whole net: (convolution, ReLU, pooling) as often as there are kernels, then dense layers ---- */

struct net_case {
    struct golden_tensor x;
    struct golden_node parameters, gradients; /* lists: weight, bias, weight, bias ... */
    struct convnet net;
    struct convnet_model model;
    real *blocks; /* parameters, then gradients */
};

/* Adds the layer that the weight at `index` of the list is for, and what follows it. */
static void add_layer(struct golden *golden, struct net_case *one, size_t index) {
    struct golden_node node = golden_at(golden, one->parameters, index);
    struct golden_tensor weight = golden_tensor(golden, node, NULL);
    const struct convnet_size *size = convnet_output(&one->net);
    size_t side = weight.shape[2];
    if (golden->failed || weight.count == 0 || one->net.layer_count + 4 > CONVNET_LAYERS_MAX) {
        golden_refuse(golden, node, "expected a weight");
    } else if (weight.rank == 4 && weight.shape[1] == size->channels && side == weight.shape[3] &&
               side % 2 == 1 && side <= 15 && size->height >= 2 && size->width >= 2) {
        convnet_add_conv(&one->net, (uint32_t)weight.shape[0], (uint32_t)side, 1, (uint32_t)side / 2);
        convnet_add_activation(&one->net, ACTIVATION_RELU);
        convnet_add_pool(&one->net);
    } else if (weight.rank == 2 && weight.shape[1] == convnet_size_count(size)) {
        if (size->height * size->width != 1)
            convnet_add_flatten(&one->net);
        convnet_add_dense(&one->net, (uint32_t)weight.shape[0]);
    } else
        golden_refuse(golden, node, "this weight does not fit the layer before");
}

/* A dense weight behind a flatten reads [channels][height][width] in the file and channels last here. */
static void dense_order(const struct convnet *net, uint32_t layer, size_t shape[4]) {
    uint32_t before = layer > 0 && net->layers[layer - 1].kind == CONVNET_FLATTEN ? layer - 1 : layer;
    const struct convnet_size *size = convnet_layer_input(net, before);
    shape[0] = net->layers[layer].size.channels;
    shape[1] = size->channels, shape[2] = size->height, shape[3] = size->width;
}

/* The shape in the file of the weight of a layer with parameters, as four dimensions with the outputs first.
 */
static void weight_shape(const struct convnet *net, uint32_t layer, size_t shape[4]) {
    if (net->layers[layer].kind == CONVNET_DENSE) {
        dense_order(net, layer, shape);
        return;
    }
    shape[0] = net->layers[layer].size.channels;
    shape[1] = convnet_layer_input(net, layer)->channels;
    shape[2] = shape[3] = net->layers[layer].kernel;
}

/* [out][in][height][width], as both kinds of weights are in the file, to rows of outputs. */
static const size_t OUTPUTS_LAST[4] = {2, 3, 1, 0};

static void read_net(struct golden *golden, struct net_case *one) {
    size_t at = 0;
    for (uint32_t layer = 0; layer < one->net.layer_count; layer++) {
        if (convnet_layer_parameter_count(&one->net, layer) == 0)
            continue;
        size_t shape[4], outputs = one->net.layers[layer].size.channels, count;
        weight_shape(&one->net, layer, shape);
        count = count_of(shape);
        real *to = one->blocks + convnet_parameter_offset(&one->net, layer);
        const real *weight = golden_reals(golden, golden_at(golden, one->parameters, at++), NULL, count);
        const real *bias = golden_reals(golden, golden_at(golden, one->parameters, at++), NULL, outputs);
        golden_permute(shape, weight, OUTPUTS_LAST, to);
        memcpy(to + count, bias, outputs * sizeof *to);
    }
}

static void expect_net(struct golden *golden, struct net_case *one) {
    const real *gradients = one->blocks + convnet_parameter_count(&one->net);
    size_t at = 0;
    for (uint32_t layer = 0; layer < one->net.layer_count; layer++) {
        if (convnet_layer_parameter_count(&one->net, layer) == 0)
            continue;
        size_t shape[4];
        weight_shape(&one->net, layer, shape);
        const real *from = gradients + convnet_parameter_offset(&one->net, layer);
        golden_expect_kernel(golden, golden_at(golden, one->gradients, at++), NULL, from, shape);
        golden_expect(golden, golden_at(golden, one->gradients, at++), NULL, from + count_of(shape),
                      shape[0]);
    }
}

static void open_net(struct golden *golden, struct golden_node node, struct net_case *one) {
    *one = (struct net_case){.x = golden_read_images(golden, node, "x"),
                             .parameters = golden_get(golden, node, "params"),
                             .gradients = golden_get(golden, node, "grads")};
    if (golden->failed)
        return;
    const size_t *shape = one->x.shape;
    one->net = convnet_of((uint32_t)shape[2], (uint32_t)shape[3], (uint32_t)shape[1]);
    for (size_t i = 0; i < golden_length(golden, one->parameters) && !golden->failed; i += 2)
        add_layer(golden, one, i);
    if (!golden->failed && one->net.layer_count == 0)
        golden_refuse(golden, one->parameters, "expected a layer");
    if (golden->failed)
        return;
    one->blocks = golden_room(golden, 2 * convnet_parameter_count(&one->net));
    read_net(golden, one);
    one->model = (struct convnet_model){.net = &one->net, .parameters = one->blocks};
}

static void check_net(struct golden *golden, struct golden_node node) {
    struct net_case one;
    struct convnet_trace trace = {0};
    open_net(golden, node, &one);
    if (golden->failed)
        return;
    uint32_t batch = (uint32_t)one.x.shape[0];
    size_t classes = convnet_size_count(convnet_output(&one.net));
    const uint32_t *labels = golden_indices(golden, node, "labels", batch, classes);
    if (!golden->failed && convnet_trace_open(&trace, &one.net, batch) != STATUS_OK)
        golden_refuse(golden, node, "no memory for %u images", batch);
    if (golden->failed)
        return;
    const real *logits = convnet_forward_training(&one.model, one.x.data, batch, &trace);
    golden_expect(golden, node, "logits", logits, batch * classes);
    golden_expect_number(golden, node, "loss",
                         loss_cross_entropy(logits, labels, batch, classes, trace.output_gradient));
    struct convnet_gradients gradients = {.parameters = one.blocks + convnet_parameter_count(&one.net)};
    convnet_backward(&one.model, one.x.data, trace.output_gradient, batch, &trace, &gradients);
    expect_net(golden, &one);
    convnet_trace_close(&trace);
}

void golden_check_conv(struct golden *golden, struct golden_node root) {
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_case(golden, golden_at(golden, cases, i));
    check_ties(golden, golden_get(golden, root, "pool_ties"));
    check_norm(golden, golden_get(golden, root, "batchnorm"));
    check_net(golden, golden_get(golden, root, "cnn"));
}
