#include "common/learn/a3c.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------- server */

static struct optimiser_config optimiser_of(const struct a3c_rates *rates, double rate) {
    struct optimiser_config config = optimiser_adam(rate);
    config.epsilon = 1e-5;
    if (!rates->adam) {
        config.kind = OPTIMISER_RMSPROP;
        config.beta2 = 0.99;
    }
    return config;
}

enum status a3c_server_open(struct a3c_server *server, const struct a3c_rates *rates, const real *parameters,
                            size_t count, size_t critic_offset) {
    assert(critic_offset <= count);
    *server = (struct a3c_server){.count = count, .critic_offset = critic_offset};
    struct optimiser_config actor = optimiser_of(rates, rates->actor),
                            critic = optimiser_of(rates, rates->critic > 0 ? rates->critic : rates->actor);
    TRY(optimiser_init(&server->actor, &actor, critic_offset));
    TRY(optimiser_init(&server->critic, &critic, count - critic_offset));
    server->parameters = calloc(count + 1, sizeof(real));
    if (server->parameters == NULL)
        return STATUS_MEMORY;
    memcpy(server->parameters, parameters, count * sizeof(real));
    return STATUS_OK;
}

void a3c_server_close(struct a3c_server *server) {
    optimiser_close(&server->actor);
    optimiser_close(&server->critic);
    free(server->parameters);
    *server = (struct a3c_server){0};
}

enum status a3c_server_push(struct a3c_server *server, const real *gradient, uint64_t version,
                            uint64_t *staleness) {
    if (version > server->version)
        return STATUS_INVALID;
    *staleness = server->version - version;
    server->staleness_sum += *staleness;
    if (*staleness > server->staleness_max)
        server->staleness_max = *staleness;
    optimiser_step(&server->actor, server->parameters, gradient);
    optimiser_step(&server->critic, server->parameters + server->critic_offset,
                   gradient + server->critic_offset);
    server->version++;
    return STATUS_OK;
}

uint64_t a3c_server_pull(const struct a3c_server *server, real *parameters) {
    memcpy(parameters, server->parameters, server->count * sizeof(real));
    return server->version;
}

size_t a3c_server_saved_bytes(const struct a3c_server *server) {
    return reals_saved_bytes(server->count) + optimiser_saved_bytes(&server->actor) +
           optimiser_saved_bytes(&server->critic) + 3 * 8;
}

void a3c_server_save(const struct a3c_server *server, struct bytes_writer *writer) {
    reals_save(writer, server->parameters, server->count);
    optimiser_save(&server->actor, writer);
    optimiser_save(&server->critic, writer);
    bytes_put_u64(writer, server->version);
    bytes_put_u64(writer, server->staleness_sum);
    bytes_put_u64(writer, server->staleness_max);
}

enum status a3c_server_load(struct a3c_server *server, struct bytes_reader *reader) {
    TRY(reals_load(reader, server->parameters, server->count));
    TRY(optimiser_load(&server->actor, reader));
    TRY(optimiser_load(&server->critic, reader));
    server->version = bytes_get_u64(reader);
    server->staleness_sum = bytes_get_u64(reader);
    server->staleness_max = bytes_get_u64(reader);
    bool sound = server->actor.step == server->version && server->critic.step == server->version;
    return sound && !reader->failed ? STATUS_OK : STATUS_INVALID;
}

/* ---------------------------------------------------------------------------------------------- worker */

struct a3c *a3c_of(struct agent *agent) {
    assert(agent->class == &a3c_class);
    return (struct a3c *)agent;
}

bool a3c_ready(const struct a3c *a3c) {
    return policy_gradient_ended(&a3c->core);
}

void a3c_gradient(struct a3c *a3c, real *gradient, struct agent_report *report) {
    policy_gradient_compute(&a3c->core, 1.0, gradient, report);
}

void a3c_pull(struct a3c *a3c, const real *parameters, uint64_t version) {
    memcpy(a3c->core.parameters, parameters, a3c->core.net.parameter_count * sizeof(real));
    a3c->version = version;
}

static void a3c_learn(struct agent *agent, struct agent_report *report) {
    struct a3c *a3c = a3c_of(agent);
    uint64_t staleness = 0;
    if (a3c->config.worker || !a3c_ready(a3c))
        return;
    a3c_gradient(a3c, a3c->core.gradient, report);
    enum status status = a3c_server_push(&a3c->server, a3c->core.gradient, a3c->version, &staleness);
    assert(status == STATUS_OK);
    (void)status;
    a3c->version = a3c_server_pull(&a3c->server, a3c->core.parameters);
    report->update_count = 1;
    report->staleness = (double)staleness;
}

/* ------------------------------------------------------------------------------------- class, checkpoint */

#define OPTION(member) offsetof(struct a3c_config, member)

static const struct agent_option options[] = {
    {"hidden", AGENT_OPTION_LAYERS, OPTION(core.hidden), 1, 4096, "hidden layers of actor and critic"},
    {"horizon", AGENT_OPTION_COUNT, OPTION(core.horizon), 1, 1 << 20, "most steps before a gradient"},
    {"actor_rate", AGENT_OPTION_NUMBER, OPTION(rates.actor), 0, 10, "learning rate of the actor"},
    {"critic_rate", AGENT_OPTION_NUMBER, OPTION(rates.critic), 0, 10,
     "learning rate of the critic; 0: actor_rate"},
    {"adam", AGENT_OPTION_FLAG, OPTION(rates.adam), 0, 1, "the server steps with Adam, else with RMSprop"},
    {"discount", AGENT_OPTION_NUMBER, OPTION(core.discount), 0, 1,
     "gamma, weight of the value of what follows"},
    {"entropy", AGENT_OPTION_NUMBER, OPTION(core.loss.entropy_coefficient), 0, 100,
     "weight of the entropy bonus"},
    {"value", AGENT_OPTION_NUMBER, OPTION(core.loss.value_coefficient), 0, 100,
     "weight of the critic's loss"},
    {"gradient_norm", AGENT_OPTION_NUMBER, OPTION(core.gradient_norm), 1e-6, 1e9,
     "bound of the global gradient norm"},
    {"log_std", AGENT_OPTION_NUMBER, OPTION(core.log_std), -10, 2, "log of the first standard deviation"},
    {"worker", AGENT_OPTION_FLAG, OPTION(worker), 0, 1, "gradients go to a server elsewhere"},
};

static void a3c_defaults(void *config) {
    *(struct a3c_config *)config = (struct a3c_config){.core = {.hidden = {2, {64, 64}},
                                                                .horizon = 20,
                                                                .discount = 0.99,
                                                                .log_std = -0.5,
                                                                .loss = {0.01, 0.5, true},
                                                                .gradient_norm = 40},
                                                       .rates = {.actor = 7e-4}};
}

static enum status a3c_open(struct agent *agent, const void *config, struct error *error) {
    struct a3c *a3c = (struct a3c *)agent;
    a3c->config = *(const struct a3c_config *)config;
    a3c->config.core.loss.baseline = true;
    TRY(policy_gradient_open(&a3c->core, &a3c->config.core, error));
    const struct actor_critic *net = &a3c->core.net;
    if (!a3c->config.worker && a3c_server_open(&a3c->server, &a3c->config.rates, a3c->core.parameters,
                                               net->parameter_count, net->critic_offset) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for the server of an a3c agent");
    return STATUS_OK;
}

static void a3c_close(struct agent *agent) {
    struct a3c *a3c = (struct a3c *)agent;
    a3c_server_close(&a3c->server);
    policy_gradient_close(&a3c->core);
}

static size_t a3c_saved_bytes(const struct agent *agent) {
    const struct a3c *a3c = (const struct a3c *)agent;
    return policy_gradient_saved_bytes(&a3c->core) + 8 +
           (a3c->config.worker ? 0 : a3c_server_saved_bytes(&a3c->server));
}

static void a3c_save(const struct agent *agent, struct bytes_writer *writer) {
    const struct a3c *a3c = (const struct a3c *)agent;
    policy_gradient_save(&a3c->core, writer);
    bytes_put_u64(writer, a3c->version);
    if (!a3c->config.worker)
        a3c_server_save(&a3c->server, writer);
}

static enum status a3c_load(struct agent *agent, struct bytes_reader *reader) {
    struct a3c *a3c = a3c_of(agent);
    TRY(policy_gradient_load(&a3c->core, reader));
    a3c->version = bytes_get_u64(reader);
    if (!a3c->config.worker) {
        TRY(a3c_server_load(&a3c->server, reader));
        if (a3c->version > a3c->server.version)
            return STATUS_INVALID;
    }
    return reader->failed ? STATUS_INVALID : STATUS_OK;
}

const struct agent_class a3c_class = {
    .name = "a3c",
    .text = "asynchronous advantage actor-critic: gradients of short rollouts to a parameter server",
    .agent_bytes = sizeof(struct a3c),
    .config_bytes = sizeof(struct a3c_config),
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .defaults = a3c_defaults,
    .open = a3c_open,
    .close = a3c_close,
    .act = policy_gradient_act,
    .observe = policy_gradient_observe,
    .learn = a3c_learn,
    .parameters = policy_gradient_parameters,
    .saved_bytes = a3c_saved_bytes,
    .save = a3c_save,
    .load = a3c_load,
};
