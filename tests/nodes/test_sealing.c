/* Goal: a node gets a message only when it is whole, new, allowed and from whom it says; everything else is
 * dropped and counted, under the heading that fits, and never stops the run. Method: a host whose nodes only
 * count what they get; messages are sealed by another host's cards and changed on the way, one thing at a
 * time; every bit of one is flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/net/seal.h"
#include "nodes/host.h"
#include "nodes/keyring.h"

static const char text[] = "name: sealing\nseed: 1\nslot: 1 s\nslots: 2\n"
                           "nodes:\n"
                           "  - {name: edge, role: edge}\n"
                           "  - {name: gateway, role: gateway, parent: edge}\n"
                           "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"
                           "links:\n"
                           "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: edge, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "policy: {kind: local}\n";

enum { EDGE = 0, GATEWAY, SENSOR_1, SENSOR_2 };

static enum status mute_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    (void)state;
    (void)env;
    (void)now_ns;
    (void)out;
    return STATUS_OK;
}

/* What arrived last. */
static uint8_t got[256];
static size_t got_bytes, got_count;

static enum status take(void *state, const struct node_env *env, const struct node_event *event,
                        struct outbox *out) {
    (void)state;
    (void)env;
    (void)out;
    assert_true(event->payload_bytes <= sizeof got);
    memcpy(got, event->payload, event->payload_bytes);
    got_bytes = event->payload_bytes;
    got_count++;
    return STATUS_OK;
}

static const struct node_class taker = {
    .state_bytes = 1,
    .on_start = mute_start,
    .on_message = {
        [MESSAGE_TASK] = take, [MESSAGE_OFFLOAD] = take, [MESSAGE_RESULT] = take, [MESSAGE_ANSWER] = take}};

struct bench {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct keyring keyring, sender_keyring;
    struct sealing sender; /* of another process, as it were */
    struct host host;
    struct error error;
};

static struct bench bench;

static void open_keyring(struct keyring *keyring) {
    struct keyring_config config = {
        .scenario = &bench.scenario, .topology = &bench.topology, .rank_count = 1, .nonce = {1}};
    assert_int_equal(keyring_open(keyring, &config, &bench.error), STATUS_OK);
}

static int bench_open(void **state) {
    (void)state;
    struct scenario_problems problems;
    memset(&bench, 0, sizeof bench);
    got_count = got_bytes = 0;
    arena_init(&bench.arena);
    assert_int_equal(
        scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &bench.arena, &bench.scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&bench.scenario, &bench.arena, &bench.topology, &bench.error), STATUS_OK);
    open_keyring(&bench.keyring);
    open_keyring(&bench.sender_keyring);
    sealing_open(&bench.sender, &bench.sender_keyring, &bench.topology);
    struct host_config config = {.scenario = &bench.scenario,
                                 .topology = &bench.topology,
                                 .rank_count = 1,
                                 .keyring = &bench.keyring,
                                 .scenario_text = text};
    assert_int_equal(host_open(&bench.host, &config, &bench.error), STATUS_OK);
    bench.host.error = &bench.error;
    for (uint32_t id = 0; id < bench.topology.node_count; id++)
        bench.host.nodes[id].hosting.class = &taker;
    assert_int_equal(engine_run(&bench.host.engine, (struct event_key){1, 0}, &bench.error), STATUS_OK);
    return 0;
}

static int bench_close(void **state) {
    (void)state;
    host_close(&bench.host);
    sealing_close(&bench.sender);
    keyring_close(&bench.keyring);
    keyring_close(&bench.sender_keyring);
    arena_close(&bench.arena);
    return 0;
}

/* ---- messages on their way ---- */

#define TEXT_BYTES 100u

struct letter {
    struct wire wire;
    uint8_t body[TEXT_BYTES + SEAL_TAG_BYTES];
    uint32_t bytes, to, poster;
};

static const uint8_t payload[TEXT_BYTES] = "a window of samples";

/* As the network card of `from` makes it, in its `life`. */
static struct letter sealed(uint32_t from, uint32_t to, enum message_type type, uint32_t life) {
    struct letter letter = {.to = to, .poster = from};
    uint32_t link = topology_link_between(&bench.topology, from, to);
    letter.wire = (struct wire){.kind = WIRE_MESSAGE,
                                .type = (uint16_t)type,
                                .source = from,
                                .incarnation = life,
                                .bits = TEXT_BYTES * 8,
                                .sent_ns = 5,
                                .start_ns = 6,
                                .air_ns = 7,
                                .checksum = card_checksum(payload, sizeof payload)};
    assert_int_not_equal(link, TOPOLOGY_NONE);
    sealing_number(&bench.sender, link, &letter.wire);
    letter.bytes = sealing_bytes(&bench.sender, link, &letter.wire, sizeof payload);
    assert_int_equal(letter.bytes, sizeof letter.body);
    sealing_seal(&bench.sender, link, &letter.wire, payload, sizeof payload, letter.body);
    return letter;
}

static struct letter window(void) {
    return sealed(SENSOR_1, GATEWAY, MESSAGE_TASK, 0);
}

static void deliver(const struct letter *letter) {
    uint8_t event[sizeof letter->wire + sizeof letter->body];
    int64_t at_ns = bench.host.engine.now.time_ns + 10;
    memcpy(event, &letter->wire, sizeof letter->wire);
    memcpy(event + sizeof letter->wire, letter->body, letter->bytes);
    engine_post(&bench.host.engine, letter->poster, letter->to, at_ns, event,
                (uint32_t)sizeof letter->wire + letter->bytes);
    assert_int_equal(engine_run(&bench.host.engine, (struct event_key){at_ns + 1, 0}, &bench.error),
                     STATUS_OK);
}

enum fate { GOT, UNSEALED, REPLAYED, FORBIDDEN, REFUSED };

/* Delivers it and looks under which one heading it was counted. */
static void expect(const struct letter *letter, enum fate fate) {
    const struct row_node *totals = &bench.host.nodes[letter->to].totals;
    const struct row_node before = *totals;
    size_t count = got_count;
    deliver(letter);
    assert_int_equal(got_count - count, fate == GOT);
    assert_int_equal(totals->received - before.received, fate == GOT);
    assert_int_equal(totals->unsealed - before.unsealed, fate == UNSEALED);
    assert_int_equal(totals->replayed - before.replayed, fate == REPLAYED);
    assert_int_equal(totals->forbidden - before.forbidden, fate == FORBIDDEN);
    assert_int_equal(totals->join_refused - before.join_refused, fate == REFUSED);
    assert_int_equal(totals->protocol_errors, 0);
}

/* ---- the tests ---- */

static void a_sealed_message_arrives_as_it_was_sent(void **state) {
    (void)state;
    struct letter letter = window();
    assert_memory_not_equal(letter.body, payload, sizeof payload);
    expect(&letter, GOT);
    assert_int_equal(got_bytes, sizeof payload);
    assert_memory_equal(got, payload, sizeof payload);
}

static void a_message_that_comes_again_is_a_replay(void **state) {
    (void)state;
    struct letter first = window(), second = window();
    expect(&second, GOT); /* links may reorder */
    expect(&first, GOT);
    expect(&first, REPLAYED);
    expect(&second, REPLAYED);
}

static void a_duplicate_of_the_link_is_a_replay(void **state) {
    (void)state;
    struct letter letter = window();
    expect(&letter, GOT);
    letter.wire.flags |= WIRE_DUPLICATE;
    expect(&letter, REPLAYED);
}

static void a_replay_from_an_earlier_life_is_one_too(void **state) {
    (void)state;
    struct letter old = window(), older = window();
    expect(&old, GOT);
    for (uint32_t life = 1; life <= 3; life++) {
        struct letter next = sealed(SENSOR_1, GATEWAY, MESSAGE_TASK, life);
        expect(&next, GOT);
    }
    expect(&old, REPLAYED);
    expect(&older, REPLAYED); /* never seen, but of a life long over */
}

static void what_was_on_the_air_when_its_sender_died_still_arrives(void **state) {
    (void)state;
    struct letter before = window(), on_the_air = window();
    expect(&before, GOT);
    struct letter after = sealed(SENSOR_1, GATEWAY, MESSAGE_TASK, 1);
    expect(&after, GOT);
    expect(&on_the_air, GOT);
    expect(&on_the_air, REPLAYED);
    expect(&after, REPLAYED);
}

static void no_flipped_bit_gets_through(void **state) {
    (void)state;
    struct letter letter = window();
    for (uint32_t bit = 0; bit < letter.bytes * 8; bit++) {
        letter.body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect(&letter, UNSEALED);
        letter.body[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect(&letter, GOT); /* a damaged copy does not make the sound one a replay */
}

static void no_length_but_the_right_one_gets_through(void **state) {
    (void)state;
    struct letter letter = window();
    for (letter.bytes = 0; letter.bytes < sizeof letter.body; letter.bytes++)
        expect(&letter, UNSEALED);
    expect(&letter, GOT);
}

static void the_header_is_sealed_too(void **state) {
    (void)state;
    struct letter letter = window(), changed = letter;
    changed.wire.bits++;
    expect(&changed, UNSEALED);
    changed = letter;
    changed.wire.sent_ns--;
    expect(&changed, UNSEALED);
    changed = letter;
    changed.wire.start_ns--;
    expect(&changed, UNSEALED);
    changed = letter;
    changed.wire.air_ns--;
    expect(&changed, UNSEALED);
    changed = letter;
    changed.wire.checksum--;
    expect(&changed, UNSEALED);
    changed = letter;
    changed.wire.index += 7;
    expect(&changed, UNSEALED);
    changed = letter;
    changed.wire.index = 0;
    expect(&changed, UNSEALED); /* no number at all */
    changed = letter;
    changed.wire.incarnation = 1;
    expect(&changed, UNSEALED);
    expect(&letter, GOT);
}

static void a_message_in_the_clear_is_not_taken(void **state) {
    (void)state;
    struct letter letter = window();
    memcpy(letter.body, payload, sizeof payload);
    letter.bytes = sizeof payload;
    expect(&letter, UNSEALED);
}

static void nobody_speaks_for_another(void **state) {
    (void)state;
    struct letter letter = window();
    letter.wire.source = SENSOR_2; /* says it is the other sensor */
    expect(&letter, FORBIDDEN);    /* but its own network card posted it */
    letter.poster = SENSOR_2;      /* a process that lies about that as well */
    expect(&letter, UNSEALED);     /* does not have the key */
    letter.wire.source = UINT32_MAX;
    expect(&letter, FORBIDDEN);
}

static void a_message_for_another_is_not_taken(void **state) {
    (void)state;
    struct letter letter = sealed(GATEWAY, SENSOR_1, MESSAGE_ANSWER, 0);
    letter.to = SENSOR_2;
    expect(&letter, UNSEALED);
    letter.to = SENSOR_1;
    expect(&letter, GOT);
}

static void a_direction_that_the_table_forbids_is_not_taken(void **state) {
    (void)state;
    struct letter upward = sealed(SENSOR_1, GATEWAY, MESSAGE_RESULT, 0); /* an edge server's to say */
    expect(&upward, FORBIDDEN);
    struct letter downward = sealed(GATEWAY, SENSOR_1, MESSAGE_TASK, 0);
    expect(&downward, FORBIDDEN);
    struct letter unknown = window();
    unknown.wire.type = MESSAGE_COUNT;
    expect(&unknown, FORBIDDEN);
}

static void only_the_own_network_card_reports_links(void **state) {
    (void)state;
    struct letter letter = window();
    letter.wire.type = MESSAGE_LINK_STATE;
    expect(&letter, FORBIDDEN);
    letter.wire.flags = WIRE_OWN_CARD; /* says it comes from the gateway's own card */
    expect(&letter, FORBIDDEN);
    letter.wire.source = GATEWAY;
    expect(&letter, FORBIDDEN);
    letter.wire.flags |= WIRE_DEFERRED;
    expect(&letter, FORBIDDEN);
}

static void no_other_node_moves_timers_faults_or_starts(void **state) {
    (void)state;
    static const uint8_t kinds[] = {WIRE_START, WIRE_TIMER,       WIRE_CARD,      WIRE_SLOT,
                                    0,          WIRE_FAULT_BEGIN, WIRE_FAULT_END, UINT8_MAX};
    struct letter letter = window();
    for (size_t i = 0; i < sizeof kinds; i++) {
        letter.wire.kind = kinds[i];
        expect(&letter, FORBIDDEN);
    }
}

static void who_was_not_admitted_is_not_heard_and_hears_nothing(void **state) {
    (void)state;
    struct letter from = window(), to = sealed(GATEWAY, SENSOR_1, MESSAGE_ANSWER, 0);
    struct letter neighbour = sealed(SENSOR_2, GATEWAY, MESSAGE_TASK, 0);
    bench.keyring.nodes[SENSOR_1].verdict = JOIN_FOREIGN;
    expect(&from, REFUSED);
    expect(&to, REFUSED);
    expect(&neighbour, GOT);
}

static void what_is_sent_to_a_stranger_carries_nothing(void **state) {
    (void)state;
    struct wire wire = {.kind = WIRE_MESSAGE, .type = MESSAGE_ANSWER, .source = GATEWAY};
    uint32_t link = topology_link_between(&bench.topology, GATEWAY, SENSOR_2);
    bench.sender_keyring.nodes[SENSOR_2].verdict = JOIN_UNPROVEN;
    sealing_number(&bench.sender, link, &wire);
    assert_int_equal(sealing_bytes(&bench.sender, link, &wire, TEXT_BYTES), 0);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void) {
    const struct CMUnitTest tests[] = {BENCH_TEST(a_sealed_message_arrives_as_it_was_sent),
                                       BENCH_TEST(a_message_that_comes_again_is_a_replay),
                                       BENCH_TEST(a_duplicate_of_the_link_is_a_replay),
                                       BENCH_TEST(a_replay_from_an_earlier_life_is_one_too),
                                       BENCH_TEST(what_was_on_the_air_when_its_sender_died_still_arrives),
                                       BENCH_TEST(no_flipped_bit_gets_through),
                                       BENCH_TEST(no_length_but_the_right_one_gets_through),
                                       BENCH_TEST(the_header_is_sealed_too),
                                       BENCH_TEST(a_message_in_the_clear_is_not_taken),
                                       BENCH_TEST(nobody_speaks_for_another),
                                       BENCH_TEST(a_message_for_another_is_not_taken),
                                       BENCH_TEST(a_direction_that_the_table_forbids_is_not_taken),
                                       BENCH_TEST(only_the_own_network_card_reports_links),
                                       BENCH_TEST(no_other_node_moves_timers_faults_or_starts),
                                       BENCH_TEST(who_was_not_admitted_is_not_heard_and_hears_nothing),
                                       BENCH_TEST(what_is_sent_to_a_stranger_carries_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
