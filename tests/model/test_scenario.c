/* Goal: a scenario means what its text says, defaults are those of the calibrated profile, `--set` reaches
 * every key, and printing loses nothing. Method: the small scenario with single changes, read field by field;
 * then scenarios with seeded random content, loaded, printed, loaded and printed again: structs and texts
 * must be equal to the last bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "common/base/random.h"
#include "common/base/units.h"
#include "common/time/vtime.h"
#include "tests/model/scenario_text.h"

static struct scenario_problems problems;

static void load(const char *text, const char *const *assignments, struct arena *arena,
                 struct scenario *scenario) {
    struct scenario_override overrides[8];
    size_t count = 0;
    for (; assignments != NULL && assignments[count] != NULL; count++)
        overrides[count].assignment = assignments[count];
    if (scenario_load_text(text, strlen(text), "test.yaml", overrides, count, arena, scenario, &problems) ==
        STATUS_OK)
        return;
    scenario_problems_print(&problems, stderr);
    fail_msg("this scenario should load:\n%s", text);
}

static void values_and_defaults_are_resolved(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    load(scenario_text_small, NULL, &arena, &scenario);
    assert_string_equal(scenario.name, "small");
    assert_string_equal(scenario.description, "");
    assert_int_equal(scenario.seed, 1);
    assert_int_equal(scenario.slot_ns, VTIME_NS_PER_S);
    assert_int_equal(scenario.slots, 10);
    assert_int_equal(scenario.drain_ns, 3 * VTIME_NS_PER_S);
    assert_int_equal(scenario.superdense_max, 100);
    assert_int_equal(scenario.group_count, 3);
    assert_int_equal(scenario.groups[1].role, ROLE_GATEWAY);
    assert_int_equal(scenario.groups[1].count, 2);
    assert_string_equal(scenario.groups[2].parent, "gateway");
    assert_int_equal(scenario.groups[2].per_parent, 3);
    const struct scenario_link *wire = &scenario.links[0], *radio = &scenario.links[2];
    assert_int_equal(wire->kind, LINK_WIRED);
    assert_true(wire->rate_bps == 1e8);
    assert_int_equal(wire->delay_ns, 10000);
    assert_int_equal(wire->queue_max, 256);
    assert_int_equal(wire->loss, LOSS_NONE);
    assert_false(wire->reorder);
    assert_int_equal(radio->channel, CHANNEL_MARKOV3);
    assert_true(radio->bandwidth_hz == 5e6 && radio->power_w == 1 && radio->noise_w_per_hz == 4e-20);
    assert_true(radio->gain[0] == 2e-13 && radio->gain[1] == 4e-13 && radio->gain[2] == 6e-13);
    assert_true(radio->transition[0][1] == 0.7 && radio->transition[1][1] == 0.5 &&
                radio->transition[2][2] == 0.3);
    assert_true(radio->mini_slot_bits == 64000 && radio->share == 0);
    assert_int_equal(scenario.task.level_count, 6);
    assert_true(scenario.task.criticality[5] == 1 && scenario.task.criticality[1] == 0.2);
    assert_int_equal(scenario.task.deadline_ns[1], 820 * VTIME_NS_PER_MS);
    assert_true(scenario.compute.gateway_flops == 768e9 && scenario.compute.edge_flops == 20.31e12);
    assert_true(scenario.compute.intensity_flop_per_bit == 3.12e6 && scenario.compute.edge_work_flop == 1e10);
    assert_int_equal(scenario.policy.kind, POLICY_GREEDY);
    assert_int_equal(scenario.data.source, DATA_GENERATOR);
    assert_int_equal(scenario.fault_count, 2);
    assert_int_equal(scenario.faults[1].kind, FAULT_RESTART);
    assert_int_equal(scenario.faults[1].at_ns, 4 * VTIME_NS_PER_S);
    assert_int_equal(scenario.faults[0].until_ns, VTIME_NEVER);
    arena_close(&arena);
}

static void overrides_reach_keys_entries_and_lists(void **state) {
    (void)state;
    static const char *const assignments[] = {"seed=18446744073709551615",
                                              "links.*.queue=7",
                                              "links.gateway:edge.gain=[1e-13, 2e-13, 3e-13]",
                                              "links.0.loss.model=bernoulli",
                                              "links.0.loss.probability=5 %",
                                              "nodes.sensor.per_parent=4",
                                              "faults=[]",
                                              NULL};
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    load(scenario_text_small, assignments, &arena, &scenario);
    assert_true(scenario.seed == UINT64_MAX);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(scenario.links[i].queue_max, 7);
    assert_true(scenario.links[2].gain[2] == 3e-13);
    assert_int_equal(scenario.links[0].loss, LOSS_BERNOULLI);
    assert_true(scenario.links[0].loss_probability == 0.05);
    assert_int_equal(scenario.groups[2].per_parent, 4);
    assert_int_equal(scenario.fault_count, 0);
    arena_close(&arena);
}

static void overrides_make_maps_take_keys_away_and_the_last_one_wins(void **state) {
    (void)state;
    static const char *const assignments[] = {"data.dir=some/where", "policy.kind=random",
                                              "policy.kind=local",   "task.size=",
                                              "nodes.1.count=",      "faults=",
                                              "task.criticality=1",  NULL};
    static const char *const deadline[] = {"task.criticality=[0, 1]", "task.deadline=[2 s, 1 s]",
                                           "task.deadline.1=3 ms", NULL};
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    char text[4096];
    scenario_text_with("task: {size: 64 kbit}", "task: {size: 32 kbit, deadline: 1 s}", text, sizeof text);
    load(text, assignments, &arena, &scenario);
    assert_string_equal(scenario.data.dir, "some/where");
    assert_int_equal(scenario.data.source, DATA_RECORDS); /* because there is a folder */
    assert_int_equal(scenario.policy.kind, POLICY_LOCAL);
    assert_true(scenario.task.bits == 64000);
    assert_int_equal(scenario.task.level_count, 1);
    assert_int_equal(scenario.groups[1].count, 0);
    load(scenario_text_small, deadline, &arena, &scenario);
    assert_int_equal(scenario.task.level_count, 2);
    assert_int_equal(scenario.task.deadline_ns[1], 3 * VTIME_NS_PER_MS);
    arena_close(&arena);
}

static void one_gain_serves_all_states(void **state) {
    (void)state;
    static const char *const assignments[] = {"links.2.channel=fixed", "links.2.gain=-124 dB", NULL};
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    load(scenario_text_small, assignments, &arena, &scenario);
    assert_true(scenario.links[2].gain[0] > 3.98e-13 && scenario.links[2].gain[0] < 3.99e-13);
    assert_true(scenario.links[2].gain[2] == scenario.links[2].gain[0]);
    arena_close(&arena);
}

/* Text that grows. */
struct draft {
    char text[16384];
    size_t used;
};

static void say(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct draft *draft, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    draft->used +=
        (size_t)vsnprintf(draft->text + draft->used, sizeof draft->text - draft->used, format, arguments);
    va_end(arguments);
    assert_true(draft->used < sizeof draft->text);
}

static void say_number(struct draft *draft, const char *key, enum unit_dimension dimension, double value) {
    char text[UNITS_TEXT_MAX];
    say(draft, ", %s: %s", key, units_print(value, dimension, text));
}

static void say_time(struct draft *draft, const char *key, int64_t time_ns) {
    char text[UNITS_TEXT_MAX];
    say(draft, ", %s: %s", key, units_print_time(time_ns, text));
}

static void say_loss(struct draft *draft, struct random_stream *stream) {
    uint64_t model = random_below(stream, 3);
    if (model == 1)
        say(draft, ", loss: {model: bernoulli, probability: %.17g}", random_uniform(stream));
    if (model == 2)
        say(draft,
            ", loss: {model: gilbert-elliott, probability: %.17g, bad: %.17g, good_to_bad: %.17g, "
            "bad_to_good: %.17g}",
            random_uniform(stream), random_uniform(stream), random_uniform(stream), random_uniform(stream));
}

static void say_radio(struct draft *draft, struct random_stream *stream) {
    static const char *const channels[] = {"fixed", "markov3", "levels10", "path-loss"};
    uint64_t channel = random_below(stream, 4);
    say(draft, ", channel: %s", channels[channel]);
    say_number(draft, "bandwidth", UNIT_FREQUENCY, 1e6 * (1 + random_uniform(stream)));
    say_number(draft, "power", UNIT_POWER, 0.001 + random_uniform(stream));
    say_number(draft, "noise", UNIT_POWER_DENSITY, 1e-20 * (1 + random_uniform(stream)));
    if (channel == 3)
        say(draft, ", path_loss: {distance: %.17g m, exponent: %.17g}", 1 + random_uniform(stream),
            1 + random_uniform(stream));
    else if (channel == 1)
        say(draft, ", gain: [%.17g, %.17g, 0.25], transition: [[0, 0, 1], [0.125, 0.25, 0.625], [1, 0, 0]]",
            random_uniform(stream), random_uniform(stream));
    else
        say(draft, ", gain: %.17g", random_uniform(stream));
}

static void say_link(struct draft *draft, struct random_stream *stream, const char *from, const char *to) {
    static const char *const kinds[] = {"ideal", "wired", "ofdma", "lte-m", "trace"};
    uint64_t kind = random_below(stream, 5);
    say(draft, "  - {from: %s, to: %s, kind: %s", from, to, kinds[kind]);
    say_time(draft, "delay", 1 + (int64_t)random_below(stream, 3000000000));
    say_time(draft, "jitter", (int64_t)random_below(stream, 1000000));
    say(draft, ", reorder: %s, queue: %u", random_chance(stream, 0.5) ? "true" : "false",
        (unsigned)random_below(stream, 1000) + 1);
    say_loss(draft, stream);
    if (kind == 1)
        say_number(draft, "rate", UNIT_RATE, 1 + 1e9 * random_uniform(stream));
    if (kind == 2 || kind == 3)
        say_radio(draft, stream);
    if (kind == 2)
        say(draft, ", subchannels: 12, subchannels_initial: %u", (unsigned)random_below(stream, 13));
    if (kind == 3)
        say(draft, ", share: %.17g, mini_slot: %.17g kbit", 0.01 + 0.1 * random_uniform(stream),
            1 + random_uniform(stream));
    say(draft, "%s}\n", kind == 4 ? ", trace: \"a \\\"file\\\"\\t\xc3\xbc\"" : "");
}

/* A valid scenario whose content is random. */
static void say_scenario(struct draft *draft, struct random_stream *stream) {
    static const char *const names[] = {"edge", "true", "Off", "n", "x_-1y"};
    const char *edge = names[random_below(stream, 5)];
    draft->used = 0;
    say(draft, "name: random\ndescription: \"a # b: 'c' \\\\ \\n %u\"\nseed: %llu\nslot: %u us\n",
        (unsigned)random_below(stream, 100), (unsigned long long)random_next(stream),
        (unsigned)random_below(stream, 1000000) + 10);
    say(draft,
        "nodes:\n  - {name: \"%s\", role: edge}\n  - {name: g, role: gateway, parent: \"%s\", count: %u}\n",
        edge, edge, (unsigned)random_below(stream, 4) + 1);
    say(draft, "  - {name: d, role: device, parent: g, %s: %u}\n",
        random_chance(stream, 0.5) ? "per_parent" : "count", (unsigned)random_below(stream, 5) + 4);
    say(draft, "links:\n");
    say_link(draft, stream, "g", edge);
    say_link(draft, stream, edge, "g");
    say_link(draft, stream, "d", "g");
    say_link(draft, stream, "g", "d");
    say(draft, "task: {criticality: [0, %.17g, 1], deadline: [3 ms, 0.1 us, %u ns]}\n",
        random_uniform(stream), (unsigned)random_below(stream, 1000000) + 1);
    say(draft, "compute: {pruning: %.17g, edge_work: %.17g GFLOP}\n", 0.5 * random_uniform(stream),
        1 + random_uniform(stream));
    say(draft, "data: {snr: %.17g dB}\nfaults:\n", 20 * random_uniform(stream) - 10);
    say(draft, "  - {kind: partition, at: 1 us, until: 3 us, from: g-1, to: \"%s\", one_way: true}\n", edge);
    say(draft, "  - {kind: rate, at: 0 s, from: d, to: g, value: %.17g}\n",
        0.1 + 0.5 * random_uniform(stream));
}

/* Compares everything but the three pointers, then what they point to. Structs are zero-filled before they
 * are set, so that padding compares too. */
static void assert_same(const struct scenario *a, const struct scenario *b) {
    struct scenario c = *a, d = *b;
    memcpy(&c, a, sizeof c);
    memcpy(&d, b, sizeof d);
    c.groups = d.groups = NULL;
    c.links = d.links = NULL;
    c.faults = d.faults = NULL;
    assert_memory_equal(&c, &d, sizeof c);
    assert_memory_equal(a->groups, b->groups, a->group_count * sizeof *a->groups);
    assert_memory_equal(a->links, b->links, a->link_count * sizeof *a->links);
    assert_memory_equal(a->faults, b->faults, a->fault_count * sizeof *a->faults);
}

static void printing_and_loading_again_is_identity(void **state) {
    (void)state;
    static struct draft draft;
    struct random_stream stream;
    random_init(&stream, 11, 0, RANDOM_TEST);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        struct scenario first, second;
        size_t size;
        arena_init(&arena);
        say_scenario(&draft, &stream);
        /* parts of the band may sum to more than 1: four gateways at most, each below 0.11 */
        load(draft.text, NULL, &arena, &first);
        char *once = scenario_print(&first, &arena, &size);
        assert_int_equal(size, strlen(once));
        load(once, NULL, &arena, &second);
        char *twice = scenario_print(&second, &arena, NULL);
        assert_string_equal(once, twice);
        assert_same(&first, &second);
        arena_close(&arena);
    }
}

static void the_same_text_gives_the_same_struct_in_every_process(void **state) {
    (void)state;
    struct arena arena, other;
    struct scenario first, second;
    arena_init(&arena);
    arena_init(&other);
    load(scenario_text_small, NULL, &arena, &first);
    free(malloc(12345)); /* another heap layout */
    load(scenario_text_small, NULL, &other, &second);
    assert_same(&first, &second);
    arena_close(&arena);
    arena_close(&other);
}

static void the_json_schema_is_json_and_knows_every_list(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    json_error_t error;
    json_t *root = json_loads(scenario_json_schema(&arena), JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    json_t *properties = json_object_get(root, "properties");
    static const char *const keys[] = {"name",    "nodes",  "links", "task",
                                       "compute", "policy", "data",  "faults"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(properties, keys[i]));
    assert_true(json_is_false(json_object_get(root, "additionalProperties")));
    json_t *link = json_object_get(json_object_get(properties, "links"), "items");
    json_t *rate = json_object_get(json_object_get(link, "properties"), "rate");
    assert_non_null(strstr(json_string_value(json_object_get(rate, "pattern")), "Mbit/s"));
    json_decref(root);
    arena_close(&arena);
}

static void the_reference_names_every_key_of_a_printed_scenario(void **state) {
    (void)state;
    struct arena arena;
    struct scenario scenario;
    arena_init(&arena);
    load(scenario_text_small, NULL, &arena, &scenario);
    const char *reference = scenario_reference(&arena);
    char *text = scenario_print(&scenario, &arena, NULL);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char quoted[64];
        const char *key = line + strspn(line, " -");
        size_t letters = strcspn(key, ":");
        snprintf(quoted, sizeof quoted, "%.*s` |", (int)letters, key);
        if (strstr(reference, quoted) == NULL)
            fail_msg("the reference lacks `%s", quoted);
    }
    arena_close(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_defaults_are_resolved),
        cmocka_unit_test(overrides_reach_keys_entries_and_lists),
        cmocka_unit_test(overrides_make_maps_take_keys_away_and_the_last_one_wins),
        cmocka_unit_test(one_gain_serves_all_states),
        cmocka_unit_test(printing_and_loading_again_is_identity),
        cmocka_unit_test(the_same_text_gives_the_same_struct_in_every_process),
        cmocka_unit_test(the_json_schema_is_json_and_knows_every_list),
        cmocka_unit_test(the_reference_names_every_key_of_a_printed_scenario),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
