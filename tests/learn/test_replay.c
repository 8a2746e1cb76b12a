/* Goal: a replay ring keeps the newest transitions whole, samples evenly, and gives back the same transitions
 * when it stores each state once. Method: numbered transitions pushed into small rings and compared with a
 * plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/replay.h"

#define PUSHES 500

/* Transition k of a walk in episodes of `length` steps; its action holds k. */
struct walk {
    real state[2], action, reward[2], next_state[2];
    uint8_t terminal[2];
};

static struct walk walk_step(uint32_t k, uint32_t length) {
    uint32_t episode = k / length, step = k % length;
    real base = (real)(100 * episode + step);
    return (struct walk){.state = {base, (real)-1},
                         .action = (real)k,
                         .reward = {(real)(2 * k), (real)(3 * k)},
                         .next_state = {base + 1, (real)-1},
                         .terminal = {step + 1 == length && episode % 2 == 0, 0}};
}

static uint32_t push(struct replay *replay, const struct walk *walk) {
    return replay_push(replay, &(struct replay_transition){.state = walk->state,
                                                           .action = &walk->action,
                                                           .reward = walk->reward,
                                                           .next_state = walk->next_state,
                                                           .terminal = walk->terminal});
}

static struct replay open_ring(uint32_t capacity, bool chained) {
    struct replay replay;
    const struct replay_config config = {
        .capacity = capacity, .state_size = 2, .action_size = 1, .reward_size = 2, .chained = chained};
    assert_int_equal(replay_init(&replay, &config), STATUS_OK);
    return replay;
}

/* What `slot` holds is transition k of the walk, whole; returns k. */
static uint32_t check_slot(const struct replay *replay, uint32_t slot, uint32_t length) {
    real action, state[2], next_state[2];
    replay_actions(replay, &slot, 1, &action, 1);
    replay_states(replay, &slot, 1, state, 2);
    replay_next_states(replay, &slot, 1, next_state, 2);
    struct walk walk = walk_step((uint32_t)action, length);
    assert_memory_equal(state, walk.state, sizeof state);
    assert_memory_equal(next_state, walk.next_state, sizeof next_state);
    assert_memory_equal(replay_next_state(replay, slot), walk.next_state, sizeof next_state);
    assert_memory_equal(replay_reward(replay, slot), walk.reward, sizeof walk.reward);
    assert_memory_equal(replay_terminal(replay, slot), walk.terminal, sizeof walk.terminal);
    return (uint32_t)action;
}

/* Pushes a walk; after every push all that can be sampled is whole, and it is the newest without a gap. */
static void check_walk(uint32_t capacity, uint32_t length, bool chained) {
    struct replay replay = open_ring(capacity, chained);
    for (uint32_t k = 0; k < PUSHES; k++) {
        struct walk walk = walk_step(k, length);
        uint32_t newest = push(&replay, &walk), found = 0;
        assert_int_equal(check_slot(&replay, newest, length), k);
        for (uint32_t slot = 0; slot < capacity; slot++)
            if (replay.valid[slot]) {
                assert_true(check_slot(&replay, slot, length) + replay.count > k);
                found++;
            }
        assert_int_equal(found, replay.count);
        if (!chained)
            assert_int_equal(replay.count, k + 1 < capacity ? k + 1 : capacity);
        else if (k + 1 >=
                 capacity) /* a slot for the newest s', at most one for each episode and the oldest */
            assert_true(replay.count + 2 + capacity / (length + 1) >= capacity - 1);
    }
    replay_close(&replay);
}

static void the_newest_transitions_are_kept_whole(void **state) {
    (void)state;
    for (uint32_t length = 1; length < 12; length += 2)
        for (uint32_t capacity = 1; capacity < 20; capacity += 3)
            check_walk(capacity, length, false);
}

static void states_stored_once_give_back_the_same_transitions(void **state) {
    (void)state;
    for (uint32_t length = 1; length < 12; length += 2)
        for (uint32_t capacity = 2; capacity < 21; capacity += 3)
            check_walk(capacity, length, true);
}

static void the_end_of_an_episode_is_not_joined_to_the_next(void **state) {
    (void)state;
    struct replay replay = open_ring(10, true);
    for (uint32_t k = 0; k < 6; k++) {
        struct walk walk = walk_step(k, 3);
        push(&replay, &walk);
    }
    assert_int_equal(replay.count, 6);
    assert_int_equal(replay.used, 8); /* 2 x (3 + 1) */
    assert_int_equal(replay.valid[3], 0);
    assert_int_equal(replay.valid[7], 0);
    replay_close(&replay);
}

/* Chi-square of `draws` draws over the transitions there are; 30 degrees of freedom or fewer stay below 60 (p
 * < 1e-3). */
static void check_evenness(bool chained) {
    enum { DRAWS = 30000, BATCH = 50 };
    struct replay replay = open_ring(24, chained);
    struct random_stream stream;
    uint32_t slots[BATCH], hits[24] = {0};
    double sum = 0;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (uint32_t k = 0; k < 100; k++) {
        struct walk walk = walk_step(k, 5);
        push(&replay, &walk);
    }
    for (int i = 0; i < DRAWS / BATCH; i++) {
        replay_sample(&replay, &stream, BATCH, slots);
        for (int k = 0; k < BATCH; k++) {
            assert_true(replay.valid[slots[k]]);
            hits[slots[k]]++;
        }
    }
    double expected = (double)DRAWS / replay.count;
    for (uint32_t slot = 0; slot < 24; slot++)
        if (replay.valid[slot])
            sum += (hits[slot] - expected) * (hits[slot] - expected) / expected;
    assert_true(sum < 60.0);
    assert_true(sum > 2.0); /* nor suspiciously even */
    replay_close(&replay);
}

static void sampling_is_even_over_what_is_there(void **state) {
    (void)state;
    check_evenness(false);
    check_evenness(true);
}

static void the_same_stream_draws_the_same_slots(void **state) {
    (void)state;
    struct replay replay = open_ring(24, true);
    struct random_stream one, other;
    uint32_t a[40], b[40];
    for (uint32_t k = 0; k < 15; k++) {
        struct walk walk = walk_step(k, 5);
        push(&replay, &walk);
    }
    random_init(&one, 1, 0, RANDOM_TEST);
    random_init(&other, 1, 0, RANDOM_TEST);
    replay_sample(&replay, &one, 40, a);
    replay_sample(&replay, &other, 40, b);
    assert_memory_equal(a, b, sizeof a);
    replay_close(&replay);
}

static void check_checkpoint(uint32_t pushes, bool chained) {
    struct replay replay = open_ring(16, chained), copy = open_ring(16, chained);
    struct walk walk;
    for (uint32_t k = 0; k < pushes; k++) {
        walk = walk_step(k, 5);
        push(&replay, &walk);
    }
    size_t size = replay_saved_bytes(&replay);
    uint8_t *data = malloc(size);
    assert_non_null(data);
    struct bytes_writer writer = bytes_writer_over(data, size);
    replay_save(&replay, &writer);
    assert_false(writer.failed);
    assert_int_equal(writer.used, size);
    struct bytes_reader reader = bytes_reader_over(data, size);
    assert_int_equal(replay_load(&copy, &reader), STATUS_OK);
    assert_true(bytes_done(&reader));
    walk = walk_step(pushes, 5); /* goes on at the same place */
    assert_int_equal(push(&replay, &walk), push(&copy, &walk));
    assert_int_equal(replay.count, copy.count);
    for (uint32_t slot = 0; slot < 16; slot++) {
        assert_int_equal(replay.valid[slot], copy.valid[slot]);
        if (copy.valid[slot])
            assert_int_equal(check_slot(&replay, slot, 5), check_slot(&copy, slot, 5));
    }
    for (size_t cut = 0; cut < size; cut++) {
        reader = bytes_reader_over(data, cut);
        assert_int_equal(replay_load(&copy, &reader), STATUS_INVALID);
        assert_int_equal(copy.count, 0);
    }
    free(data);
    replay_close(&replay);
    replay_close(&copy);
}

static void a_checkpoint_holds_content_head_and_fill(void **state) {
    (void)state;
    for (uint32_t pushes = 0; pushes < 40; pushes += 3) {
        check_checkpoint(pushes, false);
        check_checkpoint(pushes, true);
    }
}

static void a_checkpoint_of_another_shape_is_refused(void **state) {
    (void)state;
    struct replay replay = open_ring(16, false), other = open_ring(15, false), chained = open_ring(16, true);
    uint8_t data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    replay_save(&replay, &writer);
    struct bytes_reader reader = bytes_reader_over(data, writer.used);
    assert_int_equal(replay_load(&other, &reader), STATUS_INVALID);
    reader = bytes_reader_over(data, writer.used);
    assert_int_equal(replay_load(&chained, &reader), STATUS_INVALID);
    replay_close(&replay);
    replay_close(&other);
    replay_close(&chained);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_transitions_are_kept_whole),
        cmocka_unit_test(states_stored_once_give_back_the_same_transitions),
        cmocka_unit_test(the_end_of_an_episode_is_not_joined_to_the_next),
        cmocka_unit_test(sampling_is_even_over_what_is_there),
        cmocka_unit_test(the_same_stream_draws_the_same_slots),
        cmocka_unit_test(a_checkpoint_holds_content_head_and_fill),
        cmocka_unit_test(a_checkpoint_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
