/* vectors_ipor: the cases 000-*. */
#include "cli/vectors_cases.h"

#include "common/model/chain_delay.h"
#include "common/model/compute.h"
#include "common/model/cost.h"
#include "common/model/energy.h"
#include "common/model/knowledge.h"
#include "common/model/radio.h"
#include "common/model/reward.h"
#include "common/model/sharing.h"

#define SUBCHANNELS_MAX 100000

void vector_case_local_training(struct vector_reader *in, json_t *out) {
    double bits = vector_number(in, "D_bits", VECTOR_NON_NEGATIVE);
    double cycles_per_bit = vector_number(in, "C_cyc_per_bit", VECTOR_NON_NEGATIVE);
    double clock_hz = vector_number(in, "f_hz", VECTOR_POSITIVE);
    double capacitance = vector_number(in, "beta", VECTOR_NON_NEGATIVE);
    if (in->failed)
        return;
    vector_give(out, "T_s", compute_delay_s(bits, cycles_per_bit, clock_hz));
    vector_give(out, "E_J", energy_compute_j(capacitance, bits, cycles_per_bit, clock_hz));
}

void vector_case_ofdma_upload(struct vector_reader *in, json_t *out) {
    struct vector_numbers power_w = vector_numbers(in, "p_W", VECTOR_NON_NEGATIVE);
    struct radio_ofdma uplink = {.power_w = power_w.values, .subchannel_count = power_w.count};
    uplink.allocated = vector_flags_of(in, "tau", power_w.count);
    uplink.gain = vector_numbers_of(in, "h", VECTOR_NON_NEGATIVE, power_w.count);
    uplink.subchannel_hz = vector_number(in, "B_sub_hz", VECTOR_POSITIVE);
    uplink.noise_w = radio_dbm_to_w(vector_number(in, "N0_dBm", VECTOR_DECIBEL));
    double bits = vector_number(in, "bits", VECTOR_NON_NEGATIVE);
    if (power_w.count == 0)
        vector_refuse(in, "p_W", "expected at least one sub-channel");
    if (in->failed)
        return;
    double rate_bps = radio_ofdma_rate_bps(&uplink);
    vector_give(out, "N0_W", uplink.noise_w);
    vector_give(out, "rate_bps", rate_bps);
    vector_give(out, "T_s", radio_transfer_s(bits, rate_bps));
    vector_give(out, "E_J", energy_ofdma_upload_j(bits, uplink.power_w, uplink.subchannel_count, rate_bps));
}

void vector_case_shared_download(struct vector_reader *in, json_t *out) {
    double bandwidth_hz = vector_number(in, "B_down_hz", VECTOR_POSITIVE);
    double snr = radio_db_to_linear(vector_number(in, "snr_db", VECTOR_DECIBEL));
    double bits = vector_number(in, "bits", VECTOR_NON_NEGATIVE);
    double power_w = vector_number(in, "p_b_W", VECTOR_NON_NEGATIVE);
    uint32_t sharing_count = vector_count(in, "n_sharing", 1, 1000000);
    if (in->failed)
        return;
    double rate_bps = radio_shannon_rate_bps(bandwidth_hz, snr);
    double time_s = radio_transfer_s(bits, rate_bps / sharing_count);
    vector_give(out, "r_bps", rate_bps);
    vector_give(out, "r_shared_bps", rate_bps / sharing_count);
    vector_give(out, "T_s", time_s);
    vector_give(out, "E_J", energy_transmit_j(power_w, time_s));
}

void vector_case_chain_delay(struct vector_reader *in, json_t *out) {
    size_t server_count = 0;
    double uploaded_bits = vector_nested_sum(in, "w_bits", VECTOR_NON_NEGATIVE, &server_count);
    uint32_t servers = vector_count(in, "B", 1, 1000000);
    double bandwidth_hz = vector_number(in, "B_edge_hz", VECTOR_POSITIVE);
    double snr = radio_db_to_linear(vector_number(in, "snr_db", VECTOR_DECIBEL));
    struct vector_numbers clock_hz = vector_numbers(in, "f_bs_hz", VECTOR_POSITIVE);
    struct chain_verification verification = {.block_bits =
                                                  vector_number(in, "S_B_bits", VECTOR_NON_NEGATIVE),
                                              .producer_count = vector_count(in, "M_p", 1, 1000000),
                                              .server_clock_hz = clock_hz.values,
                                              .server_count = clock_hz.count};
    verification.cycles_per_bit =
        vector_numbers_of(in, "f_bl_cyc_per_bit", VECTOR_NON_NEGATIVE, clock_hz.count);
    double generation_s = vector_number(in, "T_gen_s", VECTOR_NON_NEGATIVE);
    if (server_count != servers)
        vector_refuse(in, "w_bits", "expected B = %u entries, found %zu", servers, server_count);
    if (in->failed)
        return;
    verification.edge_rate_bps = radio_shannon_rate_bps(bandwidth_hz, snr);
    double transfer_s = chain_transfer_s(uploaded_bits, servers, verification.edge_rate_bps);
    double verify_s = chain_verify_s(&verification);
    vector_give(out, "r_edge_bps", verification.edge_rate_bps);
    vector_give(out, "T_tr_s", transfer_s);
    vector_give(out, "T_cv_s", verify_s);
    vector_give(out, "T_blk_s", chain_block_s(generation_s, transfer_s, verify_s));
}

void vector_case_knowledge_slope(struct vector_reader *in, json_t *out) {
    const double *transition = vector_numbers_of(in, "trans", VECTOR_NON_NEGATIVE, 2);
    const double *convergence = vector_numbers_of(in, "conv", VECTOR_NON_NEGATIVE, 2);
    vector_expect_text(in, "order", "[I_TY,I_XT]");
    if (in->failed)
        return;
    double slope = knowledge_slope((struct knowledge_point){transition[0], transition[1]},
                                   (struct knowledge_point){convergence[0], convergence[1]});
    vector_give(out, "slope", slope);
    vector_give(out, "L_paper", knowledge_index_paper(slope));
    vector_give(out, "L_cal", knowledge_index(slope));
}

/* IPOR Eq. (13)-(15) for one quantity: o chooses between training (device + upload) and download. */
static const double *chosen(struct vector_reader *in, const uint8_t *trains, const double *train,
                            const double *download, size_t count) {
    double *values = arena_alloc_array(in->arena, count + 1, sizeof *values);
    for (size_t n = 0; n < count; n++)
        values[n] = cost_chosen(!trains[n], train[n], download[n]);
    return values;
}

/* The sum of two input arrays, entry by entry. */
static const double *sum_of(struct vector_reader *in, const char *left_key, const char *right_key,
                            size_t count) {
    const double *left = vector_numbers_of(in, left_key, VECTOR_NON_NEGATIVE, count);
    const double *right = vector_numbers_of(in, right_key, VECTOR_NON_NEGATIVE, count);
    double *values = arena_alloc_array(in->arena, count + 1, sizeof *values);
    for (size_t n = 0; n < count; n++)
        values[n] = left[n] + right[n];
    return values;
}

static void give_knowledge_slot(json_t *out, const struct cost_knowledge_weights *weights,
                                const struct reward_references *references, double knowledge, double delay_s,
                                double energy_j) {
    vector_give(out, "T_cost", delay_s);
    vector_give(out, "E_cost", energy_j);
    vector_give(out, "L_rep", knowledge);
    vector_give(out, "Phi_paper", cost_knowledge_objective(weights, knowledge, delay_s, energy_j));
    vector_give(out, "r_cal", reward_knowledge(weights, references, knowledge, delay_s, energy_j));
}

void vector_case_knowledge_reward(struct vector_reader *in, json_t *out) {
    size_t count = vector_numbers(in, "o", VECTOR_UNIT).count;
    const uint8_t *trains = vector_flags_of(in, "o", count);
    const double *train_s = sum_of(in, "T_dev", "T_up", count), *train_j = sum_of(in, "E_dev", "E_up", count);
    const double *download_s = vector_numbers_of(in, "T_down", VECTOR_NON_NEGATIVE, count);
    const double *download_j = vector_numbers_of(in, "E_down", VECTOR_NON_NEGATIVE, count);
    const double *own = vector_numbers_of(in, "L_dev", VECTOR_NON_NEGATIVE, count);
    const double *stored = vector_numbers_of(in, "L_edge", VECTOR_NON_NEGATIVE, count);
    const double *mu = vector_numbers_of(in, "mu", VECTOR_UNIT, 3);
    double chain_s = vector_number(in, "T_blk", VECTOR_NON_NEGATIVE);
    struct reward_references references = {.knowledge = vector_number(in, "L_ref", VECTOR_POSITIVE),
                                           .delay_s = vector_number(in, "T_ref", VECTOR_POSITIVE),
                                           .energy_j = vector_number(in, "E_ref", VECTOR_POSITIVE)};
    if (count == 0)
        vector_refuse(in, "o", "expected at least one device");
    if (in->failed)
        return;
    const double *delay_s = chosen(in, trains, train_s, download_s, count);
    const double *energy_j = chosen(in, trains, train_j, download_j, count);
    const double *knowledge = chosen(in, trains, own, stored, count);
    struct cost_knowledge_weights weights = {.knowledge = mu[0], .delay = mu[1], .energy = mu[2]};
    vector_give_numbers(out, "T_n", delay_s, count);
    vector_give_numbers(out, "E_n", energy_j, count);
    vector_give_numbers(out, "L_n", knowledge, count);
    give_knowledge_slot(out, &weights, &references, cost_mean(knowledge, count),
                        cost_mean_delay_s(delay_s, count, chain_s), cost_mean(energy_j, count));
}

void vector_case_subchannel_split(struct vector_reader *in, json_t *out) {
    struct vector_numbers rates = vector_numbers(in, "rates", VECTOR_POSITIVE);
    uint32_t subchannel_count = vector_count(in, "C", 1, SUBCHANNELS_MAX);
    if (rates.count == 0 || rates.count > subchannel_count)
        vector_refuse(in, "rates", "expected 1 to C = %u devices, found %zu", subchannel_count, rates.count);
    if (in->failed)
        return;
    uint32_t *held = arena_alloc_array(in->arena, rates.count, sizeof *held);
    sharing_subchannels(rates.values, rates.count, subchannel_count, held);
    json_t *array = json_array();
    for (size_t i = 0; i < rates.count; i++)
        json_array_append_new(array, json_integer(held[i]));
    json_object_set_new(out, "n_sub", array);
}
