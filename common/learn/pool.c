#include "common/learn/pool.h"

#include <assert.h>
#include <string.h>

#include "common/learn/vector.h"

static vector larger(vector a, vector b) {
    vector_mask above = a > b;
    return (vector)(((vector_mask)a & above) | ((vector_mask)b & ~above));
}

/* The four pixels of one output pixel lie at x, x + channels, and one row further. */
static void forward_pixel(const real *x, size_t row_step, size_t channels, real *y) {
    const real *below = x + row_step;
    size_t at = 0;
    for (; at + VECTOR_WIDTH <= channels; at += VECTOR_WIDTH) {
        vector top = larger(vector_load(x + channels + at), vector_load(x + at));
        vector bottom = larger(vector_load(below + channels + at), vector_load(below + at));
        vector_store(y + at, larger(bottom, top));
    }
    for (; at < channels; at++) {
        real top = x[channels + at] > x[at] ? x[channels + at] : x[at];
        real bottom = below[channels + at] > below[at] ? below[channels + at] : below[at];
        y[at] = bottom > top ? bottom : top;
    }
}

static void backward_pixel_wide(const real *x, size_t row_step, size_t channels, const real *y,
                                const real *dy, real *dx) {
    const size_t places[4] = {0, channels, row_step, row_step + channels};
    vector_mask left = (vector_mask)vector_load(dy); /* what no place has got yet */
    vector most = vector_load(y);
    for (size_t place = 0; place < 4; place++) {
        vector_mask here = vector_load(x + places[place]) == most;
        vector_store(dx + places[place], (vector)(left & here));
        left &= ~here;
    }
}

static void backward_pixel(const real *x, size_t row_step, size_t channels, const real *y, const real *dy,
                           real *dx) {
    const size_t places[4] = {0, channels, row_step, row_step + channels};
    size_t at = 0;
    for (; at + VECTOR_WIDTH <= channels; at += VECTOR_WIDTH)
        backward_pixel_wide(x + at, row_step, channels, y + at, dy + at, dx + at);
    for (; at < channels; at++) {
        size_t place = 0;
        while (place < 3 && !(x[places[place] + at] >= y[at]))
            place++;
        for (size_t other = 0; other < 4; other++)
            dx[places[other] + at] = other == place ? dy[at] : 0;
    }
}

void pool_forward(const struct pool *pool, const real *x, uint32_t batch, real *y) {
    assert(pool->height >= 2 && pool->width >= 2);
    size_t channels = pool->channels, row_step = pool->width * channels;
    uint32_t height = pool->height / 2, width = pool->width / 2;
    for (uint32_t image = 0; image < batch; image++, x += pool->height * row_step)
        for (uint32_t row = 0; row < height; row++)
            for (uint32_t column = 0; column < width; column++, y += channels)
                forward_pixel(x + 2 * row * row_step + 2 * column * channels, row_step, channels, y);
}

void pool_backward(const struct pool *pool, const struct pool_pass *pass, const real *dy, real *dx) {
    size_t channels = pool->channels, row_step = pool->width * channels;
    uint32_t height = pool->height / 2, width = pool->width / 2;
    const real *x = pass->x, *y = pass->y;
    if (pool->height % 2 != 0 || pool->width % 2 != 0)
        memset(dx, 0, pass->batch * pool->height * row_step * sizeof *dx);
    for (uint32_t image = 0; image < pass->batch; image++) {
        for (uint32_t row = 0; row < height; row++)
            for (uint32_t column = 0; column < width; column++, y += channels, dy += channels) {
                size_t at = 2 * row * row_step + 2 * column * channels;
                backward_pixel(x + at, row_step, channels, y, dy, dx + at);
            }
        x += pool->height * row_step;
        dx += pool->height * row_step;
    }
}
