/* edge: the edge server. Its capacity is split evenly among its gateways (c_g = 1/G); each share serves the
 * tasks of its gateway first come, first served, one after the other, in jopa (3) E = F_e / (C_e (c_g + eps))
 * each, and really diagnoses the window when that time is over.
 *
 * A crash loses the windows it holds, their devices give them up, and the shares start empty. What it
 * persists is the accepted model it diagnoses with, in a run with validators (model_server.h). */
#ifndef TIERBED_NODES_EDGE_EDGE_H
#define TIERBED_NODES_EDGE_EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "nodes/edge/model_server.h"
#include "nodes/node.h"
#include "nodes/task.h"

/* Cookie: share in the low 32 bits, number of its task above. The others are those of model_server.h. */
enum edge_timer { EDGE_TIMER_SHARE = 1 };

/* The part of the edge server that belongs to one gateway: a ring of windows, the first of which is in work.
 */
struct edge_share {
    uint32_t gateway;           /* node id */
    struct message_task *tasks; /* owned; `room` of struct edge */
    int16_t *windows;           /* owned; as many windows */
    uint32_t head, count;
    uint32_t served; /* number of the task in work: guards against stale timers */
};

struct edge {
    uint32_t share_count;
    uint32_t room;             /* places of a ring: one in work, edge_queue_max waiting, one to read into */
    struct edge_share *shares; /* owned */
    uint32_t sample_count;
    struct diagnosis_plan *plan; /* owned */
    struct task_log log;         /* tasks taken, all gateways */
    struct model_server models;
    int64_t service_ns; /* E */
    double energy_per_task_j;
    int64_t busy_ns; /* sum over shares */
    double energy_j;
    uint64_t duplicates, full, results_refused;
};

/* Number of gateways among the children of node `edge`. */
uint32_t edge_gateway_count(const struct topology *topology, uint32_t edge);

/* E of one offloaded task when the capacity is split evenly among `gateway_count` >= 1 gateways, in ns. */
int64_t edge_service_ns(const struct scenario *scenario, uint32_t gateway_count);

#endif
