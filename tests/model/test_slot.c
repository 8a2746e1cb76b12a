/* Goal: requirements, delays and drops of one slot, at the edges of the constraints.
 * Method: a gateway whose numbers can be done by hand, moved across each constraint in turn. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/model/battery.h"
#include "common/model/compute.h"
#include "common/model/cost.h"
#include "common/model/energy.h"
#include "common/model/gateway_slot.h"
#include "common/model/qos.h"
#include "common/model/reward.h"

#define assert_near(got, expected) assert_true(fabs((got) - (expected)) <= 1e-12)

static void requirements_of_the_six_levels(void **state) {
    (void)state;
    const double deadline_s[] = {1, .82, .64, .46, .28, .1}, accuracy[] = {.92, .934, .948, .962, .976, .99};
    for (int level = 0; level < 6; level++) {
        assert_near(qos_deadline_s(0.2 * level), deadline_s[level]);
        assert_near(qos_accuracy_floor(0.2 * level), accuracy[level]);
    }
}

/* The paper's list: p = .1 serves all k, .3 k <= .8, .5 k <= .6, .7 k <= .4, .8 k <= .2, .9 only k = 0. */
static void models_serve_the_levels_of_the_paper(void **state) {
    (void)state;
    const int highest_level[QOS_MODELS] = {5, 4, 3, 2, 1, 0};
    for (int model = 0; model < QOS_MODELS; model++)
        for (int level = 0; level < 6; level++) {
            uint32_t violations = qos_local_violations(0.2 * level, 0.0, qos_models[model].accuracy);
            assert_int_equal(violations, level <= highest_level[model] ? QOS_SERVED : QOS_INACCURATE);
        }
}

static void a_threshold_that_is_met_exactly_is_met(void **state) {
    (void)state;
    assert_int_equal(qos_local_violations(1.0, 0.1, 0.99), QOS_SERVED);
    assert_int_equal(qos_local_violations(1.0, 0.1 + 1e-10, 0.99 - 1e-10), QOS_SERVED);
    assert_int_equal(qos_local_violations(1.0, 0.1 + 1e-8, 0.99 - 1e-8), QOS_LATE | QOS_INACCURATE);
    assert_int_equal(qos_offloaded_violations(0.0, 0.5, 0.02, 0.02), QOS_SERVED);
    assert_int_equal(qos_offloaded_violations(0.0, 2.0, 0.03, 0.02), QOS_LATE | QOS_EDGE_SLOWER);
}

/* Two local tasks of 0.1 s each (batch 0.2 s), three offloaded of 0.02 s air, 0.03 s hold, 0.01 s edge. */
static const double criticality[] = {0.8, 0.0, 1.0, 0.4, 0.4};
static const uint8_t offloaded[] = {0, 0, 1, 1, 1};
static const struct gateway_slot by_hand = {.criticality = criticality,
                                            .offloaded = offloaded,
                                            .task_count = 5,
                                            .local_work_flop = 2e10,
                                            .capacity_flops = 1e11,
                                            .pruning = 0.5,
                                            .accuracy = 0.95,
                                            .air_s = 0.02,
                                            .hold_s = 0.03,
                                            .edge_s = 0.01,
                                            .slot_s = 1.0};

static void a_slot_by_hand(void **state) {
    (void)state;
    struct gateway_task tasks[5];
    struct gateway_slot_result result;
    gateway_slot_evaluate(&by_hand, READING_CALIBRATED, tasks, &result);
    const double delay_s[] = {0.2, 0.2, 0.03, 0.075, 0.075}; /* equal tasks wait 0.03 (1 + 1/2) on average */
    for (int m = 0; m < 5; m++)
        assert_near(tasks[m].delay_s, delay_s[m]);
    assert_int_equal(tasks[0].violations, QOS_INACCURATE); /* k = .8 needs .976 */
    assert_int_equal(result.dropped_count, 1);
    assert_near(result.local_utilisation, 0.1); /* the dropped one does not count */
    assert_near(result.radio_utilisation, 0.06);
    assert_near(result.edge_utilisation, 0.03);
    assert_near(result.delay_sum_s, 0.58);
    assert_near(gateway_slot_reward(gateway_slot_utilisation(&result), 1, 5, 99.0), 0.19 - 99.0 / 5);
}

static void the_printed_reading_counts_what_was_dropped(void **state) {
    (void)state;
    struct gateway_task tasks[5];
    struct gateway_slot_result result;
    gateway_slot_evaluate(&by_hand, READING_PAPER, tasks, &result);
    assert_near(result.local_utilisation, 0.2);
    assert_near(tasks[2].wait_s, -0.015); /* nobody else is as critical: half a task before its time */
    assert_near(tasks[3].wait_s, 0.03);
}

static void an_edge_slower_than_the_radio_drops_every_offloaded_task(void **state) {
    (void)state;
    struct gateway_slot slot = by_hand;
    struct gateway_task tasks[5];
    struct gateway_slot_result result;
    slot.edge_s = 0.021;
    gateway_slot_evaluate(&slot, READING_CALIBRATED, tasks, &result);
    assert_int_equal(result.dropped_count, 4);
    assert_true(result.radio_utilisation == 0.0 && result.edge_utilisation == 0.0);
    assert_int_equal(tasks[3].violations, QOS_EDGE_SLOWER);
}

static void edge_shares_go_to_gateways_that_offload(void **state) {
    (void)state;
    const double scores[] = {1000.0, 1000.0, -5.0, 1000.0 + 0.6931471805599453};
    double shares[4];
    compute_edge_shares(scores, (const uint8_t[]){1, 0, 1, 1}, 4, shares);
    assert_near(shares[0], 1.0 / 3);
    assert_true(shares[1] == 0.0 && shares[2] >= 0.0 && shares[2] < 1e-300);
    assert_near(shares[3], 2.0 / 3);
    compute_edge_shares(scores, (const uint8_t[]){0, 0, 0, 0}, 4, shares);
    for (int g = 0; g < 4; g++)
        assert_true(shares[g] == 0.0);
}

static void an_edge_without_a_share_takes_one_slot(void **state) {
    (void)state;
    double floor_share = compute_edge_share_floor(1e10, 20.31e12, 1.0);
    assert_near(floor_share, 4.923682914820286e-4);
    assert_near(compute_edge_delay_s(1e10, 20.31e12, 0.0, floor_share), 1.0);
}

static void nothing_to_do_costs_nothing_and_no_clock_never_ends(void **state) {
    (void)state;
    assert_true(compute_delay_s(0.0, 500.0, 0.0) == 0.0);
    assert_true(isinf(compute_delay_s(1.0, 500.0, 0.0)));
    assert_near(compute_shared_delay_s(1e6, 500.0, 3, 15e9), 0.1);
    assert_true(energy_transmit_j(0.0, INFINITY) == 0.0);
    assert_true(isinf(energy_transmit_j(1.0, INFINITY)));
    assert_near(energy_ofdma_upload_j(1e6, (const double[]){2.0, 0.0, 2.0, 0.0}, 4, 1e6), 1.0);
}

static void a_battery_neither_overflows_nor_goes_below_zero(void **state) {
    (void)state;
    assert_near(battery_next_j(1.0, 0.3, 0.1, 3.2), 0.8);
    assert_true(battery_next_j(1.0, 5.0, 0.1, 3.2) == 0.0);
    assert_true(battery_next_j(3.2, 0.0, 0.1, 3.2) == 3.2);
}

static void a_deadline_met_exactly_is_no_miss(void **state) {
    (void)state;
    const struct cost_coefficients coefficients = {.delay = 1.0, .energy = 0.1, .miss = 0.02};
    const double delay_s[] = {0.03, 0.05}, energy_j[] = {1.0, 2.0}, deadline_s[] = {0.03, 0.04};
    struct cost_total total = cost_with_misses(&coefficients, delay_s, energy_j, deadline_s, 2);
    assert_int_equal(total.miss_count, 1);
    assert_near(total.objective, 0.08 + 0.3 + 0.02);
}

static void the_printed_rewards_reward_lateness_and_the_calibrated_do_not(void **state) {
    (void)state;
    const struct reward_limits limits = {.deadline_s = 0.5, .charge_min_j = 0.5};
    double late = reward_penalty(0.5, 0.9, 0.5, 1.0, &limits),
           in_time = reward_penalty(0.5, 0.4, 0.5, 1.0, &limits);
    assert_true(in_time == 0.0 && late < 0.0);
    assert_true(reward_coselection(0.2, late) < reward_coselection(0.2, in_time));
    assert_true(reward_coselection_paper(0.2, late) > reward_coselection_paper(0.2, in_time));
    assert_near(reward_saving(0, 0.5, 0.2, 0.9) / 0.1, reward_saving_paper(0, 0.5, 0.2, 0.9) / 0.9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requirements_of_the_six_levels),
        cmocka_unit_test(models_serve_the_levels_of_the_paper),
        cmocka_unit_test(a_threshold_that_is_met_exactly_is_met),
        cmocka_unit_test(a_slot_by_hand),
        cmocka_unit_test(the_printed_reading_counts_what_was_dropped),
        cmocka_unit_test(an_edge_slower_than_the_radio_drops_every_offloaded_task),
        cmocka_unit_test(edge_shares_go_to_gateways_that_offload),
        cmocka_unit_test(an_edge_without_a_share_takes_one_slot),
        cmocka_unit_test(nothing_to_do_costs_nothing_and_no_clock_never_ends),
        cmocka_unit_test(a_battery_neither_overflows_nor_goes_below_zero),
        cmocka_unit_test(a_deadline_met_exactly_is_no_miss),
        cmocka_unit_test(the_printed_rewards_reward_lateness_and_the_calibrated_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
