/* pool: the largest of each 2 x 2 pixels, step 2. An odd last row or column is left out (floor). */
#ifndef TIERBED_LEARN_POOL_H
#define TIERBED_LEARN_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/learn/real.h"

struct pool {
    uint32_t height, width, channels; /* of the input; height, width >= 2 */
};

/* x [batch][height][width][channels] -> y [batch][height / 2][width / 2][channels]. */
void pool_forward(const struct pool *pool, const real *x, uint32_t batch, real *y);

/* x and y as in pool_forward, dy as y: dx as x, overwritten. Of equal values the first in row-major order
 * gets the gradient. */
struct pool_pass {
    const real *x, *y;
    uint32_t batch;
};
void pool_backward(const struct pool *pool, const struct pool_pass *pass, const real *dy, real *dx);

#endif
