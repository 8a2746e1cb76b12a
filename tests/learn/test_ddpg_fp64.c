/* Goal: one update of DDPG is what ddpg.h says, also where the action head is hard. Method: a head with a
 * choice, a mask and an auxiliary loss; targets, losses and gradients computed again from their definition,
 * gradients by central differences in which the head is replaced by its linearised soft surrogate; acting and
 * replay looked at. */
#include "tests/learn/gradient.h"

#include <string.h>

#include "common/learn/ddpg.h"

#define BATCH 6
#define STATES 3
#define RAWS 3 /* choice, masked number, free number */
#define BETA 4.0

/* a = [raw0 > 0], action = (a, a (raw1 + 1) / 2, raw2). */
static void hard_forward(const struct action_head *head, const real *raw, uint32_t batch, real *action) {
    (void)head;
    for (uint32_t row = 0; row < batch; row++, raw += RAWS, action += RAWS) {
        action[0] = raw[0] > 0;
        action[1] = action[0] * (raw[1] + 1) / 2;
        action[2] = raw[2];
    }
}

/* As if a = sigmoid(beta raw0); its value stays the hard one where it multiplies. */
static void soft_backward(const struct action_head *head, const real *raw, const real *d_action,
                          uint32_t batch, real *d_raw) {
    (void)head;
    for (uint32_t row = 0; row < batch; row++, raw += RAWS, d_action += RAWS, d_raw += RAWS) {
        double s = 1 / (1 + exp(-BETA * raw[0])), slope = BETA * s * (1 - s);
        d_raw[0] = (d_action[0] + d_action[1] * (raw[1] + 1) / 2) * slope;
        d_raw[1] = d_action[1] * (raw[0] > 0) / 2;
        d_raw[2] = d_action[2];
    }
}

/* mean over rows of the sum of cubes of raw. */
static double cubes(const struct action_head *head, const real *raw, uint32_t batch, double weight,
                    real *d_raw) {
    (void)head;
    double sum = 0;
    for (uint32_t i = 0; i < batch * RAWS; i++) {
        sum += raw[i] * raw[i] * raw[i];
        if (d_raw != NULL)
            d_raw[i] += weight * 3 * raw[i] * raw[i] / batch;
    }
    return sum / batch;
}

static struct ddpg *open_ddpg(bool hard, double rate) {
    static const struct agent_space space = {.observation_size = STATES, .continuous_count = RAWS};
    struct ddpg_config config;
    ddpg_class.defaults(&config);
    config.actor_hidden = config.critic_hidden = (struct agent_layers){2, {7, 6}};
    config.actor_rate = config.critic_rate = rate;
    config.output_range = 0.7; /* gradients of a size that shows */
    config.batch = BATCH;
    config.replay_capacity = 20;
    config.discount = 0.9;
    config.tau = 0.1;
    config.noise_begin = 0.8;
    if (hard)
        config.head = (struct action_head){.raw_size = RAWS,
                                           .action_size = RAWS,
                                           .forward = hard_forward,
                                           .backward = soft_backward,
                                           .auxiliary = cubes,
                                           .auxiliary_weight = 0.3};
    struct agent *agent;
    const struct agent_setup setup = {.space = &space, .config = &config, .seed = 5};
    assert_int_equal(agent_open(&agent, &ddpg_class, &setup, NULL), STATUS_OK);
    struct ddpg *ddpg = (struct ddpg *)agent;
    for (size_t i = 0; i < ddpg->actor.count; i++) /* targets of their own */
        ddpg->actor.target[i] *= 1.3;
    for (size_t i = 0; i < ddpg->critic.count; i++)
        ddpg->critic.target[i] *= 0.8;
    return ddpg;
}

/* Ten transitions of explored actions; some terminated, some cut off. */
static void fill(struct ddpg *ddpg) {
    struct random_stream stream;
    struct agent_action action;
    real state[STATES], next[STATES], reward;
    random_init(&stream, 8, 0, RANDOM_TEST);
    assert_int_equal(agent_action_open(&action, &ddpg->agent.space), STATUS_OK);
    for (uint32_t k = 0; k < 10; k++) {
        for (int i = 0; i < STATES; i++) {
            state[i] = random_normal(&stream);
            next[i] = random_normal(&stream);
        }
        reward = random_normal(&stream);
        agent_act(&ddpg->agent, state, AGENT_EXPLORE, &action);
        agent_observe(&ddpg->agent, &(struct agent_transition){.observation = state,
                                                               .next_observation = next,
                                                               .action = action,
                                                               .reward = &reward,
                                                               .terminated = k % 3 == 0,
                                                               .truncated = k % 3 == 1});
    }
    agent_action_close(&action);
    for (uint32_t k = 0; k < BATCH; k++)
        ddpg->experience.slots[k] = k + 1;
}

static double q_of(const struct ddpg *ddpg, const real *parameters, const real *state, const real *action) {
    real joint[STATES + RAWS];
    struct mlp_trace trace;
    memcpy(joint, state, STATES * sizeof *joint);
    memcpy(joint + STATES, action, RAWS * sizeof *joint);
    assert_int_equal(mlp_trace_open(&trace, &ddpg->critic.mlp, 1), STATUS_OK);
    double q = mlp_forward(&ddpg->critic.mlp, parameters, joint, 1, &trace)[0];
    mlp_trace_close(&trace);
    return q;
}

static void actor_of(const struct ddpg *ddpg, const real *parameters, const real *state, real *raw) {
    struct mlp_trace trace;
    assert_int_equal(mlp_trace_open(&trace, &ddpg->actor.mlp, 1), STATUS_OK);
    memcpy(raw, mlp_forward(&ddpg->actor.mlp, parameters, state, 1, &trace), RAWS * sizeof *raw);
    mlp_trace_close(&trace);
}

static const real *state_of(const struct ddpg *ddpg, uint32_t row) {
    return ddpg->experience.replay.states + ddpg->experience.slots[row] * STATES;
}

/* y = r + gamma Q'(s', h(mu'(s'))), without what follows where the task ended; hard at the target too. */
static double target_of(const struct ddpg *ddpg, uint32_t row) {
    const struct replay *replay = &ddpg->experience.replay;
    uint32_t slot = ddpg->experience.slots[row];
    real raw[RAWS], action[RAWS];
    actor_of(ddpg, ddpg->actor.target, replay_next_state(replay, slot), raw);
    ddpg->head.forward(&ddpg->head, raw, 1, action);
    double next = q_of(ddpg, ddpg->critic.target, replay_next_state(replay, slot), action);
    return *replay_reward(replay, slot) + (slot % 3 == 0 ? 0 : 0.9 * next);
}

static double critic_loss(void *context) {
    struct ddpg *ddpg = context;
    double sum = 0;
    for (uint32_t row = 0; row < BATCH; row++) {
        const real *action = ddpg->experience.replay.actions + ddpg->experience.slots[row] * RAWS;
        double delta =
            q_of(ddpg, ddpg->critic.parameters, state_of(ddpg, row), action) - target_of(ddpg, row);
        sum += delta * delta;
    }
    return sum / BATCH;
}

/* The actor's loss with the head linearised at the raw outputs `at` [BATCH][RAWS]: Q's slope at the hard
 * action, times the soft surrogate. Its value is the loss itself where nothing has moved. */
struct surrogate {
    struct ddpg *ddpg;
    real at[BATCH][RAWS], d_raw[BATCH][RAWS];
    double q;
};

static double actor_loss(void *context) {
    const struct surrogate *one = context;
    const struct ddpg *ddpg = one->ddpg;
    double sum = 0;
    for (uint32_t row = 0; row < BATCH; row++) {
        real raw[RAWS];
        actor_of(ddpg, ddpg->actor.parameters, state_of(ddpg, row), raw);
        for (int i = 0; i < RAWS; i++)
            sum += -one->d_raw[row][i] * (raw[i] - one->at[row][i]) +
                   ddpg->head.auxiliary_weight * pow(raw[i], 3);
    }
    return (sum - one->q) / BATCH;
}

/* dQ/d action by differences at the hard action, through the surrogate's slope. */
static void linearise(struct surrogate *one) {
    const struct ddpg *ddpg = one->ddpg;
    for (uint32_t row = 0; row < BATCH; row++) {
        real action[RAWS], slope[RAWS];
        actor_of(ddpg, ddpg->actor.parameters, state_of(ddpg, row), one->at[row]);
        ddpg->head.forward(&ddpg->head, one->at[row], 1, action);
        one->q += q_of(ddpg, ddpg->critic.parameters, state_of(ddpg, row), action);
        for (int i = 0; i < RAWS; i++) {
            double kept = action[i];
            action[i] = kept + 1e-6;
            slope[i] = q_of(ddpg, ddpg->critic.parameters, state_of(ddpg, row), action) / 2e-6;
            action[i] = kept - 1e-6;
            slope[i] -= q_of(ddpg, ddpg->critic.parameters, state_of(ddpg, row), action) / 2e-6;
            action[i] = kept;
        }
        ddpg->head.backward(&ddpg->head, one->at[row], slope, 1, one->d_raw[row]);
    }
}

/* With a learning rate of 0 nothing moves, and the gradient that is left behind is the actor's; the critic's
 * is found through its optimiser: after a first step of Adam from zero, its mean is a tenth of the gradient.
 */
static void check_gradients(bool hard) {
    struct ddpg *ddpg = open_ddpg(hard, 0.0);
    fill(ddpg);
    ddpg->config.tau = 0;
    ddpg_update_drawn(ddpg);
    for (uint32_t row = 0; row < BATCH; row++)
        assert_true(fabs(ddpg->target[row] - target_of(ddpg, row)) < 1e-12);
    assert_true(fabs(ddpg->critic_loss - critic_loss(ddpg)) < 1e-12);
    double *gradient = calloc(ddpg->critic.count, sizeof *gradient);
    assert_non_null(gradient);
    for (size_t i = 0; i < ddpg->critic.count; i++)
        gradient[i] = ddpg->critic.optimiser.first[i] / 0.1;
    struct gradient_case critic = {.loss = critic_loss,
                                   .context = ddpg,
                                   .values = ddpg->critic.parameters,
                                   .gradient = gradient,
                                   .count = ddpg->critic.count,
                                   .name = "critic"};
    assert_gradient(&critic);
    struct surrogate one = {.ddpg = ddpg};
    linearise(&one);
    assert_true(fabs(ddpg->actor_loss - actor_loss(&one)) < 1e-12);
    struct gradient_case actor = {.loss = actor_loss,
                                  .context = &one,
                                  .values = ddpg->actor.parameters,
                                  .gradient = ddpg->gradients,
                                  .count = ddpg->actor.count,
                                  .name = "actor"};
    assert_gradient(&actor);
    free(gradient);
    agent_close(&ddpg->agent);
}

static void targets_losses_and_gradients_are_right(void **state) {
    (void)state;
    check_gradients(false);
}

static void a_hard_head_is_hard_forward_and_soft_backward(void **state) {
    (void)state;
    check_gradients(true);
}

static void the_actor_is_rated_by_the_critic_after_its_step(void **state) {
    (void)state;
    struct ddpg *ddpg = open_ddpg(true, 0.01);
    fill(ddpg);
    ddpg->actor.optimiser.config.learning_rate = 0;
    double *before = malloc(ddpg->critic.count * sizeof *before);
    assert_non_null(before);
    memcpy(before, ddpg->critic.parameters, ddpg->critic.count * sizeof *before);
    ddpg_update_drawn(ddpg);
    struct surrogate after = {.ddpg = ddpg};
    linearise(&after);
    assert_true(fabs(ddpg->actor_loss - actor_loss(&after)) < 1e-12);
    assert_int_equal(ddpg->critic.optimiser.step, 1); /* the actor's step moves no critic */
    memcpy(ddpg->critic.parameters, before, ddpg->critic.count * sizeof *before);
    struct surrogate stale = {.ddpg = ddpg};
    linearise(&stale);
    assert_true(fabs(ddpg->actor_loss - actor_loss(&stale)) > 1e-4); /* else this test shows nothing */
    free(before);
    agent_close(&ddpg->agent);
}

static void targets_follow_by_tau(void **state) {
    (void)state;
    struct ddpg *ddpg = open_ddpg(true, 0.01);
    fill(ddpg);
    double actor = ddpg->actor.target[0], critic = ddpg->critic.target[0];
    ddpg_update_drawn(ddpg);
    assert_true(fabs(ddpg->actor.target[0] - (0.1 * ddpg->actor.parameters[0] + 0.9 * actor)) < 1e-15);
    assert_true(fabs(ddpg->critic.target[0] - (0.1 * ddpg->critic.parameters[0] + 0.9 * critic)) < 1e-15);
    agent_close(&ddpg->agent);
}

static void noise_comes_before_the_head_and_replay_holds_hard_actions(void **state) {
    (void)state;
    struct ddpg *ddpg = open_ddpg(true, 0.01);
    const real state_now[STATES] = {0.3, -0.2, 0.9};
    real raw[RAWS], calm[RAWS], action[RAWS];
    uint32_t chosen[2] = {0, 0};
    ddpg_act(ddpg, state_now, AGENT_GREEDY, calm, action);
    for (int k = 0; k < 200; k++) {
        ddpg_act(ddpg, state_now, AGENT_EXPLORE, raw, action);
        assert_true(action[0] == 0 || action[0] == 1);
        assert_true(action[0] == (raw[0] > 0));
        assert_true(action[0] == 1 || action[1] == 0); /* noise does not reach behind the mask */
        assert_true(fabs(raw[0]) <= 1 && fabs(raw[1]) <= 1 && fabs(raw[2]) <= 1);
        assert_true(raw[2] != calm[2]);
        chosen[(int)action[0]]++;
    }
    assert_true(chosen[0] > 10 && chosen[1] > 10); /* noise turns the choice itself */
    fill(ddpg);
    for (uint32_t k = 0; k < 10; k++) {
        const real *stored = ddpg->experience.replay.actions + k * RAWS;
        assert_true(stored[0] == 0 || (stored[0] == 1 && stored[1] >= 0));
        assert_true(stored[0] == 1 || stored[1] == 0);
    }
    agent_close(&ddpg->agent);
}

static void noise_falls_and_starts_again_with_an_episode(void **state) {
    (void)state;
    struct noise noise = {.config = {.begin = 1.0, .end = 0.2, .steps = 4, .each_episode = true}};
    const double expected[] = {1.0, 0.8, 0.6, 0.4, 0.2, 0.2};
    for (int i = 0; i < 6; i++) {
        assert_true(fabs(noise_scale(&noise) - expected[i]) < 1e-12);
        noise_advance(&noise);
    }
    noise_episode(&noise);
    assert_true(noise_scale(&noise) == 1.0);
    noise.config.each_episode = false;
    noise.step = 3;
    noise_episode(&noise);
    assert_true(fabs(noise_scale(&noise) - 0.4) < 1e-12);
    noise.config.steps = 0;
    assert_true(noise_scale(&noise) == 1.0);
}

/* The built-in head: softmax surrogate of each choice, identity for numbers. */
static double soft_choice(void *context) {
    const real *raw = context;
    double sum = 0;
    const double weights[] = {0.7, -1.1, 0.4, 2.0};
    for (int i = 0; i < 3; i++)
        sum += exp(ACTION_HEAD_SHARPNESS * raw[i]);
    double value = weights[3] * raw[3];
    for (int i = 0; i < 3; i++)
        value += weights[i] * exp(ACTION_HEAD_SHARPNESS * raw[i]) / sum;
    return value;
}

static void choices_are_one_hot_with_the_slope_of_a_softmax(void **state) {
    (void)state;
    struct agent_space space = {.discrete_count = 1, .discrete_sizes = {3}, .continuous_count = 1};
    struct action_head head = action_head_choices(&space);
    real raw[4] = {0.2, 0.5, -0.4, 0.3}, action[4], gradient[4];
    const real up[4] = {0.7, -1.1, 0.4, 2.0}, tie[4] = {0.5, 0.5, 0.1, 0};
    head.forward(&head, raw, 1, action);
    assert_true(action[0] == 0 && action[1] == 1 && action[2] == 0 && action[3] == raw[3]);
    head.forward(&head, tie, 1, action);
    assert_true(action[0] == 1 && action[1] == 0);
    head.backward(&head, raw, up, 1, gradient);
    struct gradient_case one = {.loss = soft_choice,
                                .context = raw,
                                .values = raw,
                                .gradient = gradient,
                                .count = 4,
                                .name = "choices"};
    assert_gradient(&one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_losses_and_gradients_are_right),
        cmocka_unit_test(a_hard_head_is_hard_forward_and_soft_backward),
        cmocka_unit_test(the_actor_is_rated_by_the_critic_after_its_step),
        cmocka_unit_test(targets_follow_by_tau),
        cmocka_unit_test(noise_comes_before_the_head_and_replay_holds_hard_actions),
        cmocka_unit_test(noise_falls_and_starts_again_with_an_episode),
        cmocka_unit_test(choices_are_one_hot_with_the_slope_of_a_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
