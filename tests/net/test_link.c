/* Goal: a link serves its queue as promised: order, bounds, times, counters, and refusal of bad
 * configurations. Method: a 10 Mbit/s wire with 0.25 ms delay, so that 10,000 bits take 1 ms; every time is
 * worked out by hand. */
#include "tests/net/link_rig.h"

#include <math.h>
#include <string.h>

static void an_idle_link_takes_size_over_rate_plus_delay(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure = rig_send(link, 64000, 5 * MS);
    assert_int_equal(departure.start_ns, 5 * MS);
    assert_int_equal(departure.air_ns, 6400000);
    assert_int_equal(departure.end_ns, 5 * MS + 6400000);
    assert_int_equal(departure.arrival_ns, 5 * MS + 6400000 + 250000);
    assert_int_equal(departure.duplicate_ns, VTIME_NEVER);
    assert_int_equal(departure.fate, LINK_DELIVERED);
    assert_int_equal(departure.packet.offered_ns, 5 * MS);
    link_close(link);
}

static void the_most_urgent_leaves_first_and_equals_keep_their_order(void **state) {
    (void)state;
    static const uint32_t urgency[] = {0, 2, 0, 5, 2, 5, 0};
    static const uint32_t expected[] = {0, 3, 5, 1, 4, 2, 6}; /* 0 was on air before the others came */
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departures[7];
    assert_int_equal(rig_offer(link, 10000, urgency[0], 0, 0), STATUS_OK);
    assert_true(link_start(link, 0, &departures[0]));
    for (uint32_t i = 1; i < 7; i++)
        assert_int_equal(rig_offer(link, 10000, urgency[i], i, 0), STATUS_OK);
    assert_int_equal(rig_serve(link, 0, 100 * MS, departures + 1, 6), 6);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(departures[i].packet.handle, expected[i]);
        assert_int_equal(departures[i].start_ns, i * MS);
    }
    link_close(link);
}

static void a_full_queue_refuses_and_counts_it(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.queue_max = 3;
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_offer(link, 10000, 0, 0, 0), STATUS_OK);
    assert_int_equal(rig_offer(link, 10000, 9, 0, 0), STATUS_FULL); /* urgency buys no room */
    assert_true(link_start(link, 0, &departure));                   /* what is on air no longer waits */
    assert_int_equal(rig_offer(link, 10000, 0, 0, 0), STATUS_OK);
    assert_int_equal(rig_offer(link, 10000, 0, 0, 0), STATUS_FULL);
    const struct link_counters *counters = link_counters(link);
    assert_int_equal(counters->offered, 6);
    assert_int_equal(counters->refused, 2);
    assert_int_equal(counters->departed, 1);
    assert_int_equal(counters->queue_peak, 3);
    link_close(link);
}

static void a_link_asks_to_be_called_only_when_something_can_start(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure;
    assert_int_equal(link_next_ns(link), VTIME_NEVER);
    assert_false(link_start(link, 0, &departure));
    rig_send(link, 10000, 0);
    assert_int_equal(link_next_ns(link), VTIME_NEVER); /* on air, but nobody waits */
    rig_offer(link, 10000, 0, 0, MS / 2);
    assert_int_equal(link_next_ns(link), MS);
    assert_false(link_start(link, MS - 1, &departure));
    assert_true(link_start(link, MS, &departure));
    link_close(link);
}

static void an_ideal_link_delivers_everything_at_once(void **state) {
    (void)state;
    struct scenario_link config = {.kind = LINK_IDEAL, .queue_max = 8};
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departures[4];
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(rig_offer(link, i, 0, i, 7), STATUS_OK); /* of no size as well */
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(link_start(link, 7, &departures[i]));
        assert_int_equal(departures[i].arrival_ns, 7);
        assert_int_equal(departures[i].packet.handle, i);
    }
    assert_false(link_start(link, 7, &departures[3]));
    assert_true(isinf(link_report(link).rate_bps));
    link_close(link);
}

static void a_flush_hands_back_what_waits_but_not_what_is_on_air(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    uint32_t handles[8] = {0};
    rig_send(link, 10000, 0);
    rig_offer(link, 10000, 1, 11, 0);
    rig_offer(link, 10000, 2, 12, 0);
    assert_int_equal(link_flush(link, handles, MS / 2), 2);
    assert_int_equal(handles[0], 12);
    assert_int_equal(handles[1], 11);
    assert_int_equal(link_next_ns(link), VTIME_NEVER);
    assert_true(fabs(link_counters(link)->queue_area_s - 2 * 0.5e-3) < 1e-15);
    assert_true(link_counters(link)->wait_s == 0.0); /* nobody departed after waiting */
    rig_offer(link, 10000, 0, 13, MS / 2);
    assert_int_equal(link_next_ns(link), MS); /* the packet on air still ends at 1 ms */
    assert_int_equal(link_flush(link, NULL, MS), 1);
    link_close(link);
}

static void counters_add_up(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.power_w = 2.0;
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departures[8];
    for (uint32_t i = 0; i < 5; i++)
        rig_offer(link, 10000, 0, i, 0);
    assert_int_equal(rig_serve(link, 0, 100 * MS, departures, 8), 5);
    const struct link_counters *counters = link_counters(link);
    assert_int_equal(counters->bits, 50000);
    assert_int_equal(counters->busy_ns, 5 * MS);
    assert_int_equal(counters->delivered, 5);
    assert_true(fabs(counters->air_s - 5e-3) < 1e-15);
    assert_true(fabs(counters->energy_j - 10e-3) < 1e-15);
    assert_true(fabs(counters->wait_s - (0 + 1 + 2 + 3 + 4) * 1e-3) < 1e-15);
    assert_true(fabs(counters->queue_area_s - counters->wait_s) < 1e-15);
    link_close(link);
}

/* Jitter of ten packets' length would overtake at once. */
static uint32_t count_overtakings(bool reorder) {
    struct scenario_link config = link_check_wired();
    config.jitter_ns = 10 * MS;
    config.reorder = reorder;
    struct link *link = rig_open(&config, 0.0);
    uint32_t overtakings = 0;
    int64_t before_ns = 0;
    for (int64_t i = 0; i < 1000; i++) {
        struct link_departure departure = rig_send(link, 10000, i * MS);
        int64_t nominal_ns = i * MS + MS + config.delay_ns;
        assert_in_range(departure.arrival_ns, nominal_ns, nominal_ns + config.jitter_ns);
        overtakings += departure.arrival_ns < before_ns;
        before_ns = departure.arrival_ns;
    }
    link_close(link);
    return overtakings;
}

static void jitter_keeps_the_order_unless_reordering_is_asked_for(void **state) {
    (void)state;
    assert_int_equal(count_overtakings(false), 0);
    assert_true(count_overtakings(true) > 300);
}

/* A link with everything random switched on, as one number. */
static uint64_t fingerprint(uint64_t seed, uint32_t id) {
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    struct link *link = NULL;
    uint64_t sum = 0;
    config.jitter_ns = MS;
    config.loss = LOSS_BERNOULLI;
    config.loss_probability = config.corrupt_probability = config.duplicate_probability = 0.1;
    assert_int_equal(link_open(&config, 0.2, seed, id, &link, NULL), STATUS_OK);
    for (int64_t i = 0; i < 200; i++) {
        link_slot(link, i * VTIME_NS_PER_S);
        struct link_departure d = rig_send(link, 64000, i * VTIME_NS_PER_S);
        sum = sum * 31 + (uint64_t)d.arrival_ns + (uint64_t)d.fate + d.corrupt_key + (uint64_t)d.duplicate_ns;
    }
    link_close(link);
    return sum;
}

static void a_link_is_a_function_of_seed_and_id(void **state) {
    (void)state;
    assert_true(fingerprint(1, 4) == fingerprint(1, 4));
    assert_true(fingerprint(1, 4) != fingerprint(2, 4));
    assert_true(fingerprint(1, 4) != fingerprint(1, 5));
}

static void expect_refusal(const struct scenario_link *config, double share, const char *part) {
    struct link *link = NULL;
    struct error error = {0};
    enum status status = link_open(config, share, 1, 0, &link, &error);
    assert_true(status == STATUS_INVALID || status == STATUS_IO);
    assert_null(link);
    if (strstr(error.text, part) == NULL)
        fail_msg("'%s' does not mention '%s'", error.text, part);
}

static void wrong_configurations_are_refused_with_their_reason(void **state) {
    (void)state;
    const struct scenario_link wired = link_check_wired();
    const struct scenario_link lte_m = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    const struct scenario_link ofdma = link_check_radio(LINK_OFDMA, CHANNEL_FIXED);
#define REFUSED(base, share, member, value, part)                                                            \
    do {                                                                                                     \
        struct scenario_link bad = base;                                                                     \
        bad.member = value;                                                                                  \
        expect_refusal(&bad, share, part);                                                                   \
    } while (0)
    REFUSED(wired, 0.0, queue_max, 0, "queue_max");
    REFUSED(wired, 0.0, rate_bps, 0.0, "rate");
    REFUSED(wired, 0.0, rate_bps, INFINITY, "rate");
    REFUSED(wired, 0.0, delay_ns, -1, "negative");
    REFUSED(wired, 0.0, jitter_ns, -1, "negative");
    REFUSED(wired, 0.0, duplicate_probability, 1.5, "duplicate_probability");
    REFUSED(wired, 0.0, corrupt_probability, NAN, "corrupt_probability");
    REFUSED(wired, 0.0, kind, LINK_TRACE, "trace file");
    REFUSED(lte_m, 0.0, queue_max, 5, "share");
    REFUSED(lte_m, 1.5, queue_max, 5, "share");
    REFUSED(lte_m, 0.2, mini_slot_bits, 0.0, "mini-slot");
    REFUSED(lte_m, 0.2, noise_w_per_hz, 0.0, "noise");
    REFUSED(lte_m, 0.2, transition[1][1], 0.6, "add up to 1");
    REFUSED(lte_m, 0.2, gain[2], -1.0, "gain");
    REFUSED(ofdma, 0.0, gain[0], 0.0, "gain");
    REFUSED(ofdma, 0.0, subchannels, 0, "subchannels");
    REFUSED(ofdma, 0.0, subchannels_initial, 25, "sub-channels");
#undef REFUSED
    link_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_link_takes_size_over_rate_plus_delay),
        cmocka_unit_test(the_most_urgent_leaves_first_and_equals_keep_their_order),
        cmocka_unit_test(a_full_queue_refuses_and_counts_it),
        cmocka_unit_test(a_link_asks_to_be_called_only_when_something_can_start),
        cmocka_unit_test(an_ideal_link_delivers_everything_at_once),
        cmocka_unit_test(a_flush_hands_back_what_waits_but_not_what_is_on_air),
        cmocka_unit_test(counters_add_up),
        cmocka_unit_test(jitter_keeps_the_order_unless_reordering_is_asked_for),
        cmocka_unit_test(a_link_is_a_function_of_seed_and_id),
        cmocka_unit_test(wrong_configurations_are_refused_with_their_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
