/* catch_up: how a validator that is behind gets what the others have committed, and how it serves them.
 *
 * Each block is proven alone by its certificate under the pinned set, so nothing depends on who sent it:
 * headers first (certificate and link to the one before), then bodies of up to CATCH_UP_WINDOW heights from
 * several peers at once. A peer that sends what does not hold is not asked for a while (a link without seal
 * may have damaged it); one that promises a height and does not deliver is believed again only when it says
 * so again, and asked after those that did deliver; one without a checkpoint is asked for one again later.
 * One height behind, it waits timeout_ns first: the votes are on their way. Far behind, it takes a checkpoint
 * instead: a header of height + 1 with its certificate names the block before, the state after it and all
 * block ids (prev_block_id, state_root, history_root), so that a checkpoint is either the truth or refused.
 *
 * It commits nothing: catch_up_take hands over what comes next, the caller validates and commits it and says
 * so by catch_up_committed. */
#ifndef TIERBED_NODES_CHAIN_CATCH_UP_H
#define TIERBED_NODES_CHAIN_CATCH_UP_H

#include "common/ledger/state.h"
#include "common/ledger/store.h"
#include "common/net/message_chain.h"
#include "nodes/outbox.h"

#define CATCH_UP_WINDOW 32u      /* W: heights on their way at once */
#define CATCH_UP_BAN_TIMEOUTS 16 /* time-outs during which a peer that sent wrong bytes is not asked */

struct catch_up_config {
    const struct genesis *genesis; /* borrowed */
    struct ledger_store *store;    /* borrowed; for serving */
    uint16_t self;
    const uint32_t *nodes;  /* borrowed; node id by validator index */
    size_t block_bytes_max; /* of an encoded block, header and certificate included */
    size_t bytes_max;       /* of all bodies on their way, and of a checkpoint */
    int64_t timeout_ns;     /* without progress: ask another */
    uint64_t snapshot_gap;  /* heights behind from which a checkpoint is asked for; 0: never */
};

struct catch_up_peer {
    uint64_t height;              /* that it claims to have committed */
    int64_t banned_until_ns;      /* sent something that does not hold; 0: never did */
    int64_t no_snapshot_until_ns; /* asked for a checkpoint in vain; 0: never was */
    uint32_t failures;            /* time-outs in a row */
};

/* A height on its way: certified header, then body. */
struct catch_up_slot {
    uint64_t height; /* 0: free */
    struct hash block_id;
    struct certificate certificate;
    uint8_t *data; /* owned; NULL: not asked for yet */
    size_t size;   /* of the document, certificate included; 0: not known yet */
    size_t held;
    uint16_t peer; /* who is asked, or who sent it */
    bool asked, complete;
    int64_t deadline_ns;
};

struct catch_up_snapshot; /* catch_up_snapshot.c */

struct catch_up {
    struct catch_up_config config;
    uint64_t tip;          /* committed here */
    struct hash tip_id;    /* zero at 0 */
    uint64_t header_tip;   /* certified headers reach that far */
    struct hash header_id; /* of header_tip */
    struct catch_up_peer peers[VALIDATORS_MAX];
    struct catch_up_slot *slots; /* owned; [height % CATCH_UP_WINDOW] */
    struct catch_up_slot repair; /* a block that is damaged here; height 0: none */
    int64_t now_ns;              /* of the last call */
    int64_t behind_since_ns;     /* peers are ahead; VTIME_NEVER: none is */
    size_t bytes;                /* of all bodies */
    uint16_t next_peer;          /* who is asked next, in turn */
    bool asking_headers;
    uint16_t headers_peer;
    int64_t headers_deadline_ns;
    struct catch_up_snapshot *snapshot; /* owned; being fetched; NULL: none */
    struct catch_up_snapshot *serving;  /* owned; NULL: none */
    uint64_t refused;                   /* answers that did not hold */
    uint64_t read_bytes;                /* of the store, to serve others */
};

enum status catch_up_init(struct catch_up *catch_up, const struct catch_up_config *config);
void catch_up_close(struct catch_up *catch_up);

/* Where this validator stands: at start and after each commit by whatever way. Asks for more if there is more
 * to be had. */
void catch_up_committed(struct catch_up *catch_up, uint64_t height, const struct hash *block_id,
                        int64_t now_ns, struct outbox *out);
/* Peer `validator` says that it has committed `height` (HELLO, STATUS). Asks for it where that is further
 * than here by 1 or more; a claim costs its maker nothing and is believed only as far as it delivers. */
void catch_up_heard(struct catch_up *catch_up, uint16_t validator, uint64_t height, int64_t now_ns,
                    struct outbox *out);
/* Is it fetching, and how far do the claims of peers that were not found lying reach? */
bool catch_up_active(const struct catch_up *catch_up);
uint64_t catch_up_target(const struct catch_up *catch_up);

/* An answer with headers or a part of a block. STATUS_IO, STATUS_MEMORY when the store could not take the
 * block that repairs a damaged one (fail-stop). */
enum status catch_up_on_response(struct catch_up *catch_up, uint16_t validator,
                                 const struct message_catchup_resp *message, int64_t now_ns,
                                 struct outbox *out);
void catch_up_on_snap_meta(struct catch_up *catch_up, uint16_t validator,
                           const struct message_snap_meta *message, int64_t now_ns, struct outbox *out);
void catch_up_on_snap_chunk(struct catch_up *catch_up, uint16_t validator,
                            const struct message_snap_chunk *message, int64_t now_ns, struct outbox *out);

/* What comes next, verified as the head of this file says. A block: its height is tip + 1. A checkpoint: its
 * height is above the tip, `ids` and `state` are set; for ledger_store_adopt and ledger_state_decode.
 * Pointers live until the next call that is not catch_up_take. */
struct catch_up_item {
    bool is_checkpoint;
    uint16_t peer;               /* who sent it */
    struct ledger_commit commit; /* state only of a checkpoint */
    const struct hash *ids;      /* of heights 1 .. height-1, of a checkpoint */
};
bool catch_up_take(struct catch_up *catch_up, struct catch_up_item *item);
/* The caller could not apply what it took, though its certificate is good: more than f validators are wrong,
 * or this one is. Everything on its way is dropped, and its sender not asked for a while. */
void catch_up_reject(struct catch_up *catch_up, const struct catch_up_item *item);

/* The block of a committed height was found damaged on disk: fetches it again and rewrites it in the store.
 * One at a time; serving finds them too. */
void catch_up_damaged(struct catch_up *catch_up, uint64_t height, int64_t now_ns, struct outbox *out);

/* Serving. STATUS_IO, STATUS_FAILED as the store says. */
enum status catch_up_on_request(struct catch_up *catch_up, uint32_t node,
                                const struct message_catchup_req *message, struct outbox *out);
enum status catch_up_on_snap_request(struct catch_up *catch_up, uint32_t node,
                                     const struct message_snap_req *message, struct outbox *out);

/* Asks others where time is up. Call at catch_up_deadline_ns, which is VTIME_NEVER while nothing is asked. */
void catch_up_on_time(struct catch_up *catch_up, int64_t now_ns, struct outbox *out);
int64_t catch_up_deadline_ns(const struct catch_up *catch_up);
size_t catch_up_memory(const struct catch_up *catch_up);

#endif
