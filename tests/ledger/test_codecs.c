/* Goal: what the codecs of the ledger write they read back, and they read nothing else: no byte less, none
 * more, no second encoding of anything. Method: a genuine sample of each; then every truncation, a byte too
 * many, and every bit flipped one at a time. A flipped bit must either be refused or be content, which
 * encodes to the very same bytes; where something is signed or hashed, it must in the end be refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ledger/evidence.h"
#include "common/ledger/merkle.h"
#include "tests/lib/signer_rig.h"

static struct signer_rig rig;

static int open_rig(void **state) {
    (void)state;
    signer_rig_open(&rig, 4, 2);
    return 0;
}

/* Decodes all of `data` and encodes what came out; false: refused. */
typedef bool (*recode)(const uint8_t *data, size_t size, struct bytes_writer *writer);

static bool recode_vote(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct vote vote;
    if (vote_decode(&reader, &vote) != STATUS_OK || !bytes_done(&reader))
        return false;
    vote_encode(writer, &vote);
    return true;
}

static bool recode_proposal(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct proposal proposal;
    if (proposal_decode(&reader, &proposal) != STATUS_OK || !bytes_done(&reader))
        return false;
    proposal_encode(writer, &proposal);
    return true;
}

static bool recode_certificate(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct certificate certificate;
    if (certificate_decode(&reader, &certificate) != STATUS_OK || !bytes_done(&reader))
        return false;
    assert_int_equal(certificate_bytes(&certificate), size);
    certificate_encode(writer, &certificate);
    return true;
}

static bool recode_header(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct block_header header;
    if (block_header_decode(&reader, &header) != STATUS_OK || !bytes_done(&reader))
        return false;
    block_header_encode(writer, &header);
    return true;
}

static bool recode_transaction(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct transaction tx;
    if (transaction_decode(data, size, &tx) != STATUS_OK)
        return false;
    assert_int_equal(transaction_bytes(&tx), size);
    transaction_encode(writer, &tx);
    return true;
}

static bool recode_attestation(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct attestation attestation;
    if (attestation_decode(data, size, &attestation) != STATUS_OK)
        return false;
    attestation_encode(writer, &attestation);
    return true;
}

static bool recode_evidence(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct evidence evidence;
    if (evidence_decode(data, size, &evidence) != STATUS_OK)
        return false;
    evidence_encode(writer, &evidence);
    return true;
}

static bool recode_genesis(const uint8_t *data, size_t size, struct bytes_writer *writer) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct public_key senders[SIGNER_RIG_SENDERS];
    struct genesis genesis;
    if (genesis_decode(&reader, senders, SIGNER_RIG_SENDERS, &genesis) != STATUS_OK || !bytes_done(&reader))
        return false;
    assert_int_equal(genesis_bytes(&genesis), size);
    genesis_encode(writer, &genesis);
    return true;
}

static bool recodes_to_itself(recode again, const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + 1024);
    assert_non_null(copy);
    struct bytes_writer writer = bytes_writer_over(copy, size + 1024);
    bool accepted = again(data, size, &writer);
    if (accepted) {
        assert_false(writer.failed);
        assert_int_equal(writer.used, size);
        assert_memory_equal(copy, data, size);
    }
    free(copy);
    return accepted;
}

/* Each input is a heap block of its exact size, so that a sanitizer sees a read past its end. */
static bool exact(recode again, const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    memcpy(copy, data, size);
    bool accepted = recodes_to_itself(again, copy, size);
    free(copy);
    return accepted;
}

static void assert_strict(recode again, const uint8_t *data, size_t size) {
    uint8_t *longer = calloc(1, size + 1);
    assert_non_null(longer);
    memcpy(longer, data, size);
    assert_true(exact(again, data, size));
    for (size_t shorter = 0; shorter < size; shorter++)
        assert_false(exact(again, data, shorter));
    assert_false(exact(again, longer, size + 1));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        longer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)exact(again, longer, size);
        longer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(longer);
}

static void votes_are_read_strictly(void **state) {
    (void)state;
    uint8_t data[VOTE_BYTES];
    struct hash id = signer_rig_hash(1), nil = {0};
    struct vote votes[] = {signer_rig_vote(&rig, VOTE_PREVOTE, 3, 9, &id),
                           signer_rig_vote(&rig, VOTE_PRECOMMIT, 0, 1, &nil)};
    for (size_t i = 0; i < 2; i++) {
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        vote_encode(&writer, &votes[i]);
        assert_int_equal(writer.used, VOTE_BYTES);
        assert_strict(recode_vote, data, sizeof data);
    }
}

static void a_vote_of_no_type_height_or_validator_is_refused(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    const struct vote good = signer_rig_vote(&rig, VOTE_PREVOTE, 3, 9, &id);
    struct vote wrong[] = {good, good, good, good, good};
    wrong[0].type = VOTE_PROPOSAL;
    wrong[1].type = (enum vote_type)4;
    wrong[2].height = 0;
    wrong[3].validator = VALIDATORS_MAX;
    wrong[4].round = UINT32_C(1) << 31;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t data[VOTE_BYTES];
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        vote_encode(&writer, &wrong[i]);
        assert_false(exact(recode_vote, data, sizeof data));
        assert_false(vote_valid(&rig.genesis, &wrong[i]));
    }
    assert_true(vote_valid(&rig.genesis, &good));
}

static void proposals_are_read_strictly(void **state) {
    (void)state;
    uint8_t data[PROPOSAL_BYTES];
    struct hash id = signer_rig_hash(1);
    struct proposal proposal = signer_rig_proposal(&rig, 2, 5, &id);
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    proposal_encode(&writer, &proposal);
    assert_int_equal(writer.used, PROPOSAL_BYTES);
    assert_strict(recode_proposal, data, sizeof data);
}

static void a_proposal_that_contradicts_itself_is_refused(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    const struct proposal good = signer_rig_proposal(&rig, 2, 5, &id);
    struct proposal wrong[] = {good, good, good, good, good, good};
    wrong[0].valid_round = 0; /* not below round 0 */
    wrong[1].valid_round = -2;
    wrong[2].block_id = (struct hash){0};
    wrong[3].part_count = 3;
    wrong[4].block_bytes = 0;
    wrong[5].block_bytes = UINT64_MAX;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t data[PROPOSAL_BYTES];
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        proposal_encode(&writer, &wrong[i]);
        assert_false(exact(recode_proposal, data, sizeof data));
        proposal_sign(&rig.genesis, &rig.keys[2], &wrong[i]);
        assert_false(proposal_valid(&rig.genesis, &wrong[i]));
    }
    assert_true(proposal_valid(&rig.genesis, &good));
}

/* Every field is under the signature. */
static void a_vote_or_proposal_changed_in_any_bit_no_longer_holds(void **state) {
    (void)state;
    uint8_t data[PROPOSAL_BYTES];
    struct hash id = signer_rig_hash(1);
    struct vote vote = signer_rig_vote(&rig, VOTE_PRECOMMIT, 1, 5, &id);
    struct proposal proposal = signer_rig_proposal(&rig, 2, 5, &id);
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    vote_encode(&writer, &vote);
    for (size_t bit = 0; bit < 8 * (size_t)VOTE_BYTES; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct bytes_reader reader = bytes_reader_over(data, VOTE_BYTES);
        assert_false(vote_decode(&reader, &vote) == STATUS_OK && vote_valid(&rig.genesis, &vote));
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    writer = bytes_writer_over(data, sizeof data);
    proposal_encode(&writer, &proposal);
    for (size_t bit = 0; bit < 8 * (size_t)PROPOSAL_BYTES; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct bytes_reader reader = bytes_reader_over(data, PROPOSAL_BYTES);
        assert_false(proposal_decode(&reader, &proposal) == STATUS_OK &&
                     proposal_valid(&rig.genesis, &proposal));
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* chain.md, 1.5: one length, no optional field, and nothing signed as one thing counts as another. */
static void sign_bytes_differ_by_type_and_chain(void **state) {
    (void)state;
    uint8_t prevote[SIGN_BYTES], precommit[SIGN_BYTES], elsewhere[SIGN_BYTES];
    struct hash id = signer_rig_hash(1), other_chain = signer_rig_hash(2);
    struct vote vote = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 0x0102030405060708, &id);
    vote_sign_bytes(&rig.genesis.chain_id, &vote, prevote);
    vote_sign_bytes(&other_chain, &vote, elsewhere);
    assert_memory_equal(prevote, "TIERBED-CHAIN-v1", 17);
    assert_int_equal(prevote[17], VOTE_PREVOTE);
    assert_memory_equal(prevote + 18, rig.genesis.chain_id.bytes, HASH_BYTES);
    assert_memory_equal(prevote + 50, "\x08\x07\x06\x05\x04\x03\x02\x01\0\0\0\0\xff\xff\xff\xff", 16);
    assert_memory_equal(prevote + 66, id.bytes, HASH_BYTES);
    assert_memory_equal(prevote + 98, (struct hash){0}.bytes, HASH_BYTES);
    assert_memory_not_equal(prevote, elsewhere, SIGN_BYTES);
    vote.type = VOTE_PRECOMMIT;
    vote_sign_bytes(&rig.genesis.chain_id, &vote, precommit);
    assert_memory_not_equal(prevote, precommit, SIGN_BYTES);
    assert_false(vote_valid(&rig.genesis, &vote)); /* a prevote's signature on a precommit */
}

static void certificates_are_read_strictly(void **state) {
    (void)state;
    uint8_t data[CERTIFICATE_BYTES_MAX];
    struct hash id = signer_rig_hash(1);
    struct certificate certificate = signer_rig_certificate(&rig, 7, &id, 0xd);
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    certificate_encode(&writer, &certificate);
    assert_strict(recode_certificate, data, writer.used);
}

static struct block_header sample_header(void) {
    return (struct block_header){.chain_id = rig.genesis.chain_id,
                                 .height = 2,
                                 .prev_block_id = signer_rig_hash(11),
                                 .state_root = signer_rig_hash(12),
                                 .history_root = signer_rig_hash(13),
                                 .validators_hash = rig.genesis.validators_hash,
                                 .params_hash = rig.genesis.params_hash,
                                 .proposer = 1,
                                 .time_ms = 1234};
}

static void headers_are_read_strictly_and_named_by_their_hash(void **state) {
    (void)state;
    uint8_t data[BLOCK_HEADER_BYTES];
    struct block_header header = sample_header();
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    block_header_encode(&writer, &header);
    assert_int_equal(writer.used, BLOCK_HEADER_BYTES);
    assert_strict(recode_header, data, sizeof data);
    struct hash id = block_id_of(&header), expected = hash_of("blk", data, sizeof data);
    assert_true(hash_equal(&id, &expected));
}

static void transactions_are_read_strictly(void **state) {
    (void)state;
    uint8_t ext[4 + 4 * 3], blob[100] = {1};
    struct transaction txs[] = {signer_rig_model(&rig, 4, 1, blob, sizeof blob),
                                signer_rig_records(&rig, 5, 1, 3, ext)};
    for (size_t i = 0; i < 2; i++) {
        struct block_tx encoded = signer_rig_encode(&txs[i]);
        assert_strict(recode_transaction, encoded.data, encoded.bytes);
        free((void *)encoded.data);
    }
}

static void a_transaction_changed_in_any_bit_no_longer_holds(void **state) {
    (void)state;
    uint8_t ext[4 + 4 * 3];
    struct transaction tx = signer_rig_records(&rig, 5, 1, 3, ext), changed;
    struct block_tx encoded = signer_rig_encode(&tx);
    uint8_t *data = (uint8_t *)encoded.data;
    assert_int_equal(transaction_check(&rig.genesis, &tx, data, encoded.bytes), STATUS_OK);
    struct hash id = transaction_id(data, encoded.bytes);
    for (size_t bit = 0; bit < 8 * (size_t)encoded.bytes; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct hash other = transaction_id(data, encoded.bytes);
        assert_false(hash_equal(&id, &other));
        if (transaction_decode(data, encoded.bytes, &changed) == STATUS_OK)
            assert_int_equal(transaction_check(&rig.genesis, &changed, data, encoded.bytes), STATUS_INVALID);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(data);
}

/* Signed by the right key each time: only what it says is wrong. */
static void assert_refused(struct transaction tx, uint32_t signer) {
    transaction_sign(&rig.keys[signer], &tx);
    struct block_tx encoded = signer_rig_encode(&tx);
    assert_int_equal(transaction_check(&rig.genesis, &tx, encoded.data, encoded.bytes), STATUS_INVALID);
    free((void *)encoded.data);
}

static void a_transaction_out_of_its_ranges_or_role_is_refused(void **state) {
    (void)state;
    uint8_t blob[100] = {1}, ext[4 + 4];
    const struct transaction good = signer_rig_model(&rig, 4, 1, blob, sizeof blob);
    struct block_tx encoded = signer_rig_encode(&good);
    assert_int_equal(transaction_check(&rig.genesis, &good, encoded.data, encoded.bytes), STATUS_OK);
    free((void *)encoded.data);
    struct transaction wrong[8];
    for (size_t i = 0; i < 8; i++)
        wrong[i] = good;
    wrong[0].nonce = 0;
    wrong[1].sender = 5; /* signed by 4 */
    wrong[2].sender = 6; /* nobody */
    wrong[3].blob_bytes = 0;
    wrong[4].blob_bytes = rig.genesis.params.blob_bytes_max + UINT64_C(1);
    wrong[5].sample_count = 0;
    wrong[6].metric_q32[METRIC_ACCURACY] = (INT64_C(1) << 32) + 1;
    wrong[7].chain_id = signer_rig_hash(9);
    for (size_t i = 0; i < 8; i++)
        assert_refused(wrong[i], 4);
    struct transaction records = signer_rig_records(&rig, 4, 1, 1, ext);
    records.blob_bytes = 1; /* nothing else than a model has a blob */
    assert_refused(records, 4);
    records = signer_rig_records(&rig, 4, UINT64_MAX, 1, ext); /* the last nonce leaves none for others */
    assert_refused(records, 4);
    struct transaction from_validator = good;
    from_validator.sender = 0;
    assert_refused(from_validator, 0);
    struct transaction attestation = {.type = TX_METRIC_ATTEST,
                                      .chain_id = rig.genesis.chain_id,
                                      .sender = 4, /* no validator */
                                      .nonce = 1,
                                      .expiry_height = 9};
    uint8_t attested[ATTESTATION_BYTES] = {0};
    attestation.ext = attested;
    attestation.ext_bytes = sizeof attested;
    assert_refused(attestation, 4);
}

static void attestations_are_read_strictly(void **state) {
    (void)state;
    uint8_t data[ATTESTATION_BYTES];
    struct attestation attestation = {.tx_id = signer_rig_hash(1),
                                      .verdict = 1,
                                      .metric_q32 = {1, -2, 3, -4},
                                      .tool_hash = signer_rig_hash(2)};
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    attestation_encode(&writer, &attestation);
    assert_int_equal(writer.used, ATTESTATION_BYTES);
    assert_strict(recode_attestation, data, sizeof data);
    data[32] = 0; /* could not be evaluated, and yet metrics */
    assert_false(exact(recode_attestation, data, sizeof data));
    data[32] = 2;
    assert_false(exact(recode_attestation, data, sizeof data));
}

static void records_fill_their_transaction_exactly(void **state) {
    (void)state;
    uint8_t data[4 + 2 * 5] = {2, 0, 5, 0};
    struct records records;
    assert_int_equal(records_decode(data, sizeof data, &records), STATUS_OK);
    assert_int_equal(records.count, 2);
    assert_ptr_equal(records.data, data + 4);
    for (size_t size = 0; size < sizeof data; size++)
        assert_int_equal(records_decode(data, size, &records), STATUS_INVALID);
    static const uint8_t none[] = {0, 0, 5, 0}, empty[] = {5, 0, 0, 0}, huge[] = {255, 255, 255, 255, 1};
    assert_int_equal(records_decode(none, sizeof none, &records), STATUS_INVALID);
    assert_int_equal(records_decode(empty, sizeof empty, &records), STATUS_INVALID);
    assert_int_equal(records_decode(huge, sizeof huge, &records), STATUS_INVALID);
    uint8_t ext[4 + 4 * 3];
    struct transaction tx = signer_rig_records(&rig, 5, 1, 3, ext);
    assert_int_equal(transaction_weight(&tx), 3);
}

static void evidence_is_read_strictly(void **state) {
    (void)state;
    uint8_t data[EVIDENCE_BYTES_MAX];
    struct hash a = signer_rig_hash(1), b = signer_rig_hash(2);
    struct vote votes[2] = {signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &a),
                            signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &b)};
    struct proposal proposals[2] = {signer_rig_proposal(&rig, 1, 5, &a), signer_rig_proposal(&rig, 1, 5, &b)};
    struct evidence both[2] = {evidence_of_votes(&votes[0], &votes[1]),
                               evidence_of_proposals(&proposals[0], &proposals[1])};
    for (size_t i = 0; i < 2; i++) {
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        evidence_encode(&writer, &both[i]);
        assert_strict(recode_evidence, data, writer.used);
    }
}

static void genesis_is_read_strictly_and_seals_to_the_same_chain(void **state) {
    (void)state;
    size_t size = genesis_bytes(&rig.genesis);
    uint8_t *data = malloc(size);
    assert_non_null(data);
    struct bytes_writer writer = bytes_writer_over(data, size);
    genesis_encode(&writer, &rig.genesis);
    assert_int_equal(writer.used, size);
    assert_strict(recode_genesis, data, size);
    struct public_key senders[SIGNER_RIG_SENDERS];
    struct genesis back;
    struct bytes_reader reader = bytes_reader_over(data, size);
    assert_int_equal(genesis_decode(&reader, senders, 5, &back), STATUS_INVALID); /* six keys */
    reader = bytes_reader_over(data, size);
    assert_int_equal(genesis_decode(&reader, senders, 6, &back), STATUS_OK);
    assert_true(hash_equal(&back.chain_id, &rig.genesis.chain_id));
    assert_true(hash_equal(&back.params_hash, &rig.genesis.params_hash));
    assert_true(hash_equal(&back.validators_hash, &rig.genesis.validators_hash));
    uint8_t *interval = data + 10 + (size_t)PUBLIC_KEY_BYTES * 6 + 16;
    assert_int_equal(interval[0], rig.genesis.params.checkpoint_interval);
    interval[0] = 0; /* a checkpoint every 0 heights */
    assert_false(exact(recode_genesis, data, size));
    interval[0] = 1;
    assert_true(exact(recode_genesis, data, size));
    memcpy(data + 10 + 32, data + 10, 32); /* one key for two validators */
    assert_false(exact(recode_genesis, data, size));
    free(data);
}

static void a_genesis_with_a_flag_has_one_encoding_and_without_none_of_it(void **state) {
    (void)state;
    struct genesis flagged = rig.genesis;
    flagged.params.exclude_accused = true;
    genesis_seal(&flagged);
    assert_false(hash_equal(&flagged.params_hash, &rig.genesis.params_hash));
    assert_false(hash_equal(&flagged.chain_id, &rig.genesis.chain_id));
    size_t size = genesis_bytes(&flagged);
    assert_int_equal(size, genesis_bytes(&rig.genesis) + 4);
    uint8_t *data = malloc(size);
    assert_non_null(data);
    struct bytes_writer writer = bytes_writer_over(data, size);
    genesis_encode(&writer, &flagged);
    assert_strict(recode_genesis, data, size);
    assert_int_equal(data[0], 2);
    data[0] = 1; /* bytes after the end */
    assert_false(exact(recode_genesis, data, size));
    data[0] = 3;
    assert_false(exact(recode_genesis, data, size));
    data[0] = 2;
    for (uint32_t flags = 0; flags < 4; flags++) {
        data[size - 4] = (uint8_t)flags;
        assert_true(exact(recode_genesis, data, size) == (flags == 1));
    }
    free(data);
}

static void each_rule_of_the_genesis_makes_another_chain(void **state) {
    (void)state;
    struct genesis changed = rig.genesis;
    changed.params.seed++;
    genesis_seal(&changed);
    assert_false(hash_equal(&changed.chain_id, &rig.genesis.chain_id));
    assert_false(hash_equal(&changed.params_hash, &rig.genesis.params_hash));
    assert_true(hash_equal(&changed.validators_hash, &rig.genesis.validators_hash));
    changed = rig.genesis;
    changed.sender_count--;
    genesis_seal(&changed);
    assert_false(hash_equal(&changed.chain_id, &rig.genesis.chain_id));
}

static void metrics_round_to_nearest_and_refuse_what_does_not_fit(void **state) {
    (void)state;
    int64_t q32 = 0;
    assert_true(metric_to_q32(0.5, &q32) && q32 == INT64_C(1) << 31);
    assert_true(metric_to_q32(-1.25, &q32) && q32 == -(INT64_C(5) << 30));
    assert_true(metric_to_q32(0x1.8p-33, &q32) && q32 == 1);
    assert_true(metric_to_q32(0x0.8p-33, &q32) && q32 == 0);
    assert_true(metric_to_q32(-0x1p31, &q32) && q32 == INT64_MIN);
    static const double refused[] = {NAN, INFINITY, -INFINITY, 0x1p31, -0x1.00000001p31, 1e300};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(metric_to_q32(refused[i], &q32));
    assert_true(metric_from_q32(-(INT64_C(5) << 30)) == -1.25);
}

static void a_chunk_root_is_the_tree_over_the_chunks(void **state) {
    (void)state;
    size_t size = 2 * (size_t)CHUNK_BYTES + 10;
    uint8_t *blob = calloc(1, size);
    assert_non_null(blob);
    blob[CHUNK_BYTES] = 1;
    struct hash leaves[3] = {merkle_leaf(blob, CHUNK_BYTES), merkle_leaf(blob + CHUNK_BYTES, CHUNK_BYTES),
                             merkle_leaf(blob + 2 * (size_t)CHUNK_BYTES, 10)};
    struct hash expected = merkle_root(leaves, 3), root = blob_chunk_root(blob, size);
    assert_true(hash_equal(&root, &expected));
    expected = hash_of("blob", blob, size);
    root = blob_hash(blob, size);
    assert_true(hash_equal(&root, &expected));
    free(blob);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_are_read_strictly),
        cmocka_unit_test(a_vote_of_no_type_height_or_validator_is_refused),
        cmocka_unit_test(proposals_are_read_strictly),
        cmocka_unit_test(a_proposal_that_contradicts_itself_is_refused),
        cmocka_unit_test(a_vote_or_proposal_changed_in_any_bit_no_longer_holds),
        cmocka_unit_test(sign_bytes_differ_by_type_and_chain),
        cmocka_unit_test(certificates_are_read_strictly),
        cmocka_unit_test(headers_are_read_strictly_and_named_by_their_hash),
        cmocka_unit_test(transactions_are_read_strictly),
        cmocka_unit_test(a_transaction_changed_in_any_bit_no_longer_holds),
        cmocka_unit_test(a_transaction_out_of_its_ranges_or_role_is_refused),
        cmocka_unit_test(attestations_are_read_strictly),
        cmocka_unit_test(records_fill_their_transaction_exactly),
        cmocka_unit_test(evidence_is_read_strictly),
        cmocka_unit_test(genesis_is_read_strictly_and_seals_to_the_same_chain),
        cmocka_unit_test(a_genesis_with_a_flag_has_one_encoding_and_without_none_of_it),
        cmocka_unit_test(each_rule_of_the_genesis_makes_another_chain),
        cmocka_unit_test(metrics_round_to_nearest_and_refuse_what_does_not_fit),
        cmocka_unit_test(a_chunk_root_is_the_tree_over_the_chunks),
    };
    return cmocka_run_group_tests(tests, open_rig, NULL);
}
