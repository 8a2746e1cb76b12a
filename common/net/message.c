/* message: the codec of the task messages and the table of messages.def. The encoders are the definition of
 * the layout; each decoder mirrors one of them field by field and then refuses values that no encoder may
 * write. */
#include "common/net/message.h"

#include <assert.h>
#include <math.h>

#include "common/data/bearing.h"
#include "common/model/scenario.h"
#include "common/net/message_codec.h"
#include "common/time/vtime.h"

#define FROM(role) FROM_##role
#define TO(role) TO_##role
enum {
    FROM_DEVICE = 1u << ROLE_DEVICE,
    FROM_GATEWAY = 1u << ROLE_GATEWAY,
    FROM_EDGE = 1u << ROLE_EDGE,
    FROM_CHAIN = 1u << ROLE_CHAIN,
    FROM_SELF = MESSAGE_SELF,
    TO_DEVICE = FROM_DEVICE,
    TO_GATEWAY = FROM_GATEWAY,
    TO_EDGE = FROM_EDGE,
    TO_CHAIN = FROM_CHAIN,
    TO_ANY = (1u << ROLE_COUNT) - 1,
    TO_NETWORK_CARD = MESSAGE_NETWORK_CARD
};

static const struct message_info table[MESSAGE_COUNT] = {
#define MESSAGE(id, name_, least, most, from, to, lane_, purpose_)                                           \
    [MESSAGE_##id] = {.name = #name_,                                                                        \
                      .purpose = purpose_,                                                                   \
                      .bytes_min = least,                                                                    \
                      .bytes_max = most,                                                                     \
                      .lane = LANE_##lane_,                                                                  \
                      .from_roles = from,                                                                    \
                      .to_roles = to},
#include "common/net/messages.def"
#undef MESSAGE
};

const struct message_info *message_info(uint32_t type) {
    return type < MESSAGE_COUNT ? &table[type] : NULL;
}

void message_put_header(struct bytes_writer *writer, const struct task_header *task) {
    bytes_put_u32(writer, task->device);
    bytes_put_u32(writer, task->slot);
    bytes_put_u16(writer, task->level);
    bytes_put_u8(writer, task->true_class);
    bytes_put_i64(writer, task->born_ns);
    bytes_put_i64(writer, task->gathered_ns);
    bytes_put_i64(writer, task->decided_ns);
    bytes_put_i64(writer, task->uplink_start_ns);
    bytes_put_i64(writer, task->uplink_end_ns);
    bytes_put_i64(writer, task->compute_start_ns);
    bytes_put_i64(writer, task->compute_end_ns);
}

void message_get_header(struct bytes_reader *reader, struct task_header *task) {
    task->device = bytes_get_u32(reader);
    task->slot = bytes_get_u32(reader);
    task->level = bytes_get_u16(reader);
    task->true_class = bytes_get_u8(reader);
    task->born_ns = bytes_get_i64(reader);
    task->gathered_ns = bytes_get_i64(reader);
    task->decided_ns = bytes_get_i64(reader);
    task->uplink_start_ns = bytes_get_i64(reader);
    task->uplink_end_ns = bytes_get_i64(reader);
    task->compute_start_ns = bytes_get_i64(reader);
    task->compute_end_ns = bytes_get_i64(reader);
}

bool message_time_valid(int64_t time_ns) {
    return time_ns >= 0 && (time_ns <= MESSAGE_TIME_MAX_NS || time_ns == VTIME_NEVER);
}

bool message_header_valid(const struct task_header *task) {
    return task->device < SCENARIO_NODES_MAX && task->level < SCENARIO_LEVELS_MAX &&
           task->true_class < BEARING_CLASS_COUNT && message_time_valid(task->born_ns) &&
           message_time_valid(task->gathered_ns) && message_time_valid(task->decided_ns) &&
           message_time_valid(task->uplink_start_ns) && message_time_valid(task->uplink_end_ns) &&
           message_time_valid(task->compute_start_ns) && message_time_valid(task->compute_end_ns);
}

bool message_amount_valid(double value) { /* an energy or a rate */
    return isfinite(value) && value >= 0;
}

static bool verdict_valid(uint8_t drop, uint8_t class, double confidence) {
    return drop < DROP_REASON_COUNT && class < BEARING_CLASS_COUNT && confidence >= 0 && confidence <= 1;
}

enum status message_open(enum message_type type, const uint8_t *data, size_t size,
                         struct bytes_reader *reader) {
    if (size < table[type].bytes_min || size > table[type].bytes_max)
        return STATUS_INVALID;
    *reader = bytes_reader_over(data, size);
    return bytes_get_u8(reader) == MESSAGE_VERSION ? STATUS_OK : STATUS_INVALID;
}

enum status message_accepted(const struct bytes_reader *reader, bool valid) {
    return bytes_done(reader) && valid ? STATUS_OK : STATUS_INVALID;
}

/* Samples on the wire are little-endian 16-bit; compilers turn both loops into a plain copy where the host is
 * so. */
static void put_samples(struct bytes_writer *writer, const int16_t *samples, size_t count) {
    size_t size = count * 2;
    if (writer->failed || writer->capacity - writer->used < size) {
        writer->failed = true;
        return;
    }
    uint8_t *to = writer->data + writer->used;
    for (size_t i = 0; i < count; i++) {
        uint16_t value = (uint16_t)samples[i];
        to[2 * i] = (uint8_t)(value & 0xff);
        to[2 * i + 1] = (uint8_t)(value >> 8);
    }
    writer->used += size;
}

static void get_samples(const uint8_t *from, size_t count, int16_t *samples) {
    for (size_t i = 0; i < count; i++)
        samples[i] = (int16_t)(uint16_t)(from[2 * i] | from[2 * i + 1] << 8);
}

static void put_window(struct bytes_writer *writer, const struct message_task *message) {
    assert(message->sample_count >= 1 && message->sample_count <= MESSAGE_SAMPLES_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_header(writer, &message->task);
    bytes_put_u32(writer, message->sample_rate_hz);
    bytes_put_u32(writer, message->sample_count);
    put_samples(writer, message->samples, message->sample_count);
}

static enum status get_window(struct bytes_reader *reader, int16_t *samples, size_t capacity,
                              struct message_task *message) {
    message_get_header(reader, &message->task);
    message->sample_rate_hz = bytes_get_u32(reader);
    message->sample_count = bytes_get_u32(reader);
    message->samples = samples;
    if (reader->failed || message->sample_count < 1 || message->sample_count > capacity ||
        bytes_left(reader) != (size_t)message->sample_count * 2)
        return STATUS_INVALID;
    if (!message_header_valid(&message->task) || message->sample_rate_hz == 0)
        return STATUS_INVALID;
    get_samples(bytes_get(reader, bytes_left(reader)), message->sample_count, samples);
    return STATUS_OK;
}

void message_encode_task(struct bytes_writer *writer, const struct message_task *message) {
    put_window(writer, message);
}

enum status message_decode_task(const uint8_t *data, size_t size, int16_t *samples, size_t capacity,
                                struct message_task *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_TASK, data, size, &reader));
    return get_window(&reader, samples, capacity, message);
}

void message_encode_offload(struct bytes_writer *writer, const struct message_offload *message) {
    put_window(writer, &message->window);
}

enum status message_decode_offload(const uint8_t *data, size_t size, int16_t *samples, size_t capacity,
                                   struct message_offload *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_OFFLOAD, data, size, &reader));
    return get_window(&reader, samples, capacity, &message->window);
}

void message_encode_result(struct bytes_writer *writer, const struct message_result *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_header(writer, &message->task);
    bytes_put_u8(writer, message->drop);
    bytes_put_u8(writer, message->class);
    bytes_put_f64(writer, message->confidence);
    bytes_put_f64(writer, message->energy_j);
}

enum status message_decode_result(const uint8_t *data, size_t size, struct message_result *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_RESULT, data, size, &reader));
    message_get_header(&reader, &message->task);
    message->drop = bytes_get_u8(&reader);
    message->class = bytes_get_u8(&reader);
    message->confidence = bytes_get_f64(&reader);
    message->energy_j = bytes_get_f64(&reader);
    return message_accepted(&reader, message_header_valid(&message->task) &&
                                         verdict_valid(message->drop, message->class, message->confidence) &&
                                         message_amount_valid(message->energy_j));
}

void message_encode_answer(struct bytes_writer *writer, const struct message_answer *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_header(writer, &message->task);
    bytes_put_u8(writer, message->place);
    bytes_put_u8(writer, message->drop);
    bytes_put_u8(writer, message->class);
    bytes_put_f64(writer, message->confidence);
    bytes_put_f64(writer, message->energy_device_j);
    bytes_put_f64(writer, message->energy_gateway_j);
    bytes_put_f64(writer, message->energy_uplink_j);
    bytes_put_f64(writer, message->energy_edge_j);
    bytes_put_i64(writer, message->closed_form_ns);
}

static bool answer_valid(const struct message_answer *message) {
    return message_header_valid(&message->task) && message->place <= PLACE_EDGE &&
           verdict_valid(message->drop, message->class, message->confidence) &&
           message_amount_valid(message->energy_device_j) &&
           message_amount_valid(message->energy_gateway_j) &&
           message_amount_valid(message->energy_uplink_j) && message_amount_valid(message->energy_edge_j) &&
           message_time_valid(message->closed_form_ns);
}

enum status message_decode_answer(const uint8_t *data, size_t size, struct message_answer *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_ANSWER, data, size, &reader));
    message_get_header(&reader, &message->task);
    message->place = bytes_get_u8(&reader);
    message->drop = bytes_get_u8(&reader);
    message->class = bytes_get_u8(&reader);
    message->confidence = bytes_get_f64(&reader);
    message->energy_device_j = bytes_get_f64(&reader);
    message->energy_gateway_j = bytes_get_f64(&reader);
    message->energy_uplink_j = bytes_get_f64(&reader);
    message->energy_edge_j = bytes_get_f64(&reader);
    message->closed_form_ns = bytes_get_i64(&reader);
    return message_accepted(&reader, answer_valid(message));
}

void message_encode_link_state(struct bytes_writer *writer, const struct message_link_state *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->peer);
    bytes_put_u32(writer, message->state);
    bytes_put_u32(writer, message->mini_slots);
    bytes_put_i64(writer, message->mini_slot_ns);
    bytes_put_f64(writer, message->rate_bps);
    bytes_put_f64(writer, message->gain);
}

enum status message_decode_link_state(const uint8_t *data, size_t size, struct message_link_state *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_LINK_STATE, data, size, &reader));
    message->peer = bytes_get_u32(&reader);
    message->state = bytes_get_u32(&reader);
    message->mini_slots = bytes_get_u32(&reader);
    message->mini_slot_ns = bytes_get_i64(&reader);
    message->rate_bps = bytes_get_f64(&reader);
    message->gain = bytes_get_f64(&reader);
    bool rate_valid = message->rate_bps >= 0; /* an ideal link reports an infinite rate; NaN is refused */
    return message_accepted(&reader, rate_valid && message_amount_valid(message->gain) &&
                                         message->mini_slot_ns >= 0 &&
                                         message->mini_slot_ns <= MESSAGE_TIME_MAX_NS);
}

void message_encode_allocate(struct bytes_writer *writer, const struct message_allocate *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->subchannels);
    bytes_put_f64(writer, message->bandwidth_hz);
    bytes_put_f64(writer, message->power_w);
}

enum status message_decode_allocate(const uint8_t *data, size_t size, struct message_allocate *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_ALLOCATE, data, size, &reader));
    message->subchannels = bytes_get_u32(&reader);
    message->bandwidth_hz = bytes_get_f64(&reader);
    message->power_w = bytes_get_f64(&reader);
    return message_accepted(&reader, message_amount_valid(message->bandwidth_hz) &&
                                         message_amount_valid(message->power_w));
}

void message_encode_refused(struct bytes_writer *writer, const struct message_refused *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->peer);
    bytes_put_u16(writer, message->type);
    bytes_put_u32(writer, message->device);
    bytes_put_u32(writer, message->slot);
}

enum status message_decode_refused(const uint8_t *data, size_t size, struct message_refused *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_REFUSED, data, size, &reader));
    message->peer = bytes_get_u32(&reader);
    message->type = bytes_get_u16(&reader);
    message->device = bytes_get_u32(&reader);
    message->slot = bytes_get_u32(&reader);
    return message_accepted(&reader, message->type < MESSAGE_COUNT && message->device < SCENARIO_NODES_MAX);
}

bool message_task_identity(enum message_type type, const uint8_t *data, size_t size, uint32_t *device,
                           uint32_t *slot) {
    struct bytes_reader reader;
    if (type != MESSAGE_TASK && type != MESSAGE_OFFLOAD && type != MESSAGE_RESULT && type != MESSAGE_ANSWER &&
        type != MESSAGE_WORKLOAD && type != MESSAGE_COMPLETION)
        return false;
    if (message_open(type, data, size, &reader) != STATUS_OK)
        return false;
    *device = bytes_get_u32(&reader);
    *slot = bytes_get_u32(&reader);
    return !reader.failed;
}
