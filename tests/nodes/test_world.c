/* Goal: a whole factory keeps its promises in one process: same digest for any number of members and order of
 * turns, every task accounted for once, faults with the effect they declare. Method: tests/lib/world on small
 * scenarios; each fault is compared with the same run without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/world.h"
#include "nodes/task.h"

#define HEAD                                                                                                 \
    "name: world\nseed: 4\nslot: 1 s\nslots: 6\ndrain: 2 s\n"                                                \
    "nodes:\n"                                                                                               \
    "  - {name: edge, role: edge}\n"                                                                         \
    "  - {name: gateway, role: gateway, parent: edge, count: 2}\n"                                           \
    "  - {name: sensor, role: device, parent: gateway, per_parent: 3}\n"                                     \
    "links:\n"                                                                                               \
    "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"                         \
    "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"                         \
    "  - {from: gateway, to: edge, kind: lte-m, delay: 1 ms}\n"                                              \
    "  - {from: edge, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 1 ms}\n"

static const char plain[] = HEAD "policy: {kind: offload}\n";
#define TASKS 36u

static struct world_result run(const char *text, uint32_t processes, enum placement_kind placement,
                               uint64_t turns) {
    struct world_result result;
    struct world_config config = {
        .scenario_text = text, .processes = processes, .placement = placement, .turn_seed = turns};
    if (world_run(&config, &result) != STATUS_OK)
        fail_msg("%s", result.error.text);
    return result;
}

static void with_faults(char *text, size_t size, const char *faults) {
    snprintf(text, size, "%spolicy: {kind: offload}\nfaults:\n%s", HEAD, faults);
}

static void every_number_of_members_and_every_order_of_turns_gives_one_digest(void **state) {
    (void)state;
    struct world_result one = run(plain, 1, PLACEMENT_BLOCK, 1);
    assert_true(one.events > 300);
    for (uint32_t processes = 2; processes <= 9; processes++) {
        for (enum placement_kind kind = PLACEMENT_BLOCK; kind <= PLACEMENT_CYCLIC; kind++) {
            struct world_result many = run(plain, processes, kind, processes * 10 + kind);
            assert_memory_equal(many.digest, one.digest, sizeof one.digest);
            assert_int_equal(many.events, one.events);
        }
    }
}

static void every_task_has_one_row_and_without_faults_none_goes_unanswered(void **state) {
    (void)state;
    struct world_result result = run(plain, 3, PLACEMENT_CYCLIC, 1);
    assert_int_equal(result.tasks, TASKS);
    assert_int_equal(result.drops[DROP_UNANSWERED], 0);
    assert_int_equal(result.protocol_errors, 0);
    uint64_t sum = 0;
    for (int i = 0; i < 16; i++)
        sum += result.drops[i];
    assert_int_equal(sum, TASKS);
}

static void a_cut_uplink_leaves_its_tasks_unanswered_and_no_others(void **state) {
    (void)state;
    char text[4096];
    with_faults(text, sizeof text,
                "  - {kind: partition, at: 1.5 s, until: 4.5 s, from: gateway-1, to: edge, one_way: true}\n");
    struct world_result result = run(text, 2, PLACEMENT_BLOCK, 1);
    assert_int_equal(result.tasks, TASKS);
    assert_int_equal(result.drops[DROP_UNANSWERED], 9); /* three sensors, slots 2 to 4 */
}

static void the_way_back_matters_only_for_a_partition_of_both_ways(void **state) {
    (void)state;
    char text[4096];
    with_faults(text, sizeof text,
                "  - {kind: partition, at: 1.5 s, until: 4.5 s, from: edge, to: gateway-1, one_way: true}\n");
    assert_int_equal(run(text, 2, PLACEMENT_BLOCK, 1).drops[DROP_UNANSWERED],
                     9); /* answers are lost instead */
    with_faults(text, sizeof text,
                "  - {kind: partition, at: 1.5 s, until: 4.5 s, from: edge, to: gateway-1}\n");
    assert_int_equal(run(text, 2, PLACEMENT_BLOCK, 1).drops[DROP_UNANSWERED], 9);
}

static void a_crashed_gateway_loses_its_slots_until_it_restarts(void **state) {
    (void)state;
    char text[4096];
    with_faults(
        text, sizeof text,
        "  - {kind: crash, at: 1.5 s, node: gateway-2}\n  - {kind: restart, at: 3.5 s, node: gateway-2}\n");
    struct world_result result = run(text, 3, PLACEMENT_BLOCK, 1);
    assert_int_equal(result.tasks, TASKS);
    assert_int_equal(result.drops[DROP_UNANSWERED], 6); /* slots 2 and 3 */
}

static void total_loss_on_one_link_hits_the_device_behind_it(void **state) {
    (void)state;
    char text[4096];
    with_faults(text, sizeof text,
                "  - {kind: loss, at: 0.5 s, until: 3.5 s, from: sensor-1-2, to: gateway-1, value: 1}\n");
    assert_int_equal(run(text, 2, PLACEMENT_BLOCK, 1).drops[DROP_UNANSWERED], 3);
}

static void corrupted_packets_are_dropped_by_their_checksum_and_duplicates_count_once(void **state) {
    (void)state;
    char text[4096];
    with_faults(text, sizeof text,
                "  - {kind: corrupt, at: 0.5 s, until: 2.5 s, from: sensor-2-1, to: gateway-2, value: 1}\n"
                "  - {kind: duplicate, at: 0 s, until: 6 s, from: gateway, to: edge, value: 1}\n"
                "  - {kind: duplicate, at: 0 s, until: 6 s, from: edge, to: gateway, value: 1}\n");
    struct world_result result = run(text, 4, PLACEMENT_CYCLIC, 1);
    assert_int_equal(result.tasks, TASKS);
    assert_int_equal(result.drops[DROP_UNANSWERED], 2);
    assert_int_equal(result.protocol_errors, 0);
}

static void a_hung_gateway_answers_late_but_loses_nothing(void **state) {
    (void)state;
    char text[4096];
    with_faults(text, sizeof text, "  - {kind: hang, at: 1.9 s, until: 2.4 s, node: gateway-1}\n");
    struct world_result plain_result = run(plain, 1, PLACEMENT_BLOCK, 1);
    struct world_result result = run(text, 3, PLACEMENT_BLOCK, 1);
    assert_int_equal(result.tasks, TASKS);
    assert_int_equal(result.drops[DROP_UNANSWERED], 0);
    assert_memory_not_equal(result.digest, plain_result.digest, sizeof result.digest);
}

static void every_fault_kind_together_still_gives_one_digest(void **state) {
    (void)state;
    char text[4096];
    with_faults(text, sizeof text,
                "  - {kind: loss, at: 0.5 s, until: 3.5 s, from: sensor, to: gateway, value: 0.3}\n"
                "  - {kind: partition, at: 1 s, until: 2 s, from: gateway-1, to: edge}\n"
                "  - {kind: crash, at: 2.005 s, node: gateway-2}\n"
                "  - {kind: restart, at: 3.5 s, node: gateway-2}\n"
                "  - {kind: crash, at: 4.02 s, node: edge}\n"
                "  - {kind: restart, at: 4.5 s, node: edge}\n"
                "  - {kind: hang, at: 0.9 s, until: 2.6 s, node: sensor-1-1}\n"
                "  - {kind: corrupt, at: 3 s, until: 6 s, from: gateway, to: edge, value: 0.3}\n"
                "  - {kind: duplicate, at: 3 s, until: 6 s, from: gateway, to: edge, value: 0.3}\n"
                "  - {kind: reorder, at: 3 s, until: 6 s, from: edge, to: gateway, value: 0.3}\n"
                "  - {kind: rate, at: 3 s, until: 6 s, from: gateway, to: edge, value: 0.5}\n");
    struct world_result one = run(text, 1, PLACEMENT_BLOCK, 1);
    for (uint32_t processes = 2; processes <= 9; processes++) {
        struct world_result many = run(text, processes, PLACEMENT_CYCLIC, processes);
        assert_memory_equal(many.digest, one.digest, sizeof one.digest);
    }
}

static void zero_delay_links_between_processes_take_superdense_steps_and_give_one_digest(void **state) {
    (void)state;
    static const char ideal[] = "name: ideal\nseed: 4\nslot: 1 s\nslots: 3\ndrain: 1 s\n"
                                "nodes:\n"
                                "  - {name: edge, role: edge}\n"
                                "  - {name: gateway, role: gateway, parent: edge, count: 2}\n"
                                "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"
                                "links:\n"
                                "  - {from: sensor, to: gateway, kind: ideal}\n"
                                "  - {from: gateway, to: sensor, kind: ideal}\n"
                                "  - {from: gateway, to: edge, kind: ideal}\n"
                                "  - {from: edge, to: gateway, kind: ideal}\n"
                                "policy: {kind: offload}\n";
    struct world_result one = run(ideal, 1, PLACEMENT_BLOCK, 1);
    assert_int_equal(one.tasks, 12);
    assert_int_equal(one.drops[DROP_UNANSWERED], 0);
    for (uint32_t processes = 2; processes <= 7; processes++) {
        struct world_result many = run(ideal, processes, PLACEMENT_CYCLIC, processes);
        assert_memory_equal(many.digest, one.digest, sizeof one.digest);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_members_and_every_order_of_turns_gives_one_digest),
        cmocka_unit_test(every_task_has_one_row_and_without_faults_none_goes_unanswered),
        cmocka_unit_test(a_cut_uplink_leaves_its_tasks_unanswered_and_no_others),
        cmocka_unit_test(the_way_back_matters_only_for_a_partition_of_both_ways),
        cmocka_unit_test(a_crashed_gateway_loses_its_slots_until_it_restarts),
        cmocka_unit_test(total_loss_on_one_link_hits_the_device_behind_it),
        cmocka_unit_test(corrupted_packets_are_dropped_by_their_checksum_and_duplicates_count_once),
        cmocka_unit_test(a_hung_gateway_answers_late_but_loses_nothing),
        cmocka_unit_test(every_fault_kind_together_still_gives_one_digest),
        cmocka_unit_test(zero_delay_links_between_processes_take_superdense_steps_and_give_one_digest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
