/* quorum: how many of N validators it takes (specs/chain.md, 1.2). "2f + 1" is unsafe when N != 3f + 1.
 *
 * With f = floor((N - 1) / 3) and q = floor((N + f) / 2) + 1, two quorums share an honest validator
 * (2q - N >= f + 1) and the honest ones alone make a quorum (q <= N - f), for every N >= 1. Count distinct
 * validators, never messages. */
#ifndef TIERBED_LEDGER_QUORUM_H
#define TIERBED_LEDGER_QUORUM_H

#include <stdint.h>

#define VALIDATORS_MAX 64u /* a set of validators is a bitmap in one u64 */

/* f: how many may be faulty. `validators` N in 1 .. VALIDATORS_MAX. */
static inline uint32_t quorum_faults_max(uint32_t validators) {
    return (validators - 1) / 3;
}

/* q: how many distinct validators decide. */
static inline uint32_t quorum_size(uint32_t validators) {
    return (validators + quorum_faults_max(validators)) / 2 + 1;
}

#endif
