#include "common/net/packet_queue.h"

#include <stdlib.h>

#define CHILDREN 4u /* a wider heap is flatter: fewer cache lines on the way down */

enum status packet_queue_init(struct packet_queue *queue, uint32_t capacity) {
    assert(capacity > 0);
    *queue = (struct packet_queue){.capacity = capacity};
    queue->items = calloc(capacity, sizeof *queue->items);
    return queue->items == NULL ? STATUS_MEMORY : STATUS_OK;
}

void packet_queue_close(struct packet_queue *queue) {
    free(queue->items);
    queue->items = NULL;
    queue->count = 0;
}

static inline bool leaves_before(const struct packet_queue_item *a, const struct packet_queue_item *b) {
    if (a->packet.urgency != b->packet.urgency)
        return a->packet.urgency > b->packet.urgency;
    return a->sequence < b->sequence;
}

enum status packet_queue_push(struct packet_queue *queue, struct link_packet packet, int64_t now_ns) {
    packet_queue_settle(queue, now_ns);
    if (queue->count == queue->capacity)
        return STATUS_FULL;
    packet.offered_ns = now_ns;
    struct packet_queue_item item = {.sequence = queue->sequence_next++, .packet = packet};
    uint32_t hole = queue->count++;
    while (hole > 0) {
        uint32_t parent = (hole - 1) / CHILDREN;
        if (!leaves_before(&item, &queue->items[parent]))
            break;
        queue->items[hole] = queue->items[parent];
        hole = parent;
    }
    queue->items[hole] = item;
    if (queue->count > queue->peak)
        queue->peak = queue->count;
    return STATUS_OK;
}

/* The child of `parent` that leaves first; `count` when it has none. */
static uint32_t first_child(const struct packet_queue *queue, uint32_t parent) {
    uint64_t child = (uint64_t)parent * CHILDREN + 1;
    if (child >= queue->count)
        return queue->count;
    uint32_t best = (uint32_t)child;
    uint64_t end = child + CHILDREN < queue->count ? child + CHILDREN : queue->count;
    for (uint32_t other = best + 1; other < end; other++)
        if (leaves_before(&queue->items[other], &queue->items[best]))
            best = other;
    return best;
}

bool packet_queue_pop(struct packet_queue *queue, int64_t now_ns, struct link_packet *packet) {
    packet_queue_settle(queue, now_ns);
    if (queue->count == 0)
        return false;
    *packet = queue->items[0].packet;
    queue->waits_ns += (uint64_t)(now_ns - packet->offered_ns);
    queue->count--;
    struct packet_queue_item last = queue->items[queue->count];
    uint32_t hole = 0;
    for (;;) {
        uint32_t child = first_child(queue, hole);
        if (child == queue->count || !leaves_before(&queue->items[child], &last))
            break;
        queue->items[hole] = queue->items[child];
        hole = child;
    }
    queue->items[hole] = last;
    return true;
}
