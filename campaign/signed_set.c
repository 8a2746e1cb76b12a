#include "campaign/signed_set.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/ledger/signature_cache.h"

void signed_set_init(struct signed_set *set, const struct genesis *genesis) {
    *set = (struct signed_set){.genesis = genesis, .slot_mask = 4095};
    set->slots = memory_grow(NULL, set->slot_mask + 1, sizeof *set->slots, "campaign signatures");
    memset(set->slots, 0xff, (set->slot_mask + 1) * sizeof *set->slots);
}

void signed_set_close(struct signed_set *set) {
    free(set->votes);
    free(set->proposals);
    free(set->slots);
    *set = (struct signed_set){0};
}

static void put_bytes(uint8_t bytes[SIGN_BYTES], uint8_t type, const struct hash *chain_id, uint64_t height,
                      uint32_t round) {
    static const char tag[] = "TIERBED-CHAIN-v1"; /* with its zero: 17 bytes */
    memset(bytes, 0, SIGN_BYTES);
    memcpy(bytes, tag, sizeof tag);
    bytes[17] = type;
    memcpy(bytes + 18, chain_id->bytes, HASH_BYTES);
    for (uint32_t i = 0; i < 8; i++)
        bytes[50 + i] = (uint8_t)(height >> 8 * i);
    for (uint32_t i = 0; i < 4; i++)
        bytes[58 + i] = (uint8_t)(round >> 8 * i);
}

void signed_vote_bytes(const struct hash *chain_id, const struct vote *vote, uint8_t bytes[SIGN_BYTES]) {
    put_bytes(bytes, (uint8_t)vote->type, chain_id, vote->height, vote->round);
    memset(bytes + 62, 0xff, 4); /* valid_round -1 */
    memcpy(bytes + 66, vote->block_id.bytes, HASH_BYTES);
}

void signed_proposal_bytes(const struct hash *chain_id, const struct proposal *proposal,
                           uint8_t bytes[SIGN_BYTES]) {
    put_bytes(bytes, VOTE_PROPOSAL, chain_id, proposal->height, proposal->round);
    uint32_t valid_round = (uint32_t)proposal->valid_round;
    uint8_t parts[4 + 8 + HASH_BYTES];
    for (uint32_t i = 0; i < 4; i++) {
        bytes[62 + i] = (uint8_t)(valid_round >> 8 * i);
        parts[i] = (uint8_t)(proposal->part_count >> 8 * i);
    }
    for (uint32_t i = 0; i < 8; i++)
        parts[4 + i] = (uint8_t)(proposal->block_bytes >> 8 * i);
    memcpy(parts + 12, proposal->parts_root.bytes, HASH_BYTES);
    struct hash parts_id = hash_of("parts", parts, sizeof parts);
    memcpy(bytes + 66, proposal->block_id.bytes, HASH_BYTES);
    memcpy(bytes + 98, parts_id.bytes, HASH_BYTES);
}

bool signed_vote_valid(const struct genesis *genesis, const struct vote *vote) {
    uint8_t bytes[SIGN_BYTES];
    if (vote->validator >= genesis->validator_count)
        return false;
    signed_vote_bytes(&genesis->chain_id, vote, bytes);
    return genesis_signature_valid(genesis, &vote->signature, &genesis->validators[vote->validator], bytes,
                                   SIGN_BYTES);
}

bool signed_proposal_valid(const struct genesis *genesis, const struct proposal *proposal) {
    uint8_t bytes[SIGN_BYTES];
    if (proposal->proposer >= genesis->validator_count)
        return false;
    signed_proposal_bytes(&genesis->chain_id, proposal, bytes);
    return genesis_signature_valid(genesis, &proposal->signature, &genesis->validators[proposal->proposer],
                                   bytes, SIGN_BYTES);
}

static uint32_t slot_of(const struct signed_set *set, uint16_t validator, uint64_t height, uint32_t round,
                        enum vote_type type) {
    uint64_t key = random_mix(height * 8 + (uint64_t)type) ^ random_mix((uint64_t)round << 16 | validator);
    return (uint32_t)random_mix(key) & set->slot_mask;
}

static bool same_place(const struct vote *a, const struct vote *b) {
    return a->validator == b->validator && a->height == b->height && a->round == b->round &&
           a->type == b->type;
}

struct signed_vote *signed_set_vote(struct signed_set *set, const struct vote *vote, bool *added) {
    uint32_t slot = slot_of(set, vote->validator, vote->height, vote->round, vote->type);
    *added = false;
    for (uint32_t i = set->slots[slot]; i != SIGNED_NONE; i = set->votes[i].next)
        if (same_place(&set->votes[i].vote, vote) &&
            hash_equal(&set->votes[i].vote.block_id, &vote->block_id))
            return &set->votes[i];
    if (set->vote_count == set->vote_capacity) {
        set->vote_capacity = set->vote_capacity ? set->vote_capacity * 2 : 256;
        set->votes = memory_grow(set->votes, set->vote_capacity, sizeof *set->votes, "campaign votes");
    }
    struct signed_vote *entry = &set->votes[set->vote_count];
    *entry = (struct signed_vote){.vote = *vote, .next = set->slots[slot]};
    set->slots[slot] = set->vote_count++;
    *added = true;
    return entry;
}

struct signed_proposal *signed_set_proposal(struct signed_set *set, const struct proposal *proposal,
                                            bool *added) {
    *added = false;
    for (uint32_t i = set->proposal_count; i-- > 0;) { /* newest first: it is mostly one of the last */
        const struct proposal *other = &set->proposals[i].proposal;
        if (memcmp(other->signature.bytes, proposal->signature.bytes, SIGNATURE_BYTES) == 0)
            return &set->proposals[i];
    }
    if (set->proposal_count == set->proposal_capacity) {
        set->proposal_capacity = set->proposal_capacity ? set->proposal_capacity * 2 : 64;
        set->proposals =
            memory_grow(set->proposals, set->proposal_capacity, sizeof *set->proposals, "campaign proposals");
    }
    struct signed_proposal *entry = &set->proposals[set->proposal_count++];
    *entry = (struct signed_proposal){.proposal = *proposal, .next = SIGNED_NONE};
    *added = true;
    return entry;
}

const struct signed_vote *signed_set_conflict(const struct signed_set *set, const struct vote *vote) {
    uint32_t slot = slot_of(set, vote->validator, vote->height, vote->round, vote->type);
    for (uint32_t i = set->slots[slot]; i != SIGNED_NONE; i = set->votes[i].next)
        if (same_place(&set->votes[i].vote, vote) &&
            !hash_equal(&set->votes[i].vote.block_id, &vote->block_id))
            return &set->votes[i];
    return NULL;
}

const struct signed_proposal *signed_set_proposal_conflict(const struct signed_set *set,
                                                           const struct proposal *proposal) {
    for (uint32_t i = 0; i < set->proposal_count; i++) {
        const struct proposal *other = &set->proposals[i].proposal;
        if (other->proposer == proposal->proposer && other->height == proposal->height &&
            other->round == proposal->round &&
            memcmp(other->signature.bytes, proposal->signature.bytes, SIGNATURE_BYTES) != 0)
            return &set->proposals[i];
    }
    return NULL;
}

const struct signed_vote *signed_set_find(const struct signed_set *set, uint16_t validator, uint64_t height,
                                          uint32_t round, enum vote_type type, const struct hash *value) {
    struct vote wanted = {.type = type, .height = height, .round = round, .validator = validator};
    uint32_t slot = slot_of(set, validator, height, round, type);
    for (uint32_t i = set->slots[slot]; i != SIGNED_NONE; i = set->votes[i].next)
        if (same_place(&set->votes[i].vote, &wanted) && hash_equal(&set->votes[i].vote.block_id, value))
            return &set->votes[i];
    return NULL;
}

uint64_t signed_set_voters(const struct signed_set *set, uint64_t height, uint32_t round, enum vote_type type,
                           const struct hash *value) {
    uint64_t voters = 0;
    for (uint32_t i = 0; i < set->genesis->validator_count; i++)
        if (signed_set_find(set, (uint16_t)i, height, round, type, value) != NULL)
            voters |= UINT64_C(1) << i;
    return voters;
}
