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
    vector_exp_parts(vector_min(vector_all(88), vector_max(vector_all(-87), x)), &scale, &rest);
    return vector_fma(scale, rest, scale);
}

/* c0 + c1 z + .. + c4 z^4 */
static inline vector vector_quartic(const float *c, vector z, vector square) {
    vector low = vector_fma(vector_all(c[1]), z, vector_all(c[0]));
    vector high = vector_fma(vector_all(c[3]), z, vector_all(c[2]));
    return vector_fma(vector_fma(vector_all(c[4]), square, high), square, low);
}

/* tanh |x| = |x| P(x^2) / Q(x^2), P and Q the best of degree 4 for the relative error up to 9.02 (2.1e-8;
 * fitted in 50 digits by reweighted least squares); beyond, it is 1 to all digits. All coefficients are
 * positive: nothing cancels. */
static inline vector vector_tanh(vector x) {
    static const float p[] = {0.999999979116172f, 0.13379730745250362f, 0.003494049315878664f,
                              2.0583706696984693e-05f, 1.3319352421145913e-08f};
    static const float q[] = {1, 0.46713046012665926f, 0.025871130493197062f, 0.0003283116214594809f,
                              7.762140947158609e-07f};
    vector size = vector_min(vector_all(9.02f), vector_abs(x)), z = size * size, square = z * z;
    vector y = size * vector_quartic(p, z, square) / vector_quartic(q, z, square);
    return vector_with_sign(vector_min(vector_all(1), y), x);
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
    return vector_fma(log, vector_all(2), vector_max(vector_all(0), x));
}

/* 1 - e^-y for y >= 0: the derivative of softplus from its result. */
static inline vector vector_rise(vector y) {
    vector scale, rest;
    vector_exp_parts(vector_max(vector_all(-87), -y), &scale, &rest);
    return vector_fma(-scale, rest, vector_all(1) - scale);
}

/* The square root of v >= 0, to two units in the last place; 0 below 1e-37. Where the processor has an
 * estimate of 1 / sqrt v (to 12 bits or more) one step of Newton's method makes it good: its divider, slow,
 * is left to others. */
#ifdef VECTOR_INTRINSIC
static inline vector vector_root(vector v) {
#ifdef __AVX512F__
    vector inverse = (vector)_mm512_rsqrt14_ps(v);
#else
    vector inverse = (vector)_mm256_rsqrt_ps(v);
#endif
    vector root = v * inverse, error = vector_fma(-root, inverse, vector_all(1));
    root = vector_fma(root * vector_all(0.5f), error, root);
    return (vector)((vector_mask)root & (v > vector_all(1e-37f)));
}
#else
static inline vector vector_root(vector v) {
    for (unsigned lane = 0; lane < VECTOR_WIDTH; lane++)
        v[lane] = sqrtf(v[lane]);
    return v;
}
#endif

#endif
