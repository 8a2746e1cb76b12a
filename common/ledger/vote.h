/* vote: what validators sign for each other, and the bytes they sign (specs/chain.md, 1.4 and 1.5).
 *
 * Sign bytes have one fixed length and no optional field:
 *   "TIERBED-CHAIN-v1\0" | type u8 | chain_id | height u64 | round u32 | valid_round i32 | block_id |
 * parts_id parts_id is zero but for proposals, valid_round is -1 for votes. No time stamp: a vote signed
 * again is the same bytes. parts_id = SHA-256("parts" | part count u32 | block bytes u64 | Merkle root of the
 * parts) binds a proposal to how its block travels, so that nobody on the way can replace it. */
#ifndef TIERBED_LEDGER_VOTE_H
#define TIERBED_LEDGER_VOTE_H

#include "common/ledger/genesis.h"

#define SIGN_BYTES 130u /* 18 + 32 + 8 + 4 + 4 + 32 + 32 */
#define PART_BYTES_MAX 65536u

enum vote_type { VOTE_PROPOSAL = 1, VOTE_PREVOTE = 2, VOTE_PRECOMMIT = 3 };

/* A signed prevote or precommit. block_id zero: nil. */
struct vote {
    enum vote_type type;
    uint64_t height;
    uint32_t round;
    uint16_t validator;
    struct hash block_id;
    struct signature signature;
};

struct proposal {
    uint64_t height;
    uint32_t round;
    int32_t valid_round; /* -1, or the round of the polka for a value proposed again; < round */
    uint16_t proposer;
    struct hash block_id;
    struct hash parts_root; /* Merkle root over the parts */
    uint32_t part_count;
    uint64_t block_bytes;
    struct signature signature;
};

struct hash proposal_parts_id(const struct proposal *proposal);
void vote_sign_bytes(const struct hash *chain_id, const struct vote *vote, uint8_t bytes[SIGN_BYTES]);
void proposal_sign_bytes(const struct hash *chain_id, const struct proposal *proposal,
                         uint8_t bytes[SIGN_BYTES]);
void vote_sign(const struct genesis *genesis, const struct signing_key *key, struct vote *vote);
void proposal_sign(const struct genesis *genesis, const struct signing_key *key, struct proposal *proposal);
/* Known validator, right type, signature of exactly that validator. */
bool vote_valid(const struct genesis *genesis, const struct vote *vote);
bool proposal_valid(const struct genesis *genesis, const struct proposal *proposal);

/* Canonical encodings, fixed size. */
#define VOTE_BYTES (1u + 8u + 4u + 2u + 32u + 64u)
#define PROPOSAL_BYTES (8u + 4u + 4u + 2u + 32u + 32u + 4u + 8u + 64u)
void vote_encode(struct bytes_writer *writer, const struct vote *vote);
enum status vote_decode(struct bytes_reader *reader, struct vote *vote);
void proposal_encode(struct bytes_writer *writer, const struct proposal *proposal);
enum status proposal_decode(struct bytes_reader *reader, struct proposal *proposal);

#endif
