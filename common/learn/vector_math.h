/* vector_math: exponential functions of single-precision vectors, lane by lane, to a few units in the last
 * place.
 *
 * The same operations in the same order for every lane, so that the result of a number depends on nothing
 * beside it. NaN stays NaN. In double precision the core uses the C library instead (activation.c). */
#ifndef TIERBED_LEARN_VECTOR_MATH_H
#define TIERBED_LEARN_VECTOR_MATH_H

#ifdef LEARN_DOUBLE
#error "single precision only"
#endif

#include "common/learn/vector.h"

typedef uint32_t vector_bits __attribute__((vector_size(VECTOR_BYTES)));

static inline vector vector_where(vector_mask mask, vector yes, vector no) {
    return (vector)(((vector_mask)yes & mask) | ((vector_mask)no & ~mask));
}

/* min and max with a number; NaN stays. */
static inline vector vector_at_most(vector x, real limit) {
    vector most = vector_all(limit);
    return vector_where(x > most, most, x);
}

static inline vector vector_at_least(vector x, real limit) {
    vector least = vector_all(limit);
    return vector_where(x < least, least, x);
}

static inline vector vector_abs(vector x) {
    return (vector)((vector_bits)x & 0x7fffffffu);
}

/* `size` with the sign of `sign`; size >= 0. */
static inline vector vector_with_sign(vector size, vector sign) {
    return (vector)((vector_bits)size | ((vector_bits)sign & 0x80000000u));
}

/* e^x = scale (1 + rest): scale = 2^n with n the integer nearest to x / ln 2, rest = e^r - 1 with r = x - n
 * ln 2 by its series (|r| <= 0.35: the first term left out is below 6e-9). For -87 <= x <= 88. */
static inline void vector_exp_parts(vector x, vector *scale, vector *rest) {
    const vector shift =
        vector_all(0x1.8p23f); /* adding it rounds to an integer, which then is in the low bits */
    vector shifted = vector_fma(x, vector_all(1.44269504f), shift);
    vector n = shifted - shift;
    vector r =
        vector_fma(n, vector_all(-0x1.62e4p-1f), x); /* ln 2 in two parts, the first with trailing zeros */
    r = vector_fma(n, vector_all(-1.42860677e-6f), r);
    vector square = r * r; /* r + r^2 (1/2 + r/6 + r^2/24 + ...), in pairs: the longest chain is shorter so */
    vector low = vector_fma(r, vector_all(1.0f / 6), vector_all(0.5f));
    vector middle = vector_fma(r, vector_all(1.0f / 120), vector_all(1.0f / 24));
    vector high = vector_fma(r, vector_all(1.0f / 5040), vector_all(1.0f / 720));
    vector sum = vector_fma(vector_fma(high, square, middle), square, low);
    *rest = vector_fma(sum, square, r);
    *scale = (vector)(((vector_bits)shifted << 23) + 0x3f800000u);
}

/* e^x; below -87 it stays at e^-87, above 88 at e^88. */
static inline vector vector_exp(vector x) {
    vector scale, rest;
    vector_exp_parts(vector_at_most(vector_at_least(x, -87.0f), 88.0f), &scale, &rest);
    return vector_fma(scale, rest, scale);
}

/* tanh |x| = m / (m + 2), m = e^(2|x|) - 1; at 10 it is 1 to all digits. */
static inline vector vector_tanh(vector x) {
    vector scale, rest;
    vector size = vector_at_most(vector_abs(x), 10.0f);
    vector_exp_parts(size + size, &scale, &rest);
    vector m = vector_fma(scale, rest, scale - vector_all(1));
    return vector_with_sign(m / (m + vector_all(2)), x);
}

static inline vector vector_sigmoid(vector x) {
    return vector_all(1) / (vector_all(1) + vector_exp(-x));
}

/* log(1 + e^x) = max(x, 0) + log(1 + t), t = e^-|x|; log(1 + t) = 2 atanh s, s = t / (2 + t) <= 1/3, by its
 * series. */
static inline vector vector_softplus(vector x) {
    vector t = vector_exp(-vector_abs(x));
    vector s = t / (vector_all(2) + t), z = s * s;
    vector p = vector_all(1.0f / 17);
    for (int odd = 15; odd >= 3; odd -= 2)
        p = vector_fma(p, z, vector_all(1.0f / (real)odd));
    vector log = vector_fma(p * z, s, s);
    return vector_fma(log, vector_all(2), vector_where(x < vector_all(0), vector_all(0), x));
}

#endif
