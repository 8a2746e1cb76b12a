/* diagnosis_model: what can be learnt about the diagnosis from labelled windows, as bytes that travel: its
 * two thresholds, and who found them on how much. The canonical form of a model of architecture
 * DIAGNOSIS_MODEL_ARCH on the chain.
 *
 * Thresholds are Q32.32, so that everybody who decodes a model diagnoses with the same numbers. */
#ifndef TIERBED_DATA_DIAGNOSIS_MODEL_H
#define TIERBED_DATA_DIAGNOSIS_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/data/diagnosis.h"

#define DIAGNOSIS_MODEL_ARCH 1u
#define DIAGNOSIS_MODEL_BYTES 36u
#define DIAGNOSIS_THRESHOLD_MAX 64 /* nats, or excess kurtosis; above 0 */

struct diagnosis_model {
    uint32_t author;  /* node id */
    uint32_t round;   /* of its author, from 1 */
    uint32_t windows; /* labelled ones that it was estimated from */
    int64_t line_threshold_q32, impulse_threshold_q32;
};

void diagnosis_model_encode(const struct diagnosis_model *model, uint8_t data[DIAGNOSIS_MODEL_BYTES]);
/* Strict: exactly what encode writes. STATUS_INVALID for another length, version or a threshold out of range.
 */
enum status diagnosis_model_decode(const uint8_t *data, size_t size, struct diagnosis_model *model);

/* Thresholds of `config` to a model and back; who and how much is left alone. */
void diagnosis_model_take(struct diagnosis_model *model, const struct diagnosis_config *config);
void diagnosis_model_apply(const struct diagnosis_model *model, struct diagnosis_config *config);

/* ---- labelled windows ---- */

struct diagnosis_label {
    enum bearing_class truth;
    struct diagnosis_features features;
};

struct diagnosis_quality {
    double accuracy; /* right answers of all, 0..1 */
    double loss;     /* mean of -ln(confidence in what is right or wrong), nats */
};
/* What thresholds give on labelled windows. count > 0. */
struct diagnosis_quality diagnosis_judge(const struct diagnosis_config *config,
                                         const struct diagnosis_label *labels, size_t count);

/* Re-estimates the thresholds of `config`: those of a fixed grid with the most right answers; of equals the
 * ones nearest (in ratio) to what was there before. count 0: nothing changes. O(grid x count), grid 29 x 25.
 */
void diagnosis_fit(struct diagnosis_config *config, const struct diagnosis_label *labels, size_t count);

#endif
