/* Goal: chains step as their matrix says and settle where their stationary distribution says.
 * Method: pi P = pi on random matrices, frequencies of a long walk, and matrices whose answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/model/channel.h"

static const double published[] = {0.3, 0.7, 0, 0.25, 0.5, 0.25, 0, 0.7, 0.3};

static void stationary_distribution_of_the_paper(void **state) {
    (void)state;
    double pi[3];
    assert_true(channel_markov_valid(published, 3));
    assert_true(channel_markov_stationary(published, 3, pi));
    assert_true(fabs(pi[0] - 5.0 / 24) < 1e-14 && fabs(pi[1] - 14.0 / 24) < 1e-14 &&
                fabs(pi[2] - 5.0 / 24) < 1e-14);
}

static void random_matrix(struct random_stream *stream, size_t n, double *matrix) {
    for (size_t i = 0; i < n; i++) {
        double total = 0.0;
        for (size_t j = 0; j < n; j++)
            total += matrix[i * n + j] = random_uniform(stream);
        for (size_t j = 0; j < n; j++)
            matrix[i * n + j] /= total;
    }
}

static void stationary_means_unchanged_by_a_step(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (size_t n = 1; n <= CHANNEL_STATES_MAX; n++) {
        double matrix[CHANNEL_STATES_MAX * CHANNEL_STATES_MAX], pi[CHANNEL_STATES_MAX], total = 0.0;
        random_matrix(&stream, n, matrix);
        assert_true(channel_markov_stationary(matrix, n, pi));
        for (size_t j = 0; j < n; j++) {
            double next = 0.0;
            for (size_t i = 0; i < n; i++)
                next += pi[i] * matrix[i * n + j];
            assert_true(fabs(next - pi[j]) < 1e-13 && pi[j] > 0.0);
            total += pi[j];
        }
        assert_true(fabs(total - 1.0) < 1e-13);
    }
}

static void two_closed_classes_have_no_unique_distribution(void **state) {
    (void)state;
    const double identity[] = {1, 0, 0, 1}, absorbing[] = {0.5, 0.5, 0, 1};
    double pi[2];
    assert_false(channel_markov_stationary(identity, 2, pi));
    assert_true(channel_markov_stationary(absorbing, 2, pi));
    assert_true(fabs(pi[0]) < 1e-15 && fabs(pi[1] - 1.0) < 1e-15);
}

static void rows_must_be_probabilities(void **state) {
    (void)state;
    const double short_row[] = {0.5, 0.4, 0.5, 0.5}, negative[] = {1.5, -0.5, 0.5, 0.5},
                 nan_row[] = {NAN, 1, 0, 1};
    assert_false(channel_markov_valid(short_row, 2));
    assert_false(channel_markov_valid(negative, 2));
    assert_false(channel_markov_valid(nan_row, 2));
}

static void step_follows_the_cumulated_row(void **state) {
    (void)state;
    assert_int_equal(channel_markov_step(published, 3, 1, 0.0), 0);
    assert_int_equal(channel_markov_step(published, 3, 1, 0.2499), 0);
    assert_int_equal(channel_markov_step(published, 3, 1, 0.25), 1);
    assert_int_equal(channel_markov_step(published, 3, 1, 0.75), 2);
    /* an impossible transition is not taken even at the very end of the row */
    assert_int_equal(channel_markov_step(published, 3, 0, 0x1.fffffffffffffp-1), 1);
    assert_int_equal(channel_markov_step(published, 3, 2, 0.0), 1);
}

static void a_long_walk_visits_states_as_often_as_stationary(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    size_t now = 1, visits[3] = {0}, steps = 1000000;
    for (size_t i = 0; i < steps; i++)
        visits[now = channel_markov_step(published, 3, now, random_uniform(&stream))]++;
    assert_true(fabs((double)visits[0] / (double)steps - 5.0 / 24) < 0.003);
    assert_true(fabs((double)visits[1] / (double)steps - 14.0 / 24) < 0.003);
}

static void levels_walk_one_step_and_stop_at_the_ends(void **state) {
    (void)state;
    assert_true(fabs(channel_level_gain(0) - 0.3) < 1e-15 && fabs(channel_level_gain(9) - 3.0) < 1e-15);
    assert_int_equal(channel_level_step(5, 0.0), 4);
    assert_int_equal(channel_level_step(5, 0.25), 5);
    assert_int_equal(channel_level_step(5, 0.7499), 5);
    assert_int_equal(channel_level_step(5, 0.75), 6);
    assert_int_equal(channel_level_step(0, 0.1), 0);
    assert_int_equal(channel_level_step(9, 0.9), 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stationary_distribution_of_the_paper),
        cmocka_unit_test(stationary_means_unchanged_by_a_step),
        cmocka_unit_test(two_closed_classes_have_no_unique_distribution),
        cmocka_unit_test(rows_must_be_probabilities),
        cmocka_unit_test(step_follows_the_cumulated_row),
        cmocka_unit_test(a_long_walk_visits_states_as_often_as_stationary),
        cmocka_unit_test(levels_walk_one_step_and_stop_at_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
