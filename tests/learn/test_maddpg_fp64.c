/* Goal: one round of MADDPG with prioritised replay is what maddpg.h says. Method: three agents; targets,
 * losses, gradients and priorities computed again from their definition, gradients by central differences. */
#include "tests/learn/gradient.h"

#include <string.h>

#include "common/learn/maddpg.h"

#define AGENTS 3
#define BATCH 5
#define STATES 2 /* of an agent */
#define ACTIONS 2
#define JOINT (AGENTS * (STATES + ACTIONS))
#define FILL 9

static struct maddpg *open_agents(double critic_rate) {
    static const struct agent_space space = {
        .observation_size = AGENTS * STATES, .continuous_count = AGENTS * ACTIONS, .actor_count = AGENTS};
    struct maddpg_config config;
    maddpg_class.defaults(&config);
    config.actor_hidden = config.critic_hidden = (struct agent_layers){2, {7, 6}};
    config.actor_rate = 0;
    config.critic_rate = critic_rate;
    config.output_range = 0.7;
    config.batch = BATCH;
    config.replay_capacity = 20;
    config.discount = 0.9;
    config.tau = 0;
    config.priority_alpha = 0.6;
    config.priority_beta = 0.7;
    config.priority_reward = 0.25;
    struct agent *agent;
    const struct agent_setup setup = {.space = &space, .config = &config, .seed = 5};
    assert_int_equal(agent_open(&agent, &maddpg_class, &setup, NULL), STATUS_OK);
    struct maddpg *maddpg = (struct maddpg *)agent;
    for (uint32_t i = 0; i < AGENTS; i++) { /* targets of their own */
        for (size_t k = 0; k < maddpg->agents[i].actor.count; k++)
            maddpg->agents[i].actor.target[k] *= 1.3;
        for (size_t k = 0; k < maddpg->agents[i].critic.count; k++)
            maddpg->agents[i].critic.target[k] *= 0.8;
    }
    return maddpg;
}

/* A chain of transitions with explored actions; every third one terminates. */
static void fill(struct maddpg *maddpg) {
    struct random_stream stream;
    struct agent_action action;
    real state[(FILL + 1) * AGENTS * STATES], reward[AGENTS];
    random_init(&stream, 8, 0, RANDOM_TEST);
    for (size_t i = 0; i < sizeof state / sizeof *state; i++)
        state[i] = random_normal(&stream);
    assert_int_equal(agent_action_open(&action, &maddpg->agent.space), STATUS_OK);
    for (uint32_t k = 0; k < FILL; k++) {
        for (uint32_t i = 0; i < AGENTS; i++)
            reward[i] = random_normal(&stream);
        agent_act(&maddpg->agent, state + k * AGENTS * STATES, AGENT_EXPLORE, &action);
        agent_observe(&maddpg->agent,
                      &(struct agent_transition){.observation = state + k * AGENTS * STATES,
                                                 .next_observation = state + (k + 1) * AGENTS * STATES,
                                                 .action = action,
                                                 .reward = reward,
                                                 .terminated = k % 3 == 0,
                                                 .truncated = k % 3 == 1});
    }
    agent_action_close(&action);
    for (uint32_t k = 0; k < BATCH; k++) {
        maddpg->experience.slots[k] = k + 1;
        maddpg->experience.weights[k] = 1.0 / (k + 1);
    }
}

static double q_of(const struct maddpg *maddpg, const real *parameters, const real *joint) {
    const struct mlp *mlp = &maddpg->agents[0].critic.mlp;
    struct mlp_trace trace;
    assert_int_equal(mlp_trace_open(&trace, mlp, 1), STATUS_OK);
    double q = mlp_forward(mlp, parameters, joint, 1, &trace)[0];
    mlp_trace_close(&trace);
    return q;
}

static void actor_of(const struct maddpg *maddpg, const real *parameters, const real *state, real *action) {
    const struct mlp *mlp = &maddpg->agents[0].actor.mlp;
    struct mlp_trace trace;
    assert_int_equal(mlp_trace_open(&trace, mlp, 1), STATUS_OK);
    memcpy(action, mlp_forward(mlp, parameters, state, 1, &trace), ACTIONS * sizeof *action);
    mlp_trace_close(&trace);
}

/* [S|U] of a row, as replay has it. */
static void joint_of(const struct maddpg *maddpg, uint32_t row, real *joint) {
    const struct replay *replay = &maddpg->experience.replay;
    size_t slot = maddpg->experience.slots[row];
    memcpy(joint, replay->states + slot * AGENTS * STATES, AGENTS * STATES * sizeof *joint);
    memcpy(joint + AGENTS * STATES, replay->actions + slot * AGENTS * ACTIONS,
           AGENTS * ACTIONS * sizeof *joint);
}

/* y with the actions of all target actors. */
static double target_of(const struct maddpg *maddpg, uint32_t index, uint32_t row) {
    const struct replay *replay = &maddpg->experience.replay;
    uint32_t slot = maddpg->experience.slots[row];
    real joint[JOINT];
    memcpy(joint, replay_next_state(replay, slot), AGENTS * STATES * sizeof *joint);
    for (uint32_t i = 0; i < AGENTS; i++)
        actor_of(maddpg, maddpg->agents[i].actor.target, joint + (size_t)i * STATES,
                 joint + AGENTS * STATES + (size_t)i * ACTIONS);
    double next = q_of(maddpg, maddpg->agents[index].critic.target, joint);
    return replay_reward(replay, slot)[index] + (slot % 3 == 0 ? 0 : 0.9 * next);
}

struct part {
    struct maddpg *maddpg;
    uint32_t index;
};

static double delta_of(const struct part *part, uint32_t row) {
    real joint[JOINT];
    joint_of(part->maddpg, row, joint);
    return q_of(part->maddpg, part->maddpg->agents[part->index].critic.parameters, joint) -
           target_of(part->maddpg, part->index, row);
}

static double critic_loss(void *context) {
    const struct part *part = context;
    double sum = 0;
    for (uint32_t row = 0; row < BATCH; row++)
        sum += pow(delta_of(part, row), 2) / (row + 1);
    return sum / BATCH;
}

/* Others' actions from replay, the own one from the actor. */
static double actor_loss(void *context) {
    const struct part *part = context;
    const struct maddpg *maddpg = part->maddpg;
    double sum = 0;
    for (uint32_t row = 0; row < BATCH; row++) {
        real joint[JOINT];
        joint_of(maddpg, row, joint);
        actor_of(maddpg, maddpg->agents[part->index].actor.parameters, joint + (size_t)part->index * STATES,
                 joint + AGENTS * STATES + (size_t)part->index * ACTIONS);
        sum -= q_of(maddpg, maddpg->agents[part->index].critic.parameters, joint);
    }
    return sum / BATCH;
}

static void targets_losses_and_gradients_are_right_for_every_agent(void **state) {
    (void)state;
    struct maddpg *maddpg = open_agents(0.0);
    fill(maddpg);
    maddpg_prepare(maddpg);
    for (uint32_t i = 0; i < AGENTS; i++) {
        struct part part = {maddpg, i};
        struct maddpg_agent *agent = &maddpg->agents[i];
        maddpg_step_critic(maddpg, i);
        for (uint32_t row = 0; row < BATCH; row++)
            assert_true(fabs(maddpg->target[row] - target_of(maddpg, i, row)) < 1e-12);
        assert_true(fabs(agent->critic_loss - critic_loss(&part)) < 1e-12);
        struct gradient_case critic = {.loss = critic_loss,
                                       .context = &part,
                                       .values = agent->critic.parameters,
                                       .gradient = maddpg->gradients,
                                       .count = agent->critic.count,
                                       .name = "critic"};
        assert_gradient(&critic);
        maddpg_step_actor(maddpg, i);
        assert_true(fabs(agent->actor_loss - actor_loss(&part)) < 1e-12);
        struct gradient_case actor = {.loss = actor_loss,
                                      .context = &part,
                                      .values = agent->actor.parameters,
                                      .gradient = maddpg->gradients,
                                      .count = agent->actor.count,
                                      .name = "actor"};
        assert_gradient(&actor);
    }
    agent_close(&maddpg->agent);
}

static void an_actor_is_rated_by_its_critic_after_its_step(void **state) {
    (void)state;
    struct maddpg *maddpg = open_agents(0.01);
    fill(maddpg);
    struct part part = {maddpg, 1};
    double stale = actor_loss(&part);
    maddpg_update_drawn(maddpg);
    assert_true(fabs(maddpg->agents[1].actor_loss - actor_loss(&part)) < 1e-12);
    assert_true(fabs(maddpg->agents[1].actor_loss - stale) > 1e-4); /* else this test shows nothing */
    assert_int_equal(maddpg->agents[1].critic.optimiser.step, 1);   /* actors' steps move no critic */
    agent_close(&maddpg->agent);
}

static void targets_follow_by_tau(void **state) {
    (void)state;
    struct maddpg *maddpg = open_agents(0.01);
    double actor[AGENTS], critic[AGENTS];
    fill(maddpg);
    maddpg->config.tau = 0.1;
    for (uint32_t i = 0; i < AGENTS; i++) {
        actor[i] = maddpg->agents[i].actor.target[0];
        critic[i] = maddpg->agents[i].critic.target[0];
    }
    maddpg_update_drawn(maddpg);
    for (uint32_t i = 0; i < AGENTS; i++) {
        const struct maddpg_agent *agent = &maddpg->agents[i];
        assert_true(fabs(agent->actor.target[0] - (0.1 * agent->actor.parameters[0] + 0.9 * actor[i])) <
                    1e-15);
        assert_true(fabs(agent->critic.target[0] - (0.1 * agent->critic.parameters[0] + 0.9 * critic[i])) <
                    1e-15);
        assert_true(agent->actor.target[0] != actor[i] && agent->critic.target[0] != critic[i]);
    }
    agent_close(&maddpg->agent);
}

/* p^alpha of slot after a round, from errors before it: unweighted, the mean over agents, mixed with rewards.
 */
static void priorities_come_from_unweighted_errors(void **state) {
    (void)state;
    struct maddpg *maddpg = open_agents(0.01);
    double expected[BATCH];
    fill(maddpg);
    for (uint32_t row = 0; row < BATCH; row++) {
        double magnitude = 0;
        for (uint32_t i = 0; i < AGENTS; i++) {
            struct part part = {maddpg, i};
            double reward = replay_reward(&maddpg->experience.replay, maddpg->experience.slots[row])[i];
            magnitude += (0.75 * fabs(delta_of(&part, row)) + 0.25 * fabs(reward)) / AGENTS;
        }
        expected[row] = pow(magnitude + 1e-6, 0.6);
    }
    const struct priority *priority = &maddpg->experience.priority;
    for (uint32_t slot = 0; slot < FILL; slot++) /* new: all at the maximum */
        assert_true(priority->sums[priority->leaves + slot] == 1.0);
    maddpg_update_drawn(maddpg);
    for (uint32_t row = 0; row < BATCH; row++)
        assert_true(fabs(priority->sums[priority->leaves + maddpg->experience.slots[row]] - expected[row]) <
                    1e-12);
    assert_true(priority->sums[priority->leaves] == 1.0); /* not drawn: as it was */
    agent_close(&maddpg->agent);
}

static void a_round_draws_its_weights_from_priorities(void **state) {
    (void)state;
    struct maddpg *maddpg = open_agents(0.0);
    fill(maddpg);
    for (uint32_t slot = 0; slot < FILL; slot++) {
        real magnitude = 0.1 + slot;
        priority_update(&maddpg->experience.priority, &slot, &magnitude, 1);
    }
    maddpg_update(maddpg);
    /* Draws and weights are of before the round, priorities are of after it: weights follow from magnitudes
     * set. */
    double largest = 0;
    for (uint32_t row = 0; row < BATCH; row++)
        largest = fmax(largest, pow(0.1 + maddpg->experience.slots[row] + 1e-6, -0.6 * 0.7));
    for (uint32_t row = 0; row < BATCH; row++) {
        double weight = pow(0.1 + maddpg->experience.slots[row] + 1e-6, -0.6 * 0.7) / largest;
        assert_true(fabs(maddpg->experience.weights[row] - weight) < 1e-12);
    }
    agent_close(&maddpg->agent);
}

static void actions_of_actors_lie_one_after_the_other(void **state) {
    (void)state;
    struct agent_space space = {.observation_size = 4,
                                .discrete_count = 2,
                                .discrete_sizes = {3, 3},
                                .continuous_count = 4,
                                .actor_count = 2};
    struct agent *agent;
    struct agent_action action;
    const real observation[4] = {0.1, 0.2, 0.3, 0.4};
    const struct agent_setup setup = {.space = &space, .seed = 1};
    assert_int_equal(agent_open(&agent, &maddpg_class, &setup, NULL), STATUS_OK);
    assert_int_equal(agent_action_open(&action, &space), STATUS_OK);
    struct maddpg *maddpg = (struct maddpg *)agent;
    agent_act(agent, observation, AGENT_GREEDY, &action);
    for (uint32_t i = 0; i < 2; i++) {
        real raw[5];
        maddpg_act_one(maddpg, i, observation + (size_t)2 * i, raw);
        uint32_t best = raw[1] > raw[0] ? 1 : 0;
        best = raw[2] > raw[best] ? 2 : best;
        assert_int_equal(action.discrete[i], best);
        assert_true(action.continuous[2 * i] == raw[3] && action.continuous[2 * i + 1] == raw[4]);
    }
    agent_action_close(&action);
    agent_close(agent);
    space.discrete_sizes[1] = 4;
    assert_int_equal(agent_open(&agent, &maddpg_class, &setup, NULL), STATUS_INVALID);
    agent_close(agent);
    space.discrete_sizes[1] = 3;
    space.continuous_count = 3;
    assert_int_equal(agent_open(&agent, &maddpg_class, &setup, NULL), STATUS_INVALID);
    agent_close(agent);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_losses_and_gradients_are_right_for_every_agent),
        cmocka_unit_test(an_actor_is_rated_by_its_critic_after_its_step),
        cmocka_unit_test(targets_follow_by_tau),
        cmocka_unit_test(priorities_come_from_unweighted_errors),
        cmocka_unit_test(a_round_draws_its_weights_from_priorities),
        cmocka_unit_test(actions_of_actors_lie_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
