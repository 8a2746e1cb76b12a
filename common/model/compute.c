#include "common/model/compute.h"

#include <assert.h>
#include <math.h>

static double work_over_speed_s(double work, double speed) {
    assert(work >= 0.0 && speed >= 0.0);
    if (work == 0.0)
        return 0.0;
    return speed > 0.0 ? work / speed : (double)INFINITY;
}

double compute_delay_s(double bits, double cycles_per_bit, double clock_hz) {
    assert(bits >= 0.0 && cycles_per_bit >= 0.0);
    return work_over_speed_s(bits * cycles_per_bit, clock_hz);
}

double compute_shared_delay_s(double bits, double cycles_per_bit, uint32_t offloaded_count, double clock_hz) {
    assert(clock_hz > 0.0);
    return compute_delay_s(bits, cycles_per_bit, clock_hz) * offloaded_count;
}

double compute_pruned_task_s(double work_flop, double pruning, double capacity_flops) {
    assert(pruning >= 0.0 && pruning <= 1.0 && capacity_flops > 0.0);
    return (1.0 - pruning) * work_flop / capacity_flops;
}

double compute_batch_delay_s(size_t local_count, double work_flop, double pruning, double capacity_flops) {
    return (double)local_count * compute_pruned_task_s(work_flop, pruning, capacity_flops);
}

double compute_edge_share_floor(double work_flop, double capacity_flops, double slot_s) {
    assert(work_flop > 0.0 && capacity_flops > 0.0 && slot_s > 0.0);
    return work_flop / (capacity_flops * slot_s);
}

double compute_edge_delay_s(double work, double capacity_flops, double share, double share_floor) {
    assert(work >= 0.0 && capacity_flops > 0.0);
    assert(share >= 0.0 && share_floor > 0.0);
    return work / (capacity_flops * (share + share_floor));
}

void compute_edge_shares(const double *scores, const uint8_t *offloads, size_t gateway_count,
                         double *shares) {
    double highest = -INFINITY; /* subtracted so that exp() cannot overflow */
    for (size_t g = 0; g < gateway_count; g++)
        if (offloads[g])
            highest = fmax(highest, scores[g]);
    double total = 0.0;
    for (size_t g = 0; g < gateway_count; g++) {
        shares[g] = offloads[g] ? exp(scores[g] - highest) : 0.0; /* Eq. (17c) */
        total += shares[g];
    }
    for (size_t g = 0; g < gateway_count; g++)
        if (offloads[g])
            shares[g] /= total; /* Eq. (17d) */
}
