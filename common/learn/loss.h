/* loss: what is minimised, with its gradient. Every function returns the loss and writes the gradient in the
 * prediction (NULL: not wanted), of the same shape. Sums run in double, in the order of the elements. */
#ifndef TIERBED_LEARN_LOSS_H
#define TIERBED_LEARN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "common/learn/real.h"

/* mean of (y - target)^2 over all `count` (>= 1) elements; no half. dy may be y. */
double loss_mean_squared(const real *y, const real *target, size_t count, real *dy);

/* mean of 1/2 d^2 where |d| <= delta, else delta (|d| - 1/2 delta), d = y - target (Huber 1964). dy may be y.
 */
double loss_huber(const real *y, const real *target, size_t count, double delta, real *dy);

/* mean over rows of -log softmax(logits)[label]; logits [rows][width], labels < width. dlogits may be logits.
 */
double loss_cross_entropy(const real *logits, const uint32_t *labels, size_t rows, size_t width,
                          real *dlogits);

#endif
