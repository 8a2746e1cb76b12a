/* Goal: a gateway gathers, decides, computes, forwards and answers each task once, within its bounds, and
 * says of each delay whether a closed form holds. Method: the state machine alone, fed with tasks, results,
 * link reports and its own timers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/edge/edge.h"
#include "nodes/gateway/gateway.h"
#include "tests/lib/factory_rig.h"

#define SELF RIG_GATEWAY(0)
#define D(d) RIG_DEVICE(0, d)

static void open_rig(struct factory_rig *rig, enum policy_kind policy) {
    rig_init(rig, SELF);
    rig->scenario.policy.kind = policy;
}

static void start(struct factory_rig *rig) {
    assert_int_equal(rig_start(rig, 0), STATUS_OK);
    assert_int_equal(rig_send_link_state(rig, 2, 0), STATUS_OK);
}

/* All three devices of the gateway send their task of `slot` at the same time; levels 0, 3, 5. */
static void send_slot(struct factory_rig *rig, uint32_t slot, int64_t now_ns) {
    assert_int_equal(rig_send_task(rig, D(0), slot, 0, now_ns), STATUS_OK);
    assert_int_equal(rig_send_task(rig, D(1), slot, 3, now_ns), STATUS_OK);
    assert_int_equal(rig_send_task(rig, D(2), slot, 5, now_ns), STATUS_OK);
}

static const struct action *cpu_timer(const struct factory_rig *rig) {
    return rig_action(rig, ACTION_TIMER, GATEWAY_TIMER_CPU, 0);
}

/* The n-th OFFLOAD of the last outbox. */
static struct task_header offloaded(const struct factory_rig *rig, uint32_t n) {
    int16_t samples[4000];
    struct message_offload message;
    const struct action *action = rig_action(rig, ACTION_SEND, MESSAGE_OFFLOAD, n);
    assert_non_null(action);
    assert_int_equal(message_decode_offload(rig_payload(rig, action), action->bytes, samples, 4000, &message),
                     STATUS_OK);
    return message.window.task;
}

/* The edge's result for a task whose transmission began `wait_ns` after the decision, computed without
 * waiting. */
static struct message_result result_for(struct task_header task, int64_t wait_ns) {
    task.uplink_start_ns = task.decided_ns + wait_ns;
    task.uplink_end_ns = task.uplink_start_ns + MS(16);
    task.compute_start_ns = task.uplink_end_ns + MS(1);
    task.compute_end_ns = task.compute_start_ns + 983589;
    return (struct message_result){.task = task, .class = BEARING_INNER, .confidence = 0.5, .energy_j = 0.25};
}

static enum status send_result(struct factory_rig *rig, struct message_result result, uint32_t source,
                               int64_t now_ns) {
    uint8_t data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_result(&writer, &result);
    return rig_message(rig, now_ns, MESSAGE_RESULT, source, &writer);
}

static void a_batch_closes_when_all_devices_are_in(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_LOCAL);
    start(&rig);
    assert_int_equal(rig_send_task(&rig, D(0), 0, 0, MS(7)), STATUS_OK);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, GATEWAY_TIMER_COLLECT, 0)->at_ns, MS(57));
    assert_int_equal(rig_send_task(&rig, D(1), 0, 1, MS(8)), STATUS_OK);
    assert_null(cpu_timer(&rig));
    assert_int_equal(rig_send_task(&rig, D(2), 0, 2, MS(9)), STATUS_OK);
    assert_int_equal(cpu_timer(&rig)->at_ns, MS(9) + MS(234)); /* jopa (2): 3 x 78 ms */
    assert_int_equal(rig_timer(&rig, MS(57), GATEWAY_TIMER_COLLECT, 0), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    rig_close(&rig);
}

static void a_batch_closes_when_its_window_is_over(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_LOCAL);
    start(&rig);
    rig_send_task(&rig, D(0), 0, 0, MS(7));
    struct action collect = *rig_action(&rig, ACTION_TIMER, GATEWAY_TIMER_COLLECT, 0);
    rig_send_task(&rig, D(2), 0, 2, MS(20));
    assert_int_equal(rig_fire(&rig, &collect), STATUS_OK);
    assert_int_equal(cpu_timer(&rig)->at_ns, MS(57) + MS(156));
    assert_int_equal(rig_send_task(&rig, D(1), 0, 2, MS(70)),
                     STATUS_OK); /* the straggler is a batch of its own */
    struct action second = *rig_action(&rig, ACTION_TIMER, GATEWAY_TIMER_COLLECT, 0);
    assert_int_equal(second.at_ns, MS(120));
    assert_int_equal(rig_fire(&rig, &second), STATUS_OK);
    assert_null(cpu_timer(&rig)); /* the processor is busy until 213 ms */
    rig_close(&rig);
}

static void local_tasks_end_together_with_real_diagnoses_and_shared_energy(void **state) {
    (void)state;
    struct factory_rig rig;
    uint32_t right = 0;
    open_rig(&rig, POLICY_LOCAL);
    start(&rig);
    for (uint32_t slot = 0; slot < 20; slot++) {
        int64_t at_ns = MS(1000) * slot + MS(10);
        send_slot(&rig, slot, at_ns);
        assert_int_equal(rig_fire(&rig, cpu_timer(&rig)), STATUS_OK);
        assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 3);
        for (uint32_t i = 0; i < 3; i++) {
            struct message_answer answer = rig_answer(&rig, i);
            assert_int_equal(answer.place, PLACE_GATEWAY);
            assert_int_equal(answer.task.slot, slot);
            assert_int_equal(answer.task.gathered_ns, at_ns);
            assert_int_equal(answer.task.decided_ns, at_ns);
            assert_int_equal(answer.task.compute_start_ns, at_ns);
            assert_int_equal(answer.task.compute_end_ns, at_ns + MS(234));
            assert_int_equal(answer.task.uplink_start_ns, VTIME_NEVER);
            assert_int_equal(answer.closed_form_ns, MS(234));
            assert_int_equal(answer.drop,
                             answer.task.level == 5 ? DROP_DEADLINE : DROP_NONE); /* 234 ms > 100 ms */
            assert_true(fabs(answer.energy_gateway_j - 15 * 0.078) < 1e-12);
            assert_true(answer.confidence > 0);
            right += answer.class == answer.task.true_class;
        }
    }
    assert_true(right >= 45); /* of 60 generated windows: chance would give 15 */
    struct row_node row = {0};
    rig.class->totals(rig.state, &row);
    assert_int_equal(row.busy_ns, 20 * MS(234));
    assert_true(fabs(row.energy_j - 20 * 15 * 0.234) < 1e-9);
    rig_close(&rig);
}

static void a_busy_processor_queues_the_next_batch_and_no_closed_form_is_claimed(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_LOCAL);
    rig.scenario.compute.gateway_flops = 768e9 / 5; /* 3 tasks take 1.17 s */
    start(&rig);
    send_slot(&rig, 0, MS(10));
    struct action first = *cpu_timer(&rig);
    send_slot(&rig, 1, MS(1010));
    assert_null(cpu_timer(&rig));
    assert_int_equal(rig_fire(&rig, &first), STATUS_OK);
    assert_int_equal(rig_answer(&rig, 0).closed_form_ns, MS(1170));
    struct action second = *cpu_timer(&rig);
    assert_int_equal(second.at_ns, MS(1180) + MS(1170));
    assert_int_equal(rig_fire(&rig, &second), STATUS_OK);
    assert_int_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    assert_int_equal(rig_answer(&rig, 0).task.compute_start_ns, MS(1180));
    rig_close(&rig);
}

static void offloads_leave_most_critical_first(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    send_slot(&rig, 0, MS(10));
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD), 3);
    const uint32_t order[] = {5, 3, 0};
    for (uint32_t i = 0; i < 3; i++) {
        const struct action *send = rig_action(&rig, ACTION_SEND, MESSAGE_OFFLOAD, i);
        assert_int_equal(send->node, RIG_EDGE);
        assert_int_equal(send->urgency, order[i]);
        assert_int_equal(send->bits, 64000);
        assert_int_equal(offloaded(&rig, i).level, order[i]);
        assert_int_equal(offloaded(&rig, i).decided_ns, MS(10));
    }
    rig_close(&rig);
}

/* E of one of two gateways, in ns. */
static int64_t edge_ns(const struct factory_rig *rig) {
    return edge_service_ns(&rig->scenario, RIG_GATEWAYS);
}

static void results_become_answers_with_the_closed_form_of_their_place_in_the_queue(void **state) {
    (void)state;
    struct factory_rig rig;
    struct task_header tasks[3];
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    send_slot(&rig, 0, MS(10));
    for (uint32_t i = 0; i < 3; i++)
        tasks[i] = offloaded(&rig, i);
    for (uint32_t i = 0; i < 3; i++) {
        /* Good state, half of the band: R = 5/2 log2(1 + 2 x 6e-13 / (4e-20 x 5e6)), Omega = 64000 / R, delta
         * = 2 */
        double rate_bps = 2.5e6 * log2(1 + 2 * 6e-13 / (4e-20 * 5e6));
        int64_t delta = (int64_t)ceil(10e6 / rate_bps - 1e-9);
        int64_t hold_ns = delta * 6400000;
        assert_int_equal(send_result(&rig, result_for(tasks[i], i * hold_ns), RIG_EDGE, MS(200) + i),
                         STATUS_OK);
        struct message_answer answer = rig_answer(&rig, 0);
        assert_int_equal(answer.closed_form_ns,
                         i * hold_ns + llround(64000 / rate_bps * 1e9) + edge_ns(&rig));
        assert_int_equal(answer.place, PLACE_EDGE);
        assert_int_equal(answer.class, BEARING_INNER);
        assert_int_equal(answer.drop, DROP_NONE);
        assert_true(answer.energy_edge_j == 0.25);
        assert_true(fabs(answer.energy_uplink_j - 1.0 * 0.016) < 1e-12);
        assert_int_equal(answer.task.gathered_ns, MS(10));
    }
    rig_close(&rig);
}

static void a_result_later_than_its_deadline_is_dropped_for_it(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    send_slot(&rig, 0, MS(10));
    struct task_header urgent = offloaded(&rig, 0), tolerant = offloaded(&rig, 2);
    assert_int_equal(send_result(&rig, result_for(urgent, MS(90)), RIG_EDGE, MS(400)), STATUS_OK);
    assert_int_equal(rig_answer(&rig, 0).drop, DROP_DEADLINE);
    assert_int_equal(send_result(&rig, result_for(tolerant, MS(90)), RIG_EDGE, MS(401)), STATUS_OK);
    assert_int_equal(rig_answer(&rig, 0).drop, DROP_NONE);
    rig_close(&rig);
}

static void a_change_of_rate_ends_the_closed_form_of_what_still_waits(void **state) {
    (void)state;
    struct factory_rig rig;
    struct task_header tasks[3];
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    send_slot(&rig, 0, MS(990) + MS(10));
    for (uint32_t i = 0; i < 3; i++)
        tasks[i] = offloaded(&rig, i);
    assert_int_equal(rig_send_link_state(&rig, 2, MS(1001)), STATUS_OK); /* no change */
    assert_int_equal(rig_send_link_state(&rig, 0, MS(1014)), STATUS_OK); /* the second began at 1012.8 ms */
    send_result(&rig, result_for(tasks[0], 0), RIG_EDGE, MS(1100));
    assert_int_not_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    send_result(&rig, result_for(tasks[1], 0), RIG_EDGE, MS(1100));
    assert_int_not_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    send_result(&rig, result_for(tasks[2], 0), RIG_EDGE, MS(1100));
    assert_int_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    rig_close(&rig);
}

static void
a_batch_behind_a_busy_uplink_has_no_closed_form_and_takes_it_from_those_it_overtakes(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    send_slot(&rig, 0, MS(10));
    send_slot(&rig, 1, MS(1000));
    assert_int_equal(offloaded(&rig, 0).slot, 1); /* 990 ms later the uplink is idle again */
    struct task_header next = offloaded(&rig, 0);
    send_result(&rig, result_for(next, 0), RIG_EDGE, MS(1100));
    assert_int_not_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    rig_send_task(&rig, D(0), 2, 5, MS(2000));
    rig_send_task(&rig, D(1), 2, 5, MS(2000));
    struct action collect = {.at_ns = MS(2050), .node = GATEWAY_TIMER_COLLECT, .bits = 2};
    rig_fire(&rig, &collect);
    struct task_header first = offloaded(&rig, 0), second = offloaded(&rig, 1);
    rig_send_task(&rig, D(2), 2, 5, MS(2001) + MS(9)); /* arrives behind, decided 50 ms later: idle by then */
    rig_timer(&rig, MS(2051), GATEWAY_TIMER_COLLECT, 3); /* but an early timer shows the busy case */
    struct task_header third = offloaded(&rig, 0);
    send_result(&rig, result_for(first, 0), RIG_EDGE, MS(2200));
    assert_int_not_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    send_result(&rig, result_for(second, 0), RIG_EDGE, MS(2200));
    assert_int_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    send_result(&rig, result_for(third, 0), RIG_EDGE, MS(2200));
    assert_int_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    rig_close(&rig);
}

static void duplicated_messages_count_once(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    rig_send_task(&rig, D(0), 0, 0, MS(9));
    assert_int_equal(rig_send_task(&rig, D(0), 0, 0, MS(9)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    send_slot(&rig, 0, MS(10)); /* the first of these is a copy too */
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD), 3);
    struct message_result result = result_for(offloaded(&rig, 0), 0);
    assert_int_equal(rig_send_task(&rig, D(1), 0, 3, MS(30)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(send_result(&rig, result, RIG_EDGE, MS(40)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 1);
    assert_int_equal(send_result(&rig, result, RIG_EDGE, MS(41)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    const struct gateway *gateway = rig.state;
    assert_int_equal(gateway->duplicates, 3);
    assert_int_equal(gateway->stale, 1);
    rig_close(&rig);
}

static void a_full_gateway_refuses_and_recovers(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_LOCAL);
    rig.scenario.compute.gateway_queue_max = 2;
    start(&rig);
    rig_send_task(&rig, D(0), 0, 0, MS(10));
    struct action collect = *rig_action(&rig, ACTION_TIMER, GATEWAY_TIMER_COLLECT, 0);
    rig_send_task(&rig, D(1), 0, 0, MS(10));
    assert_int_equal(rig_send_task(&rig, D(2), 0, 0, MS(11)), STATUS_OK);
    struct message_answer answer = rig_answer(&rig, 0);
    assert_int_equal(answer.drop, DROP_GATEWAY_FULL);
    assert_int_equal(answer.place, PLACE_NONE);
    assert_int_equal(answer.task.device, D(2));
    assert_int_equal(answer.task.gathered_ns, MS(11));
    rig_fire(&rig, &collect);
    rig_fire(&rig, cpu_timer(&rig));
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 2);
    rig_send_task(&rig, D(2), 1, 0, MS(1010));
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 0);
    rig_close(&rig);
}

static void a_refused_offload_is_answered_as_uplink_full(void **state) {
    (void)state;
    struct factory_rig rig;
    uint8_t data[32];
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    send_slot(&rig, 0, MS(10));
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_refused(
        &writer, &(struct message_refused){.peer = RIG_EDGE, .type = MESSAGE_OFFLOAD, .device = D(0)});
    assert_int_equal(rig_message(&rig, MS(10), MESSAGE_REFUSED, SELF, &writer), STATUS_OK);
    assert_int_equal(rig_answer(&rig, 0).drop, DROP_UPLINK_FULL);
    assert_int_equal(rig_answer(&rig, 0).closed_form_ns, VTIME_NEVER);
    assert_int_equal(rig_message(&rig, MS(10), MESSAGE_REFUSED, SELF, &writer), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 0);
    rig_close(&rig);
}

static void a_window_that_cannot_be_diagnosed_is_dropped_for_it(void **state) {
    (void)state;
    struct factory_rig rig;
    static const int16_t flat[4000];
    uint8_t data[8192];
    open_rig(&rig, POLICY_LOCAL);
    start(&rig);
    for (uint32_t i = 0; i < 3; i++) { /* constant, too short, wrong rate */
        struct message_task task = {.task = task_header_of(D(i), 0),
                                    .sample_rate_hz = i == 2 ? 8000 : 4000,
                                    .sample_count = i == 1 ? 3999 : 4000,
                                    .samples = flat};
        task.task.born_ns = 0;
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        message_encode_task(&writer, &task);
        assert_int_equal(rig_message(&rig, MS(10), MESSAGE_TASK, D(i), &writer), STATUS_OK);
    }
    rig_fire(&rig, cpu_timer(&rig));
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(rig_answer(&rig, i).drop, DROP_BAD_WINDOW);
    rig_close(&rig);
}

static void greedy_uses_what_the_network_card_reported(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_GREEDY);
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    send_slot(&rig, 0, MS(10)); /* no report yet: everything stays */
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD), 0);
    rig_fire(&rig, cpu_timer(&rig));
    rig_send_link_state(&rig, 1, MS(900));
    send_slot(&rig, 1, MS(1010)); /* two tolerant tasks together take 156 ms, the urgent one leaves */
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD), 1);
    assert_int_equal(offloaded(&rig, 0).level, 5);
    assert_int_equal(cpu_timer(&rig)->at_ns, MS(1010) + MS(156));
    rig_close(&rig);
}

static void random_decisions_do_not_depend_on_history(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_RANDOM);
    rig.nodes[SELF].may_crash = true;
    start(&rig);
    uint32_t first[10], second[10];
    for (uint32_t slot = 0; slot < 10; slot++) {
        send_slot(&rig, slot, MS(1000) * slot + MS(10));
        first[slot] = rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD);
        if (cpu_timer(&rig))
            rig_fire(&rig, cpu_timer(&rig));
    }
    rig_close(&rig);
    open_rig(&rig, POLICY_RANDOM);
    rig.nodes[SELF].may_crash = true;
    start(&rig);
    for (uint32_t slot = 0; slot < 10; slot++) {
        send_slot(&rig, slot, MS(1000) * slot + MS(10));
        second[slot] = rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD);
        if (cpu_timer(&rig))
            rig_fire(&rig, cpu_timer(&rig));
        assert_int_equal(rig_crash_and_restart(&rig, MS(1000) * slot + MS(900)), STATUS_OK);
    }
    assert_memory_equal(first, second, sizeof first);
    rig_close(&rig);
}

static void back_from_a_crash_lost_tasks_are_answered_and_results_still_forwarded(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_GREEDY);
    rig.nodes[SELF].may_crash = true;
    start(&rig);
    send_slot(&rig, 0, MS(10));
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_OFFLOAD), 1);
    struct message_result result = result_for(offloaded(&rig, 0), 0);
    rig_send_task(&rig, D(0), 1, 0, MS(1010)); /* in the open batch: forgotten */
    assert_int_equal(rig_crash_and_restart(&rig, MS(1020)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(rig_answer(&rig, i).drop, DROP_UNANSWERED);
        assert_int_equal(rig_answer(&rig, i).place, PLACE_NONE);
        assert_int_equal(rig_answer(&rig, i).task.gathered_ns, MS(10));
    }
    assert_int_equal(send_result(&rig, result, RIG_EDGE, MS(1100)), STATUS_OK);
    struct message_answer answer = rig_answer(&rig, 0);
    assert_int_equal(answer.place, PLACE_EDGE);
    assert_int_equal(answer.drop, DROP_NONE);
    assert_int_equal(answer.closed_form_ns, VTIME_NEVER);
    assert_int_equal(rig_send_task(&rig, D(1), 0, 3, MS(1101)),
                     STATUS_OK); /* a copy of a task before the crash */
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(rig_send_task(&rig, D(2), 1, 0, MS(1102)), STATUS_OK); /* life goes on */
    assert_int_equal(rig_count(&rig, ACTION_TIMER, GATEWAY_TIMER_COLLECT), 1);
    rig_close(&rig);
}

static void finished_work_stays_finished_over_a_crash(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_LOCAL);
    rig.nodes[SELF].may_crash = true;
    start(&rig);
    send_slot(&rig, 0, MS(10));
    assert_int_equal(rig_fire(&rig, cpu_timer(&rig)), STATUS_OK);
    assert_int_equal(rig_crash_and_restart(&rig, MS(300)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 0);
    struct row_node row = {0};
    rig.class->totals(rig.state, &row);
    assert_int_equal(row.busy_ns, MS(234));
    for (size_t cut = 1; cut < rig.durable_bytes; cut++) {
        struct factory_rig damaged = rig;
        damaged.durable_bytes = cut;
        assert_int_equal(rig_crash_and_restart(&damaged, MS(400)), STATUS_INVALID);
        rig.out = damaged.out;
    }
    assert_int_equal(rig_crash_and_restart(&rig, MS(500)), STATUS_OK);
    rig_close(&rig);
}

static void stale_and_hostile_messages_change_nothing(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_OFFLOAD);
    start(&rig);
    assert_int_equal(rig_send_task(&rig, RIG_DEVICE(1, 0), 0, 0, MS(10)),
                     STATUS_INVALID);                                              /* another gateway's */
    assert_int_equal(rig_send_task(&rig, D(0), 50, 0, MS(50010)), STATUS_INVALID); /* beyond the last slot */
    assert_int_equal(rig_send_task(&rig, D(0), 3, 0, MS(10)), STATUS_INVALID);     /* from the future */
    assert_int_equal(rig_send_task(&rig, D(0), 0, 6, MS(10)), STATUS_INVALID);     /* no such level */
    struct task_header never_seen = task_header_of(D(0), 0);
    never_seen.decided_ns = 0;
    struct message_result unknown = result_for(never_seen, 0);
    assert_int_equal(send_result(&rig, unknown, RIG_EDGE, MS(20)), STATUS_OK); /* stale: counted */
    assert_int_equal(rig.out.count, 0);
    send_slot(&rig, 0, MS(30));
    struct message_result good = result_for(offloaded(&rig, 0), 0), bad = good;
    assert_int_equal(send_result(&rig, good, RIG_GATEWAY(1), MS(100)), STATUS_INVALID);
    bad.task.slot = 4000000000u;
    assert_int_equal(send_result(&rig, bad, RIG_EDGE, MS(100)), STATUS_INVALID);
    bad = good;
    bad.task.compute_end_ns = VTIME_NEVER;
    assert_int_equal(send_result(&rig, bad, RIG_EDGE, MS(100)), STATUS_INVALID);
    bad = good;
    bad.task.compute_end_ns = MS(101);
    assert_int_equal(send_result(&rig, bad, RIG_EDGE, MS(100)), STATUS_INVALID);
    bad = good;
    bad.drop = DROP_GATEWAY_FULL;
    assert_int_equal(send_result(&rig, bad, RIG_EDGE, MS(100)), STATUS_INVALID);
    uint8_t garbage[300];
    memset(garbage, 1, sizeof garbage); /* the right version */
    for (size_t size = 0; size <= sizeof garbage; size++) {
        struct bytes_writer writer = {.data = garbage, .capacity = sizeof garbage, .used = size};
        assert_int_equal(rig_message(&rig, MS(100), MESSAGE_TASK, D(0), &writer), STATUS_INVALID);
        assert_int_equal(rig_message(&rig, MS(100), MESSAGE_RESULT, RIG_EDGE, &writer), STATUS_INVALID);
    }
    assert_int_equal(rig_timer(&rig, MS(100), 9, 0), STATUS_INVALID);
    assert_int_equal(rig_timer(&rig, MS(100), GATEWAY_TIMER_CPU, 3), STATUS_OK);
    assert_int_equal(send_result(&rig, good, RIG_EDGE, MS(100)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 1);
    rig_close(&rig);
}

static void without_an_edge_server_only_local_makes_sense(void **state) {
    (void)state;
    struct factory_rig rig;
    open_rig(&rig, POLICY_GREEDY);
    rig.nodes[SELF].parent = TOPOLOGY_NONE;
    assert_int_equal(rig_start(&rig, 0), STATUS_INVALID);
    rig.scenario.policy.kind = POLICY_LOCAL;
    rig.class->close(rig.state);
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    send_slot(&rig, 0, MS(10));
    assert_int_equal(rig_fire(&rig, cpu_timer(&rig)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_ANSWER), 3);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_closes_when_all_devices_are_in),
        cmocka_unit_test(a_batch_closes_when_its_window_is_over),
        cmocka_unit_test(local_tasks_end_together_with_real_diagnoses_and_shared_energy),
        cmocka_unit_test(a_busy_processor_queues_the_next_batch_and_no_closed_form_is_claimed),
        cmocka_unit_test(offloads_leave_most_critical_first),
        cmocka_unit_test(results_become_answers_with_the_closed_form_of_their_place_in_the_queue),
        cmocka_unit_test(a_result_later_than_its_deadline_is_dropped_for_it),
        cmocka_unit_test(a_change_of_rate_ends_the_closed_form_of_what_still_waits),
        cmocka_unit_test(
            a_batch_behind_a_busy_uplink_has_no_closed_form_and_takes_it_from_those_it_overtakes),
        cmocka_unit_test(duplicated_messages_count_once),
        cmocka_unit_test(a_full_gateway_refuses_and_recovers),
        cmocka_unit_test(a_refused_offload_is_answered_as_uplink_full),
        cmocka_unit_test(a_window_that_cannot_be_diagnosed_is_dropped_for_it),
        cmocka_unit_test(greedy_uses_what_the_network_card_reported),
        cmocka_unit_test(random_decisions_do_not_depend_on_history),
        cmocka_unit_test(back_from_a_crash_lost_tasks_are_answered_and_results_still_forwarded),
        cmocka_unit_test(finished_work_stays_finished_over_a_crash),
        cmocka_unit_test(stale_and_hostile_messages_change_nothing),
        cmocka_unit_test(without_an_edge_server_only_local_makes_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
