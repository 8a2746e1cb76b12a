#include "common/ledger/store_record.h"

#include <string.h>

#define VOTES_VERSION 1u
#define BLOCK_TAG "row"

/* Signatures up to the last bit that is set: whether they stand by index or packed, all are among them. */
static size_t polka_count(uint64_t bitmap) {
    return bitmap == 0 ? 0 : 64u - (size_t)__builtin_clzll(bitmap);
}

size_t votes_record_encode(const struct ledger_votes *votes, uint8_t data[VOTES_RECORD_BYTES_MAX]) {
    struct bytes_writer writer = bytes_writer_over(data, VOTES_RECORD_BYTES_MAX);
    bool proposal = votes->step == VOTE_PROPOSAL || votes->proposal.height > 0;
    bytes_put_u8(&writer, VOTES_VERSION);
    bytes_put_u64(&writer, votes->height);
    bytes_put_u32(&writer, votes->round);
    bytes_put_u8(&writer, votes->step);
    bytes_put(&writer, votes->sign_bytes, SIGN_BYTES);
    bytes_put(&writer, votes->signature.bytes, SIGNATURE_BYTES);
    bytes_put_u32(&writer, (uint32_t)votes->locked_round);
    bytes_put_u32(&writer, (uint32_t)votes->valid_round);
    bytes_put(&writer, votes->locked_block_id.bytes, HASH_BYTES);
    bytes_put(&writer, votes->valid_block_id.bytes, HASH_BYTES);
    bytes_put_u64(&writer, votes->polka_bitmap);
    bytes_put(&writer, votes->polka, polka_count(votes->polka_bitmap) * SIGNATURE_BYTES);
    bytes_put_u8(&writer, proposal);
    if (proposal)
        proposal_encode(&writer, &votes->proposal);
    bytes_put_u64(&writer, votes->epoch);
    return writer.used;
}

static void get_bytes(struct bytes_reader *reader, void *out, size_t size) {
    const uint8_t *data = bytes_get(reader, size);
    if (data != NULL)
        memcpy(out, data, size);
}

enum status votes_record_decode(const uint8_t *data, size_t size, struct ledger_votes *votes) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    memset(votes, 0, sizeof *votes);
    uint8_t version = bytes_get_u8(&reader);
    votes->height = bytes_get_u64(&reader);
    votes->round = bytes_get_u32(&reader);
    votes->step = bytes_get_u8(&reader);
    get_bytes(&reader, votes->sign_bytes, SIGN_BYTES);
    get_bytes(&reader, votes->signature.bytes, SIGNATURE_BYTES);
    votes->locked_round = (int32_t)bytes_get_u32(&reader);
    votes->valid_round = (int32_t)bytes_get_u32(&reader);
    get_bytes(&reader, votes->locked_block_id.bytes, HASH_BYTES);
    get_bytes(&reader, votes->valid_block_id.bytes, HASH_BYTES);
    votes->polka_bitmap = bytes_get_u64(&reader);
    get_bytes(&reader, votes->polka, polka_count(votes->polka_bitmap) * SIGNATURE_BYTES);
    uint8_t proposal = bytes_get_u8(&reader);
    if (proposal > 1 || (proposal == 1 && proposal_decode(&reader, &votes->proposal) != STATUS_OK))
        return STATUS_INVALID;
    votes->epoch = bytes_get_u64(&reader);
    bool fine = version == VOTES_VERSION && votes->step <= VOTE_PRECOMMIT && bytes_done(&reader);
    return fine ? STATUS_OK : STATUS_INVALID;
}

struct hash block_row_hash(uint64_t height, const struct block_row *row, const struct hash *digest) {
    uint8_t data[8 + 2 * HASH_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u64(&writer, height);
    bytes_put(&writer, row->block_id.bytes, HASH_BYTES);
    bytes_put(&writer, digest->bytes, HASH_BYTES);
    return hash_of_two(BLOCK_TAG, data, writer.used, row->certificate, row->certificate_bytes);
}
