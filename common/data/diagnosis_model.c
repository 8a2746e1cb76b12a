#include "common/data/diagnosis_model.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/base/bytes.h"

#define MAGIC 0x4d444254u /* "TBDM" */
#define VERSION 1u
#define Q32_ONE ((int64_t)1 << 32)

/* ---- bytes ---- */

void diagnosis_model_encode(const struct diagnosis_model *model, uint8_t data[DIAGNOSIS_MODEL_BYTES]) {
    struct bytes_writer writer = bytes_writer_over(data, DIAGNOSIS_MODEL_BYTES);
    bytes_put_u32(&writer, MAGIC);
    bytes_put_u32(&writer, VERSION);
    bytes_put_u32(&writer, model->author);
    bytes_put_u32(&writer, model->round);
    bytes_put_u32(&writer, model->windows);
    bytes_put_i64(&writer, model->line_threshold_q32);
    bytes_put_i64(&writer, model->impulse_threshold_q32);
    assert(!writer.failed && writer.used == DIAGNOSIS_MODEL_BYTES);
}

static bool in_range(int64_t threshold_q32) {
    return threshold_q32 > 0 && threshold_q32 <= DIAGNOSIS_THRESHOLD_MAX * Q32_ONE;
}

enum status diagnosis_model_decode(const uint8_t *data, size_t size, struct diagnosis_model *model) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    uint32_t magic = bytes_get_u32(&reader), version = bytes_get_u32(&reader);
    model->author = bytes_get_u32(&reader);
    model->round = bytes_get_u32(&reader);
    model->windows = bytes_get_u32(&reader);
    model->line_threshold_q32 = bytes_get_i64(&reader);
    model->impulse_threshold_q32 = bytes_get_i64(&reader);
    bool formed = bytes_done(&reader) && magic == MAGIC && version == VERSION && model->round > 0 &&
                  in_range(model->line_threshold_q32) && in_range(model->impulse_threshold_q32);
    return formed ? STATUS_OK : STATUS_INVALID;
}

/* Thresholds lie on a grid of short decimals: to the nearest 2^-32, and back without further rounding. */
static int64_t to_q32(double threshold) {
    return (int64_t)nearbyint(threshold * (double)Q32_ONE);
}

void diagnosis_model_take(struct diagnosis_model *model, const struct diagnosis_config *config) {
    model->line_threshold_q32 = to_q32(config->line_threshold);
    model->impulse_threshold_q32 = to_q32(config->impulse_threshold);
}

void diagnosis_model_apply(const struct diagnosis_model *model, struct diagnosis_config *config) {
    config->line_threshold = (double)model->line_threshold_q32 / (double)Q32_ONE;
    config->impulse_threshold = (double)model->impulse_threshold_q32 / (double)Q32_ONE;
}

/* ---- labelled windows ---- */

#define DOUBT_MIN 1e-6 /* a confidence of 1 that is wrong costs 14 nats, not infinity */

struct diagnosis_quality diagnosis_judge(const struct diagnosis_config *config,
                                         const struct diagnosis_label *labels, size_t count) {
    size_t right = 0;
    double loss = 0.0;
    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        struct diagnosis found;
        diagnosis_decide(config, &labels[i].features, &found);
        bool hit = found.class == labels[i].truth;
        right += hit;
        loss -= log(fmax(DOUBT_MIN, hit ? found.confidence : 1.0 - found.confidence));
    }
    return (struct diagnosis_quality){.accuracy = (double)right / (double)count,
                                      .loss = loss / (double)count};
}

/* ---- estimation ---- */

#define LINE_STEPS 29u /* 2.00, 2.25, ... 9.00 nats */
#define LINE_LEAST 2.0
#define LINE_STEP 0.25
#define IMPULSE_STEPS 25u /* 0.04, 0.08, ... 1.00 */
#define IMPULSE_STEP 0.04

static size_t count_right(const struct diagnosis_config *config, const struct diagnosis_label *labels,
                          size_t count) {
    size_t right = 0;
    for (size_t i = 0; i < count; i++) {
        struct diagnosis found;
        diagnosis_decide(config, &labels[i].features, &found);
        right += found.class == labels[i].truth;
    }
    return right;
}

struct search {
    const struct diagnosis_label *labels;
    size_t count, right; /* of the best so far */
    double distance;     /* of the same from where the search began */
    struct diagnosis_config begin, best;
};

static void look_at(struct search *search, double line, double impulse) {
    struct diagnosis_config config = search->begin;
    config.line_threshold = line;
    config.impulse_threshold = impulse;
    size_t right = count_right(&config, search->labels, search->count);
    double distance =
        fabs(log(line / search->begin.line_threshold)) + fabs(log(impulse / search->begin.impulse_threshold));
    if (right < search->right || (right == search->right && distance >= search->distance))
        return;
    search->right = right;
    search->distance = distance;
    search->best = config;
}

void diagnosis_fit(struct diagnosis_config *config, const struct diagnosis_label *labels, size_t count) {
    if (count == 0)
        return;
    struct search search = {.labels = labels,
                            .count = count,
                            .right = count_right(config, labels, count),
                            .begin = *config,
                            .best = *config};
    for (uint32_t i = 0; i < LINE_STEPS; i++)
        for (uint32_t j = 0; j < IMPULSE_STEPS; j++)
            look_at(&search, LINE_LEAST + LINE_STEP * i, IMPULSE_STEP * (j + 1));
    *config = search.best;
}
