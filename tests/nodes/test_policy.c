/* Goal: the policies decide as their header says, and greedy meets nearly as many deadlines as any decision
 * can. Method: fixed cases; random batches against exhaustive search over all decisions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "nodes/gateway/policy.h"

#define MS(x) ((int64_t)(x)*INT64_C(1000000))
#define BATCH_MAX 10

static const int64_t deadlines_ns[] = {MS(1000), MS(820), MS(640), MS(460), MS(280), MS(100)};

/* The calibrated profile of jopa: one local task 78 ms at p = .7, three mini-slots of 6.4 ms, E at a fifth.
 */
static struct policy_forecast calibrated(void) {
    return (struct policy_forecast){.local_task_s = 0.3 * 199.68e9 / 768e9,
                                    .uplink_known = true,
                                    .hold_ns = 19.2e6,
                                    .air_ns = 18500149,
                                    .edge_ns = 2455796};
}

/* A batch of `count` tasks of random levels in serving order. */
static void random_tasks(struct random_stream *stream, struct policy_task *tasks, uint32_t count) {
    uint32_t at_level[6] = {0}, used = 0;
    for (uint32_t i = 0; i < count; i++)
        at_level[random_below(stream, 6)]++;
    for (uint16_t level = 6; level-- > 0;)
        for (uint32_t i = 0; i < at_level[level]; i++)
            tasks[used++] = (struct policy_task){.level = level, .deadline_ns = deadlines_ns[level]};
}

static uint32_t exhaustive(const struct policy_batch *batch) {
    uint32_t best = 0;
    for (uint32_t mask = 0; mask < 1u << batch->count; mask++) {
        uint8_t offload[BATCH_MAX];
        for (uint32_t i = 0; i < batch->count; i++)
            offload[i] = mask >> i & 1;
        uint32_t met = policy_count_met(batch, offload);
        best = met > best ? met : best;
    }
    return best;
}

static void delays_follow_the_formulas(void **state) {
    (void)state;
    struct policy_forecast forecast = calibrated();
    assert_int_equal(policy_local_delay_ns(&forecast, 7), MS(546)); /* jopa (2), vector 003-local */
    assert_int_equal(policy_offload_delay_ns(&forecast, 0), 18500149 + 2455796);
    assert_int_equal(policy_offload_delay_ns(&forecast, 4), 4 * 19200000 + 18500149 + 2455796);
    forecast.cpu_wait_ns = 11;
    forecast.uplink_wait_ns = 13;
    assert_int_equal(policy_local_delay_ns(&forecast, 7), MS(546) + 11);
    assert_int_equal(policy_offload_delay_ns(&forecast, 0), 18500149 + 2455796 + 13);
}

static void local_and_offload_send_all_to_one_place(void **state) {
    (void)state;
    struct random_stream stream;
    struct policy_task tasks[BATCH_MAX];
    uint8_t offload[BATCH_MAX];
    random_init(&stream, 1, 0, RANDOM_TEST);
    random_tasks(&stream, tasks, BATCH_MAX);
    struct policy_batch batch = {.tasks = tasks, .count = BATCH_MAX, .forecast = calibrated()};
    policy_decide(&(struct scenario_policy){.kind = POLICY_LOCAL}, &batch, &stream, offload);
    for (int i = 0; i < BATCH_MAX; i++)
        assert_int_equal(offload[i], 0);
    policy_decide(&(struct scenario_policy){.kind = POLICY_OFFLOAD}, &batch, &stream, offload);
    for (int i = 0; i < BATCH_MAX; i++)
        assert_int_equal(offload[i], 1);
}

static void random_offloads_with_its_probability(void **state) {
    (void)state;
    struct random_stream stream;
    struct policy_task tasks[BATCH_MAX];
    uint8_t offload[BATCH_MAX];
    uint32_t count = 0;
    random_init(&stream, 2, 0, RANDOM_TEST);
    random_tasks(&stream, tasks, BATCH_MAX);
    struct policy_batch batch = {.tasks = tasks, .count = BATCH_MAX, .forecast = calibrated()};
    struct scenario_policy policy = {.kind = POLICY_RANDOM, .offload_probability = 0.3};
    for (int round = 0; round < 2000; round++) {
        policy_decide(&policy, &batch, &stream, offload);
        for (int i = 0; i < BATCH_MAX; i++)
            count += offload[i];
    }
    assert_in_range(count, 6000 - 260, 6000 + 260); /* 4 standard deviations of Binomial(20000, .3) */
}

static void greedy_keeps_a_lone_tolerant_task_and_sends_a_lone_urgent_one(void **state) {
    (void)state;
    uint8_t offload[2] = {9, 9};
    struct policy_task task = {.level = 0, .deadline_ns = MS(1000)};
    struct policy_batch batch = {.tasks = &task, .count = 1, .forecast = calibrated()};
    struct scenario_policy greedy = {.kind = POLICY_GREEDY};
    policy_decide(&greedy, &batch, NULL, offload);
    assert_int_equal(offload[0], 0);
    task = (struct policy_task){.level = 5,
                                .deadline_ns = MS(50)}; /* shorter than the 78 ms of one local task */
    policy_decide(&greedy, &batch, NULL, offload);
    assert_int_equal(offload[0], 1);
    batch.forecast.uplink_wait_ns = MS(80); /* nowhere in time: spare the uplink */
    policy_decide(&greedy, &batch, NULL, offload);
    assert_int_equal(offload[0], 0);
}

static void greedy_keeps_everything_while_the_uplink_is_unknown(void **state) {
    (void)state;
    struct policy_task tasks[3] = {{5, MS(100)}, {5, MS(100)}, {4, MS(280)}};
    struct policy_batch batch = {.tasks = tasks, .count = 3, .forecast = calibrated()};
    uint8_t offload[3] = {1, 1, 1};
    batch.forecast.uplink_known = false;
    policy_decide(&(struct scenario_policy){.kind = POLICY_GREEDY}, &batch, NULL, offload);
    for (int i = 0; i < 3; i++)
        assert_int_equal(offload[i], 0);
}

static void greedy_sends_a_hopeless_task_out_of_the_way(void **state) {
    (void)state;
    /* The first can meet its deadline nowhere. On the uplink it would push the second past its own. */
    struct policy_task tasks[2] = {{5, MS(1)}, {4, MS(30)}};
    struct policy_batch batch = {.tasks = tasks, .count = 2, .forecast = calibrated()};
    uint8_t offload[2];
    policy_decide(&(struct scenario_policy){.kind = POLICY_GREEDY}, &batch, NULL, offload);
    assert_int_equal(policy_count_met(&batch, offload), 1);
    assert_int_equal(offload[0], 0);
    assert_int_equal(offload[1], 1);
}

static void greedy_meets_nearly_what_exhaustive_search_meets(void **state) {
    (void)state;
    struct random_stream stream;
    uint32_t met = 0, possible = 0, tasks_total = 0, worse = 0, rounds = 3000;
    random_init(&stream, 3, 0, RANDOM_TEST);
    for (uint32_t round = 0; round < rounds; round++) {
        struct policy_task tasks[BATCH_MAX];
        uint8_t offload[BATCH_MAX];
        struct policy_batch batch = {.tasks = tasks, .count = 1 + (uint32_t)random_below(&stream, BATCH_MAX)};
        batch.forecast = calibrated();
        batch.forecast.local_task_s *= 0.3 + 3 * random_uniform(&stream);
        batch.forecast.hold_ns *= 0.3 + 4 * random_uniform(&stream);
        batch.forecast.air_ns = (int64_t)(batch.forecast.hold_ns * (0.7 + 0.3 * random_uniform(&stream)));
        if (random_chance(&stream, 0.5))
            batch.forecast.cpu_wait_ns = (int64_t)random_below(&stream, (uint64_t)MS(400));
        if (random_chance(&stream, 0.5))
            batch.forecast.uplink_wait_ns = (int64_t)random_below(&stream, (uint64_t)MS(150));
        random_tasks(&stream, tasks, batch.count);
        policy_decide(&(struct scenario_policy){.kind = POLICY_GREEDY}, &batch, NULL, offload);
        uint32_t own = policy_count_met(&batch, offload), best = exhaustive(&batch);
        assert_true(own <= best);
        met += own;
        possible += best;
        worse += own < best;
        tasks_total += batch.count;
    }
    printf("greedy meets %u of %u deadlines that can be met (%.2f %%), %u of %u batches below the optimum, "
           "%u tasks\n",
           met, possible, 100.0 * met / possible, worse, rounds, tasks_total);
    assert_true(met >= 0.99 * possible); /* measured: 99.78 % */
}

/* Equally critical tasks are exchangeable: all numbers of offloaded tasks for each level are all decisions.
 */
static uint32_t exhaustive_by_level(const struct policy_batch *batch, const uint32_t *at_level) {
    uint32_t best = 0, total = 1;
    for (int level = 0; level < 6; level++)
        total *= at_level[level] + 1;
    for (uint32_t code = 0; code < total; code++) {
        uint8_t offload[4 * BATCH_MAX];
        uint32_t rest = code, at = 0;
        for (int level = 6; level-- > 0;) {
            uint32_t leave = rest % (at_level[level] + 1);
            rest /= at_level[level] + 1;
            for (uint32_t i = 0; i < at_level[level]; i++)
                offload[at++] = i < leave;
        }
        uint32_t met = policy_count_met(batch, offload);
        best = met > best ? met : best;
    }
    return best;
}

static void greedy_stays_near_the_optimum_in_the_batches_of_a_loaded_gateway(void **state) {
    (void)state;
    struct random_stream stream;
    uint32_t met = 0, possible = 0;
    random_init(&stream, 4, 0, RANDOM_TEST);
    for (int round = 0; round < 5; round++) {
        struct policy_task tasks[4 * BATCH_MAX];
        uint8_t offload[4 * BATCH_MAX];
        uint32_t at_level[6] = {0};
        struct policy_batch batch = {.tasks = tasks, .count = 4 * BATCH_MAX, .forecast = calibrated()};
        random_tasks(&stream, tasks, batch.count);
        for (uint32_t i = 0; i < batch.count; i++)
            at_level[tasks[i].level]++;
        policy_decide(&(struct scenario_policy){.kind = POLICY_GREEDY}, &batch, NULL, offload);
        met += policy_count_met(&batch, offload);
        possible += exhaustive_by_level(&batch, at_level);
    }
    printf("40 tasks: greedy meets %u of %u deadlines that can be met\n", met, possible);
    assert_true(met >= 0.97 * possible);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_follow_the_formulas),
        cmocka_unit_test(local_and_offload_send_all_to_one_place),
        cmocka_unit_test(random_offloads_with_its_probability),
        cmocka_unit_test(greedy_keeps_a_lone_tolerant_task_and_sends_a_lone_urgent_one),
        cmocka_unit_test(greedy_keeps_everything_while_the_uplink_is_unknown),
        cmocka_unit_test(greedy_sends_a_hopeless_task_out_of_the_way),
        cmocka_unit_test(greedy_meets_nearly_what_exhaustive_search_meets),
        cmocka_unit_test(greedy_stays_near_the_optimum_in_the_batches_of_a_loaded_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
