/* Goal: straight-through estimators are exactly hard forward and soft backward. Method: numbers whose hard
 * and soft values differ; draws counted. Each test says what it would find broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/ste.h"

/* Fails when forward returns hard + soft - soft (which rounds), or the soft value. */
static void forward_values_are_exactly_zero_or_one(void **state) {
    (void)state;
    real z[64], soft[64], hard[64];
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (size_t i = 0; i < 64; i++)
        z[i] = (real)(4 * random_normal(&stream));
    ste_threshold_forward(z, 64, 0.7, soft, hard);
    for (size_t i = 0; i < 64; i++)
        assert_true(hard[i] == (z[i] > 0 ? 1 : 0) && soft[i] > 0 && soft[i] < 1);
    ste_choice_forward(&(struct ste_choice){8, 8, 0.5}, z, NULL, soft, hard);
    for (size_t row = 0; row < 64; row += 8) {
        real sum = 0, most = z[row];
        for (size_t i = row; i < row + 8; i++) {
            assert_true(hard[i] == 0 || hard[i] == 1);
            sum += hard[i];
            most = z[i] > most ? z[i] : most;
        }
        assert_true(sum == 1);
        for (size_t i = row; i < row + 8; i++)
            assert_true(hard[i] == (z[i] == most ? 1 : 0));
    }
}

/* Fails when backward passes the gradient as it is (identity), or the derivative of the hard value (0), or
 * leaves out slope or temperature. */
static void backward_is_the_gradient_of_the_soft_value(void **state) {
    (void)state;
    real z[3] = {(real)0.3, (real)-1.2, (real)0.9}, soft[3], hard[3], dz[3] = {1, -2, (real)0.5};
    const double h = 1e-3, up[3] = {1, -2, 0.5};
    ste_threshold_forward(z, 3, 2.5, soft, hard);
    ste_threshold_backward(soft, dz, 3, 2.5, dz);
    for (size_t i = 0; i < 3; i++) {
        double above = 1 / (1 + exp(-2.5 * ((double)z[i] + h))),
               below = 1 / (1 + exp(-2.5 * ((double)z[i] - h)));
        assert_true(fabs((double)dz[i] - up[i] * (above - below) / (2 * h)) < 1e-5);
    }
    const struct ste_choice choice = {1, 3, 0.4};
    real dchoice[3] = {1, -2, (real)0.5}, moved[3], away[3];
    ste_choice_forward(&choice, z, NULL, soft, hard);
    ste_choice_backward(&choice, soft, dchoice, dchoice);
    for (size_t i = 0; i < 3; i++) {
        double slope = 0;
        for (int side = -1; side <= 1; side += 2) {
            memcpy(moved, z, sizeof moved);
            moved[i] += (real)(side * 0.01);
            ste_choice_forward(&choice, moved, NULL, away, hard);
            for (size_t j = 0; j < 3; j++)
                slope += side * up[j] * (double)away[j] / 0.02;
        }
        assert_true(fabs((double)dchoice[i] - slope) < 2e-3);
    }
}

/* Fails when ties go to another place, or the choice is made after the softmax, where 0 and 1e-9 are the
 * same. */
static void of_equal_logits_the_first_is_chosen(void **state) {
    (void)state;
    const real z[8] = {1, 3, 3, 0, /* next row */ 0, (real)1e-9, -1, -1};
    real soft[8], hard[8];
    ste_choice_forward(&(struct ste_choice){2, 4, 100}, z, NULL, soft, hard);
    assert_true(hard[1] == 1 && hard[2] == 0 && hard[5] == 1 && hard[4] == 0);
    real zero = 0, half, choice;
    ste_threshold_forward(&zero, 1, 1, &half, &choice);
    assert_true(half == (real)0.5 && choice == 0);
}

/* Fails when the noise is not Gumbel, is divided by the temperature alone, or comes after the choice. */
static void with_gumbel_noise_the_choice_is_a_draw_from_the_softmax(void **state) {
    (void)state;
    enum { ROWS = 20000 };
    const double probability[3] = {0.6, 0.3, 0.1};
    double share[3] = {0};
    struct random_stream stream;
    random_init(&stream, 2, 0, RANDOM_TEST);
    for (size_t row = 0; row < ROWS; row++) {
        real z[3], noise[3], soft[3], hard[3];
        for (size_t i = 0; i < 3; i++)
            z[i] = (real)log(probability[i]);
        ste_gumbel_draw(&stream, 3, noise);
        ste_choice_forward(&(struct ste_choice){1, 3, 0.3}, z, noise, soft, hard);
        for (size_t i = 0; i < 3; i++)
            share[i] += (double)hard[i] / ROWS;
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(share[i] - probability[i]) < 0.015); /* more than 4 standard deviations */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_values_are_exactly_zero_or_one),
        cmocka_unit_test(backward_is_the_gradient_of_the_soft_value),
        cmocka_unit_test(of_equal_logits_the_first_is_chosen),
        cmocka_unit_test(with_gumbel_noise_the_choice_is_a_draw_from_the_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
