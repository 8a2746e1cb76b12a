#include "nodes/gateway/policy.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/task.h"

/* Rounds of greedy's repair; each gains a deadline, so that more are needed only by larger batches. */
#define REPAIR_ROUNDS_MAX 64

int64_t policy_local_delay_ns(const struct policy_forecast *forecast, uint32_t count) {
    return forecast->cpu_wait_ns + vtime_from_s(count * forecast->local_task_s);
}

int64_t policy_offload_delay_ns(const struct policy_forecast *forecast, uint32_t ahead) {
    return forecast->uplink_wait_ns + llround(ahead * forecast->hold_ns) + forecast->air_ns +
           forecast->edge_ns;
}

uint32_t policy_count_met(const struct policy_batch *batch, const uint8_t *offload) {
    uint32_t stay = 0, ahead = 0, met = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        stay += !offload[i];
    int64_t local_ns = policy_local_delay_ns(&batch->forecast, stay);
    for (uint32_t i = 0; i < batch->count; i++) {
        int64_t delay_ns = offload[i] ? policy_offload_delay_ns(&batch->forecast, ahead++) : local_ns;
        met += delay_ns <= batch->tasks[i].deadline_ns + TASK_DEADLINE_SLACK_NS;
    }
    return met;
}

/* The best of all splits "the first c leave, the rest stays". Returns how many deadlines it meets. */
static uint32_t best_split(const struct policy_batch *batch, uint8_t *offload) {
    uint32_t best = 0, best_met = 0;
    memset(offload, 0, batch->count);
    for (uint32_t c = 0; c <= batch->count; c++) {
        if (c > 0)
            offload[c - 1] = 1;
        uint32_t met = policy_count_met(batch, offload);
        if (met > best_met) {
            best_met = met;
            best = c;
        }
    }
    memset(offload, 0, batch->count);
    memset(offload, 1, best);
    return best_met;
}

/* Moves the one task whose change of side gains most; false when none gains. */
static bool improve(const struct policy_batch *batch, uint8_t *offload, uint32_t *met) {
    uint32_t best = batch->count, best_met = *met;
    for (uint32_t i = 0; i < batch->count; i++) {
        offload[i] ^= 1;
        uint32_t now_met = policy_count_met(batch, offload);
        offload[i] ^= 1;
        if (now_met > best_met) {
            best_met = now_met;
            best = i;
        }
    }
    if (best == batch->count)
        return false;
    offload[best] ^= 1;
    *met = best_met;
    return true;
}

static void decide_greedy(const struct policy_batch *batch, uint8_t *offload) {
    if (!batch->forecast.uplink_known) {
        memset(offload, 0, batch->count);
        return;
    }
    uint32_t met = best_split(batch, offload);
    for (uint32_t round = 0; round < REPAIR_ROUNDS_MAX && improve(batch, offload, &met); round++) {
    }
}

void policy_decide(const struct scenario_policy *policy, const struct policy_batch *batch,
                   struct random_stream *stream, uint8_t *offload) {
    switch (policy->kind) {
    case POLICY_LOCAL:
        memset(offload, 0, batch->count);
        break;
    case POLICY_OFFLOAD:
        memset(offload, 1, batch->count);
        break;
    case POLICY_RANDOM:
        for (uint32_t i = 0; i < batch->count; i++)
            offload[i] = random_chance(stream, policy->offload_probability);
        break;
    case POLICY_GREEDY:
        decide_greedy(batch, offload);
        break;
    }
}
