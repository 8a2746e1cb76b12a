#include "common/model/qos.h"

#include <assert.h>
#include <stdbool.h>

#include "common/model/reading.h"

const struct qos_model qos_models[QOS_MODELS] = {
    {0.1, 0.9976}, {0.3, 0.9803}, {0.5, 0.9752}, {0.7, 0.9517}, {0.8, 0.9477}, {0.9, 0.9221},
};

double qos_deadline_s(double criticality) {
    assert(criticality >= 0.0 && criticality <= 1.0);
    return 1.0 - 0.9 * criticality;
}

double qos_accuracy_floor(double criticality) {
    assert(criticality >= 0.0 && criticality <= 1.0);
    return 0.92 + 0.07 * criticality;
}

double qos_accuracy_fit_percent(double pruning_percent) {
    double p = pruning_percent;
    return ((-1.729e-5 * p + 0.001953) * p - 0.1313) * p + 101.0;
}

static uint32_t lateness(double criticality, double delay_s) {
    bool met = delay_s <= qos_deadline_s(criticality) + THRESHOLD_TOLERANCE; /* Eq. (17a) */
    return met ? 0u : (uint32_t)QOS_LATE;
}

uint32_t qos_local_violations(double criticality, double delay_s, double accuracy) {
    uint32_t violations = lateness(criticality, delay_s);
    if (!(accuracy >= qos_accuracy_floor(criticality) - THRESHOLD_TOLERANCE)) /* Eq. (17b) */
        violations |= QOS_INACCURATE;
    return violations;
}

uint32_t qos_offloaded_violations(double criticality, double delay_s, double edge_s, double air_s) {
    uint32_t violations = lateness(criticality, delay_s);
    if (!(edge_s <= air_s + THRESHOLD_TOLERANCE)) /* Eq. (17f) */
        violations |= QOS_EDGE_SLOWER;
    return violations;
}
