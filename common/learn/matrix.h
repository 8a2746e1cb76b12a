/* matrix: products of row-major matrices, C = A B and its transposed forms, as layers need them.
 *
 * Small and narrow products run in kernels of this library (matrix_kernel.h), large ones in OpenBLAS
 * (blas.h). Which one, and in which order sums run, depends on the shape alone: same shape and input, same
 * bits. The result for one row may differ in its last bits between products of few and of many rows. */
#ifndef TIERBED_LEARN_MATRIX_H
#define TIERBED_LEARN_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/learn/real.h"

/* C [rows][columns] sums over `inner`. A stride is the distance of two rows in elements, at least their
 * length. All borrowed; C overlaps neither A nor B. */
struct matrix_product {
    size_t rows, columns, inner;
    const real *a, *b;
    real *c;
    size_t a_stride, b_stride, c_stride;
    const real *bias; /* [columns], added to every row; NULL: none */
    bool accumulate;  /* C += the product, instead of C = */
};

/* C = A B: a [rows][inner], b [inner][columns]. */
void matrix_multiply(const struct matrix_product *product);
/* C = A' B: a [inner][rows], b [inner][columns]. */
void matrix_multiply_tn(const struct matrix_product *product);
/* C = A B': a [rows][inner], b [columns][inner]. */
void matrix_multiply_nt(const struct matrix_product *product);

#endif
