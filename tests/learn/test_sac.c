/* Goal: SAC learns numbers, choices and both, by expectation and straight-through, keeps its temperature
 * where it should be, and goes on from a checkpoint with the same bits. Method: a point that has to reach a
 * target; checkpoints compared byte for byte. What one update computes is held against published vectors
 * (tierbed verify golden) and in test_sac_fp64.c. */
#include "tests/learn/reaching.h"

#include "common/learn/sac.h"

static struct sac_config small_config(void) {
    struct sac_config config;
    sac_class.defaults(&config);
    config.actor_hidden = (struct agent_layers){2, {32, 32}};
    config.critic_hidden = (struct agent_layers){2, {32, 32}};
    config.actor_rate = config.critic_rate = config.temperature_rate = 3e-3;
    config.discount = 0.8;
    config.tau = 0.02;
    config.replay_capacity = 4000;
    config.batch = 32;
    config.warm_up = 100;
    config.target_entropy_choices = 0.2;
    return config;
}

static void train(const struct sac_config *config, enum reaching_kind kind, double asked, const char *name) {
    struct agent_space space = reaching_space(kind);
    struct agent *agent = open_agent("sac", &space, config);
    struct reaching task = reaching_open(1, kind);
    double before = reaching_evaluate(agent, kind, AGENT_GREEDY);
    reaching_train(&task, agent, 3000);
    double after = reaching_evaluate(agent, kind, AGENT_GREEDY),
           sampled = reaching_evaluate(agent, kind, AGENT_SAMPLE);
    print_message(
        "sac, %s: return %.2f before, %.2f after training (%.2f sampled), temperatures %.3g, %.3g\n", name,
        before, after, sampled, sac_temperature((struct sac *)agent, SAC_CHOICES),
        sac_temperature((struct sac *)agent, SAC_NUMBERS));
    assert_true(before < -4.0);
    assert_true(after > asked);
    assert_true(sampled > asked - 1.5);
    agent_close(agent);
}

static void a_point_learns_to_reach_its_target(void **state) {
    (void)state;
    struct sac_config config = small_config();
    train(&config, REACHING_POINT, -2.0, "reaching");
}

static void a_point_learns_a_choice_and_a_number_by_expectation(void **state) {
    (void)state;
    struct sac_config config = small_config();
    train(&config, REACHING_HYBRID, -2.5, "hybrid reaching by expectation");
}

static void a_point_learns_a_choice_and_a_number_straight_through(void **state) {
    (void)state;
    struct sac_config config = small_config();
    config.straight_through = true;
    train(&config, REACHING_HYBRID, -2.5, "hybrid reaching, straight-through");
}

static void training_goes_on_from_a_checkpoint_bit_for_bit(void **state) {
    (void)state;
    struct sac_config config = small_config();
    check_resume("sac", &config, REACHING_HYBRID, 250);
    config.straight_through = true;
    config.store_once = true;
    config.replay_capacity = 150; /* the ring has gone round when it is saved */
    check_resume("sac", &config, REACHING_HYBRID, 250);
}

static void damaged_states_are_refused(void **state) {
    (void)state;
    struct sac_config config = small_config();
    config.replay_capacity = 150;
    check_damage("sac", &config, REACHING_HYBRID, 120);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_learns_to_reach_its_target),
        cmocka_unit_test(a_point_learns_a_choice_and_a_number_by_expectation),
        cmocka_unit_test(a_point_learns_a_choice_and_a_number_straight_through),
        cmocka_unit_test(training_goes_on_from_a_checkpoint_bit_for_bit),
        cmocka_unit_test(damaged_states_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
