/* Goal: gradients of the losses of PPO, A3C and REINFORCE are their derivatives. Method: central differences
 * in double precision, in the outputs of the networks and, through a whole PPO agent, in every parameter;
 * every check proves that a wrong entry would fail. */
#include "tests/learn/gradient.h"

#include "common/learn/policy_gradient.h"
#include "common/learn/ppo.h"
#include "tests/learn/toys.h"

#define ROWS 9
#define CHOICES 5 /* 2 + 3 */
#define NUMBERS 2
#define WIDTH (CHOICES + NUMBERS)

struct sample {
    struct policy_head head;
    real outputs[ROWS * WIDTH], log_std[NUMBERS], values[ROWS];
    uint32_t discrete[ROWS * 2];
    real continuous[ROWS * NUMBERS], old[ROWS], advantages[ROWS], returns[ROWS], old_values[ROWS];
    real d_outputs[ROWS * WIDTH], d_log_std[NUMBERS], d_values[ROWS];
    struct ppo_loss_config ppo;
    struct policy_loss_config policy;
};

static void draw(struct random_stream *stream, real *values, size_t count, double scale) {
    for (size_t i = 0; i < count; i++)
        values[i] = scale * random_normal(stream);
}

/* Old log-probabilities lie around the present ones, so that some ratios are clipped and none is at the kink.
 */
static void sample_draw(struct sample *sample, uint64_t seed) {
    struct agent_space space = {
        .observation_size = 1, .discrete_count = 2, .discrete_sizes = {2, 3}, .continuous_count = NUMBERS};
    struct random_stream stream;
    random_init(&stream, seed, 0, RANDOM_TEST);
    *sample = (struct sample){.head = policy_head_of(&space)};
    draw(&stream, sample->outputs, ROWS * WIDTH, 1);
    draw(&stream, sample->log_std, NUMBERS, 0.3);
    draw(&stream, sample->values, ROWS, 1);
    draw(&stream, sample->continuous, ROWS * NUMBERS, 1);
    draw(&stream, sample->advantages, ROWS, 1);
    draw(&stream, sample->returns, ROWS, 1);
    draw(&stream, sample->old_values, ROWS, 1);
    for (int i = 0; i < ROWS; i++) {
        sample->discrete[2 * i] = (uint32_t)random_below(&stream, 2);
        sample->discrete[2 * i + 1] = (uint32_t)random_below(&stream, 3);
        struct policy_point point = {sample->outputs + i * WIDTH, sample->log_std, sample->discrete + 2 * i,
                                     sample->continuous + i * NUMBERS};
        static const double shift[] = {0.05, -0.1, 0.5, -0.6, 0.12};
        sample->old[i] = policy_log_probability(&sample->head, &point) - shift[i % 5];
    }
}

static double total_ppo(void *context) {
    struct sample *sample = context;
    struct ppo_batch batch = {ROWS,
                              sample->outputs,
                              sample->log_std,
                              sample->values,
                              sample->discrete,
                              sample->continuous,
                              sample->old,
                              sample->advantages,
                              sample->returns,
                              sample->old_values};
    real d_outputs[ROWS * WIDTH], d_log_std[NUMBERS], d_values[ROWS];
    struct ppo_slopes slopes = {d_outputs, d_log_std, d_values};
    return ppo_loss(&sample->head, &sample->ppo, &batch, &slopes).total;
}

static struct policy_loss policy_now(struct sample *sample, const struct policy_slopes *slopes) {
    struct policy_batch batch = {ROWS,           sample->outputs,  sample->log_std,
                                 sample->values, sample->discrete, sample->continuous,
                                 sample->returns};
    return policy_loss(&sample->head, &sample->policy, &batch, slopes);
}

static double total_policy(void *context) {
    real d_outputs[ROWS * WIDTH], d_log_std[NUMBERS], d_values[ROWS];
    const struct policy_slopes slopes = {d_outputs, d_log_std, d_values};
    return policy_now(context, &slopes).total;
}

/* What of the A3C loss the critic may feel. */
static double total_value(void *context) {
    real d_outputs[ROWS * WIDTH], d_log_std[NUMBERS], d_values[ROWS];
    const struct policy_slopes slopes = {d_outputs, d_log_std, d_values};
    struct sample *sample = context;
    return sample->policy.value_coefficient * policy_now(sample, &slopes).value;
}

static void check(double (*loss)(void *), struct sample *sample, real *values, const real *gradient,
                  size_t count, const char *name) {
    struct gradient_case one = {loss, sample, values, gradient, count, name};
    assert_gradient(&one);
}

/* The loops of training and the plain functions that act are two programs for one thing. */
static void both_ways_to_measure_an_action_agree(void **state) {
    (void)state;
    struct sample sample;
    sample_draw(&sample, 3);
    for (int i = 0; i < ROWS; i++) {
        real work[WIDTH];
        struct policy_point point = {sample.outputs + i * WIDTH, sample.log_std, sample.discrete + 2 * i,
                                     sample.continuous + i * NUMBERS};
        struct policy_measure both = policy_evaluate(&sample.head, &point, work);
        assert_true(fabs(both.log_probability - policy_log_probability(&sample.head, &point)) < 1e-12);
        assert_true(fabs(both.entropy - policy_entropy(&sample.head, &point)) < 1e-12);
    }
}

static void ppo_gradients_are_right_in_every_form(void **state) {
    (void)state;
    for (int form = 0; form < 8; form++) {
        struct sample sample;
        sample_draw(&sample, 11 + (uint64_t)form);
        sample.ppo =
            (struct ppo_loss_config){0.2, form & 4 ? 0.0 : 0.03, 0.7, (form & 1) != 0, (form & 2) != 0};
        struct ppo_batch batch = {ROWS,
                                  sample.outputs,
                                  sample.log_std,
                                  sample.values,
                                  sample.discrete,
                                  sample.continuous,
                                  sample.old,
                                  sample.advantages,
                                  sample.returns,
                                  sample.old_values};
        struct ppo_slopes slopes = {sample.d_outputs, sample.d_log_std, sample.d_values};
        struct ppo_loss loss = ppo_loss(&sample.head, &sample.ppo, &batch, &slopes);
        assert_true(loss.clip_fraction > 0 && loss.clip_fraction < 1);
        check(total_ppo, &sample, sample.outputs, sample.d_outputs, ROWS * WIDTH, "ppo outputs");
        check(total_ppo, &sample, sample.log_std, sample.d_log_std, NUMBERS, "ppo log_std");
        check(total_ppo, &sample, sample.values, sample.d_values, ROWS, "ppo values");
    }
}

/* Catches: an advantage through which the policy loss reaches the critic. */
static void policy_gradients_are_right_and_leave_the_critic_alone(void **state) {
    (void)state;
    struct sample sample;
    sample_draw(&sample, 5);
    sample.policy = (struct policy_loss_config){0.02, 0.5, true};
    const struct policy_slopes slopes = {sample.d_outputs, sample.d_log_std, sample.d_values};
    policy_now(&sample, &slopes);
    check(total_policy, &sample, sample.outputs, sample.d_outputs, ROWS * WIDTH, "a3c outputs");
    check(total_policy, &sample, sample.log_std, sample.d_log_std, NUMBERS, "a3c log_std");
    check(total_value, &sample, sample.values, sample.d_values, ROWS, "a3c values");
    /* the negative control: with the policy term differentiated too it would be another gradient */
    real numeric[ROWS];
    struct gradient_case whole = {total_policy, &sample, sample.values, sample.d_values, ROWS, "attached"};
    gradient_numeric(&whole, numeric);
    for (int i = 0; i < ROWS; i++)
        assert_true(gradient_relative_error(sample.d_values[i], numeric[i], 1e-3) > 1e-2);
}

static void without_a_baseline_returns_weigh_and_the_critic_rests(void **state) {
    (void)state;
    struct sample sample;
    sample_draw(&sample, 6);
    sample.policy = (struct policy_loss_config){0.0, 0.5, false};
    const struct policy_slopes slopes = {sample.d_outputs, sample.d_log_std, sample.d_values};
    struct policy_loss loss = policy_now(&sample, &slopes);
    check(total_policy, &sample, sample.outputs, sample.d_outputs, ROWS * WIDTH, "reinforce outputs");
    assert_true(loss.value == 0);
    for (int i = 0; i < ROWS; i++)
        assert_true(sample.d_values[i] == 0);
}

/* ------------------------------------------------------------------------------- through a whole agent */

static double total_agent(void *context) {
    struct ppo *ppo = context;
    struct agent_report report = {0};
    const struct ppo_loss_config *loss = &ppo->config.loss;
    real *gradient = calloc(ppo->net.parameter_count, sizeof *gradient);
    assert_non_null(gradient);
    ppo->step = 1; /* the order stays: no reshuffle */
    ppo_gradient(ppo, gradient, &report);
    free(gradient);
    return report.policy_loss - loss->entropy_coefficient * report.entropy +
           loss->value_coefficient * report.value_loss;
}

static void a_ppo_agent_descends_the_loss_it_reports(void **state) {
    (void)state;
    static const char *const settings[TOY_SETTINGS_MAX][2] = {
        {"hidden", "6,5"}, {"horizon", "32"}, {"minibatches", "2"}, {"entropy", "0.02"}, {"value_clip", "1"}};
    struct agent *agent = toy_agent("ppo", &toy_hybrid, settings, 1);
    struct toy toy = toy_open(&toy_hybrid, 1);
    struct ppo *ppo = ppo_of(agent);
    struct agent_report report = {0};
    toy_train(&toy, agent, 32); /* one round: parameters leave their symmetric start */
    for (int i = 0; i < 32; i++) {
        real before[TOY_SIZE_MAX];
        uint32_t discrete[2];
        real continuous[1];
        struct agent_action action = {discrete, continuous, 0};
        memcpy(before, toy.observation, sizeof before);
        agent_act(agent, before, AGENT_EXPLORE, &action);
        toy.kind->step(&toy, &action);
        struct agent_transition transition = {before, toy.observation, action, &toy.reward, true, false};
        agent_observe(agent, &transition);
        toy.kind->reset(&toy);
    }
    ppo_begin(ppo);
    real *gradient = calloc(ppo->net.parameter_count, sizeof *gradient);
    assert_non_null(gradient);
    ppo_gradient(ppo, gradient, &report);
    ppo_gradient(ppo, gradient, &report); /* the second minibatch, of which total_agent speaks */
    struct gradient_case one = {total_agent, ppo, ppo->parameters, gradient, ppo->net.parameter_count,
                                "parameters"};
    assert_gradient(&one);
    free(gradient);
    agent_close(agent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_to_measure_an_action_agree),
        cmocka_unit_test(ppo_gradients_are_right_in_every_form),
        cmocka_unit_test(policy_gradients_are_right_and_leave_the_critic_alone),
        cmocka_unit_test(without_a_baseline_returns_weigh_and_the_critic_rests),
        cmocka_unit_test(a_ppo_agent_descends_the_loss_it_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
