/* Goal: what a scenario says about a scheme (scheme, options, offloading, training, granted links) is read,
 * printed and refused like every other key. Method: a small scenario with a scheme, read field by field,
 * printed and loaded again; then one mistake at a time, told with line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "common/model/scheme_options.h"
#include "common/model/topology.h"
#include "common/time/vtime.h"
#include "schemes/cpdrl/options.h"
#include "tests/model/mistakes.h"

static const char scheme_text[] =
    "name: scheme\n"
    "slot: 10 s\n"
    "slots: 10\n"
    "nodes:\n"
    "  - {name: server, role: edge}\n"
    "  - {name: device, role: device, parent: server, count: 4}\n"
    "links:\n"
    "  - {from: device, to: server, kind: ofdma-share, delay: 10 us, channel: path-loss, path_loss: {g0: "
    "1}}\n"
    "  - {from: server, to: device, kind: wired, rate: 1 Gbit/s, delay: 10 us}\n"
    "task: {answer_timeout: 9 s}\n"
    "scheme: cpdrl\n"
    "options: {arm: tem, batch: 32}\n"
    "offloading: {size: [200 kbit, 400 kbit], power: [1 mW, 1 W]}\n"
    "training: {evaluate: 2}\n";

static void load_good(const char *text, const char *assignment, struct arena *arena,
                      struct scenario *scenario) {
    struct scenario_override override = {.assignment = assignment};
    if (scenario_load_text(text, strlen(text), "test.yaml", &override, assignment != NULL, arena, scenario,
                           &problems) == STATUS_OK)
        return;
    scenario_problems_print(&problems, stderr);
    fail_msg("this scenario should load:\n%s", text);
}

static void values_and_defaults_are_resolved(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    load_good(scheme_text, NULL, &arena, &scenario);
    assert_string_equal(scheme_names[scenario.scheme], "cpdrl");
    const struct cpdrl_options *options = scenario.scheme_options;
    assert_int_equal(options->arm, CPDRL_ARM_TEM);
    assert_int_equal(options->batch, 32);
    assert_true(options->discount == 0.85 && options->episode_slots == 40);
    const struct scenario_offloading *offloading = &scenario.offloading;
    assert_true(offloading->bits[0] == 2e5 && offloading->bits[1] == 4e5);
    assert_true(offloading->power_w[0] == 1e-3 && offloading->power_w[1] == 1);
    assert_true(offloading->area_m == 300 && offloading->edge_clock_hz == 15e9);
    assert_int_equal(offloading->deadline_ns, VTIME_NS_PER_S / 2);
    assert_false(offloading->redraw);
    assert_int_equal(scenario.training.evaluate_slots, 2);
    assert_int_equal(scenario.training.checkpoint_slots, 0);
    assert_int_equal(scenario.training.first_slot, 0);
    assert_string_equal(scenario.training.resume, "");
    assert_int_equal(scenario_begin_ns(&scenario), 0);
    load_good(scheme_text, "options.arm=ddpg", &arena, &scenario);
    assert_int_equal(((const struct cpdrl_options *)scenario.scheme_options)->arm, CPDRL_ARM_DDPG);
    load_good(scheme_text, "training={resume: some/run, first_slot: 7}", &arena, &scenario);
    assert_int_equal(scenario_begin_ns(&scenario), 70 * VTIME_NS_PER_S);
    arena_close(&arena);
}

static void without_a_scheme_there_are_no_options(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    load_good(scenario_text_small, NULL, &arena, &scenario);
    assert_int_equal(scenario.scheme, 0);
    assert_null(scenario.scheme_options);
    assert_null(strstr(scenario_print(&scenario, &arena, NULL), "offloading"));
    arena_close(&arena);
}

static void printing_and_loading_again_is_identity(void **state) {
    (void)state;
    static const char *const changes[] = {NULL,
                                          "options=",
                                          "options.noise=0.3",
                                          "offloading.redraw=true",
                                          "offloading.deadline=77 ms",
                                          "offloading.clock=1.5 GHz",
                                          "training={checkpoint: 3, resume: a b/c, first_slot: 4}",
                                          "seed=9",
                                          "links.0.noise_total=-100 dBm"};
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct scenario scenario, again;
        size_t size;
        load_good(scheme_text, changes[i], &arena, &scenario);
        char *once = scenario_print(&scenario, &arena, &size);
        assert_int_equal(scenario_load_text(once, size, "again", NULL, 0, &arena, &again, &problems),
                         STATUS_OK);
        assert_string_equal(scenario_print(&again, &arena, NULL), once);
        assert_memory_equal(again.scheme_options, scenario.scheme_options, scheme_options_of(1)->bytes);
        assert_memory_equal(&again.offloading, &scenario.offloading, sizeof again.offloading);
        assert_memory_equal(&again.training, &scenario.training, sizeof again.training);
        assert_non_null(strstr(once, "\noptions:\n  arm: tem\n") != NULL || i == 1 ? once : NULL);
    }
    arena_close(&arena);
}

static void options_are_checked_like_every_other_key(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"batch: 32", "bach: 32", "|bach", "options: unknown key `bach`; did you mean `batch`?", 0},
        {"batch: 32", "batch: 0", "batch: |0", "options.batch: expected a whole number from 1", 0},
        {"batch: 32", "batch: 1.5", "batch: |1.5", "options.batch: expected a whole number", 0},
        {"arm: tem", "arm: temm", "arm: |temm", "options.arm: expected one of", 0},
        {"arm: tem", "arm: temm", "arm: |temm", "did you mean `tem`?", 0},
        {"arm: tem", "arm: tem, arm: rom", "|arm: rom", "duplicate key `arm`", 0},
        {"arm: tem", "steepness: 0", "steepness: |0", "options.steepness", 0},
        {"options: {arm: tem, batch: 32}", "options: 3", "options: |3", "options: expected a map", 0},
        {"scheme: cpdrl", "scheme: cpdlr", "scheme: |cpdlr", "did you mean `cpdrl`?", 0},
    };
    EXPECT_EACH_OF(scheme_text, mistakes);
}

static void without_a_scheme_its_keys_have_no_effect(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"slots: 10\n", "slots: 10\noptions: {arm: tem}\n", "options: |{arm",
         "options: has no effect here: it goes with scheme `cpdrl`", 0},
        {"slots: 10\n", "slots: 10\noffloading: {area: 1 m}\n", "offloading: |{area", "has no effect here",
         0},
        {"slots: 10\n", "slots: 10\ntraining: {evaluate: 1}\n", "training: |{evaluate", "has no effect here",
         0},
        {"slots: 10\n", "slots: 10\nscheme: none\ntraining: {evaluate: 1}\n", "training: |{evaluate",
         "has no effect", 0},
    };
    EXPECT_EACH(mistakes);
}

static void ranges_and_training_make_sense(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"[200 kbit, 400 kbit]", "[400 kbit, 200 kbit]", "size: |[400",
         "offloading.size: expected the least and the most", 0},
        {"[1 mW, 1 W]", "[1 W, 1 mW]", "power: |[1 W", "offloading.power: expected the least", 0},
        {"offloading: {", "offloading: {clock: [2 GHz, 1 GHz], ", "clock: |[2 GHz",
         "offloading.clock: expected the least", 0},
        {"offloading: {", "offloading: {cycles_per_bit: [9, 8], ", "cycles_per_bit: |[9",
         "offloading.cycles_per_bit: expected the least", 0},
        {"offloading: {", "offloading: {deadline: 0 s, ", "deadline: |0 s",
         "offloading.deadline: `0 s` is out of range", 0},
        {"evaluate: 2", "evaluate: 11", "evaluate: |11", "training.evaluate: there are only 10 slots", 0},
        {"evaluate: 2", "evaluate: 2, first_slot: 3", "first_slot: |3",
         "training.first_slot: goes with `resume`", 0},
        {"evaluate: 2", "resume: run, first_slot: 10", "first_slot: |10",
         "training.first_slot: there are only 10 slots", 0},
        {"evaluate: 2", "evaluates: 2", "|evaluates",
         "training: unknown key `evaluates`; did you mean `evaluate`?", 0},
        {"answer_timeout: 9 s", "answer_timeout: 9.1 s", "answer_timeout: |9.1 s",
         "task.answer_timeout: with a scheme a slot's tasks must be over within 90 %", 0},
    };
    EXPECT_EACH_OF(scheme_text, mistakes);
}

static void devices_stand_below_an_edge_server_and_are_granted_their_links(void **state) {
    (void)state;
    static const struct mistake mistakes[] = {
        {"kind: ofdma-share, delay: 10 us, channel: path-loss, path_loss: {g0: 1}",
         "kind: wired, rate: 1 Mbit/s, delay: 1 us", "kind: |wired, rate: 1 Mbit/s",
         "links[0].kind: a scheme grants devices band and power", 0},
        {"kind: ofdma-share, delay: 10 us", "kind: ofdma-share, power: 0.5 W, delay: 10 us", "power: |0.5 W",
         "links[0].power: less than the most of `offloading.power`", 0},
        {"links:\n",
         "links:\n  - {from: device-2, to: server, kind: ofdma-share, delay: 10 us, channel: path-loss, "
         "bandwidth: 4 MHz}\n",
         "bandwidth: |4 MHz", "links[0].bandwidth: devices below one edge server share its band", 0},
        {"links:\n",
         "links:\n  - {from: device-3, to: server, kind: ofdma-share, delay: 10 us, channel: path-loss, "
         "noise_total: 1e-12 W}\n",
         "noise_total: |1e-12", "links[0].noise_total: devices below one edge server share its band", 0},
        {"  - {name: device, role: device, parent: server, count: 4}\n",
         "  - {name: device, role: device, parent: server, count: 4}\n  - {name: gateway, role: gateway, "
         "parent: server}\n",
         "role: |gateway", "nodes[2].role: with a scheme there are no gateways", 0},
        {"scheme: cpdrl", "scheme: none", "parent: |server",
         "`server` is of role edge; the parent of a device is a gateway", 4},
        {"offloading: {", "offloading: {area: 0 m, ", "path_loss: |{g0",
         "links[0].path_loss: needs a `distance` longer than 0", 0},
        {"parent: server, count: 4", "count: 4", "|{name: device",
         "a device needs a `parent`, an edge server", 0},
    };
    EXPECT_EACH_OF(scheme_text, mistakes);
}

static void devices_are_placed_in_the_square_and_links_know_how_far_they_are(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct error error;
    arena_init(&arena);
    load_good(scheme_text, "nodes.device.count=500", &arena, &scenario);
    assert_int_equal(topology_build(&scenario, &arena, &topology, &error), STATUS_OK);
    double sum_x = 0, sum_y = 0;
    for (uint32_t id = 1; id <= 500; id++) {
        const struct topology_node *node = &topology.nodes[id];
        const struct scenario_link *up = topology.links[topology_link_between(&topology, id, 0)].config;
        double squared = node->x_m * node->x_m + node->y_m * node->y_m;
        assert_true(node->x_m >= -150 && node->x_m <= 150 && node->y_m >= -150 && node->y_m <= 150);
        assert_true(up->distance_m * up->distance_m >= squared * (1 - 1e-12) && up->distance_m >= 1);
        sum_x += node->x_m;
        sum_y += node->y_m;
    }
    assert_true(sum_x > -15000 && sum_x < 15000 && sum_y > -15000 &&
                sum_y < 15000); /* 8 standard deviations */
    assert_true(topology.nodes[0].x_m == 0 && topology.nodes[0].y_m == 0);
    assert_true(scenario.links[0].distance_m == 0); /* the entry itself stays */
    arena_close(&arena);
}

/* Every scheme's options stand in the schema under the condition that chooses it, and in the reference. */
static void schema_and_reference_know_the_options_of_every_scheme(void **state) {
    (void)state;
    struct arena arena;
    json_error_t error;
    arena_init(&arena);
    json_t *root = json_loads(scenario_json_schema(&arena), JSON_REJECT_DUPLICATES, &error), *branch;
    const char *reference = scenario_reference(&arena);
    assert_non_null(root);
    size_t index, chosen = 0;
    json_array_foreach(json_object_get(root, "allOf"), index, branch) {
        json_t *when =
            json_object_get(json_object_get(json_object_get(branch, "if"), "properties"), "scheme");
        const char *name = json_string_value(json_object_get(when, "const"));
        json_t *options =
            json_object_get(json_object_get(json_object_get(branch, "then"), "properties"), "options");
        if (name == NULL)
            continue;
        chosen++;
        assert_string_equal(name, scheme_names[chosen]);
        const struct schema *schema = scheme_options_of((unsigned)chosen)->schema;
        json_t *properties = json_object_get(options, "properties");
        assert_int_equal(json_object_size(properties), schema->count);
        assert_true(json_is_false(json_object_get(options, "additionalProperties")));
        for (size_t i = 0; i < schema->count; i++) {
            char row[80];
            assert_non_null(json_object_get(properties, schema->fields[i].key));
            snprintf(row, sizeof row, "`%s`", schema->fields[i].key);
            assert_non_null(strstr(reference, row));
        }
    }
    assert_true(chosen >= 1 && scheme_names[chosen + 1] == NULL);
    json_decref(root);
    arena_close(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_defaults_are_resolved),
        cmocka_unit_test(without_a_scheme_there_are_no_options),
        cmocka_unit_test(printing_and_loading_again_is_identity),
        cmocka_unit_test(options_are_checked_like_every_other_key),
        cmocka_unit_test(without_a_scheme_its_keys_have_no_effect),
        cmocka_unit_test(ranges_and_training_make_sense),
        cmocka_unit_test(devices_stand_below_an_edge_server_and_are_granted_their_links),
        cmocka_unit_test(devices_are_placed_in_the_square_and_links_know_how_far_they_are),
        cmocka_unit_test(schema_and_reference_know_the_options_of_every_scheme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
