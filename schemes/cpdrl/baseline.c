#include "schemes/cpdrl/baseline.h"

#include <math.h>

#include "common/time/vtime.h"

enum status cpdrl_instance_of(const struct scheme_env *env, const struct scheme_task *tasks,
                              struct cpdrl_instance *instance) {
    const struct scenario_offloading *offloading = env->offloading;
    if (env->device_count > CPDRL_DEVICES_MAX)
        return STATUS_LIMIT;
    *instance = (struct cpdrl_instance){
        .count = env->device_count,
        .limits = {.server_hz = offloading->edge_clock_hz,
                   .bandwidth_hz = env->bandwidth_hz,
                   .power_min_w = offloading->power_w[0],
                   .power_max_w = offloading->power_w[1],
                   .clock_min_hz = offloading->clock_hz[0],
                   .clock_max_hz = offloading->clock_hz[1],
                   .capacitance = offloading->capacitance,
                   .noise_w = env->noise_w,
                   .deadline_s = vtime_to_s(offloading->deadline_ns),
                   .delay_weight = offloading->delay_weight,
                   .energy_weight = offloading->energy_weight},
    };
    for (uint32_t i = 0; i < env->device_count; i++)
        instance->devices[i] = (struct cpdrl_device){
            .bits = (double)tasks[i].bits, .cycles_per_bit = tasks[i].cycles_per_bit, .gain = tasks[i].gain};
    return STATUS_OK;
}

static double draw(struct random_stream *stream, const double range[2]) {
    return range[0] + random_uniform(stream) * (range[1] - range[0]);
}

void cpdrl_random_resources(const struct scheme_env *env, struct random_stream *stream,
                            struct scheme_decision *decisions) {
    double sum = 0.0;
    for (uint32_t i = 0; i < env->device_count; i++) {
        struct scheme_decision *decision = &decisions[i];
        decision->bandwidth_hz = 1.0 - random_uniform(stream); /* a share in (0, 1] */
        decision->power_w = draw(stream, env->offloading->power_w);
        decision->clock_hz = draw(stream, env->offloading->clock_hz);
        sum += decision->offload ? decision->bandwidth_hz : 0.0;
    }
    for (uint32_t i = 0; i < env->device_count; i++)
        decisions[i].bandwidth_hz =
            decisions[i].offload ? env->bandwidth_hz * fmax(decisions[i].bandwidth_hz / sum, CPDRL_BAND_LEAST)
                                 : 0.0;
}

void cpdrl_random_decide(enum cpdrl_arm arm, const struct scheme_env *env, struct random_stream *stream,
                         struct scheme_decision *decisions) {
    for (uint32_t i = 0; i < env->device_count; i++) {
        bool coin = random_chance(stream, 0.5);
        decisions[i].offload = arm == CPDRL_ARM_FOM || (arm != CPDRL_ARM_LEM && coin);
    }
    cpdrl_random_resources(env, stream, decisions);
}
