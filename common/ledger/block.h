/* block: header, body and commit certificate (specs/chain.md, 1.7).
 *
 * No round in the header: a value proposed again keeps its id. block_id = SHA-256("blk" | header). Two honest
 * validators may hold different valid certificates of one height; only the one embedded in the next block is
 * hashed. Compare block ids, never certificates. */
#ifndef TIERBED_LEDGER_BLOCK_H
#define TIERBED_LEDGER_BLOCK_H

#include "common/ledger/vote.h"

#define BLOCK_VERSION 1u
#define BLOCK_HEADER_BYTES (2u + 32u + 8u + 32u + 32u + 32u + 4u + 8u + 32u + 32u + 32u + 32u + 32u + 2u + 8u)
#define BLOCK_TXS_MAX 65536u

struct block_header {
    struct hash chain_id;
    uint64_t height; /* 1 is the first */
    struct hash prev_block_id;
    struct hash prev_cert_hash; /* SHA-256("crt" | encoded certificate of height-1 in this body); zero at 1 */
    struct hash txs_root;       /* RFC 6962 over the encoded transactions */
    uint32_t tx_count;
    uint64_t body_bytes;
    struct hash evidence_root; /* RFC 6962 over the encoded TX_EVIDENCE transactions of the block, in order */
    struct hash state_root;    /* after height-1 */
    struct hash history_root;  /* RFC 6962 over block ids 1 .. height-1; leaf: merkle_leaf(id, 32) */
    struct hash validators_hash, params_hash;
    uint16_t proposer; /* who made it, not who proposed it again */
    uint64_t time_ms;  /* > that of the block before (of height 0: 0 or more), by at most
                          BLOCK_TIME_STEP_MAX_MS */
};

/* 139 years. Without a bound a proposer could set the time to the last that can be counted, and no block
 * could come after. */
#define BLOCK_TIME_STEP_MAX_MS (UINT64_C(1) << 42)

/* At least q precommits of distinct validators for one block. Signatures in the order of the bits. */
struct certificate {
    struct hash chain_id;
    uint64_t height;
    uint32_t round;
    struct hash block_id;
    uint64_t bitmap;
    struct signature signatures[VALIDATORS_MAX]; /* popcount(bitmap) are used */
};
#define CERTIFICATE_BYTES_MAX (32u + 8u + 4u + 32u + 8u + 64u * VALIDATORS_MAX)

/* A slice of an encoded block. */
struct block_tx {
    const uint8_t *data;
    uint32_t bytes;
};

/* An encoded block, taken apart; pointers go into the buffer it was decoded from. txs is owned. */
struct block {
    struct block_header header;
    struct block_tx *txs;
    bool has_prev_cert; /* false at height 1 only */
    struct certificate prev_cert;
};

void block_header_encode(struct bytes_writer *writer, const struct block_header *header);
enum status block_header_decode(struct bytes_reader *reader, struct block_header *header);
struct hash block_id_of(const struct block_header *header);

size_t certificate_bytes(const struct certificate *certificate);
void certificate_encode(struct bytes_writer *writer, const struct certificate *certificate);
enum status certificate_decode(struct bytes_reader *reader, struct certificate *certificate);
struct hash certificate_hash(const struct certificate *certificate);
/* Iterates the pinned set by bit index: every set bit is a known validator whose precommit for exactly this
 * chain, height, round and block (not nil) verifies, and there are at least q. */
bool certificate_valid(const struct genesis *genesis, const struct certificate *certificate);

/* Encodes a whole block: header (its txs_root, tx_count, body_bytes, evidence_root and prev_cert_hash are
 * computed here and written back to `header`), then u32 count, each transaction as u32 length and bytes, then
 * the certificate of the block before (length 0 at height 1). Buffer owned by the caller (free).
 * STATUS_MEMORY. */
enum status block_build(struct block_header *header, const struct block_tx *txs, uint32_t tx_count,
                        const struct certificate *prev_cert, uint8_t **data, size_t *size);
/* Strict; bounded by `bytes_max` before anything is allocated. Checks that the header commits to the body
 * (roots, counts, certificate hash); nothing else. Close with block_close, also after failure. */
enum status block_open(const uint8_t *data, size_t size, size_t bytes_max, struct block *block);
void block_close(struct block *block);
/* Leaf hashes of the transactions, for proofs: header.tx_count of them. */
void block_tx_leaves(const struct block *block, struct hash *leaves);

/* Parts: slices of PART_BYTES_MAX of an encoded block and the tree over them. */
uint32_t block_part_count(uint64_t block_bytes);
/* leaves: room for block_part_count. Returns the root. */
struct hash block_part_leaves(const uint8_t *data, size_t size, struct hash *leaves);

#endif
