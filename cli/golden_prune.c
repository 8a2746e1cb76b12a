/* golden_prune: L1 norms, the filters that stay, and two convolutions with and without the others. */
#include <string.h>

#include "cli/golden_checks.h"
#include "cli/golden_images.h"
#include "common/learn/convnet_pass.h"
#include "common/learn/prune.h"

#define KERNEL_MAX 15

struct prune_case {
    struct golden_tensor x, kernels[2];
    struct convnet net;
    real *parameters;
    size_t shape[4]; /* of the output, as in the file */
};

/* Appends a convolution that keeps the size of the image, and its parameters at `to`. */
static real *add_conv(struct prune_case *one, const struct golden_tensor *kernel, const real *bias,
                      real *to) {
    convnet_add_conv(&one->net, (uint32_t)kernel->shape[0], (uint32_t)kernel->shape[2], 1,
                     (uint32_t)kernel->shape[2] / 2);
    memcpy(to, kernel->data, kernel->count * sizeof *to);
    memcpy(to + kernel->count, bias, kernel->shape[0] * sizeof *to);
    return to + kernel->count + kernel->shape[0];
}

static void open_case(struct golden *golden, struct golden_node node, struct prune_case *one) {
    static const char *const names[2] = {"W1", "W2"}, *const biases[2] = {"b1", "b2"};
    *one = (struct prune_case){.x = golden_read_images(golden, node, "x")};
    size_t channels = one->x.shape[1], count = 0;
    for (size_t i = 0; i < 2; i++) {
        const size_t *shape = one->kernels[i].shape;
        one->kernels[i] = golden_read_kernel(golden, node, names[i]);
        if (!golden->failed &&
            (shape[1] != channels || shape[2] != shape[3] || shape[2] % 2 == 0 || shape[2] > KERNEL_MAX))
            golden_refuse(golden, golden_get(golden, node, names[i]),
                          "this kernel does not fit what it is given");
        channels = shape[0];
        count += one->kernels[i].count + channels;
    }
    if (golden->failed)
        return;
    real *to = one->parameters = golden_room(golden, count);
    one->net = convnet_of((uint32_t)one->x.shape[2], (uint32_t)one->x.shape[3], (uint32_t)one->x.shape[1]);
    for (size_t i = 0; i < 2; i++) {
        to = add_conv(one, &one->kernels[i], golden_reals(golden, node, biases[i], one->kernels[i].shape[0]),
                      to);
        if (i == 0)
            convnet_add_activation(&one->net, ACTIVATION_RELU);
    }
    memcpy(one->shape, one->x.shape, sizeof one->shape);
    one->shape[1] = channels;
}

static void expect_output(struct golden *golden, struct golden_node node, const struct prune_case *one,
                          const struct convnet_model *model) {
    struct convnet_trace trace;
    if (golden->failed)
        return;
    if (convnet_trace_open(&trace, model->net, (uint32_t)one->shape[0]) != STATUS_OK) {
        golden_refuse(golden, node, "no memory for %zu images", one->shape[0]);
        return;
    }
    const real *y = convnet_forward(model, one->x.data, (uint32_t)one->shape[0], &trace);
    golden_expect_images(golden, node, NULL, y, one->shape);
    convnet_trace_close(&trace);
}

/* Sliced and masked nets must both give what the file says. */
static void check_pruned(struct golden *golden, struct golden_node node, const struct prune_case *one,
                         const struct prune_plan *plan) {
    struct convnet sliced = prune_slice_shape(plan, &one->net);
    real *parameters = golden_room(golden, convnet_parameter_count(&sliced));
    prune_slice(plan, &one->net, &(struct prune_block){one->parameters, parameters}, NULL);
    expect_output(golden, node, one, &(struct convnet_model){.net = &sliced, .parameters = parameters});
    prune_mask(plan, &one->net, one->parameters);
    expect_output(golden, node, one,
                  &(struct convnet_model){.net = &one->net, .parameters = one->parameters});
}

static void check_plan(struct golden *golden, struct golden_node node, const struct prune_case *one,
                       struct prune_plan *plan) {
    size_t filters = one->kernels[0].shape[0], at = 0;
    size_t keep = golden_length(golden, golden_get(golden, node, "keep"));
    real *norms = golden_room(golden, filters);
    uint32_t *kept = arena_alloc_array(&golden->arena, filters, sizeof *kept);
    prune_norms(one->parameters, one->kernels[0].count, filters, norms);
    golden_expect(golden, node, "l1", norms, filters);
    if (!golden->failed && (keep < 1 || keep > filters))
        golden_refuse(golden, golden_get(golden, node, "keep"), "expected 1 to %zu filters", filters);
    if (golden->failed)
        return;
    prune_keep_largest(norms, filters, keep, plan->kept[0]);
    for (uint32_t i = 0; i < filters; i++)
        if (plan->kept[0][i])
            kept[at++] = i;
    golden_expect_indices(golden, node, "keep", kept, keep);
    check_pruned(golden, golden_get(golden, node, "y_pruned"), one, plan);
}

void golden_check_prune(struct golden *golden, struct golden_node root) {
    struct prune_case one;
    open_case(golden, root, &one);
    if (golden->failed)
        return;
    expect_output(golden, golden_get(golden, root, "y_unpruned"), &one,
                  &(struct convnet_model){.net = &one.net, .parameters = one.parameters});
    struct prune_plan plan;
    if (prune_plan_open(&plan, &one.net) == STATUS_OK)
        check_plan(golden, root, &one, &plan);
    else
        golden_refuse(golden, root, "no memory for a plan");
    prune_plan_close(&plan);
}
