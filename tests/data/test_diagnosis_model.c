/* Goal: a model of the diagnosis means the same to everybody who decodes it, nothing else decodes, and what
 * is estimated from labelled windows is what tells them apart. Method: every byte changed, every length cut;
 * labels made so that only thresholds in a known gap are right. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/diagnosis_model.h"

static const struct diagnosis_model sample = {.author = 3,
                                              .round = 2,
                                              .windows = 80,
                                              .line_threshold_q32 = 19327352832, /* 4.5 */
                                              .impulse_threshold_q32 = 858993459 /* 0.2 */};

static void a_model_survives_its_bytes_and_they_never_change(void **state) {
    (void)state;
    static const uint8_t expected[DIAGNOSIS_MODEL_BYTES] = {
        'T', 'B', 'D', 'M', 1, 0,    0, 0, 3, 0, 0,    0,    2,    0,    0, 0, 80, 0,
        0,   0,   0,   0,   0, 0x80, 4, 0, 0, 0, 0x33, 0x33, 0x33, 0x33, 0, 0, 0,  0};
    uint8_t data[DIAGNOSIS_MODEL_BYTES];
    struct diagnosis_model read;
    diagnosis_model_encode(&sample, data);
    assert_memory_equal(data, expected, sizeof data);
    assert_int_equal(diagnosis_model_decode(data, sizeof data, &read), STATUS_OK);
    assert_int_equal(read.author, 3);
    assert_int_equal(read.round, 2);
    assert_int_equal(read.windows, 80);
    assert_int_equal(read.line_threshold_q32, sample.line_threshold_q32);
    assert_int_equal(read.impulse_threshold_q32, sample.impulse_threshold_q32);
}

static void nothing_else_decodes(void **state) {
    (void)state;
    uint8_t data[DIAGNOSIS_MODEL_BYTES + 1] = {0};
    struct diagnosis_model read, bad;
    diagnosis_model_encode(&sample, data);
    for (size_t size = 0; size <= sizeof data; size++)
        assert_int_equal(diagnosis_model_decode(data, size, &read),
                         size == DIAGNOSIS_MODEL_BYTES ? STATUS_OK : STATUS_INVALID);
    for (size_t at = 0; at < 8; at++) { /* magic and version */
        data[at] ^= 1;
        assert_int_equal(diagnosis_model_decode(data, DIAGNOSIS_MODEL_BYTES, &read), STATUS_INVALID);
        data[at] ^= 1;
    }
    static const int64_t thresholds[] = {0, -1, INT64_MIN, INT64_MAX,
                                         ((int64_t)DIAGNOSIS_THRESHOLD_MAX << 32) + 1};
    for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
        bad = sample;
        bad.line_threshold_q32 = thresholds[i];
        diagnosis_model_encode(&bad, data);
        assert_int_equal(diagnosis_model_decode(data, DIAGNOSIS_MODEL_BYTES, &read), STATUS_INVALID);
        bad = sample;
        bad.impulse_threshold_q32 = thresholds[i];
        diagnosis_model_encode(&bad, data);
        assert_int_equal(diagnosis_model_decode(data, DIAGNOSIS_MODEL_BYTES, &read), STATUS_INVALID);
    }
    bad = sample;
    bad.round = 0;
    diagnosis_model_encode(&bad, data);
    assert_int_equal(diagnosis_model_decode(data, DIAGNOSIS_MODEL_BYTES, &read), STATUS_INVALID);
}

static void thresholds_travel_to_the_last_bit(void **state) {
    (void)state;
    struct diagnosis_config config = diagnosis_config_default(30.0), other = config;
    struct diagnosis_model model = {.round = 1};
    config.line_threshold = 6.25;
    config.impulse_threshold = 0.36;
    diagnosis_model_take(&model, &config);
    diagnosis_model_apply(&model, &other);
    struct diagnosis_model again = {.round = 1};
    diagnosis_model_take(&again, &other);
    assert_int_equal(again.line_threshold_q32, model.line_threshold_q32);
    assert_int_equal(again.impulse_threshold_q32, model.impulse_threshold_q32);
    assert_true(fabs(other.line_threshold - 6.25) == 0.0);
    assert_true(fabs(other.impulse_threshold - 0.36) < 1e-9);
}

/* ---- estimation ---- */

#define COUNT 40

/* Sound bearings score up to 5.6 nats by chance, faults of the inner race 7.1 and more; without lines, a ball
 * knocks with an excess of 0.5 and more, noise with up to 0.3. Default thresholds (4.5; 0.2) are wrong. */
static void make_labels(struct diagnosis_label labels[COUNT]) {
    memset(labels, 0, COUNT * sizeof *labels);
    for (int i = 0; i < COUNT; i++) {
        struct diagnosis_label *label = &labels[i];
        double spread = (i / 4) * 0.1;
        label->features.impulse = 0.3 - spread / 10;
        if (i % 4 == 0) {
            label->truth = BEARING_NORMAL;
            label->features.line_score[BEARING_INNER] = 5.6 - spread;
        } else if (i % 4 == 1) {
            label->truth = BEARING_INNER;
            label->features.line_score[BEARING_INNER] = 7.1 + spread;
        } else if (i % 4 == 2) {
            label->truth = BEARING_BALL;
            label->features.impulse = 0.5 + spread;
        } else {
            label->truth = BEARING_NORMAL;
        }
    }
}

static void what_is_estimated_lies_in_the_gap_and_judges_all_rightly(void **state) {
    (void)state;
    struct diagnosis_label labels[COUNT];
    struct diagnosis_config config = diagnosis_config_default(30.0);
    make_labels(labels);
    assert_true(diagnosis_judge(&config, labels, COUNT).accuracy < 0.8);
    diagnosis_fit(&config, labels, COUNT);
    assert_true(config.line_threshold > 5.6 && config.line_threshold < 7.1);
    assert_true(config.impulse_threshold > 0.3 && config.impulse_threshold < 0.5);
    struct diagnosis_quality quality = diagnosis_judge(&config, labels, COUNT);
    assert_true(fabs(quality.accuracy - 1.0) == 0.0);
    assert_true(quality.loss > 0.0 && quality.loss < 1.0);
    config = diagnosis_config_default(30.0);
    diagnosis_fit(&config, labels, COUNT);
    struct diagnosis_config again = config; /* what is right already stays as it is */
    diagnosis_fit(&again, labels, COUNT);
    assert_memory_equal(&again, &config, sizeof again);
}

static void without_windows_nothing_changes(void **state) {
    (void)state;
    struct diagnosis_config config = diagnosis_config_default(30.0), before = config;
    diagnosis_fit(&config, NULL, 0);
    assert_memory_equal(&config, &before, sizeof config);
}

static void accuracy_counts_and_a_confident_mistake_costs_much(void **state) {
    (void)state;
    struct diagnosis_config config = diagnosis_config_default(30.0);
    struct diagnosis_label labels[4] = {{.truth = BEARING_INNER}, {.truth = BEARING_INNER}};
    for (int i = 0; i < 4; i++)
        labels[i].features.line_score[BEARING_INNER] = 10.0;
    labels[2].truth = labels[3].truth = BEARING_INNER;
    struct diagnosis_quality sound = diagnosis_judge(&config, labels, 4);
    labels[3].truth = BEARING_OUTER;
    struct diagnosis_quality wrong = diagnosis_judge(&config, labels, 4);
    assert_true(fabs(sound.accuracy - 1.0) == 0.0 && fabs(wrong.accuracy - 0.75) == 0.0);
    assert_true(wrong.loss > sound.loss + 1.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_survives_its_bytes_and_they_never_change),
        cmocka_unit_test(nothing_else_decodes),
        cmocka_unit_test(thresholds_travel_to_the_last_bit),
        cmocka_unit_test(what_is_estimated_lies_in_the_gap_and_judges_all_rightly),
        cmocka_unit_test(without_windows_nothing_changes),
        cmocka_unit_test(accuracy_counts_and_a_confident_mistake_costs_much)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
