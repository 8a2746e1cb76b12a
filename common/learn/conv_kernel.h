/* conv_kernel: the two inner products of a convolution, over patches that lie in a padded image.
 *
 * Both work on tiles that fit in registers: a few positions (or a few rows of the weight) times one or two
 * vectors of filters. Internal to conv.c. */
#ifndef TIERBED_LEARN_CONV_KERNEL_H
#define TIERBED_LEARN_CONV_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/learn/real.h"
#include "common/learn/vector.h"

/* A group of padded images and where patches begin in it. All borrowed. */
struct conv_patches {
    const real *images;
    const uint32_t *offsets; /* [positions]: first element of each patch */
    size_t positions;
    uint32_t kernel; /* rows of a patch */
    size_t depth;    /* contiguous elements of one row of a patch: kernel x channels */
    size_t row_step; /* from one row of a patch to the next */
};

static inline size_t conv_round_up(size_t count) {
    return (count + VECTOR_WIDTH - 1) / VECTOR_WIDTH * VECTOR_WIDTH;
}

/* Filters in the panel that begins at filter `first` of `out`, in memory: two vectors, or one for the rest.
 */
static inline size_t conv_panel_width(size_t out, size_t first) {
    return out - first > VECTOR_WIDTH ? 2 * VECTOR_WIDTH : VECTOR_WIDTH;
}

/* y [positions][out] = patches x weight + bias (NULL: 0), then max(., 0) with `relu`. `packed`: the weight
 * panel after panel, each [kernel depth][panel width], zeros behind the last filter; conv_round_up(out) x
 * kernel depth reals. */
struct conv_product {
    struct conv_patches patches;
    const real *packed, *bias;
    size_t out;
    bool relu;
};
void conv_product(const struct conv_product *product, real *y);

/* gradient [kernel depth][out] += patches transposed x dy, dy [positions][dy_step] with dy_step >=
 * conv_round_up(out). */
void conv_product_transposed(const struct conv_patches *patches, const real *dy, size_t dy_step, size_t out,
                             real *gradient);

#endif
