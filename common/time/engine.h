/* engine: executes the events of the nodes that live in this process, window by window, in the one order.
 *
 * It knows nothing of messages, links or MPI. Events for nodes elsewhere are gathered in one batch per
 * process rank; whoever owns the engine ships the batches (nodes/process.c) and feeds arriving ones back in.
 * An event at the very time of the one that causes it takes the next superdense step; the number of steps is
 * bounded, and the error names the nodes that form the loop. */
#ifndef TIERBED_TIME_ENGINE_H
#define TIERBED_TIME_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/time/event_queue.h"

struct engine;

/* What a handler sees. `body` is borrowed for the call. */
struct engine_event {
    struct event_key key;
    uint32_t node;
    uint32_t bytes;
    const uint8_t *body;
};

typedef enum status (*engine_deliver)(void *context, struct engine *engine, const struct engine_event *event);

/* One process's share of pending remote events: records of ENGINE_RECORD_HEADER_BYTES + body, back to back.
 */
struct engine_batch {
    uint8_t *data;
    size_t used, capacity;
    struct event_key earliest;
};

#define ENGINE_RECORD_HEADER_BYTES ((size_t)24)
#define ENGINE_BATCH_HEADER_BYTES ((size_t)8) /* room in front for whoever ships the batch */
#define ENGINE_LOOP_MEMORY 16u

struct engine_body { /* the content of one pending event; kept for reuse */
    uint8_t *data;
    uint32_t bytes, capacity, next_free;
};

struct engine_config {
    uint32_t node_count;
    uint32_t rank, rank_count;
    const uint32_t *rank_of_node; /* borrowed; NULL when everything is here */
    uint32_t step_max;            /* same-time steps allowed, at most EVENT_STEP_MAX */
    engine_deliver deliver;
    const char *(*name)(void *context, uint32_t node); /* for errors; NULL: numbers */
    void *context;
    const void
        *states; /* array of the nodes' states, so that the next one's can be fetched ahead; NULL: none */
    size_t state_bytes;
};

struct engine {
    struct engine_config config;
    struct event_queue queue;
    uint32_t *sequence; /* per node: the next sequence number of what it sends */
    struct event_key now;
    struct engine_body *bodies;
    uint32_t body_count, body_capacity, body_free;
    struct engine_batch *batches; /* per rank */
    uint64_t executed;
    uint32_t loop_source[ENGINE_LOOP_MEMORY],
        loop_node[ENGINE_LOOP_MEMORY]; /* the last late steps, for the error */
    uint32_t loop_count;
};

void engine_init(struct engine *engine, const struct engine_config *config);
void engine_close(struct engine *engine);

/* Schedules an event from `source` (a node of this process) for `node` (anywhere) at `time_ns` >= now. The
 * body is copied. Never fails: memory is bounded by what nodes' own queues allow. */
void engine_post(struct engine *engine, uint32_t source, uint32_t node, int64_t time_ns, const void *body,
                 uint32_t bytes);

/* As engine_post, but returns room for the body, to be filled at once by the caller (valid until the next
 * post). */
uint8_t *engine_post_reserve(struct engine *engine, uint32_t source, uint32_t node, int64_t time_ns,
                             uint32_t bytes);

/* Takes the records of a batch from another process, without its header. STATUS_INVALID when it is malformed,
 * names a node that is not here, or claims to come from one that is.
 */
enum status engine_ingest(struct engine *engine, const uint8_t *data, size_t size);

/* Executes everything before `bound`. STATUS_LIMIT with the loop named when the step bound is reached;
 * otherwise what `deliver` returned. */
enum status engine_run(struct engine *engine, struct event_key bound, struct error *error);

/* The key of the first pending event, EVENT_KEY_NEVER when none. */
struct event_key engine_next(struct engine *engine);

/* The least key that an event caused at `next` can have elsewhere, with `lookahead_ns` to the nearest other
 * process: a later time, or the next step of the same time when there is no lookahead. */
struct event_key engine_emission(struct event_key next, int64_t lookahead_ns);

#endif
