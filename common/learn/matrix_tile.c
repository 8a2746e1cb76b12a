/* matrix_tile: one inline function a kind of tile, and a table of its instances with constant sizes. */
#include "common/learn/matrix_tile.h"

#include <assert.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

INLINE vector start_of(const struct matrix_tile *tile, size_t row, size_t v) {
    if (tile->accumulate)
        return vector_load(tile->c + row * tile->c_stride + v * VECTOR_WIDTH);
    return tile->bias != NULL ? vector_load(tile->bias + v * VECTOR_WIDTH) : vector_all(0);
}

INLINE void tile_of(const struct matrix_tile *tile, const bool transposed, const size_t rows,
                    const size_t vectors) {
    vector sums[12][MATRIX_VECTORS_MAX];
    const real *from[12];
    const real *b = tile->b;
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        from[row] = transposed ? tile->a + row : tile->a + row * tile->a_stride;
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[row][v] = start_of(tile, row, v);
    }
    const real *a = tile->a;
    for (size_t k = 0; k < tile->inner; k++) {
        vector columns[MATRIX_VECTORS_MAX];
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            columns[v] = vector_load(b + v * VECTOR_WIDTH);
        UNROLL
        for (size_t row = 0; row < rows; row++) {
            vector value = vector_all(transposed ? a[row] : from[row][k]);
            UNROLL
            for (size_t v = 0; v < vectors; v++)
                sums[row][v] = vector_fma(value, columns[v], sums[row][v]);
        }
        b += tile->b_stride;
        a += tile->a_stride;
    }
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            vector_store(tile->c + row * tile->c_stride + v * VECTOR_WIDTH, sums[row][v]);
    }
}

/* One row: `phases` sums for each column run beside each other, so that eight additions are under way at a
 * time. */
INLINE void row_of(const struct matrix_tile *tile, const size_t vectors, const size_t phases) {
    vector sums[MATRIX_ROW_VECTORS_MAX][MATRIX_ROW_VECTORS_MAX];
    const real *a = tile->a, *b = tile->b;
    UNROLL
    for (size_t v = 0; v < vectors; v++) {
        sums[0][v] = start_of(tile, 0, v);
        UNROLL
        for (size_t phase = 1; phase < phases; phase++)
            sums[phase][v] = vector_all(0);
    }
    size_t k = 0;
    for (; k + phases <= tile->inner; k += phases) {
        UNROLL
        for (size_t phase = 0; phase < phases; phase++) {
            vector value = vector_all(*a);
            UNROLL
            for (size_t v = 0; v < vectors; v++)
                sums[phase][v] = vector_fma(value, vector_load(b + v * VECTOR_WIDTH), sums[phase][v]);
            a += tile->a_stride;
            b += tile->b_stride;
        }
    }
    for (; k < tile->inner; k++) {
        vector value = vector_all(*a);
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[0][v] = vector_fma(value, vector_load(b + v * VECTOR_WIDTH), sums[0][v]);
        a += tile->a_stride;
        b += tile->b_stride;
    }
    UNROLL
    for (size_t v = 0; v < vectors; v++) {
        UNROLL
        for (size_t phase = 1; phase < phases; phase++)
            sums[0][v] += sums[phase][v];
        vector_store(tile->c + v * VECTOR_WIDTH, sums[0][v]);
    }
}

#define TILE(rows, vectors)                                                                                  \
    static void tile_##rows##_##vectors(const struct matrix_tile *tile) {                                    \
        tile_of(tile, false, rows, vectors);                                                                 \
    }                                                                                                        \
    static void tile_t_##rows##_##vectors(const struct matrix_tile *tile) {                                  \
        tile_of(tile, true, rows, vectors);                                                                  \
    }
#define ROW(vectors, phases)                                                                                 \
    static void row_##vectors(const struct matrix_tile *tile) {                                              \
        row_of(tile, vectors, phases);                                                                       \
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
TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1) TILE(1, 2) TILE(2, 2) TILE(3, 2)
    TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(1, 3) TILE(2, 3) TILE(3, 3) TILE(4, 3) TILE(1, 4) TILE(2, 4)
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

matrix_tile_function matrix_tile_of(bool transposed, size_t rows, size_t vectors) {
    static const matrix_tile_function plain[MATRIX_VECTORS_MAX][12] = FUNCTIONS(tile);
    static const matrix_tile_function across[MATRIX_VECTORS_MAX][12] = FUNCTIONS(tile_t);
    assert(rows >= 1 && rows <= matrix_tile_rows_max(vectors));
    return (transposed ? across : plain)[vectors - 1][rows - 1];
}

matrix_tile_function matrix_row_of(size_t vectors) {
    static const matrix_tile_function rows[MATRIX_ROW_VECTORS_MAX] = {row_1, row_2, row_3, row_4,
                                                                      row_5, row_6, row_7, row_8};
    assert(vectors >= 1 && vectors <= MATRIX_ROW_VECTORS_MAX);
    return rows[vectors - 1];
}
