/* pacing: when the block of a height may be proposed and by whom (specs/chain.md, 1.3).
 *
 * T_gen ~ Exp(lambda) from public data: U_i = SHA-256("gen" | seed u64 | height u64 | i u32), taken as a
 * 256-bit big-endian integer; E_i = -ln(u_i) N / lambda with u_i = (U_i + 1) / 2^256. min_i E_i is exactly
 * Exp(lambda), and the greatest U_i (integer comparison) names the proposer of round 0. The block before is
 * not in the hash, or a proposer could grind. Truncated at PACING_TRUNCATION / lambda. */
#ifndef TIERBED_NODES_CHAIN_PACING_H
#define TIERBED_NODES_CHAIN_PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/model/chain_delay.h"

#define PACING_TRUNCATION CHAIN_GENERATION_TRUNCATION

struct pacing {
    uint16_t first_proposer;
    int64_t wait_ns; /* W_h; 0 when rate_hz is 0 */
    bool truncated;
};
struct pacing pacing_of(uint64_t seed, uint64_t height, uint32_t validator_count, double rate_hz);

#endif
