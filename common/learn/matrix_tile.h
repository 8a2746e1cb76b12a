/* matrix_tile: the innermost loops of matrix_kernel.c, compiled for each size of a tile. */
#ifndef TIERBED_LEARN_MATRIX_TILE_H
#define TIERBED_LEARN_MATRIX_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/learn/real.h"
#include "common/learn/vector.h"

#define MATRIX_VECTORS_MAX 4     /* of columns in a tile of several rows */
#define MATRIX_ROW_VECTORS_MAX 8 /* in a tile of one row */

/* A strip: tiles one below the other. c [rows][vectors x VECTOR_WIDTH] = start + a b. */
struct matrix_strip {
    const real *a;
    size_t a_stride;
    const real *b;
    size_t b_stride;
    size_t inner;
    real *c;
    size_t c_stride;
    const real *bias; /* NULL: 0 */
    bool accumulate;  /* start is c itself */
    size_t tiles;
};

typedef void (*matrix_strip_function)(const struct matrix_strip *strip);

/* The most rows that a tile of so many vectors may have, 1 .. MATRIX_VECTORS_MAX. */
size_t matrix_tile_rows_max(size_t vectors);

/* Tiles of so many rows and vectors. a [rows][inner]; transposed: a [inner][rows]. */
matrix_strip_function matrix_strip_of(bool transposed, size_t rows, size_t vectors);

/* One row of 1 .. MATRIX_ROW_VECTORS_MAX vectors; a [inner], a_stride apart. */
matrix_strip_function matrix_row_of(size_t vectors);

#endif
