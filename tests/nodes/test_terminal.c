/* Goal: a device directly below an edge server makes one task a slot and one row and one outcome a task,
 * measures what (8) of CPDRL says, and is not confused by messages that are late, doubled, foreign or
 * malformed. Method: the state machine alone, fed with timers and messages; its outbox is looked at. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/model/radio.h"
#include "common/time/vtime.h"
#include "nodes/device/terminal.h"
#include "nodes/task.h"
#include "tests/lib/factory_rig.h"

#define SELF RIG_TERMINAL(1)
#define SLOT MS(10000)
#define GAIN 1e-6

static const struct terminal *terminal_of(const struct factory_rig *rig) {
    return rig->state;
}

static enum status run_slot(struct factory_rig *rig, uint32_t slot) {
    return rig_timer(rig, SLOT * slot, TERMINAL_TIMER_SLOT, slot);
}

static enum status send_link_state(struct factory_rig *rig, double gain, double rate_bps, int64_t now_ns) {
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_link_state(
        &writer, &(struct message_link_state){.peer = RIG_EDGE, .gain = gain, .rate_bps = rate_bps});
    return rig_message(rig, now_ns, MESSAGE_LINK_STATE, SELF, &writer);
}

static enum status send_decision(struct factory_rig *rig, struct message_decision decision, uint32_t source,
                                 int64_t now_ns) {
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_decision(&writer, &decision);
    return rig_message(rig, now_ns, MESSAGE_DECISION, source, &writer);
}

static enum status send_completion(struct factory_rig *rig, struct message_completion completion,
                                   uint32_t source, int64_t now_ns) {
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_completion(&writer, &completion);
    return rig_message(rig, now_ns, MESSAGE_COMPLETION, source, &writer);
}

static struct message_report sent_report(const struct factory_rig *rig) {
    struct message_report report;
    const struct action *action = rig_action(rig, ACTION_SEND, MESSAGE_REPORT, 0);
    assert_non_null(action);
    assert_int_equal(action->node, RIG_EDGE);
    assert_int_equal(message_decode_report(rig_payload(rig, action), action->bytes, &report), STATUS_OK);
    return report;
}

static struct message_outcome sent_outcome(const struct factory_rig *rig) {
    struct message_outcome outcome;
    const struct action *action = rig_action(rig, ACTION_SEND, MESSAGE_OUTCOME, 0);
    assert_non_null(action);
    assert_int_equal(rig_count(rig, ACTION_SEND, MESSAGE_OUTCOME), 1);
    assert_int_equal(message_decode_outcome(rig_payload(rig, action), action->bytes, &outcome), STATUS_OK);
    return outcome;
}

static void nothing_ended(const struct factory_rig *rig) {
    assert_int_equal(rig_count(rig, ACTION_RECORD, ROW_TASK), 0);
    assert_int_equal(rig_count(rig, ACTION_SEND, MESSAGE_OUTCOME), 0);
}

/* The task that just ended: one row and one outcome, both saying `drop`. */
static struct row_task ended(const struct factory_rig *rig, enum drop_reason drop) {
    struct row_task row = rig_row(rig, 0);
    assert_int_equal(rig_count(rig, ACTION_RECORD, ROW_TASK), 1);
    assert_int_equal(row.drop, drop);
    assert_int_equal(sent_outcome(rig).drop, drop);
    assert_int_equal(sent_outcome(rig).slot, row.task.slot);
    return row;
}

static const struct message_decision local = {.slot = 0, .clock_hz = 1e9};
static const struct message_decision offload = {
    .slot = 0, .offload = 1, .bandwidth_hz = 1e6, .power_w = 0.5, .offload_count = 2};

/* A started device that has reported the task of slot 0. */
static struct message_report reported(struct factory_rig *rig) {
    assert_int_equal(rig_start(rig, 0), STATUS_OK);
    assert_int_equal(send_link_state(rig, GAIN, 0, 0), STATUS_OK);
    assert_int_equal(run_slot(rig, 0), STATUS_OK);
    return sent_report(rig);
}

/* What `offload` comes to for this task. */
static double air_s(const struct message_report *task) {
    return (double)task->bits / radio_shannon_rate_bps(1e6, 0.5 * GAIN / 1e-13);
}

static double shared_s(const struct message_report *task) {
    return (double)task->bits * task->cycles_per_bit * 2 / 15e9;
}

/* The completion of a task that was decided at `decided_ns`, sent at once and computed at once. */
static struct message_completion completion_of(const struct message_report *task, int64_t decided_ns) {
    struct message_completion completion = {.task = task_header_of(SELF, task->slot)};
    struct task_header *header = &completion.task;
    header->uplink_start_ns = decided_ns;
    header->uplink_end_ns = decided_ns + vtime_from_s(air_s(task));
    header->compute_start_ns = header->uplink_end_ns + 10000; /* propagation */
    header->compute_end_ns = header->compute_start_ns + vtime_from_s(shared_s(task));
    return completion;
}

/* ---- a task begins ---- */

static void the_first_task_is_reported_as_soon_as_the_card_knows_its_gain(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    const struct action *first = rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0);
    assert_int_equal(first->at_ns, 0);
    assert_int_equal(rig_fire(&rig, first), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_REPORT), 0);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_GIVE_UP, 0)->at_ns, MS(9000));
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0)->at_ns, SLOT);
    assert_int_equal(send_link_state(&rig, GAIN, 0, 0), STATUS_OK);
    struct message_report report = sent_report(&rig);
    assert_int_equal(report.slot, 0);
    assert_int_equal(report.born_ns, 0);
    assert_int_equal(report.deadline_ns, MS(500));
    assert_true(report.gain == GAIN);
    assert_in_range(report.bits, 200000, 400000);
    assert_true(report.cycles_per_bit >= 500 && report.cycles_per_bit <= 1000);
    assert_int_equal(send_link_state(&rig, GAIN / 2, 0, 1), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_REPORT), 0); /* reported is reported */
    rig_close(&rig);
}

static void tasks_are_drawn_once_or_by_slot_and_never_by_history(void **state) {
    (void)state;
    for (int redraw = 0; redraw <= 1; redraw++) {
        struct factory_rig rig;
        uint64_t bits[20], different = 0;
        rig_init_scheme(&rig, SELF);
        rig.scenario.offloading.redraw = redraw;
        reported(&rig);
        for (uint32_t slot = 0; slot < 20; slot++) {
            assert_int_equal(run_slot(&rig, slot), STATUS_OK);
            bits[slot] = sent_report(&rig).bits;
            different += bits[slot] != bits[0];
        }
        assert_int_equal(different, redraw ? 19 : 0);
        assert_int_equal(rig_crash_and_restart(&rig, SLOT * 6 + 1), STATUS_OK);
        assert_int_equal(run_slot(&rig, 7), STATUS_OK);
        assert_int_equal(send_link_state(&rig, GAIN, 0, SLOT * 7), STATUS_OK);
        assert_int_equal(sent_report(&rig).bits, bits[7]);
        rig_close(&rig);
    }
}

static void where_the_gain_changes_with_the_slots_the_report_waits_for_the_new_one(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    rig.radio.channel = CHANNEL_LEVELS10;
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    assert_int_equal(send_link_state(&rig, GAIN, 0, 0), STATUS_OK);
    assert_int_equal(run_slot(&rig, 1), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_REPORT), 0);
    struct action then = *rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_REPORT, 0);
    assert_int_equal(then.at_ns, SLOT);
    assert_int_equal(send_link_state(&rig, GAIN / 4, 0, SLOT), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_REPORT), 0);
    assert_int_equal(rig_fire(&rig, &then), STATUS_OK);
    assert_true(sent_report(&rig).gain == GAIN / 4);
    assert_int_equal(rig_fire(&rig, &then), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_REPORT), 0);
    rig_close(&rig);
}

static void the_last_slot_is_the_last(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    assert_int_equal(run_slot(&rig, 19), STATUS_OK);
    assert_null(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0));
    assert_int_equal(rig_timer(&rig, SLOT * 20, TERMINAL_TIMER_SLOT, 20), STATUS_INVALID);
    assert_int_equal(rig_timer(&rig, SLOT * 20, 77, 0), STATUS_INVALID);
    rig_close(&rig);
}

static void a_run_that_goes_on_with_a_timeline_begins_with_its_slot(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    assert_int_equal(rig_start(&rig, SLOT * 7), STATUS_OK);
    const struct action *first = rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0);
    assert_int_equal(first->at_ns, SLOT * 7);
    assert_int_equal(first->bits, 7);
    rig_close(&rig);
}

/* ---- it runs ---- */

static void a_local_task_takes_its_cycles_and_costs_their_energy(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    struct message_report task = reported(&rig);
    double cycles = (double)task.bits * task.cycles_per_bit;
    assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(1)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_WORKLOAD), 0);
    struct action computed = *rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_COMPUTED, 0);
    int64_t compute_ns = vtime_from_s(cycles / 1e9);
    assert_int_equal(computed.at_ns, MS(1) + compute_ns);
    assert_int_equal(rig_fire(&rig, &computed), STATUS_OK);
    struct row_task row = ended(&rig, DROP_NONE);
    assert_int_equal(row.place, PLACE_DEVICE);
    assert_int_equal(row.task.decided_ns, MS(1));
    assert_int_equal(row.task.compute_start_ns, MS(1));
    assert_int_equal(row.task.compute_end_ns, computed.at_ns);
    assert_int_equal(row.task.uplink_start_ns, VTIME_NEVER);
    assert_int_equal(row.answered_ns, computed.at_ns);
    assert_int_equal(row.closed_form_ns, compute_ns);
    assert_true(fabs(row.energy_device_j - 1e-28 * cycles * 1e18) < 1e-12);
    assert_true(row.energy_uplink_j == 0);
    struct message_outcome outcome = sent_outcome(&rig);
    assert_int_equal(outcome.delay_ns, compute_ns);
    assert_int_equal(outcome.compute_ns, compute_ns);
    assert_int_equal(outcome.uplink_ns, 0);
    assert_true(outcome.energy_j == row.energy_device_j);
    assert_int_equal(rig_fire(&rig, &computed), STATUS_OK);
    nothing_ended(&rig);
    rig_close(&rig);
}

static void an_offloaded_task_takes_air_and_its_part_of_the_server(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    struct message_report task = reported(&rig);
    assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(1)), STATUS_OK);
    const struct action *sent = rig_action(&rig, ACTION_SEND, MESSAGE_WORKLOAD, 0);
    assert_non_null(sent);
    assert_int_equal(sent->bits, task.bits);
    assert_int_equal(sent->node, RIG_EDGE);
    /* the card tells of its new rate in the step after the decision */
    assert_int_equal(send_link_state(&rig, GAIN, radio_shannon_rate_bps(1e6, 0.5 * GAIN / 1e-13), MS(1)),
                     STATUS_OK);
    struct message_completion completion = completion_of(&task, MS(1));
    const struct task_header *header = &completion.task;
    assert_int_equal(send_completion(&rig, completion, RIG_EDGE, header->compute_end_ns + 10000), STATUS_OK);
    struct row_task row = ended(&rig, DROP_NONE);
    assert_int_equal(row.place, PLACE_EDGE);
    assert_int_equal(row.task.uplink_start_ns, MS(1));
    assert_int_equal(row.task.uplink_end_ns, header->uplink_end_ns);
    assert_int_equal(row.task.compute_end_ns, header->compute_end_ns);
    struct message_outcome outcome = sent_outcome(&rig);
    assert_int_equal(outcome.delay_ns, row.closed_form_ns);
    assert_int_equal(outcome.delay_ns, vtime_from_s(air_s(&task)) + vtime_from_s(shared_s(&task)));
    assert_int_equal(outcome.uplink_ns, vtime_from_s(air_s(&task)));
    assert_int_equal(outcome.compute_ns, vtime_from_s(shared_s(&task)));
    assert_true(fabs(outcome.energy_j - 0.5 * air_s(&task)) < 1e-9);
    assert_true(row.energy_uplink_j == outcome.energy_j && row.energy_device_j == 0);
    assert_int_equal(send_completion(&rig, completion, RIG_EDGE, header->compute_end_ns + 10001), STATUS_OK);
    nothing_ended(&rig);
    assert_int_equal(terminal_of(&rig)->late_answers, 1);
    rig_close(&rig);
}

static void waiting_counts_as_delay_and_leaves_no_closed_form(void **state) {
    (void)state;
    enum { WAITED, OTHER_RATE, RATE_CHANGED, HUNG, CASES };
    for (int what = 0; what < CASES; what++) {
        struct factory_rig rig;
        rig_init_scheme(&rig, SELF);
        struct message_report task = reported(&rig);
        double rate_bps = radio_shannon_rate_bps(1e6, 0.5 * GAIN / 1e-13);
        assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(1)), STATUS_OK);
        assert_int_equal(send_link_state(&rig, GAIN, what == OTHER_RATE ? rate_bps / 2 : rate_bps, MS(1)),
                         STATUS_OK);
        if (what == RATE_CHANGED)
            assert_int_equal(send_link_state(&rig, GAIN, rate_bps * 0.99, MS(2)), STATUS_OK);
        struct message_completion completion = completion_of(&task, what == WAITED ? MS(7) : MS(1));
        completion.task.compute_end_ns += what == HUNG ? MS(4) : 0;
        assert_int_equal(send_completion(&rig, completion, RIG_EDGE, MS(5000)), STATUS_OK);
        int64_t plain_ns = vtime_from_s(air_s(&task)) + vtime_from_s(shared_s(&task));
        int64_t more_ns = what == WAITED ? MS(6) : what == HUNG ? MS(4) : 0;
        assert_int_equal(sent_outcome(&rig).delay_ns, plain_ns + more_ns);
        assert_int_equal(rig_row(&rig, 0).closed_form_ns, VTIME_NEVER);
        rig_close(&rig);
    }
}

static void a_task_that_ends_after_its_deadline_is_late_but_measured(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    rig.scenario.offloading.deadline_ns = MS(50);
    reported(&rig);
    assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(1)), STATUS_OK);
    struct action computed = *rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_COMPUTED, 0);
    assert_int_equal(rig_fire(&rig, &computed), STATUS_OK);
    assert_int_equal(ended(&rig, DROP_DEADLINE).place, PLACE_DEVICE);
    assert_int_equal(sent_outcome(&rig).delay_ns, computed.at_ns - MS(1));
    rig_close(&rig);
}

static void a_drop_that_the_server_tells_ends_the_task_nowhere(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    struct message_report task = reported(&rig);
    assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(1)), STATUS_OK);
    struct message_completion completion = completion_of(&task, MS(1));
    completion.drop = DROP_EDGE_FULL;
    assert_int_equal(send_completion(&rig, completion, RIG_EDGE, MS(900)), STATUS_OK);
    assert_int_equal(ended(&rig, DROP_EDGE_FULL).place, PLACE_NONE);
    assert_int_equal(sent_outcome(&rig).delay_ns, 0);
    rig_close(&rig);
}

/* ---- it does not run ---- */

static void a_task_is_given_up_once_and_what_comes_later_is_late(void **state) {
    (void)state;
    for (int step = 0; step < 3; step++) { /* never decided; decided local; decided to offload */
        struct factory_rig rig;
        rig_init_scheme(&rig, SELF);
        struct message_report task = reported(&rig);
        if (step > 0)
            assert_int_equal(send_decision(&rig, step == 1 ? local : offload, RIG_EDGE, MS(1)), STATUS_OK);
        assert_int_equal(rig_timer(&rig, MS(9000), TERMINAL_TIMER_GIVE_UP, 0), STATUS_OK);
        struct row_task row = ended(&rig, DROP_UNANSWERED);
        assert_int_equal(row.place, PLACE_NONE);
        assert_int_equal(row.closed_form_ns, VTIME_NEVER);
        assert_int_equal(row.answered_ns, MS(9000));
        assert_true(row.energy_device_j == 0 && row.energy_uplink_j == 0);
        assert_int_equal(rig_timer(&rig, MS(9001), TERMINAL_TIMER_COMPUTED, 0), STATUS_OK);
        nothing_ended(&rig);
        assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(9002)), STATUS_OK);
        assert_int_equal(rig.out.count, 0);
        assert_int_equal(send_completion(&rig, completion_of(&task, MS(1)), RIG_EDGE, MS(9003)), STATUS_OK);
        assert_int_equal(rig.out.count, 0);
        assert_int_equal(terminal_of(&rig)->late_answers, 2);
        rig_close(&rig);
    }
}

static void a_short_timeout_gives_up_earlier_and_never_later_than_nine_tenths_of_the_slot(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    rig.scenario.task.answer_timeout_ns = MS(2000);
    reported(&rig);
    assert_int_equal(run_slot(&rig, 1), STATUS_OK);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_GIVE_UP, 0)->at_ns, SLOT + MS(2000));
    rig.scenario.task.answer_timeout_ns = MS(9000);
    assert_int_equal(rig_timer(&rig, SLOT * 2 + MS(600), TERMINAL_TIMER_SLOT, 2), STATUS_OK); /* hung */
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_GIVE_UP, 0)->at_ns, SLOT * 2 + MS(9000));
    rig_close(&rig);
}

static void a_full_queue_drops_the_task(void **state) {
    (void)state;
    struct factory_rig rig;
    uint8_t data[32];
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(1)), STATUS_OK);
    struct message_refused refused = {.peer = RIG_EDGE, .type = MESSAGE_WORKLOAD, .device = SELF, .slot = 3};
    for (int i = 0; i < 4; i++) { /* another slot, another device, another message, this one */
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        refused.slot = i == 0 ? 3 : 0;
        refused.device = i == 1 ? RIG_TERMINAL(0) : SELF;
        refused.type = i == 2 ? MESSAGE_TASK : MESSAGE_WORKLOAD;
        message_encode_refused(&writer, &refused);
        assert_int_equal(rig_message(&rig, MS(2), MESSAGE_REFUSED, SELF, &writer),
                         i == 1 || i == 2 ? STATUS_INVALID : STATUS_OK);
        if (i < 3)
            nothing_ended(&rig);
    }
    ended(&rig, DROP_UPLINK_FULL);
    rig_close(&rig);
}

static void a_task_still_open_when_the_next_slot_begins_ends_there(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    assert_int_equal(run_slot(&rig, 1), STATUS_OK);
    assert_int_equal(ended(&rig, DROP_UNANSWERED).task.slot, 0);
    assert_int_equal(sent_report(&rig).slot, 1);
    assert_int_equal(rig_timer(&rig, SLOT + 1, TERMINAL_TIMER_GIVE_UP, 0), STATUS_OK); /* of slot 0 */
    nothing_ended(&rig);
    rig_close(&rig);
}

/* ---- hangs, crashes ---- */

static void after_a_hang_a_task_begins_late_or_not_at_all(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    assert_int_equal(rig_timer(&rig, SLOT * 3 + MS(1000), TERMINAL_TIMER_SLOT, 3), STATUS_OK);
    assert_int_equal(sent_report(&rig).born_ns, SLOT * 3 + MS(1000));
    assert_int_equal(rig_timer(&rig, SLOT * 4 + MS(1001), TERMINAL_TIMER_SLOT, 4), STATUS_OK);
    assert_int_equal(rig_row(&rig, 0).task.slot, 3); /* the open one ends */
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_REPORT), 0);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0)->at_ns, SLOT * 5);
    assert_int_equal(rig_timer(&rig, SLOT * 9 + MS(5), TERMINAL_TIMER_SLOT, 5), STATUS_OK); /* slots later */
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0)->bits, 10);
    nothing_ended(&rig);
    rig_close(&rig);
}

static void a_hang_while_computing_leaves_no_closed_form(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(1)), STATUS_OK);
    int64_t due_ns = rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_COMPUTED, 0)->at_ns;
    assert_int_equal(rig_timer(&rig, due_ns + MS(2), TERMINAL_TIMER_COMPUTED, 0), STATUS_OK);
    assert_int_equal(rig_row(&rig, 0).closed_form_ns, VTIME_NEVER);
    assert_int_equal(sent_outcome(&rig).delay_ns, due_ns + MS(1));
    rig_close(&rig);
}

static void back_from_a_crash_the_open_task_has_its_row_once_and_the_next_slot_follows(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    rig.nodes[SELF].may_crash = true;
    reported(&rig);
    assert_int_equal(rig_crash_and_restart(&rig, MS(4000)), STATUS_OK);
    struct row_task row = ended(&rig, DROP_UNANSWERED);
    assert_int_equal(row.task.slot, 0);
    assert_int_equal(row.task.born_ns, 0);
    assert_int_equal(row.task.device, SELF);
    assert_int_equal(row.answered_ns, MS(4000));
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0)->at_ns, SLOT);
    assert_int_equal(rig_crash_and_restart(&rig, MS(5000)), STATUS_OK);
    nothing_ended(&rig);
    assert_int_equal(rig_crash_and_restart(&rig, SLOT),
                     STATUS_OK); /* in the very moment of a slot: the next */
    assert_int_equal(rig_action(&rig, ACTION_TIMER, TERMINAL_TIMER_SLOT, 0)->bits, 2);
    assert_int_equal(rig_crash_and_restart(&rig, SLOT * 20), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    rig_close(&rig);
}

static void a_task_that_ended_is_not_told_again_after_a_crash(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    rig.nodes[SELF].may_crash = true;
    reported(&rig);
    assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(1)), STATUS_OK);
    assert_int_equal(rig_timer(&rig, MS(400), TERMINAL_TIMER_COMPUTED, 0), STATUS_OK);
    assert_int_equal(rig_crash_and_restart(&rig, MS(500)), STATUS_OK);
    nothing_ended(&rig);
    rig_close(&rig);
}

static void a_damaged_store_is_refused_or_harmless(void **state) {
    (void)state;
    struct factory_rig rig;
    uint8_t whole[64];
    rig_init_scheme(&rig, SELF);
    rig.nodes[SELF].may_crash = true;
    reported(&rig);
    size_t size = rig.durable_bytes;
    assert_in_range(size, 1, sizeof whole);
    memcpy(whole, rig.durable, size);
    for (rig.durable_bytes = 1; rig.durable_bytes < size; rig.durable_bytes++)
        assert_int_equal(rig_crash_and_restart(&rig, MS(100)), STATUS_INVALID);
    uint32_t refused = 0;
    for (size_t at = 0; at < size; at++) {
        memcpy(rig.durable, whole, size);
        rig.durable_bytes = size;
        rig.durable[at] ^= 0xff;
        enum status status = rig_crash_and_restart(&rig, MS(100));
        assert_true(status == STATUS_OK || status == STATUS_INVALID);
        refused += status == STATUS_INVALID;
        assert_true(rig_count(&rig, ACTION_RECORD, ROW_TASK) <= 1);
    }
    assert_true(refused >= 8);
    rig_close(&rig);
}

/* ---- hostile messages ---- */

static void decisions_that_are_foreign_late_doubled_or_unsound_change_nothing(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    struct message_decision unsound[] = {local, local, offload, offload, offload, offload};
    unsound[0].clock_hz = 0.9e9;
    unsound[1].clock_hz = 2.1e9;
    unsound[2].offload_count = 0;
    unsound[3].bandwidth_hz = 0;
    unsound[4].bandwidth_hz = 5.1e6;
    unsound[5].power_w = 1.1;
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++)
        assert_int_equal(send_decision(&rig, unsound[i], RIG_EDGE, MS(1)), STATUS_INVALID);
    assert_int_equal(send_decision(&rig, local, RIG_TERMINAL(0), MS(1)), STATUS_INVALID);
    struct message_decision other = local;
    other.slot = 1;
    assert_int_equal(send_decision(&rig, other, RIG_EDGE, MS(1)), STATUS_OK);
    assert_int_equal(terminal_of(&rig)->late_answers, 1);
    assert_false(terminal_of(&rig)->decided);
    assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(2)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_WORKLOAD), 1);
    assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(3)), STATUS_OK); /* decided is decided */
    assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(3)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(terminal_of(&rig)->late_answers, 3);
    rig_close(&rig);
}

static void completions_that_do_not_fit_change_nothing(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    struct message_report task = reported(&rig);
    struct message_completion good = completion_of(&task, MS(2)), bad = good;
    assert_int_equal(send_completion(&rig, good, RIG_EDGE, MS(900)), STATUS_OK); /* nothing is decided */
    assert_int_equal(send_decision(&rig, offload, RIG_EDGE, MS(2)), STATUS_OK);
    assert_int_equal(send_completion(&rig, good, RIG_TERMINAL(0), MS(900)), STATUS_INVALID);
    bad.task.device = RIG_TERMINAL(0);
    assert_int_equal(send_completion(&rig, bad, RIG_EDGE, MS(900)), STATUS_INVALID);
    bad = good;
    bad.task.slot = 1;
    assert_int_equal(send_completion(&rig, bad, RIG_EDGE, MS(900)), STATUS_OK);
    int64_t *times[] = {&bad.task.uplink_start_ns, &bad.task.uplink_end_ns, &bad.task.compute_start_ns,
                        &bad.task.compute_end_ns};
    for (size_t i = 0; i < 4; i++)
        for (int never = 0; never <= 1; never++) {
            bad = good;
            *times[i] = never ? VTIME_NEVER : MS(1); /* before it was decided, or out of order */
            assert_int_equal(send_completion(&rig, bad, RIG_EDGE, MS(900)), STATUS_INVALID);
        }
    assert_int_equal(send_completion(&rig, good, RIG_EDGE, good.task.compute_end_ns - 1), STATUS_INVALID);
    assert_int_equal(terminal_of(&rig)->late_answers, 2);
    assert_int_equal(send_completion(&rig, good, RIG_EDGE, MS(900)), STATUS_OK);
    ended(&rig, DROP_NONE);
    rig_close(&rig);
}

static void a_local_task_has_no_completion(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init_scheme(&rig, SELF);
    struct message_report task = reported(&rig);
    assert_int_equal(send_decision(&rig, local, RIG_EDGE, MS(1)), STATUS_OK);
    assert_int_equal(send_completion(&rig, completion_of(&task, MS(1)), RIG_EDGE, MS(900)), STATUS_OK);
    nothing_ended(&rig);
    assert_int_equal(terminal_of(&rig)->late_answers, 1);
    rig_close(&rig);
}

static void garbage_of_any_length_is_a_protocol_error(void **state) {
    (void)state;
    static const enum message_type types[] = {MESSAGE_DECISION, MESSAGE_COMPLETION, MESSAGE_LINK_STATE,
                                              MESSAGE_REFUSED};
    struct factory_rig rig;
    uint8_t garbage[200];
    rig_init_scheme(&rig, SELF);
    reported(&rig);
    for (int fill = 0; fill < 256; fill += 85) {
        memset(garbage, fill, sizeof garbage);
        for (size_t size = 0; size <= sizeof garbage; size++)
            for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                struct bytes_writer writer = {.data = garbage, .capacity = sizeof garbage, .used = size};
                assert_int_equal(rig_message(&rig, MS(1), types[i], RIG_EDGE, &writer), STATUS_INVALID);
                assert_int_equal(rig.out.count, 0);
            }
    }
    assert_true(terminal_of(&rig)->open && !terminal_of(&rig)->decided);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_task_is_reported_as_soon_as_the_card_knows_its_gain),
        cmocka_unit_test(tasks_are_drawn_once_or_by_slot_and_never_by_history),
        cmocka_unit_test(where_the_gain_changes_with_the_slots_the_report_waits_for_the_new_one),
        cmocka_unit_test(the_last_slot_is_the_last),
        cmocka_unit_test(a_run_that_goes_on_with_a_timeline_begins_with_its_slot),
        cmocka_unit_test(a_local_task_takes_its_cycles_and_costs_their_energy),
        cmocka_unit_test(an_offloaded_task_takes_air_and_its_part_of_the_server),
        cmocka_unit_test(waiting_counts_as_delay_and_leaves_no_closed_form),
        cmocka_unit_test(a_task_that_ends_after_its_deadline_is_late_but_measured),
        cmocka_unit_test(a_drop_that_the_server_tells_ends_the_task_nowhere),
        cmocka_unit_test(a_task_is_given_up_once_and_what_comes_later_is_late),
        cmocka_unit_test(a_short_timeout_gives_up_earlier_and_never_later_than_nine_tenths_of_the_slot),
        cmocka_unit_test(a_full_queue_drops_the_task),
        cmocka_unit_test(a_task_still_open_when_the_next_slot_begins_ends_there),
        cmocka_unit_test(after_a_hang_a_task_begins_late_or_not_at_all),
        cmocka_unit_test(a_hang_while_computing_leaves_no_closed_form),
        cmocka_unit_test(back_from_a_crash_the_open_task_has_its_row_once_and_the_next_slot_follows),
        cmocka_unit_test(a_task_that_ended_is_not_told_again_after_a_crash),
        cmocka_unit_test(a_damaged_store_is_refused_or_harmless),
        cmocka_unit_test(decisions_that_are_foreign_late_doubled_or_unsound_change_nothing),
        cmocka_unit_test(completions_that_do_not_fit_change_nothing),
        cmocka_unit_test(a_local_task_has_no_completion),
        cmocka_unit_test(garbage_of_any_length_is_a_protocol_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
