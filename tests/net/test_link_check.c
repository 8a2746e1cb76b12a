/* Goal: the checks of `tierbed verify links` hold for the emulator and find what is wrong. Method: known
 * quantiles and the coverage of the intervals; then negative controls: every kind of check is given a claim
 * that is slightly false. */
#include "tests/net/link_rig.h"

#include <math.h>
#include <string.h>

#include "common/base/random.h"

static const struct link_check_options quick = {.seed = LINK_CHECK_SEED, .quick = true};

static void quantiles_match_the_tables(void **state) {
    (void)state;
    assert_true(fabs(student_quantile(0.99, 29) - 2.756386) < 1e-6);
    assert_true(fabs(student_quantile(0.99, 1) - 63.656741) < 1e-5);
    assert_true(fabs(student_quantile(0.95, 2) - 4.302653) < 1e-6);
    assert_true(fabs(student_quantile(0.95, 10) - 2.228139) < 1e-6);
    assert_true(fabs(student_quantile(0.999, 30) - 3.645959) < 1e-6);
    assert_true(fabs(normal_quantile(0.99) - 2.575829) < 1e-6);
    assert_true(fabs(normal_quantile(0.95) - 1.959964) < 1e-6);
}

static void wilson_intervals_match_known_ones(void **state) {
    (void)state;
    struct interval none = wilson_interval(0, 10, 0.95), half = wilson_interval(50, 100, 0.95);
    assert_true(none.low == 0.0 && fabs(none.high - 0.277533) < 1e-6);
    assert_true(fabs(half.low - 0.403832) < 1e-6 && fabs(half.high - 0.596168) < 1e-6);
    assert_true(wilson_interval(10, 10, 0.95).high == 1.0);
}

/* An autoregressive series, so that the batches have correlation to swallow: 90 % intervals must cover nine
 * in ten. */
static void batch_means_cover_as_often_as_they_say(void **state) {
    (void)state;
    struct random_stream stream;
    uint64_t covered = 0, experiments = 2000;
    double t = student_quantile(0.9, LINK_CHECK_BATCHES - 1);
    random_init(&stream, 21, 0, RANDOM_TEST);
    for (uint64_t i = 0; i < experiments; i++) {
        struct batch_means means;
        double value = 0.0;
        batch_means_init(&means, 6000);
        for (int k = 0; k < 6000; k++) {
            value = 0.5 * value + random_normal(&stream);
            batch_means_add(&means, 3.0 + value);
        }
        covered += fabs(batch_means_mean(&means) - 3.0) <= t * batch_means_error(&means);
    }
    struct interval interval = wilson_interval(covered, experiments, 0.999);
    assert_true(interval.low <= 0.9 && 0.9 <= interval.high);
}

static void the_quick_run_holds(void **state) {
    (void)state;
    static struct link_check_report report;
    struct error error = {0};
    assert_int_equal(link_check_run(&quick, &report, &error), STATUS_OK);
    for (uint32_t i = 0; i < report.count; i++)
        if (report.rows[i].verdict == LINK_CHECK_FAILS || report.rows[i].verdict == LINK_CHECK_TOO_WIDE)
            print_error("%s: %s\n", report.rows[i].group, report.rows[i].name);
    assert_int_equal(report.failed_count, 0);
    assert_true(report.count > 100 && report.random_count > 30);
}

/* Verdict of a backlogged run whose formulas are given `claimed` instead of the truth. */
static enum link_check_verdict arrival_verdict(const struct scenario_link *emulated,
                                               const struct scenario_link *claimed, double share) {
    static struct link_check_report report;
    report = (struct link_check_report){0};
    struct link_check_arrival check = {.name = "control",
                                       .emulated = emulated,
                                       .claimed = claimed,
                                       .share = share,
                                       .backlogged = true,
                                       .packets = 2000,
                                       .seed = 1};
    assert_int_equal(link_check_arrival(&report, &check, NULL), STATUS_OK);
    link_check_conclude(&report);
    assert_string_equal(report.rows[0].group, "arrival");
    return report.rows[0].verdict;
}

static void arrivals_betray_two_nanoseconds_of_delay(void **state) {
    (void)state;
    struct scenario_link truth = link_check_wired(), claim = truth;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_HOLDS);
    claim.delay_ns += 2;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
    claim = truth;
    claim.rate_bps *= 1.0 + 1e-6;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
}

static void arrivals_betray_wrong_radio_parameters(void **state) {
    (void)state;
    struct scenario_link truth = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3), claim = truth;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.2), LINK_CHECK_HOLDS);
    claim.gain[1] *= 1.0 + 1e-6;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.2), LINK_CHECK_FAILS);
    claim = truth;
    claim.mini_slot_bits = 64001.0;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.2), LINK_CHECK_FAILS);
    truth = claim = link_check_radio(LINK_OFDMA, CHANNEL_LEVELS10);
    claim.subchannels = 25;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
    claim = truth;
    claim.channel = CHANNEL_FIXED;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
    truth = claim = link_check_radio(LINK_OFDMA_SHARE, CHANNEL_MARKOV3);
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_HOLDS);
    claim.noise_w *= 1.0 + 1e-6;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
    claim = truth;
    claim.bandwidth_hz *= 1.01; /* where a grant is cut */
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
    claim = truth;
    claim.power_w *= 1.01;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
}

static void arrivals_betray_an_impaired_link(void **state) {
    (void)state;
    struct scenario_link claim = link_check_wired(), truth = claim;
    truth.jitter_ns = 100;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
    truth = claim;
    truth.loss = LOSS_BERNOULLI;
    truth.loss_probability = 0.01;
    assert_int_equal(arrival_verdict(&truth, &claim, 0.0), LINK_CHECK_FAILS);
}

static void a_wait_of_another_queue_is_found(void **state) {
    (void)state;
    static struct link_check_report report;
    struct link_check_queue truth = {SERVICE_EXPONENTIAL, 1, 0.6, 210000, 1}, claim = truth;
    struct batch_means waits_s;
    report = (struct link_check_report){0};
    assert_int_equal(link_check_queue_measure(&truth, &waits_s, &report, NULL), STATUS_OK);
    struct link_check_row *honest =
        link_check_mean(&report, &waits_s, link_check_wait_s(&truth), "wait", "the truth");
    claim.load = 0.65;
    struct link_check_row *load =
        link_check_mean(&report, &waits_s, link_check_wait_s(&claim), "wait", "load");
    claim = truth;
    claim.service = SERVICE_FIXED;
    struct link_check_row *service =
        link_check_mean(&report, &waits_s, link_check_wait_s(&claim), "wait", "service");
    struct link_check_row *vague =
        link_check_mean(&report, &waits_s, link_check_wait_s(&truth), "wait", "vague");
    vague->half_width_max = 1e-4; /* an interval that wide proves nothing, even around the truth */
    link_check_conclude(&report);
    assert_int_equal(honest->verdict, LINK_CHECK_HOLDS);
    assert_int_equal(load->verdict, LINK_CHECK_FAILS);
    assert_int_equal(service->verdict, LINK_CHECK_FAILS);
    assert_int_equal(vague->verdict, LINK_CHECK_TOO_WIDE);
    assert_int_equal(report.failed_count, 3);
}

static void waits_match_the_textbook(void **state) {
    (void)state;
    double service_s = 6.4e-3; /* 64,000 bits at 10 Mbit/s */
    struct link_check_queue queue = {SERVICE_EXPONENTIAL, 1, 0.9, 0, 0};
    assert_true(fabs(link_check_wait_s(&queue) / (9.0 * service_s) - 1.0) < 1e-12);
    queue.service = SERVICE_FIXED;
    assert_true(fabs(link_check_wait_s(&queue) / (4.5 * service_s) - 1.0) < 1e-12);
    queue = (struct link_check_queue){SERVICE_EXPONENTIAL, 2, 0.75, 0, 0}; /* Erlang C = 9/14 at 1.5 erlang */
    assert_true(fabs(link_check_wait_s(&queue) / (9.0 / 14.0 * service_s / 0.5) - 1.0) < 1e-12);
}

static void priorities_that_are_ignored_are_found(void **state) {
    (void)state;
    static struct link_check_report report;
    report = (struct link_check_report){0};
    assert_int_equal(link_check_priorities(&report, &quick, true, NULL), STATUS_OK);
    link_check_conclude(&report);
    assert_int_equal(report.failed_count, 0);
    report = (struct link_check_report){0};
    assert_int_equal(link_check_priorities(&report, &quick, false, NULL), STATUS_OK);
    link_check_conclude(&report);
    assert_true(report.failed_count >= report.count - 2); /* a middle level may come close by symmetry */
}

static void shares_and_exact_rows_are_judged(void **state) {
    (void)state;
    static struct link_check_report report;
    report = (struct link_check_report){0};
    struct link_check_row *good = link_check_share(&report, 20100, 1000000, 0.02, "good");
    struct link_check_row *close =
        link_check_share(&report, 20385, 1000000, 0.02, "2.75 standard errors off");
    struct link_check_row *bad = link_check_share(&report, 21000, 1000000, 0.02, "bad");
    struct link_check_row *exact = link_check_exact(&report, "test", "ns", "off by %d", 2);
    struct link_check_row *nothing = link_check_exact(&report, "test", "ns", "not a number");
    exact->measured = 2.0;
    exact->tolerance = 1.0;
    nothing->measured = NAN;
    nothing->tolerance = 1.0;
    link_check_conclude(&report);
    assert_int_equal(good->verdict, LINK_CHECK_HOLDS);
    assert_int_equal(close->verdict, LINK_CHECK_HOLDS_JOINTLY);
    assert_int_equal(bad->verdict, LINK_CHECK_FAILS);
    assert_int_equal(exact->verdict, LINK_CHECK_FAILS);
    assert_int_equal(nothing->verdict, LINK_CHECK_FAILS);
    assert_int_equal(report.random_count, 3);
    assert_int_equal(report.outside_count, 2);
    assert_int_equal(report.failed_count, 3);
    assert_true(close->joint.low < close->interval.low && close->joint.high > close->interval.high);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_match_the_tables),
        cmocka_unit_test(wilson_intervals_match_known_ones),
        cmocka_unit_test(batch_means_cover_as_often_as_they_say),
        cmocka_unit_test(the_quick_run_holds),
        cmocka_unit_test(arrivals_betray_two_nanoseconds_of_delay),
        cmocka_unit_test(arrivals_betray_wrong_radio_parameters),
        cmocka_unit_test(arrivals_betray_an_impaired_link),
        cmocka_unit_test(a_wait_of_another_queue_is_found),
        cmocka_unit_test(waits_match_the_textbook),
        cmocka_unit_test(priorities_that_are_ignored_are_found),
        cmocka_unit_test(shares_and_exact_rows_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
