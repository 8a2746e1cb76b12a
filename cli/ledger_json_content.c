/* ledger_json_content: transactions, evidence and models as JSON (ledger_json.h). */
#include "cli/ledger_json.h"
#include "common/ledger/evidence.h"

const char *ledger_type_name(uint8_t transaction_type) {
    switch (transaction_type) {
    case TX_MODEL_UPDATE:
        return "model_update";
    case TX_METRIC_ATTEST:
        return "metric_attest";
    case TX_EVIDENCE:
        return "evidence";
    case TX_RECORDS:
        return "records";
    default:
        return "unknown";
    }
}

const char *ledger_evidence_name(const struct evidence *evidence) {
    if (evidence->kind == EVIDENCE_DUP_PROPOSAL)
        return "two proposals";
    return evidence->as.votes[0].type == VOTE_PREVOTE ? "two prevotes" : "two precommits";
}

const char *ledger_model_status_name(uint8_t status) {
    return status == MODEL_ACCEPTED ? "accepted" : "open";
}

json_t *ledger_json_evidence(const struct evidence *evidence) {
    bool votes = evidence->kind == EVIDENCE_DUP_VOTE;
    struct hash key = evidence_key(evidence);
    return json_pack(
        "{s:I, s:s, s:o, s:I, s:o, s:o, s:o}", "accused", (json_int_t)evidence_accused(evidence), "offence",
        ledger_evidence_name(evidence), "height", ledger_json_integer(evidence_height(evidence)), "round",
        (json_int_t)(votes ? evidence->as.votes[0].round : evidence->as.proposals[0].round), "first",
        ledger_json_hash(votes ? &evidence->as.votes[0].block_id : &evidence->as.proposals[0].block_id),
        "second",
        ledger_json_hash(votes ? &evidence->as.votes[1].block_id : &evidence->as.proposals[1].block_id),
        "key", ledger_json_hash(&key));
}

static void add_update(json_t *json, const struct transaction *tx) {
    json_t *model = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:o}", "task", (json_int_t)tx->task_id,
        "fl_round", ledger_json_integer(tx->fl_round), "parent_model", ledger_json_hash(&tx->parent_model),
        "blob_hash", ledger_json_hash(&tx->blob_hash), "blob_bytes", ledger_json_integer(tx->blob_bytes),
        "chunk_root", ledger_json_hash(&tx->chunk_root), "arch", (json_int_t)tx->arch_id, "dtype",
        (json_int_t)tx->dtype, "claimed", ledger_json_metrics(tx->metric_q32), "samples",
        (json_int_t)tx->sample_count, "metric_input_hash", ledger_json_hash(&tx->metric_input_hash));
    json_object_set_new(json, "model", model);
}

static void add_attestation(json_t *json, const struct transaction *tx) {
    struct attestation attestation;
    if (attestation_decode(tx->ext, tx->ext_bytes, &attestation) != STATUS_OK)
        return;
    json_object_set_new(json, "attestation",
                        json_pack("{s:o, s:b, s:o, s:o}", "model", ledger_json_hash(&attestation.tx_id),
                                  "recomputed", attestation.verdict == 1, "metrics",
                                  ledger_json_metrics(attestation.metric_q32), "tool",
                                  ledger_json_hash(&attestation.tool_hash)));
}

static void add_ext(json_t *json, const struct transaction *tx) {
    struct evidence evidence;
    struct records records;
    if (tx->type == TX_MODEL_UPDATE)
        add_update(json, tx);
    else if (tx->type == TX_METRIC_ATTEST)
        add_attestation(json, tx);
    else if (tx->type == TX_EVIDENCE && evidence_decode(tx->ext, tx->ext_bytes, &evidence) == STATUS_OK)
        json_object_set_new(json, "evidence", ledger_json_evidence(&evidence));
    else if (tx->type == TX_RECORDS && records_decode(tx->ext, tx->ext_bytes, &records) == STATUS_OK)
        json_object_set_new(json, "records",
                            json_pack("{s:I, s:I}", "count", (json_int_t)records.count, "record_bytes",
                                      (json_int_t)records.record_bytes));
}

json_t *ledger_json_transaction(const uint8_t *data, size_t size) {
    struct transaction tx;
    struct hash id = transaction_id(data, size);
    if (transaction_decode(data, size, &tx) != STATUS_OK)
        return json_pack("{s:o, s:s, s:o}", "tx_id", ledger_json_hash(&id), "kind", "unknown", "bytes",
                         ledger_json_hex(data, size));
    json_t *json =
        json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:o}", "tx_id", ledger_json_hash(&id), "kind",
                  ledger_type_name(tx.type), "sender", (json_int_t)tx.sender, "nonce",
                  ledger_json_integer(tx.nonce), "expiry_height", ledger_json_integer(tx.expiry_height),
                  "client_ms", ledger_json_integer(tx.client_ms), "bytes", ledger_json_hex(data, size));
    add_ext(json, &tx);
    return json;
}

json_t *ledger_json_model(const struct ledger_model *model) {
    bool accepted = model->status == MODEL_ACCEPTED;
    return json_pack("{s:o, s:s, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "tx_id",
                     ledger_json_hash(&model->tx_id), "status", ledger_model_status_name(model->status),
                     "task", (json_int_t)model->task_id, "sender", (json_int_t)model->sender, "height",
                     ledger_json_integer(model->height), "decided_height",
                     accepted ? ledger_json_integer(model->decided_height) : json_null(), "fl_round",
                     ledger_json_integer(model->fl_round), "arch", (json_int_t)model->arch_id, "samples",
                     (json_int_t)model->sample_count, "blob_hash", ledger_json_hash(&model->blob_hash),
                     "blob_bytes", ledger_json_integer(model->blob_bytes), "metric_input_hash",
                     ledger_json_hash(&model->metric_input_hash), "claimed",
                     ledger_json_metrics(model->claimed_q32), "median",
                     accepted ? ledger_json_metrics(model->median_q32) : json_null(), "attested",
                     ledger_json_bits(model->attested));
}
