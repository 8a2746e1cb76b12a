/* run_parts: shared by run.c, run_watch.c and run_faults.c. */
#ifndef TIERBED_CAMPAIGN_RUN_PARTS_H
#define TIERBED_CAMPAIGN_RUN_PARTS_H

#include "campaign/client.h"
#include "campaign/run.h"

#define STEP_CLIENT UINT32_MAX /* number of the client's step; others index plan.steps */

struct run {
    struct fault_plan plan;
    struct world world;
    struct oracle oracle;
    struct client client;
    uint64_t reported[NETWORK_MEMBERS_MAX]; /* heights told to the oracle */
    uint64_t stall_tip;
    size_t memory_max, peer_memory_max;
    bool client_stopped;
};

/* run_watch.c: what the world tells the oracle. */
struct world_watch run_watch(struct run *run);
/* run_faults.c */
void run_step(struct run *run, uint32_t step);
void run_heal(struct run *run);
/* run_end.c: after the last phase. */
void run_end(struct run *run);

#endif
