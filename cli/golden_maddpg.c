/* golden_maddpg: one agent's part of a round of MADDPG with importance weights: target, critic step, actor
 * step against the updated critic, soft updates. */
#include <string.h>

#include "cli/golden_checks.h"
#include "common/learn/maddpg.h"

/* As the file's note says. */
#define SELF 1
#define DISCOUNT 0.95
#define TAU 0.01
#define RATE 1e-2

/* Networks are lists W0, b0, W1, b1, ... with W [out][in]. */
static void read_network(struct golden *golden, struct golden_node node, const struct mlp *mlp,
                         real *parameters) {
    for (uint32_t layer = 0; layer < mlp->layer_count && !golden->failed; layer++) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
        real *at = parameters + mlp_layer_offset(mlp, layer);
        const real *weight = golden_weight(golden, golden_at(golden, node, 2 * layer), NULL, in, out);
        const real *bias = golden_reals(golden, golden_at(golden, node, 2 * layer + 1), NULL, out);
        if (golden->failed)
            return;
        memcpy(at, weight, in * out * sizeof *at);
        memcpy(at + in * out, bias, out * sizeof *at);
    }
}

static void expect_network(struct golden *golden, struct golden_node node, const struct mlp *mlp,
                           const real *got) {
    for (uint32_t layer = 0; layer < mlp->layer_count; layer++) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
        const real *at = got + mlp_layer_offset(mlp, layer);
        golden_expect_weight(golden, golden_at(golden, node, 2 * layer), NULL, at, in, out);
        golden_expect(golden, golden_at(golden, node, 2 * layer + 1), NULL, at + in * out, out);
    }
}

/* Sizes of the hidden layers of such a list. */
static struct agent_layers read_hidden(struct golden *golden, struct golden_node node) {
    size_t entries = golden_length(golden, node);
    struct agent_layers hidden = {0};
    if (!golden->failed && (entries < 4 || entries % 2 != 0 || entries > 2 * (AGENT_LAYERS_MAX + 1)))
        golden_refuse(golden, node, "expected W0, b0, ... of 2 to %d layers", AGENT_LAYERS_MAX + 1);
    for (size_t i = 1; i + 2 < entries && !golden->failed; i += 2) {
        size_t size = golden_tensor(golden, golden_at(golden, node, i), NULL).count;
        if (size == 0)
            golden_refuse(golden, golden_at(golden, node, i), "expected at least one value");
        hidden.sizes[hidden.count++] = (uint32_t)size;
    }
    return hidden;
}

struct shapes {
    uint32_t agents, batch, states, actions; /* of one agent */
};

static struct shapes read_shapes(struct golden *golden, struct golden_node root) {
    struct golden_tensor states = golden_tensor(golden, root, "S"),
                         actions = golden_tensor(golden, root, "U");
    size_t agents = golden_length(golden, golden_get(golden, golden_get(golden, root, "init"), "actors"));
    if (!golden->failed && (agents <= SELF || states.rank != 2 || actions.rank != 2 || states.count == 0 ||
                            actions.count == 0 || states.shape[0] != actions.shape[0] ||
                            states.shape[1] % agents != 0 || actions.shape[1] % agents != 0))
        golden_refuse(golden, root, "expected S and U with one row a transition, for %d or more agents",
                      SELF + 1);
    if (golden->failed)
        return (struct shapes){0};
    return (struct shapes){.agents = (uint32_t)agents,
                           .batch = (uint32_t)states.shape[0],
                           .states = (uint32_t)(states.shape[1] / agents),
                           .actions = (uint32_t)(actions.shape[1] / agents)};
}

static struct maddpg *open_agents(struct golden *golden, struct golden_node root,
                                  const struct shapes *shapes) {
    struct golden_node init = golden_get(golden, root, "init");
    struct maddpg_config config;
    maddpg_class.defaults(&config);
    config.actor_hidden = read_hidden(golden, golden_at(golden, golden_get(golden, init, "actors"), SELF));
    config.critic_hidden = read_hidden(golden, golden_get(golden, init, "critic"));
    config.actor_rate = config.critic_rate = RATE;
    config.discount = DISCOUNT;
    config.tau = TAU;
    config.batch = shapes->batch;
    config.replay_capacity = shapes->batch + 1;
    config.store_once = false;
    struct agent_space space = {.observation_size = shapes->agents * shapes->states,
                                .continuous_count = shapes->agents * shapes->actions,
                                .actor_count = shapes->agents};
    struct agent *agent = NULL;
    struct error error = {0};
    const struct agent_setup setup = {.space = &space, .config = &config};
    if (!golden->failed && agent_open(&agent, &maddpg_class, &setup, &error) != STATUS_OK)
        golden_refuse(golden, root, "%s", error.text);
    if (!golden->failed)
        return (struct maddpg *)agent;
    agent_close(agent);
    return NULL;
}

static void read_networks(struct golden *golden, struct golden_node init, struct maddpg *maddpg) {
    struct golden_node actors = golden_get(golden, init, "actors");
    struct golden_node targets = golden_get(golden, init, "target_actors");
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        struct learner *actor = &maddpg->agents[i].actor;
        read_network(golden, golden_at(golden, actors, i), &actor->mlp, actor->parameters);
        read_network(golden, golden_at(golden, targets, i), &actor->mlp, actor->target);
    }
    struct learner *critic = &maddpg->agents[SELF].critic;
    read_network(golden, golden_get(golden, init, "critic"), &critic->mlp, critic->parameters);
    read_network(golden, golden_get(golden, init, "target_critic"), &critic->mlp, critic->target);
}

/* The minibatch as the whole content of replay, in order. */
static void read_minibatch(struct golden *golden, struct golden_node root, struct maddpg *maddpg) {
    size_t batch = maddpg->config.batch, agents = maddpg->agent_count;
    size_t states = maddpg->agent.space.observation_size, actions = maddpg->agent.space.continuous_count;
    const real *state = golden_reals(golden, root, "S", batch * states);
    const real *next = golden_reals(golden, root, "S2", batch * states);
    const real *action = golden_reals(golden, root, "U", batch * actions);
    const real *reward = golden_reals(golden, root, "R", batch);
    const real *weight = golden_reals(golden, root, "is_weight", batch);
    const uint8_t *done = golden_flags(golden, root, "done", batch);
    real *rewards = golden_room(golden, agents);
    for (size_t k = 0; k < batch && !golden->failed; k++) {
        rewards[SELF] = reward[k];
        struct agent_transition one = {.observation = state + k * states,
                                       .next_observation = next + k * states,
                                       .reward = rewards,
                                       .terminated = done[k] != 0};
        maddpg_observe(maddpg, &one, action + k * actions);
        maddpg->experience.slots[k] = (uint32_t)k;
        maddpg->experience.weights[k] = weight[k];
    }
}

static void check_round(struct golden *golden, struct golden_node root, struct maddpg *maddpg) {
    struct maddpg_agent *self = &maddpg->agents[SELF];
    uint32_t batch = maddpg->config.batch;
    real *td = golden_room(golden, batch);
    maddpg_prepare(maddpg);
    maddpg_step_critic(maddpg, SELF);
    for (uint32_t k = 0; k < batch; k++)
        td[k] = maddpg->q[k] - maddpg->target[k];
    golden_expect(golden, root, "target", maddpg->target, batch);
    golden_expect(golden, root, "td", td, batch);
    golden_expect_number(golden, root, "critic_loss", self->critic_loss);
    expect_network(golden, golden_get(golden, root, "critic_grads"), &self->critic.mlp, maddpg->gradients);
    expect_network(golden, golden_get(golden, root, "critic_after"), &self->critic.mlp,
                   self->critic.parameters);
    maddpg_step_actor(maddpg, SELF);
    golden_expect_number(golden, root, "actor_loss", self->actor_loss);
    expect_network(golden, golden_get(golden, root, "actor_grads"), &self->actor.mlp, maddpg->gradients);
    expect_network(golden, golden_get(golden, root, "actor_after"), &self->actor.mlp, self->actor.parameters);
    learner_follow(&self->critic, maddpg->config.tau);
    learner_follow(&self->actor, maddpg->config.tau);
    expect_network(golden, golden_get(golden, root, "target_critic_after"), &self->critic.mlp,
                   self->critic.target);
    expect_network(golden, golden_get(golden, root, "target_actor_after"), &self->actor.mlp,
                   self->actor.target);
}

void golden_check_maddpg(struct golden *golden, struct golden_node root) {
    struct shapes shapes = read_shapes(golden, root);
    if (golden->failed)
        return;
    struct maddpg *maddpg = open_agents(golden, root, &shapes);
    if (maddpg == NULL)
        return;
    read_networks(golden, golden_get(golden, root, "init"), maddpg);
    read_minibatch(golden, root, maddpg);
    if (!golden->failed)
        check_round(golden, root, maddpg);
    agent_close(&maddpg->agent);
}
