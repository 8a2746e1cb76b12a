/* conv: two-dimensional convolution (cross-correlation: the kernel is not flipped) of whole batches.
 *
 * Images lie [batch][height][width][channels]. A weight lies [kernel][kernel][in][out], which is the matrix
 * [kernel kernel in][out] of a dense layer over patches; a bias is [out]. Patches are never copied out: in
 * this layout one row of a patch is contiguous in the padded image, so the inner product runs over the image
 * itself. Each output is one sum in the order (row, column, channel) of the kernel, whatever the batch;
 * weight gradients are summed position after position within a group of images, then group after group. */
#ifndef TIERBED_LEARN_CONV_H
#define TIERBED_LEARN_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/learn/real.h"

struct conv {
    uint32_t height, width, in; /* of the input */
    uint32_t out;               /* filters */
    uint32_t kernel;            /* side, >= 1 */
    uint32_t stride;            /* >= 1 */
    uint32_t padding;           /* zeros on each side, < kernel */
};

static inline uint32_t conv_out_height(const struct conv *conv) {
    return (conv->height + 2 * conv->padding - conv->kernel) / conv->stride + 1;
}
static inline uint32_t conv_out_width(const struct conv *conv) {
    return (conv->width + 2 * conv->padding - conv->kernel) / conv->stride + 1;
}
static inline size_t conv_weight_count(const struct conv *conv) {
    return (size_t)conv->kernel * conv->kernel * conv->in * conv->out;
}

/* Reals of scratch that any of the functions below needs for batches of up to batch_max. */
size_t conv_scratch_count(const struct conv *conv, uint32_t batch_max);

/* Weight and bias borrowed; scratch: conv_scratch_count reals, content meaningless between calls. */
struct conv_layer {
    struct conv shape;
    const real *weight, *bias;
    real *scratch;
};

/* y [batch][out height][out width][out] = x * weight + bias, followed by max(., 0) with `relu`. */
void conv_forward(const struct conv_layer *layer, const real *x, uint32_t batch, bool relu, real *y);

/* From dy (as y): weight_gradient and bias_gradient, overwritten. */
void conv_backward_weight(const struct conv_layer *layer, const real *x, const real *dy, uint32_t batch,
                          real *weight_gradient, real *bias_gradient);

/* From dy (as y): dx [batch][height][width][in], overwritten. */
void conv_backward_input(const struct conv_layer *layer, const real *dy, uint32_t batch, real *dx);

#endif
