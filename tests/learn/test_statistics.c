/* Goal: the figures that results are judged by are the textbook ones, and an interval is the same whenever
 * and wherever it is computed. Method: small samples whose figures are known by hand; coverage of the
 * interval over many samples of a known distribution, with a fixed stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/random.h"
#include "common/learn/statistics.h"

static void mean_deviation_and_median_are_the_textbook_ones(void **state) {
    (void)state;
    double values[] = {4, 1, 3, 2}, odd[] = {5, 1, 9};
    assert_true(statistics_mean(values, 4) == 2.5);
    assert_true(fabs(statistics_deviation(values, 4) - sqrt(5.0 / 3.0)) < 1e-15);
    assert_true(statistics_median(values, 4) == 2.5);
    assert_true(statistics_median(odd, 3) == 5);
}

static void without_values_there_is_no_figure(void **state) {
    (void)state;
    double one[] = {7};
    assert_true(isnan(statistics_mean(one, 0)));
    assert_true(isnan(statistics_median(one, 0)));
    assert_true(isnan(statistics_interquartile_mean(one, 0)));
    assert_true(isnan(statistics_deviation(one, 1)));
    struct statistics_interval none = statistics_summary(one, 0);
    assert_true(isnan(none.value) && isnan(none.low) && isnan(none.high) && none.count == 0);
}

/* floor(count / 4) at each end: 0 of 3, 1 of 4 to 7, 2 of 8. */
static void the_interquartile_mean_drops_a_quarter_at_each_end(void **state) {
    (void)state;
    double three[] = {0, 1, 200}, four[] = {-100, 1, 3, 900}, seven[] = {9, 1, 2, 3, 4, 5, -70};
    double eight[] = {-9, -8, 1, 2, 3, 4, 80, 90};
    assert_true(statistics_interquartile_mean(three, 3) == 67);
    assert_true(statistics_interquartile_mean(four, 4) == 2);
    assert_true(statistics_interquartile_mean(seven, 7) == 3);
    assert_true(statistics_interquartile_mean(eight, 8) == 2.5);
}

static void an_interval_is_the_same_every_time_and_its_values_are_kept(void **state) {
    (void)state;
    double values[] = {3, 1, 2, 8, 5, 4, 7, 6}, before[8];
    memcpy(before, values, sizeof values);
    struct statistics_interval first = statistics_summary(values, 8), second = statistics_summary(values, 8);
    assert_memory_equal(&first, &second, sizeof first);
    assert_memory_equal(values, before, sizeof values);
    assert_true(first.value == 4.5 && first.count == 8);
    assert_true(first.low < 4.5 && first.high > 4.5 && first.low >= 1 && first.high <= 8);
}

static void values_that_are_equal_have_an_interval_of_no_width(void **state) {
    (void)state;
    double values[] = {0.1, 0.1, 0.1, 0.1, 0.1};
    struct statistics_interval interval = statistics_summary(values, 5);
    assert_true(interval.low == interval.value && interval.value == interval.high);
    assert_true(fabs(interval.value - 0.1) < 1e-15);
}

static double first_of_three(const uint32_t *chosen, size_t count, const void *context) {
    const double *values = context;
    return count == 3 ? values[chosen[0]] : NAN;
}

/* One draw of {1, 2, 3}: each a third of the time, so the interval reaches from the least to the greatest. */
static void the_interval_reaches_from_quantile_to_quantile_of_the_figure(void **state) {
    (void)state;
    const double values[] = {1, 2, 3};
    struct statistics_interval interval = statistics_bootstrap(first_of_three, values, 3);
    assert_true(interval.value == 1 && interval.low == 1 && interval.high == 3);
}

static double undefined_for_repetitions(const uint32_t *chosen, size_t count, const void *context) {
    (void)context;
    return count > 1 && chosen[0] == chosen[1] ? NAN : 1;
}

static void one_resample_without_a_figure_leaves_the_whole_without_one(void **state) {
    (void)state;
    struct statistics_interval interval = statistics_bootstrap(undefined_for_repetitions, NULL, 4);
    assert_true(isnan(interval.value) && isnan(interval.low) && isnan(interval.high) && interval.count == 4);
}

/* A percentile bootstrap of 20 values covers a little less than 95 %; a wrong quantile or a stuck stream
 * would be far off. */
static void intervals_cover_the_true_value_about_as_often_as_they_say(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    unsigned covered = 0;
    for (int trial = 0; trial < 400; trial++) {
        double values[20];
        for (int i = 0; i < 20; i++)
            values[i] = random_normal(&stream);
        struct statistics_interval interval = statistics_summary(values, 20);
        covered += interval.low <= 0 && interval.high >= 0;
    }
    assert_in_range(covered, 350, 394);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_deviation_and_median_are_the_textbook_ones),
        cmocka_unit_test(without_values_there_is_no_figure),
        cmocka_unit_test(the_interquartile_mean_drops_a_quarter_at_each_end),
        cmocka_unit_test(an_interval_is_the_same_every_time_and_its_values_are_kept),
        cmocka_unit_test(values_that_are_equal_have_an_interval_of_no_width),
        cmocka_unit_test(the_interval_reaches_from_quantile_to_quantile_of_the_figure),
        cmocka_unit_test(one_resample_without_a_figure_leaves_the_whole_without_one),
        cmocka_unit_test(intervals_cover_the_true_value_about_as_often_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
