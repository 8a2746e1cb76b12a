/* queue: closed forms of waiting: the priority queue of an LTE-M uplink and the processors of an edge server.
 */
#ifndef TIERBED_MODEL_QUEUE_H
#define TIERBED_MODEL_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "common/model/reading.h"

/* JOPA Eq. (8), (10): s_m, the number of offloaded tasks of the gateway more critical than task m. Two levels
 * are equal when they differ by at most THRESHOLD_TOLERANCE. Arrays of task_count, `task` < task_count. */
size_t queue_more_critical(const double *criticality, const uint8_t *offloaded, size_t task_count,
                           size_t task);

/* JOPA Eq. (9), (11): b_m, the number of offloaded tasks as critical as m. Calibrated: m itself counts when
 * it is offloaded. Paper: m never counts, which gives a lone task a negative wait in Eq. (7). */
size_t queue_equally_critical(const double *criticality, const uint8_t *offloaded, size_t task_count,
                              size_t task, enum reading reading);

/* JOPA Eq. (7) for an offloaded task: B_m = delta tau (s_m + (b_m - 1)/2) in s, the mean wait over the orders
 * of equal tasks. hold_s = delta tau is the time one task holds the uplink. (A local task does not wait.) */
double queue_priority_wait_s(size_t more_critical_count, size_t equally_critical_count, double hold_s);

/* JOPA Eq. (7)-(11) for every task of a gateway; writes wait_s[task_count], 0 for local tasks. */
void queue_priority_waits_s(const double *criticality, const uint8_t *offloaded, size_t task_count,
                            double hold_s, double *wait_s);

/* The same as printed, with the paper's b_m. */
void queue_priority_waits_paper_s(const double *criticality, const uint8_t *offloaded, size_t task_count,
                                  double hold_s, double *wait_s);

/* Tasks that reach a server of several processors. Arrays of task_count, borrowed. */
struct queue_fcfs {
    const double *arrival_s; /* tau_o, from the start of the slot */
    const double *service_s; /* tau_p */
    size_t task_count;
    double *free_s; /* per processor: when it is free; in: start values (0), out: after the last task */
    uint32_t processor_count; /* U_m >= 1 */
    uint32_t *order;          /* room for task_count: out, the order of service */
};

/* UCMS Eq. (9): first come first served, ties by index, each on the processor that is free first (lowest
 * index among equals). available_s[m] = tau_q, the time at which that processor is free for task m (not the
 * wait); done_s[m] = tau_a = tau_p + max(tau_o, tau_q). Arrays of task_count. */
void queue_fcfs_serve(struct queue_fcfs *queue, double *available_s, double *done_s);

#endif
