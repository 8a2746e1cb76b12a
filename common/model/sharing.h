/* sharing: how a server divides its band and its processor among its devices. */
#ifndef TIERBED_MODEL_SHARING_H
#define TIERBED_MODEL_SHARING_H

#include <stddef.h>
#include <stdint.h>

/* IPOR C2 rule: splits subchannel_count sub-channels among the devices that transmit, in proportion to their
 * requested rates (> 0), by largest remainder, ties to the lower index, at least one each. Precondition:
 * 1 <= device_count <= subchannel_count. Writes subchannels[device_count]; they add up to subchannel_count.
 */
void sharing_subchannels(const double *rates, size_t device_count, uint32_t subchannel_count,
                         uint32_t *subchannels);

/* DyNN: the clock shares that minimise sum_i w_i c_i s_i / f_i under sum f = clock_max: f_i ~ sqrt(w_i c_i
 * s_i). weighted_cycles[i] = w_i c_i s_i >= 0. Writes clock_hz[count] (all 0 when nobody has work). */
void sharing_clock_optimum(const double *weighted_cycles, size_t count, double clock_max_hz,
                           double *clock_hz);

/* DyNN: the bandwidths that minimise sum_i w_i s_i / (b_i log2(1 + a_i / b_i)) under sum b = bandwidth_max:
 * the marginal gains are equal (convex dual, by bisection). weighted_bits[i] = w_i s_i >= 0; snr_hz[i] = a_i
 * = p g_i / N0 > 0, the signal over the noise density. Writes bandwidth_hz[count]. */
void sharing_band_optimum(const double *weighted_bits, const double *snr_hz, size_t count,
                          double bandwidth_max_hz, double *bandwidth_hz);

#endif
