#include "common/model/queue.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

size_t queue_more_critical(const double *criticality, const uint8_t *offloaded, size_t task_count,
                           size_t task) {
    assert(task < task_count);
    size_t count = 0;
    for (size_t j = 0; j < task_count; j++)
        count += offloaded[j] && criticality[j] > criticality[task] + THRESHOLD_TOLERANCE;
    return count;
}

size_t queue_equally_critical(const double *criticality, const uint8_t *offloaded, size_t task_count,
                              size_t task, enum reading reading) {
    assert(task < task_count);
    size_t count = 0;
    for (size_t j = 0; j < task_count; j++) {
        if (j == task && reading == READING_PAPER)
            continue;
        count += offloaded[j] && fabs(criticality[j] - criticality[task]) <= THRESHOLD_TOLERANCE;
    }
    return count;
}

double queue_priority_wait_s(size_t more_critical_count, size_t equally_critical_count, double hold_s) {
    return hold_s * ((double)more_critical_count + ((double)equally_critical_count - 1.0) / 2.0);
}

void queue_priority_waits_s(const double *criticality, const uint8_t *offloaded, size_t task_count,
                            double hold_s, double *wait_s) {
    for (size_t m = 0; m < task_count; m++) {
        size_t ahead = queue_more_critical(criticality, offloaded, task_count, m);
        size_t equal = queue_equally_critical(criticality, offloaded, task_count, m, READING_CALIBRATED);
        wait_s[m] = offloaded[m] ? queue_priority_wait_s(ahead, equal, hold_s) : 0.0;
    }
}

void queue_priority_waits_paper_s(const double *criticality, const uint8_t *offloaded, size_t task_count,
                                  double hold_s, double *wait_s) {
    for (size_t m = 0; m < task_count; m++) {
        size_t ahead = queue_more_critical(criticality, offloaded, task_count, m);
        size_t equal = queue_equally_critical(criticality, offloaded, task_count, m, READING_PAPER);
        wait_s[m] = offloaded[m] ? queue_priority_wait_s(ahead, equal, hold_s) : 0.0;
    }
}

static int by_arrival(const void *left, const void *right, void *context) {
    const double *arrival_s = context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (arrival_s[a] != arrival_s[b])
        return arrival_s[a] < arrival_s[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

static uint32_t first_free(const double *free_s, uint32_t processor_count) {
    uint32_t best = 0;
    for (uint32_t u = 1; u < processor_count; u++)
        if (free_s[u] < free_s[best])
            best = u;
    return best;
}

void queue_fcfs_serve(struct queue_fcfs *queue, double *available_s, double *done_s) {
    assert(queue->processor_count >= 1 && queue->task_count < UINT32_MAX);
    for (size_t m = 0; m < queue->task_count; m++)
        queue->order[m] = (uint32_t)m;
    qsort_r(queue->order, queue->task_count, sizeof *queue->order, by_arrival,
            (void *)(uintptr_t)queue->arrival_s);
    for (size_t i = 0; i < queue->task_count; i++) {
        uint32_t m = queue->order[i];
        double *free_s = &queue->free_s[first_free(queue->free_s, queue->processor_count)];
        available_s[m] = *free_s;
        done_s[m] = queue->service_s[m] + fmax(queue->arrival_s[m], *free_s); /* Eq. (9) */
        *free_s = done_s[m];
    }
}
