/* Goal: MADDPG agents learn to cooperate, with uniform and prioritised replay, and go on from a checkpoint
 * with the same bits. Method: two points that have to meet; checkpoints compared byte for byte. What one
 * update computes is held against published vectors (tierbed verify golden) and details of it in
 * test_maddpg_fp64.c. */
#include "tests/learn/reaching.h"

#include "common/learn/maddpg.h"

static struct maddpg_config small_config(void) {
    struct maddpg_config config;
    maddpg_class.defaults(&config);
    config.actor_hidden = (struct agent_layers){2, {24, 16}};
    config.critic_hidden = (struct agent_layers){2, {24, 16}};
    config.actor_rate = 2e-3;
    config.critic_rate = 4e-3;
    config.discount = 0.8;
    config.tau = 0.02;
    config.noise_begin = 0.5;
    config.noise_end = 0.1;
    config.noise_steps = 1000;
    config.replay_capacity = 2000;
    config.batch = 32;
    config.warm_up = 100;
    return config;
}

static double train_to_meet(const struct maddpg_config *config, const char *name) {
    struct agent_space space = reaching_space(REACHING_MEETING);
    struct agent *agent = open_agent("maddpg", &space, config);
    struct reaching task = reaching_open(1, REACHING_MEETING);
    double before = reaching_evaluate(agent, REACHING_MEETING, AGENT_GREEDY);
    reaching_train(&task, agent, 3000);
    double after = reaching_evaluate(agent, REACHING_MEETING, AGENT_GREEDY);
    print_message("maddpg, meeting, %s: return %.2f before, %.2f after training\n", name, before, after);
    assert_true(before < -4.0);
    agent_close(agent);
    return after;
}

static void two_points_learn_to_meet(void **state) {
    (void)state;
    struct maddpg_config config = small_config();
    config.prioritised = false;
    assert_true(train_to_meet(&config, "uniform") > -2.0);
    config.prioritised = true;
    assert_true(train_to_meet(&config, "prioritised by error") > -2.0);
    config.priority_reward = 0.5;
    assert_true(train_to_meet(&config, "prioritised by error and reward") > -2.0);
}

static void training_goes_on_from_a_checkpoint_bit_for_bit(void **state) {
    (void)state;
    struct maddpg_config config = small_config();
    check_resume("maddpg", &config, REACHING_MEETING, 250);
    config.prioritised = false;
    config.store_once = false;
    config.replay_capacity = 150; /* the ring has gone round when it is saved */
    check_resume("maddpg", &config, REACHING_MEETING, 250);
    config.prioritised = true;
    config.store_once = true;
    check_resume("maddpg", &config, REACHING_HYBRID, 250);
}

static void damaged_states_are_refused(void **state) {
    (void)state;
    struct maddpg_config config = small_config();
    config.replay_capacity = 150;
    check_damage("maddpg", &config, REACHING_MEETING, 120);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_points_learn_to_meet),
        cmocka_unit_test(training_goes_on_from_a_checkpoint_bit_for_bit),
        cmocka_unit_test(damaged_states_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
