/* Goal: one update of SAC is what sac.h says, for numbers, choices by expectation and straight-through;
 * squashed log-probabilities hold where tanh is saturated. Method: targets, losses and gradients computed
 * again from their definition, gradients by central differences at fixed noise. */
#include "tests/learn/gradient.h"

#include <string.h>

#include "common/learn/sac.h"
#include "common/learn/squashed.h"

#define BATCH 5
#define STATES 3
#define NUMBERS 2
#define LOGITS 5 /* heads of 2 and 3 */
#define OUTPUTS (LOGITS + 2 * NUMBERS)
#define JOINT 6

static struct sac *open_sac(bool straight, double critic_rate) {
    static const struct agent_space space = {.observation_size = STATES,
                                             .discrete_count = 2,
                                             .discrete_sizes = {2, 3},
                                             .continuous_count = NUMBERS};
    struct sac_config config;
    sac_class.defaults(&config);
    config.actor_hidden = config.critic_hidden = (struct agent_layers){2, {7, 6}};
    config.actor_rate = 0;
    config.critic_rate = critic_rate;
    config.output_range = 0.9;
    config.batch = BATCH;
    config.replay_capacity = 20;
    config.discount = 0.9;
    config.tau = 0;
    config.temperature = 0.3;
    config.straight_through = straight;
    config.log_std_min = -0.4; /* some are clamped, some not */
    config.log_std_max = 0.3;
    struct agent *agent;
    const struct agent_setup setup = {.space = &space, .config = &config, .seed = 5};
    assert_int_equal(agent_open(&agent, &sac_class, &setup, NULL), STATUS_OK);
    struct sac *sac = (struct sac *)agent;
    for (int which = 0; which < 2; which++) /* targets of their own */
        for (size_t i = 0; i < sac->critics[which].count; i++)
            sac->critics[which].target[i] *= which == 0 ? 0.8 : 1.2;
    sac->log_temperature[SAC_CHOICES] = log(0.2);
    return sac;
}

static void fill(struct sac *sac) {
    struct random_stream stream;
    struct agent_action action;
    real state[STATES], next[STATES], reward;
    random_init(&stream, 8, 0, RANDOM_TEST);
    assert_int_equal(agent_action_open(&action, &sac->agent.space), STATUS_OK);
    for (uint32_t k = 0; k < 10; k++) {
        for (int i = 0; i < STATES; i++) {
            state[i] = random_normal(&stream);
            next[i] = random_normal(&stream);
        }
        reward = random_normal(&stream);
        agent_act(&sac->agent, state, AGENT_EXPLORE, &action);
        agent_observe(&sac->agent, &(struct agent_transition){.observation = state,
                                                              .next_observation = next,
                                                              .action = action,
                                                              .reward = &reward,
                                                              .terminated = k % 3 == 0,
                                                              .truncated = k % 3 == 1});
    }
    agent_action_close(&action);
    for (uint32_t k = 0; k < BATCH; k++)
        sac->experience.slots[k] = k + 1;
}

/* One state's policy from its definition. */
struct point {
    double p[LOGITS], log_p[LOGITS], action[NUMBERS], entropy, log_probability;
};

static void softmax(const double *logits, int size, double *p, double *log_p) {
    double sum = 0;
    for (int i = 0; i < size; i++)
        sum += exp(logits[i]);
    for (int i = 0; i < size; i++) {
        p[i] = exp(logits[i]) / sum;
        log_p[i] = log(p[i]);
    }
}

static struct point point_of(const struct sac *sac, const real *state, const real *noise) {
    struct point point = {0};
    struct mlp_trace trace;
    assert_int_equal(mlp_trace_open(&trace, &sac->actor.mlp, 1), STATUS_OK);
    const real *output = mlp_forward(&sac->actor.mlp, sac->actor.parameters, state, 1, &trace);
    softmax(output, 2, point.p, point.log_p);
    softmax(output + 2, 3, point.p + 2, point.log_p + 2);
    for (int i = 0; i < LOGITS; i++)
        point.entropy -= point.p[i] * point.log_p[i];
    for (int i = 0; i < NUMBERS; i++) {
        double mean = output[LOGITS + i], log_std = fmin(fmax(output[LOGITS + NUMBERS + i], -0.4), 0.3);
        double u = mean + exp(log_std) * noise[i], a = tanh(u);
        point.action[i] = a;
        point.log_probability +=
            -0.5 * noise[i] * noise[i] - log_std - 0.5 * log(2 * 3.14159265358979323846) - log(1 - a * a);
    }
    mlp_trace_close(&trace);
    return point;
}

/* Q of all combinations, or of `choice` (straight-through), at numbers `action`. */
static void q_of(const struct sac *sac, const real *parameters, const real *state, const real *choice,
                 const real *action, real *q) {
    real input[STATES + LOGITS + NUMBERS];
    size_t at = STATES, choices = sac->policy.straight ? LOGITS : 0;
    struct mlp_trace trace;
    memcpy(input, state, STATES * sizeof *input);
    memcpy(input + at, choice, choices * sizeof *input);
    memcpy(input + at + choices, action, NUMBERS * sizeof *input);
    assert_int_equal(mlp_trace_open(&trace, &sac->critics[0].mlp, 1), STATUS_OK);
    const real *y = mlp_forward(&sac->critics[0].mlp, parameters, input, 1, &trace);
    memcpy(q, y, sac->policy.joint_count * sizeof *q);
    mlp_trace_close(&trace);
}

/* sum over combinations of p min Q (expectation), or min Q of the sample. */
static double value_of(const struct sac *sac, const real *const parameters[2], const real *state,
                       const struct point *point, const real *choice) {
    real first[JOINT], second[JOINT];
    double sum = 0;
    q_of(sac, parameters[0], state, choice, point->action, first);
    q_of(sac, parameters[1], state, choice, point->action, second);
    if (sac->policy.straight)
        return fmin(first[0], second[0]);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            sum += point->p[i] * point->p[2 + j] * fmin(first[3 * i + j], second[3 * i + j]);
    return sum;
}

static double target_of(const struct sac *sac, uint32_t row) {
    const struct replay *replay = &sac->experience.replay;
    uint32_t slot = sac->experience.slots[row];
    const real *next = replay_next_state(replay, slot);
    const real *const targets[2] = {sac->critics[0].target, sac->critics[1].target};
    struct point point = point_of(sac, next, sac->next.noise + (size_t)row * NUMBERS);
    double value = value_of(sac, targets, next, &point, sac->next.choice + (size_t)row * LOGITS);
    value += 0.2 * point.entropy - 0.3 * point.log_probability;
    return *replay_reward(replay, slot) + (slot % 3 == 0 ? 0 : 0.9 * value);
}

static const real *state_of(const struct sac *sac, uint32_t row) {
    return sac->experience.replay.states + sac->experience.slots[row] * STATES;
}

static double second_critic_loss(void *context) {
    struct sac *sac = context;
    double sum = 0;
    for (uint32_t row = 0; row < BATCH; row++) {
        real q[JOINT];
        const real *code =
            sac->experience.replay.actions + (size_t)sac->experience.slots[row] * (LOGITS + NUMBERS);
        q_of(sac, sac->critics[1].parameters, state_of(sac, row), code, code + LOGITS, q);
        int taken = sac->policy.straight ? 0 : 3 * (code[1] > 0) + (code[3] > 0 ? 1 : code[4] > 0 ? 2 : 0);
        sum += pow(q[taken] - sac->target[row], 2);
    }
    return sum / BATCH;
}

/* The actor's loss at fixed noise. Straight-through: its choice enters by the slope of min Q in the one-hot
 * sample, times the probabilities. */
struct actor_case {
    struct sac *sac;
    double slope[BATCH][LOGITS], p[BATCH][LOGITS];
};

static double actor_loss(void *context) {
    const struct actor_case *one = context;
    const struct sac *sac = one->sac;
    const real *const critics[2] = {sac->critics[0].parameters, sac->critics[1].parameters};
    double sum = 0;
    for (uint32_t row = 0; row < BATCH; row++) {
        const real *choice = sac->draw.choice + (size_t)row * LOGITS;
        struct point point = point_of(sac, state_of(sac, row), sac->draw.noise + (size_t)row * NUMBERS);
        sum -= value_of(sac, critics, state_of(sac, row), &point, choice);
        sum -= 0.2 * point.entropy - 0.3 * point.log_probability;
        for (int i = 0; i < LOGITS; i++)
            sum -= one->slope[row][i] * (point.p[i] - one->p[row][i]);
    }
    return sum / BATCH;
}

static void linearise(struct actor_case *one) {
    const struct sac *sac = one->sac;
    const real *const critics[2] = {sac->critics[0].parameters, sac->critics[1].parameters};
    for (uint32_t row = 0; row < BATCH && sac->policy.straight; row++) {
        real choice[LOGITS];
        struct point point = point_of(sac, state_of(sac, row), sac->draw.noise + (size_t)row * NUMBERS);
        memcpy(choice, sac->draw.choice + (size_t)row * LOGITS, sizeof choice);
        memcpy(one->p[row], point.p, sizeof point.p);
        for (int i = 0; i < LOGITS; i++) {
            double kept = choice[i];
            choice[i] = kept + 1e-6;
            one->slope[row][i] = value_of(sac, critics, state_of(sac, row), &point, choice) / 2e-6;
            choice[i] = kept - 1e-6;
            one->slope[row][i] -= value_of(sac, critics, state_of(sac, row), &point, choice) / 2e-6;
            choice[i] = kept;
        }
    }
}

static void check_update(bool straight) {
    struct sac *sac = open_sac(straight, 0.0);
    fill(sac);
    sac_prepare(sac);
    sac_find_targets(sac);
    for (uint32_t row = 0; row < BATCH; row++)
        assert_true(fabs(sac->target[row] - target_of(sac, row)) < 1e-12);
    sac_step_critics(sac);
    struct gradient_case critic = {.loss = second_critic_loss,
                                   .context = sac,
                                   .values = sac->critics[1].parameters,
                                   .gradient = sac->gradients,
                                   .count = sac->critics[1].count,
                                   .name = "critic"};
    assert_gradient(&critic);
    sac_step_actor(sac);
    struct actor_case one = {.sac = sac};
    linearise(&one);
    assert_true(fabs(sac->actor_loss - actor_loss(&one)) < 1e-12);
    struct gradient_case actor = {.loss = actor_loss,
                                  .context = &one,
                                  .values = sac->actor.parameters,
                                  .gradient = sac->gradients,
                                  .count = sac->actor.count,
                                  .name = "actor"};
    assert_gradient(&actor);
    agent_close(&sac->agent);
}

static void an_update_with_choices_by_expectation_is_right(void **state) {
    (void)state;
    check_update(false);
}

static void an_update_with_choices_straight_through_is_right(void **state) {
    (void)state;
    check_update(true);
}

static void both_critics_are_the_smaller_somewhere(void **state) {
    (void)state;
    /* Without this the checks above would not see which of the two is taken. */
    struct sac *sac = open_sac(false, 0.0);
    int smaller[2] = {0, 0}, target_smaller[2] = {0, 0};
    fill(sac);
    sac_prepare(sac);
    sac_find_targets(sac);
    const real *first = sac->critic_traces[0].values[3], *second = sac->critic_traces[1].values[3];
    for (int j = 0; j < BATCH * JOINT; j++)
        target_smaller[first[j] > second[j]]++;
    sac_step_critics(sac);
    sac_step_actor(sac);
    for (int j = 0; j < BATCH * JOINT; j++)
        smaller[sac->d_value[0][j] == 0]++;
    assert_true(smaller[0] > 0 && smaller[1] > 0 && target_smaller[0] > 0 && target_smaller[1] > 0);
    agent_close(&sac->agent);
}

static void some_standard_deviations_are_clamped_and_carry_no_gradient(void **state) {
    (void)state;
    struct sac *sac = open_sac(false, 0.0);
    int clamped = 0, free_ones = 0;
    fill(sac);
    sac_update_drawn(sac);
    const real *outputs = sac->actor_trace.values[3];
    for (int row = 0; row < BATCH; row++)
        for (int i = 0; i < NUMBERS; i++) {
            int at = row * OUTPUTS + LOGITS + NUMBERS + i;
            bool outside = outputs[at] < -0.4 || outputs[at] > 0.3;
            assert_true((sac->d_outputs[at] == 0) == outside);
            clamped += outside;
            free_ones += !outside;
        }
    assert_true(clamped > 0 && free_ones > 0);
    agent_close(&sac->agent);
}

static void the_actor_is_rated_by_critics_after_their_step_and_moves_none(void **state) {
    (void)state;
    struct sac *sac = open_sac(false, 0.01);
    fill(sac);
    size_t count = sac->critics[0].count + sac->critics[1].count;
    double *before = malloc(count * sizeof *before);
    assert_non_null(before);
    memcpy(before, sac->critics[0].parameters, count * sizeof *before); /* one block */
    sac->config.temperature_fixed = true;
    sac_update_drawn(sac);
    struct actor_case one = {.sac = sac};
    assert_true(fabs(sac->actor_loss - actor_loss(&one)) < 1e-12);
    assert_int_equal(sac->critics[0].optimiser.step, 1);
    assert_int_equal(sac->critics[1].optimiser.step, 1);
    memcpy(sac->critics[0].parameters, before, count * sizeof *before);
    assert_true(fabs(sac->actor_loss - actor_loss(&one)) > 1e-4); /* else this test shows nothing */
    free(before);
    agent_close(&sac->agent);
}

static void target_critics_follow_by_tau(void **state) {
    (void)state;
    struct sac *sac = open_sac(false, 0.01);
    fill(sac);
    sac->config.tau = 0.1;
    double before[2] = {sac->critics[0].target[0], sac->critics[1].target[0]};
    sac_update_drawn(sac);
    for (int i = 0; i < 2; i++) {
        double expected = 0.1 * sac->critics[i].parameters[0] + 0.9 * before[i];
        assert_true(fabs(sac->critics[i].target[0] - expected) < 1e-15);
        assert_true(expected != before[i]);
    }
    agent_close(&sac->agent);
}

static void temperatures_move_towards_their_target_entropy(void **state) {
    (void)state;
    struct sac *sac = open_sac(false, 0.0);
    fill(sac);
    sac_prepare(sac);
    double expected[2] = {0, 0};
    for (int row = 0; row < BATCH; row++) {
        expected[SAC_CHOICES] += 0.2 * (sac->draw.entropy[row] - 0.5 * log(6.0)) / BATCH;
        expected[SAC_NUMBERS] += 0.3 * (-sac->draw.log_probability[row] + NUMBERS) / BATCH;
    }
    double before[2] = {sac->log_temperature[0], sac->log_temperature[1]};
    sac_step_temperatures(sac);
    for (int which = 0; which < 2;
         which++) { /* the first step of Adam: mean a tenth of the gradient, sign against it */
        assert_true(fabs(sac->temperature_optimiser.first[which] / 0.1 - expected[which]) < 1e-12);
        assert_true((sac->log_temperature[which] < before[which]) == (expected[which] > 0));
    }
    sac->config.temperature_fixed = true;
    before[0] = sac->log_temperature[0];
    sac_step_temperatures(sac);
    assert_true(sac->log_temperature[0] == before[0]);
    agent_close(&sac->agent);
}

static void without_entropy_in_the_target_only_values_remain(void **state) {
    (void)state;
    struct sac *sac = open_sac(false, 0.0);
    fill(sac);
    sac_prepare(sac);
    sac_find_targets(sac);
    double with[BATCH];
    memcpy(with, sac->target, sizeof with);
    sac->config.entropy_in_target = false;
    sac_find_targets(sac);
    for (uint32_t row = 0; row < BATCH; row++) {
        double entropy = 0.2 * sac->next.entropy[row] - 0.3 * sac->next.log_probability[row];
        double expected = (row + 1) % 3 == 0 ? 0 : 0.9 * entropy;
        assert_true(fabs(with[row] - sac->target[row] - expected) < 1e-12);
    }
    agent_close(&sac->agent);
}

static void log_probabilities_hold_where_tanh_is_saturated(void **state) {
    (void)state;
    /* log(1 - tanh^2 u) -> 2 log 2 - 2|u|; in the middle as computed directly */
    for (double u = -3; u <= 3; u += 0.25)
        assert_true(fabs(squashed_log_slope(u) - log(1 - tanh(u) * tanh(u))) < 1e-12);
    for (double u = 20; u < 500; u *= 2) {
        assert_true(fabs(squashed_log_slope(u) - 2 * (log(2) - u)) < 1e-12 * u);
        assert_true(fabs(squashed_log_slope(-u) - 2 * (log(2) - u)) < 1e-12 * u);
    }
}

static void a_saturated_action_keeps_its_finite_log_probability(void **state) {
    (void)state;
    const struct agent_space space = {.observation_size = 1, .continuous_count = 1};
    struct hybrid_policy policy = hybrid_policy_of(&space, false, -5, 2);
    struct arena arena;
    arena_init(&arena);
    struct hybrid_draw draw = hybrid_draw_of(&policy, 1, &arena);
    const real outputs[2] = {40, 0}, d_action[1] = {0.3};
    real d_outputs[2];
    draw.noise[0] = 1.5;
    hybrid_evaluate(&policy, outputs, 1, &draw);
    assert_true(draw.action[0] == 1); /* no way back to u from here */
    double expected = -1.125 - 0.5 * log(2 * 3.14159265358979323846) - 2 * (log(2) - 41.5);
    assert_true(fabs(draw.log_probability[0] - expected) < 1e-12);
    struct hybrid_slope slope = {.d_action = d_action, .d_log_probability = 0.5};
    hybrid_backward(&policy, outputs, &draw, &slope, 1, d_outputs);
    assert_true(fabs(d_outputs[0] - 1.0) < 1e-12); /* 0.5 x 2 tanh u */
    assert_true(fabs(d_outputs[1] - (1.5 - 0.5)) < 1e-12);
    arena_close(&arena);
}

static void choices_are_drawn_in_proportion(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    struct sac *sac = open_sac(true, 0.0);
    struct agent_action action;
    const real observation[STATES] = {0.5, -0.5, 1.0};
    int hits[3] = {0};
    assert_int_equal(agent_action_open(&action, &sac->agent.space), STATUS_OK);
    for (int i = 0; i < DRAWS; i++) {
        agent_act(&sac->agent, observation, AGENT_SAMPLE, &action);
        hits[action.discrete[1]]++;
    }
    for (int i = 0; i < 3; i++) { /* within five standard deviations */
        double p = exp(sac->acting.log_p[2 + i]);
        assert_true(fabs(hits[i] - DRAWS * p) < 5 * sqrt(DRAWS * p * (1 - p)));
    }
    agent_act(&sac->agent, observation, AGENT_GREEDY, &action);
    for (int i = 0; i < 3; i++)
        assert_true(sac->acting.log_p[2 + i] <= sac->acting.log_p[2 + action.discrete[1]]);
    agent_action_close(&action);
    agent_close(&sac->agent);
}

static void many_combinations_are_taken_straight_through(void **state) {
    (void)state;
    struct agent_space space = {.observation_size = 1, .discrete_count = 8};
    for (int i = 0; i < 8; i++)
        space.discrete_sizes[i] = 2;
    assert_int_equal(hybrid_policy_of(&space, false, -5, 2).joint_count, 256);
    space.discrete_count = 9;
    space.discrete_sizes[8] = 2;
    assert_true(hybrid_policy_of(&space, false, -5, 2).straight);
    assert_int_equal(hybrid_policy_of(&space, false, -5, 2).joint_count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_with_choices_by_expectation_is_right),
        cmocka_unit_test(an_update_with_choices_straight_through_is_right),
        cmocka_unit_test(both_critics_are_the_smaller_somewhere),
        cmocka_unit_test(some_standard_deviations_are_clamped_and_carry_no_gradient),
        cmocka_unit_test(the_actor_is_rated_by_critics_after_their_step_and_moves_none),
        cmocka_unit_test(target_critics_follow_by_tau),
        cmocka_unit_test(temperatures_move_towards_their_target_entropy),
        cmocka_unit_test(without_entropy_in_the_target_only_values_remain),
        cmocka_unit_test(log_probabilities_hold_where_tanh_is_saturated),
        cmocka_unit_test(a_saturated_action_keeps_its_finite_log_probability),
        cmocka_unit_test(choices_are_drawn_in_proportion),
        cmocka_unit_test(many_combinations_are_taken_straight_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
