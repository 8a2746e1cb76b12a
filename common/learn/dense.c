/* dense: forward and backward of y = x W + b. */
#include "common/learn/dense.h"

#include <string.h>

void dense_forward(const struct dense *dense, const real *x, size_t batch, real *y) {
    size_t in = dense->in, out = dense->out;
    for (size_t row = 0; row < batch; row++) {
        real *target = y + row * out;
        if (dense->bias != NULL)
            memcpy(target, dense->bias, out * sizeof *target);
        else
            memset(target, 0, out * sizeof *target);
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < out; o++)
                target[o] += x[row * in + i] * dense->weight[i * out + o];
    }
}

static void weight_gradient(const struct dense *dense, const real *x, const real *dy, size_t batch,
                            real *weight) {
    size_t in = dense->in, out = dense->out;
    memset(weight, 0, in * out * sizeof *weight);
    for (size_t row = 0; row < batch; row++)
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < out; o++)
                weight[i * out + o] += x[row * in + i] * dy[row * out + o];
}

static void bias_gradient(const struct dense *dense, const real *dy, size_t batch, real *bias) {
    memset(bias, 0, dense->out * sizeof *bias);
    for (size_t row = 0; row < batch; row++)
        for (size_t o = 0; o < dense->out; o++)
            bias[o] += dy[row * dense->out + o];
}

static void input_gradient(const struct dense *dense, const real *dy, size_t batch, real *dx) {
    size_t in = dense->in, out = dense->out;
    for (size_t row = 0; row < batch; row++)
        for (size_t i = 0; i < in; i++) {
            real sum = 0;
            for (size_t o = 0; o < out; o++)
                sum += dy[row * out + o] * dense->weight[i * out + o];
            dx[row * in + i] = sum;
        }
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
