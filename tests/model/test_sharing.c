/* Goal: sub-channels, seats, clock and band are shared as promised, whatever is asked for.
 * Method: invariants over random requests; optima against every small change of the solution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/model/coselection.h"
#include "common/model/sharing.h"

#define DEVICES 12

static void subchannels_are_used_up_and_everybody_has_one(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 4, 0, RANDOM_TEST);
    for (int round = 0; round < 2000; round++) {
        size_t count = 1 + random_below(&stream, DEVICES);
        uint32_t subchannels = (uint32_t)(count + random_below(&stream, 20)), held[DEVICES], total = 0;
        double rates[DEVICES], rate_total = 0.0;
        for (size_t i = 0; i < count; i++)
            rate_total += rates[i] = 0.1 * (double)(1 + random_below(&stream, 10));
        sharing_subchannels(rates, count, subchannels, held);
        for (size_t i = 0; i < count; i++) {
            double quota = subchannels * rates[i] / rate_total;
            assert_true(held[i] >= 1);
            assert_true(held[i] <= fmax(1.0, ceil(quota + 1e-9)));
            total += held[i];
            for (size_t j = 0; j < i;
                 j++) /* equal requests: the lower index is never behind, by at most one */
                if (rates[i] == rates[j])
                    assert_true(held[j] == held[i] || held[j] == held[i] + 1);
        }
        assert_int_equal(total, subchannels);
    }
}

static void subchannels_of_round_quotas(void **state) {
    (void)state;
    uint32_t held[4];
    sharing_subchannels((const double[]){0.1, 0.2, 0.3, 0.4}, 4, 10, held);
    assert_memory_equal(held, ((uint32_t[]){1, 2, 3, 4}), sizeof held);
    sharing_subchannels((const double[]){0.1, 0.1, 0.1, 1.0}, 4, 5, held); /* quotas .4 .4 .4 3.8 */
    assert_memory_equal(held, ((uint32_t[]){1, 1, 1, 2}), sizeof held);
    sharing_subchannels((const double[]){1.0, 1.0, 1.0, 1.0}, 4, 4, held);
    assert_memory_equal(held, ((uint32_t[]){1, 1, 1, 1}), sizeof held);
}

/* a and b = the clock or band of two users: moving a little from one to the other must not help. */
static double clock_cost(const double *cycles, const double *clock_hz, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += cycles[i] / clock_hz[i];
    return total;
}

static double band_cost(const double *bits, const double *snr_hz, const double *band_hz, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += bits[i] / (band_hz[i] * log2(1.0 + snr_hz[i] / band_hz[i]));
    return total;
}

static void no_exchange_between_two_users_beats_the_optimum(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    for (int round = 0; round < 20; round++) {
        double load[DEVICES], snr_hz[DEVICES], clock_hz[DEVICES], band_hz[DEVICES], sum_hz = 0.0,
                                                                                    sum_band_hz = 0.0;
        for (size_t i = 0; i < DEVICES; i++) {
            load[i] = 1.0 + 1000.0 * random_uniform(&stream);
            snr_hz[i] = 1e5 * exp(10.0 * random_uniform(&stream));
        }
        sharing_clock_optimum(load, DEVICES, 2.5e9, clock_hz);
        sharing_band_optimum(load, snr_hz, DEVICES, 5e5, band_hz);
        double clock_best = clock_cost(load, clock_hz, DEVICES),
               band_best = band_cost(load, snr_hz, band_hz, DEVICES);
        for (size_t i = 0; i < DEVICES; i++) {
            size_t j = (i + 1) % DEVICES;
            double other_clock[DEVICES], other_band[DEVICES];
            for (size_t k = 0; k < DEVICES; k++) {
                other_clock[k] = clock_hz[k] + (k == i ? 1e4 : 0.0) - (k == j ? 1e4 : 0.0);
                other_band[k] = band_hz[k] + (k == i ? 5.0 : 0.0) - (k == j ? 5.0 : 0.0);
            }
            assert_true(clock_cost(load, other_clock, DEVICES) > clock_best);
            assert_true(band_cost(load, snr_hz, other_band, DEVICES) > band_best);
            sum_hz += clock_hz[i];
            sum_band_hz += band_hz[i];
        }
        assert_true(fabs(sum_hz / 2.5e9 - 1.0) < 1e-12 && fabs(sum_band_hz / 5e5 - 1.0) < 1e-12);
    }
}

static void users_without_work_get_nothing(void **state) {
    (void)state;
    const double load[] = {0.0, 5.0, 0.0}, snr_hz[] = {1e6, 1e6, 1e6}, idle[] = {0.0, 0.0, 0.0};
    double clock_hz[3], band_hz[3];
    sharing_clock_optimum(load, 3, 1e9, clock_hz);
    sharing_band_optimum(load, snr_hz, 3, 1e6, band_hz);
    assert_true(clock_hz[0] == 0.0 && fabs(clock_hz[1] - 1e9) < 1.0 && clock_hz[2] == 0.0);
    assert_true(band_hz[0] == 0.0 && fabs(band_hz[1] - 1e6) < 1e-3 && band_hz[2] == 0.0);
    sharing_clock_optimum(idle, 3, 1e9, clock_hz);
    sharing_band_optimum(idle, snr_hz, 3, 1e6, band_hz);
    assert_true(clock_hz[1] == 0.0 && band_hz[1] == 0.0);
}

#define SERVERS 3

static void seats_are_never_exceeded_and_never_left_empty_while_somebody_stands(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 6, 0, RANDOM_TEST);
    for (int round = 0; round < 500; round++) {
        double device_score[DEVICES * SERVERS], server_score[DEVICES * SERVERS];
        for (size_t i = 0; i < DEVICES * SERVERS; i++) {
            device_score[i] = (double)random_below(&stream, 8); /* ties happen */
            server_score[i] = random_uniform(&stream);
        }
        uint32_t server[DEVICES], applied[DEVICES], left[SERVERS], taken[SERVERS] = {0}, standing = 0;
        struct coselection_scores scores = {device_score, server_score, DEVICES, SERVERS,
                                            (uint32_t)random_below(&stream, 7)};
        struct coselection_work work = {applied, left};
        coselection_match(&scores, &work, server);
        for (size_t n = 0; n < DEVICES; n++) {
            standing += server[n] == COSELECTION_NO_SERVER;
            if (server[n] != COSELECTION_NO_SERVER)
                taken[server[n]]++;
        }
        uint32_t expected = scores.seats * SERVERS < DEVICES ? DEVICES - scores.seats * SERVERS : 0;
        assert_int_equal(standing, expected);
        for (size_t m = 0; m < SERVERS; m++)
            assert_true(taken[m] <= scores.seats);
    }
}

static void without_contention_everybody_gets_the_best_server(void **state) {
    (void)state;
    const double device_score[] = {1, 2, 3, 9, 1, 5, 4, 4, 2, 7, 7, 7}, server_score[12] = {0};
    uint32_t server[4], applied[4], left[SERVERS];
    struct coselection_scores scores = {device_score, server_score, 4, SERVERS, 4};
    struct coselection_work work = {applied, left};
    coselection_match(&scores, &work, server);
    assert_memory_equal(server, ((uint32_t[]){0, 1, 2, 0}), sizeof server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subchannels_are_used_up_and_everybody_has_one),
        cmocka_unit_test(subchannels_of_round_quotas),
        cmocka_unit_test(no_exchange_between_two_users_beats_the_optimum),
        cmocka_unit_test(users_without_work_get_nothing),
        cmocka_unit_test(seats_are_never_exceeded_and_never_left_empty_while_somebody_stands),
        cmocka_unit_test(without_contention_everybody_gets_the_best_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
