#include "common/model/cost.h"

#include <assert.h>
#include <math.h>

#include "common/model/reading.h"

double cost_chosen(uint8_t offloaded, double local, double remote) {
    return offloaded ? remote : local;
}

double cost_weighted(double delay_weight, double delay_s, double energy_weight, double energy_j) {
    return delay_weight * delay_s + energy_weight * energy_j;
}

double cost_edge_done_s(double process_s, double transfer_s, double available_s) {
    return process_s + fmax(transfer_s, available_s);
}

double cost_urgency_weight(const struct cost_urgency *urgency, double bits, double cycles_per_bit,
                           double deadline_ms) {
    assert(urgency->bits_average > 0.0 && urgency->cycles_per_bit_average > 0.0 && deadline_ms > 0.0);
    double relative_cycles = cycles_per_bit / urgency->cycles_per_bit_average;
    double relative_bits = bits / urgency->bits_average;
    return urgency->gamma * relative_cycles * relative_bits / deadline_ms;
}

double cost_urgent(const struct cost_coefficients *coefficients, double urgency, double delay_s,
                   double energy_j) {
    return coefficients->delay * urgency * delay_s + coefficients->energy * energy_j;
}

struct cost_total cost_with_misses(const struct cost_coefficients *coefficients, const double *delay_s,
                                   const double *energy_j, const double *deadline_s, size_t count) {
    struct cost_total total = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t missed = delay_s[i] > deadline_s[i] + THRESHOLD_TOLERANCE;
        total.miss_count += missed;
        total.objective += coefficients->delay * delay_s[i] + coefficients->energy * energy_j[i] +
                           coefficients->miss * missed;
    }
    return total;
}

double cost_squared_error(const double *label, const double *output, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += (label[i] - output[i]) * (label[i] - output[i]);
    return total;
}

static double sum(const double *values, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

double cost_mean_delay_s(const double *delay_s, size_t count, double chain_s) {
    assert(count > 0);
    return (sum(delay_s, count) + chain_s) / (double)count;
}

double cost_mean(const double *values, size_t count) {
    assert(count > 0);
    return sum(values, count) / (double)count;
}

double cost_knowledge_objective(const struct cost_knowledge_weights *weights, double knowledge,
                                double delay_s, double energy_j) {
    return weights->knowledge * knowledge - weights->delay * delay_s - weights->energy * energy_j;
}
