/* message_slot: the messages of the slot protocol between devices and the edge server that decides for them.
 *
 * A device reports its task; the edge server decides for all and answers each; the task runs at the device
 * or, its data sent up, at the edge server; the device tells what it measured. Codec rules as in message.h.
 */
#ifndef TIERBED_NET_MESSAGE_SLOT_H
#define TIERBED_NET_MESSAGE_SLOT_H

#include "common/net/message.h"

struct message_report {
    uint32_t slot;
    uint64_t bits;         /* D, > 0 */
    double cycles_per_bit; /* C */
    int64_t deadline_ns;   /* tau, from birth */
    double gain;           /* g of the uplink, linear */
    int64_t born_ns;
};

struct message_decision {
    uint32_t slot;
    uint8_t offload;     /* 1: at the edge server, 0: at the device */
    double clock_hz;     /* f, of the device */
    double bandwidth_hz; /* b and p of the uplink, granted at the same time */
    double power_w;
    uint32_t offload_count; /* m: tasks of this slot that share the edge server */
};

struct message_workload {
    struct task_header task; /* the emulated size of the message is D */
};

struct message_completion {
    struct task_header task;
    uint8_t drop; /* enum drop_reason */
};

/* What the device measured on the timeline: delay = from the decision to the end of the computation without
 * propagation, that is waiting and time on air of the data plus computation, Eq. (8) of CPDRL; energy of the
 * device. */
struct message_outcome {
    uint32_t slot;
    uint8_t drop;
    int64_t delay_ns, uplink_ns, compute_ns;
    double energy_j;
};

void message_encode_report(struct bytes_writer *writer, const struct message_report *message);
void message_encode_decision(struct bytes_writer *writer, const struct message_decision *message);
void message_encode_workload(struct bytes_writer *writer, const struct message_workload *message);
void message_encode_completion(struct bytes_writer *writer, const struct message_completion *message);
void message_encode_outcome(struct bytes_writer *writer, const struct message_outcome *message);

enum status message_decode_report(const uint8_t *data, size_t size, struct message_report *message);
enum status message_decode_decision(const uint8_t *data, size_t size, struct message_decision *message);
enum status message_decode_workload(const uint8_t *data, size_t size, struct message_workload *message);
enum status message_decode_completion(const uint8_t *data, size_t size, struct message_completion *message);
enum status message_decode_outcome(const uint8_t *data, size_t size, struct message_outcome *message);

#endif
