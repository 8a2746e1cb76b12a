/* dense: forward and backward of y = x W + b. */
#include "common/learn/dense.h"

#include <string.h>

#include "common/learn/matrix.h"

void dense_forward(const struct dense *dense, const real *x, size_t batch, real *y) {
    struct matrix_product product = {.rows = batch,
                                     .columns = dense->out,
                                     .inner = dense->in,
                                     .a = x,
                                     .b = dense->weight,
                                     .c = y,
                                     .a_stride = dense->in,
                                     .b_stride = dense->out,
                                     .c_stride = dense->out,
                                     .bias = dense->bias};
    matrix_multiply(&product);
}

static void weight_gradient(const struct dense *dense, const real *x, const real *dy, size_t batch,
                            real *weight) {
    struct matrix_product product = {.rows = dense->in,
                                     .columns = dense->out,
                                     .inner = batch,
                                     .a = x,
                                     .b = dy,
                                     .c = weight,
                                     .a_stride = dense->in,
                                     .b_stride = dense->out,
                                     .c_stride = dense->out};
    matrix_multiply_tn(&product);
}

static void bias_gradient(const struct dense *dense, const real *dy, size_t batch, real *bias) {
    memset(bias, 0, dense->out * sizeof *bias);
    for (size_t row = 0; row < batch; row++)
        for (size_t o = 0; o < dense->out; o++)
            bias[o] += dy[row * dense->out + o];
}

static void input_gradient(const struct dense *dense, const real *dy, size_t batch, real *dx) {
    struct matrix_product product = {.rows = batch,
                                     .columns = dense->in,
                                     .inner = dense->out,
                                     .a = dy,
                                     .b = dense->weight,
                                     .c = dx,
                                     .a_stride = dense->out,
                                     .b_stride = dense->out,
                                     .c_stride = dense->in};
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
