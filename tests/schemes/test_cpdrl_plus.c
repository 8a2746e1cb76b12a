/* Goal: the agent learns a policy near the optimum from measurements alone, gives only decisions that can be
 * carried out, and goes on bit for bit after a checkpoint. Method: the closed form plays the system; the
 * agent is shown tasks, gains and what each device measured. Margins of quality are some ten times what ten
 * seeds need. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "schemes/cpdrl/optimum.h"
#include "schemes/cpdrl/plus.h"

struct rig {
    struct cpdrl_instance instance;
    struct cpdrl_task tasks[CPDRL_DEVICES_MAX];
    struct cpdrl_plus agent;
};

static void show_tasks(struct rig *rig) {
    for (uint32_t n = 0; n < rig->instance.count; n++)
        rig->tasks[n] = (struct cpdrl_task){.bits = rig->instance.devices[n].bits,
                                            .cycles_per_bit = rig->instance.devices[n].cycles_per_bit,
                                            .gain = rig->instance.devices[n].gain};
}

static void rig_open_without(struct rig *rig, uint32_t count, uint64_t seed, enum cpdrl_ablation ablation) {
    memset(rig, 0, sizeof *rig);
    rig->instance = cpdrl_draw_instance(CPDRL_CALIBRATED, seed, count);
    show_tasks(rig);
    struct cpdrl_box box = cpdrl_box_of(&rig->instance.limits);
    struct cpdrl_plus_config config = cpdrl_plus_published(count, &box);
    config.anneal_steps = 500;
    cpdrl_plus_ablate(&config, ablation);
    assert_int_equal(cpdrl_plus_open(&rig->agent, &config, seed, 1000), STATUS_OK);
}

static void rig_open(struct rig *rig, uint32_t count, uint64_t seed) {
    rig_open_without(rig, count, seed, CPDRL_ABLATION_FULL);
}

static struct cpdrl_decision step(struct rig *rig) {
    struct cpdrl_decision decision;
    cpdrl_plus_decide(&rig->agent, rig->tasks, true, &decision);
    struct cpdrl_outcome outcome = cpdrl_evaluate(&rig->instance, &decision);
    struct cpdrl_plus_feedback feedback = {rig->tasks, &decision, outcome.delay_s, outcome.energy_j};
    cpdrl_plus_learn(&rig->agent, &feedback);
    return decision;
}

static struct cpdrl_decision policy(struct rig *rig) {
    struct cpdrl_decision decision;
    cpdrl_plus_decide(&rig->agent, rig->tasks, false, &decision);
    return decision;
}

/* Policy over optimum, minus 1; a decision that breaks a constraint fails. */
static double gap(struct rig *rig) {
    struct cpdrl_decision decision = policy(rig);
    struct cpdrl_outcome outcome = cpdrl_evaluate(&rig->instance, &decision);
    assert_true(outcome.feasible);
    return outcome.objective / cpdrl_optimum_exhaustive(&rig->instance).outcome.objective - 1.0;
}

static uint8_t *save(const struct rig *rig, size_t *size) {
    *size = cpdrl_plus_saved_bytes(&rig->agent);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    struct bytes_writer writer = bytes_writer_over(bytes, *size);
    cpdrl_plus_save(&rig->agent, &writer);
    assert_false(writer.failed);
    assert_int_equal(writer.used, *size);
    return bytes;
}

/* ---- quality ---- */

static void the_policy_without_noise_is_near_the_optimum(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct rig rig;
        rig_open(&rig, 3, seed);
        for (int t = 0; t < 600; t++)
            step(&rig);
        assert_true(gap(&rig) < 0.02);
        cpdrl_plus_close(&rig.agent);
    }
}

/* New tasks and places in each step: the policy is one for tasks never seen. A fixed choice could not do
 * that. */
static void a_policy_learned_on_changing_tasks_serves_unseen_ones(void **state) {
    (void)state;
    struct rig rig;
    double worst = 0.0;
    rig_open(&rig, 6, 3);
    for (uint64_t t = 0; t < 900; t++) {
        rig.instance = cpdrl_draw_instance(CPDRL_CALIBRATED, 1000 + t, 6);
        show_tasks(&rig);
        step(&rig);
    }
    for (uint64_t other = 0; other < 20; other++) {
        rig.instance = cpdrl_draw_instance(CPDRL_CALIBRATED, 5000 + other, 6);
        show_tasks(&rig);
        worst = fmax(worst, gap(&rig));
    }
    assert_true(worst < 0.05);
    cpdrl_plus_close(&rig.agent);
}

/* Clocks too slow for local work, a narrow band, and a deadline that cuts into the free optimum: the price of
 * lateness has to be learned, too. */
static void a_deadline_that_binds_is_kept(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, 3, 203);
    struct cpdrl_limits *limits = &rig.instance.limits;
    limits->bandwidth_hz = 1e6;
    limits->server_hz = 9e9;
    limits->clock_max_hz = 1.05e9;
    limits->deadline_s = 0.147;
    rig.agent.config.box = cpdrl_box_of(limits);
    assert_true(cpdrl_optimum_exhaustive(&rig.instance).masks_filled > 0);
    for (int t = 0; t < 600; t++)
        step(&rig);
    assert_true(gap(&rig) < 0.05);
    cpdrl_plus_close(&rig.agent);
}

static void its_prediction_of_a_decision_is_what_the_decision_costs(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, 4, 5);
    for (int t = 0; t < 600; t++)
        step(&rig);
    struct cpdrl_decision decision = policy(&rig);
    double cost = cpdrl_evaluate(&rig.instance, &decision).objective;
    assert_true(fabs(cpdrl_plus_predict(&rig.agent, rig.tasks, &decision) / cost - 1.0) < 0.05);
    cpdrl_plus_close(&rig.agent);
}

/* ---- what can be carried out ---- */

static void every_decision_stays_within_boxes_and_band(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, 5, 6);
    rig.instance.limits.deadline_s = 1e9; /* C1 aside: exploring may be late */
    bool nobody = false, everybody = false;
    for (int t = 0; t < 300; t++) {
        struct cpdrl_decision decision = step(&rig);
        assert_true(cpdrl_evaluate(&rig.instance, &decision).feasible);
        uint32_t m = 0;
        for (uint32_t n = 0; n < 5; n++)
            m += decision.offloaded[n];
        nobody |= m == 0;
        everybody |= m == 5;
    }
    assert_true(nobody && everybody);
    cpdrl_plus_close(&rig.agent);
}

static void absent_devices_are_given_nothing_and_the_rest_share_the_band(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, 5, 7);
    for (int t = 0; t < 300; t++) {
        show_tasks(&rig);
        if (t % 3 == 0)
            rig.tasks[t % 5].bits = 0.0;
        struct cpdrl_decision decision;
        cpdrl_plus_decide(&rig.agent, rig.tasks, true, &decision);
        struct cpdrl_outcome outcome = cpdrl_evaluate(&rig.instance, &decision);
        for (uint32_t n = 0; n < 5; n++)
            if (rig.tasks[n].bits == 0.0) {
                assert_true(decision.clock_hz[n] == 0.0 && decision.bandwidth_hz[n] == 0.0);
                assert_int_equal(decision.offloaded[n], 0);
            }
        struct cpdrl_plus_feedback feedback = {rig.tasks, &decision, outcome.delay_s, outcome.energy_j};
        cpdrl_plus_learn(&rig.agent, &feedback);
    }
    show_tasks(&rig);
    assert_true(gap(&rig) < 0.1);
    cpdrl_plus_close(&rig.agent);
}

/* Lost replies: nothing measured, or the length of the slot and no energy. */
static void devices_that_measured_nothing_teach_nothing(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, 4, 8);
    for (int t = 0; t < 600; t++) {
        struct cpdrl_decision decision;
        cpdrl_plus_decide(&rig.agent, rig.tasks, true, &decision);
        struct cpdrl_outcome outcome = cpdrl_evaluate(&rig.instance, &decision);
        outcome.delay_s[t % 4] = t % 8 < 4 ? (double)INFINITY : 1000.0;
        outcome.energy_j[t % 4] = t % 8 < 4 ? (double)NAN : 0.0;
        struct cpdrl_plus_feedback feedback = {rig.tasks, &decision, outcome.delay_s, outcome.energy_j};
        cpdrl_plus_learn(&rig.agent, &feedback);
    }
    assert_true(gap(&rig) < 0.05);
    cpdrl_plus_close(&rig.agent);
}

static void one_device_alone_learns_too(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, 1, 9);
    for (int t = 0; t < 600; t++)
        step(&rig);
    assert_true(gap(&rig) < 0.02);
    cpdrl_plus_close(&rig.agent);
}

/* ---- repetition and checkpoints ---- */

static void same_seed_same_bits_other_seed_other_bits(void **state) {
    (void)state;
    struct rig rigs[3];
    size_t size[3];
    uint8_t *bytes[3];
    for (int i = 0; i < 3; i++) {
        rig_open(&rigs[i], 3, i < 2 ? 10 : 11);
        for (int t = 0; t < 150; t++)
            step(&rigs[i]);
        bytes[i] = save(&rigs[i], &size[i]);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    assert_true(size[2] != size[0] || memcmp(bytes[0], bytes[2], size[0]) != 0);
    for (int i = 0; i < 3; i++) {
        cpdrl_plus_close(&rigs[i].agent);
        free(bytes[i]);
    }
}

static void asking_for_the_policy_changes_nothing(void **state) {
    (void)state;
    struct rig asked, left;
    rig_open(&asked, 3, 12);
    rig_open(&left, 3, 12);
    for (int t = 0; t < 150; t++) {
        struct cpdrl_decision first = policy(&asked), second = policy(&asked);
        assert_memory_equal(&first, &second, sizeof first);
        struct cpdrl_decision a = step(&asked), b = step(&left);
        assert_memory_equal(&a, &b, sizeof a);
    }
    cpdrl_plus_close(&asked.agent);
    cpdrl_plus_close(&left.agent);
}

/* Stopped during warm-up, right at its end, and later; also where the memory of steps has wrapped around. */
static void a_resumed_agent_goes_on_bit_for_bit(void **state) {
    (void)state;
    const int stops[] = {40, 100, 260};
    for (int i = 0; i < 3; i++) {
        struct rig straight, before, after;
        size_t size, other_size;
        rig_open(&straight, 4, 13);
        rig_open(&before, 4, 13);
        rig_open(&after, 4, 14); /* other weights and streams, all of which the checkpoint replaces */
        straight.agent.config.replay_steps = before.agent.config.replay_steps = 200;
        after.agent.config.replay_steps = 200;
        after.instance = before.instance;
        show_tasks(&after);
        for (int t = 0; t < stops[i]; t++)
            step(&before);
        uint8_t *bytes = save(&before, &size);
        struct bytes_reader reader = bytes_reader_over(bytes, size);
        assert_int_equal(cpdrl_plus_load(&after.agent, &reader), STATUS_OK);
        assert_true(bytes_done(&reader));
        free(bytes);
        for (int t = 0; t < 2 * stops[i]; t++)
            step(&straight);
        for (int t = 0; t < stops[i]; t++)
            step(&after);
        bytes = save(&straight, &size);
        uint8_t *resumed = save(&after, &other_size);
        assert_int_equal(size, other_size);
        assert_memory_equal(bytes, resumed, size);
        free(bytes);
        free(resumed);
        cpdrl_plus_close(&straight.agent);
        cpdrl_plus_close(&before.agent);
        cpdrl_plus_close(&after.agent);
    }
}

static void damaged_or_foreign_checkpoints_are_refused(void **state) {
    (void)state;
    struct rig small, large;
    size_t size;
    rig_open(&small, 3, 15);
    rig_open(&large, 4, 15);
    for (int t = 0; t < 120; t++)
        step(&small);
    uint8_t *bytes = save(&small, &size);
    struct bytes_reader reader = bytes_reader_over(bytes, size);
    assert_int_equal(cpdrl_plus_load(&large.agent, &reader), STATUS_INVALID);
    for (size_t cut = 0; cut < size; cut += size / 50 + 1) {
        reader = bytes_reader_over(bytes, cut);
        assert_int_equal(cpdrl_plus_load(&small.agent, &reader), STATUS_INVALID);
    }
    free(bytes);
    cpdrl_plus_close(&small.agent);
    cpdrl_plus_close(&large.agent);
}

/* Each variant is another agent after the warm-up, decides within boxes and band, and goes on bit for bit. */
static void every_ablation_is_an_agent_of_its_own_that_resumes(void **state) {
    (void)state;
    struct cpdrl_decision full[150];
    for (unsigned ablation = CPDRL_ABLATION_FULL; ablation < CPDRL_ABLATION_COUNT; ablation++) {
        struct rig first, second;
        bool differs = false;
        size_t size;
        rig_open_without(&first, 5, 17, (enum cpdrl_ablation)ablation);
        rig_open_without(&second, 5, 17, (enum cpdrl_ablation)ablation);
        first.instance.limits.deadline_s = 1e9; /* C1 aside: exploring may be late */
        for (int t = 0; t < 130; t++)
            step(&first);
        uint8_t *bytes = save(&first, &size);
        struct bytes_reader reader = bytes_reader_over(bytes, size);
        assert_int_equal(cpdrl_plus_load(&second.agent, &reader), STATUS_OK);
        free(bytes);
        for (int t = 0; t < 150; t++) {
            struct cpdrl_decision decision = step(&first), resumed = step(&second);
            assert_memory_equal(&decision, &resumed, sizeof decision);
            assert_true(cpdrl_evaluate(&first.instance, &decision).feasible);
            if (ablation == CPDRL_ABLATION_FULL)
                full[t] = decision;
            differs |= memcmp(&decision, &full[t], sizeof decision) != 0;
        }
        assert_true(differs == (ablation != CPDRL_ABLATION_FULL));
        cpdrl_plus_close(&first.agent);
        cpdrl_plus_close(&second.agent);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_without_noise_is_near_the_optimum),
        cmocka_unit_test(a_policy_learned_on_changing_tasks_serves_unseen_ones),
        cmocka_unit_test(a_deadline_that_binds_is_kept),
        cmocka_unit_test(its_prediction_of_a_decision_is_what_the_decision_costs),
        cmocka_unit_test(every_decision_stays_within_boxes_and_band),
        cmocka_unit_test(absent_devices_are_given_nothing_and_the_rest_share_the_band),
        cmocka_unit_test(devices_that_measured_nothing_teach_nothing),
        cmocka_unit_test(one_device_alone_learns_too),
        cmocka_unit_test(same_seed_same_bits_other_seed_other_bits),
        cmocka_unit_test(asking_for_the_policy_changes_nothing),
        cmocka_unit_test(a_resumed_agent_goes_on_bit_for_bit),
        cmocka_unit_test(damaged_or_foreign_checkpoints_are_refused),
        cmocka_unit_test(every_ablation_is_an_agent_of_its_own_that_resumes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
