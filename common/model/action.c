#include "common/model/action.h"

#include <assert.h>
#include <math.h>

double action_clock_hz(double fraction, double clock_min_hz, double clock_max_hz) {
    return fmax(clock_min_hz, fraction * clock_max_hz);
}

double action_power_dbm(double fraction, double power_min_dbm, double power_max_dbm) {
    return fmax(power_min_dbm, fraction * power_max_dbm);
}

double action_sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}

uint8_t action_offload(double raw, double steepness) {
    return action_sigmoid(steepness * raw) > 0.5; /* exactly one half rounds to the even 0 */
}

double action_offload_slope(double raw, double steepness) {
    double s = action_sigmoid(steepness * raw);
    return steepness * s * (1.0 - s);
}

void action_mask(const uint8_t *offloaded, size_t count, double *bandwidth, double *clock, double *power) {
    for (size_t n = 0; n < count; n++) {
        if (offloaded[n]) {
            clock[n] = 0.0;
        } else {
            bandwidth[n] = 0.0;
            power[n] = 0.0;
        }
    }
}

double action_inconsistency(const uint8_t *offloaded, size_t count, const double *bandwidth,
                            const double *clock, const double *power) {
    assert(count > 0);
    double total = 0.0;
    for (size_t n = 0; n < count; n++)
        total += offloaded[n] ? clock[n] * clock[n] : bandwidth[n] * bandwidth[n] + power[n] * power[n];
    return total / (double)count;
}
