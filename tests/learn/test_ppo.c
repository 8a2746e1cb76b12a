/* Goal: PPO has every detail that is most often got wrong. Method: the loss on numbers worked out by hand,
 * and one agent observed from outside and in its plain struct. Each test names the mistake that it catches.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/learn/ppo.h"
#include "common/learn/ppo_workspace.h"
#include "common/learn/reduce.h"
#include "tests/learn/toys.h"

typedef const char *const settings_table[TOY_SETTINGS_MAX][2];

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

/* Acts and observes until a rollout is full; learns nothing. */
static void fill(struct toy *toy, struct ppo *ppo) {
    while (!ppo_ready(ppo)) {
        uint32_t discrete[4] = {0};
        real continuous[4] = {0}, before[TOY_SIZE_MAX];
        struct agent_action action = {discrete, continuous, 0};
        memcpy(before, toy->observation, sizeof before);
        agent_act(&ppo->agent, before, AGENT_EXPLORE, &action);
        toy->terminated = toy->truncated = false;
        toy->kind->step(toy, &action);
        struct agent_transition transition = {before,       toy->observation, action,
                                              &toy->reward, toy->terminated,  toy->truncated};
        agent_observe(&ppo->agent, &transition);
        if (toy->terminated || toy->truncated)
            toy->kind->reset(toy);
    }
}

static real *room(const struct ppo *ppo) {
    real *block = calloc(ppo->net.parameter_count, sizeof *block);
    assert_non_null(block);
    return block;
}

/* ------------------------------------------------------------------------------------------------ loss */

/* Two rows of a choice of two and a standard normal number; log p = log 1/2 - log(2 pi)/2 - a^2/2. */
struct rows {
    real outputs[6], log_std[1], values[2];
    uint32_t discrete[2];
    real continuous[2], old[2], advantages[2], returns[2], old_values[2];
    real d_outputs[6], d_log_std[1], d_values[2];
};

static struct ppo_loss loss_of(struct rows *rows, const struct ppo_loss_config *config) {
    static const struct agent_space space = {
        .observation_size = 1, .discrete_count = 1, .discrete_sizes = {2}, .continuous_count = 1};
    struct policy_head head = policy_head_of(&space);
    struct ppo_batch batch = {
        2,         rows->outputs,    rows->log_std, rows->values,    rows->discrete, rows->continuous,
        rows->old, rows->advantages, rows->returns, rows->old_values};
    struct ppo_slopes slopes = {rows->d_outputs, rows->d_log_std, rows->d_values};
    return ppo_loss(&head, config, &batch, &slopes);
}

/* Both ratios 1 at the start. */
static struct rows rows_plain(void) {
    struct rows rows = {.continuous = {0, 0}, .advantages = {1, 3}};
    rows.old[0] = rows.old[1] = (real)(-log(2.0) - 0.5 * log(2 * 3.14159265358979));
    return rows;
}

/* Catches: the deviation with n (here 1) instead of n - 1 (here sqrt 2); no 1e-8; no centring. */
static void advantages_are_normalised_with_the_unbiased_deviation(void **state) {
    (void)state;
    struct rows rows = rows_plain();
    struct ppo_loss_config config = {.clip = 0.2, .normalise_advantage = true};
    loss_of(&rows, &config);
    /* -A r / 2 by the chosen logit: (1 - 1/2) of it; A = -+ 1 / sqrt 2 */
    assert_near((double)rows.d_outputs[0], 0.25 / sqrt(2.0), 1e-6);
    assert_near((double)rows.d_outputs[3], -0.25 / sqrt(2.0), 1e-6);
    rows.advantages[0] = rows.advantages[1] = 7; /* no spread: 0, not a NaN */
    assert_near(loss_of(&rows, &config).policy, 0, 1e-6);
}

/* Catches: a ratio of one part of the action only; a product of clipped ratios; a ratio that is not of logs.
 */
static void the_ratio_is_that_of_the_whole_hybrid_action(void **state) {
    (void)state;
    struct rows rows = rows_plain();
    struct ppo_loss_config config = {.clip = 0.2};
    rows.outputs[0] = (real)log(1.5); /* p of choice 0: 0.6 instead of 0.5 */
    rows.outputs[2] = (real)0.5;      /* mean of a standard normal: density falls by exp(-1/8) */
    struct ppo_loss loss = loss_of(&rows, &config);
    double ratio = 0.6 / 0.5 * exp(-0.125); /* 1.059, within the clip; 1.2 alone would not be */
    assert_near(loss.policy, -(1 * ratio + 3 * 1) / 2, 1e-6);
    assert_near(loss.kl, (ratio - 1 - log(ratio)) / 2, 1e-6); /* catches: mean(-log r), or its sign */
    assert_near(loss.clip_fraction, 0, 0);
}

/* Catches: min instead of max of the losses, a clip that also stops what moves back towards ratio 1. */
static void clipping_takes_the_worse_of_both(void **state) {
    (void)state;
    static const struct {
        double ratio, advantage, loss;
        bool moves;
    } cases[] = {{1.5, 1, -1.2, false}, {1.5, -1, 1.5, true}, {0.5, 1, -0.5, true}, {0.5, -1, 0.8, false}};
    struct ppo_loss_config config = {.clip = 0.2};
    for (int i = 0; i < 4; i++) {
        struct rows rows = rows_plain();
        rows.old[0] -= (real)log(cases[i].ratio);
        rows.advantages[0] = (real)cases[i].advantage;
        rows.advantages[1] = 0;
        struct ppo_loss loss = loss_of(&rows, &config);
        assert_near(loss.policy, cases[i].loss / 2, 1e-6);
        assert_near(loss.clip_fraction, 0.5, 0);
        assert_true((rows.d_outputs[0] != 0) == cases[i].moves);
    }
}

/* Catches: a value loss without its half, with the smaller of both errors, with a gradient where it is
 * clipped. */
static void the_value_loss_takes_the_worse_of_both(void **state) {
    (void)state;
    struct rows rows = rows_plain();
    struct ppo_loss_config config = {.clip = 0.2, .value_coefficient = 1, .value_clip = true};
    rows.values[0] = 1; /* moved by 1 towards 2, allowed 0.2: error 1.8 counts, and holds still */
    rows.returns[0] = 2;
    rows.values[1] = 1; /* moved by 1 beyond 0: error 1 counts, not 0.2 */
    struct ppo_loss loss = loss_of(&rows, &config);
    assert_near(loss.value, 0.5 * (1.8 * 1.8 + 1) / 2, 1e-6);
    assert_true(rows.d_values[0] == 0);
    assert_near((double)rows.d_values[1], 0.5, 1e-6);
    config.value_clip = false;
    assert_near(loss_of(&rows, &config).value, 0.5 * (1 + 1) / 2, 1e-6);
}

/* Catches: p log p with p = 0, an exponential that overflows. */
static void certainty_makes_no_nan(void **state) {
    (void)state;
    struct rows rows = rows_plain();
    struct ppo_loss_config config = {.clip = 0.2, .entropy_coefficient = 1};
    rows.outputs[0] = rows.outputs[3] = 20000;
    struct ppo_loss loss = loss_of(&rows, &config);
    assert_true(isfinite(loss.total));
    for (int i = 0; i < 6; i++)
        assert_true(isfinite((double)rows.d_outputs[i]));
    assert_near(loss.entropy, 0.5 * (1 + log(2 * 3.14159265358979)), 1e-6); /* of the number alone */
}

/* ---------------------------------------------------------------------------------------------- acting */

/* Catches: the clipped action stored instead of the drawn one, a log-probability of the clipped one or of a
 * part, one computed anew after an update. Then ratios of the first gradient would not all be 1. */
static void the_first_ratios_of_a_round_are_1(void **state) {
    (void)state;
    static settings_table settings = {
        {"hidden", "8"}, {"horizon", "64"}, {"log_std", "1"}, {"minibatches", "1"}};
    struct agent *agent = toy_agent("ppo", &toy_hybrid, settings, 1);
    struct ppo *ppo = ppo_of(agent);
    struct toy toy = toy_open(&toy_hybrid, 1);
    toy_train(&toy, agent, 128); /* two rounds: parameters have moved */
    fill(&toy, ppo);
    uint32_t beyond = 0;
    for (uint32_t i = 0; i < 64; i++)
        beyond += fabs((double)ppo->rollout.continuous[i]) > 1;
    assert_true(beyond > 20);
    struct agent_report report = {0};
    real *gradient = room(ppo);
    ppo_begin(ppo);
    ppo_gradient(ppo, gradient, &report);
    assert_near(report.kl, 0, 1e-9);
    assert_near(report.clip_fraction, 0, 0);
    free(gradient);
    agent_close(agent);
}

/* Catches: normalisers that learn from evaluation, exploration that draws from the stream of evaluation, or
 * the other way round. Bytes of the whole agent are compared. */
static void evaluation_changes_nothing_but_its_own_stream(void **state) {
    (void)state;
    static settings_table settings = {
        {"hidden", "8"}, {"horizon", "32"}, {"normalise_observation", "1"}, {"normalise_reward", "1"}};
    struct agent *agent = toy_agent("ppo", &toy_hybrid, settings, 1),
                 *twin = toy_agent("ppo", &toy_hybrid, settings, 1);
    struct toy toy = toy_open(&toy_hybrid, 1), other = toy;
    size_t size = agent_saved_bytes(agent);
    toy_train(&toy, agent, 100);
    toy_train(&other, twin, 100);
    toy_evaluate(&toy_hybrid, agent, AGENT_GREEDY, 20);
    size = agent_saved_bytes(agent);
    uint8_t *bytes[2] = {calloc(1, size), calloc(1, size)};
    struct bytes_writer writers[2] = {bytes_writer_over(bytes[0], size), bytes_writer_over(bytes[1], size)};
    agent_save(agent, &writers[0]);
    agent_save(twin, &writers[1]);
    assert_memory_equal(bytes[0], bytes[1], size);
    struct normaliser *applied = &ppo_of(agent)->applied.observations;
    assert_true(applied->count == 96 && applied->mean[0] != 0); /* they are in use at all */
    toy_evaluate(&toy_hybrid, agent, AGENT_SAMPLE, 20);
    assert_true(applied->count == 96);
    toy_train(&toy, agent, 60);
    toy_train(&other, twin, 60);
    size_t count;
    const real *a = agent_parameters(agent, &count), *b = agent_parameters(twin, &count);
    assert_memory_equal(a, b, count * sizeof *a);
    free(bytes[0]);
    free(bytes[1]);
    agent_close(agent);
    agent_close(twin);
}

/* With probability 1/2 uniform: log-probabilities are those of the mixture. Catches: that of the policy
 * alone. */
static void a_mixed_action_stores_the_mixtures_log_probability(void **state) {
    (void)state;
    static settings_table settings = {{"hidden", "4"}, {"uniform", "0.5"}, {"log_std", "0"}};
    struct agent *agent = toy_agent("ppo", &toy_hybrid, settings, 1);
    struct ppo *ppo = ppo_of(agent);
    const real observation[1] = {1};
    for (int i = 0; i < 200; i++) {
        uint32_t discrete[2];
        real continuous[1];
        struct agent_action action = {discrete, continuous, 0};
        agent_act(agent, observation, AGENT_EXPLORE, &action);
        struct policy_point point = {actor_critic_outputs(&ppo->net, ppo->parameters, observation, 1),
                                     actor_critic_log_std(&ppo->net, ppo->parameters), discrete, continuous};
        double own = exp(policy_log_probability(&ppo->net.head, &point));
        double uniform = fabs((double)continuous[0]) <= 1 ? 1.0 / 12 : 0.0; /* 1/2 x 1/3 x 1/2 */
        assert_near((double)action.log_probability, log(0.5 * own + 0.5 * uniform), 1e-5);
    }
    agent_close(agent);
}

/* --------------------------------------------------------------------------------------------- rounds */

/* Catches: a bootstrap where the episode terminated, one from the next episode's first state, one from a
 * later critic; truncation that wins over termination. */
static void only_truncation_and_the_rollouts_end_ask_for_a_value(void **state) {
    (void)state;
    static settings_table settings = {{"hidden", "8"}, {"horizon", "4"}, {"minibatches", "1"}};
    struct agent *agent = toy_agent("ppo", &toy_corridor, settings, 1);
    struct ppo *ppo = ppo_of(agent);
    static const bool terminated[] = {false, true, true, false}, truncated[] = {true, false, true, false};
    for (int i = 0; i < 4; i++) {
        real here[1] = {(real)i}, next[1] = {(real)(10 + i)}, reward = 1;
        uint32_t discrete[1] = {1};
        struct agent_transition transition = {here,    next,          {discrete, NULL, 0},
                                              &reward, terminated[i], truncated[i]};
        agent_observe(agent, &transition);
        double value = (double)actor_critic_values(&ppo->net, ppo->parameters, next, 1)[0];
        assert_near((double)ppo->rollout.final_values[i], terminated[i] ? 0 : value, 0);
        assert_true(ppo->rollout.terminated[i] == terminated[i]);
        assert_true(ppo->rollout.truncated[i] == (truncated[i] && !terminated[i]));
    }
    ppo_begin(ppo);
    const real *returns = ppo->work->returns, *finals = ppo->rollout.final_values;
    assert_near((double)returns[0], 1 + 0.99 * (double)finals[0], 1e-6);
    assert_near((double)returns[1], 1, 1e-6);
    assert_near((double)returns[2], 1, 1e-6);
    assert_near((double)returns[3], 1 + 0.99 * (double)finals[3], 1e-6);
    agent_close(agent);
}

/* Catches: one order for all epochs, rows left out or seen twice in one. */
static void every_epoch_shuffles_and_sees_each_row_once(void **state) {
    (void)state;
    static settings_table settings = {
        {"hidden", "8"}, {"horizon", "24"}, {"minibatches", "3"}, {"epochs", "3"}};
    struct agent *agent = toy_agent("ppo", &toy_bandit, settings, 1);
    struct ppo *ppo = ppo_of(agent);
    struct toy toy = toy_open(&toy_bandit, 1);
    struct agent_report report = {0};
    uint32_t orders[3][24];
    real *gradient = room(ppo);
    fill(&toy, ppo);
    ppo_begin(ppo);
    for (uint32_t step = 0; step < ppo_step_count(ppo); step++) {
        ppo_gradient(ppo, gradient, &report);
        memcpy(orders[step / 3], ppo->work->order, sizeof orders[0]);
        for (uint32_t i = 0; i < 8; i++) { /* the minibatch is the step's part of the order */
            uint32_t row = ppo->work->order[step % 3 * 8 + i];
            assert_true(ppo->work->batch_old_log_probabilities[i] == ppo->rollout.log_probabilities[row]);
            assert_memory_equal(ppo->work->batch_observations + 3 * i, ppo->rollout.observations + 3 * row,
                                3 * sizeof(real));
        }
    }
    assert_memory_not_equal(orders[0], orders[1], sizeof orders[0]);
    assert_memory_not_equal(orders[1], orders[2], sizeof orders[0]);
    for (int epoch = 0; epoch < 3; epoch++) {
        uint32_t seen = 0;
        for (int i = 0; i < 24; i++)
            seen |= 1u << orders[epoch][i];
        assert_int_equal(seen, (1u << 24) - 1);
    }
    free(gradient);
    agent_close(agent);
}

/* Catches: advantages normalised over the rollout instead of the minibatch. In the bandit each row is an
 * episode of its own, so that other rewards in other minibatches must not matter. */
static void advantages_are_normalised_within_the_minibatch(void **state) {
    (void)state;
    static settings_table settings = {{"hidden", "8"}, {"horizon", "24"}, {"minibatches", "3"}};
    struct agent *agent = toy_agent("ppo", &toy_bandit, settings, 1);
    struct ppo *ppo = ppo_of(agent);
    struct toy toy = toy_open(&toy_bandit, 1);
    struct agent_report report = {0};
    real *once = room(ppo), *again = room(ppo);
    fill(&toy, ppo);
    ppo_begin(ppo);
    ppo_gradient(ppo, once, &report);
    for (uint32_t i = 8; i < 24; i++)
        ppo->rollout.rewards[ppo->work->order[i]] += 1000;
    agent_stream(agent, RANDOM_MINIBATCH, &ppo->minibatch); /* the same order again */
    ppo->in_round = false;
    ppo_begin(ppo);
    ppo_gradient(ppo, again, &report);
    assert_memory_equal(once, again, ppo->net.parameter_count * sizeof *once);
    free(once);
    free(again);
    agent_close(agent);
}

/* Catches: a norm per network instead of the global one, another bound, another epsilon, a learning rate that
 * is not the annealed one. The first step of Adam is rate g / (|g| + epsilon). */
static void a_step_is_clipped_globally_and_adam_has_epsilon_1e_5(void **state) {
    (void)state;
    static settings_table settings = {{"hidden", "8"},        {"horizon", "8"},
                                      {"minibatches", "1"},   {"anneal_rounds", "4"},
                                      {"actor_rate", "0.01"}, {"critic_rate", "0.04"}};
    struct agent *agent = toy_agent("ppo", &toy_hybrid, settings, 1);
    struct ppo *ppo = ppo_of(agent);
    struct toy toy = toy_open(&toy_hybrid, 1);
    struct agent_report report = {0};
    size_t last = ppo->net.parameter_count - 1;
    real *gradient = room(ppo), before[2] = {ppo->parameters[0], ppo->parameters[last]};
    fill(&toy, ppo);
    ppo->round = 1; /* of 4: three quarters of the rates are left */
    ppo_begin(ppo);
    gradient[0] = 300;        /* actor; the global norm is 500, so all is scaled by 1/1000 */
    gradient[last] = 400;     /* critic */
    gradient[1] = (real)0.02; /* 2e-5 after clipping: epsilon matters */
    real one = ppo->parameters[1];
    ppo_apply(ppo, gradient, &report);
    assert_near(report.gradient_norm, 500, 1e-3);
    assert_near((double)gradient[0], 0.3, 1e-6);
    assert_near((double)(before[0] - ppo->parameters[0]), 0.0075 * 0.3 / (0.3 + 1e-5), 1e-7);
    assert_near((double)(before[1] - ppo->parameters[last]), 0.03 * 0.4 / (0.4 + 1e-5), 1e-7);
    assert_near((double)(one - ppo->parameters[1]), 0.0075 * 2e-5 / (2e-5 + 1e-5), 1e-6);
    free(gradient);
    agent_close(agent);
}

/* ------------------------------------------------------------------------------------------- together */

#define WORKERS 4

static settings_table shared = {{"hidden", "8"},
                                {"horizon", "16"},
                                {"minibatches", "2"},
                                {"actor_rate", "0.01"},
                                {"normalise_observation", "1"},
                                {"normalise_reward", "1"}};

struct team {
    struct agent *agents[WORKERS];
    struct toy toys[WORKERS];
    real *gradient;
};

static void team_open(struct team *team, uint32_t workers) {
    for (uint32_t i = 0; i < workers; i++) {
        team->agents[i] = toy_agent("ppo", &toy_hybrid, shared, 1 + i);
        team->toys[i] = toy_open(&toy_hybrid, 1 + i);
        ppo_pull(ppo_of(team->agents[i]), ppo_of(team->agents[0])->parameters, 1.0);
    }
    team->gradient = room(ppo_of(team->agents[0]));
}

static void team_close(struct team *team, uint32_t workers) {
    for (uint32_t i = 0; i < workers; i++)
        agent_close(team->agents[i]);
    free(team->gradient);
}

static void team_statistics(struct team *team, uint32_t workers) {
    struct normaliser observations[WORKERS], returns[WORKERS];
    for (uint32_t i = 0; i < workers; i++) {
        struct ppo_statistics *pending = &ppo_of(team->agents[i])->pending;
        assert_int_equal(normaliser_init(&observations[i], pending->observations.size), STATUS_OK);
        assert_int_equal(normaliser_init(&returns[i], 1), STATUS_OK);
        normaliser_merge(&observations[i], &pending->observations);
        normaliser_merge(&returns[i], &pending->returns);
    }
    normaliser_merge_all(observations, workers);
    normaliser_merge_all(returns, workers);
    struct ppo_statistics merged = {observations[0], returns[0]};
    for (uint32_t i = 0; i < workers; i++)
        ppo_statistics_set(ppo_of(team->agents[i]), &merged);
    for (uint32_t i = 0; i < workers; i++) {
        normaliser_close(&observations[i]);
        normaliser_close(&returns[i]);
    }
}

/* One gradient step of all, summed as `processes` processes would, then divided. */
static void team_step(struct team *team, uint32_t workers, uint32_t processes, struct agent_report *report) {
    size_t count = ppo_of(team->agents[0])->net.parameter_count;
    struct reduce root, local;
    struct reduce_node node;
    assert_int_equal(reduce_init(&root, workers, count), STATUS_OK);
    assert_int_equal(reduce_init(&local, workers, count), STATUS_OK);
    for (uint32_t process = processes; process-- > 0;) {
        reduce_clear(&local);
        for (uint32_t i = 0; i < workers; i++)
            if (i * processes / workers == process) {
                ppo_gradient(ppo_of(team->agents[i]), team->gradient, report);
                assert_int_equal(reduce_add(&local, i, 1, team->gradient), STATUS_OK);
            }
        for (uint64_t at = 0; reduce_next(&local, at, &node); at = node.first + node.width)
            assert_int_equal(reduce_add(&root, node.first, node.width, node.values), STATUS_OK);
    }
    for (uint32_t i = 0; i < workers; i++) {
        for (size_t k = 0; k < count; k++)
            team->gradient[k] = reduce_result(&root)[k] / (real)workers;
        ppo_apply(ppo_of(team->agents[i]), team->gradient, report);
    }
    reduce_close(&root);
    reduce_close(&local);
}

static void team_round(struct team *team, uint32_t workers, uint32_t processes) {
    struct agent_report report = {0};
    for (uint32_t i = 0; i < workers; i++)
        fill(&team->toys[i], ppo_of(team->agents[i]));
    team_statistics(team, workers);
    for (uint32_t i = 0; i < workers; i++)
        ppo_begin(ppo_of(team->agents[i]));
    for (uint32_t step = ppo_step_count(ppo_of(team->agents[0])); step-- > 0;)
        team_step(team, workers, processes, &report);
    for (uint32_t i = 0; i < workers; i++)
        ppo_finish(ppo_of(team->agents[i]), &report);
}

/* Catches: a sum in the order of processes; statistics that differ between workers. */
static void workers_train_the_same_policy_however_they_are_spread(void **state) {
    (void)state;
    struct team team;
    real *expected = NULL;
    size_t count = 0;
    for (uint32_t processes = 1; processes <= WORKERS; processes++) {
        team_open(&team, WORKERS);
        for (int round = 0; round < 20; round++)
            team_round(&team, WORKERS, processes);
        const real *first = agent_parameters(team.agents[0], &count);
        for (uint32_t i = 1; i < WORKERS; i++)
            assert_memory_equal(agent_parameters(team.agents[i], &count), first, count * sizeof *first);
        const struct ppo_statistics *own = &ppo_of(team.agents[3])->applied,
                                    *others = &ppo_of(team.agents[0])->applied;
        assert_true(own->returns.count == 20 * 16 * WORKERS && own->observations.count == own->returns.count);
        assert_true(own->returns.squares[0] == others->returns.squares[0]);
        assert_true(own->observations.mean[0] == others->observations.mean[0]);
        if (expected == NULL) {
            expected = room(ppo_of(team.agents[0]));
            memcpy(expected, first, count * sizeof *first);
            assert_true(toy_evaluate(&toy_hybrid, team.agents[2], AGENT_GREEDY, 20) >
                        0.7); /* and they learn */
        }
        assert_memory_equal(first, expected, count * sizeof *first);
        team_close(&team, WORKERS);
    }
    free(expected);
}

static void a_worker_alone_does_what_agent_learn_does(void **state) {
    (void)state;
    struct team team;
    team_open(&team, 1);
    struct agent *alone = toy_agent("ppo", &toy_hybrid, shared, 1);
    struct toy toy = toy_open(&toy_hybrid, 1);
    toy_train(&toy, alone, 16 * 5);
    for (int round = 0; round < 5; round++)
        team_round(&team, 1, 1);
    size_t count;
    const real *a = agent_parameters(alone, &count), *b = agent_parameters(team.agents[0], &count);
    assert_memory_equal(a, b, count * sizeof *a);
    agent_close(alone);
    team_close(&team, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advantages_are_normalised_with_the_unbiased_deviation),
        cmocka_unit_test(the_ratio_is_that_of_the_whole_hybrid_action),
        cmocka_unit_test(clipping_takes_the_worse_of_both),
        cmocka_unit_test(the_value_loss_takes_the_worse_of_both),
        cmocka_unit_test(certainty_makes_no_nan),
        cmocka_unit_test(the_first_ratios_of_a_round_are_1),
        cmocka_unit_test(evaluation_changes_nothing_but_its_own_stream),
        cmocka_unit_test(a_mixed_action_stores_the_mixtures_log_probability),
        cmocka_unit_test(only_truncation_and_the_rollouts_end_ask_for_a_value),
        cmocka_unit_test(every_epoch_shuffles_and_sees_each_row_once),
        cmocka_unit_test(advantages_are_normalised_within_the_minibatch),
        cmocka_unit_test(a_step_is_clipped_globally_and_adam_has_epsilon_1e_5),
        cmocka_unit_test(workers_train_the_same_policy_however_they_are_spread),
        cmocka_unit_test(a_worker_alone_does_what_agent_learn_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
