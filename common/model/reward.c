#include "common/model/reward.h"

#include <assert.h>
#include <math.h>

double reward_knowledge(const struct cost_knowledge_weights *weights,
                        const struct reward_references *references, double knowledge, double delay_s,
                        double energy_j) {
    assert(references->knowledge > 0.0 && references->delay_s > 0.0 && references->energy_j > 0.0);
    double knowledge_mark = fmin(1.0, knowledge / references->knowledge);
    double delay_mark = fmax(0.0, 1.0 - delay_s / references->delay_s);
    double energy_mark = fmax(0.0, 1.0 - energy_j / references->energy_j);
    return 100.0 * (weights->knowledge * knowledge_mark + weights->delay * delay_mark +
                    weights->energy * energy_mark);
}

double reward_penalty(double delay_weight, double delay_s, double energy_weight, double charge_j,
                      const struct reward_limits *limits) {
    return delay_weight * fmin(limits->deadline_s - delay_s, 0.0) +
           energy_weight * fmin(charge_j - limits->charge_min_j, 0.0);
}

double reward_coselection(double cost_mean_value, double penalty) {
    return -cost_mean_value + penalty;
}

double reward_coselection_paper(double cost_mean_value, double penalty) {
    return -(cost_mean_value + penalty);
}

double reward_saving(uint8_t offloaded, double local_cost, double edge_cost, double offload_probability) {
    return offloaded ? (local_cost - edge_cost) * offload_probability
                     : (edge_cost - local_cost) * (1.0 - offload_probability);
}

double reward_saving_paper(uint8_t offloaded, double local_cost, double edge_cost,
                           double offload_probability) {
    return (offloaded ? local_cost - edge_cost : edge_cost - local_cost) * offload_probability;
}

static double sum(const double *values, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

double reward_consistency(const struct reward_allocation *allocation) {
    const struct reward_allocation *a = allocation;
    assert(a->bandwidth_max_hz > 0.0);
    double lateness_s = 0.0;
    for (size_t n = 0; n < a->count; n++)
        lateness_s += fmax(0.0, a->delay_s[n] - a->deadline_s);
    double excess = fmax(0.0, sum(a->bandwidth_hz, a->count) / a->bandwidth_max_hz - 1.0);
    return -sum(a->delay_s, a->count) - sum(a->energy_j, a->count) - lateness_s - excess +
           a->consistent_count;
}

double reward_consistency_paper(const struct reward_allocation *allocation) {
    const struct reward_allocation *a = allocation;
    double delay_sum_s = sum(a->delay_s, a->count);
    double excess_hz = sum(a->bandwidth_hz, a->count) - a->bandwidth_max_hz;
    return -delay_sum_s - sum(a->energy_j, a->count) - (delay_sum_s - a->deadline_s) - excess_hz +
           a->consistent_count;
}
