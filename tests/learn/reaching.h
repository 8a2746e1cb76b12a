/* reaching: tiny deterministic tasks for agents that learn from replay.
 *
 * One point at x wants to be at y; or two points, an actor each, want to meet: then y is where the other one
 * is. Observation of a point (x, y); its action a moves x by 0.25 a, a clipped to [-1, 1]; its reward is -|x
 * - y|. Episodes are cut off after 10 steps, so the best return from a distance d is about -sum max(0, d -
 * 0.25 k). With `hybrid` a choice of two is part of the action: the point moves only when the choice says on
 * which side y lies. */
#ifndef TIERBED_TESTS_LEARN_REACHING_H
#define TIERBED_TESTS_LEARN_REACHING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/agent.h"

#define REACHING_STEPS 10
#define REACHING_EPISODES 50 /* of an evaluation */

enum reaching_kind { REACHING_POINT, REACHING_HYBRID, REACHING_MEETING };

struct reaching {
    enum reaching_kind kind;
    struct random_stream stream;
    uint32_t points, step;
    double x[2], y;
};

static inline uint32_t reaching_points(enum reaching_kind kind) {
    return kind == REACHING_MEETING ? 2 : 1;
}

static inline struct agent_space reaching_space(enum reaching_kind kind) {
    uint32_t points = reaching_points(kind);
    struct agent_space space = {
        .observation_size = 2 * points, .continuous_count = points, .actor_count = points};
    if (kind == REACHING_HYBRID) {
        space.discrete_count = 1;
        space.discrete_sizes[0] = 2;
    }
    return space;
}

static inline void reaching_begin(struct reaching *task) {
    for (uint32_t i = 0; i < 2; i++)
        task->x[i] = 2.0 * random_uniform(&task->stream) - 1.0;
    task->y = 2.0 * random_uniform(&task->stream) - 1.0;
    task->step = 0;
}

static inline struct reaching reaching_open(uint64_t seed, enum reaching_kind kind) {
    struct reaching task = {.kind = kind, .points = reaching_points(kind)};
    random_init(&task.stream, seed, 0, RANDOM_TEST);
    reaching_begin(&task);
    return task;
}

static inline double reaching_goal(const struct reaching *task, uint32_t point) {
    return task->kind == REACHING_MEETING ? task->x[1 - point] : task->y;
}

static inline void reaching_observe(const struct reaching *task, real *observation) {
    for (uint32_t i = 0; i < task->points; i++) {
        observation[2 * i] = (real)task->x[i];
        observation[2 * i + 1] = (real)reaching_goal(task, i);
    }
}

/* Carries the action out; rewards [points]. */
static inline void reaching_act(struct reaching *task, const struct agent_action *action, real *rewards) {
    uint32_t side = task->y > task->x[0];
    for (uint32_t i = 0; i < task->points; i++)
        if (task->kind != REACHING_HYBRID || action->discrete[0] == side)
            task->x[i] += 0.25 * (double)agent_clip(action->continuous[i]);
    for (uint32_t i = 0; i < task->points; i++)
        rewards[i] = (real)-fabs(task->x[i] - reaching_goal(task, i));
    task->step++;
}

/* `steps` steps of training; the task goes on where it was. */
static inline void reaching_train(struct reaching *task, struct agent *agent, uint32_t steps) {
    struct agent_transition transition = {0};
    struct agent_report report;
    real before[4], after[4], rewards[2];
    assert_int_equal(agent_action_open(&transition.action, &agent->space), STATUS_OK);
    for (uint32_t i = 0; i < steps; i++) {
        reaching_observe(task, before);
        agent_act(agent, before, AGENT_EXPLORE, &transition.action);
        reaching_act(task, &transition.action, rewards);
        reaching_observe(task, after);
        transition.observation = before;
        transition.next_observation = after;
        transition.reward = rewards;
        transition.truncated = task->step == REACHING_STEPS;
        agent_observe(agent, &transition);
        agent_learn(agent, &report);
        if (transition.truncated)
            reaching_begin(task);
    }
    agent_action_close(&transition.action);
}

/* Mean return of the first point over 50 episodes, always the same ones. */
static inline double reaching_evaluate(struct agent *agent, enum reaching_kind kind, enum agent_mode mode) {
    struct reaching task = reaching_open(4242, kind);
    struct agent_action action;
    real observation[4], rewards[2];
    double sum = 0;
    assert_int_equal(agent_action_open(&action, &agent->space), STATUS_OK);
    for (uint32_t i = 0; i < REACHING_EPISODES * REACHING_STEPS; i++) {
        reaching_observe(&task, observation);
        agent_act(agent, observation, mode, &action);
        reaching_act(&task, &action, rewards);
        sum += (double)rewards[0];
        if (task.step == REACHING_STEPS)
            reaching_begin(&task);
    }
    agent_action_close(&action);
    return sum / REACHING_EPISODES;
}

/* ------------------------------------------------------------------------------------------ checkpoints */

struct saved {
    uint8_t *data; /* owned */
    size_t size;
};

static inline struct saved save_agent(const struct agent *agent) {
    struct saved saved = {.size = agent_saved_bytes(agent)};
    saved.data = malloc(saved.size);
    assert_non_null(saved.data);
    struct bytes_writer writer = bytes_writer_over(saved.data, saved.size);
    agent_save(agent, &writer);
    assert_false(writer.failed);
    assert_int_equal(writer.used, saved.size);
    return saved;
}

static inline void assert_same_state(const struct agent *one, const struct agent *other) {
    struct saved a = save_agent(one), b = save_agent(other);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    free(a.data);
    free(b.data);
}

static inline struct agent *open_agent_of(const char *class_name, const struct agent_space *space,
                                          const void *config, uint64_t seed) {
    struct agent *agent = NULL;
    struct error error = {0};
    const struct agent_class *class = agent_class_find(class_name);
    assert_non_null(class);
    const struct agent_setup setup = {.space = space, .config = config, .seed = seed, .id = 3};
    if (agent_open(&agent, class, &setup, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    return agent;
}

static inline struct agent *open_agent(const char *class_name, const struct agent_space *space,
                                       const void *config) {
    return open_agent_of(class_name, space, config, 11);
}

/* 2 N steps are N steps, save, load into a fresh agent, N steps: bit for bit. And twice 2 N steps are the
 * same. */
static inline void check_resume(const char *class_name, const void *config, enum reaching_kind kind,
                                uint32_t steps) {
    struct agent_space space = reaching_space(kind);
    struct reaching whole = reaching_open(5, kind), parts = reaching_open(5, kind);
    struct agent *straight = open_agent(class_name, &space, config);
    struct agent *first = open_agent(class_name, &space, config),
                 *second = open_agent(class_name, &space, config);
    reaching_train(&whole, straight, 2 * steps);
    reaching_train(&parts, first, steps);
    struct saved saved = save_agent(first);
    struct bytes_reader reader = bytes_reader_over(saved.data, saved.size);
    assert_int_equal(agent_load(second, &reader, NULL), STATUS_OK);
    reaching_train(&parts, second, steps);
    assert_same_state(straight, second);
    free(saved.data);
    agent_close(straight);
    agent_close(first);
    agent_close(second);
}

/* Cut anywhere or with a byte changed, a state is refused (or, past the checksum, at least survived). */
static inline void check_damage(const char *class_name, const void *config, enum reaching_kind kind,
                                uint32_t steps) {
    struct agent_space space = reaching_space(kind);
    struct reaching task = reaching_open(5, kind);
    struct agent *agent = open_agent(class_name, &space, config);
    reaching_train(&task, agent, steps);
    size_t size = agent->class->saved_bytes(agent);
    uint8_t *data = malloc(size);
    assert_non_null(data);
    struct bytes_writer writer = bytes_writer_over(data, size);
    agent->class->save(agent, &writer);
    for (size_t cut = 0; cut < size; cut += 1 + size / 97) {
        struct bytes_reader reader = bytes_reader_over(data, cut);
        assert_int_equal(agent->class->load(agent, &reader), STATUS_INVALID);
    }
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    for (int i = 0; i < 200; i++) {
        size_t at = random_below(&stream, size);
        uint8_t kept = data[at];
        data[at] ^= (uint8_t)(1 + random_below(&stream, 255));
        struct bytes_reader reader = bytes_reader_over(data, size);
        (void)agent->class->load(agent, &reader);
        data[at] = kept;
    }
    struct bytes_reader reader = bytes_reader_over(data, size);
    assert_int_equal(agent->class->load(agent, &reader), STATUS_OK);
    free(data);
    agent_close(agent);
}

#endif
