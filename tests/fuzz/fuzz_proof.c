/* Fuzzes light proofs. First byte even: the rest is a proof. Odd: the rest edits a true proof of a model,
 * three bytes each: where (two), what; a lone byte at the end cuts it short. Whatever decodes is encoded
 * again to the same bytes; the client takes the true proof and, whatever the edits, no other content. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/ledger/proof.h"
#include "tests/fuzz/edits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALIDATORS 4u

struct truth {
    struct genesis genesis;
    struct public_key senders[VALIDATORS];
    struct signing_key keys[VALIDATORS];
    uint8_t proof[4096];
    size_t bytes;
};

static void make_genesis(struct truth *truth) {
    struct genesis *genesis = &truth->genesis;
    *genesis =
        (struct genesis){.validator_count = VALIDATORS,
                         .sender_count = VALIDATORS,
                         .senders = truth->senders,
                         .params = {.block_txs_max = 10, .block_bytes_max = 1000, .checkpoint_interval = 1}};
    for (uint8_t i = 0; i < VALIDATORS; i++) {
        uint8_t seed[32] = {i};
        signing_key_from_seed(seed, &truth->keys[i]);
        truth->senders[i] = genesis->validators[i] = truth->keys[i].public;
    }
    genesis_seal(genesis);
}

static void certify(const struct truth *truth, struct light_proof *proof) {
    struct certificate *certificate = &proof->certificate;
    *certificate = (struct certificate){.chain_id = truth->genesis.chain_id,
                                        .height = proof->header.height,
                                        .block_id = block_id_of(&proof->header),
                                        .bitmap = 0x7};
    for (uint16_t i = 0; i < 3; i++) {
        struct vote vote = {.type = VOTE_PRECOMMIT,
                            .height = certificate->height,
                            .validator = i,
                            .block_id = certificate->block_id};
        vote_sign(&truth->genesis, &truth->keys[i], &vote);
        certificate->signatures[i] = vote.signature;
    }
}

/* A model in the state after height 1, under a certified header of height 2. */
static void make_proof(struct truth *truth) {
    struct ledger_state state;
    struct transaction tx = {.type = TX_MODEL_UPDATE, .sender = 3, .nonce = 1, .task_id = 2};
    struct hash id = hash_of("model", NULL, 0);
    struct light_proof proof = {0};
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    make_genesis(truth);
    demand(ledger_state_init(&state, &truth->genesis) == STATUS_OK);
    demand(ledger_state_apply_tx(&state, &tx, &id, 1) == STATUS_OK);
    ledger_state_end_block(&state, 1);
    proof.header = (struct block_header){.chain_id = truth->genesis.chain_id,
                                         .height = 2,
                                         .state_root = ledger_state_root(&state),
                                         .validators_hash = truth->genesis.validators_hash,
                                         .params_hash = truth->genesis.params_hash};
    certify(truth, &proof);
    demand(light_proof_of_model(&proof, &state, &id, leaf) == STATUS_OK);
    struct bytes_writer writer = bytes_writer_over(truth->proof, sizeof truth->proof);
    light_proof_encode(&writer, &proof);
    demand(!writer.failed && writer.used == light_proof_bytes(&proof));
    truth->bytes = writer.used;
    ledger_state_close(&state);
}

static void check_again(const struct light_proof *proof, const uint8_t *data, size_t size) {
    uint8_t *again = malloc(size);
    demand(again != NULL && light_proof_bytes(proof) == size);
    struct bytes_writer writer = bytes_writer_over(again, size);
    light_proof_encode(&writer, proof);
    demand(!writer.failed && writer.used == size && memcmp(again, data, size) == 0);
    free(again);
}

/* All but where in the tree the model stands: a header does not commit to how many models there are. */
static void demand_same_content(const struct truth *truth, const struct light_proof *proof) {
    struct bytes_reader reader = bytes_reader_over(truth->proof, truth->bytes);
    struct light_proof true_proof;
    demand(light_proof_decode(&reader, &true_proof) == STATUS_OK);
    struct hash id = block_id_of(&proof->header), true_id = block_id_of(&true_proof.header);
    struct hash certificate = certificate_hash(&proof->certificate);
    struct hash true_certificate = certificate_hash(&true_proof.certificate);
    demand(hash_equal(&id, &true_id) && hash_equal(&certificate, &true_certificate));
    demand(proof->leaf_bytes == true_proof.leaf_bytes &&
           memcmp(proof->leaf, true_proof.leaf, proof->leaf_bytes) == 0);
}

static void check(const struct truth *truth, const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct light_client client;
    struct light_proof proof;
    struct ledger_model model;
    struct error why;
    if (light_proof_decode(&reader, &proof) != STATUS_OK || !bytes_done(&reader))
        return;
    check_again(&proof, data, size);
    light_client_init(&client, &truth->genesis);
    enum status status = light_client_check(&client, &proof, &why);
    if (size == truth->bytes && memcmp(data, truth->proof, size) == 0)
        demand(status == STATUS_OK);
    else if (status == STATUS_OK)
        demand_same_content(truth, &proof);
    demand(light_client_check_model(&client, &proof, data, size, &model, &why) != STATUS_OK);
    light_client_check_history(&client, &proof.header, &proof.certificate, proof.path, proof.length, &why);
}

static void check_edited(const struct truth *truth, const uint8_t *edits, size_t count) {
    uint8_t proof[sizeof truth->proof];
    memcpy(proof, truth->proof, truth->bytes);
    check(truth, proof, fuzz_edit(proof, truth->bytes, edits, count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct truth truth;
    if (truth.bytes == 0)
        make_proof(&truth);
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        check(&truth, data + 1, size - 1);
    else
        check_edited(&truth, data + 1, size - 1);
    return 0;
}
