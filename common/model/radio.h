/* radio: rates of the published radio models, and the unit conversions they need.
 *
 * Pure arithmetic in SI units: Hz, W, s, bit, bit/s; a gain is linear (received over sent power) unless its
 * name says otherwise. One function per published equation; the paper's symbols stand in each comment.
 * Nothing here knows about time, queues or packets: the link emulator calls these and adds the timeline.
 * Arguments outside the stated range are programmer mistakes (assert). */
#ifndef TIERBED_MODEL_RADIO_H
#define TIERBED_MODEL_RADIO_H

#include <stddef.h>
#include <stdint.h>

/* Slack of every comparison against a threshold (ceil, floor, deadlines, accuracies): an exact ratio such as
 * 10 Mbit/s over 5 Mbit/s must not round up because of the last bit of a logarithm. */
#define RADIO_TOLERANCE 1e-9

/* dBm to W: 1e-3 * 10^(dBm/10). Any finite argument. */
double radio_dbm_to_w(double power_dbm);

/* dB to a linear ratio: 10^(dB/10). Any finite argument. */
double radio_db_to_linear(double ratio_db);

/* Shannon: b log2(1 + snr) in bit/s. bandwidth_hz >= 0, snr >= 0.
 * IPOR Eq. (4), (5) with the threshold SNR; the form under every other rate below. */
double radio_shannon_rate_bps(double bandwidth_hz, double snr);

/* Signal-to-noise ratio where noise is a density: p g / (b N0), linear. bandwidth_hz > 0, noise_w_per_hz > 0.
 * DyNN Eq. (1), inside the logarithm. */
double radio_density_snr(double bandwidth_hz, double power_w, double gain, double noise_w_per_hz);

/* Noise is a density: b log2(1 + p g / (b N0)) in bit/s; 0 at b = 0 (its limit).
 * DyNN Eq. (1): p [W], g = path-loss gain, N0 = sigma0 [W/Hz]. All arguments >= 0, N0 > 0. */
double radio_density_rate_bps(double bandwidth_hz, double power_w, double gain, double noise_w_per_hz);

/* JOPA Eq. (5): R_g = (M_g/N) W log2(1 + N z psi / (M_g N0 W)) in bit/s.
 * share = M_g/N in (0, 1], W = bandwidth_hz > 0, z = power_w, psi = gain, N0 = noise_w_per_hz > 0. */
double radio_lte_m_rate_bps(double share, double bandwidth_hz, double power_w, double gain,
                            double noise_w_per_hz);

/* JOPA R_max: the rate of the whole band in the best channel state, W log2(1 + z psi_G / (N0 W)) in bit/s. */
double radio_lte_m_rate_max_bps(double bandwidth_hz, double power_w, double gain_best, double noise_w_per_hz);

/* JOPA tau = H / R_max: the length of one mini-slot in s. bits >= 0, rate_max_bps > 0. */
double radio_mini_slot_s(double bits, double rate_max_bps);

/* JOPA q = floor(Gamma / tau): whole mini-slots in one slot. slot_s >= 0, mini_slot_s > 0. An exact ratio is
 * not rounded down. UINT32_MAX when the count does not fit. */
uint32_t radio_mini_slots_per_slot(double slot_s, double mini_slot_s);

/* JOPA delta_g = ceil(R_max / R_g): mini-slots that one task holds, at least 1. Both rates >= 0. An exact
 * ratio is not rounded up. UINT32_MAX when the count does not fit (R_g = 0: the task never ends). (The paper
 * prints the inverse ratio, which is always 1.) */
uint32_t radio_mini_slots_per_task(double rate_max_bps, double rate_bps);

/* One uplink over OFDMA sub-channels; arrays of subchannel_count entries, all borrowed. */
struct radio_ofdma {
    const uint8_t *allocated; /* tau_nc: 1 = held by this device, 0 = not */
    const double *power_w;    /* p_nc >= 0 */
    const double *gain;       /* h_nc >= 0 */
    size_t subchannel_count;  /* C */
    double subchannel_hz;     /* B_sub = W/C */
    double noise_w;           /* N0, total per sub-channel, > 0 */
};

/* IPOR Eq. (2): r_up = sum_c tau_c B_sub log2(1 + p_c h_c / N0) in bit/s; 0 when nothing is allocated. */
double radio_ofdma_rate_bps(const struct radio_ofdma *uplink);

/* DyNN Eq. (1), inner factor: g0 (l0/l)^h. g0 = gain_at_reference (linear), l0 and l in m, > 0, h = exponent.
 */
double radio_path_loss_gain(double gain_at_reference, double reference_m, double distance_m, double exponent);

/* CPDRL Eq. (4): g = d^alpha with d in m, floored at 1 m; alpha < 0. */
double radio_distance_gain(double distance_m, double exponent);

/* UCMS Eq. (6): v = (W/K) log2(1 + p g) in bit/s. g = gain_per_w is the gain over the noise power (Eq. (5)),
 * so that p [W] times g is an SNR; K = subchannel_count >= 1. */
double radio_subchannel_rate_bps(double bandwidth_hz, uint32_t subchannel_count, double power_w,
                                 double gain_per_w);

/* Time on air, bits / rate in s: IPOR Eq. (3), (4); UCMS Eq. (7); DyNN Eq. (1); JOPA Eq. (6) for an offloaded
 * task (Omega); CPDRL Eq. (5). 0 bits take 0 s at any rate; anything else at rate 0 takes INFINITY. */
double radio_transfer_s(double bits, double rate_bps);

#endif
