/* softmax: probabilities of logits row by row, stable for logits of any finite size. */
#ifndef TIERBED_LEARN_SOFTMAX_H
#define TIERBED_LEARN_SOFTMAX_H

#include <stddef.h>

#include "common/learn/real.h"

/* y = softmax(x) in each of `rows` rows of `width` (>= 1); y may be x. */
void softmax_forward(const real *x, size_t rows, size_t width, real *y);

/* dx = y (dy - sum(y dy)), from y = softmax(x); dx may be dy. */
void softmax_backward(const real *y, const real *dy, size_t rows, size_t width, real *dx);

/* y = log softmax(x); y may be x. */
void log_softmax_forward(const real *x, size_t rows, size_t width, real *y);

/* dx = dy - exp(y) sum(dy), from y = log softmax(x); dx may be dy. */
void log_softmax_backward(const real *y, const real *dy, size_t rows, size_t width, real *dx);

#endif
