/* vectors_ucms: the cases 001-*. */
#include "cli/vectors_cases.h"

#include "common/model/action.h"
#include "common/model/battery.h"
#include "common/model/compute.h"
#include "common/model/coselection.h"
#include "common/model/cost.h"
#include "common/model/energy.h"
#include "common/model/queue.h"
#include "common/model/radio.h"
#include "common/model/replay_priority.h"
#include "common/model/reward.h"

/* The published system's radio and servers, where a case does not state them. */
#define BANDWIDTH_HZ 40e6
#define SUBCHANNELS 10
#define SERVER_CLOCK_HZ 4e9

void vector_case_device_compute(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "beta_bits", VECTOR_NON_NEGATIVE);
    double cycles_per_bit = vector_number(in, "c", VECTOR_NON_NEGATIVE);
    double clock_hz = vector_number(in, "f_hz", VECTOR_POSITIVE);
    double capacitance = vector_number(in, "kappa", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    vector_give(out, "tau_l", compute_delay_s(bits, cycles_per_bit, clock_hz));
    vector_give(out, "e_l", energy_compute_j(capacitance, bits, cycles_per_bit, clock_hz));
}

void vector_case_device_offload(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "beta_bits", VECTOR_NON_NEGATIVE);
    double cycles_per_bit = vector_number(in, "c", VECTOR_NON_NEGATIVE);
    double power_w = radio_dbm_to_w(vector_number(in, "p_dbm", VECTOR_DECIBEL));
    double gain_per_w = radio_db_to_linear(vector_number(in, "g_db", VECTOR_DECIBEL));
    double bandwidth_hz = vector_number(in, "W_hz", VECTOR_POSITIVE);
    uint32_t subchannel_count = vector_count(in, "K", 1, 1000000);
    double server_clock_hz = vector_number(in, "fs_hz", VECTOR_POSITIVE);
    double available_s = vector_number(in, "tau_q", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    double rate_bps = radio_subchannel_rate_bps(bandwidth_hz, subchannel_count, power_w, gain_per_w);
    double transfer_s = radio_transfer_s(bits, rate_bps);
    double process_s = compute_delay_s(bits, cycles_per_bit, server_clock_hz);
    vector_give(out, "p_w", power_w);
    vector_give(out, "g_lin", gain_per_w);
    vector_give(out, "rate", rate_bps);
    vector_give(out, "tau_o", transfer_s);
    vector_give(out, "tau_p", process_s);
    vector_give(out, "tau_a", cost_edge_done_s(process_s, transfer_s, available_s));
    vector_give(out, "e_o", energy_transmit_j(power_w, transfer_s));
}

void vector_case_server_queue(struct vector_reader *in, json_t *out) {
    struct vector_numbers arrival_s = vector_numbers(in, "tau_o", VECTOR_NON_NEGATIVE);
    struct queue_fcfs queue = {.arrival_s = arrival_s.values, .task_count = arrival_s.count};
    queue.service_s = vector_numbers_of(in, "tau_p", VECTOR_NON_NEGATIVE, arrival_s.count);
    queue.processor_count = vector_count(in, "U_m", 1, 10000);
    if (in->failed)
        return;
    queue.free_s = arena_alloc_array(in->arena, queue.processor_count, sizeof *queue.free_s);
    queue.order = arena_alloc_array(in->arena, queue.task_count + 1, sizeof *queue.order);
    double *available_s = arena_alloc_array(in->arena, queue.task_count + 1, sizeof *available_s);
    double *done_s = arena_alloc_array(in->arena, queue.task_count + 1, sizeof *done_s);
    queue_fcfs_serve(&queue, available_s, done_s);
    vector_give_numbers(out, "tau_q", available_s, queue.task_count);
    vector_give_numbers(out, "tau_a", done_s, queue.task_count);
}

void vector_case_battery(struct vector_reader *in, json_t *out) {
    struct vector_numbers charge_j = vector_numbers(in, "b", VECTOR_NON_NEGATIVE);
    const double *spent_j = vector_numbers_of(in, "e", VECTOR_NON_NEGATIVE, charge_j.count);
    double harvested_j = vector_number(in, "d", VECTOR_NON_NEGATIVE);
    double charge_max_j = vector_number(in, "bmax", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    double *next_j = arena_alloc_array(in->arena, charge_j.count + 1, sizeof *next_j);
    for (size_t n = 0; n < charge_j.count; n++)
        next_j[n] = battery_next_j(charge_j.values[n], spent_j[n], harvested_j, charge_max_j);
    vector_give_numbers(out, "b_next", next_j, charge_j.count);
}

void vector_case_action(struct vector_reader *in, json_t *out) {
    struct vector_numbers clock = vector_numbers(in, "f_u", VECTOR_UNIT);
    const double *power = vector_numbers_of(in, "p_u", VECTOR_UNIT, clock.count);
    double clock_min_hz = vector_number(in, "fmin", VECTOR_POSITIVE);
    double clock_max_hz = vector_number(in, "fmax", VECTOR_POSITIVE);
    double power_min_dbm = vector_number(in, "pmin_dbm", VECTOR_DECIBEL);
    double power_max_dbm = vector_number(in, "pmax_dbm", VECTOR_DECIBEL);
    if (in->failed)
        return;
    double *clock_hz = arena_alloc_array(in->arena, clock.count + 1, sizeof *clock_hz);
    double *power_dbm = arena_alloc_array(in->arena, clock.count + 1, sizeof *power_dbm);
    double *power_w = arena_alloc_array(in->arena, clock.count + 1, sizeof *power_w);
    for (size_t n = 0; n < clock.count; n++) {
        clock_hz[n] = action_clock_hz(clock.values[n], clock_min_hz, clock_max_hz);
        power_dbm[n] = action_power_dbm(power[n], power_min_dbm, power_max_dbm);
        power_w[n] = radio_dbm_to_w(power_dbm[n]);
    }
    vector_give_numbers(out, "f_hz", clock_hz, clock.count);
    vector_give_numbers(out, "p_dbm", power_dbm, clock.count);
    vector_give_numbers(out, "p_w", power_w, clock.count);
}

/* UCMS Eq. (25), (26) for each device; `cost` is Eq. (14) of each, `limits` its deadline and least charge. */
static void give_rewards(struct vector_reader *in, json_t *out, const double *cost, const double *penalty,
                         size_t count) {
    double *calibrated = arena_alloc_array(in->arena, count, sizeof *calibrated);
    double *paper = arena_alloc_array(in->arena, count, sizeof *paper);
    for (size_t n = 0; n < count; n++) {
        calibrated[n] = reward_coselection(cost_mean(cost, count), penalty[n]);
        paper[n] = reward_coselection_paper(cost_mean(cost, count), penalty[n]);
    }
    vector_give_numbers(out, "r_paper", paper, count);
    vector_give_numbers(out, "r_calibrated", calibrated, count);
}

void vector_case_coselection_reward(struct vector_reader *in, json_t *out) {
    struct vector_numbers delay_s = vector_numbers(in, "tau", VECTOR_NON_NEGATIVE);
    size_t count = delay_s.count;
    const double *energy_j = vector_numbers_of(in, "e", VECTOR_NON_NEGATIVE, count);
    const double *deadline_s = vector_numbers_of(in, "phi", VECTOR_NON_NEGATIVE, count);
    const double *charge_j = vector_numbers_of(in, "b", VECTOR_NON_NEGATIVE, count);
    double charge_min_j = vector_number(in, "b_min", VECTOR_NON_NEGATIVE);
    const double *rho = vector_numbers_of(in, "rho", VECTOR_NON_NEGATIVE, 2);
    if (count == 0)
        vector_refuse(in, "tau", "expected at least one device");
    if (in->failed)
        return;
    double *cost = arena_alloc_array(in->arena, count, sizeof *cost);
    double *penalty = arena_alloc_array(in->arena, count, sizeof *penalty);
    for (size_t n = 0; n < count; n++) {
        struct reward_limits limits = {.deadline_s = deadline_s[n], .charge_min_j = charge_min_j};
        cost[n] = cost_weighted(rho[0], delay_s.values[n], rho[1], energy_j[n]);
        penalty[n] = reward_penalty(rho[0], delay_s.values[n], rho[1], charge_j[n], &limits);
    }
    vector_give_numbers(out, "C", cost, count);
    vector_give_numbers(out, "P", penalty, count);
    give_rewards(in, out, cost, penalty, count);
}

void vector_case_replay_priority(struct vector_reader *in, json_t *out) {
    struct vector_numbers reward = vector_numbers(in, "r", VECTOR_ANY);
    const double *td_error = vector_numbers_of(in, "td", VECTOR_ANY, reward.count);
    struct replay_priority_weights weights = {.floor = vector_number(in, "eps", VECTOR_POSITIVE),
                                              .reward = vector_number(in, "v_r", VECTOR_UNIT),
                                              .td_error = vector_number(in, "v_d", VECTOR_UNIT)};
    if (weights.reward + weights.td_error <= 0.0)
        vector_refuse(in, "v_r", "v_r + v_d must be above 0");
    if (in->failed)
        return;
    double *priority = arena_alloc_array(in->arena, reward.count + 1, sizeof *priority);
    double *probability = arena_alloc_array(in->arena, reward.count + 1, sizeof *probability);
    for (size_t i = 0; i < reward.count; i++)
        priority[i] = replay_priority(&weights, reward.values[i], td_error[i]);
    replay_probabilities(priority, reward.count, probability);
    vector_give_numbers(out, "eta", priority, reward.count);
    vector_give_numbers(out, "prob", probability, reward.count);
}

struct coselection_inputs {
    const double *bits, *cycles_per_bit; /* per device */
    double power_w, bandwidth_hz, server_clock_hz;
    uint32_t subchannel_count;
    const double *rho; /* weights of delay and energy */
};

/* UCMS Eq. (18), (19) of every pair; `gain` holds dB on entry. */
static void score_pairs(const struct coselection_inputs *inputs, struct vector_matrix gain_db, double *cost,
                        double *done_s) {
    for (size_t i = 0; i < gain_db.rows * gain_db.columns; i++) {
        size_t n = i / gain_db.columns;
        double gain_per_w = radio_db_to_linear(gain_db.values[i]);
        double rate_bps = radio_subchannel_rate_bps(inputs->bandwidth_hz, inputs->subchannel_count,
                                                    inputs->power_w, gain_per_w);
        double transfer_s = radio_transfer_s(inputs->bits[n], rate_bps);
        double process_s =
            compute_delay_s(inputs->bits[n], inputs->cycles_per_bit[n], inputs->server_clock_hz);
        done_s[i] = cost_edge_done_s(process_s, transfer_s, 0.0); /* nothing is known of queues yet */
        cost[i] = cost_weighted(inputs->rho[0], done_s[i], inputs->rho[1],
                                energy_transmit_j(inputs->power_w, transfer_s));
    }
}

/* A device without a server is -1. */
static void give_match(struct vector_reader *in, json_t *out, const struct coselection_scores *scores) {
    struct coselection_work work = {
        .applied = arena_alloc_array(in->arena, scores->device_count, sizeof *work.applied),
        .seats_left = arena_alloc_array(in->arena, scores->server_count, sizeof *work.seats_left)};
    uint32_t *server = arena_alloc_array(in->arena, scores->device_count, sizeof *server);
    coselection_match(scores, &work, server);
    json_t *array = json_array();
    for (size_t n = 0; n < scores->device_count; n++)
        json_array_append_new(array,
                              json_integer(server[n] == COSELECTION_NO_SERVER ? -1 : (json_int_t)server[n]));
    json_object_set_new(out, "server_of_ud", array);
}

void vector_case_coselection(struct vector_reader *in, json_t *out) {
    struct vector_matrix gain_db = vector_matrix(in, "g_db", VECTOR_DECIBEL);
    struct coselection_inputs inputs = {
        .bits = vector_numbers_of(in, "beta_bits", VECTOR_NON_NEGATIVE, gain_db.rows),
        .cycles_per_bit = vector_numbers_of(in, "c", VECTOR_NON_NEGATIVE, gain_db.rows),
        .power_w = radio_dbm_to_w(vector_number(in, "p_dbm", VECTOR_DECIBEL)),
        .bandwidth_hz = vector_number_or(in, "W_hz", VECTOR_POSITIVE, BANDWIDTH_HZ),
        .server_clock_hz = vector_number_or(in, "fs_hz", VECTOR_POSITIVE, SERVER_CLOCK_HZ),
        .subchannel_count = vector_count_or(in, "K", 1000000, SUBCHANNELS),
        .rho = vector_numbers_of(in, "rho", VECTOR_NON_NEGATIVE, 2)};
    uint32_t seats = vector_count(in, "zmax", 0, 1000000);
    if (in->failed)
        return;
    size_t pair_count = gain_db.rows * gain_db.columns;
    double *cost = arena_alloc_array(in->arena, pair_count, sizeof *cost);
    double *done_s = arena_alloc_array(in->arena, pair_count, sizeof *done_s);
    score_pairs(&inputs, gain_db, cost, done_s);
    struct coselection_scores scores = {.device_score = cost,
                                        .server_score = done_s,
                                        .device_count = gain_db.rows,
                                        .server_count = gain_db.columns,
                                        .seats = seats};
    vector_give_matrix(out, "cost", cost, gain_db.rows, gain_db.columns);
    vector_give_matrix(out, "tau_a", done_s, gain_db.rows, gain_db.columns);
    give_match(in, out, &scores);
}
