/* Goal: a device makes one task a slot and one row a task, whatever happens to the messages or to itself.
 * Method: the state machine alone, fed with timers and messages; its outbox is looked at. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/device/device.h"
#include "nodes/task.h"
#include "tests/lib/factory_rig.h"

#define SELF RIG_DEVICE(0, 1)

/* Fires the timer of `slot` in its time. */
static void run_slot(struct factory_rig *rig, uint32_t slot) {
    const struct device *device = rig->state;
    int64_t at_ns = (int64_t)slot * rig->scenario.slot_ns + device->phase_ns;
    assert_int_equal(rig_timer(rig, at_ns, DEVICE_TIMER_SLOT, slot), STATUS_OK);
}

static struct message_task sent_task(const struct factory_rig *rig, int16_t *samples) {
    struct message_task task;
    const struct action *action = rig_action(rig, ACTION_SEND, MESSAGE_TASK, 0);
    assert_non_null(action);
    assert_int_equal(message_decode_task(rig_payload(rig, action), action->bytes, samples, 4000, &task),
                     STATUS_OK);
    return task;
}

static enum status send_answer(struct factory_rig *rig, struct message_answer answer, uint32_t source,
                               int64_t now_ns) {
    uint8_t data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_answer(&writer, &answer);
    return rig_message(rig, now_ns, MESSAGE_ANSWER, source, &writer);
}

static struct message_answer answer_for(uint32_t slot) {
    struct message_answer answer = {.task = task_header_of(SELF, slot),
                                    .place = PLACE_EDGE,
                                    .class = BEARING_OUTER,
                                    .confidence = 0.75,
                                    .energy_device_j = 1,
                                    .energy_gateway_j = 2,
                                    .energy_uplink_j = 3,
                                    .energy_edge_j = 4,
                                    .closed_form_ns = 99};
    answer.task.decided_ns = 5;
    return answer;
}

static void a_slot_sends_one_real_window_and_arms_its_timers(void **state) {
    (void)state;
    struct factory_rig rig;
    int16_t samples[4000], expected[4000];
    enum bearing_class class;
    rig_init(&rig, SELF);
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    const struct device *device = rig.state;
    assert_in_range(device->phase_ns, 0, MS(10));
    const struct action *first = rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0);
    assert_int_equal(first->at_ns, device->phase_ns);
    assert_int_equal(rig_fire(&rig, first), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_TASK), 1);
    const struct action *send = rig_action(&rig, ACTION_SEND, MESSAGE_TASK, 0);
    assert_int_equal(send->node, RIG_GATEWAY(0));
    assert_int_equal(send->bits, 64000);
    assert_int_equal(send->urgency, 0);
    struct message_task task = sent_task(&rig, samples);
    bearing_source_window(rig.bearings, SELF, 0, expected, 4000, &class);
    assert_memory_equal(samples, expected, sizeof samples);
    assert_int_equal(task.task.true_class, class);
    assert_int_equal(task.task.device, SELF);
    assert_int_equal(task.task.born_ns, device->phase_ns);
    assert_int_equal(task.task.gathered_ns, VTIME_NEVER);
    assert_in_range(task.task.level, 0, 5);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_GIVE_UP, 0)->at_ns,
                     device->phase_ns + MS(2500));
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0)->at_ns,
                     MS(1000) + device->phase_ns);
    rig_close(&rig);
}

static void levels_are_drawn_evenly_and_do_not_depend_on_history(void **state) {
    (void)state;
    struct factory_rig rig;
    int16_t samples[4000];
    uint32_t count[6] = {0}, total = 1200;
    rig_init(&rig, SELF);
    rig.scenario.slots = total;
    rig_start(&rig, 0);
    uint16_t at_700 = 99;
    for (uint32_t slot = 0; slot < total; slot += 1) {
        run_slot(&rig, slot);
        uint16_t level = sent_task(&rig, samples).task.level;
        count[level]++;
        at_700 = slot == 700 ? level : at_700;
        rig_timer(&rig, MS(1000) * (slot + 1), DEVICE_TIMER_GIVE_UP, slot);
    }
    for (int level = 0; level < 6; level++)
        assert_in_range(count[level], 200 - 52, 200 + 52); /* 4 standard deviations of Binomial(1200, 1/6) */
    rig_crash_and_restart(&rig, MS(699500));
    run_slot(&rig, 700);
    assert_int_equal(sent_task(&rig, samples).task.level, at_700);
    rig_close(&rig);
}

static void an_answer_writes_the_row_once_and_a_second_copy_is_only_counted(void **state) {
    (void)state;
    struct factory_rig rig;
    int16_t samples[4000];
    rig_init(&rig, SELF);
    rig_start(&rig, 0);
    run_slot(&rig, 0);
    struct task_header task = sent_task(&rig, samples).task;
    struct message_answer answer = answer_for(0);
    answer.task.level =
        (uint16_t)((task.level + 1) % 6); /* who and what the task was, the device knows better */
    assert_int_equal(send_answer(&rig, answer, RIG_GATEWAY(0), MS(300)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_RECORD, ROW_TASK), 1);
    struct row_task row = rig_row(&rig, 0);
    assert_int_equal(row.task.level, task.level);
    assert_int_equal(row.task.true_class, task.true_class);
    assert_int_equal(row.task.born_ns, task.born_ns);
    assert_int_equal(row.task.decided_ns, 5);
    assert_int_equal(row.answered_ns, MS(300));
    assert_int_equal(row.place, PLACE_EDGE);
    assert_int_equal(row.class, BEARING_OUTER);
    assert_int_equal(row.closed_form_ns, 99);
    assert_int_equal(row.deadline_ns, rig.scenario.task.deadline_ns[task.level]);
    assert_true(row.energy_device_j == 1 && row.energy_gateway_j == 2 && row.energy_uplink_j == 3 &&
                row.energy_edge_j == 4);
    assert_int_equal(send_answer(&rig, answer, RIG_GATEWAY(0), MS(301)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_RECORD, ROW_TASK), 0);
    assert_int_equal(rig_timer(&rig, MS(2510), DEVICE_TIMER_GIVE_UP, 0), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_RECORD, ROW_TASK), 0);
    assert_int_equal(((struct device *)rig.state)->late_answers, 1);
    rig_close(&rig);
}

static void a_task_without_answer_is_given_up_once_and_a_late_answer_ignored(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, SELF);
    rig_start(&rig, 0);
    run_slot(&rig, 0);
    struct action give_up = *rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_GIVE_UP, 0);
    run_slot(&rig, 1);
    assert_int_equal(rig_fire(&rig, &give_up), STATUS_OK);
    struct row_task row = rig_row(&rig, 0);
    assert_int_equal(row.drop, DROP_UNANSWERED);
    assert_int_equal(row.place, PLACE_NONE);
    assert_int_equal(row.task.slot, 0);
    assert_int_equal(row.task.compute_end_ns, VTIME_NEVER);
    assert_int_equal(row.closed_form_ns, VTIME_NEVER);
    assert_int_equal(row.answered_ns, give_up.at_ns);
    assert_int_equal(send_answer(&rig, answer_for(0), RIG_GATEWAY(0), give_up.at_ns + 1), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_RECORD, ROW_TASK), 0);
    assert_int_equal(send_answer(&rig, answer_for(1), RIG_GATEWAY(0), give_up.at_ns + 2), STATUS_OK);
    assert_int_equal(rig_row(&rig, 0).task.slot, 1);
    rig_close(&rig);
}

static void a_refused_send_drops_the_task_as_uplink_full(void **state) {
    (void)state;
    struct factory_rig rig;
    uint8_t data[32];
    rig_init(&rig, SELF);
    rig_start(&rig, 0);
    run_slot(&rig, 0);
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_refused(
        &writer, &(struct message_refused){.peer = RIG_GATEWAY(0), .type = MESSAGE_TASK, .device = SELF});
    assert_int_equal(rig_message(&rig, MS(20), MESSAGE_REFUSED, SELF, &writer), STATUS_OK);
    assert_int_equal(rig_row(&rig, 0).drop, DROP_UPLINK_FULL);
    rig_close(&rig);
}

static void the_last_task_is_given_up_before_the_run_ends(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, SELF);
    rig.scenario.drain_ns = MS(500);
    assert_int_equal(device_give_up_ns(&rig.scenario, MS(49000)), MS(50500) - 1);
    assert_int_equal(device_give_up_ns(&rig.scenario, MS(1000)), MS(3500));
    rig_start(&rig, 0);
    run_slot(&rig, 49);
    assert_null(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0));
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_GIVE_UP, 0)->at_ns, MS(50500) - 1);
    rig_close(&rig);
}

static void back_from_a_crash_open_tasks_keep_their_row_and_the_next_slot_follows(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, SELF);
    rig.nodes[SELF].may_crash = true;
    rig_start(&rig, 0);
    run_slot(&rig, 0);
    run_slot(&rig, 1);
    assert_int_equal(send_answer(&rig, answer_for(0), RIG_GATEWAY(0), MS(1100)), STATUS_OK);
    assert_int_equal(rig_crash_and_restart(&rig, MS(2600)), STATUS_OK);
    const struct device *device = rig.state;
    assert_int_equal(rig_count(&rig, ACTION_TIMER, DEVICE_TIMER_GIVE_UP), 1); /* task 0 has its row */
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_GIVE_UP, 0)->bits, 1);
    const struct action *next = rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0);
    assert_int_equal(next->bits, 3);
    assert_int_equal(next->at_ns, MS(3000) + device->phase_ns);
    assert_int_equal(send_answer(&rig, answer_for(1), RIG_GATEWAY(0), MS(2700)), STATUS_OK);
    assert_int_equal(rig_row(&rig, 0).task.slot, 1);
    assert_int_equal(rig_crash_and_restart(&rig, MS(2800)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_TIMER, DEVICE_TIMER_GIVE_UP), 0);
    rig_close(&rig);
}

static void a_restart_in_the_very_moment_of_a_slot_does_not_serve_it_twice(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, SELF);
    rig_start(&rig, 0);
    const struct device *device = rig.state;
    int64_t phase_ns = device->phase_ns;
    run_slot(&rig, 4);
    assert_int_equal(rig_crash_and_restart(&rig, MS(4000) + phase_ns), STATUS_OK);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0)->bits, 5);
    assert_int_equal(rig_crash_and_restart(&rig, MS(4000) + phase_ns - 1), STATUS_OK);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0)->bits, 4);
    assert_int_equal(rig_crash_and_restart(&rig, MS(60000)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    rig_close(&rig);
}

static void after_a_hang_the_window_is_late_within_its_slot_and_left_out_after_it(void **state) {
    (void)state;
    struct factory_rig rig;
    int16_t samples[4000];
    rig_init(&rig, SELF);
    rig_start(&rig, 0);
    int64_t phase_ns = ((const struct device *)rig.state)->phase_ns;
    assert_int_equal(rig_timer(&rig, MS(1800), DEVICE_TIMER_SLOT, 1), STATUS_OK); /* hung until 1.8 s */
    assert_int_equal(sent_task(&rig, samples).task.born_ns, MS(1800));
    assert_int_equal(sent_task(&rig, samples).task.slot, 1);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0)->at_ns, MS(2000) + phase_ns);
    assert_int_equal(rig_timer(&rig, MS(7300), DEVICE_TIMER_SLOT, 2), STATUS_OK); /* hung until 7.3 s */
    assert_null(rig_action(&rig, ACTION_SEND, MESSAGE_TASK, 0));
    assert_int_equal(rig_action(&rig, ACTION_TIMER, DEVICE_TIMER_SLOT, 0)->at_ns, MS(8000) + phase_ns);
    assert_int_equal(rig_timer(&rig, MS(7300), DEVICE_TIMER_GIVE_UP, 1), STATUS_OK);
    assert_int_equal(rig_row(&rig, 0).drop, DROP_UNANSWERED);
    rig_close(&rig);
}

static void a_damaged_durable_store_is_refused(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, SELF);
    rig.nodes[SELF].may_crash = true;
    rig_start(&rig, 0);
    run_slot(&rig, 0);
    rig.durable_bytes--;
    assert_int_equal(rig_crash_and_restart(&rig, MS(100)), STATUS_INVALID);
    rig.durable_bytes++;
    rig.durable[1] = 200; /* more tasks than there can be */
    assert_int_equal(rig_crash_and_restart(&rig, MS(100)), STATUS_INVALID);
    rig_close(&rig);
}

static void hostile_messages_are_protocol_errors_and_change_nothing(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, SELF);
    rig_start(&rig, 0);
    run_slot(&rig, 0);
    assert_int_equal(send_answer(&rig, answer_for(0), RIG_GATEWAY(1), MS(20)), STATUS_INVALID);
    struct message_answer foreign = answer_for(0);
    foreign.task.device = RIG_DEVICE(0, 0);
    assert_int_equal(send_answer(&rig, foreign, RIG_GATEWAY(0), MS(21)), STATUS_INVALID);
    foreign = answer_for(4000000000u);
    assert_int_equal(send_answer(&rig, foreign, RIG_GATEWAY(0), MS(22)),
                     STATUS_OK); /* valid, but late or unknown */
    uint8_t garbage[200];
    memset(garbage, 0xee, sizeof garbage);
    for (size_t size = 0; size <= sizeof garbage; size++) {
        struct bytes_writer writer = {.data = garbage, .capacity = sizeof garbage, .used = size};
        assert_int_equal(rig_message(&rig, MS(30), MESSAGE_ANSWER, RIG_GATEWAY(0), &writer), STATUS_INVALID);
        assert_int_equal(rig_message(&rig, MS(30), MESSAGE_LINK_STATE, SELF, &writer), STATUS_INVALID);
        assert_int_equal(rig_message(&rig, MS(30), MESSAGE_REFUSED, SELF, &writer), STATUS_INVALID);
    }
    assert_int_equal(rig_timer(&rig, MS(40), 77, 0), STATUS_INVALID);
    assert_int_equal(send_answer(&rig, answer_for(0), RIG_GATEWAY(0), MS(50)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_RECORD, ROW_TASK), 1);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_sends_one_real_window_and_arms_its_timers),
        cmocka_unit_test(levels_are_drawn_evenly_and_do_not_depend_on_history),
        cmocka_unit_test(an_answer_writes_the_row_once_and_a_second_copy_is_only_counted),
        cmocka_unit_test(a_task_without_answer_is_given_up_once_and_a_late_answer_ignored),
        cmocka_unit_test(a_refused_send_drops_the_task_as_uplink_full),
        cmocka_unit_test(the_last_task_is_given_up_before_the_run_ends),
        cmocka_unit_test(back_from_a_crash_open_tasks_keep_their_row_and_the_next_slot_follows),
        cmocka_unit_test(a_restart_in_the_very_moment_of_a_slot_does_not_serve_it_twice),
        cmocka_unit_test(after_a_hang_the_window_is_late_within_its_slot_and_left_out_after_it),
        cmocka_unit_test(a_damaged_durable_store_is_refused),
        cmocka_unit_test(hostile_messages_are_protocol_errors_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
