/* action: from the raw outputs of an agent, in [0, 1] or on the real line, to quantities a node can carry
 * out. */
#ifndef TIERBED_MODEL_ACTION_H
#define TIERBED_MODEL_ACTION_H

#include <stddef.h>
#include <stdint.h>

/* UCMS Eq. (22): f = max(f_min, f_u f_max) in Hz, f_u in [0, 1]. */
double action_clock_hz(double fraction, double clock_min_hz, double clock_max_hz);

/* UCMS Eq. (23): p = max(p_min, p_u p_max), all in dBm (not in W), p_u in [0, 1]. */
double action_power_dbm(double fraction, double power_min_dbm, double power_max_dbm);

/* The logistic function 1 / (1 + exp(-x)). */
double action_sigmoid(double x);

/* CPDRL Eq. (15), forward: the decision, sigmoid(beta a_raw) rounded half to even. */
uint8_t action_offload(double raw, double steepness);

/* CPDRL Eq. (15), backward: d sigmoid(beta a) / da = beta s (1 - s), passed straight through the rounding. */
double action_offload_slope(double raw, double steepness);

/* CPDRL Eq. (16), calibrated: b and p only where offloaded, f only where local. Arrays of count, changed in
 * place. */
void action_mask(const uint8_t *offloaded, size_t count, double *bandwidth, double *clock, double *power);

/* CPDRL Eq. (19): mean_n [a f^2 + (1-a)(b^2 + p^2)] of the values before the mask, each in [0, 1]; count > 0.
 */
double action_inconsistency(const uint8_t *offloaded, size_t count, const double *bandwidth,
                            const double *clock, const double *power);

#endif
