/* Goal: the queue serves the most urgent packet first and equals in the order they came, never holds more
 * than its capacity, and its area is the exact integral of its length. Method: random pushes and pops side by
 * side with a plain array that is searched from front to back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/base/random.h"
#include "common/net/packet_queue.h"

#define CAPACITY 37

/* The naive reference. */
struct list {
    struct link_packet packets[CAPACITY];
    uint32_t count;
};

static bool list_take(struct list *list, struct link_packet *packet) {
    if (list->count == 0)
        return false;
    uint32_t best = 0;
    for (uint32_t i = 1; i < list->count; i++)
        if (list->packets[i].urgency > list->packets[best].urgency)
            best = i;
    *packet = list->packets[best];
    list->count--;
    memmove(&list->packets[best], &list->packets[best + 1], (list->count - best) * sizeof list->packets[0]);
    return true;
}

static void random_pushes_and_pops_agree_with_a_plain_list(void **state) {
    (void)state;
    struct packet_queue queue;
    struct list list = {.count = 0};
    struct random_stream stream;
    uint64_t area = 0, waits = 0;
    int64_t now_ns = 0;
    uint32_t refused = 0;
    random_init(&stream, 5, 0, RANDOM_TEST);
    assert_int_equal(packet_queue_init(&queue, CAPACITY), STATUS_OK);
    for (uint32_t i = 0; i < 200000; i++) {
        int64_t step_ns = (int64_t)random_below(&stream, 50);
        area += (uint64_t)step_ns * list.count;
        now_ns += step_ns;
        /* Phases that fill and phases that drain, so that both ends are reached. */
        if (random_chance(&stream, i / 1000 % 2 == 0 ? 0.6 : 0.4)) {
            struct link_packet packet = {
                .bits = 1, .urgency = (uint32_t)random_below(&stream, 4), .handle = i, .offered_ns = now_ns};
            enum status status = packet_queue_push(&queue, packet, now_ns);
            assert_int_equal(status, list.count == CAPACITY ? STATUS_FULL : STATUS_OK);
            refused += status == STATUS_FULL;
            if (status == STATUS_OK)
                list.packets[list.count++] = packet;
        } else {
            struct link_packet expected, got;
            bool any = list_take(&list, &expected);
            assert_int_equal(packet_queue_pop(&queue, now_ns, &got), any);
            if (!any)
                continue;
            assert_int_equal(got.handle, expected.handle);
            assert_int_equal(got.offered_ns, expected.offered_ns);
            waits += (uint64_t)(now_ns - got.offered_ns);
        }
        assert_int_equal(queue.count, list.count);
        assert_true(queue.area_ns == area);
        assert_true(queue.waits_ns == waits);
    }
    assert_true(refused > 100);
    assert_int_equal(queue.peak, CAPACITY);
    for (struct link_packet packet; packet_queue_pop(&queue, now_ns + 7, &packet);)
        continue;
    assert_true(queue.area_ns == queue.waits_ns);
    packet_queue_close(&queue);
    packet_queue_close(&queue);
}

static void a_queue_of_one_holds_one(void **state) {
    (void)state;
    struct packet_queue queue;
    struct link_packet packet = {.bits = 1, .handle = 9};
    assert_int_equal(packet_queue_init(&queue, 1), STATUS_OK);
    assert_false(packet_queue_pop(&queue, 0, &packet));
    assert_int_equal(packet_queue_push(&queue, packet, 0), STATUS_OK);
    assert_int_equal(packet_queue_push(&queue, packet, 0), STATUS_FULL);
    assert_true(packet_queue_pop(&queue, 3, &packet));
    assert_int_equal(packet.handle, 9);
    assert_true(queue.area_ns == 3);
    packet_queue_close(&queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pushes_and_pops_agree_with_a_plain_list),
        cmocka_unit_test(a_queue_of_one_holds_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
