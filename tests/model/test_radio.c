/* Goal: the radio functions hold at their limits, where vectors do not look: exact ratios, empty bands, no
 * power. Method: values that can be computed by hand, and properties that follow from the equations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/model/radio.h"

#define assert_near(got, expected) assert_true(fabs((got) - (expected)) <= 1e-12 * fabs(expected))

static void decibels_of_round_ratios(void **state) {
    (void)state;
    assert_near(radio_db_to_linear(0.0), 1.0);
    assert_near(radio_db_to_linear(20.0), 100.0);
    assert_near(radio_db_to_linear(-30.0), 1e-3);
    assert_near(radio_dbm_to_w(0.0), 1e-3);
    assert_near(radio_dbm_to_w(30.0), 1.0);
}

static void shannon_at_whole_powers_of_two(void **state) {
    (void)state;
    assert_near(radio_shannon_rate_bps(5e6, 3.0), 10e6);
    assert_near(radio_shannon_rate_bps(1e6, 1.0), 1e6);
    assert_true(radio_shannon_rate_bps(1e6, 0.0) == 0.0);
    assert_true(radio_shannon_rate_bps(0.0, 100.0) == 0.0);
}

/* The calibrated band of the paper: its best state gives exactly 10 Mbit/s, mini-slots of 6.4 ms, 156 a slot.
 */
static void lte_m_band_of_the_paper(void **state) {
    (void)state;
    double rate_max = radio_lte_m_rate_max_bps(5e6, 1.0, 6e-13, 4e-20);
    assert_near(rate_max, 10e6);
    double tau = radio_mini_slot_s(64000.0, rate_max);
    assert_near(tau, 0.0064);
    assert_int_equal(radio_mini_slots_per_slot(1.0, tau), 156);
    /* share 1/5: SNR is 3 * 5 = 15 -> log2(16) = 4 */
    assert_near(radio_lte_m_rate_bps(0.2, 5e6, 1.0, 6e-13, 4e-20), 4e6);
    assert_near(radio_lte_m_rate_bps(1.0, 5e6, 1.0, 6e-13, 4e-20), rate_max);
}

static void a_smaller_share_of_the_band_is_slower_but_denser(void **state) {
    (void)state;
    double previous = 0.0, previous_density = INFINITY;
    for (int i = 1; i <= 100; i++) {
        double share = i / 100.0, rate = radio_lte_m_rate_bps(share, 5e6, 1.0, 2e-13, 1e-18);
        assert_true(rate > previous);
        assert_true(rate / share < previous_density);
        previous = rate;
        previous_density = rate / share;
    }
}

static void exact_ratios_are_not_rounded_up(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= 1000; count++)
        for (int bits = -8; bits <= 8; bits++) {
            /* the quotient is `count` up to a few units in the last place, on either side */
            double rate = 10e6 / count * (1.0 + bits * 0x1p-52);
            assert_int_equal(radio_mini_slots_per_task(10e6, rate), count);
            double tau = 1.0 / count * (1.0 + bits * 0x1p-52);
            assert_int_equal(radio_mini_slots_per_slot(1.0, tau), count);
        }
    assert_int_equal(radio_mini_slots_per_task(10e6, 10e6 / 3 * (1 - 1e-6)), 4);
    assert_int_equal(radio_mini_slots_per_slot(1.0, 1.0 / 3 * (1 + 1e-6)), 2);
}

static void a_task_holds_at_least_one_mini_slot_and_a_dead_link_all(void **state) {
    (void)state;
    assert_int_equal(radio_mini_slots_per_task(1e6, 5e6), 1);
    assert_int_equal(radio_mini_slots_per_task(0.0, 5e6), 1);
    assert_int_equal(radio_mini_slots_per_task(1e6, 0.0), UINT32_MAX);
    assert_int_equal(radio_mini_slots_per_task(1e30, 1e-30), UINT32_MAX);
    assert_int_equal(radio_mini_slots_per_slot(1e30, 1e-30), UINT32_MAX);
}

static void only_allocated_subchannels_carry(void **state) {
    (void)state;
    const double power_w[] = {1.0, 1.0, 2.0, 5.0}, gain[] = {3.0, 100.0, 0.5, 7.0};
    const uint8_t allocated[] = {1, 0, 1, 0}, none[] = {0, 0, 0, 0};
    struct radio_ofdma uplink = {.allocated = allocated,
                                 .power_w = power_w,
                                 .gain = gain,
                                 .subchannel_count = 4,
                                 .subchannel_hz = 1e6,
                                 .noise_w = 1.0};
    assert_near(radio_ofdma_rate_bps(&uplink), 2e6 + 1e6); /* log2(4) and log2(2) */
    uplink.allocated = none;
    assert_true(radio_ofdma_rate_bps(&uplink) == 0.0);
}

static void gains_fall_with_distance(void **state) {
    (void)state;
    assert_near(radio_path_loss_gain(1e-4, 1.0, 1.0, 2.8), 1e-4);
    assert_near(radio_path_loss_gain(1e-4, 1.0, 100.0, 2.0), 1e-8);
    assert_near(radio_path_loss_gain(1e-4, 2.0, 200.0, 3.0), 1e-10);
    assert_near(radio_distance_gain(10.0, -3.0), 1e-3);
    assert_true(radio_distance_gain(0.2, -3.0) == 1.0); /* not nearer than 1 m */
}

static void an_empty_band_or_load_is_no_division_by_zero(void **state) {
    (void)state;
    assert_true(radio_density_rate_bps(0.0, 1.0, 1e-9, 1e-20) == 0.0);
    assert_true(radio_transfer_s(0.0, 0.0) == 0.0);
    assert_true(isinf(radio_transfer_s(1.0, 0.0)));
    assert_near(radio_transfer_s(64000.0, 10e6), 0.0064);
    assert_near(radio_subchannel_rate_bps(40e6, 10, 0.5, 6.0), 8e6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decibels_of_round_ratios),
        cmocka_unit_test(shannon_at_whole_powers_of_two),
        cmocka_unit_test(lte_m_band_of_the_paper),
        cmocka_unit_test(a_smaller_share_of_the_band_is_slower_but_denser),
        cmocka_unit_test(exact_ratios_are_not_rounded_up),
        cmocka_unit_test(a_task_holds_at_least_one_mini_slot_and_a_dead_link_all),
        cmocka_unit_test(only_allocated_subchannels_carry),
        cmocka_unit_test(gains_fall_with_distance),
        cmocka_unit_test(an_empty_band_or_load_is_no_division_by_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
