/* golden_images: images and convolution weights, which golden files hold as [batch][channels][height][width]
 * and [out][in][kernel][kernel], in the order of the learning core: channels last, filters last. */
#ifndef TIERBED_CLI_GOLDEN_IMAGES_H
#define TIERBED_CLI_GOLDEN_IMAGES_H

#include "cli/golden.h"
#include "common/learn/conv.h"

/* to: `from` of four dimensions with dimension order[i] of it as the i-th. */
void golden_permute(const size_t shape[4], const real *from, const size_t order[4], real *to);

/* Both keep the shape as in the file; rank 4 and no dimension 0 is asked for. */
struct golden_tensor golden_read_images(struct golden *golden, struct golden_node node, const char *key);
struct golden_tensor golden_read_kernel(struct golden *golden, struct golden_node node, const char *key);

/* got [batch][height][width][channels], and [kernel][kernel][in][out]; shape as in the file. */
void golden_expect_images(struct golden *golden, struct golden_node node, const char *key, const real *got,
                          const size_t shape[4]);
void golden_expect_kernel(struct golden *golden, struct golden_node node, const char *key, const real *got,
                          const size_t shape[4]);

/* The convolution of images with a square kernel that fits them. */
struct conv golden_conv_of(struct golden *golden, struct golden_node node, const struct golden_tensor *images,
                           const struct golden_tensor *kernel, const size_t stride_padding[2]);

/* Zeros enough for the scratch of a convolution. */
real *golden_conv_scratch(struct golden *golden, const struct conv *conv, size_t batch);

#endif
