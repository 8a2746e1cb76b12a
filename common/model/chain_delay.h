/* chain_delay: how long one block of models takes by formula: IPOR's cost model (Eq. 5, 6), and the same for
 * what the validators of this testbed really run (specs/chain.md, 1.3). The measured times are in the summary
 * of a run (common/record/summary.h).
 *
 * Where the two differ: the paper has the bits pass log2(B) hops, one whole after the other, and once more to
 * be verified. Here a block travels once, in parts, down a binomial tree whose links belong to nobody else;
 * and a block is decided when q of N validators have verified it, not all of them. */
#ifndef TIERBED_MODEL_CHAIN_DELAY_H
#define TIERBED_MODEL_CHAIN_DELAY_H

#include <stddef.h>
#include <stdint.h>

/* IPOR 1.3: mean of T_gen ~ Exp(lambda) in s, 1/lambda. rate_hz >= 0; 0: blocks follow each other at once. */
double chain_generation_s(double rate_hz);
#define CHAIN_GENERATION_TRUNCATION 10.0
/* Mean of min(T_gen, c/lambda) = (1 - e^-c)/lambda in s, c = truncation > 0: what is drawn here, with
 * CHAIN_GENERATION_TRUNCATION. */
double chain_generation_truncated_s(double rate_hz, double truncation);

/* IPOR Eq. (5): T_tr = log2(B) * (bits uploaded to all servers) / r_e in s. B = server_count >= 1, r_e > 0.
 */
double chain_transfer_s(double uploaded_bits, uint32_t server_count, double edge_rate_bps);

/* A block on its way down the binomial tree of N = server_count >= 1 validators. */
struct chain_tree {
    uint32_t server_count;
    double block_bits;    /* S_B >= 0 */
    double part_bits;     /* m > 0: the block is cut into parts of so many bits, the last may be smaller */
    double edge_rate_bps; /* r_e > 0 of each link */
    double delay_s;       /* of each link */
};
/* Hops from the root to the node that is reached as the rank-th of N, 1 <= rank <= N (the root is the first):
 * the rank-th smallest number of ones among 0 .. N-1. */
uint32_t chain_tree_depth(uint32_t server_count, uint32_t rank);
/* Time in s until the rank-th has the whole block. d hops, each passing on a part when it has all of it:
 * (S_B + (d - 1) min(m, S_B)) / r_e + d delay; 0 for the root. */
double chain_tree_transfer_s(const struct chain_tree *tree, uint32_t rank);

/* The cross-verification of a block by its servers; arrays of server_count entries, borrowed. */
struct chain_verification {
    double block_bits;             /* S_B */
    uint32_t producer_count;       /* M_p >= 1 */
    double edge_rate_bps;          /* r_e > 0 */
    const double *cycles_per_bit;  /* f_bl,b (per bit; the paper's "per block unit" does not give seconds) */
    const double *server_clock_hz; /* f_bs,b > 0 */
    size_t server_count;           /* 0: no verification work */
};

/* IPOR Eq. (6): T_cv = log2(M_p) S_B / r_e + max_b S_B f_bl,b / f_bs,b in s. */
double chain_verify_s(const struct chain_verification *verification);
/* The second term of Eq. (6) as it is here, where the proposer, who is any of them with equal probability,
 * has made the block and verifies nothing: how long the rank-th to be ready needs, 1 <= rank <= server_count
 * <= CHAIN_VERIFIERS_MAX, in s; mean over the proposers. With v_1 <= v_2 ... the sorted S_B f / f_b and v_0 =
 * 0:
 * ((N - rank + 1) v_(rank - 1) + (rank - 1) v_rank) / N. */
#define CHAIN_VERIFIERS_MAX 64u
double chain_verify_ranked_s(const struct chain_verification *verification, uint32_t rank);

/* Clock of validator `index` of `count`: the first has clock_hz, the last (1 - spread) of it, evenly between.
 * 0 <= spread < 1. */
double chain_clock_hz(double clock_hz, double spread, uint32_t index, uint32_t count);

/* IPOR 1.3: T_blk = T_gen + T_tr + T_cv in s; T_gen is drawn by the caller, Exp with mean 1/lambda. */
double chain_block_s(double generation_s, double transfer_s, double verify_s);

#endif
