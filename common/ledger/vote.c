#include "common/ledger/vote.h"

#include <assert.h>

#include "common/base/mutate.h"
#include "common/ledger/fields.h"
#include "common/ledger/signature_cache.h"

struct hash proposal_parts_id(const struct proposal *proposal) {
    uint8_t bytes[4 + 8 + HASH_BYTES];
    struct bytes_writer writer = bytes_writer_over(bytes, sizeof bytes);
    bytes_put_u32(&writer, proposal->part_count);
    bytes_put_u64(&writer, proposal->block_bytes);
    fields_put_hash(&writer, &proposal->parts_root);
    return hash_of("parts", bytes, writer.used);
}

struct signed_content {
    uint8_t type;
    uint64_t height;
    uint32_t round;
    int32_t valid_round;
    struct hash block_id, parts_id;
};

static void sign_bytes(const struct hash *chain_id, const struct signed_content *content,
                       uint8_t bytes[SIGN_BYTES]) {
    static const char domain[] = "TIERBED-CHAIN-v1"; /* its zero is signed too */
    struct bytes_writer writer = bytes_writer_over(bytes, SIGN_BYTES);
    bytes_put(&writer, domain, sizeof domain);
    bytes_put_u8(&writer, content->type);
    fields_put_hash(&writer, chain_id);
    bytes_put_u64(&writer, content->height);
    bytes_put_u32(&writer, content->round);
    bytes_put_u32(&writer, (uint32_t)content->valid_round);
    fields_put_hash(&writer, &content->block_id);
    fields_put_hash(&writer, &content->parts_id);
    assert(!writer.failed && writer.used == SIGN_BYTES);
}

void vote_sign_bytes(const struct hash *chain_id, const struct vote *vote, uint8_t bytes[SIGN_BYTES]) {
    sign_bytes(chain_id,
               &(struct signed_content){.type = MUTATE(NO_DOMAIN_TAG, (uint8_t)vote->type, VOTE_PREVOTE),
                                        .height = vote->height,
                                        .round = vote->round,
                                        .valid_round = -1,
                                        .block_id = vote->block_id},
               bytes);
}

void proposal_sign_bytes(const struct hash *chain_id, const struct proposal *proposal,
                         uint8_t bytes[SIGN_BYTES]) {
    sign_bytes(chain_id,
               &(struct signed_content){.type = VOTE_PROPOSAL,
                                        .height = proposal->height,
                                        .round = proposal->round,
                                        .valid_round = proposal->valid_round,
                                        .block_id = proposal->block_id,
                                        .parts_id = proposal_parts_id(proposal)},
               bytes);
}

void vote_sign(const struct genesis *genesis, const struct signing_key *key, struct vote *vote) {
    uint8_t bytes[SIGN_BYTES];
    vote_sign_bytes(&genesis->chain_id, vote, bytes);
    vote->signature = signature_make(key, bytes, sizeof bytes);
}

void proposal_sign(const struct genesis *genesis, const struct signing_key *key, struct proposal *proposal) {
    uint8_t bytes[SIGN_BYTES];
    proposal_sign_bytes(&genesis->chain_id, proposal, bytes);
    proposal->signature = signature_make(key, bytes, sizeof bytes);
}

/* Rounds fit valid_round; heights start at 1. */
static bool place_valid(uint64_t height, uint32_t round, uint32_t validator) {
    return height > 0 && round <= INT32_MAX && validator < VALIDATORS_MAX;
}

static bool vote_formed(const struct vote *vote) {
    return (vote->type == VOTE_PREVOTE || vote->type == VOTE_PRECOMMIT) &&
           place_valid(vote->height, vote->round, vote->validator);
}

static bool proposal_formed(const struct proposal *proposal) {
    return place_valid(proposal->height, proposal->round, proposal->proposer) &&
           proposal->valid_round >= -1 && proposal->valid_round < (int64_t)proposal->round &&
           !hash_is_zero(&proposal->block_id) && proposal->block_bytes > 0 &&
           proposal->block_bytes <= UINT32_MAX &&
           proposal->part_count == (proposal->block_bytes + PART_BYTES_MAX - 1) / PART_BYTES_MAX;
}

bool vote_valid(const struct genesis *genesis, const struct vote *vote) {
    uint8_t bytes[SIGN_BYTES];
    if (!vote_formed(vote) || vote->validator >= genesis->validator_count)
        return false;
    vote_sign_bytes(&genesis->chain_id, vote, bytes);
    return genesis_signature_valid(genesis, &vote->signature, &genesis->validators[vote->validator], bytes,
                                   sizeof bytes);
}

bool proposal_valid(const struct genesis *genesis, const struct proposal *proposal) {
    uint8_t bytes[SIGN_BYTES];
    if (!proposal_formed(proposal) || proposal->proposer >= genesis->validator_count)
        return false;
    proposal_sign_bytes(&genesis->chain_id, proposal, bytes);
    return genesis_signature_valid(genesis, &proposal->signature, &genesis->validators[proposal->proposer],
                                   bytes, sizeof bytes);
}

void vote_encode(struct bytes_writer *writer, const struct vote *vote) {
    bytes_put_u8(writer, (uint8_t)vote->type);
    bytes_put_u64(writer, vote->height);
    bytes_put_u32(writer, vote->round);
    bytes_put_u16(writer, vote->validator);
    fields_put_hash(writer, &vote->block_id);
    fields_put_signature(writer, &vote->signature);
}

enum status vote_decode(struct bytes_reader *reader, struct vote *vote) {
    *vote = (struct vote){.type = (enum vote_type)bytes_get_u8(reader)};
    vote->height = bytes_get_u64(reader);
    vote->round = bytes_get_u32(reader);
    vote->validator = bytes_get_u16(reader);
    vote->block_id = fields_get_hash(reader);
    vote->signature = fields_get_signature(reader);
    return !reader->failed && vote_formed(vote) ? STATUS_OK : STATUS_INVALID;
}

void proposal_encode(struct bytes_writer *writer, const struct proposal *proposal) {
    bytes_put_u64(writer, proposal->height);
    bytes_put_u32(writer, proposal->round);
    bytes_put_u32(writer, (uint32_t)proposal->valid_round);
    bytes_put_u16(writer, proposal->proposer);
    fields_put_hash(writer, &proposal->block_id);
    fields_put_hash(writer, &proposal->parts_root);
    bytes_put_u32(writer, proposal->part_count);
    bytes_put_u64(writer, proposal->block_bytes);
    fields_put_signature(writer, &proposal->signature);
}

enum status proposal_decode(struct bytes_reader *reader, struct proposal *proposal) {
    *proposal = (struct proposal){.height = bytes_get_u64(reader)};
    proposal->round = bytes_get_u32(reader);
    proposal->valid_round = (int32_t)bytes_get_u32(reader);
    proposal->proposer = bytes_get_u16(reader);
    proposal->block_id = fields_get_hash(reader);
    proposal->parts_root = fields_get_hash(reader);
    proposal->part_count = bytes_get_u32(reader);
    proposal->block_bytes = bytes_get_u64(reader);
    proposal->signature = fields_get_signature(reader);
    return !reader->failed && proposal_formed(proposal) ? STATUS_OK : STATUS_INVALID;
}
