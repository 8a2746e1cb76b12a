/* validator: one node of role chain: brings the engine, the ledger and the network together.
 *
 * The life of a height. After the commit of h - 1 the validator draws W_h and the proposer of round 0 from
 * public data (pacing.h) and enters h. The proposer builds its block at commit time + W_h, or when the first
 * transaction comes after that. Proposal and parts travel along a binomial tree that turns with the height
 * (dissemination.h); what does not come is asked for (WANT). A block is verified, which costs T_cv = S_B f /
 * f_b of virtual time, and prevoted. Every own signature is on disk before it is sent. On commit: block,
 * certificate and state in one transaction of the store, proofs to those who submitted, then h + 1.
 *
 * Idle or dead? Where no empty blocks are wanted and nothing waits, a height is dormant: the time-out for the
 * proposal does not run. It starts when this validator holds something for a block, or has verified any
 * message of the height: from then on the height ends with a block, for then every validator that holds
 * something wakes the others by its vote, and from round 1 on a proposer makes a block even of nothing. So a
 * transaction that waits anywhere gets its turn, an idle wait is not taken for a dead proposer, and a liar
 * can buy at most one empty block per time-out.
 *
 * Row names of the series it records, step = height, in seconds of virtual time:
 *   t_newheight      entered the height             t_ready           W_h is over
 *   t_propose_send   sent its proposal              t_block_complete  held all parts
 *   t_prevote_send   sent its first prevote         t_polka           q-th prevote for the value (t_polka_q)
 *   t_precommit_send sent its first precommit       t_commit          committed
 *   t_all            the last of all N prevotes     rounds            rounds used, a count
 *   untimely_s       a proposal was not timely: by how much later than its time it came, by the clock here
 *   block_bits       size of the encoded block, bit */
#ifndef TIERBED_NODES_CHAIN_VALIDATOR_H
#define TIERBED_NODES_CHAIN_VALIDATOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/ledger/hash.h"
#include "nodes/node.h"

/* What was dropped, and why. */
struct validator_drops {
    uint64_t invalid;   /* malformed, or a signature, a proof or a place that does not hold */
    uint64_t stale;     /* of a height or round that is over */
    uint64_t early;     /* of a height too far ahead */
    uint64_t crowded;   /* no room: the peer's share of a bounded store is used up */
    uint64_t duplicate; /* held already */
    uint64_t foreign;   /* from a node that is no validator of this chain */
};

/* For tests, benchmarks and the oracle; `state` is what a struct node_class is called with. */
uint64_t validator_height(const void *state);    /* that it works on */
uint64_t validator_committed(const void *state); /* last committed */
uint32_t validator_round(const void *state);
struct hash validator_tip_id(const void *state);
bool validator_signs(const void *state); /* false: amnesia, or below the height from which it may sign */
uint32_t validator_mempool_count(const void *state);
uint64_t validator_untimely(const void *state); /* fresh proposals that got nil for their time */
size_t validator_memory(const void *state);     /* bytes held for others: queues, blocks, votes, mempool */
size_t validator_peer_memory(const void *state, uint32_t validator); /* of them, kept for one peer */
const struct validator_drops *validator_drops(const void *state);

#endif
