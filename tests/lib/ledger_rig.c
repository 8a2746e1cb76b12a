#include "tests/lib/ledger_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/genesis_file.h"

static void demand(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "ledger_rig: %s\n", what);
    abort();
}

struct chain_params ledger_rig_params(void) {
    return (struct chain_params){.block_txs_max = 1000,
                                 .block_bytes_max = 1u << 20,
                                 .blob_bytes_max = 1u << 20,
                                 .evidence_age = 10,
                                 .checkpoint_interval = 8,
                                 .models_kept = 2,
                                 .open_models_max = 4,
                                 .epsilon_q32 = INT64_C(1) << 22, /* about 0.001 */
                                 .block_rate_hz = 0,
                                 .seed = 1};
}

void ledger_rig_open(struct ledger_rig *rig, const struct ledger_rig_config *config) {
    *rig = (struct ledger_rig){0};
    struct genesis *genesis = &rig->genesis;
    genesis->validator_count = config->validators;
    genesis->sender_count = config->validators + config->edges;
    genesis->params = config->params == NULL ? ledger_rig_params() : *config->params;
    genesis->senders = rig->senders;
    demand(genesis->sender_count <= LEDGER_RIG_SENDERS_MAX, "too many senders");
    for (uint32_t i = 0; i < genesis->sender_count; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1), (uint8_t)(i >> 8)};
        signing_key_from_seed(seed, &rig->keys[i]);
        rig->senders[i] = rig->keys[i].public;
        if (i < config->validators)
            genesis->validators[i] = rig->keys[i].public;
    }
    genesis_seal(genesis);
    demand(ledger_state_init(&rig->state, genesis) == STATUS_OK, "no first state");
}

static void drop_pending(struct ledger_rig *rig) {
    for (uint32_t i = 0; i < rig->pending_count; i++)
        free((void *)(uintptr_t)rig->pending[i].data);
    rig->pending_count = 0;
}

void ledger_rig_close(struct ledger_rig *rig) {
    drop_pending(rig);
    free(rig->pending);
    for (uint64_t i = 0; i < rig->block_count; i++) {
        free(rig->blocks[i].data);
        free(rig->blocks[i].state);
    }
    free(rig->blocks);
    for (uint32_t i = 0; i < rig->blob_count; i++)
        free(rig->blobs[i].data);
    free(rig->blobs);
    ledger_state_close(&rig->state);
}

/* ---- transactions ---- */

struct transaction ledger_rig_tx(struct ledger_rig *rig, uint8_t type, uint32_t sender) {
    demand(sender < rig->genesis.sender_count, "no such sender");
    return (struct transaction){.type = type,
                                .chain_id = rig->genesis.chain_id,
                                .sender = sender,
                                .nonce = ++rig->nonces[sender],
                                .expiry_height = rig->block_count + 100};
}

struct hash ledger_rig_add(struct ledger_rig *rig, struct transaction *tx) {
    transaction_sign(&rig->keys[tx->sender], tx);
    size_t size = transaction_bytes(tx);
    uint8_t *data = memory_grow(NULL, size, 1, "a transaction");
    struct bytes_writer writer = bytes_writer_over(data, size);
    transaction_encode(&writer, tx);
    demand(!writer.failed && writer.used == size, "a transaction has another size than it says");
    rig->pending = memory_grow(rig->pending, rig->pending_count + 1u, sizeof *rig->pending, "transactions");
    rig->pending[rig->pending_count++] = (struct block_tx){.data = data, .bytes = (uint32_t)size};
    return transaction_id(data, size);
}

/* Bytes that no other blob has. */
static const struct ledger_rig_blob *add_blob(struct ledger_rig *rig) {
    rig->blobs = memory_grow(rig->blobs, rig->blob_count + 1u, sizeof *rig->blobs, "blobs");
    struct ledger_rig_blob *blob = &rig->blobs[rig->blob_count++];
    blob->size = 200 + (size_t)rig->blob_count;
    blob->data = memory_grow(NULL, blob->size, 1, "a blob");
    memset(blob->data, (int)(rig->blob_count & 0xff), blob->size);
    memcpy(blob->data, &rig->blob_count, sizeof rig->blob_count);
    blob->hash = blob_hash(blob->data, blob->size);
    return blob;
}

static int64_t q32(double value) {
    int64_t result;
    demand(metric_to_q32(value, &result), "a metric out of range");
    return result;
}

struct hash ledger_rig_model(struct ledger_rig *rig, uint32_t sender, uint32_t task, double metric) {
    struct transaction tx = ledger_rig_tx(rig, TX_MODEL_UPDATE, sender);
    const struct ledger_rig_blob *blob = add_blob(rig);
    tx.task_id = task;
    tx.blob_hash = blob->hash;
    tx.blob_bytes = blob->size;
    tx.chunk_root = blob_chunk_root(blob->data, blob->size);
    tx.sample_count = 100;
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        tx.metric_q32[i] = q32(metric);
    return ledger_rig_add(rig, &tx);
}

static struct hash add_attestation(struct ledger_rig *rig, uint32_t validator,
                                   const struct attestation *attestation) {
    uint8_t ext[ATTESTATION_BYTES];
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    struct transaction tx = ledger_rig_tx(rig, TX_METRIC_ATTEST, validator);
    attestation_encode(&writer, attestation);
    tx.ext = ext;
    tx.ext_bytes = (uint16_t)writer.used;
    return ledger_rig_add(rig, &tx);
}

struct hash ledger_rig_attest(struct ledger_rig *rig, uint32_t validator, const struct hash *model,
                              double metric) {
    struct attestation attestation = {.tx_id = *model, .verdict = 1};
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        attestation.metric_q32[i] = q32(metric);
    return add_attestation(rig, validator, &attestation);
}

void ledger_rig_attest_all(struct ledger_rig *rig, const struct hash *id) {
    const struct ledger_model *model = ledger_state_model(&rig->state, id);
    demand(model != NULL && model->status == MODEL_OPEN, "no open model to attest");
    struct attestation attestation = {.tx_id = *id, .verdict = 1};
    memcpy(attestation.metric_q32, model->claimed_q32, sizeof attestation.metric_q32);
    for (uint32_t validator = 0; validator < rig->genesis.validator_count; validator++)
        add_attestation(rig, validator, &attestation);
}

struct hash ledger_rig_records(struct ledger_rig *rig, uint32_t sender, uint16_t count) {
    enum { RECORD_BYTES = 8 };
    struct transaction tx = ledger_rig_tx(rig, TX_RECORDS, sender);
    size_t size = 4u + (size_t)count * RECORD_BYTES;
    uint8_t *ext = memory_grow(NULL, size, 1, "records");
    struct bytes_writer writer = bytes_writer_over(ext, size);
    bytes_put_u16(&writer, count);
    bytes_put_u16(&writer, RECORD_BYTES);
    for (uint32_t i = 0; i < count; i++)
        bytes_put_u64(&writer, i);
    tx.ext = ext;
    tx.ext_bytes = (uint16_t)size;
    rig->nonces[sender] += count - UINT64_C(1);
    struct hash id = ledger_rig_add(rig, &tx);
    free(ext);
    return id;
}

struct hash ledger_rig_evidence(struct ledger_rig *rig, uint32_t reporter, uint32_t accused, uint64_t height,
                                uint32_t round) {
    struct vote votes[2];
    uint8_t ext[EVIDENCE_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    struct transaction tx = ledger_rig_tx(rig, TX_EVIDENCE, reporter);
    for (uint32_t i = 0; i < 2; i++) {
        votes[i] = (struct vote){.type = VOTE_PREVOTE,
                                 .height = height,
                                 .round = round,
                                 .validator = (uint16_t)accused,
                                 .block_id = hash_of(NULL, &i, sizeof i)};
        vote_sign(&rig->genesis, &rig->keys[accused], &votes[i]);
    }
    struct evidence evidence = evidence_of_votes(&votes[0], &votes[1]);
    evidence_encode(&writer, &evidence);
    tx.ext = ext;
    tx.ext_bytes = (uint16_t)writer.used;
    return ledger_rig_add(rig, &tx);
}

/* ---- blocks ---- */

struct block_context ledger_rig_context(const struct ledger_rig *rig) {
    return (struct block_context){.genesis = &rig->genesis,
                                  .state = &rig->state,
                                  .tip = rig->block_count == 0 ? NULL : &rig->tip,
                                  .history_root = merkle_frontier_root(&rig->history)};
}

void ledger_rig_build(const struct ledger_rig *rig, struct block_header *header, uint8_t **data,
                      size_t *size) {
    const struct genesis *genesis = &rig->genesis;
    const struct ledger_rig_block *before = rig->block_count == 0 ? NULL : &rig->blocks[rig->block_count - 1];
    *header = (struct block_header){.chain_id = genesis->chain_id,
                                    .height = rig->block_count + 1,
                                    .prev_block_id = before == NULL ? (struct hash){{0}} : before->id,
                                    .state_root = ledger_state_root(&rig->state),
                                    .history_root = merkle_frontier_root(&rig->history),
                                    .validators_hash = genesis->validators_hash,
                                    .params_hash = genesis->params_hash,
                                    .proposer = (uint16_t)(rig->block_count % genesis->validator_count),
                                    .time_ms = 1000 + 10 * rig->block_count};
    demand(block_build(header, rig->pending, rig->pending_count, before == NULL ? NULL : &before->certificate,
                       data, size) == STATUS_OK,
           "no block");
}

struct certificate ledger_rig_certify(const struct ledger_rig *rig, uint64_t height, uint32_t round,
                                      const struct hash *block_id, uint64_t bitmap) {
    struct certificate certificate = {.chain_id = rig->genesis.chain_id,
                                      .height = height,
                                      .round = round,
                                      .block_id = *block_id,
                                      .bitmap = bitmap};
    uint32_t count = 0;
    for (uint16_t i = 0; i < VALIDATORS_MAX; i++) {
        if ((bitmap >> i & 1) == 0)
            continue;
        struct vote vote = {
            .type = VOTE_PRECOMMIT, .height = height, .round = round, .validator = i, .block_id = *block_id};
        demand(i < rig->genesis.validator_count, "a certificate of nobody");
        vote_sign(&rig->genesis, &rig->keys[i], &vote);
        certificate.signatures[count++] = vote.signature;
    }
    return certificate;
}

/* q validators, beginning with another one at each height. */
static uint64_t quorum_at(const struct ledger_rig *rig, uint64_t height) {
    uint32_t count = rig->genesis.validator_count;
    uint64_t bitmap = 0;
    for (uint32_t i = 0; i < quorum_size(count); i++)
        bitmap |= UINT64_C(1) << (height + i) % count;
    return bitmap;
}

static void keep(struct ledger_rig *rig, const struct ledger_rig_block *block) {
    rig->blocks = memory_grow(rig->blocks, rig->block_count + 1, sizeof *rig->blocks, "blocks");
    rig->blocks[rig->block_count] = *block;
    struct ledger_rig_block *kept = &rig->blocks[rig->block_count++];
    kept->state_bytes = ledger_state_bytes(&rig->state);
    kept->state = memory_grow(NULL, kept->state_bytes, 1, "a state");
    struct bytes_writer writer = bytes_writer_over(kept->state, kept->state_bytes);
    ledger_state_encode(&writer, &rig->state);
    demand(!writer.failed && writer.used == kept->state_bytes, "a state has another size than it says");
    struct hash leaf = merkle_leaf(block->id.bytes, HASH_BYTES);
    merkle_frontier_add(&rig->history, &leaf);
}

void ledger_rig_commit(struct ledger_rig *rig) {
    struct ledger_rig_block kept = {0};
    struct block_header header;
    struct block block;
    struct ledger_state next;
    struct error why = {0};
    struct block_context context = ledger_rig_context(rig);
    ledger_rig_build(rig, &header, &kept.data, &kept.size);
    demand(block_open(kept.data, kept.size, kept.size, &block) == STATUS_OK, "a block does not open");
    enum status status = block_valid_on(&context, &block, &next, &why);
    demand(status == STATUS_OK, why.text);
    block_close(&block);
    kept.id = block_id_of(&header);
    kept.certificate = ledger_rig_certify(rig, header.height, 0, &kept.id, quorum_at(rig, header.height));
    ledger_state_close(&rig->state);
    rig->state = next;
    rig->tip = header;
    keep(rig, &kept);
    drop_pending(rig);
}

/* ---- on disk ---- */

static struct ledger_commit commit_of(const struct ledger_rig_block *block, uint64_t height) {
    return (struct ledger_commit){.height = height,
                                  .block_id = block->id,
                                  .block = block->data,
                                  .block_bytes = block->size,
                                  .certificate = &block->certificate,
                                  .state = block->state,
                                  .state_bytes = block->state_bytes};
}

static void write_first(const struct ledger_rig *rig, struct ledger_store *store, uint64_t from) {
    struct ledger_commit commit = commit_of(&rig->blocks[from - 1], from);
    struct hash *ids = memory_grow(NULL, from, sizeof *ids, "ids of blocks");
    for (uint64_t i = 0; i + 1 < from; i++)
        ids[i] = rig->blocks[i].id;
    demand(ledger_store_adopt(store, &commit, ids) == STATUS_OK, ledger_store_reason(store));
    free(ids);
}

void ledger_rig_write(const struct ledger_rig *rig, const char *dir, uint64_t from, uint64_t to, bool blobs) {
    struct ledger_store_config config = {.dir = dir, .durability = DURABILITY_PROCESS};
    struct ledger_store *store = NULL;
    struct error error = {0};
    demand(to <= rig->block_count, "no such height");
    demand(genesis_write(dir, &rig->genesis, &error) == STATUS_OK, error.text);
    demand(ledger_store_open(&config, &store, &error) == STATUS_OK, error.text);
    for (uint32_t i = 0; blobs && i < rig->blob_count; i++)
        demand(ledger_store_put_blob(store, &rig->blobs[i].hash, rig->blobs[i].data, rig->blobs[i].size) ==
                   STATUS_OK,
               ledger_store_reason(store));
    if (from > 1)
        write_first(rig, store, from);
    for (uint64_t height = from > 1 ? from + 1 : 1; height <= to; height++) {
        struct ledger_commit commit = commit_of(&rig->blocks[height - 1], height);
        demand(ledger_store_commit(store, &commit) == STATUS_OK, ledger_store_reason(store));
    }
    ledger_store_close(store);
}
