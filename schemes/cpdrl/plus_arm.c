/* plus_arm: the agent of plus.h as an arm of the scheme. */
#include <math.h>

#include "common/time/vtime.h"
#include "schemes/cpdrl/arm.h"
#include "schemes/cpdrl/plus.h"

struct plus_arm {
    const struct scheme_env *env; /* borrowed */
    struct cpdrl_plus agent;
    struct cpdrl_task tasks[CPDRL_DEVICES_MAX];
    struct cpdrl_decision decision;
};

static enum status plus_open(void *self, const struct scheme_env *env, struct error *error) {
    struct plus_arm *arm = self;
    const struct scenario_offloading *offloading = env->offloading;
    if (env->device_count > CPDRL_DEVICES_MAX)
        return error_set(error, STATUS_INVALID, "arm `plus` takes at most %d devices", CPDRL_DEVICES_MAX);
    struct cpdrl_box box = {.bandwidth_hz = env->bandwidth_hz,
                            .power_min_w = offloading->power_w[0],
                            .power_max_w = offloading->power_w[1],
                            .clock_min_hz = offloading->clock_hz[0],
                            .clock_max_hz = offloading->clock_hz[1],
                            .deadline_s = vtime_to_s(offloading->deadline_ns),
                            .delay_weight = offloading->delay_weight,
                            .energy_weight = offloading->energy_weight};
    struct cpdrl_plus_config config = cpdrl_plus_published(env->device_count, &box);
    cpdrl_plus_ablate(&config, ((const struct cpdrl_options *)env->options)->ablation);
    arm->env = env;
    enum status status = cpdrl_plus_open(&arm->agent, &config, env->seed, env->node);
    return status == STATUS_OK ? STATUS_OK : error_set(error, status, "no memory for the agent of cpdrl+");
}

static void plus_close(void *self) {
    struct plus_arm *arm = self;
    cpdrl_plus_close(&arm->agent);
}

static void plus_decide(void *self, const struct scheme_slot *slot, struct scheme_decision *decisions) {
    struct plus_arm *arm = self;
    for (uint32_t i = 0; i < arm->env->device_count; i++)
        arm->tasks[i] = (struct cpdrl_task){.bits = (double)slot->tasks[i].bits,
                                            .cycles_per_bit = slot->tasks[i].cycles_per_bit,
                                            .gain = slot->tasks[i].gain};
    cpdrl_plus_decide(&arm->agent, arm->tasks, slot->phase == SCHEME_TRAIN, &arm->decision);
    for (uint32_t i = 0; i < arm->env->device_count; i++)
        decisions[i] = (struct scheme_decision){.offload = arm->decision.offloaded[i],
                                                .clock_hz = arm->decision.clock_hz[i],
                                                .bandwidth_hz = arm->decision.bandwidth_hz[i],
                                                .power_w = arm->decision.power_w[i]};
}

static void plus_settle(void *self, const struct scheme_slot *slot, const struct scheme_decision *decisions,
                        const struct scheme_outcome *outcomes, const struct scheme_log *log) {
    struct plus_arm *arm = self;
    double delay_s[CPDRL_DEVICES_MAX], energy_j[CPDRL_DEVICES_MAX];
    (void)decisions;
    (void)log;
    if (slot->phase != SCHEME_TRAIN)
        return;
    for (uint32_t i = 0; i < arm->env->device_count; i++) {
        bool measured = outcomes[i].drop == DROP_NONE || outcomes[i].drop == DROP_DEADLINE;
        delay_s[i] = measured ? outcomes[i].delay_s : NAN;
        energy_j[i] = outcomes[i].energy_j;
    }
    cpdrl_plus_learn(&arm->agent, &(struct cpdrl_plus_feedback){.tasks = arm->tasks,
                                                                .decision = &arm->decision,
                                                                .delay_s = delay_s,
                                                                .energy_j = energy_j});
}

static const real *plus_parameters(const void *self, uint32_t index, size_t *count) {
    const struct cpdrl_plus *agent = &((const struct plus_arm *)self)->agent;
    const struct cpdrl_plus_network *actors[] = {&agent->clock_actor, &agent->radio_actor};
    if (index >= 2)
        return NULL;
    *count = actors[index]->parameter_count;
    return actors[index]->parameters;
}

static size_t plus_saved_bytes(const void *self) {
    return cpdrl_plus_saved_bytes(&((const struct plus_arm *)self)->agent);
}

static void plus_save(const void *self, struct bytes_writer *writer) {
    cpdrl_plus_save(&((const struct plus_arm *)self)->agent, writer);
}

static enum status plus_load(void *self, struct bytes_reader *reader) {
    return cpdrl_plus_load(&((struct plus_arm *)self)->agent, reader);
}

const struct cpdrl_arm_class cpdrl_plus_class = {
    .bytes = sizeof(struct plus_arm),
    .open = plus_open,
    .close = plus_close,
    .decide = plus_decide,
    .settle = plus_settle,
    .parameters = plus_parameters,
    .saved_bytes = plus_saved_bytes,
    .save = plus_save,
    .load = plus_load,
};
