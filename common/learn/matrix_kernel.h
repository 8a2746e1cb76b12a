/* matrix_kernel: matrix products in tiles that fit in registers. Internal to matrix.c (and compared with a
 * naive loop by its test).
 *
 * A tile is some rows times some vectors of columns; its sums stay in registers while the inner index runs. B
 * is read where it lies when that is kind to the cache, else panel after panel is copied (or transposed) into
 * a buffer on the stack first. */
#ifndef TIERBED_LEARN_MATRIX_KERNEL_H
#define TIERBED_LEARN_MATRIX_KERNEL_H

#include "common/learn/matrix.h"

enum matrix_form { MATRIX_NN, MATRIX_TN, MATRIX_NT };

/* As matrix_multiply and its forms, for any shape. */
void matrix_kernel(enum matrix_form form, const struct matrix_product *product);

#endif
