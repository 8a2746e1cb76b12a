#include "schemes/cpdrl/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/optimiser.h"
#include "common/model/reward.h"
#include "common/time/vtime.h"

static struct ddpg_config config_of(const struct cpdrl_learner *learner) {
    const struct cpdrl_options *options = learner->options;
    struct ddpg_config config;
    uint32_t training = learner->env->slots - learner->env->evaluate_slots;
    ddpg_class.defaults(&config);
    config.actor_rate = options->actor_rate;
    config.critic_rate = options->critic_rate;
    config.discount = options->discount;
    config.tau = options->soft_update;
    config.output_range = options->output_range;
    config.noise_begin = options->noise;
    config.noise_end = options->noise_end;
    config.noise_steps = options->noise_end != options->noise ? training : 0;
    config.batch = options->batch;
    config.replay_capacity = options->replay;
    return config;
}

static enum status open_agent(struct cpdrl_learner *learner, struct error *error) {
    uint32_t n = learner->env->device_count;
    struct ddpg_config config = config_of(learner);
    struct agent_space space = {.observation_size = 2 * n, .continuous_count = CPDRL_PARTS * n};
    config.head = cpdrl_action_head(&learner->head);
    return agent_open(
        &learner->agent, &ddpg_class,
        &(struct agent_setup){
            .space = &space, .config = &config, .seed = learner->env->seed, .id = learner->env->node},
        error);
}

static enum status open_learner(void *self, const struct scheme_env *env, struct error *error) {
    struct cpdrl_learner *learner = self;
    const struct cpdrl_options *options = env->options;
    uint32_t n = env->device_count;
    enum cpdrl_arm arm = options->arm;
    if (n > CPDRL_LEARNER_DEVICES_MAX)
        return error_set(error, STATUS_INVALID, "%u devices are more than the %d that the agent takes", n,
                         CPDRL_LEARNER_DEVICES_MAX);
    learner->options = options;
    learner->env = env;
    learner->head = (struct cpdrl_head){.device_count = n,
                                        .hard = arm != CPDRL_ARM_DDPG,
                                        .masked = arm == CPDRL_ARM_CPDRL || arm == CPDRL_ARM_ASTE_DDPG,
                                        .as_printed = options->profile == CPDRL_READING_PAPER,
                                        .steepness = options->steepness,
                                        .penalty = arm == CPDRL_ARM_CPDRL ? options->penalty : 0.0};
    learner->action = calloc((size_t)(CPDRL_PARTS + 4) * n, sizeof *learner->action);
    learner->requested_hz = calloc(n, sizeof *learner->requested_hz);
    if (learner->action == NULL || learner->requested_hz == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the agent of %u devices", n);
    learner->state = learner->action + (size_t)CPDRL_PARTS * n;
    learner->next = learner->state + (size_t)2 * n;
    return open_agent(learner, error);
}

static void close_learner(void *self) {
    struct cpdrl_learner *learner = self;
    agent_close(learner->agent);
    free(learner->action);
    free(learner->requested_hz);
    *learner = (struct cpdrl_learner){0};
}

static double range(double fraction, const double bounds[2]) {
    return bounds[0] + fraction * (bounds[1] - bounds[0]);
}

/* Section 4.2: b = u_b B, f = 1 + u_f GHz, p = u_p W with floors, and the band scaled to what there is. The
 * band that a device asks for without offloading is lost to the others (arms without masks). */
static void carry_out(struct cpdrl_learner *learner, struct scheme_decision *decisions) {
    uint32_t n = learner->env->device_count;
    const real *action = learner->action;
    const struct scenario_offloading *offloading = learner->env->offloading;
    double band_hz = learner->env->bandwidth_hz, sum_hz = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        bool offload = action[i] > (real)0.5;
        double least_hz = offload ? CPDRL_BAND_LEAST * band_hz : 0.0;
        learner->requested_hz[i] = fmax((double)action[CPDRL_PART_BAND * n + i] * band_hz, least_hz);
        sum_hz += learner->requested_hz[i];
        decisions[i].offload = offload;
        decisions[i].clock_hz = range((double)action[CPDRL_PART_CLOCK * n + i], offloading->clock_hz);
        decisions[i].power_w =
            fmax((double)action[CPDRL_PART_POWER * n + i] * offloading->power_w[1], offloading->power_w[0]);
    }
    double scale = sum_hz > band_hz ? band_hz / sum_hz : 1.0;
    for (uint32_t i = 0; i < n; i++)
        decisions[i].bandwidth_hz = learner->requested_hz[i] * scale;
}

static void learner_decide(void *self, const struct scheme_slot *slot, struct scheme_decision *decisions) {
    struct cpdrl_learner *learner = self;
    if (learner->step % learner->options->episode_slots == 0)
        memset(learner->state, 0, 2 * learner->env->device_count * sizeof *learner->state);
    enum agent_mode mode = slot->phase == SCHEME_TRAIN ? AGENT_EXPLORE : AGENT_GREEDY;
    ddpg_act((struct ddpg *)learner->agent, learner->state, mode, NULL, learner->action);
    carry_out(learner, decisions);
}

/* Devices whose action obeys Eq. (11): with masks all; without, one that uses what it must and nothing else.
 */
static uint32_t consistent(const struct cpdrl_learner *learner) {
    uint32_t n = learner->env->device_count, count = 0;
    const real *action = learner->action;
    for (uint32_t i = 0; i < n; i++) {
        bool band = action[CPDRL_PART_BAND * n + i] > 0, power = action[CPDRL_PART_POWER * n + i] > 0;
        bool clock = action[CPDRL_PART_CLOCK * n + i] > 0;
        bool offload = action[i] > (real)0.5;
        count += learner->head.masked || (offload ? !clock : !band && !power);
    }
    return count;
}

static void reward(struct cpdrl_learner *learner, const struct scheme_outcome *outcomes) {
    uint32_t n = learner->env->device_count;
    double delay_s[CPDRL_LEARNER_DEVICES_MAX], energy_j[CPDRL_LEARNER_DEVICES_MAX];
    for (uint32_t i = 0; i < n; i++) {
        delay_s[i] = outcomes[i].delay_s;
        energy_j[i] = outcomes[i].energy_j;
    }
    struct reward_allocation allocation = {.delay_s = delay_s,
                                           .energy_j = energy_j,
                                           .bandwidth_hz = learner->requested_hz,
                                           .count = n,
                                           .deadline_s = vtime_to_s(learner->env->offloading->deadline_ns),
                                           .bandwidth_max_hz = learner->env->bandwidth_hz};
    bool paper = learner->options->profile == CPDRL_READING_PAPER;
    learner->reward_plain = paper ? reward_consistency_paper(&allocation) : reward_consistency(&allocation);
    bool bonus = learner->options->arm == CPDRL_ARM_CPDRL;
    learner->reward = learner->reward_plain + (bonus ? consistent(learner) : 0);
}

static void log_step(const struct cpdrl_learner *learner, const struct scheme_log *log) {
    log->series(log->context, "reward", learner->reward);
    log->series(log->context, "reward_without_bonus", learner->reward_plain);
    if (!learner->updated)
        return;
    log->series(log->context, "critic_loss", learner->critic_loss);
    log->series(log->context, "actor_loss", learner->actor_loss);
}

/* Lines 10 to 16 of Algorithm 1. */
static void learner_settle(void *self, const struct scheme_slot *slot,
                           const struct scheme_decision *decisions, const struct scheme_outcome *outcomes,
                           const struct scheme_log *log) {
    struct cpdrl_learner *learner = self;
    (void)decisions; /* replay stores the action behind the head */
    uint32_t n = learner->env->device_count;
    struct ddpg *ddpg = (struct ddpg *)learner->agent;
    for (uint32_t i = 0; i < n; i++) {
        learner->next[i] = (real)outcomes[i].delay_s;
        learner->next[n + i] = (real)outcomes[i].energy_j;
    }
    reward(learner, outcomes);
    learner->updated = false;
    if (slot->phase == SCHEME_TRAIN) {
        real paid = (real)learner->reward;
        bool last = (learner->step + 1) % learner->options->episode_slots == 0;
        struct agent_transition transition = {.observation = learner->state,
                                              .next_observation = learner->next,
                                              .reward = &paid,
                                              .truncated = last};
        struct agent_report report = {0};
        ddpg_observe(ddpg, &transition, learner->action);
        agent_learn(learner->agent, &report);
        learner->updated = report.update_count > 0;
        learner->critic_loss = report.value_loss;
        learner->actor_loss = report.policy_loss;
    }
    learner->step++;
    memcpy(learner->state, learner->next, 2 * n * sizeof *learner->state);
    log_step(learner, log);
}

static const real *learner_parameters(const void *self, uint32_t index, size_t *count) {
    const struct cpdrl_learner *learner = self;
    return index == 0 ? agent_parameters(learner->agent, count) : NULL;
}

static size_t learner_saved_bytes_of(const void *self) {
    const struct cpdrl_learner *learner = self;
    return 8 + reals_saved_bytes((size_t)2 * learner->env->device_count) + agent_saved_bytes(learner->agent);
}

static void learner_save_to(const void *self, struct bytes_writer *writer) {
    const struct cpdrl_learner *learner = self;
    bytes_put_u64(writer, learner->step);
    reals_save(writer, learner->state, (size_t)2 * learner->env->device_count);
    agent_save(learner->agent, writer);
}

static enum status learner_load_from(void *self, struct bytes_reader *reader) {
    struct cpdrl_learner *learner = self;
    struct error ignored;
    learner->step = bytes_get_u64(reader);
    TRY(reals_load(reader, learner->state, (size_t)2 * learner->env->device_count));
    return agent_load(learner->agent, reader, &ignored);
}

const struct cpdrl_arm_class cpdrl_learner_class = {
    .bytes = sizeof(struct cpdrl_learner),
    .open = open_learner,
    .close = close_learner,
    .decide = learner_decide,
    .settle = learner_settle,
    .parameters = learner_parameters,
    .saved_bytes = learner_saved_bytes_of,
    .save = learner_save_to,
    .load = learner_load_from,
};
