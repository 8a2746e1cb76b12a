#include "schemes/jopa/slot_optimum.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/model/compute.h"
#include "common/model/queue.h"

/* The best of one gateway at one share. */
struct gateway_best {
    double value; /* its part of the reward; -INFINITY: nothing is possible */
    uint32_t model;
    uint32_t offloaded[JOPA_LEVELS]; /* n_k: how many tasks of each level leave */
};

/* What a dynamic programme over the levels of one gateway needs. */
struct gateway_search {
    const struct jopa_parameters *parameters;
    struct gateway_slot terms;
    uint32_t count[JOPA_LEVELS]; /* cnt_k */
    double loss;                 /* J / N: what a dropped task costs */
    double served, dropped;      /* value of an offloaded task at this share */
    /* Up to how many tasks of a level arrive in time behind `ahead` more critical ones. */
    uint32_t in_time_max[JOPA_LEVELS][JOPA_TASKS_MAX + 1];
};

/* What remains of the edge server, gateway after gateway. */
struct division {
    uint32_t step_count;
    struct gateway_best best[JOPA_GATEWAYS_MAX][JOPA_SHARE_STEPS_MAX + 1];
    double value[JOPA_GATEWAYS_MAX + 1][JOPA_SHARE_STEPS_MAX + 1]; /* first g gateways hold s steps */
    uint32_t steps[JOPA_GATEWAYS_MAX][JOPA_SHARE_STEPS_MAX + 1];   /* of gateway g in the best of these */
};

/* Calibrated: only tasks that are not dropped count for utilisation. */
static double dropped_value(const struct gateway_search *search, double utilisation) {
    return (search->parameters->reading == READING_PAPER ? utilisation : 0.0) - search->loss;
}

static void search_open(struct gateway_search *search, const struct jopa_parameters *parameters,
                        const struct jopa_slot *slot, uint32_t g) {
    memset(search, 0, sizeof *search);
    search->parameters = parameters;
    search->terms = jopa_gateway_terms(parameters, slot, g);
    search->loss = parameters->penalty / jopa_task_count(slot);
    for (uint32_t m = 0; m < slot->gateways[g].task_count; m++)
        search->count[slot->gateways[g].level[m]]++;
}

/* Whether `equal` tasks of a level that leave together behind `ahead` more critical ones are served. */
static bool offloaded_served(const struct gateway_search *search, uint32_t level, uint32_t ahead,
                             uint32_t equal) {
    uint32_t counted = search->parameters->reading == READING_PAPER ? equal - 1 : equal; /* b_m */
    const struct gateway_slot *terms = &search->terms;
    double delay_s =
        terms->edge_s + terms->air_s + queue_priority_wait_s(ahead, counted, terms->hold_s); /* Eq. (16) */
    return qos_offloaded_violations(jopa_criticality(level), delay_s, terms->edge_s, terms->air_s) ==
           QOS_SERVED; /* Eq. (17a), (17f) */
}

/* Waits grow with the tasks ahead and beside, so in_time_max falls with `ahead`. */
static void search_at_share(struct gateway_search *search, double share) {
    search->terms.edge_s = jopa_edge_s(search->parameters, share);
    double utilisation = (search->terms.air_s + search->terms.edge_s) / search->terms.slot_s;
    search->served = utilisation; /* Eq. (13), (14) */
    search->dropped = dropped_value(search, utilisation);
    for (uint32_t level = 0; level < JOPA_LEVELS; level++) {
        uint32_t most = search->count[level];
        for (uint32_t ahead = 0; ahead <= search->terms.task_count; ahead++) {
            while (most > 0 && !offloaded_served(search, level, ahead, most))
                most--;
            search->in_time_max[level][ahead] = most;
        }
    }
}

/* Value of one local task of each level in a batch. */
static void value_local(const struct gateway_search *search, uint32_t model, uint32_t local_count,
                        double *value) {
    const struct gateway_slot *terms = &search->terms;
    const struct qos_model *chosen = &search->parameters->models[model];
    double utilisation =
        compute_pruned_task_s(terms->local_work_flop, chosen->pruning, terms->capacity_flops) /
        terms->slot_s; /* Eq. (12) */
    double batch_s = compute_batch_delay_s(local_count, terms->local_work_flop, chosen->pruning,
                                           terms->capacity_flops); /* Eq. (2) */
    for (uint32_t level = 0; level < JOPA_LEVELS; level++)
        value[level] = qos_local_violations(jopa_criticality(level), batch_s, chosen->accuracy) == QOS_SERVED
                           ? utilisation
                           : dropped_value(search, utilisation); /* Eq. (17a), (17b) */
}

/* The values of having `ahead` tasks offloaded after some levels, and the choice that led there. */
struct layer {
    double value[JOPA_TASKS_MAX + 1];
    uint32_t chosen[JOPA_TASKS_MAX + 1];
};

static void add_level(const struct gateway_search *search, uint32_t level, double local, uint32_t most,
                      const struct layer *before, struct layer *after) {
    for (uint32_t s = 0; s <= most; s++)
        after->value[s] = -INFINITY;
    for (uint32_t ahead = 0; ahead <= most; ahead++) {
        if (before->value[ahead] == -INFINITY)
            continue;
        for (uint32_t leave = 0; leave <= search->count[level] && ahead + leave <= most; leave++) {
            double each = leave <= search->in_time_max[level][ahead] ? search->served : search->dropped;
            double value = before->value[ahead] + leave * each + (search->count[level] - leave) * local;
            if (value > after->value[ahead + leave]) {
                after->value[ahead + leave] = value;
                after->chosen[ahead + leave] = leave;
            }
        }
    }
}

/* The best way to offload exactly offloaded_count tasks with this model; replaces `best` when better. */
static void improve(const struct gateway_search *search, uint32_t model, uint32_t offloaded_count,
                    struct gateway_best *best) {
    double local[JOPA_LEVELS];
    struct layer layers[JOPA_LEVELS + 1]; /* layers[k]: levels k and above are decided */
    value_local(search, model, (uint32_t)search->terms.task_count - offloaded_count, local);
    for (uint32_t s = 0; s <= offloaded_count; s++)
        layers[JOPA_LEVELS].value[s] = s == 0 ? 0.0 : -INFINITY;
    for (uint32_t level = JOPA_LEVELS; level-- > 0;)
        add_level(search, level, local[level], offloaded_count, &layers[level + 1], &layers[level]);
    if (!(layers[0].value[offloaded_count] > best->value))
        return;
    best->value = layers[0].value[offloaded_count];
    best->model = model;
    uint32_t left = offloaded_count;
    for (uint32_t level = 0; level < JOPA_LEVELS; level++) {
        best->offloaded[level] = layers[level].chosen[left];
        left -= best->offloaded[level];
    }
    assert(left == 0);
}

/* The best of one gateway for every number of steps; without a step nothing leaves, with one something. */
static void search_gateway(const struct jopa_parameters *parameters, const struct jopa_slot *slot, uint32_t g,
                           uint32_t step_count, struct gateway_best *best) {
    struct gateway_search search;
    search_open(&search, parameters, slot, g);
    for (uint32_t steps = 0; steps <= step_count; steps++) {
        search_at_share(&search, steps / (double)step_count);
        best[steps] = (struct gateway_best){.value = -INFINITY};
        uint32_t least = steps > 0 ? 1 : 0; /* Eq. (17c) */
        uint32_t most = steps > 0 ? slot->gateways[g].task_count : 0;
        for (uint32_t model = 0; model < parameters->model_count; model++)
            for (uint32_t offloaded = least; offloaded <= most; offloaded++)
                improve(&search, model, offloaded, &best[steps]);
    }
}

static void divide(struct division *division, uint32_t gateway_count) {
    for (uint32_t s = 0; s <= division->step_count; s++)
        division->value[0][s] = s == 0 ? 0.0 : -INFINITY;
    for (uint32_t g = 0; g < gateway_count; g++)
        for (uint32_t s = 0; s <= division->step_count; s++) {
            division->value[g + 1][s] = -INFINITY;
            division->steps[g][s] = 0;
            for (uint32_t own = 0; own <= s; own++) {
                double value = division->value[g][s - own] + division->best[g][own].value;
                if (!(value > division->value[g + 1][s]))
                    continue;
                division->value[g + 1][s] = value;
                division->steps[g][s] = own;
            }
        }
}

static void decide(const struct jopa_slot *slot, uint32_t g, const struct gateway_best *best,
                   struct jopa_decision *decision) {
    uint32_t left[JOPA_LEVELS];
    memcpy(left, best->offloaded, sizeof left);
    decision->model[g] = best->model;
    for (uint32_t m = 0; m < slot->gateways[g].task_count; m++) {
        uint32_t *of_level = &left[slot->gateways[g].level[m]];
        decision->offloaded[g][m] = *of_level > 0;
        *of_level -= *of_level > 0;
    }
}

enum status jopa_slot_optimum(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                              uint32_t share_steps, struct jopa_optimum *optimum, struct error *error) {
    TRY(jopa_slot_check(parameters, slot, error));
    if (share_steps < 1 || share_steps > JOPA_SHARE_STEPS_MAX)
        return error_set(error, STATUS_INVALID, "%u steps of the edge server; expected 1 to %d", share_steps,
                         JOPA_SHARE_STEPS_MAX);
    struct division division;
    uint32_t count = slot->gateway_count;
    division.step_count = share_steps;
    for (uint32_t g = 0; g < count; g++)
        search_gateway(parameters, slot, g, share_steps, division.best[g]);
    divide(&division, count);
    memset(optimum, 0, sizeof *optimum);
    /* Nobody offloads, or all of the server is given out: Eq. (17d). */
    uint32_t left = division.value[count][share_steps] > division.value[count][0] ? share_steps : 0;
    optimum->value = division.value[count][left];
    for (uint32_t g = count; g-- > 0;) {
        uint32_t own = division.steps[g][left];
        optimum->share_steps[g] = own;
        optimum->decision.share[g] = own / (double)share_steps;
        decide(slot, g, &division.best[g][own], &optimum->decision);
        left -= own;
    }
    optimum->outcome = jopa_evaluate(parameters, slot, &optimum->decision);
    return STATUS_OK;
}
