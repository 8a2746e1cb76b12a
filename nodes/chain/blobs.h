/* blobs: models by hash, fetched in chunks from whoever has them, and served.
 *
 * A fetch asks one source for a window of chunks at a time. A chunk counts when its inclusion proof holds
 * under the chunk_root of the transaction. A source that says it has nothing, answers wrongly or does not
 * answer in time is left for the next one; after the last one it begins again with the first, until the
 * caller no longer wants the blob. A complete blob is stored only if its hash is the one wanted. Memory: at
 * most bytes_max for all fetches together, and one blob that is being served. */
#ifndef TIERBED_NODES_CHAIN_BLOBS_H
#define TIERBED_NODES_CHAIN_BLOBS_H

#include "common/ledger/state.h"
#include "common/ledger/store.h"
#include "common/net/message_chain.h"
#include "nodes/outbox.h"

#define BLOB_FETCHES_MAX 16u
#define BLOB_SOURCES_MAX (VALIDATORS_MAX + 1u)
#define BLOB_WINDOW_CHUNKS 8u /* asked for, and served, at a time */
#define BLOBS_SEEN_MAX 64u

struct blobs_config {
    struct ledger_store *store; /* borrowed */
    uint32_t blob_bytes_max;    /* of one blob; larger ones are refused */
    size_t bytes_max;           /* of all fetches */
    int64_t timeout_ns;         /* without a good chunk: next source */
};

/* What a transaction says of its blob. */
struct blob_claim {
    struct hash hash, chunk_root;
    uint64_t bytes;
};
static inline struct blob_claim blob_claim_of(const struct transaction *tx) {
    return (struct blob_claim){.hash = tx->blob_hash, .chunk_root = tx->chunk_root, .bytes = tx->blob_bytes};
}

struct blob_fetch {
    struct blob_claim claim;
    uint8_t *data; /* owned; NULL: this place is free */
    uint8_t *held; /* owned; by chunk */
    uint32_t chunk_count, held_count, window_first, window_end;
    uint32_t sources[BLOB_SOURCES_MAX]; /* node ids */
    uint32_t source_count, source;      /* the one asked */
    uint32_t failed;                    /* sources in a row that did not deliver */
    uint32_t rounds;                    /* through all of them, in vain */
    int64_t deadline_ns;
};

struct blobs {
    struct blobs_config config;
    struct blob_fetch fetches[BLOB_FETCHES_MAX];
    size_t bytes; /* of the buffers of all fetches */
    /* The blob that is being served, with its tree. */
    struct hash serving;
    uint8_t *serving_data;       /* owned; NULL: none */
    struct hash *serving_leaves; /* owned */
    size_t serving_bytes;
    /* What stored blobs are, so that none is read for each look; a ring. */
    struct blob_claim seen[BLOBS_SEEN_MAX];
    uint32_t seen_next;
    uint64_t refused;    /* answers that were wrong */
    uint64_t read_bytes; /* of the store, to serve others */
};

/* One chunk tree: leaves has room for blob_chunk_count(bytes). */
static inline uint32_t blob_chunk_count(uint64_t bytes) {
    return (uint32_t)((bytes + CHUNK_BYTES - 1) / CHUNK_BYTES);
}
void blob_leaves(const uint8_t *data, size_t bytes, struct hash *leaves);
/* A blob in memory and its tree; all borrowed. data NULL: it is not here. */
struct blob_source {
    const uint8_t *data;
    size_t bytes;
    const struct hash *leaves;
};
/* Answers a request, for whoever has the blob: at most BLOB_WINDOW_CHUNKS of the chunks asked for, or that it
 * is not here. */
void blob_answer(const struct message_blob_req *request, const struct blob_source *source, uint32_t node,
                 struct outbox *out);

void blobs_init(struct blobs *blobs, const struct blobs_config *config);
void blobs_close(struct blobs *blobs);

/* Is it stored, with the size and chunk root claimed? */
bool blobs_hold(struct blobs *blobs, const struct blob_claim *claim);

/* What is wanted, and who may have it: node ids, borrowed; at least one. */
struct blob_want {
    struct blob_claim claim;
    const uint32_t *sources;
    uint32_t source_count;
};
/* Wants a blob; first asks sources[0]. Again for one that is on its way: adds sources that are new. STATUS_OK
 * also when it is stored already. STATUS_FULL: no room now, ask again later. STATUS_INVALID: larger than
 * allowed, or empty. */
enum status blobs_want(struct blobs *blobs, const struct blob_want *want, int64_t now_ns, struct outbox *out);
/* Ends fetches of `hash`, whatever chunk root. */
void blobs_forget(struct blobs *blobs, const struct hash *hash);
bool blobs_wanted(const struct blobs *blobs, const struct hash *hash);

enum blobs_result {
    BLOBS_NOTHING = 0, /* wait on */
    BLOBS_STORED,      /* complete, verified and in the store */
    BLOBS_FALSE,       /* complete by its chunk root, but not what the hash says: the claim is a lie */
};
struct blobs_outcome {
    enum blobs_result result;
    struct blob_claim claim; /* of BLOBS_STORED and BLOBS_FALSE; the fetch has ended then */
};
struct blob_event {
    uint32_t node; /* who answers */
    const struct message_blob_resp *message;
    int64_t now_ns;
};
/* An answer. STATUS_IO when the store failed (fail-stop). */
enum status blobs_on_response(struct blobs *blobs, const struct blob_event *event, struct outbox *out,
                              struct blobs_outcome *outcome);
/* Answers with the chunks that are asked for, at most BLOB_WINDOW_CHUNKS of them, or that it is not here. */
enum status blobs_on_request(struct blobs *blobs, uint32_t node, const struct message_blob_req *message,
                             struct outbox *out);

/* Turns to the next source where time is up. Call at blobs_deadline_ns, which is VTIME_NEVER without fetches.
 */
void blobs_on_time(struct blobs *blobs, int64_t now_ns, struct outbox *out);
int64_t blobs_deadline_ns(const struct blobs *blobs);
size_t blobs_memory(const struct blobs *blobs);

/* Which blobs may go (specs/chain.md, 1.10): all but those of models in the registry and those whose
 * transaction is no older than evidence_age heights. */
struct blob_reference {
    struct hash hash;
    uint64_t height; /* of the last block with a transaction that names it */
};
struct blob_keeper {
    struct ledger_store *store;        /* borrowed */
    uint64_t height;                   /* of the last block seen */
    struct blob_reference *references; /* owned; sorted by hash */
    uint32_t count, capacity;
};
/* Reads the last blocks of the store. STATUS_IO, STATUS_FAILED as the store says. */
enum status blob_keeper_init(struct blob_keeper *keeper, struct ledger_store *store,
                             const struct ledger_state *state);
void blob_keeper_close(struct blob_keeper *keeper);
/* After the commit of `block`, with the state after it: remembers its models, drops what may go now. */
enum status blob_keeper_committed(struct blob_keeper *keeper, const struct block *block,
                                  const struct ledger_state *state);

#endif
