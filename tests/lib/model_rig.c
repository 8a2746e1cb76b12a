#include "tests/lib/model_rig.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/proof.h"
#include "common/net/message_chain.h"

static void demand(bool holds) {
    if (!holds)
        abort();
}

void model_rig_open(struct model_rig *rig, const uint32_t *nodes, uint32_t node_count) {
    *rig = (struct model_rig){.included = 0};
    ledger_rig_open(&rig->ledger, &(struct ledger_rig_config){.validators = MODEL_RIG_VALIDATORS,
                                                              .edges = MODEL_RIG_EDGES});
    rig->sender_of_node = memory_grow(NULL, node_count, sizeof *rig->sender_of_node, "a rig");
    rig->keys = memory_grow(NULL, node_count, sizeof *rig->keys, "a rig");
    memset(rig->sender_of_node, 0xff, node_count * sizeof *rig->sender_of_node);
    for (uint32_t sender = 0; sender < MODEL_RIG_VALIDATORS + MODEL_RIG_EDGES; sender++) {
        rig->node_of_sender[sender] = nodes[sender];
        rig->sender_of_node[nodes[sender]] = sender;
        rig->keys[nodes[sender]] = rig->ledger.keys[sender];
    }
    rig->chain = (struct chain){.genesis = rig->ledger.genesis,
                                .senders = rig->ledger.senders,
                                .node_of_sender = rig->node_of_sender,
                                .sender_of_node = rig->sender_of_node,
                                .keys = rig->keys};
}

void model_rig_close(struct model_rig *rig) {
    ledger_rig_close(&rig->ledger);
    free(rig->sender_of_node);
    free(rig->keys);
}

static struct block_header header_at(const struct model_rig *rig, uint64_t height) {
    struct block_header header;
    const struct ledger_rig_block *block = &rig->ledger.blocks[height - 1];
    struct bytes_reader reader = bytes_reader_over(block->data, block->size);
    demand(block_header_decode(&reader, &header) == STATUS_OK);
    return header;
}

/* ---- messages ---- */

/* The registry after the tip, proven by one more block. */
static size_t prove_model(struct model_rig *rig, const struct hash *id, const uint8_t *blob,
                          uint8_t payload[MODEL_RIG_MESSAGE_MAX]) {
    struct ledger_state after;
    struct light_proof proof = {.kind = 0};
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX], encoded[MODEL_RIG_MESSAGE_MAX];
    demand(ledger_state_copy(&after, &rig->ledger.state) == STATUS_OK);
    ledger_rig_commit(&rig->ledger);
    uint64_t height = rig->ledger.block_count;
    proof.header = header_at(rig, height);
    proof.certificate = rig->ledger.blocks[height - 1].certificate;
    demand(light_proof_of_model(&proof, &after, id, leaf) == STATUS_OK);
    ledger_state_close(&after);
    struct bytes_writer writer = bytes_writer_over(encoded, sizeof encoded);
    light_proof_encode(&writer, &proof);
    demand(!writer.failed);
    struct message_model message = {.proof = encoded,
                                    .proof_bytes = (uint32_t)writer.used,
                                    .blob = blob,
                                    .blob_bytes = DIAGNOSIS_MODEL_BYTES};
    struct bytes_writer out = bytes_writer_over(payload, MODEL_RIG_MESSAGE_MAX);
    message_encode_model(&out, &message);
    demand(!out.failed);
    return out.used;
}

static size_t put_on_chain(struct model_rig *rig, struct transaction *tx, bool accepted, const uint8_t *blob,
                           uint8_t payload[MODEL_RIG_MESSAGE_MAX]) {
    struct hash id = ledger_rig_add(&rig->ledger, tx);
    ledger_rig_commit(&rig->ledger);
    rig->included = rig->ledger.block_count;
    if (accepted) {
        ledger_rig_attest_all(&rig->ledger, &id);
        ledger_rig_commit(&rig->ledger);
    }
    return prove_model(rig, &id, blob, payload);
}

size_t model_rig_add(struct model_rig *rig, const struct model_rig_model *model,
                     uint8_t payload[MODEL_RIG_MESSAGE_MAX]) {
    uint8_t blob[DIAGNOSIS_MODEL_BYTES];
    struct diagnosis_config config = diagnosis_config_default(30.0);
    struct diagnosis_model parameters = {.author = model->edge, .round = 1, .windows = 10};
    config.line_threshold = model->line_threshold;
    config.impulse_threshold = model->impulse_threshold;
    diagnosis_model_take(&parameters, &config);
    diagnosis_model_encode(&parameters, blob);
    struct transaction tx = ledger_rig_tx(&rig->ledger, TX_MODEL_UPDATE, MODEL_RIG_VALIDATORS + model->edge);
    tx.arch_id = model->arch;
    tx.sample_count = 10;
    tx.blob_hash = blob_hash(blob, sizeof blob);
    tx.blob_bytes = sizeof blob;
    tx.chunk_root = blob_chunk_root(blob, sizeof blob);
    demand(metric_to_q32(model->accuracy, &tx.metric_q32[METRIC_ACCURACY]));
    return put_on_chain(rig, &tx, model->accepted, blob, payload);
}

size_t model_rig_accept(struct model_rig *rig, const uint8_t *data, size_t bytes, const uint8_t *blob,
                        uint8_t payload[MODEL_RIG_MESSAGE_MAX]) {
    struct transaction tx;
    demand(transaction_decode(data, bytes, &tx) == STATUS_OK);
    return put_on_chain(rig, &tx, true, blob, payload);
}

size_t model_rig_inclusion(const struct model_rig *rig, uint8_t payload[MODEL_RIG_MESSAGE_MAX]) {
    const struct ledger_rig_block *kept = &rig->ledger.blocks[rig->included - 1];
    struct block block;
    struct light_proof proof = {.kind = 0};
    struct bytes_writer writer = bytes_writer_over(payload, MODEL_RIG_MESSAGE_MAX);
    demand(block_open(kept->data, kept->size, kept->size, &block) == STATUS_OK);
    demand(light_proof_of_transaction(&proof, &block, 0) == STATUS_OK);
    proof.certificate = kept->certificate;
    bytes_put_u8(&writer, MESSAGE_VERSION);
    light_proof_encode(&writer, &proof);
    demand(!writer.failed);
    block_close(&block);
    return writer.used;
}

size_t model_rig_proof_of(const uint8_t *model, size_t bytes, uint8_t payload[MODEL_RIG_MESSAGE_MAX]) {
    struct message_model message;
    struct bytes_writer writer = bytes_writer_over(payload, MODEL_RIG_MESSAGE_MAX);
    demand(message_decode_model(model, bytes, &message) == STATUS_OK);
    bytes_put_u8(&writer, MESSAGE_VERSION);
    bytes_put(&writer, message.proof, message.proof_bytes);
    demand(!writer.failed);
    return writer.used;
}
