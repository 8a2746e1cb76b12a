/* Accuracy of the diagnosis, with its confusion matrices. On generated windows the thresholds of docs/data.md
 * must hold, on seeds that were not used for tuning. On real records (TIERBED_SHARED or ../shared,
 * data/bearing) the figures of the second half of each record, on which nothing was tuned, are printed;
 * without the records that part is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/data/diagnosis.h"
#include "common/data/recordings.h"

#define SHAFT_HZ 29.95
#define SEED 20240 /* tuning used 7 and 11 */

struct tally {
    int count[BEARING_CLASS_COUNT][BEARING_CLASS_COUNT]; /* [truth][verdict] */
};

static double tally_print(const struct tally *tally, const char *title) {
    int right = 0, all = 0;
    printf("%s\n  %-8s", title, "truth");
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        printf(" %7s", bearing_class_name((enum bearing_class) class));
    for (int truth = 0; truth < BEARING_CLASS_COUNT; truth++) {
        printf("\n  %-8s", bearing_class_name((enum bearing_class)truth));
        for (int verdict = 0; verdict < BEARING_CLASS_COUNT; verdict++) {
            printf(" %7d", tally->count[truth][verdict]);
            all += tally->count[truth][verdict];
            right += truth == verdict ? tally->count[truth][verdict] : 0;
        }
    }
    printf("\n  accuracy %.2f %% of %d windows\n", 100.0 * right / all, all);
    return (double)right / all;
}

/* Accuracy over `devices` windows of one second from `source`. */
static double accuracy_of(const struct bearing_source *source, double rate_hz, uint32_t devices,
                          const char *title) {
    size_t count = (size_t)rate_hz;
    int16_t *samples = malloc(count * sizeof(*samples));
    struct diagnosis_plan *plan;
    struct tally tally = {0};
    assert_non_null(samples);
    assert_int_equal(diagnosis_open(count, rate_hz, SHAFT_HZ, &plan, NULL), STATUS_OK);
    for (uint32_t device = 0; device < devices; device++) {
        struct diagnosis result;
        enum bearing_class truth;
        bearing_source_window(source, device, 17, samples, count, &truth);
        assert_int_equal(diagnosis_run(plan, samples, count, &result), STATUS_OK);
        tally.count[truth][result.class]++;
    }
    diagnosis_close(plan);
    free(samples);
    return tally_print(&tally, title);
}

static double generated(double rate_hz, double snr_db, double slip) {
    const struct scenario_data config = {.shaft_hz = SHAFT_HZ, .snr_db = snr_db, .slip = slip};
    struct bearing_source *source;
    char title[96];
    snprintf(title, sizeof(title), "generator, %g Hz, SNR %g dB, slip %g", rate_hz, snr_db, slip);
    assert_int_equal(bearing_source_open(&config, rate_hz, SEED, &source, NULL), STATUS_OK);
    double accuracy = accuracy_of(source, rate_hz, 600, title);
    bearing_source_close(source);
    return accuracy;
}

static void generated_windows_at_the_default_setting_are_told_apart(void **state) {
    (void)state;
    assert_true(generated(4000, 6.0, 0.01) >= 0.97);
    assert_true(generated(12000, 6.0, 0.01) >= 0.97);
}

static void faults_below_the_noise_are_still_found(void **state) {
    (void)state;
    assert_true(generated(4000, -3.0, 0.01) >= 0.95);
    assert_true(generated(4000, 0.0, 0.02) >= 0.95);
}

static void faults_drowned_in_noise_are_not_found_and_not_invented(void **state) {
    (void)state;
    /* Goal: negative control. Nothing but the impacts may tell the classes apart: at -30 dB every class must
     * look normal, so the accuracy is what one class in four gives. */
    double accuracy = generated(4000, -30.0, 0.01);
    assert_true(accuracy > 0.15 && accuracy < 0.35);
}

static const char *records_dir(char *path, size_t size) {
    const char *shared = getenv("TIERBED_SHARED");
    snprintf(path, size, "%s/data/bearing", shared != NULL ? shared : "../shared");
    return access(path, R_OK | X_OK) == 0 ? path : NULL;
}

/* Share of right verdicts on one record's test half, windows a tenth of a second apart. */
static double record_accuracy(const struct recording *recording, struct diagnosis_plan *plan, size_t count,
                              struct tally *tally) {
    struct recording_range range = recording_split(recording, BEARING_TEST, count);
    int verdicts[BEARING_CLASS_COUNT] = {0}, all = 0;
    for (size_t at = range.start; at + count <= range.start + range.count; at += count / 10) {
        struct diagnosis result;
        assert_int_equal(diagnosis_run(plan, recording->samples + at, count, &result), STATUS_OK);
        verdicts[result.class]++;
        tally->count[recording->class][result.class]++;
        all++;
    }
    assert_true(all > 0);
    printf("  %-20s %3d windows: normal %2d, inner %2d, outer %2d, ball %2d\n", recording->file, all,
           verdicts[0], verdicts[1], verdicts[2], verdicts[3]);
    return (double)verdicts[recording->class] / all;
}

static void report_records(const char *dir, double rate_hz, double *clear_least) {
    struct recordings recordings;
    struct diagnosis_plan *plan;
    struct tally tally = {0};
    struct error error = {0};
    size_t count = (size_t)rate_hz;
    double sum[BEARING_CLASS_COUNT] = {0}, balanced = 0.0;
    int of_class[BEARING_CLASS_COUNT] = {0}, classes = 0;
    if (recordings_open(dir, rate_hz, &recordings, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    assert_int_equal(diagnosis_open(count, rate_hz, SHAFT_HZ, &plan, NULL), STATUS_OK);
    printf("real records at %g Hz, second half of each (whole where too short to halve)\n", rate_hz);
    *clear_least = 1.0;
    for (size_t i = 0; i < recordings.count; i++) {
        const struct recording *recording = &recordings.items[i];
        double accuracy = record_accuracy(recording, plan, count, &tally);
        sum[recording->class] += accuracy;
        of_class[recording->class]++;
        bool race = recording->class == BEARING_INNER || recording->class == BEARING_OUTER;
        bool severe = strstr(recording->file, "_007") != NULL || strstr(recording->file, "_021") != NULL;
        if (race && severe && accuracy < *clear_least)
            *clear_least = accuracy;
    }
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        if (of_class[class] > 0) {
            balanced += sum[class] / of_class[class];
            classes++;
        }
    tally_print(&tally, "all records");
    printf("  mean over classes of the mean over their records: %.2f %%\n", 100.0 * balanced / classes);
    diagnosis_close(plan);
    recordings_close(&recordings);
}

static void race_faults_with_clear_lines_are_found_on_real_records(void **state) {
    (void)state;
    /* Of the records only the races of 0.007 and 0.021 inch show their lines (docs/data.md says why): these
     * must be right. */
    char path[512];
    const char *dir = records_dir(path, sizeof(path));
    if (dir == NULL) {
        printf(
            "SKIPPED: no real records in %s; set TIERBED_SHARED to the directory that holds data/bearing\n",
            path);
        skip();
    }
    const double rates[] = {4000, 12000};
    for (int i = 0; i < 2; i++) {
        double clear_least;
        report_records(dir, rates[i], &clear_least);
        assert_true(clear_least >= 0.95);
    }
}

static void the_source_of_windows_reads_the_real_records(void **state) {
    (void)state;
    /* The path a scenario takes (data.dir): every class drawn, and right in more than half of the cases. */
    char path[512];
    const char *dir = records_dir(path, sizeof(path));
    if (dir == NULL) {
        printf("SKIPPED: no real records in %s\n", path);
        skip();
    }
    struct scenario_data config = {.source = DATA_RECORDS, .shaft_hz = SHAFT_HZ};
    struct bearing_source *source;
    snprintf(config.dir, sizeof(config.dir), "%s", dir);
    assert_int_equal(bearing_source_open(&config, 4000, SEED, &source, NULL), STATUS_OK);
    bearing_source_restrict(source, BEARING_TEST);
    assert_true(accuracy_of(source, 4000, 600, "real records through the source, 4000 Hz, second halves") >
                0.55);
    bearing_source_close(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_windows_at_the_default_setting_are_told_apart),
        cmocka_unit_test(faults_below_the_noise_are_still_found),
        cmocka_unit_test(faults_drowned_in_noise_are_not_found_and_not_invented),
        cmocka_unit_test(race_faults_with_clear_lines_are_found_on_real_records),
        cmocka_unit_test(the_source_of_windows_reads_the_real_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
