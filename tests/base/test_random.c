/* Goal: the streams are xoshiro256++ as published, differ by seed, node and purpose, never change between
 * builds, and give the distributions they promise. Method: the generator written a second time from the
 * paper, pinned first values, and moments and chi-square over fixed seeds, with bounds that a right generator
 * misses once in a million seeds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/random.h"

#define DRAWS 200000

/* Blackman and Vigna (2019), section 3.1, engine xoshiro256 with the ++ scrambler (shift 17, rotations 45 and
 * 23). */
static uint64_t reference_next(uint64_t s[4]) {
    uint64_t sum = s[0] + s[3];
    uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
    uint64_t n[4];
    n[2] = s[2] ^ s[0] ^ (s[1] << 17);
    n[1] = s[1] ^ s[2] ^ s[0];
    n[0] = s[0] ^ s[3] ^ s[1];
    uint64_t last = s[3] ^ s[1];
    n[3] = (last << 45) | (last >> 19);
    for (int i = 0; i < 4; i++)
        s[i] = n[i];
    return result;
}

static void the_generator_is_xoshiro256_plus_plus(void **state) {
    (void)state;
    struct random_stream stream = {.state = {1, 2, 3, 4}};
    uint64_t reference[4] = {1, 2, 3, 4};
    assert_true(reference_next(reference) == 41943041); /* (1 + 4) << 23, + 1 */
    assert_true(random_next(&stream) == 41943041);
    for (int i = 0; i < 100000; i++)
        assert_true(random_next(&stream) == reference_next(reference));
}

static void the_same_key_gives_the_same_stream(void **state) {
    (void)state;
    struct random_stream a, b;
    random_init(&a, 7, 11, RANDOM_TEST);
    random_init(&b, 7, 11, RANDOM_TEST);
    for (int i = 0; i < 1000; i++)
        assert_true(random_next(&a) == random_next(&b));
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Neighbouring keys are the ones in use: small seeds, dense node ids, few purposes, a link index in the upper
 * half. */
static void no_two_neighbouring_keys_share_a_first_value(void **state) {
    (void)state;
    static uint64_t first[8 * 200 * 9 * 2];
    size_t count = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        for (uint64_t node = 0; node < 200; node++) {
            for (uint64_t purpose = RANDOM_TASK; purpose <= RANDOM_TEST; purpose++) {
                struct random_stream stream;
                random_init(&stream, seed, node, purpose);
                first[count++] = random_next(&stream);
                random_init(&stream, seed, node, purpose | (uint64_t)1 << 32);
                first[count++] = random_next(&stream);
            }
        }
    }
    assert_int_equal(count, sizeof first / sizeof *first);
    qsort(first, count, sizeof *first, compare_u64);
    for (size_t i = 1; i < count; i++)
        assert_true(first[i] != first[i - 1]);
}

/* Streams of neighbouring nodes must not move together: correlation within 5 / sqrt(n). */
static void streams_of_neighbouring_nodes_are_uncorrelated(void **state) {
    (void)state;
    struct random_stream a, b;
    random_init(&a, 1, 100, RANDOM_TEST);
    random_init(&b, 1, 101, RANDOM_TEST);
    double sum = 0.0;
    for (int i = 0; i < DRAWS; i++)
        sum += (random_uniform(&a) - 0.5) * (random_uniform(&b) - 0.5) * 12.0;
    assert_true(fabs(sum / DRAWS) < 5.0 / sqrt(DRAWS));
}

static void uniform_stays_in_its_range_and_fills_it_evenly(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 2, 0, RANDOM_TEST);
    static int cells[100];
    for (int i = 0; i < DRAWS; i++) {
        double u = random_uniform(&stream);
        assert_true(u >= 0.0 && u < 1.0);
        cells[(int)(u * 100.0)]++;
    }
    double chi_square = 0.0, expected = DRAWS / 100.0;
    for (int i = 0; i < 100; i++)
        chi_square += (cells[i] - expected) * (cells[i] - expected) / expected;
    assert_true(chi_square > 43.0 && chi_square < 181.0); /* 99 degrees of freedom, 1e-6 on either side */
}

static void below_gives_every_value_and_no_other(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t value = random_below(&stream, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_true(abs(seen[i] - 10000) < 470); /* five standard deviations */
    for (int i = 0; i < 100; i++)
        assert_true(random_below(&stream, 1) == 0);
    for (int i = 0; i < 100; i++)
        assert_true(random_below(&stream, UINT64_MAX) < UINT64_MAX);
}

static void chance_is_certain_at_both_ends_and_fair_between(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 4, 0, RANDOM_TEST);
    int hits = 0;
    for (int i = 0; i < DRAWS; i++) {
        assert_false(random_chance(&stream, 0.0));
        assert_true(random_chance(&stream, 1.0));
        hits += random_chance(&stream, 0.3);
    }
    assert_true(fabs(hits - 0.3 * DRAWS) < 5.0 * sqrt(DRAWS * 0.3 * 0.7));
}

static void exponential_has_its_mean_and_is_never_negative_or_infinite(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    double sum = 0.0;
    int beyond_median = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = random_exponential(&stream, 2.5);
        assert_true(x >= 0.0 && isfinite(x));
        sum += x;
        beyond_median += x > 2.5 * 0.69314718055994531;
    }
    assert_true(fabs(sum / DRAWS - 2.5) < 5.0 * 2.5 / sqrt(DRAWS));
    assert_true(fabs(beyond_median - DRAWS / 2.0) < 5.0 * sqrt(DRAWS / 4.0));
}

static void normal_has_mean_0_variance_1_and_normal_tails(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 6, 0, RANDOM_TEST);
    double sum = 0.0, squares = 0.0, fourths = 0.0;
    int beyond_two = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = random_normal(&stream);
        sum += x;
        squares += x * x;
        fourths += x * x * x * x;
        beyond_two += fabs(x) > 2.0;
    }
    assert_true(fabs(sum / DRAWS) < 5.0 / sqrt(DRAWS));
    assert_true(fabs(squares / DRAWS - 1.0) < 5.0 * sqrt(2.0 / DRAWS));
    assert_true(fabs(fourths / DRAWS - 3.0) < 5.0 * sqrt(96.0 / DRAWS));
    double tail = 0.045500263896358;
    assert_true(fabs(beyond_two - tail * DRAWS) < 5.0 * sqrt(DRAWS * tail * (1.0 - tail)));
}

/* Results of old runs are compared with new ones: a change of the key hash or of the generator must be
 * noticed. */
static void the_first_values_of_a_known_stream_are_pinned(void **state) {
    (void)state;
    static const uint64_t pinned[] = {UINT64_C(0x20beb23de42ffdc0), UINT64_C(0x5ff1e159bbb80142),
                                      UINT64_C(0x4cfca5b562a935fd)};
    struct random_stream stream;
    random_init(&stream, 1, 2, RANDOM_TASK);
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
        assert_true(random_next(&stream) == pinned[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_xoshiro256_plus_plus),
        cmocka_unit_test(the_same_key_gives_the_same_stream),
        cmocka_unit_test(no_two_neighbouring_keys_share_a_first_value),
        cmocka_unit_test(streams_of_neighbouring_nodes_are_uncorrelated),
        cmocka_unit_test(uniform_stays_in_its_range_and_fills_it_evenly),
        cmocka_unit_test(below_gives_every_value_and_no_other),
        cmocka_unit_test(chance_is_certain_at_both_ends_and_fair_between),
        cmocka_unit_test(exponential_has_its_mean_and_is_never_negative_or_infinite),
        cmocka_unit_test(normal_has_mean_0_variance_1_and_normal_tails),
        cmocka_unit_test(the_first_values_of_a_known_stream_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
