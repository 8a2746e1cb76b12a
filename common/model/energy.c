#include "common/model/energy.h"

#include <assert.h>

#include "common/model/radio.h"

double energy_compute_j(double capacitance, double bits, double cycles_per_bit, double clock_hz) {
    assert(capacitance >= 0.0 && bits >= 0.0 && cycles_per_bit >= 0.0 && clock_hz >= 0.0);
    return capacitance * bits * cycles_per_bit * clock_hz * clock_hz;
}

double energy_transmit_j(double power_w, double time_s) {
    assert(power_w >= 0.0 && time_s >= 0.0);
    return power_w == 0.0 || time_s == 0.0 ? 0.0 : power_w * time_s; /* 0 W for ever is 0 J, not NaN */
}

double energy_ofdma_upload_j(double bits, const double *power_w, size_t subchannel_count, double rate_bps) {
    assert(subchannel_count > 0);
    double power_sum_w = 0.0;
    for (size_t c = 0; c < subchannel_count; c++)
        power_sum_w += power_w[c];
    return energy_transmit_j(power_sum_w / (double)subchannel_count, radio_transfer_s(bits, rate_bps));
}
