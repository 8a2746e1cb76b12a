/* attest: a validator recomputes the metrics of each open model and says what it found.
 *
 * Driven by the state, not by blocks: every open model that this validator has not attested on chain is one
 * it still has to attest, whatever was sent before and lost. A model is evaluated once; its transaction is
 * made again, with a new nonce, when the old nonce was used by another. Floating point stays here: validators
 * need not agree to the last bit, the median rule sees to the rest (specs/chain.md, 1.6). */
#ifndef TIERBED_NODES_CHAIN_ATTEST_H
#define TIERBED_NODES_CHAIN_ATTEST_H

#include "common/ledger/state.h"
#include "common/ledger/store.h"

/* Recomputes the metrics of a model of one architecture on the labelled inputs of `metric_input_hash`. */
struct attestor {
    uint32_t arch_id;
    const char *name; /* with version: its hash is the tool_hash */
    /* false: cannot be evaluated (damaged blob, unknown inputs). `context` is that of the attest_config. */
    bool (*evaluate)(void *context, const uint8_t *blob, size_t bytes, const struct hash *metric_input_hash,
                     int64_t metric_q32[METRIC_COUNT]);
};

/* For tests and campaigns: the metrics are the first bytes of the blob, METRIC_COUNT i64 little-endian. */
#define ATTESTOR_STATED_ARCH 0u
extern const struct attestor attestor_stated;

struct attest_config {
    const struct genesis *genesis;           /* borrowed */
    struct ledger_store *store;              /* borrowed; blobs */
    const struct signing_key *key;           /* borrowed */
    uint32_t self;                           /* sender index of this validator */
    const struct attestor *const *attestors; /* borrowed */
    uint32_t attestor_count;
    void *context;
    uint64_t expiry; /* heights that an attestation stays valid */
};

/* A model that was evaluated and is not yet attested on chain. */
struct attest_pending {
    struct hash model;
    struct attestation attestation;
    uint64_t nonce;         /* of the transaction made last; 0: none yet */
    uint64_t expiry_height; /* of the same */
};

struct attest {
    struct attest_config config;
    struct attest_pending *pending; /* owned; at most open_models_max */
    uint32_t count;
    uint64_t evaluated;
};

enum status attest_init(struct attest *attest, const struct attest_config *config);
void attest_close(struct attest *attest);

/* One transaction that has to be made now: an open model, not attested by this validator in `state`, whose
 * blob is stored and whose last transaction was not made yet or can no longer stand in a block. Signs it with
 * nonce *next_nonce, which it counts up, and encodes it to `writer` (room for ATTEST_TX_BYTES).
 * STATUS_STOPPED: none is due, nothing was written. Call until then, after each commit and when a blob has
 * come. STATUS_IO as the store says. */
#define ATTEST_TX_BYTES (TRANSACTION_BYTES_MIN + ATTESTATION_BYTES)
enum status attest_next(struct attest *attest, const struct ledger_state *state, uint64_t *next_nonce,
                        struct bytes_writer *writer);

/* The first open model that this validator should attest and whose blob is not here, for blobs_want; false:
 * none. `after` (may be NULL: from the first) is the tx_id where the last call stopped. */
bool attest_missing_blob(struct attest *attest, const struct ledger_state *state, const struct hash *after,
                         const struct ledger_model **model);

#endif
