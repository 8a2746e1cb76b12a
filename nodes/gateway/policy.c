#include "nodes/gateway/policy.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/task.h"

int64_t policy_local_delay_ns(const struct policy_forecast *forecast, uint32_t count) {
    return forecast->cpu_wait_ns + vtime_from_s(count * forecast->local_task_s);
}

int64_t policy_offload_delay_ns(const struct policy_forecast *forecast, uint32_t ahead) {
    return forecast->uplink_wait_ns + llround(ahead * forecast->hold_ns) + forecast->air_ns +
           forecast->edge_ns;
}

static bool in_time(const struct policy_task *task, int64_t delay_ns) {
    return delay_ns <= task->deadline_ns + TASK_DEADLINE_SLACK_NS;
}

uint32_t policy_count_met(const struct policy_batch *batch, const uint8_t *offload) {
    uint32_t stay = 0, ahead = 0, met = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        stay += !offload[i];
    int64_t local_ns = policy_local_delay_ns(&batch->forecast, stay);
    for (uint32_t i = 0; i < batch->count; i++) {
        int64_t delay_ns = offload[i] ? policy_offload_delay_ns(&batch->forecast, ahead++) : local_ns;
        met += in_time(&batch->tasks[i], delay_ns);
    }
    return met;
}

/* Of the first `urgent` tasks, the most critical first, each leaves while its deadline holds on the uplink;
 * with `skip` the others do not hold up those behind them, without it they leave all the same. The rest
 * stays. */
static void fill_uplink(const struct policy_batch *batch, uint32_t urgent, bool skip, uint8_t *offload) {
    uint32_t ahead = 0;
    memset(offload, 0, batch->count);
    for (uint32_t i = 0; i < urgent; i++)
        if (!skip || in_time(&batch->tasks[i], policy_offload_delay_ns(&batch->forecast, ahead))) {
            offload[i] = 1;
            ahead++;
        }
}

static void decide_greedy(const struct policy_batch *batch, uint8_t *offload) {
    uint32_t best = 0, best_met = 0;
    bool best_skip = false;
    uint32_t most = batch->forecast.uplink_known ? batch->count : 0;
    for (uint32_t urgent = 0; urgent <= most; urgent++)
        for (int skip = 1; skip >= 0; skip--) {
            fill_uplink(batch, urgent, skip, offload);
            uint32_t met = policy_count_met(batch, offload);
            if (met <= best_met)
                continue;
            best_met = met;
            best = urgent;
            best_skip = skip;
        }
    fill_uplink(batch, best, best_skip, offload);
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
