/* packet_queue: packets that wait for a transmitter: most urgent first, first come first served among equals.
 *
 * Bounded: a push into a full queue is refused. The queue also keeps the two sides of Little's law as exact
 * integers: the integral over time of the number waiting, and the sum of the waits of those that left. They
 * are equal whenever the queue is empty. Times handed in must not go back (assert). */
#ifndef TIERBED_NET_PACKET_QUEUE_H
#define TIERBED_NET_PACKET_QUEUE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/link.h"

struct packet_queue_item {
    uint64_t sequence; /* order of arrival, breaks ties of urgency */
    struct link_packet packet;
};

struct packet_queue {
    struct packet_queue_item *items; /* owned; a heap with four children per parent */
    uint32_t count;
    uint32_t capacity;
    uint32_t peak;
    uint64_t sequence_next;
    int64_t changed_ns;         /* the area is complete up to here */
    unsigned __int128 area_ns;  /* integral of `count` over time, in packet * ns */
    unsigned __int128 waits_ns; /* total wait of the packets that were popped */
};

/* Room for `capacity` (> 0) packets, taken now. STATUS_MEMORY when there is none. */
enum status packet_queue_init(struct packet_queue *queue, uint32_t capacity);

/* Safe after a failed init and twice. */
void packet_queue_close(struct packet_queue *queue);

/* Adds a packet that is offered at `now_ns` (stored in it); STATUS_FULL when `capacity` packets wait. */
enum status packet_queue_push(struct packet_queue *queue, struct link_packet packet, int64_t now_ns);

/* Takes the most urgent packet, among equals the one pushed first; false when nobody waits. */
bool packet_queue_pop(struct packet_queue *queue, int64_t now_ns, struct link_packet *packet);

/* Brings the area up to `now_ns`. */
static inline void packet_queue_settle(struct packet_queue *queue, int64_t now_ns) {
    assert(now_ns >= queue->changed_ns);
    queue->area_ns += (unsigned __int128)(uint64_t)(now_ns - queue->changed_ns) * queue->count;
    queue->changed_ns = now_ns;
}

#endif
