/* catch_up_parts: what the files of catch_up call of each other. Internal to nodes/chain/catch_up*.c. */
#ifndef TIERBED_NODES_CHAIN_CATCH_UP_PARTS_H
#define TIERBED_NODES_CHAIN_CATCH_UP_PARTS_H

#include "nodes/chain/catch_up.h"

#define CATCH_UP_NOBODY VALIDATORS_MAX

/* A checkpoint in transfer, either way. As one string of bytes: height u64 | block bytes u32 | block |
 * certificate of the block | state bytes u64 | state after it | block ids 1 .. height-1. */
struct catch_up_snapshot {
    uint64_t height;                /* 0: its description is still to come */
    uint16_t peer;                  /* who is asked */
    struct block_header next;       /* of height + 1 */
    struct certificate certificate; /* of height + 1 */
    uint64_t total;
    uint32_t count, held_count, window_end;
    struct hash *hashes; /* owned; merkle_leaf of each chunk */
    uint8_t *held;       /* owned; by chunk */
    uint8_t *data;       /* owned; total */
    int64_t deadline_ns;
    /* once complete and verified, within data but for ids */
    bool complete;
    struct ledger_commit commit;
    struct certificate commit_certificate; /* commit points to it */
    struct hash *ids;                      /* owned */
};

/* ---- catch_up.c ---- */
/* Who is asked for `height`: of those who claim to have it, who failed least, in turn. CATCH_UP_NOBODY. */
uint16_t catch_up_choose(struct catch_up *catch_up, uint64_t height, bool for_snapshot);
/* It sent what does not hold. */
void catch_up_ban(struct catch_up *catch_up, uint16_t peer);
/* It did not deliver what it promised. */
void catch_up_fail(struct catch_up *catch_up, uint16_t peer);
/* Asks for whatever can be asked for now. */
void catch_up_advance(struct catch_up *catch_up, struct outbox *out);

/* ---- catch_up_bodies.c ---- */
void catch_up_slot_reset(struct catch_up *catch_up, struct catch_up_slot *slot); /* its body only */
void catch_up_slot_free(struct catch_up *catch_up, struct catch_up_slot *slot);
void catch_up_ask_bodies(struct catch_up *catch_up, struct outbox *out);
enum status catch_up_on_body(struct catch_up *catch_up, uint16_t peer,
                             const struct message_catchup_resp *message, struct outbox *out);
/* The block within a complete document. */
const uint8_t *catch_up_slot_block(const struct catch_up_slot *slot, size_t *size);

/* ---- catch_up_snapshot.c ---- */
bool catch_up_snapshot_due(const struct catch_up *catch_up);
/* Asks somebody for a checkpoint; false: there is nobody to ask. */
bool catch_up_snapshot_begin(struct catch_up *catch_up, struct outbox *out);
void catch_up_snapshot_free(struct catch_up_snapshot **snapshot);
/* Ends the one being fetched; its sender is not asked for one for a while. */
void catch_up_fail_snapshot(struct catch_up *catch_up);

#endif
