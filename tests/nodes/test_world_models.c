/* Goal: the whole way of a model, from labelled windows at an edge server over the chain down to every
 * device, works in a whole run, gives one result whatever the number of processes, and survives losses and
 * crashes. Method: tests/lib/world on a small factory with two edge servers and four validators; rows that
 * nodes record are looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/world.h"

#define HEAD                                                                                                 \
    "name: models\nseed: 4\nslot: 1 s\nslots: 12\ndrain: 2 s\n"                                              \
    "nodes:\n"                                                                                               \
    "  - {name: edge, role: edge, count: 2}\n"                                                               \
    "  - {name: gateway, role: gateway, parent: edge, per_parent: 2}\n"                                      \
    "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"                                     \
    "  - {name: validator, role: chain, count: 4}\n"                                                         \
    "links:\n"                                                                                               \
    "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"                         \
    "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"                         \
    "  - {from: gateway, to: edge, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"                             \
    "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"                             \
    "  - {from: edge, to: validator, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"                            \
    "  - {from: validator, to: edge, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"                            \
    "  - {from: validator, to: validator, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"                       \
    "policy: {kind: offload}\n"                                                                              \
    "data: {snr: -8 dB}\n"                                                                                   \
    "chain: {model_slots: 2, timeout: 200 ms, block_rate: 4 Hz}\n"

enum { EDGES = 2, FIRST_GATEWAY = 2, FIRST_SENSOR = 6, FIRST_VALIDATOR = 14, NODES = 18 };

struct seen {
    double height[NODES], refused[NODES];
    uint32_t taken[NODES]; /* models a node has taken */
    uint32_t offered, included, accepted;
    double accuracy; /* of the latest offer */
};

static void look(void *context, const struct row *row) {
    struct seen *seen = context;
    if (row->kind == ROW_RESULT && strcmp(row->as.result.name, "model_height") == 0)
        seen->height[row->as.result.node] = row->as.result.value;
    if (row->kind == ROW_RESULT && strcmp(row->as.result.name, "models_refused") == 0)
        seen->refused[row->as.result.node] = row->as.result.value;
    if (row->kind != ROW_SERIES)
        return;
    const char *name = row->as.series.name;
    seen->taken[row->as.series.node] += strcmp(name, "model_height") == 0;
    seen->included += strcmp(name, "model_included_s") == 0;
    seen->accepted += strcmp(name, "model_accepted_s") == 0;
    if (strcmp(name, "model_accuracy") == 0) {
        seen->offered++;
        seen->accuracy = row->as.series.value;
    }
}

static struct world_result run(const char *rest, uint32_t processes, struct seen *seen) {
    char text[4096];
    struct world_result result;
    *seen = (struct seen){.offered = 0};
    snprintf(text, sizeof text, "%s%s", HEAD, rest);
    struct world_config config = {.scenario_text = text,
                                  .processes = processes,
                                  .placement = PLACEMENT_CYCLIC,
                                  .turn_seed = processes,
                                  .row_context = seen,
                                  .on_row = look};
    if (world_run(&config, &result) != STATUS_OK)
        fail_msg("%s", result.error.text);
    return result;
}

static void every_device_ends_with_an_accepted_model_in_any_placement(void **state) {
    (void)state;
    struct seen seen;
    struct world_result one = run("", 1, &seen);
    assert_int_equal(one.protocol_errors, 0);
    assert_int_equal(seen.offered, EDGES * 5); /* slots 2, 4, 6, 8, 10 */
    assert_true(seen.accuracy > 0.8 && seen.accuracy < 1.0);
    assert_int_equal(seen.included, seen.offered);
    assert_true(seen.accepted >= seen.offered - 2);
    for (uint32_t id = 0; id < FIRST_VALIDATOR; id++) {
        assert_true(seen.taken[id] >= 1);
        assert_true(seen.height[id] >= 3.0);
        assert_true(seen.refused[id] == 0.0);
    }
    for (uint32_t processes = 2; processes <= 4; processes++) {
        struct world_result many = run("", processes, &seen);
        assert_memory_equal(many.digest, one.digest, sizeof one.digest);
    }
}

static void without_model_slots_nothing_is_offered(void **state) {
    (void)state;
    struct seen seen;
    char text[4096];
    snprintf(text, sizeof text, "%s", HEAD);
    memcpy(strstr(text, "model_slots: 2"), "model_slots: 0", 14);
    struct world_result result;
    struct world_config config = {.scenario_text = text,
                                  .processes = 1,
                                  .placement = PLACEMENT_BLOCK,
                                  .row_context = &seen,
                                  .on_row = look};
    seen = (struct seen){.offered = 0};
    assert_int_equal(world_run(&config, &result), STATUS_OK);
    assert_int_equal(seen.offered, 0);
    for (uint32_t id = 0; id < FIRST_VALIDATOR; id++)
        assert_int_equal(seen.taken[id], 0);
}

#define LOSSES                                                                                               \
    "faults:\n"                                                                                              \
    "  - {kind: loss, at: 0 s, from: edge, to: validator, value: 0.4}\n"                                     \
    "  - {kind: loss, at: 0 s, from: validator, to: edge, value: 0.4}\n"                                     \
    "  - {kind: loss, at: 0 s, from: edge, to: gateway, value: 0.2}\n"                                       \
    "  - {kind: loss, at: 0 s, from: gateway, to: sensor, value: 0.2}\n"

static void what_gets_lost_is_sent_again_until_it_arrives(void **state) {
    (void)state;
    struct seen seen;
    struct world_result one = run(LOSSES, 1, &seen);
    assert_true(seen.included >= EDGES * 4);
    for (uint32_t id = 0; id < FIRST_VALIDATOR; id++)
        assert_true(seen.taken[id] >= 1);
    struct seen other;
    struct world_result three = run(LOSSES, 3, &other);
    assert_memory_equal(one.digest, three.digest, sizeof one.digest);
}

#define CRASHES                                                                                              \
    "faults:\n"                                                                                              \
    "  - {kind: crash, at: 4.3 s, node: edge-1}\n"                                                           \
    "  - {kind: restart, at: 5.1 s, node: edge-1}\n"                                                         \
    "  - {kind: crash, at: 6.2 s, node: gateway-2-1}\n"                                                      \
    "  - {kind: restart, at: 7.1 s, node: gateway-2-1}\n"                                                    \
    "  - {kind: crash, at: 7.3 s, node: sensor-1-1}\n"                                                       \
    "  - {kind: restart, at: 7.7 s, node: sensor-1-1}\n"                                                     \
    "  - {kind: crash, at: 2.1 s, node: validator-3}\n"                                                      \
    "  - {kind: restart, at: 8.1 s, node: validator-3}\n"

static void who_comes_back_from_a_crash_holds_a_model_again(void **state) {
    (void)state;
    struct seen seen, other;
    struct world_result one = run(CRASHES, 1, &seen);
    for (uint32_t id = 0; id < FIRST_VALIDATOR; id++)
        assert_true(seen.taken[id] >= 1);
    assert_true(seen.taken[FIRST_SENSOR] >= 2); /* it lost one with its memory */
    assert_true(seen.included >= EDGES * 4);
    struct world_result three = run(CRASHES, 3, &other);
    assert_memory_equal(one.digest, three.digest, sizeof one.digest);
}

static void sealed_or_not_models_travel_alike(void **state) {
    (void)state;
    struct seen seen;
    struct world_result sealed = run("", 1, &seen), open = run("identity: {seal: false}\n", 1, &seen);
    assert_memory_equal(sealed.digest, open.digest, sizeof open.digest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_device_ends_with_an_accepted_model_in_any_placement),
        cmocka_unit_test(without_model_slots_nothing_is_offered),
        cmocka_unit_test(what_gets_lost_is_sent_again_until_it_arrives),
        cmocka_unit_test(who_comes_back_from_a_crash_holds_a_model_again),
        cmocka_unit_test(sealed_or_not_models_travel_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
