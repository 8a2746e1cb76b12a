/* proof: the light client, step by step of specs/chain.md 1.11. */
#include "common/ledger/proof.h"

#include <inttypes.h>

void light_client_init(struct light_client *client, const struct genesis *genesis) {
    *client = (struct light_client){.genesis = genesis};
}

bool light_client_fresh(const struct light_client *client, uint64_t now_ms, uint64_t age_max_ms) {
    return client->height > 0 &&
           (client->newest.time_ms >= now_ms || now_ms - client->newest.time_ms <= age_max_ms);
}

/* Steps 1 and 2: the certificate is of this header, and under the pinned keys. */
static const char *object_to_certificate(const struct genesis *genesis, const struct block_header *header,
                                         const struct certificate *certificate) {
    if (!hash_equal(&header->chain_id, &genesis->chain_id))
        return "step 1: the header is of another chain";
    if (!hash_equal(&header->validators_hash, &genesis->validators_hash) ||
        !hash_equal(&header->params_hash, &genesis->params_hash))
        return "step 1: the header names other validators or rules than genesis";
    struct hash id = block_id_of(header);
    if (certificate->height != header->height || !hash_equal(&certificate->block_id, &id))
        return "step 2: the certificate is of another block";
    if (!certificate_valid(genesis, certificate))
        return "step 2: the certificate is not that of a quorum of the pinned validators";
    return NULL;
}

/* Step 3: what is certified may not contradict what was certified before. */
static const char *object_to_order(const struct light_client *client, const struct block_header *header) {
    const struct block_header *newest = &client->newest;
    if (client->height == 0)
        return NULL;
    if (header->height == newest->height) {
        struct hash known = block_id_of(newest), claimed = block_id_of(header);
        return hash_equal(&known, &claimed)
                   ? NULL
                   : "step 3: another block of this height was certified before: the chain has forked";
    }
    bool later = header->height > newest->height;
    return later == (header->time_ms > newest->time_ms)
               ? NULL
               : "step 3: its time contradicts that of the newest header known";
}

/* Step 4: the leaf below its root, and in its place. */
static const char *object_to_leaf(const struct light_proof *proof) {
    bool of_tx = proof->kind == PROOF_TRANSACTION;
    struct hash leaf = merkle_leaf(proof->leaf, proof->leaf_bytes);
    if (of_tx && proof->count != proof->header.tx_count)
        return "step 4: the proof counts other transactions than the header";
    if (proof->index >= proof->count)
        return "step 4: the leaf stands behind the last one";
    if (proof->length > MERKLE_PATH_MAX ||
        !merkle_inclusion_valid(of_tx ? &proof->header.txs_root : &proof->header.state_root, &leaf,
                                proof->index, proof->count, proof->path, proof->length))
        return "step 4: the path does not lead from the leaf to the root in the header";
    return NULL;
}

static const char *object_to_content(const struct light_client *client, const struct light_proof *proof) {
    struct transaction tx;
    struct ledger_model model;
    if (proof->kind == PROOF_MODEL)
        return ledger_model_decode(proof->leaf, proof->leaf_bytes, &model) == STATUS_OK
                   ? NULL
                   : "step 4: the leaf is no model";
    if (transaction_decode(proof->leaf, proof->leaf_bytes, &tx) != STATUS_OK ||
        !hash_equal(&tx.chain_id, &client->genesis->chain_id))
        return "step 4: the leaf is no transaction of this chain";
    return NULL;
}

static const char *object_to_proof(const struct light_client *client, const struct light_proof *proof) {
    if (proof->kind != PROOF_TRANSACTION && proof->kind != PROOF_MODEL)
        return "its kind is unknown";
    const char *objection = object_to_leaf(proof); /* cheaper than signatures: first */
    if (objection == NULL)
        objection = object_to_content(client, proof);
    if (objection == NULL)
        objection = object_to_certificate(client->genesis, &proof->header, &proof->certificate);
    return objection != NULL ? objection : object_to_order(client, &proof->header);
}

static void move(struct light_client *client, const struct block_header *header) {
    client->accepted++;
    if (header->height <= client->height)
        return;
    client->height = header->height;
    client->newest = *header;
}

static enum status refuse(struct light_client *client, const char *objection, uint64_t height,
                          struct error *why) {
    client->refused++;
    return error_set(why, STATUS_INVALID, "the proof of height %" PRIu64 " does not hold: %s", height,
                     objection);
}

enum status light_client_check(struct light_client *client, const struct light_proof *proof,
                               struct error *why) {
    const char *objection = object_to_proof(client, proof);
    if (objection != NULL)
        return refuse(client, objection, proof->header.height, why);
    move(client, &proof->header);
    return STATUS_OK;
}

/* Steps 5 and 6. */
static const char *object_to_model(const struct light_proof *proof, const uint8_t *blob, size_t blob_bytes,
                                   struct ledger_model *model) {
    if (proof->kind != PROOF_MODEL || ledger_model_decode(proof->leaf, proof->leaf_bytes, model) != STATUS_OK)
        return "it is no proof of a model";
    if (model->status != MODEL_ACCEPTED)
        return "step 6: the model is not accepted";
    struct hash hash = blob_hash(blob, blob_bytes);
    if (blob_bytes != model->blob_bytes || !hash_equal(&hash, &model->blob_hash))
        return "step 5: the bytes are not those of the model";
    return NULL;
}

enum status light_client_check_model(struct light_client *client, const struct light_proof *proof,
                                     const uint8_t *blob, size_t blob_bytes, struct ledger_model *model,
                                     struct error *why) {
    const char *objection = object_to_model(proof, blob, blob_bytes, model);
    if (objection != NULL)
        return refuse(client, objection, proof->header.height, why);
    return light_client_check(client, proof, why);
}

/* Trees over the ids below either header. */
static const char *object_to_history(const struct light_client *client, const struct block_header *header,
                                     const struct hash *path, uint32_t length) {
    if (header->height <= client->height)
        return "step 3: the header is not higher than the newest known";
    if (client->height <= 1)
        return length == 0 ? NULL : "step 3: a proof about nothing has a length";
    return length <= 2 * MERKLE_PATH_MAX &&
                   merkle_consistency_valid(&client->newest.history_root, client->height - 1,
                                            &header->history_root, header->height - 1, path, length)
               ? NULL
               : "step 3: the history of the newest header known is no prefix of its history";
}

enum status light_client_check_history(struct light_client *client, const struct block_header *header,
                                       const struct certificate *certificate, const struct hash *path,
                                       uint32_t length, struct error *why) {
    const char *objection = object_to_history(client, header, path, length);
    if (objection == NULL)
        objection = object_to_certificate(client->genesis, header, certificate);
    if (objection == NULL)
        objection = object_to_order(client, header);
    if (objection != NULL)
        return refuse(client, objection, header->height, why);
    move(client, header);
    return STATUS_OK;
}
