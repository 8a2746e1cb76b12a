/* Goal: what comes out of the event queue is what one sorted list would give, whatever the density of events.
 * Method: random workloads (sparse, dense, bursts at one time, far outliers) against a sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/time/event_queue.h"

static int by_key(const void *a, const void *b) {
    struct event_key x = ((const struct event_entry *)a)->key, y = ((const struct event_entry *)b)->key;
    return event_key_before(x, y) ? -1 : event_key_before(y, x);
}

enum workload { SPARSE, DENSE, BURSTS, OUTLIERS, WORKLOADS };

static int64_t draw_delay_ns(struct random_stream *stream, enum workload workload) {
    switch (workload) {
    case SPARSE:
        return (int64_t)random_exponential(stream, 1e9);
    case DENSE:
        return (int64_t)random_below(stream, 50);
    case BURSTS:
        return (int64_t)random_below(stream, 3) * 1000000000;
    default:
        return random_chance(stream, 0.01) ? (int64_t)1 << 55 : (int64_t)random_exponential(stream, 1e3);
    }
}

/* Holds `pending` events and replaces each one taken by a later one, as a simulation does. */
static void hold(enum workload workload, uint32_t pending, uint32_t steps) {
    struct event_queue queue;
    struct random_stream stream;
    struct event_entry *reference = malloc((pending + steps) * sizeof *reference);
    random_init(&stream, 7, workload, RANDOM_TEST);
    event_queue_init(&queue);
    uint32_t made = 0;
    for (; made < pending; made++) {
        reference[made] = (struct event_entry){
            {draw_delay_ns(&stream, workload), event_order(0, made % 97, made)}, made, 0};
        event_queue_push(&queue, reference[made]);
    }
    struct event_entry *taken = malloc((pending + steps) * sizeof *taken);
    uint32_t count = 0;
    while (event_queue_count(&queue) > 0) {
        assert_non_null(event_queue_peek(&queue));
        taken[count] = event_queue_pop(&queue);
        int64_t now_ns = taken[count++].key.time_ns;
        if (made < pending + steps && now_ns < (int64_t)1 << 56) {
            reference[made] = (struct event_entry){
                {now_ns + 1 + draw_delay_ns(&stream, workload), event_order(0, made % 97, made)}, made, 0};
            event_queue_push(&queue, reference[made]);
            made++;
        }
    }
    assert_int_equal(count, made);
    qsort(reference, made, sizeof *reference, by_key);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(taken[i].node, reference[i].node);
    assert_null(event_queue_peek(&queue));
    event_queue_close(&queue);
    free(reference);
    free(taken);
}

static void events_leave_in_key_order_for_every_workload_and_size(void **state) {
    (void)state;
    const uint32_t sizes[] = {1, 5, 600, 1281, 5000, 40000};
    for (enum workload workload = SPARSE; workload < WORKLOADS; workload++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            hold(workload, sizes[i], 60000);
}

static void ties_are_ordered_by_step_then_source_then_sequence(void **state) {
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    const uint64_t orders[] = {event_order(1, 0, 0), event_order(0, 2, 0), event_order(0, 1, 9),
                               event_order(0, 1, 3)};
    for (uint32_t i = 0; i < 4; i++)
        event_queue_push(&queue, (struct event_entry){{5, orders[i]}, i, 0});
    const uint32_t expected[] = {3, 2, 1, 0};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(event_queue_pop(&queue).node, expected[i]);
    event_queue_close(&queue);
}

static void a_packed_order_gives_back_its_step_and_source(void **state) {
    (void)state;
    uint64_t order = event_order(EVENT_STEP_MAX, EVENT_SOURCE_MAX, UINT32_MAX);
    assert_int_equal(event_order_step(order), EVENT_STEP_MAX);
    assert_int_equal(event_order_source(order), EVENT_SOURCE_MAX);
    assert_int_equal((uint32_t)order, UINT32_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_leave_in_key_order_for_every_workload_and_size),
        cmocka_unit_test(ties_are_ordered_by_step_then_source_then_sequence),
        cmocka_unit_test(a_packed_order_gives_back_its_step_and_source)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
