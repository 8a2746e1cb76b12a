/* batch_norm: normalisation of each channel over a batch (Ioffe and Szegedy 2015).
 *
 * Rows are pixels of all images, [rows][channels]. In training a channel is normalised by mean and biased
 * variance of the batch, and running statistics follow with a share `momentum` of mean and
 * unbiased variance; in evaluation the running statistics serve. */
#ifndef TIERBED_LEARN_BATCH_NORM_H
#define TIERBED_LEARN_BATCH_NORM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/learn/real.h"

#define BATCH_NORM_EPSILON 1e-5 /* usual: added to the variance */
#define BATCH_NORM_MOMENTUM 0.1 /* usual: share of the newest batch in the running statistics */

struct batch_norm {
    size_t channels;
    double epsilon, momentum;
    const real *gamma, *beta; /* borrowed, [channels] */
    real *mean, *scale; /* borrowed, [channels]: what the pass used; scale is 1 / sqrt(variance + epsilon) */
    bool training;      /* of the last forward pass */
};

/* y = gamma (x - mean) scale + beta with the statistics of x, at least 2 rows; the running ones follow. */
void batch_norm_train(struct batch_norm *norm, const real *x, size_t rows, real *running[2], real *y);

/* The same with the running statistics: running[0] mean, running[1] variance. */
void batch_norm_evaluate(struct batch_norm *norm, const real *x, size_t rows, const real *const running[2],
                         real *y);

/* After either, with the same x: dy -> dgamma, dbeta [channels] (overwritten) and dx [rows][channels] (NULL:
 * not wanted; may be dy). After batch_norm_evaluate the statistics count as constants. */
struct batch_norm_pass {
    const real *x;
    size_t rows;
    real *dgamma, *dbeta;
};
void batch_norm_backward(const struct batch_norm *norm, const struct batch_norm_pass *pass, const real *dy,
                         real *dx);

#endif
