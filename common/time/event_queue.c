#include "common/time/event_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

#define CHUNK_ENTRIES 20u
#define HEAP_ALONE_MAX ((size_t)640) /* with fewer pending events the heap alone is fastest */
#define BUCKET_EVENTS ((size_t)16)   /* aim per bucket when the pile is dealt */
#define BUCKETS_MIN ((size_t)64)
#define BUCKETS_MAX ((size_t)1 << 16)

struct event_chunk {
    uint32_t next; /* chunk index + 1 */
    uint32_t count;
    struct event_entry entries[CHUNK_ENTRIES];
};

void event_queue_init(struct event_queue *queue) {
    memset(queue, 0, sizeof *queue);
    queue->near_end_ns = VTIME_NEVER;
}

void event_queue_close(struct event_queue *queue) {
    free(queue->heap);
    free(queue->buckets);
    free(queue->chunks);
    free(queue->pile);
    event_queue_init(queue);
}

/* ---- the heap: 4-ary, children of i are 4i+1 .. 4i+4 ---- */

static void heap_rise(struct event_entry *heap, size_t at, struct event_entry entry) {
    while (at > 0) {
        size_t parent = (at - 1) / 4;
        if (!event_key_before(entry.key, heap[parent].key))
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

static size_t heap_least_child(const struct event_entry *heap, size_t first, size_t count) {
    size_t least = first;
    size_t end = first + 4 < count ? first + 4 : count;
    for (size_t child = first + 1; child < end; child++)
        if (event_key_before(heap[child].key, heap[least].key))
            least = child;
    return least;
}

static void heap_sink(struct event_entry *heap, size_t count, size_t at, struct event_entry entry) {
    for (;;) {
        size_t first = 4 * at + 1;
        if (first >= count)
            break;
        size_t least = heap_least_child(heap, first, count);
        if (!event_key_before(heap[least].key, entry.key))
            break;
        heap[at] = heap[least];
        at = least;
    }
    heap[at] = entry;
}

static void heap_reserve(struct event_queue *queue, size_t count) {
    if (count <= queue->heap_capacity)
        return;
    size_t capacity = queue->heap_capacity ? queue->heap_capacity : 64;
    while (capacity < count)
        capacity *= 2;
    queue->heap = memory_grow(queue->heap, capacity, sizeof *queue->heap, "pending events");
    queue->heap_capacity = capacity;
}

static void heap_order_all(struct event_queue *queue) {
    if (queue->heap_count < 2)
        return;
    for (size_t at = (queue->heap_count - 2) / 4 + 1; at-- > 0;)
        heap_sink(queue->heap, queue->heap_count, at, queue->heap[at]);
}

/* ---- buckets and pile ---- */

static uint32_t chunk_take(struct event_queue *queue) {
    if (queue->chunk_free != 0) {
        uint32_t index = queue->chunk_free - 1;
        queue->chunk_free = queue->chunks[index].next;
        return index;
    }
    if (queue->chunk_count == queue->chunk_capacity) {
        queue->chunk_capacity = queue->chunk_capacity ? queue->chunk_capacity * 2 : 256;
        queue->chunks =
            memory_grow(queue->chunks, queue->chunk_capacity, sizeof *queue->chunks, "pending events");
    }
    return queue->chunk_count++;
}

static void bucket_add(struct event_queue *queue, size_t index, const struct event_entry *entry) {
    struct event_bucket *bucket = &queue->buckets[index];
    if (bucket->head == 0 || queue->chunks[bucket->head - 1].count == CHUNK_ENTRIES) {
        uint32_t taken = chunk_take(queue);
        queue->chunks[taken].next = bucket->head;
        queue->chunks[taken].count = 0;
        bucket->head = taken + 1;
    }
    struct event_chunk *chunk = &queue->chunks[bucket->head - 1];
    chunk->entries[chunk->count++] = *entry;
    queue->bucketed++;
}

static void pile_add(struct event_queue *queue, const struct event_entry *entry) {
    if (queue->pile_count == queue->pile_capacity) {
        queue->pile_capacity = queue->pile_capacity ? queue->pile_capacity * 2 : 256;
        queue->pile = memory_grow(queue->pile, queue->pile_capacity, sizeof *queue->pile, "pending events");
    }
    queue->pile[queue->pile_count++] = *entry;
}

/* Places an event that is not due before near_end_ns. */
static void rung_add(struct event_queue *queue, const struct event_entry *entry) {
    uint64_t index = (uint64_t)(entry->key.time_ns - queue->bucket_origin_ns) >> queue->bucket_shift;
    if (index < queue->bucket_count)
        bucket_add(queue, (size_t)index, entry);
    else
        pile_add(queue, entry);
}

static void bucket_into_heap(struct event_queue *queue, size_t index) {
    uint32_t at = queue->buckets[index].head;
    queue->buckets[index].head = 0;
    while (at != 0) {
        struct event_chunk *chunk = &queue->chunks[at - 1];
        heap_reserve(queue, queue->heap_count + chunk->count);
        memcpy(queue->heap + queue->heap_count, chunk->entries, chunk->count * sizeof *chunk->entries);
        queue->heap_count += chunk->count;
        queue->bucketed -= chunk->count;
        uint32_t next = chunk->next;
        chunk->next = queue->chunk_free;
        queue->chunk_free = at;
        at = next;
    }
    heap_order_all(queue);
}

static void pile_into_heap(struct event_queue *queue) {
    heap_reserve(queue, queue->heap_count + queue->pile_count);
    memcpy(queue->heap + queue->heap_count, queue->pile, queue->pile_count * sizeof *queue->pile);
    queue->heap_count += queue->pile_count;
    queue->pile_count = 0;
    queue->bucket_count = queue->bucket_next = 0;
    queue->near_end_ns = VTIME_NEVER;
    heap_order_all(queue);
}

static uint32_t width_shift(double span_ns, size_t buckets) {
    uint32_t shift = 0;
    while (shift < 61 && (double)((int64_t)1 << shift) * (double)buckets < span_ns)
        shift++;
    return shift;
}

static void buckets_resize(struct event_queue *queue, size_t count) {
    queue->buckets = memory_grow(queue->buckets, count, sizeof *queue->buckets, "pending events");
    memset(queue->buckets, 0, count * sizeof *queue->buckets);
    queue->bucket_count = count;
    queue->bucket_next = 0;
}

/* Chooses origin, width and number of buckets for what lies in the pile: twice the mean distance from the
 * earliest event covers most of it, and the few beyond stay in the pile for the next deal. */
static void rung_fit(struct event_queue *queue) {
    int64_t least = VTIME_NEVER;
    for (size_t i = 0; i < queue->pile_count; i++)
        if (queue->pile[i].key.time_ns < least)
            least = queue->pile[i].key.time_ns;
    double distance = 0.0;
    for (size_t i = 0; i < queue->pile_count; i++)
        distance += (double)(queue->pile[i].key.time_ns - least);
    double span_ns = 2.0 * distance / (double)queue->pile_count + 1.0;
    size_t count = BUCKETS_MIN;
    while (count < BUCKETS_MAX && count * BUCKET_EVENTS < queue->pile_count)
        count *= 2;
    queue->bucket_origin_ns = least;
    queue->bucket_shift = width_shift(span_ns, count);
    buckets_resize(queue, count);
}

static void pile_deal(struct event_queue *queue) {
    if (queue->pile_count <= HEAP_ALONE_MAX) {
        pile_into_heap(queue);
        return;
    }
    rung_fit(queue);
    queue->near_end_ns = queue->bucket_origin_ns;
    size_t count = queue->pile_count;
    queue->pile_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct event_entry entry = queue->pile[i];
        rung_add(queue, &entry);
    }
}

/* Brings the earliest events into an empty heap. */
static void refill(struct event_queue *queue) {
    while (queue->heap_count == 0) {
        if (queue->bucketed == 0) {
            if (queue->pile_count == 0)
                return;
            pile_deal(queue);
            continue;
        }
        size_t index = queue->bucket_next++;
        queue->near_end_ns = queue->bucket_origin_ns + ((int64_t)(index + 1) << queue->bucket_shift);
        if (queue->buckets[index].head != 0)
            bucket_into_heap(queue, index);
    }
}

/* The heap alone has grown too large: everything goes to the pile, to be dealt into buckets. */
static void spill(struct event_queue *queue) {
    for (size_t i = 0; i < queue->heap_count; i++)
        pile_add(queue, &queue->heap[i]);
    queue->heap_count = 0;
    queue->bucket_count = queue->bucket_next = 0;
    pile_deal(queue);
}

void event_queue_push(struct event_queue *queue, struct event_entry entry) {
    if (entry.key.time_ns >= queue->near_end_ns && queue->near_end_ns != VTIME_NEVER) {
        rung_add(queue, &entry);
        return;
    }
    heap_reserve(queue, queue->heap_count + 1);
    heap_rise(queue->heap, queue->heap_count++, entry);
    if (queue->near_end_ns == VTIME_NEVER && queue->heap_count > 2 * HEAP_ALONE_MAX)
        spill(queue);
}

const struct event_entry *event_queue_peek(struct event_queue *queue) {
    if (queue->heap_count == 0)
        refill(queue);
    return queue->heap_count == 0 ? NULL : &queue->heap[0];
}

struct event_entry event_queue_pop(struct event_queue *queue) {
    const struct event_entry *first = event_queue_peek(queue);
    assert(first != NULL);
    struct event_entry taken = *first;
    struct event_entry last = queue->heap[--queue->heap_count];
    if (queue->heap_count > 0)
        heap_sink(queue->heap, queue->heap_count, 0, last);
    return taken;
}
