#include "schemes/jopa/baselines.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/model/compute.h"
#include "common/model/queue.h"

/* ---- shares ---- */

/* Eq. (17c), (17d). */
static void share_equally(const struct jopa_slot *slot, struct jopa_decision *decision) {
    uint32_t sharing = 0;
    for (uint32_t g = 0; g < slot->gateway_count; g++) {
        decision->share[g] = memchr(decision->offloaded[g], 1, slot->gateways[g].task_count) != NULL;
        sharing += decision->share[g] > 0.0;
    }
    for (uint32_t g = 0; g < slot->gateway_count && sharing > 0; g++)
        decision->share[g] /= sharing;
}

static struct jopa_decision all_alike(const struct jopa_slot *slot, uint8_t offloaded, uint32_t model) {
    struct jopa_decision decision;
    memset(&decision, 0, sizeof decision);
    for (uint32_t g = 0; g < slot->gateway_count; g++) {
        memset(decision.offloaded[g], offloaded, slot->gateways[g].task_count);
        decision.model[g] = model;
    }
    share_equally(slot, &decision);
    return decision;
}

struct jopa_decision jopa_all_local(const struct jopa_slot *slot, uint32_t model) {
    return all_alike(slot, 0, model);
}

struct jopa_decision jopa_all_offload(const struct jopa_slot *slot, uint32_t model) {
    return all_alike(slot, 1, model);
}

/* ---- greedy ---- */

static bool served_together(const struct gateway_slot *terms, uint32_t level, uint32_t ahead, uint32_t equal,
                            enum reading reading) {
    uint32_t counted = reading == READING_PAPER ? equal - 1 : equal; /* b_m */
    double delay_s = terms->edge_s + terms->air_s + queue_priority_wait_s(ahead, counted, terms->hold_s);
    return qos_offloaded_violations(jopa_criticality(level), delay_s, terms->edge_s, terms->air_s) ==
           QOS_SERVED;
}

static void leave_in_time(const struct jopa_parameters *parameters, const struct jopa_slot *slot, uint32_t g,
                          struct jopa_decision *decision) {
    const struct jopa_gateway *gateway = &slot->gateways[g];
    struct gateway_slot terms = jopa_gateway_terms(parameters, slot, g);
    terms.edge_s = jopa_edge_s(parameters, 1.0 / slot->gateway_count);
    uint32_t ahead = 0;
    for (uint32_t level = JOPA_LEVELS; level-- > 0;) {
        uint32_t leave = 0;
        for (uint32_t m = 0; m < gateway->task_count; m++) {
            if (gateway->level[m] != level)
                continue;
            if (!served_together(&terms, level, ahead, leave + 1, parameters->reading))
                break;
            decision->offloaded[g][m] = 1;
            leave++;
        }
        ahead += leave;
    }
}

/* The other gateways' part of the reward does not depend on the model of this one. */
static uint32_t best_model(const struct jopa_parameters *parameters, const struct jopa_slot *slot, uint32_t g,
                           const struct jopa_decision *decision) {
    struct jopa_decision trial = *decision;
    uint32_t best = 0;
    double best_reward = 0.0;
    for (uint32_t model = 0; model < parameters->model_count; model++) {
        trial.model[g] = model;
        double reward = jopa_evaluate(parameters, slot, &trial).reward;
        if (model > 0 && !(reward > best_reward))
            continue;
        best = model;
        best_reward = reward;
    }
    return best;
}

struct jopa_decision jopa_greedy(const struct jopa_parameters *parameters, const struct jopa_slot *slot) {
    struct jopa_decision decision = jopa_all_local(slot, 0);
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        leave_in_time(parameters, slot, g, &decision);
    share_equally(slot, &decision);
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        decision.model[g] = best_model(parameters, slot, g, &decision);
    return decision;
}

struct jopa_decision jopa_random(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                 struct random_stream *stream) {
    struct jopa_decision decision;
    memset(&decision, 0, sizeof decision);
    for (uint32_t g = 0; g < slot->gateway_count; g++) {
        decision.model[g] = (uint32_t)random_below(stream, parameters->model_count);
        for (uint32_t m = 0; m < slot->gateways[g].task_count; m++)
            decision.offloaded[g][m] = random_chance(stream, 0.5);
    }
    share_equally(slot, &decision);
    return decision;
}

/* ---- AGDM ---- */

/* Tasks of one gateway in the order in which they would stay, and what one and all of them take. */
struct stay_order {
    uint32_t task[JOPA_TASKS_MAX];
    uint32_t task_count, tolerant_count; /* the first tolerant_count may stay: Eq. (17b) on static levels */
};

static struct stay_order order_of(const struct jopa_gateway *gateway, double accuracy) {
    struct stay_order order = {.task_count = 0};
    for (uint32_t level = 0; level < JOPA_LEVELS; level++)
        for (uint32_t m = 0; m < gateway->task_count; m++) {
            if (gateway->level[m] != level)
                continue;
            order.task[order.task_count++] = m;
            order.tolerant_count +=
                qos_local_violations(jopa_criticality(level), 0.0, accuracy) == QOS_SERVED;
        }
    return order;
}

static double batch_s(const struct gateway_slot *terms, uint32_t local_count) {
    return compute_batch_delay_s(local_count, terms->local_work_flop, terms->pruning, terms->capacity_flops);
}

typedef uint32_t (*stay_rule)(const struct jopa_gateway *gateway, const struct gateway_slot *terms,
                              const struct stay_order *order);

/* Whatever the order of service, n tasks on the uplink wait hold (0 + 1 + ... + n - 1) in all. */
static uint32_t stay_for_delay(const struct jopa_gateway *gateway, const struct gateway_slot *terms,
                               const struct stay_order *order) {
    uint32_t best = 0;
    double best_sum_s = 0.0;
    for (uint32_t stay = 0; stay <= order->tolerant_count; stay++) {
        double leave = gateway->task_count - stay;
        double sum_s = stay * batch_s(terms, stay) +
                       leave * (terms->edge_s + terms->air_s + terms->hold_s * (leave - 1.0) / 2.0);
        if (stay > 0 && !(sum_s < best_sum_s))
            continue;
        best = stay;
        best_sum_s = sum_s;
    }
    return best;
}

/* Deadlines tighten along the order, so the last task decides for the batch. */
static uint32_t stay_while_in_time(const struct jopa_gateway *gateway, const struct gateway_slot *terms,
                                   const struct stay_order *order) {
    uint32_t stay = 0;
    while (stay < order->tolerant_count) {
        double criticality = jopa_criticality(gateway->level[order->task[stay]]);
        if (qos_local_violations(criticality, batch_s(terms, stay + 1), terms->accuracy) != QOS_SERVED)
            break;
        stay++;
    }
    return stay;
}

static struct jopa_decision agdm(const struct jopa_parameters *parameters,
                                 const struct jopa_slot *static_slot, uint32_t model, stay_rule rule) {
    assert(model < parameters->model_count);
    struct jopa_decision decision = jopa_all_offload(static_slot, model);
    for (uint32_t g = 0; g < static_slot->gateway_count; g++) {
        const struct jopa_gateway *gateway = &static_slot->gateways[g];
        struct gateway_slot terms = jopa_gateway_terms(parameters, static_slot, g);
        terms.pruning = parameters->models[model].pruning;
        terms.accuracy = parameters->models[model].accuracy;
        terms.edge_s = jopa_edge_s(parameters, 1.0 / static_slot->gateway_count);
        struct stay_order order = order_of(gateway, terms.accuracy);
        uint32_t stay = rule(gateway, &terms, &order);
        for (uint32_t i = 0; i < stay; i++)
            decision.offloaded[g][order.task[i]] = 0;
    }
    share_equally(static_slot, &decision);
    return decision;
}

struct jopa_decision jopa_agdm_delay(const struct jopa_parameters *parameters,
                                     const struct jopa_slot *static_slot, uint32_t model) {
    return agdm(parameters, static_slot, model, stay_for_delay);
}

struct jopa_decision jopa_agdm_local_first(const struct jopa_parameters *parameters,
                                           const struct jopa_slot *static_slot, uint32_t model) {
    return agdm(parameters, static_slot, model, stay_while_in_time);
}
