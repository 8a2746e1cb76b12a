/* vectors_cpdrl: the cases 004-*. */
#include "cli/vectors_cases.h"

#include <math.h>
#include <string.h>

#include "common/model/action.h"
#include "common/model/compute.h"
#include "common/model/energy.h"
#include "common/model/radio.h"
#include "common/model/reward.h"

#define PATH_EXPONENT (-3.0) /* alpha of the published system */

void vector_case_local_task(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "D_bits", VECTOR_NON_NEGATIVE);
    double cycles_per_bit = vector_number(in, "C", VECTOR_NON_NEGATIVE);
    double clock_hz = vector_number(in, "f_hz", VECTOR_POSITIVE);
    double capacitance = vector_number(in, "kappa", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    vector_give(out, "T", compute_delay_s(bits, cycles_per_bit, clock_hz));
    vector_give(out, "E", energy_compute_j(capacitance, bits, cycles_per_bit, clock_hz));
}

void vector_case_uplink(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "D_bits", VECTOR_NON_NEGATIVE);
    double distance_m = vector_number(in, "distance_m", VECTOR_NON_NEGATIVE);
    double bandwidth_hz = vector_number(in, "b_hz", VECTOR_POSITIVE);
    double power_w = vector_number(in, "p_w", VECTOR_NON_NEGATIVE);
    double noise_w = vector_number(in, "sigma2", VECTOR_POSITIVE);
    double exponent = vector_number_or(in, "alpha", VECTOR_EXPONENT, PATH_EXPONENT);
    if (distance_m > 1e9)
        vector_refuse(in, "distance_m", "expected at most 1e9 m");
    if (in->failed)
        return;
    double gain = radio_distance_gain(distance_m, exponent);
    double rate_bps = radio_shannon_rate_bps(bandwidth_hz, power_w * gain / noise_w);
    double transfer_s = radio_transfer_s(bits, rate_bps);
    vector_give(out, "g", gain);
    vector_give(out, "R", rate_bps);
    vector_give(out, "T_t", transfer_s);
    vector_give(out, "E_t", energy_transmit_j(power_w, transfer_s));
    /* log2 = ln / ln 2: what the same task takes when "log" is read as the natural one */
    vector_give(out, "T_t_if_natural_log", transfer_s / log(2.0));
}

void vector_case_consistency_reward(struct vector_reader *in, json_t *out) {
    struct vector_numbers delay_s = vector_numbers(in, "T", VECTOR_NON_NEGATIVE);
    struct reward_allocation allocation = {
        .delay_s = delay_s.values,
        .energy_j = vector_numbers_of(in, "E", VECTOR_NON_NEGATIVE, delay_s.count),
        .bandwidth_hz = vector_numbers_of(in, "b", VECTOR_NON_NEGATIVE, delay_s.count),
        .count = delay_s.count,
        .deadline_s = vector_number(in, "tau", VECTOR_NON_NEGATIVE),
        .bandwidth_max_hz = vector_number(in, "B", VECTOR_POSITIVE),
        .consistent_count = vector_count(in, "consistent", 0, VECTOR_ARRAY_MAX)};
    if (in->failed)
        return;
    vector_give(out, "r_paper_hz", reward_consistency_paper(&allocation));
    vector_give(out, "r_calibrated", reward_consistency(&allocation));
}

static double *copy_of(struct vector_reader *in, const double *values, size_t count) {
    double *copy = arena_alloc_array(in->arena, count + 1, sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

void vector_case_straight_through(struct vector_reader *in, json_t *out) {
    struct vector_numbers raw = vector_numbers(in, "a_raw", VECTOR_ARGUMENT);
    double steepness = vector_number(in, "beta", VECTOR_ARGUMENT);
    size_t count = raw.count;
    double *bandwidth = copy_of(in, vector_numbers_of(in, "b_raw", VECTOR_UNIT, count), count);
    double *clock = copy_of(in, vector_numbers_of(in, "f_raw", VECTOR_UNIT, count), count);
    double *power = copy_of(in, vector_numbers_of(in, "p_raw", VECTOR_UNIT, count), count);
    if (in->failed)
        return;
    double *sigmoid = arena_alloc_array(in->arena, count + 1, sizeof *sigmoid);
    double *slope = arena_alloc_array(in->arena, count + 1, sizeof *slope);
    uint8_t *offloaded = arena_alloc_array(in->arena, count + 1, sizeof *offloaded);
    for (size_t n = 0; n < count; n++) {
        sigmoid[n] = action_sigmoid(steepness * raw.values[n]);
        slope[n] = action_offload_slope(raw.values[n], steepness);
        offloaded[n] = action_offload(raw.values[n], steepness);
    }
    action_mask(offloaded, count, bandwidth, clock, power);
    vector_give_numbers(out, "sigmoid", sigmoid, count);
    vector_give_flags(out, "a", offloaded, count);
    vector_give_numbers(out, "dsurrogate", slope, count);
    vector_give_numbers(out, "b", bandwidth, count);
    vector_give_numbers(out, "f", clock, count);
    vector_give_numbers(out, "p", power, count);
}

void vector_case_inconsistency(struct vector_reader *in, json_t *out) {
    struct vector_numbers bandwidth = vector_numbers(in, "b", VECTOR_UNIT);
    const uint8_t *offloaded = vector_flags_of(in, "a", bandwidth.count);
    const double *clock = vector_numbers_of(in, "f", VECTOR_UNIT, bandwidth.count);
    const double *power = vector_numbers_of(in, "p", VECTOR_UNIT, bandwidth.count);
    if (bandwidth.count == 0)
        vector_refuse(in, "b", "expected at least one device");
    if (!in->failed)
        vector_give(out, "L",
                    action_inconsistency(offloaded, bandwidth.count, bandwidth.values, clock, power));
}
