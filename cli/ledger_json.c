#include "cli/ledger_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

json_t *ledger_json_integer(uint64_t value) {
    char text[24];
    if (value <= INT64_MAX)
        return json_integer((json_int_t)value);
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

json_t *ledger_json_hash(const struct hash *hash) {
    char text[HASH_TEXT_BYTES];
    hash_text(hash, text);
    return json_string(text);
}

json_t *ledger_json_hex(const uint8_t *data, size_t size) {
    static const char digits[] = "0123456789abcdef";
    char *text = memory_grow(NULL, 2 * size + 1, 1, "bytes as text");
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    json_t *json = json_stringn(text, 2 * size);
    free(text);
    return json;
}

static int digit_of(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool ledger_json_bytes(const json_t *text, size_t size_max, uint8_t **data, size_t *size) {
    const char *digits = json_string_value(text);
    size_t length = json_string_length(text);
    if (digits == NULL || length % 2 != 0 || length / 2 > size_max)
        return false;
    *size = length / 2;
    *data = memory_grow(NULL, *size, 1, "bytes of a text");
    for (size_t i = 0; i < *size; i++) {
        int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            free(*data);
            return false;
        }
        (*data)[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

json_t *ledger_json_bits(uint64_t bitmap) {
    json_t *bits = json_array();
    for (int i = 0; i < 64; i++)
        if ((bitmap >> i & 1) != 0)
            json_array_append_new(bits, json_integer(i));
    return bits;
}

json_t *ledger_json_metrics(const int64_t metric_q32[METRIC_COUNT]) {
    return json_pack("{s:f, s:f, s:f, s:f}", "slope_ixt", metric_from_q32(metric_q32[METRIC_SLOPE_IXT]),
                     "slope_ity", metric_from_q32(metric_q32[METRIC_SLOPE_ITY]), "loss",
                     metric_from_q32(metric_q32[METRIC_LOSS]), "accuracy",
                     metric_from_q32(metric_q32[METRIC_ACCURACY]));
}

static json_t *json_keys(const struct public_key *keys, uint32_t count) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, ledger_json_hex(keys[i].bytes, PUBLIC_KEY_BYTES));
    return list;
}

json_t *ledger_json_genesis(const struct genesis *genesis) {
    const struct chain_params *params = &genesis->params;
    json_t *rules =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:o, s:b}", "block_txs_max",
                  (json_int_t)params->block_txs_max, "block_bytes_max", (json_int_t)params->block_bytes_max,
                  "blob_bytes_max", (json_int_t)params->blob_bytes_max, "evidence_age",
                  (json_int_t)params->evidence_age, "checkpoint_interval",
                  (json_int_t)params->checkpoint_interval, "models_kept", (json_int_t)params->models_kept,
                  "open_models_max", (json_int_t)params->open_models_max, "epsilon",
                  metric_from_q32(params->epsilon_q32), "block_rate_hz", params->block_rate_hz, "seed",
                  ledger_json_integer(params->seed), "exclude_accused", params->exclude_accused);
    return json_pack("{s:o, s:I, s:I, s:o, s:o, s:o}", "chain_id", ledger_json_hash(&genesis->chain_id),
                     "quorum", (json_int_t)quorum_size(genesis->validator_count), "faults_max",
                     (json_int_t)quorum_faults_max(genesis->validator_count), "validators",
                     json_keys(genesis->validators, genesis->validator_count), "submitters",
                     json_keys(genesis->senders + genesis->validator_count,
                               genesis->sender_count - genesis->validator_count),
                     "params", rules);
}

json_t *ledger_json_header(const struct block_header *header) {
    struct hash id = block_id_of(header);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "height",
        ledger_json_integer(header->height), "block_id", ledger_json_hash(&id), "chain_id",
        ledger_json_hash(&header->chain_id), "prev_block_id", ledger_json_hash(&header->prev_block_id),
        "prev_cert_hash", ledger_json_hash(&header->prev_cert_hash), "txs_root",
        ledger_json_hash(&header->txs_root), "tx_count", (json_int_t)header->tx_count, "body_bytes",
        ledger_json_integer(header->body_bytes), "evidence_root", ledger_json_hash(&header->evidence_root),
        "state_root", ledger_json_hash(&header->state_root), "history_root",
        ledger_json_hash(&header->history_root), "validators_hash",
        ledger_json_hash(&header->validators_hash), "params_hash", ledger_json_hash(&header->params_hash),
        "proposer", (json_int_t)header->proposer, "time_ms", ledger_json_integer(header->time_ms));
}

json_t *ledger_json_certificate(const struct certificate *certificate) {
    json_t *signatures = json_array();
    uint32_t count = (uint32_t)__builtin_popcountll(certificate->bitmap);
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(signatures, ledger_json_hex(certificate->signatures[i].bytes, SIGNATURE_BYTES));
    return json_pack("{s:o, s:I, s:o, s:o, s:o}", "height", ledger_json_integer(certificate->height), "round",
                     (json_int_t)certificate->round, "block_id", ledger_json_hash(&certificate->block_id),
                     "validators", ledger_json_bits(certificate->bitmap), "signatures", signatures);
}

void ledger_json_print(json_t *json, bool one_line) {
    json_dumpf(json, stdout, (one_line ? JSON_COMPACT : JSON_INDENT(2)) | JSON_REAL_PRECISION(12));
    printf("\n");
    json_decref(json);
}
