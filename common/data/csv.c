/* csv: the bounded reader of vibration in text columns, for files users export themselves. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/data/vibration.h"

#define LINE_MAX_BYTES 4096

struct csv_reader {
    const char *name;
    const uint8_t *data;
    size_t size, used;
    size_t line_number;
    bool header_seen, time_first;
    double time_first_s, time_last_s;
    struct vibration vibration;
    size_t capacity;
};

static bool is_separator(char c) {
    return c == ',' || c == ';' || c == '\t' || c == ' ';
}

/* Copies the next line without its end into `line`. False at the end of the data. */
static bool line_next(struct csv_reader *reader, char line[LINE_MAX_BYTES], bool *too_long) {
    if (reader->used >= reader->size)
        return false;
    const uint8_t *start = reader->data + reader->used;
    const uint8_t *end = memchr(start, '\n', reader->size - reader->used);
    size_t length = end != NULL ? (size_t)(end - start) : reader->size - reader->used;
    reader->used += length + (end != NULL);
    reader->line_number++;
    *too_long = length >= LINE_MAX_BYTES;
    if (*too_long)
        length = LINE_MAX_BYTES - 1;
    memcpy(line, start, length);
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return true;
}

/* Reads a number and moves past it and one separator with the blanks around it. False when no number stands
 * there. */
static bool number_next(const char **text, double *value) {
    while (**text == ' ' || **text == '\t')
        (*text)++;
    char *end;
    errno = 0;
    *value = strtod(*text, &end);
    if (end == *text || (*end != '\0' && !is_separator(*end)) || !isfinite(*value))
        return false;
    while (*end == ' ' || *end == '\t')
        end++;
    if (*end == ',' || *end == ';')
        end++;
    *text = end;
    return true;
}

/* True for what strtod understands at all, also infinities and what is beyond the range: those are no titles.
 */
static bool begins_as_number(const char *line) {
    char *end;
    (void)strtod(line, &end);
    return end != line;
}

static void header_read(struct csv_reader *reader, const char *line) {
    while (*line == ' ' || *line == '"')
        line++;
    size_t length = 0;
    while (isalpha((unsigned char)line[length]))
        length++;
    reader->time_first =
        (length == 4 && strncasecmp(line, "time", 4) == 0) || (length == 1 && (*line == 't' || *line == 'T'));
    reader->header_seen = true;
}

static enum status comment_read(struct csv_reader *reader, const char *line, struct error *error) {
    const char *text = line + 1;
    while (*text == ' ')
        text++;
    const char key[] = "sample_rate_hz=";
    if (strncmp(text, key, sizeof(key) - 1) != 0)
        return STATUS_OK;
    text += sizeof(key) - 1;
    double rate_hz;
    if (!number_next(&text, &rate_hz) || rate_hz <= 0.0)
        return error_set(error, STATUS_INVALID, "%s:%zu: expected a rate such as `# sample_rate_hz=12000`",
                         reader->name, reader->line_number);
    reader->vibration.sample_rate_hz = rate_hz;
    return STATUS_OK;
}

static enum status sample_add(struct csv_reader *reader, double value, struct error *error) {
    struct vibration *vibration = &reader->vibration;
    if (vibration->count == VIBRATION_SAMPLES_MAX)
        return error_set(error, STATUS_LIMIT, "%s: holds more than %zu samples", reader->name,
                         VIBRATION_SAMPLES_MAX);
    if (vibration->count == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? 4096 : reader->capacity * 2;
        float *grown = realloc(vibration->samples, capacity * sizeof(*grown));
        if (grown == NULL)
            return error_set(error, STATUS_MEMORY, "%s: no memory for %zu samples", reader->name, capacity);
        vibration->samples = grown;
        reader->capacity = capacity;
    }
    vibration->samples[vibration->count++] = (float)value;
    return STATUS_OK;
}

static enum status row_read(struct csv_reader *reader, const char *line, struct error *error) {
    const char *text = line;
    double first, value;
    bool is_number = number_next(&text, &first);
    if (!is_number && !reader->header_seen && reader->vibration.count == 0 && !begins_as_number(line)) {
        header_read(reader, line);
        return STATUS_OK;
    }
    value = first;
    if (is_number && reader->time_first) {
        is_number = number_next(&text, &value);
        reader->time_first_s = reader->vibration.count == 0 ? first : reader->time_first_s;
        reader->time_last_s = first;
    }
    if (!is_number)
        return error_set(error, STATUS_INVALID, "%s:%zu: expected a number%s, got `%.40s`", reader->name,
                         reader->line_number, reader->time_first ? " of time and one of vibration" : "",
                         line);
    return sample_add(reader, value, error);
}

static enum status rows_read(struct csv_reader *reader, struct error *error) {
    char line[LINE_MAX_BYTES];
    bool too_long;
    while (line_next(reader, line, &too_long)) {
        if (too_long)
            return error_set(error, STATUS_INVALID,
                             "%s:%zu: a line of over %d bytes; expected one sample a line", reader->name,
                             reader->line_number, LINE_MAX_BYTES);
        if (line[0] == '#')
            TRY(comment_read(reader, line, error));
        else if (line[strspn(line, " \t")] != '\0')
            TRY(row_read(reader, line, error));
    }
    return STATUS_OK;
}

enum status csv_decode(const uint8_t *data, size_t size, const char *name, struct vibration *vibration,
                       struct error *error) {
    struct csv_reader reader = {.name = name, .data = data, .size = size};
    enum status status = rows_read(&reader, error);
    size_t count = reader.vibration.count;
    double span_s = reader.time_last_s - reader.time_first_s;
    if (status == STATUS_OK && count == 0)
        status = error_set(error, STATUS_INVALID, "%s: holds no samples", name);
    if (status == STATUS_OK && reader.time_first && (count < 2 || !(span_s > 0.0)))
        status = error_set(error, STATUS_INVALID, "%s: its time column does not increase", name);
    if (status != STATUS_OK) {
        vibration_close(&reader.vibration);
        return status;
    }
    if (reader.time_first)
        reader.vibration.sample_rate_hz = (double)(count - 1) / span_s;
    *vibration = reader.vibration;
    return STATUS_OK;
}
