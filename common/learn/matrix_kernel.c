/* matrix_kernel: cuts a product into blocks of the inner index, groups of columns that fit in the cache, and
 * tiles. */
#include "common/learn/matrix_kernel.h"

#include <assert.h>
#include <string.h>

#include "common/learn/matrix_tile.h"

#define PACK_BYTES 16384 /* of the buffer for panels of B: half of the smallest first-level cache in use */
#define PACK_REALS (PACK_BYTES / sizeof(real))
#define DIRECT_STRIDE_BYTES                                                                                  \
    256            /* rows of B this close together do not fight for the same lines of the cache */
#define ROWS_FEW 8 /* copying B does not pay for so few rows */
#define ROWS_DOT 4 /* nor transposing it */

/* Columns are cut into panels of so many vectors; the last one may be narrower. */
static size_t panel_vectors(size_t columns, size_t rows) {
    size_t all = (columns + VECTOR_WIDTH - 1) / VECTOR_WIDTH;
    size_t rows_wide = matrix_tile_rows_max(MATRIX_VECTORS_MAX);
    if (rows <= rows_wide && all >= MATRIX_VECTORS_MAX)
        return MATRIX_VECTORS_MAX;
    if (all % 3 == 0 && all % 2 != 0)
        return 3;
    return all < 2 ? 1 : 2;
}

/* Columns first .. first + width of rows k .. k + depth of b, zeros behind the last column. */
static void pack_rows(const struct matrix_product *p, size_t k, size_t depth, size_t first, size_t width,
                      real *panel) {
    size_t present = p->columns - first < width ? p->columns - first : width;
    const real *from = p->b + k * p->b_stride + first;
    for (size_t i = 0; i < depth; i++, from += p->b_stride, panel += width)
        if (present == width) {
            for (size_t v = 0; v < width; v += VECTOR_WIDTH)
                vector_store(panel + v, vector_load(from + v));
        } else {
            memcpy(panel, from, present * sizeof *panel);
            memset(panel + present, 0, (width - present) * sizeof *panel);
        }
}

/* The same of b [columns][inner]: each column of the panel is a row of b. */
static void pack_transposed(const struct matrix_product *p, size_t k, size_t depth, size_t first,
                            size_t width, real *panel) {
    size_t present = p->columns - first < width ? p->columns - first : width;
    size_t whole_columns = present / VECTOR_WIDTH * VECTOR_WIDTH,
           whole_depth = depth / VECTOR_WIDTH * VECTOR_WIDTH;
    const real *from = p->b + first * p->b_stride + k;
    for (size_t column = 0; column < whole_columns; column += VECTOR_WIDTH)
        for (size_t i = 0; i < whole_depth; i += VECTOR_WIDTH)
            vector_transpose(from + column * p->b_stride + i, p->b_stride, panel + i * width + column, width);
    for (size_t column = 0; column < width; column++) {
        size_t begin = column < whole_columns ? whole_depth : 0;
        for (size_t i = begin; i < depth; i++)
            panel[i * width + column] = column < present ? from[column * p->b_stride + i] : 0;
    }
}

/* Runs `function` for tiles of so many rows whose last columns do not exist: on copies, one after the other.
 */
static void run_partial(matrix_strip_function function, const struct matrix_strip *strip, size_t rows,
                        size_t present) {
    size_t width = (present + VECTOR_WIDTH - 1) / VECTOR_WIDTH * VECTOR_WIDTH;
    _Alignas(64) real c[12 * MATRIX_VECTORS_MAX * VECTOR_WIDTH],
        bias[MATRIX_VECTORS_MAX * VECTOR_WIDTH] = {0};
    struct matrix_strip copy = *strip;
    copy.c = c;
    copy.c_stride = width;
    copy.tiles = 1;
    if (strip->bias != NULL) {
        memcpy(bias, strip->bias, present * sizeof *bias);
        copy.bias = bias;
    }
    for (size_t row = 0; strip->accumulate && row < rows; row++) {
        memset(c + row * width, 0, width * sizeof *c);
        memcpy(c + row * width, strip->c + row * strip->c_stride, present * sizeof *c);
    }
    function(&copy);
    for (size_t row = 0; row < rows; row++)
        memcpy(strip->c + row * strip->c_stride, c + row * width, present * sizeof *c);
}

/* What one block of the inner index needs to know. */
struct block {
    const struct matrix_product *product;
    bool transposed; /* a is [inner][rows] */
    size_t k, depth; /* inner indices k .. k + depth */
    size_t panel;    /* columns of a panel */
};

/* Panels beside each other: `count` columns from `first`, the rows of a panel `stride` and the panels `apart`
 * elements further each. */
struct panels {
    size_t first, count;
    const real *data;
    size_t stride, apart;
};

static struct matrix_strip strip_at(const struct block *block, size_t row, size_t column) {
    const struct matrix_product *p = block->product;
    bool first = block->k == 0;
    return (struct matrix_strip){.a = block->transposed ? p->a + block->k * p->a_stride + row
                                                        : p->a + row * p->a_stride + block->k,
                                 .a_stride = p->a_stride,
                                 .inner = block->depth,
                                 .c = p->c + row * p->c_stride + column,
                                 .c_stride = p->c_stride,
                                 .bias = first && p->bias != NULL && !p->accumulate ? p->bias + column : NULL,
                                 .accumulate = p->accumulate || !first};
}

/* Tiles of so many rows of one panel, of which `present` columns exist. */
static void run_panel(const struct block *block, struct matrix_strip *strip, size_t rows, size_t present) {
    size_t vectors = (present + VECTOR_WIDTH - 1) / VECTOR_WIDTH;
    matrix_strip_function function = matrix_strip_of(block->transposed, rows, vectors);
    if (present == vectors * VECTOR_WIDTH) {
        function(strip);
        return;
    }
    for (size_t tile = 0; tile < strip->tiles; tile++) {
        run_partial(function, strip, rows, present);
        strip->a += block->transposed ? rows : rows * strip->a_stride;
        strip->c += rows * strip->c_stride;
    }
}

/* So many tiles of so many rows from `row`, panel after panel. */
static void run_rows(const struct block *block, const struct panels *b, size_t row, size_t rows,
                     size_t tiles) {
    for (size_t at = 0; at < b->count; at += block->panel) {
        struct matrix_strip strip = strip_at(block, row, b->first + at);
        strip.b = b->data + at / block->panel * b->apart;
        strip.b_stride = b->stride;
        strip.tiles = tiles;
        run_panel(block, &strip, rows, b->count - at < block->panel ? b->count - at : block->panel);
    }
}

/* All rows: as many tiles at a time as their part of A stays in the cache while the panels go by, then the
 * rest. */
static void run_group(const struct block *block, const struct panels *b) {
    size_t rows_max = matrix_tile_rows_max(block->panel / VECTOR_WIDTH), all = block->product->rows;
    size_t tiles_max = PACK_REALS / (block->depth * rows_max);
    tiles_max = tiles_max > 0 ? tiles_max : 1;
    size_t row = 0;
    while (all - row >= rows_max) {
        size_t tiles = (all - row) / rows_max;
        tiles = tiles < tiles_max ? tiles : tiles_max;
        run_rows(block, b, row, rows_max, tiles);
        row += tiles * rows_max;
    }
    if (row < all)
        run_rows(block, b, row, all - row, 1);
}

/* Groups of panels of B that fit in the buffer, one after the other. */
static void run_packed(const struct block *block, enum matrix_form form) {
    _Alignas(64) real buffer[PACK_REALS];
    const struct matrix_product *p = block->product;
    size_t apart = block->depth * block->panel, group = PACK_REALS / apart * block->panel;
    for (size_t first = 0; first < p->columns; first += group) {
        size_t count = p->columns - first < group ? p->columns - first : group;
        for (size_t at = 0; at < count; at += block->panel) {
            real *panel = buffer + at / block->panel * apart;
            if (form == MATRIX_NT)
                pack_transposed(p, block->k, block->depth, first + at, block->panel, panel);
            else
                pack_rows(p, block->k, block->depth, first + at, block->panel, panel);
        }
        run_group(block, &(struct panels){first, count, buffer, block->panel, apart});
    }
}

static bool is_direct(enum matrix_form form, const struct matrix_product *p) {
    return form != MATRIX_NT && p->columns % VECTOR_WIDTH == 0 &&
           (p->rows <= ROWS_FEW || p->b_stride * sizeof(real) <= DIRECT_STRIDE_BYTES);
}

static void run_blocks(enum matrix_form form, const struct matrix_product *p) {
    struct block block = {.product = p, .transposed = form == MATRIX_TN};
    block.panel = panel_vectors(p->columns, p->rows) * VECTOR_WIDTH;
    size_t depth_max = PACK_REALS / (2 * VECTOR_WIDTH);
    if (depth_max * block.panel > PACK_REALS)
        depth_max = PACK_REALS / block.panel;
    for (; block.k < p->inner; block.k += block.depth) {
        block.depth = p->inner - block.k < depth_max ? p->inner - block.k : depth_max;
        if (is_direct(form, p))
            run_group(&block, &(struct panels){0, p->columns, p->b + block.k * p->b_stride, p->b_stride,
                                               block.panel});
        else
            run_packed(&block, form);
    }
}

/* One row times b [inner][columns]: vectors of columns straight through. */
static void run_row(const struct matrix_product *p, size_t a_stride) {
    for (size_t column = 0; column < p->columns;) {
        size_t vectors = (p->columns - column) / VECTOR_WIDTH;
        struct matrix_strip strip = {.a = p->a,
                                     .a_stride = a_stride,
                                     .b = p->b + column,
                                     .b_stride = p->b_stride,
                                     .inner = p->inner,
                                     .c = p->c + column,
                                     .bias = p->bias != NULL && !p->accumulate ? p->bias + column : NULL,
                                     .accumulate = p->accumulate};
        if (vectors == 0)
            break;
        vectors = vectors < MATRIX_ROW_VECTORS_MAX ? vectors : MATRIX_ROW_VECTORS_MAX;
        matrix_row_of(vectors)(&strip);
        column += vectors * VECTOR_WIDTH;
    }
    for (size_t column = p->columns / VECTOR_WIDTH * VECTOR_WIDTH; column < p->columns; column++) {
        real sum = p->accumulate ? p->c[column] : p->bias != NULL ? p->bias[column] : 0;
        for (size_t k = 0; k < p->inner; k++)
            sum += p->a[k * a_stride] * p->b[k * p->b_stride + column];
        p->c[column] = sum;
    }
}

static real dot(const real *a, const real *b, size_t count) {
    vector sums[4] = {vector_all(0), vector_all(0), vector_all(0), vector_all(0)};
    size_t i = 0;
    for (; i + 4 * VECTOR_WIDTH <= count; i += 4 * VECTOR_WIDTH)
        for (size_t v = 0; v < 4; v++)
            sums[v] = vector_fma(vector_load(a + i + v * VECTOR_WIDTH), vector_load(b + i + v * VECTOR_WIDTH),
                                 sums[v]);
    for (; i + VECTOR_WIDTH <= count; i += VECTOR_WIDTH)
        sums[0] = vector_fma(vector_load(a + i), vector_load(b + i), sums[0]);
    real sum = vector_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static void run_dots(const struct matrix_product *p) {
    for (size_t row = 0; row < p->rows; row++)
        for (size_t column = 0; column < p->columns; column++) {
            real *c = p->c + row * p->c_stride + column;
            real start = p->accumulate ? *c : p->bias != NULL ? p->bias[column] : 0;
            *c = start + dot(p->a + row * p->a_stride, p->b + column * p->b_stride, p->inner);
        }
}

/* C = bias, or as it is. */
static void run_empty(const struct matrix_product *p) {
    for (size_t row = 0; row < p->rows && !p->accumulate; row++)
        for (size_t column = 0; column < p->columns; column++)
            p->c[row * p->c_stride + column] = p->bias != NULL ? p->bias[column] : 0;
}

void matrix_kernel(enum matrix_form form, const struct matrix_product *product) {
    assert(!(product->accumulate && product->bias != NULL));
    if (product->inner == 0)
        run_empty(product);
    else if (form == MATRIX_NT && product->rows <= ROWS_DOT)
        run_dots(product);
    else if (form != MATRIX_NT && product->rows == 1)
        run_row(product, form == MATRIX_TN ? product->a_stride : 1);
    else
        run_blocks(form, product);
}
