/* matrix_cases: products of all small shapes and some large ones against a naive loop in double precision.
 * Included by test_matrix.c and test_matrix_fp64.c, one for each precision of the kernels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/learn/matrix.h"
#include "common/learn/matrix_kernel.h"

#define GUARD ((real)12345)
#define PADDING 3 /* elements between rows that nobody may touch */

struct operands {
    struct matrix_product product;
    real *a, *b, *c, *bias; /* owned */
    double *expected;       /* owned, [rows][columns] */
    double *magnitude;      /* owned: sum of |a b| */
    size_t c_count;
};

static real *draw(size_t count, struct random_stream *stream) {
    real *values = malloc((count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (real)random_normal(stream);
    return values;
}

static double a_at(enum matrix_form form, const struct matrix_product *p, size_t row, size_t k) {
    return (double)(form == MATRIX_TN ? p->a[k * p->a_stride + row] : p->a[row * p->a_stride + k]);
}

static double b_at(enum matrix_form form, const struct matrix_product *p, size_t k, size_t column) {
    return (double)(form == MATRIX_NT ? p->b[column * p->b_stride + k] : p->b[k * p->b_stride + column]);
}

static void compute_expected(enum matrix_form form, struct operands *o) {
    const struct matrix_product *p = &o->product;
    for (size_t row = 0; row < p->rows; row++)
        for (size_t column = 0; column < p->columns; column++) {
            double sum = p->accumulate     ? (double)p->c[row * p->c_stride + column]
                         : p->bias != NULL ? (double)p->bias[column]
                                           : 0;
            double magnitude = fabs(sum);
            for (size_t k = 0; k < p->inner; k++) {
                double term = a_at(form, p, row, k) * b_at(form, p, k, column);
                sum += term;
                magnitude += fabs(term);
            }
            o->expected[row * p->columns + column] = sum;
            o->magnitude[row * p->columns + column] = magnitude;
        }
}

/* `variant`: 0 plain, 1 with bias, 2 accumulating. */
static void operands_open(struct operands *o, enum matrix_form form, const size_t shape[3], int variant) {
    struct random_stream stream;
    size_t rows = shape[0], columns = shape[1], inner = shape[2];
    random_init(&stream, rows * 1000003 + columns * 1009 + inner, (uint64_t)form, RANDOM_TEST);
    *o = (struct operands){.product = {.rows = rows, .columns = columns, .inner = inner}};
    struct matrix_product *p = &o->product;
    p->a_stride = (form == MATRIX_TN ? rows : inner) + PADDING;
    p->b_stride = (form == MATRIX_NT ? inner : columns) + (columns % 2 == 0 ? 0 : PADDING);
    p->c_stride = columns + PADDING;
    p->a = o->a = draw((form == MATRIX_TN ? inner : rows) * p->a_stride, &stream);
    p->b = o->b = draw((form == MATRIX_NT ? columns : inner) * p->b_stride, &stream);
    o->c_count = rows * p->c_stride;
    p->c = o->c = draw(o->c_count, &stream);
    for (size_t i = 0; i < o->c_count; i++)
        if (i % p->c_stride >= columns)
            o->c[i] = GUARD;
    o->bias = draw(columns, &stream);
    p->bias = variant == 1 ? o->bias : NULL;
    p->accumulate = variant == 2;
    o->expected = malloc((rows * columns + 1) * sizeof *o->expected);
    o->magnitude = malloc((rows * columns + 1) * sizeof *o->magnitude);
    assert_true(o->expected != NULL && o->magnitude != NULL);
    compute_expected(form, o);
}

static void operands_close(struct operands *o) {
    free(o->a);
    free(o->b);
    free(o->c);
    free(o->bias);
    free(o->expected);
    free(o->magnitude);
}

/* The largest error in units of what rounding may do: eps times the sum of magnitudes. */
static double largest_error(const struct operands *o) {
    const struct matrix_product *p = &o->product;
    double eps = sizeof(real) == sizeof(float) ? 0x1p-24 : 0x1p-53, most = 0;
    for (size_t i = 0; i < o->c_count; i++) {
        size_t row = i / p->c_stride, column = i % p->c_stride;
        if (column >= p->columns) {
            assert_true(o->c[i] == GUARD);
            continue;
        }
        size_t at = row * p->columns + column;
        double error = fabs((double)o->c[i] - o->expected[at]) / (eps * (o->magnitude[at] + 1e-30));
        most = error > most ? error : most;
        if (!isfinite(error))
            return error;
    }
    return most;
}

typedef void (*multiply)(enum matrix_form, const struct matrix_product *);

static void multiply_public(enum matrix_form form, const struct matrix_product *product) {
    form == MATRIX_NN   ? matrix_multiply(product)
    : form == MATRIX_TN ? matrix_multiply_tn(product)
                        : matrix_multiply_nt(product);
}

static void check_shape(multiply function, const size_t shape[3]) {
    for (enum matrix_form form = MATRIX_NN; form <= MATRIX_NT; form++)
        for (int variant = 0; variant < 3; variant++) {
            struct operands o;
            operands_open(&o, form, shape, variant);
            function(form, &o.product);
            double error = largest_error(&o), allowed = 4 + 2 * sqrt((double)shape[2]);
            if (!(error <= allowed))
                fail_msg("form %d variant %d, %zu x %zu over %zu: error %g of %g", (int)form, variant,
                         shape[0], shape[1], shape[2], error, allowed);
            operands_close(&o);
        }
}

static void products_of_all_small_shapes_are_right(void **state) {
    (void)state;
    for (size_t rows = 1; rows <= 14; rows++)
        for (size_t columns = 1; columns <= 35; columns++)
            for (size_t inner = 0; inner <= 19; inner += columns % 3 + 1)
                check_shape(matrix_kernel, (const size_t[]){rows, columns, inner});
}

static const size_t shapes[][3] = {
    {64, 64, 64},  {64, 8, 64},   {64, 64, 32},   {1, 64, 64},    {1, 16, 64},  {1, 200, 70},
    {64, 512, 64}, {64, 64, 512}, {64, 64, 1728}, {300, 64, 64},  {64, 24, 48}, {64, 16, 24},
    {64, 48, 24},  {5, 512, 300}, {3, 100, 1000}, {129, 257, 61}, {37, 3, 700}, {70, 130, 530},
    {2, 64, 64},   {3, 40, 64},   {8, 64, 64},    {9, 72, 40}};

static void products_of_the_shapes_of_agents_are_right(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_shape(matrix_kernel, shapes[i]);
        check_shape(multiply_public, shapes[i]);
    }
}

static void products_are_the_same_bits_each_time_and_wherever_they_lie(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (enum matrix_form form = MATRIX_NN; form <= MATRIX_NT; form++) {
            struct operands one, two;
            operands_open(&one, form, shapes[i], 1);
            operands_open(&two, form, shapes[i], 1);
            real *moved = malloc((two.c_count + 16) * sizeof *moved); /* another alignment */
            assert_non_null(moved);
            multiply_public(form, &one.product);
            two.product.c = moved + 1;
            memcpy(moved + 1, two.c, two.c_count * sizeof *moved);
            multiply_public(form, &two.product);
            assert_memory_equal(one.c, moved + 1, one.c_count * sizeof *moved);
            free(moved);
            operands_close(&one);
            operands_close(&two);
        }
}

/* Negative control: the bound is tight enough to see one term that is missing. */
static void a_missing_term_is_seen(void **state) {
    (void)state;
    struct operands o;
    operands_open(&o, MATRIX_NN, (const size_t[]){64, 64, 64}, 0);
    struct matrix_product shorter = o.product;
    shorter.inner = 63;
    matrix_kernel(MATRIX_NN, &shorter);
    assert_true(largest_error(&o) > 100);
    operands_close(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_all_small_shapes_are_right),
        cmocka_unit_test(products_of_the_shapes_of_agents_are_right),
        cmocka_unit_test(products_are_the_same_bits_each_time_and_wherever_they_lie),
        cmocka_unit_test(a_missing_term_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
