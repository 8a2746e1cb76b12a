/* ledger_rig: valid chains for tests: keys, transactions, blocks signed by hand, the state after each.
 *
 *   struct ledger_rig rig;
 *   ledger_rig_open(&rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
 *   struct hash model = ledger_rig_model(&rig, 4, 0, 0.9);
 *   ledger_rig_commit(&rig);
 *   ledger_rig_attest_all(&rig, &model);
 *   ledger_rig_commit(&rig);
 *
 * Senders 0 .. validators-1 are the validators, edge servers follow. Every failure is a failed assertion of
 * cmocka's kind (an abort outside of it). */
#ifndef TIERBED_TESTS_LEDGER_RIG_H
#define TIERBED_TESTS_LEDGER_RIG_H

#include "common/ledger/state.h"
#include "common/ledger/store.h"

#define LEDGER_RIG_SENDERS_MAX 128u

struct ledger_rig_config {
    uint32_t validators, edges;
    const struct chain_params *params; /* NULL: ledger_rig_params */
};

struct ledger_rig_block {
    uint8_t *data; /* owned */
    size_t size;
    struct hash id;
    struct certificate certificate;
    uint8_t *state; /* owned: ledger_state_encode after it */
    size_t state_bytes;
};

struct ledger_rig_blob {
    struct hash hash;
    uint8_t *data; /* owned */
    size_t size;
};

struct ledger_rig {
    struct genesis genesis;
    struct public_key senders[LEDGER_RIG_SENDERS_MAX];
    struct signing_key keys[LEDGER_RIG_SENDERS_MAX];
    uint64_t nonces[LEDGER_RIG_SENDERS_MAX]; /* the last one handed out */
    struct ledger_state state;               /* after the tip */
    struct block_header tip;                 /* when block_count > 0 */
    struct merkle_frontier history;          /* ids up to the tip */
    struct ledger_rig_block *blocks;         /* owned; [height - 1] */
    uint64_t block_count;
    struct ledger_rig_blob *blobs; /* owned */
    uint32_t blob_count;
    struct block_tx *pending; /* owned, and their data: what the next block holds */
    uint32_t pending_count;
};

struct chain_params ledger_rig_params(void);
void ledger_rig_open(struct ledger_rig *rig, const struct ledger_rig_config *config);
void ledger_rig_close(struct ledger_rig *rig);

/* A transaction of `sender` with chain, next nonce and expiry filled in; the rest is the caller's. */
struct transaction ledger_rig_tx(struct ledger_rig *rig, uint8_t type, uint32_t sender);
/* Signs it and puts it into the next block. Returns its id. */
struct hash ledger_rig_add(struct ledger_rig *rig, struct transaction *tx);

/* A model of `task` with a blob of some bytes (kept in rig->blobs), every metric claimed as given. */
struct hash ledger_rig_model(struct ledger_rig *rig, uint32_t sender, uint32_t task, double metric);
/* One validator's attestation, all metrics as given. */
struct hash ledger_rig_attest(struct ledger_rig *rig, uint32_t validator, const struct hash *model,
                              double metric);
/* Attestations of all validators with the metrics that were claimed. The model is open in rig->state. */
void ledger_rig_attest_all(struct ledger_rig *rig, const struct hash *model);
struct hash ledger_rig_records(struct ledger_rig *rig, uint32_t sender, uint16_t count);
/* Two prevotes of `accused` at (height, round), reported by `reporter`. */
struct hash ledger_rig_evidence(struct ledger_rig *rig, uint32_t reporter, uint32_t accused, uint64_t height,
                                uint32_t round);

/* The context in which the next block is judged. */
struct block_context ledger_rig_context(const struct ledger_rig *rig);
/* The next block over what is pending, not committed: bytes are the caller's. */
void ledger_rig_build(const struct ledger_rig *rig, struct block_header *header, uint8_t **data,
                      size_t *size);
/* A certificate of the validators in `bitmap`, valid or not as that may be. */
struct certificate ledger_rig_certify(const struct ledger_rig *rig, uint64_t height, uint32_t round,
                                      const struct hash *block_id, uint64_t bitmap);
/* Builds, checks with block_valid_on, certifies (by q validators, which ones changes with height) and applies
 * the next block. */
void ledger_rig_commit(struct ledger_rig *rig);

/* Writes the chain as a ledger into `dir`, with its genesis: blocks 1 .. `to`, or only those from `from` on
 * (> 1) as a validator that began at the checkpoint there. With `blobs`, all of them too. */
void ledger_rig_write(const struct ledger_rig *rig, const char *dir, uint64_t from, uint64_t to, bool blobs);

#endif
