/* Goal: the page shows what nodes recorded, whatever it is, and runs without gateways or with very many tasks
 * have a page like any other. Method: sample runs of each kind; values at the ends of what a double can be;
 * curves whose points can be computed by hand; axes over any range. */
#include "tests/record/scratch.h"

#include <float.h>
#include <math.h>
#include <sys/stat.h>

#include "common/record/report.h"
#include "common/record/report_charts.h"
#include "tests/lib/page.h"
#include "tests/record/sample_learning.h"

static struct sample_run run;

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

static char *report_of(const char *dir) {
    struct error error = {0};
    must(report_write(dir, &error), &error);
    char *page = scratch_read(dir, REPORT_FILE);
    page_check(page);
    return page;
}

/* ---- pages ---- */

static void expect_ids_once(const char *page) {
    for (const char *at = page; (at = strstr(at, " id=\"")) != NULL; at++) {
        char id[120];
        snprintf(id, sizeof id, "%.*s", (int)(strcspn(at + 5, "\"") + 6), at);
        assert_int_equal(page_count(page, id), 1);
    }
}

static void every_curve_has_a_chart_and_every_figure_a_row(void **state) {
    const struct scratch *scratch = *state;
    static const char *const curves[] = {"accuracy_test", "checkpoint", "exploration",  "learning_rate",
                                         "q_largest",     "reward",     "round_time_s", "training_loss"};
    static const char *const figures[] = {">accuracy_last<", ">not finite<", ">84,213<",
                                          ">-3.25e-6<",      ">0.183467<",   ">1,347,408<"};
    struct error error = {0};
    must(sample_learning_write(&run, scratch->run, 7, &error), &error);
    char *page = report_of(scratch->run);
    expect_ids_once(page);
    assert_non_null(strstr(page, "<h2>Learning</h2>"));
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        char heading[64];
        snprintf(heading, sizeof heading, "<h3>%s</h3>", curves[i]);
        assert_int_equal(page_count(page, heading), 1);
    }
    assert_int_equal(page_count(page, "Curve of "), sizeof curves / sizeof *curves);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (strstr(page, figures[i]) == NULL)
            fail_msg("the page lacks %s", figures[i]);
    assert_int_equal(page_count(page, "logarithmic"), 1); /* the loss alone spans decades */
    assert_non_null(strstr(page, "120 not finite"));
    free(page);
}

static void a_run_that_learns_nothing_has_no_such_panel(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 2, &error), &error);
    char *page = report_of(scratch->run);
    assert_null(strstr(page, "Learning"));
    assert_null(strstr(page, "<h2>Results"));
    free(page);
}

/* Opens a run for a test that adds rows of its own. */
static struct record *open_run(const char *dir) {
    struct record *record = NULL;
    struct error error = {0};
    sample_open(&run, dir, 7, 2);
    must(record_open(&run.config, &record, &error), &error);
    return record;
}

static void one_two_or_many_curves_are_laid_out_apart(void **state) {
    const struct scratch *scratch = *state;
    static const struct {
        unsigned curves, figures, drawings;
        const char *layout;
    } cases[] = {{1, 0, 3, "\"curves one\""},
                 {1, 1, 2, "\"curves few\""},
                 {2, 0, 4, "\"curves few\""},
                 {3, 1, 3, "\"curves\""},
                 {40, 0, 32, "\"curves\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[DURABLE_PATH_MAX], name[32];
        struct error error = {0};
        snprintf(dir, sizeof dir, "%s-%zu", scratch->run, i);
        struct record *record = open_run(dir);
        for (unsigned curve = 0; curve < cases[i].curves; curve++) {
            snprintf(name, sizeof name, "curve_%u", curve);
            must(sample_value(record, 0, name, curve, curve, &error), &error);
        }
        if (cases[i].figures > 0)
            must(sample_figure(record, 0, "figure", "", 1, &error), &error);
        must(record_close(record, &run.outcome, &error), &error);
        char *page = report_of(dir);
        assert_int_equal(page_count(page, "Curve of "), cases[i].drawings);
        assert_non_null(strstr(page, cases[i].layout));
        assert_int_equal(page_count(page, "The first 32 of 40"), cases[i].curves > 32);
        free(page);
    }
}

static void values_at_the_ends_of_numbers_are_drawn(void **state) {
    const struct scratch *scratch = *state;
    static const double values[] = {DBL_MAX, -DBL_MAX, DBL_MIN,  DBL_TRUE_MIN, 0,     -0.0, 1e-300,
                                    1e300,   NAN,      INFINITY, -INFINITY,    1e-12, 1,    1 + DBL_EPSILON};
    static const size_t count = sizeof values / sizeof *values;
    struct error error = {0};
    struct record *record = open_run(scratch->run);
    for (size_t first = 0; first < count; first++) {
        for (size_t second = 0; second < count; second++) {
            char name[32];
            snprintf(name, sizeof name, "pair_%zu", first); /* every value beside every other */
            must(sample_value(record, (uint32_t)second, name, second == 0 ? 0 : UINT32_MAX - (uint32_t)second,
                              values[first], &error),
                 &error);
            snprintf(name, sizeof name, "two_%zu", first);
            must(sample_value(record, 0, name, (uint32_t)second, values[second % 2 ? first : second], &error),
                 &error);
        }
        char name[32];
        snprintf(name, sizeof name, "figure_%zu", first);
        must(sample_figure(record, 0, name, "\"<&>'", values[first], &error), &error);
    }
    must(record_close(record, &run.outcome, &error), &error);
    char *page = report_of(scratch->run);
    expect_ids_once(page);
    assert_int_equal(page_count(page, "Curve of "), 2 * count);
    assert_non_null(strstr(page, "&quot;&lt;&amp;&gt;&#39;"));
    free(page);
}

static void a_run_without_gateways_has_its_lanes_below_the_edge_server(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    must(sample_direct_write(&run, scratch->run, 12, 20, &error), &error);
    must(summary_load(scratch->run, &summary, &error), &error);
    assert_int_equal(summary.gateways, 0);
    assert_int_equal(summary.born, 240);
    assert_true(summary.at_device > 30 && summary.at_edge > 100);
    assert_int_equal(summary.at_device + summary.at_edge, summary.done);
    assert_int_equal(summary.at_gateway, 0);
    assert_true(summary.busy_uplink > 0);
    char *page = report_of(scratch->run);
    assert_null(strstr(page, "gateway CPU"));
    assert_non_null(strstr(page, "below its edge server"));
    assert_non_null(strstr(page, ", 8 of 12 devices"));
    assert_non_null(strstr(page, "<title>sensor-1, slot 0"));
    assert_non_null(strstr(page, "device CPU"));
    assert_true(page_count(page, "class=\"f-device\"") > 10);
    free(page);
}

static void a_hundred_thousand_tasks_make_no_larger_a_page(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    must(sample_direct_write(&run, scratch->run, 2000, 50, &error), &error);
    must(summary_load(scratch->run, &summary, &error), &error);
    assert_int_equal(summary.born, 100000);
    char *page = report_of(scratch->run);
    assert_true(strlen(page) < 400000);
    assert_non_null(strstr(page, ", 8 of 2000 devices"));
    free(page);
}

/* ---- curves ---- */

static void one_node_keeps_every_step_while_they_fit(void **state) {
    (void)state;
    struct series_plot *plot = calloc(1, sizeof *plot);
    assert_non_null(plot);
    series_plot_init(plot, "loss", 1, (const int64_t[]){10, 19}, 600);
    for (int64_t step = 10; step < 20; step++)
        series_plot_add(plot, 3, step, (double)-step);
    assert_int_equal(plot->point_count, 10);
    assert_int_equal(plot->steps_per_point, 1);
    assert_int_equal(plot->line_count, 1);
    const struct series_point *point = &plot->lines[0].points[4];
    assert_true(point->step == 14 && point->mean == -14 && point->least == -14 && point->most == -14);
    series_plot_add(plot, 3, 9, 1); /* not among the steps */
    series_plot_add(plot, 3, 20, 1);
    assert_int_equal(plot->lines[0].points[0].count, 1);
    assert_int_equal(plot->lines[0].points[9].count, 1);
    free(plot);
}

static void long_curves_become_means_and_ranges(void **state) {
    (void)state;
    struct series_plot *plot = calloc(1, sizeof *plot);
    assert_non_null(plot);
    series_plot_init(plot, "loss", 1, (const int64_t[]){0, 999}, 300);
    for (int64_t step = 0; step < 1000; step++)
        series_plot_add(plot, 0, step, step == 5 ? NAN : (double)(step % 4));
    assert_int_equal(plot->steps_per_point, 4);
    assert_int_equal(plot->point_count, 250);
    const struct series_point *first = &plot->lines[0].points[0], *second = first + 1;
    assert_true(first->step == 1.5 && first->mean == 1.5 && first->least == 0 && first->most == 3);
    assert_int_equal(second->count, 3); /* 4, 6 and 7: 0, 2 and 3 */
    assert_int_equal(second->not_finite, 1);
    assert_true(fabs(second->mean - 5.0 / 3) < 1e-15);
    free(plot);
}

static void up_to_four_nodes_have_lines_and_more_share_one(void **state) {
    (void)state;
    struct series_plot *plot = calloc(1, sizeof *plot);
    assert_non_null(plot);
    for (uint32_t nodes = 1; nodes <= 6; nodes++) {
        series_plot_init(plot, "loss", nodes, (const int64_t[]){0, 1}, 10);
        for (uint32_t node = 0; node < nodes; node++)
            for (int64_t step = 0; step < 2; step++)
                series_plot_add(plot, node, step, node);
        assert_int_equal(plot->line_count, nodes <= SERIES_LINES_MAX ? nodes : 1);
        const struct series_point *last = &plot->lines[plot->line_count - 1].points[1];
        assert_true(last->most == nodes - 1);
        assert_true(last->mean == (nodes <= SERIES_LINES_MAX ? nodes - 1 : (nodes - 1) / 2.0));
    }
    free(plot);
}

/* As many moves as stretches, one cross for each gap. */
static void values_that_are_not_finite_break_the_line(void **state) {
    (void)state;
    struct series_plot *plot = calloc(1, sizeof *plot);
    struct markup out;
    assert_non_null(plot);
    series_plot_init(plot, "loss", 1, (const int64_t[]){0, 9}, 600);
    for (int64_t step = 0; step < 10; step++)
        series_plot_add(plot, 0, step, step == 3 || step == 5 || step == 6 ? INFINITY : (double)step);
    markup_init(&out);
    chart_series(&out, plot, (struct chart_size){.width = 360, .suffix = "a", .style_class = "w-a"});
    assert_int_equal(page_count(out.data, "class=\"curve c-0 dash-0\" d="), 2);
    assert_int_equal(page_count(out.data, "class=\"curve c-0 dash-0 dot\" d="), 1); /* step 4, alone */
    assert_int_equal(page_count(out.data, "<path class=\"s-drop\""), 2);
    assert_int_equal(page_count(out.data, "class=\"band"), 0);
    markup_close(&out);
    free(plot);
}

/* ---- axes and numbers ---- */

static void axes_fit_any_range(void **state) {
    (void)state;
    static const struct {
        double low, high, first, last, step;
    } cases[] = {{-3, 7, -4, 8, 2}, {0.9, 0.97, 0.9, 0.98, 0.02}, {-260, 40, -300, 100, 100},
                 {5, 5, 2, 8, 1},   {0, 0, -0.6, 0.6, 0.2},       {-1e-6, 0, -1e-6, 0, 2e-7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct svg_axis axis = svg_axis_between(cases[i].low, cases[i].high, 5, false);
        double slack = 1e-9 * cases[i].step;
        assert_true(fabs(axis.low - cases[i].first) <= slack && axis.mark == axis.low);
        assert_true(fabs(axis.high - cases[i].last) <= slack);
        assert_true(fabs(axis.step - cases[i].step) <= slack);
    }
    struct svg_axis same = svg_axis_between(1e12, 1e12 + 1, 5, false); /* cannot be told apart: widened */
    assert_true(same.low <= 5e11 && same.high >= 1.5e12);
    struct svg_axis exact = svg_axis_between(-7, 95, 5, true);
    assert_true(exact.low == -7 && exact.high == 95 && exact.mark == 0 && exact.step == 50);
}

static void logarithmic_axes_reach_powers_of_ten(void **state) {
    (void)state;
    struct svg_axis axis = svg_axis_log(0.002, 30, 5);
    axis.from = 0;
    axis.to = 500;
    assert_true(axis.low == -3 && axis.high == 2 && axis.step == 1);
    assert_true(fabs(svg_axis_at(&axis, 1) - 300) < 1e-9);
    assert_true(svg_axis_at(&axis, 0) == 0 && svg_axis_at(&axis, -5) == 0 && svg_axis_at(&axis, 1e9) == 500);
    axis = svg_axis_log(1e-20, 1, 5);
    assert_true(axis.step == 4);
    axis = svg_axis_log(10, 10, 5);
    assert_true(axis.high > axis.low);
}

static void expect_marks(struct svg_axis axis, const char *first, const char *last) {
    struct markup out;
    struct svg svg = {.out = &out, .width = 100, .height = 100};
    char expected[2][40];
    axis.to = 100;
    markup_init(&out);
    svg_axis_x(&svg, &axis, 50, 0, "step");
    snprintf(expected[0], sizeof expected[0], ">%s</text>", first);
    snprintf(expected[1], sizeof expected[1], ">%s</text>", last);
    for (int i = 0; i < 2; i++)
        if (strstr(out.data, expected[i]) == NULL)
            fail_msg("no mark %s in %s", expected[i], out.data);
    markup_close(&out);
}

static void marks_are_short(void **state) {
    (void)state;
    expect_marks(svg_axis_between(0, 4, 4, false), "0", "4");
    expect_marks(svg_axis_between(-0.4, 0.4, 4, false), "-0.4", "0.2");
    expect_marks(svg_axis_between(0, 20000, 4, false), "5k", "20k");
    expect_marks(svg_axis_between(0, 1.5e6, 3, false), "0.5M", "1.5M");
    expect_marks(svg_axis_between(0, 4e9, 4, false), "1G", "4G");
    expect_marks(svg_axis_between(0, 3e-4, 3, false), "1e-4", "3e-4");
    expect_marks(svg_axis_between(-2.5e15, 0, 5, false), "-2.5e15", "-5e14");
    expect_marks(svg_axis_log(0.001, 1000, 6), "0.001", "1000");
    expect_marks(svg_axis_log(1e-8, 1e8, 4), "1e-8", "1e8");
}

static void expect_figure(double value, int digits, const char *expected) {
    struct markup out;
    markup_init(&out);
    markup_figure(&out, value, digits);
    assert_string_equal(out.data, expected);
    markup_close(&out);
}

static void figures_have_their_significant_digits(void **state) {
    (void)state;
    expect_figure(0, 4, "0");
    expect_figure(0.0123456, 4, "0.01235");
    expect_figure(97.5, 6, "97.5");
    expect_figure(-123456.7, 6, "-123457");
    expect_figure(1234567, 3, "1.23e6");
    expect_figure(-9.9996e-5, 4, "-1e-4");
    expect_figure(5e-324, 4, "0");
    expect_figure(DBL_MAX, 4, "1.798e308");
    expect_figure(NAN, 4, "n/a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_curve_has_a_chart_and_every_figure_a_row),
        SCRATCH_TEST(a_run_that_learns_nothing_has_no_such_panel),
        SCRATCH_TEST(one_two_or_many_curves_are_laid_out_apart),
        SCRATCH_TEST(values_at_the_ends_of_numbers_are_drawn),
        SCRATCH_TEST(a_run_without_gateways_has_its_lanes_below_the_edge_server),
        SCRATCH_TEST(a_hundred_thousand_tasks_make_no_larger_a_page),
        cmocka_unit_test(one_node_keeps_every_step_while_they_fit),
        cmocka_unit_test(long_curves_become_means_and_ranges),
        cmocka_unit_test(up_to_four_nodes_have_lines_and_more_share_one),
        cmocka_unit_test(values_that_are_not_finite_break_the_line),
        cmocka_unit_test(axes_fit_any_range),
        cmocka_unit_test(logarithmic_axes_reach_powers_of_ten),
        cmocka_unit_test(marks_are_short),
        cmocka_unit_test(figures_have_their_significant_digits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
