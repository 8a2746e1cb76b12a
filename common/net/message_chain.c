/* message_chain: codecs of what validators say about the height they work on. */
#include "common/net/message_chain.h"

#include <assert.h>

#include "common/net/message_chain_codec.h"
#include "common/net/message_codec.h"

#define HELLO_TAG "TIERBED-HELLO-v1"
#define STEP_MAX 4

/* ---- shared pieces ---- */

void message_put_hash(struct bytes_writer *writer, const struct hash *hash) {
    bytes_put(writer, hash->bytes, HASH_BYTES);
}

void message_get_hash(struct bytes_reader *reader, struct hash *hash) {
    const uint8_t *bytes = bytes_get(reader, HASH_BYTES);
    *hash = (struct hash){{0}};
    if (bytes != NULL)
        memcpy(hash->bytes, bytes, HASH_BYTES);
}

void message_put_path(struct bytes_writer *writer, const struct hash *path, uint32_t length) {
    assert(length <= MESSAGE_PATH_MAX);
    bytes_put_u8(writer, (uint8_t)length);
    bytes_put(writer, path, (size_t)length * HASH_BYTES);
}

void message_get_path(struct bytes_reader *reader, struct hash path[MESSAGE_PATH_MAX], uint32_t *length) {
    *length = bytes_get_u8(reader);
    if (*length > MESSAGE_PATH_MAX) {
        reader->failed = true;
        return;
    }
    const uint8_t *bytes = bytes_get(reader, (size_t)*length * HASH_BYTES);
    if (bytes != NULL)
        memcpy(path, bytes, (size_t)*length * HASH_BYTES);
}

const uint8_t *message_get_rest(struct bytes_reader *reader, uint32_t *bytes) {
    *bytes = (uint32_t)bytes_left(reader);
    return bytes_get(reader, *bytes);
}

static size_t parts_bytes(uint32_t count) {
    return (count + 7u) / 8u;
}

static void put_parts(struct bytes_writer *writer, const struct message_parts *parts) {
    assert(parts->count <= MESSAGE_PARTS_MAX);
    bytes_put_u16(writer, parts->count);
    bytes_put(writer, parts->bits, parts_bytes(parts->count));
}

/* false: too many, or bits beyond the last part. */
static bool get_parts(struct bytes_reader *reader, struct message_parts *parts) {
    *parts = (struct message_parts){.count = bytes_get_u16(reader)};
    if (parts->count > MESSAGE_PARTS_MAX)
        return false;
    size_t bytes = parts_bytes(parts->count);
    const uint8_t *bits = bytes_get(reader, bytes);
    if (bits == NULL)
        return false;
    memcpy(parts->bits, bits, bytes);
    uint32_t used = parts->count % 8u;
    return used == 0 || parts->bits[bytes - 1] >> used == 0;
}

/* Rounds of a lock or a polka: -1 for none. */
static void put_round(struct bytes_writer *writer, int32_t round) {
    bytes_put_u32(writer, (uint32_t)round);
}

static int32_t get_round(struct bytes_reader *reader) {
    return (int32_t)bytes_get_u32(reader);
}

/* ---- messages ---- */

static void put_hello(struct bytes_writer *writer, const struct message_hello *message) {
    message_put_hash(writer, &message->chain_id);
    message_put_hash(writer, &message->validators_hash);
    message_put_hash(writer, &message->params_hash);
    bytes_put_u16(writer, message->validator);
    bytes_put_u32(writer, message->software);
    bytes_put_u64(writer, message->height);
}

void message_hello_sign_bytes(const struct message_hello *message, uint8_t bytes[MESSAGE_HELLO_SIGN_BYTES]) {
    struct bytes_writer writer = bytes_writer_over(bytes, MESSAGE_HELLO_SIGN_BYTES);
    bytes_put(&writer, HELLO_TAG, sizeof HELLO_TAG);
    put_hello(&writer, message);
    assert(!writer.failed && writer.used == MESSAGE_HELLO_SIGN_BYTES);
}

void message_encode_hello(struct bytes_writer *writer, const struct message_hello *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    put_hello(writer, message);
    bytes_put(writer, message->signature.bytes, SIGNATURE_BYTES);
}

enum status message_decode_hello(const uint8_t *data, size_t size, struct message_hello *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_HELLO, data, size, &reader));
    message_get_hash(&reader, &message->chain_id);
    message_get_hash(&reader, &message->validators_hash);
    message_get_hash(&reader, &message->params_hash);
    message->validator = bytes_get_u16(&reader);
    message->software = bytes_get_u32(&reader);
    message->height = bytes_get_u64(&reader);
    const uint8_t *signature = bytes_get(&reader, SIGNATURE_BYTES);
    if (signature != NULL)
        memcpy(message->signature.bytes, signature, SIGNATURE_BYTES);
    return message_accepted(&reader, message->validator < VALIDATORS_MAX);
}

void message_encode_tx(struct bytes_writer *writer, const struct message_tx *message) {
    assert(message->bytes >= 1 && message->bytes <= MESSAGE_TX_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put(writer, message->data, message->bytes);
}

enum status message_decode_tx(const uint8_t *data, size_t size, struct message_tx *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_TX, data, size, &reader));
    message->data = message_get_rest(&reader, &message->bytes);
    return message_accepted(&reader, true);
}

void message_encode_proposal(struct bytes_writer *writer, const struct message_proposal *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    proposal_encode(writer, &message->proposal);
}

enum status message_decode_proposal(const uint8_t *data, size_t size, struct message_proposal *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_PROPOSAL, data, size, &reader));
    TRY(proposal_decode(&reader, &message->proposal));
    return message_accepted(&reader, true);
}

void message_encode_block_part(struct bytes_writer *writer, const struct message_block_part *message) {
    assert(message->bytes >= 1 && message->bytes <= MESSAGE_CHUNK_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u64(writer, message->height);
    bytes_put_u32(writer, message->round);
    bytes_put_u32(writer, message->index);
    bytes_put_u32(writer, message->count);
    message_put_path(writer, message->path, message->length);
    bytes_put(writer, message->data, message->bytes);
}

enum status message_decode_block_part(const uint8_t *data, size_t size, struct message_block_part *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_BLOCK_PART, data, size, &reader));
    message->height = bytes_get_u64(&reader);
    message->round = bytes_get_u32(&reader);
    message->index = bytes_get_u32(&reader);
    message->count = bytes_get_u32(&reader);
    message_get_path(&reader, message->path, &message->length);
    message->data = message_get_rest(&reader, &message->bytes);
    return message_accepted(&reader, message->index < message->count && message->count <= MESSAGE_PARTS_MAX &&
                                         message->bytes >= 1 && message->bytes <= MESSAGE_CHUNK_MAX);
}

void message_encode_vote(struct bytes_writer *writer, const struct message_vote *message) {
    assert(message->count >= 1 && message->count <= MESSAGE_VOTES_MAX);
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u8(writer, (uint8_t)message->count);
    for (uint32_t i = 0; i < message->count; i++)
        vote_encode(writer, &message->votes[i]);
}

enum status message_decode_vote(const uint8_t *data, size_t size, struct message_vote *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_VOTE, data, size, &reader));
    message->count = bytes_get_u8(&reader);
    if (message->count < 1 || message->count > MESSAGE_VOTES_MAX ||
        bytes_left(&reader) != (size_t)message->count * VOTE_BYTES)
        return STATUS_INVALID;
    for (uint32_t i = 0; i < message->count; i++)
        TRY(vote_decode(&reader, &message->votes[i]));
    return message_accepted(&reader, true);
}

void message_encode_status(struct bytes_writer *writer, const struct message_status *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u8(writer, message->flags);
    bytes_put_u8(writer, message->step);
    bytes_put_u64(writer, message->height);
    bytes_put_u32(writer, message->round);
    put_round(writer, message->locked_round);
    put_round(writer, message->valid_round);
    bytes_put_u64(writer, message->committed);
    bytes_put_u64(writer, message->nonce);
    bytes_put_u64(writer, message->prevotes);
    bytes_put_u64(writer, message->precommits);
    bytes_put_u64(writer, message->valid_prevotes);
    message_put_hash(writer, &message->block_id);
    put_parts(writer, &message->parts);
    if (message->flags & MESSAGE_STATUS_PROVEN)
        certificate_encode(writer, &message->certificate);
}

enum status message_decode_status(const uint8_t *data, size_t size, struct message_status *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_STATUS, data, size, &reader));
    message->flags = bytes_get_u8(&reader);
    message->step = bytes_get_u8(&reader);
    message->height = bytes_get_u64(&reader);
    message->round = bytes_get_u32(&reader);
    message->locked_round = get_round(&reader);
    message->valid_round = get_round(&reader);
    message->committed = bytes_get_u64(&reader);
    message->nonce = bytes_get_u64(&reader);
    message->prevotes = bytes_get_u64(&reader);
    message->precommits = bytes_get_u64(&reader);
    message->valid_prevotes = bytes_get_u64(&reader);
    message_get_hash(&reader, &message->block_id);
    if (!get_parts(&reader, &message->parts))
        return STATUS_INVALID;
    if (message->flags & MESSAGE_STATUS_PROVEN)
        TRY(certificate_decode(&reader, &message->certificate));
    return message_accepted(&reader, message->flags <= MESSAGE_STATUS_FLAGS_MAX &&
                                         message->step <= STEP_MAX && message->locked_round >= -1 &&
                                         message->valid_round >= -1);
}

void message_encode_want(struct bytes_writer *writer, const struct message_want *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    bytes_put_u8(writer, message->flags);
    bytes_put_u64(writer, message->height);
    bytes_put_u32(writer, message->round);
    bytes_put_u64(writer, message->prevotes);
    bytes_put_u64(writer, message->precommits);
    message_put_hash(writer, &message->block_id);
    put_parts(writer, &message->parts);
}

enum status message_decode_want(const uint8_t *data, size_t size, struct message_want *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_WANT, data, size, &reader));
    message->flags = bytes_get_u8(&reader);
    message->height = bytes_get_u64(&reader);
    message->round = bytes_get_u32(&reader);
    message->prevotes = bytes_get_u64(&reader);
    message->precommits = bytes_get_u64(&reader);
    message_get_hash(&reader, &message->block_id);
    bool valid = get_parts(&reader, &message->parts);
    return message_accepted(&reader,
                            valid && message->flags >= 1 && message->flags <= MESSAGE_WANT_FLAGS_MAX);
}

void message_encode_commit_cert(struct bytes_writer *writer, const struct message_commit_cert *message) {
    bytes_put_u8(writer, MESSAGE_VERSION);
    certificate_encode(writer, &message->certificate);
}

enum status message_decode_commit_cert(const uint8_t *data, size_t size,
                                       struct message_commit_cert *message) {
    struct bytes_reader reader;
    TRY(message_open(MESSAGE_COMMIT_CERT, data, size, &reader));
    TRY(certificate_decode(&reader, &message->certificate));
    return message_accepted(&reader, true);
}
