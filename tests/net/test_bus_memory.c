/* Goal: the memory bus keeps every promise of bus.h: order per sender and lane, borrowed data that stay put,
 * bounded memory, no loss, death that is seen. Method: endpoints in this thread; messages whose bytes tell
 * sender and number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/net/bus.h"

struct many {
    struct bus **endpoints;
    uint32_t count;
};

static struct many open_many(uint32_t count) {
    struct many many = {.count = count};
    assert_int_equal(bus_memory_open(count, &many.endpoints, NULL), STATUS_OK);
    return many;
}

static void close_many(struct many *many) {
    for (uint32_t i = 0; i < many->count; i++)
        bus_close(many->endpoints[i]);
    free(many->endpoints);
}

/* Every third message goes as an event. */
static enum bus_lane lane_of(uint32_t number) {
    return number % 3 == 0 ? BUS_EVENTS : BUS_CONTROL;
}

static uint32_t next_of_lane(uint32_t number) {
    uint32_t next = number + 1;
    while (lane_of(next) != lane_of(number))
        next++;
    return next;
}

static void messages_arrive_whole_and_in_order_per_sender_and_lane(void **state) {
    (void)state;
    struct many many = open_many(5);
    uint32_t expected[5][BUS_LANES];
    for (uint32_t from = 0; from < 5; from++) {
        expected[from][BUS_EVENTS] = 0;
        expected[from][BUS_CONTROL] = 1;
    }
    uint8_t data[4000];
    struct bus_message message;
    for (uint32_t number = 0; number < 500; number++) {
        for (uint32_t from = 0; from < 5; from++) {
            enum bus_lane lane = lane_of(number);
            size_t size = 4 + (number * 97 + from * 31) % (sizeof data - 4);
            memset(data, (int)(number + from), sizeof data);
            memcpy(data, &number, sizeof number);
            assert_int_equal(bus_send(many.endpoints[from], 2, lane, data, size), STATUS_OK);
        }
    }
    for (uint32_t taken = 0; taken < 2500; taken++) {
        assert_true(bus_receive(many.endpoints[2], &message));
        uint32_t number, *next = &expected[message.source][message.lane];
        memcpy(&number, message.data, sizeof number);
        assert_int_equal(number, *next);
        *next = next_of_lane(number);
        assert_int_equal(message.lane, lane_of(number));
        assert_int_equal(message.size, 4 + (number * 97 + message.source * 31) % (sizeof data - 4));
        for (size_t i = 4; i < message.size; i++)
            assert_int_equal(message.data[i], (uint8_t)(number + message.source));
    }
    assert_false(bus_receive(many.endpoints[2], &message));
    for (uint32_t from = 0; from < 5; from++) {
        assert_int_equal(expected[from][BUS_EVENTS], 501);
        assert_int_equal(expected[from][BUS_CONTROL], 500);
    }
    close_many(&many);
}

static void a_received_message_stays_put_while_its_receiver_sends(void **state) {
    (void)state;
    struct many many = open_many(1);
    struct bus_message message, second;
    uint8_t large[100000];
    memset(large, 7, sizeof large);
    assert_int_equal(bus_send(many.endpoints[0], 0, BUS_EVENTS, "first", 6), STATUS_OK);
    assert_true(bus_receive(many.endpoints[0], &message));
    for (int i = 0; i < 20; i++)
        assert_int_equal(bus_send(many.endpoints[0], 0, BUS_EVENTS, large, sizeof large), STATUS_OK);
    assert_string_equal((const char *)message.data, "first");
    for (int i = 0; i < 20; i++) {
        assert_true(bus_receive(many.endpoints[0], &second));
        assert_int_equal(second.size, sizeof large);
        assert_memory_equal(second.data, large, sizeof large);
    }
    assert_false(bus_receive(many.endpoints[0], &second));
    close_many(&many);
}

static void an_empty_message_is_a_message(void **state) {
    (void)state;
    struct many many = open_many(2);
    struct bus_message message;
    assert_int_equal(bus_send(many.endpoints[0], 1, BUS_CONTROL, NULL, 0), STATUS_OK);
    assert_true(bus_receive(many.endpoints[1], &message));
    assert_int_equal(message.size, 0);
    assert_int_equal(message.source, 0);
    assert_false(bus_receive(many.endpoints[1], &message));
    close_many(&many);
}

static void what_exceeds_the_bounds_is_refused_and_leaves_the_rest_usable(void **state) {
    (void)state;
    struct many many = open_many(2);
    struct bus_message message;
    uint8_t *data = calloc(1, BUS_MESSAGE_BYTES_MAX + 1);
    assert_non_null(data);
    assert_int_equal(bus_send(many.endpoints[0], 1, BUS_EVENTS, data, BUS_MESSAGE_BYTES_MAX + 1),
                     STATUS_LIMIT);
    uint32_t fitting = 0;
    enum status status;
    while ((status = bus_send(many.endpoints[0], 1, BUS_EVENTS, data, BUS_MESSAGE_BYTES_MAX)) == STATUS_OK)
        fitting++;
    assert_int_equal(status, STATUS_FULL);
    assert_int_equal(fitting,
                     BUS_PENDING_BYTES_MAX / BUS_MESSAGE_BYTES_MAX - 1); /* each has a small header */
    for (uint32_t i = 0; i < fitting; i++)
        assert_true(bus_receive(many.endpoints[1], &message));
    assert_false(bus_receive(many.endpoints[1], &message));
    assert_int_equal(bus_send(many.endpoints[0], 1, BUS_EVENTS, data, BUS_MESSAGE_BYTES_MAX), STATUS_OK);
    assert_int_equal(bus_counters(many.endpoints[0])->sent[BUS_EVENTS], fitting + 1);
    free(data);
    close_many(&many);
}

static void counters_tell_what_was_sent_and_received(void **state) {
    (void)state;
    struct many many = open_many(2);
    struct bus_message message;
    assert_int_equal(bus_send(many.endpoints[1], 0, BUS_CONTROL, "abc", 3), STATUS_OK);
    assert_int_equal(bus_send(many.endpoints[1], 0, BUS_EVENTS, "defgh", 5), STATUS_OK);
    while (bus_receive(many.endpoints[0], &message)) {
    }
    const struct bus_counters *sender = bus_counters(many.endpoints[1]),
                              *receiver = bus_counters(many.endpoints[0]);
    assert_int_equal(sender->sent[BUS_CONTROL], 1);
    assert_int_equal(sender->sent[BUS_EVENTS], 1);
    assert_int_equal(sender->bytes_sent, 8);
    assert_int_equal(receiver->received[BUS_CONTROL], 1);
    assert_int_equal(receiver->received[BUS_EVENTS], 1);
    assert_int_equal(bus_rank(many.endpoints[1]), 1);
    assert_int_equal(bus_size(many.endpoints[1]), 2);
    close_many(&many);
}

static void all_see_a_death_and_what_is_sent_to_the_dead_is_discarded(void **state) {
    (void)state;
    struct many many = open_many(3);
    struct bus_message message;
    assert_int_equal(bus_send(many.endpoints[1], 0, BUS_EVENTS, "last", 5), STATUS_OK);
    assert_false(bus_peer_dead(many.endpoints[0], 1));
    bus_memory_kill(many.endpoints[0], 1);
    assert_true(bus_peer_dead(many.endpoints[0], 1));
    assert_true(bus_peer_dead(many.endpoints[2], 1));
    assert_false(bus_peer_dead(many.endpoints[0], 2));
    assert_false(bus_launcher_dead(many.endpoints[0]));
    for (int i = 0; i < 100000; i++)
        assert_int_equal(bus_send(many.endpoints[2], 1, BUS_EVENTS, "to nobody", 10), STATUS_OK);
    assert_true(bus_receive(many.endpoints[0], &message));
    assert_string_equal((const char *)message.data, "last");
    close_many(&many);
}

static void endpoints_close_in_any_order(void **state) {
    (void)state;
    struct many many = open_many(3);
    struct bus_message message;
    assert_int_equal(bus_send(many.endpoints[0], 1, BUS_EVENTS, "unread", 7), STATUS_OK);
    bus_close(many.endpoints[1]);
    assert_int_equal(bus_send(many.endpoints[0], 1, BUS_EVENTS, "too late", 9), STATUS_OK);
    assert_int_equal(bus_send(many.endpoints[0], 2, BUS_EVENTS, "in time", 8), STATUS_OK);
    bus_abandon(many.endpoints[0]);
    assert_true(bus_receive(many.endpoints[2], &message));
    assert_string_equal((const char *)message.data, "in time");
    bus_close(many.endpoints[2]);
    free(many.endpoints);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_whole_and_in_order_per_sender_and_lane),
        cmocka_unit_test(a_received_message_stays_put_while_its_receiver_sends),
        cmocka_unit_test(an_empty_message_is_a_message),
        cmocka_unit_test(what_exceeds_the_bounds_is_refused_and_leaves_the_rest_usable),
        cmocka_unit_test(counters_tell_what_was_sent_and_received),
        cmocka_unit_test(all_see_a_death_and_what_is_sent_to_the_dead_is_discarded),
        cmocka_unit_test(endpoints_close_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
