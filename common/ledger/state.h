/* state: what the chain has decided so far: nonces, the registry of models, whom evidence has accused.
 *
 * A pure function of the blocks. Bounded by genesis: senders, open_models_max, models_kept per task (of
 * LEDGER_TASKS_MAX), keys of evidence no older than evidence_age and at most LEDGER_OFFENCES_MAX a height of
 * that age and validator. A model is open from the block that holds its update until q attestations are on
 * chain (then it is accepted or rejected by the median rule of 1.6) or evidence_age heights have passed (then
 * it is forgotten). The median of n values is number (n - 1) / 2 in ascending order, from 0; an attestation
 * whose verdict is 0 counts as the least value there is, so that q of them reject. Of the accepted models of
 * a task the models_kept decided last are kept. RECORDS advance the nonce by their weight and leave nothing
 * else. */
#ifndef TIERBED_LEDGER_STATE_H
#define TIERBED_LEDGER_STATE_H

#include "common/ledger/block.h"
#include "common/ledger/evidence.h"
#include "common/ledger/merkle.h"
#include "common/ledger/transaction.h"

#define LEDGER_TASKS_MAX 1024u /* task_id is below */
#define LEDGER_OFFENCES_MAX 8u /* of one validator, times evidence_age + 1 */

enum model_status { MODEL_OPEN = 1, MODEL_ACCEPTED = 2 };

struct ledger_model {
    struct hash tx_id;
    uint8_t status; /* enum model_status */
    uint32_t task_id, sender, arch_id, sample_count;
    uint64_t height; /* of the block with its update */
    uint64_t fl_round, blob_bytes, decided_height;
    struct hash blob_hash, chunk_root, metric_input_hash;
    int64_t claimed_q32[METRIC_COUNT];
    int64_t median_q32[METRIC_COUNT]; /* once accepted */
    uint64_t attested;                /* bitmap of validators */
    int64_t *values;  /* owned; open models: [validator][METRIC_COUNT], INT64_MIN where verdict was 0 */
    struct hash leaf; /* of the state tree, as of the end of the last block that changed it */
    bool leaf_known;
};

/* What evidence has shown, remembered so that it counts once. */
struct ledger_offence {
    struct hash key; /* evidence_key */
    uint64_t height; /* of the two messages */
    uint16_t accused;
};

struct ledger_state {
    const struct genesis *genesis; /* borrowed */
    uint64_t height;               /* of the last block applied; 0: none */
    uint64_t *nonces;              /* owned; by sender: the last one used, 0: none */
    struct ledger_model *models;   /* owned; sorted by tx_id: the order of the state tree */
    uint32_t model_count, model_capacity, open_count;
    struct ledger_offence *offences; /* owned; sorted by key */
    uint32_t offence_count, offence_capacity;
    uint64_t accused; /* bitmap of validators ever accused */
    uint64_t accepted_total, rejected_total, transactions_total;
    struct hash root; /* of the state tree, as of the end of the last block */
    bool root_known;
};

enum status ledger_state_init(struct ledger_state *state, const struct genesis *genesis);
enum status ledger_state_copy(struct ledger_state *copy, const struct ledger_state *state);
void ledger_state_close(struct ledger_state *state);

/* May `tx` (already through transaction_check) stand next in a block of `height`? Nonce, expiry, room,
 * attestation of an open model by a validator that has not yet attested it, evidence new and young enough
 * (and evidence_valid). STATUS_INVALID; STATUS_FULL when the registry has no room now. */
enum status ledger_state_check(const struct ledger_state *state, const struct transaction *tx,
                               uint64_t height);
/* Applies it. `id` is its tx_id. The caller has checked. */
enum status ledger_state_apply_tx(struct ledger_state *state, const struct transaction *tx,
                                  const struct hash *id, uint64_t height);
/* Ends a height: decides open models by the median rule, forgets what is too old. */
void ledger_state_end_block(struct ledger_state *state, uint64_t height);

/* Every transaction of `block` in turn: transaction_check (unless `trusted`: its signatures were verified
 * before, by id), ledger_state_check, apply; then end of block. STATUS_INVALID and an undefined state (close
 * it) when one may not stand there: run it on a copy. `verified` may be NULL: was this tx_id verified
 * already? */
typedef bool (*ledger_tx_verified)(void *context, const struct hash *id);
enum status ledger_state_apply(struct ledger_state *state, const struct block *block,
                               ledger_tx_verified verified, void *context);

/* RFC 6962 root over the leaves: "nonces" (all of them, one leaf), then each model, then "evidence" (one
 * leaf). */
struct hash ledger_state_root(const struct ledger_state *state);
/* Canonical dump for store and checkpoints; strict load. */
size_t ledger_state_bytes(const struct ledger_state *state);
void ledger_state_encode(struct bytes_writer *writer, const struct ledger_state *state);
enum status ledger_state_decode(struct ledger_state *state, const struct genesis *genesis,
                                const uint8_t *data, size_t size);

/* Which blobs a validator must keep after the state's height (1.10): those of all models in the registry,
 * sorted, none twice. `hashes`: room for model_count. Returns how many. Every other blob may be dropped,
 * unless a block that is not applied yet speaks of it. */
uint32_t ledger_state_blobs(const struct ledger_state *state, struct hash *hashes);
bool ledger_state_needs_blob(const struct ledger_state *state, const struct hash *hash);

const struct ledger_model *ledger_state_model(const struct ledger_state *state, const struct hash *tx_id);
/* The best accepted model of a task: greatest median accuracy, then least loss, then the earliest. NULL:
 * none. */
bool ledger_model_better(const struct ledger_model *a, const struct ledger_model *b); /* of two accepted */
const struct ledger_model *ledger_state_best(const struct ledger_state *state, uint32_t task_id);
/* Leaf of a model in the state tree and its place: for proofs. The encoding is that of the dump. */
#define LEDGER_MODEL_BYTES_MAX 4096u
enum status ledger_state_prove(const struct ledger_state *state, const struct hash *tx_id,
                               struct bytes_writer *leaf, uint64_t *index, uint64_t *count,
                               struct hash path[MERKLE_PATH_MAX], uint32_t *length);
/* A leaf back to a model (values NULL). */
enum status ledger_model_decode(const uint8_t *leaf, size_t size, struct ledger_model *model);

/* Whole validity of a block on top of `state` and `tip` (NULL at height 1): header fields against genesis,
 * tip, state_root and history_root, the certificate of the tip, limits, time, every transaction. On success
 * `next` holds the state after it (the caller closes it; after a failure too). `why` (may be NULL) gets one
 * sentence. block_txs_max bounds the sum of transaction_weight. Blobs are not looked at. */
struct block_context {
    const struct genesis *genesis;
    const struct ledger_state *state;
    const struct block_header *tip; /* of the block before, NULL at height 1 */
    struct hash history_root;       /* over ids 1 .. height-1 */
    ledger_tx_verified verified;    /* may be NULL */
    void *context;
};
enum status block_valid_on(const struct block_context *context, const struct block *block,
                           struct ledger_state *next, struct error *why);

#endif
