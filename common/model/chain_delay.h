/* chain_delay: how long one block of models takes in IPOR's cost model (the formula, not the chain itself).
 */
#ifndef TIERBED_MODEL_CHAIN_DELAY_H
#define TIERBED_MODEL_CHAIN_DELAY_H

#include <stddef.h>
#include <stdint.h>

/* IPOR Eq. (5): T_tr = log2(B) * (bits uploaded to all servers) / r_e in s. B = server_count >= 1, r_e > 0.
 */
double chain_transfer_s(double uploaded_bits, uint32_t server_count, double edge_rate_bps);

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

/* IPOR 1.3: T_blk = T_gen + T_tr + T_cv in s; T_gen is drawn by the caller, Exp with mean 1/lambda. */
double chain_block_s(double generation_s, double transfer_s, double verify_s);

#endif
