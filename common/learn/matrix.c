/* matrix: chooses who computes a product. */
#include "common/learn/matrix.h"

#include "common/learn/matrix_kernel.h"

void matrix_multiply(const struct matrix_product *product) {
    matrix_kernel(MATRIX_NN, product);
}

void matrix_multiply_tn(const struct matrix_product *product) {
    matrix_kernel(MATRIX_TN, product);
}

void matrix_multiply_nt(const struct matrix_product *product) {
    matrix_kernel(MATRIX_NT, product);
}
