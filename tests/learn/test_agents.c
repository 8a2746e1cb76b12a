/* Goal: what the agent interface promises holds for every class: same seed, same bits; a checkpoint in
 * mid-training loads into a fresh agent that goes on to the same bits; bytes that are no checkpoint are
 * refused and harm nothing; settings are checked by name and range. Method: one table of classes with a toy
 * each, trained for some hundred steps; whole saved states are compared. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/learn/scripted.h"
#include "tests/learn/toys.h"

struct kind {
    const char *class;
    const struct toy_kind *toy;
    const char *settings[TOY_SETTINGS_MAX][2];
};

static const struct kind kinds[] = {
    {"ppo", &toy_hybrid, {{"hidden", "6"}, {"horizon", "32"}}},
    {"ppo",
     &toy_mass,
     {{"hidden", "6"},
      {"horizon", "32"},
      {"normalise_observation", "1"},
      {"normalise_reward", "1"},
      {"anneal_rounds", "30"},
      {"uniform", "0.1"}}},
    {"a3c", &toy_hybrid, {{"hidden", "6"}}},
    {"a3c", &toy_corridor, {{"hidden", "6"}, {"adam", "1"}, {"critic_rate", "0.001"}}},
    {"reinforce", &toy_corridor, {{"hidden", "6"}, {"episodes", "3"}, {"horizon", "100"}}},
    {"reinforce", &toy_hybrid, {{"hidden", "6"}, {"baseline", "0"}}},
    {"q_table", &toy_corridor, {{"bins", "9"}, {"epsilon_steps", "300"}}},
    {"dqn",
     &toy_corridor,
     {{"hidden", "6"}, {"warm_up", "40"}, {"replay_capacity", "100"}, {"target_every", "7"}}},
    {"dqn", &toy_bandit, {{"hidden", "6"}, {"warm_up", "40"}, {"double", "0"}, {"target_every", "0"}}},
    {"ddpg", &toy_mass, {{"actor_hidden", "6"}, {"critic_hidden", "6"}, {"replay_capacity", "200"}}},
    {"sac",
     &toy_mass,
     {{"actor_hidden", "6"},
      {"critic_hidden", "6"},
      {"replay_capacity", "300"},
      {"batch", "8"},
      {"warm_up", "30"}}},
    {"random", &toy_hybrid, {{0}}},
    {"scripted", &toy_hybrid, {{0}}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct blob {
    uint8_t *data;
    size_t size;
};

static struct blob blob_of(const struct agent *agent) {
    struct blob blob = {.size = agent_saved_bytes(agent)};
    blob.data = malloc(blob.size);
    assert_non_null(blob.data);
    struct bytes_writer writer = bytes_writer_over(blob.data, blob.size);
    agent_save(agent, &writer);
    assert_true(!writer.failed && writer.used == blob.size);
    return blob;
}

static enum status load(struct agent *agent, const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct error error;
    enum status status = agent_load(agent, &reader, &error);
    assert_true(status == STATUS_OK || (status == STATUS_INVALID && error.text[0] != '\0'));
    return status;
}

/* The saved state after `steps` steps. */
static struct blob trained(const struct kind *kind, uint64_t seed, uint32_t steps) {
    struct agent *agent = toy_agent(kind->class, kind->toy, kind->settings, seed);
    struct toy toy = toy_open(kind->toy, 1);
    toy_train(&toy, agent, steps);
    struct blob blob = blob_of(agent);
    agent_close(agent);
    return blob;
}

static void the_same_seed_gives_the_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct blob a = trained(&kinds[i], 5, 500), b = trained(&kinds[i], 5, 500),
                    c = trained(&kinds[i], 6, 500);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        if (strcmp(kinds[i].class, "scripted") != 0)
            assert_true(a.size != c.size || memcmp(a.data, c.data, a.size) != 0);
        free(a.data);
        free(b.data);
        free(c.data);
    }
}

/* Saved at a step that is none of an update's, so that half a rollout, half an episode and a half-filled ring
 * count. */
static void training_resumes_to_the_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *kind = &kinds[i];
        for (uint32_t half = 0; half <= 333; half += 111) {
            struct blob whole = trained(kind, 5, 2 * half);
            struct agent *first = toy_agent(kind->class, kind->toy, kind->settings, 5);
            struct agent *second =
                toy_agent(kind->class, kind->toy, kind->settings, 99); /* other weights and streams */
            struct toy toy = toy_open(kind->toy, 1);
            toy_train(&toy, first, half);
            struct blob saved = blob_of(first);
            agent_close(first);
            assert_int_equal(load(second, saved.data, saved.size), STATUS_OK);
            toy_train(&toy, second, half);
            struct blob resumed = blob_of(second);
            if (resumed.size != whole.size || memcmp(resumed.data, whole.data, whole.size) != 0)
                fail_msg("%s on %s, saved at %u: other bits", kind->class, kind->toy->name, half);
            agent_close(second);
            free(whole.data);
            free(saved.data);
            free(resumed.data);
        }
    }
}

/* An agent that has refused a checkpoint may only be closed: a fresh one each time. */
static void refused(const struct kind *kind, const uint8_t *data, size_t size, const char *what) {
    struct agent *agent = toy_agent(kind->class, kind->toy, kind->settings, 5);
    if (load(agent, data, size) != STATUS_INVALID)
        fail_msg("%s: %s is taken for a checkpoint", kind->class, what);
    agent_close(agent);
}

static void damaged_checkpoints_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct blob blob = trained(&kinds[i], 5, 222);
        size_t stride = blob.size / 40 + 1;
        for (size_t cut = 0; cut < blob.size; cut += cut < 64 ? 1 : stride)
            refused(&kinds[i], blob.data, cut, "a piece");
        for (size_t at = 0; at < blob.size; at += at < 64 ? 1 : stride) {
            blob.data[at] ^= 0x10;
            refused(&kinds[i], blob.data, blob.size, "a damaged one");
            blob.data[at] ^= 0x10;
        }
        const struct kind *other = &kinds[strcmp(kinds[i].class, "random") == 0 ? 0 : KINDS - 2];
        refused(other, blob.data, blob.size, "one of another class");
        free(blob.data);
    }
}

/* Below the checksum: the state itself with single bytes changed. Some are still states; none may harm. */
static void a_changed_state_never_crashes(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *kind = &kinds[i];
        struct agent *source = toy_agent(kind->class, kind->toy, kind->settings, 5);
        struct toy toy = toy_open(kind->toy, 1);
        toy_train(&toy, source, 111);
        size_t size = source->class->saved_bytes(source);
        uint8_t *data = malloc(size + 1);
        assert_non_null(data);
        struct bytes_writer writer = bytes_writer_over(data, size);
        source->class->save(source, &writer);
        for (size_t at = 0; at < size; at += size / 150 + 1) {
            struct agent *agent = toy_agent(kind->class, kind->toy, kind->settings, 5);
            uint8_t kept = data[at];
            data[at] = (uint8_t)(kept + 1 + at % 250);
            struct bytes_reader reader = bytes_reader_over(data, size);
            struct toy copy = toy;
            if (agent->class->load(agent, &reader) == STATUS_OK)
                toy_train(&copy, agent, 2);
            data[at] = kept;
            agent_close(agent);
        }
        free(data);
        agent_close(source);
    }
}

static void a_checkpoint_of_another_shape_is_refused(void **state) {
    (void)state;
    static const struct kind small = {"ppo", &toy_hybrid, {{"hidden", "6"}, {"horizon", "32"}}},
                             large = {"ppo", &toy_hybrid, {{"hidden", "7"}, {"horizon", "32"}}},
                             tight = {"ppo", &toy_hybrid, {{"hidden", "6"}, {"horizon", "16"}}};
    struct blob blob = trained(&small, 5, 90); /* 26 steps of a rollout */
    refused(&large, blob.data, blob.size, "one of other layers");
    refused(&tight, blob.data, blob.size, "one of a longer rollout");
    free(blob.data);
}

/* -------------------------------------------------------------------------------------------- settings */

static void every_class_describes_its_settings(void **state) {
    (void)state;
    size_t count = 0;
    for (const struct agent_class *class; (class = agent_class_at(count)) != NULL; count++) {
        assert_ptr_equal(agent_class_find(class->name), class); /* no name twice */
        assert_true(strlen(class->name) < AGENT_NAME_MAX && class->text != NULL);
        char *config = calloc(1, class->config_bytes + 1);
        assert_non_null(config);
        class->defaults(config);
        assert_int_equal(agent_config_check(class, config, NULL), STATUS_OK);
        for (size_t i = 0; i < class->option_count; i++) {
            const struct agent_option *option = &class->options[i];
            assert_true(option->offset < class->config_bytes && option->text[0] != '\0');
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(option->name, class->options[k].name);
        }
        free(config);
    }
    assert_true(count >= 7);
    assert_null(agent_class_find("no such agent"));
}

static void settings_are_read_by_name_and_range(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
        enum status status;
    } cases[] = {{"hidden", "64,32", STATUS_OK},      {"hidden", "0", STATUS_OK},
                 {"hidden", "64,", STATUS_INVALID},   {"hidden", "1,2,3,4,5", STATUS_INVALID},
                 {"hidden", "1.5", STATUS_INVALID},   {"hidden", "0,3", STATUS_INVALID},
                 {"horizon", "128", STATUS_OK},       {"horizon", "12.5", STATUS_INVALID},
                 {"horizon", "0", STATUS_INVALID},    {"horizon", "-1", STATUS_INVALID},
                 {"horizon", "", STATUS_INVALID},     {"horizon", "12x", STATUS_INVALID},
                 {"lambda", "0.5", STATUS_OK},        {"lambda", "1.5", STATUS_INVALID},
                 {"lambda", "nan", STATUS_INVALID},   {"value_clip", "1", STATUS_OK},
                 {"value_clip", "2", STATUS_INVALID}, {"value_clip", "0.5", STATUS_INVALID},
                 {"no_such", "1", STATUS_INVALID}};
    const struct agent_class *class = agent_class_find("ppo");
    char *config = calloc(1, class->config_bytes);
    assert_non_null(config);
    class->defaults(config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        if (agent_config_set(class, config, cases[i].name, cases[i].text, &error) != cases[i].status)
            fail_msg("%s = \"%s\"", cases[i].name, cases[i].text);
    }
    free(config);
}

static void impossible_agents_are_refused_with_a_sentence(void **state) {
    (void)state;
    const struct agent_space none = {.observation_size = 1},
                             blind = {.discrete_count = 1, .discrete_sizes = {2}},
                             forced = {.observation_size = 1, .discrete_count = 1, .discrete_sizes = {1}},
                             numbers = {.observation_size = 1, .continuous_count = 1};
    static const struct {
        const char *class;
        int space;
    } cases[] = {{"ppo", 0}, {"ppo", 1}, {"ppo", 2}, {"dqn", 3}, {"q_table", 3}};
    const struct agent_space *spaces[] = {&none, &blind, &forced, &numbers};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct agent *agent = NULL;
        struct error error = {0};
        struct agent_setup setup = {.space = spaces[cases[i].space]};
        assert_int_equal(agent_open(&agent, agent_class_find(cases[i].class), &setup, &error),
                         STATUS_INVALID);
        assert_true(error.text[0] != '\0');
        agent_close(agent);
    }
}

/* --------------------------------------------------------------------------------- random and scripted */

static void random_actions_are_uniform(void **state) {
    (void)state;
    static const char *const settings[TOY_SETTINGS_MAX][2] = {{0}};
    struct agent *agent = toy_agent("random", &toy_hybrid, settings, 1);
    uint32_t counts[2][3] = {{0}}, positive = 0;
    for (int i = 0; i < 6000; i++) {
        uint32_t discrete[2];
        real continuous[1];
        const real observation[1] = {0};
        struct agent_action action = {discrete, continuous, 0};
        agent_act(agent, observation, AGENT_EXPLORE, &action);
        counts[0][discrete[0]]++;
        counts[1][discrete[1]]++;
        positive += continuous[0] > 0;
        assert_true(fabs((double)continuous[0]) <= 1);
        assert_true(fabs((double)action.log_probability + log(12.0)) < 1e-5);
    }
    for (int i = 0; i < 3; i++)
        assert_true(counts[1][i] > 2000 - 183 && counts[1][i] < 2000 + 183); /* five deviations */
    assert_true(counts[0][0] > 3000 - 194 && counts[0][0] < 3000 + 194);
    assert_true(positive > 3000 - 194 && positive < 3000 + 194);
    agent_close(agent);
}

static void mirror(void *context, const real *observation, struct agent_action *action) {
    ++*(int *)context;
    action->continuous[0] = -observation[0];
}

static void scripts_are_followed(void **state) {
    (void)state;
    int calls = 0;
    const uint32_t discrete_list[] = {0, 2, 1, 0};
    const real continuous_list[] = {(real)0.5, (real)-0.5};
    struct scripted_config called = {.callback = mirror, .context = &calls},
                           listed = {.list_discrete = discrete_list,
                                     .list_continuous = continuous_list,
                                     .list_count = 2};
    const struct scripted_config *configs[] = {&called, &listed};
    for (int i = 0; i < 2; i++) {
        struct agent *agent = NULL;
        struct agent_setup setup = {.space = &toy_hybrid.space, .config = configs[i]};
        assert_int_equal(agent_open(&agent, &scripted_class, &setup, NULL), STATUS_OK);
        for (int k = 0; k < 5; k++) {
            uint32_t discrete[2] = {9, 9};
            real continuous[1] = {9}, observation[1] = {(real)k};
            struct agent_action action = {discrete, continuous, 9};
            agent_act(agent, observation, AGENT_GREEDY, &action);
            assert_true(continuous[0] == (i == 0 ? -(real)k : continuous_list[k % 2]));
            assert_int_equal(discrete[1], i == 0 ? 0 : discrete_list[k % 2 * 2 + 1]);
        }
        agent_close(agent);
    }
    assert_int_equal(calls, 5);
    const uint32_t wrong[] = {0, 3};
    struct scripted_config bad = {.list_discrete = wrong, .list_count = 1};
    struct agent_setup setup = {.space = &toy_hybrid.space, .config = &bad};
    struct agent *agent = NULL;
    assert_int_equal(agent_open(&agent, &scripted_class, &setup, NULL), STATUS_INVALID);
    agent_close(agent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bits),
        cmocka_unit_test(training_resumes_to_the_same_bits),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(a_changed_state_never_crashes),
        cmocka_unit_test(a_checkpoint_of_another_shape_is_refused),
        cmocka_unit_test(every_class_describes_its_settings),
        cmocka_unit_test(settings_are_read_by_name_and_range),
        cmocka_unit_test(impossible_agents_are_refused_with_a_sentence),
        cmocka_unit_test(random_actions_are_uniform),
        cmocka_unit_test(scripts_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
