#include "common/time/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

#define BODY_NONE 0u
#define FETCH_AHEAD 5u /* the first event and its children in the heap */

void engine_init(struct engine *engine, const struct engine_config *config) {
    assert(config->step_max <= EVENT_STEP_MAX && config->node_count <= EVENT_SOURCE_MAX);
    memset(engine, 0, sizeof *engine);
    engine->config = *config;
    event_queue_init(&engine->queue);
    engine->sequence = memory_grow(NULL, config->node_count + 1u, sizeof *engine->sequence, "pending events");
    memset(engine->sequence, 0, (config->node_count + 1u) * sizeof *engine->sequence);
    engine->batches = memory_grow(NULL, config->rank_count, sizeof *engine->batches, "pending events");
    memset(engine->batches, 0, config->rank_count * sizeof *engine->batches);
    for (uint32_t rank = 0; rank < config->rank_count; rank++)
        engine->batches[rank].earliest = EVENT_KEY_NEVER;
    engine->body_count = 1; /* index 0 stands for "no body" */
    engine->body_capacity = 64;
    engine->bodies = memory_grow(NULL, engine->body_capacity, sizeof *engine->bodies, "pending events");
    memset(engine->bodies, 0, sizeof *engine->bodies);
}

void engine_close(struct engine *engine) {
    event_queue_close(&engine->queue);
    for (uint32_t i = 1; i < engine->body_count; i++)
        free(engine->bodies[i].data);
    for (uint32_t rank = 0; engine->batches != NULL && rank < engine->config.rank_count; rank++)
        free(engine->batches[rank].data);
    free(engine->bodies);
    free(engine->batches);
    free(engine->sequence);
    memset(engine, 0, sizeof *engine);
}

/* ---- bodies ---- */

static uint32_t body_take(struct engine *engine, uint32_t bytes) {
    uint32_t index = engine->body_free;
    if (index != BODY_NONE) {
        engine->body_free = engine->bodies[index].next_free;
    } else {
        if (engine->body_count == engine->body_capacity) {
            engine->body_capacity *= 2;
            engine->bodies =
                memory_grow(engine->bodies, engine->body_capacity, sizeof *engine->bodies, "pending events");
        }
        index = engine->body_count++;
        engine->bodies[index] = (struct engine_body){0};
    }
    struct engine_body *body = &engine->bodies[index];
    if (body->capacity < bytes) {
        body->data = memory_grow(body->data, bytes, 1, "pending events");
        body->capacity = bytes;
    }
    body->bytes = bytes;
    return index;
}

static void body_give(struct engine *engine, uint32_t index) {
    engine->bodies[index].next_free = engine->body_free;
    engine->body_free = index;
}

/* ---- posting ---- */

static struct event_key key_for(struct engine *engine, uint32_t source, int64_t time_ns) {
    assert(time_ns >= engine->now.time_ns && source < engine->config.node_count);
    uint32_t step = time_ns == engine->now.time_ns ? event_order_step(engine->now.order) + 1 : 0;
    if (step > EVENT_STEP_MAX)
        step = EVENT_STEP_MAX; /* engine_run has already refused to go on */
    return (struct event_key){time_ns, event_order(step, source, engine->sequence[source]++)};
}

static uint8_t *batch_reserve(struct engine_batch *batch, size_t bytes) {
    size_t header_bytes = batch->used == 0 ? ENGINE_BATCH_HEADER_BYTES : 0;
    bytes += header_bytes;
    if (batch->used + bytes > batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 4096;
        while (capacity < batch->used + bytes)
            capacity *= 2;
        batch->data = memory_grow(batch->data, capacity, 1, "pending events");
        batch->capacity = capacity;
    }
    uint8_t *at = batch->data + batch->used + header_bytes;
    batch->used += bytes;
    return at;
}

/* Records have the layout of the struct on a little-endian machine, which the head of this file insists on.
 */
static uint8_t *post_remote(struct engine *engine, uint32_t rank, struct event_key key, uint32_t node,
                            uint32_t bytes) {
    struct engine_batch *batch = &engine->batches[rank];
    uint8_t *at = batch_reserve(batch, ENGINE_RECORD_HEADER_BYTES + bytes);
    memcpy(at, &key.time_ns, 8);
    memcpy(at + 8, &key.order, 8);
    memcpy(at + 16, &node, 4);
    memcpy(at + 20, &bytes, 4);
    batch->earliest = event_key_min(batch->earliest, key);
    return at + ENGINE_RECORD_HEADER_BYTES;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "batches are little-endian");

uint8_t *engine_post_reserve(struct engine *engine, uint32_t source, uint32_t node, int64_t time_ns,
                             uint32_t bytes) {
    assert(node < engine->config.node_count);
    struct event_key key = key_for(engine, source, time_ns);
    const uint32_t *rank_of_node = engine->config.rank_of_node;
    if (rank_of_node != NULL && rank_of_node[node] != engine->config.rank)
        return post_remote(engine, rank_of_node[node], key, node, bytes);
    uint32_t body = bytes > 0 ? body_take(engine, bytes) : BODY_NONE;
    event_queue_push(&engine->queue, (struct event_entry){key, node, body});
    return engine->bodies[body].data;
}

void engine_post(struct engine *engine, uint32_t source, uint32_t node, int64_t time_ns, const void *body,
                 uint32_t bytes) {
    uint8_t *room = engine_post_reserve(engine, source, node, time_ns, bytes);
    if (bytes > 0)
        memcpy(room, body, bytes);
}

/* From a node that lives elsewhere, for one that lives here. */
static bool comes_from_elsewhere(const struct engine *engine, const struct event_entry *entry) {
    const uint32_t *rank_of_node = engine->config.rank_of_node;
    uint32_t source = event_order_source(entry->key.order);
    if (entry->node >= engine->config.node_count || source >= engine->config.node_count)
        return false;
    return rank_of_node == NULL ||
           (rank_of_node[entry->node] == engine->config.rank && rank_of_node[source] != engine->config.rank);
}

enum status engine_ingest(struct engine *engine, const uint8_t *data, size_t size) {
    while (size > 0) {
        struct event_entry entry;
        uint32_t bytes;
        if (size < ENGINE_RECORD_HEADER_BYTES)
            return STATUS_INVALID;
        memcpy(&entry.key.time_ns, data, 8);
        memcpy(&entry.key.order, data + 8, 8);
        memcpy(&entry.node, data + 16, 4);
        memcpy(&bytes, data + 20, 4);
        data += ENGINE_RECORD_HEADER_BYTES;
        size -= ENGINE_RECORD_HEADER_BYTES;
        if (bytes > size || event_key_before(entry.key, engine->now) || !comes_from_elsewhere(engine, &entry))
            return STATUS_INVALID;
        entry.body = bytes > 0 ? body_take(engine, bytes) : BODY_NONE;
        if (bytes > 0)
            memcpy(engine->bodies[entry.body].data, data, bytes);
        event_queue_push(&engine->queue, entry);
        data += bytes;
        size -= bytes;
    }
    return STATUS_OK;
}

/* ---- running ---- */

static void loop_remember(struct engine *engine, const struct event_entry *entry) {
    uint32_t at = engine->loop_count++ % ENGINE_LOOP_MEMORY;
    engine->loop_source[at] = event_order_source(entry->key.order);
    engine->loop_node[at] = entry->node;
}

static size_t put_name(const struct engine *engine, uint32_t node, char *text, size_t size) {
    int length = engine->config.name != NULL
                     ? snprintf(text, size, "%s", engine->config.name(engine->config.context, node))
                     : snprintf(text, size, "node %u", node);
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

static bool pair_seen(const struct engine *engine, uint32_t at) {
    for (uint32_t i = 0; i < at; i++)
        if (engine->loop_source[i] == engine->loop_source[at] &&
            engine->loop_node[i] == engine->loop_node[at])
            return true;
    return false;
}

/* Names each "source -> node" pair of the last steps once. */
static enum status loop_error(const struct engine *engine, struct error *error) {
    char pairs[512] = "";
    size_t used = 0;
    uint32_t known = engine->loop_count < ENGINE_LOOP_MEMORY ? engine->loop_count : ENGINE_LOOP_MEMORY;
    for (uint32_t i = 0; i < known && used < sizeof pairs - 120; i++) {
        if (pair_seen(engine, i))
            continue;
        used += (size_t)snprintf(pairs + used, sizeof pairs - used, "%s", used ? ", " : "");
        used += put_name(engine, engine->loop_source[i], pairs + used, 50);
        used += (size_t)snprintf(pairs + used, sizeof pairs - used, " -> ");
        used += put_name(engine, engine->loop_node[i], pairs + used, 50);
    }
    return error_set(
        error, STATUS_LIMIT,
        "zero-delay loop at t = %.9f s: more than %u steps at one time between %s; give one of these "
        "messages a delay, or raise superdense_max",
        vtime_to_s(engine->now.time_ns), engine->config.step_max, pairs);
}

static enum status execute(struct engine *engine, struct event_entry entry) {
    const struct engine_body *body = &engine->bodies[entry.body];
    struct engine_event event = {entry.key, entry.node, entry.body ? body->bytes : 0, body->data};
    engine->now = entry.key;
    engine->executed++;
    enum status status = engine->config.deliver(engine->config.context, engine, &event);
    if (entry.body != BODY_NONE)
        body_give(engine, entry.body);
    return status;
}

/* The states of thousands of nodes do not stay in the cache: asks for those of the next events while this one
 * runs. */
static inline void fetch_ahead(const struct engine *engine) {
    const struct event_queue *queue = &engine->queue;
    const char *states = engine->config.states;
    if (states == NULL)
        return;
    for (size_t i = 0; i < FETCH_AHEAD && i < queue->heap_count; i++)
        __builtin_prefetch(states + queue->heap[i].node * engine->config.state_bytes, 1);
}

enum status engine_run(struct engine *engine, struct event_key bound, struct error *error) {
    uint32_t late_step =
        engine->config.step_max > ENGINE_LOOP_MEMORY ? engine->config.step_max - ENGINE_LOOP_MEMORY : 0;
    for (;;) {
        const struct event_entry *first = event_queue_peek(&engine->queue);
        if (first == NULL || !event_key_before(first->key, bound))
            return STATUS_OK;
        struct event_entry entry = event_queue_pop(&engine->queue);
        fetch_ahead(engine);
        uint32_t step = event_order_step(entry.key.order);
        if (__builtin_expect(step > late_step, 0)) {
            loop_remember(engine, &entry);
            if (step > engine->config.step_max) {
                engine->now = entry.key;
                return loop_error(engine, error);
            }
        }
        enum status status = execute(engine, entry);
        if (__builtin_expect(status != STATUS_OK, 0))
            return status;
    }
}

struct event_key engine_next(struct engine *engine) {
    const struct event_entry *first = event_queue_peek(&engine->queue);
    return first == NULL ? EVENT_KEY_NEVER : first->key;
}

struct event_key engine_emission(struct event_key next, int64_t lookahead_ns) {
    if (next.time_ns == VTIME_NEVER || lookahead_ns == VTIME_NEVER)
        return EVENT_KEY_NEVER;
    if (lookahead_ns > 0)
        return (struct event_key){
            next.time_ns > VTIME_NEVER - lookahead_ns ? VTIME_NEVER : next.time_ns + lookahead_ns, 0};
    uint32_t step = event_order_step(next.order);
    return step >= EVENT_STEP_MAX ? (struct event_key){next.time_ns + 1, 0}
                                  : (struct event_key){next.time_ns, event_order(step + 1, 0, 0)};
}
