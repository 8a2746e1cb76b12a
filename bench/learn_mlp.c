/* learn_mlp: training steps and forward passes of perceptrons, of the sizes that the agents use. */
#include <stdlib.h>
#include <string.h>

#include "bench/learn.h"
#include "common/base/memory.h"
#include "common/learn/loss.h"
#include "common/learn/mlp.h"
#include "common/learn/optimiser.h"

#define BATCH 64

/* A network, a batch, and what a training step needs. */
struct net {
    struct mlp mlp;
    struct mlp_trace trace;
    struct optimiser optimiser;
    real *parameters, *gradients, *x, *target, *dy; /* owned */
    uint32_t batch;
};

static void draw(struct random_stream *stream, real *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (real)random_normal(stream);
}

static real *room(size_t count) {
    return memory_grow(NULL, count, sizeof(real), "a benchmark");
}

static bool net_open(struct net *net, struct mlp mlp, uint32_t batch) {
    static const struct initialiser initialiser = {INITIALISER_ORTHOGONAL, 1.0};
    struct optimiser_config adam = optimiser_adam(1e-4);
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_BENCH);
    size_t count = mlp_parameter_count(&mlp);
    size_t in = (size_t)batch * mlp_input_size(&mlp), out = (size_t)batch * mlp_output_size(&mlp);
    *net = (struct net){.mlp = mlp, .batch = batch, .parameters = room(count), .gradients = room(count)};
    net->x = room(in), net->target = room(out), net->dy = room(out);
    mlp_initialise(&mlp, &initialiser, &initialiser, &stream, net->parameters);
    draw(&stream, net->x, in);
    draw(&stream, net->target, out);
    return mlp_trace_open(&net->trace, &mlp, batch) == STATUS_OK &&
           optimiser_init(&net->optimiser, &adam, count) == STATUS_OK;
}

static void net_close(struct net *net) {
    mlp_trace_close(&net->trace);
    optimiser_close(&net->optimiser);
    real *const blocks[] = {net->parameters, net->gradients, net->x, net->target, net->dy};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

/* Forward, mean squared error, backward, Adam. */
static void net_train(struct net *net) {
    const real *y = mlp_forward(&net->mlp, net->parameters, net->x, net->batch, &net->trace);
    loss_mean_squared(y, net->target, (size_t)net->batch * mlp_output_size(&net->mlp), net->dy);
    mlp_backward(&net->mlp, net->parameters, net->x, net->dy, net->batch, &net->trace, net->gradients, NULL);
    optimiser_step(&net->optimiser, net->parameters, net->gradients);
}

static void *open_net(struct mlp mlp, uint32_t batch) {
    struct net *net = memory_grow(NULL, 1, sizeof *net, "a benchmark");
    if (net_open(net, mlp, batch))
        return net;
    net_close(net);
    free(net);
    return NULL;
}

static void close_net(void *context) {
    net_close(context);
    free(context);
}

static void step_train(void *context) {
    net_train(context);
}

static void *open_ppo(void) {
    static const uint32_t sizes[] = {32, 64, 64, 8};
    return open_net(mlp_of(sizes, 3, ACTIVATION_TANH, ACTIVATION_NONE), BATCH);
}

static void *open_maddpg_actor(void) {
    static const uint32_t sizes[] = {32, 64, 512, 4};
    return open_net(mlp_of(sizes, 3, ACTIVATION_RELU, ACTIVATION_TANH), BATCH);
}

static void *open_maddpg_critic(void) {
    static const uint32_t sizes[] = {1728, 64, 512, 1};
    return open_net(mlp_of(sizes, 3, ACTIVATION_RELU, ACTIVATION_NONE), BATCH);
}

static void *open_forward(void) {
    static const uint32_t sizes[] = {32, 64, 64, 64, 16};
    return open_net(mlp_of(sizes, 4, ACTIVATION_RELU, ACTIVATION_NONE), 1);
}

static void step_forward(void *context) {
    struct net *net = context;
    const real *y = mlp_forward(&net->mlp, net->parameters, net->x, 1, &net->trace);
    __asm__ volatile("" : : "r"(y) : "memory"); /* the result is wanted */
}

/* A DDPG update of hidden layers 24, 16 with n = 8 tasks: critic step, actor step through the critic, soft
 * updates. */
#define TASKS 8
#define STATE (2 * TASKS)
#define ACTION (4 * TASKS)

struct ddpg {
    struct net actor, critic;
    real *target_actor, *target_critic, *joint, *dx, *ones; /* owned */
};

static void *open_ddpg(void) {
    static const uint32_t actor[] = {STATE, 24, 16, ACTION}, critic[] = {STATE + ACTION, 24, 16, 1};
    struct ddpg *ddpg = memory_grow(NULL, 1, sizeof *ddpg, "a benchmark");
    bool opened = net_open(&ddpg->actor, mlp_of(actor, 3, ACTIVATION_RELU, ACTIVATION_TANH), BATCH);
    opened = net_open(&ddpg->critic, mlp_of(critic, 3, ACTIVATION_RELU, ACTIVATION_NONE), BATCH) && opened;
    size_t actor_count = mlp_parameter_count(&ddpg->actor.mlp),
           critic_count = mlp_parameter_count(&ddpg->critic.mlp);
    ddpg->target_actor = room(actor_count), ddpg->target_critic = room(critic_count);
    memcpy(ddpg->target_actor, ddpg->actor.parameters, actor_count * sizeof(real));
    memcpy(ddpg->target_critic, ddpg->critic.parameters, critic_count * sizeof(real));
    ddpg->joint = room((size_t)BATCH * (STATE + ACTION)), ddpg->dx = room((size_t)BATCH * (STATE + ACTION));
    ddpg->ones = room(BATCH);
    for (size_t i = 0; i < BATCH; i++)
        ddpg->ones[i] = (real)(-1.0 / BATCH);
    if (!opened)
        abort(); /* a few kilobytes */
    return ddpg;
}

static void close_ddpg(void *context) {
    struct ddpg *ddpg = context;
    net_close(&ddpg->actor);
    net_close(&ddpg->critic);
    real *const blocks[] = {ddpg->target_actor, ddpg->target_critic, ddpg->joint, ddpg->dx, ddpg->ones};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(ddpg);
}

/* joint = [state | action] */
static void join(const real *state, const real *action, real *joint) {
    for (size_t row = 0; row < BATCH; row++) {
        memcpy(joint + row * (STATE + ACTION), state + row * STATE, STATE * sizeof(real));
        memcpy(joint + row * (STATE + ACTION) + STATE, action + row * ACTION, ACTION * sizeof(real));
    }
}

static void step_ddpg(void *context) {
    struct ddpg *ddpg = context;
    struct net *actor = &ddpg->actor, *critic = &ddpg->critic;
    const real *action = mlp_forward(&actor->mlp, ddpg->target_actor, actor->x, BATCH, &actor->trace);
    join(actor->x, action, ddpg->joint);
    const real *value = mlp_forward(&critic->mlp, ddpg->target_critic, ddpg->joint, BATCH, &critic->trace);
    for (size_t i = 0; i < BATCH; i++)
        critic->target[i] = critic->x[i] + (real)0.99 * value[i];
    net_train(critic);
    action = mlp_forward(&actor->mlp, actor->parameters, actor->x, BATCH, &actor->trace);
    join(actor->x, action, ddpg->joint);
    mlp_forward(&critic->mlp, critic->parameters, ddpg->joint, BATCH, &critic->trace);
    mlp_backward(&critic->mlp, critic->parameters, ddpg->joint, ddpg->ones, BATCH, &critic->trace, NULL,
                 ddpg->dx);
    for (size_t row = 0; row < BATCH; row++)
        memcpy(actor->dy + row * ACTION, ddpg->dx + row * (STATE + ACTION) + STATE, ACTION * sizeof(real));
    mlp_backward(&actor->mlp, actor->parameters, actor->x, actor->dy, BATCH, &actor->trace, actor->gradients,
                 NULL);
    optimiser_step(&actor->optimiser, actor->parameters, actor->gradients);
    soft_update(ddpg->target_actor, actor->parameters, mlp_parameter_count(&actor->mlp), 0.01);
    soft_update(ddpg->target_critic, critic->parameters, mlp_parameter_count(&critic->mlp), 0.01);
}

const struct learn_row learn_rows_mlp[] = {
    {"mlp-forward", "forward pass of 32-64-64-64-16, batch 1", 20, 50, open_forward, step_forward, close_net},
    {"ppo-step", "training step of 32-64-64-8 with Adam, batch 64", 551, 15, open_ppo, step_train, close_net},
    {"ddpg-nets", "DDPG update of 16-24-16-32 and 48-24-16-1, batch 64, networks alone", 1475, 25, open_ddpg,
     step_ddpg, close_ddpg},
    {"maddpg-actor", "training step of 32-64-512-4 with Adam, batch 64", 1200, 4, open_maddpg_actor,
     step_train, close_net},
    {"maddpg-critic", "training step of 1728-64-512-1 with Adam, batch 64", 2000, 3, open_maddpg_critic,
     step_train, close_net},
    {0},
};
