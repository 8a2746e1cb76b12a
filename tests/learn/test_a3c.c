/* Goal: A3C has every detail that is most often got wrong, and workers that come and go in virtual time train
 * a shared policy with the same bits each time. Method: the loss on numbers worked out by hand; a server with
 * gradients of the test's own; a simulated asynchronous run in which each worker has its own delay and an
 * event list decides who arrives. Each test names the mistake that it catches. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/learn/a3c.h"
#include "tests/learn/toys.h"

static void assert_near(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

/* ------------------------------------------------------------------------------------------------ loss */

static const struct agent_space choice_of_two = {
    .observation_size = 1, .discrete_count = 1, .discrete_sizes = {2}};

/* Catches: an advantage that is not detached (then the critic would feel the policy term even with weight 0
 * of its own); a mean instead of the sum; a value loss without the 2 of its derivative. */
static void the_advantage_is_a_constant_and_losses_are_sums(void **state) {
    (void)state;
    struct policy_head head = policy_head_of(&choice_of_two);
    const real outputs[6] = {0}, values[3] = {1, 2, 3}, returns[3] = {2, 2, 5};
    const uint32_t discrete[3] = {0, 1, 0};
    real d_outputs[6], d_values[3];
    struct policy_batch batch = {3, outputs, NULL, values, discrete, NULL, returns};
    struct policy_slopes slopes = {d_outputs, NULL, d_values};
    struct policy_loss_config config = {.value_coefficient = 0, .baseline = true};
    struct policy_loss loss = policy_loss(&head, &config, &batch, &slopes);
    for (int i = 0; i < 3; i++)
        assert_true(d_values[i] == 0);
    assert_near(loss.policy, (1 + 0 + 2) * log(2.0), 1e-6);
    assert_near((double)d_outputs[0], -1 * 0.5, 1e-6);
    assert_near((double)d_outputs[4], -2 * 0.5, 1e-6);
    config.value_coefficient = 0.5;
    loss = policy_loss(&head, &config, &batch, &slopes);
    assert_near(loss.value, 1 + 0 + 4, 1e-6);
    assert_near((double)d_values[2], -2, 1e-6); /* 0.5 x 2 (V - R) */
}

/* Catches: entropy from probabilities, which is NaN where one is 0. */
static void entropy_comes_from_log_softmax(void **state) {
    (void)state;
    struct policy_head head = policy_head_of(&choice_of_two);
    const real outputs[2] = {30000, -30000}, values[1] = {0}, returns[1] = {1};
    const uint32_t discrete[1] = {1}; /* the impossible one */
    real d_outputs[2], d_values[1];
    struct policy_batch batch = {1, outputs, NULL, values, discrete, NULL, returns};
    struct policy_slopes slopes = {d_outputs, NULL, d_values};
    struct policy_loss_config config = {
        .entropy_coefficient = 0.01, .value_coefficient = 0.5, .baseline = true};
    struct policy_loss loss = policy_loss(&head, &config, &batch, &slopes);
    assert_true(isfinite(loss.total) && loss.entropy == 0);
    assert_near((double)d_outputs[0], 1, 1e-6);
    assert_near((double)d_outputs[1], -1, 1e-6);
}

/* ---------------------------------------------------------------------------------------------- server */

/* Catches: statistics or a step counter per worker: then the second push would be corrected as a first one.
 */
static void all_pushes_share_statistics_and_the_step_counter(void **state) {
    (void)state;
    for (int adam = 0; adam < 2; adam++) {
        const struct a3c_rates rates = {.actor = 0.1, .critic = 0.2, .adam = adam == 1};
        const real start[3] = {1, 2, 3}, first[3] = {1, -2, 3}, second[3] = {-4, 5, 0.5};
        real expected[3] = {1, 2, 3}, critic_only[1] = {3};
        struct a3c_server server;
        assert_int_equal(a3c_server_open(&server, &rates, start, 3, 2), STATUS_OK);
        struct optimiser plain[2];
        assert_int_equal(optimiser_init(&plain[0], &server.actor.config, 2), STATUS_OK);
        assert_int_equal(optimiser_init(&plain[1], &server.critic.config, 1), STATUS_OK);
        uint64_t staleness;
        assert_int_equal(a3c_server_push(&server, first, 0, &staleness), STATUS_OK);  /* worker 0 */
        assert_int_equal(a3c_server_push(&server, second, 0, &staleness), STATUS_OK); /* worker 1 */
        optimiser_step(&plain[0], expected, first);
        optimiser_step(&plain[0], expected, second);
        optimiser_step(&plain[1], critic_only, first + 2);
        optimiser_step(&plain[1], critic_only, second + 2);
        assert_memory_equal(server.parameters, expected, 2 * sizeof(real));
        assert_memory_equal(server.parameters + 2, critic_only, sizeof(real));
        assert_true(server.actor.step == 2 && server.critic.step == 2 && server.version == 2);
        optimiser_close(&plain[0]);
        optimiser_close(&plain[1]);
        a3c_server_close(&server);
    }
}

static void staleness_counts_pushes_since_the_pull(void **state) {
    (void)state;
    const struct a3c_rates rates = {.actor = 0.1};
    const real zeros[2] = {0}, gradient[2] = {1, 1};
    real pulled[2];
    struct a3c_server server;
    uint64_t staleness = 99;
    assert_int_equal(a3c_server_open(&server, &rates, zeros, 2, 1), STATUS_OK);
    uint64_t version = a3c_server_pull(&server, pulled);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(a3c_server_push(&server, gradient, version, &staleness), STATUS_OK);
        assert_int_equal(staleness, i);
    }
    assert_int_equal(a3c_server_pull(&server, pulled), 3);
    assert_memory_equal(pulled, server.parameters, sizeof pulled);
    assert_true(server.staleness_sum == 3 && server.staleness_max == 2);
    assert_int_equal(a3c_server_push(&server, gradient, 4, &staleness), STATUS_INVALID); /* of the future */
    assert_int_equal(server.version, 3);
    assert_memory_equal(pulled, server.parameters, sizeof pulled);
    assert_int_equal(a3c_server_push(&server, gradient, 3, &staleness), STATUS_OK);
    assert_int_equal(staleness, 0); /* catches: counted from the first version */
    a3c_server_close(&server);
}

/* ---------------------------------------------------------------------------------------------- worker */

typedef const char *const settings_table[TOY_SETTINGS_MAX][2];
static settings_table worker_settings = {{"hidden", "8"}, {"horizon", "8"}, {"worker", "1"}};

/* Acts until the rollout is ready. */
static void fill(struct toy *toy, struct a3c *worker) {
    struct agent_report report;
    while (!a3c_ready(worker)) {
        toy_advance(toy, &worker->core.agent, AGENT_EXPLORE, &report);
        assert_int_equal(report.update_count, 0); /* a worker learns nothing by itself */
    }
}

/* Catches: gradients that add up over rollouts. */
static void a_gradient_owes_nothing_to_earlier_rollouts(void **state) {
    (void)state;
    struct agent *agents[2] = {toy_agent("a3c", &toy_hybrid, worker_settings, 1),
                               toy_agent("a3c", &toy_hybrid, worker_settings, 1)};
    struct toy toy = toy_open(&toy_hybrid, 1);
    struct a3c *used = a3c_of(agents[0]), *fresh = a3c_of(agents[1]);
    struct agent_report report = {0};
    size_t count = used->core.net.parameter_count;
    real *gradients[2] = {calloc(count, sizeof(real)), calloc(count, sizeof(real))};
    fill(&toy, used);
    a3c_gradient(used, gradients[0], &report);
    fill(&toy, used);
    /* the same rollout by a worker that has never had another, into a block of rubbish */
    for (uint32_t i = 0; i < used->core.rollout.fill; i++) {
        const struct rollout *rollout = &used->core.rollout;
        struct agent_transition transition = {rollout->observations + i,
                                              toy.observation,
                                              {rollout->discrete + 2 * i, rollout->continuous + i, 0},
                                              rollout->rewards + i,
                                              rollout->terminated[i],
                                              rollout->truncated[i]};
        agent_observe(agents[1], &transition);
    }
    for (size_t i = 0; i < count; i++)
        gradients[1][i] = 1e6f;
    a3c_gradient(used, gradients[0], &report);
    a3c_gradient(fresh, gradients[1], &report);
    assert_memory_equal(gradients[0], gradients[1], count * sizeof(real));
    for (int i = 0; i < 2; i++) {
        free(gradients[i]);
        agent_close(agents[i]);
    }
}

/* Catches: a rollout that goes on over the end of an episode, or a bootstrap there. */
static void a_rollout_ends_with_its_episode(void **state) {
    (void)state;
    struct agent *agent = toy_agent("a3c", &toy_bandit, worker_settings, 1);
    struct toy toy = toy_open(&toy_bandit, 1);
    struct a3c *worker = a3c_of(agent);
    fill(&toy, worker);
    assert_int_equal(worker->core.rollout.fill, 1);
    assert_true(worker->core.rollout.final_values[0] == 0);
    agent_close(agent);
}

/* -------------------------------------------------------------------------------------- asynchronous run */

#define WORKERS 3

struct run {
    struct agent *agents[WORKERS];
    struct toy toys[WORKERS];
    uint64_t arrival[WORKERS]; /* when the gradient that is under way reaches the server */
    real *gradients[WORKERS];
    struct a3c_server server;
    size_t count;
};

/* Worker i needs delays[i] from pull to push. */
static void send(struct run *run, uint32_t i, uint64_t delay) {
    struct agent_report report = {0};
    struct a3c *worker = a3c_of(run->agents[i]);
    fill(&run->toys[i], worker);
    a3c_gradient(worker, run->gradients[i], &report);
    run->arrival[i] += delay;
}

static void run_open(struct run *run, const uint64_t *delays) {
    const struct a3c_rates rates = {.actor = 0.005};
    *run = (struct run){0};
    for (uint32_t i = 0; i < WORKERS; i++) {
        run->agents[i] = toy_agent("a3c", &toy_bandit, worker_settings, 1 + i);
        run->toys[i] = toy_open(&toy_bandit, 1 + i);
        struct a3c *worker = a3c_of(run->agents[i]);
        run->count = worker->core.net.parameter_count;
        if (i == 0)
            assert_int_equal(a3c_server_open(&run->server, &rates, worker->core.parameters, run->count,
                                             worker->core.net.critic_offset),
                             STATUS_OK);
        run->gradients[i] = calloc(run->count, sizeof(real));
        assert_non_null(run->gradients[i]);
        a3c_pull(worker, run->server.parameters, run->server.version);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        send(run, i, delays[i]);
}

static void run_close(struct run *run) {
    for (uint32_t i = 0; i < WORKERS; i++) {
        agent_close(run->agents[i]);
        free(run->gradients[i]);
    }
    a3c_server_close(&run->server);
}

/* The next `pushes` arrivals in the order (time, worker). */
static void run_on(struct run *run, const uint64_t *delays, uint32_t pushes) {
    while (pushes-- > 0) {
        uint32_t first = 0;
        uint64_t staleness;
        for (uint32_t i = 1; i < WORKERS; i++)
            first = run->arrival[i] < run->arrival[first] ? i : first;
        struct a3c *worker = a3c_of(run->agents[first]);
        assert_int_equal(a3c_server_push(&run->server, run->gradients[first], worker->version, &staleness),
                         STATUS_OK);
        a3c_pull(worker, run->server.parameters, run->server.version);
        send(run, first, delays[first]);
    }
}

static const uint64_t delays[WORKERS] = {10, 17, 31}, other_delays[WORKERS] = {10, 18, 31};

static void an_asynchronous_run_has_the_same_bits_each_time_and_learns(void **state) {
    (void)state;
    struct run a, b, c;
    run_open(&a, delays);
    run_open(&b, delays);
    run_open(&c, other_delays);
    run_on(&a, delays, 3000);
    run_on(&b, delays, 3000);
    run_on(&c, other_delays, 3000);
    assert_memory_equal(a.server.parameters, b.server.parameters, a.count * sizeof(real));
    assert_memory_not_equal(a.server.parameters, c.server.parameters,
                            a.count * sizeof(real)); /* order matters */
    assert_true(a.server.version == 3000);
    assert_true(a.server.staleness_sum > 3000 && a.server.staleness_max >= 3); /* it is asynchronous */
    assert_true(toy_evaluate(&toy_bandit, a.agents[1], AGENT_GREEDY, 60) > 0.9);
    run_close(&a);
    run_close(&b);
    run_close(&c);
}

static void a_run_resumes_to_the_same_bits(void **state) {
    (void)state;
    struct run whole, half;
    run_open(&whole, delays);
    run_on(&whole, delays, 400);
    run_open(&half, delays);
    run_on(&half, delays, 200);
    size_t size = a3c_server_saved_bytes(&half.server);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    a3c_server_save(&half.server, &writer);
    assert_true(!writer.failed && writer.used == size);
    struct bytes_reader reader = bytes_reader_over(bytes, size);
    const struct a3c_rates rates = {.actor = 0.005};
    real *zeros = calloc(half.count, sizeof(real));
    struct a3c_server restored;
    assert_int_equal(a3c_server_open(&restored, &rates, zeros, half.count, half.server.critic_offset),
                     STATUS_OK);
    assert_int_equal(a3c_server_load(&restored, &reader), STATUS_OK);
    a3c_server_close(&half.server);
    half.server = restored;
    run_on(&half, delays, 200);
    assert_memory_equal(half.server.parameters, whole.server.parameters, half.count * sizeof(real));
    assert_true(half.server.staleness_sum == whole.server.staleness_sum);
    for (size_t cut = 0; cut < size; cut += 97) {
        struct bytes_reader shorter = bytes_reader_over(bytes, cut);
        assert_int_equal(a3c_server_load(&half.server, &shorter), STATUS_INVALID);
    }
    free(bytes);
    free(zeros);
    run_close(&whole);
    run_close(&half);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_advantage_is_a_constant_and_losses_are_sums),
        cmocka_unit_test(entropy_comes_from_log_softmax),
        cmocka_unit_test(all_pushes_share_statistics_and_the_step_counter),
        cmocka_unit_test(staleness_counts_pushes_since_the_pull),
        cmocka_unit_test(a_gradient_owes_nothing_to_earlier_rollouts),
        cmocka_unit_test(a_rollout_ends_with_its_episode),
        cmocka_unit_test(an_asynchronous_run_has_the_same_bits_each_time_and_learns),
        cmocka_unit_test(a_run_resumes_to_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
