/* matrix: chooses who computes a product. */
#include "common/learn/matrix.h"

#include "common/learn/blas.h"
#include "common/learn/matrix_kernel.h"

/* From so many multiplications up OpenBLAS is faster than the kernels of this library (measured with AVX2:
 * 512 x 256 x 256 is even). Without AVX2 the kernels are built for four numbers at a time, OpenBLAS still
 * chooses its own. */
#if defined(__AVX2__) || !defined(__x86_64__)
#define LARGE ((double)(1 << 25))
#else
#define LARGE ((double)(1 << 18))
#endif
#define ROWS_LARGE 32 /* and so many rows and columns: it is made for matrices that are wide both ways */

static void multiply(enum matrix_form form, const struct matrix_product *p) {
    bool wide = p->rows >= ROWS_LARGE && p->columns >= ROWS_LARGE;
    if (wide && (double)p->rows * (double)p->columns * (double)p->inner >= LARGE)
        blas_multiply(form, p);
    else
        matrix_kernel(form, p);
}

void matrix_multiply(const struct matrix_product *product) {
    multiply(MATRIX_NN, product);
}

void matrix_multiply_tn(const struct matrix_product *product) {
    multiply(MATRIX_TN, product);
}

void matrix_multiply_nt(const struct matrix_product *product) {
    multiply(MATRIX_NT, product);
}
