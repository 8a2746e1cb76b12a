/* Goal: validators stand beside the tiers, linked with each other and with every edge server, and a scenario
 * that forgets one of these links, or gives their chain values that make no sense, is refused at the place of
 * the mistake. Method: one valid scenario with two edge servers and three validators; its links counted by
 * hand; then one change at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/model/topology.h"
#include "tests/model/mistakes.h"

static const char text_chain[] =
    "name: chain\n"
    "slots: 5\n"
    "nodes:\n"
    "  - {name: validator, role: chain, count: 3}\n"
    "  - {name: edge, role: edge, count: 2}\n"
    "  - {name: gateway, role: gateway, parent: edge, per_parent: 1}\n"
    "links:\n"
    "  - {from: gateway, to: edge, kind: wired, rate: 1 Mbit/s, delay: 1 ms}\n"
    "  - {from: edge, to: gateway, kind: ideal}\n"
    "  - {from: validator, to: validator, kind: wired, rate: 1 Gbit/s, delay: 2 ms}\n"
    "  - {from: validator-1, to: validator-3, kind: wired, rate: 2 Gbit/s, delay: 3 ms}\n"
    "  - {from: edge, to: validator, kind: ideal, delay: 4 ms}\n"
    "  - {from: validator, to: edge, kind: ideal, delay: 5 ms}\n"
    "chain: {timeout: 200 ms, block_size: 100 kB}\n"
    "faults:\n"
    "  - {kind: crash, at: 1 s, node: validator-2}\n"
    "  - {kind: partition, at: 1 s, from: validator-1, to: validator}\n";

static void open_plant(const char *text, struct arena *arena, struct scenario *scenario,
                       struct topology *topology) {
    struct error error;
    if (scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, arena, scenario, &problems) !=
        STATUS_OK) {
        scenario_problems_print(&problems, stderr);
        fail_msg("this scenario should load:\n%s", text);
    }
    assert_int_equal(topology_build(scenario, arena, topology, &error), STATUS_OK);
}

static void validators_are_linked_with_each_other_and_with_every_edge_server(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    arena_init(&arena);
    open_plant(text_chain, &arena, &scenario, &topology);
    assert_int_equal(topology.link_count, 2 * 2 + 3 * 2 + 2 * 3 * 2);
    for (uint32_t from = 0; from < 5; from++) {
        const struct topology_node *node = &topology.nodes[from];
        for (uint32_t i = node->first_link + 1; i < node->first_link + node->link_count; i++)
            assert_true(topology.links[i].to > topology.links[i - 1].to);
        for (uint32_t to = 0; to < 5; to++) {
            uint32_t link = topology_link_between(&topology, from, to);
            bool wanted = from != to && (from < 3 || to < 3);
            assert_int_equal(link != TOPOLOGY_NONE, wanted);
            if (!wanted)
                continue;
            int64_t delay_ms = from >= 3 ? 4 : to >= 3 ? 5 : from == 0 && to == 2 ? 3 : 2;
            assert_int_equal(topology.links[link].config->delay_ns, delay_ms * 1000000);
            assert_int_equal(topology.links[link].from, from);
            assert_int_equal(topology.links[link].to, to);
        }
    }
    assert_true(topology.nodes[1].may_crash);
    assert_int_equal(topology.nodes[0].role, ROLE_CHAIN);
    assert_true(topology.nodes[0].parent == TOPOLOGY_NONE);
    arena_close(&arena);
}

static void the_rules_of_the_chain_are_read_with_their_units(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario, again;
    struct topology topology;
    arena_init(&arena);
    open_plant(text_chain, &arena, &scenario, &topology);
    assert_int_equal(scenario.chain.timeout_ns, 200000000);
    assert_int_equal(scenario.chain.timeout_max_ns, INT64_C(10000000000));
    assert_int_equal(scenario.chain.block_bytes_max, 100000);
    assert_int_equal(scenario.chain.blob_bytes_max, 4000000);
    assert_int_equal(scenario.chain.durability, CHAIN_PROCESS);
    assert_true(scenario.chain.block_rate_hz == 1.0);
    assert_true(scenario.chain.load.rate_hz == 0); /* nothing, unless asked for */
    const char *text = scenario_print(&scenario, &arena, NULL);
    assert_non_null(strstr(text, "\nchain:\n"));
    open_plant(text, &arena, &again, &topology);
    assert_memory_equal(&again.chain, &scenario.chain, sizeof scenario.chain);
    open_plant(scenario_text_small, &arena, &again, &topology);
    assert_null(strstr(scenario_print(&again, &arena, NULL), "chain")); /* nothing in a run without them */
    arena_close(&arena);
}

static void one_validator_alone_needs_no_link(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    arena_init(&arena);
    open_plant("name: one\nnodes:\n  - {name: v, role: chain}\nlinks: []\n", &arena, &scenario, &topology);
    assert_int_equal(topology.link_count, 0);
    open_plant(scenario_print(&scenario, &arena, NULL), &arena, &scenario, &topology);
    arena_close(&arena);
}

static void what_cannot_be_a_chain_is_refused_where_it_stands(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"role: chain, count: 3", "role: chain, parent: edge, count: 3", "parent: |edge, count",
         "beside the tiers", 0},
        {"role: chain, count: 3", "role: chain, count: 65", "|- {name: validator, role",
         "65 validators, but a chain takes at most 64", 0},
        {"{name: edge, role: edge, count: 2}", "{name: edge, role: edge, count: 4094}",
         "|- {name: validator, role", "4094 edge servers", 0},
        {"{from: validator, to: validator,", "{from: validator-1, to: validator,",
         "|- {from: gateway, to: edge", "no link from `validator-2` to `validator-1`", 0},
        {"{from: edge, to: validator,", "{from: edge-1, to: validator,", "|- {from: gateway, to: edge",
         "no link from `edge-2` to `validator-1`", 0},
        {"{from: validator, to: edge,", "{from: validator-3, to: edge,", "|- {from: gateway, to: edge",
         "no link from `validator-1` to `edge-1`", 0},
        {"delay: 4 ms", "delay: 0 s", "delay: |0 s", "needs a `delay` longer than 0", 0},
        {"kind: ideal, delay: 5 ms", "kind: lte-m, delay: 5 ms", "kind: |lte-m", "`wired`, `ideal` or", 0},
        {"{from: edge, to: validator,", "{from: gateway, to: validator,", "to: |validator, kind: ideal",
         "are not parent and child", 0},
        {"from: validator-1, to: validator-3", "from: validator-1, to: validator-1", "to: |validator-1, kind",
         "no link to itself", 0},
        {"from: validator-1, to: validator-3", "from: validator-1, to: validator-4", "|validator-4",
         "no node or group", 0},
        {"timeout: 200 ms", "timeout: 11 s", "|{timeout: 11 s", "shorter than `timeout`", 0},
        {"block_size: 100 kB", "block_size: 800001 bit", "|800001", "whole bytes", 0},
        {"block_size: 100 kB", "block_size: 1 kB", "|1 kB", "out of range", 0},
        {"block_size: 100 kB", "load: {rate: 1 Hz, records: 656, record_size: 100 B}", "load: |{rate",
         "do not fit into a transaction", 0},
        {"block_size: 100 kB", "load: {rate: 1 Hz, records: 401, record_size: 1 B}", "load: |{rate",
         "fits into no block", 0},
        {"block_size: 100 kB", "clock_spread: 1.5", "|1.5", "out of range", 0},
        {"role: chain, count: 3", "role: edge, count: 3", "|{timeout", "goes with nodes of role `chain`", 5},
        {"kind: crash, at: 1 s, node: validator-2", "kind: ledger-wipe, at: 1 s, node: validator-2",
         "node: |validator-2", "is not down at that time; crash it first", 0},
        {"kind: crash, at: 1 s, node: validator-2", "kind: disk-full, at: 1 s, node: edge", "node: |edge",
         "`edge` is no validator", 0},
        {"  - {kind: crash, at: 1 s, node: validator-2}",
         "  - {kind: disk-full, at: 1 s, node: validator-2}\n  - {kind: crash, at: 2 s, node: validator-2}",
         "at: 2 s, node: |validator-2", "is down at that time", 0},
        {"  - {kind: crash, at: 1 s, node: validator-2}",
         "  - {kind: crash, at: 1 s, node: validator-2}\n"
         "  - {kind: ledger-rollback, at: 500 ms, until: 1 s, node: validator-2}",
         "at: |500 ms", "goes down at this very time", 0},
        {"kind: crash, at: 1 s, node: validator-2", "kind: crash, at: 1 s, file: votes, node: validator-2",
         "file: |votes", "goes with kind `ledger-corrupt` or `ledger-unlink`", 0},
        {"from: validator-1, to: validator}", "from: validator-1, to: validator-1}", "to: |validator-1}",
         "no link between", 0},
        {"kind: crash, at: 1 s, node: validator-2", "kind: clock, at: 1 s, node: edge, offset: 1 s",
         "node: |edge, offset", "`edge` is no validator; only they have a clock", 0},
        {"kind: crash, at: 1 s, node: validator-2", "kind: clock, at: 1 s, node: validator-2", "kind: |clock",
         "needs `offset` or `drift`", 0},
        {"kind: crash, at: 1 s, node: validator-2", "kind: clock, at: 1 s, node: validator-2, drift: -101 %",
         "drift: |-101 %", "out of range", 0},
        {"kind: crash, at: 1 s, node: validator-2", "kind: crash, at: 1 s, node: validator-2, offset: 1 s",
         "offset: |1 s", "goes with kind `clock`", 0},
        {"kind: crash, at: 1 s, node: validator-2",
         "kind: clock, at: 1 s, until: 1 s, node: validator-2, offset: -1 s", "until: |1 s",
         "must be later than `at`", 0},
    };
    EXPECT_EACH_OF(text_chain, mistakes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validators_are_linked_with_each_other_and_with_every_edge_server),
        cmocka_unit_test(the_rules_of_the_chain_are_read_with_their_units),
        cmocka_unit_test(one_validator_alone_needs_no_link),
        cmocka_unit_test(what_cannot_be_a_chain_is_refused_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
