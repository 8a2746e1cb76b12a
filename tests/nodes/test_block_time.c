/* Goal: block times and timeliness are what docs/chain.md says of both modes, at their bounds and for clocks
 * and times that no honest node has; and the clock of a node is wrong by exactly what the schedule says.
 * Method: the pure functions, with bounds worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/time/vtime.h"
#include "nodes/chain/block_time.h"
#include "nodes/clock.h"

#define MS VTIME_NS_PER_MS
#define S VTIME_NS_PER_S

static const struct scenario_chain monotone = {.time = CHAIN_TIME_MONOTONE};
static const struct scenario_chain proposer = {
    .time = CHAIN_TIME_PROPOSER, .precision_ns = 50 * MS, .message_delay_ns = 200 * MS};

static void expect_time(const struct scenario_chain *rules, const uint64_t *tip_ms, int64_t clock_ns,
                        uint64_t time_ms) {
    uint64_t got;
    assert_int_equal(block_time_next(rules, tip_ms, clock_ns, &got), 0);
    assert_int_equal(got, time_ms);
}

static void the_first_block_has_the_time_of_the_clock_in_whole_ms(void **state) {
    (void)state;
    const struct scenario_chain *both[] = {&monotone, &proposer};
    for (size_t i = 0; i < 2; i++) {
        expect_time(both[i], NULL, 0, 0);
        expect_time(both[i], NULL, 1999999, 1);
        expect_time(both[i], NULL, 2 * MS, 2);
        expect_time(both[i], NULL, -5 * S, 0); /* nothing was before the run */
    }
}

static void a_clock_ahead_of_the_chain_is_followed_in_both_modes(void **state) {
    (void)state;
    const uint64_t tip_ms = 1000;
    expect_time(&monotone, &tip_ms, 1001 * MS, 1001);
    expect_time(&proposer, &tip_ms, 1001 * MS, 1001);
    expect_time(&monotone, &tip_ms, 600 * S, 600000);
    expect_time(&proposer, &tip_ms, 600 * S, 600000);
}

static void in_mode_monotone_a_clock_behind_the_chain_gives_one_ms_more(void **state) {
    (void)state;
    const uint64_t tip_ms = 1000;
    expect_time(&monotone, &tip_ms, 1000 * MS, 1001);
    expect_time(&monotone, &tip_ms, 1000 * MS + 999999, 1001);
    expect_time(&monotone, &tip_ms, 0, 1001);
    expect_time(&monotone, &tip_ms, INT64_MIN, 1001);
}

static void in_mode_proposer_a_clock_behind_the_chain_waits_until_it_is_past(void **state) {
    (void)state;
    const uint64_t tip_ms = 1000, far_ms = UINT64_MAX - 1;
    uint64_t time_ms;
    assert_int_equal(block_time_next(&proposer, &tip_ms, 990 * MS, &time_ms), 11 * MS);
    expect_time(&proposer, &tip_ms, 990 * MS + 11 * MS, 1001);
    /* Never for less than 1 ms, even if it stands still just before; never for longer than it takes to see
     * that the clock was set right. */
    assert_int_equal(block_time_next(&proposer, &tip_ms, 1001 * MS - 1, &time_ms), MS);
    assert_int_equal(block_time_next(&proposer, &tip_ms, -600 * S, &time_ms), BLOCK_TIME_WAIT_MAX_NS);
    assert_int_equal(block_time_next(&proposer, &far_ms, INT64_MIN, &time_ms), BLOCK_TIME_WAIT_MAX_NS);
}

static void a_proposal_is_timely_from_precision_before_its_time_to_delay_and_precision_after(void **state) {
    (void)state;
    int64_t first = 10 * S - 50 * MS, last = 10 * S + 250 * MS;
    assert_false(block_time_is_timely(&proposer, 10000, first - 1));
    assert_true(block_time_is_timely(&proposer, 10000, first));
    assert_true(block_time_is_timely(&proposer, 10000, 10 * S));
    assert_true(block_time_is_timely(&proposer, 10000, last));
    assert_false(block_time_is_timely(&proposer, 10000, last + 1));
    assert_true(block_time_is_timely(&proposer, 0, -50 * MS));
    assert_false(block_time_is_timely(&proposer, 0, -50 * MS - 1));
}

static void times_that_do_not_fit_a_clock_are_not_timely(void **state) {
    (void)state;
    assert_false(block_time_is_timely(&proposer, UINT64_MAX, 0));
    assert_false(block_time_is_timely(&proposer, UINT64_MAX, INT64_MAX));
    assert_false(block_time_is_timely(&proposer, UINT64_MAX / 1000000, -1)); /* its ns would wrap to near 0 */
    assert_false(block_time_is_timely(&proposer, 0, INT64_MAX));
    assert_false(block_time_is_timely(&proposer, 0, INT64_MIN));
}

static void in_mode_monotone_everything_is_timely(void **state) {
    (void)state;
    assert_true(block_time_is_timely(&monotone, UINT64_MAX, INT64_MIN));
    assert_true(block_time_is_timely(&monotone, 0, INT64_MAX));
}

/* ---- clocks ---- */

static const char text[] = "name: clocks\nslot: 1 s\nslots: 100\n"
                           "nodes:\n  - {name: v, role: chain, count: 2}\n"
                           "links:\n  - {from: v, to: v, kind: ideal, delay: 1 ms}\n"
                           "faults:\n"
                           "  - {kind: clock, at: 10 s, until: 20 s, node: v-1, offset: -10 min}\n"
                           "  - {kind: clock, at: 30 s, until: 40 s, node: v-1, drift: 50 ppm}\n"
                           "  - {kind: clock, at: 50 s, until: 60 s, node: v-1, drift: -100 %}\n"
                           "  - {kind: clock, at: 70 s, node: v, offset: 1 s}\n"
                           "  - {kind: clock, at: 80 s, node: v-1, offset: 250 ms, drift: 10 %}\n";

static void a_clock_is_wrong_by_what_the_schedule_says_while_it_says_so(void **state) {
    (void)state;
    static const struct {
        uint32_t node;
        int64_t now_ns, offset_ns;
    } known[] = {{0, 0, 0},
                 {0, 10 * S - 1, 0},
                 {0, 10 * S, -600 * S},
                 {0, 20 * S - 1, -600 * S},
                 {0, 20 * S, 0},
                 {1, 15 * S, 0},
                 {0, 30 * S, 0},
                 {0, 34 * S, 200000},                 /* 4 s of 50 ppm */
                 {0, 50 * S + 123456789, -123456789}, /* it stands still */
                 {0, 60 * S - 1, 1 - 10 * S},
                 {0, 60 * S, 0},
                 {1, 75 * S, S},
                 {0, 80 * S, S + 250 * MS}, /* those that overlap add up */
                 {0, 90 * S, S + 250 * MS + S},
                 {1, 90 * S, S}};
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct scenario_problems problems;
    struct error error;
    arena_init(&arena);
    assert_int_equal(
        scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, &arena, &scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&scenario, &arena, &topology, &error), STATUS_OK);
    assert_false(topology.nodes[0].may_crash); /* a wrong clock kills nobody */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(clock_offset_ns(&scenario, &topology, known[i].node, known[i].now_ns),
                         known[i].offset_ns);
    arena_close(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_block_has_the_time_of_the_clock_in_whole_ms),
        cmocka_unit_test(a_clock_ahead_of_the_chain_is_followed_in_both_modes),
        cmocka_unit_test(in_mode_monotone_a_clock_behind_the_chain_gives_one_ms_more),
        cmocka_unit_test(in_mode_proposer_a_clock_behind_the_chain_waits_until_it_is_past),
        cmocka_unit_test(a_proposal_is_timely_from_precision_before_its_time_to_delay_and_precision_after),
        cmocka_unit_test(times_that_do_not_fit_a_clock_are_not_timely),
        cmocka_unit_test(in_mode_monotone_everything_is_timely),
        cmocka_unit_test(a_clock_is_wrong_by_what_the_schedule_says_while_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
