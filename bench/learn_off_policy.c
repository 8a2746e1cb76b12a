/* learn_off_policy: whole updates of the agents that learn from replay: draw, gather, targets, steps of all
 * networks, soft updates. */
#include <stdlib.h>

#include "bench/learn.h"
#include "common/base/memory.h"
#include "common/learn/ddpg.h"
#include "common/learn/maddpg.h"
#include "common/learn/sac.h"

#define FILL 1024 /* transitions in replay */

static void draw(struct random_stream *stream, real *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (real)(2.0 * random_uniform(stream) - 1.0);
}

/* Random transitions, each going on where the last one ended. */
static void fill(struct agent *agent) {
    const struct agent_space *space = &agent->space;
    size_t states = space->observation_size, actors = space->actor_count;
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_BENCH);
    real *chain = memory_grow(NULL, states * (FILL + 1), sizeof *chain, "a benchmark");
    real *rewards = memory_grow(NULL, actors, sizeof *rewards, "a benchmark");
    struct agent_transition transition = {.reward = rewards};
    if (agent_action_open(&transition.action, space) != STATUS_OK)
        abort(); /* a few kilobytes */
    draw(&stream, chain, states * (FILL + 1));
    for (size_t i = 0; i < FILL; i++) {
        transition.observation = chain + i * states;
        transition.next_observation = chain + (i + 1) * states;
        draw(&stream, rewards, actors);
        draw(&stream, transition.action.continuous, space->continuous_count);
        agent_observe(agent, &transition);
    }
    agent_action_close(&transition.action);
    free(rewards);
    free(chain);
}

static void *open_agent(const struct agent_class *class, const struct agent_space *space,
                        const void *config) {
    const struct agent_setup setup = {.space = space, .config = config, .seed = 1};
    struct agent *agent = NULL;
    if (agent_open(&agent, class, &setup, NULL) != STATUS_OK) {
        agent_close(agent);
        return NULL;
    }
    fill(agent);
    return agent;
}

static void close_agent(void *context) {
    agent_close(context);
}

static void *open_ddpg(void) {
    static const struct agent_space space = {.observation_size = 16, .continuous_count = 32};
    struct ddpg_config config;
    ddpg_class.defaults(&config);
    config.replay_capacity = FILL;
    return open_agent(&ddpg_class, &space, &config);
}

static void step_ddpg(void *context) {
    ddpg_update(context);
}

#define AGENTS 48

static void *open_maddpg(void) {
    static const struct agent_space space = {
        .observation_size = 32 * AGENTS, .continuous_count = 4 * AGENTS, .actor_count = AGENTS};
    struct maddpg_config config;
    maddpg_class.defaults(&config);
    config.replay_capacity = 2 * FILL;
    return open_agent(&maddpg_class, &space, &config);
}

static void step_maddpg(void *context) {
    maddpg_update(context);
}

static void *open_sac(void) {
    static const struct agent_space space = {.observation_size = 210, .continuous_count = 220};
    struct sac_config config;
    sac_class.defaults(&config);
    config.actor_hidden = config.critic_hidden = (struct agent_layers){3, {1024, 1024, 1024}};
    config.batch = 512;
    config.replay_capacity = FILL;
    return open_agent(&sac_class, &space, &config);
}

static void step_sac(void *context) {
    sac_update(context);
}

const struct learn_row learn_rows_off_policy[] = {
    {"ddpg", "DDPG update of 16-24-16-32 and 48-24-16-1, batch 64", 1475, 25, open_ddpg, step_ddpg,
     close_agent},
    {"maddpg-round", "MADDPG round of 48 agents, 32-64-512-4 and 1728-64-512-1, batch 64, prioritised",
     660000, 4, open_maddpg, step_maddpg, close_agent},
    {"sac", "SAC update of 210 -> 220 numbers, hidden layers 3 x 1024, batch 512", 448000, 1.3, open_sac,
     step_sac, close_agent},
    {0},
};
