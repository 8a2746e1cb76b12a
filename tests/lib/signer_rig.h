/* signer_rig: what the tests of the ledger share: a genesis with the keys of everybody in it, and signed
 * votes, certificates and transactions made with them. */
#ifndef TIERBED_TESTS_LIB_SIGNER_RIG_H
#define TIERBED_TESTS_LIB_SIGNER_RIG_H

#include "common/ledger/block.h"
#include "common/ledger/transaction.h"

#define SIGNER_RIG_SENDERS (VALIDATORS_MAX + 8u)

struct signer_rig {
    struct genesis genesis;
    struct public_key senders[SIGNER_RIG_SENDERS];
    struct signing_key keys[SIGNER_RIG_SENDERS]; /* by sender: the validators first, then the submitters */
};

/* Sealed; limits that no test meets by accident. The rig must not move afterwards. */
void signer_rig_open(struct signer_rig *rig, uint32_t validators, uint32_t submitters);

/* A hash that is nothing but different for different numbers; 0 gives no zero. */
struct hash signer_rig_hash(uint64_t number);
struct vote signer_rig_vote(const struct signer_rig *rig, enum vote_type type, uint16_t validator,
                            uint64_t height, const struct hash *block_id);
/* Round 0; precommits of the validators in `bitmap`. */
struct certificate signer_rig_certificate(const struct signer_rig *rig, uint64_t height,
                                          const struct hash *block_id, uint64_t bitmap);
/* A proposal of round 0 for a block of 100,000 bytes. */
struct proposal signer_rig_proposal(const struct signer_rig *rig, uint16_t proposer, uint64_t height,
                                    const struct hash *block_id);

/* Signed transactions that pass transaction_check. The model's blob are `blob_bytes` bytes at `blob`. */
struct transaction signer_rig_model(const struct signer_rig *rig, uint32_t sender, uint64_t nonce,
                                    const uint8_t *blob, size_t blob_bytes);
/* `records` of 4 bytes each; ext is written to `ext`, which must live as long as the transaction. */
struct transaction signer_rig_records(const struct signer_rig *rig, uint32_t sender, uint64_t nonce,
                                      uint16_t records, uint8_t *ext);
/* The bytes of a transaction; owned by the caller. */
struct block_tx signer_rig_encode(const struct transaction *tx);

#endif
