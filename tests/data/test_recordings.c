/* Directories of recordings: the index and the names, the change of sample rate, the split in time, and every
 * way in which a directory can be wrong. All files are written by the test itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/data/recordings.h"
#include "common/data/resample.h"
#include "tests/data/files.h"

static double pi(void) {
    return acos(-1.0);
}

/* Amplitude of the sine of `frequency_hz` in `values` (projection on sine and cosine, middle part only). */
static double amplitude_at(const float *values, size_t count, double rate_hz, double frequency_hz) {
    double s = 0.0, c = 0.0, n = 0.0;
    for (size_t i = count / 8; i < count - count / 8; i++, n += 1.0) {
        s += values[i] * sin(2.0 * pi() * frequency_hz * (double)i / rate_hz);
        c += values[i] * cos(2.0 * pi() * frequency_hz * (double)i / rate_hz);
    }
    return 2.0 * sqrt(s * s + c * c) / n;
}

static float *sine(size_t count, double rate_hz, double frequency_hz) {
    float *values = malloc(count * sizeof(*values));
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)sin(2.0 * pi() * frequency_hz * (double)i / rate_hz + 0.3);
    return values;
}

static void resampling_keeps_what_fits_and_removes_what_would_fold_back(void **state) {
    (void)state;
    /* Method: sines at 100, 1000 and 1800 Hz must keep their amplitude within 0.1 % at 4 kHz; one at 2300 Hz,
     * which would fold to 1700 Hz, must leave less than 1e-4 there. Ratios 3:1, 12:1, 44100:4000 and
     * 2560:4000 (upward). */
    const double rates[] = {12000, 48000, 44100};
    for (size_t r = 0; r < 3; r++)
        for (int tone = 0; tone < 4; tone++) {
            const double tones[] = {100, 1000, 1800, 2300};
            size_t count = (size_t)rates[r], made;
            float *in = sine(count, rates[r], tones[tone]), *out;
            assert_int_equal(resample(in, count, rates[r], 4000, &out, &made, NULL), STATUS_OK);
            assert_in_range(made, 3860, 3870); /* a filter's length, 134 samples, is lost */
            if (tones[tone] < 2000)
                assert_true(fabs(amplitude_at(out, made, 4000, tones[tone]) - 1.0) < 1e-3);
            else
                assert_true(amplitude_at(out, made, 4000, 4000 - tones[tone]) < 1e-4);
            free(in);
            free(out);
        }
    size_t made;
    float *in = sine(2560, 2560, 900), *out;
    assert_int_equal(resample(in, 2560, 2560, 4000, &out, &made, NULL), STATUS_OK);
    assert_true(fabs(amplitude_at(out, made, 4000, 900) - 1.0) < 1e-3);
    assert_true(amplitude_at(out, made, 4000, 2560 - 900) < 1e-3); /* no image */
    free(in);
    free(out);
}

static void resampling_refuses_what_it_cannot_do(void **state) {
    (void)state;
    float in[10] = {0}, *out;
    size_t made;
    assert_int_equal(resample(in, 10, 12000, 4000, &out, &made, NULL),
                     STATUS_INVALID); /* shorter than the filter */
    assert_int_equal(resample(in, 10, 12000, 4000.0 * acos(-1.0), &out, &made, NULL), STATUS_INVALID);
    assert_int_equal(resample(in, 10, 4000, 4000, &out, &made, NULL), STATUS_OK);
    assert_int_equal(made, 10);
    free(out);
}

static void names_tell_class_and_rate(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum bearing_class class;
        double rate_hz;
    } cases[] = {{"normal_0_97.mat", BEARING_NORMAL, 0},
                 {"48k_Drive_End_IR014_0_174.mat", BEARING_INNER, 48000},
                 {"12k_Drive_End_OR021@6_0_234.mat", BEARING_OUTER, 12000},
                 {"B007_0-12k.wav", BEARING_BALL, 12000},
                 {"Inner-03.csv", BEARING_INNER, 0},
                 {"motor5_ball.wav", BEARING_BALL, 0},
                 {"inner/pump.wav", BEARING_CLASS_COUNT, 0}, /* the directory does not count */
                 {"12khz.wav", BEARING_CLASS_COUNT, 0},
                 {"97.mat", BEARING_CLASS_COUNT, 0},
                 {"AIR014.mat", BEARING_CLASS_COUNT, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(recording_class_of_name(cases[i].name), cases[i].class);
        assert_true(recording_rate_of_name(cases[i].name) == cases[i].rate_hz);
    }
}

static void write_tone(struct scratch *scratch, const char *name, double seconds, int16_t peak) {
    size_t count = (size_t)(seconds * 12000);
    int16_t *samples = malloc(count * sizeof(*samples));
    assert_non_null(samples);
    for (size_t i = 0; i < count; i++)
        samples[i] = (int16_t)lrint(peak * sin(2.0 * pi() * 500.0 * (double)i / 12000.0));
    scratch_write_wav(scratch, name, samples, count, 12000);
    free(samples);
}

static void an_indexed_directory_is_read_at_one_rate_and_one_scale(void **state) {
    (void)state;
    /* Goal: levels of calibrated records stay comparable. Method: two files of equal counts whose g_per_count
     * differ ten times; after reading at 4 kHz their peaks must differ ten times and the larger must use the
     * full scale. A file that the index does not name must be ignored. */
    struct scratch scratch;
    struct recordings recordings;
    scratch_open(&scratch);
    write_tone(&scratch, "a.wav", 2.0, 20000);
    write_tone(&scratch, "b.wav", 2.0, 20000);
    write_tone(&scratch, "stray.wav", 2.0, 20000);
    scratch_write_text(&scratch, "index.csv",
                       "g_per_count,note,fault,file\r\n0.001,x,inner,a.wav\r\n0.0001,y,normal,b.wav\r\n\r\n");
    assert_int_equal(recordings_open(scratch.dir, 4000, &recordings, NULL), STATUS_OK);
    assert_int_equal(recordings.count, 2);
    assert_int_equal(recordings.items[0].class, BEARING_INNER);
    assert_int_equal(recordings.items[1].class, BEARING_NORMAL);
    int peaks[2] = {0};
    for (size_t r = 0; r < 2; r++) {
        assert_in_range(recordings.items[r].count, 7860, 7870);
        for (size_t i = 0; i < recordings.items[r].count; i++)
            peaks[r] = abs(recordings.items[r].samples[i]) > peaks[r] ? abs(recordings.items[r].samples[i])
                                                                      : peaks[r];
    }
    assert_in_range(peaks[0], 31990, 32000);
    assert_in_range(peaks[1], 3195, 3205);
    recordings_close(&recordings);
    scratch_close(&scratch);
}

static void a_directory_without_index_is_read_by_names_in_every_format(void **state) {
    (void)state;
    struct scratch scratch;
    struct recordings recordings;
    static double values[24000];
    static char text[24000 * 8];
    size_t used = 0;
    scratch_open(&scratch);
    for (size_t i = 0; i < 24000; i++) {
        values[i] = sin(0.1 * (double)i);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%.4f\n", values[i]);
    }
    scratch_write_text(&scratch, "12k_OR007.csv", text);
    scratch_write_mat(&scratch, "12k_B007.mat", "X1_DE_time", values, 24000, 1);
    write_tone(&scratch, "normal.wav", 2.0, 1000);
    scratch_write_text(&scratch, "notes.txt", "not a recording");
    assert_int_equal(recordings_open(scratch.dir, 4000, &recordings, NULL), STATUS_OK);
    assert_int_equal(recordings.count, 3);
    const enum bearing_class expected[] = {BEARING_BALL, BEARING_OUTER, BEARING_NORMAL}; /* sorted by name */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(recordings.items[i].class, expected[i]);
    recordings_close(&recordings);
    scratch_close(&scratch);
}

static void check_refused(struct scratch *scratch, const char *index, enum status expected,
                          const char *clue) {
    struct recordings recordings;
    struct error error = {0};
    if (index != NULL)
        scratch_write_text(scratch, "index.csv", index);
    assert_int_equal(recordings_open(scratch->dir, 4000, &recordings, &error), expected);
    if (strstr(error.text, clue) == NULL)
        fail_msg("expected `%s` in: %s", clue, error.text);
    assert_int_equal(recordings.count, 0);
}

static void every_fault_of_a_directory_is_named(void **state) {
    (void)state;
    struct scratch scratch;
    struct recordings recordings;
    struct error error = {0};
    assert_int_equal(recordings_open("/nonexistent/here", 4000, &recordings, &error), STATUS_IO);
    assert_non_null(strstr(error.text, "/nonexistent/here"));
    assert_non_null(strstr(error.text, "data.dir"));
    scratch_open(&scratch);
    check_refused(&scratch, NULL, STATUS_INVALID, "holds no recording");
    scratch_write_text(&scratch, "pump.csv", "1\n2\n");
    check_refused(&scratch, NULL, STATUS_INVALID, "pump.csv");
    check_refused(&scratch, "", STATUS_INVALID, "names no recording");
    check_refused(&scratch, "a,b\n", STATUS_INVALID, "index.csv:1");
    check_refused(&scratch, "file,fault\nx.wav,broken\n", STATUS_INVALID, "index.csv:2");
    check_refused(&scratch, "file,fault\n../x.wav,inner\n", STATUS_INVALID, "index.csv:2");
    check_refused(&scratch, "file,fault\n/etc/x.wav,inner\n", STATUS_INVALID, "index.csv:2");
    check_refused(&scratch, "file,fault,g_per_count\nx.wav,inner,-1\n", STATUS_INVALID, "g_per_count");
    check_refused(&scratch, "file,fault\nx.wav,inner\n", STATUS_IO, "x.wav");
    check_refused(&scratch, "file,fault\npump.csv,inner\n", STATUS_INVALID, "sample rate is not known");
    write_tone(&scratch, "short.wav", 0.9, 1000);
    check_refused(&scratch, "file,fault\nshort.wav,inner\n", STATUS_INVALID, "short.wav");
    write_tone(&scratch, "tiny.wav", 0.001, 1000);
    check_refused(&scratch, "file,fault\ntiny.wav,inner\n", STATUS_INVALID, "tiny.wav");
    write_tone(&scratch, "flat.wav", 2.0, 0);
    check_refused(&scratch, "file,fault\nflat.wav,inner\n", STATUS_INVALID, "flat.wav");
    write_tone(&scratch, "good.wav", 2.0, 1000);
    check_refused(&scratch, "file,fault,sample_rate_hz\ngood.wav,inner,48000\n", STATUS_INVALID,
                  "mend the index");
    check_refused(&scratch, "file,fault,g_per_count\ngood.wav,inner,1e300\n", STATUS_INVALID, "good.wav");
    scratch_close(&scratch);
}

static void windows_keep_to_their_half_and_short_records_to_the_test(void **state) {
    (void)state;
    /* Goal: no window is in both halves. Method: samples that count upwards tell where a window was cut. */
    int16_t samples[1000], cut[300];
    for (int i = 0; i < 1000; i++)
        samples[i] = (int16_t)i;
    struct recording items[2] = {{.class = BEARING_INNER, .samples = samples, .count = 1000},
                                 {.class = BEARING_BALL, .samples = samples, .count = 400}};
    struct recordings recordings = {.items = items, .count = 2, .sample_rate_hz = 4000};
    struct random_stream stream;
    int ball[3] = {0}, least[3] = {1000, 1000, 1000}, most[3] = {0};
    random_init(&stream, 1, 1, RANDOM_TEST);
    for (int split = BEARING_ALL; split <= BEARING_TEST; split++)
        for (int i = 0; i < 2000; i++) {
            struct recording_window window = {.samples = cut, .count = 300};
            assert_true(recordings_window(&recordings, (enum bearing_split)split, &stream, &window));
            ball[split] += window.class == BEARING_BALL;
            if (window.class == BEARING_INNER) {
                least[split] = cut[0] < least[split] ? cut[0] : least[split];
                most[split] = cut[299] > most[split] ? cut[299] : most[split];
            }
        }
    assert_int_equal(ball[BEARING_TRAIN], 0); /* 400 samples have no half that holds 300 */
    assert_in_range(ball[BEARING_ALL], 850, 1150);
    assert_in_range(ball[BEARING_TEST], 850, 1150);
    assert_true(least[BEARING_ALL] < 20 && most[BEARING_ALL] > 979);
    assert_in_range(most[BEARING_TRAIN], 480, 499);
    assert_in_range(least[BEARING_TRAIN], 0, 19);
    assert_in_range(least[BEARING_TEST], 500, 519);
    assert_in_range(most[BEARING_TEST], 980, 999);
    struct recording_window window = {.samples = cut, .count = 1001};
    assert_false(recordings_window(&recordings, BEARING_ALL, &stream, &window));
}

static void a_source_of_records_gives_the_same_windows_in_any_order_and_says_what_is_too_long(void **state) {
    (void)state;
    struct scratch scratch;
    struct bearing_source *source;
    struct error error = {0};
    struct scenario_data config = {.source = DATA_RECORDS, .shaft_hz = 29.95};
    static int16_t first[8][4000], again[4000];
    enum bearing_class class[8], class_again;
    scratch_open(&scratch);
    write_tone(&scratch, "normal.wav", 3.0, 1000);
    write_tone(&scratch, "ball.wav", 3.0, 2000);
    snprintf(config.dir, sizeof(config.dir), "%s", scratch.dir);
    assert_int_equal(bearing_source_open(&config, 4000, 5, &source, NULL), STATUS_OK);
    assert_int_equal(bearing_source_check(source, 4000, NULL), STATUS_OK);
    assert_int_equal(bearing_source_check(source, 20000, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "20000"));
    for (uint32_t i = 0; i < 8; i++)
        bearing_source_window(source, i, 3, first[i], 4000, &class[i]);
    for (uint32_t i = 8; i-- > 0;) {
        bearing_source_window(source, i, 3, again, 4000, &class_again);
        assert_memory_equal(first[i], again, sizeof(again));
        assert_true(class[i] == class_again &&
                    (class_again == BEARING_NORMAL || class_again == BEARING_BALL));
    }
    bearing_source_close(source);
    scratch_close(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resampling_keeps_what_fits_and_removes_what_would_fold_back),
        cmocka_unit_test(resampling_refuses_what_it_cannot_do),
        cmocka_unit_test(names_tell_class_and_rate),
        cmocka_unit_test(an_indexed_directory_is_read_at_one_rate_and_one_scale),
        cmocka_unit_test(a_directory_without_index_is_read_by_names_in_every_format),
        cmocka_unit_test(every_fault_of_a_directory_is_named),
        cmocka_unit_test(windows_keep_to_their_half_and_short_records_to_the_test),
        cmocka_unit_test(a_source_of_records_gives_the_same_windows_in_any_order_and_says_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
