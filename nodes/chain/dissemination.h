/* dissemination: who passes a block on to whom (specs/chain.md, 1.3: T_tr grows with log2 of the validators).
 *
 * A binomial tree over positions: the proposer has position 0, position p sends to p + 2^k for every 2^k > p.
 * The others take positions by their distance from the proposer, turned by one with each height, so that the
 * inner places are shared out. A star would put all copies on the proposer's uplink. */
#ifndef TIERBED_NODES_CHAIN_DISSEMINATION_H
#define TIERBED_NODES_CHAIN_DISSEMINATION_H

#include <stdint.h>

#define DISSEMINATION_CHILDREN_MAX 6u /* log2(VALIDATORS_MAX) */

/* Indices of the validators to which `self` passes on what `root` proposes at `height`, the one with the
 * largest subtree first. Returns how many. */
uint32_t dissemination_children(uint32_t validator_count, uint64_t height, uint16_t root, uint16_t self,
                                uint16_t children[DISSEMINATION_CHILDREN_MAX]);

/* Position of `self` (0: the root), and back. */
uint32_t dissemination_position(uint32_t validator_count, uint64_t height, uint16_t root, uint16_t self);
uint16_t dissemination_at(uint32_t validator_count, uint64_t height, uint16_t root, uint32_t position);

#endif
