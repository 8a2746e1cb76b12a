#include "nodes/join.h"

void join_put_entry(struct bytes_writer *writer, const struct join_entry *entry) {
    bytes_put_u32(writer, entry->node);
    bytes_put_u16(writer, (uint16_t)entry->certificate_bytes);
    bytes_put(writer, entry->certificate, entry->certificate_bytes);
    bytes_put(writer, entry->signature, IDENTITY_SIGNATURE_BYTES);
}

bool join_get_entry(struct bytes_reader *reader, struct join_entry *entry) {
    if (reader->failed || bytes_left(reader) == 0)
        return false;
    entry->node = bytes_get_u32(reader);
    entry->certificate_bytes = bytes_get_u16(reader);
    entry->certificate = bytes_get(reader, entry->certificate_bytes);
    entry->signature = bytes_get(reader, IDENTITY_SIGNATURE_BYTES);
    return !reader->failed;
}

void join_put_admission(struct bytes_writer *writer, enum join_verdict verdict,
                        const uint8_t key[IDENTITY_KEY_BYTES]) {
    bytes_put_u8(writer, (uint8_t)verdict);
    bytes_put(writer, key, IDENTITY_KEY_BYTES);
}

enum join_verdict join_get_admission(struct bytes_reader *reader, uint8_t key[IDENTITY_KEY_BYTES]) {
    uint8_t verdict = bytes_get_u8(reader);
    const uint8_t *bytes = bytes_get(reader, IDENTITY_KEY_BYTES);
    reader->failed |= verdict >= JOIN_VERDICT_COUNT;
    if (reader->failed)
        return JOIN_ABSENT;
    memcpy(key, bytes, IDENTITY_KEY_BYTES);
    return (enum join_verdict)verdict;
}
