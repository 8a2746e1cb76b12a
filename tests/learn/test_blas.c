/* Goal: OpenBLAS is opened with kernels that suit the processor, respects what the user set, leaves no trace
 * in the environment, and computes the same products as the kernels of this library. Method: its own word for
 * the kernels in use, in this process and in children with another environment; products of both sides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/learn/blas.h"

/* In a child, as a library is opened once a process: 0 when blas_core() there is `core`. */
static int child_core_differs(const char *variable, const char *core) {
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (variable != NULL)
            setenv("OPENBLAS_CORETYPE", variable, 1);
        else
            unsetenv("OPENBLAS_CORETYPE");
        _exit(blas_open(NULL) != STATUS_OK ? 2 : strcasecmp(blas_core(), core) != 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Runs first: later the library is open, and its children have it open too. */
static void the_user_may_choose_other_kernels(void **state) {
    (void)state;
    if (blas_core_wanted() == NULL)
        skip();
    assert_int_equal(child_core_differs("Nehalem", "Nehalem"), 0);
    assert_int_equal(child_core_differs(NULL, blas_core_wanted()), 0);
    assert_int_equal(child_core_differs(NULL, "Nehalem"), 1); /* the comparison can fail */
}

static void kernels_are_not_older_than_the_processor(void **state) {
    (void)state;
    struct error error = {0};
    unsetenv("OPENBLAS_CORETYPE");
    if (blas_open(&error) != STATUS_OK)
        fail_msg("%s", error.text);
    assert_string_not_equal(blas_core(), "");
    assert_string_not_equal(blas_version(), "");
    if (blas_core_wanted() == NULL)
        skip();
    assert_false(blas_core_is_old(blas_core()));
    assert_string_not_equal(blas_core(), "Prescott");
    assert_true(blas_core_is_old("Prescott"));
    assert_true(blas_core_is_old("Nehalem"));
    assert_false(blas_core_is_old("Zen"));
}

static void children_inherit_no_setting(void **state) {
    (void)state;
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_NUM_THREADS");
    assert_int_equal(blas_open(NULL), STATUS_OK);
    assert_null(getenv("OPENBLAS_CORETYPE"));
    assert_null(getenv("OPENBLAS_NUM_THREADS"));
}

#define SIZE 40

static void products_agree_with_the_kernels(void **state) {
    (void)state;
    real a[SIZE * SIZE], b[SIZE * SIZE], bias[SIZE], one[SIZE * SIZE], two[SIZE * SIZE];
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (size_t i = 0; i < SIZE * SIZE; i++) {
        a[i] = (real)random_normal(&stream), b[i] = (real)random_normal(&stream);
        one[i] = two[i] = (real)random_normal(&stream);
        bias[i % SIZE] = a[i];
    }
    for (enum matrix_form form = MATRIX_NN; form <= MATRIX_NT; form++)
        for (int variant = 0; variant < 3; variant++) {
            struct matrix_product product = {.rows = SIZE - 3, .columns = SIZE - 2, .inner = SIZE - 1};
            product.a = a, product.b = b, product.a_stride = product.b_stride = product.c_stride = SIZE;
            product.bias = variant == 1 ? bias : NULL;
            product.accumulate = variant == 2;
            product.c = one;
            matrix_kernel(form, &product);
            product.c = two;
            blas_multiply(form, &product);
            for (size_t i = 0; i < SIZE * SIZE; i++)
                assert_true(fabs((double)(one[i] - two[i])) < 1e-4);
        }
}

/* 320 x 332 x 320 multiplications are just above where matrix.c turns to the library. */
static void large_products_agree_with_the_kernels_too(void **state) {
    (void)state;
    enum { ROWS = 320, COLUMNS = 332 };
    struct random_stream stream;
    real *block = malloc(sizeof *block * (ROWS * ROWS + 3 * ROWS * COLUMNS));
    assert_non_null(block);
    random_init(&stream, 2, 0, RANDOM_TEST);
    for (size_t i = 0; i < ROWS * ROWS + ROWS * COLUMNS; i++)
        block[i] = (real)random_normal(&stream);
    struct matrix_product product = {.rows = ROWS, .columns = COLUMNS, .inner = ROWS};
    product.a = block, product.a_stride = ROWS;
    product.b = block + ROWS * ROWS, product.b_stride = COLUMNS, product.c_stride = COLUMNS;
    real *one = block + ROWS * ROWS + ROWS * COLUMNS, *two = one + ROWS * COLUMNS;
    product.c = one;
    matrix_kernel(MATRIX_NN, &product);
    product.c = two;
    matrix_multiply(&product);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        assert_true(fabs((double)(one[i] - two[i])) < 1e-3);
    free(block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_user_may_choose_other_kernels),
        cmocka_unit_test(kernels_are_not_older_than_the_processor),
        cmocka_unit_test(children_inherit_no_setting),
        cmocka_unit_test(products_agree_with_the_kernels),
        cmocka_unit_test(large_products_agree_with_the_kernels_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
