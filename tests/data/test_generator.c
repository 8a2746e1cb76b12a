/* The generator of bearing vibration: its spectra carry the orders of physics and no others, its windows
 * depend on (seed, device, slot) alone, and it never clips. The lines are measured here by a method of its
 * own (squared differences and Goertzel's recurrence), not by the diagnosis that is to be tested with these
 * windows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/bearing.h"
#include "common/data/generator.h"

#define RATE_HZ 4000.0
#define COUNT 4000
#define SHAFT_HZ 29.95
#define WINDOWS 40

static const struct scenario_data nominal = {.shaft_hz = SHAFT_HZ, .snr_db = 6.0, .slip = 0.005};

/* Power of `values` at `frequency_hz` (Goertzel). */
static double power_at(const double *values, size_t count, double rate_hz, double frequency_hz) {
    double factor = 2.0 * cos(2.0 * acos(-1.0) * frequency_hz / rate_hz), s1 = 0.0, s2 = 0.0;
    for (size_t i = 0; i < count; i++) {
        double s0 = values[i] + factor * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    return s1 * s1 + s2 * s2 - factor * s1 * s2;
}

/* Squares of second differences: these suppress the shaft's harmonics, and squaring shows the rhythm of the
 * ringing. */
static void rhythm(const int16_t *samples, size_t count, double *values) {
    double mean = 0.0;
    for (size_t i = 0; i + 2 < count; i++) {
        double d = (double)samples[i] - 2.0 * samples[i + 1] + samples[i + 2];
        values[i] = d * d;
        mean += values[i] / (double)(count - 2);
    }
    for (size_t i = 0; i + 2 < count; i++)
        values[i] -= mean;
}

/* Largest power within 0.3 % of `order`, over the mean power 8 to 20 Hz beside it, averaged over windows of
 * `class`. */
static double line_over_floor(enum bearing_class class, double order) {
    static int16_t samples[COUNT];
    static double values[COUNT];
    struct generator generator;
    generator_init(&generator, &nominal, RATE_HZ, 5);
    double sum = 0.0;
    for (uint32_t device = 0; device < WINDOWS; device++) {
        struct generator_machine machine;
        struct random_stream stream;
        generator_machine_init(&machine, &generator, device);
        random_init(&stream, 5, device, RANDOM_TEST);
        generator_window(&machine, class, &stream, samples, COUNT);
        rhythm(samples, COUNT, values);
        double centre_hz = order * SHAFT_HZ, most = 0.0, floor_power = 0.0;
        for (int step = -3; step <= 3; step++)
            most = fmax(most, power_at(values, COUNT - 2, RATE_HZ, centre_hz * (1.0 + 0.001 * step)));
        for (int offset = 8; offset < 20; offset++)
            floor_power += (power_at(values, COUNT - 2, RATE_HZ, centre_hz - offset) +
                            power_at(values, COUNT - 2, RATE_HZ, centre_hz + offset)) /
                           24.0;
        sum += most / floor_power;
    }
    return sum / WINDOWS;
}

static void each_fault_shows_the_lines_of_its_own_order_and_not_of_the_others(void **state) {
    (void)state;
    /* Goal: physics. Method: ratio of line to floor at each order for each class; the diagonal must stand
     * out, all the rest must be what the largest of seven neighbouring values of noise gives (below 5). A
     * ball's cage sidebands count into its floor, which bounds its own ratio. */
    const double orders[BEARING_CLASS_COUNT] = {0, BEARING_BPFI, BEARING_BPFO, 2 * BEARING_BSF};
    for (int class = BEARING_NORMAL; class < BEARING_CLASS_COUNT; class ++)
        for (int line = BEARING_INNER; line < BEARING_CLASS_COUNT; line++) {
            double ratio = line_over_floor((enum bearing_class) class, orders[line]);
            if (class == line)
                assert_true(ratio > 12.0);
            else
                assert_true(ratio < 5.0);
        }
}

static void the_load_zone_gives_sidebands_of_the_shaft_to_inner_and_of_the_cage_to_ball_faults(void **state) {
    (void)state;
    /* Goal: modulation. Method: sidebands at +-1 turn (inner) and +-1 cage turn (ball); an outer fault, which
     * stands still in the load zone, must not have them. */
    assert_true(line_over_floor(BEARING_INNER, BEARING_BPFI - 1.0) > 8.0);
    assert_true(line_over_floor(BEARING_INNER, BEARING_BPFI + 1.0) > 8.0);
    assert_true(line_over_floor(BEARING_BALL, 2 * BEARING_BSF - BEARING_FTF) > 8.0);
    assert_true(line_over_floor(BEARING_BALL, 2 * BEARING_BSF + BEARING_FTF) > 8.0);
    assert_true(line_over_floor(BEARING_OUTER, BEARING_BPFO - 1.0) < 5.0);
    assert_true(line_over_floor(BEARING_OUTER, BEARING_BPFO + 1.0) < 5.0);
}

static double mean_square(const struct generator_machine *machine, enum bearing_class class, uint64_t seed) {
    static int16_t samples[COUNT];
    struct random_stream stream;
    random_init(&stream, seed, 0, RANDOM_TEST);
    generator_window(machine, class, &stream, samples, COUNT);
    double sum = 0.0;
    for (size_t i = 0; i < COUNT; i++)
        sum += (double)samples[i] * samples[i] / COUNT;
    return sum;
}

static void the_impact_response_has_the_asked_power_over_the_noise(void **state) {
    (void)state;
    /* Goal: snr_db means what it says. Method: power of faulty less power of normal windows, over the noise's
     * power (counts^2), averaged over 60 machines; 15 % covers the spread of the averages and the model's
     * approximation. */
    struct generator generator;
    generator_init(&generator, &nominal, RATE_HZ, 9);
    for (int class = BEARING_INNER; class < BEARING_CLASS_COUNT; class ++) {
        double ratio = 0.0;
        for (uint32_t device = 0; device < 60; device++) {
            struct generator_machine machine;
            generator_machine_init(&machine, &generator, device);
            double faulty = mean_square(&machine, (enum bearing_class) class, device);
            double normal = mean_square(&machine, BEARING_NORMAL, device);
            ratio += (faulty - normal) / (generator.counts * generator.counts) / 60.0;
        }
        assert_true(fabs(10.0 * log10(ratio) - nominal.snr_db) < 0.6);
    }
}

static void a_window_is_a_function_of_seed_device_and_slot_whatever_the_order(void **state) {
    (void)state;
    /* Goal: determinism. Method: windows asked forwards from one source and backwards from another must be
     * equal; a change of any part of the key must change the window. */
    struct bearing_source *one, *two, *other;
    static int16_t first[12][COUNT], again[COUNT];
    enum bearing_class class[12], class_again;
    assert_int_equal(bearing_source_open(&nominal, RATE_HZ, 3, &one, NULL), STATUS_OK);
    assert_int_equal(bearing_source_open(&nominal, RATE_HZ, 3, &two, NULL), STATUS_OK);
    assert_int_equal(bearing_source_open(&nominal, RATE_HZ, 4, &other, NULL), STATUS_OK);
    for (uint32_t i = 0; i < 12; i++)
        bearing_source_window(one, i / 4, i % 4, first[i], COUNT, &class[i]);
    for (uint32_t i = 12; i-- > 0;) {
        bearing_source_window(two, i / 4, i % 4, again, COUNT, &class_again);
        assert_memory_equal(first[i], again, sizeof(again));
        assert_int_equal(class[i], class_again);
        bearing_source_window(other, i / 4, i % 4, again, COUNT, &class_again);
        assert_memory_not_equal(first[i], again, sizeof(again));
    }
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(first[i], first[j], sizeof(again));
    bearing_source_close(one);
    bearing_source_close(two);
    bearing_source_close(other);
}

static void classes_are_drawn_uniformly(void **state) {
    (void)state;
    /* Method: 2000 windows of 8 samples; each class expects 500, standard deviation 19; five of them are
     * allowed. */
    struct bearing_source *source;
    int counts[BEARING_CLASS_COUNT] = {0};
    int16_t samples[8];
    enum bearing_class class;
    assert_int_equal(bearing_source_open(&nominal, RATE_HZ, 1, &source, NULL), STATUS_OK);
    for (uint32_t i = 0; i < 2000; i++) {
        bearing_source_window(source, i % 50, i / 50, samples, 8, &class);
        counts[class]++;
    }
    for (int i = 0; i < BEARING_CLASS_COUNT; i++)
        assert_in_range(counts[i], 403, 597);
    bearing_source_close(source);
}

static void nothing_clips_at_any_setting(void **state) {
    (void)state;
    /* Goal: the gain's bound holds. Method: extremes of SNR, slip, shaft speed and rate; the model asserts
     * the range of int16 itself, and here the promised 32000 counts are looked at. */
    const double snrs[] = {-60, 0, 60}, slips[] = {0.0, 0.5}, shafts[] = {3.0, 29.95, 45.0},
                 rates[] = {4000, 12000};
    static int16_t samples[COUNT];
    for (int i = 0; i < 3 * 2 * 3 * 2; i++) {
        struct scenario_data config = {
            .snr_db = snrs[i % 3], .slip = slips[i / 3 % 2], .shaft_hz = shafts[i / 6 % 3]};
        struct bearing_source *source;
        assert_int_equal(bearing_source_open(&config, rates[i / 18], 8, &source, NULL), STATUS_OK);
        for (uint32_t device = 0; device < 10; device++) {
            enum bearing_class class;
            bearing_source_window(source, device, 0, samples, COUNT, &class);
            for (size_t n = 0; n < COUNT; n++)
                assert_in_range(abs(samples[n]), 0, 32000);
        }
        bearing_source_close(source);
    }
}

static void settings_outside_physics_are_refused_with_a_reason(void **state) {
    (void)state;
    const struct scenario_data bad[] = {{.shaft_hz = 0.0},
                                        {.shaft_hz = -3.0},
                                        {.shaft_hz = SHAFT_HZ, .snr_db = NAN},
                                        {.shaft_hz = SHAFT_HZ, .slip = -0.1},
                                        {.shaft_hz = SHAFT_HZ, .slip = 0.9},
                                        {.shaft_hz = 900.0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct bearing_source *source;
        struct error error = {0};
        assert_int_equal(bearing_source_open(&bad[i], RATE_HZ, 1, &source, &error), STATUS_INVALID);
        assert_null(source);
        assert_true(strlen(error.text) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_shows_the_lines_of_its_own_order_and_not_of_the_others),
        cmocka_unit_test(the_load_zone_gives_sidebands_of_the_shaft_to_inner_and_of_the_cage_to_ball_faults),
        cmocka_unit_test(the_impact_response_has_the_asked_power_over_the_noise),
        cmocka_unit_test(a_window_is_a_function_of_seed_device_and_slot_whatever_the_order),
        cmocka_unit_test(classes_are_drawn_uniformly),
        cmocka_unit_test(nothing_clips_at_any_setting),
        cmocka_unit_test(settings_outside_physics_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
