#include "common/net/trace_file.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/vtime.h"

/* One pass over the text; `line` is for messages. */
struct reader {
    const char *text;
    size_t size, used;
    const char *name;
    uint32_t line;
    struct error *error;
};

static enum status refuse(const struct reader *reader, const char *what) {
    return error_set(reader->error, STATUS_INVALID,
                     "%s:%u: %s; expected one whole number of milliseconds a line", reader->name,
                     reader->line, what);
}

/* The bytes of the next line are consumed with their end: "\n", "\r\n", or the end of the text. */
static enum status read_stamp(struct reader *reader, uint32_t *stamp_ms) {
    uint64_t value = 0;
    size_t first = reader->used;
    while (reader->used < reader->size && reader->text[reader->used] >= '0' &&
           reader->text[reader->used] <= '9') {
        value = value * 10 + (uint64_t)(reader->text[reader->used++] - '0');
        if (value > TRACE_STAMP_MS_MAX)
            return refuse(reader, "the stamp is above 2000000000 ms");
    }
    bool digits = reader->used > first;
    if (reader->used + 1 < reader->size && reader->text[reader->used] == '\r' &&
        reader->text[reader->used + 1] == '\n')
        reader->used++;
    if (reader->used < reader->size && reader->text[reader->used] != '\n')
        return refuse(reader, "a character that is no digit");
    if (!digits)
        return refuse(reader, "a blank line");
    if (reader->used < reader->size)
        reader->used++;
    *stamp_ms = (uint32_t)value;
    return STATUS_OK;
}

/* An upper bound on the number of stamps, so that memory is taken once. */
static size_t count_lines(const char *text, size_t size) {
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' || i + 1 == size;
    return lines;
}

static enum status read_stamps(struct reader *reader, struct trace_file *trace) {
    while (reader->used < reader->size) {
        reader->line++;
        uint32_t stamp_ms = 0;
        TRY(read_stamp(reader, &stamp_ms));
        if (trace->count > 0 && stamp_ms < trace->stamps_ms[trace->count - 1])
            return refuse(reader, "the stamp is smaller than the one before it");
        trace->stamps_ms[trace->count++] = stamp_ms;
    }
    if (trace->count == 0 || trace->stamps_ms[trace->count - 1] == 0)
        return error_set(reader->error, STATUS_INVALID,
                         "%s: the trace has no length; its last line must be a stamp above 0 ms",
                         reader->name);
    trace->period_ms = trace->stamps_ms[trace->count - 1];
    return STATUS_OK;
}

enum status trace_file_parse(const char *text, size_t size, const char *name, struct trace_file *trace,
                             struct error *error) {
    *trace = (struct trace_file){0};
    if (size > TRACE_FILE_BYTES_MAX)
        return error_set(error, STATUS_INVALID, "%s: a trace may have %zu bytes at most", name,
                         TRACE_FILE_BYTES_MAX);
    size_t lines = count_lines(text, size);
    if (lines > TRACE_STAMPS_MAX)
        return error_set(error, STATUS_INVALID, "%s: %zu lines; a trace may have %u at most", name, lines,
                         TRACE_STAMPS_MAX);
    trace->stamps_ms = calloc(lines + 1, sizeof *trace->stamps_ms);
    if (trace->stamps_ms == NULL)
        return error_set(error, STATUS_MEMORY, "%s: no memory for %zu stamps", name, lines);
    struct reader reader = {.text = text, .size = size, .name = name, .error = error};
    enum status status = read_stamps(&reader, trace);
    if (status != STATUS_OK)
        trace_file_close(trace);
    return status;
}

/* Reads at most one byte more than the bound, so that a file of any size, or a device, is refused in time. */
static enum status read_all(FILE *file, const char *path, char **text, size_t *size, struct error *error) {
    size_t capacity = (size_t)1 << 16;
    *text = malloc(capacity);
    *size = 0;
    while (*text != NULL) {
        *size += fread(*text + *size, 1, capacity - *size, file);
        if (*size < capacity || *size > TRACE_FILE_BYTES_MAX)
            break;
        capacity *= 2;
        char *larger = realloc(*text, capacity);
        if (larger == NULL)
            free(*text);
        *text = larger;
    }
    if (*text == NULL)
        return error_set(error, STATUS_MEMORY, "%s: no memory to read the trace", path);
    if (ferror(file))
        return error_set_errno(error, STATUS_IO, "cannot read trace file %s", path);
    return STATUS_OK;
}

enum status trace_file_load(const char *path, struct trace_file *trace, struct error *error) {
    *trace = (struct trace_file){0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set_errno(error, STATUS_IO, "cannot open trace file %s", path);
    char *text = NULL;
    size_t size = 0;
    enum status status = read_all(file, path, &text, &size, error);
    if (status == STATUS_OK)
        status = trace_file_parse(text, size, path, trace, error);
    free(text);
    fclose(file);
    return status;
}

void trace_file_close(struct trace_file *trace) {
    free(trace->stamps_ms);
    *trace = (struct trace_file){0};
}

int64_t trace_file_time_ns(const struct trace_file *trace, uint64_t index) {
    uint64_t round = index / trace->count;
    uint64_t stamp_ms = trace->stamps_ms[index % trace->count];
    unsigned __int128 time_ns =
        ((unsigned __int128)round * trace->period_ms + stamp_ms) * (uint64_t)VTIME_NS_PER_MS;
    return time_ns < (unsigned __int128)VTIME_NEVER ? (int64_t)time_ns : VTIME_NEVER;
}

uint64_t trace_file_after(const struct trace_file *trace, int64_t time_ns) {
    assert(time_ns >= -1);
    if (time_ns < 0)
        return 0;
    uint64_t time_ms = (uint64_t)(time_ns / VTIME_NS_PER_MS); /* stamps are whole: later than this, in ms */
    uint64_t round = time_ms / trace->period_ms;
    uint64_t within_ms = time_ms % trace->period_ms;
    uint32_t low = 0, high = trace->count;
    while (low < high) { /* the first stamp of the round above within_ms; the last one always is */
        uint32_t middle = low + (high - low) / 2;
        if (trace->stamps_ms[middle] > within_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return round * trace->count + low;
}

double trace_file_rate_bps(const struct trace_file *trace) {
    return (double)trace->count * TRACE_CHANCE_BITS / ((double)trace->period_ms * 1e-3);
}
