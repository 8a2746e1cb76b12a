#include "common/ledger/transaction.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/fields.h"
#include "common/ledger/merkle.h"
#include "common/ledger/signature_cache.h"

#define Q32_ONE (INT64_C(1) << 32)

size_t transaction_bytes(const struct transaction *tx) {
    return TRANSACTION_BYTES_MIN + tx->ext_bytes;
}

static void encode_unsigned(struct bytes_writer *writer, const struct transaction *tx) {
    bytes_put_u16(writer, TRANSACTION_VERSION);
    bytes_put_u8(writer, tx->type);
    fields_put_hash(writer, &tx->chain_id);
    bytes_put_u32(writer, tx->sender);
    bytes_put_u64(writer, tx->nonce);
    bytes_put_u64(writer, tx->fl_round);
    bytes_put_u32(writer, tx->task_id);
    fields_put_hash(writer, &tx->parent_model);
    fields_put_hash(writer, &tx->blob_hash);
    bytes_put_u64(writer, tx->blob_bytes);
    fields_put_hash(writer, &tx->chunk_root);
    bytes_put_u32(writer, tx->arch_id);
    bytes_put_u8(writer, tx->dtype);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        bytes_put_i64(writer, tx->metric_q32[i]);
    bytes_put_u32(writer, tx->sample_count);
    fields_put_hash(writer, &tx->metric_input_hash);
    bytes_put_u64(writer, tx->expiry_height);
    bytes_put_u64(writer, tx->client_ms);
    bytes_put_u16(writer, tx->ext_bytes);
    bytes_put(writer, tx->ext, tx->ext_bytes);
}

void transaction_encode(struct bytes_writer *writer, const struct transaction *tx) {
    encode_unsigned(writer, tx);
    fields_put_signature(writer, &tx->signature);
}

enum status transaction_decode(const uint8_t *data, size_t size, struct transaction *tx) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    uint16_t version = bytes_get_u16(&reader);
    *tx = (struct transaction){.type = bytes_get_u8(&reader)};
    tx->chain_id = fields_get_hash(&reader);
    tx->sender = bytes_get_u32(&reader);
    tx->nonce = bytes_get_u64(&reader);
    tx->fl_round = bytes_get_u64(&reader);
    tx->task_id = bytes_get_u32(&reader);
    tx->parent_model = fields_get_hash(&reader);
    tx->blob_hash = fields_get_hash(&reader);
    tx->blob_bytes = bytes_get_u64(&reader);
    tx->chunk_root = fields_get_hash(&reader);
    tx->arch_id = bytes_get_u32(&reader);
    tx->dtype = bytes_get_u8(&reader);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        tx->metric_q32[i] = bytes_get_i64(&reader);
    tx->sample_count = bytes_get_u32(&reader);
    tx->metric_input_hash = fields_get_hash(&reader);
    tx->expiry_height = bytes_get_u64(&reader);
    tx->client_ms = bytes_get_u64(&reader);
    tx->ext_bytes = bytes_get_u16(&reader);
    tx->ext = bytes_get(&reader, tx->ext_bytes);
    tx->signature = fields_get_signature(&reader);
    bool known = tx->type >= TX_MODEL_UPDATE && tx->type <= TX_RECORDS;
    return bytes_done(&reader) && version == TRANSACTION_VERSION && known ? STATUS_OK : STATUS_INVALID;
}

struct hash transaction_id(const uint8_t *data, size_t size) {
    return hash_of(NULL, data, size);
}

uint32_t transaction_weight(const struct transaction *tx) {
    struct records records;
    if (tx->type == TX_RECORDS && records_decode(tx->ext, tx->ext_bytes, &records) == STATUS_OK)
        return records.count;
    return 1;
}

void transaction_sign(const struct signing_key *key, struct transaction *tx) {
    size_t bytes = transaction_bytes(tx) - SIGNATURE_BYTES;
    uint8_t *data = memory_grow(NULL, bytes, 1, "a transaction");
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    encode_unsigned(&writer, tx);
    assert(!writer.failed && writer.used == bytes);
    tx->signature = signature_make(key, data, bytes);
    free(data);
}

/* A model comes from a submitter, carries a blob and says what it was measured on. */
static bool model_update_formed(const struct genesis *genesis, const struct transaction *tx) {
    return tx->sender >= genesis->validator_count && tx->blob_bytes > 0 &&
           tx->blob_bytes <= genesis->params.blob_bytes_max && tx->sample_count > 0 &&
           tx->metric_q32[METRIC_ACCURACY] >= 0 && tx->metric_q32[METRIC_ACCURACY] <= Q32_ONE;
}

static bool content_formed(const struct genesis *genesis, const struct transaction *tx) {
    struct attestation attestation;
    struct records records;
    if (tx->type == TX_MODEL_UPDATE)
        return model_update_formed(genesis, tx);
    if (tx->blob_bytes != 0 || !hash_is_zero(&tx->blob_hash) || !hash_is_zero(&tx->chunk_root))
        return false;
    switch ((enum transaction_type)tx->type) {
    case TX_METRIC_ATTEST:
        return tx->sender < genesis->validator_count &&
               attestation_decode(tx->ext, tx->ext_bytes, &attestation) == STATUS_OK;
    case TX_EVIDENCE: /* what it holds is looked at with the state: ledger_state_check */
        return tx->sender < genesis->validator_count;
    case TX_RECORDS:
        return records_decode(tx->ext, tx->ext_bytes, &records) == STATUS_OK &&
               records.count <= genesis->params.block_txs_max;
    case TX_MODEL_UPDATE:
        break;
    }
    return false;
}

enum status transaction_check(const struct genesis *genesis, const struct transaction *tx,
                              const uint8_t *data, size_t size) {
    assert(size == transaction_bytes(tx));
    bool formed = hash_equal(&tx->chain_id, &genesis->chain_id) && tx->sender < genesis->sender_count &&
                  tx->nonce > 0 && content_formed(genesis, tx) &&
                  tx->nonce <= UINT64_MAX - transaction_weight(tx);
    if (!formed || !genesis_signature_valid(genesis, &tx->signature, &genesis->senders[tx->sender], data,
                                            size - SIGNATURE_BYTES))
        return STATUS_INVALID;
    return STATUS_OK;
}

void attestation_encode(struct bytes_writer *writer, const struct attestation *attestation) {
    fields_put_hash(writer, &attestation->tx_id);
    bytes_put_u8(writer, attestation->verdict);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        bytes_put_i64(writer, attestation->metric_q32[i]);
    fields_put_hash(writer, &attestation->tool_hash);
}

enum status attestation_decode(const uint8_t *data, size_t size, struct attestation *attestation) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    bool any = false;
    attestation->tx_id = fields_get_hash(&reader);
    attestation->verdict = bytes_get_u8(&reader);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        attestation->metric_q32[i] = bytes_get_i64(&reader);
        any = any || attestation->metric_q32[i] != 0;
    }
    attestation->tool_hash = fields_get_hash(&reader);
    bool formed = attestation->verdict == 1 || (attestation->verdict == 0 && !any);
    return bytes_done(&reader) && formed ? STATUS_OK : STATUS_INVALID;
}

enum status records_decode(const uint8_t *data, size_t size, struct records *records) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    records->count = bytes_get_u16(&reader);
    records->record_bytes = bytes_get_u16(&reader);
    records->data = bytes_get(&reader, (size_t)records->count * records->record_bytes);
    bool formed = records->count > 0 && records->record_bytes > 0;
    return bytes_done(&reader) && formed ? STATUS_OK : STATUS_INVALID;
}

struct hash blob_hash(const void *data, size_t size) {
    return hash_of("blob", data, size);
}

struct hash blob_chunk_root(const uint8_t *data, size_t size) {
    struct merkle_frontier frontier = {0};
    for (size_t at = 0; at < size; at += CHUNK_BYTES) {
        size_t left = size - at;
        struct hash leaf = merkle_leaf(data + at, left < CHUNK_BYTES ? left : CHUNK_BYTES);
        merkle_frontier_add(&frontier, &leaf);
    }
    return merkle_frontier_root(&frontier);
}

/* Scaling by a power of two is exact, so that this rounds once. */
bool metric_to_q32(double value, int64_t *q32) {
    double scaled = nearbyint(value * (double)Q32_ONE);
    static const double two_to_63 = 9223372036854775808.0;
    if (!(scaled >= -two_to_63 && scaled < two_to_63)) /* NaN too */
        return false;
    *q32 = (int64_t)scaled;
    return true;
}

double metric_from_q32(int64_t q32) {
    return (double)q32 / (double)Q32_ONE;
}
