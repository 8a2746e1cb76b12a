/* Goal: what bus.h promises holds between ranks: every message arrives once, whole, in order per sender and
 * lane, whatever its size; waiting loses no wake-up; the own rank is a peer like any other. Method: all ranks
 * send each other numbered messages of seeded sizes on both lanes while receiving; every byte is a function
 * of sender, lane, number and position, and is checked. Run by bus.bats under mpirun, alone it is one rank.
 * Rank 0 prints "ok"; any difference aborts. Usage: test_bus_mpi MESSAGES BYTES_MAX. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/bus.h"

#define HEADER_BYTES sizeof(struct header)

struct header {
    uint64_t number, bytes; /* bytes: the whole message */
};

struct test {
    struct bus *bus;
    uint32_t rank, size;
    uint64_t messages, bytes_max;
    uint64_t *expected; /* next number by (source, lane) */
    uint64_t received;
    uint32_t ready; /* rank 0: ranks that have received everything */
    uint8_t *scratch;
};

static uint8_t byte_at(uint32_t source, uint32_t lane, uint64_t number, uint64_t position) {
    return (uint8_t)(source * 31 + lane * 17 + number * 7 + position * 13 + (position >> 8));
}

/* Most are small, one in eight is up to the maximum. */
static uint64_t bytes_of(const struct test *test, uint32_t source, uint32_t lane, uint64_t number) {
    uint64_t mixed = (source * UINT64_C(0x9E3779B97F4A7C15)) ^ (lane * UINT64_C(0xBF58476D1CE4E5B9)) ^
                     (number * UINT64_C(0x94D049BB133111EB));
    mixed ^= mixed >> 29;
    mixed *= UINT64_C(0xD6E8FEB86659FD93);
    mixed ^= mixed >> 32;
    uint64_t limit = number % 8 == 7 ? test->bytes_max : 200;
    return HEADER_BYTES + mixed % limit;
}

static void send_one(struct test *test, uint32_t target, uint32_t lane, uint64_t number) {
    struct header header = {number, bytes_of(test, test->rank, lane, number)};
    memcpy(test->scratch, &header, sizeof header);
    for (uint64_t i = HEADER_BYTES; i < header.bytes; i++)
        test->scratch[i] = byte_at(test->rank, lane, number, i);
    assert(bus_send(test->bus, target, (enum bus_lane)lane, test->scratch, header.bytes) == STATUS_OK);
}

static void check_one(struct test *test, const struct bus_message *message) {
    struct header header;
    assert(message->source < test->size && message->size >= sizeof header);
    memcpy(&header, message->data, sizeof header);
    uint64_t *expected = &test->expected[message->source * BUS_LANES + (uint32_t)message->lane];
    assert(header.number == *expected);
    assert(header.bytes == message->size);
    assert(message->size == bytes_of(test, message->source, (uint32_t)message->lane, header.number));
    for (uint64_t i = HEADER_BYTES; i < message->size; i++)
        assert(message->data[i] == byte_at(message->source, (uint32_t)message->lane, header.number, i));
    ++*expected;
    test->received++;
}

static void take_what_is_here(struct test *test) {
    struct bus_message message;
    while (bus_receive(test->bus, &message)) {
        if (message.size == 0)
            test->ready++;
        else
            check_one(test, &message);
    }
}

static void all_to_all(struct test *test) {
    for (uint64_t number = 0; number < test->messages; number++) {
        for (uint32_t target = 0; target < test->size; target++)
            for (uint32_t lane = 0; lane < BUS_LANES; lane++)
                send_one(test, target, lane, number);
        bus_flush(test->bus);
        take_what_is_here(test);
    }
    while (test->received < test->messages * test->size * BUS_LANES) {
        bus_wait(test->bus, -1);
        take_what_is_here(test);
    }
    assert(bus_send(test->bus, 0, BUS_CONTROL, NULL, 0) == STATUS_OK);
    bus_flush(test->bus);
    while (test->rank == 0 && test->ready < test->size) {
        bus_wait(test->bus, -1);
        take_what_is_here(test);
    }
}

/* A token goes round: at any moment one rank is awake, so every step needs its wake-up. */
static void ring(struct test *test, uint32_t rounds) {
    struct bus_message message;
    uint32_t next = (test->rank + 1) % test->size;
    for (uint32_t round = 0; round < rounds; round++) {
        if (test->rank == 0)
            assert(bus_send(test->bus, next, BUS_CONTROL, &round, sizeof round) == STATUS_OK);
        while (!bus_receive(test->bus, &message))
            bus_wait(test->bus, -1);
        assert(message.size == sizeof round && memcmp(message.data, &round, sizeof round) == 0);
        if (test->rank != 0)
            assert(bus_send(test->bus, next, BUS_CONTROL, &round, sizeof round) == STATUS_OK);
        bus_flush(test->bus);
    }
}

int main(int argc, char **argv) {
    assert(argc == 3);
    struct test test = {.messages = strtoull(argv[1], NULL, 10), .bytes_max = strtoull(argv[2], NULL, 10)};
    struct error error;
    assert(bus_mpi_open(&argc, &argv, &test.bus, &error) == STATUS_OK);
    test.rank = bus_rank(test.bus);
    test.size = bus_size(test.bus);
    test.expected = calloc((size_t)test.size * BUS_LANES, sizeof *test.expected);
    test.scratch = malloc(HEADER_BYTES + test.bytes_max + 200);
    assert(test.expected != NULL && test.scratch != NULL);
    assert(bus_send(test.bus, 0, BUS_EVENTS, test.scratch, BUS_MESSAGE_BYTES_MAX + 1) == STATUS_LIMIT);
    all_to_all(&test);
    ring(&test, 200);
    for (uint32_t rank = 0; rank < test.size; rank++)
        assert(!bus_peer_dead(test.bus, rank));
    assert(!bus_launcher_dead(test.bus));
    const struct bus_counters *counters = bus_counters(test.bus);
    assert(counters->received[BUS_EVENTS] == test.messages * test.size);
    assert(counters->received[BUS_CONTROL] == test.messages * test.size + 200 + test.ready);
    if (test.rank == 0)
        printf("ok %u ranks, %llu messages received by rank 0\n", test.size,
               (unsigned long long)test.received);
    bus_close(test.bus);
    free(test.expected);
    free(test.scratch);
    return 0;
}
