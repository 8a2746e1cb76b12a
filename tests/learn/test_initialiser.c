/* Goal: first values are what the initialisers promise: orthonormal vectors times a gain, or uniform within
 * bounds and filling them; biases 0 unless said otherwise; the same for the same stream. Method: scalar
 * products, moments. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/initialiser.h"

#define SIDE_MAX 48

static real weight[SIDE_MAX * SIDE_MAX], bias[SIDE_MAX];

static void fill(enum initialiser_kind kind, double gain, size_t in, size_t out) {
    struct random_stream stream;
    struct initialiser initialiser = {kind, gain};
    random_init(&stream, 5, 0, RANDOM_TEST);
    for (size_t i = 0; i < SIDE_MAX; i++)
        bias[i] = 99;
    initialiser_fill(&initialiser, in, out, &stream, weight, bias);
}

/* Of rows a and b, or of columns. */
static double product_of(bool rows, size_t a, size_t b, size_t in, size_t out) {
    double sum = 0;
    for (size_t i = 0; i < (rows ? out : in); i++)
        sum += rows ? (double)weight[a * out + i] * (double)weight[b * out + i]
                    : (double)weight[i * out + a] * (double)weight[i * out + b];
    return sum;
}

static void check_orthogonal(double gain, size_t in, size_t out) {
    fill(INITIALISER_ORTHOGONAL, gain, in, out);
    bool rows = in < out;
    size_t count = rows ? in : out;
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b <= a; b++)
            assert_true(fabs(product_of(rows, a, b, in, out) - (a == b ? gain * gain : 0)) <
                        1e-6 * (1 + gain * gain));
    for (size_t i = 0; i < out; i++)
        assert_true(bias[i] == 0);
}

static void orthogonal_weights_are_orthonormal_times_the_gain(void **state) {
    (void)state;
    check_orthogonal(1, 32, 32);
    check_orthogonal(1.41421356, 48, 16);
    check_orthogonal(0.01, 16, 48);
    check_orthogonal(1, 1, 8);
    check_orthogonal(1, 8, 1);
    check_orthogonal(1, 1, 1);
}

/* All within the bound, the extremes near it, the mean near 0. */
static void check_uniform(const real *values, size_t count, double bound) {
    double most = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)values[i]));
        sum += (double)values[i];
    }
    assert_true(most <= bound * (1 + 1e-6) && most > 0.99 * bound);
    assert_true(fabs(sum / (double)count) < 4 * bound / sqrt(3.0 * (double)count));
}

static void uniform_weights_fill_their_bounds(void **state) {
    (void)state;
    fill(INITIALISER_HE, 1, 48, 40);
    check_uniform(weight, 48 * 40, sqrt(6.0 / 48));
    assert_true(bias[0] == 0 && bias[39] == 0);
    fill(INITIALISER_XAVIER, 2, 48, 40);
    check_uniform(weight, 48 * 40, 2 * sqrt(6.0 / 88));
    assert_true(bias[0] == 0 && bias[39] == 0);
    fill(INITIALISER_FAN_IN, 1, 48, 40);
    check_uniform(weight, 48 * 40, 1 / sqrt(48.0));
    assert_true(bias[0] != 0 && fabs((double)bias[0]) <= 1 / sqrt(48.0) && bias[40] == 99);
    fill(INITIALISER_UNIFORM, 3e-3, 48, 40);
    check_uniform(weight, 48 * 40, 3e-3);
    assert_true(bias[39] != 0 && fabs((double)bias[39]) <= 3e-3);
}

static void the_same_stream_gives_the_same_values(void **state) {
    (void)state;
    real first[SIDE_MAX * SIDE_MAX];
    for (enum initialiser_kind kind = INITIALISER_ORTHOGONAL; kind <= INITIALISER_UNIFORM; kind++) {
        fill(kind, 1, 24, 16);
        memcpy(first, weight, sizeof first);
        fill(kind, 1, 24, 16);
        assert_memory_equal(first, weight, 24 * 16 * sizeof *first);
    }
}

static void a_bias_may_be_left_out(void **state) {
    (void)state;
    struct random_stream stream;
    struct initialiser initialiser = {INITIALISER_FAN_IN, 1};
    random_init(&stream, 5, 0, RANDOM_TEST);
    initialiser_fill(&initialiser, 4, 4, &stream, weight, NULL);
    assert_true(weight[15] != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orthogonal_weights_are_orthonormal_times_the_gain),
        cmocka_unit_test(uniform_weights_fill_their_bounds),
        cmocka_unit_test(the_same_stream_gives_the_same_values),
        cmocka_unit_test(a_bias_may_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
