/* fields: what the codecs of the ledger read and write besides numbers. */
#ifndef TIERBED_LEDGER_FIELDS_H
#define TIERBED_LEDGER_FIELDS_H

#include "common/base/bytes.h"
#include "common/ledger/genesis.h"

/* Reads `size` bytes into `field`, zeros when they are not there. */
static inline void fields_get(struct bytes_reader *reader, void *field, size_t size) {
    const uint8_t *data = bytes_get(reader, size);
    if (data != NULL)
        memcpy(field, data, size);
    else
        memset(field, 0, size);
}

static inline void fields_put_hash(struct bytes_writer *writer, const struct hash *hash) {
    bytes_put(writer, hash->bytes, HASH_BYTES);
}
static inline struct hash fields_get_hash(struct bytes_reader *reader) {
    struct hash hash = {{0}};
    fields_get(reader, hash.bytes, HASH_BYTES);
    return hash;
}

static inline void fields_put_signature(struct bytes_writer *writer, const struct signature *signature) {
    bytes_put(writer, signature->bytes, SIGNATURE_BYTES);
}
static inline struct signature fields_get_signature(struct bytes_reader *reader) {
    struct signature signature = {{0}};
    fields_get(reader, signature.bytes, SIGNATURE_BYTES);
    return signature;
}

#endif
