/* dense: one fully connected layer, y = x W + b, and its gradients.
 *
 * Knows shapes and memory of the caller only; an activation follows apart (activation.h). The number of rows
 * of a batch decides which kernel runs, so that the result for one row may differ in the last bits between
 * batch sizes; for one shape it is always the same. */
#ifndef TIERBED_LEARN_DENSE_H
#define TIERBED_LEARN_DENSE_H

#include <stddef.h>

#include "common/learn/real.h"

struct dense {
    size_t in, out;
    const real *weight; /* borrowed, [in][out] */
    const real *bias;   /* borrowed, [out]; NULL: none */
};

/* Where gradients go, all overwritten; NULL: not wanted. */
struct dense_gradients {
    real *weight; /* [in][out] */
    real *bias;   /* [out] */
    real *x;      /* [batch][in] */
};

/* x [batch][in] -> y [batch][out]; y may not overlap x. */
void dense_forward(const struct dense *dense, const real *x, size_t batch, real *y);

/* dy [batch][out], the gradient of the loss in y, for the same x. */
void dense_backward(const struct dense *dense, const real *x, const real *dy, size_t batch,
                    const struct dense_gradients *gradients);

#endif
