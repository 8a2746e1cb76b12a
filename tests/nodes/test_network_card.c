/* Goal: a network card turns sends into arrivals at the times its links promise, reports what changes, and
 * drops what it must. Method: the card of one gateway on a real engine; a handler notes every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/record/trace.h"
#include "nodes/network_card.h"

static const char text[] =
    "name: card\nseed: 1\nslot: 1 s\nslots: 2\n"
    "nodes:\n"
    "  - {name: edge, role: edge}\n"
    "  - {name: gateway, role: gateway, parent: edge}\n"
    "  - {name: sensor, role: device, parent: gateway}\n"
    "links:\n"
    "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
    "  - {from: gateway, to: sensor, kind: wired, rate: 1 Mbit/s, delay: 10 us, queue: 1}\n"
    "  - {from: gateway, to: edge, kind: ofdma, delay: 1 ms, channel: fixed, gain: 1, bandwidth: 10 MHz,\n"
    "     power: 1 W, noise: 1e-9 W/Hz, subchannels: 10, subchannels_initial: 0}\n"
    "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
    "faults:\n"
    "  - {kind: partition, at: 0 s, from: gateway, to: sensor, one_way: true}\n";

#define SEEN_MAX 32

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct network_card card;
    struct engine engine;
    struct wire seen[SEEN_MAX];
    int64_t at_ns[SEEN_MAX];
    uint32_t to[SEEN_MAX], count;
    uint32_t lost, lost_flags;
};

static enum status note(void *context, struct engine *engine, const struct engine_event *event) {
    struct rig *rig = context;
    struct wire wire;
    memcpy(&wire, event->body, sizeof wire);
    if (wire.kind == WIRE_CARD) {
        card_wake(&rig->card, engine, wire.index);
        return STATUS_OK;
    }
    assert_true(rig->count < SEEN_MAX);
    rig->seen[rig->count] = wire;
    rig->at_ns[rig->count] = event->key.time_ns;
    rig->to[rig->count++] = event->node;
    return STATUS_OK;
}

static void note_lost(void *context, uint32_t node, const struct wire *wire, uint32_t bytes, uint32_t flags) {
    struct rig *rig = context;
    (void)node;
    (void)wire;
    (void)bytes;
    rig->lost++;
    rig->lost_flags |= flags;
}

static void rig_open(struct rig *rig) {
    static struct scenario_problems problems;
    struct error error = {0};
    memset(rig, 0, sizeof *rig);
    arena_init(&rig->arena);
    if (scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &rig->arena, &rig->scenario, &problems) !=
        STATUS_OK)
        fail_msg("%s", problems.items[0].text);
    assert_int_equal(topology_build(&rig->scenario, &rig->arena, &rig->topology, &error), STATUS_OK);
    struct node_env env = {.self = topology_node_by_name(&rig->topology, "gateway"),
                           .scenario = &rig->scenario,
                           .topology = &rig->topology};
    if (card_open(&rig->card, &env, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    rig->card.watch = note_lost;
    rig->card.watch_context = rig;
    engine_init(&rig->engine, &(struct engine_config){.node_count = rig->topology.node_count,
                                                      .rank_count = 1,
                                                      .step_max = 100,
                                                      .deliver = note,
                                                      .context = rig});
}

static void rig_close(struct rig *rig) {
    card_close(&rig->card);
    engine_close(&rig->engine);
    arena_close(&rig->arena);
}

static uint32_t node(const struct rig *rig, const char *name) {
    return topology_node_by_name(&rig->topology, name);
}

static enum status send(struct rig *rig, const char *to, uint64_t bits) {
    struct message_link_state content = {.rate_bps = 1}; /* any content of the data lane will do */
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_link_state(&writer, &content);
    struct card_send request = {.destination = node(rig, to),
                                .type = MESSAGE_LINK_STATE,
                                .bits = bits,
                                .payload = data,
                                .bytes = (uint32_t)writer.used};
    return card_send(&rig->card, &rig->engine, &request);
}

static void a_wired_packet_arrives_after_its_length_and_the_delay(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK);
    assert_int_equal(engine_run(&rig.engine, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.at_ns[0], 1000 * 1000 + 10000); /* 1,000 bit at 1 Mbit/s, 10 us */
    assert_int_equal(rig.to[0], node(&rig, "sensor"));
    assert_int_equal(rig.seen[0].air_ns, 1000 * 1000);
    rig_close(&rig);
}

/* What is to queue for the wire takes time on air; what travels on the control lane only propagates, and overtakes. */
static void a_control_message_overtakes_data_and_takes_no_time_on_air(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    uint8_t data[32];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_allocate(&writer, &(struct message_allocate){.subchannels = 1});
    struct card_send request = {.destination = node(&rig, "sensor"),
                                .type = MESSAGE_ALLOCATE,
                                .payload = data,
                                .bytes = (uint32_t)writer.used};
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK);
    assert_int_equal(card_send(&rig.card, &rig.engine, &request), STATUS_OK);
    assert_int_equal(engine_run(&rig.engine, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.seen[0].type, MESSAGE_ALLOCATE);
    assert_int_equal(rig.at_ns[0], 10000);
    assert_int_equal(rig.seen[0].air_ns, 0);
    assert_int_equal(rig.seen[1].type, MESSAGE_LINK_STATE);
    assert_int_equal(rig.at_ns[1], 1000 * 1000 + 10000);
    rig_close(&rig);
}

static void a_send_without_a_link_is_refused_as_a_protocol_error(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    assert_int_equal(send(&rig, "gateway", 1000), STATUS_INVALID);
    rig_close(&rig);
}

static void an_ofdma_sender_waits_for_sub_channels_and_is_told_its_rate(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    assert_int_equal(send(&rig, "edge", 1000000), STATUS_OK);
    assert_int_equal(engine_run(&rig.engine, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(rig.count, 0);
    assert_int_equal(card_allocate(&rig.card, &rig.engine, node(&rig, "edge"),
                                   &(struct link_allocation){.subchannels = 4}), STATUS_OK);
    assert_int_equal(engine_run(&rig.engine, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.seen[0].type, MESSAGE_LINK_STATE);
    assert_int_equal(rig.to[0], node(&rig, "gateway"));
    double rate_bps = link_report(rig.card.links[0]).rate_bps;
    assert_true(rate_bps > 1e6);
    int64_t expected_ns = (int64_t)llround(1000000 / rate_bps * 1e9) + 1000000;
    assert_true(llabs(rig.at_ns[1] - expected_ns) <= 1);
    assert_int_equal(card_allocate(&rig.card, &rig.engine, node(&rig, "gateway"),
                                   &(struct link_allocation){.subchannels = 4}), STATUS_INVALID);
    rig_close(&rig);
}

static void what_a_full_queue_refuses_and_a_partition_cuts_is_told_to_the_watcher(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK); /* on the air */
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK); /* waits */
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK); /* no room */
    assert_int_equal(rig.lost, 1);
    assert_int_equal(rig.lost_flags, TRACE_REFUSED);
    card_fault(&rig.card, &rig.engine, 0, true);
    assert_int_equal(engine_run(&rig.engine, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(rig.count, 1); /* what was on the air arrives */
    assert_int_equal(rig.lost, 2);
    assert_int_equal(rig.lost_flags, TRACE_REFUSED | TRACE_CUT);
    rig_close(&rig);
}

static void a_crash_empties_the_queues_but_does_not_recall_what_is_on_the_air(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK);
    assert_int_equal(send(&rig, "sensor", 1000), STATUS_OK);
    assert_int_equal(card_flush(&rig.card, 0), 1);
    assert_int_equal(engine_run(&rig.engine, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(rig.count, 1);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wired_packet_arrives_after_its_length_and_the_delay),
        cmocka_unit_test(a_control_message_overtakes_data_and_takes_no_time_on_air),
        cmocka_unit_test(a_send_without_a_link_is_refused_as_a_protocol_error),
        cmocka_unit_test(an_ofdma_sender_waits_for_sub_channels_and_is_told_its_rate),
        cmocka_unit_test(what_a_full_queue_refuses_and_a_partition_cuts_is_told_to_the_watcher),
        cmocka_unit_test(a_crash_empties_the_queues_but_does_not_recall_what_is_on_the_air)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
