/* event_queue: pending events in the one order of the testbed: (time, superdense step, source node,
 * sequence).
 *
 * The three last are packed into `order`, so that two integers decide. The queue is a ladder of two rungs: a
 * small 4-ary heap holds what is due before `near_end_ns`; later events lie unsorted in buckets of equal
 * width, and those beyond the last bucket in one heap-less pile. A bucket enters the heap when its time
 * comes, and the pile is dealt into new buckets, of a width fitted to its density, when the old ones are used
 * up. So an event is moved a bounded number of times and the heap stays within the caches, while the order of
 * what comes out is that of one big heap, whatever the bucket width. After Tang, Goh and Thng, "Ladder
 * queue", ACM TOMACS 15(3), 2005. */
#ifndef TIERBED_TIME_EVENT_QUEUE_H
#define TIERBED_TIME_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time/vtime.h"

struct event_key {
    int64_t time_ns;
    uint64_t order; /* step << 56 | source << 32 | sequence */
};

#define EVENT_STEP_MAX 255u
#define EVENT_SOURCE_MAX 0xffffffu
#define EVENT_KEY_NEVER ((struct event_key){VTIME_NEVER, UINT64_MAX})

static inline uint64_t event_order(uint32_t step, uint32_t source, uint32_t sequence) {
    return (uint64_t)step << 56 | (uint64_t)source << 32 | sequence;
}

static inline uint32_t event_order_step(uint64_t order) {
    return (uint32_t)(order >> 56);
}

static inline uint32_t event_order_source(uint64_t order) {
    return (uint32_t)(order >> 32) & EVENT_SOURCE_MAX;
}

static inline bool event_key_before(struct event_key a, struct event_key b) {
    return a.time_ns < b.time_ns || (a.time_ns == b.time_ns && a.order < b.order);
}

static inline struct event_key event_key_min(struct event_key a, struct event_key b) {
    return event_key_before(b, a) ? b : a;
}

struct event_entry {
    struct event_key key;
    uint32_t node; /* destination */
    uint32_t body; /* the owner's; the queue only carries it */
};

struct event_bucket {
    uint32_t head; /* chunk index + 1, 0 for empty */
};

struct event_chunk;

struct event_queue {
    struct event_entry *heap;
    size_t heap_count, heap_capacity;
    int64_t near_end_ns; /* everything earlier is in the heap */
    /* rung of buckets */
    struct event_bucket *buckets;
    size_t bucket_count, bucket_next; /* the next bucket to enter the heap */
    int64_t bucket_origin_ns;
    uint32_t bucket_shift; /* width = 1 << shift ns */
    size_t bucketed;       /* events in buckets */
    struct event_chunk *chunks;
    uint32_t chunk_count, chunk_capacity, chunk_free;
    /* pile */
    struct event_entry *pile;
    size_t pile_count, pile_capacity;
};

/* Memory grows with what is pending; running out aborts with a message, as arena does. */
void event_queue_init(struct event_queue *queue);
void event_queue_close(struct event_queue *queue);

void event_queue_push(struct event_queue *queue, struct event_entry entry);

/* The first entry, or NULL when empty; valid until the next push or pop. */
const struct event_entry *event_queue_peek(struct event_queue *queue);

/* Takes the first entry; the queue must not be empty. */
struct event_entry event_queue_pop(struct event_queue *queue);

static inline size_t event_queue_count(const struct event_queue *queue) {
    return queue->heap_count + queue->bucketed + queue->pile_count;
}

#endif
