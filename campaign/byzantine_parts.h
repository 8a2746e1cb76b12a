/* byzantine_parts: shared by the files of byzantine. */
#ifndef TIERBED_CAMPAIGN_BYZANTINE_PARTS_H
#define TIERBED_CAMPAIGN_BYZANTINE_PARTS_H

#include "campaign/byzantine.h"
#include "common/net/message_chain.h"

/* A block of its own in two versions, A as the honest code made it and B bent. One part each. */
struct byzantine_variant {
    uint64_t height;
    uint32_t round;
    struct proposal a, b;
    uint8_t *data_b; /* owned */
    uint32_t bytes_b;
};

struct byzantine {
    uint32_t behaviours;
    struct random_stream random;
    struct byzantine_variant variant; /* of its last proposal */
    uint64_t value_height;
    struct hash value; /* the last block it voted for at value_height */
    uint64_t stale_height;
    uint32_t stale_round; /* of its last stale proposal */
};

/* One send of the honest code, about to be bent. */
struct byzantine_call {
    struct byzantine *self;
    struct world *world;
    struct member *member;
    uint32_t to;
    uint16_t type;
    const uint8_t *payload;
    size_t bytes;
};

const struct genesis *byzantine_genesis(const struct byzantine_call *call);
const struct signing_key *byzantine_key(const struct byzantine_call *call);
bool byzantine_does(const struct byzantine_call *call, enum byzantine_behaviour behaviour);
bool byzantine_chance(const struct byzantine_call *call, double probability);
uint32_t byzantine_below(const struct byzantine_call *call, uint32_t bound);
/* The half of the validators that hears the second version. */
bool byzantine_half(const struct byzantine_call *call, uint32_t node);

void byzantine_pass(const struct byzantine_call *call);                        /* as it is */
void byzantine_say_vote(const struct byzantine_call *call, struct vote *vote); /* signs it */
/* As they are; nothing when there are none. */
void byzantine_say_votes(const struct byzantine_call *call, const struct message_vote *message);
void byzantine_say_proposal(const struct byzantine_call *call, struct proposal *proposal); /* signs it */
void byzantine_say_part(const struct byzantine_call *call, const struct message_block_part *part);

/* true: said in their own way, nothing is left to do. */
bool byzantine_bend_proposal(const struct byzantine_call *call);
bool byzantine_bend_part(const struct byzantine_call *call);
bool byzantine_bend_votes(const struct byzantine_call *call);
bool byzantine_bend_status(const struct byzantine_call *call);
bool byzantine_bend_catchup(const struct byzantine_call *call);
bool byzantine_bend_tx(const struct byzantine_call *call);
void byzantine_forge(const struct byzantine_call *call, const struct vote *precommit);

#endif
