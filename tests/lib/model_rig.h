/* model_rig: models of the diagnosis on a chain made by hand, for tests of whoever submits, serves or takes
 * them. Four validators, two submitters; validator and submitter keys are those of the chain it fills in. */
#ifndef TIERBED_TESTS_LIB_MODEL_RIG_H
#define TIERBED_TESTS_LIB_MODEL_RIG_H

#include "common/data/diagnosis_model.h"
#include "nodes/chain/chain.h"
#include "tests/lib/ledger_rig.h"

#define MODEL_RIG_VALIDATORS 4u
#define MODEL_RIG_EDGES 2u

struct model_rig {
    struct ledger_rig ledger;
    struct chain chain; /* borrows from the rig */
    uint32_t *sender_of_node;
    struct signing_key *keys;
    uint64_t included; /* height of the last model */
    uint32_t node_of_sender[MODEL_RIG_VALIDATORS + MODEL_RIG_EDGES];
};

/* `nodes`: node ids of validators, then of edge servers; `node_count` of the topology. */
void model_rig_open(struct model_rig *rig, const uint32_t *nodes, uint32_t node_count);
void model_rig_close(struct model_rig *rig);

/* A model of submitter `edge` (0, 1) with this accuracy and these thresholds, put on chain and, with
 * `accepted`, attested by all. Writes the payload of the MODEL message that proves it. */
struct model_rig_model {
    uint32_t edge, arch;
    double accuracy, line_threshold, impulse_threshold;
    bool accepted;
};
#define MODEL_RIG_MESSAGE_MAX 8192u
size_t model_rig_add(struct model_rig *rig, const struct model_rig_model *model,
                     uint8_t payload[MODEL_RIG_MESSAGE_MAX]);
/* The same for a transaction made elsewhere, whose blob is `blob` (DIAGNOSIS_MODEL_BYTES). */
size_t model_rig_accept(struct model_rig *rig, const uint8_t *tx, size_t tx_bytes, const uint8_t *blob,
                        uint8_t payload[MODEL_RIG_MESSAGE_MAX]);
/* Payload of a PROOF message: the last transaction put on chain by model_rig_add or model_rig_accept. */
size_t model_rig_inclusion(const struct model_rig *rig, uint8_t payload[MODEL_RIG_MESSAGE_MAX]);
/* The PROOF message in a MODEL message. */
size_t model_rig_proof_of(const uint8_t *model, size_t bytes, uint8_t payload[MODEL_RIG_MESSAGE_MAX]);

#endif
