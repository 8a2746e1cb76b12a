#include "common/learn/conv_kernel.h"

#define INLINE VECTOR_INLINE
#define UNROLL VECTOR_UNROLL

enum {
    TILE_ROWS_ONE = 9, /* rows of a tile one vector wide: a 3x3 kernel over one channel is one tile */
    TILE_ROWS_TWO =
        6, /* two vectors wide: 12 sums, two vectors of weights and one broadcast fill 15 of 16 registers */
    POSITIONS_PER_SUM = 512 /* of a weight gradient, so that long sums do not lose digits */
};

/* Lanes beyond `filters` of the panel are not stored. */
INLINE void store_lanes(real *to, vector value, size_t filters) {
    if (filters >= VECTOR_WIDTH)
        vector_store(to, value);
    else
        for (size_t lane = 0; lane < filters; lane++)
            to[lane] = value[lane];
}

INLINE vector load_lanes(const real *from, size_t filters) {
    if (filters >= VECTOR_WIDTH)
        return vector_load(from);
    vector value = vector_all(0);
    for (size_t lane = 0; lane < filters; lane++)
        value[lane] = from[lane];
    return value;
}

struct panel {
    const real *weight; /* [kernel depth][width] */
    const real *bias;   /* of the first filter, or NULL */
    size_t filters;     /* that exist */
    size_t out;         /* of the whole layer: step of y */
    bool relu;
};

INLINE void product_store(const struct panel *panel, vector *sums, real *y, const size_t rows,
                          const size_t wide) {
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        UNROLL
        for (size_t v = 0; v < wide; v++) {
            vector value = sums[row * wide + v];
            if (panel->relu)
                value = vector_relu(value);
            size_t first = v * VECTOR_WIDTH;
            if (first < panel->filters)
                store_lanes(y + row * panel->out + first, value, panel->filters - first);
        }
    }
}

/* `rows` positions times `wide` vectors of filters, all sums in registers. */
INLINE void product_tile(const struct conv_patches *patches, const struct panel *panel,
                         const uint32_t *offsets, real *y, const size_t rows, const size_t wide) {
    vector sums[TILE_ROWS_ONE + TILE_ROWS_TWO];
    const real *from[TILE_ROWS_ONE];
    UNROLL
    for (size_t v = 0; v < wide; v++) {
        size_t first = v * VECTOR_WIDTH;
        vector bias = panel->bias != NULL && first < panel->filters
                          ? load_lanes(panel->bias + first, panel->filters - first)
                          : vector_all(0);
        UNROLL
        for (size_t row = 0; row < rows; row++)
            sums[row * wide + v] = bias;
    }
    UNROLL
    for (size_t row = 0; row < rows; row++)
        from[row] = patches->images + offsets[row];
    const real *weight = panel->weight;
    for (size_t i = 0; i < patches->kernel; i++)
        for (size_t at = i * patches->row_step, end = at + patches->depth; at < end; at++) {
            vector w[2];
            UNROLL
            for (size_t v = 0; v < wide; v++)
                w[v] = vector_load(weight + v * VECTOR_WIDTH);
            weight += wide * VECTOR_WIDTH;
            UNROLL
            for (size_t row = 0; row < rows; row++) {
                vector value = vector_all(from[row][at]);
                UNROLL
                for (size_t v = 0; v < wide; v++)
                    sums[row * wide + v] = vector_fma(value, w[v], sums[row * wide + v]);
            }
        }
    product_store(panel, sums, y, rows, wide);
}

#define PRODUCT_TILE(rows, wide)                                                                             \
    static void product_##rows##_##wide(const struct conv_patches *patches, const struct panel *panel,       \
                                        const uint32_t *offsets, real *y) {                                  \
        product_tile(patches, panel, offsets, y, rows, wide);                                                \
    }
PRODUCT_TILE(1, 1)
PRODUCT_TILE(2, 1)
PRODUCT_TILE(3, 1)
PRODUCT_TILE(4, 1)
PRODUCT_TILE(5, 1)
PRODUCT_TILE(6, 1)
PRODUCT_TILE(7, 1)
PRODUCT_TILE(8, 1)
PRODUCT_TILE(9, 1)
PRODUCT_TILE(1, 2)
PRODUCT_TILE(2, 2)
PRODUCT_TILE(3, 2)
PRODUCT_TILE(4, 2)
PRODUCT_TILE(5, 2)
PRODUCT_TILE(6, 2)

typedef void product_function(const struct conv_patches *, const struct panel *, const uint32_t *, real *);

static product_function *const PRODUCT_ONE[TILE_ROWS_ONE + 1] = {
    NULL,        product_1_1, product_2_1, product_3_1, product_4_1,
    product_5_1, product_6_1, product_7_1, product_8_1, product_9_1};
static product_function *const PRODUCT_TWO[TILE_ROWS_TWO + 1] = {
    NULL, product_1_2, product_2_2, product_3_2, product_4_2, product_5_2, product_6_2};

void conv_product(const struct conv_product *product, real *y) {
    const struct conv_patches *patches = &product->patches;
    const real *weight = product->packed;
    for (size_t first = 0, width; first < product->out; first += width) {
        width = conv_panel_width(product->out, first);
        struct panel panel = {.weight = weight,
                              .bias = product->bias != NULL ? product->bias + first : NULL,
                              .filters = product->out - first < width ? product->out - first : width,
                              .out = product->out,
                              .relu = product->relu};
        bool two = width > VECTOR_WIDTH;
        size_t rows_max = two ? TILE_ROWS_TWO : TILE_ROWS_ONE;
        for (size_t at = 0, rows; at < patches->positions; at += rows) {
            rows = patches->positions - at < rows_max ? patches->positions - at : rows_max;
            (two ? PRODUCT_TWO : PRODUCT_ONE)[rows](patches, &panel, patches->offsets + at,
                                                    y + at * product->out + first);
        }
        weight += patches->kernel * patches->depth * width;
    }
}

/* ---- gradient of the weight ---- */

struct gradient_tile {
    const real *from[TILE_ROWS_ONE]; /* each row's element in the patch at offset 0 */
    const uint32_t *offsets;
    size_t positions;
    const real *dy; /* of the first position and filter */
    size_t dy_step;
    real *gradient; /* of the first row and filter */
    size_t filters, out;
};

/* `rows` rows of the weight times `wide` vectors of filters, summed over positions. */
INLINE void gradient_tile(const struct gradient_tile *tile, const size_t rows, const size_t wide) {
    vector sums[TILE_ROWS_ONE + TILE_ROWS_TWO];
    const real *from[TILE_ROWS_ONE];
    UNROLL
    for (size_t row = 0; row < rows; row++)
        from[row] = tile->from[row];
    UNROLL
    for (size_t sum = 0; sum < rows * wide; sum++)
        sums[sum] = vector_all(0);
    const real *dy = tile->dy;
    for (size_t position = 0; position < tile->positions; position++, dy += tile->dy_step) {
        size_t at = tile->offsets[position];
        vector d[2];
        UNROLL
        for (size_t v = 0; v < wide; v++)
            d[v] = vector_load(dy + v * VECTOR_WIDTH);
        UNROLL
        for (size_t row = 0; row < rows; row++) {
            vector value = vector_all(from[row][at]);
            UNROLL
            for (size_t v = 0; v < wide; v++)
                sums[row * wide + v] = vector_fma(value, d[v], sums[row * wide + v]);
        }
    }
    UNROLL
    for (size_t row = 0; row < rows; row++)
        UNROLL
    for (size_t v = 0; v < wide; v++) {
        size_t first = v * VECTOR_WIDTH;
        if (first >= tile->filters)
            continue;
        real *to = tile->gradient + row * tile->out + first;
        store_lanes(to, load_lanes(to, tile->filters - first) + sums[row * wide + v], tile->filters - first);
    }
}

#define GRADIENT_TILE(rows, wide)                                                                            \
    static void gradient_##rows##_##wide(const struct gradient_tile *tile) {                                 \
        gradient_tile(tile, rows, wide);                                                                     \
    }
GRADIENT_TILE(1, 1)
GRADIENT_TILE(2, 1)
GRADIENT_TILE(3, 1)
GRADIENT_TILE(4, 1)
GRADIENT_TILE(5, 1)
GRADIENT_TILE(6, 1)
GRADIENT_TILE(7, 1)
GRADIENT_TILE(8, 1)
GRADIENT_TILE(9, 1)
GRADIENT_TILE(1, 2)
GRADIENT_TILE(2, 2)
GRADIENT_TILE(3, 2)
GRADIENT_TILE(4, 2)
GRADIENT_TILE(5, 2)
GRADIENT_TILE(6, 2)

typedef void gradient_function(const struct gradient_tile *);

static gradient_function *const GRADIENT_ONE[TILE_ROWS_ONE + 1] = {
    NULL,         gradient_1_1, gradient_2_1, gradient_3_1, gradient_4_1,
    gradient_5_1, gradient_6_1, gradient_7_1, gradient_8_1, gradient_9_1};
static gradient_function *const GRADIENT_TWO[TILE_ROWS_TWO + 1] = {
    NULL, gradient_1_2, gradient_2_2, gradient_3_2, gradient_4_2, gradient_5_2, gradient_6_2};

/* All rows of one panel of filters; `tile` holds positions, dy and the panel. */
static void gradient_panel(const struct conv_patches *patches, struct gradient_tile *tile, bool two) {
    size_t rows_max = two ? TILE_ROWS_TWO : TILE_ROWS_ONE, count = patches->kernel * patches->depth;
    real *gradient = tile->gradient;
    for (size_t at = 0, rows; at < count; at += rows) {
        rows = count - at < rows_max ? count - at : rows_max;
        for (size_t row = 0; row < rows; row++) {
            size_t element = at + row;
            tile->from[row] =
                patches->images + element / patches->depth * patches->row_step + element % patches->depth;
        }
        tile->gradient = gradient + at * tile->out;
        (two ? GRADIENT_TWO : GRADIENT_ONE)[rows](tile);
    }
}

void conv_product_transposed(const struct conv_patches *patches, const real *dy, size_t dy_step, size_t out,
                             real *gradient) {
    for (size_t begin = 0; begin < patches->positions; begin += POSITIONS_PER_SUM) {
        size_t left = patches->positions - begin;
        for (size_t first = 0, width; first < out; first += width) {
            width = conv_panel_width(out, first);
            struct gradient_tile tile = {.offsets = patches->offsets + begin,
                                         .positions = left < POSITIONS_PER_SUM ? left : POSITIONS_PER_SUM,
                                         .dy = dy + begin * dy_step + first,
                                         .dy_step = dy_step,
                                         .filters = out - first < width ? out - first : width,
                                         .out = out};
            tile.gradient = gradient + first;
            gradient_panel(patches, &tile, width > VECTOR_WIDTH);
        }
    }
}
