/* Goal: impairments and faults do what they say, add up, and end without a trace. Method: probabilities of 0
 * and 1, where every packet must behave the same; two identical links of which one suffers a fault for a
 * while. */
#include "tests/net/link_rig.h"

static struct link_fault no_fault(void) {
    return (struct link_fault){.rate_factor = 1.0};
}

static void a_cut_link_loses_everything_and_keeps_the_beat(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    struct link_fault fault = no_fault();
    fault.cut = true;
    link_set_fault(link, &fault);
    struct link_departure departure = rig_send(link, 10000, 0);
    assert_int_equal(departure.fate, LINK_CUT);
    assert_int_equal(departure.end_ns, MS); /* it went on air all the same */
    assert_int_equal(departure.arrival_ns, VTIME_NEVER);
    fault = no_fault();
    link_set_fault(link, &fault);
    assert_int_equal(rig_send(link, 10000, MS).fate, LINK_DELIVERED);
    assert_int_equal(link_counters(link)->cut, 1);
    assert_int_equal(link_counters(link)->delivered, 1);
    link_close(link);
}

static void certain_loss_loses_and_is_counted(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.loss = LOSS_BERNOULLI;
    config.loss_probability = 1.0;
    config.duplicate_probability = 1.0; /* a lost packet has no second copy */
    struct link *link = rig_open(&config, 0.0);
    for (int64_t i = 0; i < 10; i++) {
        struct link_departure departure = rig_send(link, 10000, i * MS);
        assert_int_equal(departure.fate, LINK_LOST);
        assert_int_equal(departure.arrival_ns, VTIME_NEVER);
        assert_int_equal(departure.duplicate_ns, VTIME_NEVER);
    }
    assert_int_equal(link_counters(link)->lost, 10);
    assert_int_equal(link_counters(link)->duplicated, 0);
    link_close(link);
}

static void a_corrupted_packet_arrives_on_time_with_a_key_of_its_own(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.corrupt_probability = 1.0;
    struct link *link = rig_open(&config, 0.0);
    struct link_departure first = rig_send(link, 10000, 0);
    struct link_departure second = rig_send(link, 10000, MS);
    assert_int_equal(first.fate, LINK_CORRUPTED);
    assert_int_equal(first.arrival_ns, MS + config.delay_ns);
    assert_true(first.corrupt_key != second.corrupt_key);
    assert_int_equal(link_counters(link)->corrupted, 2);
    link_close(link);
}

static void a_duplicate_never_comes_before_its_original(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.duplicate_probability = 1.0;
    config.jitter_ns = 5 * MS;
    struct link *link = rig_open(&config, 0.0);
    int64_t latest_ns = 0;
    for (int64_t i = 0; i < 1000; i++) {
        struct link_departure departure = rig_send(link, 10000, i * MS);
        assert_true(departure.arrival_ns >= latest_ns); /* nor do copies upset the order */
        assert_true(departure.duplicate_ns >= departure.arrival_ns && departure.duplicate_ns != VTIME_NEVER);
        latest_ns = departure.duplicate_ns;
    }
    assert_int_equal(link_counters(link)->duplicated, 1000);
    link_close(link);
}

static void a_held_packet_is_late_and_holds_nobody_up(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.reorder_delay_ns = 50 * MS;
    config.duplicate_probability = 1.0;
    struct link *link = rig_open(&config, 0.0);
    struct link_fault fault = no_fault();
    fault.reorder = 1.0;
    link_set_fault(link, &fault);
    struct link_departure held = rig_send(link, 10000, 0);
    assert_int_equal(held.arrival_ns, MS + config.delay_ns + 50 * MS);
    assert_int_equal(held.duplicate_ns, held.arrival_ns);
    fault = no_fault();
    link_set_fault(link, &fault);
    assert_int_equal(rig_send(link, 10000, MS).arrival_ns, 2 * MS + config.delay_ns);
    link_close(link);
}

static void without_a_delay_of_its_own_a_held_packet_is_still_overtaken(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    struct link_fault fault = no_fault();
    fault.reorder = 1.0;
    link_set_fault(link, &fault);
    struct link_departure held = rig_send(link, 10000, 0);
    fault = no_fault();
    link_set_fault(link, &fault);
    assert_true(rig_send(link, 10000, MS).arrival_ns < held.arrival_ns);
    link_close(link);
}

static void a_rate_fault_slows_the_next_transmission_and_ends(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    struct link *link = rig_open(&config, 0.0);
    struct link_fault fault = no_fault();
    struct link_departure departure;
    fault.rate_factor = 0.1;
    link_set_fault(link, &fault);
    assert_true(link_report(link).rate_bps == 1e6);
    assert_int_equal(rig_send(link, 10000, 0).air_ns, 10 * MS);
    fault.rate_factor = 0.0; /* stands still until somebody changes it */
    link_set_fault(link, &fault);
    rig_offer(link, 10000, 0, 0, 10 * MS);
    assert_int_equal(link_next_ns(link), VTIME_NEVER);
    assert_false(link_start(link, 20 * MS, &departure));
    fault = no_fault();
    link_set_fault(link, &fault);
    assert_true(link_start(link, 30 * MS, &departure));
    assert_int_equal(departure.air_ns, MS);
    link_close(link);
}

static void lte_m_needs_more_mini_slots_at_a_lower_rate(void **state) {
    (void)state;
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_FIXED);
    config.gain[0] = 6e-13;
    struct link *link = rig_open(&config, 0.2); /* 4 of 10 Mbit/s: 3 mini-slots */
    struct link_fault fault = no_fault();
    fault.rate_factor = 0.5;
    link_set_fault(link, &fault);
    assert_int_equal(link_report(link).mini_slots, 5);
    fault.rate_factor = 1e-300; /* an outage, and no overflow */
    link_set_fault(link, &fault);
    assert_int_equal(link_report(link).mini_slots, 0);
    fault = no_fault();
    link_set_fault(link, &fault);
    assert_int_equal(link_report(link).mini_slots, 3);
    link_close(link);
}

static void a_cut_does_not_shift_the_losses_after_it(void **state) {
    (void)state;
    struct scenario_link config = link_check_wired();
    config.loss = LOSS_GILBERT_ELLIOTT;
    config.loss_probability_bad = 1.0;
    config.loss_good_to_bad = 0.1;
    config.loss_bad_to_good = 0.3;
    struct link *calm = rig_open(&config, 0.0), *cut = rig_open(&config, 0.0);
    struct link_fault fault = no_fault();
    int losses = 0;
    for (int64_t i = 0; i < 1000; i++) {
        fault.cut = i >= 100 && i < 200;
        link_set_fault(cut, &fault);
        enum link_fate expected = rig_send(calm, 10000, i * MS).fate, got = rig_send(cut, 10000, i * MS).fate;
        assert_int_equal(got, fault.cut ? LINK_CUT : expected);
        losses += expected == LINK_LOST;
    }
    assert_in_range(losses, 150, 350);
    link_close(calm);
    link_close(cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_link_loses_everything_and_keeps_the_beat),
        cmocka_unit_test(certain_loss_loses_and_is_counted),
        cmocka_unit_test(a_corrupted_packet_arrives_on_time_with_a_key_of_its_own),
        cmocka_unit_test(a_duplicate_never_comes_before_its_original),
        cmocka_unit_test(a_held_packet_is_late_and_holds_nobody_up),
        cmocka_unit_test(without_a_delay_of_its_own_a_held_packet_is_still_overtaken),
        cmocka_unit_test(a_rate_fault_slows_the_next_transmission_and_ends),
        cmocka_unit_test(lte_m_needs_more_mini_slots_at_a_lower_rate),
        cmocka_unit_test(a_cut_does_not_shift_the_losses_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
