#include "common/model/radio.h"

#include <assert.h>
#include <math.h>

double radio_dbm_to_w(double power_dbm) {
    return 1e-3 * radio_db_to_linear(power_dbm);
}

double radio_db_to_linear(double ratio_db) {
    return pow(10.0, ratio_db / 10.0);
}

double radio_shannon_rate_bps(double bandwidth_hz, double snr) {
    assert(bandwidth_hz >= 0.0 && snr >= 0.0);
    return bandwidth_hz * log2(1.0 + snr);
}

double radio_density_snr(double bandwidth_hz, double power_w, double gain, double noise_w_per_hz) {
    assert(bandwidth_hz > 0.0 && noise_w_per_hz > 0.0);
    return power_w * gain / (bandwidth_hz * noise_w_per_hz);
}

double radio_density_rate_bps(double bandwidth_hz, double power_w, double gain, double noise_w_per_hz) {
    if (bandwidth_hz == 0.0)
        return 0.0; /* the limit; the ratio would be infinite */
    return radio_shannon_rate_bps(bandwidth_hz,
                                  radio_density_snr(bandwidth_hz, power_w, gain, noise_w_per_hz));
}

double radio_lte_m_rate_bps(double share, double bandwidth_hz, double power_w, double gain,
                            double noise_w_per_hz) {
    assert(share > 0.0 && share <= 1.0);
    return radio_density_rate_bps(share * bandwidth_hz, power_w, gain, noise_w_per_hz);
}

double radio_lte_m_rate_max_bps(double bandwidth_hz, double power_w, double gain_best,
                                double noise_w_per_hz) {
    return radio_density_rate_bps(bandwidth_hz, power_w, gain_best, noise_w_per_hz);
}

double radio_mini_slot_s(double bits, double rate_max_bps) {
    return radio_transfer_s(bits, rate_max_bps);
}

static uint32_t saturated_count(double count) {
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

uint32_t radio_mini_slots_per_slot(double slot_s, double mini_slot_s) {
    assert(slot_s >= 0.0 && mini_slot_s > 0.0);
    return saturated_count(floor(slot_s / mini_slot_s + RADIO_TOLERANCE));
}

uint32_t radio_mini_slots_per_task(double rate_max_bps, double rate_bps) {
    assert(rate_max_bps >= 0.0 && rate_bps >= 0.0);
    if (rate_bps == 0.0)
        return UINT32_MAX;
    double count = ceil(rate_max_bps / rate_bps - RADIO_TOLERANCE);
    return count < 1.0 ? 1 : saturated_count(count);
}

double radio_ofdma_rate_bps(const struct radio_ofdma *uplink) {
    assert(uplink->noise_w > 0.0);
    double rate_bps = 0.0;
    for (size_t c = 0; c < uplink->subchannel_count; c++)
        if (uplink->allocated[c])
            rate_bps += radio_shannon_rate_bps(uplink->subchannel_hz,
                                               uplink->power_w[c] * uplink->gain[c] / uplink->noise_w);
    return rate_bps;
}

double radio_path_loss_gain(double gain_at_reference, double reference_m, double distance_m,
                            double exponent) {
    assert(reference_m > 0.0 && distance_m > 0.0);
    return gain_at_reference * pow(reference_m / distance_m, exponent);
}

double radio_distance_gain(double distance_m, double exponent) {
    assert(distance_m >= 0.0);
    return pow(fmax(distance_m, 1.0), exponent);
}

double radio_subchannel_rate_bps(double bandwidth_hz, uint32_t subchannel_count, double power_w,
                                 double gain_per_w) {
    assert(subchannel_count >= 1);
    return radio_shannon_rate_bps(bandwidth_hz / subchannel_count, power_w * gain_per_w);
}

double radio_transfer_s(double bits, double rate_bps) {
    assert(bits >= 0.0 && rate_bps >= 0.0);
    if (bits == 0.0)
        return 0.0;
    return rate_bps > 0.0 ? bits / rate_bps : (double)INFINITY;
}
