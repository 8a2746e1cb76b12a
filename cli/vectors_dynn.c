/* vectors_dynn: the cases 002-*. */
#include "cli/vectors_cases.h"

#include <stdio.h>

#include "common/model/compute.h"
#include "common/model/cost.h"
#include "common/model/energy.h"
#include "common/model/inference.h"
#include "common/model/radio.h"
#include "common/model/reward.h"
#include "common/model/sharing.h"

/* The published system, where a case does not state it. */
#define GAIN_AT_REFERENCE 1e-4 /* g0, -40 dB */
#define REFERENCE_M 1.0        /* l0 */
#define PATH_EXPONENT 2.8      /* h */
#define POWER_W 0.1            /* p */
#define NOISE_DBM_PER_HZ (-174.0)
#define BITS_AVERAGE 1000.0
#define CYCLES_PER_BIT_AVERAGE 797.5
#define GAMMA 60.0

struct uplink {
    double gain_at_reference, reference_m, exponent, power_w, noise_w_per_hz;
};

static struct uplink read_uplink(struct vector_reader *in) {
    return (struct uplink){
        .gain_at_reference = vector_number_or(in, "g0", VECTOR_POSITIVE, GAIN_AT_REFERENCE),
        .reference_m = vector_number_or(in, "l0", VECTOR_DISTANCE, REFERENCE_M),
        .exponent = vector_number_or(in, "h", VECTOR_EXPONENT, PATH_EXPONENT),
        .power_w = vector_number_or(in, "p", VECTOR_NON_NEGATIVE, POWER_W),
        .noise_w_per_hz =
            vector_number_or(in, "sigma0_W_per_Hz", VECTOR_POSITIVE, radio_dbm_to_w(NOISE_DBM_PER_HZ))};
}

static double uplink_gain(const struct uplink *uplink, double distance_m) {
    return radio_path_loss_gain(uplink->gain_at_reference, uplink->reference_m, distance_m, uplink->exponent);
}

static double uplink_rate_bps(const struct uplink *uplink, double distance_m, double bandwidth_hz) {
    return radio_density_rate_bps(bandwidth_hz, uplink->power_w, uplink_gain(uplink, distance_m),
                                  uplink->noise_w_per_hz);
}

void vector_case_transfer(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "s", VECTOR_NON_NEGATIVE);
    double distance_m = vector_number(in, "l", VECTOR_DISTANCE);
    double bandwidth_hz = vector_number(in, "b", VECTOR_POSITIVE);
    struct uplink uplink = read_uplink(in);
    if (in->failed)
        return;
    double rate_bps = uplink_rate_bps(&uplink, distance_m, bandwidth_hz);
    double time_s = radio_transfer_s(bits, rate_bps);
    vector_give(out, "snr",
                radio_density_snr(bandwidth_hz, uplink.power_w, uplink_gain(&uplink, distance_m),
                                  uplink.noise_w_per_hz));
    vector_give(out, "rate_bps", rate_bps);
    vector_give(out, "T_tra", time_s);
    vector_give(out, "E_edge", energy_transmit_j(uplink.power_w, time_s));
}

void vector_case_processing(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "s", VECTOR_NON_NEGATIVE);
    double cycles_per_bit = vector_number(in, "c", VECTOR_NON_NEGATIVE);
    double server_hz = vector_number(in, "f_ser_i", VECTOR_POSITIVE);
    double local_hz = vector_number(in, "f_loc", VECTOR_POSITIVE);
    double capacitance_paper = vector_number(in, "mu_paper", VECTOR_NON_NEGATIVE);
    double capacitance = vector_number(in, "mu_cal", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    vector_give(out, "T_com", compute_delay_s(bits, cycles_per_bit, server_hz));
    vector_give(out, "T_loc", compute_delay_s(bits, cycles_per_bit, local_hz));
    vector_give(out, "E_loc_paper", energy_compute_j(capacitance_paper, bits, cycles_per_bit, local_hz));
    vector_give(out, "E_loc_cal", energy_compute_j(capacitance, bits, cycles_per_bit, local_hz));
}

#define EXPERTS_MAX 64
#define LAYERS_MAX 32

/* Every width and depth: the members k<experts>_l<layers> of M_moe and T_infer. */
static void give_inference(json_t *out, const struct inference_shape *shape, double user_count,
                           double fixed_macs, double clock_hz, uint32_t experts_max, uint32_t layers_max) {
    json_t *macs = json_object(), *delays = json_object();
    for (uint32_t experts = 1; experts <= experts_max; experts++)
        for (uint32_t layers = 1; layers <= layers_max; layers++) {
            char name[32];
            snprintf(name, sizeof name, "k%u_l%u", experts, layers);
            double moe_macs = inference_moe_macs(shape, user_count, experts, layers);
            vector_give(macs, name, moe_macs);
            vector_give(delays, name, inference_delay_s(shape, moe_macs + fixed_macs, clock_hz));
        }
    json_object_set_new(out, "M_moe", macs);
    json_object_set_new(out, "T_infer", delays);
}

void vector_case_inference(struct vector_reader *in, json_t *out) {
    struct inference_shape shape = {.inputs = vector_count(in, "d_in", 1, 1000000),
                                    .hidden = vector_count(in, "H", 1, 1000000),
                                    .mac_factor = vector_number(in, "zeta", VECTOR_POSITIVE),
                                    .bias_factor = vector_number_or(in, "iota", VECTOR_NON_NEGATIVE, 0.0),
                                    .cycles_per_mac = vector_number(in, "lam", VECTOR_POSITIVE)};
    double user_count = vector_count(in, "N", 0, 1000000);
    uint32_t experts = vector_count(in, "K", 1, EXPERTS_MAX);
    uint32_t layers = vector_count(in, "L", 1, LAYERS_MAX);
    double clock_hz = vector_number(in, "f", VECTOR_POSITIVE);
    double fixed_macs = vector_number(in, "M_fix", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    give_inference(out, &shape, user_count, fixed_macs, clock_hz, experts, layers);
    vector_give(out, "dyn_params", inference_moe_parameters(&shape, experts, layers));
}

/* Users of one set; the arrays are inputs. */
struct users {
    const double *bits, *cycles_per_bit, *deadline_ms;
    size_t count;
};

static struct users read_users(struct vector_reader *in) {
    struct vector_numbers bits = vector_numbers(in, "s", VECTOR_NON_NEGATIVE);
    return (struct users){.bits = bits.values,
                          .cycles_per_bit = vector_numbers_of(in, "c", VECTOR_NON_NEGATIVE, bits.count),
                          .deadline_ms = vector_numbers_of(in, "d_ms", VECTOR_POSITIVE, bits.count),
                          .count = bits.count};
}

/* Eq. (19) of every user; NULL after a problem. */
static const double *read_urgency(struct vector_reader *in, const struct users *users) {
    struct cost_urgency urgency = {
        .gamma = vector_number_or(in, "gamma", VECTOR_NON_NEGATIVE, GAMMA),
        .bits_average = vector_number_or(in, "s_avg", VECTOR_POSITIVE, BITS_AVERAGE),
        .cycles_per_bit_average = vector_number_or(in, "c_avg", VECTOR_POSITIVE, CYCLES_PER_BIT_AVERAGE)};
    if (in->failed)
        return NULL;
    double *weight = arena_alloc_array(in->arena, users->count + 1, sizeof *weight);
    for (size_t i = 0; i < users->count; i++)
        weight[i] =
            cost_urgency_weight(&urgency, users->bits[i], users->cycles_per_bit[i], users->deadline_ms[i]);
    return weight;
}

void vector_case_urgency(struct vector_reader *in, json_t *out) {
    struct users users = read_users(in);
    const double *weight = read_urgency(in, &users);
    if (weight != NULL)
        vector_give_numbers(out, "w", weight, users.count);
}

/* sum_i w_i T_tra,i under the bandwidths given. */
static double weighted_transfer_s(const struct uplink *uplink, const double *weighted_bits,
                                  const double *distance_m, const double *bandwidth_hz, size_t count) {
    double total_s = 0.0;
    for (size_t i = 0; i < count; i++)
        total_s +=
            radio_transfer_s(weighted_bits[i], uplink_rate_bps(uplink, distance_m[i], bandwidth_hz[i]));
    return total_s;
}

static void give_band_optimum(struct vector_reader *in, json_t *out, const struct uplink *uplink,
                              const double *weighted_bits, const double *distance_m, size_t count,
                              double bandwidth_max_hz) {
    double *snr_hz = arena_alloc_array(in->arena, count + 1, sizeof *snr_hz);
    double *bandwidth_hz = arena_alloc_array(in->arena, count + 1, sizeof *bandwidth_hz);
    for (size_t i = 0; i < count; i++) {
        snr_hz[i] = radio_density_snr(1.0, uplink->power_w, uplink_gain(uplink, distance_m[i]),
                                      uplink->noise_w_per_hz);
        bandwidth_hz[i] = bandwidth_max_hz / (double)count;
    }
    vector_give(out, "T_w_tra_equal",
                weighted_transfer_s(uplink, weighted_bits, distance_m, bandwidth_hz, count));
    sharing_band_optimum(weighted_bits, snr_hz, count, bandwidth_max_hz, bandwidth_hz);
    vector_give_numbers(out, "b_opt", bandwidth_hz, count);
    vector_give(out, "T_w_tra_opt",
                weighted_transfer_s(uplink, weighted_bits, distance_m, bandwidth_hz, count));
}

#define OPTIMUM_USERS_MAX 300 /* the bisection is quick for sets of users, not for a whole city */

void vector_case_optimum(struct vector_reader *in, json_t *out) {
    struct users users = read_users(in);
    const double *weight = read_urgency(in, &users);
    const double *distance_m = vector_numbers_of(in, "l", VECTOR_DISTANCE, users.count);
    double bandwidth_max_hz = vector_number(in, "b_max", VECTOR_POSITIVE);
    double clock_max_hz = vector_number(in, "f_ser", VECTOR_POSITIVE);
    struct uplink uplink = read_uplink(in);
    if (uplink.power_w <= 0.0)
        vector_refuse(in, "p", "expected a power above 0 W");
    if (users.count > OPTIMUM_USERS_MAX)
        vector_refuse(in, "s", "at most %d users, found %zu", OPTIMUM_USERS_MAX, users.count);
    if (in->failed || weight == NULL)
        return;
    double *weighted_bits = arena_alloc_array(in->arena, users.count + 1, sizeof *weighted_bits);
    double *weighted_cycles = arena_alloc_array(in->arena, users.count + 1, sizeof *weighted_cycles);
    double *clock_hz = arena_alloc_array(in->arena, users.count + 1, sizeof *clock_hz);
    for (size_t i = 0; i < users.count; i++) {
        weighted_bits[i] = weight[i] * users.bits[i];
        weighted_cycles[i] = weighted_bits[i] * users.cycles_per_bit[i];
    }
    sharing_clock_optimum(weighted_cycles, users.count, clock_max_hz, clock_hz);
    double compute_s = 0.0;
    for (size_t i = 0; i < users.count; i++)
        compute_s += compute_delay_s(weighted_cycles[i], 1.0, clock_hz[i]);
    vector_give_numbers(out, "f_opt", clock_hz, users.count);
    vector_give(out, "T_w_com_opt", compute_s);
    give_band_optimum(in, out, &uplink, weighted_bits, distance_m, users.count, bandwidth_max_hz);
}

/* Where each user's task runs and what it is given there. */
struct placement {
    const uint8_t *offloaded;
    const double *distance_m, *bandwidth_hz, *server_hz, *local_hz;
    double inference_s, capacitance;
};

static struct placement read_placement(struct vector_reader *in, size_t count) {
    return (struct placement){.offloaded = vector_flags_of(in, "x", count),
                              .distance_m = vector_numbers_of(in, "l", VECTOR_DISTANCE, count),
                              .bandwidth_hz = vector_numbers_of(in, "b", VECTOR_NON_NEGATIVE, count),
                              .server_hz = vector_numbers_of(in, "f", VECTOR_NON_NEGATIVE, count),
                              .local_hz = vector_numbers_of(in, "f_loc", VECTOR_NON_NEGATIVE, count),
                              .inference_s = vector_number(in, "T_infer", VECTOR_NON_NEGATIVE),
                              .capacitance = vector_number(in, "mu", VECTOR_NON_NEGATIVE)};
}

/* Delay with inference, and energy, of user i: the terms of Eq. (11a). */
static void place(const struct users *users, const struct placement *at, const struct uplink *uplink,
                  size_t i, double *delay_s, double *energy_j) {
    double local_s = compute_delay_s(users->bits[i], users->cycles_per_bit[i], at->local_hz[i]);
    double local_j =
        energy_compute_j(at->capacitance, users->bits[i], users->cycles_per_bit[i], at->local_hz[i]);
    double transfer_s =
        radio_transfer_s(users->bits[i], uplink_rate_bps(uplink, at->distance_m[i], at->bandwidth_hz[i]));
    double edge_s = transfer_s + compute_delay_s(users->bits[i], users->cycles_per_bit[i], at->server_hz[i]);
    *delay_s = at->inference_s + cost_chosen(at->offloaded[i], local_s, edge_s);
    *energy_j = cost_chosen(at->offloaded[i], local_j, energy_transmit_j(uplink->power_w, transfer_s));
}

void vector_case_objective(struct vector_reader *in, json_t *out) {
    struct users users = read_users(in);
    struct placement placement = read_placement(in, users.count);
    struct uplink uplink = read_uplink(in);
    struct cost_coefficients coefficients = {.delay = vector_number(in, "alpha", VECTOR_NON_NEGATIVE),
                                             .energy = vector_number(in, "beta", VECTOR_NON_NEGATIVE),
                                             .miss = vector_number(in, "delta", VECTOR_NON_NEGATIVE)};
    if (in->failed)
        return;
    double *delay_s = arena_alloc_array(in->arena, users.count + 1, sizeof *delay_s);
    double *energy_j = arena_alloc_array(in->arena, users.count + 1, sizeof *energy_j);
    double *deadline_s = arena_alloc_array(in->arena, users.count + 1, sizeof *deadline_s);
    for (size_t i = 0; i < users.count; i++) {
        place(&users, &placement, &uplink, i, &delay_s[i], &energy_j[i]);
        deadline_s[i] = users.deadline_ms[i] * 1e-3;
    }
    struct cost_total total = cost_with_misses(&coefficients, delay_s, energy_j, deadline_s, users.count);
    vector_give_numbers(out, "T", delay_s, users.count);
    vector_give_numbers(out, "E", energy_j, users.count);
    vector_give_count(out, "miss", total.miss_count);
    vector_give(out, "objective", total.objective);
}

void vector_case_saving(struct vector_reader *in, json_t *out) {
    struct vector_numbers local = vector_numbers(in, "C_loc", VECTOR_ANY);
    const double *edge = vector_numbers_of(in, "C_edge", VECTOR_ANY, local.count);
    const double *probability = vector_numbers_of(in, "p", VECTOR_UNIT, local.count);
    const uint8_t *action = vector_flags_of(in, "action", local.count);
    if (in->failed)
        return;
    double *paper = arena_alloc_array(in->arena, local.count + 1, sizeof *paper);
    double *calibrated = arena_alloc_array(in->arena, local.count + 1, sizeof *calibrated);
    for (size_t i = 0; i < local.count; i++) {
        paper[i] = reward_saving_paper(action[i], local.values[i], edge[i], probability[i]);
        calibrated[i] = reward_saving(action[i], local.values[i], edge[i], probability[i]);
    }
    vector_give_numbers(out, "R_paper", paper, local.count);
    vector_give_numbers(out, "R_cal", calibrated, local.count);
}

/* Eq. (24) or (25): `delay_key` and `energy_key` name the inputs. */
static void give_urgent_costs(struct vector_reader *in, json_t *out, const char *name,
                              struct vector_numbers weight, const struct cost_coefficients *coefficients,
                              const char *place_name) {
    char inference_key[32], delay_key[32], energy_key[32];
    snprintf(inference_key, sizeof inference_key, "T_infer_%c", place_name[0]);
    snprintf(delay_key, sizeof delay_key, "T_%s", place_name);
    snprintf(energy_key, sizeof energy_key, "E_%s", place_name);
    double inference_s = vector_number(in, inference_key, VECTOR_NON_NEGATIVE);
    const double *delay_s = vector_numbers_of(in, delay_key, VECTOR_NON_NEGATIVE, weight.count);
    const double *energy_j = vector_numbers_of(in, energy_key, VECTOR_NON_NEGATIVE, weight.count);
    if (in->failed)
        return;
    double *cost = arena_alloc_array(in->arena, weight.count + 1, sizeof *cost);
    for (size_t i = 0; i < weight.count; i++)
        cost[i] = cost_urgent(coefficients, weight.values[i], inference_s + delay_s[i], energy_j[i]);
    vector_give_numbers(out, name, cost, weight.count);
}

void vector_case_urgent_cost(struct vector_reader *in, json_t *out) {
    struct vector_numbers weight = vector_numbers(in, "w", VECTOR_NON_NEGATIVE);
    struct cost_coefficients coefficients = {.delay = vector_number(in, "alpha", VECTOR_NON_NEGATIVE),
                                             .energy = vector_number(in, "beta", VECTOR_NON_NEGATIVE)};
    give_urgent_costs(in, out, "C_loc", weight, &coefficients, "loc");
    give_urgent_costs(in, out, "C_edge", weight, &coefficients, "edge");
    struct vector_numbers label = vector_numbers(in, "P_label", VECTOR_ANY);
    const double *output = vector_numbers_of(in, "P_out", VECTOR_ANY, label.count);
    if (!in->failed)
        vector_give(out, "L_policy", cost_squared_error(label.values, output, label.count));
}
