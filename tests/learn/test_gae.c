/* Goal: advantages and returns are what their definitions say, above all at the ends of episodes. Method:
 * small pieces worked out by hand; powers of two, so that equality is exact. Each test names the mistake that
 * it catches. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/learn/gae.h"

static const real rewards[] = {1, 2, 4, 8}, values[] = {16, 32, 64, 128}, finals[] = {256, 512, 1024, 2048};

static struct gae_steps piece(const uint8_t *terminated, const uint8_t *truncated) {
    return (struct gae_steps){4, rewards, values, finals, terminated, truncated, 4096};
}

static void expect(const real *got, double a, double b, double c, double d) {
    const double expected[] = {a, b, c, d};
    for (int i = 0; i < 4; i++)
        assert_true((double)got[i] == expected[i]);
}

/* Catches: a bootstrap from V of the next row where the episode terminated. */
static void nothing_follows_a_terminated_step(void **state) {
    (void)state;
    const uint8_t terminated[] = {0, 1, 0, 0}, truncated[4] = {0};
    struct gae_steps steps = piece(terminated, truncated);
    real advantages[4], returns[4];
    gae_advantages(&steps, 0.5, 0.5, advantages, returns);
    /* delta: 1+16-16, 2-32, 4+64-64, 8+2048-128; carried by 1/4 within episodes */
    expect(advantages, 1 - 30 * 0.25, -30, 4 + 1928 * 0.25, 1928);
    expect(returns, 1 - 7.5 + 16, 2, 4 + 482 + 64, 1928 + 128);
    gae_returns(&steps, 0.5, returns);
    expect(returns, 2, 2, 4 + 0.5 * (8 + 2048), 8 + 2048);
}

/* Catches: a truncated episode treated as terminated; the bootstrap taken from the next episode's first state
 * (values[2]) instead of the last observation (finals[1]); the trace carried into the next episode. */
static void a_truncated_step_counts_the_value_of_its_last_observation(void **state) {
    (void)state;
    const uint8_t terminated[4] = {0}, truncated[] = {0, 1, 0, 0};
    struct gae_steps steps = piece(terminated, truncated);
    real advantages[4], returns[4];
    gae_advantages(&steps, 0.5, 0.5, advantages, returns);
    expect(advantages, 1 + (2 + 256 - 32) * 0.25, 2 + 256 - 32, 4 + 482, 1928);
    gae_returns(&steps, 0.5, returns);
    expect(returns, 1 + 0.5 * 258, 2 + 256, 4 + 0.5 * 2056, 2056);
}

/* Catches: truncation looked at before termination. */
static void terminated_wins_over_truncated(void **state) {
    (void)state;
    const uint8_t ends[] = {0, 1, 0, 0}, none[4] = {0};
    struct gae_steps both = piece(ends, ends), only = piece(ends, none);
    real advantages[2][4], returns[2][4];
    gae_advantages(&both, 0.5, 0.5, advantages[0], returns[0]);
    gae_advantages(&only, 0.5, 0.5, advantages[1], returns[1]);
    assert_memory_equal(advantages[0], advantages[1], sizeof advantages[0]);
    gae_returns(&both, 0.5, returns[0]);
    gae_returns(&only, 0.5, returns[1]);
    assert_memory_equal(returns[0], returns[1], sizeof returns[0]);
}

/* Catches: a wrong place of lambda. With lambda 1 advantages are n-step returns less values, with 0 one-step
 * errors. */
static void lambda_goes_from_one_step_errors_to_whole_returns(void **state) {
    (void)state;
    const uint8_t none[4] = {0};
    struct gae_steps steps = piece(none, none);
    real advantages[4], returns[4], whole[4];
    gae_advantages(&steps, 0.5, 1.0, advantages, returns);
    gae_returns(&steps, 0.5, whole);
    for (int i = 0; i < 4; i++)
        assert_true(returns[i] == whole[i] && advantages[i] == whole[i] - values[i]);
    gae_advantages(&steps, 0.5, 0.0, advantages, returns);
    expect(advantages, 1 + 16 - 16, 2 + 32 - 32, 4 + 64 - 64, 8 + 2048 - 128);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_follows_a_terminated_step),
        cmocka_unit_test(a_truncated_step_counts_the_value_of_its_last_observation),
        cmocka_unit_test(terminated_wins_over_truncated),
        cmocka_unit_test(lambda_goes_from_one_step_errors_to_whole_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
