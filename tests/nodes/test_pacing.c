/* Goal: block times are exponential with rate lambda whatever the number of validators, cut at 10 / lambda;
 * each validator is as often the first proposer, and the integer comparison of hashes names the one whose
 * exponential draw is least. Method: fixed seeds; a Kolmogorov-Smirnov and a chi-squared test over thousands
 * of heights; the draws computed again here in long double from the 256-bit integers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/bytes.h"
#include "common/ledger/hash.h"
#include "nodes/chain/pacing.h"

#define HEIGHTS 20000u

static int compare_i64(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The largest distance between the empirical distribution of `waits` and 1 - exp(-rate t). */
static double distance_from_exponential(int64_t *waits, uint32_t count, double rate_hz) {
    qsort(waits, count, sizeof *waits, compare_i64);
    double worst = 0;
    for (uint32_t i = 0; i < count; i++) {
        double at = 1 - exp(-rate_hz * 1e-9 * (double)waits[i]);
        worst = fmax(worst, fmax(at - i / (double)count, (i + 1) / (double)count - at));
    }
    return worst;
}

static void waits_are_exponential_for_any_number_of_validators(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 4, 7, 64};
    int64_t *waits = malloc(HEIGHTS * sizeof *waits);
    for (uint32_t s = 0; s < 4; s++) {
        double rate_hz = 0.5 + s, sum_s = 0;
        for (uint32_t h = 0; h < HEIGHTS; h++) {
            waits[h] = pacing_of(11, h + 1, sizes[s], rate_hz).wait_ns;
            sum_s += 1e-9 * (double)waits[h];
        }
        assert_true(fabs(sum_s / HEIGHTS * rate_hz - 1) < 3 / sqrt(HEIGHTS));
        assert_true(distance_from_exponential(waits, HEIGHTS, rate_hz) < 1.63 / sqrt(HEIGHTS)); /* 1 % */
    }
    free(waits);
}

static void each_validator_is_first_proposer_as_often_as_any_other(void **state) {
    (void)state;
    uint32_t counts[10] = {0};
    for (uint32_t h = 0; h < HEIGHTS; h++)
        counts[pacing_of(5, h, 10, 1).first_proposer]++;
    double chi_squared = 0;
    for (uint32_t i = 0; i < 10; i++)
        chi_squared += (counts[i] - HEIGHTS / 10.0) * (counts[i] - HEIGHTS / 10.0) / (HEIGHTS / 10.0);
    assert_true(chi_squared < 21.7); /* 9 degrees of freedom, 1 % */
}

static long double draw_of(uint64_t seed, uint64_t height, uint32_t validator) {
    uint8_t data[20];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u64(&writer, seed);
    bytes_put_u64(&writer, height);
    bytes_put_u32(&writer, validator);
    struct hash hash = hash_of("gen", data, sizeof data);
    long double u = 0;
    for (uint32_t i = HASH_BYTES; i-- > 0;)
        u = (u + hash.bytes[i]) / 256;
    return -logl(u);
}

static void the_first_proposer_has_the_least_draw_and_it_is_the_wait(void **state) {
    (void)state;
    for (uint64_t h = 0; h < 2000; h++) {
        struct pacing pacing = pacing_of(99, h, 7, 2.5);
        uint32_t least = 0;
        for (uint32_t i = 1; i < 7; i++)
            least = draw_of(99, h, i) < draw_of(99, h, least) ? i : least;
        assert_int_equal(pacing.first_proposer, least);
        long double wait_ns = 1e9L * draw_of(99, h, least) * 7 / 2.5L;
        assert_true(fabsl((long double)pacing.wait_ns - wait_ns) <= 1);
    }
}

static void a_wait_is_cut_at_ten_mean_block_times_and_says_so(void **state) {
    (void)state;
    uint32_t truncated = 0;
    for (uint64_t h = 0; h < 200000; h++) {
        struct pacing pacing = pacing_of(1, h, 1, 4);
        assert_true(pacing.wait_ns >= 0 && pacing.wait_ns <= 2500000000);
        assert_int_equal(pacing.truncated, pacing.wait_ns == 2500000000);
        truncated += pacing.truncated;
    }
    assert_in_range(truncated, 1, 25); /* 200000 exp(-10) = 9.1 */
}

static void without_a_rate_there_is_no_wait_but_still_a_proposer(void **state) {
    (void)state;
    for (uint64_t h = 0; h < 100; h++) {
        assert_int_equal(pacing_of(3, h, 4, 0).wait_ns, 0);
        assert_int_equal(pacing_of(3, h, 4, 0).first_proposer, pacing_of(3, h, 4, 1).first_proposer);
    }
    assert_int_equal(pacing_of(3, 1, 4, NAN).wait_ns, 0);
    assert_true(pacing_of(3, 1, 4, 1e-300).wait_ns > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_exponential_for_any_number_of_validators),
        cmocka_unit_test(each_validator_is_first_proposer_as_often_as_any_other),
        cmocka_unit_test(the_first_proposer_has_the_least_draw_and_it_is_the_wait),
        cmocka_unit_test(a_wait_is_cut_at_ten_mean_block_times_and_says_so),
        cmocka_unit_test(without_a_rate_there_is_no_wait_but_still_a_proposer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
