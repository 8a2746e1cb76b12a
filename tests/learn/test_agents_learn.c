/* Goal: agents learn. Method: tiny environments (toys.h) with a known best return; over five fixed seeds
 * every agent must come near it with its deterministic policy, and a random agent must not (so that the
 * threshold means something). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/learn/toys.h"

struct task {
    const struct toy_kind *toy;
    const char *class;
    const char *settings[TOY_SETTINGS_MAX][2]; /* name and value, up to a NULL name */
    uint32_t steps;
    double threshold; /* mean return of 20 episodes */
};

static void check(const struct task *task) {
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct agent *agent = toy_agent(task->class, task->toy, task->settings, seed);
        struct toy toy = toy_open(task->toy, seed);
        toy_train(&toy, agent, task->steps);
        double reached = toy_evaluate(task->toy, agent, AGENT_GREEDY, 20);
        if (getenv("TOY_PRINT") != NULL)
            print_message("%s on %s, seed %d: %.3f (threshold %.3f)\n", task->class, task->toy->name,
                          (int)seed, reached, task->threshold);
        else if (!(reached >= task->threshold))
            fail_msg("%s on %s, seed %d: return %.3f, threshold %.3f", task->class, task->toy->name,
                     (int)seed, reached, task->threshold);
        agent_close(agent);
    }
    const struct agent_class *class = agent_class_find("random");
    struct agent_setup setup = {.space = &task->toy->space, .seed = 1};
    struct agent *random = NULL;
    assert_int_equal(agent_open(&random, class, &setup, NULL), STATUS_OK);
    assert_true(toy_evaluate(task->toy, random, AGENT_GREEDY, 200) < task->threshold);
    agent_close(random);
}

static void ppo_learns_choices(void **state) {
    (void)state;
    const struct task bandit = {
        &toy_bandit, "ppo", {{"hidden", "16"}, {"horizon", "64"}, {"actor_rate", "0.01"}}, 4096, 0.9};
    const struct task corridor = {
        &toy_corridor, "ppo", {{"hidden", "16"}, {"horizon", "64"}, {"actor_rate", "0.005"}}, 8192, 0.75};
    check(&bandit);
    check(&corridor);
}

static void ppo_learns_numbers(void **state) {
    (void)state;
    const struct task mass = {&toy_mass,
                              "ppo",
                              {{"hidden", "16,16"},
                               {"horizon", "256"},
                               {"actor_rate", "0.005"},
                               {"epochs", "6"},
                               {"discount", "0.9"},
                               {"normalise_reward", "1"},
                               {"normalise_observation", "1"}},
                              20480,
                              -0.6};
    check(&mass);
}

static void ppo_learns_choices_and_numbers_together(void **state) {
    (void)state;
    const struct task hybrid = {
        &toy_hybrid, "ppo", {{"hidden", "16"}, {"horizon", "64"}, {"actor_rate", "0.01"}}, 8192, 0.85};
    check(&hybrid);
}

static void a3c_learns_choices_and_numbers(void **state) {
    (void)state;
    const struct task bandit = {&toy_bandit, "a3c", {{"hidden", "16"}, {"actor_rate", "0.005"}}, 4096, 0.9};
    const struct task corridor = {
        &toy_corridor, "a3c", {{"hidden", "16"}, {"actor_rate", "0.005"}}, 16384, 0.75};
    const struct task hybrid = {&toy_hybrid, "a3c", {{"hidden", "16"}, {"actor_rate", "0.005"}}, 8192, 0.85};
    check(&bandit);
    check(&corridor);
    check(&hybrid);
}

static void reinforce_learns_with_and_without_a_baseline(void **state) {
    (void)state;
    const struct task bandit = {
        &toy_bandit, "reinforce", {{"hidden", "16"}, {"actor_rate", "0.01"}, {"baseline", "0"}}, 8192, 0.9};
    const struct task corridor = {
        &toy_corridor, "reinforce", {{"hidden", "16"}, {"actor_rate", "0.01"}}, 16384, 0.75};
    check(&bandit);
    check(&corridor);
}

static void q_learning_learns_in_a_table(void **state) {
    (void)state;
    const struct task corridor = {
        &toy_corridor,
        "q_table",
        {{"low", "-0.125"}, {"high", "1.125"}, {"bins", "5"}, {"epsilon_steps", "2000"}},
        4096,
        0.75};
    const struct task bandit = {&toy_bandit,
                                "q_table",
                                {{"low", "0"}, {"high", "2"}, {"bins", "2"}, {"epsilon_steps", "1000"}},
                                2048,
                                0.9};
    check(&corridor);
    check(&bandit);
}

static void q_learning_learns_with_a_network(void **state) {
    (void)state;
    const struct task plain = {&toy_corridor,
                               "dqn",
                               {{"hidden", "32"},
                                {"double", "0"},
                                {"epsilon_steps", "2000"},
                                {"target_every", "50"},
                                {"warm_up", "200"},
                                {"discount", "0.9"}},
                               6000,
                               0.75};
    const struct task twice = {&toy_corridor,
                               "dqn",
                               {{"hidden", "32"},
                                {"double", "1"},
                                {"epsilon_steps", "2000"},
                                {"target_every", "50"},
                                {"warm_up", "200"},
                                {"discount", "0.9"}},
                               6000,
                               0.75};
    check(&plain);
    check(&twice);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ppo_learns_choices),
        cmocka_unit_test(ppo_learns_numbers),
        cmocka_unit_test(ppo_learns_choices_and_numbers_together),
        cmocka_unit_test(a3c_learns_choices_and_numbers),
        cmocka_unit_test(reinforce_learns_with_and_without_a_baseline),
        cmocka_unit_test(q_learning_learns_in_a_table),
        cmocka_unit_test(q_learning_learns_with_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
