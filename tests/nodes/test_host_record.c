/* Goal: what a node records reaches the record under the node's own id, whatever it says, and rows that are
 * not for nodes to write or that are malformed are protocol errors that add nothing. Method: a host of a
 * small factory, one of whose nodes is replaced by a state machine that records what the test asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "nodes/host.h"

static const char text[] = "name: recording\nseed: 1\nslot: 1 s\nslots: 2\n"
                           "nodes:\n"
                           "  - {name: edge, role: edge}\n"
                           "  - {name: gateway, role: gateway, parent: edge}\n"
                           "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"
                           "links:\n"
                           "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: edge, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "policy: {kind: local}\n";

#define RECORDER 2u /* not the first node: an id that nobody filled in would be 0 */

enum asked { ASK_BOTH, ASK_STRANGER, ASK_BAD_NAME, ASK_NODE_ROW, ASK_BAD_IN_THE_MIDDLE };

static void record_raw(struct outbox *out, const struct row *row) {
    struct bytes_writer writer = outbox_reserve(out, ROW_BYTES_MAX);
    row_encode(&writer, row);
    outbox_send_reserved(out, 0, MESSAGE_RESULT, &writer, 0, 0);
    out->actions[out->count - 1].kind = ACTION_RECORD;
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    (void)state;
    (void)env;
    struct row stranger = {.kind = ROW_SERIES, .as.series = {.node = UINT32_MAX, .name = "loss"}};
    struct row totals = {.kind = ROW_NODE, .as.node = {.node = 0, .digest = 1}};
    switch ((enum asked)event->cookie) {
    case ASK_BOTH:
        outbox_record_series(out, "loss", 5, 0.5);
        outbox_record_result(out, "energy", "J", 2);
        break;
    case ASK_STRANGER:
        record_raw(out, &stranger);
        break;
    case ASK_BAD_NAME:
        outbox_record_series(out, "loss", 5, 0.5);
        out->bytes[6] = 'L'; /* after kind, node and length */
        break;
    case ASK_NODE_ROW:
        record_raw(out, &totals);
        break;
    case ASK_BAD_IN_THE_MIDDLE:
        outbox_record_series(out, "loss", 1, 1);
        record_raw(out, &totals);
        outbox_record_series(out, "loss", 2, 2);
        break;
    }
    return STATUS_OK;
}

static const struct node_class recorder = {.role = ROLE_DEVICE, .on_timer = on_timer};

struct bench {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct host host;
    struct row rows[4]; /* what the last call added */
    size_t row_count;
    uint64_t protocol_errors;
};

static struct bench bench;

static int bench_open(void **state) {
    (void)state;
    struct scenario_problems problems;
    struct error error = {0};
    memset(&bench, 0, sizeof bench);
    arena_init(&bench.arena);
    assert_int_equal(
        scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &bench.arena, &bench.scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&bench.scenario, &bench.arena, &bench.topology, &error), STATUS_OK);
    struct host_config config = {
        .scenario = &bench.scenario, .topology = &bench.topology, .rank_count = 1, .scenario_text = text};
    assert_int_equal(host_open(&bench.host, &config, &error), STATUS_OK);
    bench.host.nodes[RECORDER].hosting.class = &recorder;
    return 0;
}

static int bench_close(void **state) {
    (void)state;
    host_close(&bench.host);
    arena_close(&bench.arena);
    return 0;
}

static void ask(enum asked asked) {
    struct host_node *node = &bench.host.nodes[RECORDER];
    struct node_event event = {.cookie = (uint64_t)asked};
    size_t size = 0;
    assert_int_equal(host_call(&bench.host, node, HOSTING_TIMER, &event), STATUS_OK);
    const uint8_t *data = host_take_rows(&bench.host, &size);
    struct bytes_reader reader = bytes_reader_over(data, size);
    for (bench.row_count = 0; bytes_left(&reader) > 0; bench.row_count++) {
        assert_true(bench.row_count < 4);
        assert_int_equal(row_decode(&reader, &bench.rows[bench.row_count]), STATUS_OK);
    }
    bench.protocol_errors = node->totals.protocol_errors;
}

static void series_and_results_carry_the_id_of_their_node(void **state) {
    (void)state;
    ask(ASK_BOTH);
    assert_int_equal(bench.protocol_errors, 0);
    assert_int_equal(bench.row_count, 2);
    assert_int_equal(bench.rows[0].kind, ROW_SERIES);
    assert_int_equal(bench.rows[0].as.series.node, RECORDER);
    assert_string_equal(bench.rows[0].as.series.name, "loss");
    assert_int_equal(bench.rows[0].as.series.step, 5);
    assert_int_equal(bench.rows[1].kind, ROW_RESULT);
    assert_int_equal(bench.rows[1].as.result.node, RECORDER);
    assert_string_equal(bench.rows[1].as.result.unit, "J");
}

static void a_node_cannot_record_for_another(void **state) {
    (void)state;
    ask(ASK_STRANGER);
    assert_int_equal(bench.row_count, 1);
    assert_int_equal(bench.rows[0].as.series.node, RECORDER);
}

static void a_malformed_row_is_a_protocol_error(void **state) {
    (void)state;
    ask(ASK_BAD_NAME);
    assert_int_equal(bench.row_count, 0);
    assert_int_equal(bench.protocol_errors, 1);
}

static void the_totals_of_nodes_are_not_for_nodes_to_write(void **state) {
    (void)state;
    ask(ASK_NODE_ROW);
    assert_int_equal(bench.row_count, 0);
    assert_int_equal(bench.protocol_errors, 1);
}

static void a_bad_row_takes_no_other_with_it(void **state) {
    (void)state;
    ask(ASK_BAD_IN_THE_MIDDLE);
    assert_int_equal(bench.protocol_errors, 1);
    assert_int_equal(bench.row_count, 2);
    assert_int_equal(bench.rows[0].as.series.step, 1);
    assert_int_equal(bench.rows[1].as.series.step, 2);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void) {
    const struct CMUnitTest tests[] = {BENCH_TEST(series_and_results_carry_the_id_of_their_node),
                                       BENCH_TEST(a_node_cannot_record_for_another),
                                       BENCH_TEST(a_malformed_row_is_a_protocol_error),
                                       BENCH_TEST(the_totals_of_nodes_are_not_for_nodes_to_write),
                                       BENCH_TEST(a_bad_row_takes_no_other_with_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
