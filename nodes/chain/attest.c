#include "nodes/chain/attest.h"

#include <assert.h>
#include <stdlib.h>

static bool evaluate_stated(void *context, const uint8_t *blob, size_t bytes, const struct hash *input,
                            int64_t metric_q32[METRIC_COUNT]) {
    struct bytes_reader reader = bytes_reader_over(blob, bytes);
    (void)context;
    (void)input;
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metric_q32[i] = bytes_get_i64(&reader);
    return !reader.failed;
}

const struct attestor attestor_stated = {
    .arch_id = ATTESTOR_STATED_ARCH, .name = "stated/1", .evaluate = evaluate_stated};

enum status attest_init(struct attest *attest, const struct attest_config *config) {
    assert(config->self < config->genesis->validator_count);
    *attest = (struct attest){.config = *config};
    attest->pending = calloc((size_t)config->genesis->params.open_models_max + 1, sizeof *attest->pending);
    return attest->pending == NULL ? STATUS_MEMORY : STATUS_OK;
}

void attest_close(struct attest *attest) {
    free(attest->pending);
    *attest = (struct attest){0};
}

/* Open, and this validator has not said on chain what it found. */
static bool is_due(const struct attest *attest, const struct ledger_model *model) {
    return model->status == MODEL_OPEN && (model->attested >> attest->config.self & 1) == 0;
}

static void forget_what_is_done(struct attest *attest, const struct ledger_state *state) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < attest->count; i++) {
        const struct ledger_model *model = ledger_state_model(state, &attest->pending[i].model);
        if (model != NULL && is_due(attest, model))
            attest->pending[kept++] = attest->pending[i];
    }
    attest->count = kept;
}

static struct attest_pending *find_pending(struct attest *attest, const struct hash *model) {
    for (uint32_t i = 0; i < attest->count; i++)
        if (hash_equal(&attest->pending[i].model, model))
            return &attest->pending[i];
    return NULL;
}

static const struct attestor *attestor_of(const struct attest *attest, uint32_t arch_id) {
    for (uint32_t i = 0; i < attest->config.attestor_count; i++)
        if (attest->config.attestors[i]->arch_id == arch_id)
            return attest->config.attestors[i];
    return NULL;
}

/* An architecture nobody here can evaluate is said to be so: verdict 0. */
static struct attestation evaluate(struct attest *attest, const struct ledger_model *model,
                                   const uint8_t *blob, size_t bytes) {
    const struct attestor *attestor = attestor_of(attest, model->arch_id);
    struct attestation attestation = {.tx_id = model->tx_id};
    attest->evaluated++;
    if (attestor == NULL)
        return attestation;
    attestation.tool_hash = hash_of("tool", attestor->name, strlen(attestor->name));
    if (attestor->evaluate(attest->config.context, blob, bytes, &model->metric_input_hash,
                           attestation.metric_q32))
        attestation.verdict = 1;
    else
        memset(attestation.metric_q32, 0, sizeof attestation.metric_q32);
    return attestation;
}

/* STATUS_STOPPED: its blob is not here. */
static enum status begin(struct attest *attest, const struct ledger_model *model,
                         struct attest_pending **pending) {
    uint8_t *blob = NULL;
    size_t bytes = 0;
    if (!ledger_store_has_blob(attest->config.store, &model->blob_hash))
        return STATUS_STOPPED;
    enum status status = ledger_store_get_blob(attest->config.store, &model->blob_hash, &blob, &bytes);
    if (status == STATUS_INVALID || status == STATUS_FAILED)
        return STATUS_STOPPED;
    TRY(status);
    assert(attest->count < attest->config.genesis->params.open_models_max);
    *pending = &attest->pending[attest->count++];
    **pending =
        (struct attest_pending){.model = model->tx_id, .attestation = evaluate(attest, model, blob, bytes)};
    free(blob);
    return STATUS_OK;
}

static void make_transaction(const struct attest *attest, struct attest_pending *pending,
                             const struct ledger_state *state, struct bytes_writer *writer) {
    const struct attest_config *config = &attest->config;
    uint8_t ext[ATTESTATION_BYTES];
    struct bytes_writer ext_writer = bytes_writer_over(ext, sizeof ext);
    attestation_encode(&ext_writer, &pending->attestation);
    struct transaction tx = {.type = TX_METRIC_ATTEST,
                             .chain_id = config->genesis->chain_id,
                             .sender = config->self,
                             .nonce = pending->nonce,
                             .expiry_height = state->height + config->expiry,
                             .ext_bytes = (uint16_t)ext_writer.used,
                             .ext = ext};
    transaction_sign(config->key, &tx);
    transaction_encode(writer, &tx);
    assert(!writer->failed);
}

/* Its last transaction was not made, or another took the nonce, or it has expired. */
static bool must_be_made(const struct attest *attest, const struct attest_pending *pending,
                         const struct ledger_state *state) {
    return pending->nonce <= state->nonces[attest->config.self] || pending->expiry_height <= state->height;
}

enum status attest_next(struct attest *attest, const struct ledger_state *state, uint64_t *next_nonce,
                        struct bytes_writer *writer) {
    forget_what_is_done(attest, state);
    for (uint32_t i = 0; i < state->model_count; i++) {
        const struct ledger_model *model = &state->models[i];
        if (!is_due(attest, model))
            continue;
        struct attest_pending *pending = find_pending(attest, &model->tx_id);
        if (pending == NULL) {
            enum status status = begin(attest, model, &pending);
            if (status == STATUS_STOPPED)
                continue;
            TRY(status);
        }
        if (!must_be_made(attest, pending, state))
            continue;
        if (*next_nonce <= state->nonces[attest->config.self])
            *next_nonce = state->nonces[attest->config.self] + 1;
        pending->nonce = (*next_nonce)++;
        pending->expiry_height = state->height + attest->config.expiry;
        make_transaction(attest, pending, state, writer);
        return STATUS_OK;
    }
    return STATUS_STOPPED;
}

bool attest_missing_blob(struct attest *attest, const struct ledger_state *state, const struct hash *after,
                         const struct ledger_model **model) {
    for (uint32_t i = 0; i < state->model_count; i++) {
        const struct ledger_model *candidate = &state->models[i];
        bool passed = after != NULL && hash_compare(&candidate->tx_id, after) <= 0;
        if (passed || !is_due(attest, candidate) || find_pending(attest, &candidate->tx_id) != NULL ||
            ledger_store_has_blob(attest->config.store, &candidate->blob_hash))
            continue;
        *model = candidate;
        return true;
    }
    return false;
}
