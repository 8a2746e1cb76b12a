/* convnet: a chain of convolutions, poolings, normalisations and dense layers over one flat block of
 * parameters.
 *
 * As struct mlp, the struct is plain and says shapes only; parameters, gradients and running statistics are
 * arrays of the caller. Images lie [batch][height][width][channels]. Parameters lie layer after layer:
 * convolution weight [kernel][kernel][in][out] and bias [out]; batch normalisation gamma and beta [channels];
 * dense weight [in][out] and bias [out]. Running statistics lie likewise: mean and variance [channels] of
 * each batch normalisation. Activations of a pass lie in a trace (convnet_pass.h). */
#ifndef TIERBED_LEARN_CONVNET_H
#define TIERBED_LEARN_CONVNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/activation.h"
#include "common/learn/conv.h"
#include "common/learn/initialiser.h"
#include "common/learn/pool.h"
#include "common/learn/real.h"

#define CONVNET_LAYERS_MAX 64
#define CONVNET_SIZE_MAX                                                                                     \
    65536 /* of each side, channel count and dense layer; a kernel has a side of at most 15 */
#define CONVNET_COUNT_MAX (1u << 30) /* parameters of a layer, and numbers of one image in it */

enum convnet_kind {
    CONVNET_CONV = 0,
    CONVNET_BATCH_NORM,
    CONVNET_ACTIVATION,
    CONVNET_POOL, /* largest of 2 x 2 */
    CONVNET_FLATTEN,
    CONVNET_DENSE,
    CONVNET_KIND_COUNT
};

struct convnet_size {
    uint32_t height, width, channels; /* after flatten 1, 1, length */
};

struct convnet_layer {
    enum convnet_kind kind;
    struct convnet_size size;         /* of its output */
    uint32_t kernel, stride, padding; /* of a convolution, else 0 */
    enum activation activation;       /* of an activation, else none */
};

struct convnet {
    struct convnet_size input;
    uint32_t layer_count;
    struct convnet_layer layers[CONVNET_LAYERS_MAX];
};

/* Building, layer by layer: asserts when a layer does not fit the one before. */
struct convnet convnet_of(uint32_t height, uint32_t width, uint32_t channels);
void convnet_add_conv(struct convnet *net, uint32_t filters, uint32_t kernel, uint32_t stride,
                      uint32_t padding);
void convnet_add_batch_norm(struct convnet *net);
void convnet_add_activation(struct convnet *net, enum activation activation);
void convnet_add_pool(struct convnet *net);
void convnet_add_flatten(struct convnet *net);
void convnet_add_dense(struct convnet *net, uint32_t out);

/* CNN-m for 28 x 28 digits, m in 2 .. 4: m - 1 times (3 x 3 convolution, ReLU, pooling) with 8, 16, 16
 * filters, then dense 10. */
struct convnet convnet_digits(uint32_t m);

/* VGG-16 (Simonyan and Zisserman 2015, D): 13 convolutions and 3 dense layers, their sizes times `width`, at
 * least 1; sides of the input are at least 32. `norm`: batch normalisation after each convolution. */
struct convnet_vgg {
    uint32_t side, channels; /* of the input, square */
    uint32_t classes;
    double width; /* 1: 64 .. 512 filters, 4096 hidden */
    bool norm;
};
struct convnet convnet_vgg16(const struct convnet_vgg *vgg);

/* Numbers in an image at the output of a layer; the size that a layer is given. */
static inline size_t convnet_size_count(const struct convnet_size *size) {
    return (size_t)size->height * size->width * size->channels;
}
static inline const struct convnet_size *convnet_layer_input(const struct convnet *net, uint32_t layer) {
    return layer == 0 ? &net->input : &net->layers[layer - 1].size;
}
static inline const struct convnet_size *convnet_output(const struct convnet *net) {
    return convnet_layer_input(net, net->layer_count);
}

/* The shape of layer `layer`, which is a convolution or a pooling. */
struct conv convnet_conv_shape(const struct convnet *net, uint32_t layer);
struct pool convnet_pool_shape(const struct convnet *net, uint32_t layer);

/* Lengths of the two blocks, and where a layer begins in each. weight_count: length of the matrix of a
 * convolution or dense layer, behind which the bias lies (gamma, for a batch normalisation). */
size_t convnet_weight_count(const struct convnet *net, uint32_t layer);
size_t convnet_layer_parameter_count(const struct convnet *net, uint32_t layer);
size_t convnet_parameter_offset(const struct convnet *net, uint32_t layer);
size_t convnet_parameter_count(const struct convnet *net);
size_t convnet_statistic_offset(const struct convnet *net, uint32_t layer);
size_t convnet_statistic_count(const struct convnet *net);

/* Weights by `hidden`, of the last dense layer or convolution by `last`; gamma 1, beta 0; running mean 0,
 * variance 1. `statistics` may be NULL without batch normalisation. */
struct convnet_initialisers {
    struct initialiser hidden, last;
};
void convnet_initialise(const struct convnet *net, const struct convnet_initialisers *initialisers,
                        struct random_stream *stream, real *parameters, real *statistics);

/* Floating point operations of the convolutions and dense layers for one image: two for each product, bias
 * left out. */
uint64_t convnet_flops(const struct convnet *net);

/* STATUS_INVALID with a sentence when layers do not fit each other or a bound is passed. */
enum status convnet_check(const struct convnet *net, struct error *error);

/* What has been learned, behind the shape it belongs to. Loading asks for the same shape: STATUS_INVALID with
 * a sentence when it is another or the bytes are damaged; then parameters and statistics are unspecified. The
 * shape alone can be read first (convnet_load_shape; the result has passed convnet_check). */
size_t convnet_saved_bytes(const struct convnet *net);
void convnet_save(const struct convnet *net, const real *parameters, const real *statistics,
                  struct bytes_writer *writer);
enum status convnet_load_shape(struct convnet *net, struct bytes_reader *reader, struct error *error);
enum status convnet_load(const struct convnet *net, struct bytes_reader *reader, real *parameters,
                         real *statistics, struct error *error);

#endif
