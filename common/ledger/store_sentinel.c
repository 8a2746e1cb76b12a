#include "common/ledger/store_sentinel.h"

#include <string.h>

#include "common/base/bytes.h"
#include "common/ledger/hash.h"

#define SENTINEL_MAGIC UINT64_C(0x314c544e53424554) /* "TEBSNTL1", little-endian */
#define SENTINEL_HASHED_BYTES (SENTINEL_SLOT_BYTES - HASH_BYTES)
#define SENTINEL_HASH_TAG "sentinel"

void sentinel_encode(const struct sentinel *sentinel, uint8_t slot[SENTINEL_SLOT_BYTES]) {
    memset(slot, 0, SENTINEL_SLOT_BYTES);
    struct bytes_writer writer = bytes_writer_over(slot, SENTINEL_HASHED_BYTES);
    bytes_put_u64(&writer, SENTINEL_MAGIC);
    bytes_put_u64(&writer, sentinel->counter);
    bytes_put_u64(&writer, sentinel->height);
    bytes_put_u32(&writer, sentinel->round);
    bytes_put_u8(&writer, sentinel->step);
    bytes_put_u8(&writer, sentinel->amnesia);
    bytes_put_u16(&writer, 0);
    bytes_put_u64(&writer, sentinel->votes_epoch);
    bytes_put_u64(&writer, sentinel->chain_height);
    bytes_put_u64(&writer, sentinel->self.serial);
    bytes_put_u64(&writer, sentinel->self.birth_ns);
    struct hash hash = hash_of(SENTINEL_HASH_TAG, slot, SENTINEL_HASHED_BYTES);
    memcpy(slot + SENTINEL_HASHED_BYTES, hash.bytes, HASH_BYTES);
}

enum status sentinel_decode(const uint8_t slot[SENTINEL_SLOT_BYTES], struct sentinel *sentinel) {
    struct hash hash = hash_of(SENTINEL_HASH_TAG, slot, SENTINEL_HASHED_BYTES);
    struct bytes_reader reader = bytes_reader_over(slot, SENTINEL_HASHED_BYTES);
    if (memcmp(slot + SENTINEL_HASHED_BYTES, hash.bytes, HASH_BYTES) != 0 ||
        bytes_get_u64(&reader) != SENTINEL_MAGIC)
        return STATUS_INVALID;
    sentinel->counter = bytes_get_u64(&reader);
    sentinel->height = bytes_get_u64(&reader);
    sentinel->round = bytes_get_u32(&reader);
    sentinel->step = bytes_get_u8(&reader);
    uint8_t amnesia = bytes_get_u8(&reader);
    uint16_t unused = bytes_get_u16(&reader);
    sentinel->amnesia = amnesia != 0;
    sentinel->votes_epoch = bytes_get_u64(&reader);
    sentinel->chain_height = bytes_get_u64(&reader);
    sentinel->self.serial = bytes_get_u64(&reader);
    sentinel->self.birth_ns = bytes_get_u64(&reader);
    bool fine = sentinel->counter > 0 && sentinel->step <= VOTE_PRECOMMIT && amnesia <= 1 && unused == 0;
    return fine ? STATUS_OK : STATUS_INVALID;
}

enum status sentinel_newest(const uint8_t *data, size_t size, struct sentinel *sentinel) {
    enum status status = STATUS_INVALID;
    for (size_t at = 0; at < SENTINEL_FILE_BYTES && at + SENTINEL_SLOT_BYTES <= size;
         at += SENTINEL_STRIDE_BYTES) {
        struct sentinel slot;
        if (sentinel_decode(data + at, &slot) != STATUS_OK ||
            (status == STATUS_OK && slot.counter < sentinel->counter))
            continue;
        *sentinel = slot;
        status = STATUS_OK;
    }
    return status;
}

enum status sentinel_load(const struct store_files *files, struct sentinel *sentinel) {
    uint8_t data[SENTINEL_FILE_BYTES];
    struct store_file file;
    *sentinel = (struct sentinel){0};
    if (store_file_open(&file, files, SENTINEL_NAME, false) != STATUS_OK)
        return STATUS_INVALID;
    size_t size = store_file_read(&file, data, sizeof data, 0);
    store_file_close(&file);
    return sentinel_newest(data, size, sentinel);
}

enum status sentinel_create(struct store_file *file, struct sentinel *sentinel) {
    uint8_t data[SENTINEL_FILE_BYTES] = {0};
    sentinel->counter = 1;
    sentinel_encode(sentinel, data + SENTINEL_STRIDE_BYTES);
    return store_file_write(file, data, sizeof data, 0);
}

enum status sentinel_write(struct store_file *file, struct sentinel *sentinel) {
    uint8_t slot[SENTINEL_SLOT_BYTES];
    sentinel->counter++;
    sentinel_encode(sentinel, slot);
    return store_file_write(file, slot, sizeof slot, sentinel->counter % 2 * SENTINEL_STRIDE_BYTES);
}
