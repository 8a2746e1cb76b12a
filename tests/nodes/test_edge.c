/* Goal: the edge server serves each gateway's tasks in order within that gateway's share, once, and within
 * its bounds. Method: the state machine alone, fed with offloads and its own timers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/edge/edge.h"
#include "tests/lib/factory_rig.h"

/* An offloaded task whose transmission of 16 ms began 17 ms before `now_ns`. */
static enum status send_offload(struct factory_rig *rig, uint32_t device, uint32_t slot, uint32_t source,
                                int64_t now_ns) {
    int16_t samples[4000];
    uint8_t data[8192];
    enum bearing_class class;
    bearing_source_window(rig->bearings, device, slot, samples, 4000, &class);
    struct message_offload message = {.window = {.task = task_header_of(device, slot),
                                                 .sample_rate_hz = 4000,
                                                 .sample_count = 4000,
                                                 .samples = samples}};
    message.window.task.true_class = (uint8_t) class;
    message.window.task.born_ns = (int64_t)slot * rig->scenario.slot_ns;
    message.window.task.decided_ns = message.window.task.born_ns + 1;
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_offload(&writer, &message);
    struct node_event event = {.now_ns = now_ns,
                               .type = MESSAGE_OFFLOAD,
                               .source = source,
                               .sent_ns = now_ns - MS(20),
                               .start_ns = now_ns - MS(17),
                               .air_ns = MS(16)};
    return rig_message_on_air(rig, event, &writer);
}

static void a_share_serves_in_order_for_the_time_of_the_formula(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, RIG_EDGE);
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    /* jopa (3): F_e / (C_e (1/2 + eps)), eps = F_e / (C_e x 1 s) */
    double eps = 1e10 / 20.31e12;
    int64_t service_ns = llround(1e10 / (20.31e12 * (0.5 + eps)) * 1e9);
    assert_int_equal(edge_service_ns(&rig.scenario, 2), service_ns);
    assert_int_equal(edge_service_ns(&rig.scenario, 5), 2455796); /* vector 003-edge: c = .2 */
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(0), MS(30)), STATUS_OK);
    struct action first = *rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0);
    assert_int_equal(first.at_ns, MS(30) + service_ns);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 1), 0, RIG_GATEWAY(0), MS(30)), STATUS_OK);
    assert_int_equal(rig.out.count, 0); /* it waits */
    assert_int_equal(send_offload(&rig, RIG_DEVICE(1, 0), 0, RIG_GATEWAY(1), MS(30)), STATUS_OK);
    assert_int_equal(rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0)->at_ns,
                     first.at_ns); /* its own share */
    assert_int_equal(rig_fire(&rig, &first), STATUS_OK);
    struct message_result result = rig_result(&rig, 0);
    assert_int_equal(rig_action(&rig, ACTION_SEND, MESSAGE_RESULT, 0)->node, RIG_GATEWAY(0));
    assert_int_equal(result.task.device, RIG_DEVICE(0, 0));
    assert_int_equal(result.task.uplink_start_ns, MS(13));
    assert_int_equal(result.task.uplink_end_ns, MS(29));
    assert_int_equal(result.task.compute_start_ns, MS(30));
    assert_int_equal(result.task.compute_end_ns, MS(30) + service_ns);
    assert_int_equal(result.task.decided_ns, 1);
    assert_true(fabs(result.energy_j - 250 * 0.5 * (double)service_ns * 1e-9) < 1e-12);
    struct action second = *rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0);
    assert_int_equal(second.at_ns, MS(30) + 2 * service_ns);
    assert_int_equal(rig_fire(&rig, &second), STATUS_OK);
    assert_int_equal(rig_result(&rig, 0).task.device, RIG_DEVICE(0, 1));
    assert_int_equal(rig_result(&rig, 0).task.compute_start_ns, MS(30) + service_ns);
    struct row_node row = {0};
    rig.class->totals(rig.state, &row);
    assert_int_equal(row.busy_ns, 2 * service_ns / 2); /* two runs, two shares */
    rig_close(&rig);
}

static void windows_are_really_diagnosed(void **state) {
    (void)state;
    struct factory_rig rig;
    uint32_t right = 0;
    rig_init(&rig, RIG_EDGE);
    rig_start(&rig, 0);
    for (uint32_t slot = 0; slot < 40; slot++) {
        send_offload(&rig, RIG_DEVICE(1, 2), slot, RIG_GATEWAY(1), MS(1000) * slot + MS(40));
        struct action timer = *rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0);
        assert_int_equal(rig_fire(&rig, &timer), STATUS_OK);
        struct message_result result = rig_result(&rig, 0);
        assert_int_equal(result.drop, DROP_NONE);
        right += result.class == result.task.true_class;
        assert_int_equal(rig_fire(&rig, &timer), STATUS_OK); /* the same timer again is nothing new */
        assert_int_equal(rig.out.count, 0);
    }
    assert_true(right >= 30); /* chance would give 10 */
    rig_close(&rig);
}

static void a_full_share_refuses_and_other_shares_do_not_notice(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, RIG_EDGE);
    rig.scenario.compute.edge_queue_max = 1;
    rig_start(&rig, 0);
    send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(0), MS(30));
    struct action first = *rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0);
    send_offload(&rig, RIG_DEVICE(0, 1), 0, RIG_GATEWAY(0), MS(30));
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 2), 0, RIG_GATEWAY(0), MS(30)), STATUS_OK);
    struct message_result result = rig_result(&rig, 0);
    assert_int_equal(result.drop, DROP_EDGE_FULL);
    assert_int_equal(result.task.device, RIG_DEVICE(0, 2));
    assert_int_equal(result.task.compute_start_ns, VTIME_NEVER);
    assert_true(result.energy_j == 0);
    send_offload(&rig, RIG_DEVICE(1, 0), 0, RIG_GATEWAY(1), MS(30));
    assert_int_equal(rig_count(&rig, ACTION_TIMER, EDGE_TIMER_SHARE), 1);
    rig_fire(&rig, &first);
    send_offload(&rig, RIG_DEVICE(0, 0), 1, RIG_GATEWAY(0), MS(1030));
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_RESULT), 0); /* there is room again */
    rig_close(&rig);
}

static void a_duplicated_offload_is_served_once(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, RIG_EDGE);
    rig_start(&rig, 0);
    send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(0), MS(30));
    struct action first = *rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(0), MS(30)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    rig_fire(&rig, &first);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_RESULT), 1);
    assert_int_equal(rig_count(&rig, ACTION_TIMER, EDGE_TIMER_SHARE), 0);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(0), MS(50)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(((struct edge *)rig.state)->duplicates, 2);
    rig_close(&rig);
}

static void after_a_crash_the_shares_are_empty_and_work_goes_on(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, RIG_EDGE);
    rig.nodes[RIG_EDGE].may_crash = true;
    rig_start(&rig, 0);
    send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(0), MS(30));
    struct action lost = *rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0);
    assert_int_equal(rig_crash_and_restart(&rig, MS(31)), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(rig_fire(&rig, &lost), STATUS_OK);
    assert_int_equal(rig.out.count, 0);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 1), 0, RIG_GATEWAY(0), MS(40)), STATUS_OK);
    assert_int_equal(rig_fire(&rig, rig_action(&rig, ACTION_TIMER, EDGE_TIMER_SHARE, 0)), STATUS_OK);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_RESULT), 1);
    rig_close(&rig);
}

static void hostile_messages_are_protocol_errors(void **state) {
    (void)state;
    struct factory_rig rig;
    rig_init(&rig, RIG_EDGE);
    rig_start(&rig, 0);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_GATEWAY(1), MS(30)),
                     STATUS_INVALID); /* not its device */
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 0), 0, RIG_DEVICE(0, 0), MS(30)), STATUS_INVALID);
    assert_int_equal(send_offload(&rig, RIG_EDGE, 0, RIG_GATEWAY(0), MS(30)), STATUS_INVALID);
    assert_int_equal(send_offload(&rig, 99999, 0, RIG_GATEWAY(0), MS(30)), STATUS_INVALID);
    assert_int_equal(send_offload(&rig, RIG_DEVICE(0, 0), 50, RIG_GATEWAY(0), MS(60000)), STATUS_INVALID);
    uint8_t garbage[300];
    memset(garbage, 1, sizeof garbage);
    for (size_t size = 0; size <= sizeof garbage; size++) {
        struct bytes_writer writer = {.data = garbage, .capacity = sizeof garbage, .used = size};
        assert_int_equal(rig_message(&rig, MS(100), MESSAGE_OFFLOAD, RIG_GATEWAY(0), &writer),
                         STATUS_INVALID);
        assert_int_equal(rig.out.count, 0);
    }
    assert_int_equal(rig_timer(&rig, MS(100), EDGE_TIMER_SHARE, 2), STATUS_INVALID);
    assert_int_equal(rig_timer(&rig, MS(100), 8, 0), STATUS_INVALID);
    assert_int_equal(rig_timer(&rig, MS(100), EDGE_TIMER_SHARE, 0), STATUS_OK); /* nobody in work */
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_serves_in_order_for_the_time_of_the_formula),
        cmocka_unit_test(windows_are_really_diagnosed),
        cmocka_unit_test(a_full_share_refuses_and_other_shares_do_not_notice),
        cmocka_unit_test(a_duplicated_offload_is_served_once),
        cmocka_unit_test(after_a_crash_the_shares_are_empty_and_work_goes_on),
        cmocka_unit_test(hostile_messages_are_protocol_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
