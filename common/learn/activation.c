/* activation: element by element. In single precision the exponential functions run over vectors
 * (vector_math.h). */
#include "common/learn/activation.h"

#include <assert.h>

#define LEAKY_SLOPE ((real)0.01)

#ifdef LEARN_DOUBLE

static real sigmoid_of(real x) {
    real e = real_exp(-real_abs(x)); /* never overflows */
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static real softplus_of(real x) {
    return real_max(x, 0) + real_log1p(real_exp(-real_abs(x)));
}

static void forward_tanh(const real *x, size_t count, real *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = real_tanh(x[i]);
}

static void forward_sigmoid(const real *x, size_t count, real *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = sigmoid_of(x[i]);
}

static void forward_softplus(const real *x, size_t count, real *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = softplus_of(x[i]);
}

static void backward_softplus(const real *y, const real *dy, size_t count, real *dx) {
    for (size_t i = 0; i < count; i++)
        dx[i] = -dy[i] * real_expm1(-y[i]);
}

#else

#include <string.h>

#include "common/learn/vector_math.h"

typedef vector (*vector_function)(vector);

/* The rest of less than a vector goes through a vector of its own. */
static inline __attribute__((always_inline)) void map(vector_function function, const real *x, size_t count,
                                                      real *y) {
    size_t i = 0;
    for (; i + VECTOR_WIDTH <= count; i += VECTOR_WIDTH)
        vector_store(y + i, function(vector_load(x + i)));
    if (i == count)
        return;
    real rest[VECTOR_WIDTH] = {0};
    memcpy(rest, x + i, (count - i) * sizeof *rest);
    vector_store(rest, function(vector_load(rest)));
    memcpy(y + i, rest, (count - i) * sizeof *rest);
}

static void forward_tanh(const real *x, size_t count, real *y) {
    map(vector_tanh, x, count, y);
}

static void forward_sigmoid(const real *x, size_t count, real *y) {
    map(vector_sigmoid, x, count, y);
}

static void forward_softplus(const real *x, size_t count, real *y) {
    map(vector_softplus, x, count, y);
}

static void backward_softplus(const real *y, const real *dy, size_t count, real *dx) {
    enum { PART = 256 };
    real rise[PART];
    for (size_t at = 0; at < count; at += PART) {
        size_t part = count - at < PART ? count - at : PART;
        map(vector_rise, y + at, part, rise);
        for (size_t i = 0; i < part; i++)
            dx[at + i] = dy[at + i] * rise[i];
    }
}

#endif

void activation_forward(enum activation kind, const real *x, size_t count, real *y) {
    switch (kind) {
    case ACTIVATION_NONE:
        for (size_t i = 0; i < count && x != y; i++)
            y[i] = x[i];
        return;
    case ACTIVATION_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] < 0 ? 0 : x[i];
        return;
    case ACTIVATION_LEAKY_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] < 0 ? LEAKY_SLOPE * x[i] : x[i];
        return;
    case ACTIVATION_TANH:
        forward_tanh(x, count, y);
        return;
    case ACTIVATION_SIGMOID:
        forward_sigmoid(x, count, y);
        return;
    case ACTIVATION_SOFTPLUS:
        forward_softplus(x, count, y);
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
        backward_softplus(y, dy, count, dx);
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
