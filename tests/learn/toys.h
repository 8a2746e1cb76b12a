/* toys: tiny deterministic environments that a learner must master in seconds, and the loops around them.
 * Works in both precisions. Include after <cmocka.h>. */
#ifndef TIERBED_TESTS_LEARN_TOYS_H
#define TIERBED_TESTS_LEARN_TOYS_H

#include <string.h>

#include "common/learn/agent.h"

#define TOY_SIZE_MAX 4

struct toy;

/* One environment; copying the struct copies its state. */
struct toy_kind {
    const char *name;
    struct agent_space space;
    void (*reset)(struct toy *toy);
    void (*step)(struct toy *toy, const struct agent_action *action); /* sets observation, reward, flags */
};

struct toy {
    const struct toy_kind *kind;
    struct random_stream stream;
    uint32_t time; /* in the episode */
    double state[2];
    real observation[TOY_SIZE_MAX];
    real reward;
    bool terminated, truncated;
};

static inline struct toy toy_open(const struct toy_kind *kind, uint64_t seed) {
    struct toy toy = {.kind = kind};
    random_init(&toy.stream, seed, 0, RANDOM_TEST);
    kind->reset(&toy);
    return toy;
}

/* ------------------------------------------------------------------------------------------ corridor */

/* Five cells in a row; choice 1 goes right, 0 left. Reaching the right end pays 1 and ends the episode, each
 * step costs 0.05, after 20 steps time is up. Best return from the left end: 1 - 4 x 0.05 = 0.8. */
static inline void corridor_see(struct toy *toy) {
    toy->observation[0] = (real)(toy->state[0] / 4.0);
}
static inline void corridor_reset(struct toy *toy) {
    toy->time = 0;
    toy->state[0] = 0;
    corridor_see(toy);
}
static inline void corridor_step(struct toy *toy, const struct agent_action *action) {
    toy->state[0] = fmax(0.0, toy->state[0] + (action->discrete[0] == 1 ? 1.0 : -1.0));
    toy->terminated = toy->state[0] >= 4.0;
    toy->truncated = ++toy->time >= 20;
    toy->reward = (real)((toy->terminated ? 1.0 : 0.0) - 0.05);
    corridor_see(toy);
}
static const struct toy_kind toy_corridor = {
    "corridor",
    {.observation_size = 1, .discrete_count = 1, .discrete_sizes = {2}},
    corridor_reset,
    corridor_step};

/* -------------------------------------------------------------------------------------------- bandit */

/* Three contexts, three choices; the choice that equals the context pays 1. Each episode is one step. */
static inline void bandit_reset(struct toy *toy) {
    toy->state[0] = (double)random_below(&toy->stream, 3);
    for (int i = 0; i < 3; i++)
        toy->observation[i] = toy->state[0] == i ? (real)1 : (real)0;
}
static inline void bandit_step(struct toy *toy, const struct agent_action *action) {
    toy->reward = (double)action->discrete[0] == toy->state[0] ? (real)1 : (real)0;
    toy->terminated = true;
}
static const struct toy_kind toy_bandit = {
    "bandit", {.observation_size = 3, .discrete_count = 1, .discrete_sizes = {3}}, bandit_reset, bandit_step};

/* -------------------------------------------------------------------------------------------- hybrid */

/* Two contexts. Two choices and a number must fit: choice 0 = context, choice 1 = 2 - context, number =
 * +-0.5. Pays 1/2 for each right choice, less the squared error of the number; at best 1. Each episode is one
 * step. */
static inline void hybrid_reset(struct toy *toy) {
    toy->state[0] = (double)random_below(&toy->stream, 2);
    toy->observation[0] = toy->state[0] > 0 ? (real)1 : (real)-1;
}
static inline void hybrid_step(struct toy *toy, const struct agent_action *action) {
    double error = (double)agent_clip(action->continuous[0]) - 0.5 * (double)toy->observation[0];
    double right = ((double)action->discrete[0] == toy->state[0] ? 0.5 : 0.0) +
                   ((double)action->discrete[1] == 2.0 - toy->state[0] ? 0.5 : 0.0);
    toy->reward = (real)(right - error * error);
    toy->terminated = true;
}
static const struct toy_kind toy_hybrid = {
    "hybrid",
    {.observation_size = 1, .discrete_count = 2, .discrete_sizes = {2, 3}, .continuous_count = 1},
    hybrid_reset,
    hybrid_step};

/* ---------------------------------------------------------------------------------------- point mass */

/* A mass on a line, pushed by a number in [-1, 1]; each of 20 steps costs the squared distance from 0. Never
 * terminates, always truncated. Doing nothing costs about 20 x 0.33 = 6.7, a good policy 0.1. */
static inline void mass_see(struct toy *toy) {
    toy->observation[0] = (real)toy->state[0];
    toy->observation[1] = (real)toy->state[1];
}
static inline void mass_reset(struct toy *toy) {
    toy->time = 0;
    toy->state[0] = 2.0 * random_uniform(&toy->stream) - 1.0;
    toy->state[1] = 0;
    mass_see(toy);
}
static inline void mass_step(struct toy *toy, const struct agent_action *action) {
    toy->state[1] = 0.5 * toy->state[1] + 0.5 * (double)agent_clip(action->continuous[0]);
    toy->state[0] += toy->state[1];
    toy->reward = (real)(-toy->state[0] * toy->state[0]);
    toy->truncated = ++toy->time >= 20;
    mass_see(toy);
}
static const struct toy_kind toy_mass = {
    "point mass", {.observation_size = 2, .continuous_count = 1}, mass_reset, mass_step};

/* --------------------------------------------------------------------------------------------- loops */

#define TOY_SETTINGS_MAX 12

/* An agent for the environment; settings: names and values, up to a NULL name. The caller closes it. */
static inline struct agent *toy_agent(const char *name, const struct toy_kind *kind,
                                      const char *const settings[TOY_SETTINGS_MAX][2], uint64_t seed) {
    const struct agent_class *class = agent_class_find(name);
    struct error error;
    assert_non_null(class);
    char *config = calloc(1, class->config_bytes + 1);
    assert_non_null(config);
    class->defaults(config);
    for (int i = 0; i < TOY_SETTINGS_MAX && settings[i][0] != NULL; i++)
        if (agent_config_set(class, config, settings[i][0], settings[i][1], &error) != STATUS_OK)
            fail_msg("%s", error.text);
    struct agent_setup setup = {.space = &kind->space, .config = config, .seed = seed, .id = 3};
    struct agent *agent = NULL;
    if (agent_open(&agent, class, &setup, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    free(config);
    return agent;
}

/* One step of acting, and of learning unless `mode` is one of evaluation. Returns the reward. */
static inline double toy_advance(struct toy *toy, struct agent *agent, enum agent_mode mode,
                                 struct agent_report *report) {
    uint32_t discrete[4] = {0};
    real continuous[4] = {0}, before[TOY_SIZE_MAX];
    struct agent_action action = {.discrete = discrete, .continuous = continuous};
    memcpy(before, toy->observation, sizeof before);
    agent_act(agent, before, mode, &action);
    toy->terminated = toy->truncated = false;
    toy->kind->step(toy, &action);
    real reward = toy->reward;
    struct agent_transition transition = {before,  toy->observation, action,
                                          &reward, toy->terminated,  toy->truncated};
    if (mode == AGENT_EXPLORE) {
        agent_observe(agent, &transition);
        agent_learn(agent, report);
    }
    if (toy->terminated || toy->truncated)
        toy->kind->reset(toy);
    return (double)reward;
}

static inline void toy_train(struct toy *toy, struct agent *agent, uint32_t steps) {
    struct agent_report report;
    for (uint32_t i = 0; i < steps; i++)
        toy_advance(toy, agent, AGENT_EXPLORE, &report);
}

/* Mean return of `episodes` whole episodes. */
static inline double toy_evaluate(const struct toy_kind *kind, struct agent *agent, enum agent_mode mode,
                                  uint32_t episodes) {
    struct toy toy = toy_open(kind, 4711);
    struct agent_report report;
    double total = 0;
    for (uint32_t i = 0; i < episodes;) {
        total += toy_advance(&toy, agent, mode, &report);
        i += toy.terminated || toy.truncated;
    }
    return total / episodes;
}

#endif
