/* Goal: channels have the gains and the randomness of their papers. Method: closed-form gains; chains that
 * can only go one way; many chains started from different streams, whose first states must already be
 * stationary. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "common/net/channel.h"
#include "common/net/link_check.h"

static struct random_stream stream_of(uint64_t index) {
    struct random_stream stream;
    random_init(&stream, 3, index, RANDOM_TEST);
    return stream;
}

static struct channel open_channel(const struct scenario_link *config, uint64_t index) {
    struct channel channel;
    struct random_stream stream = stream_of(index);
    assert_int_equal(channel_init(&channel, config, &stream, NULL), STATUS_OK);
    return channel;
}

static void fixed_channels_never_change(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_OFDMA, CHANNEL_FIXED);
    struct channel channel = open_channel(&config, 0);
    assert_true(channel_gain(&channel) == 2e-13);
    config.channel = CHANNEL_PATH_LOSS;
    struct channel distant = open_channel(&config, 0);
    assert_true(fabs(channel_gain(&distant) / (1e-6 * pow(120.0, -3.2)) - 1.0) < 1e-12);
    for (int i = 0; i < 100; i++) {
        assert_false(channel_step(&channel));
        assert_false(channel_step(&distant));
    }
}

static void a_certain_chain_goes_round(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++)
            config.transition[from][to] = to == (from + 1) % 3;
    struct channel channel = open_channel(&config, 0);
    for (int i = 0; i < 100; i++) {
        uint32_t before = channel.state;
        assert_true(channel_step(&channel));
        assert_int_equal(channel.state, (before + 1) % 3);
        assert_true(channel_gain(&channel) == config.gain[channel.state]);
    }
    assert_true(channel_gain_best(&channel) == 6e-13);
}

static void chains_start_in_their_stationary_distribution(void **state) {
    (void)state;
    static const double expected[] = {5.0 / 24.0, 14.0 / 24.0, 5.0 / 24.0};
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    uint64_t counts[3] = {0}, levels[CHANNEL_LEVELS] = {0}, chains = 20000;
    for (uint64_t i = 0; i < chains; i++)
        counts[open_channel(&config, i).state]++;
    config.channel = CHANNEL_LEVELS10;
    for (uint64_t i = 0; i < chains; i++)
        levels[open_channel(&config, i).state]++;
    for (int s = 0; s < 3; s++) { /* 99.99 %: thirteen intervals at once */
        struct interval interval = wilson_interval(counts[s], chains, 0.9999);
        assert_true(interval.low <= expected[s] && expected[s] <= interval.high);
    }
    for (int level = 0; level < CHANNEL_LEVELS; level++) {
        struct interval interval = wilson_interval(levels[level], chains, 0.9999);
        assert_true(interval.low <= 0.1 && 0.1 <= interval.high);
    }
}

static void an_absorbing_chain_starts_where_it_ends(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++)
            config.transition[from][to] = to == 1;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(open_channel(&config, i).state, 1);
}

static void a_chain_that_stays_put_starts_anywhere(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    uint32_t seen = 0;
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++)
            config.transition[from][to] = to == from;
    for (uint64_t i = 0; i < 100; i++) {
        struct channel channel = open_channel(&config, i);
        assert_false(channel_step(&channel));
        seen |= 1u << channel.state;
    }
    assert_int_equal(seen, 7);
}

static void levels_move_by_one_and_stop_at_the_ends(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_OFDMA, CHANNEL_LEVELS10);
    config.gain[0] = 2.0;
    struct channel channel = open_channel(&config, 0);
    uint32_t seen = 0;
    for (int i = 0; i < 20000; i++) {
        uint32_t before = channel.state;
        bool changed = channel_step(&channel);
        assert_true(channel.state < CHANNEL_LEVELS);
        assert_true(channel.state + 1 >= before && channel.state <= before + 1);
        assert_int_equal(changed, channel.state != before);
        assert_true(fabs(channel_gain(&channel) - 2.0 * 0.3 * (channel.state + 1)) < 1e-12);
        seen |= 1u << channel.state;
    }
    assert_int_equal(seen, 0x3ff);
    assert_true(fabs(channel_gain_best(&channel) - 6.0) < 1e-12);
}

static void bad_channels_are_refused(void **state) {
    (void)state;
    struct channel channel;
    struct random_stream stream = stream_of(0);
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    config.transition[0][0] = -0.1;
    assert_int_equal(channel_init(&channel, &config, &stream, NULL), STATUS_INVALID);
    config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    config.gain[1] = NAN;
    assert_int_equal(channel_init(&channel, &config, &stream, NULL), STATUS_INVALID);
    config = link_check_radio(LINK_LTE_M, CHANNEL_PATH_LOSS);
    config.distance_m = 0.0;
    assert_int_equal(channel_init(&channel, &config, &stream, NULL), STATUS_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_channels_never_change),
        cmocka_unit_test(a_certain_chain_goes_round),
        cmocka_unit_test(chains_start_in_their_stationary_distribution),
        cmocka_unit_test(an_absorbing_chain_starts_where_it_ends),
        cmocka_unit_test(a_chain_that_stays_put_starts_anywhere),
        cmocka_unit_test(levels_move_by_one_and_stop_at_the_ends),
        cmocka_unit_test(bad_channels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
