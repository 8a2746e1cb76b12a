/* Goal: loss processes lose at the stated rates and in bursts of the stated length. Method: limits where
 * every packet is certain; the closed forms against each other and against long runs of seeded chains. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "common/net/link_check.h"
#include "common/net/loss.h"

static struct loss open_loss(const struct scenario_link *config) {
    struct loss loss;
    struct random_stream stream;
    random_init(&stream, 11, 0, RANDOM_TEST);
    assert_int_equal(loss_init(&loss, config, &stream, NULL), STATUS_OK);
    return loss;
}

static struct scenario_link gilbert_elliott(double good, double bad, double good_to_bad, double bad_to_good) {
    return (struct scenario_link){.loss = LOSS_GILBERT_ELLIOTT,
                                  .loss_probability = good,
                                  .loss_probability_bad = bad,
                                  .loss_good_to_bad = good_to_bad,
                                  .loss_bad_to_good = bad_to_good};
}

static void certainties_hold(void **state) {
    (void)state;
    struct scenario_link config = {.loss = LOSS_NONE, .loss_probability = 1.0};
    struct loss none = open_loss(&config);
    config.loss = LOSS_BERNOULLI;
    struct loss all = open_loss(&config);
    config.loss_probability = 0.0;
    struct loss never = open_loss(&config);
    for (int i = 0; i < 1000; i++) {
        assert_false(loss_step(&none));
        assert_true(loss_step(&all));
        assert_false(loss_step(&never));
    }
    assert_true(loss_burst_mean(&none) == 0.0 && loss_burst_mean(&never) == 0.0);
    assert_true(isinf(loss_burst_mean(&all)));
}

static void a_chain_that_alternates_loses_every_second_packet(void **state) {
    (void)state;
    struct scenario_link config = gilbert_elliott(0.0, 1.0, 1.0, 1.0);
    struct loss loss = open_loss(&config);
    bool before = loss_step(&loss);
    for (int i = 0; i < 100; i++) {
        bool lost = loss_step(&loss);
        assert_int_equal(lost, !before);
        before = lost;
    }
    assert_true(loss_rate(&loss) == 0.5 && loss_burst_mean(&loss) == 1.0);
}

static void closed_forms_agree_where_models_coincide(void **state) {
    (void)state;
    struct scenario_link bernoulli = {.loss = LOSS_BERNOULLI, .loss_probability = 0.2};
    struct scenario_link equal = gilbert_elliott(0.2, 0.2, 0.3, 0.4); /* both states alike: no memory */
    struct scenario_link gilbert = gilbert_elliott(0.0, 1.0, 0.05, 0.25);
    struct loss a = open_loss(&bernoulli), b = open_loss(&equal), c = open_loss(&gilbert);
    assert_true(fabs(loss_rate(&a) - loss_rate(&b)) < 1e-15);
    assert_true(fabs(loss_burst_mean(&a) - 1.25) < 1e-12);
    assert_true(fabs(loss_burst_mean(&b) - 1.25) < 1e-12);
    assert_true(fabs(loss_rate(&c) - 1.0 / 6.0) < 1e-15);
    assert_true(fabs(loss_burst_mean(&c) - 4.0) < 1e-12); /* 1 / bad_to_good */
}

static void long_runs_meet_rate_and_burst_length(void **state) {
    (void)state;
    struct scenario_link config = gilbert_elliott(0.01, 0.6, 0.02, 0.2);
    struct loss loss = open_loss(&config);
    struct batch_means rate, bursts;
    uint64_t packets = 600000, run = 0;
    batch_means_init(&rate, packets);
    batch_means_init(&bursts, 12000);
    for (uint64_t i = 0; i < packets || bursts.seen < 12000; i++) {
        bool lost = loss_step(&loss);
        batch_means_add(&rate, lost);
        if (!lost && run > 0)
            batch_means_add(&bursts, (double)run);
        run = lost ? run + 1 : 0;
    }
    double t = student_quantile(0.9999, LINK_CHECK_BATCHES - 1);
    assert_true(fabs(batch_means_mean(&rate) - loss_rate(&loss)) < t * batch_means_error(&rate));
    assert_true(fabs(batch_means_mean(&bursts) - loss_burst_mean(&loss)) < t * batch_means_error(&bursts));
    assert_true(t * batch_means_error(&rate) < 0.05 * loss_rate(&loss)); /* tight enough to mean something */
    assert_true(t * batch_means_error(&bursts) < 0.05 * loss_burst_mean(&loss));
}

static void numbers_that_are_no_probabilities_are_refused(void **state) {
    (void)state;
    static const double wrong[] = {-0.1, 1.1, NAN, INFINITY};
    struct random_stream stream;
    struct loss loss;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (int i = 0; i < 4; i++)
        for (int field = 0; field < 4; field++) {
            double p[4] = {0.1, 0.1, 0.1, 0.1};
            p[field] = wrong[i];
            struct scenario_link config = gilbert_elliott(p[0], p[1], p[2], p[3]);
            assert_int_equal(loss_init(&loss, &config, &stream, NULL), STATUS_INVALID);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certainties_hold),
        cmocka_unit_test(a_chain_that_alternates_loses_every_second_packet),
        cmocka_unit_test(closed_forms_agree_where_models_coincide),
        cmocka_unit_test(long_runs_meet_rate_and_burst_length),
        cmocka_unit_test(numbers_that_are_no_probabilities_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
