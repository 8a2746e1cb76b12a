/* vector: as many reals as one register holds, for the few loops a compiler does not vectorise well by
 * itself.
 *
 * Widths and the fused multiply-add follow the machine the library is built for, so results are compared bit
 * for bit only between builds for one machine, as everywhere in the learning core. */
#ifndef TIERBED_LEARN_VECTOR_H
#define TIERBED_LEARN_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/learn/real.h"

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define VECTOR_WIDTH ((size_t)(VECTOR_BYTES / sizeof(real)))

/* For functions whose sizes are constants at each call, so that their loops unroll into registers. Under
 * sanitizers they stay functions and loops: clang takes minutes to check every access of every unrolled one.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define VECTOR_PLAIN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(VECTOR_PLAIN)
#define VECTOR_INLINE static __attribute__((noinline))
#define VECTOR_UNROLL
#else
#define VECTOR_INLINE static inline __attribute__((always_inline))
#define VECTOR_UNROLL _Pragma("GCC unroll 16")
#endif

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));
#ifdef LEARN_DOUBLE
typedef int64_t vector_mask __attribute__((vector_size(VECTOR_BYTES)));
#else
typedef int32_t vector_mask __attribute__((vector_size(VECTOR_BYTES)));
#endif
typedef real vector_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

static inline vector vector_load(const real *from) {
    return *(const vector_unaligned *)from;
}

static inline void vector_store(real *to, vector value) {
    *(vector_unaligned *)to = value;
}

/* max(., 0) lane by lane. */
static inline vector vector_relu(vector value) {
    const vector zero = {0};
    return (vector)((vector_mask)value & (value > zero));
}

/* All lanes `value`; lane by lane a b + c, rounded once where the machine can; the smaller and the larger of
 * a and b, where b is NaN: NaN. */
#if defined(__FMA__) && (defined(__AVX2__) || defined(__AVX512F__))
#include <immintrin.h>
#if defined(LEARN_DOUBLE) && defined(__AVX512F__)
#define VECTOR_INTRINSIC(name) _mm512_##name##_pd
#elif defined(LEARN_DOUBLE)
#define VECTOR_INTRINSIC(name) _mm256_##name##_pd
#elif defined(__AVX512F__)
#define VECTOR_INTRINSIC(name) _mm512_##name##_ps
#else
#define VECTOR_INTRINSIC(name) _mm256_##name##_ps
#endif

static inline vector vector_all(real value) {
    return (vector)VECTOR_INTRINSIC(set1)(value);
}
static inline vector vector_fma(vector a, vector b, vector c) {
    return (vector)VECTOR_INTRINSIC(fmadd)(a, b, c);
}
static inline vector vector_min(vector a, vector b) {
    return (vector)VECTOR_INTRINSIC(min)(a, b);
}
static inline vector vector_max(vector a, vector b) {
    return (vector)VECTOR_INTRINSIC(max)(a, b);
}
#else
static inline vector vector_all(real value) {
    return value - (vector){0}; /* not a sum: -0 stays -0 */
}
static inline vector vector_fma(vector a, vector b, vector c) {
    return a * b + c;
}
static inline vector vector_min(vector a, vector b) {
    vector_mask less = a < b;
    return (vector)(((vector_mask)a & less) | ((vector_mask)b & ~less));
}
static inline vector vector_max(vector a, vector b) {
    vector_mask more = a > b;
    return (vector)(((vector_mask)a & more) | ((vector_mask)b & ~more));
}
#endif

/* The lower (upper) halves of a and b, interleaved: a0 b0 a1 b1 ... */
#ifdef LEARN_DOUBLE
#define VECTOR_LANES (VECTOR_BYTES / 8)
#else
#define VECTOR_LANES (VECTOR_BYTES / 4)
#endif
#if VECTOR_LANES == 2
#define VECTOR_LOW 0, 2
#define VECTOR_HIGH 1, 3
#elif VECTOR_LANES == 4
#define VECTOR_LOW 0, 4, 1, 5
#define VECTOR_HIGH 2, 6, 3, 7
#elif VECTOR_LANES == 8
#define VECTOR_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define VECTOR_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define VECTOR_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define VECTOR_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#endif
static inline vector vector_low(vector a, vector b) {
    return __builtin_shufflevector(a, b, VECTOR_LOW);
}
static inline vector vector_high(vector a, vector b) {
    return __builtin_shufflevector(a, b, VECTOR_HIGH);
}

/* The square of VECTOR_WIDTH rows at `from`, `from_step` elements apart, transposed to `to`. */
static inline void vector_transpose(const real *from, size_t from_step, real *to, size_t to_step) {
    vector rows[VECTOR_LANES], mixed[VECTOR_LANES];
    for (size_t i = 0; i < VECTOR_LANES; i++)
        rows[i] = vector_load(from + i * from_step);
    for (size_t distance = 1; distance < VECTOR_LANES; distance *= 2) {
        for (size_t i = 0; i < VECTOR_LANES / 2; i++) {
            mixed[2 * i] = vector_low(rows[i], rows[i + VECTOR_LANES / 2]);
            mixed[2 * i + 1] = vector_high(rows[i], rows[i + VECTOR_LANES / 2]);
        }
        for (size_t i = 0; i < VECTOR_LANES; i++)
            rows[i] = mixed[i];
    }
    for (size_t i = 0; i < VECTOR_LANES; i++)
        vector_store(to + i * to_step, rows[i]);
}

/* Sum of the lanes, from the first to the last. */
static inline real vector_sum(vector value) {
    real sum = value[0];
    for (size_t lane = 1; lane < VECTOR_LANES; lane++)
        sum += value[lane];
    return sum;
}

#endif
