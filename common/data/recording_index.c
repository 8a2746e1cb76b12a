#include "common/data/recording_index.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/data/vibration.h"

#define INDEX_NAME "index.csv"
#define INDEX_BYTES_MAX ((size_t)1 << 22)
#define INDEX_LINE_MAX 2048
#define COLUMNS_MAX 32

void recording_index_close(struct recording_index *index) {
    free(index->entries);
    *index = (struct recording_index){0};
}

static enum status entry_add(struct recording_index *index, const struct recording_entry *entry,
                             struct error *error) {
    if (index->count == RECORDINGS_MAX)
        return error_set(error, STATUS_LIMIT, "more than %d recordings; split the directory", RECORDINGS_MAX);
    if (index->count % 64 == 0) {
        struct recording_entry *grown = realloc(index->entries, (index->count + 64) * sizeof(*grown));
        if (grown == NULL)
            return error_set(error, STATUS_MEMORY, "no memory for %zu recordings", index->count);
        index->entries = grown;
    }
    index->entries[index->count++] = *entry;
    return STATUS_OK;
}

/* True when `text` begins a part of a name: what stands before it is no letter or digit. */
static bool begins_part(const char *name, const char *text) {
    return text == name || !isalnum((unsigned char)text[-1]);
}

static enum bearing_class class_of_code(const char *name) {
    static const struct {
        const char *code;
        enum bearing_class class;
    } codes[] = {{"IR", BEARING_INNER}, {"OR", BEARING_OUTER}, {"B", BEARING_BALL}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        size_t length = strlen(codes[i].code);
        for (const char *at = name; (at = strcasestr(at, codes[i].code)) != NULL; at++)
            if (begins_part(name, at) && isdigit((unsigned char)at[length]))
                return codes[i].class;
    }
    return BEARING_CLASS_COUNT;
}

enum bearing_class recording_class_of_name(const char *file) {
    const char *slash = strrchr(file, '/'), *name = slash == NULL ? file : slash + 1;
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        if (strcasestr(name, bearing_class_name((enum bearing_class) class)) != NULL)
            return (enum bearing_class) class;
    return class_of_code(name);
}

double recording_rate_of_name(const char *file) {
    const char *slash = strrchr(file, '/'), *name = slash == NULL ? file : slash + 1;
    for (const char *at = name; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at) || !begins_part(name, at))
            continue;
        char *end;
        unsigned long kilo = strtoul(at, &end, 10);
        if ((*end == 'k' || *end == 'K') && !isalnum((unsigned char)end[1]) && kilo > 0 && kilo < 10000)
            return (double)kilo * 1000.0;
    }
    return 0.0;
}

/* Where the known columns stand in an index; -1: not there. */
struct columns {
    int file, fault, unit, rate;
};

struct index_line {
    const char *name; /* of the index, for messages */
    size_t number;
    char text[INDEX_LINE_MAX];
    char *fields[COLUMNS_MAX];
    int field_count;
};

static char *trimmed(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static void line_split(struct index_line *line) {
    char *rest = line->text;
    line->field_count = 0;
    while (rest != NULL && line->field_count < COLUMNS_MAX) {
        char *field = strsep(&rest, ",");
        line->fields[line->field_count++] = trimmed(field);
    }
}

static const char *field_of(const struct index_line *line, int column) {
    return column >= 0 && column < line->field_count ? line->fields[column] : "";
}

static enum status header_read(const struct index_line *line, struct columns *columns, struct error *error) {
    *columns = (struct columns){-1, -1, -1, -1};
    for (int i = 0; i < line->field_count; i++) {
        const char *field = line->fields[i];
        if (strcmp(field, "file") == 0)
            columns->file = i;
        else if (strcmp(field, "fault") == 0)
            columns->fault = i;
        else if (strcmp(field, "g_per_count") == 0)
            columns->unit = i;
        else if (strcmp(field, "sample_rate_hz") == 0)
            columns->rate = i;
    }
    if (columns->file < 0 || columns->fault < 0)
        return error_set(error, STATUS_INVALID,
                         "%s:%zu: expected a header with the columns `file` and `fault` (and `g_per_count`, "
                         "`sample_rate_hz` where known)",
                         line->name, line->number);
    return STATUS_OK;
}

/* A positive number, or 0 when the column is absent. */
static enum status number_read(const struct index_line *line, int column, const char *title, double *value,
                               struct error *error) {
    *value = 0.0;
    const char *text = field_of(line, column);
    if (column < 0)
        return STATUS_OK;
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*value) || *value <= 0.0)
        return error_set(error, STATUS_INVALID, "%s:%zu: %s is `%.40s`, expected a positive number",
                         line->name, line->number, title, text);
    return STATUS_OK;
}

static bool is_inside(const char *file) {
    if (file[0] == '\0' || file[0] == '/' || strlen(file) >= RECORDING_FILE_MAX)
        return false;
    for (const char *at = file; (at = strstr(at, "..")) != NULL; at += 2)
        if ((at == file || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return false;
    return true;
}

static enum status row_read(const struct index_line *line, const struct columns *columns,
                            struct recording_entry *entry, struct error *error) {
    const char *file = field_of(line, columns->file), *fault = field_of(line, columns->fault);
    *entry = (struct recording_entry){.class = BEARING_CLASS_COUNT};
    if (!is_inside(file))
        return error_set(error, STATUS_INVALID,
                         "%s:%zu: file is `%.60s`, expected a path inside the directory of the index",
                         line->name, line->number, file);
    snprintf(entry->file, sizeof(entry->file), "%s", file);
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        if (strcmp(fault, bearing_class_name((enum bearing_class) class)) == 0)
            entry->class = (enum bearing_class) class;
    if (entry->class == BEARING_CLASS_COUNT)
        return error_set(error, STATUS_INVALID,
                         "%s:%zu: fault is `%.40s`, expected normal, inner, outer or ball", line->name,
                         line->number, fault);
    TRY(number_read(line, columns->unit, "g_per_count", &entry->unit_per_count, error));
    return number_read(line, columns->rate, "sample_rate_hz", &entry->sample_rate_hz, error);
}

static enum status line_take(struct index_line *line, struct columns *columns, struct recording_index *index,
                             struct error *error) {
    line_split(line);
    if (line->field_count == 1 && line->fields[0][0] == '\0')
        return STATUS_OK;
    if (columns->file < 0)
        return header_read(line, columns, error);
    struct recording_entry entry;
    TRY(row_read(line, columns, &entry, error));
    return entry_add(index, &entry, error);
}

enum status recording_index_decode(const uint8_t *text, size_t size, const char *name,
                                   struct recording_index *index, struct error *error) {
    *index = (struct recording_index){0};
    struct index_line line = {.name = name};
    struct columns columns = {-1, -1, -1, -1};
    enum status status = STATUS_OK;
    for (size_t used = 0; used < size && status == STATUS_OK;) {
        const uint8_t *end = memchr(text + used, '\n', size - used);
        size_t length = end != NULL ? (size_t)(end - (text + used)) : size - used;
        line.number++;
        if (length >= INDEX_LINE_MAX || memchr(text + used, '\0', length) != NULL) {
            status = error_set(error, STATUS_INVALID, "%s:%zu: expected a line of text under %d bytes", name,
                               line.number, INDEX_LINE_MAX);
            break;
        }
        memcpy(line.text, text + used, length);
        line.text[length] = '\0';
        used += length + (end != NULL);
        status = line_take(&line, &columns, index, error);
    }
    if (status == STATUS_OK && index->count == 0)
        status = error_set(error, STATUS_INVALID, "%s: names no recording", name);
    if (status != STATUS_OK)
        recording_index_close(index);
    return status;
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const struct recording_entry *)a)->file, ((const struct recording_entry *)b)->file);
}

static enum status name_take(const char *dir, const char *file, struct recording_index *index,
                             struct error *error) {
    if (!vibration_is_known(file) || file[0] == '.')
        return STATUS_OK;
    struct recording_entry entry = {.class = recording_class_of_name(file)};
    if (entry.class == BEARING_CLASS_COUNT || strlen(file) >= sizeof(entry.file))
        return error_set(
            error, STATUS_INVALID,
            "%s/%s: its name does not tell the condition; put normal, inner, outer or ball (or a code "
            "such as IR014, OR021, B007) into the name, or write %s/%s",
            dir, file, dir, INDEX_NAME);
    snprintf(entry.file, sizeof(entry.file), "%s", file);
    return entry_add(index, &entry, error);
}

static enum status names_take(DIR *stream, const char *dir, struct recording_index *index,
                              struct error *error) {
    for (;;) {
        errno = 0;
        struct dirent *item = readdir(stream);
        if (item == NULL)
            break;
        TRY(name_take(dir, item->d_name, index, error));
    }
    if (errno != 0)
        return error_set_errno(error, STATUS_IO, "%s: cannot be listed", dir);
    if (index->count == 0)
        return error_set(
            error, STATUS_INVALID,
            "%s: holds no recording; expected .wav, .mat or .csv files, or an %s that names them", dir,
            INDEX_NAME);
    qsort(index->entries, index->count, sizeof(*index->entries), compare_entries);
    return STATUS_OK;
}

static enum status names_open(const char *dir, struct recording_index *index, struct error *error) {
    DIR *stream = opendir(dir);
    if (stream == NULL)
        return error_set_errno(error, STATUS_IO,
                               "%s: cannot be opened as a directory of recordings; check data.dir", dir);
    enum status status = names_take(stream, dir, index, error);
    closedir(stream);
    if (status != STATUS_OK)
        recording_index_close(index);
    return status;
}

enum status recording_index_open(const char *dir, struct recording_index *index, struct error *error) {
    *index = (struct recording_index){0};
    char path[1024];
    if (snprintf(path, sizeof(path), "%s/%s", dir, INDEX_NAME) >= (int)sizeof(path))
        return error_set(error, STATUS_INVALID, "%.100s...: the path of the recordings is too long", dir);
    FILE *there = fopen(path, "re");
    if (there == NULL && errno == ENOENT)
        return names_open(dir, index, error);
    if (there != NULL)
        fclose(there);
    uint8_t *text = NULL;
    size_t size = 0;
    TRY(file_read_all(path, INDEX_BYTES_MAX, &text, &size, error));
    enum status status = recording_index_decode(text, size, path, index, error);
    free(text);
    return status;
}
