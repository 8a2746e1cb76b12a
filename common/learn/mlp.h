/* mlp: a multi-layer perceptron over one flat block of parameters.
 *
 * Parameters lie layer after layer, each weight [in][out] row-major followed by bias [out]. The struct is
 * plain and says shapes only; parameters, gradients and optimiser state are arrays of the caller, so that
 * copies, target networks, exchange between processes and saving are one memcpy. Activations of a pass lie in
 * a trace, which the caller opens once for the largest batch. Nothing allocates during a pass. */
#ifndef TIERBED_LEARN_MLP_H
#define TIERBED_LEARN_MLP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/activation.h"
#include "common/learn/initialiser.h"
#include "common/learn/real.h"

#define MLP_LAYERS_MAX 8

struct mlp {
    uint32_t layer_count;               /* dense layers, 1 .. MLP_LAYERS_MAX */
    uint32_t sizes[MLP_LAYERS_MAX + 1]; /* input, hidden ..., output */
    enum activation hidden, output;
};

/* `sizes` holds layer_count + 1 entries, each >= 1. */
struct mlp mlp_of(const uint32_t *sizes, uint32_t layer_count, enum activation hidden,
                  enum activation output);

static inline uint32_t mlp_input_size(const struct mlp *mlp) {
    return mlp->sizes[0];
}
static inline uint32_t mlp_output_size(const struct mlp *mlp) {
    return mlp->sizes[mlp->layer_count];
}

/* Length of the parameter block, and where layer `layer` begins in it: weight there, bias in*out further. */
size_t mlp_parameter_count(const struct mlp *mlp);
size_t mlp_layer_offset(const struct mlp *mlp, uint32_t layer);

/* Fills the block: weights of hidden layers by `hidden`, of the last by `last`; biases 0 unless the
 * initialiser says otherwise. */
void mlp_initialise(const struct mlp *mlp, const struct initialiser *hidden, const struct initialiser *last,
                    struct random_stream *stream, real *parameters);

/* Room for the activations and their gradients of up to batch_max rows. Owned; close with mlp_trace_close. */
struct mlp_trace {
    uint32_t batch_max;
    real *values[MLP_LAYERS_MAX + 1]; /* [1..layer_count]: outputs of each layer, [batch][size] */
    real *scratch[2];                 /* gradients going backward, [batch][widest] */
    real *block;                      /* owned memory behind all of them */
};
enum status mlp_trace_open(struct mlp_trace *trace, const struct mlp *mlp, uint32_t batch_max);
void mlp_trace_close(struct mlp_trace *trace); /* safe on zeros */

/* y = mlp(x): x [batch][input], returns y [batch][output], borrowed from the trace. batch <= batch_max.
 * The same batch gives the same bits; a row alone and the same row in a batch may differ in their last bits.
 */
const real *mlp_forward(const struct mlp *mlp, const real *parameters, const real *x, uint32_t batch,
                        struct mlp_trace *trace);

/* After mlp_forward with the same x and trace: dy [batch][output] -> gradients (the whole block, overwritten;
 * NULL: not wanted) and dx [batch][input] (overwritten; NULL: not wanted). The trace's activations stay as
 * they are. */
void mlp_backward(const struct mlp *mlp, const real *parameters, const real *x, const real *dy,
                  uint32_t batch, struct mlp_trace *trace, real *gradients, real *dx);

#endif
