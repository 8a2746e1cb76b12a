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

/* Mean return over seeds after `steps` steps. */
static double train_to_meet(const struct maddpg_config *config, uint32_t steps) {
    enum { SEEDS = 5 };
    struct agent_space space = reaching_space(REACHING_MEETING);
    double before = 0, after = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct agent *agent = open_agent_of("maddpg", &space, config, seed);
        struct reaching task = reaching_open(seed, REACHING_MEETING);
        before += reaching_evaluate(agent, REACHING_MEETING, AGENT_GREEDY) / SEEDS;
        reaching_train(&task, agent, steps);
        after += reaching_evaluate(agent, REACHING_MEETING, AGENT_GREEDY) / SEEDS;
        agent_close(agent);
    }
    assert_true(before < -6.0);
    return after;
}

/* The ablation of prioritised replay: uniform draws, by the error, by the reward, by both. */
static const struct {
    const char *name;
    bool prioritised;
    double reward;
} variants[] = {{"uniform", false, 0}, {"by error", true, 0}, {"by reward", true, 1}, {"by both", true, 0.5}};
#define VARIANTS (sizeof variants / sizeof *variants)

/* Where nothing is rare it makes no difference beyond that of seeds, early or late; what is asked is no harm.
 */
static void two_points_learn_to_meet_however_replay_is_drawn(void **state) {
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        struct maddpg_config config = small_config();
        config.prioritised = variants[i].prioritised;
        config.priority_reward = variants[i].reward;
        double early = train_to_meet(&config, 400), late = train_to_meet(&config, 1500);
        print_message("maddpg, meeting, replay %s: return %.2f after 400 steps, %.2f after 1500\n",
                      variants[i].name, early, late);
        assert_true(late > -2.0);
    }
}

#define RARE 20 /* of REMEMBERED transitions: those of a corner are rewarded */
#define REMEMBERED 1000

/* 1000 transitions that end at once; the first 20 start in a corner and are rewarded by 3. */
static void remember_rare_rewards(struct agent *agent, uint64_t seed) {
    struct random_stream stream;
    struct agent_action action;
    random_init(&stream, seed, 0, RANDOM_TEST);
    assert_int_equal(agent_action_open(&action, &agent->space), STATUS_OK);
    for (int k = 0; k < REMEMBERED; k++) {
        real at[4], rewards[2] = {k < RARE ? 3 : 0, k < RARE ? 3 : 0};
        for (int i = 0; i < 4; i++)
            at[i] = k < RARE ? (real)(0.6 + 0.4 * random_uniform(&stream))
                             : (real)(1.6 * random_uniform(&stream) - 1);
        for (int i = 0; i < 2; i++)
            action.continuous[i] = (real)(2 * random_uniform(&stream) - 1);
        agent_observe(agent, &(struct agent_transition){.observation = at,
                                                        .next_observation = at,
                                                        .action = action,
                                                        .reward = rewards,
                                                        .terminated = true});
    }
    agent_action_close(&action);
}

/* Mean squared error of the first critic on what is rare, after `rounds`. */
static double error_on_rare(const struct maddpg_config *config, uint64_t seed, uint32_t rounds) {
    struct agent_space space = reaching_space(REACHING_MEETING);
    struct agent *agent = open_agent_of("maddpg", &space, config, seed);
    struct maddpg *maddpg = (struct maddpg *)agent;
    double sum = 0;
    remember_rare_rewards(agent, seed);
    for (uint32_t i = 0; i < rounds; i++)
        maddpg_update(maddpg);
    for (uint32_t k = 0; k < config->batch; k++)
        maddpg->experience.slots[k] = k % RARE;
    maddpg_prepare(maddpg);
    maddpg_step_critic(maddpg, 0);
    for (uint32_t k = 0; k < RARE; k++)
        sum += pow((double)(maddpg->q[k] - maddpg->target[k]), 2);
    agent_close(agent);
    return sum / RARE;
}

/* Where what counts is rare, draws by error and by reward find it sooner, and the mixture is no worse than
 * both. */
static void rare_rewards_are_learnt_sooner_by_priority(void **state) {
    (void)state;
    double error[VARIANTS] = {0};
    for (size_t i = 0; i < VARIANTS; i++) {
        struct maddpg_config config = small_config();
        config.store_once = false;
        config.prioritised = variants[i].prioritised;
        config.priority_reward = variants[i].reward;
        for (uint64_t seed = 1; seed <= 5; seed++)
            error[i] += error_on_rare(&config, seed, 50) / 5;
        print_message("maddpg, rare rewards, replay %s: mean squared error %.3f after 50 rounds\n",
                      variants[i].name, error[i]);
    }
    assert_true(error[1] < 0.5 * error[0]);
    assert_true(error[2] < 0.5 * error[0]);
    assert_true(error[3] < 0.5 * error[0]);
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
        cmocka_unit_test(two_points_learn_to_meet_however_replay_is_drawn),
        cmocka_unit_test(rare_rewards_are_learnt_sooner_by_priority),
        cmocka_unit_test(training_goes_on_from_a_checkpoint_bit_for_bit),
        cmocka_unit_test(damaged_states_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
