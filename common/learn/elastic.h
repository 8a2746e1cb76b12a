/* elastic: a perceptron that can be run smaller than it is (Cai et al. 2020, "Once for all"; progressive
 * shrinking).
 *
 * A slice takes the first `depth` layers and of each the first units, so small nets share the weights of
 * large ones. In the block a slice keeps the full leading dimension: its weight is the upper left corner of
 * each full weight. A slice that only leaves out layers is the front of the block and is used where it lies;
 * another is gathered into a compact block first, and its gradients are scattered back. The result of a pass
 * is the output of layer `depth` (whatever reads it, say a head, must take that size). */
#ifndef TIERBED_LEARN_ELASTIC_H
#define TIERBED_LEARN_ELASTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/mlp.h"
#include "common/learn/optimiser.h"
#include "common/learn/real.h"

struct elastic_slice {
    uint32_t depth; /* layers in use, 1 .. layer_count */
    uint32_t sizes[MLP_LAYERS_MAX +
                   1]; /* in use of each size of the full net, [0 .. depth]; the input stays whole */
};

/* `depth` layers and at most `width` units of each hidden layer; the last layer of the full net stays whole.
 */
struct elastic_slice elastic_slice_of(const struct mlp *full, uint32_t depth, uint32_t width);
/* All of it. */
struct elastic_slice elastic_slice_full(const struct mlp *full);

/* The net a slice is. The activation of its last layer is that of the same layer in the full net. */
struct mlp elastic_mlp(const struct mlp *full, const struct elastic_slice *slice);

/* The slice is the front of the full block. */
bool elastic_is_front(const struct mlp *full, const struct elastic_slice *slice);

/* Between the full block and that of elastic_mlp. Scatter writes the entries of the slice only. */
void elastic_gather(const struct mlp *full, const struct elastic_slice *slice, const real *parameters,
                    real *compact);
void elastic_scatter(const struct mlp *full, const struct elastic_slice *slice, const real *compact,
                     real *parameters);

/* Room for passes of slices of up to batch_max rows. Owned; close with elastic_trace_close. */
struct elastic_trace {
    struct mlp_trace mlp;
    real *parameters, *gradients; /* compact, owned, as long as the full block */
};
enum status elastic_trace_open(struct elastic_trace *trace, const struct mlp *full, uint32_t batch_max);
void elastic_trace_close(struct elastic_trace *trace); /* safe on zeros */

/* A full net and the part of it that runs, all borrowed. */
struct elastic {
    const struct mlp *full;
    const struct elastic_slice *slice;
    const real *parameters; /* the full block */
};

/* x [batch][input]; returns y [batch][output of the slice], borrowed from the trace. */
const real *elastic_forward(const struct elastic *elastic, const real *x, uint32_t batch,
                            struct elastic_trace *trace);

/* After elastic_forward with the same slice, x and trace. gradients: the whole block; entries of the slice
 * are overwritten, all others are left alone. dx [batch][input] (NULL: not wanted). */
struct elastic_backward {
    const real *dy;
    real *gradients, *dx;
};
void elastic_backward(const struct elastic *elastic, const real *x, uint32_t batch,
                      struct elastic_trace *trace, const struct elastic_backward *backward);

/* One optimiser step on the entries of the slice: parameters and moments of all others stay as they are. The
 * block of the net begins at `offset` in that of the optimiser, whose step counter, which all slices share,
 * has been moved on by the caller (elastic_step does so; it serves a net that is alone in its optimiser). */
void elastic_step_part(struct optimiser *optimiser, const struct elastic *elastic, size_t offset,
                       real *parameters, const real *gradients);
void elastic_step(struct optimiser *optimiser, const struct elastic *elastic, real *parameters,
                  const real *gradients);

/* What to train next while shrinking (Cai et al. 2020, sandwich rule of Yu and Huang 2019): the largest net,
 * then the smallest, then random ones between. `index` counts the nets of one step from 0. Depth and width
 * are drawn uniformly from min .. max, both included; width may also mean the experts of a mixture. */
struct elastic_range {
    uint32_t depth_min, depth_max, width_min, width_max;
};
struct elastic_choice {
    uint32_t depth, width;
};
struct elastic_choice elastic_choose(const struct elastic_range *range, uint32_t index,
                                     struct random_stream *stream);

#endif
