/* vectors_jopa: the cases 003-*. */
#include "cli/vectors_cases.h"

#include "common/model/channel.h"
#include "common/model/compute.h"
#include "common/model/gateway_slot.h"
#include "common/model/qos.h"
#include "common/model/queue.h"
#include "common/model/radio.h"

/* The published system, where a case does not state it. */
#define BANDWIDTH_HZ 5e6
#define POWER_W 1.0
#define SLOT_S 1.0
#define GATEWAY_FLOPS 768e9
#define EDGE_FLOPS 20.31e12
#define TASKS_MAX 1000000

/* The uplink of one gateway. */
struct uplink {
    double share, bandwidth_hz, power_w, noise_w_per_hz;
};

static struct uplink read_uplink(struct vector_reader *in) {
    uint32_t total = vector_count(in, "N", 1, TASKS_MAX);
    return (struct uplink){.share = (double)vector_count(in, "M_g", 1, total) / (double)total,
                           .bandwidth_hz = vector_number_or(in, "W", VECTOR_POSITIVE, BANDWIDTH_HZ),
                           .power_w = vector_number_or(in, "z", VECTOR_POSITIVE, POWER_W),
                           .noise_w_per_hz = vector_number(in, "N0", VECTOR_POSITIVE)};
}

static double uplink_rate_bps(const struct uplink *uplink, double gain) {
    return radio_lte_m_rate_bps(uplink->share, uplink->bandwidth_hz, uplink->power_w, gain,
                                uplink->noise_w_per_hz);
}

/* The last state of psi_BNG is the best one, G. */
void vector_case_lte_m_rate(struct vector_reader *in, json_t *out) {
    struct uplink uplink = read_uplink(in);
    struct vector_numbers gain = vector_numbers(in, "psi_BNG", VECTOR_POSITIVE);
    double bits = vector_number(in, "H", VECTOR_POSITIVE);
    double slot_s = vector_number(in, "Gamma", VECTOR_NON_NEGATIVE);
    if (gain.count == 0)
        vector_refuse(in, "psi_BNG", "expected at least one channel state");
    if (in->failed)
        return;
    double rate_max_bps = radio_lte_m_rate_max_bps(uplink.bandwidth_hz, uplink.power_w,
                                                   gain.values[gain.count - 1], uplink.noise_w_per_hz);
    double mini_slot_s = radio_mini_slot_s(bits, rate_max_bps);
    double *rate_bps = arena_alloc_array(in->arena, gain.count, sizeof *rate_bps);
    double *air_s = arena_alloc_array(in->arena, gain.count, sizeof *air_s);
    json_t *delta = json_array();
    for (size_t state = 0; state < gain.count; state++) {
        rate_bps[state] = uplink_rate_bps(&uplink, gain.values[state]);
        air_s[state] = radio_transfer_s(bits, rate_bps[state]);
        json_array_append_new(delta, json_integer(radio_mini_slots_per_task(rate_max_bps, rate_bps[state])));
    }
    vector_give_numbers(out, "R", rate_bps, gain.count);
    vector_give_numbers(out, "Omega", air_s, gain.count);
    vector_give(out, "Rmax", rate_max_bps);
    vector_give(out, "tau", mini_slot_s);
    vector_give_count(out, "q", radio_mini_slots_per_slot(slot_s, mini_slot_s));
    json_object_set_new(out, "delta", delta);
}

void vector_case_accuracy_fit(struct vector_reader *in, json_t *out) {
    struct vector_numbers pruning = vector_numbers(in, "p_percent", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    double *percent = arena_alloc_array(in->arena, pruning.count + 1, sizeof *percent);
    double *fraction = arena_alloc_array(in->arena, pruning.count + 1, sizeof *fraction);
    for (size_t i = 0; i < pruning.count; i++) {
        percent[i] = qos_accuracy_fit_percent(pruning.values[i]);
        fraction[i] = qos_accuracy_fit_percent(pruning.values[i] / 100.0);
    }
    vector_give_numbers(out, "A_percent", percent, pruning.count);
    vector_give_numbers(out, "A_if_p_is_fraction", fraction, pruning.count);
}

void vector_case_gateway_batch(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "H", VECTOR_NON_NEGATIVE);
    double flop_per_bit = vector_number(in, "I", VECTOR_NON_NEGATIVE);
    double capacity_flops = vector_number(in, "C_g", VECTOR_POSITIVE);
    double pruning = vector_number(in, "p", VECTOR_UNIT);
    uint32_t local_count = vector_count(in, "n_local", 0, TASKS_MAX);
    double slot_s = vector_number(in, "Gamma", VECTOR_POSITIVE);
    if (in->failed)
        return;
    double batch_s = compute_batch_delay_s(local_count, bits * flop_per_bit, pruning, capacity_flops);
    vector_give(out, "L", batch_s);
    vector_give(out, "u_l", batch_s / slot_s);
}

void vector_case_edge_share(struct vector_reader *in, json_t *out) {
    double work_flop = vector_number(in, "F_edge", VECTOR_POSITIVE);
    double capacity_flops = vector_number(in, "C_e", VECTOR_POSITIVE);
    double share_floor = vector_number(in, "eps", VECTOR_POSITIVE);
    struct vector_numbers share = vector_numbers(in, "c", VECTOR_UNIT);
    double slot_s = vector_number_or(in, "Gamma", VECTOR_POSITIVE, SLOT_S);
    double bits = vector_number_or(in, "H", VECTOR_POSITIVE, COMPUTE_TASK_BITS_PAPER);
    double floor_paper = vector_number_or(in, "eps_paper", VECTOR_POSITIVE, COMPUTE_EDGE_SHARE_FLOOR_PAPER);
    if (in->failed)
        return;
    double *calibrated = arena_alloc_array(in->arena, share.count + 1, sizeof *calibrated);
    double *paper = arena_alloc_array(in->arena, share.count + 1, sizeof *paper);
    for (size_t i = 0; i < share.count; i++) {
        calibrated[i] = compute_edge_delay_s(work_flop, capacity_flops, share.values[i], share_floor);
        paper[i] = compute_edge_delay_s(bits, capacity_flops, share.values[i], floor_paper);
    }
    vector_give(out, "eps", compute_edge_share_floor(work_flop, capacity_flops, slot_s));
    vector_give_numbers(out, "E_calibrated", calibrated, share.count);
    vector_give_numbers(out, "E_paper", paper, share.count);
}

void vector_case_priority_wait(struct vector_reader *in, json_t *out) {
    struct vector_numbers criticality = vector_numbers(in, "k", VECTOR_UNIT);
    const uint8_t *offloaded = vector_flags_of(in, "o", criticality.count);
    uint32_t mini_slots = vector_count(in, "delta", 1, TASKS_MAX);
    double mini_slot_s = vector_number(in, "tau", VECTOR_POSITIVE);
    if (in->failed)
        return;
    double *wait_s = arena_alloc_array(in->arena, criticality.count + 1, sizeof *wait_s);
    queue_priority_waits_paper_s(criticality.values, offloaded, criticality.count, mini_slots * mini_slot_s,
                                 wait_s);
    vector_give_numbers(out, "B_paper", wait_s, criticality.count);
    queue_priority_waits_s(criticality.values, offloaded, criticality.count, mini_slots * mini_slot_s,
                           wait_s);
    vector_give_numbers(out, "B_calibrated", wait_s, criticality.count);
}

void vector_case_requirements(struct vector_reader *in, json_t *out) {
    struct vector_numbers criticality = vector_numbers(in, "k", VECTOR_UNIT);
    if (in->failed)
        return;
    double *deadline_s = arena_alloc_array(in->arena, criticality.count + 1, sizeof *deadline_s);
    double *accuracy = arena_alloc_array(in->arena, criticality.count + 1, sizeof *accuracy);
    for (size_t i = 0; i < criticality.count; i++) {
        deadline_s[i] = qos_deadline_s(criticality.values[i]);
        accuracy[i] = qos_accuracy_floor(criticality.values[i]);
    }
    vector_give_numbers(out, "T", deadline_s, criticality.count);
    vector_give_numbers(out, "A", accuracy, criticality.count);
}

/* What the slot of a gateway needs beyond its radio. */
static struct gateway_slot read_slot(struct vector_reader *in, double bits) {
    struct vector_numbers criticality = vector_numbers(in, "k", VECTOR_UNIT);
    double work_flop = vector_number(in, "F_edge", VECTOR_POSITIVE);
    double edge_flops = vector_number_or(in, "C_e", VECTOR_POSITIVE, EDGE_FLOPS);
    double share = vector_number(in, "c", VECTOR_UNIT);
    struct gateway_slot slot = {.criticality = criticality.values,
                                .offloaded = vector_flags_of(in, "o", criticality.count),
                                .task_count = criticality.count,
                                .local_work_flop = bits * vector_number(in, "I", VECTOR_NON_NEGATIVE),
                                .capacity_flops = vector_number_or(in, "C_g", VECTOR_POSITIVE, GATEWAY_FLOPS),
                                .pruning = vector_number(in, "pruning", VECTOR_UNIT),
                                .accuracy = vector_number(in, "accuracy", VECTOR_UNIT),
                                .slot_s = vector_number_or(in, "Gamma", VECTOR_POSITIVE, SLOT_S)};
    double share_floor = compute_edge_share_floor(work_flop, edge_flops, slot.slot_s);
    slot.edge_s = compute_edge_delay_s(work_flop, edge_flops, share,
                                       vector_number_or(in, "eps", VECTOR_POSITIVE, share_floor));
    return slot;
}

static void give_slot(json_t *out, const struct gateway_slot_result *result, uint32_t task_total,
                      double penalty) {
    double utilisation = gateway_slot_utilisation(result);
    vector_give(out, "u_l", result->local_utilisation);
    vector_give(out, "u_b", result->radio_utilisation);
    vector_give(out, "u_e", result->edge_utilisation);
    vector_give_count(out, "dropped", result->dropped_count);
    vector_give(out, "sum_delay", result->delay_sum_s);
    vector_give(out, "reward_contribution",
                gateway_slot_reward(utilisation, result->dropped_count, task_total, penalty));
}

void vector_case_gateway_slot(struct vector_reader *in, json_t *out) {
    struct uplink uplink = read_uplink(in);
    double gain = vector_number(in, "psi", VECTOR_POSITIVE);
    double rate_max_bps = vector_number(in, "Rmax", VECTOR_POSITIVE);
    double bits = vector_number(in, "H", VECTOR_POSITIVE);
    double penalty = vector_number(in, "J", VECTOR_NON_NEGATIVE);
    uint32_t task_total = vector_count(in, "N", 1, TASKS_MAX);
    struct gateway_slot slot = read_slot(in, bits);
    if (slot.task_count != vector_count(in, "M_g", 1, TASKS_MAX))
        vector_refuse(in, "k", "expected M_g entries, found %zu", slot.task_count);
    if (in->failed)
        return;
    double rate_bps = uplink_rate_bps(&uplink, gain);
    uint32_t mini_slots = radio_mini_slots_per_task(rate_max_bps, rate_bps);
    slot.air_s = radio_transfer_s(bits, rate_bps);
    slot.hold_s = mini_slots * radio_mini_slot_s(bits, rate_max_bps);
    struct gateway_task *tasks = arena_alloc_array(in->arena, slot.task_count, sizeof *tasks);
    struct gateway_slot_result result;
    gateway_slot_evaluate(&slot, READING_CALIBRATED, tasks, &result);
    vector_give(out, "R", rate_bps);
    vector_give(out, "Omega", slot.air_s);
    vector_give_count(out, "delta", mini_slots);
    vector_give(out, "E", slot.edge_s);
    give_slot(out, &result, task_total, penalty);
}

void vector_case_markov(struct vector_reader *in, json_t *out) {
    struct vector_matrix transition = vector_matrix(in, "P", VECTOR_UNIT);
    size_t count = transition.rows;
    if (count != transition.columns || count > CHANNEL_STATES_MAX)
        vector_refuse(in, "P", "expected a square matrix of at most %d states", CHANNEL_STATES_MAX);
    else if (!channel_markov_valid(transition.values, count))
        vector_refuse(in, "P", "every row must add up to 1");
    if (in->failed)
        return;
    double stationary[CHANNEL_STATES_MAX];
    if (channel_markov_stationary(transition.values, count, stationary))
        vector_give_numbers(out, "stationary_BNG", stationary, count);
    else
        vector_refuse(in, "P",
                      "the chain has several closed classes: its stationary distribution is not unique");
}
