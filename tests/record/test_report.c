/* Goal: the page is whole, self-contained and the same for the same run, and numbers and markup are written
 * exactly. Method: sample runs, an empty run, and names made of markup; tags are balanced by a small checker.
 * With TIERBED_SAMPLE_DIR=DIR the sample runs are also left in DIR, for the tests that look at them with a
 * browser. */
#include "tests/record/scratch.h"

#include <math.h>
#include <sys/stat.h>

#include "common/record/manifest.h"
#include "common/record/markup.h"
#include "common/record/report.h"
#include "common/record/svg.h"
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

static void a_run_gives_a_whole_page_with_every_part(void **state) {
    const struct scratch *scratch = *state;
    static const char *const parts[] = {"The first tasks",
                                        "Utilisation over time",
                                        "Delay by place",
                                        "Delay by criticality",
                                        "Diagnosis",
                                        "Drops by reason",
                                        "Faults",
                                        "Links",
                                        "Processes",
                                        "How to repeat",
                                        "Manifest",
                                        "gateway-2 &lt;-&gt; edge",
                                        "prefers-color-scheme:dark",
                                        "viewport"};
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 20, &error), &error);
    char *page = report_of(scratch->run), digest[DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(page, parts[i]) == NULL)
            fail_msg("the page lacks %s", parts[i]);
    digest_text(run.outcome.digest, digest);
    assert_non_null(strstr(page, digest));
    assert_int_equal(page_count(page, "<svg role=\"img\""), 3 + 3 + 4 * 2);
    assert_int_equal(page_count(page, "-title\">"), page_count(page, "<svg role=\"img\""));
    free(page);
}

static void every_id_is_used_once(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 5, &error), &error);
    char *page = report_of(scratch->run);
    for (const char *at = page; (at = strstr(at, " id=\"")) != NULL; at++) {
        char id[80];
        snprintf(id, sizeof id, "%.*s", (int)(strcspn(at + 5, "\"") + 6), at);
        assert_int_equal(page_count(page, id), 1);
    }
    free(page);
}

static void the_same_run_gives_the_same_page(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 20, &error), &error);
    char *first = report_of(scratch->run), *second = report_of(scratch->run);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void a_run_without_a_single_task_has_a_page(void **state) {
    const struct scratch *scratch = *state;
    struct record *record = NULL;
    struct error error = {0};
    sample_open(&run, scratch->run, 7, 20);
    must(record_open(&run.config, &record, &error), &error);
    run.outcome =
        (struct record_outcome){.status = STATUS_PEER, .message = "rank 3 died <at> 2 s", .wall_s = NAN};
    must(record_close(record, &run.outcome, &error), &error);
    char *page = report_of(scratch->run);
    assert_non_null(strstr(page, "rank 3 died &lt;at&gt; 2 s"));
    assert_non_null(strstr(page, ">failed</span>"));
    free(page);
}

static void names_made_of_markup_stay_text(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct record *record = NULL;
    sample_open(&run, scratch->run, 7, 2);
    snprintf(run.scenario.name, sizeof run.scenario.name, "</title><script>alert(1)</script>");
    snprintf(run.nodes[0].name, sizeof run.nodes[0].name, "<svg onload=x>");
    run.config.command_line = "tierbed run \"a b\" && rm '<c>'";
    must(record_open(&run.config, &record, &error), &error);
    must(sample_tasks(&run, record, &error), &error);
    must(record_close(record, &run.outcome, &error), &error);
    must(report_write(scratch->run, &error), &error);
    char *page = scratch_read(scratch->run, REPORT_FILE);
    page_check_balanced(page);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<svg onload"));
    assert_non_null(strstr(page, "&lt;svg onload=x&gt;"));
    assert_non_null(strstr(page, "&amp;&amp; rm &#39;&lt;c&gt;&#39;"));
    free(page);
}

static void an_older_page_stays_when_the_run_is_damaged(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 2, &error), &error);
    char *before = report_of(scratch->run);
    scratch_write(scratch->run, "manifest.json", "{", 1);
    assert_int_equal(report_write(scratch->run, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "manifest.json:1"));
    char *after = scratch_read(scratch->run, REPORT_FILE);
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(report_write("/nonexistent/run", &error), STATUS_IO);
}

static void expect_number(double value, int decimals, const char *expected) {
    struct markup out;
    markup_init(&out);
    markup_number(&out, value, decimals);
    assert_string_equal(out.data, expected);
    markup_close(&out);
}

static void expect_quantity(double value, const char *expected) {
    struct markup out;
    markup_init(&out);
    markup_quantity(&out, value);
    assert_string_equal(out.data, expected);
    markup_close(&out);
}

static void numbers_are_written_exactly(void **state) {
    (void)state;
    expect_number(0, 2, "0");
    expect_number(-0.001, 2, "0");
    expect_number(1.5, 2, "1.5");
    expect_number(-12.345, 2, "-12.35");
    expect_number(0.05, 2, "0.05");
    expect_number(99.999, 2, "100");
    expect_number(0.000000001, 9, "0.000000001");
    expect_number(NAN, 2, "n/a");
    expect_number(INFINITY, 2, "n/a");
    expect_number(1e300, 2, "n/a");
    expect_quantity(0, "0");
    expect_quantity(0.0123456, "0.0123");
    expect_quantity(0.5, "0.5");
    expect_quantity(0.9996, "1");
    expect_quantity(9.996, "10");
    expect_quantity(99.96, "100");
    expect_quantity(999.6, "1,000");
    expect_quantity(123456, "123,000");
    expect_quantity(-1234, "-1,230");
    expect_quantity(NAN, "n/a");
}

static void axes_reach_round_numbers(void **state) {
    (void)state;
    static const struct {
        double high;
        unsigned marks;
        double top, step;
    } cases[] = {{100, 5, 100, 20},        {97, 5, 100, 20}, {454.7, 8, 500, 100}, {1, 4, 1, 0.5},
                 {0.003, 4, 0.003, 0.001}, {0, 4, 1, 0.5},   {1e6, 10, 1e6, 1e5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct svg_axis axis = svg_axis_of(cases[i].high, cases[i].marks, false);
        assert_true(fabs(axis.high - cases[i].top) <= 1e-12 * cases[i].top);
        assert_true(fabs(axis.step - cases[i].step) <= 1e-12 * cases[i].step);
    }
    struct svg_axis axis = svg_axis_of(10, 5, true);
    axis.from = 100;
    axis.to = 0; /* downwards, as on a screen */
    assert_true(svg_axis_at(&axis, 5) == 50);
    assert_true(svg_axis_at(&axis, -1) == 100);
    assert_true(svg_axis_at(&axis, 11) == 0);
}

/* For eyes and browsers: a small run, a long one, one of a single slot, one that learns, one without
 * gateways. */
static void sample_runs_are_left_where_asked(void **state) {
    (void)state;
    const char *base = getenv("TIERBED_SAMPLE_DIR");
    static const struct {
        const char *name;
        uint32_t slots;
    } samples[] = {{"small", 20}, {"long", 1000}, {"single", 1}};
    if (base == NULL) {
        print_message("TIERBED_SAMPLE_DIR is not set: no sample runs are left for a browser\n");
        return;
    }
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct error error = {0};
        char dir[DURABLE_PATH_MAX];
        snprintf(dir, sizeof dir, "%s/%s", base, samples[i].name);
        must(sample_write(&run, dir, 7, samples[i].slots, &error), &error);
        free(report_of(dir));
    }
    struct error error = {0};
    char dir[DURABLE_PATH_MAX];
    snprintf(dir, sizeof dir, "%s/learning", base);
    must(sample_learning_write(&run, dir, 7, &error), &error);
    free(report_of(dir));
    snprintf(dir, sizeof dir, "%s/direct", base);
    must(sample_direct_write(&run, dir, 12, 20, &error), &error);
    free(report_of(dir));
}

int main(void) {
    const struct CMUnitTest tests[] = {SCRATCH_TEST(a_run_gives_a_whole_page_with_every_part),
                                       SCRATCH_TEST(every_id_is_used_once),
                                       SCRATCH_TEST(the_same_run_gives_the_same_page),
                                       SCRATCH_TEST(a_run_without_a_single_task_has_a_page),
                                       SCRATCH_TEST(names_made_of_markup_stay_text),
                                       SCRATCH_TEST(an_older_page_stays_when_the_run_is_damaged),
                                       cmocka_unit_test(numbers_are_written_exactly),
                                       cmocka_unit_test(axes_reach_round_numbers),
                                       cmocka_unit_test(sample_runs_are_left_where_asked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
