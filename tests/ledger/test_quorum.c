/* Goal: two quorums share an honest validator and the honest ones alone make one, for every size of the set;
 * "2f + 1" would not do. Method: N = 1 .. 64 against chain.md, 1.2, and the values printed there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/ledger/quorum.h"

static void two_quorums_share_an_honest_validator(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= VALIDATORS_MAX; n++)
        assert_true(2 * quorum_size(n) >= n + quorum_faults_max(n) + 1);
}

static void the_honest_validators_are_a_quorum(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= VALIDATORS_MAX; n++)
        assert_true(quorum_size(n) <= n - quorum_faults_max(n));
}

static void a_third_of_the_validators_or_more_is_too_many_faults(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= VALIDATORS_MAX; n++) {
        assert_true(3 * quorum_faults_max(n) < n);
        assert_true(3 * (quorum_faults_max(n) + 1) >= n);
    }
}

static void one_validator_less_would_split(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= VALIDATORS_MAX; n++)
        assert_true(2 * (quorum_size(n) - 1) < n + quorum_faults_max(n) + 1);
}

static void the_sizes_are_those_of_the_specification(void **state) {
    (void)state;
    static const uint32_t known[][2] = {{4, 3},  {5, 4},   {6, 4},   {7, 5},
                                        {10, 7}, {16, 11}, {31, 21}, {64, 43}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(quorum_size(known[i][0]), known[i][1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_quorums_share_an_honest_validator),
        cmocka_unit_test(the_honest_validators_are_a_quorum),
        cmocka_unit_test(a_third_of_the_validators_or_more_is_too_many_faults),
        cmocka_unit_test(one_validator_less_would_split),
        cmocka_unit_test(the_sizes_are_those_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
