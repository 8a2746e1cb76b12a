/* matrix_tile: one inline function a kind of tile, and a table of its instances with constant sizes. */
#include "common/learn/matrix_tile.h"

#include <assert.h>

#define INLINE VECTOR_INLINE
#define UNROLL VECTOR_UNROLL

INLINE vector start_of(const struct matrix_strip *strip, const real *c, size_t v) {
    if (strip->accumulate)
        return vector_load(c + v * VECTOR_WIDTH);
    return strip->bias != NULL ? vector_load(strip->bias + v * VECTOR_WIDTH) : vector_all(0);
}

typedef vector tile_sums[12][MATRIX_VECTORS_MAX];

/* sums += what one inner index adds. */
INLINE void add_outer(tile_sums sums, const real *const *a, size_t at, const real *b, const size_t rows,
                      const size_t vectors) {
    vector columns[MATRIX_VECTORS_MAX];
    UNROLL
    for (size_t v = 0; v < vectors; v++)
        columns[v] = vector_load(b + v * VECTOR_WIDTH);
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        vector value = vector_all(a[row][at]);
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[row][v] = vector_fma(value, columns[v], sums[row][v]);
    }
}

/* One tile. The inner index runs in steps of four, so that the end of the loop can be foreseen by the
 * processor. */
INLINE void tile_of(const struct matrix_strip *strip, const real *a, real *c, const bool transposed,
                    const size_t rows, const size_t vectors) {
    tile_sums sums;
    const real *from[12], *b = strip->b;
    const size_t a_stride = strip->a_stride, b_stride = strip->b_stride, c_stride = strip->c_stride;
    const size_t step = transposed ? a_stride : 1;
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        from[row] = transposed ? a + row : a + row * a_stride;
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[row][v] = start_of(strip, c + row * c_stride, v);
    }
    for (size_t k = 0; k < strip->inner; k++, b += b_stride)
        add_outer(sums, from, k * step, b, rows, vectors);
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            vector_store(c + row * c_stride + v * VECTOR_WIDTH, sums[row][v]);
    }
}

INLINE void strip_of(const struct matrix_strip *strip, const bool transposed, const size_t rows,
                     const size_t vectors) {
    const real *a = strip->a;
    real *c = strip->c;
    for (size_t tile = 0; tile < strip->tiles; tile++) {
        tile_of(strip, a, c, transposed, rows, vectors);
        a += transposed ? rows : rows * strip->a_stride;
        c += rows * strip->c_stride;
    }
}

/* One row: `phases` sums for each column run beside each other, so that eight additions are under way at a
 * time. */
INLINE void row_of(const struct matrix_strip *strip, const size_t vectors, const size_t phases) {
    vector sums[MATRIX_ROW_VECTORS_MAX][MATRIX_ROW_VECTORS_MAX];
    const real *a = strip->a, *b = strip->b;
    UNROLL
    for (size_t v = 0; v < vectors; v++) {
        sums[0][v] = start_of(strip, strip->c, v);
        UNROLL
        for (size_t phase = 1; phase < phases; phase++)
            sums[phase][v] = vector_all(0);
    }
    size_t k = 0;
    for (; k + phases <= strip->inner; k += phases) {
        UNROLL
        for (size_t phase = 0; phase < phases; phase++) {
            vector value = vector_all(*a);
            UNROLL
            for (size_t v = 0; v < vectors; v++)
                sums[phase][v] = vector_fma(value, vector_load(b + v * VECTOR_WIDTH), sums[phase][v]);
            a += strip->a_stride;
            b += strip->b_stride;
        }
    }
    for (; k < strip->inner; k++) {
        vector value = vector_all(*a);
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[0][v] = vector_fma(value, vector_load(b + v * VECTOR_WIDTH), sums[0][v]);
        a += strip->a_stride;
        b += strip->b_stride;
    }
    UNROLL
    for (size_t v = 0; v < vectors; v++) {
        UNROLL
        for (size_t phase = 1; phase < phases; phase++)
            sums[0][v] += sums[phase][v];
        vector_store(strip->c + v * VECTOR_WIDTH, sums[0][v]);
    }
}

#define TILE(rows, vectors)                                                                                  \
    static void tile_##rows##_##vectors(const struct matrix_strip *strip) {                                  \
        strip_of(strip, false, rows, vectors);                                                               \
    }                                                                                                        \
    static void tile_t_##rows##_##vectors(const struct matrix_strip *strip) {                                \
        strip_of(strip, true, rows, vectors);                                                                \
    }
#define ROW(vectors, phases)                                                                                 \
    static void row_##vectors(const struct matrix_strip *strip) {                                            \
        row_of(strip, vectors, phases);                                                                      \
    }

/* How many rows fit beside so many vectors: of 16 registers (32 with AVX-512) one holds the broadcast value,
 * the rest the columns and the sums. */
#ifdef __AVX512F__
#define ROWS_1 12
#define ROWS_2 12
#define ROWS_3 8
#define ROWS_4 6
#else
#define ROWS_1 8
#define ROWS_2 6
#define ROWS_3 4
#define ROWS_4 2
#endif

TILE(1, 1)
TILE(2, 1)
TILE(3, 1)
TILE(4, 1)
TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1) TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2)
    TILE(1, 3) TILE(2, 3) TILE(3, 3) TILE(4, 3) TILE(1, 4) TILE(2, 4)
#ifdef __AVX512F__
        TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1) TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2)
            TILE(11, 2) TILE(12, 2) TILE(5, 3) TILE(6, 3) TILE(7, 3) TILE(8, 3) TILE(3, 4) TILE(4, 4)
                TILE(5, 4) TILE(6, 4)
#endif
                    ROW(1, 8) ROW(2, 4) ROW(3, 3) ROW(4, 2) ROW(5, 2) ROW(6, 1) ROW(7, 1) ROW(8, 1)

                        size_t matrix_tile_rows_max(size_t vectors) {
    static const size_t rows[MATRIX_VECTORS_MAX + 1] = {0, ROWS_1, ROWS_2, ROWS_3, ROWS_4};
    assert(vectors >= 1 && vectors <= MATRIX_VECTORS_MAX);
    return rows[vectors];
}

#ifdef __AVX512F__
#define FUNCTIONS(tile)                                                                                       \
    {                                                                                                         \
        {tile##_1_1, tile##_2_1, tile##_3_1, tile##_4_1,  tile##_5_1,  tile##_6_1,                            \
         tile##_7_1, tile##_8_1, tile##_9_1, tile##_10_1, tile##_11_1, tile##_12_1},                          \
            {tile##_1_2, tile##_2_2, tile##_3_2, tile##_4_2,  tile##_5_2,  tile##_6_2,                        \
             tile##_7_2, tile##_8_2, tile##_9_2, tile##_10_2, tile##_11_2, tile##_12_2},                      \
            {tile##_1_3, tile##_2_3, tile##_3_3, tile##_4_3, tile##_5_3, tile##_6_3, tile##_7_3, tile##_8_3}, \
        {                                                                                                     \
            tile##_1_4, tile##_2_4, tile##_3_4, tile##_4_4, tile##_5_4, tile##_6_4                            \
        }                                                                                                     \
    }
#else
#define FUNCTIONS(tile)                                                                                      \
    {                                                                                                        \
        {tile##_1_1, tile##_2_1, tile##_3_1, tile##_4_1, tile##_5_1, tile##_6_1, tile##_7_1, tile##_8_1},    \
            {tile##_1_2, tile##_2_2, tile##_3_2, tile##_4_2, tile##_5_2, tile##_6_2},                        \
            {tile##_1_3, tile##_2_3, tile##_3_3, tile##_4_3}, {                                              \
            tile##_1_4, tile##_2_4                                                                           \
        }                                                                                                    \
    }
#endif

matrix_strip_function matrix_strip_of(bool transposed, size_t rows, size_t vectors) {
    static const matrix_strip_function plain[MATRIX_VECTORS_MAX][12] = FUNCTIONS(tile);
    static const matrix_strip_function across[MATRIX_VECTORS_MAX][12] = FUNCTIONS(tile_t);
    assert(rows >= 1 && rows <= matrix_tile_rows_max(vectors));
    return transposed ? across[vectors - 1][rows - 1] : plain[vectors - 1][rows - 1];
}

matrix_strip_function matrix_row_of(size_t vectors) {
    static const matrix_strip_function rows[MATRIX_ROW_VECTORS_MAX] = {row_1, row_2, row_3, row_4,
                                                                       row_5, row_6, row_7, row_8};
    assert(vectors >= 1 && vectors <= MATRIX_ROW_VECTORS_MAX);
    return rows[vectors - 1];
}
