/* message: the typed content of what nodes send each other, and the codec between struct and bytes.
 *
 * Payloads are flat, fixed-width, little-endian and start with a version byte. Decoders accept exactly what
 * encoders write: wrong version, short, long or out-of-range input gives STATUS_INVALID and never reads past
 * the end. */
#ifndef TIERBED_NET_MESSAGE_H
#define TIERBED_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

#define MESSAGE_VERSION 1

enum message_type {
#define MESSAGE(id, name, least, most, from, to, lane, purpose) MESSAGE_##id,
#include "common/net/messages.def"
#undef MESSAGE
    MESSAGE_COUNT
};

/* Who a task is, and what it has been through so far; carried by all four task messages. VTIME_NEVER: not
 * yet. */
struct task_header {
    uint32_t device; /* node id */
    uint32_t slot;
    uint16_t level;          /* index into scenario task.criticality */
    uint8_t true_class;      /* enum bearing_class, known to the emulator only; never used for decisions */
    int64_t born_ns;         /* window complete at the device */
    int64_t gathered_ns;     /* arrived at the gateway */
    int64_t decided_ns;      /* the gateway decided local or offload */
    int64_t uplink_start_ns; /* transmission to the edge starts: minus decided = B of jopa eq (7) */
    int64_t uplink_end_ns;   /* start + air time Omega of eq (6) */
    int64_t compute_start_ns, compute_end_ns; /* at gateway or edge */
};

/* PLACE_DEVICE: a device computed its task itself; no answer says so, only its row. */
enum task_place { PLACE_NONE = 0, PLACE_GATEWAY, PLACE_EDGE, PLACE_DEVICE, PLACE_COUNT };

enum drop_reason {
    DROP_NONE = 0,
    DROP_DEADLINE,     /* finished, but later than T_k */
    DROP_UPLINK_FULL,  /* the uplink queue had no room */
    DROP_GATEWAY_FULL, /* the gateway had no room */
    DROP_EDGE_FULL,    /* the edge had no room */
    DROP_UNANSWERED,   /* no answer: lost on a link, cut by a partition, or a node on the way was down */
    DROP_BAD_WINDOW,   /* the window could not be processed */
    DROP_REASON_COUNT
};

#define MESSAGE_WINDOW_BYTES 76u    /* a TASK or OFFLOAD without its samples */
#define MESSAGE_SAMPLES_MAX 524250u /* samples of one window: a message stays within 1 MiB */

struct message_task {
    struct task_header task;
    uint32_t sample_rate_hz;
    uint32_t sample_count;  /* 1 .. MESSAGE_SAMPLES_MAX */
    const int16_t *samples; /* decode: owned by the caller's buffer, see message_decode_task */
};

struct message_offload {
    struct message_task window;
};

struct message_result {
    struct task_header task;
    uint8_t drop;  /* enum drop_reason */
    uint8_t class; /* enum bearing_class */
    double confidence;
    double energy_j; /* edge, computing */
};

struct message_answer {
    struct task_header task;
    uint8_t place; /* enum task_place */
    uint8_t drop;
    uint8_t class;
    double confidence;
    double energy_device_j, energy_gateway_j, energy_uplink_j, energy_edge_j; /* device: sending the window */
    int64_t
        closed_form_ns; /* D of jopa eq (16) from the formulas for this task; VTIME_NEVER where none holds */
};

struct message_link_state {
    uint32_t peer; /* the other end */
    uint32_t state;
    uint32_t mini_slots;
    int64_t mini_slot_ns;
    double rate_bps;
    double gain; /* of the channel; 0 on links without radio */
};

/* What the receiver of a radio link grants its sender (struct link_allocation). */
struct message_allocate {
    uint32_t subchannels;
    double bandwidth_hz, power_w;
};

/* The queue of the link to `peer` had no room: the message `type` about this task was not sent. */
struct message_refused {
    uint32_t peer;
    uint16_t type; /* enum message_type */
    uint32_t device, slot;
};

/* The header alone, for whoever carries it in something else; values are not checked. */
void message_put_header(struct bytes_writer *writer, const struct task_header *task);
void message_get_header(struct bytes_reader *reader, struct task_header *task);

/* Encoders append to `writer`; look at writer->failed. */
void message_encode_task(struct bytes_writer *writer, const struct message_task *message);
void message_encode_offload(struct bytes_writer *writer, const struct message_offload *message);
void message_encode_result(struct bytes_writer *writer, const struct message_result *message);
void message_encode_answer(struct bytes_writer *writer, const struct message_answer *message);
void message_encode_link_state(struct bytes_writer *writer, const struct message_link_state *message);
void message_encode_allocate(struct bytes_writer *writer, const struct message_allocate *message);
void message_encode_refused(struct bytes_writer *writer, const struct message_refused *message);

/* Decoders. `samples` receives the window (room for `capacity` samples) and message->samples points to it. */
enum status message_decode_task(const uint8_t *data, size_t size, int16_t *samples, size_t capacity,
                                struct message_task *message);
enum status message_decode_offload(const uint8_t *data, size_t size, int16_t *samples, size_t capacity,
                                   struct message_offload *message);
enum status message_decode_result(const uint8_t *data, size_t size, struct message_result *message);
enum status message_decode_answer(const uint8_t *data, size_t size, struct message_answer *message);
enum status message_decode_link_state(const uint8_t *data, size_t size, struct message_link_state *message);
enum status message_decode_allocate(const uint8_t *data, size_t size, struct message_allocate *message);
enum status message_decode_refused(const uint8_t *data, size_t size, struct message_refused *message);

/* The (device, slot) that an encoded TASK, OFFLOAD, RESULT or ANSWER is about; false for anything else. For
 * the network card, which does not otherwise look into payloads. */
bool message_task_identity(enum message_type type, const uint8_t *data, size_t size, uint32_t *device,
                           uint32_t *slot);

/* The data lane queues for its link and takes time on air. The control lane does neither: it only propagates,
 * as if on a control channel of its own. */
enum message_lane { LANE_DATA = 0, LANE_CONTROL };

struct message_info {
    const char *name, *purpose;
    enum message_lane lane;
    size_t bytes_min, bytes_max;
    uint32_t from_roles, to_roles; /* bit sets of 1 << enum node_role, and the two below */
};
#define MESSAGE_SELF (1u << 30)         /* sent by a node's own network card */
#define MESSAGE_NETWORK_CARD (1u << 29) /* taken by the network card, never seen by the node */

/* NULL for a type outside the table. */
const struct message_info *message_info(uint32_t type);

#endif
