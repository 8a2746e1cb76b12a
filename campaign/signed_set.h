/* signed_set: every vote and proposal that anybody ever signed, as seen on the wire, across restarts.
 *
 * What counts is the signature over the canonical sign bytes, which are written down here a second time (from
 * vote.h's text, not its code), so that a validator that signs anything else is found out. */
#ifndef TIERBED_CAMPAIGN_SIGNED_SET_H
#define TIERBED_CAMPAIGN_SIGNED_SET_H

#include "common/ledger/vote.h"

#define SIGNED_NONE UINT32_MAX

struct signed_vote {
    struct vote vote;
    uint32_t next;  /* same slot of the table */
    bool on_wire;   /* sent, not only signed */
    bool persisted; /* was in the signer's votes.db */
};

struct signed_proposal {
    struct proposal proposal;
    uint32_t next;
    bool on_wire, persisted;
};

struct signed_set {
    const struct genesis *genesis; /* borrowed */
    struct signed_vote *votes;     /* owned, in the order of their coming */
    uint32_t vote_count, vote_capacity;
    struct signed_proposal *proposals; /* owned */
    uint32_t proposal_count, proposal_capacity;
    uint32_t *slots, slot_mask; /* of votes */
};

void signed_set_init(struct signed_set *set, const struct genesis *genesis);
void signed_set_close(struct signed_set *set);

/* Sign bytes as specs/chain.md 1.5 and vote.h say. */
void signed_vote_bytes(const struct hash *chain_id, const struct vote *vote, uint8_t bytes[SIGN_BYTES]);
void signed_proposal_bytes(const struct hash *chain_id, const struct proposal *proposal,
                           uint8_t bytes[SIGN_BYTES]);
bool signed_vote_valid(const struct genesis *genesis, const struct vote *vote);
bool signed_proposal_valid(const struct genesis *genesis, const struct proposal *proposal);

/* Its place, added if it was not there (`added` tells). Verified by the caller. */
struct signed_vote *signed_set_vote(struct signed_set *set, const struct vote *vote, bool *added);
struct signed_proposal *signed_set_proposal(struct signed_set *set, const struct proposal *proposal,
                                            bool *added);

/* Another vote of the same validator, height, round and type for another block; NULL: none. */
const struct signed_vote *signed_set_conflict(const struct signed_set *set, const struct vote *vote);
const struct signed_proposal *signed_set_proposal_conflict(const struct signed_set *set,
                                                           const struct proposal *proposal);

/* Who voted for `value` (zero: nil) in that round. */
uint64_t signed_set_voters(const struct signed_set *set, uint64_t height, uint32_t round, enum vote_type type,
                           const struct hash *value);
const struct signed_vote *signed_set_find(const struct signed_set *set, uint16_t validator, uint64_t height,
                                          uint32_t round, enum vote_type type, const struct hash *value);

#endif
