/* prune: filters of small L1 norm are taken out of a convnet, and really out (Li et al. 2017).
 *
 * A plan says for each output of each convolution and dense layer whether it is kept. With a filter go its
 * bias, its entries of the batch normalisations behind it, and the weights that read it: input channels of
 * the next convolution, or, behind a flatten, one row of the dense layer for each pixel. A sliced net
 * computes what the masked one does, in which the same filters give 0 everywhere. The outputs of the last
 * layer with a matrix are the net's and always kept.
 */
#ifndef TIERBED_LEARN_PRUNE_H
#define TIERBED_LEARN_PRUNE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/learn/convnet.h"
#include "common/learn/real.h"

/* norms [outputs]: sum of |weight| of each output of a convolution or dense layer; bias not counted. `weight`
 * is the layer's matrix, [weights / outputs][outputs]. */
void prune_norms(const real *weight, size_t weights, size_t outputs, real *norms);

/* kept [count]: 1 for the `keep` (1 .. count) largest norms, of equal ones the lowest index, else 0. */
void prune_keep_largest(const real *norms, size_t count, size_t keep, uint8_t *kept);

struct prune_plan {
    uint8_t
        *kept[CONVNET_LAYERS_MAX]; /* of layers with a matrix: [outputs], 1 or 0, at least one 1; else NULL */
    uint8_t *block;                /* owned memory behind all of them */
};

/* Everything is kept. Close with prune_plan_close. */
enum status prune_plan_open(struct prune_plan *plan, const struct convnet *net);
void prune_plan_close(struct prune_plan *plan); /* safe on zeros */

/* Takes out the smallest floor(share n) of the n filters of every convolution, and of the n units of every
 * dense layer but the last, leaving at least one. Shares in 0 .. 1. STATUS_MEMORY. */
struct prune_shares {
    double conv, dense;
};
enum status prune_plan_smallest(struct prune_plan *plan, const struct convnet *net, const real *parameters,
                                const struct prune_shares *shares);

/* Masks in place: weights, bias, gamma and beta of filters that are not kept become 0. Equal to slicing as
 * long as activations lead from 0 to 0 (not sigmoid, not softplus; asserted). */
void prune_mask(const struct prune_plan *plan, const struct convnet *net, real *parameters);

/* The net that is left, and what it has learned taken over from that of `net`; statistics may be NULL without
 * batch normalisation. The caller has room for the counts of prune_slice_shape's result. */
struct convnet prune_slice_shape(const struct prune_plan *plan, const struct convnet *net);

struct prune_block {
    const real *from; /* of the whole net */
    real *to;         /* of the sliced one */
};
void prune_slice(const struct prune_plan *plan, const struct convnet *net,
                 const struct prune_block *parameters, const struct prune_block *statistics);

#endif
