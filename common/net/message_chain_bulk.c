/* message_chain_bulk: codecs of catch-up, checkpoints, models and proofs. */
#include <assert.h>

#include "common/net/message_chain_codec.h"
#include "common/net/message_codec.h"

void message_encode_catchup_req(struct bytes_writer *writer, const struct message_catchup_req *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u8(writer, message->kind);
    bytes_put_u64(writer, message->from);
    bytes_put_u32(writer, message->count);
    bytes_put_u64(writer, message->offset);
}

static bool kind_valid(uint8_t kind) {
    return kind == MESSAGE_CATCHUP_HEADERS || kind == MESSAGE_CATCHUP_BLOCK;
}

enum status message_decode_catchup_req(const uint8_t *data, size_t size,
                                       struct message_catchup_req *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_CATCHUP_REQ, data, size, &reader));
    message->kind = bytes_get_u8(&reader);
    message->from = bytes_get_u64(&reader);
    message->count = bytes_get_u32(&reader);
    message->offset = bytes_get_u64(&reader);
    return message_accepted(&reader, kind_valid(message->kind) && message->from >= 1);
}

void message_encode_catchup_resp(struct bytes_writer *writer, const struct message_catchup_resp *message) {
    assert(message->bytes <= MESSAGE_CATCHUP_DATA_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u8(writer, message->kind);
    bytes_put_u64(writer, message->height);
    bytes_put_u64(writer, message->tip);
    bytes_put_u64(writer, message->total);
    bytes_put_u64(writer, message->offset);
    bytes_put(writer, message->data, message->bytes);
}

enum status message_decode_catchup_resp(const uint8_t *data, size_t size,
                                        struct message_catchup_resp *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_CATCHUP_RESP, data, size, &reader));
    message->kind = bytes_get_u8(&reader);
    message->height = bytes_get_u64(&reader);
    message->tip = bytes_get_u64(&reader);
    message->total = bytes_get_u64(&reader);
    message->offset = bytes_get_u64(&reader);
    message->data = message_get_rest(&reader, &message->bytes);
    return message_accepted(&reader, kind_valid(message->kind) && message->height >= 1);
}

void message_encode_snap_req(struct bytes_writer *writer, const struct message_snap_req *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u64(writer, message->height);
    bytes_put_u32(writer, message->index);
}

enum status message_decode_snap_req(const uint8_t *data, size_t size, struct message_snap_req *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_SNAP_REQ, data, size, &reader));
    message->height = bytes_get_u64(&reader);
    message->index = bytes_get_u32(&reader);
    return message_accepted(&reader, true);
}

void message_encode_snap_meta(struct bytes_writer *writer, const struct message_snap_meta *message) {
    assert(message->count <= MESSAGE_SNAP_CHUNKS_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u64(writer, message->height);
    bytes_put_u64(writer, message->total);
    block_header_encode(writer, &message->header);
    certificate_encode(writer, &message->certificate);
    bytes_put_u32(writer, message->count);
    bytes_put(writer, message->hashes, (size_t)message->count * HASH_BYTES);
}

enum status message_decode_snap_meta(const uint8_t *data, size_t size, struct message_snap_meta *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_SNAP_META, data, size, &reader));
    message->height = bytes_get_u64(&reader);
    message->total = bytes_get_u64(&reader);
    TRY(block_header_decode(&reader, &message->header));
    TRY(certificate_decode(&reader, &message->certificate));
    message->count = bytes_get_u32(&reader);
    if (reader.failed || message->count < 1 || message->count > MESSAGE_SNAP_CHUNKS_MAX)
        return STATUS_INVALID;
    message->hashes = bytes_get(&reader, (size_t)message->count * HASH_BYTES);
    uint64_t most = (uint64_t)message->count * MESSAGE_CHUNK_MAX;
    return message_accepted(&reader, message->height >= 1 && message->total <= most &&
                                         message->total > most - MESSAGE_CHUNK_MAX);
}

void message_encode_snap_chunk(struct bytes_writer *writer, const struct message_snap_chunk *message) {
    assert(message->bytes >= 1 && message->bytes <= MESSAGE_CHUNK_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u64(writer, message->height);
    bytes_put_u32(writer, message->index);
    bytes_put(writer, message->data, message->bytes);
}

enum status message_decode_snap_chunk(const uint8_t *data, size_t size, struct message_snap_chunk *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_SNAP_CHUNK, data, size, &reader));
    message->height = bytes_get_u64(&reader);
    message->index = bytes_get_u32(&reader);
    message->data = message_get_rest(&reader, &message->bytes);
    return message_accepted(&reader, message->index < MESSAGE_SNAP_CHUNKS_MAX);
}

void message_encode_blob_req(struct bytes_writer *writer, const struct message_blob_req *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_hash(writer, &message->blob_hash);
    bytes_put_u32(writer, message->first);
    bytes_put_u32(writer, message->count);
}

enum status message_decode_blob_req(const uint8_t *data, size_t size, struct message_blob_req *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_BLOB_REQ, data, size, &reader));
    message_get_hash(&reader, &message->blob_hash);
    message->first = bytes_get_u32(&reader);
    message->count = bytes_get_u32(&reader);
    return message_accepted(&reader, message->count >= 1);
}

void message_encode_blob_resp(struct bytes_writer *writer, const struct message_blob_resp *message) {
    assert(message->bytes <= MESSAGE_CHUNK_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    message_put_hash(writer, &message->blob_hash);
    bytes_put_u64(writer, message->total);
    bytes_put_u32(writer, message->index);
    message_put_path(writer, message->path, message->length);
    bytes_put(writer, message->data, message->bytes);
}

enum status message_decode_blob_resp(const uint8_t *data, size_t size, struct message_blob_resp *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_BLOB_RESP, data, size, &reader));
    message_get_hash(&reader, &message->blob_hash);
    message->total = bytes_get_u64(&reader);
    message->index = bytes_get_u32(&reader);
    message_get_path(&reader, message->path, &message->length);
    message->data = message_get_rest(&reader, &message->bytes);
    uint64_t begin = (uint64_t)message->index * MESSAGE_CHUNK_MAX;
    if (message->total == 0)
        return message_accepted(&reader, message->index == 0 && message->length == 0 && message->bytes == 0);
    return message_accepted(&reader, message->bytes >= 1 && message->bytes <= MESSAGE_CHUNK_MAX &&
                                         begin < message->total && message->bytes <= message->total - begin);
}

void message_encode_proof(struct bytes_writer *writer, const struct message_proof *message) {
    assert(message->bytes >= 1 && message->bytes <= MESSAGE_PROOF_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put(writer, message->data, message->bytes);
}

enum status message_decode_proof(const uint8_t *data, size_t size, struct message_proof *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_PROOF, data, size, &reader));
    message->data = message_get_rest(&reader, &message->bytes);
    return message_accepted(&reader, true);
}

void message_encode_model(struct bytes_writer *writer, const struct message_model *message) {
    assert(message->proof_bytes >= 1 && message->proof_bytes <= MESSAGE_PROOF_MAX &&
           message->blob_bytes >= 1);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u32(writer, message->proof_bytes);
    bytes_put(writer, message->proof, message->proof_bytes);
    bytes_put(writer, message->blob, message->blob_bytes);
}

enum status message_decode_model(const uint8_t *data, size_t size, struct message_model *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_MODEL, data, size, &reader));
    message->proof_bytes = bytes_get_u32(&reader);
    if (reader.failed || message->proof_bytes < 1 || message->proof_bytes > MESSAGE_PROOF_MAX)
        return STATUS_INVALID;
    message->proof = bytes_get(&reader, message->proof_bytes);
    message->blob = message_get_rest(&reader, &message->blob_bytes);
    return message_accepted(&reader, message->blob_bytes >= 1);
}
