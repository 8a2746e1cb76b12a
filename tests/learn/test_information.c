/* Goal: the information plane counts whole tuples, in bits, with the bins as agreed. Method: small sets whose
 * entropies are known. Each test says what it would find broken. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/learn/information.h"

static const struct information_bins HALVES = {2, 0, 1};

static struct information estimate(const real *outputs, size_t width, const uint32_t *labels, size_t count) {
    struct information found;
    struct information_samples samples = {outputs, labels, count, width};
    assert_int_equal(information_estimate(&samples, &HALVES, &found), STATUS_OK);
    return found;
}

static bool is_near(double a, double b) {
    return fabs(a - b) < 1e-12;
}

/* Fails when units are counted one by one (each has 1 bit and says nothing of the label) or entropies are in
 * nats. */
static void the_whole_tuple_is_counted(void **state) {
    (void)state;
    static const real outputs[4 * 2] = {0, 0, 0, 1, 1, 0, 1, 1};
    static const uint32_t labels[4] = {0, 1, 1, 0}; /* exclusive or: neither unit alone knows it */
    struct information found = estimate(outputs, 2, labels, 4);
    assert_true(is_near(found.i_xt_bits, 2) && is_near(found.i_ty_bits, 1));
    assert_true(is_near(found.h_y_bits, 1) && is_near(found.h_t_given_y_bits, 1));
    assert_int_equal(found.tuples, 4);
}

/* Fails when I(X;T) is anything but H(T): for a deterministic net H(T|X) is 0. */
static void the_layer_knows_of_the_input_what_its_entropy_is(void **state) {
    (void)state;
    static const real outputs[8] = {0, 0, 0, 0, 0, 0, 1, 1};
    static const uint32_t labels[8] = {0, 0, 0, 0, 1, 1, 1, 1};
    struct information found = estimate(outputs, 1, labels, 8);
    double h_t = -0.75 * log2(0.75) - 0.25 * log2(0.25), h_t_given_y = 0.5 * 1;
    assert_true(is_near(found.i_xt_bits, h_t) && is_near(found.h_t_given_y_bits, h_t_given_y));
    assert_true(is_near(found.i_ty_bits, h_t - h_t_given_y));
    assert_true(is_near(found.h_t_miller_madow_bits, h_t + 1 / (16 * log(2))));
}

/* Fails when the limit is not log2 of the number of samples; a layer that tells all samples apart reaches it.
 */
static void entropy_is_limited_by_the_samples(void **state) {
    (void)state;
    enum { SAMPLES = 32 };
    real outputs[SAMPLES * 5];
    uint32_t labels[SAMPLES];
    for (uint32_t i = 0; i < SAMPLES; i++) {
        labels[i] = 7;
        for (uint32_t bit = 0; bit < 5; bit++)
            outputs[i * 5 + bit] = (real)(i >> bit & 1);
    }
    struct information found = estimate(outputs, 5, labels, SAMPLES);
    assert_true(is_near(found.limit_bits, 5) && is_near(found.i_xt_bits, 5));
    assert_true(is_near(found.h_y_bits, 0) && is_near(found.i_ty_bits, 0));
}

/* min(floor(bins value), bins - 1): an edge belongs to the bin above it, the upper end to the last bin. */
static void bins_are_half_open_and_clamped(void **state) {
    (void)state;
    const struct information_bins ten = {10, 0, 1}, wide = {4, -1, 1};
    assert_int_equal(information_bin(&HALVES, 0.5), 1);
    assert_int_equal(information_bin(&HALVES, 0.49999), 0);
    assert_int_equal(information_bin(&ten, 1), 9);
    assert_int_equal(information_bin(&ten, 7), 9);
    assert_int_equal(information_bin(&ten, -7), 0);
    assert_int_equal(information_bin(&wide, -0.5), 1);
    assert_int_equal(information_bin(&wide, 0), 2);
    assert_int_equal(information_bin(&ten, (double)NAN), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_tuple_is_counted),
        cmocka_unit_test(the_layer_knows_of_the_input_what_its_entropy_is),
        cmocka_unit_test(entropy_is_limited_by_the_samples),
        cmocka_unit_test(bins_are_half_open_and_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
