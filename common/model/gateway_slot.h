/* gateway_slot: the closed form of one JOPA slot at one gateway: delays, drops and utilisation of its tasks.
 *
 * This is the formula that the emulated timeline is compared with, not the emulation. */
#ifndef TIERBED_MODEL_GATEWAY_SLOT_H
#define TIERBED_MODEL_GATEWAY_SLOT_H

#include <stddef.h>
#include <stdint.h>

#include "common/model/reading.h"

/* What the gateway faces and decides; arrays of task_count, borrowed. */
struct gateway_slot {
    const double *criticality; /* k_m in [0, 1] */
    const uint8_t *offloaded;  /* o_m */
    size_t task_count;         /* M_g */
    double local_work_flop;    /* H I */
    double capacity_flops;     /* C_g > 0 */
    double pruning;            /* p_v of the chosen model */
    double accuracy;           /* A_v of the chosen model */
    double air_s;              /* Omega = H / R_g, Eq. (6) */
    double hold_s;             /* delta tau */
    double edge_s;             /* E of one task, Eq. (3) */
    double slot_s;             /* Gamma > 0 */
};

struct gateway_task {
    double local_s;      /* L, Eq. (2); 0 when offloaded */
    double edge_s;       /* E, Eq. (3); 0 when local, as the next two */
    double air_s;        /* Omega, Eq. (6) */
    double wait_s;       /* B, Eq. (7) */
    double delay_s;      /* D, Eq. (16) */
    uint32_t violations; /* OR of enum qos_violation; not 0 = dropped, Eq. (22) */
};

struct gateway_slot_result {
    double local_utilisation; /* u_l, Eq. (12) */
    double radio_utilisation; /* u_b, Eq. (13) */
    double edge_utilisation;  /* u_e, Eq. (14) */
    uint32_t dropped_count;
    double delay_sum_s; /* over all tasks, dropped or not */
};

/* JOPA Eq. (2), (6), (7), (12)-(17), (22). Writes tasks[task_count] and the totals. Calibrated: waits by the
 * calibrated b_m, and only tasks that are not dropped count for utilisation. Paper: as printed, all count. */
void gateway_slot_evaluate(const struct gateway_slot *slot, enum reading reading, struct gateway_task *tasks,
                           struct gateway_slot_result *result);

/* JOPA Eq. (15): this gateway's part u_l + u_b + u_e of the utilisation u. */
double gateway_slot_utilisation(const struct gateway_slot_result *result);

/* JOPA Eq. (21): r = u - J dropped / N. `utilisation` and `dropped_count` over one gateway (its part of r) or
 * all; N = task_total_count > 0, tasks of all gateways; J = penalty. */
double gateway_slot_reward(double utilisation, uint32_t dropped_count, uint32_t task_total_count,
                           double penalty);

#endif
