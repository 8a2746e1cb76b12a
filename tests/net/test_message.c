/* Goal: every message crosses the wire unchanged, and nothing but what an encoder writes is accepted.
 * Method: round trips of random valid messages; every truncation, a trailing byte, every single flipped byte
 * (must be refused or decode to something that encodes to the same bytes); fields out of range one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/model/scenario.h"
#include "common/net/message_slot.h"
#include "common/time/vtime.h"

#define SAMPLES 25
#define BYTES_MAX 256
#define TYPES_END MESSAGE_HELLO /* those of the chain are in test_message_chain.c */

struct any {
    struct message_task task;
    struct message_offload offload;
    struct message_result result;
    struct message_answer answer;
    struct message_link_state link_state;
    struct message_allocate allocate;
    struct message_refused refused;
    struct message_report report;
    struct message_decision decision;
    struct message_workload workload;
    struct message_completion completion;
    struct message_outcome outcome;
    int16_t samples[SAMPLES];
};

static size_t encode(enum message_type type, const struct any *any, uint8_t *data, size_t capacity) {
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    switch (type) {
#define ENCODE(id, name)                                                                                     \
    case MESSAGE_##id:                                                                                       \
        message_encode_##name(&writer, &any->name);                                                          \
        break;
        ENCODE(TASK, task)
        ENCODE(OFFLOAD, offload)
        ENCODE(RESULT, result)
        ENCODE(ANSWER, answer)
        ENCODE(LINK_STATE, link_state)
        ENCODE(ALLOCATE, allocate)
        ENCODE(REFUSED, refused)
        ENCODE(REPORT, report)
        ENCODE(DECISION, decision)
        ENCODE(WORKLOAD, workload)
        ENCODE(COMPLETION, completion)
        ENCODE(OUTCOME, outcome)
#undef ENCODE
    default: /* test_message_chain.c */
        fail();
    }
    assert_false(writer.failed);
    return writer.used;
}

static enum status decode(enum message_type type, const uint8_t *data, size_t size, struct any *any) {
    uint8_t *end = malloc(size ? size : 1); /* its own block: a sanitizer sees any read past the end */
    memcpy(end, data, size);
    enum status status = STATUS_FAILED;
    switch (type) {
    case MESSAGE_TASK:
        status = message_decode_task(end, size, any->samples, SAMPLES, &any->task);
        break;
    case MESSAGE_OFFLOAD:
        status = message_decode_offload(end, size, any->samples, SAMPLES, &any->offload);
        break;
    case MESSAGE_RESULT:
        status = message_decode_result(end, size, &any->result);
        break;
    case MESSAGE_ANSWER:
        status = message_decode_answer(end, size, &any->answer);
        break;
    case MESSAGE_LINK_STATE:
        status = message_decode_link_state(end, size, &any->link_state);
        break;
    case MESSAGE_ALLOCATE:
        status = message_decode_allocate(end, size, &any->allocate);
        break;
    case MESSAGE_REFUSED:
        status = message_decode_refused(end, size, &any->refused);
        break;
    case MESSAGE_REPORT:
        status = message_decode_report(end, size, &any->report);
        break;
    case MESSAGE_DECISION:
        status = message_decode_decision(end, size, &any->decision);
        break;
    case MESSAGE_WORKLOAD:
        status = message_decode_workload(end, size, &any->workload);
        break;
    case MESSAGE_COMPLETION:
        status = message_decode_completion(end, size, &any->completion);
        break;
    case MESSAGE_OUTCOME:
        status = message_decode_outcome(end, size, &any->outcome);
        break;
    default:
        break;
    }
    free(end);
    return status;
}

static int64_t random_time(struct random_stream *stream) {
    return random_chance(stream, 0.3) ? VTIME_NEVER : (int64_t)random_below(stream, UINT64_C(1) << 61);
}

static struct task_header random_header(struct random_stream *stream) {
    return (struct task_header){.device = (uint32_t)random_below(stream, 100000),
                                .slot = (uint32_t)random_next(stream),
                                .level = (uint16_t)random_below(stream, 16),
                                .true_class = (uint8_t)random_below(stream, 4),
                                .born_ns = random_time(stream),
                                .gathered_ns = random_time(stream),
                                .decided_ns = random_time(stream),
                                .uplink_start_ns = random_time(stream),
                                .uplink_end_ns = random_time(stream),
                                .compute_start_ns = random_time(stream),
                                .compute_end_ns = random_time(stream)};
}

static void random_slot_messages(struct random_stream *stream, struct any *any) {
    any->report = (struct message_report){.slot = (uint32_t)random_next(stream),
                                          .bits = 1 + random_below(stream, UINT64_C(1) << 50),
                                          .cycles_per_bit = random_exponential(stream, 700),
                                          .deadline_ns = random_time(stream),
                                          .gain = random_uniform(stream),
                                          .born_ns = random_time(stream)};
    any->decision = (struct message_decision){.slot = (uint32_t)random_next(stream),
                                              .offload = (uint8_t)random_below(stream, 2),
                                              .clock_hz = random_exponential(stream, 1e9),
                                              .bandwidth_hz = random_exponential(stream, 1e6),
                                              .power_w = random_uniform(stream),
                                              .offload_count = (uint32_t)random_next(stream)};
    any->workload.task = random_header(stream);
    any->completion = (struct message_completion){.task = random_header(stream),
                                                  .drop = (uint8_t)random_below(stream, DROP_REASON_COUNT)};
    any->outcome = (struct message_outcome){.slot = (uint32_t)random_next(stream),
                                            .drop = (uint8_t)random_below(stream, DROP_REASON_COUNT),
                                            .delay_ns = random_time(stream),
                                            .uplink_ns = random_time(stream),
                                            .compute_ns = random_time(stream),
                                            .energy_j = random_exponential(stream, 3)};
}

static void random_any(struct random_stream *stream, struct any *any) {
    memset(any, 0, sizeof *any);
    random_slot_messages(stream, any);
    for (int i = 0; i < SAMPLES; i++)
        any->samples[i] = (int16_t)random_next(stream);
    any->task = (struct message_task){.task = random_header(stream),
                                      .sample_rate_hz = 1 + (uint32_t)random_below(stream, UINT32_MAX),
                                      .sample_count = 1 + (uint32_t)random_below(stream, SAMPLES),
                                      .samples = any->samples};
    any->offload.window = any->task;
    any->result = (struct message_result){.task = random_header(stream),
                                          .drop = (uint8_t)random_below(stream, DROP_REASON_COUNT),
                                          .class = (uint8_t)random_below(stream, 4),
                                          .confidence = random_uniform(stream),
                                          .energy_j = random_exponential(stream, 3)};
    any->answer = (struct message_answer){.task = random_header(stream),
                                          .place = (uint8_t)random_below(stream, 3),
                                          .drop = (uint8_t)random_below(stream, DROP_REASON_COUNT),
                                          .class = (uint8_t)random_below(stream, 4),
                                          .confidence = random_uniform(stream),
                                          .energy_device_j = random_exponential(stream, 3),
                                          .energy_gateway_j = random_exponential(stream, 3),
                                          .energy_uplink_j = random_exponential(stream, 3),
                                          .energy_edge_j = random_exponential(stream, 3),
                                          .closed_form_ns = random_time(stream)};
    any->link_state = (struct message_link_state){
        .peer = (uint32_t)random_next(stream),
        .state = (uint32_t)random_next(stream),
        .mini_slots = (uint32_t)random_next(stream),
        .mini_slot_ns = (int64_t)random_below(stream, UINT64_C(1) << 40),
        .rate_bps = random_chance(stream, .1) ? INFINITY : random_exponential(stream, 1e6),
        .gain = random_uniform(stream)};
    any->allocate = (struct message_allocate){.subchannels = (uint32_t)random_next(stream),
                                              .bandwidth_hz = random_exponential(stream, 1e6),
                                              .power_w = random_uniform(stream)};
    any->refused = (struct message_refused){.peer = (uint32_t)random_next(stream),
                                            .type = (uint16_t)random_below(stream, MESSAGE_COUNT),
                                            .device = (uint32_t)random_below(stream, 100000),
                                            .slot = (uint32_t)random_next(stream)};
}

static void every_message_survives_a_round_trip(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (int round = 0; round < 500; round++) {
        struct any sent, got;
        random_any(&stream, &sent);
        memset(&got, 0xa5, sizeof got);
        for (uint32_t type = 0; type < TYPES_END; type++) {
            uint8_t data[BYTES_MAX], again[BYTES_MAX];
            size_t size = encode((enum message_type)type, &sent, data, sizeof data);
            assert_int_equal(decode((enum message_type)type, data, size, &got), STATUS_OK);
            assert_int_equal(encode((enum message_type)type, &got, again, sizeof again), size);
            assert_memory_equal(data, again, size);
        }
        assert_int_equal(got.answer.task.compute_end_ns, sent.answer.task.compute_end_ns);
        assert_true(got.answer.energy_edge_j == sent.answer.energy_edge_j);
        assert_int_equal(got.result.task.born_ns, sent.result.task.born_ns);
        assert_memory_equal(got.samples, sent.samples, sent.task.sample_count * sizeof *sent.samples);
    }
}

static void the_layout_is_little_endian_and_fixed(void **state) {
    (void)state;
    const int16_t samples[] = {-2, 0x1234};
    struct message_task task = {
        .task = {.device = 0x01020, .slot = 0x11121314, .level = 5, .true_class = 2, .born_ns = 7},
        .sample_rate_hz = 4000,
        .sample_count = 2,
        .samples = samples};
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_task(&writer, &task);
    assert_int_equal(writer.used, MESSAGE_WINDOW_BYTES + 4);
    const uint8_t start[] = {1, 0x20, 0x10, 0, 0, 0x14, 0x13, 0x12, 0x11, 5, 0, 2, 7, 0};
    assert_memory_equal(data, start, sizeof start);
    const uint8_t end[] = {0xa0, 0x0f, 0, 0, 2, 0, 0, 0, 0xfe, 0xff, 0x34, 0x12};
    assert_memory_equal(data + writer.used - sizeof end, end, sizeof end);
}

static void truncated_and_extended_payloads_are_refused(void **state) {
    (void)state;
    struct random_stream stream;
    struct any sent, got;
    random_init(&stream, 2, 0, RANDOM_TEST);
    random_any(&stream, &sent);
    for (uint32_t type = 0; type < TYPES_END; type++) {
        uint8_t data[BYTES_MAX] = {0};
        size_t size = encode((enum message_type)type, &sent, data, sizeof data - 1);
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(decode((enum message_type)type, data, cut, &got), STATUS_INVALID);
        assert_int_equal(decode((enum message_type)type, data, size + 1, &got), STATUS_INVALID);
    }
}

static void a_changed_byte_is_refused_or_means_what_it_says(void **state) {
    (void)state;
    struct random_stream stream;
    struct any sent, got;
    random_init(&stream, 3, 0, RANDOM_TEST);
    random_any(&stream, &sent);
    uint32_t refused = 0;
    for (uint32_t type = 0; type < TYPES_END; type++) {
        uint8_t data[BYTES_MAX], again[BYTES_MAX];
        size_t size = encode((enum message_type)type, &sent, data, sizeof data);
        for (size_t at = 0; at < size; at++)
            for (int bit = 0; bit < 8; bit++) {
                data[at] ^= (uint8_t)(1 << bit);
                if (decode((enum message_type)type, data, size, &got) == STATUS_OK) {
                    assert_int_equal(encode((enum message_type)type, &got, again, sizeof again), size);
                    assert_memory_equal(again, data, size);
                    assert_int_not_equal(at, 0); /* the version */
                } else {
                    refused++;
                }
                data[at] ^= (uint8_t)(1 << bit);
            }
    }
    assert_true(refused > 7 * 8);
}

/* Encodes `any` as it is and expects the decoder to refuse it. */
static void expect_refused(enum message_type type, const struct any *any) {
    struct any got;
    uint8_t data[BYTES_MAX];
    size_t size = encode(type, any, data, sizeof data);
    assert_int_equal(decode(type, data, size, &got), STATUS_INVALID);
}

static void values_out_of_range_are_refused(void **state) {
    (void)state;
    struct random_stream stream;
    struct any good;
    random_init(&stream, 4, 0, RANDOM_TEST);
    random_any(&stream, &good);
#define REFUSED(type, change)                                                                                \
    do {                                                                                                     \
        struct any bad = good;                                                                               \
        bad.task.samples = bad.offload.window.samples = bad.samples;                                         \
        change;                                                                                              \
        expect_refused(type, &bad);                                                                          \
    } while (0)
    REFUSED(MESSAGE_TASK, bad.task.task.device = 100000);
    REFUSED(MESSAGE_TASK, bad.task.task.level = 16);
    REFUSED(MESSAGE_TASK, bad.task.task.true_class = 4);
    REFUSED(MESSAGE_TASK, bad.task.task.born_ns = -1);
    REFUSED(MESSAGE_TASK, bad.task.sample_rate_hz = 0);
    REFUSED(MESSAGE_OFFLOAD, bad.offload.window.task.decided_ns = VTIME_NEVER - 1);
    REFUSED(MESSAGE_OFFLOAD, bad.offload.window.task.gathered_ns = INT64_MIN);
    REFUSED(MESSAGE_RESULT, bad.result.drop = DROP_REASON_COUNT);
    REFUSED(MESSAGE_RESULT, bad.result.class = 4);
    REFUSED(MESSAGE_RESULT, bad.result.confidence = 1.5);
    REFUSED(MESSAGE_RESULT, bad.result.confidence = NAN);
    REFUSED(MESSAGE_RESULT, bad.result.energy_j = -1);
    REFUSED(MESSAGE_RESULT, bad.result.energy_j = INFINITY);
    REFUSED(MESSAGE_ANSWER, bad.answer.place = 3);
    REFUSED(MESSAGE_ANSWER, bad.answer.energy_uplink_j = NAN);
    REFUSED(MESSAGE_ANSWER, bad.answer.closed_form_ns = -5);
    REFUSED(MESSAGE_LINK_STATE, bad.link_state.rate_bps = NAN);
    REFUSED(MESSAGE_LINK_STATE, bad.link_state.rate_bps = -1);
    REFUSED(MESSAGE_LINK_STATE, bad.link_state.mini_slot_ns = -1);
    REFUSED(MESSAGE_REFUSED, bad.refused.type = MESSAGE_COUNT);
    REFUSED(MESSAGE_REFUSED, bad.refused.device = 100000);
#undef REFUSED
}

static void a_window_larger_than_the_receiver_expects_is_refused(void **state) {
    (void)state;
    int16_t samples[4] = {1, 2, 3, 4}, room[4];
    struct message_task task = {.task = {.born_ns = 0},
                                .sample_rate_hz = 1,
                                .sample_count = 4,
                                .samples = samples},
                        got;
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_task(&writer, &task);
    assert_int_equal(message_decode_task(data, writer.used, room, 3, &got), STATUS_INVALID);
    assert_int_equal(message_decode_task(data, writer.used, room, 4, &got), STATUS_OK);
    data[MESSAGE_WINDOW_BYTES - 4] = 3; /* claims fewer samples than there are */
    assert_int_equal(message_decode_task(data, writer.used, room, 4, &got), STATUS_INVALID);
}

static void an_encoder_never_writes_past_its_buffer(void **state) {
    (void)state;
    struct random_stream stream;
    struct any sent;
    random_init(&stream, 5, 0, RANDOM_TEST);
    random_any(&stream, &sent);
    uint8_t full[BYTES_MAX];
    size_t size = encode(MESSAGE_TASK, &sent, full, sizeof full);
    for (size_t room = 0; room < size; room++) {
        uint8_t *data = malloc(room + 1);
        struct bytes_writer writer = bytes_writer_over(data, room);
        message_encode_task(&writer, &sent.task);
        assert_true(writer.failed);
        assert_true(writer.used <= room);
        free(data);
    }
}

static void the_table_states_the_real_sizes_and_directions(void **state) {
    (void)state;
    struct random_stream stream;
    struct any sent;
    random_init(&stream, 6, 0, RANDOM_TEST);
    random_any(&stream, &sent);
    sent.task.sample_count = sent.offload.window.sample_count = 1;
    for (uint32_t type = 0; type < TYPES_END; type++) {
        uint8_t data[BYTES_MAX];
        const struct message_info *info = message_info(type);
        assert_int_equal(encode((enum message_type)type, &sent, data, sizeof data), info->bytes_min);
        assert_true(info->bytes_max == info->bytes_min || type == MESSAGE_TASK || type == MESSAGE_OFFLOAD);
        assert_true(info->from_roles != 0 && info->to_roles != 0 && info->purpose[0] != 0);
    }
    assert_null(message_info(MESSAGE_COUNT));
    assert_null(message_info(UINT32_MAX));
    assert_string_equal(message_info(MESSAGE_OFFLOAD)->name, "offload");
    assert_int_equal(message_info(MESSAGE_OFFLOAD)->from_roles, 1u << ROLE_GATEWAY);
    assert_int_equal(message_info(MESSAGE_ALLOCATE)->to_roles, MESSAGE_NETWORK_CARD);
    assert_int_equal(message_info(MESSAGE_LINK_STATE)->from_roles, MESSAGE_SELF);
    assert_int_equal(message_info(MESSAGE_TASK)->bytes_max, MESSAGE_WINDOW_BYTES + 2 * MESSAGE_SAMPLES_MAX);
}

static void the_identity_of_a_task_is_read_from_task_messages_only(void **state) {
    (void)state;
    struct random_stream stream;
    struct any sent;
    random_init(&stream, 8, 0, RANDOM_TEST);
    random_any(&stream, &sent);
    uint8_t data[BYTES_MAX];
    uint32_t device = 0, slot = 0;
    size_t size = encode(MESSAGE_RESULT, &sent, data, sizeof data);
    assert_true(message_task_identity(MESSAGE_RESULT, data, size, &device, &slot));
    assert_int_equal(device, sent.result.task.device);
    assert_int_equal(slot, sent.result.task.slot);
    assert_false(message_task_identity(MESSAGE_RESULT, data, 8, &device, &slot));
    size = encode(MESSAGE_ALLOCATE, &sent, data, sizeof data);
    assert_false(message_task_identity(MESSAGE_ALLOCATE, data, size, &device, &slot));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_a_round_trip),
        cmocka_unit_test(the_layout_is_little_endian_and_fixed),
        cmocka_unit_test(truncated_and_extended_payloads_are_refused),
        cmocka_unit_test(a_changed_byte_is_refused_or_means_what_it_says),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(a_window_larger_than_the_receiver_expects_is_refused),
        cmocka_unit_test(an_encoder_never_writes_past_its_buffer),
        cmocka_unit_test(the_table_states_the_real_sizes_and_directions),
        cmocka_unit_test(the_identity_of_a_task_is_read_from_task_messages_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
