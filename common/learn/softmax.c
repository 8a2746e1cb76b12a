/* softmax: the largest logit is taken off before the exponential, so that nothing overflows. */
#include "common/learn/softmax.h"

static real largest(const real *x, size_t width) {
    real most = x[0];
    for (size_t i = 1; i < width; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

void softmax_forward(const real *x, size_t rows, size_t width, real *y) {
    for (size_t row = 0; row < rows; row++, x += width, y += width) {
        real most = largest(x, width), sum = 0;
        for (size_t i = 0; i < width; i++) {
            y[i] = real_exp(x[i] - most);
            sum += y[i];
        }
        for (size_t i = 0; i < width; i++)
            y[i] /= sum;
    }
}

void softmax_backward(const real *y, const real *dy, size_t rows, size_t width, real *dx) {
    for (size_t row = 0; row < rows; row++, y += width, dy += width, dx += width) {
        real sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += y[i] * dy[i];
        for (size_t i = 0; i < width; i++)
            dx[i] = y[i] * (dy[i] - sum);
    }
}

void log_softmax_forward(const real *x, size_t rows, size_t width, real *y) {
    for (size_t row = 0; row < rows; row++, x += width, y += width) {
        real most = largest(x, width), sum = real_exp(x[0] - most);
        for (size_t i = 1; i < width; i++)
            sum += real_exp(x[i] - most);
        real log_sum = real_log(sum);
        for (size_t i = 0; i < width; i++)
            y[i] = x[i] - most - log_sum;
    }
}

void log_softmax_backward(const real *y, const real *dy, size_t rows, size_t width, real *dx) {
    for (size_t row = 0; row < rows; row++, y += width, dy += width, dx += width) {
        real sum = 0;
        for (size_t i = 0; i < width; i++)
            sum += dy[i];
        for (size_t i = 0; i < width; i++)
            dx[i] = dy[i] - real_exp(y[i]) * sum;
    }
}
