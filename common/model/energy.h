/* energy: what processing and transmitting cost, in J. Units: bit, cycles per bit, Hz, W, s; all arguments >=
 * 0. */
#ifndef TIERBED_MODEL_ENERGY_H
#define TIERBED_MODEL_ENERGY_H

#include <stddef.h>

/* kappa D C f^2 in J, kappa = switched capacitance in J s^2 / cycle^3:
 * IPOR Eq. (7) (beta_n), UCMS Eq. (4), DyNN Eq. (6) (mu), CPDRL Eq. (2). */
double energy_compute_j(double capacitance, double bits, double cycles_per_bit, double clock_hz);

/* p T in J: UCMS Eq. (10), DyNN Eq. (5), CPDRL Eq. (6); IPOR Eq. (9) with p = p_b, the server's draw while it
 * serves, and T = |w| / r_b. No time costs nothing at any power. */
double energy_transmit_j(double power_w, double time_s);

/* IPOR Eq. (8): E_up = |w| (sum_c p_nc) / (r_up C) in J; power_w holds C = subchannel_count > 0 entries (0 on
 * sub-channels of others), rate_bps = Eq. (2). 0 for 0 bits; INFINITY for bits at rate 0 unless no power is
 * spent. */
double energy_ofdma_upload_j(double bits, const double *power_w, size_t subchannel_count, double rate_bps);

#endif
