#include "common/net/message_slot.h"

#include "common/net/message_codec.h"

#define WORKLOAD_BITS_MAX (UINT64_C(1) << 53)

void message_encode_report(struct bytes_writer *writer, const struct message_report *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->slot);
    bytes_put_u64(writer, message->bits);
    bytes_put_f64(writer, message->cycles_per_bit);
    bytes_put_i64(writer, message->deadline_ns);
    bytes_put_f64(writer, message->gain);
    bytes_put_i64(writer, message->born_ns);
}

enum status message_decode_report(const uint8_t *data, size_t size, struct message_report *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_REPORT, data, size, &reader));
    message->slot = bytes_get_u32(&reader);
    message->bits = bytes_get_u64(&reader);
    message->cycles_per_bit = bytes_get_f64(&reader);
    message->deadline_ns = bytes_get_i64(&reader);
    message->gain = bytes_get_f64(&reader);
    message->born_ns = bytes_get_i64(&reader);
    return message_accepted(&reader, message->bits > 0 && message->bits <= WORKLOAD_BITS_MAX &&
                                         message_amount_valid(message->cycles_per_bit) &&
                                         message_time_valid(message->deadline_ns) &&
                                         message_amount_valid(message->gain) &&
                                         message_time_valid(message->born_ns));
}

void message_encode_decision(struct bytes_writer *writer, const struct message_decision *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->slot);
    bytes_put_u8(writer, message->offload);
    bytes_put_f64(writer, message->clock_hz);
    bytes_put_f64(writer, message->bandwidth_hz);
    bytes_put_f64(writer, message->power_w);
    bytes_put_u32(writer, message->offload_count);
}

enum status message_decode_decision(const uint8_t *data, size_t size, struct message_decision *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_DECISION, data, size, &reader));
    message->slot = bytes_get_u32(&reader);
    message->offload = bytes_get_u8(&reader);
    message->clock_hz = bytes_get_f64(&reader);
    message->bandwidth_hz = bytes_get_f64(&reader);
    message->power_w = bytes_get_f64(&reader);
    message->offload_count = bytes_get_u32(&reader);
    return message_accepted(&reader, message->offload <= 1 && message_amount_valid(message->clock_hz) &&
                                         message_amount_valid(message->bandwidth_hz) &&
                                         message_amount_valid(message->power_w));
}

void message_encode_workload(struct bytes_writer *writer, const struct message_workload *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_header(writer, &message->task);
}

enum status message_decode_workload(const uint8_t *data, size_t size, struct message_workload *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_WORKLOAD, data, size, &reader));
    message_get_header(&reader, &message->task);
    return message_accepted(&reader, message_header_valid(&message->task));
}

void message_encode_completion(struct bytes_writer *writer, const struct message_completion *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_header(writer, &message->task);
    bytes_put_u8(writer, message->drop);
}

enum status message_decode_completion(const uint8_t *data, size_t size, struct message_completion *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_COMPLETION, data, size, &reader));
    message_get_header(&reader, &message->task);
    message->drop = bytes_get_u8(&reader);
    return message_accepted(&reader,
                            message_header_valid(&message->task) && message->drop < DROP_REASON_COUNT);
}

void message_encode_outcome(struct bytes_writer *writer, const struct message_outcome *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->slot);
    bytes_put_u8(writer, message->drop);
    bytes_put_i64(writer, message->delay_ns);
    bytes_put_i64(writer, message->uplink_ns);
    bytes_put_i64(writer, message->compute_ns);
    bytes_put_f64(writer, message->energy_j);
}

enum status message_decode_outcome(const uint8_t *data, size_t size, struct message_outcome *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_OUTCOME, data, size, &reader));
    message->slot = bytes_get_u32(&reader);
    message->drop = bytes_get_u8(&reader);
    message->delay_ns = bytes_get_i64(&reader);
    message->uplink_ns = bytes_get_i64(&reader);
    message->compute_ns = bytes_get_i64(&reader);
    message->energy_j = bytes_get_f64(&reader);
    return message_accepted(
        &reader, message->drop < DROP_REASON_COUNT && message_time_valid(message->delay_ns) &&
                     message_time_valid(message->uplink_ns) && message_time_valid(message->compute_ns) &&
                     message_amount_valid(message->energy_j));
}
