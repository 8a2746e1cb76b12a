/* Goal: the slot optimum of JOPA is exact and refuses what it cannot compute; the numbers of the
 * specification (sections 3.3, 3.4) come out of it. Method: against all offloading vectors, models and
 * divisions of the server for up to three gateways and six tasks, drawn from fixed seeds, each evaluated by
 * the closed form of common/model, which knows nothing of levels that are exchangeable; properties that hold
 * of any maximum; means over drawn slots; one wrong value at a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "schemes/jopa/slot_optimum.h"

#define GATEWAYS 3
#define TASKS 6 /* of all gateways */
#define CLOSE 1e-9

static struct jopa_optimum optimum_of(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                      uint32_t steps) {
    struct jopa_optimum optimum;
    struct error error = {0};
    if (jopa_slot_optimum(parameters, slot, steps, &optimum, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    return optimum;
}

/* ---- all decisions ---- */

struct all {
    const struct jopa_parameters *parameters;
    const struct jopa_slot *slot;
    uint32_t steps;
    struct jopa_decision decision;
    double best;
};

/* Every model of every gateway. */
static void all_models(struct all *all, uint32_t g) {
    if (g == all->slot->gateway_count) {
        all->best = fmax(all->best, jopa_evaluate(all->parameters, all->slot, &all->decision).reward);
        return;
    }
    for (uint32_t v = 0; v < all->parameters->model_count; v++) {
        all->decision.model[g] = v;
        all_models(all, g + 1);
    }
}

/* Every division of `left` steps over gateways g and above that obeys Eq. (17c) and (17d). */
static void all_shares(struct all *all, const uint8_t *offloads, uint32_t g, uint32_t left) {
    if (g == all->slot->gateway_count) {
        if (left == 0)
            all_models(all, 0);
        return;
    }
    for (uint32_t own = offloads[g] ? 1 : 0; own <= (offloads[g] ? left : 0); own++) {
        all->decision.share[g] = own / (double)all->steps;
        all_shares(all, offloads, g + 1, left - own);
    }
}

static double best_of_all(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                          uint32_t steps) {
    struct all all = {.parameters = parameters, .slot = slot, .steps = steps, .best = -INFINITY};
    uint32_t task_count = jopa_task_count(slot);
    for (uint32_t mask = 0; mask < 1u << task_count; mask++) {
        uint8_t offloads[JOPA_GATEWAYS_MAX] = {0};
        uint32_t bit = 0;
        for (uint32_t g = 0; g < slot->gateway_count; g++)
            for (uint32_t m = 0; m < slot->gateways[g].task_count; m++, bit++) {
                all.decision.offloaded[g][m] = mask >> bit & 1;
                offloads[g] |= all.decision.offloaded[g][m];
            }
        all_shares(&all, offloads, 0, mask == 0 ? 0 : steps);
    }
    return all.best;
}

/* ---- small instances ---- */

/* Gateways of different size; parameters so that each constraint binds in some of them. */
static void draw_small(struct random_stream *stream, struct jopa_parameters *parameters,
                       struct jopa_slot *slot) {
    *parameters = jopa_parameters_of((enum jopa_profile)random_below(stream, 4));
    *slot = jopa_slot_draw(1 + (uint32_t)random_below(stream, GATEWAYS), 1, stream);
    uint32_t spare = TASKS - slot->gateway_count;
    for (uint32_t g = 0; g < slot->gateway_count; g++) {
        uint32_t more = (uint32_t)random_below(stream, spare + 1);
        slot->gateways[g].task_count += more;
        spare -= more;
        for (uint32_t m = 0; m < slot->gateways[g].task_count; m++)
            slot->gateways[g].level[m] = (uint8_t)random_below(stream, JOPA_LEVELS);
    }
    parameters->gateway_flops *= 0.3 + random_uniform(stream);        /* batches that are late */
    parameters->mini_slot_s *= 1.0 + 12.0 * random_uniform(stream);   /* queues that are late */
    parameters->edge_work *= pow(10.0, 1.5 * random_uniform(stream)); /* Eq. (17f) */
    parameters->penalty = random_chance(stream, 0.3) ? random_uniform(stream) * 2.0 : parameters->penalty;
    parameters->model_count = 2;
    for (uint32_t v = 0; v < 2; v++)
        parameters->models[v] = qos_models[random_below(stream, QOS_MODELS)];
}

static void assert_obeys_17c_17d(const struct jopa_slot *slot, uint32_t steps,
                                 const struct jopa_optimum *optimum) {
    uint32_t total = 0;
    for (uint32_t g = 0; g < slot->gateway_count; g++) {
        uint32_t own = optimum->share_steps[g];
        const uint8_t *offloaded = optimum->decision.offloaded[g];
        assert_int_equal(own > 0, memchr(offloaded, 1, slot->gateways[g].task_count) != NULL);
        assert_true(optimum->decision.share[g] == own / (double)steps);
        total += own;
    }
    assert_int_equal(total, optimum->outcome.offloaded_count > 0 ? steps : 0);
}

static void the_programme_equals_all_decisions_of_small_slots(void **state) {
    (void)state;
    uint32_t mixed = 0, dropping = 0, all_stay = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct random_stream stream;
        struct jopa_parameters parameters;
        struct jopa_slot slot;
        random_init(&stream, seed, 0, RANDOM_TEST);
        draw_small(&stream, &parameters, &slot);
        uint32_t steps = 2 + (uint32_t)random_below(&stream, 4);
        struct jopa_optimum optimum = optimum_of(&parameters, &slot, steps);
        double best = best_of_all(&parameters, &slot, steps), near = CLOSE * fmax(1.0, fabs(best));
        if (!(fabs(optimum.outcome.reward - best) <= near && fabs(optimum.value - best) <= near))
            fail_msg("seed %u: programme %.12g, evaluated %.12g, all decisions %.12g", (unsigned)seed,
                     optimum.value, optimum.outcome.reward, best);
        assert_obeys_17c_17d(&slot, steps, &optimum);
        uint32_t leave = optimum.outcome.offloaded_count;
        mixed += leave > 0 && leave < optimum.outcome.task_count;
        dropping += optimum.outcome.dropped_count > 0;
        all_stay += leave == 0;
    }
    /* The instances are of every kind. */
    assert_true(mixed > 50 && dropping > 50 && all_stay > 5);
}

static void the_published_grid_equals_all_decisions_for_six_tasks(void **state) {
    (void)state;
    struct jopa_parameters parameters = jopa_parameters_of(JOPA_CALIBRATED);
    parameters.models[1] = parameters.models[3];
    parameters.model_count = 2;
    for (uint64_t seed = 0; seed < 2; seed++) {
        struct random_stream stream;
        random_init(&stream, seed, 1, RANDOM_TEST);
        struct jopa_slot slot = jopa_slot_draw(GATEWAYS, TASKS / GATEWAYS, &stream);
        double found = optimum_of(&parameters, &slot, JOPA_SHARE_STEPS).outcome.reward;
        assert_true(fabs(found - best_of_all(&parameters, &slot, JOPA_SHARE_STEPS)) <= CLOSE);
    }
}

static void more_gateways_than_steps_leave_some_without_offloading(void **state) {
    (void)state;
    struct jopa_parameters parameters = jopa_parameters_of(JOPA_CALIBRATED);
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    struct jopa_slot slot = jopa_slot_draw(3, 2, &stream);
    struct jopa_optimum optimum = optimum_of(&parameters, &slot, 1);
    assert_true(fabs(optimum.outcome.reward - best_of_all(&parameters, &slot, 1)) <= CLOSE);
    assert_obeys_17c_17d(&slot, 1, &optimum);
}

/* ---- properties of a maximum ---- */

static struct jopa_slot factory_slot(uint64_t seed, uint32_t task_count) {
    struct random_stream stream;
    random_init(&stream, seed, 2, RANDOM_TEST);
    return jopa_slot_draw(5, task_count / 5, &stream);
}

static void more_models_finer_shares_or_a_faster_queue_never_lower_the_reward(void **state) {
    (void)state;
    struct jopa_parameters six = jopa_parameters_of(JOPA_CALIBRATED);
    struct jopa_parameters one = jopa_parameters_one_model(&six, 0.7), fast = six;
    fast.mini_slot_s *= 0.7;
    double gain = 0.0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct jopa_slot slot = factory_slot(seed, 100);
        double ten = optimum_of(&six, &slot, 10).outcome.reward;
        assert_true(optimum_of(&one, &slot, 10).outcome.reward <= ten + CLOSE);
        assert_true(optimum_of(&six, &slot, 20).outcome.reward >= ten - CLOSE);
        assert_true(optimum_of(&fast, &slot, 10).outcome.reward >= ten - CLOSE);
        gain += optimum_of(&six, &slot, 20).outcome.reward - ten;
    }
    assert_true(gain > 0.01);
}

static void a_higher_penalty_lowers_reward_and_drops(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct jopa_parameters parameters = jopa_parameters_of(JOPA_STRESS);
        struct jopa_slot slot = factory_slot(seed, 125);
        double reward = INFINITY;
        uint32_t dropped = UINT32_MAX, dropped_free = 0;
        for (parameters.penalty = 0.0; parameters.penalty <= 200.0;
             parameters.penalty = 4.0 * parameters.penalty + 1.0) {
            struct jopa_optimum optimum = optimum_of(&parameters, &slot, 5);
            assert_true(optimum.outcome.reward <= reward + CLOSE);
            assert_true(optimum.outcome.dropped_count <= dropped);
            reward = optimum.outcome.reward;
            dropped = optimum.outcome.dropped_count;
            if (parameters.penalty == 0.0)
                dropped_free = dropped;
        }
        assert_true(dropped < dropped_free);
    }
}

static void the_order_of_gateways_and_tasks_does_not_matter(void **state) {
    (void)state;
    struct jopa_parameters parameters = jopa_parameters_of(JOPA_CALIBRATED);
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct jopa_slot slot = factory_slot(seed, 100), turned = slot;
        for (uint32_t g = 0; g < 5; g++) {
            turned.gateways[g] = slot.gateways[4 - g];
            for (uint32_t m = 0; m < 20; m++)
                turned.gateways[g].level[m] = slot.gateways[4 - g].level[19 - m];
        }
        assert_true(fabs(optimum_of(&parameters, &slot, 10).outcome.reward -
                         optimum_of(&parameters, &turned, 10).outcome.reward) <= CLOSE);
    }
}

static void no_drawn_decision_on_the_grid_is_better(void **state) {
    (void)state;
    struct jopa_parameters parameters = jopa_parameters_of(JOPA_CALIBRATED);
    struct jopa_slot slot = factory_slot(3, 100);
    struct jopa_optimum optimum = optimum_of(&parameters, &slot, 20);
    struct random_stream stream;
    random_init(&stream, 3, 3, RANDOM_TEST);
    for (int draw = 0; draw < 2000; draw++) { /* neighbours of the optimum: the hardest to beat */
        struct jopa_decision near = optimum.decision;
        uint32_t g = (uint32_t)random_below(&stream, 5), h = (uint32_t)random_below(&stream, 5);
        for (int flip = 0; flip < 1 + draw % 3; flip++)
            near.offloaded[g][random_below(&stream, 20)] ^= 1;
        near.model[h] = (uint32_t)random_below(&stream, parameters.model_count);
        if (memchr(near.offloaded[g], 1, 20) != NULL)
            assert_true(jopa_evaluate(&parameters, &slot, &near).reward <= optimum.outcome.reward + CLOSE);
    }
}

/* ---- the numbers of the specification ---- */

static struct jopa_outcome mean_of(const struct jopa_parameters *parameters, uint32_t gateway_count,
                                   uint32_t task_count, uint32_t steps, double *drop_ratio,
                                   double *off_ratio) {
    const uint32_t slots = 60;
    struct jopa_outcome sum = {0};
    for (uint64_t seed = 0; seed < slots; seed++) {
        struct random_stream stream;
        random_init(&stream, seed, 4, RANDOM_TEST);
        struct jopa_slot slot = jopa_slot_draw(gateway_count, task_count / gateway_count, &stream);
        struct jopa_outcome outcome = optimum_of(parameters, &slot, steps).outcome;
        sum.reward += outcome.reward / slots;
        sum.local_utilisation += outcome.local_utilisation / slots / gateway_count;
        sum.radio_utilisation += outcome.radio_utilisation / slots / gateway_count;
        sum.delay_sum_s += outcome.delay_sum_s / slots / task_count;
        sum.dropped_count += outcome.dropped_count;
        sum.offloaded_count += outcome.offloaded_count;
    }
    *drop_ratio = sum.dropped_count / (double)(slots * task_count);
    *off_ratio = sum.offloaded_count / (double)(slots * task_count);
    return sum;
}

static void assert_near(const char *what, double found, double expected, double slack) {
    if (!(fabs(found - expected) <= slack))
        fail_msg("%s is %g; expected %g within %g", what, found, expected, slack);
}

/* Five steps for five gateways: equal shares, as in the table of section 3.4 (60 slots, other draws). Drops
 * come from few crowded slots, so their mean, and with it the reward, varies much between sets of draws. */
static void a_hundred_sensors_give_the_published_row(void **state) {
    (void)state;
    double drop, off;
    struct jopa_parameters six = jopa_parameters_of(JOPA_CALIBRATED);
    struct jopa_outcome mean = mean_of(&six, 5, 100, 5, &drop, &off);
    double utilisation = mean.reward + six.penalty * drop; /* Eq. (21), backwards */
    assert_near("u", utilisation, 5.87, 0.06);
    assert_near("drop ratio", drop, 0.0022, 0.0022);
    assert_near("offload ratio", off, 0.79, 0.015);
    assert_near("u_l", mean.local_utilisation, 0.82, 0.02);
    assert_near("u_b", mean.radio_utilisation, 0.31, 0.02);
    assert_near("delay", mean.delay_sum_s, 0.315, 0.015);
    struct jopa_parameters one = jopa_parameters_one_model(&six, 0.7);
    mean = mean_of(&one, 5, 100, 5, &drop, &off);
    assert_near("u with one model", mean.reward + one.penalty * drop, 4.45, 0.06);
    assert_near("offload ratio with one model", off, 0.60, 0.015);
}

/* Figure 8: .988 on the grid of 20, .975 with equal shares. */
static void six_sensors_give_the_published_optimum(void **state) {
    (void)state;
    double drop, off;
    struct jopa_parameters six = jopa_parameters_of(JOPA_CALIBRATED);
    double grid = mean_of(&six, 3, 6, JOPA_SHARE_STEPS, &drop, &off).reward;
    double equal = mean_of(&six, 3, 6, 3, &drop, &off).reward;
    assert_near("reward on the grid", grid, 0.988, 0.06);
    assert_true(equal < grid);
}

/* ---- what is refused ---- */

static void assert_refused(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                           uint32_t steps, const char *word) {
    struct jopa_optimum optimum, untouched;
    struct error error = {0};
    memset(&optimum, 0x5a, sizeof optimum);
    memcpy(&untouched, &optimum, sizeof optimum);
    assert_int_equal(jopa_slot_optimum(parameters, slot, steps, &optimum, &error), STATUS_INVALID);
    if (strstr(error.text, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, word);
    assert_memory_equal(&optimum, &untouched, sizeof optimum);
}

static void parameters_that_are_no_positive_numbers_are_refused(void **state) {
    (void)state;
    struct jopa_slot slot = factory_slot(1, 25);
    const struct jopa_parameters good = jopa_parameters_of(JOPA_CALIBRATED);
    const double wrong[] = {0.0, -1.0, (double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct jopa_parameters bad = good;
        double *fields[] = {
            &bad.task_bits,        &bad.flop_per_bit, &bad.gateway_flops, &bad.edge_flops,     &bad.edge_work,
            &bad.edge_share_floor, &bad.bandwidth_hz, &bad.power_w,       &bad.noise_w_per_hz, &bad.gain[0],
            &bad.gain[2],          &bad.rate_max_bps, &bad.mini_slot_s,   &bad.slot_s};
        for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
            double kept = *fields[f];
            *fields[f] = wrong[i];
            assert_refused(&bad, &slot, 5, "above 0");
            *fields[f] = kept;
        }
        bad.penalty = wrong[i] == 0.0 ? -0.5 : wrong[i];
        assert_refused(&bad, &slot, 5, "penalty");
    }
}

static void models_counts_and_indices_out_of_bounds_are_refused(void **state) {
    (void)state;
    const struct jopa_parameters good = jopa_parameters_of(JOPA_CALIBRATED);
    const struct jopa_slot sound = factory_slot(1, 25);
    struct jopa_parameters bad = good;
    for (uint32_t i = 0; i < 2; i++) {
        bad.model_count = i == 0 ? 0 : QOS_MODELS + 1;
        assert_refused(&bad, &sound, 5, "models");
    }
    bad = good;
    bad.models[5].pruning = 1.5;
    assert_refused(&bad, &sound, 5, "model 5");
    bad = good;
    bad.models[0].accuracy = (double)NAN;
    assert_refused(&bad, &sound, 5, "model 0");
    struct jopa_slot slots[] = {sound, sound, sound, sound, sound, sound};
    const char *words[] = {"0 gateways", "4294967295 gateways", "0 tasks", "129 tasks", "state 3", "level 6"};
    slots[0].gateway_count = 0;
    slots[1].gateway_count = UINT32_MAX;
    slots[2].gateways[4].task_count = 0;
    slots[3].gateways[0].task_count = JOPA_TASKS_MAX + 1;
    slots[4].gateways[2].channel = JOPA_CHANNEL_STATES;
    slots[5].gateways[1].level[4] = JOPA_LEVELS;
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        assert_refused(&good, &slots[i], 5, words[i]);
    assert_refused(&good, &sound, 0, "0 steps");
    assert_refused(&good, &sound, JOPA_SHARE_STEPS_MAX + 1, "101 steps");
}

static void delays_that_overflow_are_refused(void **state) {
    (void)state;
    struct jopa_slot slot = factory_slot(1, 25);
    struct jopa_parameters silent = jopa_parameters_of(JOPA_CALIBRATED), heavy = silent, fast = silent;
    silent.gain[0] = silent.gain[1] = silent.gain[2] = 1e-300; /* log2(1 + snr) is 0 */
    heavy.flop_per_bit = heavy.task_bits = 1e200;
    fast.slot_s = 1e-308;
    assert_refused(&silent, &slot, 5, "finite");
    assert_refused(&heavy, &slot, 5, "finite");
    assert_refused(&fast, &slot, 5, "finite");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_programme_equals_all_decisions_of_small_slots),
        cmocka_unit_test(the_published_grid_equals_all_decisions_for_six_tasks),
        cmocka_unit_test(more_gateways_than_steps_leave_some_without_offloading),
        cmocka_unit_test(more_models_finer_shares_or_a_faster_queue_never_lower_the_reward),
        cmocka_unit_test(a_higher_penalty_lowers_reward_and_drops),
        cmocka_unit_test(the_order_of_gateways_and_tasks_does_not_matter),
        cmocka_unit_test(no_drawn_decision_on_the_grid_is_better),
        cmocka_unit_test(a_hundred_sensors_give_the_published_row),
        cmocka_unit_test(six_sensors_give_the_published_optimum),
        cmocka_unit_test(parameters_that_are_no_positive_numbers_are_refused),
        cmocka_unit_test(models_counts_and_indices_out_of_bounds_are_refused),
        cmocka_unit_test(delays_that_overflow_are_refused),
    };
    return cmocka_run_group_tests_name("jopa slot optimum", tests, NULL, NULL);
}
