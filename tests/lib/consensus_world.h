/* consensus_world: a few consensus engines, a random network, crashes and liars, one height, one seed; and a
 * judge who sees everything. No bytes and no keys: messages are structs, signatures are taken as verified.
 *
 * Until `gst` messages are lost, doubled, delayed and reordered, and honest validators crash and come back
 * with what they persisted; then each message arrives within DELTA. Retransmission does what STATUS does:
 * from time to time each validator sends each other one what that one lacks. Liars send any vote to anyone,
 * often in answer to what they see; as proposers they propose different things to different peers. */
#ifndef TIERBED_TESTS_CONSENSUS_WORLD_H
#define TIERBED_TESTS_CONSENSUS_WORLD_H

#include "common/base/random.h"
#include "nodes/chain/consensus_state.h"

#define WORLD_VALIDATORS_MAX 8u

enum verdict {
    VERDICT_GOOD = 0,
    VERDICT_FORK,        /* two values decided */
    VERDICT_INVALID,     /* an invalid value, or nil, decided */
    VERDICT_DOUBLE_SIGN, /* an honest validator signed two things at one place */
    VERDICT_UNLOCKED,    /* an honest prevote against a lock without a polka that allows it */
    VERDICT_CERTIFICATE, /* a decision with fewer than q precommits */
    VERDICT_ACCUSED,     /* evidence against an honest validator */
    VERDICT_STUCK        /* not all honest validators decided in time */
};

struct world_config {
    uint32_t validators, liars; /* the last ones lie */
    bool silent;                /* they do not lie but never say anything */
    uint64_t seed;
    int64_t gst;          /* time units */
    double loss, crashes; /* until gst: chance per message, per sync of a validator */
};

struct consensus_world;

/* One world for many runs, as engines are costly to open. */
struct consensus_world *consensus_world_open(uint32_t validators);
void consensus_world_close(struct consensus_world *world);
enum verdict consensus_world_run(struct consensus_world *world, const struct world_config *config);
/* Of the last run: the highest round of an honest validator, and when the last one decided. */
uint32_t consensus_world_rounds(const struct consensus_world *world);
int64_t consensus_world_end(const struct consensus_world *world);

#endif
