/* golden_dense: dense layers with every activation, a whole perceptron, and log-softmax of large logits. */
#include <string.h>

#include "cli/golden_checks.h"
#include "common/learn/activation.h"
#include "common/learn/dense.h"
#include "common/learn/loss.h"
#include "common/learn/mlp.h"
#include "common/learn/softmax.h"

/* As the files call them. */
static const struct {
    const char *name;
    enum activation kind;
} activations[] = {
    {"none", ACTIVATION_NONE}, {"relu", ACTIVATION_RELU},       {"leaky0.01", ACTIVATION_LEAKY_RELU},
    {"tanh", ACTIVATION_TANH}, {"sigmoid", ACTIVATION_SIGMOID}, {"softplus", ACTIVATION_SOFTPLUS},
};

static enum activation activation_named(struct golden *golden, struct golden_node node) {
    const char *name = golden_text(golden, node, "act");
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (strcmp(activations[i].name, name) == 0)
            return activations[i].kind;
    golden_refuse(golden, golden_get(golden, node, "act"), "unknown activation '%s'", name);
    return ACTIVATION_NONE;
}

struct layer_case {
    struct golden_tensor x, weight;
    size_t rows, in, out;
    struct dense dense;
    real *dy, *y, *dz;
};

static void forward(struct golden *golden, struct golden_node node, struct layer_case *one) {
    const char *name = golden_text(golden, node, "act");
    dense_forward(&one->dense, one->x.data, one->rows, one->y);
    if (strcmp(name, "softmax") == 0) {
        softmax_forward(one->y, one->rows, one->out, one->y);
        softmax_backward(one->y, one->dy, one->rows, one->out, one->dz);
    } else if (strcmp(name, "log_softmax") == 0) {
        log_softmax_forward(one->y, one->rows, one->out, one->y);
        log_softmax_backward(one->y, one->dy, one->rows, one->out, one->dz);
    } else {
        enum activation kind = activation_named(golden, node);
        activation_forward(kind, one->y, one->rows * one->out, one->y);
        activation_backward(kind, one->y, one->dy, one->rows * one->out, one->dz);
    }
}

static void check_layer(struct golden *golden, struct golden_node node) {
    struct layer_case one = {.x = golden_tensor(golden, node, "x"),
                             .weight = golden_tensor(golden, node, "W_out_in")};
    if (!golden->failed && (one.x.rank != 2 || one.weight.rank != 2 || one.x.shape[1] != one.weight.shape[1]))
        golden_refuse(golden, node, "expected x [rows][in] and W_out_in [out][in]");
    if (golden->failed)
        return;
    one.rows = one.x.shape[0], one.in = one.x.shape[1], one.out = one.weight.shape[0];
    one.dense = (struct dense){.in = one.in,
                               .out = one.out,
                               .weight = golden_weight(golden, node, "W_out_in", one.in, one.out),
                               .bias = golden_reals(golden, node, "b", one.out)};
    one.dy = golden_reals(golden, node, "dy", one.rows * one.out);
    one.y = golden_room(golden, one.rows * one.out);
    one.dz = golden_room(golden, one.rows * one.out);
    struct dense_gradients gradients = {.weight = golden_room(golden, one.in * one.out),
                                        .bias = golden_room(golden, one.out),
                                        .x = golden_room(golden, one.x.count)};
    if (golden->failed || one.x.count == 0 || one.out == 0)
        return;
    forward(golden, node, &one);
    dense_backward(&one.dense, one.x.data, one.dz, one.rows, &gradients);
    golden_expect(golden, node, "y", one.y, one.rows * one.out);
    golden_expect(golden, node, "dx", gradients.x, one.x.count);
    golden_expect_weight(golden, node, "dW", gradients.weight, one.in, one.out);
    golden_expect(golden, node, "db", gradients.bias, one.out);
}

/* The perceptron that `dims` and `act` describe, linear at its end. */
static struct mlp read_mlp(struct golden *golden, struct golden_node node) {
    struct golden_node dims = golden_get(golden, node, "dims");
    size_t count = golden_length(golden, dims);
    uint32_t sizes[MLP_LAYERS_MAX + 1] = {0};
    if (!golden->failed && (count < 2 || count > MLP_LAYERS_MAX + 1))
        golden_refuse(golden, dims, "expected 2 to %d sizes", MLP_LAYERS_MAX + 1);
    for (size_t i = 0; i < count && !golden->failed; i++) {
        sizes[i] = (uint32_t)golden_count(golden, golden_at(golden, dims, i), NULL, 10000);
        if (sizes[i] == 0)
            golden_refuse(golden, golden_at(golden, dims, i), "expected a size of at least 1");
    }
    enum activation hidden = activation_named(golden, node);
    if (golden->failed) /* a placeholder */
        return mlp_of((const uint32_t[]){1, 1}, 1, ACTIVATION_NONE, ACTIVATION_NONE);
    return mlp_of(sizes, (uint32_t)count - 1, hidden, ACTIVATION_NONE);
}

static void read_parameters(struct golden *golden, struct golden_node node, const struct mlp *mlp,
                            real *parameters) {
    for (uint32_t layer = 0; layer < mlp->layer_count; layer++) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
        real *at = parameters + mlp_layer_offset(mlp, layer);
        const real *weight =
            golden_weight(golden, golden_at(golden, golden_get(golden, node, "W"), layer), NULL, in, out);
        const real *bias =
            golden_reals(golden, golden_at(golden, golden_get(golden, node, "b"), layer), NULL, out);
        memcpy(at, weight, in * out * sizeof *at);
        memcpy(at + in * out, bias, out * sizeof *at);
    }
}

static void expect_gradients(struct golden *golden, struct golden_node node, const struct mlp *mlp,
                             const real *gradients) {
    struct golden_node weights = golden_get(golden, node, "dW"), biases = golden_get(golden, node, "db");
    for (uint32_t layer = 0; layer < mlp->layer_count; layer++) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
        const real *at = gradients + mlp_layer_offset(mlp, layer);
        golden_expect_weight(golden, golden_at(golden, weights, layer), NULL, at, in, out);
        golden_expect(golden, golden_at(golden, biases, layer), NULL, at + in * out, out);
    }
}

static void check_mlp(struct golden *golden, struct golden_node node) {
    struct mlp mlp = read_mlp(golden, node);
    struct golden_tensor x = golden_tensor(golden, node, "x");
    if (!golden->failed && (x.rank != 2 || x.shape[1] != mlp.sizes[0] || x.count == 0))
        golden_refuse(golden, golden_get(golden, node, "x"), "expected rows of %u values", mlp.sizes[0]);
    if (golden->failed)
        return;
    size_t rows = x.shape[0], out = mlp_output_size(&mlp), count = mlp_parameter_count(&mlp);
    real *parameters = golden_room(golden, count), *gradients = golden_room(golden, count);
    real *dy = golden_room(golden, rows * out), *dx = golden_room(golden, x.count);
    const real *target = golden_reals(golden, node, "target", rows * out);
    read_parameters(golden, node, &mlp, parameters);
    struct mlp_trace trace = {0};
    if (!golden->failed && mlp_trace_open(&trace, &mlp, (uint32_t)rows) != STATUS_OK)
        golden_refuse(golden, node, "no memory for %zu rows", rows);
    if (golden->failed)
        return;
    const real *y = mlp_forward(&mlp, parameters, x.data, (uint32_t)rows, &trace);
    golden_expect(golden, node, "y", y, rows * out);
    golden_expect_number(golden, node, "loss", loss_mean_squared(y, target, rows * out, dy));
    mlp_backward(&mlp, parameters, x.data, dy, (uint32_t)rows, &trace, gradients, dx);
    golden_expect(golden, node, "dx", dx, x.count);
    expect_gradients(golden, node, &mlp, gradients);
    mlp_trace_close(&trace);
}

static void check_softmax(struct golden *golden, struct golden_node node) {
    struct golden_tensor x = golden_tensor(golden, node, "x");
    if (!golden->failed && (x.rank != 2 || x.count == 0))
        golden_refuse(golden, golden_get(golden, node, "x"), "expected rows");
    if (golden->failed)
        return;
    size_t rows = x.shape[0], width = x.shape[1];
    const uint32_t *labels = golden_indices(golden, node, "labels", rows, width);
    real *y = golden_room(golden, x.count), *dx = golden_room(golden, x.count);
    log_softmax_forward(x.data, rows, width, y);
    golden_expect(golden, node, "log_softmax", y, x.count);
    golden_expect_number(golden, node, "ce_mean", loss_cross_entropy(x.data, labels, rows, width, dx));
    golden_expect(golden, node, "dx", dx, x.count);
}

void golden_check_dense(struct golden *golden, struct golden_node root) {
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_layer(golden, golden_at(golden, cases, i));
    check_mlp(golden, golden_get(golden, root, "mlp"));
    check_softmax(golden, golden_get(golden, root, "stable_softmax"));
}
