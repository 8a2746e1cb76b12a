/* mat5: the bounded reader of MATLAB files of level 5 and 7 ("MAT-File Format", The MathWorks, chapter on
 * level 5). It is here because libmatio trusts the sizes inside such a file: a damaged one makes it ask for
 * gigabytes, or fill a variable with whatever memory held. libmatio serves level 7.3, see mat.c.
 *
 * A file is a header of 128 bytes and elements: type and size, then content, padded to 8 bytes; up to 4 bytes
 * of content may stand in the tag itself. A compressed element holds another one as a zlib stream. A matrix
 * holds flags, dimensions, name and values as elements; values may be stored in a narrower type than the
 * matrix has. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/data/vibration.h"

#define HEADER_BYTES 128
#define DEFLATE_RATIO_MAX 1032 /* zlib cannot expand more than this */
#define NAME_MAX_BYTES 64
#define COMPLEX_FLAG 0x0800u
#define CWRU_SUFFIX "_DE_time"

enum mat5_type {
    MI_INT8 = 1,
    MI_UINT8 = 2,
    MI_INT16 = 3,
    MI_UINT16 = 4,
    MI_INT32 = 5,
    MI_UINT32 = 6,
    MI_SINGLE = 7,
    MI_DOUBLE = 9,
    MI_INT64 = 12,
    MI_UINT64 = 13,
    MI_MATRIX = 14,
    MI_COMPRESSED = 15
};
enum mat5_class { MX_DOUBLE = 6, MX_UINT64 = 15 }; /* the numeric classes lie between these */

struct mat5_reader {
    const uint8_t *data;
    size_t size, used;
    bool big_endian;
};

struct mat5_element {
    uint32_t type;
    const uint8_t *content; /* borrowed */
    size_t size;
};

struct mat5_vector {
    char name[NAME_MAX_BYTES];
    struct mat5_element values;
    size_t count;
};

/* `width` bytes as an unsigned number. */
static uint64_t number_at(const uint8_t *bytes, size_t width, bool big_endian) {
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)bytes[big_endian ? width - 1 - i : i] << (8 * i);
    return value;
}

/* Takes the next element. False when it does not end inside the data. */
static bool element_next(struct mat5_reader *reader, struct mat5_element *element) {
    size_t left = reader->size - reader->used;
    if (left < 8)
        return false;
    const uint8_t *tag = reader->data + reader->used;
    uint32_t first = (uint32_t)number_at(tag, 4, reader->big_endian);
    if (first >> 16 != 0) { /* small form */
        *element = (struct mat5_element){first & 0xffff, tag + 4, first >> 16};
        reader->used += 8;
        return element->size <= 4;
    }
    *element = (struct mat5_element){first, tag + 8, (size_t)number_at(tag + 4, 4, reader->big_endian)};
    if (element->size > left - 8)
        return false;
    size_t padded = element->type == MI_COMPRESSED ? element->size : (element->size + 7) / 8 * 8;
    reader->used += 8 + (padded < left - 8 ? padded : left - 8);
    return true;
}

static size_t type_width(uint32_t type) {
    switch (type) {
    case MI_INT8:
    case MI_UINT8:
        return 1;
    case MI_INT16:
    case MI_UINT16:
        return 2;
    case MI_INT32:
    case MI_UINT32:
    case MI_SINGLE:
        return 4;
    case MI_DOUBLE:
    case MI_INT64:
    case MI_UINT64:
        return 8;
    default:
        return 0;
    }
}

static double value_of(uint64_t bits, uint32_t type) {
    double real;
    float single;
    uint32_t low = (uint32_t)bits;
    switch (type) {
    case MI_DOUBLE:
        memcpy(&real, &bits, sizeof(real));
        return real;
    case MI_SINGLE:
        memcpy(&single, &low, sizeof(single));
        return (double)single;
    case MI_INT8:
        return (double)(int8_t)low;
    case MI_INT16:
        return (double)(int16_t)low;
    case MI_INT32:
        return (double)(int32_t)low;
    case MI_INT64:
        return (double)(int64_t)bits;
    default:
        return (double)bits;
    }
}

/* The head of a matrix. False when it is not a real numeric vector of more than one value, or is damaged. */
static bool vector_read(const struct mat5_element *matrix, bool big_endian, struct mat5_vector *vector) {
    struct mat5_reader reader = {.data = matrix->content, .size = matrix->size, .big_endian = big_endian};
    struct mat5_element flags, dims, name;
    if (!element_next(&reader, &flags) || flags.type != MI_UINT32 || flags.size != 8 ||
        !element_next(&reader, &dims) || dims.type != MI_INT32 || dims.size != 8 ||
        !element_next(&reader, &name) || name.type != MI_INT8 || !element_next(&reader, &vector->values))
        return false;
    uint32_t word = (uint32_t)number_at(flags.content, 4, big_endian), class = word & 0xff;
    uint64_t rows = number_at(dims.content, 4, big_endian),
             columns = number_at(dims.content + 4, 4, big_endian);
    if (class < MX_DOUBLE || class > MX_UINT64 || (word & COMPLEX_FLAG) != 0 || (rows != 1 && columns != 1) ||
        rows * columns < 2 || rows * columns > VIBRATION_SAMPLES_MAX)
        return false;
    vector->count = (size_t)(rows * columns);
    size_t width = type_width(vector->values.type);
    if (width == 0 || vector->values.size != vector->count * width || name.size >= NAME_MAX_BYTES)
        return false;
    memcpy(vector->name, name.content, name.size);
    vector->name[name.size] = '\0';
    return true;
}

static enum status vector_take(const struct mat5_vector *vector, bool big_endian,
                               struct vibration *vibration) {
    float *samples = malloc(vector->count * sizeof(*samples));
    if (samples == NULL)
        return STATUS_MEMORY;
    size_t width = type_width(vector->values.type);
    for (size_t i = 0; i < vector->count; i++)
        samples[i] = (float)value_of(number_at(vector->values.content + i * width, width, big_endian),
                                     vector->values.type);
    vibration_close(vibration);
    *vibration = (struct vibration){.samples = samples, .count = vector->count};
    return STATUS_OK;
}

static bool ends_with(const char *text, const char *suffix) {
    size_t length = strlen(text), suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* Keeps the vector in `matrix` when it is the first or the wanted one; `done` once the wanted one is kept. */
static enum status matrix_look(const struct mat5_element *matrix, bool big_endian,
                               struct vibration *vibration, bool *done) {
    struct mat5_vector vector;
    if (matrix->type != MI_MATRIX || !vector_read(matrix, big_endian, &vector))
        return STATUS_OK;
    *done = ends_with(vector.name, CWRU_SUFFIX);
    return *done || vibration->samples == NULL ? vector_take(&vector, big_endian, vibration) : STATUS_OK;
}

/* As matrix_look for the matrix inside a compressed element. A stream that is damaged or ends early is
 * STATUS_INVALID. */
static enum status compressed_look(const struct mat5_element *element, bool big_endian,
                                   struct vibration *vibration, bool *done) {
    uint8_t tag[8] = {0};
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)element->content, .avail_in = (uInt)element->size};
    if (inflateInit(&stream) != Z_OK)
        return STATUS_MEMORY;
    enum status status = STATUS_INVALID;
    uint8_t *content = NULL;
    stream.next_out = tag;
    stream.avail_out = sizeof(tag);
    int result = inflate(&stream, Z_SYNC_FLUSH);
    size_t size = (size_t)number_at(tag + 4, 4, big_endian);
    if ((result != Z_OK && result != Z_STREAM_END) || stream.avail_out != 0 ||
        size > element->size * DEFLATE_RATIO_MAX || size > VIBRATION_BYTES_MAX)
        goto cleanup;
    content = malloc(size + 1);
    if (content == NULL) {
        status = STATUS_MEMORY;
        goto cleanup;
    }
    stream.next_out = content;
    stream.avail_out = (uInt)size;
    if (size > 0 && (inflate(&stream, Z_SYNC_FLUSH) < Z_OK || stream.avail_out != 0))
        goto cleanup;
    struct mat5_element matrix = {(uint32_t)number_at(tag, 4, big_endian), content, size};
    status = matrix_look(&matrix, big_endian, vibration, done);
cleanup:
    free(content);
    inflateEnd(&stream);
    return status;
}

enum status mat5_decode(const uint8_t *data, size_t size, const char *name, struct vibration *vibration,
                        struct error *error) {
    if (size < HEADER_BYTES || (memcmp(data + 126, "IM", 2) != 0 && memcmp(data + 126, "MI", 2) != 0))
        return error_set(error, STATUS_INVALID, "%s: does not begin as a MATLAB file; save it again with -v7",
                         name);
    struct mat5_reader reader = {
        .data = data, .size = size, .used = HEADER_BYTES, .big_endian = data[126] == 'M'};
    struct vibration found = {0};
    enum status status = STATUS_OK;
    for (bool done = false; !done && status == STATUS_OK && reader.used < size;) {
        struct mat5_element element;
        size_t at = reader.used;
        if (!element_next(&reader, &element))
            status = STATUS_INVALID;
        else if (element.type == MI_COMPRESSED)
            status = compressed_look(&element, reader.big_endian, &found, &done);
        else
            status = matrix_look(&element, reader.big_endian, &found, &done);
        if (status != STATUS_OK)
            error_set(error, status, "%s: is cut short or damaged at byte %zu; copy it again", name, at);
    }
    if (status == STATUS_OK && found.samples == NULL)
        status =
            error_set(error, STATUS_INVALID,
                      "%s: expected a variable called *%s or another real numeric vector", name, CWRU_SUFFIX);
    if (status != STATUS_OK) {
        vibration_close(&found);
        return status;
    }
    *vibration = found;
    return STATUS_OK;
}
