/* mempool: transactions that wait for a block: checked, one per (sender, nonce), bounded.
 *
 * A sender may use all the room that nobody else wants. When there is none left, a newcomer takes the place
 * of the last transaction of whoever holds most, unless that is the newcomer's own sender: so a flood of one
 * sender cannot keep others out (specs/chain.md, 3.3 row 41). Of two bodies with one (sender, nonce) the
 * first stays. What is refused costs no signature check where something cheaper refuses it. */
#ifndef TIERBED_NODES_CHAIN_MEMPOOL_H
#define TIERBED_NODES_CHAIN_MEMPOOL_H

#include "common/ledger/state.h"

/* One transaction that waits, with its encoding. */
struct mempool_entry {
    struct hash id;
    uint64_t nonce, expiry_height;
    uint32_t sender, weight, bytes;
    uint8_t type;
    uint8_t data[];
};

struct mempool_config {
    const struct genesis *genesis; /* borrowed */
    uint32_t txs_max;              /* transactions, by weight: a record counts as one */
    size_t bytes_max;              /* of their encodings */
    uint32_t verified_max;         /* remembered ids of checked transactions; a power of two */
};

struct mempool {
    struct mempool_config config;
    struct mempool_entry **entries; /* owned, and what they point to; sorted by (sender, nonce) */
    uint32_t count, capacity;
    uint64_t weight;         /* of all entries */
    size_t bytes;            /* of all encodings */
    uint32_t *sender_weight; /* owned; by sender */
    size_t *sender_bytes;    /* owned; by sender */
    struct hash *verified;   /* owned; by the first bytes of the id */
};

enum mempool_verdict {
    MEMPOOL_NEW = 0,  /* taken: worth passing on */
    MEMPOOL_KNOWN,    /* the same one is here */
    MEMPOOL_CONFLICT, /* another body under the same sender and nonce is here */
    MEMPOOL_STALE,    /* nonce used on chain, or expired */
    MEMPOOL_CROWDED,  /* no room that its sender may have */
    MEMPOOL_INVALID   /* not a transaction of this chain, or its signature is wrong */
};

/* STATUS_MEMORY. Close is safe after it. */
enum status mempool_init(struct mempool *pool, const struct mempool_config *config);
void mempool_close(struct mempool *pool);

/* Takes a copy of the encoded transaction if it may wait. `state` is that of the tip. */
enum mempool_verdict mempool_add(struct mempool *pool, const struct ledger_state *state, const uint8_t *data,
                                 size_t size);
/* Forgets what the block of `state` and those before have used, and what has expired. */
void mempool_committed(struct mempool *pool, const struct ledger_state *state);

/* May this model update be in a block that this validator makes: is its blob here, and what it is said to be?
 */
typedef bool (*mempool_blob_held)(void *context, const struct transaction *tx);

/* What mempool_pick chose; `txs` point into the pool, until it changes. */
struct mempool_pick {
    struct block_tx *txs; /* room for `capacity` */
    uint32_t capacity, count;
    mempool_blob_held held; /* NULL: blobs are not asked for */
    void *context;
};
/* The transactions of the next block: one of each sender in turn, beginning with another sender at each
 * height, each sender's in the order of nonces, as far as block_txs_max (by weight) and the bytes of a body
 * allow. `cert_bytes` are taken by the certificate in the body. Each stands on `state` with those before it
 * (ledger_state_check on a copy). What can never stand there is forgotten; a sender whose next one cannot
 * stand there now (blob not here, registry full) is left out of this block. STATUS_MEMORY. */
enum status mempool_pick(struct mempool *pool, const struct ledger_state *state, size_t cert_bytes,
                         struct mempool_pick *pick);
/* Would mempool_pick find anything? Cheap and sometimes too optimistic: blobs are not looked for. */
bool mempool_pending(const struct mempool *pool);
/* Forgets one, as when its blob was found not to exist. */
void mempool_drop(struct mempool *pool, uint32_t sender, uint64_t nonce);

/* Was this transaction through transaction_check here, now or of late? For ledger_state_apply; `context` is
 * the pool. mempool_mark_verified adds one that was checked elsewhere. */
bool mempool_verified(void *context, const struct hash *id);
void mempool_mark_verified(struct mempool *pool, const struct hash *id);

/* NULL: none. */
const struct mempool_entry *mempool_find(const struct mempool *pool, uint32_t sender, uint64_t nonce);
/* Bytes held, for the bound under flood (I15). */
size_t mempool_memory(const struct mempool *pool);

#endif
