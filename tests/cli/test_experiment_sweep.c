/* Goal: a sweep file means what it says, and every mistake in one is reported at its place with what to do;
 * the quick section takes points and seeds away, and nothing else. Method: sweeps from text. */
#include "tests/cli/sweep_text.h"

static struct sweep_case test; /* large */

static void a_small_sweep_is_read_as_it_stands(void **state) {
    (void)state;
    assert_int_equal(sweep_case_try(&test, SWEEP_HEAD, false), STATUS_OK);
    const struct sweep *sweep = &test.sweep;
    assert_string_equal(sweep->scheme, "factory");
    assert_string_equal(sweep->name, "test");
    assert_string_equal(sweep->scenario_path, "experiments/factory/quickstart.yaml");
    assert_int_equal(sweep->point_count, 3);
    assert_true(sweep->points[2].number == 4 && !sweep->categorical && !sweep->single);
    assert_string_equal(sweep->points[2].sets.items[0], "nodes.sensor.per_parent=4");
    assert_string_equal(sweep->arms[1].sets.items[0], "policy.kind=offload");
    assert_string_equal(sweep->measures[1].label, "drops");
    assert_int_equal(sweep->seeds, 8);
    sweep_case_close(&test);
}

static void values_may_be_names_with_settings_of_their_own(void **state) {
    (void)state;
    assert_int_equal(sweep_case_try(&test,
                                    "title: t\nscenario: s.yaml\nmeasures: [{name: m, result: r}]\n"
                                    "arms: [{name: a}]\n"
                                    "x:\n"
                                    "  set: slots=10\n"
                                    "  values:\n"
                                    "    - {value: small, label: A small hall, set: [a=1, b=$x]}\n"
                                    "    - {value: large, set: a=2}\n",
                                    false),
                     STATUS_OK);
    const struct sweep_point *point = &test.sweep.points[0];
    assert_true(test.sweep.categorical && isnan(point->number));
    assert_string_equal(point->label, "A small hall");
    assert_int_equal(point->sets.count, 3);
    assert_string_equal(point->sets.items[1], "b=small");
    assert_string_equal(point->sets.items[2], "slots=10");
    sweep_case_close(&test);
}

static void an_arm_may_read_a_measure_from_elsewhere(void **state) {
    (void)state;
    assert_int_equal(
        sweep_case_try(&test,
                       "title: t\nscenario: s.yaml\n"
                       "measures: [{name: m, result: best}]\n"
                       "arms:\n  - name: a\n"
                       "  - {name: b, read: [{measure: m, series: loss, reduce: std, window: 500}]}\n",
                       false),
        STATUS_OK);
    assert_true(test.sweep.single);
    assert_string_equal(source_name(sweep_source_of(&test.sweep, 0, 0)), "best");
    const struct sweep_source *other = sweep_source_of(&test.sweep, 1, 0);
    assert_string_equal(source_name(other), "loss");
    assert_int_equal(other->reduce, REDUCE_DEVIATION);
    assert_int_equal(other->window, 500);
    sweep_case_close(&test);
}

static void quick_keeps_only_the_points_and_seeds_it_names(void **state) {
    (void)state;
    static const char text[] =
        SWEEP_HEAD "quick: {seeds: 3, values: [4, 1], set: slots=5}\n"
                   "claims:\n"
                   "  - {name: v, text: t, level: hard, kind: value, a: a, equals: [10, 20, 40]}\n"
                   "  - {name: w, text: t, level: hard, kind: order, a: a, b: b, "
                   "relation: below, at: 2}\n";
    assert_int_equal(sweep_case_try(&test, text, false), STATUS_OK);
    assert_int_equal(test.sweep.point_count, 3);
    assert_int_equal(test.sweep.seeds, 8);
    assert_int_equal(test.sweep.quick.sets.count, 0);
    sweep_case_close(&test);
    assert_int_equal(sweep_case_try(&test, text, true), STATUS_OK);
    const struct sweep *sweep = &test.sweep;
    assert_int_equal(sweep->point_count, 2);
    assert_string_equal(sweep->points[0].text, "1");
    assert_string_equal(sweep->points[1].text, "4");
    assert_int_equal(sweep->seeds, 3);
    assert_string_equal(sweep->quick.sets.items[0], "slots=5");
    const struct sweep_claim *claim = &sweep->claims[0];
    assert_int_equal(claim->at_count, 2);
    assert_true(claim->equals[0] == 10 && claim->equals[1] == 40);
    outcome_init(&test.outcome, sweep, &test.arena);
    assert_int_equal(claim_judge(&sweep->claims[1], &test.outcome, &test.arena).verdict, VERDICT_UNTESTED);
    sweep_case_close(&test);
}

/* What each mistake is told as; `tail` follows SWEEP_HEAD, or stands alone. */
struct mistake {
    const char *tail;
    bool alone;
    const char *told;
};

#define CLAIM(fields) "claims:\n  - {name: c, text: t, level: hard, " fields "}\n"
#define BARE "title: t\nscenario: s.yaml\n"
#define ONE_ARM "arms: [{name: a}]\n"
#define ONE_MEASURE "measures: [{name: m, result: r}]\n"

static const struct mistake mistakes[] = {
    {"seed: 3\n", false, "unknown key `seed`; did you mean `seeds`?"},
    {"claim: []\n", false, "unknown key `claim`; did you mean `claims`?"},
    {CLAIM("kind: ordr, a: a, b: b, relation: below"), false, "did you mean `order`?"},
    {CLAIM("kind: order, a: a, b: b"), false, "missing key `relation`, needed with kind `order`"},
    {CLAIM("kind: order, a: a, b: b, relation: below, most: 3"), false, "it goes with kind `spread`"},
    {CLAIM("kind: order, a: a, b: d, relation: below"), false, "there is no arm `d`; did you mean"},
    {CLAIM("kind: order, a: a, b: a, relation: below"), false, "`a` is compared with itself"},
    {CLAIM("kind: order, a: a, b: b, relation: below, measure: dalay"), false, "did you mean `delay`?"},
    {CLAIM("kind: order, a: a, b: b, relation: below, at: 3"), false, "`3` is no value of x"},
    {CLAIM("kind: ranking, arms: [a]"), false, "takes at least two arms"},
    {CLAIM("kind: ratio, a: a, b: b, low: 2, high: 1"), false, "is less than `low`"},
    {CLAIM("kind: crossover, a: a, b: b, below_until: 4, above_from: 4"), false, "must be more than"},
    {CLAIM("kind: value, a: a, equals: [1, 2]"), false, "2 values for 3 points"},
    {"quick: {values: [3]}\n", false, "`3` is no value of x"},
    {"quick: {seeds: 0}\n", false, "quick.seeds: expected a whole number from 1 to 1000"},
    {"set: policy.kind\n", false, "expected KEY=VALUE"},
    {"set: seed=4\n", false, "use `first_seed`"},
    {"set: slots=$x\n", false, "it goes into the `set` of `x`"},
    {BARE ONE_ARM, true, "missing key `measures`"},
    {BARE ONE_ARM "measures: [{name: m}]\n", true, "says nowhere where its number comes from"},
    {BARE ONE_ARM "measures: [{name: m, result: r, series: s}]\n", true, "more than once"},
    {BARE ONE_ARM "measures: [{name: m, result: r, window: 5}]\n", true, "`window` has no effect here"},
    {BARE ONE_ARM "measures: [{name: m, summary: delay.mean}]\n", true, "did you mean `delay.mean_ms`?"},
    {BARE ONE_ARM "measures: [{name: m, summary: tasks.born, nodes: sum}]\n", true, "`nodes` has no effect"},
    {BARE ONE_ARM "measures: [{name: m, result: r}, {name: m, result: s}]\n", true, "names must differ"},
    {BARE ONE_MEASURE "arms: [{name: a}, {name: a}]\n", true, "names must differ"},
    {BARE ONE_MEASURE "arms: []\n", true, "at least one is needed"},
    {BARE ONE_MEASURE "arms: [{name: a, read: [{measure: n, result: r}]}]\n", true, "did you mean `m`?"},
    {BARE ONE_MEASURE ONE_ARM "figure: steps\n", true, "read a `series`"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: [2, 1], set: a=$x}\n", true, "values of the axis must rise"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: [1, 2]}\n", true, "sets nothing"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: [a, a], set: a=$x}\n", true, "`a` is there already"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: [0, 1], set: a=$x, log: true}\n", true, "numbers above 0 only"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: 3, set: a=$x}\n", true, "expected a list of 1 to 64 values"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: [{valu: 3}], set: a=$x}\n", true, "did you mean `value`?"},
    {BARE ONE_MEASURE ONE_ARM CLAIM("kind: spread, a: a, most: 2"), true, "there is only one"},
    {BARE ONE_MEASURE ONE_ARM "x: {values: [s, t], set: a=$x}\n" CLAIM("kind: growth, a: a, low: 1, high: 2"),
     true, "needs numbers on the x axis"},
    {"- a\n- b\n", true, "expected a map"},
    {"title: [\n", true, "YAML syntax"},
};

static bool told(const char *text) {
    for (uint32_t i = 0; i < test.problems.count; i++)
        if (strstr(test.problems.items[i].text, text) != NULL)
            return true;
    return false;
}

static void every_mistake_is_told_with_what_to_do(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char text[8192];
        snprintf(text, sizeof text, "%s%s", mistakes[i].alone ? "" : SWEEP_HEAD, mistakes[i].tail);
        assert_int_equal(sweep_case_try(&test, text, false), STATUS_INVALID);
        if (!told(mistakes[i].told)) {
            scenario_problems_print(&test.problems, stderr);
            fail_msg("not told: %s", mistakes[i].told);
        }
        sweep_case_close(&test);
    }
}

static void a_mistake_is_told_at_its_line_and_column(void **state) {
    (void)state;
    static const char text[] = SWEEP_HEAD "claims:\n"
                                          "  - name: c\n"
                                          "    text: t\n"
                                          "    level: hard\n"
                                          "    kind: order\n"
                                          "    a: a\n"
                                          "    b: x\n"
                                          "    relation: below\n";
    assert_int_equal(sweep_case_try(&test, text, false), STATUS_INVALID);
    assert_int_equal(test.problems.count, 1);
    assert_int_equal(test.problems.items[0].line, 18);
    assert_int_equal(test.problems.items[0].column, 8);
    assert_non_null(strstr(test.problems.items[0].text, "claims[0].b: there is no arm `x`"));
    sweep_case_close(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_sweep_is_read_as_it_stands),
        cmocka_unit_test(values_may_be_names_with_settings_of_their_own),
        cmocka_unit_test(an_arm_may_read_a_measure_from_elsewhere),
        cmocka_unit_test(quick_keeps_only_the_points_and_seeds_it_names),
        cmocka_unit_test(every_mistake_is_told_with_what_to_do),
        cmocka_unit_test(a_mistake_is_told_at_its_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
