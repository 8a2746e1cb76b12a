#include "schemes/jopa/slot.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/model/channel.h"
#include "common/model/compute.h"
#include "common/model/radio.h"

#define FORWARD_PASS_FLOP 1e10 /* F_e: one pass of VGG-16 */
#define TRANSITION                                                                                           \
    { 0.3, 0.7, 0.0, 0.25, 0.5, 0.25, 0.0, 0.7, 0.3 } /* Eq. (28), rows B, N, G */

/* ---- parameters ---- */

static void derive(struct jopa_parameters *p) {
    p->rate_max_bps = radio_lte_m_rate_max_bps(p->bandwidth_hz, p->power_w, p->gain[JOPA_CHANNEL_STATES - 1],
                                               p->noise_w_per_hz);
    p->mini_slot_s = radio_mini_slot_s(p->task_bits, p->rate_max_bps);
    p->edge_share_floor = compute_edge_share_floor(p->edge_work, p->edge_flops, p->slot_s);
}

struct jopa_parameters jopa_parameters_of(enum jopa_profile profile) {
    struct jopa_parameters p = {.task_bits = COMPUTE_TASK_BITS_PAPER,
                                .flop_per_bit = 3.12e6,
                                .gateway_flops = 768e9,
                                .edge_flops = 20.31e12,
                                .edge_work = FORWARD_PASS_FLOP,
                                .bandwidth_hz = 5e6,
                                .power_w = 1.0,
                                .noise_w_per_hz = profile == JOPA_STRESS ? 1e-19 : 4e-20,
                                .gain = {2e-13, 4e-13, 6e-13},
                                .slot_s = 1.0,
                                .penalty = 99.0,
                                .model_count = QOS_MODELS,
                                .reading = READING_CALIBRATED};
    memcpy(p.models, qos_models, sizeof p.models);
    if (profile == JOPA_CALIBRATED_LIGHT)
        p.flop_per_bit = FORWARD_PASS_FLOP / p.task_bits;
    derive(&p);
    if (profile == JOPA_PAPER) {
        p.reading = READING_PAPER;
        p.noise_w_per_hz = 1e-18;
        p.edge_work = COMPUTE_TASK_BITS_PAPER;
        p.edge_share_floor = COMPUTE_EDGE_SHARE_FLOOR_PAPER;
        p.rate_max_bps = 5.68e6;
        p.mini_slot_s = 0.0028;
    }
    return p;
}

struct jopa_parameters jopa_parameters_one_model(const struct jopa_parameters *parameters, double pruning) {
    struct jopa_parameters one = *parameters;
    uint32_t v = 0;
    while (v < one.model_count && fabs(one.models[v].pruning - pruning) > THRESHOLD_TOLERANCE)
        v++;
    assert(v < one.model_count);
    one.models[0] = one.models[v];
    one.model_count = 1;
    return one;
}

double jopa_criticality(uint32_t level) {
    assert(level < JOPA_LEVELS);
    return level / (double)(JOPA_LEVELS - 1);
}

uint32_t jopa_task_count(const struct jopa_slot *slot) {
    uint32_t count = 0;
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        count += slot->gateways[g].task_count;
    return count;
}

/* ---- what is refused ---- */

struct positive {
    const char *name;
    double value;
};

static enum status check_parameters(const struct jopa_parameters *p, struct error *error) {
    const struct positive positives[] = {{"task_bits", p->task_bits},
                                         {"flop_per_bit", p->flop_per_bit},
                                         {"gateway_flops", p->gateway_flops},
                                         {"edge_flops", p->edge_flops},
                                         {"edge_work", p->edge_work},
                                         {"edge_share_floor", p->edge_share_floor},
                                         {"bandwidth_hz", p->bandwidth_hz},
                                         {"power_w", p->power_w},
                                         {"noise_w_per_hz", p->noise_w_per_hz},
                                         {"gain of state 0", p->gain[0]},
                                         {"gain of state 1", p->gain[1]},
                                         {"gain of state 2", p->gain[2]},
                                         {"rate_max_bps", p->rate_max_bps},
                                         {"mini_slot_s", p->mini_slot_s},
                                         {"slot_s", p->slot_s}};
    for (size_t i = 0; i < sizeof positives / sizeof positives[0]; i++)
        if (!(isfinite(positives[i].value) && positives[i].value > 0.0))
            return error_set(error, STATUS_INVALID, "%s is %g; expected a finite number above 0",
                             positives[i].name, positives[i].value);
    if (!(isfinite(p->penalty) && p->penalty >= 0.0))
        return error_set(error, STATUS_INVALID, "penalty is %g; expected a finite number of at least 0",
                         p->penalty);
    if (p->model_count < 1 || p->model_count > QOS_MODELS)
        return error_set(error, STATUS_INVALID, "%u models; expected 1 to %d", p->model_count, QOS_MODELS);
    for (uint32_t v = 0; v < p->model_count; v++)
        if (!(p->models[v].pruning >= 0.0 && p->models[v].pruning <= 1.0 && p->models[v].accuracy >= 0.0 &&
              p->models[v].accuracy <= 1.0))
            return error_set(error, STATUS_INVALID,
                             "model %u has pruning %g and accuracy %g; expected both in [0, 1]", v,
                             p->models[v].pruning, p->models[v].accuracy);
    return STATUS_OK;
}

static enum status check_gateway(const struct jopa_gateway *gateway, uint32_t g, struct error *error) {
    if (gateway->task_count < 1 || gateway->task_count > JOPA_TASKS_MAX)
        return error_set(error, STATUS_INVALID, "gateway %u has %u tasks; expected 1 to %d", g,
                         gateway->task_count, JOPA_TASKS_MAX);
    if (gateway->channel >= JOPA_CHANNEL_STATES)
        return error_set(error, STATUS_INVALID, "gateway %u has channel state %u; expected 0 to %d", g,
                         gateway->channel, JOPA_CHANNEL_STATES - 1);
    for (uint32_t m = 0; m < gateway->task_count; m++)
        if (gateway->level[m] >= JOPA_LEVELS)
            return error_set(error, STATUS_INVALID, "task %u of gateway %u has level %u; expected 0 to %d", m,
                             g, gateway->level[m], JOPA_LEVELS - 1);
    return STATUS_OK;
}

/* Each parameter may be sound and yet a quotient overflow. */
static enum status check_delays(const struct jopa_parameters *p, const struct jopa_slot *slot, uint32_t g,
                                struct error *error) {
    struct gateway_slot terms = jopa_gateway_terms(p, slot, g);
    double local_s = terms.local_work_flop / p->gateway_flops, edge_s = jopa_edge_s(p, 0.0);
    double sum_s = terms.air_s + terms.hold_s + local_s + edge_s;
    if (!isfinite(sum_s * JOPA_TASKS_MAX / p->slot_s))
        return error_set(error, STATUS_INVALID,
                         "gateway %u: on the air %g s, in the queue %g s, at the gateway %g s, at the edge "
                         "without a share %g s; expected finite times",
                         g, terms.air_s, terms.hold_s, local_s, edge_s);
    return STATUS_OK;
}

enum status jopa_slot_check(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                            struct error *error) {
    TRY(check_parameters(parameters, error));
    if (slot->gateway_count < 1 || slot->gateway_count > JOPA_GATEWAYS_MAX)
        return error_set(error, STATUS_INVALID, "%u gateways; expected 1 to %d", slot->gateway_count,
                         JOPA_GATEWAYS_MAX);
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        TRY(check_gateway(&slot->gateways[g], g, error));
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        TRY(check_delays(parameters, slot, g, error));
    return STATUS_OK;
}

/* ---- slots ---- */

struct jopa_slot jopa_slot_draw(uint32_t gateway_count, uint32_t task_count, struct random_stream *stream) {
    assert(gateway_count >= 1 && gateway_count <= JOPA_GATEWAYS_MAX);
    assert(task_count >= 1 && task_count <= JOPA_TASKS_MAX);
    static const double transition[JOPA_CHANNEL_STATES * JOPA_CHANNEL_STATES] = TRANSITION;
    double stationary[JOPA_CHANNEL_STATES];
    bool unique = channel_markov_stationary(transition, JOPA_CHANNEL_STATES, stationary);
    assert(unique);
    struct jopa_slot slot = {.gateway_count = gateway_count};
    for (uint32_t g = 0; g < gateway_count; g++) {
        double uniform = random_uniform(stream);
        slot.gateways[g].task_count = task_count;
        slot.gateways[g].channel = uniform < stationary[0]                   ? 0
                                   : uniform < stationary[0] + stationary[1] ? 1
                                                                             : 2;
        for (uint32_t m = 0; m < task_count; m++)
            slot.gateways[g].level[m] = (uint8_t)random_below(stream, JOPA_LEVELS);
    }
    return slot;
}

struct gateway_slot jopa_gateway_terms(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                       uint32_t g) {
    const struct jopa_gateway *gateway = &slot->gateways[g];
    double share = gateway->task_count / (double)jopa_task_count(slot);
    double rate_bps =
        radio_lte_m_rate_bps(share, parameters->bandwidth_hz, parameters->power_w,
                             parameters->gain[gateway->channel], parameters->noise_w_per_hz); /* Eq. (5) */
    /* The paper prints the ratio of delta upside down. */
    uint32_t mini_slots = parameters->reading == READING_PAPER
                              ? radio_mini_slots_per_task(rate_bps, parameters->rate_max_bps)
                              : radio_mini_slots_per_task(parameters->rate_max_bps, rate_bps);
    return (struct gateway_slot){.task_count = gateway->task_count,
                                 .local_work_flop = parameters->task_bits * parameters->flop_per_bit,
                                 .capacity_flops = parameters->gateway_flops,
                                 .air_s = radio_transfer_s(parameters->task_bits, rate_bps), /* Eq. (6) */
                                 .hold_s = mini_slots * parameters->mini_slot_s,
                                 .slot_s = parameters->slot_s};
}

double jopa_edge_s(const struct jopa_parameters *parameters, double share) {
    return compute_edge_delay_s(parameters->edge_work, parameters->edge_flops, share,
                                parameters->edge_share_floor);
}

/* ---- what a decision leads to ---- */

static void add_gateway(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                        const struct jopa_decision *decision, uint32_t g, struct jopa_outcome *outcome) {
    const struct jopa_gateway *gateway = &slot->gateways[g];
    assert(decision->model[g] < parameters->model_count);
    double criticality[JOPA_TASKS_MAX];
    for (uint32_t m = 0; m < gateway->task_count; m++) {
        criticality[m] = jopa_criticality(gateway->level[m]);
        outcome->offloaded_count += decision->offloaded[g][m] != 0;
    }
    struct gateway_slot terms = jopa_gateway_terms(parameters, slot, g);
    terms.criticality = criticality;
    terms.offloaded = decision->offloaded[g];
    terms.pruning = parameters->models[decision->model[g]].pruning;
    terms.accuracy = parameters->models[decision->model[g]].accuracy;
    terms.edge_s = jopa_edge_s(parameters, decision->share[g]);
    struct gateway_task tasks[JOPA_TASKS_MAX];
    struct gateway_slot_result result;
    gateway_slot_evaluate(&terms, parameters->reading, tasks, &result);
    outcome->local_utilisation += result.local_utilisation;
    outcome->radio_utilisation += result.radio_utilisation;
    outcome->edge_utilisation += result.edge_utilisation;
    outcome->delay_sum_s += result.delay_sum_s;
    outcome->dropped_count += result.dropped_count;
}

struct jopa_outcome jopa_evaluate(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                  const struct jopa_decision *decision) {
    struct jopa_outcome outcome = {.task_count = jopa_task_count(slot)};
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        add_gateway(parameters, slot, decision, g, &outcome);
    double utilisation = outcome.local_utilisation + outcome.radio_utilisation + outcome.edge_utilisation;
    outcome.reward =
        gateway_slot_reward(utilisation, outcome.dropped_count, outcome.task_count, parameters->penalty);
    return outcome;
}
