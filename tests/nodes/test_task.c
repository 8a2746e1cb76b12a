/* Goal: the memory of tasks tells new from taken, stale and foreign ones for as long as anybody may ask, and
 * no longer. Method: fixed cases, and random traffic with copies against a plain set of all tasks ever taken.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/time/vtime.h"
#include "nodes/task.h"

static void open_log(struct task_log *log, uint32_t depth) {
    uint32_t *devices = malloc(3 * sizeof *devices);
    memcpy(devices, (const uint32_t[]){30, 10, 20}, 3 * sizeof *devices);
    assert_int_equal(task_log_init(log, devices, 3, depth), STATUS_OK);
}

static void a_task_is_new_once(void **state) {
    (void)state;
    struct task_log log;
    uint32_t entry = 99;
    open_log(&log, 4);
    assert_int_equal(task_log_find(&log, 20, 5, &entry), TASK_NEW);
    assert_int_equal(task_log_take(&log, 20, 5, &entry), TASK_NEW);
    assert_int_equal(entry, 1 * 4 + 1);
    assert_int_equal(task_log_take(&log, 20, 5, &entry), TASK_TAKEN);
    assert_int_equal(task_log_take(&log, 30, 5, &entry), TASK_NEW);
    assert_int_equal(task_log_take(&log, 15, 5, &entry), TASK_FOREIGN);
    assert_int_equal(task_log_take(&log, 31, 5, &entry), TASK_FOREIGN);
    assert_int_equal(task_log_take(&log, 20, 9, &entry), TASK_NEW);
    assert_int_equal(task_log_take(&log, 20, 5, &entry), TASK_STALE);
    assert_int_equal(task_log_take(&log, 20, 6, &entry), TASK_NEW); /* late, but within the memory */
    task_log_close(&log);
}

static void random_traffic_with_copies_is_taken_once_each(void **state) {
    (void)state;
    struct task_log log;
    static uint8_t taken[3][1000];
    struct random_stream stream;
    uint32_t entry, fresh = 0;
    open_log(&log, 6);
    random_init(&stream, 1, 0, RANDOM_TEST);
    memset(taken, 0, sizeof taken);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t device = (uint32_t)random_below(&stream, 3);
        uint32_t base = i / 20, slot = base >= 5 ? base - (uint32_t)random_below(&stream, 6) : base;
        enum task_mark mark = task_log_take(&log, (device + 1) * 10, slot, &entry);
        assert_int_equal(mark, taken[device][slot] ? TASK_TAKEN : TASK_NEW);
        assert_true(entry < 18);
        taken[device][slot] = 1;
        fresh += mark == TASK_NEW;
    }
    assert_true(fresh > 2000);
    task_log_close(&log);
    task_log_close(&log);
}

static struct scenario small(void) {
    struct scenario scenario = {.slot_ns = VTIME_NS_PER_S, .slots = 10};
    scenario.task.answer_timeout_ns = 2 * VTIME_NS_PER_S;
    scenario.task.level_count = 2;
    scenario.task.deadline_ns[0] = 1000;
    scenario.task.deadline_ns[1] = 100;
    scenario.task.phase_ns = 50;
    scenario.task.window_ns = VTIME_NS_PER_S / 2;
    scenario.task.sample_rate_hz = 4000;
    scenario.task.bits = 64000.4;
    return scenario;
}

static void memory_outlasts_the_give_up_of_a_device(void **state) {
    (void)state;
    struct scenario scenario = small();
    assert_int_equal(task_memory_slots(&scenario),
                     4); /* a task of slot 0 is given up before that of slot 4 is born */
    scenario.slots = 3;
    assert_int_equal(task_memory_slots(&scenario), 3);
}

static void sizes_follow_the_scenario(void **state) {
    (void)state;
    struct scenario scenario = small();
    assert_int_equal(task_sample_count(&scenario), 2000);
    assert_int_equal(task_sample_rate_hz(&scenario), 4000);
    assert_int_equal(task_bits(&scenario), 64000);
}

static void only_a_header_that_a_device_can_send_is_plausible(void **state) {
    (void)state;
    struct scenario scenario = small();
    struct task_header task = task_header_of(1, 3);
    task.born_ns = 3 * VTIME_NS_PER_S + 50;
    int64_t now_ns = task.born_ns;
    assert_true(task_header_plausible(&scenario, &task, now_ns));
    assert_false(task_header_plausible(&scenario, &task, now_ns - 1));
    task.born_ns = 4 * VTIME_NS_PER_S + 49; /* a device that hung takes its window late, but in its slot */
    assert_true(task_header_plausible(&scenario, &task, 5 * VTIME_NS_PER_S));
    task.born_ns++;
    assert_false(task_header_plausible(&scenario, &task, 5 * VTIME_NS_PER_S));
    task.born_ns = 3 * VTIME_NS_PER_S - 1;
    assert_false(task_header_plausible(&scenario, &task, now_ns));
    task.born_ns = VTIME_NEVER;
    assert_false(task_header_plausible(&scenario, &task, now_ns));
    task.born_ns = 3 * VTIME_NS_PER_S;
    task.level = 2;
    assert_false(task_header_plausible(&scenario, &task, now_ns));
    task.level = 1;
    task.slot = 10;
    assert_false(task_header_plausible(&scenario, &task, 100 * VTIME_NS_PER_S));
}

static void the_deadline_has_one_nanosecond_of_slack(void **state) {
    (void)state;
    struct scenario scenario = small();
    struct task_header task = task_header_of(1, 3);
    task.level = 1;
    assert_true(task_in_time(&scenario, &task, 100));
    assert_true(task_in_time(&scenario, &task, 101));
    assert_false(task_in_time(&scenario, &task, 102));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_new_once),
        cmocka_unit_test(random_traffic_with_copies_is_taken_once_each),
        cmocka_unit_test(memory_outlasts_the_give_up_of_a_device),
        cmocka_unit_test(sizes_follow_the_scenario),
        cmocka_unit_test(only_a_header_that_a_device_can_send_is_plausible),
        cmocka_unit_test(the_deadline_has_one_nanosecond_of_slack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
