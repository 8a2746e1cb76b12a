/* genesis: what every node of a chain knows before it starts: who may validate, who may submit, the rules.
 *
 * chain_id = SHA-256 of the canonical encoding, so that nothing signed for one run counts in another. The set
 * of validators is static. */
#ifndef TIERBED_LEDGER_GENESIS_H
#define TIERBED_LEDGER_GENESIS_H

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/ledger/hash.h"
#include "common/ledger/quorum.h"

#define PUBLIC_KEY_BYTES 32u
#define SIGNATURE_BYTES 64u
#define SUBMITTERS_MAX 4096u

struct public_key {
    uint8_t bytes[PUBLIC_KEY_BYTES];
};
struct signature {
    uint8_t bytes[SIGNATURE_BYTES];
};

/* The rules, hashed into every header as params_hash. */
struct chain_params {
    uint32_t block_txs_max;       /* transactions of a block */
    uint32_t block_bytes_max;     /* body of a block */
    uint32_t blob_bytes_max;      /* one model */
    uint32_t evidence_age;        /* E: heights after which evidence is too old */
    uint32_t checkpoint_interval; /* C: heights between checkpoints, at least 1 */
    uint32_t models_kept;         /* K: accepted models of a task whose blobs are kept */
    uint32_t open_models_max;     /* models under attestation at once, bound of the registry */
    int64_t epsilon_q32;          /* largest |claimed - median| of a metric that is accepted, Q32.32 */
    double block_rate_hz;         /* lambda of T_gen ~ Exp(lambda); 0: blocks follow each other at once */
    uint64_t seed;                /* public randomness of block time and proposer */
    bool exclude_accused;         /* who is accused in the state of height h - 1 does not propose at h */
};

struct signature_cache; /* signature_cache.h */

struct genesis {
    struct hash chain_id; /* filled by genesis_seal */
    struct hash validators_hash, params_hash;
    uint32_t validator_count;
    struct public_key validators[VALIDATORS_MAX]; /* index = the validator's index everywhere */
    /* Who may send transactions: sender_idx is an index here. The first validator_count are the validators
     * themselves (attestations, evidence); edge servers follow. */
    uint32_t sender_count;
    struct public_key *senders; /* borrowed; sender_count */
    struct chain_params params;
    struct signature_cache *verified; /* borrowed, no part of the chain; NULL: none */
};

/* Computes chain_id, validators_hash and params_hash from the rest. */
void genesis_seal(struct genesis *genesis);
/* Canonical encoding, of genesis_bytes. Version 1, or 2 if a flag of the rules is set: those follow as a u32.
 */
size_t genesis_bytes(const struct genesis *genesis);
void genesis_encode(struct bytes_writer *writer, const struct genesis *genesis);
/* Strict. `senders` has room for `capacity` keys and is borrowed by the genesis. STATUS_INVALID. */
enum status genesis_decode(struct bytes_reader *reader, struct public_key *senders, uint32_t capacity,
                           struct genesis *genesis);

/* Ed25519 of libsodium, RFC 8032. A key pair from 32 seed bytes; signing is deterministic. Never batched. */
struct signing_key {
    uint8_t secret[64]; /* libsodium's form: seed || public */
    struct public_key public;
};
void signing_key_from_seed(const uint8_t seed[32], struct signing_key *key);
struct signature signature_make(const struct signing_key *key, const void *data, size_t size);
bool signature_valid(const struct signature *signature, const struct public_key *key, const void *data,
                     size_t size);

#endif
