/* policy: the built-in ways in which a gateway decides, task by task, between its own processor and the edge
 * server.
 *
 * A policy sees one batch and a forecast; it never sees the true class, and it decides once. Pure functions.
 *   local   every task stays.
 *   offload every task leaves.
 *   random  each task leaves with policy.offload_probability, independently.
 *   greedy  of the c most critical tasks each leaves, the most critical first, while its deadline holds on
 * the uplink by the forecast (jopa (3), (6), (7) for those that leave in this order); the rest stays together
 *           (jopa (2)). All c are tried, also with the late ones leaving all the same; the split that meets
 * most deadlines wins, of equal ones that with the smallest c, which spares the uplink. Measured: 99.8 % of
 * the deadlines that exhaustive search meets on batches of up to 10 tasks, 99.2 % on 40. */
#ifndef TIERBED_NODES_GATEWAY_POLICY_H
#define TIERBED_NODES_GATEWAY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/random.h"
#include "common/model/scenario.h"

struct policy_task {
    uint16_t level;      /* criticality */
    int64_t deadline_ns; /* T_k: of the delay since the decision */
};

/* What the gateway knows of the near future. */
struct policy_forecast {
    int64_t cpu_wait_ns;    /* until the processor is free */
    double local_task_s;    /* (1-p) H I / C_g: a batch of n takes n times this, and ends together */
    bool uplink_known;      /* a rate was reported; greedy keeps everything while none was */
    int64_t uplink_wait_ns; /* until what was sent before has left */
    double hold_ns;         /* delta tau: an offloaded task holds the uplink this long */
    int64_t air_ns;         /* Omega */
    int64_t edge_ns;        /* E */
};

struct policy_batch {
    const struct policy_task *tasks; /* borrowed; in serving order: the most critical first */
    uint32_t count;
    struct policy_forecast forecast;
};

/* Delay of each of `count` tasks that stay together: wait + L of jopa (2). */
int64_t policy_local_delay_ns(const struct policy_forecast *forecast, uint32_t count);

/* Delay of the offloaded task with `ahead` offloaded tasks of this batch before it: B + Omega + E. */
int64_t policy_offload_delay_ns(const struct policy_forecast *forecast, uint32_t ahead);

/* How many tasks of the batch meet their deadline when `offload` (batch->count flags) is carried out. */
uint32_t policy_count_met(const struct policy_batch *batch, const uint8_t *offload);

/* Decides: offload[i] becomes 1 (to the edge server) or 0 (stays). `stream` serves `random` only. */
void policy_decide(const struct scenario_policy *policy, const struct policy_batch *batch,
                   struct random_stream *stream, uint8_t *offload);

#endif
