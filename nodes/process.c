#include "nodes/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/time/wall.h"
#include "nodes/loop.h"
#include "nodes/sync.h"

#define DIRECTOR_RANK 0u

static uint8_t *scratch(struct process *process, size_t size) {
    if (size > process->scratch_capacity) {
        process->scratch = memory_grow(process->scratch, size, 1, "a report");
        process->scratch_capacity = size;
    }
    return process->scratch;
}

/* A process that cannot reach the director ends; the director sees that it is gone. */
static void tell_director(struct process *process, const struct bytes_writer *writer) {
    enum status status =
        bus_send(process->config.bus, DIRECTOR_RANK, BUS_CONTROL, writer->data, writer->used);
    if (status == STATUS_OK)
        return;
    process->status =
        error_set(&process->error, status, "the bus cannot take %zu bytes for the director (%s)",
                  writer->used, status_name(status));
    process->finished = true;
}

static void tell_bytes(struct process *process, enum sync_kind kind, const uint8_t *data, size_t size) {
    struct bytes_writer writer = bytes_writer_over(scratch(process, size + 1), size + 1);
    bytes_put_u8(&writer, (uint8_t)kind);
    bytes_put(&writer, data, size);
    tell_director(process, &writer);
}

static void join(struct process *process) {
    size_t size;
    const uint8_t *part;
    if (process->config.next_join == NULL)
        return;
    while ((part = process->config.next_join(process->config.context, &size)) != NULL)
        tell_bytes(process, SYNC_JOIN, part, size);
}

void process_init(struct process *process, const struct process_config *config) {
    memset(process, 0, sizeof *process);
    process->config = *config;
    join(process);
    struct bytes_writer writer = bytes_writer_over(scratch(process, 64), 64);
    struct sync_hello hello = {engine_next(config->engine), config->lookahead_ns};
    sync_put_hello(&writer, &hello);
    tell_director(process, &writer);
    bus_flush(config->bus);
}

void process_close(struct process *process) {
    free(process->scratch);
    process->scratch = NULL;
}

static void tell_rows(struct process *process) {
    size_t size = 0;
    const uint8_t *rows =
        process->config.take_rows ? process->config.take_rows(process->config.context, &size) : NULL;
    if (size > 0)
        tell_bytes(process, SYNC_ROWS, rows, size);
}

static void tell_failure(struct process *process, enum status status, const char *text) {
    uint8_t content[sizeof process->error.text + 1];
    size_t length = strlen(text);
    content[0] = (uint8_t)status;
    memcpy(content + 1, text, length);
    tell_bytes(process, SYNC_FAILURE, content, length + 1);
    bus_flush(process->config.bus);
}

static void finish(struct process *process) {
    tell_rows(process);
    size_t size = 0;
    const uint8_t *final = NULL;
    if (process->config.take_final)
        final = process->config.take_final(process->config.context, &size);
    tell_bytes(process, SYNC_FINAL, final, size);
    bus_flush(process->config.bus);
    process->finished = true;
}

static enum status on_events(struct process *process, const struct bus_message *message) {
    struct bytes_reader reader = bytes_reader_over(message->data, message->size);
    uint64_t round = bytes_get_u64(&reader);
    if (reader.failed)
        return STATUS_INVALID;
    process->batches_received++;
    process->newest_count =
        round > process->newest_round ? 1 : process->newest_count + (round == process->newest_round);
    process->newest_round = round > process->newest_round ? round : process->newest_round;
    return engine_ingest(process->config.engine, message->data + ENGINE_BATCH_HEADER_BYTES,
                         bytes_left(&reader));
}

/* Is every batch of earlier rounds here? */
static bool is_complete(const struct process *process) {
    uint64_t early = process->newest_round >= process->round ? process->newest_count : 0;
    return process->batches_received - early >= process->batches_expected;
}

enum status process_on_message(struct process *process, const struct bus_message *message) {
    if (message->lane == BUS_EVENTS)
        return on_events(process, message);
    struct bytes_reader reader = bytes_reader_over(message->data, message->size);
    switch (bytes_get_u8(&reader)) {
    case SYNC_GRANT: {
        struct sync_grant grant = sync_get_grant(&reader);
        if (!bytes_done(&reader))
            return STATUS_INVALID;
        process->granted = true;
        process->bound = grant.bound;
        process->round = grant.round;
        process->batches_expected = grant.batches;
        if (process->config.pacer != NULL)
            pacer_hear(process->config.pacer, grant.elapsed_ns);
        return STATUS_OK;
    }
    case SYNC_ADMIT:
        return process->config.on_admission == NULL
                   ? STATUS_INVALID
                   : process->config.on_admission(process->config.context, message->data + 1,
                                                  message->size - 1);
    case SYNC_FINISH:
        process->abandon = bytes_get_u8(&reader) == 0;
        finish(process);
        return STATUS_OK;
    default:
        return STATUS_INVALID;
    }
}

/* A batch that the bus cannot take would leave its receiver waiting for ever. */
static enum status send_batch(struct process *process, uint32_t rank, struct engine_batch *batch) {
    memcpy(batch->data, &process->round, ENGINE_BATCH_HEADER_BYTES);
    enum status status = bus_send(process->config.bus, rank, BUS_EVENTS, batch->data, batch->used);
    if (status != STATUS_OK)
        return error_set(
            &process->error, status,
            "the bus cannot take %zu bytes of events for rank %u (%s); use fewer or shorter windows "
            "in flight: a longer slot, fewer nodes per process",
            batch->used, rank, status_name(status));
    process->batches_sent++;
    process->bytes_sent += batch->used;
    return STATUS_OK;
}

/* Sends every batch of the window and describes them in the report. */
static enum status report(struct process *process) {
    struct engine *engine = process->config.engine;
    uint32_t ranks = engine->config.rank_count;
    size_t room = SYNC_REPORT_BYTES + ranks * SYNC_SENT_BYTES;
    struct bytes_writer writer = bytes_writer_over(scratch(process, room), room);
    struct sync_report head = {engine_next(engine), engine->executed, 0};
    for (uint32_t rank = 0; rank < ranks; rank++)
        head.sent_count += engine->batches[rank].used > 0;
    sync_put_report(&writer, &head);
    for (uint32_t rank = 0; rank < ranks && head.sent_count > 0; rank++) {
        struct engine_batch *batch = &engine->batches[rank];
        if (batch->used == 0)
            continue;
        TRY(send_batch(process, rank, batch));
        sync_put_sent(&writer, &(struct sync_sent){rank, batch->earliest});
        batch->used = 0;
        batch->earliest = EVENT_KEY_NEVER;
    }
    tell_director(process, &writer);
    bus_flush(process->config.bus);
    return STATUS_OK;
}

bool process_step(struct process *process) {
    if (process->finished || !process->granted || !is_complete(process))
        return false;
    process->granted = false;
    process->windows++;
    double begin_s = wall_now_s();
    process->error.text[0] = '\0';
    process->status = engine_run(process->config.engine, process->bound, &process->error);
    process->busy_s += wall_now_s() - begin_s;
    tell_rows(process);
    if (process->status == STATUS_OK)
        process->status = report(process);
    if (process->status != STATUS_OK)
        tell_failure(process, process->status, process->error.text);
    return true;
}
