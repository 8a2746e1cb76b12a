/* Goal: summary and page say what validators did, in numbers that can be counted by hand, and loudly so when
 * their ledgers differ. Method: a made-up run of three validators over four heights, one of them absent in
 * the middle; then the same with two ledgers that disagree, and a run without any validator. */
#include "tests/record/scratch.h"

#include "common/record/report.h"
#include "common/record/summary.h"
#include "tests/lib/page.h"
#include "tests/record/sample_learning.h"

static const char text[] = "name: chain\nslots: 5\nnodes:\n  - {name: validator, role: chain, count: 3}\n"
                           "links:\n  - {from: validator, to: validator, kind: ideal, delay: 1 ms}\n";

static struct sample_run factory;

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

/* One height at one validator: made within 0.5 s by validator 0, sent in 0.2 s, verified in 0.1 s, agreed in
 * 0.2 s. */
static void add_height(struct record *record, uint32_t node, uint32_t height) {
    struct error error = {0};
    double begin_s = height;
    must(sample_value(record, node, "t_newheight", height, begin_s - 1, &error), &error);
    if (node == 0)
        must(sample_value(record, node, "t_propose_send", height, begin_s - 0.5, &error), &error);
    must(sample_value(record, node, "t_block_complete", height, begin_s - 0.3, &error), &error);
    must(sample_value(record, node, "t_prevote_send", height, begin_s - 0.2, &error), &error);
    must(sample_value(record, node, "t_commit", height, begin_s, &error), &error);
    must(sample_value(record, node, "rounds", height, height == 3 ? 2 : 1, &error), &error);
}

static void write_run(const char *dir, double third_agrees) {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct scenario_problems problems;
    struct record *record = NULL;
    struct error error = {0};
    arena_init(&arena);
    assert_int_equal(
        scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, &arena, &scenario, &problems),
        STATUS_OK);
    must(topology_build(&scenario, &arena, &topology, &error), &error);
    struct record_config config = {.dir = dir,
                                   .scenario = &scenario,
                                   .topology = &topology,
                                   .transport = "in-process",
                                   .processes = 1,
                                   .clock = "virtual",
                                   .command_line = "tierbed run test.yaml"};
    must(record_open(&config, &record, &error), &error);
    for (uint32_t node = 0; node < 3; node++) {
        struct row totals = {.kind = ROW_NODE,
                             .as.node = {.node = node, .crashes = node == 1, .restarts = node == 1}};
        must(record_row(record, &totals, &error), &error);
        for (uint32_t height = 1; height <= 4; height++)
            if (node != 1 || height != 2) /* caught up, without taking part */
                add_height(record, node, height);
        must(sample_figure(record, node, "ledger_height", "blocks", 4 - (node == 2), &error), &error);
        must(sample_figure(record, node, "ledger_agrees", "", node == 2 ? third_agrees : 1, &error), &error);
        must(sample_figure(record, node, "ledger_transactions", "", 17, &error), &error);
        must(sample_figure(record, node, "dropped_stale", "", 5, &error), &error);
    }
    must(sample_figure(record, 1, "ledger_failures", "", 1, &error), &error);
    struct record_outcome outcome = {
        .message = "", .virtual_ns = 5 * VTIME_NS_PER_S, .wall_s = 1, .digest = {1, 2, 3, 4}};
    must(record_close(record, &outcome, &error), &error);
    arena_close(&arena);
}

static char *text_of(const struct summary *summary) {
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    assert_non_null(out);
    summary_print_text(summary, out);
    fclose(out);
    return printed;
}

static void what_validators_did_is_counted(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    write_run(scratch->run, 1);
    must(summary_load(scratch->run, &summary, &error), &error);
    const struct summary_chain *chain = &summary.chain;
    assert_int_equal(chain->validators, 3);
    assert_int_equal(chain->read, 3);
    assert_int_equal(chain->agree, 3);
    assert_int_equal(chain->least_height, 3);
    assert_int_equal(chain->most_height, 4);
    assert_int_equal(chain->transactions, 17);
    assert_int_equal(chain->dropped, 15);
    assert_int_equal(chain->ledger_failures, 1);
    assert_int_equal(chain->slow_heights, 1);
    assert_true(chain->block_s == 1.0);
    char *printed = text_of(&summary);
    assert_non_null(strstr(printed, "3 validators, heights 3 to 4, 17 transactions"));
    assert_non_null(strstr(printed, "3 read, all agree up to height 3"));
    assert_null(strstr(printed, "tasks")); /* there is no factory */
    assert_null(strstr(printed, "t_commit"));
    free(printed);
}

static void the_page_has_heights_times_and_a_row_for_each_validator(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    write_run(scratch->run, 1);
    must(report_write(scratch->run, &error), &error);
    char *page = scratch_read(scratch->run, REPORT_FILE);
    page_check(page);
    assert_int_equal(page_count(page, "<h2>Chain: heights</h2>"), 1);
    assert_int_equal(page_count(page, "<h2>Chain: time of a block</h2>"), 1);
    assert_int_equal(page_count(page, "<td class=\"t\">validator-2</td><td>4</td><td>17</td><td>1</td>"), 1);
    assert_non_null(strstr(page, "3 of 3 ledgers were read: they agree on every block up to height 3"));
    assert_null(strstr(page, "<h2>Learning</h2>"));
    assert_null(strstr(page, "<h2>Diagnosis</h2>"));
    free(page);
}

static void ledgers_that_differ_are_told_loudly(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    write_run(scratch->run, 0);
    must(summary_load(scratch->run, &summary, &error), &error);
    assert_int_equal(summary.chain.agree, 2);
    char *printed = text_of(&summary);
    assert_non_null(strstr(printed, "DISAGREE"));
    free(printed);
    must(report_write(scratch->run, &error), &error);
    char *page = scratch_read(scratch->run, REPORT_FILE);
    assert_non_null(strstr(page, "The ledgers hold different blocks"));
    free(page);
}

static void a_run_without_validators_says_nothing_of_them(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    must(sample_write(&factory, scratch->run, 7, 2, &error), &error);
    must(summary_load(scratch->run, &summary, &error), &error);
    char *printed = text_of(&summary);
    assert_null(strstr(printed, "chain"));
    assert_non_null(strstr(printed, "tasks"));
    free(printed);
    must(report_write(scratch->run, &error), &error);
    char *page = scratch_read(scratch->run, REPORT_FILE);
    assert_null(strstr(page, "Validators"));
    free(page);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_validators_did_is_counted),
        TEST(the_page_has_heights_times_and_a_row_for_each_validator),
        TEST(ledgers_that_differ_are_told_loudly),
        TEST(a_run_without_validators_says_nothing_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
