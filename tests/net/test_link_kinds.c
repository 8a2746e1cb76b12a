/* Goal: each kind of link has the rate and the timing of its model. Method: the calibrated profile of the
 * LTE-M paper, whose mini-slot is 6.4 ms and whose rates follow from Eq. (5); OFDMA with and without
 * sub-channels; traces whose chances are counted by hand. */
#include "tests/net/link_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TAU_NS 6400000

static double lte_m_rate_bps(double gain) {
    return 1e6 * log2(1.0 + gain / (4e-20 * 1e6));
}

static void lte_m_uses_whole_mini_slots_but_arrives_after_its_air_time(void **state) {
    (void)state;
    static const double gains[] = {2e-13, 4e-13, 6e-13};
    static const uint32_t deltas[] = {4, 3, 3}; /* ceil(10 / 2.585), ceil(10 / 3.459), ceil(10 / 4) */
    for (int i = 0; i < 3; i++) {
        struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
        for (int row = 0; row < 3; row++) /* the chain goes to state i and stays */
            for (int column = 0; column < 3; column++)
                config.transition[row][column] = column == i;
        struct link *link = rig_open(&config, 0.2);
        struct link_report report = link_report(link);
        assert_int_equal(report.state, i);
        assert_int_equal(report.mini_slots, deltas[i]);
        assert_int_equal(report.mini_slot_ns, TAU_NS);
        assert_true(fabs(report.rate_bps / lte_m_rate_bps(gains[i]) - 1.0) < 1e-12);
        struct link_departure departure = rig_send(link, 64000, 0);
        assert_int_equal(departure.air_ns, llround(64000.0 / lte_m_rate_bps(gains[i]) * 1e9));
        assert_int_equal(departure.end_ns, deltas[i] * TAU_NS);
        assert_int_equal(departure.arrival_ns, departure.air_ns + config.delay_ns);
        link_close(link);
    }
}

static void a_large_lte_m_packet_takes_mini_slots_for_each_part(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_FIXED);
    config.gain[0] = 6e-13;
    struct link *link = rig_open(&config, 1.0); /* the whole band in the best state: one mini-slot per part */
    assert_int_equal(link_report(link).mini_slots, 1);
    assert_int_equal(rig_send(link, 64000, 0).end_ns, TAU_NS);
    assert_int_equal(rig_send(link, 64001, VTIME_NS_PER_S).end_ns, VTIME_NS_PER_S + 2 * TAU_NS);
    assert_int_equal(rig_send(link, 1, 2 * VTIME_NS_PER_S).end_ns, 2 * VTIME_NS_PER_S + TAU_NS);
    link_close(link);
}

static void mini_slots_of_broken_length_do_not_drift(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_FIXED);
    config.gain[0] = 6e-13;
    config.noise_w_per_hz = 3e-20;
    double tau_ns = 64000.0 / (5e6 * log2(1.0 + 6e-13 / (3e-20 * 5e6))) * 1e9;
    struct link *link = rig_open(&config, 1.0);
    struct link_departure departure;
    assert_true(fabs(tau_ns - round(tau_ns)) > 0.05);
    for (int i = 0; i < 10000; i++)
        rig_offer(link, 64000, 0, 0, 0);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(rig_serve(link, 0, VTIME_NEVER - 1, &departure, 1), 1);
        assert_true(fabs((double)departure.start_ns - i * tau_ns) <= 0.51);
    }
    link_close(link);
}

static void a_state_without_gain_is_an_outage_that_a_slot_ends(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    config.gain[0] = 0.0;
    struct link *link = rig_open(&config, 0.2);
    struct link_departure departure;
    int64_t now_ns = 0;
    while (link_report(link).state != 0)
        link_slot(link, now_ns += VTIME_NS_PER_S);
    assert_true(link_report(link).rate_bps == 0.0);
    assert_int_equal(link_report(link).mini_slots, 0);
    rig_offer(link, 64000, 0, 0, now_ns);
    assert_false(link_start(link, now_ns, &departure));
    assert_int_equal(link_next_ns(link), VTIME_NEVER);
    while (link_report(link).state == 0)
        link_slot(link, now_ns += VTIME_NS_PER_S);
    assert_true(link_next_ns(link) <= now_ns);
    assert_true(link_start(link, now_ns, &departure));
    assert_int_equal(departure.start_ns, now_ns);
    link_close(link);
}

static void a_slot_reports_a_change_exactly_when_the_state_changes(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_OFDMA, CHANNEL_LEVELS10);
    struct link *link = rig_open(&config, 0.0);
    int changes = 0;
    for (int64_t slot = 0; slot < 1000; slot++) {
        struct link_report before = link_report(link);
        bool changed = link_slot(link, slot * VTIME_NS_PER_S);
        struct link_report after = link_report(link);
        assert_int_equal(changed, before.state != after.state);
        assert_int_equal(changed, before.rate_bps != after.rate_bps);
        changes += changed;
    }
    assert_in_range(changes, 350, 650);
    link_close(link);
}

static void ofdma_carries_what_its_subchannels_carry_and_waits_without(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_OFDMA, CHANNEL_FIXED);
    double each_bps = 5e6 / 24 * log2(1.0 + 2e-13 / (4e-20 * 5e6 / 24));
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure;
    assert_true(fabs(link_report(link).rate_bps / (6 * each_bps) - 1.0) < 1e-12);
    assert_true(link_allocate(link, &(struct link_allocation){.subchannels = 0}, 0));
    assert_false(link_allocate(link, &(struct link_allocation){.subchannels = 0}, 0));
    rig_offer(link, 64000, 0, 0, 0);
    assert_int_equal(link_next_ns(link), VTIME_NEVER);
    assert_false(link_start(link, MS, &departure));
    assert_true(link_allocate(link, &(struct link_allocation){.subchannels = 2}, 3 * MS));
    assert_true(link_next_ns(link) <= 3 * MS);
    assert_true(link_start(link, 3 * MS, &departure));
    assert_int_equal(departure.air_ns, llround(64000.0 / (2 * each_bps) * 1e9));
    assert_true(link_allocate(link, &(struct link_allocation){.subchannels = 1000}, 4 * MS)); /* nobody holds more than there are */
    assert_true(fabs(link_report(link).rate_bps / (24 * each_bps) - 1.0) < 1e-12);
    link_close(link);
    struct scenario_link wired = link_check_wired();
    link = rig_open(&wired, 0.0);
    assert_false(link_allocate(link, &(struct link_allocation){.subchannels = 3}, 0)); /* a wire has none */
    link_close(link);
}

static void path_loss_fixes_the_gain_by_distance(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_OFDMA, CHANNEL_PATH_LOSS);
    double gain = 1e-6 * pow(1.0 / 120.0, 3.2);
    struct link *link = rig_open(&config, 0.0);
    double expected_bps = 6 * 5e6 / 24 * log2(1.0 + gain / (4e-20 * 5e6 / 24));
    assert_true(fabs(link_report(link).rate_bps / expected_bps - 1.0) < 1e-12);
    assert_false(link_slot(link, 0));
    link_close(link);
}

/* Opens a trace link over a temporary file that is gone once it has been read. */
static struct link *open_trace(const char *text) {
    char path[] = "/tmp/tierbed-test-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_true(dprintf(descriptor, "%s", text) > 0);
    close(descriptor);
    struct scenario_link config = link_check_wired();
    config.kind = LINK_TRACE;
    snprintf(config.trace_file, sizeof config.trace_file, "%s", path);
    struct link *link = rig_open(&config, 0.0);
    unlink(path);
    return link;
}

static void a_trace_packet_ends_with_the_chance_that_carries_its_last_bit(void **state) {
    (void)state;
    struct link *link = open_trace("3\n3\n10\n20\n");
    assert_true(fabs(link_report(link).rate_bps - 4 * 12000 / 20e-3) < 1e-6);
    struct link_departure departure =
        rig_send(link, 24001, 0); /* two chances at 3 ms and a bit of the one at 10 */
    assert_int_equal(departure.end_ns, 10 * MS);
    assert_int_equal(departure.arrival_ns, 10 * MS + 250000);
    departure = rig_send(link, 12000, 10 * MS); /* offered as the chance passes: too late for it */
    assert_int_equal(departure.end_ns, 20 * MS);
    departure = rig_send(link, 36000, 21 * MS); /* the next round starts at 20 ms */
    assert_int_equal(departure.end_ns, 30 * MS);
    link_close(link);
}

static void small_packets_that_wait_share_a_chance(void **state) {
    (void)state;
    struct link *link = open_trace("5\n9\n");
    struct link_departure departures[4];
    for (uint32_t i = 0; i < 4; i++)
        rig_offer(link, 5000, 0, i, 0);
    assert_int_equal(rig_serve(link, 0, 100 * MS, departures, 4), 4);
    assert_int_equal(departures[0].end_ns, 5 * MS);
    assert_int_equal(departures[1].end_ns, 5 * MS);
    assert_int_equal(departures[2].end_ns, 9 * MS); /* 2000 of its bits went at 5 ms */
    assert_int_equal(departures[3].end_ns, 9 * MS);
    link_close(link);
}

static void the_greatest_packets_and_slowest_links_stay_inside_virtual_time(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.rate_bps = 1e-3;
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure = rig_send(link, UINT64_MAX, 0);
    assert_true(departure.end_ns > 0 && departure.arrival_ns >= departure.end_ns);
    link_close(link);
    link = open_trace("1000000000\n");
    departure = rig_send(link, UINT64_MAX, 0);
    assert_true(departure.end_ns > 0 && departure.arrival_ns >= departure.end_ns);
    link_close(link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lte_m_uses_whole_mini_slots_but_arrives_after_its_air_time),
        cmocka_unit_test(a_large_lte_m_packet_takes_mini_slots_for_each_part),
        cmocka_unit_test(mini_slots_of_broken_length_do_not_drift),
        cmocka_unit_test(a_state_without_gain_is_an_outage_that_a_slot_ends),
        cmocka_unit_test(a_slot_reports_a_change_exactly_when_the_state_changes),
        cmocka_unit_test(ofdma_carries_what_its_subchannels_carry_and_waits_without),
        cmocka_unit_test(path_loss_fixes_the_gain_by_distance),
        cmocka_unit_test(a_trace_packet_ends_with_the_chance_that_carries_its_last_bit),
        cmocka_unit_test(small_packets_that_wait_share_a_chance),
        cmocka_unit_test(the_greatest_packets_and_slowest_links_stay_inside_virtual_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
