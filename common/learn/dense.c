/* dense: forward and backward of y = x W + b. */
#include "common/learn/dense.h"

#include "common/learn/matrix.h"
#include "common/learn/vector.h"

void dense_forward(const struct dense *dense, const real *x, size_t batch, real *y) {
    struct matrix_product product = {.rows = batch,
                                     .columns = dense->out,
                                     .inner = dense->in,
                                     .a = x,
                                     .b = dense->weight,
                                     .a_stride = dense->in,
                                     .b_stride = dense->out,
                                     .c_stride = dense->out,
                                     .bias = dense->bias};
    product.c = y;
    matrix_multiply(&product);
}

static void weight_gradient(const struct dense *dense, const real *x, const real *dy, size_t batch,
                            real *weight) {
    struct matrix_product product = {.rows = dense->in,
                                     .columns = dense->out,
                                     .inner = batch,
                                     .a = x,
                                     .b = dy,
                                     .a_stride = dense->in,
                                     .b_stride = dense->out,
                                     .c_stride = dense->out};
    product.c = weight;
    matrix_multiply_tn(&product);
}

/* Sums over the rows of `vectors` vectors of columns, which stay in registers. */
static inline __attribute__((always_inline)) void sum_rows(const real *dy, size_t batch, size_t out,
                                                           real *bias, const size_t vectors) {
    vector sums[4];
    for (size_t v = 0; v < vectors; v++)
        sums[v] = vector_all(0);
    for (size_t row = 0; row < batch; row++, dy += out)
        for (size_t v = 0; v < vectors; v++)
            sums[v] += vector_load(dy + v * VECTOR_WIDTH);
    for (size_t v = 0; v < vectors; v++)
        vector_store(bias + v * VECTOR_WIDTH, sums[v]);
}

static void bias_gradient(const struct dense *dense, const real *dy, size_t batch, real *bias) {
    size_t out = dense->out, at = 0;
    for (; at + 4 * VECTOR_WIDTH <= out; at += 4 * VECTOR_WIDTH)
        sum_rows(dy + at, batch, out, bias + at, 4);
    for (; at + VECTOR_WIDTH <= out; at += VECTOR_WIDTH)
        sum_rows(dy + at, batch, out, bias + at, 1);
    for (; at < out; at++) {
        real sum = 0;
        for (size_t row = 0; row < batch; row++)
            sum += dy[row * out + at];
        bias[at] = sum;
    }
}

static void input_gradient(const struct dense *dense, const real *dy, size_t batch, real *dx) {
    struct matrix_product product = {.rows = batch,
                                     .columns = dense->in,
                                     .inner = dense->out,
                                     .a = dy,
                                     .b = dense->weight,
                                     .a_stride = dense->out,
                                     .b_stride = dense->out,
                                     .c_stride = dense->in};
    product.c = dx;
    matrix_multiply_nt(&product);
}

void dense_backward(const struct dense *dense, const real *x, const real *dy, size_t batch,
                    const struct dense_gradients *gradients) {
    if (gradients->weight != NULL)
        weight_gradient(dense, x, dy, batch, gradients->weight);
    if (gradients->bias != NULL)
        bias_gradient(dense, dy, batch, gradients->bias);
    if (gradients->x != NULL)
        input_gradient(dense, dy, batch, gradients->x);
}
