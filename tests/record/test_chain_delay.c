/* Goal: what the summary says of the time of a block is what can be counted by hand: order statistics of the
 * measured times, over those heights only that count, beside the formulas at the measured size. Method: a
 * made-up run of four validators over some heights, each with its own trouble. */
#include "tests/record/scratch.h"

#include <math.h>

#include "common/record/summary.h"
#include "tests/record/sample_learning.h"

static const char text[] =
    "name: chain\nslots: 5\nnodes:\n  - {name: validator, role: chain, count: 4}\n"
    "links:\n%s  - {from: validator, to: validator, kind: wired, rate: 1 Mbit/s, delay: 2 ms}\n"
    "chain: {block_rate: 4 Hz, verify_cycles_per_bit: 100, clock: 8 MHz, clock_spread: 0.5}\n";

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

/* What validator `node` has of a height that it entered at `began_s`; NAN: not recorded. */
struct view {
    double sent_s, whole_s, voted_s, done_s, rounds;
};

static void add(struct record *record, uint32_t node, uint32_t height, double began_s, struct view view) {
    struct error error = {0};
    const struct {
        const char *name;
        double value;
    } rows[] = {{"t_newheight", began_s},         {"t_ready", began_s + 0.3},
                {"t_propose_send", view.sent_s},  {"t_block_complete", view.whole_s},
                {"t_prevote_send", view.voted_s}, {"t_commit", view.done_s},
                {"rounds", view.rounds},          {"block_bits", 8e4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (isfinite(rows[i].value))
            must(sample_value(record, node, rows[i].name, height, rows[i].value, &error), &error);
}

/* A height that counts: proposed by validator 2 at b + 0.5; the others have it after 1, 2 and 4 s, have
 * verified after 3, 1 and 1 s more, and commit 1 s after that. The last of them committed without a prevote.
 */
static void add_sound(struct record *record, uint32_t height, double b) {
    add(record, 0, height, b, (struct view){NAN, b + 1.5, b + 4.5, b + 5.5, 1});
    add(record, 1, height, b, (struct view){NAN, b + 2.5, b + 3.5, b + 4.5, 1});
    add(record, 2, height, b, (struct view){b + 0.5, NAN, b + 0.5, b + 1.5, 1});
    add(record, 3, height, b, (struct view){NAN, b + 4.5, NAN, b + 5.5, 1});
}

static void write_run(const char *dir, const char *links, bool sound) {
    char scenario_text[1024];
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct scenario_problems problems;
    struct record *record = NULL;
    struct error error = {0};
    arena_init(&arena);
    snprintf(scenario_text, sizeof scenario_text, text, links);
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text), "test.yaml", NULL, 0, &arena,
                                        &scenario, &problems),
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
    if (sound) {
        add_sound(record, 1, 0);
        add_sound(record, 3, 100);
    }
    for (uint32_t node = 0; node < 4; node++) { /* of two rounds; without one of them; nobody proposed */
        struct view view = {node == 1 ? 50.5 : NAN, 51, 52, 53, node == 3 ? 2 : 1};
        add(record, node, 2, 50, view);
        view.rounds = 1;
        if (node != 2)
            add(record, node, 4, 50, view);
        view.sent_s = NAN;
        add(record, node, 5, 50, view);
    }
    struct record_outcome outcome = {
        .message = "", .virtual_ns = 5 * VTIME_NS_PER_S, .wall_s = 1, .digest = {1, 2, 3, 4}};
    must(record_close(record, &outcome, &error), &error);
    arena_close(&arena);
}

static void near(double a, double b) {
    if (!(fabs(a - b) <= 1e-9 * fmax(1, fabs(b))))
        fail_msg("%.12g is not %.12g", a, b);
}

static void order_statistics_are_those_of_the_heights_that_count(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    write_run(scratch->run, "", true);
    must(summary_load(scratch->run, &summary, &error), &error);
    const struct summary_chain_delay *delay = &summary.chain.delay;
    assert_int_equal(delay->heights, 2);
    near(delay->block_bits, 8e4);
    near(delay->gen_s, 0.3);
    near(delay->wait_s, 0.2);
    near(delay->tr_q_s, 2); /* q = 3: the proposer, 1 s, 2 s */
    near(delay->tr_all_s, 4);
    near(delay->cv_q_s, 1); /* 0, 1, 1, 3 */
    near(delay->cv_all_s, 3);
    near(delay->agree_q_s, 1); /* votes at 0.5, 3.5, 4.5, 5.5; commits at 1.5, 4.5, 5.5, 5.5 */
    near(delay->agree_all_s, 0);
}

static void formulas_stand_beside_at_the_measured_size(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    write_run(scratch->run, "", true);
    must(summary_load(scratch->run, &summary, &error), &error);
    const struct summary_chain_formula *formula = &summary.chain.delay.formula;
    near(formula->gen_s, 0.25);
    near(formula->gen_truncated_s, 0.25 * (1 - exp(-10)));
    near(formula->tr_s, 2 * 0.08);
    near(formula->tree_q_s, 0.08 + 0.002);       /* one hop */
    near(formula->tree_all_s, 0.16 + 2 * 0.002); /* two, of a block of one part */
    near(formula->cv_s, 0.16 + 2);               /* the slowest has 4 MHz */
    near(formula->verify_all_s, (3 * 2 + 1.5) / 4);
    near(formula->verify_q_s, (2 * 1.2 + 2 * 1.5) / 4);
    near(formula->block_s, 0.25 + 0.16 + 2.16);
    json_t *json = summary_to_json(&summary);
    const json_t *found = json_object_get(json_object_get(json, "chain"), "delay");
    near(json_number_value(json_object_get(found, "tr_q_s")), 2);
    near(json_number_value(json_object_get(json_object_get(found, "formula"), "tr_s")), 0.16);
    json_decref(json);
}

static void unequal_links_have_no_formula_and_times_all_the_same(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    write_run(scratch->run,
              "  - {from: validator-1, to: validator-2, kind: wired, rate: 9 kbit/s, delay: 2 ms}\n", true);
    must(summary_load(scratch->run, &summary, &error), &error);
    const struct summary_chain_delay *delay = &summary.chain.delay;
    near(delay->tr_q_s, 2);
    assert_true(isnan(delay->formula.tr_s) && isnan(delay->formula.tree_q_s) && isnan(delay->formula.cv_s));
    near(delay->formula.gen_s, 0.25);
}

static void without_a_height_that_counts_there_is_nothing_to_say(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    write_run(scratch->run, "", false);
    must(summary_load(scratch->run, &summary, &error), &error);
    assert_int_equal(summary.chain.delay.heights, 0);
    assert_true(isnan(summary.chain.delay.tr_q_s) && isnan(summary.chain.delay.formula.gen_s));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(order_statistics_are_those_of_the_heights_that_count),
        TEST(formulas_stand_beside_at_the_measured_size),
        TEST(unequal_links_have_no_formula_and_times_all_the_same),
        TEST(without_a_height_that_counts_there_is_nothing_to_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
