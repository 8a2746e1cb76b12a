#include "common/model/gateway_slot.h"

#include <assert.h>
#include <stdbool.h>

#include "common/model/compute.h"
#include "common/model/qos.h"
#include "common/model/queue.h"

static double wait_s(const struct gateway_slot *slot, enum reading reading, size_t task) {
    size_t ahead = queue_more_critical(slot->criticality, slot->offloaded, slot->task_count, task);
    size_t equal =
        queue_equally_critical(slot->criticality, slot->offloaded, slot->task_count, task, reading);
    return queue_priority_wait_s(ahead, equal, slot->hold_s);
}

static void evaluate_local(const struct gateway_slot *slot, double batch_s, double criticality,
                           struct gateway_task *task) {
    *task = (struct gateway_task){.local_s = batch_s, .delay_s = batch_s};
    task->violations = qos_local_violations(criticality, batch_s, slot->accuracy);
}

static void evaluate_offloaded(const struct gateway_slot *slot, double queued_s, double criticality,
                               struct gateway_task *task) {
    *task = (struct gateway_task){.edge_s = slot->edge_s, .air_s = slot->air_s, .wait_s = queued_s};
    task->delay_s = task->edge_s + task->air_s + task->wait_s; /* Eq. (16) */
    task->violations = qos_offloaded_violations(criticality, task->delay_s, slot->edge_s, slot->air_s);
}

static void add_utilisation(const struct gateway_slot *slot, bool offloaded,
                            struct gateway_slot_result *result) {
    if (offloaded) {
        result->radio_utilisation += slot->air_s / slot->slot_s; /* Eq. (13) */
        result->edge_utilisation += slot->edge_s / slot->slot_s; /* Eq. (14) */
        return;
    }
    result->local_utilisation +=
        compute_pruned_task_s(slot->local_work_flop, slot->pruning, slot->capacity_flops) /
        slot->slot_s; /* (12) */
}

void gateway_slot_evaluate(const struct gateway_slot *slot, enum reading reading, struct gateway_task *tasks,
                           struct gateway_slot_result *result) {
    assert(slot->slot_s > 0.0);
    *result = (struct gateway_slot_result){0};
    size_t local_count = 0;
    for (size_t m = 0; m < slot->task_count; m++)
        local_count += !slot->offloaded[m];
    double batch_s =
        compute_batch_delay_s(local_count, slot->local_work_flop, slot->pruning, slot->capacity_flops);
    for (size_t m = 0; m < slot->task_count; m++) {
        if (slot->offloaded[m])
            evaluate_offloaded(slot, wait_s(slot, reading, m), slot->criticality[m], &tasks[m]);
        else
            evaluate_local(slot, batch_s, slot->criticality[m], &tasks[m]);
        result->delay_sum_s += tasks[m].delay_s;
        result->dropped_count += tasks[m].violations != QOS_SERVED; /* Eq. (22) */
        if (tasks[m].violations == QOS_SERVED || reading == READING_PAPER)
            add_utilisation(slot, slot->offloaded[m], result);
    }
}

double gateway_slot_utilisation(const struct gateway_slot_result *result) {
    return result->local_utilisation + result->radio_utilisation + result->edge_utilisation;
}

double gateway_slot_reward(double utilisation, uint32_t dropped_count, uint32_t task_total_count,
                           double penalty) {
    assert(task_total_count > 0);
    return utilisation - penalty * (dropped_count / (double)task_total_count);
}
