/* bus_memory: endpoints that share queues inside one process and one thread.
 *
 * Each endpoint has two byte buffers: senders append to `incoming`, the receiver walks `reading`; when that
 * is used up they change places. So a message just received stays where it is while others (or its receiver)
 * send, and no message costs an allocation of its own. One FIFO per endpoint keeps the order per sender and
 * lane. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/net/bus.h"
#include "common/net/bus_backend.h"

#define RECORD_ALIGN 16u
#define BUFFER_BYTES_FIRST ((size_t)4096)
#define BUFFER_BYTES_KEPT ((size_t)64 << 10) /* a larger one goes back to the system once it is used up */

struct record {
    uint32_t source;
    uint32_t lane;
    uint64_t size;
};

struct buffer {
    uint8_t *data;
    size_t used, read, capacity;
};

struct hub {
    uint32_t count, open_count;
    size_t pending_bytes; /* of all buffers, records included */
    struct endpoint **endpoints;
};

struct endpoint {
    struct bus bus; /* first: a struct bus * is a struct endpoint * */
    struct hub *hub;
    struct buffer incoming, reading;
    bool dead, closed;
};

static struct endpoint *endpoint_of(struct bus *bus) {
    return (struct endpoint *)bus;
}

static size_t record_bytes(size_t size) {
    return (sizeof(struct record) + size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

static enum status buffer_reserve(struct buffer *buffer, size_t extra) {
    size_t needed = buffer->used + extra;
    if (needed <= buffer->capacity)
        return STATUS_OK;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : BUFFER_BYTES_FIRST;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return STATUS_MEMORY;
    buffer->data = data;
    buffer->capacity = capacity;
    return STATUS_OK;
}

static void buffer_clear(struct buffer *buffer) {
    buffer->used = buffer->read = 0;
    if (buffer->capacity > BUFFER_BYTES_KEPT) {
        free(buffer->data);
        *buffer = (struct buffer){0};
    }
}

static enum status memory_send(struct bus *bus, uint32_t rank, enum bus_lane lane, const void *data,
                               size_t size) {
    struct hub *hub = endpoint_of(bus)->hub;
    struct endpoint *target = hub->endpoints[rank];
    if (target->dead || target->closed)
        return STATUS_OK; /* as a message that was under way when its receiver died */
    size_t bytes = record_bytes(size);
    if (hub->pending_bytes + bytes > BUS_PENDING_BYTES_MAX)
        return STATUS_FULL;
    TRY(buffer_reserve(&target->incoming, bytes));
    struct record record = {bus->rank, (uint32_t)lane, size};
    uint8_t *at = target->incoming.data + target->incoming.used;
    memcpy(at, &record, sizeof record);
    if (size > 0)
        memcpy(at + sizeof record, data, size);
    target->incoming.used += bytes;
    hub->pending_bytes += bytes;
    return STATUS_OK;
}

static bool memory_receive(struct bus *bus, struct bus_message *message) {
    struct endpoint *self = endpoint_of(bus);
    struct buffer *reading = &self->reading;
    if (reading->read == reading->used) {
        self->hub->pending_bytes -= reading->used;
        buffer_clear(reading);
        struct buffer empty = *reading;
        *reading = self->incoming;
        self->incoming = empty;
        if (reading->used == 0)
            return false;
    }
    struct record record;
    memcpy(&record, reading->data + reading->read, sizeof record);
    *message = (struct bus_message){.source = record.source,
                                    .lane = (enum bus_lane)record.lane,
                                    .data = reading->data + reading->read + sizeof record,
                                    .size = record.size};
    reading->read += record_bytes(record.size);
    return true;
}

static void memory_flush(struct bus *bus) {
    (void)bus;
}

/* Nobody else runs in this thread: what is not here now will not come by waiting. An endpoint that is alone and was given
 * a time sleeps for it (a director that holds events against the wall clock); a signal ends the sleep. */
static void memory_wait(struct bus *bus, int64_t timeout_ns) {
    const struct endpoint *endpoint = endpoint_of(bus);
    bool pending = endpoint->incoming.used > 0 || endpoint->reading.read < endpoint->reading.used;
    if (timeout_ns <= 0 || pending || endpoint->hub->count > 1)
        return;
    struct timespec sleep = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    nanosleep(&sleep, NULL);
}

static bool memory_peer_dead(struct bus *bus, uint32_t rank) {
    return endpoint_of(bus)->hub->endpoints[rank]->dead;
}

static bool memory_launcher_dead(struct bus *bus) {
    (void)bus;
    return false; /* there is none */
}

static void endpoint_empty(struct endpoint *endpoint) {
    endpoint->hub->pending_bytes -= endpoint->incoming.used + endpoint->reading.used;
    free(endpoint->incoming.data);
    free(endpoint->reading.data);
    endpoint->incoming = endpoint->reading = (struct buffer){0};
}

static void hub_free(struct hub *hub) {
    for (uint32_t i = 0; i < hub->count; i++)
        free(hub->endpoints[i]);
    free(hub->endpoints);
    free(hub);
}

/* The other endpoints still look at a closed one, so the memory goes with the last. */
static void memory_close(struct bus *bus) {
    struct endpoint *self = endpoint_of(bus);
    struct hub *hub = self->hub;
    assert(!self->closed);
    endpoint_empty(self);
    self->closed = true;
    if (--hub->open_count == 0)
        hub_free(hub);
}

static const struct bus_backend memory_backend = {
    .send = memory_send,
    .flush = memory_flush,
    .receive = memory_receive,
    .wait = memory_wait,
    .peer_dead = memory_peer_dead,
    .launcher_dead = memory_launcher_dead,
    .close = memory_close,
    .abandon = memory_close,
};

static enum status hub_create(uint32_t count, struct hub **created) {
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return STATUS_MEMORY;
    hub->endpoints = calloc(count, sizeof *hub->endpoints);
    if (hub->endpoints == NULL) {
        free(hub);
        return STATUS_MEMORY;
    }
    for (; hub->count < count; hub->count++) {
        struct endpoint *endpoint = calloc(1, sizeof *endpoint);
        if (endpoint == NULL) {
            hub_free(hub);
            return STATUS_MEMORY;
        }
        endpoint->bus = (struct bus){.backend = &memory_backend, .rank = hub->count, .size = count};
        endpoint->hub = hub;
        hub->endpoints[hub->count] = endpoint;
    }
    hub->open_count = count;
    *created = hub;
    return STATUS_OK;
}

enum status bus_memory_open(uint32_t count, struct bus ***endpoints, struct error *error) {
    assert(count > 0);
    struct bus **array = calloc(count, sizeof(struct bus *));
    struct hub *hub = NULL;
    if (array == NULL || hub_create(count, &hub) != STATUS_OK) {
        free(array);
        return error_set(error, STATUS_MEMORY, "no memory for a bus of %u endpoints in one process", count);
    }
    for (uint32_t i = 0; i < count; i++)
        array[i] = &hub->endpoints[i]->bus;
    *endpoints = array;
    return STATUS_OK;
}

void bus_memory_kill(struct bus *bus, uint32_t rank) {
    struct endpoint *victim = endpoint_of(bus)->hub->endpoints[rank];
    if (!victim->closed)
        endpoint_empty(victim);
    victim->dead = true;
}
