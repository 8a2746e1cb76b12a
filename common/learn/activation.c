/* activation: element by element, plain loops that the compiler vectorises. */
#include "common/learn/activation.h"

#include <assert.h>

#define LEAKY_SLOPE ((real)0.01)

static real sigmoid(real x) {
    real e = real_exp(-real_abs(x)); /* never overflows */
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static real softplus(real x) {
    return real_max(x, 0) + real_log1p(real_exp(-real_abs(x)));
}

void activation_forward(enum activation kind, const real *x, size_t count, real *y) {
    switch (kind) {
    case ACTIVATION_NONE:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i];
        return;
    case ACTIVATION_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] > 0 ? x[i] : 0;
        return;
    case ACTIVATION_LEAKY_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] > 0 ? x[i] : LEAKY_SLOPE * x[i];
        return;
    case ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++)
            y[i] = real_tanh(x[i]);
        return;
    case ACTIVATION_SIGMOID:
        for (size_t i = 0; i < count; i++)
            y[i] = sigmoid(x[i]);
        return;
    case ACTIVATION_SOFTPLUS:
        for (size_t i = 0; i < count; i++)
            y[i] = softplus(x[i]);
        return;
    }
    assert(0 && "no such activation");
}

void activation_backward(enum activation kind, const real *y, const real *dy, size_t count, real *dx) {
    switch (kind) {
    case ACTIVATION_NONE:
        for (size_t i = 0; i < count; i++)
            dx[i] = dy[i];
        return;
    case ACTIVATION_RELU:
        for (size_t i = 0; i < count; i++)
            dx[i] = y[i] > 0 ? dy[i] : 0;
        return;
    case ACTIVATION_LEAKY_RELU:
        for (size_t i = 0; i < count; i++)
            dx[i] = y[i] > 0 ? dy[i] : LEAKY_SLOPE * dy[i];
        return;
    case ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++)
            dx[i] = dy[i] * (1 - y[i] * y[i]);
        return;
    case ACTIVATION_SIGMOID:
        for (size_t i = 0; i < count; i++)
            dx[i] = dy[i] * (y[i] * (1 - y[i]));
        return;
    case ACTIVATION_SOFTPLUS: /* sigmoid(x) = 1 - exp(-y) */
        for (size_t i = 0; i < count; i++)
            dx[i] = -dy[i] * real_expm1(-y[i]);
        return;
    }
    assert(0 && "no such activation");
}

const char *activation_name(enum activation kind) {
    static const char *const names[] = {
        [ACTIVATION_NONE] = "none", [ACTIVATION_RELU] = "relu",       [ACTIVATION_LEAKY_RELU] = "leaky_relu",
        [ACTIVATION_TANH] = "tanh", [ACTIVATION_SIGMOID] = "sigmoid", [ACTIVATION_SOFTPLUS] = "softplus",
    };
    assert((size_t)kind < sizeof names / sizeof *names);
    return names[kind];
}
