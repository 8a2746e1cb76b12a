/* Goal: what decides without learning follows its stated rule, never beats the slot optimum, and gives the
 * numbers of the specification (sections 3.3, 3.4). Method: small gateways against all offloading vectors;
 * the rule checked on drawn slots; means over drawn slots. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "schemes/jopa/baselines.h"
#include "schemes/jopa/slot_optimum.h"

#define CLOSE 1e-9
#define SLOTS 200
#define GATEWAYS 5
#define WEAK 0.7 /* pruning of AGDM's model */

enum arm { LOCAL, OFFLOAD, GREEDY, RANDOM, AGDM_DELAY, AGDM_LOCAL_FIRST, ARMS };

static struct jopa_slot drawn_slot(uint64_t seed, uint64_t node, uint32_t gateways, uint32_t tasks) {
    struct random_stream stream;
    random_init(&stream, seed, node, RANDOM_TEST);
    return jopa_slot_draw(gateways, tasks, &stream);
}

/* The levels of AGDM: of the same gateways and channels, drawn once. */
static struct jopa_slot static_of(const struct jopa_slot *slot) {
    struct jopa_slot believed = drawn_slot(0, 77, slot->gateway_count, slot->gateways[0].task_count);
    for (uint32_t g = 0; g < slot->gateway_count; g++)
        believed.gateways[g].channel = slot->gateways[g].channel;
    return believed;
}

static struct jopa_decision decide(enum arm arm, const struct jopa_parameters *parameters,
                                   const struct jopa_slot *slot, uint64_t seed) {
    struct jopa_slot believed = static_of(slot);
    struct random_stream stream;
    random_init(&stream, seed, 78, RANDOM_TEST);
    switch (arm) {
    case LOCAL:
        return jopa_all_local(slot, 0);
    case OFFLOAD:
        return jopa_all_offload(slot, 0);
    case GREEDY:
        return jopa_greedy(parameters, slot);
    case RANDOM:
        return jopa_random(parameters, slot, &stream);
    case AGDM_DELAY:
        return jopa_agdm_delay(parameters, &believed, 0);
    default:
        return jopa_agdm_local_first(parameters, &believed, 0);
    }
}

static struct jopa_parameters weak_model(void) {
    struct jopa_parameters six = jopa_parameters_of(JOPA_CALIBRATED);
    return jopa_parameters_one_model(&six, WEAK);
}

/* ---- every arm ---- */

static void shares_are_equal_among_those_that_offload(void **state) {
    (void)state;
    struct jopa_parameters parameters = weak_model();
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct jopa_slot slot = drawn_slot(seed, 1, 3, 2); /* two tasks: often none of a gateway leaves */
        for (enum arm arm = 0; arm < ARMS; arm++) {
            struct jopa_decision decision = decide(arm, &parameters, &slot, seed);
            uint32_t sharing = 0;
            for (uint32_t g = 0; g < 3; g++)
                sharing += decision.offloaded[g][0] || decision.offloaded[g][1];
            for (uint32_t g = 0; g < 3; g++) {
                bool offloads = decision.offloaded[g][0] || decision.offloaded[g][1];
                assert_true(decision.share[g] == (offloads ? 1.0 / sharing : 0.0));
            }
        }
    }
}

static void no_arm_beats_the_optimum(void **state) {
    (void)state;
    struct jopa_parameters parameters = weak_model();
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct jopa_slot slot = drawn_slot(seed, 2, 3, 2);
        struct jopa_optimum optimum;
        /* Six steps hold 1/1, 1/2 and 1/3 of the server. */
        assert_int_equal(jopa_slot_optimum(&parameters, &slot, 6, &optimum, NULL), STATUS_OK);
        for (enum arm arm = 0; arm < ARMS; arm++) {
            struct jopa_decision decision = decide(arm, &parameters, &slot, seed);
            assert_true(jopa_evaluate(&parameters, &slot, &decision).reward <=
                        optimum.outcome.reward + CLOSE);
        }
    }
}

/* ---- greedy ---- */

static void greedy_drops_no_offloaded_task_and_leaves_none_behind_that_would_be_served(void **state) {
    (void)state;
    struct jopa_parameters parameters = jopa_parameters_of(JOPA_STRESS);
    parameters.mini_slot_s *= 4.0; /* one gateway has the whole band: make its queue a crowded one */
    uint32_t kept = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct jopa_slot slot = drawn_slot(seed, 3, 1, 30);
        slot.gateways[0].level[0] = 0; /* somebody leaves in any case */
        struct jopa_decision decision = jopa_greedy(&parameters, &slot);
        struct jopa_parameters free = parameters;
        /* Local tasks of a gateway without work and with a perfect model are never dropped. */
        free.flop_per_bit = 1e-30;
        for (uint32_t v = 0; v < free.model_count; v++)
            free.models[v].accuracy = 1.0;
        assert_int_equal(jopa_evaluate(&free, &slot, &decision).dropped_count, 0);
        for (uint32_t m = 0; m < 30; m++) {
            if (decision.offloaded[0][m])
                continue;
            kept++;
            struct jopa_decision more = decision;
            more.offloaded[0][m] = 1; /* it or one behind it comes too late */
            assert_true(jopa_evaluate(&free, &slot, &more).dropped_count > 0);
        }
    }
    assert_true(kept > 40);
}

static void greedy_takes_the_model_of_the_best_reward(void **state) {
    (void)state;
    struct jopa_parameters parameters = jopa_parameters_of(JOPA_STRESS);
    uint32_t other = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct jopa_slot slot = drawn_slot(seed, 4, 2, 40);
        struct jopa_decision decision = jopa_greedy(&parameters, &slot), trial = decision;
        double reward = jopa_evaluate(&parameters, &slot, &decision).reward;
        for (uint32_t v = 0; v < QOS_MODELS * QOS_MODELS; v++) {
            trial.model[0] = v / QOS_MODELS;
            trial.model[1] = v % QOS_MODELS;
            assert_true(jopa_evaluate(&parameters, &slot, &trial).reward <= reward + CLOSE);
        }
        other += decision.model[0] != 0;
    }
    assert_true(other > 0);
}

/* ---- AGDM ---- */

static bool accurate_enough(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                            const uint8_t *offloaded) {
    for (uint32_t m = 0; m < slot->gateways[0].task_count; m++)
        if (!offloaded[m] &&
            parameters->models[0].accuracy < qos_accuracy_floor(jopa_criticality(slot->gateways[0].level[m])))
            return false;
    return true;
}

static void agdm_delay_has_the_least_mean_delay_of_all_vectors(void **state) {
    (void)state;
    struct jopa_parameters parameters = weak_model();
    uint32_t mixed = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct random_stream stream;
        random_init(&stream, seed, 5, RANDOM_TEST);
        struct jopa_slot believed = jopa_slot_draw(1, 8, &stream);
        parameters.mini_slot_s = 0.02 * random_uniform(&stream);
        parameters.gateway_flops = 768e9 * (1.0 + 5.0 * random_uniform(&stream));
        struct jopa_decision found = jopa_agdm_delay(&parameters, &believed, 0), trial = found;
        assert_true(accurate_enough(&parameters, &believed, found.offloaded[0]));
        trial.share[0] = 1.0;
        double least_s = INFINITY;
        for (uint32_t mask = 0; mask < 256; mask++) {
            for (uint32_t m = 0; m < 8; m++)
                trial.offloaded[0][m] = mask >> m & 1;
            if (accurate_enough(&parameters, &believed, trial.offloaded[0]))
                least_s = fmin(least_s, jopa_evaluate(&parameters, &believed, &trial).delay_sum_s);
        }
        struct jopa_outcome outcome = jopa_evaluate(&parameters, &believed, &found);
        assert_true(fabs(outcome.delay_sum_s - least_s) <= CLOSE);
        mixed += outcome.offloaded_count > 0 && outcome.offloaded_count < 8;
    }
    assert_true(mixed > 20);
}

static void agdm_local_first_fills_the_batch_up_to_the_static_deadlines(void **state) {
    (void)state;
    struct jopa_parameters parameters = weak_model();
    uint32_t full = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct jopa_slot believed = drawn_slot(seed, 6, 1, 20);
        const uint8_t *level = believed.gateways[0].level;
        struct jopa_decision decision = jopa_agdm_local_first(&parameters, &believed, 0);
        uint32_t highest = 0, lowest_left = JOPA_LEVELS, local_count = 0;
        for (uint32_t m = 0; m < 20; m++) {
            if (decision.offloaded[0][m])
                lowest_left = level[m] < lowest_left ? level[m] : lowest_left;
            else {
                highest = level[m] > highest ? level[m] : highest;
                local_count++;
            }
        }
        double task_s = 0.3 * 199.68e9 / 768e9; /* (1 - p) H I / C_g */
        assert_true(highest <= 2 && highest <= lowest_left);
        assert_true(local_count * task_s <= qos_deadline_s(jopa_criticality(highest)) + CLOSE);
        if (lowest_left > 2)
            continue; /* the model is too weak for all others */
        assert_true((local_count + 1) * task_s > qos_deadline_s(jopa_criticality(lowest_left)));
        full++;
    }
    assert_true(full > 10);
}

/* ---- the numbers of the specification ---- */

struct means {
    double reward, drop, offload, delay_s;
};

static struct means means_of(enum arm arm, const struct jopa_parameters *parameters, uint32_t task_count) {
    struct means means = {0};
    for (uint64_t seed = 0; seed < SLOTS; seed++) {
        struct jopa_slot slot = drawn_slot(seed, 7, GATEWAYS, task_count / GATEWAYS);
        struct jopa_decision decision = decide(arm, parameters, &slot, seed);
        struct jopa_outcome outcome = jopa_evaluate(parameters, &slot, &decision);
        means.reward += outcome.reward / SLOTS;
        means.drop += outcome.dropped_count / (double)task_count / SLOTS;
        means.offload += outcome.offloaded_count / (double)task_count / SLOTS;
        means.delay_s += outcome.delay_sum_s / task_count / SLOTS;
    }
    return means;
}

static void assert_between(const char *what, double low, double found, double high) {
    if (!(found >= low && found <= high))
        fail_msg("%s is %g; expected %g to %g", what, found, low, high);
}

static void extremes_and_chance_give_the_published_numbers(void **state) {
    (void)state;
    struct jopa_parameters weak = weak_model(), six = jopa_parameters_of(JOPA_CALIBRATED);
    struct means local = means_of(LOCAL, &weak, 100);
    assert_true(fabs(local.reward + 99.0) < CLOSE && fabs(local.drop - 1.0) < CLOSE && local.offload == 0.0);
    assert_between("all offload, drop at 150", 0.02, means_of(OFFLOAD, &weak, 150).drop, 0.038);
    assert_between("all offload, drop at 200", 0.11, means_of(OFFLOAD, &weak, 200).drop, 0.155);
    assert_between("random, drop at 100", 0.42, means_of(RANDOM, &six, 100).drop, 0.50);
    assert_between("random, drop at 200", 0.42, means_of(RANDOM, &six, 200).drop, 0.50);
}

static void agdm_gives_the_published_numbers_in_both_readings(void **state) {
    (void)state;
    struct jopa_parameters weak = weak_model();
    for (uint32_t task_count = 100; task_count <= 200; task_count += 100) {
        struct means delay = means_of(AGDM_DELAY, &weak, task_count);
        struct means local = means_of(AGDM_LOCAL_FIRST, &weak, task_count);
        double published = task_count == 100 ? 0.62 : 0.76;
        assert_between("least delay, offload ratio", 0.86, delay.offload, 0.92);
        assert_between("least delay, drop ratio", 0.05, delay.drop, 0.12);
        assert_between("local first, offload ratio", published - 0.03, local.offload, published + 0.03);
        assert_between("local first, drop ratio", 0.17, local.drop, 0.23);
        if (task_count == 100)
            assert_between("least delay, delay", 0.185, delay.delay_s, 0.205);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_equal_among_those_that_offload),
        cmocka_unit_test(no_arm_beats_the_optimum),
        cmocka_unit_test(greedy_drops_no_offloaded_task_and_leaves_none_behind_that_would_be_served),
        cmocka_unit_test(greedy_takes_the_model_of_the_best_reward),
        cmocka_unit_test(agdm_delay_has_the_least_mean_delay_of_all_vectors),
        cmocka_unit_test(agdm_local_first_fills_the_batch_up_to_the_static_deadlines),
        cmocka_unit_test(extremes_and_chance_give_the_published_numbers),
        cmocka_unit_test(agdm_gives_the_published_numbers_in_both_readings),
    };
    return cmocka_run_group_tests_name("jopa baselines", tests, NULL, NULL);
}
