#include "nodes/chain/attest_diagnosis.h"

void attest_diagnosis_init(struct attest_diagnosis *context, const struct node_env *env) {
    *context = (struct attest_diagnosis){.env = *env};
}

void attest_diagnosis_close(struct attest_diagnosis *context) {
    labelled_close(&context->judged);
}

bool attest_diagnosis_metrics(const struct diagnosis_quality *quality, int64_t metric_q32[METRIC_COUNT]) {
    memset(metric_q32, 0, METRIC_COUNT * sizeof *metric_q32);
    return metric_to_q32(quality->accuracy, &metric_q32[METRIC_ACCURACY]) &&
           metric_to_q32(quality->loss, &metric_q32[METRIC_LOSS]);
}

static bool evaluate(void *context, const uint8_t *blob, size_t bytes, const struct hash *metric_input_hash,
                     int64_t metric_q32[METRIC_COUNT]) {
    struct attest_diagnosis *diagnosis = context;
    struct diagnosis_model model;
    struct hash judged = labelled_judged_hash(diagnosis->env.scenario);
    if (diagnosis_model_decode(blob, bytes, &model) != STATUS_OK || !hash_equal(&judged, metric_input_hash) ||
        labelled_extend(&diagnosis->judged, &diagnosis->env, TOPOLOGY_NONE, LABELLED_JUDGED) != STATUS_OK)
        return false;
    struct diagnosis_config config = diagnosis_config_default(diagnosis->env.scenario->data.shaft_hz);
    diagnosis_model_apply(&model, &config);
    struct diagnosis_quality quality =
        diagnosis_judge(&config, diagnosis->judged.labels, diagnosis->judged.count);
    return attest_diagnosis_metrics(&quality, metric_q32);
}

const struct attestor attestor_diagnosis = {
    .arch_id = DIAGNOSIS_MODEL_ARCH, .name = "envelope-diagnosis/1", .evaluate = evaluate};
