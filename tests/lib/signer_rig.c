#include "tests/lib/signer_rig.h"

#include <assert.h>
#include <stdlib.h>

void signer_rig_open(struct signer_rig *rig, uint32_t validators, uint32_t submitters) {
    assert(validators <= VALIDATORS_MAX && validators + submitters <= SIGNER_RIG_SENDERS);
    *rig = (struct signer_rig){.genesis = {.validator_count = validators,
                                           .sender_count = validators + submitters,
                                           .senders = rig->senders,
                                           .params = {.block_txs_max = 1000,
                                                      .block_bytes_max = 4u << 20,
                                                      .blob_bytes_max = 4u << 20,
                                                      .evidence_age = 100,
                                                      .checkpoint_interval = 10,
                                                      .models_kept = 2,
                                                      .open_models_max = 16,
                                                      .epsilon_q32 = INT64_C(1) << 28,
                                                      .seed = 7}}};
    for (uint32_t i = 0; i < validators + submitters; i++) {
        uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
        signing_key_from_seed(seed, &rig->keys[i]);
        rig->senders[i] = rig->keys[i].public;
        if (i < validators)
            rig->genesis.validators[i] = rig->keys[i].public;
    }
    genesis_seal(&rig->genesis);
}

struct hash signer_rig_hash(uint64_t number) {
    return hash_of("test", &number, sizeof number);
}

struct vote signer_rig_vote(const struct signer_rig *rig, enum vote_type type, uint16_t validator,
                            uint64_t height, const struct hash *block_id) {
    struct vote vote = {.type = type, .height = height, .validator = validator, .block_id = *block_id};
    vote_sign(&rig->genesis, &rig->keys[validator], &vote);
    return vote;
}

struct certificate signer_rig_certificate(const struct signer_rig *rig, uint64_t height,
                                          const struct hash *block_id, uint64_t bitmap) {
    struct certificate certificate = {
        .chain_id = rig->genesis.chain_id, .height = height, .block_id = *block_id, .bitmap = bitmap};
    uint32_t count = 0;
    for (uint16_t i = 0; i < VALIDATORS_MAX; i++)
        if (bitmap >> i & 1)
            certificate.signatures[count++] =
                signer_rig_vote(rig, VOTE_PRECOMMIT, i, height, block_id).signature;
    return certificate;
}

struct proposal signer_rig_proposal(const struct signer_rig *rig, uint16_t proposer, uint64_t height,
                                    const struct hash *block_id) {
    struct proposal proposal = {.height = height,
                                .valid_round = -1,
                                .proposer = proposer,
                                .block_id = *block_id,
                                .parts_root = signer_rig_hash(1000),
                                .part_count = 2,
                                .block_bytes = 100000};
    proposal_sign(&rig->genesis, &rig->keys[proposer], &proposal);
    return proposal;
}

struct transaction signer_rig_model(const struct signer_rig *rig, uint32_t sender, uint64_t nonce,
                                    const uint8_t *blob, size_t blob_bytes) {
    struct transaction tx = {.type = TX_MODEL_UPDATE,
                             .chain_id = rig->genesis.chain_id,
                             .sender = sender,
                             .nonce = nonce,
                             .fl_round = 3,
                             .task_id = 1,
                             .parent_model = signer_rig_hash(2000),
                             .blob_hash = blob_hash(blob, blob_bytes),
                             .blob_bytes = blob_bytes,
                             .chunk_root = blob_chunk_root(blob, blob_bytes),
                             .arch_id = 5,
                             .dtype = 1,
                             .metric_q32 = {-1, 2, 3, INT64_C(1) << 31},
                             .sample_count = 64,
                             .metric_input_hash = signer_rig_hash(3000),
                             .expiry_height = 1000000,
                             .client_ms = 12};
    transaction_sign(&rig->keys[sender], &tx);
    return tx;
}

struct transaction signer_rig_records(const struct signer_rig *rig, uint32_t sender, uint64_t nonce,
                                      uint16_t records, uint8_t *ext) {
    struct bytes_writer writer = bytes_writer_over(ext, 4 + 4 * (size_t)records);
    bytes_put_u16(&writer, records);
    bytes_put_u16(&writer, 4);
    for (uint32_t i = 0; i < records; i++)
        bytes_put_u32(&writer, i);
    struct transaction tx = {.type = TX_RECORDS,
                             .chain_id = rig->genesis.chain_id,
                             .sender = sender,
                             .nonce = nonce,
                             .expiry_height = 1000000,
                             .ext_bytes = (uint16_t)writer.used,
                             .ext = ext};
    transaction_sign(&rig->keys[sender], &tx);
    return tx;
}

struct block_tx signer_rig_encode(const struct transaction *tx) {
    size_t bytes = transaction_bytes(tx);
    uint8_t *data = malloc(bytes);
    assert(data != NULL);
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    transaction_encode(&writer, tx);
    assert(!writer.failed && writer.used == bytes);
    return (struct block_tx){.data = data, .bytes = (uint32_t)bytes};
}
