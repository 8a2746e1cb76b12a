/* The part of one process: a header and fixed little-endian records. Merging is in trace_merge.c. */
#include "common/record/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/bytes.h"
#include "common/net/message.h"
#include "common/record/trace_file.h"

#define TRACE_BUFFER_ENTRIES 1024u

struct trace {
    FILE *stream;
    char *path;
    uint32_t used;
    uint8_t buffer[TRACE_BUFFER_ENTRIES * TRACE_ENTRY_BYTES];
};

void trace_entry_encode(struct bytes_writer *writer, const struct trace_entry *entry) {
    bytes_put_i64(writer, entry->time_ns);
    bytes_put_u64(writer, entry->order);
    bytes_put_u32(writer, entry->node);
    bytes_put_u32(writer, entry->source);
    bytes_put_u16(writer, entry->type);
    bytes_put_u16(writer, entry->flags);
    bytes_put_u32(writer, entry->bytes);
    bytes_put_u64(writer, entry->bits);
    bytes_put_u64(writer, entry->digest);
}

void trace_entry_decode(struct bytes_reader *reader, struct trace_entry *entry) {
    entry->time_ns = bytes_get_i64(reader);
    entry->order = bytes_get_u64(reader);
    entry->node = bytes_get_u32(reader);
    entry->source = bytes_get_u32(reader);
    entry->type = bytes_get_u16(reader);
    entry->flags = bytes_get_u16(reader);
    entry->bytes = bytes_get_u32(reader);
    entry->bits = bytes_get_u64(reader);
    entry->digest = bytes_get_u64(reader);
}

const char *trace_type_name(uint16_t type) {
    static const char *const names[TRACE_TYPE_END - TRACE_TIMER] = {"timer", "network-card", "fault"};
    if (type >= TRACE_TIMER && type < TRACE_TYPE_END)
        return names[type - TRACE_TIMER];
    const struct message_info *info = message_info(type);
    return info != NULL ? info->name : NULL;
}

enum status trace_open(const char *path, struct trace **trace, struct error *error) {
    *trace = NULL;
    struct trace *made = calloc(1, sizeof *made);
    if (made == NULL || (made->path = strdup(path)) == NULL) {
        free(made);
        return error_set(error, STATUS_MEMORY, "no memory for the trace %s", path);
    }
    made->stream = fopen(path, "we");
    if (made->stream == NULL ||
        fwrite(TRACE_MAGIC, 1, TRACE_MAGIC_BYTES, made->stream) != TRACE_MAGIC_BYTES) {
        enum status status = error_set_errno(error, STATUS_IO, "cannot create the trace %s", path);
        if (made->stream != NULL)
            fclose(made->stream);
        free(made->path);
        free(made);
        return status;
    }
    *trace = made;
    return STATUS_OK;
}

static enum status trace_flush(struct trace *trace, struct error *error) {
    size_t size = trace->used * TRACE_ENTRY_BYTES;
    trace->used = 0;
    if (fwrite(trace->buffer, 1, size, trace->stream) != size || fflush(trace->stream) != 0)
        return error_set_errno(error, STATUS_IO,
                               "cannot write the trace %s (what was written before is kept)", trace->path);
    return STATUS_OK;
}

enum status trace_add(struct trace *trace, const struct trace_entry *entry, struct error *error) {
    struct bytes_writer writer =
        bytes_writer_over(trace->buffer + (size_t)trace->used * TRACE_ENTRY_BYTES, TRACE_ENTRY_BYTES);
    trace_entry_encode(&writer, entry);
    trace->used++;
    return trace->used == TRACE_BUFFER_ENTRIES ? trace_flush(trace, error) : STATUS_OK;
}

enum status trace_close(struct trace *trace, struct error *error) {
    if (trace == NULL)
        return STATUS_OK;
    enum status status = trace_flush(trace, error);
    if (fclose(trace->stream) != 0 && status == STATUS_OK)
        status = error_set_errno(error, STATUS_IO, "cannot write the trace %s", trace->path);
    free(trace->path);
    free(trace);
    return status;
}
