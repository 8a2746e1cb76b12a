#include "common/base/bytes.h"

void bytes_put(struct bytes_writer *writer, const void *data, size_t size) {
    if (writer->failed || size > writer->capacity - writer->used) {
        writer->failed = true;
        return;
    }
    if (size > 0)
        memcpy(writer->data + writer->used, data, size);
    writer->used += size;
}

static void put_little_endian(struct bytes_writer *writer, uint64_t value, size_t size) {
    uint8_t raw[8];
    for (size_t i = 0; i < size; i++)
        raw[i] = (uint8_t)(value >> (8 * i));
    bytes_put(writer, raw, size);
}

void bytes_put_u8(struct bytes_writer *writer, uint8_t value) {
    put_little_endian(writer, value, 1);
}

void bytes_put_u16(struct bytes_writer *writer, uint16_t value) {
    put_little_endian(writer, value, 2);
}

void bytes_put_u32(struct bytes_writer *writer, uint32_t value) {
    put_little_endian(writer, value, 4);
}

void bytes_put_u64(struct bytes_writer *writer, uint64_t value) {
    put_little_endian(writer, value, 8);
}

void bytes_put_i64(struct bytes_writer *writer, int64_t value) {
    put_little_endian(writer, (uint64_t)value, 8);
}

void bytes_put_f64(struct bytes_writer *writer, double value) {
    uint64_t raw;
    memcpy(&raw, &value, sizeof raw);
    put_little_endian(writer, raw, 8);
}

const uint8_t *bytes_get(struct bytes_reader *reader, size_t size) {
    if (reader->failed || size > reader->size - reader->used) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->data + reader->used;
    reader->used += size;
    return at;
}

static uint64_t get_little_endian(struct bytes_reader *reader, size_t size) {
    const uint8_t *raw = bytes_get(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; raw != NULL && i < size; i++)
        value |= (uint64_t)raw[i] << (8 * i);
    return value;
}

uint8_t bytes_get_u8(struct bytes_reader *reader) {
    return (uint8_t)get_little_endian(reader, 1);
}

uint16_t bytes_get_u16(struct bytes_reader *reader) {
    return (uint16_t)get_little_endian(reader, 2);
}

uint32_t bytes_get_u32(struct bytes_reader *reader) {
    return (uint32_t)get_little_endian(reader, 4);
}

uint64_t bytes_get_u64(struct bytes_reader *reader) {
    return get_little_endian(reader, 8);
}

int64_t bytes_get_i64(struct bytes_reader *reader) {
    return (int64_t)get_little_endian(reader, 8);
}

double bytes_get_f64(struct bytes_reader *reader) {
    uint64_t raw = get_little_endian(reader, 8);
    double value;
    memcpy(&value, &raw, sizeof value);
    return value;
}
