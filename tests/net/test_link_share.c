/* Goal: a link of kind ofdma-share carries data at the rate of CPDRL Eq. (3) with what it was granted, and
 * nothing without; messages of the control plane cross any link at once, and get lost like data. Method:
 * grants of every sort beside radio_shannon_rate_bps; two planes on one link. */
#include "tests/net/link_rig.h"

#include <math.h>

#include "common/model/radio.h"

#define BAND 5e6
#define GAIN 1e-7
#define NOISE 1e-13

static struct scenario_link share_link(void) {
    return (struct scenario_link){.from = "device",
                                  .to = "server",
                                  .kind = LINK_OFDMA_SHARE,
                                  .channel = CHANNEL_FIXED,
                                  .delay_ns = 10000,
                                  .queue_max = 4,
                                  .bandwidth_hz = BAND,
                                  .power_w = 1.0,
                                  .noise_w = NOISE,
                                  .gain = {GAIN}};
}

static bool grant(struct link *link, double bandwidth_hz, double power_w, int64_t now_ns) {
    return link_allocate(link, &(struct link_allocation){.bandwidth_hz = bandwidth_hz, .power_w = power_w},
                         now_ns);
}

static void the_rate_is_that_of_the_formula_and_noise_does_not_grow_with_the_band(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    struct link *link = rig_open(&config, 0.0);
    assert_true(link_report(link).rate_bps == 0.0 && link_report(link).gain == GAIN);
    for (int band = 1; band <= 5; band++)
        for (int power = 1; power <= 4; power++) {
            assert_true(grant(link, band * 1e6, power / 4.0, 0));
            double rate_bps = radio_shannon_rate_bps(band * 1e6, power / 4.0 * GAIN / NOISE);
            assert_true(link_report(link).rate_bps == rate_bps);
            assert_false(grant(link, band * 1e6, power / 4.0, 0)); /* the same again is no news */
        }
    link_close(link);
}

static void a_packet_takes_its_bits_over_the_rate_and_costs_power_times_air(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    struct link *link = rig_open(&config, 0.0);
    grant(link, 1e6, 0.25, 0);
    struct link_departure departure = rig_send(link, 300000, MS);
    double air_s = 300000 / radio_shannon_rate_bps(1e6, 0.25 * GAIN / NOISE);
    assert_int_equal(departure.air_ns, llround(air_s * 1e9));
    assert_int_equal(departure.arrival_ns, MS + departure.air_ns + 10000);
    assert_true(fabs(link_counters(link)->energy_j - 0.25 * air_s) < 1e-9);
    link_close(link);
}

static void without_a_grant_data_waits_and_a_grant_starts_it(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure;
    assert_int_equal(rig_offer(link, 1000, 0, 1, 0), STATUS_OK);
    assert_int_equal(link_next_ns(link), VTIME_NEVER);
    assert_false(link_start(link, MS, &departure));
    assert_true(grant(link, 1e6, 1.0, 5 * MS));
    assert_true(link_start(link, 5 * MS, &departure));
    assert_int_equal(departure.start_ns, 5 * MS);
    assert_int_equal(departure.packet.handle, 1);
    grant(link, 0.0, 1.0, 6 * MS);
    assert_int_equal(rig_offer(link, 1000, 0, 2, 6 * MS), STATUS_OK);
    assert_int_equal(link_next_ns(link), VTIME_NEVER); /* taken back */
    link_close(link);
}

static void a_grant_while_sending_counts_for_the_next_packet(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    struct link *link = rig_open(&config, 0.0);
    struct link_departure first = {0}, second = {0};
    grant(link, 1e6, 1.0, 0);
    first = rig_send(link, 300000, 0);
    assert_int_equal(rig_offer(link, 300000, 0, 0, 1), STATUS_OK);
    grant(link, 2e6, 1.0, 2);
    assert_int_equal(link_next_ns(link), first.end_ns);
    assert_true(link_start(link, first.end_ns, &second));
    assert_in_range(first.air_ns - 2 * second.air_ns + 2, 0, 4);
    link_close(link);
}

static void grants_are_cut_to_what_there_is_and_confused_ones_are_none(void **state) {
    (void)state;
    static const struct {
        double band_hz, power_w, held_hz, used_w;
    } cases[] = {{1e12, 1e9, BAND, 1.0},     {INFINITY, INFINITY, BAND, 1.0},
                 {-1.0, 0.5, 0.0, 0.5},      {1e6, -0.5, 1e6, 0.0},
                 {NAN, 0.5, 0.0, 0.5},       {1e6, NAN, 1e6, 0.0},
                 {-INFINITY, 1.0, 0.0, 1.0}, {0.0, 0.0, 0.0, 0.0}};
    struct scenario_link config = share_link();
    struct link *link = rig_open(&config, 0.0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        grant(link, cases[i].band_hz, cases[i].power_w, 0);
        double rate_bps = radio_shannon_rate_bps(cases[i].held_hz, cases[i].used_w * GAIN / NOISE);
        assert_true(link_report(link).rate_bps == rate_bps);
    }
    link_close(link);
}

static void a_fault_on_the_rate_and_a_change_of_channel_reach_the_granted_rate(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    config.channel = CHANNEL_LEVELS10;
    struct link *link = rig_open(&config, 0.0);
    grant(link, 1e6, 1.0, 0);
    for (int slot = 1; slot < 50; slot++) {
        link_slot(link, slot * VTIME_NS_PER_S);
        double gain = link_report(link).gain;
        assert_true(link_report(link).rate_bps == radio_shannon_rate_bps(1e6, gain / NOISE));
    }
    double rate_bps = link_report(link).rate_bps;
    link_set_fault(link, &(struct link_fault){.rate_factor = 0.25});
    assert_true(link_report(link).rate_bps == 0.25 * rate_bps);
    link_close(link);
}

static void impossible_configurations_are_refused(void **state) {
    (void)state;
    struct link *link = NULL;
    struct error error = {0};
    for (int i = 0; i < 4; i++) {
        struct scenario_link config = share_link();
        *(double *[]){&config.bandwidth_hz, &config.power_w, &config.noise_w, &config.gain[0]}[i] = 0.0;
        assert_int_equal(link_open(&config, 0.0, 1, 0, &link, &error), STATUS_INVALID);
        assert_null(link);
    }
}

/* ---- the control plane ---- */

static void control_messages_only_propagate_and_do_not_wait_for_data(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(rig_offer(link, 1000000, 0, i, 0), STATUS_OK);
    assert_int_equal(rig_offer(link, 1000000, 0, 4, 0), STATUS_FULL);
    link_control(link, (struct link_packet){.bits = 360, .handle = 9}, MS,
                 &departure); /* no grant, no room */
    assert_int_equal(departure.fate, LINK_DELIVERED);
    assert_int_equal(departure.packet.handle, 9);
    assert_int_equal(departure.start_ns, MS);
    assert_int_equal(departure.air_ns, 0);
    assert_int_equal(departure.end_ns, MS);
    assert_int_equal(departure.arrival_ns, MS + 10000);
    grant(link, 1e6, 1.0, MS);
    struct link_departure data = {0};
    assert_true(link_start(link, MS, &data));
    link_control(link, (struct link_packet){.bits = 360}, MS + 1, &departure);
    assert_int_equal(departure.arrival_ns, MS + 10001); /* overtakes what is on the air */
    assert_true(data.arrival_ns > departure.arrival_ns);
    const struct link_counters *counters = link_counters(link);
    assert_int_equal(counters->offered, 7);
    assert_int_equal(counters->departed, 3);
    assert_int_equal(counters->bits, 1000000 + 2 * 360);
    assert_true(fabs(counters->energy_j - 1.0 * vtime_to_s(data.air_ns)) < 1e-12);
    assert_int_equal(counters->busy_ns, data.air_ns);
    link_close(link);
}

static void control_messages_keep_their_order_and_are_lost_cut_copied_and_damaged(void **state) {
    (void)state;
    struct scenario_link config = share_link();
    config.jitter_ns = MS;
    struct link *link = rig_open(&config, 0.0);
    struct link_departure departure;
    int64_t latest_ns = 0;
    for (int i = 0; i < 200; i++) {
        link_control(link, (struct link_packet){.bits = 8}, i * 1000, &departure);
        assert_true(departure.arrival_ns >= latest_ns && departure.arrival_ns >= i * 1000 + 10000);
        latest_ns = departure.arrival_ns;
    }
    link_set_fault(link, &(struct link_fault){.rate_factor = 1.0, .cut = true});
    link_control(link, (struct link_packet){.bits = 8}, MS, &departure);
    assert_int_equal(departure.fate, LINK_CUT);
    assert_int_equal(departure.arrival_ns, VTIME_NEVER);
    link_set_fault(link, &(struct link_fault){.rate_factor = 1.0, .loss = 1.0});
    link_control(link, (struct link_packet){.bits = 8}, MS, &departure);
    assert_int_equal(departure.fate, LINK_LOST);
    link_set_fault(link, &(struct link_fault){.rate_factor = 1.0, .corrupt = 1.0});
    link_control(link, (struct link_packet){.bits = 8}, MS, &departure);
    assert_int_equal(departure.fate, LINK_CORRUPTED);
    link_set_fault(link, &(struct link_fault){.rate_factor = 1.0, .duplicate = 1.0});
    link_control(link, (struct link_packet){.bits = 8}, MS, &departure);
    assert_true(departure.duplicate_ns != VTIME_NEVER && departure.duplicate_ns >= departure.arrival_ns);
    link_set_fault(link, &(struct link_fault){.rate_factor = 1.0, .reorder = 1.0});
    link_control(link, (struct link_packet){.bits = 8}, 100 * MS, &departure);
    assert_true(departure.arrival_ns >= 100 * MS + 2 * 10000); /* held back */
    const struct link_counters *counters = link_counters(link);
    assert_int_equal(counters->cut, 1);
    assert_int_equal(counters->lost, 1);
    assert_int_equal(counters->corrupted, 1);
    assert_int_equal(counters->duplicated, 1);
    link_close(link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_that_of_the_formula_and_noise_does_not_grow_with_the_band),
        cmocka_unit_test(a_packet_takes_its_bits_over_the_rate_and_costs_power_times_air),
        cmocka_unit_test(without_a_grant_data_waits_and_a_grant_starts_it),
        cmocka_unit_test(a_grant_while_sending_counts_for_the_next_packet),
        cmocka_unit_test(grants_are_cut_to_what_there_is_and_confused_ones_are_none),
        cmocka_unit_test(a_fault_on_the_rate_and_a_change_of_channel_reach_the_granted_rate),
        cmocka_unit_test(impossible_configurations_are_refused),
        cmocka_unit_test(control_messages_only_propagate_and_do_not_wait_for_data),
        cmocka_unit_test(control_messages_keep_their_order_and_are_lost_cut_copied_and_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
