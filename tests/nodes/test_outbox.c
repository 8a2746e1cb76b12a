/* Goal: an outbox keeps what a node asks for, in order, and says so when it does not fit.
 * Method: fill it with each kind of action, up to and beyond its bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "nodes/outbox.h"

static void actions_keep_their_order_and_payloads(void **state) {
    (void)state;
    struct outbox out;
    outbox_init(&out);
    outbox_send(&out, 7, MESSAGE_RESULT, "hello", 5, 0, 3);
    outbox_timer(&out, 99, 2, UINT64_MAX);
    outbox_persist(&out, "kept", 4);
    outbox_send(&out, 8, MESSAGE_TASK, "x", 1, 64000, 0);
    outbox_record_task(&out, &(struct row_task){.answered_ns = 5});
    assert_int_equal(out.status, STATUS_OK);
    assert_int_equal(out.count, 5);
    const struct action *a = out.actions;
    assert_int_equal(a[0].kind, ACTION_SEND);
    assert_int_equal(a[0].node, 7);
    assert_int_equal(a[0].type, MESSAGE_RESULT);
    assert_int_equal(a[0].urgency, 3);
    assert_int_equal(a[0].bits, 40); /* its real size, as none was declared */
    assert_memory_equal(out.bytes + a[0].offset, "hello", 5);
    assert_int_equal(a[1].kind, ACTION_TIMER);
    assert_int_equal(a[1].at_ns, 99);
    assert_int_equal(a[1].node, 2);
    assert_true(a[1].bits == UINT64_MAX);
    assert_int_equal(a[2].kind, ACTION_PERSIST);
    assert_memory_equal(out.bytes + a[2].offset, "kept", 4);
    assert_int_equal(a[3].bits, 64000);
    assert_int_equal(a[4].kind, ACTION_RECORD);
    struct bytes_reader reader = bytes_reader_over(out.bytes + a[4].offset, a[4].bytes);
    struct row row;
    assert_int_equal(row_decode(&reader, &row), STATUS_OK);
    assert_int_equal(row.as.task.answered_ns, 5);
    outbox_reset(&out);
    assert_int_equal(out.count, 0);
    assert_int_equal(out.bytes_used, 0);
    outbox_close(&out);
    outbox_close(&out);
}

static void a_reserved_payload_is_sent_without_a_copy(void **state) {
    (void)state;
    struct outbox out;
    outbox_init(&out);
    outbox_send(&out, 1, MESSAGE_RESULT, "first", 5, 0, 0);
    struct bytes_writer writer = outbox_reserve(&out, 100000);
    assert_ptr_equal(writer.data, out.bytes + out.bytes_used);
    bytes_put(&writer, "second", 6);
    outbox_send_reserved(&out, 2, MESSAGE_ANSWER, &writer, 0, 0);
    outbox_send(&out, 3, MESSAGE_RESULT, "third", 5, 0, 0);
    assert_int_equal(out.actions[1].bytes, 6);
    assert_memory_equal(out.bytes + out.actions[0].offset, "first", 5);
    assert_memory_equal(out.bytes + out.actions[1].offset, "second", 6);
    assert_memory_equal(out.bytes + out.actions[2].offset, "third", 5);
    outbox_close(&out);
}

static struct row row_at(const struct outbox *out, uint32_t index) {
    const struct action *action = &out->actions[index];
    struct bytes_reader reader = bytes_reader_over(out->bytes + action->offset, action->bytes);
    struct row row;
    assert_int_equal(action->kind, ACTION_RECORD);
    assert_int_equal(row_decode(&reader, &row), STATUS_OK);
    assert_true(bytes_done(&reader));
    assert_int_equal(action->type, row.kind);
    return row;
}

static void expect_measured(const struct outbox *out) {
    assert_int_equal(out->count, 3);
    struct row row = row_at(out, 0);
    assert_string_equal(row.as.series.name, "loss");
    assert_int_equal(row.as.series.step, 7);
    assert_true(row.as.series.value == -0.25);
    assert_true(isnan(row_at(out, 1).as.series.value));
    row = row_at(out, 2);
    assert_int_equal(row.kind, ROW_RESULT);
    assert_string_equal(row.as.result.name, "accuracy_last");
    assert_string_equal(row.as.result.unit, "%");
    assert_true(row.as.result.value == 97.5);
}

static void what_is_measured_crosses_from_a_child_unchanged(void **state) {
    (void)state;
    struct outbox child, parent;
    outbox_init(&child);
    outbox_init(&parent);
    outbox_record_series(&child, "loss", 7, -0.25);
    outbox_record_series(&child, "loss", 8, NAN);
    outbox_record_result(&child, "accuracy_last", "%", 97.5);
    expect_measured(&child);
    assert_int_equal(outbox_adopt(&parent, (const uint8_t *)child.actions, child.count, child.bytes,
                                  child.bytes_used),
                     STATUS_OK);
    expect_measured(&parent);
    child.actions[2].bytes++; /* one byte beyond what the child sent */
    assert_int_equal(outbox_adopt(&parent, (const uint8_t *)child.actions, child.count, child.bytes,
                                  child.bytes_used),
                     STATUS_PEER);
    outbox_close(&child);
    outbox_close(&parent);
}

static void too_many_actions_are_a_limit_that_sticks(void **state) {
    (void)state;
    struct outbox out;
    outbox_init(&out);
    for (uint32_t i = 0; i < OUTBOX_ACTIONS_MAX; i++)
        outbox_timer(&out, i, 0, 0);
    assert_int_equal(out.status, STATUS_OK);
    outbox_timer(&out, 0, 0, 0);
    assert_int_equal(out.status, STATUS_LIMIT);
    assert_int_equal(out.count, OUTBOX_ACTIONS_MAX);
    outbox_send(&out, 0, MESSAGE_RESULT, "x", 1, 0, 0);
    assert_int_equal(out.count, OUTBOX_ACTIONS_MAX);
    outbox_reset(&out);
    outbox_timer(&out, 0, 0, 0);
    assert_int_equal(out.status, STATUS_OK);
    outbox_close(&out);
}

static void too_many_bytes_are_a_limit_that_sticks(void **state) {
    (void)state;
    struct outbox out;
    outbox_init(&out);
    struct bytes_writer writer = outbox_reserve(&out, OUTBOX_BYTES_MAX + 1);
    assert_int_equal(out.status, STATUS_LIMIT);
    bytes_put_u8(&writer, 1);
    assert_true(writer.failed);
    outbox_send_reserved(&out, 0, MESSAGE_RESULT, &writer, 0, 0);
    outbox_persist(&out, "x", 1);
    outbox_record_task(&out, &(struct row_task){0});
    assert_int_equal(out.count, 0);
    outbox_close(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_keep_their_order_and_payloads),
        cmocka_unit_test(a_reserved_payload_is_sent_without_a_copy),
        cmocka_unit_test(what_is_measured_crosses_from_a_child_unchanged),
        cmocka_unit_test(too_many_actions_are_a_limit_that_sticks),
        cmocka_unit_test(too_many_bytes_are_a_limit_that_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
