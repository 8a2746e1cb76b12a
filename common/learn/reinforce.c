#include "common/learn/reinforce.h"

static void reinforce_observe(struct agent *agent, const struct agent_transition *transition) {
    struct reinforce *reinforce = (struct reinforce *)agent;
    policy_gradient_observe(agent, transition);
    reinforce->episodes += transition->terminated || transition->truncated;
}

/* The mean over episodes of the sum over their steps. */
static void reinforce_learn(struct agent *agent, struct agent_report *report) {
    struct reinforce *reinforce = (struct reinforce *)agent;
    struct policy_gradient *core = &reinforce->core;
    if (reinforce->episodes < reinforce->config.episodes && !rollout_full(&core->rollout))
        return;
    double episodes = reinforce->episodes > 0 ? reinforce->episodes : 1.0;
    policy_gradient_compute(core, 1.0 / episodes, core->gradient, report);
    optimiser_step(&reinforce->optimiser, core->parameters, core->gradient);
    reinforce->episodes = 0;
    report->update_count = 1;
}

/* ------------------------------------------------------------------------------------- class, checkpoint */

#define OPTION(member) offsetof(struct reinforce_config, member)

static const struct agent_option options[] = {
    {"hidden", AGENT_OPTION_LAYERS, OPTION(core.hidden), 1, 4096, "hidden layers of actor and baseline"},
    {"horizon", AGENT_OPTION_COUNT, OPTION(core.horizon), 1, 1 << 20, "most steps before an update"},
    {"episodes", AGENT_OPTION_COUNT, OPTION(episodes), 1, 1 << 20, "whole episodes before an update"},
    {"actor_rate", AGENT_OPTION_NUMBER, OPTION(actor_rate), 0, 10,
     "learning rate of actor and baseline (Adam)"},
    {"discount", AGENT_OPTION_NUMBER, OPTION(core.discount), 0, 1, "gamma, weight of what follows"},
    {"baseline", AGENT_OPTION_FLAG, OPTION(core.loss.baseline), 0, 1, "returns count from a learnt value"},
    {"entropy", AGENT_OPTION_NUMBER, OPTION(core.loss.entropy_coefficient), 0, 100,
     "weight of the entropy bonus"},
    {"value", AGENT_OPTION_NUMBER, OPTION(core.loss.value_coefficient), 0, 100,
     "weight of the baseline's loss"},
    {"gradient_norm", AGENT_OPTION_NUMBER, OPTION(core.gradient_norm), 1e-6, 1e9,
     "bound of the global gradient norm"},
    {"log_std", AGENT_OPTION_NUMBER, OPTION(core.log_std), -10, 2, "log of the first standard deviation"},
};

static void reinforce_defaults(void *config) {
    *(struct reinforce_config *)config = (struct reinforce_config){.core = {.hidden = {2, {64, 64}},
                                                                            .horizon = 1024,
                                                                            .discount = 0.99,
                                                                            .log_std = -0.5,
                                                                            .loss = {0.0, 0.5, true},
                                                                            .gradient_norm = 10},
                                                                   .episodes = 8,
                                                                   .actor_rate = 1e-3};
}

static enum status reinforce_open(struct agent *agent, const void *config, struct error *error) {
    struct reinforce *reinforce = (struct reinforce *)agent;
    reinforce->config = *(const struct reinforce_config *)config;
    TRY(policy_gradient_open(&reinforce->core, &reinforce->config.core, error));
    struct optimiser_config adam = optimiser_adam(reinforce->config.actor_rate);
    if (optimiser_init(&reinforce->optimiser, &adam, reinforce->core.net.parameter_count) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for the optimiser of a reinforce agent");
    return STATUS_OK;
}

static void reinforce_close(struct agent *agent) {
    struct reinforce *reinforce = (struct reinforce *)agent;
    optimiser_close(&reinforce->optimiser);
    policy_gradient_close(&reinforce->core);
}

static size_t reinforce_saved_bytes(const struct agent *agent) {
    const struct reinforce *reinforce = (const struct reinforce *)agent;
    return policy_gradient_saved_bytes(&reinforce->core) + optimiser_saved_bytes(&reinforce->optimiser) + 4;
}

static void reinforce_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct reinforce *reinforce = (const struct reinforce *)agent;
    policy_gradient_save(&reinforce->core, writer);
    optimiser_save(&reinforce->optimiser, writer);
    bytes_put_u32(writer, reinforce->episodes);
}

static enum status reinforce_load(struct agent *agent, struct bytes_reader *reader) {
    struct reinforce *reinforce = (struct reinforce *)agent;
    TRY(policy_gradient_load(&reinforce->core, reader));
    TRY(optimiser_load(&reinforce->optimiser, reader));
    reinforce->episodes = bytes_get_u32(reader);
    return reader->failed || reinforce->episodes > reinforce->core.rollout.fill ? STATUS_INVALID : STATUS_OK;
}

const struct agent_class reinforce_class = {
    .name = "reinforce",
    .text = "policy gradient over whole episodes, with or without a learnt baseline",
    .agent_bytes = sizeof(struct reinforce),
    .config_bytes = sizeof(struct reinforce_config),
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .defaults = reinforce_defaults,
    .open = reinforce_open,
    .close = reinforce_close,
    .act = policy_gradient_act,
    .observe = reinforce_observe,
    .learn = reinforce_learn,
    .parameters = policy_gradient_parameters,
    .saved_bytes = reinforce_saved_bytes,
    .save = reinforce_save,
    .load = reinforce_load,
};
