/* CPDRL (Li, Nakamura, Takase): consistency-preserving deep reinforcement learning for one edge server, with
 * its baselines. Each arm decides; what all have in common, measuring the objective and keeping the best
 * decision, is here. */
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/learn/agent.h"
#include "common/model/cost.h"
#include "schemes/cpdrl/arm.h"
#include "schemes/cpdrl/baseline.h"
#include "schemes/cpdrl/optimum.h"

struct cpdrl {
    struct scheme_env env;
    const struct cpdrl_options *options;
    struct random_stream stream;         /* of the arms that draw */
    const struct cpdrl_arm_class *class; /* of an arm that learns; NULL: it does not */
    void *self;                          /* owned, class->bytes */
    struct scheme_decision *best;        /* of the best feasible training slot; owned, [device_count] */
    double best_objective;               /* INFINITY: none yet */
    double evaluate_sum;                 /* objectives of the evaluation slots */
    uint32_t evaluate_count, evaluate_feasible;
    uint64_t masks_examined;
    double optimum; /* closed form, of the last slot's tasks; NAN: not asked for */
};

static const struct cpdrl_arm_class *class_of(enum cpdrl_arm arm) {
    if (arm == CPDRL_ARM_PLUS)
        return &cpdrl_plus_class;
    return arm < CPDRL_ARM_PLUS ? &cpdrl_learner_class : NULL;
}

static enum status open_arm(struct cpdrl *cpdrl, struct error *error) {
    cpdrl->class = class_of(cpdrl->options->arm);
    if (cpdrl->class == NULL)
        return STATUS_OK;
    cpdrl->self = calloc(1, cpdrl->class->bytes);
    if (cpdrl->self == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the agent of %u devices",
                         cpdrl->env.device_count);
    return cpdrl->class->open(cpdrl->self, &cpdrl->env, error);
}

static enum status cpdrl_open(void *state, const struct scheme_env *env, struct error *error) {
    struct cpdrl *cpdrl = state;
    cpdrl->env = *env;
    cpdrl->options = env->options;
    cpdrl->best_objective = INFINITY;
    cpdrl->optimum = NAN;
    random_init(&cpdrl->stream, env->seed, env->node, RANDOM_POLICY);
    cpdrl->best = calloc(env->device_count, sizeof *cpdrl->best);
    if (cpdrl->best == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for decisions of %u devices", env->device_count);
    bool exact = cpdrl->options->arm >= CPDRL_ARM_TEM && cpdrl->options->arm <= CPDRL_ARM_OFFLOAD_OPTIMUM;
    if (exact && env->device_count > CPDRL_DEVICES_MAX)
        return error_set(
            error, STATUS_INVALID,
            "arms that know the closed form (tem goes through 2^n decisions) take at most %d devices",
            CPDRL_DEVICES_MAX);
    return open_arm(cpdrl, error);
}

static void cpdrl_close(void *state) {
    struct cpdrl *cpdrl = state;
    if (cpdrl->self != NULL)
        cpdrl->class->close(cpdrl->self);
    free(cpdrl->self);
    free(cpdrl->best);
}

/* ---- deciding ---- */

static void decide_exactly(struct cpdrl *cpdrl, const struct scheme_slot *slot,
                           struct scheme_decision *decisions) {
    struct cpdrl_instance instance;
    if (cpdrl_instance_of(&cpdrl->env, slot->tasks, &instance) != STATUS_OK)
        return;
    struct cpdrl_optimum optimum = cpdrl->options->arm == CPDRL_ARM_TEM ? cpdrl_optimum_exhaustive(&instance)
                                   : cpdrl->options->arm == CPDRL_ARM_LOCAL_OPTIMUM
                                       ? cpdrl_optimum_local(&instance)
                                       : cpdrl_optimum_offload(&instance);
    cpdrl->masks_examined += optimum.masks_examined;
    for (uint32_t i = 0; i < instance.count; i++)
        decisions[i] = (struct scheme_decision){.offload = optimum.decision.offloaded[i],
                                                .bandwidth_hz = optimum.decision.bandwidth_hz[i],
                                                .clock_hz = optimum.decision.clock_hz[i],
                                                .power_w = optimum.decision.power_w[i]};
}

static void cpdrl_decide(void *state, const struct scheme_slot *slot, struct scheme_decision *decisions) {
    struct cpdrl *cpdrl = state;
    switch (cpdrl->options->arm) {
    case CPDRL_ARM_CPDRL:
    case CPDRL_ARM_DDPG:
    case CPDRL_ARM_STE_DDPG:
    case CPDRL_ARM_ASTE_DDPG:
    case CPDRL_ARM_PLUS:
        cpdrl->class->decide(cpdrl->self, slot, decisions);
        break;
    case CPDRL_ARM_TEM:
    case CPDRL_ARM_LOCAL_OPTIMUM:
    case CPDRL_ARM_OFFLOAD_OPTIMUM:
        decide_exactly(cpdrl, slot, decisions);
        break;
    case CPDRL_ARM_SEARCH:
        if (slot->phase == SCHEME_EVALUATE && isfinite(cpdrl->best_objective))
            memcpy(decisions, cpdrl->best, cpdrl->env.device_count * sizeof *decisions);
        else
            cpdrl_random_decide(CPDRL_ARM_SEARCH, &cpdrl->env, &cpdrl->stream, decisions);
        break;
    case CPDRL_ARM_ROM:
    case CPDRL_ARM_FOM:
    case CPDRL_ARM_LEM:
        cpdrl_random_decide(cpdrl->options->arm, &cpdrl->env, &cpdrl->stream, decisions);
        break;
    }
}

/* ---- measuring ---- */

/* Eq. (10) of the measured delays and energies, and whether its constraints held. */
static double objective_of(const struct cpdrl *cpdrl, const struct scheme_outcome *outcomes, bool *feasible) {
    const struct scenario_offloading *offloading = cpdrl->env.offloading;
    double objective = 0.0;
    *feasible = true;
    for (uint32_t i = 0; i < cpdrl->env.device_count; i++) {
        objective += cost_weighted(offloading->delay_weight, outcomes[i].delay_s, offloading->energy_weight,
                                   outcomes[i].energy_j);
        *feasible = *feasible && outcomes[i].drop == DROP_NONE;
    }
    return objective;
}

static void keep_best(struct cpdrl *cpdrl, const struct scheme_decision *decisions, double objective) {
    if (objective >= cpdrl->best_objective)
        return;
    cpdrl->best_objective = objective;
    memcpy(cpdrl->best, decisions, cpdrl->env.device_count * sizeof *decisions);
}

static void cpdrl_settle(void *state, const struct scheme_slot *slot, const struct scheme_decision *decisions,
                         const struct scheme_outcome *outcomes, const struct scheme_log *log) {
    struct cpdrl *cpdrl = state;
    bool feasible;
    double objective = objective_of(cpdrl, outcomes, &feasible), offloaded = 0.0;
    for (uint32_t i = 0; i < cpdrl->env.device_count; i++)
        offloaded += decisions[i].offload;
    if (slot->phase == SCHEME_EVALUATE) {
        cpdrl->evaluate_sum += objective;
        cpdrl->evaluate_count++;
        cpdrl->evaluate_feasible += feasible;
    } else if (feasible) {
        keep_best(cpdrl, decisions, objective);
    }
    if (slot->slot + 1 == cpdrl->env.slots && cpdrl->env.device_count <= CPDRL_DEVICES_MAX) {
        struct cpdrl_instance instance;
        if (cpdrl_instance_of(&cpdrl->env, slot->tasks, &instance) == STATUS_OK)
            cpdrl->optimum = cpdrl_optimum_one_flip(&instance, 0).outcome.objective;
    }
    log->series(log->context, "objective", objective);
    log->series(log->context, "objective_best", cpdrl->best_objective);
    log->series(log->context, "offloaded", offloaded);
    if (cpdrl->class != NULL)
        cpdrl->class->settle(cpdrl->self, slot, decisions, outcomes, log);
}

/* ---- the end of the run ---- */

/* 48 bits of a hash of the parameters: equal after equal training, to the last bit. */
static double checksum_of(const struct cpdrl *cpdrl) {
    crypto_generichash_state hashing;
    unsigned char hash[crypto_generichash_BYTES_MIN];
    const real *parameters;
    size_t count;
    double value = 0.0;
    crypto_generichash_init(&hashing, NULL, 0, sizeof hash);
    for (uint32_t i = 0; (parameters = cpdrl->class->parameters(cpdrl->self, i, &count)) != NULL; i++)
        crypto_generichash_update(&hashing, (const unsigned char *)parameters, count * sizeof *parameters);
    crypto_generichash_final(&hashing, hash, sizeof hash);
    for (int i = 0; i < 6; i++)
        value = value * 256.0 + hash[i];
    return value;
}

static void cpdrl_finish(void *state, const struct scheme_log *log) {
    struct cpdrl *cpdrl = state;
    double policy = cpdrl->evaluate_count > 0 ? cpdrl->evaluate_sum / cpdrl->evaluate_count : NAN;
    log->result(log->context, "objective_best", "", cpdrl->best_objective);
    log->result(log->context, "objective_policy", "", policy);
    log->result(log->context, "objective_optimum", "", cpdrl->optimum);
    log->result(log->context, "policy_over_optimum", "", policy / cpdrl->optimum);
    log->result(log->context, "policy_excess", "%", 100.0 * (policy / cpdrl->optimum - 1.0));
    log->result(log->context, "best_over_optimum", "", cpdrl->best_objective / cpdrl->optimum);
    log->result(log->context, "policy_feasible", "",
                cpdrl->evaluate_count > 0 ? (double)cpdrl->evaluate_feasible / cpdrl->evaluate_count : NAN);
    log->result(log->context, "masks_examined", "", (double)cpdrl->masks_examined);
    if (cpdrl->class != NULL)
        log->result(log->context, "agent_checksum", "", checksum_of(cpdrl));
}

/* ---- checkpoints ---- */

static void save_decision(struct bytes_writer *writer, const struct scheme_decision *decision) {
    bytes_put_u8(writer, decision->offload);
    bytes_put_f64(writer, decision->clock_hz);
    bytes_put_f64(writer, decision->bandwidth_hz);
    bytes_put_f64(writer, decision->power_w);
}

static struct scheme_decision load_decision(struct bytes_reader *reader) {
    struct scheme_decision decision = {.offload = bytes_get_u8(reader) != 0};
    decision.clock_hz = bytes_get_f64(reader);
    decision.bandwidth_hz = bytes_get_f64(reader);
    decision.power_w = bytes_get_f64(reader);
    return decision;
}

#define HEAD_BYTES (4 + 4 + 8 + 8 + 4 + 4 + 8 + 8 + AGENT_STREAM_BYTES)
#define DECISION_BYTES 25

static size_t cpdrl_saved_bytes(const void *state) {
    const struct cpdrl *cpdrl = state;
    return HEAD_BYTES + (size_t)cpdrl->env.device_count * DECISION_BYTES +
           (cpdrl->class != NULL ? cpdrl->class->saved_bytes(cpdrl->self) : 0);
}

static void cpdrl_save(const void *state, struct bytes_writer *writer) {
    const struct cpdrl *cpdrl = state;
    bytes_put_u32(writer, cpdrl->options->arm);
    bytes_put_u32(writer, cpdrl->options->profile);
    bytes_put_f64(writer, cpdrl->best_objective);
    bytes_put_f64(writer, cpdrl->evaluate_sum);
    bytes_put_u32(writer, cpdrl->evaluate_count);
    bytes_put_u32(writer, cpdrl->evaluate_feasible);
    bytes_put_u64(writer, cpdrl->masks_examined);
    bytes_put_f64(writer, cpdrl->optimum);
    agent_stream_save(&cpdrl->stream, writer);
    for (uint32_t i = 0; i < cpdrl->env.device_count; i++)
        save_decision(writer, &cpdrl->best[i]);
    if (cpdrl->class != NULL)
        cpdrl->class->save(cpdrl->self, writer);
}

static enum status cpdrl_load(void *state, struct bytes_reader *reader) {
    struct cpdrl *cpdrl = state;
    uint32_t arm = bytes_get_u32(reader), profile = bytes_get_u32(reader);
    cpdrl->best_objective = bytes_get_f64(reader);
    cpdrl->evaluate_sum = bytes_get_f64(reader);
    cpdrl->evaluate_count = bytes_get_u32(reader);
    cpdrl->evaluate_feasible = bytes_get_u32(reader);
    cpdrl->masks_examined = bytes_get_u64(reader);
    cpdrl->optimum = bytes_get_f64(reader);
    if (reader->failed || arm != cpdrl->options->arm || profile != cpdrl->options->profile)
        return STATUS_INVALID;
    TRY(agent_stream_load(&cpdrl->stream, reader));
    for (uint32_t i = 0; i < cpdrl->env.device_count; i++)
        cpdrl->best[i] = load_decision(reader);
    return cpdrl->class != NULL ? cpdrl->class->load(cpdrl->self, reader) : STATUS_OK;
}

const struct scheme cpdrl_scheme = {
    .options = {.schema = &cpdrl_options_schema, .bytes = sizeof(struct cpdrl_options)},
    .state_bytes = sizeof(struct cpdrl),
    .open = cpdrl_open,
    .close = cpdrl_close,
    .decide = cpdrl_decide,
    .settle = cpdrl_settle,
    .finish = cpdrl_finish,
    .saved_bytes = cpdrl_saved_bytes,
    .save = cpdrl_save,
    .load = cpdrl_load,
};
