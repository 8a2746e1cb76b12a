/* bytes: bounded little-endian writer and reader, for everything that crosses a process or a disk.
 *
 * Both carry a sticky failure flag: a run of calls is written without a check each, and `failed` is looked at
 * once at the end. A failed reader returns zeros and never reads past its end; a failed writer never writes.
 */
#ifndef TIERBED_BASE_BYTES_H
#define TIERBED_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes_writer {
    uint8_t *data; /* borrowed */
    size_t capacity;
    size_t used;
    bool failed;
};

struct bytes_reader {
    const uint8_t *data; /* borrowed */
    size_t size;
    size_t used;
    bool failed;
};

static inline struct bytes_writer bytes_writer_over(uint8_t *data, size_t capacity) {
    return (struct bytes_writer){.data = data, .capacity = capacity};
}

static inline struct bytes_reader bytes_reader_over(const uint8_t *data, size_t size) {
    return (struct bytes_reader){.data = data, .size = size};
}

void bytes_put(struct bytes_writer *writer, const void *data, size_t size);
void bytes_put_u8(struct bytes_writer *writer, uint8_t value);
void bytes_put_u16(struct bytes_writer *writer, uint16_t value);
void bytes_put_u32(struct bytes_writer *writer, uint32_t value);
void bytes_put_u64(struct bytes_writer *writer, uint64_t value);
void bytes_put_i64(struct bytes_writer *writer, int64_t value);
void bytes_put_f64(struct bytes_writer *writer, double value);

/* Returns a borrowed pointer to the next `size` bytes, or NULL (and fails) when they are not there. */
const uint8_t *bytes_get(struct bytes_reader *reader, size_t size);
uint8_t bytes_get_u8(struct bytes_reader *reader);
uint16_t bytes_get_u16(struct bytes_reader *reader);
uint32_t bytes_get_u32(struct bytes_reader *reader);
uint64_t bytes_get_u64(struct bytes_reader *reader);
int64_t bytes_get_i64(struct bytes_reader *reader);
double bytes_get_f64(struct bytes_reader *reader);

static inline size_t bytes_left(const struct bytes_reader *reader) {
    return reader->size - reader->used;
}

/* True when everything was read and nothing failed: a decoder accepts no trailing bytes. */
static inline bool bytes_done(const struct bytes_reader *reader) {
    return !reader->failed && reader->used == reader->size;
}

#endif
