/* activation: what follows a layer, element by element, and its derivative. */
#ifndef TIERBED_LEARN_ACTIVATION_H
#define TIERBED_LEARN_ACTIVATION_H

#include <stddef.h>

#include "common/learn/real.h"

enum activation {
    ACTIVATION_NONE = 0,
    ACTIVATION_RELU,
    ACTIVATION_LEAKY_RELU, /* slope 0.01 below zero */
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
    ACTIVATION_SOFTPLUS
};

/* y = act(x), `count` elements; y may be x. */
void activation_forward(enum activation kind, const real *x, size_t count, real *y);

/* dx = dy act'(x), from the output y = act(x) alone; dx may be dy. */
void activation_backward(enum activation kind, const real *y, const real *dy, size_t count, real *dx);

const char *activation_name(enum activation kind);

#endif
