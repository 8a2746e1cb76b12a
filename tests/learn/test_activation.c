/* Goal: activations in single precision are those of the C library in double to a few units in the last
 * place, at every size of argument and at its ends, and no element depends on its neighbours. Method: sweeps;
 * NaN and infinities. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/learn/activation.h"

static double expected(enum activation kind, double x) {
    switch (kind) {
    case ACTIVATION_NONE:
        return x;
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_LEAKY_RELU:
        return x > 0 ? x : 0.01 * x;
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    case ACTIVATION_SOFTPLUS:
        return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
    }
    return NAN;
}

/* In halves of a unit in the last place. */
static double error_at(enum activation kind, float x, double *wanted) {
    real y = NAN;
    activation_forward(kind, &x, 1, &y);
    *wanted = expected(kind, (double)x);
    return fabs((double)y - *wanted) / (0x1p-24 * fabs(*wanted) + 0x1p-150);
}

static void check(enum activation kind, float x) {
    double wanted, error = error_at(kind, x, &wanted);
    if (!(error <= 6))
        fail_msg("%s(%.9g): %.9g expected, off by %g half units", activation_name(kind), (double)x, wanted,
                 error);
}

static void values_are_right_to_three_units_in_the_last_place(void **state) {
    (void)state;
    for (enum activation kind = ACTIVATION_NONE; kind <= ACTIVATION_SOFTPLUS; kind++) {
        for (double x = -86; x < 86; x += 0.0037)
            check(kind, (float)x);
        for (double size = 1e-30; size < 1; size *= 1.003) {
            check(kind, (float)size);
            check(kind, (float)-size);
        }
    }
}

static void saturation_is_exact_and_nothing_overflows(void **state) {
    (void)state;
    const real large[] = {100, 1e10f, INFINITY, -100, -1e10f, -INFINITY};
    real y[6];
    activation_forward(ACTIVATION_TANH, large, 6, y);
    for (size_t i = 0; i < 6; i++)
        assert_true(y[i] == (i < 3 ? 1 : -1));
    activation_forward(ACTIVATION_SIGMOID, large, 6, y);
    for (size_t i = 0; i < 6; i++)
        assert_true(i < 3 ? y[i] == 1 : y[i] >= 0 && y[i] < 1e-37f);
    activation_forward(ACTIVATION_SOFTPLUS, large, 6, y);
    for (size_t i = 0; i < 6; i++)
        assert_true(i < 3 ? y[i] == large[i] : y[i] >= 0 && y[i] < 1e-37f);
    for (float x = 8.5f; x < 10; x += 0.001f) { /* never beyond 1 */
        activation_forward(ACTIVATION_TANH, &x, 1, y);
        assert_true(y[0] <= 1 && y[0] > 0.9999995f);
    }
}

static void what_is_not_a_number_stays_so(void **state) {
    (void)state;
    for (enum activation kind = ACTIVATION_NONE; kind <= ACTIVATION_SOFTPLUS; kind++) {
        real x = NAN, y = 0;
        activation_forward(kind, &x, 1, &y);
        assert_true(isnan(y));
    }
}

static void an_element_depends_on_no_other_and_may_be_replaced_in_place(void **state) {
    (void)state;
    real x[67], whole[67], alone;
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (size_t i = 0; i < 67; i++)
        x[i] = (real)(3 * random_normal(&stream));
    for (enum activation kind = ACTIVATION_NONE; kind <= ACTIVATION_SOFTPLUS; kind++) {
        activation_forward(kind, x, 67, whole);
        for (size_t i = 0; i < 67; i++) {
            activation_forward(kind, x + i, 1, &alone);
            assert_memory_equal(&alone, whole + i, sizeof alone);
        }
        real in_place[67];
        memcpy(in_place, x, sizeof x);
        activation_forward(kind, in_place, 67, in_place);
        assert_memory_equal(in_place, whole, sizeof whole);
        activation_backward(kind, whole, x, 67, in_place);
        memcpy(whole, in_place, sizeof whole);
        activation_forward(kind, x, 67, in_place);
        real gradient[67];
        memcpy(gradient, x, sizeof x);
        activation_backward(kind, in_place, gradient, 67, gradient);
        assert_memory_equal(gradient, whole, sizeof whole);
    }
}

/* The derivative from the output, against the derivative in the argument, in double. */
static double slope(enum activation kind, double x) {
    double y = expected(kind, x);
    switch (kind) {
    case ACTIVATION_NONE:
        return 1;
    case ACTIVATION_RELU:
        return x > 0;
    case ACTIVATION_LEAKY_RELU:
        return x > 0 ? 1 : 0.01;
    case ACTIVATION_TANH:
        return 1 - y * y;
    case ACTIVATION_SIGMOID:
        return y * (1 - y);
    case ACTIVATION_SOFTPLUS:
        return expected(ACTIVATION_SIGMOID, x);
    }
    return NAN;
}

static void derivatives_from_the_output_are_right(void **state) {
    (void)state;
    for (enum activation kind = ACTIVATION_NONE; kind <= ACTIVATION_SOFTPLUS; kind++)
        for (float x = -9; x < 9; x += 0.013f) {
            real y, dx;
            const real dy = 1.5f;
            activation_forward(kind, &x, 1, &y);
            activation_backward(kind, &y, &dy, 1, &dx);
            assert_true(fabs((double)dx - 1.5 * slope(kind, (double)x)) < 1e-6);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_right_to_three_units_in_the_last_place),
        cmocka_unit_test(saturation_is_exact_and_nothing_overflows),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(an_element_depends_on_no_other_and_may_be_replaced_in_place),
        cmocka_unit_test(derivatives_from_the_output_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
