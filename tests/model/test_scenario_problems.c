/* Goal: every class of mistake in a scenario is refused with its place, what was expected and a suggestion,
 * and one mistake gives one problem. Method: one change at a time to a small valid scenario; the one problem
 * reported must stand on the line and column of the change and hold the words given here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/model/mistakes.h"

static void the_small_scenario_is_valid(void **state) {
    (void)state;
    if (load(scenario_text_small, sizeof scenario_text_small - 1, NULL) != STATUS_OK)
        scenario_problems_print(&problems, stderr);
    assert_int_equal(problems.count, 0);
}

static void keys_are_known_and_given_once(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"slots: 10", "slotz: 10", "|slotz", "unknown key `slotz`; did you mean `slots`?", 0},
        {"slots: 10", "banana: 10", "|banana", "known here: `name`, `description`", 0},
        {"slots: 10", "slots: 10\nslots: 11", "|slots: 11", "duplicate key `slots`, already given on line 3",
         0},
        {"kind: wired,", "kind: wired, dely: 1 s,", "|dely",
         "links[0]: unknown key `dely`; did you mean `delay`?", 0},
        {"{size: 64 kbit}", "{size: 64 kbit, size: 32 kbit}", "|size: 32", "duplicate key `size`", 0},
        {"name: small\n", "slots: 3\n", "|slots: 10", "duplicate key", 1},
        {"name: small\n", "", "|slot: 1 s", "missing key `name`", 0},
        {"role: edge}", "role: edge, roles: 3}", "|roles",
         "nodes[0]: unknown key `roles`; did you mean `role`?", 0},
        {"slots: 10", "\"slo\\0ts\": 10", "|\"slo", "unknown key `slo?ts`", 0},
        {"slots: 10", "? [a]\n: 3", "? |[a]", "a key must be a word", 0},
    };
    EXPECT_EACH(mistakes);
}

static void values_have_their_type_unit_and_range(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"slots: 10", "slots: ten", "slots: |ten",
         "slots: expected a whole number from 1 to 10000000, got `ten`", 0},
        {"slots: 10", "slots: 10.5", "|10.5", "whole number", 0},
        {"slots: 10", "slots: \"10\"", "|\"10\"", "whole number", 0},
        {"slots: 10", "slots: 0", "slots: |0", "from 1 to", 0},
        {"slots: 10", "slots: 010", "|010", "whole number", 0},
        {"slots: 10", "slots: 4294967297", "|4294967297", "whole number", 0},
        {"slots: 10", "slots: 1e3", "|1e3", "whole number", 0},
        {"slots: 10", "slots:", "slots:|", "got nothing", 0},
        {"slots: 10", "slots: [1]", "|[1]", "got a list", 0},
        {"slots: 10", "seed: 18446744073709551616", "|18446744073709551616", "whole number", 0},
        {"slots: 10", "seed: -1", "|-1", "whole number", 0},
        {"slot: 1 s", "slot: 1", "slot: |1", "slot: expected a time such as `0.1 ms`, got `1` without a unit",
         0},
        {"slot: 1 s", "slot: 0", "slot: |0", "without a unit", 0},
        {"slot: 1 s", "slot: 1 kbit", "|1 kbit", "got `1 kbit`, which is a data size", 0},
        {"slot: 1 s", "slot: 1 sec", "|1 sec", "unknown unit `sec`; did you mean `s`?", 0},
        {"slot: 1 s", "slot: 1.5 ns", "|1.5 ns", "finer than the clock", 0},
        {"slot: 1 s", "slot: -1 s", "|-1 s", "out of range, expected at least `1 us`", 0},
        {"slot: 1 s", "slot: {a: 1}", "|{a: 1}", "expected a time such as `0.1 ms`, got a map", 0},
        {"64 kbit", "1e13 bit", "|1e13", "at most `1000 Gbit`", 0},
        {"64 kbit", "64 kbit, criticality: [0, x]", "[0, |x]", "task.criticality[1]: expected a plain number",
         0},
        {"64 kbit", "64 kbit, criticality: []", "|[]", "a list of 1 to 16 values", 0},
        {"name: small", "name: 7up", "|7up", "`7up` is no name", 0},
        {"name: small", "name: \"a b\"", "|\"a b\"", "is no name", 0},
        {"name: small", "name: null", "|null", "got nothing", 0},
        {"name: small", "name: a23456789012345678901234567890123456789012345678", "|a2345",
         "longer than 47 bytes", 0},
        {"name: small", "name: small\ndescription: \"a\\x07\"", "|\"a\\x07", "cannot be printed", 0},
        {"role: edge", "role: egde", "|egde",
         "nodes[0].role: expected one of `device`, `gateway`, `edge`, `chain`, got `egde`; did you mean "
         "`edge`?",
         0},
        {"role: edge", "role: director", "|director", "expected one of", 0},
        {"delay: 10 us", "delay: 10 us, reorder: yes", "|yes", "expected `true` or `false`, got `yes`", 0},
        {"64 kbit}", "64 kbit}\npolicy: greedy", "|greedy", "expected a map of `key: value`", 0},
        {"rate: 100", "loss: {model: bernoulli, probability: 101 %}, rate: 100", "|101 %",
         "links[0].loss.probability: `101 %` is out of range", 0},
    };
    EXPECT_EACH(mistakes);
}

static void keys_go_with_the_kind_of_their_entry(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"rate: 100 Mbit/s, ", "", "|{from: sensor, to",
         "links[0]: missing key `rate`, a data rate such as `5 Mbit/s`, needed with kind `wired`", 0},
        {"delay: 1 ms}", "delay: 1 ms, rate: 5 Mbit/s}", "rate: |5 Mbit",
         "links[2].rate: has no effect here: it goes with kind `wired`", 0},
        {"delay: 1 ms}", "delay: 1 ms, subchannels: 5}", "subchannels: |5", "kind `ofdma`", 0},
        {"delay: 1 ms}", "delay: 1 ms, channel: fixed}", "|{from: gateway, to: edge",
         "links[2]: this channel needs one `gain`", 0},
        {"delay: 1 ms}", "delay: 1 ms, channel: path-loss}", "|{from: gateway, to: edge",
         "links[2]: needs a `distance` longer than 0", 0},
        {"delay: 1 ms}", "delay: 1 ms, channel: path-loss, path_loss: {distance: 0 m}}", "|{distance",
         "needs a `distance` longer than 0", 0},
        {", delay: 10 us", "", "|{from: sensor, to", "needs a `delay` longer than 0", 0},
        {"delay: 10 us", "delay: 0 s", "|0 s", "only kind `ideal` may have none", 0},
        {"delay: 10 us", "delay: 10 us, loss: {model: bernoulli}", "|{model",
         "links[0].loss: missing key `probability`", 0},
        {"delay: 10 us", "delay: 10 us, loss: {model: gilbert-elliott, probability: 0}", "|{model",
         "missing key `good_to_bad`", 2},
        {"delay: 10 us", "delay: 10 us, loss: {probability: 0.1}", "|0.1}",
         "goes with model `bernoulli` or `gilbert-elliott`", 0},
        {"delay: 10 us", "delay: 10 us, trace: x", "trace: |x", "goes with kind `trace`", 0},
        {"kind: crash, ", "kind: crash, until: 3 s, ", "until: |3 s", "goes with kind `hang`, `partition`",
         0},
        {"kind: crash, at: 2 s, ", "kind: crash, ", "|{kind: crash", "faults[0]: missing key `at`, a time",
         0},
        {"delay: 1 ms}", "delay: 1 ms, gain: [1e-13, 2e-13]}", "|[1e-13", "needs three gains", 0},
        {"delay: 1 ms}", "delay: 1 ms, transition: [[1, 0, 0], [0, 1, 0]]}", "|[[1, 0",
         "expected 3 rows of 3 numbers", 0},
        {"delay: 1 ms}", "delay: 1 ms, transition: [[1, 0, 0], [0, 1, 0], [0, 0.5, 0.4]]}", "|[[1, 0",
         "row 3 sums to 0.9", 0},
        {"kind: lte-m, ", "kind: ofdma, subchannels: 2, subchannels_initial: 3, ", "initial: |3",
         "more than the 2", 0},
        {"delay: 10 us", "delay: 10 us, reorder_probability: 0.1, reorder_delay: 0 s", "|0 s",
         "longer than 0", 0},
    };
    EXPECT_EACH(mistakes);
}

static void nodes_form_tiers(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"parent: edge, ", "parent: egde, ", "|egde",
         "nodes[1].parent: there is no group `egde`; did you mean `edge`?", 0},
        {"parent: edge, ", "", "|{name: gateway", "a gateway needs a `parent`, an edge server", 0},
        {"parent: edge, ", "parent: gateway, ", "parent: |gateway", "must not form a cycle", 0},
        {"parent: gateway, per", "parent: gateway-1, per", "|gateway-1", "there is no group `gateway-1`", 0},
        {"role: edge}", "role: edge, parent: gateway}", "parent: |gateway}", "must not form a cycle", 1},
        {"parent: edge, count", "parent: sensor, count", "|sensor, count", "must not form a cycle", 1},
        {"parent: gateway, per_parent: 3}",
         "parent: gateway}\n  - {name: probe, role: device, parent: sensor}", "|sensor}",
         "`sensor` is of role device; the parent of a device is a gateway", 0},
        {"role: gateway, parent: edge, ", "role: edge, parent: edge, ", "parent: |edge,", "stands at the top",
         1},
        {"per_parent: 3", "per_parent: 3, count: 6", "|3, count", "exclude each other", 0},
        {"per_parent: 3", "per_parent: 50001", "|- {name: edge", "more than 100000 nodes", 0},
        {"{name: gateway, role: gateway, parent: edge, count: 2}",
         "{name: gateway, role: gateway, parent: edge, count: 2, per_parent: 1}", "per_parent: |1",
         "exclude each other", 0},
        {"  - {name: edge,", "  - {name: edge, role: edge}\n  - {name: edge,", "edge}\n  - {name: |edge,",
         "`edge` is already the name of nodes[0]", 0},
        {"  - {name: edge,", "  - {name: gateway-1, role: edge}\n  - {name: edge,", "|gateway-1",
         "also the name of a node of group `gateway`", 0},
    };
    EXPECT_EACH(mistakes);
}

static void links_join_parents_and_children_both_ways(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"from: sensor,", "from: sensro,", "|sensro",
         "links[0].from: there is no node or group `sensro`; did you mean `sensor`?", 0},
        {"from: sensor,", "from: sensor-3-1,", "|sensor-3-1", "there is no node or group `sensor-3-1`", 0},
        {"from: sensor,", "from: sensor-1-4,", "|sensor-1-4", "no node or group", 0},
        {"from: sensor,", "from: sensor-01-1,", "|sensor-01-1", "no node or group", 0},
        {"from: sensor, to: gateway,", "from: sensor, to: edge,",
         "to: |edge, kind: wired, rate: 100 Mbit/s, delay: 10", "are not parent and child", 0},
        {"from: sensor, to: gateway,", "from: sensor-1-1, to: gateway,", "|- {from: sensor-1-1",
         "no link from `sensor-1-2` to `gateway-1`", 0},
        {"from: edge, to: gateway,", "from: edge, to: gateway-1,", "|- {from: sensor, to",
         "no link from `edge` to `gateway-2`", 0},
        {"links:\n", "links:\n  - {from: sensor, to: gateway, kind: ideal}\n", "to: |gateway, kind: wired",
         "links[0] already goes from", 0},
        {"links:\n",
         "links:\n  - {from: sensor-1-1, to: gateway, kind: ideal}\n  - {from: sensor, to: gateway-1, kind: "
         "ideal}\n",
         "from: |sensor, to: gateway-1", "neither is more specific", 0},
        {"kind: lte-m,", "kind: lte-m, share: 0.6,", "|0.6", "sum to more than 1", 0},
        {"parent: gateway, per_parent: 3}", "parent: gateway, count: 1}", "|{from: gateway, to: edge",
         "no device is below `gateway-2`", 0},
    };
    EXPECT_EACH(mistakes);
}

static void faults_make_sense(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"at: 4 s", "at: 13 s", "|13 s", "after the end of the run, which lasts 13 s", 0},
        {"node: gateway-2}\n  - {kind: r", "node: gateway-9}\n  - {kind: r", "|gateway-9",
         "faults[0].node: there is no node or group `gateway-9`", 1},
        {"  - {kind: crash, at: 2 s, node: gateway-2}\n", "", "|gateway-2", "is not down at that time", 0},
        {"at: 4 s", "at: 1 s", "1 s, node: |gateway-2", "is not down at that time", 0},
        {"at: 4 s", "at: 2 s", "restart, at: |2 s", "crashes at this very time", 0},
        {"kind: restart", "kind: crash", "4 s, node: |gateway-2", "is down at that time; restart it first",
         0},
        {"kind: restart, at: 4 s", "kind: hang, at: 3 s, until: 5 s", "5 s, node: |gateway-2",
         "is down at that time", 0},
        {"kind: restart, at: 4 s,", "kind: hang, at: 1 s, until: 1 s,", "until: |1 s",
         "must be later than `at`, 1 s", 0},
        {"node: gateway-2}\n  - {kind: restart, at: 4 s, node: gateway-2",
         "node: gateway-2}\n  - {kind: restart, at: 4 s, node: gateway", "node: |gateway}",
         "`gateway-1` is not down", 0},
        {"kind: restart, at: 4 s, node: gateway-2",
         "kind: loss, at: 1 s, from: sensor-1-1, to: gateway-2, value: 1", "to: |gateway-2, value",
         "there is no link between", 0},
        {"kind: restart, at: 4 s, node: gateway-2", "kind: loss, at: 1 s, from: sensor, to: edge, value: 1",
         "to: |edge, value", "there is no link between", 0},
        {"kind: restart, at: 4 s, node: gateway-2", "kind: partition, at: 1 s, from: edge, to: gateway-3",
         "|gateway-3", "no node or group", 0},
        {"kind: restart, at: 4 s, node: gateway-2",
         "kind: rate, at: 1 s, from: sensor, to: gateway, value: 0", "value: |0", "expected more than `0`",
         0},
        {"kind: restart, at: 4 s, node: gateway-2", "kind: loss, at: 1 s, from: sensor, to: gateway",
         "|{kind: loss", "missing key `value`", 0},
    };
    EXPECT_EACH(mistakes);
}

static void tasks_and_data_fit_together(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"64 kbit}", "64 kbit, criticality: [0, 1]}", "|[0, 1]", "task.criticality: 6 deadlines for 2 levels",
         0},
        {"64 kbit}", "64 kbit, deadline: [1 s, 2 s]}", "|[1 s", "task.deadline: 2 deadlines for 6 levels", 0},
        {"64 kbit}", "64 kbit, criticality: [0, 0, 1, 1, 1, 1]}", "|[0, 0", "must ascend", 0},
        {"64 kbit}", "64 kbit, window: 1 us}", "|1 us", "0.004 samples", 0},
        {"64 kbit}", "64 kbit, sample_rate: 4000.5 Hz}", "|4000.5", "4000.5 samples", 0},
        {"64 kbit}", "64 kbit, phase: 1 s}", "phase: |1 s", "shorter than a slot", 0},
        {"64 kbit}", "64 kbit}\ndata: {source: records}", "|records", "needs `dir`", 0},
        {"slots: 10", "slots: 10000000\ndrain: 24 h", "|10000000", "longer than 100 days", 0},
    };
    EXPECT_EACH(mistakes);
}

static void hostile_files_are_refused_early(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"name: small", "name: &a small", "|&a", "anchors", 0},
        {"name: small", "name: *a", "|*a", "aliases", 0},
        {"name: small", "name: !!str small", "|!!str", "tags", 0},
        {"name: small", "name: [small", "slot|: 1 s", "YAML syntax", 0},
        {"name: small", "name: small\n---", "|---", "a second document", 0},
        {"name: small", "name: \x01", "|\x01", "a control character", 0},
        {"name: small", "name: \xff\xfe", "|\xff", "not UTF-8", 0},
        {"name: small", "name: gr\xc3\xbc\xe2 ", "|\xe2", "not UTF-8", 0},
        {"name: small", "x: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[|[[[]",
         "nested too deeply", 0},
        {"name: small", "\tname: small", "|\tname", "YAML syntax", 0},
    };
    EXPECT_EACH(mistakes);
    assert_int_equal(load("name: a\0b", 9, NULL), STATUS_INVALID);
    expect_one("zero byte", 1, 8, "a zero byte");
    assert_int_equal(load("", 0, NULL), STATUS_INVALID);
    expect_one("empty", 1, 1, "nothing in it");
    assert_int_equal(load("- a\n", 4, NULL), STATUS_INVALID);
    expect_one("list", 1, 1, "expected a map");
    size_t size = 1024 * 1024 + 1;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, '#', size);
    assert_int_equal(load(large, size, NULL), STATUS_INVALID);
    expect_one("large", 1, 1, "larger than 1 MiB");
    free(large);
}

static void all_problems_come_at_once_in_order_of_lines(void **state) {
    (void)state;
    static const char text[] =
        "nodes: 3\nslot: 1\nslots: 0\nlinks: [{from: a, kind: wird}]\nsed: 1\nname: 3\n";
    assert_int_equal(load(text, sizeof text - 1, "task.size=5"), STATUS_INVALID);
    assert_true(problems.count >= 8);
    for (uint32_t i = 1; i < problems.count; i++)
        assert_true(problems.items[i].line >= problems.items[i - 1].line);
    assert_int_equal(problems.items[0].line, 0); /* --set first */
}

static void more_problems_than_fit_are_cut(void **state) {
    (void)state;
    char text[8000] = "";
    for (int i = 0; i < 60; i++)
        sprintf(text + strlen(text), "unknown%d: 1\n", i);
    strcat(text, "links:\n");
    for (int i = 0; i < 60; i++)
        strcat(text, "  - {from: a, to: b, kind: nonsense}\n");
    assert_int_equal(load(text, strlen(text), NULL), STATUS_INVALID);
    assert_int_equal(problems.count, SCENARIO_PROBLEMS_MAX);
}

static void wrong_overrides_name_the_assignment(void **state) {
    (void)state;
    static const struct {
        const char *assignment, *part;
    } known[] = {
        {"slots=x", "--set slots=x: slots: expected a whole number"},
        {"slotz=3", "unknown key `slotz`; did you mean `slots`?"},
        {"slots", "expected KEY=VALUE"},
        {"=3", "expected KEY=VALUE"},
        {"a..b=3", "expected KEY=VALUE"},
        {"a.b.c.d.e.f.g.h.i=3", "expected KEY=VALUE"},
        {"slots.x=3", "no key `x` below a single value"},
        {"nodes.sensr.count=3", "no entry `sensr`"},
        {"nodes.7.count=3", "no entry 7: the list has 3"},
        {"nodes.99999999999999999999.count=3", "no entry 99999999999999999999"},
        {"nodes.sensor=", "cannot be taken away"},
        {"links.gateway:edge.delay=5", "links[2].delay: expected a time"},
        {"links.gateway:egde.delay=5 s", "no entry `gateway:egde`"},
        {"task.size=[", "YAML syntax"},
        {"task.size=#", "there is no value"},
        {"name=", "missing key `name`"},
        {"task.sample_rate=1 Hz", "1 samples"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(load(scenario_text_small, sizeof scenario_text_small - 1, known[i].assignment),
                         STATUS_INVALID);
        if (strcmp(known[i].assignment, "name=") == 0)
            expect_one(known[i].assignment, 1, 1, known[i].part);
        else
            expect_one(known[i].assignment, 0, 0, known[i].part);
    }
}

static void a_missing_file_is_an_io_error(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    assert_int_equal(scenario_load_file("/nonexistent/x.yaml", NULL, 0, &arena, &scenario, &problems),
                     STATUS_IO);
    expect_one("missing", 0, 0, "No such file");
    assert_int_equal(scenario_load_file("/", NULL, 0, &arena, &scenario, &problems), STATUS_IO);
    expect_one("directory", 0, 0, "directory");
    arena_close(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_small_scenario_is_valid),
        cmocka_unit_test(keys_are_known_and_given_once),
        cmocka_unit_test(values_have_their_type_unit_and_range),
        cmocka_unit_test(keys_go_with_the_kind_of_their_entry),
        cmocka_unit_test(nodes_form_tiers),
        cmocka_unit_test(links_join_parents_and_children_both_ways),
        cmocka_unit_test(faults_make_sense),
        cmocka_unit_test(tasks_and_data_fit_together),
        cmocka_unit_test(hostile_files_are_refused_early),
        cmocka_unit_test(all_problems_come_at_once_in_order_of_lines),
        cmocka_unit_test(more_problems_than_fit_are_cut),
        cmocka_unit_test(wrong_overrides_name_the_assignment),
        cmocka_unit_test(a_missing_file_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
