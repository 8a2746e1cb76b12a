/* golden_images: what changes the order of dimensions between files and the learning core. */
#include "cli/golden_images.h"

static const size_t IMAGES_READ[4] = {0, 2, 3, 1}, IMAGES_WRITE[4] = {0, 3, 1, 2}; /* NCHW <-> NHWC */
static const size_t KERNEL_READ[4] = {2, 3, 1, 0}, KERNEL_WRITE[4] = {3, 2, 0, 1}; /* OIHW <-> HWIO */

void golden_permute(const size_t shape[4], const real *from, const size_t order[4], real *to) {
    const size_t steps[4] = {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1};
    size_t at[4];
    for (at[0] = 0; at[0] < shape[order[0]]; at[0]++)
        for (at[1] = 0; at[1] < shape[order[1]]; at[1]++)
            for (at[2] = 0; at[2] < shape[order[2]]; at[2]++)
                for (at[3] = 0; at[3] < shape[order[3]]; at[3]++)
                    *to++ = from[at[0] * steps[order[0]] + at[1] * steps[order[1]] + at[2] * steps[order[2]] +
                                 at[3] * steps[order[3]]];
}

static struct golden_tensor read_permuted(struct golden *golden, struct golden_node node,
                                          const size_t order[4]) {
    struct golden_tensor tensor = golden_tensor(golden, node, NULL);
    if (!golden->failed && (tensor.rank != 4 || tensor.count == 0))
        golden_refuse(golden, node, "expected four dimensions");
    real *permuted = golden_room(golden, tensor.count);
    if (!golden->failed)
        golden_permute(tensor.shape, tensor.data, order, permuted);
    tensor.data = permuted;
    return tensor;
}

struct golden_tensor golden_read_images(struct golden *golden, struct golden_node node, const char *key) {
    return read_permuted(golden, golden_get(golden, node, key), IMAGES_READ);
}

struct golden_tensor golden_read_kernel(struct golden *golden, struct golden_node node, const char *key) {
    return read_permuted(golden, golden_get(golden, node, key), KERNEL_READ);
}

static void expect_permuted(struct golden *golden, struct golden_node node, const real *got,
                            const size_t shape[4], const size_t order[4]) {
    size_t count = shape[0] * shape[1] * shape[2] * shape[3];
    real *permuted = golden_room(golden, count);
    golden_permute(shape, got, order, permuted);
    golden_expect(golden, node, NULL, permuted, count);
}

void golden_expect_images(struct golden *golden, struct golden_node node, const char *key, const real *got,
                          const size_t shape[4]) {
    const size_t own[4] = {shape[0], shape[2], shape[3], shape[1]};
    expect_permuted(golden, golden_get(golden, node, key), got, own, IMAGES_WRITE);
}

void golden_expect_kernel(struct golden *golden, struct golden_node node, const char *key, const real *got,
                          const size_t shape[4]) {
    const size_t own[4] = {shape[2], shape[3], shape[1], shape[0]};
    expect_permuted(golden, golden_get(golden, node, key), got, own, KERNEL_WRITE);
}

struct conv golden_conv_of(struct golden *golden, struct golden_node node, const struct golden_tensor *images,
                           const struct golden_tensor *kernel, const size_t stride_padding[2]) {
    static const struct conv placeholder = {1, 1, 1, 1, 1, 1, 0};
    size_t side = kernel->shape[2], stride = stride_padding[0], padding = stride_padding[1];
    if (golden->failed)
        return placeholder;
    if (kernel->shape[3] != side || images->shape[1] != kernel->shape[1] || stride < 1 || padding >= side ||
        images->shape[2] + 2 * padding < side || images->shape[3] + 2 * padding < side) {
        golden_refuse(golden, node, "the kernel does not fit the images");
        return placeholder;
    }
    return (struct conv){.height = (uint32_t)images->shape[2],
                         .width = (uint32_t)images->shape[3],
                         .in = (uint32_t)images->shape[1],
                         .out = (uint32_t)kernel->shape[0],
                         .kernel = (uint32_t)side,
                         .stride = (uint32_t)stride,
                         .padding = (uint32_t)padding};
}

real *golden_conv_scratch(struct golden *golden, const struct conv *conv, size_t batch) {
    return golden_room(golden, conv_scratch_count(conv, (uint32_t)batch));
}
