/* vectors_cpdrl: the cases 004-*. */
#include "cli/vectors_cases.h"

#include <math.h>
#include <string.h>

#include "common/model/action.h"
#include "common/model/compute.h"
#include "common/model/energy.h"
#include "common/model/radio.h"
#include "common/model/reward.h"
#include "schemes/cpdrl/optimum.h"

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

/* Wide around anything physical: within it no step of the search overflows or loses all digits. */
static void expect_within(struct vector_reader *in, const char *key, double value, double low, double high) {
    if (!(value >= low && value <= high))
        vector_refuse(in, key, "expected %g .. %g", low, high);
}

/* Gains from positions, Eq. (4). */
static void read_devices(struct vector_reader *in, struct cpdrl_instance *instance) {
    struct vector_numbers bits = vector_numbers(in, "D_bits", VECTOR_POSITIVE);
    const double *cycles = vector_numbers_of(in, "C", VECTOR_POSITIVE, bits.count);
    struct vector_matrix place_m = vector_matrix(in, "xy_m", VECTOR_NON_NEGATIVE);
    const double *server_m = vector_numbers_of(in, "server", VECTOR_NON_NEGATIVE, 2);
    if (bits.count < 1 || bits.count > CPDRL_DEVICES_MAX)
        vector_refuse(in, "D_bits", "expected 1 .. %d devices", CPDRL_DEVICES_MAX);
    if (place_m.rows != bits.count || place_m.columns != 2)
        vector_refuse(in, "xy_m", "expected x and y of each of %zu devices", bits.count);
    if (in->failed)
        return;
    instance->count = (uint32_t)bits.count;
    for (size_t n = 0; n < bits.count; n++) {
        expect_within(in, "D_bits", bits.values[n], 1.0, 1e12);
        expect_within(in, "C", cycles[n], 1e-3, 1e9);
        double x_m = place_m.values[2 * n], y_m = place_m.values[2 * n + 1];
        double distance_m = hypot(x_m - server_m[0], y_m - server_m[1]);
        expect_within(in, "xy_m", distance_m, 0.0, 1e5);
        instance->devices[n] = (struct cpdrl_device){.bits = bits.values[n], .cycles_per_bit = cycles[n]};
        instance->devices[n].gain = radio_distance_gain(distance_m, PATH_EXPONENT);
    }
}

void vector_case_exhaustive(struct vector_reader *in, json_t *out) {
    struct cpdrl_instance instance = {.limits = cpdrl_published_limits()};
    read_devices(in, &instance);
    struct cpdrl_limits *limits = &instance.limits;
    limits->server_hz = vector_number(in, "F", VECTOR_POSITIVE);
    limits->bandwidth_hz = vector_number(in, "B", VECTOR_POSITIVE);
    limits->deadline_s = vector_number(in, "tau", VECTOR_POSITIVE);
    limits->clock_min_hz = vector_number(in, "fmin", VECTOR_POSITIVE);
    limits->clock_max_hz = vector_number(in, "fmax", VECTOR_POSITIVE);
    expect_within(in, "F", limits->server_hz, 1.0, 1e15);
    expect_within(in, "B", limits->bandwidth_hz, 1.0, 1e15);
    expect_within(in, "tau", limits->deadline_s, 1e-9, 1e9);
    expect_within(in, "fmin", limits->clock_min_hz, 1.0, 1e15);
    expect_within(in, "fmax", limits->clock_max_hz, 1.0, 1e15);
    if (limits->clock_max_hz < limits->clock_min_hz)
        vector_refuse(in, "fmax", "expected at least fmin");
    if (in->failed)
        return;
    struct cpdrl_optimum best = cpdrl_optimum_exhaustive(&instance);
    size_t count = instance.count;
    vector_give_flags(out, "mask", best.decision.offloaded, count);
    vector_give(out, "objective", best.outcome.objective);
    vector_give_numbers(out, "b", best.decision.bandwidth_hz, count);
    vector_give_numbers(out, "f", best.decision.clock_hz, count);
    vector_give_numbers(out, "p_w", best.decision.power_w, count);
    vector_give_numbers(out, "T", best.outcome.delay_s, count);
    vector_give_numbers(out, "E", best.outcome.energy_j, count);
    vector_give(out, "all_local", cpdrl_optimum_local(&instance).outcome.objective);
    vector_give(out, "all_offload", cpdrl_optimum_offload(&instance).outcome.objective);
}
