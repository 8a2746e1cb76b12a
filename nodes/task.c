#include "nodes/task.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/time/vtime.h"

uint32_t task_sample_count(const struct scenario *scenario) {
    return (uint32_t)llround(vtime_to_s(scenario->task.window_ns) * scenario->task.sample_rate_hz);
}

uint32_t task_sample_rate_hz(const struct scenario *scenario) {
    return (uint32_t)llround(scenario->task.sample_rate_hz);
}

uint64_t task_bits(const struct scenario *scenario) {
    return (uint64_t)llround(scenario->task.bits);
}

enum status task_open_bearings(const struct scenario *scenario, struct bearing_source **bearings,
                               struct error *error) {
    TRY(bearing_source_open(&scenario->data, scenario->task.sample_rate_hz, scenario->seed, bearings, error));
    enum status status = bearing_source_check(*bearings, task_sample_count(scenario), error);
    if (status != STATUS_OK) {
        bearing_source_close(*bearings);
        *bearings = NULL;
    }
    return status;
}

struct task_header task_header_of(uint32_t device, uint32_t slot) {
    return (struct task_header){.device = device,
                                .slot = slot,
                                .born_ns = VTIME_NEVER,
                                .gathered_ns = VTIME_NEVER,
                                .decided_ns = VTIME_NEVER,
                                .uplink_start_ns = VTIME_NEVER,
                                .uplink_end_ns = VTIME_NEVER,
                                .compute_start_ns = VTIME_NEVER,
                                .compute_end_ns = VTIME_NEVER};
}

bool task_header_plausible(const struct scenario *scenario, const struct task_header *task, int64_t now_ns) {
    if (task->slot >= scenario->slots || task->level >= scenario->task.level_count || task->born_ns < 0)
        return false;
    int64_t late_ns = task->born_ns - (int64_t)task->slot * scenario->slot_ns;
    return late_ns >= 0 && late_ns < scenario->slot_ns + scenario->task.phase_ns && task->born_ns <= now_ns;
}

bool task_in_time(const struct scenario *scenario, const struct task_header *task, int64_t delay_ns) {
    return delay_ns <= scenario->task.deadline_ns[task->level] + TASK_DEADLINE_SLACK_NS;
}

uint32_t task_memory_slots(const struct scenario *scenario) {
    int64_t slots = scenario->task.answer_timeout_ns / scenario->slot_ns + 2;
    return slots < (int64_t)scenario->slots ? (uint32_t)slots : scenario->slots;
}

struct task_verdict task_diagnose(const struct scenario *scenario, struct diagnosis_plan *plan,
                                  const struct message_task *window) {
    struct diagnosis result;
    if (window->sample_rate_hz != task_sample_rate_hz(scenario) ||
        diagnosis_run(plan, window->samples, window->sample_count, &result) != STATUS_OK)
        return (struct task_verdict){.drop = DROP_BAD_WINDOW};
    return (struct task_verdict){
        .drop = DROP_NONE, .class = (uint8_t)result.class, .confidence = result.confidence};
}

static int compare_ids(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

enum status task_log_init(struct task_log *log, uint32_t *devices, uint32_t device_count, uint32_t depth) {
    assert(depth > 0);
    *log = (struct task_log){.devices = devices, .device_count = device_count, .depth = depth};
    if (device_count > 0)
        qsort(devices, device_count, sizeof *devices, compare_ids);
    log->marks = calloc((size_t)device_count * depth + 1, sizeof *log->marks);
    return log->marks ? STATUS_OK : STATUS_MEMORY;
}

void task_log_close(struct task_log *log) {
    free(log->devices);
    free(log->marks);
    *log = (struct task_log){0};
}

enum task_mark task_log_find(const struct task_log *log, uint32_t device, uint32_t slot, uint32_t *entry) {
    uint32_t low = 0, high = log->device_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (log->devices[middle] < device)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == log->device_count || log->devices[low] != device)
        return TASK_FOREIGN;
    *entry = low * log->depth + slot % log->depth;
    uint32_t mark = log->marks[*entry];
    if (mark == slot + 1)
        return TASK_TAKEN;
    return mark > slot + 1 ? TASK_STALE : TASK_NEW;
}

enum task_mark task_log_take(struct task_log *log, uint32_t device, uint32_t slot, uint32_t *entry) {
    enum task_mark mark = task_log_find(log, device, slot, entry);
    if (mark == TASK_NEW)
        log->marks[*entry] = slot + 1;
    return mark;
}
