/* outbox: two growing arrays, actions and payload bytes, both bounded. Nothing is carried out here. */
#include "nodes/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void outbox_init(struct outbox *out) {
    *out = (struct outbox){0};
}

void outbox_reset(struct outbox *out) {
    out->count = 0;
    out->bytes_used = 0;
    out->status = STATUS_OK;
}

void outbox_close(struct outbox *out) {
    free(out->actions);
    free(out->bytes);
    *out = (struct outbox){0};
}

static bool fail(struct outbox *out, enum status status) {
    if (out->status == STATUS_OK)
        out->status = status;
    return false;
}

/* Makes room for `bytes` more payload bytes; false (and a sticky status) when there is none. */
static bool grow_bytes(struct outbox *out, size_t bytes) {
    if (out->status != STATUS_OK)
        return false;
    if (bytes > OUTBOX_BYTES_MAX - out->bytes_used)
        return fail(out, STATUS_LIMIT);
    size_t need = out->bytes_used + bytes;
    if (need <= out->bytes_capacity)
        return true;
    size_t capacity = out->bytes_capacity ? out->bytes_capacity : 1024;
    while (capacity < need)
        capacity *= 2;
    uint8_t *grown = realloc(out->bytes, capacity);
    if (!grown)
        return fail(out, STATUS_MEMORY);
    out->bytes = grown;
    out->bytes_capacity = capacity;
    return true;
}

/* A zeroed action at the end of the list; NULL (and a sticky status) when there is no room. */
static struct action *append(struct outbox *out, enum action_kind kind) {
    if (out->status != STATUS_OK)
        return NULL;
    if (out->count == out->capacity) {
        uint32_t capacity = out->capacity ? out->capacity * 2 : 16;
        if (capacity > OUTBOX_ACTIONS_MAX) {
            fail(out, STATUS_LIMIT);
            return NULL;
        }
        struct action *grown = realloc(out->actions, capacity * sizeof *grown);
        if (!grown) {
            fail(out, STATUS_MEMORY);
            return NULL;
        }
        out->actions = grown;
        out->capacity = capacity;
    }
    struct action *action = &out->actions[out->count++];
    *action = (struct action){.kind = (uint8_t)kind};
    return action;
}

/* As append, with `bytes` payload bytes that are (or will be) at the end of what is used. */
static struct action *append_payload(struct outbox *out, enum action_kind kind, size_t bytes) {
    struct action *action = append(out, kind);
    if (!action)
        return NULL;
    action->offset = (uint32_t)out->bytes_used;
    action->bytes = (uint32_t)bytes;
    out->bytes_used += bytes;
    return action;
}

struct bytes_writer outbox_reserve(struct outbox *out, size_t bytes_max) {
    if (!grow_bytes(out, bytes_max))
        return bytes_writer_over(NULL, 0);
    return bytes_writer_over(out->bytes + out->bytes_used, bytes_max);
}

void outbox_send_reserved(struct outbox *out, uint32_t destination, enum message_type type,
                          const struct bytes_writer *writer, uint64_t bits, uint32_t urgency) {
    if (out->status != STATUS_OK)
        return;
    assert(writer->data == out->bytes + out->bytes_used); /* the last reservation, nothing appended since */
    assert(!writer->failed); /* whoever reserves knows the size of what it encodes */
    struct action *action = append_payload(out, ACTION_SEND, writer->used);
    if (!action)
        return;
    action->type = (uint16_t)type;
    action->node = destination;
    action->urgency = urgency;
    action->bits = bits ? bits : (uint64_t)writer->used * 8;
}

void outbox_send(struct outbox *out, uint32_t destination, enum message_type type, const void *payload,
                 size_t bytes, uint64_t bits, uint32_t urgency) {
    struct bytes_writer writer = outbox_reserve(out, bytes);
    if (out->status != STATUS_OK)
        return;
    bytes_put(&writer, payload, bytes);
    outbox_send_reserved(out, destination, type, &writer, bits, urgency);
}

void outbox_timer(struct outbox *out, int64_t at_ns, uint32_t timer, uint64_t cookie) {
    struct action *action = append(out, ACTION_TIMER);
    if (!action)
        return;
    action->node = timer;
    action->bits = cookie;
    action->at_ns = at_ns;
}

void outbox_persist(struct outbox *out, const void *data, size_t bytes) {
    if (!grow_bytes(out, bytes))
        return;
    if (bytes)
        memcpy(out->bytes + out->bytes_used, data, bytes);
    append_payload(out, ACTION_PERSIST, bytes);
}

static void record(struct outbox *out, const struct row *row) {
    struct bytes_writer writer = outbox_reserve(out, ROW_BYTES_MAX);
    if (out->status != STATUS_OK)
        return;
    row_encode(&writer, row);
    assert(!writer.failed);
    struct action *action = append_payload(out, ACTION_RECORD, writer.used);
    if (action)
        action->type = (uint16_t)row->kind;
}

void outbox_persist_reserved(struct outbox *out, const struct bytes_writer *writer) {
    if (out->status != STATUS_OK)
        return;
    assert(writer->data == out->bytes + out->bytes_used && !writer->failed);
    append_payload(out, ACTION_PERSIST, writer->used);
}

void outbox_record_task(struct outbox *out, const struct row_task *row) {
    record(out, &(struct row){.kind = ROW_TASK, .as.task = *row});
}

void outbox_record_series(struct outbox *out, const char *name, uint32_t step, double value) {
    assert(row_name_valid(name, ROW_SERIES_NAME_MAX));
    struct row row = {.kind = ROW_SERIES, .as.series = {.step = step, .value = value}};
    memcpy(row.as.series.name, name, strlen(name) + 1);
    record(out, &row);
}

void outbox_record_result(struct outbox *out, const char *name, const char *unit, double value) {
    assert(row_name_valid(name, ROW_RESULT_NAME_MAX) && row_unit_valid(unit));
    struct row row = {.kind = ROW_RESULT, .as.result = {.value = value}};
    memcpy(row.as.result.name, name, strlen(name) + 1);
    memcpy(row.as.result.unit, unit, strlen(unit) + 1);
    record(out, &row);
}

enum status outbox_adopt(struct outbox *out, const uint8_t *actions, uint32_t count, const uint8_t *bytes,
                         size_t bytes_used) {
    outbox_reset(out);
    if (!grow_bytes(out, bytes_used))
        return out->status;
    if (bytes_used > 0)
        memcpy(out->bytes, bytes, bytes_used);
    out->bytes_used = bytes_used;
    for (uint32_t i = 0; i < count; i++) {
        struct action action;
        memcpy(&action, actions + i * sizeof action, sizeof action);
        if (action.kind < ACTION_SEND || action.kind > ACTION_RECORD || action.offset > bytes_used ||
            action.bytes > bytes_used - action.offset)
            return STATUS_PEER;
        struct action *room = append(out, (enum action_kind)action.kind);
        if (room == NULL)
            return out->status;
        *room = action;
    }
    return STATUS_OK;
}
