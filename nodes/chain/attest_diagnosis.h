/* attest_diagnosis: a validator measures again how good a model of the diagnosis is, on windows it makes
 * itself (nodes/labelled.h). */
#ifndef TIERBED_NODES_CHAIN_ATTEST_DIAGNOSIS_H
#define TIERBED_NODES_CHAIN_ATTEST_DIAGNOSIS_H

#include "nodes/chain/attest.h"
#include "nodes/labelled.h"

/* The context of the attest_config. The windows are measured when the first model comes, once. */
struct attest_diagnosis {
    struct node_env env; /* a copy: its pointers outlive the validator */
    struct labelled judged;
};

void attest_diagnosis_init(struct attest_diagnosis *context, const struct node_env *env);
void attest_diagnosis_close(struct attest_diagnosis *context);

extern const struct attestor attestor_diagnosis;

/* The metrics of a quality; false for what Q32.32 cannot hold. For edge servers, too, so that both say it the
 * same way. Slopes are 0: nothing is trained by gradients. */
bool attest_diagnosis_metrics(const struct diagnosis_quality *quality, int64_t metric_q32[METRIC_COUNT]);

#endif
