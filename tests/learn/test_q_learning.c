/* Goal: Q-learning, in a table and with a network, has every detail that is most often got wrong. Method:
 * single steps worked out by hand, and agents whose table or network the test writes itself. Each test names
 * the mistake that it catches. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/learn/dqn.h"
#include "common/learn/q_table.h"
#include "tests/learn/toys.h"

typedef const char *const settings_table[TOY_SETTINGS_MAX][2];

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

/* --------------------------------------------------------------------------------------------- equations */

/* Catches: the maximum over the present state, the value of the action taken there (SARSA), no discount. */
static void the_target_is_the_best_action_of_the_next_state(void **state) {
    (void)state;
    real table[6] = {10, 20, 1, 2, 4, 3}; /* three cells of two actions */
    struct q_step step = {.cell = 0, .action = 0, .next_cell = 2, .reward = 5};
    double difference = q_update(table, 2, &step, 0.5, 0.25);
    assert_near(difference, 5 + 0.25 * 4 - 10, 1e-6);
    const real expected[6] = {10 - 2, 20, 1, 2, 4, 3};
    assert_memory_equal(table, expected, sizeof table);
}

/* Catches: a bootstrap where nothing follows. */
static void nothing_follows_a_terminal_step(void **state) {
    (void)state;
    real table[4] = {10, 20, 100, 200};
    struct q_step step = {.cell = 0, .action = 1, .next_cell = 1, .reward = 4, .terminated = true};
    q_update(table, 2, &step, 0.5, 0.9);
    assert_near((double)table[1], 12, 1e-6);
    const real next[4] = {7, 8, 9, 6}, rewards[2] = {1, 1};
    const uint8_t terminated[2] = {1, 0};
    const uint32_t actions[2] = {0, 0};
    struct dqn_batch batch = {2, 2, actions, rewards, terminated, next, NULL};
    real targets[2];
    dqn_targets(&batch, 0.5, targets);
    assert_near((double)targets[0], 1, 0);
    assert_near((double)targets[1], 1 + 0.5 * 9, 0);
}

/* Catches: a double target whose value comes from the network that chose, or whose choice from the one that
 * values. */
static void double_q_chooses_by_one_network_and_values_by_the_other(void **state) {
    (void)state;
    const real target_next[3] = {5, 1, 3}, online_next[3] = {0, 2, 9}, rewards[1] = {0};
    const uint8_t terminated[1] = {0};
    const uint32_t actions[1] = {0};
    struct dqn_batch batch = {1, 3, actions, rewards, terminated, target_next, online_next};
    real targets[1];
    dqn_targets(&batch, 1.0, targets);
    assert_near((double)targets[0], 3, 0);
    batch.online_next = NULL;
    dqn_targets(&batch, 1.0, targets);
    assert_near((double)targets[0], 5, 0);
}

/* Catches: a gradient that grows with the error, one that reaches other actions, a sum instead of the mean.
 */
static void huber_bounds_the_gradient_at_the_action_taken(void **state) {
    (void)state;
    const real values[4] = {0, 100, 0.5, 7}, targets[2] = {3, 0};
    const uint32_t actions[2] = {1, 0};
    struct dqn_batch batch = {.count = 2, .action_count = 2, .actions = actions};
    real d_values[4], scratch[4];
    double loss = dqn_loss(&batch, values, targets, 1.0, d_values, scratch);
    assert_near(loss, ((97 - 0.5) + 0.5 * 0.25) / 2, 1e-6);
    const real expected[4] = {0, 0.5, 0.25, 0};
    assert_memory_equal(d_values, expected, sizeof expected);
}

/* ------------------------------------------------------------------------------------- bins and choices */

/* Catches: closed upper ends, values outside the range that fall outside the table, NaN that becomes any
 * number. */
static void bins_are_half_open_and_clamped(void **state) {
    (void)state;
    const struct discretiser_axis axis = {-1, 1, 4};
    static const struct {
        double value;
        uint32_t bin;
    } cases[] = {{-1, 0},
                 {-0.5000001, 0},
                 {-0.5, 1},
                 {0, 2},
                 {0.4999999, 2},
                 {0.5, 3},
                 {0.99, 3},
                 {1, 3},
                 {1e300, 3},
                 {-1e300, 0},
                 {(double)INFINITY, 3},
                 {-(double)INFINITY, 0},
                 {(double)NAN, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (discretiser_bin(&axis, cases[i].value) != cases[i].bin)
            fail_msg("%g falls into bin %u", cases[i].value, discretiser_bin(&axis, cases[i].value));
}

static void each_combination_of_bins_has_a_cell_of_its_own(void **state) {
    (void)state;
    const struct discretiser_axis axes[2] = {{0, 3, 3}, {0, 2, 2}};
    struct discretiser discretiser;
    assert_int_equal(discretiser_init(&discretiser, axes, 2, 6), STATUS_OK);
    uint32_t seen = 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 2; b++) {
            const real row[2] = {(real)a, (real)b};
            seen |= 1u << discretiser_cell(&discretiser, row);
        }
    assert_int_equal(seen, 63);
    discretiser_close(&discretiser);
    assert_int_equal(discretiser_init(&discretiser, axes, 2, 5), STATUS_INVALID); /* too many */
    const struct discretiser_axis empty = {1, 1, 3}, none = {0, 1, 0};
    assert_int_equal(discretiser_init(&discretiser, &empty, 1, 99), STATUS_INVALID);
    assert_int_equal(discretiser_init(&discretiser, &none, 1, 99), STATUS_INVALID);
}

static void combined_choices_are_numbered_through(void **state) {
    (void)state;
    const struct agent_space space = {
        .observation_size = 1, .discrete_count = 3, .discrete_sizes = {2, 3, 4}};
    assert_int_equal(choice_count(&space, 24), 24);
    assert_int_equal(choice_count(&space, 23), 0);
    for (uint32_t i = 0; i < 24; i++) {
        uint32_t discrete[3];
        choice_split(&space, i, discrete);
        assert_true(discrete[0] < 2 && discrete[1] < 3 && discrete[2] < 4);
        assert_int_equal(choice_index(&space, discrete), i);
    }
}

/* ------------------------------------------------------------------------------------------- behaviour */

static uint32_t act(struct agent *agent, enum agent_mode mode) {
    const real observation[1] = {0};
    uint32_t discrete[1];
    struct agent_action action = {discrete, NULL, 0};
    agent_act(agent, observation, mode, &action);
    return discrete[0];
}

static const struct toy_kind five_choices = {
    "five choices", {.observation_size = 1, .discrete_count = 1, .discrete_sizes = {5}}, NULL, NULL};

/* Catches: ties that always go to one side in behaviour, or at random in evaluation. */
static void ties_are_broken_at_random_in_behaviour_only(void **state) {
    (void)state;
    static settings_table settings = {{"bins", "1"}, {"epsilon_begin", "0"}, {"epsilon_end", "0"}};
    struct agent *agent = toy_agent("q_table", &five_choices, settings, 1);
    struct q_table *q = (struct q_table *)agent;
    const real values[5] = {1, 3, 0, 3, 3};
    memcpy(q->table, values, sizeof values);
    uint32_t counts[2][5] = {{0}};
    for (int i = 0; i < 3000; i++) {
        counts[0][act(agent, AGENT_EXPLORE)]++;
        counts[1][act(agent, AGENT_SAMPLE)]++;
        assert_int_equal(act(agent, AGENT_GREEDY), 1);
    }
    for (int mode = 0; mode < 2; mode++) {
        assert_int_equal(counts[mode][0] + counts[mode][2], 0);
        for (int i = 1; i < 5; i += i == 1 ? 2 : 1) /* 1000 each; five deviations are 130 */
            assert_true(counts[mode][i] > 870 && counts[mode][i] < 1130);
    }
    agent_close(agent);
}

/* Catches: epsilon by episode or by every call, one that goes on falling or rises again, a random action that
 * leaves the best one out. */
static void epsilon_falls_by_exploring_step(void **state) {
    (void)state;
    const struct epsilon_config config = {1.0, 0.2, 100};
    assert_near(epsilon_at(&config, 0), 1.0, 0);
    assert_near(epsilon_at(&config, 50), 0.6, 1e-12);
    assert_near(epsilon_at(&config, 100), 0.2, 0);
    assert_near(epsilon_at(&config, UINT64_MAX), 0.2, 0);
    static settings_table settings = {
        {"bins", "1"}, {"epsilon_begin", "1"}, {"epsilon_end", "0.5"}, {"epsilon_steps", "10"}};
    struct agent *agent = toy_agent("q_table", &five_choices, settings, 1);
    struct q_table *q = (struct q_table *)agent;
    q->table[2] = 1;
    for (int i = 0; i < 7; i++) {
        act(agent, AGENT_EXPLORE);
        act(agent, AGENT_GREEDY);
        act(agent, AGENT_SAMPLE);
    }
    assert_int_equal(q->step, 7);
    uint32_t best = 0;
    for (int i = 0; i < 3; i++)
        act(agent, AGENT_EXPLORE);
    for (int i = 0; i < 5000; i++)
        best += act(agent, AGENT_EXPLORE) == 2;
    assert_true(best > 3000 - 175 && best < 3000 + 175); /* 0.5 + 0.5 / 5 of 5000, five deviations */
    agent_close(agent);
}

/* Catches: an episode cut off by time that is treated as ended. */
static void a_truncated_step_still_has_a_future(void **state) {
    (void)state;
    static settings_table settings = {{"bins", "2"}, {"rate", "1"}, {"discount", "0.5"}};
    for (int truncated = 0; truncated < 2; truncated++) {
        struct agent *agent = toy_agent("q_table", &five_choices, settings, 1);
        struct q_table *q = (struct q_table *)agent;
        const real here[1] = {-0.5}, next[1] = {0.5}, reward = 1;
        uint32_t discrete[1] = {3};
        q->table[5 + 2] = 8;
        struct agent_transition transition = {here,    next,           {discrete, NULL, 0},
                                              &reward, truncated == 0, truncated == 1};
        struct agent_report report;
        agent_observe(agent, &transition);
        agent_learn(agent, &report);
        assert_near((double)q->table[3], truncated == 1 ? 5 : 1, 1e-6);
        assert_int_equal(report.update_count, 1);
        agent_close(agent);
    }
}

/* Catches: a target network that moves with every update, or never. */
static void the_target_network_stands_still_between_copies(void **state) {
    (void)state;
    static settings_table settings = {
        {"hidden", "8"}, {"target_every", "10"}, {"warm_up", "40"}, {"batch", "8"}};
    struct agent *agent = toy_agent("dqn", &toy_corridor, settings, 1);
    struct dqn *dqn = (struct dqn *)agent;
    struct toy toy = toy_open(&toy_corridor, 1);
    size_t bytes = dqn->q.count * sizeof(real);
    real *before = malloc(bytes);
    assert_non_null(before);
    memcpy(before, dqn->q.target, bytes);
    toy_train(&toy, agent, 39);
    assert_int_equal(dqn->update_count, 0);
    assert_memory_equal(dqn->q.parameters, before, bytes); /* nothing learnt while warming up */
    for (int update = 1; update <= 30; update++) {
        toy_train(&toy, agent, 1);
        assert_int_equal(dqn->update_count, update);
        assert_memory_not_equal(dqn->q.parameters, before, bytes);
        if (update % 10 == 0) {
            assert_memory_equal(dqn->q.target, dqn->q.parameters, bytes);
            memcpy(before, dqn->q.target, bytes);
        } else {
            assert_memory_equal(dqn->q.target, before, bytes);
        }
    }
    free(before);
    agent_close(agent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_is_the_best_action_of_the_next_state),
        cmocka_unit_test(nothing_follows_a_terminal_step),
        cmocka_unit_test(double_q_chooses_by_one_network_and_values_by_the_other),
        cmocka_unit_test(huber_bounds_the_gradient_at_the_action_taken),
        cmocka_unit_test(bins_are_half_open_and_clamped),
        cmocka_unit_test(each_combination_of_bins_has_a_cell_of_its_own),
        cmocka_unit_test(combined_choices_are_numbered_through),
        cmocka_unit_test(ties_are_broken_at_random_in_behaviour_only),
        cmocka_unit_test(epsilon_falls_by_exploring_step),
        cmocka_unit_test(a_truncated_step_still_has_a_future),
        cmocka_unit_test(the_target_network_stands_still_between_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
