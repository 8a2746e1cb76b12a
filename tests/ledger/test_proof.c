/* Goal: a light client that knows nothing but genesis takes what was certified and nothing else: the seven
 * steps of chain.md 1.11 and the mistakes that other light clients made.
 * Method: proofs of transactions and models of a chain of ledger_rig; each attack changes one thing, and the
 * sentence must name the step that stops it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/ledger/proof.h"
#include "tests/lib/ledger_rig.h"

#define EDGE 4u
#define HEIGHT_OF_TXS 3u /* this block holds three transactions */

struct fixture {
    struct ledger_rig rig;
    struct hash model; /* accepted at height 2 */
    struct block block;
    struct light_proof proof; /* of the transaction with index 1 */
    struct light_client client;
    struct error why;
};

static int open_fixture(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    struct ledger_rig *rig = &fixture->rig;
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    fixture->model = ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    ledger_rig_attest_all(rig, &fixture->model);
    ledger_rig_commit(rig);
    for (uint16_t i = 1; i <= 3; i++)
        ledger_rig_records(rig, EDGE, i);
    ledger_rig_commit(rig);
    ledger_rig_model(rig, EDGE, 1, 0.25);
    for (uint32_t i = 0; i < 4; i++)
        ledger_rig_commit(rig);
    const struct ledger_rig_block *of = &rig->blocks[HEIGHT_OF_TXS - 1];
    assert_int_equal(block_open(of->data, of->size, of->size, &fixture->block), STATUS_OK);
    fixture->proof.certificate = of->certificate;
    assert_int_equal(light_proof_of_transaction(&fixture->proof, &fixture->block, 1), STATUS_OK);
    light_client_init(&fixture->client, &rig->genesis);
    *state = fixture;
    return 0;
}

static int close_fixture(void **state) {
    struct fixture *fixture = *state;
    block_close(&fixture->block);
    ledger_rig_close(&fixture->rig);
    free(fixture);
    return 0;
}

static struct block_header header_at(const struct fixture *fixture, uint64_t height) {
    struct block_header header;
    const struct ledger_rig_block *block = &fixture->rig.blocks[height - 1];
    struct bytes_reader reader = bytes_reader_over(block->data, block->size);
    assert_int_equal(block_header_decode(&reader, &header), STATUS_OK);
    return header;
}

static struct certificate certificate_at(const struct fixture *fixture, uint64_t height) {
    return fixture->rig.blocks[height - 1].certificate;
}

static void assert_taken(struct fixture *fixture) {
    enum status status = light_client_check(&fixture->client, &fixture->proof, &fixture->why);
    if (status != STATUS_OK)
        fail_msg("%s", fixture->why.text);
}

/* Refused with `step` in the sentence, and the client has not moved. */
static void assert_refused(struct fixture *fixture, const char *step) {
    struct light_client before = fixture->client;
    fixture->why.text[0] = '\0';
    assert_int_equal(light_client_check(&fixture->client, &fixture->proof, &fixture->why), STATUS_INVALID);
    if (strstr(fixture->why.text, step) == NULL)
        fail_msg("'%s' does not speak of '%s'", fixture->why.text, step);
    assert_int_equal(fixture->client.height, before.height);
    assert_int_equal(fixture->client.refused, before.refused + 1);
    assert_int_equal(fixture->client.accepted, before.accepted);
}

/* ---- what holds ---- */

static void a_true_proof_of_each_transaction_is_taken(void **state) {
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(light_proof_of_transaction(&fixture->proof, &fixture->block, i), STATUS_OK);
        assert_taken(fixture);
    }
    assert_int_equal(light_proof_of_transaction(&fixture->proof, &fixture->block, 3), STATUS_INVALID);
    assert_int_equal(fixture->client.height, HEIGHT_OF_TXS);
    assert_int_equal(fixture->client.accepted, 3);
}

static void any_quorum_will_do_and_more_too(void **state) {
    struct fixture *fixture = *state;
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id;
    static const uint64_t sets[] = {0x7, 0xb, 0xd, 0xe, 0xf};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        fixture->proof.certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 9, id, sets[i]);
        assert_taken(fixture);
    }
}

static void a_proof_survives_its_encoding_and_nothing_shorter_does(void **state) {
    struct fixture *fixture = *state;
    size_t bytes = light_proof_bytes(&fixture->proof);
    uint8_t *data = malloc(bytes);
    assert_non_null(data);
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    light_proof_encode(&writer, &fixture->proof);
    assert_true(!writer.failed && writer.used == bytes && bytes <= LIGHT_PROOF_BYTES_MAX);
    struct bytes_reader reader = bytes_reader_over(data, bytes);
    assert_int_equal(light_proof_decode(&reader, &fixture->proof), STATUS_OK);
    assert_true(bytes_done(&reader));
    assert_taken(fixture);
    for (size_t i = 0; i < bytes; i++) {
        struct light_proof cut;
        struct bytes_reader shorter = bytes_reader_over(data, i);
        assert_int_equal(light_proof_decode(&shorter, &cut), STATUS_INVALID);
    }
    free(data);
}

static void every_changed_byte_of_a_proof_is_refused(void **state) {
    struct fixture *fixture = *state;
    size_t bytes = light_proof_bytes(&fixture->proof);
    uint8_t *data = malloc(bytes);
    assert_non_null(data);
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    light_proof_encode(&writer, &fixture->proof);
    for (size_t i = 0; i < bytes; i++) {
        struct light_proof changed;
        struct light_client client;
        struct bytes_reader reader = bytes_reader_over(data, bytes);
        light_client_init(&client, &fixture->rig.genesis);
        data[i] ^= 0x10;
        if (light_proof_decode(&reader, &changed) == STATUS_OK && bytes_done(&reader))
            assert_int_equal(light_client_check(&client, &changed, NULL), STATUS_INVALID);
        data[i] ^= 0x10;
    }
    free(data);
}

/* ---- certificates ---- */

static void precommits_for_nil_do_not_count(void **state) {
    struct fixture *fixture = *state;
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id, nil = {{0}};
    struct certificate *certificate = &fixture->proof.certificate;
    struct certificate of_nil = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, &nil, 0x7);
    *certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, id, 0x7);
    assert_taken(fixture);
    certificate->signatures[2] = of_nil.signatures[2];
    assert_refused(fixture, "step 2");
    *certificate = of_nil; /* all of them for nil, said to be of nil */
    assert_refused(fixture, "step 2");
    certificate->block_id = *id;
    assert_refused(fixture, "step 2");
}

static void one_validator_many_times_is_one(void **state) {
    struct fixture *fixture = *state;
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id;
    struct certificate *certificate = &fixture->proof.certificate;
    *certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, id, 0x1);
    assert_refused(fixture, "step 2"); /* one alone */
    certificate->bitmap = 0x7;
    certificate->signatures[1] = certificate->signatures[2] = certificate->signatures[0];
    assert_refused(fixture, "step 2");
}

static void an_empty_commit_proves_nothing(void **state) {
    struct fixture *fixture = *state;
    fixture->proof.certificate.bitmap = 0;
    assert_refused(fixture, "step 2");
}

static void less_than_a_quorum_proves_nothing(void **state) {
    struct fixture *fixture = *state;
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id;
    fixture->proof.certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, id, 0x6);
    assert_refused(fixture, "step 2");
}

static void a_vote_of_one_validator_cannot_be_claimed_for_another(void **state) {
    struct fixture *fixture = *state;
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id;
    fixture->proof.certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, id, 0x7);
    fixture->proof.certificate.bitmap = 0xb; /* that of 2 said to be of 3 */
    assert_refused(fixture, "step 2");
}

static void signers_outside_of_the_pinned_set_do_not_count(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig *other = calloc(1, sizeof *other);
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id;
    assert_non_null(other);
    ledger_rig_open(other, &(struct ledger_rig_config){.validators = 8, .edges = 0});
    other->genesis.chain_id = fixture->rig.genesis.chain_id;
    fixture->proof.certificate = ledger_rig_certify(other, HEIGHT_OF_TXS, 0, id, 0xf0);
    assert_refused(fixture, "step 2");
    fixture->proof.certificate.bitmap = 0xf; /* keys of 4 .. 7 under the names of 0 .. 3 */
    assert_refused(fixture, "step 2");
    ledger_rig_close(other);
    free(other);
}

static void prevotes_and_votes_of_another_height_or_round_are_no_certificate(void **state) {
    struct fixture *fixture = *state;
    const struct hash *id = &fixture->rig.blocks[HEIGHT_OF_TXS - 1].id;
    struct certificate *certificate = &fixture->proof.certificate;
    *certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, id, 0x7);
    certificate->round = 1;
    assert_refused(fixture, "step 2");
    *certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS + 1, 0, id, 0x7);
    assert_refused(fixture, "step 2");
    certificate->height = HEIGHT_OF_TXS;
    assert_refused(fixture, "step 2");
    *certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, id, 0x7);
    for (uint16_t i = 0; i < 3; i++) {
        struct vote vote = {.type = VOTE_PREVOTE, .height = HEIGHT_OF_TXS, .validator = i, .block_id = *id};
        vote_sign(&fixture->rig.genesis, &fixture->rig.keys[i], &vote);
        certificate->signatures[i] = vote.signature;
    }
    assert_refused(fixture, "step 2");
}

static void the_certificate_of_another_block_proves_nothing(void **state) {
    struct fixture *fixture = *state;
    fixture->proof.certificate = certificate_at(fixture, HEIGHT_OF_TXS + 1);
    assert_refused(fixture, "step 2");
}

/* ---- header ---- */

static void another_chain_is_refused_even_with_the_same_keys(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig *other = calloc(1, sizeof *other);
    struct chain_params params = ledger_rig_params();
    struct block block;
    assert_non_null(other);
    params.seed++;
    ledger_rig_open(other, &(struct ledger_rig_config){4, 2, &params});
    ledger_rig_records(other, EDGE, 2);
    ledger_rig_commit(other);
    assert_int_equal(block_open(other->blocks[0].data, other->blocks[0].size, 1u << 20, &block), STATUS_OK);
    fixture->proof.certificate = other->blocks[0].certificate;
    assert_int_equal(light_proof_of_transaction(&fixture->proof, &block, 0), STATUS_OK);
    assert_refused(fixture, "chain");
    light_client_init(&fixture->client, &other->genesis);
    assert_taken(fixture);
    block_close(&block);
    ledger_rig_close(other);
    free(other);
}

static void a_changed_header_has_no_certificate(void **state) {
    struct fixture *fixture = *state;
    fixture->proof.header.time_ms++;
    assert_refused(fixture, "step 2");
}

static void a_header_that_names_other_validators_is_refused(void **state) {
    struct fixture *fixture = *state;
    fixture->proof.header.validators_hash.bytes[0] ^= 1;
    assert_refused(fixture, "step 1");
}

/* Signed by everybody, as if there had been one. */
static void a_header_of_another_chain_under_this_one_is_refused(void **state) {
    struct fixture *fixture = *state;
    fixture->proof.header.chain_id.bytes[0] ^= 1;
    struct hash id = block_id_of(&fixture->proof.header);
    fixture->proof.certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, &id, 0xf);
    assert_refused(fixture, "step 1");
}

static void an_older_header_is_taken_and_does_not_move_the_client_back(void **state) {
    struct fixture *fixture = *state;
    struct light_proof proof = fixture->proof;
    const struct ledger_rig_block *first = &fixture->rig.blocks[0];
    struct block block;
    assert_taken(fixture);
    assert_int_equal(block_open(first->data, first->size, first->size, &block), STATUS_OK);
    fixture->proof.certificate = first->certificate;
    assert_int_equal(light_proof_of_transaction(&fixture->proof, &block, 0), STATUS_OK);
    assert_taken(fixture);
    assert_int_equal(fixture->client.height, HEIGHT_OF_TXS);
    assert_int_equal(fixture->client.newest.height, HEIGHT_OF_TXS);
    block_close(&block);
    fixture->proof = proof;
}

/* What more than f liars could sign: a second block at a height, or a later one of an earlier time. */
static void a_fork_or_a_time_that_runs_back_is_seen(void **state) {
    struct fixture *fixture = *state;
    struct light_proof *proof = &fixture->proof;
    assert_taken(fixture);
    proof->header.proposer ^= 1;
    struct hash id = block_id_of(&proof->header);
    proof->certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS, 0, &id, 0xf);
    assert_refused(fixture, "forked");
    proof->header.height++;
    id = block_id_of(&proof->header);
    proof->certificate = ledger_rig_certify(&fixture->rig, HEIGHT_OF_TXS + 1, 0, &id, 0xf);
    assert_refused(fixture, "time");
}

/* ---- inclusion ---- */

static void a_wrong_index_or_count_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct light_proof *proof = &fixture->proof;
    proof->index = 0;
    assert_refused(fixture, "step 4");
    proof->index = 2;
    assert_refused(fixture, "step 4");
    proof->index = proof->header.tx_count;
    assert_refused(fixture, "step 4");
    proof->index = UINT64_MAX;
    assert_refused(fixture, "step 4");
    proof->index = 1; /* the same path leads up in a tree of four */
    proof->count = 4;
    assert_refused(fixture, "step 4");
    proof->index = 5; /* behind the last one, in a tree said to be larger */
    proof->count = 8;
    assert_refused(fixture, "step 4");
}

static void a_path_that_is_shorter_longer_or_changed_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct light_proof *proof = &fixture->proof;
    assert_int_equal(proof->length, 2);
    proof->length = 1;
    assert_refused(fixture, "step 4");
    proof->length = 0;
    assert_refused(fixture, "step 4");
    proof->length = 3;
    assert_refused(fixture, "step 4");
    proof->length = MERKLE_PATH_MAX + 1;
    assert_refused(fixture, "step 4");
    proof->length = 2;
    proof->path[1].bytes[0] ^= 1;
    assert_refused(fixture, "step 4");
}

static void an_inner_node_is_no_leaf(void **state) {
    struct fixture *fixture = *state;
    struct light_proof *proof = &fixture->proof;
    struct hash leaves[3];
    uint8_t node[2 * HASH_BYTES];
    block_tx_leaves(&fixture->block, leaves);
    memcpy(node, &leaves[0], HASH_BYTES);
    memcpy(node + HASH_BYTES, &leaves[1], HASH_BYTES);
    proof->leaf = node;
    proof->leaf_bytes = sizeof node;
    proof->length = 1;
    proof->index = 0;
    proof->path[0] = leaves[2];
    assert_refused(fixture, "step 4");
}

static void an_unknown_kind_and_a_kind_taken_for_the_other_are_refused(void **state) {
    struct fixture *fixture = *state;
    fixture->proof.kind = PROOF_MODEL;
    assert_refused(fixture, "step 4");
    fixture->proof.kind = 3;
    assert_refused(fixture, "kind");
}

/* ---- models ---- */

/* The proof of `id` in the state after height - 1, under the header of height. */
static enum status prove_model(struct fixture *fixture, const struct hash *id, uint64_t height,
                               uint8_t leaf[LEDGER_MODEL_BYTES_MAX]) {
    const struct ledger_rig_block *before = &fixture->rig.blocks[height - 2];
    struct ledger_state after;
    assert_int_equal(ledger_state_decode(&after, &fixture->rig.genesis, before->state, before->state_bytes),
                     STATUS_OK);
    fixture->proof.header = header_at(fixture, height);
    fixture->proof.certificate = certificate_at(fixture, height);
    enum status status = light_proof_of_model(&fixture->proof, &after, id, leaf);
    ledger_state_close(&after);
    return status;
}

static enum status check_model(struct fixture *fixture, const uint8_t *blob, size_t bytes,
                               struct ledger_model *model) {
    fixture->why.text[0] = '\0';
    return light_client_check_model(&fixture->client, &fixture->proof, blob, bytes, model, &fixture->why);
}

static void an_accepted_model_with_its_bytes_is_taken(void **state) {
    struct fixture *fixture = *state;
    const struct ledger_rig_blob *blob = &fixture->rig.blobs[0];
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    struct ledger_model model;
    int64_t half;
    assert_int_equal(prove_model(fixture, &fixture->model, 4, leaf), STATUS_OK);
    assert_int_equal(check_model(fixture, blob->data, blob->size, &model), STATUS_OK);
    assert_memory_equal(&model.tx_id, &fixture->model, sizeof model.tx_id);
    assert_true(metric_to_q32(0.5, &half));
    assert_int_equal(model.median_q32[METRIC_ACCURACY], half);
    assert_null(model.values);
    assert_int_equal(fixture->client.height, 4);
    assert_taken(fixture); /* also as a plain proof */
}

static void an_open_model_is_not_taken_as_accepted(void **state) {
    struct fixture *fixture = *state;
    const struct ledger_rig_blob *blob = &fixture->rig.blobs[0];
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    struct ledger_model model;
    assert_int_equal(prove_model(fixture, &fixture->model, 2, leaf), STATUS_OK); /* open after block 1 */
    assert_taken(fixture);                                                       /* it is in the registry */
    assert_int_equal(check_model(fixture, blob->data, blob->size, &model), STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "step 6"));
    leaf[1 + HASH_BYTES] = MODEL_ACCEPTED; /* the status made to say otherwise */
    assert_int_equal(check_model(fixture, blob->data, blob->size, &model), STATUS_INVALID);
}

static void bytes_of_another_hash_or_length_are_refused(void **state) {
    struct fixture *fixture = *state;
    const struct ledger_rig_blob *blob = &fixture->rig.blobs[0], *other = &fixture->rig.blobs[1];
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    struct ledger_model model;
    assert_int_equal(prove_model(fixture, &fixture->model, 4, leaf), STATUS_OK);
    assert_int_equal(check_model(fixture, other->data, other->size, &model), STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "step 5"));
    assert_int_equal(check_model(fixture, blob->data, blob->size - 1, &model), STATUS_INVALID);
    assert_int_equal(check_model(fixture, NULL, 0, &model), STATUS_INVALID);
    blob->data[3] ^= 1;
    assert_int_equal(check_model(fixture, blob->data, blob->size, &model), STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "step 5"));
    assert_int_equal(fixture->client.height, 0);
    assert_int_equal(fixture->client.refused, 4);
}

/* Accepted on chain with a size that its bytes do not have: nothing there looks at both. */
static void a_model_that_claims_another_size_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig *rig = &fixture->rig;
    const struct ledger_rig_blob *blob = &rig->blobs[0];
    struct transaction tx = ledger_rig_tx(rig, TX_MODEL_UPDATE, EDGE);
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    struct ledger_model model;
    tx.blob_hash = blob->hash;
    tx.blob_bytes = blob->size + 1;
    tx.sample_count = 1;
    struct hash id = ledger_rig_add(rig, &tx);
    ledger_rig_commit(rig);
    ledger_rig_attest_all(rig, &id);
    ledger_rig_commit(rig);
    ledger_rig_commit(rig);
    assert_int_equal(prove_model(fixture, &id, rig->block_count, leaf), STATUS_OK);
    assert_int_equal(check_model(fixture, blob->data, blob->size, &model), STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "step 5"));
}

static void a_transaction_is_not_taken_for_a_model(void **state) {
    struct fixture *fixture = *state;
    const struct ledger_rig_blob *blob = &fixture->rig.blobs[0];
    struct ledger_model model;
    assert_int_equal(check_model(fixture, blob->data, blob->size, &model), STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "model"));
}

static void a_changed_model_is_not_below_the_state_root(void **state) {
    struct fixture *fixture = *state;
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    assert_int_equal(prove_model(fixture, &fixture->model, 4, leaf), STATUS_OK);
    leaf[fixture->proof.leaf_bytes - 1] ^= 1; /* a median */
    assert_refused(fixture, "step 4");
    leaf[fixture->proof.leaf_bytes - 1] ^= 1;
    assert_taken(fixture);
}

static void a_state_has_no_proof_under_the_header_of_another(void **state) {
    struct fixture *fixture = *state;
    struct ledger_state *after = &fixture->rig.state;
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    fixture->proof.header = header_at(fixture, 4);
    assert_int_equal(light_proof_of_model(&fixture->proof, after, &fixture->model, leaf), STATUS_INVALID);
}

/* ---- history ---- */

/* The consistency proof from the header of `old` to that of `now`, over the ids below each. */
static uint32_t history(const struct fixture *fixture, uint64_t old, uint64_t now, struct hash *path) {
    struct hash leaves[64];
    for (uint64_t i = 0; i + 1 < now; i++)
        leaves[i] = merkle_leaf(fixture->rig.blocks[i].id.bytes, HASH_BYTES);
    return merkle_consistency(leaves, now - 1, old - 1, path);
}

static enum status check_history(struct fixture *fixture, uint64_t height, const struct hash *path,
                                 uint32_t length) {
    struct block_header header = header_at(fixture, height);
    struct certificate certificate = certificate_at(fixture, height);
    fixture->why.text[0] = '\0';
    return light_client_check_history(&fixture->client, &header, &certificate, path, length, &fixture->why);
}

static void a_client_long_away_moves_by_a_consistency_proof(void **state) {
    struct fixture *fixture = *state;
    struct hash path[MERKLE_PATH_MAX];
    assert_taken(fixture); /* knows height 3 */
    for (uint64_t now = HEIGHT_OF_TXS + 1; now <= fixture->rig.block_count; now++) {
        fixture->client.height = HEIGHT_OF_TXS;
        fixture->client.newest = header_at(fixture, HEIGHT_OF_TXS);
        uint32_t length = history(fixture, HEIGHT_OF_TXS, now, path);
        assert_int_equal(check_history(fixture, now, path, length), STATUS_OK);
        assert_int_equal(fixture->client.height, now);
    }
}

static void a_new_client_and_one_at_the_first_height_need_no_history(void **state) {
    struct fixture *fixture = *state;
    struct hash path[1] = {{{0}}};
    assert_int_equal(check_history(fixture, 1, path, 1), STATUS_INVALID);
    assert_int_equal(check_history(fixture, 1, NULL, 0), STATUS_OK);
    assert_int_equal(check_history(fixture, 5, path, 1), STATUS_INVALID);
    assert_int_equal(check_history(fixture, 5, NULL, 0), STATUS_OK);
    assert_int_equal(fixture->client.height, 5);
}

static void a_wrong_consistency_proof_or_an_older_header_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct hash path[MERKLE_PATH_MAX];
    assert_taken(fixture);
    uint32_t length = history(fixture, HEIGHT_OF_TXS, 7, path);
    assert_true(length > 1);
    assert_int_equal(check_history(fixture, 7, path, length - 1), STATUS_INVALID);
    assert_int_equal(check_history(fixture, 7, path, 0), STATUS_INVALID);
    assert_int_equal(check_history(fixture, 6, path, length), STATUS_INVALID);
    assert_int_equal(check_history(fixture, 2, path, length), STATUS_INVALID);
    assert_int_equal(check_history(fixture, HEIGHT_OF_TXS, path, 0), STATUS_INVALID);
    path[length - 1].bytes[4] ^= 1;
    assert_int_equal(check_history(fixture, 7, path, length), STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "step 3"));
    path[length - 1].bytes[4] ^= 1;
    assert_int_equal(fixture->client.height, HEIGHT_OF_TXS);
    assert_int_equal(check_history(fixture, 7, path, length), STATUS_OK);
}

static void history_needs_a_certificate_too(void **state) {
    struct fixture *fixture = *state;
    struct block_header header = header_at(fixture, 7);
    struct certificate certificate = certificate_at(fixture, 6);
    assert_int_equal(
        light_client_check_history(&fixture->client, &header, &certificate, NULL, 0, &fixture->why),
        STATUS_INVALID);
    assert_non_null(strstr(fixture->why.text, "step 2"));
}

static void a_client_is_fresh_while_its_newest_header_is_young(void **state) {
    struct fixture *fixture = *state;
    assert_false(light_client_fresh(&fixture->client, 0, UINT64_MAX));
    assert_taken(fixture);
    uint64_t time_ms = fixture->client.newest.time_ms;
    assert_true(light_client_fresh(&fixture->client, time_ms + 100, 100));
    assert_false(light_client_fresh(&fixture->client, time_ms + 101, 100));
    assert_true(light_client_fresh(&fixture->client, time_ms - 1, 0)); /* clocks may differ */
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_true_proof_of_each_transaction_is_taken),
        WITH_FIXTURE(any_quorum_will_do_and_more_too),
        WITH_FIXTURE(a_proof_survives_its_encoding_and_nothing_shorter_does),
        WITH_FIXTURE(every_changed_byte_of_a_proof_is_refused),
        WITH_FIXTURE(precommits_for_nil_do_not_count),
        WITH_FIXTURE(one_validator_many_times_is_one),
        WITH_FIXTURE(an_empty_commit_proves_nothing),
        WITH_FIXTURE(less_than_a_quorum_proves_nothing),
        WITH_FIXTURE(a_vote_of_one_validator_cannot_be_claimed_for_another),
        WITH_FIXTURE(signers_outside_of_the_pinned_set_do_not_count),
        WITH_FIXTURE(prevotes_and_votes_of_another_height_or_round_are_no_certificate),
        WITH_FIXTURE(the_certificate_of_another_block_proves_nothing),
        WITH_FIXTURE(another_chain_is_refused_even_with_the_same_keys),
        WITH_FIXTURE(a_changed_header_has_no_certificate),
        WITH_FIXTURE(a_header_that_names_other_validators_is_refused),
        WITH_FIXTURE(a_header_of_another_chain_under_this_one_is_refused),
        WITH_FIXTURE(an_older_header_is_taken_and_does_not_move_the_client_back),
        WITH_FIXTURE(a_fork_or_a_time_that_runs_back_is_seen),
        WITH_FIXTURE(a_wrong_index_or_count_is_refused),
        WITH_FIXTURE(a_path_that_is_shorter_longer_or_changed_is_refused),
        WITH_FIXTURE(an_inner_node_is_no_leaf),
        WITH_FIXTURE(an_unknown_kind_and_a_kind_taken_for_the_other_are_refused),
        WITH_FIXTURE(an_accepted_model_with_its_bytes_is_taken),
        WITH_FIXTURE(an_open_model_is_not_taken_as_accepted),
        WITH_FIXTURE(bytes_of_another_hash_or_length_are_refused),
        WITH_FIXTURE(a_model_that_claims_another_size_is_refused),
        WITH_FIXTURE(a_transaction_is_not_taken_for_a_model),
        WITH_FIXTURE(a_changed_model_is_not_below_the_state_root),
        WITH_FIXTURE(a_state_has_no_proof_under_the_header_of_another),
        WITH_FIXTURE(a_client_long_away_moves_by_a_consistency_proof),
        WITH_FIXTURE(a_new_client_and_one_at_the_first_height_need_no_history),
        WITH_FIXTURE(a_wrong_consistency_proof_or_an_older_header_is_refused),
        WITH_FIXTURE(history_needs_a_certificate_too),
        WITH_FIXTURE(a_client_is_fresh_while_its_newest_header_is_young),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
