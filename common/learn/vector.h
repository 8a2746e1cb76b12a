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

/* All lanes `value`; all lanes a b + c, rounded once where the machine can. */
#if defined(__FMA__) && (defined(__AVX2__) || defined(__AVX512F__))
#include <immintrin.h>
#if defined(LEARN_DOUBLE) && defined(__AVX512F__)
#define VECTOR_ALL _mm512_set1_pd
#define VECTOR_FMA _mm512_fmadd_pd
#elif defined(LEARN_DOUBLE)
#define VECTOR_ALL _mm256_set1_pd
#define VECTOR_FMA _mm256_fmadd_pd
#elif defined(__AVX512F__)
#define VECTOR_ALL _mm512_set1_ps
#define VECTOR_FMA _mm512_fmadd_ps
#else
#define VECTOR_ALL _mm256_set1_ps
#define VECTOR_FMA _mm256_fmadd_ps
#endif

static inline vector vector_all(real value) {
    return (vector)VECTOR_ALL(value);
}
static inline vector vector_fma(vector a, vector b, vector c) {
    return (vector)VECTOR_FMA(a, b, c);
}
#else
static inline vector vector_all(real value) {
    vector all;
    for (unsigned lane = 0; lane < VECTOR_WIDTH; lane++)
        all[lane] = value;
    return all;
}
static inline vector vector_fma(vector a, vector b, vector c) {
    return a * b + c;
}
#endif

#endif
