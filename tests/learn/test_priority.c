/* Goal: prioritised replay draws in proportion, never an empty slot, gives what is new the largest priority,
 * and weights by the current fill. Method: small trees against running sums and formulas; masses at and
 * beyond every edge. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/experience.h"

static struct priority open_tree(uint32_t capacity, double alpha, double beta) {
    struct priority priority;
    struct priority_config config = priority_default(capacity);
    config.alpha = alpha;
    config.beta = beta;
    assert_int_equal(priority_init(&priority, &config), STATUS_OK);
    return priority;
}

static void set(struct priority *priority, uint32_t slot, double magnitude) {
    real value = (real)magnitude;
    priority_insert(priority, slot);
    priority_update(priority, &slot, &value, 1);
}

/* The first slot whose running sum exceeds mass, else the last that is not empty. */
static uint32_t find_plainly(const struct priority *priority, double mass) {
    double sum = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < priority->config.capacity; i++) {
        double value = priority->sums[priority->leaves + i];
        sum += value;
        if (value > 0)
            last = i;
        if (value > 0 && sum > mass)
            return i;
    }
    return last;
}

/* alpha 0: every leaf is 1 and masses lie exactly on edges. */
static void check_find(struct random_stream *stream, uint32_t capacity, double alpha) {
    struct priority priority = open_tree(capacity, alpha, 1.0);
    for (uint32_t i = 0; i < capacity; i++)
        if (random_chance(stream, 0.7) || i == capacity / 2)
            set(&priority, i, (double)(1 + random_below(stream, 8)));
    for (double mass = 0; mass < priority_total(&priority) + 2; mass += 0.25)
        assert_int_equal(priority_find(&priority, mass), find_plainly(&priority, mass));
    priority_close(&priority);
}

static void the_first_running_sum_above_the_mass_is_found(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 2, 0, RANDOM_TEST);
    for (uint32_t capacity = 1; capacity < 40; capacity++) {
        check_find(&stream, capacity, 0.0);
        check_find(&stream, capacity, 1.0);
    }
}

static void an_empty_slot_is_never_drawn(void **state) {
    (void)state;
    struct random_stream stream;
    uint32_t slots[32];
    real weights[32], magnitudes[32];
    random_init(&stream, 3, 0, RANDOM_TEST);
    for (int round = 0; round < 300; round++) {
        struct priority priority = open_tree(37, 0.6, 0.4);
        for (uint32_t i = 0; i < 37; i++)
            if (random_chance(&stream, 0.3) || i == 11)
                set(&priority, i, exp(30.0 * random_uniform(&stream) - 20.0)); /* sums that round */
        priority_sample(&priority, &stream, 32, slots, weights);
        for (int k = 0; k < 32; k++) {
            assert_true(priority_holds(&priority, slots[k]));
            assert_true(weights[k] > 0 && weights[k] <= 1);
            magnitudes[k] = 0; /* an error of nothing at all stays drawable */
        }
        priority_update(&priority, slots, magnitudes, 32);
        for (int k = 0; k < 32; k++)
            assert_true(priority_holds(&priority, slots[k]));
        for (int k = -2; k <= 2; k++) {
            double edge = priority_total(&priority) * (1 + k * 0x1p-52);
            assert_true(priority_holds(&priority, priority_find(&priority, edge)));
            assert_true(priority_holds(&priority, priority_find(&priority, k * 0x1p-60)));
        }
        priority_close(&priority);
    }
}

static void what_is_new_has_the_largest_priority_so_far(void **state) {
    (void)state;
    struct priority priority = open_tree(8, 0.5, 1.0);
    priority_insert(&priority, 0);
    assert_true(fabs(priority_total(&priority) - 1.0) < 1e-12); /* the first one: 1 */
    set(&priority, 1, 15.0);
    set(&priority, 1, 0.25); /* the largest so far is remembered after it has gone */
    priority_insert(&priority, 2);
    double expected = sqrt(15.0 + 1e-6) / priority_total(&priority);
    assert_true(fabs(priority_probability(&priority, 2) - expected) < 1e-12);
    priority_close(&priority);
}

static void a_slot_that_was_emptied_stays_empty(void **state) {
    (void)state;
    struct priority priority = open_tree(8, 1.0, 1.0);
    set(&priority, 3, 2.0);
    set(&priority, 4, 2.0);
    priority_remove(&priority, 3);
    assert_int_equal(priority.count, 1);
    real magnitude = 9;
    priority_update(&priority, (const uint32_t[]){3}, &magnitude, 1); /* drawn before it was overwritten */
    assert_false(priority_holds(&priority, 3));
    assert_int_equal(priority_find(&priority, 0.0), 4);
    priority_close(&priority);
}

/* w_i = (N P_i)^-beta over their maximum, N the number of slots in use and not the capacity. */
static void check_weights(bool over_buffer) {
    struct priority priority = open_tree(64, 0.7, 0.4);
    const double magnitudes[] = {0.5, 3.0, 0.01, 1.0, 7.0};
    uint32_t slots[] = {1, 4, 3};
    real weights[3];
    double total = 0, largest = 0;
    priority.config.over_buffer = over_buffer;
    for (uint32_t i = 0; i < 5; i++) {
        set(&priority, i, magnitudes[i]);
        total += pow(magnitudes[i] + 1e-6, 0.7);
    }
    assert_int_equal(priority.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        double weight = pow(5 * pow(magnitudes[i] + 1e-6, 0.7) / total, -0.4);
        if (over_buffer || i == 1 || i == 3 || i == 4)
            largest = fmax(largest, weight);
    }
    priority_weights(&priority, slots, 3, weights);
    for (int k = 0; k < 3; k++) {
        double weight = pow(5 * pow(magnitudes[slots[k]] + 1e-6, 0.7) / total, -0.4) / largest;
        assert_true(fabs((double)weights[k] - weight) < 1e-6);
    }
    priority_close(&priority);
}

static void weights_correct_for_the_draws_at_the_current_fill(void **state) {
    (void)state;
    check_weights(false);
    check_weights(true);
}

static void draws_are_stratified_and_in_proportion(void **state) {
    (void)state;
    enum { DRAWS = 4000 };
    struct priority priority = open_tree(4, 1.0, 1.0);
    struct random_stream stream;
    uint32_t hits[4] = {0}, slots[10];
    real weights[10];
    random_init(&stream, 5, 0, RANDOM_TEST);
    for (uint32_t i = 0; i < 4; i++)
        set(&priority, i, (double)(i + 1) - 1e-6); /* 1, 2, 3, 4 of 10 */
    for (int i = 0; i < DRAWS; i++) {
        priority_sample(&priority, &stream, 10, slots, weights);
        for (int k = 0; k < 10; k++)
            hits[slots[k]]++;
    }
    for (uint32_t i = 0; i < 4; i++) /* ten strata of mass 1: no variance at all */
        assert_int_equal(hits[i], (i + 1) * DRAWS);
    priority_close(&priority);
}

static void sums_do_not_drift(void **state) {
    (void)state;
    struct priority priority = open_tree(50, 1.0, 1.0);
    struct random_stream stream;
    random_init(&stream, 6, 0, RANDOM_TEST);
    for (int i = 0; i < 100000; i++)
        set(&priority, (uint32_t)random_below(&stream, 50), i % 2 == 0 ? 1e9 : 1e-3);
    for (uint32_t i = 0; i < 50; i++)
        set(&priority, i, 1.0 - 1e-6);
    assert_true(fabs(priority_total(&priority) - 50.0) < 1e-6); /* magnitudes pass through single precision */
    priority_close(&priority);
}

static void an_error_that_is_no_number_counts_as_the_largest(void **state) {
    (void)state;
    struct priority priority = open_tree(4, 1.0, 1.0);
    const uint32_t slots[] = {0, 1, 2};
    const real magnitudes[] = {(real)NAN, (real)INFINITY, (real)-5};
    set(&priority, 3, 4.0);
    for (uint32_t i = 0; i < 3; i++)
        priority_insert(&priority, i);
    set(&priority, 3, 1.0);
    priority_update(&priority, slots, magnitudes, 3);
    assert_true(fabs(priority_total(&priority) - (3 * 4.0 + 1.0)) < 1e-4);
    assert_int_equal(priority.count, 4);
    priority_close(&priority);
}

static void a_checkpoint_holds_priorities(void **state) {
    (void)state;
    struct priority priority = open_tree(10, 0.6, 0.4), copy = open_tree(10, 0.6, 0.4);
    uint8_t data[256];
    for (uint32_t i = 0; i < 7; i++)
        set(&priority, i, 0.3 * i);
    priority.config.beta = 0.7;
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    priority_save(&priority, &writer);
    assert_int_equal(writer.used, priority_saved_bytes(&priority));
    struct bytes_reader reader = bytes_reader_over(data, writer.used);
    assert_int_equal(priority_load(&copy, &reader), STATUS_OK);
    assert_memory_equal(copy.sums, priority.sums, 2 * copy.leaves * sizeof *copy.sums);
    assert_memory_equal(copy.minima, priority.minima, 2 * copy.leaves * sizeof *copy.minima);
    assert_int_equal(copy.count, 7);
    assert_true(copy.largest == priority.largest && copy.config.beta == 0.7);
    for (size_t cut = 0; cut < writer.used; cut++) {
        reader = bytes_reader_over(data, cut);
        assert_int_equal(priority_load(&copy, &reader), STATUS_INVALID);
        assert_int_equal(copy.count, 0);
    }
    for (size_t leaf = 0; leaf < 10; leaf++) { /* neither negative nor not-a-number */
        uint8_t kept = data[20 + 8 * leaf + 7];
        data[20 + 8 * leaf + 7] = 0xff;
        data[20 + 8 * leaf + 6] |= 0xf8;
        reader = bytes_reader_over(data, writer.used);
        assert_int_equal(priority_load(&copy, &reader), STATUS_INVALID);
        data[20 + 8 * leaf + 7] = kept;
    }
    priority_close(&priority);
    priority_close(&copy);
}

static void a_ring_that_stores_states_once_never_draws_the_slots_between(void **state) {
    (void)state;
    struct experience experience;
    struct random_stream stream;
    random_init(&stream, 7, 0, RANDOM_TEST);
    struct experience_config config = {
        .replay = {.capacity = 13, .state_size = 1, .action_size = 1, .reward_size = 1, .chained = true},
        .prioritised = true,
        .priority = priority_default(13),
        .batch = 8,
        .update_every = 1};
    assert_int_equal(experience_open(&experience, &config, &stream), STATUS_OK);
    for (uint32_t k = 0; k < 200; k++) {
        real at = (real)(10 * (k / 3) + k % 3), next = at + 1, reward = 0;
        uint8_t terminal = 0;
        struct replay_transition one = {&at, &at, &reward, &next, &terminal};
        experience_push(&experience, &one);
        for (uint32_t slot = 0; slot < 13; slot++)
            assert_int_equal(experience.replay.valid[slot], priority_holds(&experience.priority, slot));
        experience_draw(&experience);
        for (uint32_t i = 0; i < 8; i++)
            assert_true(experience.replay.valid[experience.slots[i]]);
    }
    experience_close(&experience);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_running_sum_above_the_mass_is_found),
        cmocka_unit_test(an_empty_slot_is_never_drawn),
        cmocka_unit_test(what_is_new_has_the_largest_priority_so_far),
        cmocka_unit_test(a_slot_that_was_emptied_stays_empty),
        cmocka_unit_test(weights_correct_for_the_draws_at_the_current_fill),
        cmocka_unit_test(draws_are_stratified_and_in_proportion),
        cmocka_unit_test(sums_do_not_drift),
        cmocka_unit_test(an_error_that_is_no_number_counts_as_the_largest),
        cmocka_unit_test(a_checkpoint_holds_priorities),
        cmocka_unit_test(a_ring_that_stores_states_once_never_draws_the_slots_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
