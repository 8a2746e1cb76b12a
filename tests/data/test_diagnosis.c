/* The diagnosis by envelope spectrum: its fast envelope equals the textbook's analytic signal, known signals
 * get their class, and what it cannot judge it refuses. */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/data/diagnosis.h"
#include "common/data/envelope.h"

#define COUNT 4000
#define RATE_HZ 4000.0
#define SHAFT_HZ 29.95

static void the_envelope_lines_equal_a_naive_analytic_signal(void **state) {
    (void)state;
    /* Goal: the shifted, decimated band gives the true envelope spectrum. Method: 240 random samples; a naive
     * DFT, tapered and whitened the same way and cut to the band, gives the analytic signal at the full rate
     * by a sum of exponentials; the DFT of its squared magnitude must agree (both scaled to their own length)
     * at every line asked for. */
    enum { N = 240, LOW = 30, HIGH = 90, LINES = 20, WHITEN = 21 };
    const double turn = 2.0 * acos(-1.0) / N;
    struct random_stream stream;
    int16_t samples[N];
    double tapered[N];
    double complex spectrum[N / 2 + 1];
    double whitened[N / 2 + 1], squared[N], excess;
    random_init(&stream, 1, 2, RANDOM_TEST);
    for (int n = 0; n < N; n++)
        tapered[n] = samples[n] = (int16_t)lrint(3000.0 * random_normal(&stream));
    for (int n = 0; n < N / 40; n++) {
        double rise = sin(acos(-1.0) / 2.0 * (n + 0.5) / (N / 40.0));
        tapered[n] *= rise * rise;
        tapered[N - 1 - n] *= rise * rise;
    }
    for (int k = 0; k <= N / 2; k++) {
        spectrum[k] = 0.0;
        for (int n = 0; k > 0 && n < N; n++)
            spectrum[k] += tapered[n] * cexp(-I * turn * ((k * n) % N));
    }
    for (int k = 0; k <= N / 2; k++) {
        int from = k > WHITEN / 2 ? k - WHITEN / 2 : 0, to = k + WHITEN / 2 < N / 2 ? k + WHITEN / 2 : N / 2;
        double sum = 0.0;
        for (int j = from; j <= to; j++)
            sum += creal(spectrum[j] * conj(spectrum[j]));
        whitened[k] = sqrt(sum / (to - from + 1));
    }
    for (int n = 0; n < N; n++) {
        double complex z = 0.0;
        for (int k = LOW; k < HIGH; k++)
            z += spectrum[k] / whitened[k] * cexp(I * turn * ((k * n) % N));
        squared[n] = creal(z * conj(z));
    }
    struct envelope *envelope;
    struct envelope_bins band = {LOW, HIGH};
    assert_int_equal(envelope_open(N, &band, 1, LINES, &envelope, NULL), STATUS_OK);
    assert_true(envelope_load(envelope, samples, WHITEN) > 0.0);
    const double *lines = envelope_lines(envelope, 0, &excess);
    double complex mean = 0.0;
    for (int n = 0; n < N; n++)
        mean += squared[n];
    double scale = lines[0] / creal(mean * conj(mean));
    for (int k = 1; k <= LINES; k++) {
        double complex line = 0.0;
        for (int n = 0; n < N; n++)
            line += squared[n] * cexp(-I * turn * ((k * n) % N));
        assert_true(fabs(lines[k] - scale * creal(line * conj(line))) < 1e-9 * lines[0]);
    }
    envelope_close(envelope);
}

/* Noise and bursts of a 1500 Hz ring at the given times' rate. */
static void bursts(int16_t *samples, double rate_per_s, double strength, uint64_t seed) {
    struct random_stream stream;
    random_init(&stream, seed, 3, RANDOM_TEST);
    double next = 0.37 / rate_per_s, since = 1.0;
    for (size_t n = 0; n < COUNT; n++, since += 1.0 / RATE_HZ) {
        double t = (double)n / RATE_HZ;
        if (rate_per_s > 0.0 && t >= next) {
            since = t - next;
            next += 1.0 / rate_per_s;
        }
        double ring = strength * exp(-500.0 * since) * sin(2.0 * acos(-1.0) * 1500.0 * since);
        samples[n] = (int16_t)lrint(500.0 * (ring + random_normal(&stream)));
    }
}

static struct diagnosis diagnose(const int16_t *samples) {
    struct diagnosis_plan *plan;
    struct diagnosis result;
    assert_int_equal(diagnosis_open(COUNT, RATE_HZ, SHAFT_HZ, &plan, NULL), STATUS_OK);
    assert_int_equal(diagnosis_run(plan, samples, COUNT, &result), STATUS_OK);
    diagnosis_close(plan);
    return result;
}

static void bursts_at_a_fault_order_get_its_class_and_bursts_elsewhere_none_of_the_races(void **state) {
    (void)state;
    /* Method: periodic bursts made here, without load zone or slip, at each order; noise alone; and bursts
     * at 6.21 per turn, which is no order of this bearing: no race may be blamed for them. */
    static int16_t samples[COUNT];
    bursts(samples, BEARING_BPFI * SHAFT_HZ, 5.0, 1);
    assert_int_equal(diagnose(samples).class, BEARING_INNER);
    bursts(samples, BEARING_BPFO * SHAFT_HZ, 5.0, 2);
    assert_int_equal(diagnose(samples).class, BEARING_OUTER);
    bursts(samples, 2.0 * BEARING_BSF * SHAFT_HZ, 5.0, 3);
    assert_int_equal(diagnose(samples).class, BEARING_BALL);
    bursts(samples, 1.0, 0.0, 4);
    assert_int_equal(diagnose(samples).class, BEARING_NORMAL);
    bursts(samples, 6.21 * SHAFT_HZ, 5.0, 5);
    struct diagnosis elsewhere = diagnose(samples);
    assert_true(elsewhere.class != BEARING_INNER && elsewhere.class != BEARING_OUTER);
}

static void harmonics_of_the_shaft_alone_are_normal(void **state) {
    (void)state;
    /* Goal: a strong unbalance is no bearing fault. Method: twelve strong harmonics with slight noise. */
    static int16_t samples[COUNT];
    struct random_stream stream;
    random_init(&stream, 1, 4, RANDOM_TEST);
    for (size_t n = 0; n < COUNT; n++) {
        double sum = 0.0;
        for (int h = 1; h <= 12; h++)
            sum += sin(2.0 * acos(-1.0) * h * SHAFT_HZ * (double)n / RATE_HZ + h * h);
        samples[n] = (int16_t)lrint(1500.0 * sum + 100.0 * random_normal(&stream));
    }
    assert_int_equal(diagnose(samples).class, BEARING_NORMAL);
}

static void the_verdict_does_not_depend_on_the_level(void **state) {
    (void)state;
    /* Method: the same outer-race bursts at full and at a tenth of the level: same class, confidence alike.
     */
    static int16_t samples[COUNT];
    bursts(samples, BEARING_BPFO * SHAFT_HZ, 3.0, 6);
    struct diagnosis loud = diagnose(samples);
    for (size_t n = 0; n < COUNT; n++)
        samples[n] = (int16_t)(samples[n] / 10);
    struct diagnosis quiet = diagnose(samples);
    assert_int_equal(loud.class, BEARING_OUTER);
    assert_int_equal(quiet.class, BEARING_OUTER);
    assert_true(fabs(loud.confidence - quiet.confidence) < 0.05);
}

static void confidence_grows_with_the_strength_of_the_fault_and_stays_in_its_range(void **state) {
    (void)state;
    /* Method: mean confidence of the right class over 20 windows at three strengths must not fall; all in (0,
     * 1]. */
    static int16_t samples[COUNT];
    double before = 0.0;
    const double strengths[] = {0.6, 1.2, 4.0};
    for (int i = 0; i < 3; i++) {
        double sum = 0.0;
        for (uint64_t seed = 0; seed < 20; seed++) {
            bursts(samples, BEARING_BPFO * SHAFT_HZ, strengths[i], 100 + seed);
            struct diagnosis result = diagnose(samples);
            assert_true(result.confidence > 0.0 && result.confidence <= 1.0);
            sum += result.class == BEARING_OUTER ? result.confidence : 1.0 - result.confidence;
        }
        assert_true(sum >= before);
        before = sum;
    }
    assert_true(before > 19.0);
}

static void one_plan_gives_the_same_bits_as_another_whatever_it_saw_before(void **state) {
    (void)state;
    static int16_t one[COUNT], two[COUNT];
    struct diagnosis_plan *plan;
    struct diagnosis first, second;
    bursts(one, BEARING_BPFI * SHAFT_HZ, 1.0, 7);
    bursts(two, BEARING_BPFO * SHAFT_HZ, 1.0, 8);
    assert_int_equal(diagnosis_open(COUNT, RATE_HZ, SHAFT_HZ, &plan, NULL), STATUS_OK);
    assert_int_equal(diagnosis_run(plan, two, COUNT, &first), STATUS_OK);
    assert_int_equal(diagnosis_run(plan, one, COUNT, &first), STATUS_OK);
    diagnosis_close(plan);
    second = diagnose(one);
    assert_int_equal(first.class, second.class);
    assert_memory_equal(&first.confidence, &second.confidence, sizeof(double));
    assert_memory_equal(first.score, second.score, sizeof(first.score));
}

static void what_cannot_be_judged_is_refused(void **state) {
    (void)state;
    static int16_t flat[COUNT];
    struct diagnosis_plan *plan;
    struct diagnosis result;
    struct error error = {0};
    assert_int_equal(diagnosis_open(COUNT, RATE_HZ, SHAFT_HZ, &plan, NULL), STATUS_OK);
    assert_int_equal(diagnosis_run(plan, flat, COUNT, &result), STATUS_INVALID);
    memset(flat, 0x7f, sizeof(flat));
    assert_int_equal(diagnosis_run(plan, flat, COUNT, &result), STATUS_INVALID);
    flat[9] = 0;
    assert_int_equal(diagnosis_run(plan, flat, COUNT - 1, &result), STATUS_INVALID);
    assert_int_equal(diagnosis_run(plan, flat, COUNT, &result), STATUS_OK); /* one spike is a signal */
    diagnosis_close(plan);
    const struct {
        size_t count;
        double rate_hz, shaft_hz;
    } bad[] = {{1000, 4000, 29.95}, {4000, 4000, 0.0},   {4000, 4000, NAN},
               {4000, 0.0, 29.95},  {1000, 1000, 29.95}, {0, 4000, 29.95},
               {4000, -1.0, 29.95}, {4000, 4000, 500.0}, {(size_t)1 << 40, 4000, 29.95}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(diagnosis_open(bad[i].count, bad[i].rate_hz, bad[i].shaft_hz, &plan, &error),
                         STATUS_INVALID);
        assert_null(plan);
        assert_true(strlen(error.text) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_lines_equal_a_naive_analytic_signal),
        cmocka_unit_test(bursts_at_a_fault_order_get_its_class_and_bursts_elsewhere_none_of_the_races),
        cmocka_unit_test(harmonics_of_the_shaft_alone_are_normal),
        cmocka_unit_test(the_verdict_does_not_depend_on_the_level),
        cmocka_unit_test(confidence_grows_with_the_strength_of_the_fault_and_stays_in_its_range),
        cmocka_unit_test(one_plan_gives_the_same_bits_as_another_whatever_it_saw_before),
        cmocka_unit_test(what_cannot_be_judged_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
