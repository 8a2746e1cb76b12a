/* Goal: every kind of claim holds where it should, fails where it should, and is left open where seeds
 * disagree; a decision always rests on values paired by seed. Method: sweeps from text with results filled by
 * hand. */
#include "tests/cli/sweep_text.h"

#define CLAIM(fields) "  - {name: t, text: A claim, level: hard, " fields "}\n"

static struct sweep_case test; /* large */

static enum verdict judge(void) {
    return claim_judge(&test.sweep.claims[0], &test.outcome, &test.arena).verdict;
}

/* Fills arm `arm` with three points. */
static void fill(uint32_t arm, double first, double second, double third, double noise) {
    sweep_case_fill(&test, arm, 0, first, noise);
    sweep_case_fill(&test, arm, 1, second, noise);
    sweep_case_fill(&test, arm, 2, third, noise);
}

static void an_order_holds_fails_or_stays_open(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: order, a: a, b: b, relation: below"));
    fill(0, 1, 2, 3, 0.1);
    fill(1, 1.5, 2.5, 3.5, 0.1);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(1, 1.5, 1.5, 3.5, 0.1); /* above at one point */
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(1, 1.5, 2.02, 3.5, -1); /* noise of the other sign: differences spread over both sides */
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    sweep_case_close(&test);
}

/* Noise a hundred times the difference, but the same for both arms of a seed. */
static void an_order_is_decided_by_pairs_not_by_averages(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: order, a: a, b: b, relation: below"));
    fill(0, 10, 20, 30, 5);
    fill(1, 10.05, 20.05, 30.05, 5);
    assert_int_equal(judge(), VERDICT_HOLDS);
    sweep_case_close(&test);
}

static void values_that_are_equal_are_neither_below_nor_above_but_at_most(void **state) {
    (void)state;
    static const struct {
        const char *claim;
        enum verdict wanted;
    } cases[] = {{CLAIM("kind: order, a: a, b: b, relation: below"), VERDICT_FAILS},
                 {CLAIM("kind: order, a: a, b: b, relation: above"), VERDICT_FAILS},
                 {CLAIM("kind: order, a: a, b: b, relation: at-most"), VERDICT_HOLDS},
                 {CLAIM("kind: order, a: a, b: b, relation: at-least"), VERDICT_HOLDS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sweep_case_open(&test, cases[i].claim);
        fill(0, 1, 2, 3, 0.1);
        fill(1, 1, 2, 3, 0.1);
        assert_int_equal(judge(), cases[i].wanted);
        sweep_case_close(&test);
    }
}

static void an_order_may_ask_for_a_ratio_a_margin_or_single_points(void **state) {
    (void)state;
    static const struct {
        const char *claim;
        enum verdict wanted;
    } cases[] = {{CLAIM("kind: order, a: a, b: b, relation: below, ratio: 1.4"), VERDICT_HOLDS},
                 {CLAIM("kind: order, a: a, b: b, relation: below, ratio: 1.6"), VERDICT_FAILS},
                 {CLAIM("kind: order, a: b, b: a, relation: above, ratio: 1.4"), VERDICT_HOLDS},
                 {CLAIM("kind: order, a: b, b: a, relation: above, ratio: 1.6"), VERDICT_FAILS},
                 {CLAIM("kind: order, a: a, b: b, relation: below, margin: 0.7"), VERDICT_FAILS},
                 {CLAIM("kind: order, a: a, b: b, relation: below, margin: 0.7, at: [2, 4]"), VERDICT_HOLDS},
                 {CLAIM("kind: order, a: b, b: a, relation: below, margin: -3"), VERDICT_HOLDS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sweep_case_open(&test, cases[i].claim);
        fill(0, 1, 2, 3, 0.001);
        fill(1, 1.5, 3, 4.5, 0.001);
        assert_int_equal(judge(), cases[i].wanted);
        sweep_case_close(&test);
    }
}

static void a_ranking_is_decided_between_neighbours(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: ranking, arms: [c, a, b]"));
    fill(2, 1, 1, 1, 0.1);
    fill(0, 2, 2, 2, 0.1);
    fill(1, 3, 3, 3, 0.1);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(1, 3, 1.5, 3, 0.1);
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(1, 3, 2, 3, -0.1);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    sweep_case_close(&test);
}

static void a_ratio_lies_within_its_bounds_or_does_not(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: ratio, a: a, b: b, low: 1, high: 1.1"));
    fill(1, 10, 20, 40, 1);
    fill(0, 10.5, 21, 42, 1.05);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 12, 21, 42, 0);
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(0, 11, 21, 42, -1);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    fill(0, 10, 20, 40, 1); /* exactly the lower bound belongs to the range */
    assert_int_equal(judge(), VERDICT_HOLDS);
    sweep_case_close(&test);
}

static void a_ratio_to_zero_is_not_decidable_and_says_so(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: ratio, a: a, b: b, low: 1, high: 2"));
    fill(0, 1, 1, 1, 0);
    fill(1, 1, 0, 1, 0);
    struct claim_verdict verdict = claim_judge(&test.sweep.claims[0], &test.outcome, &test.arena);
    assert_int_equal(verdict.verdict, VERDICT_UNDECIDED);
    assert_non_null(claim_decider(&verdict)->why);
    sweep_case_close(&test);
}

static void a_curve_rises_falls_or_neither(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: monotone, a: a, direction: increasing"));
    fill(0, 1, 2, 3, 0.5);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 1, 3, 2, 0.5);
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(0, 1, 2, 2, 0.5);
    sweep_case_fill(&test, 0, 2, 2.05, -0.5);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    sweep_case_close(&test);
    sweep_case_open(&test, CLAIM("kind: monotone, a: a, direction: decreasing"));
    fill(0, 3, 2, 1, 0.5);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 1, 2, 3, 0.5);
    assert_int_equal(judge(), VERDICT_FAILS);
    sweep_case_close(&test);
}

/* x = 1, 2, 4: slopes count, not differences. */
static void a_shape_is_about_slopes(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: monotone, a: a, direction: decreasing, shape: convex"));
    fill(0, 10, 8, 6, 0.5); /* slopes -2, -1 */
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 10, 8, 4, 0.5); /* a straight line is convex too */
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 10, 8, 1, 0.5);
    assert_int_equal(judge(), VERDICT_FAILS);
    sweep_case_close(&test);
    sweep_case_open(&test, CLAIM("kind: monotone, a: a, direction: increasing, shape: concave"));
    fill(0, 1, 3, 5, 0.5);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 1, 2, 9, 0.5);
    assert_int_equal(judge(), VERDICT_FAILS);
    sweep_case_close(&test);
}

static void a_crossover_is_below_first_and_above_later(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: crossover, a: a, b: b, below_until: 1, above_from: 4"));
    fill(1, 5, 5, 5, 0.1);
    fill(0, 4, 5, 6, 0.1); /* equal in between, where nothing is claimed */
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 4, 5, 4, 0.1);
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(0, 4, 5, 5.01, -0.1);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    sweep_case_close(&test);
}

static void a_spread_is_largest_over_smallest_mean(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: spread, a: a, most: 2"));
    fill(0, 10, 12, 18, 0.5);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 10, 12, 25, 0.5);
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(0, 10, 12, 20, 4);
    sweep_case_fill(&test, 0, 0, 10, -4);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    fill(0, 0, 12, 25, 0);
    assert_int_equal(judge(), VERDICT_UNDECIDED); /* no ratio to zero */
    sweep_case_close(&test);
}

/* x = 1, 2, 4: 2, 4, 16 grows by the factor 2 per unit of x. */
static void growth_is_a_factor_per_unit_of_x(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: growth, a: a, low: 2, high: 2"));
    fill(0, 2, 4, 16, 0);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 2, 4, 8, 0);
    assert_int_equal(judge(), VERDICT_FAILS);
    sweep_case_close(&test);
    sweep_case_open(&test, CLAIM("kind: growth, a: a, low: 1.9, high: 2.1"));
    fill(0, 2, 4.15, 16, 0);
    sweep_case_fill(&test, 0, 1, 4.15, 0.4);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    sweep_case_close(&test);
}

static void a_value_equals_a_number_within_a_tolerance(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: value, a: a, equals: [1, 2, 3], tolerance: 0.1, relative: 5 %"));
    fill(0, 1.1, 2.1, 3.1, 0.01);
    assert_int_equal(judge(), VERDICT_HOLDS);
    fill(0, 1.2, 2.1, 3.1, 0.01);
    assert_int_equal(judge(), VERDICT_FAILS);
    fill(0, 1.15, 2.1, 3.1, 0.1);
    assert_int_equal(judge(), VERDICT_UNDECIDED);
    sweep_case_close(&test);
}

static void few_seeds_decide_nothing_unless_values_are_exact(void **state) {
    (void)state;
    static const char *const claims[] = {CLAIM("kind: value, a: a, equals: 1, at: 1"),
                                         CLAIM("kind: value, a: a, equals: 1, at: 1, exact: true")};
    for (int i = 0; i < 2; i++) {
        sweep_case_open(&test, claims[i]);
        test.outcome.values[outcome_index(&test.sweep, 0, 0, 0, 0)] = 1;
        test.outcome.values[outcome_index(&test.sweep, 0, 0, 0, 1)] = 1;
        assert_int_equal(judge(), i == 0 ? VERDICT_UNDECIDED : VERDICT_HOLDS);
        sweep_case_close(&test);
    }
}

static void seeds_that_are_missing_on_one_side_are_left_out_of_the_pair(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: order, a: a, b: b, relation: below, at: 1"));
    fill(0, 1, 1, 1, 0);
    fill(1, 2, 2, 2, 0);
    test.outcome.values[outcome_index(&test.sweep, 0, 1, 0, 3)] = NAN;
    struct claim_verdict verdict = claim_judge(&test.sweep.claims[0], &test.outcome, &test.arena);
    assert_int_equal(verdict.verdict, VERDICT_HOLDS);
    assert_int_equal(verdict.checks[0].interval.count, 7);
    sweep_case_close(&test);
}

static void a_claim_without_runs_is_open(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: order, a: a, b: [b, c], relation: below"));
    struct claim_verdict verdict = claim_judge(&test.sweep.claims[0], &test.outcome, &test.arena);
    assert_int_equal(verdict.verdict, VERDICT_UNDECIDED);
    assert_int_equal(verdict.check_count, 6);
    assert_string_equal(claim_decider(&verdict)->why, "no runs");
    sweep_case_close(&test);
}

static void the_decider_of_a_claim_that_holds_is_its_tightest_check(void **state) {
    (void)state;
    sweep_case_open(&test, CLAIM("kind: order, a: a, b: b, relation: below"));
    fill(0, 1, 1, 1, 0);
    fill(1, 9, 1.5, 5, 0.4);
    sweep_case_fill(&test, 0, 1, 1, 0);
    struct claim_verdict verdict = claim_judge(&test.sweep.claims[0], &test.outcome, &test.arena);
    assert_int_equal(verdict.verdict, VERDICT_HOLDS);
    assert_ptr_equal(claim_decider(&verdict), &verdict.checks[1]);
    char text[256];
    claim_check_text(claim_decider(&verdict), text, sizeof text);
    assert_non_null(strstr(text, "0.5 [0."));
    assert_non_null(strstr(text, "wanted above 0"));
    sweep_case_close(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_holds_fails_or_stays_open),
        cmocka_unit_test(an_order_is_decided_by_pairs_not_by_averages),
        cmocka_unit_test(values_that_are_equal_are_neither_below_nor_above_but_at_most),
        cmocka_unit_test(an_order_may_ask_for_a_ratio_a_margin_or_single_points),
        cmocka_unit_test(a_ranking_is_decided_between_neighbours),
        cmocka_unit_test(a_ratio_lies_within_its_bounds_or_does_not),
        cmocka_unit_test(a_ratio_to_zero_is_not_decidable_and_says_so),
        cmocka_unit_test(a_curve_rises_falls_or_neither),
        cmocka_unit_test(a_shape_is_about_slopes),
        cmocka_unit_test(a_crossover_is_below_first_and_above_later),
        cmocka_unit_test(a_spread_is_largest_over_smallest_mean),
        cmocka_unit_test(growth_is_a_factor_per_unit_of_x),
        cmocka_unit_test(a_value_equals_a_number_within_a_tolerance),
        cmocka_unit_test(few_seeds_decide_nothing_unless_values_are_exact),
        cmocka_unit_test(seeds_that_are_missing_on_one_side_are_left_out_of_the_pair),
        cmocka_unit_test(a_claim_without_runs_is_open),
        cmocka_unit_test(the_decider_of_a_claim_that_holds_is_its_tightest_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
