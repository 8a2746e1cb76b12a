/* state: life, and what one transaction may do and does. */
#include "common/ledger/state.h"

#include <assert.h>
#include <stdlib.h>

#include "common/ledger/state_parts.h"

enum status ledger_state_init(struct ledger_state *state, const struct genesis *genesis) {
    *state = (struct ledger_state){.genesis = genesis};
    assert(genesis->validator_count > 0 && genesis->validator_count <= genesis->sender_count);
    state->nonces = calloc(genesis->sender_count, sizeof *state->nonces);
    if (state->nonces == NULL)
        return STATUS_MEMORY;
    state_tree_refresh(state);
    return STATUS_OK;
}

static void *copy_of(const void *data, size_t count, size_t size) {
    void *copy = malloc(count * size + 1);
    if (copy != NULL && count > 0)
        memcpy(copy, data, count * size);
    return copy;
}

static enum status copy_models(struct ledger_state *copy, const struct ledger_state *state) {
    size_t values = (size_t)state->genesis->validator_count * METRIC_COUNT;
    copy->models = copy_of(state->models, state->model_count, sizeof *state->models);
    if (copy->models == NULL)
        return STATUS_MEMORY;
    for (uint32_t i = 0; i < state->model_count; i++) {
        struct ledger_model *model = &copy->models[i];
        copy->model_count = i + 1;
        if (model->values == NULL)
            continue;
        model->values = copy_of(state->models[i].values, values, sizeof *model->values);
        if (model->values == NULL)
            return STATUS_MEMORY;
    }
    return STATUS_OK;
}

enum status ledger_state_copy(struct ledger_state *copy, const struct ledger_state *state) {
    *copy = *state;
    copy->models = NULL;
    copy->model_count = 0;
    copy->model_capacity = state->model_count;
    copy->offence_capacity = state->offence_count;
    copy->offences = copy_of(state->offences, state->offence_count, sizeof *state->offences);
    copy->nonces = copy_of(state->nonces, state->genesis->sender_count, sizeof *state->nonces);
    enum status status = copy_models(copy, state);
    if (status == STATUS_OK && (copy->offences == NULL || copy->nonces == NULL))
        status = STATUS_MEMORY;
    if (status != STATUS_OK)
        ledger_state_close(copy);
    return status;
}

void ledger_state_close(struct ledger_state *state) {
    for (uint32_t i = 0; i < state->model_count; i++)
        free(state->models[i].values);
    free(state->models);
    free(state->nonces);
    free(state->offences);
    *state = (struct ledger_state){0};
}

/* ---- may it stand there ---- */

static const char *object_to_update(const struct ledger_state *state, const struct transaction *tx,
                                    enum status *status) {
    if (tx->task_id >= LEDGER_TASKS_MAX)
        return "its task is above the greatest there may be";
    *status = STATUS_FULL;
    return state->open_count < state->genesis->params.open_models_max
               ? NULL
               : "the registry has no room for an open model";
}

static const char *object_to_attestation(const struct ledger_state *state, const struct transaction *tx) {
    struct attestation attestation;
    if (tx->sender >= state->genesis->validator_count)
        return "only validators attest";
    if (attestation_decode(tx->ext, tx->ext_bytes, &attestation) != STATUS_OK)
        return "its attestation cannot be decoded";
    const struct ledger_model *model = ledger_state_model(state, &attestation.tx_id);
    if (model == NULL)
        return "there is no model of this id in the registry";
    if (model->status != MODEL_OPEN)
        return "the model it attests is decided";
    return (model->attested >> tx->sender & 1) != 0 ? "this validator has attested the model before" : NULL;
}

static const char *object_to_evidence(const struct ledger_state *state, const struct transaction *tx,
                                      uint64_t height, enum status *status) {
    const struct genesis *genesis = state->genesis;
    struct evidence evidence;
    bool found;
    if (evidence_decode(tx->ext, tx->ext_bytes, &evidence) != STATUS_OK)
        return "its evidence cannot be decoded";
    uint64_t of = evidence_height(&evidence);
    if (of > height)
        return "its evidence is of a height that is still to come";
    if (height - of > genesis->params.evidence_age)
        return "its evidence is too old";
    struct hash key = evidence_key(&evidence);
    state_offence_place(state, &key, &found);
    if (found)
        return "this offence is on chain already";
    if (evidence_accused(&evidence) >= genesis->validator_count || !evidence_valid(genesis, &evidence))
        return "its evidence does not hold";
    *status = STATUS_FULL;
    uint64_t most = (uint64_t)LEDGER_OFFENCES_MAX * ((uint64_t)genesis->params.evidence_age + 1);
    return state_offences_of(state, evidence_accused(&evidence)) < most
               ? NULL
               : "as many offences of this validator as are kept are on chain already";
}

const char *state_objection(const struct ledger_state *state, const struct transaction *tx, uint64_t height,
                            enum status *status) {
    *status = STATUS_INVALID;
    if (tx->sender >= state->genesis->sender_count)
        return "its sender is unknown";
    if (tx->nonce <= state->nonces[tx->sender])
        return "its nonce has been used";
    if (tx->nonce > UINT64_MAX - transaction_weight(tx) + 1)
        return "its nonce leaves no room for its records";
    if (height > tx->expiry_height)
        return "it has expired";
    switch (tx->type) {
    case TX_MODEL_UPDATE:
        return object_to_update(state, tx, status);
    case TX_METRIC_ATTEST:
        return object_to_attestation(state, tx);
    case TX_EVIDENCE:
        return object_to_evidence(state, tx, height, status);
    case TX_RECORDS:
        return NULL;
    default:
        return "its type is unknown";
    }
}

enum status ledger_state_check(const struct ledger_state *state, const struct transaction *tx,
                               uint64_t height) {
    enum status status;
    return state_objection(state, tx, height, &status) == NULL ? STATUS_OK : status;
}

/* ---- what it does ---- */

static enum status apply_update(struct ledger_state *state, const struct transaction *tx,
                                const struct hash *id, uint64_t height) {
    struct ledger_model model = {.tx_id = *id,
                                 .status = MODEL_OPEN,
                                 .task_id = tx->task_id,
                                 .sender = tx->sender,
                                 .arch_id = tx->arch_id,
                                 .sample_count = tx->sample_count,
                                 .height = height,
                                 .fl_round = tx->fl_round,
                                 .blob_bytes = tx->blob_bytes,
                                 .blob_hash = tx->blob_hash,
                                 .chunk_root = tx->chunk_root,
                                 .metric_input_hash = tx->metric_input_hash,
                                 .values = state_values_new(state->genesis)};
    memcpy(model.claimed_q32, tx->metric_q32, sizeof model.claimed_q32);
    if (model.values == NULL)
        return STATUS_MEMORY;
    enum status status = state_model_insert(state, &model);
    if (status != STATUS_OK)
        free(model.values);
    return status;
}

static enum status apply_attestation(struct ledger_state *state, const struct transaction *tx) {
    struct attestation attestation;
    bool found;
    TRY(attestation_decode(tx->ext, tx->ext_bytes, &attestation));
    uint32_t place = state_model_place(state, &attestation.tx_id, &found);
    assert(found && tx->sender < state->genesis->validator_count);
    struct ledger_model *model = &state->models[place];
    for (uint32_t metric = 0; metric < METRIC_COUNT; metric++)
        model->values[tx->sender * METRIC_COUNT + metric] =
            attestation.verdict == 1 ? attestation.metric_q32[metric] : INT64_MIN;
    model->attested |= UINT64_C(1) << tx->sender;
    model->leaf_known = false;
    return STATUS_OK;
}

static enum status apply_evidence(struct ledger_state *state, const struct transaction *tx) {
    struct evidence evidence;
    TRY(evidence_decode(tx->ext, tx->ext_bytes, &evidence));
    struct ledger_offence offence = {.key = evidence_key(&evidence),
                                     .height = evidence_height(&evidence),
                                     .accused = evidence_accused(&evidence)};
    state->accused |= UINT64_C(1) << offence.accused;
    return state_offence_insert(state, &offence);
}

enum status ledger_state_apply_tx(struct ledger_state *state, const struct transaction *tx,
                                  const struct hash *id, uint64_t height) {
    uint32_t weight = transaction_weight(tx);
    assert(tx->sender < state->genesis->sender_count && tx->nonce > state->nonces[tx->sender]);
    state->root_known = false;
    state->nonces[tx->sender] = tx->nonce + weight - 1;
    state->transactions_total += weight;
    switch (tx->type) {
    case TX_MODEL_UPDATE:
        return apply_update(state, tx, id, height);
    case TX_METRIC_ATTEST:
        return apply_attestation(state, tx);
    case TX_EVIDENCE:
        return apply_evidence(state, tx);
    default:
        return STATUS_OK;
    }
}

void ledger_state_end_block(struct ledger_state *state, uint64_t height) {
    assert(height == state->height + 1);
    state->height = height;
    state_models_end(state, height);
    state_offences_end(state, height);
    state_tree_refresh(state);
}
