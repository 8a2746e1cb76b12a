#include "nodes/edge/coordinator_durable.h"

#include <assert.h>

#define DURABLE_VERSION 1
#define HEAD_BYTES 17

void coordinator_persist(const struct coordinator *edge, struct outbox *out) {
    size_t bytes = edge->scheme->saved_bytes(edge->scheme_state);
    struct bytes_writer writer = outbox_reserve(out, HEAD_BYTES + bytes);
    if (out->status != STATUS_OK)
        return;
    bytes_put_u8(&writer, DURABLE_VERSION);
    bytes_put_u32(&writer, edge->device_count);
    bytes_put_u32(&writer, edge->step_base);
    bytes_put_u32(&writer, edge->step_base + edge->slot + 1);
    bytes_put_u32(&writer, (uint32_t)bytes);
    edge->scheme->save(edge->scheme_state, &writer);
    assert(!writer.failed && writer.used == HEAD_BYTES + bytes);
    outbox_persist_reserved(out, &writer);
}

enum status coordinator_recover(struct coordinator *edge, const uint8_t *durable, size_t durable_bytes,
                                bool new_run, struct error *error) {
    struct bytes_reader reader = bytes_reader_over(durable, durable_bytes);
    if (durable_bytes == 0)
        return STATUS_OK;
    uint8_t version = bytes_get_u8(&reader);
    uint32_t device_count = bytes_get_u32(&reader), base = bytes_get_u32(&reader),
             step = bytes_get_u32(&reader);
    uint32_t bytes = bytes_get_u32(&reader);
    if (reader.failed || version != DURABLE_VERSION || bytes != bytes_left(&reader))
        return error_set(error, STATUS_INVALID, "this is no checkpoint of an edge server, or it is damaged");
    if (device_count != edge->device_count)
        return error_set(error, STATUS_INVALID, "the checkpoint is of %u devices, the scenario has %u",
                         device_count, edge->device_count);
    if (edge->scheme->load(edge->scheme_state, &reader) != STATUS_OK || !bytes_done(&reader))
        return error_set(
            error, STATUS_INVALID,
            "the checkpoint does not fit the scheme and its options in this scenario, or it is damaged");
    edge->step_base = new_run ? step : base;
    return STATUS_OK;
}
