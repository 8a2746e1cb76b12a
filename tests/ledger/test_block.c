/* Goal: a block says what is in it, a certificate is the word of a quorum of distinct validators for exactly
 * one block, and evidence accuses nobody who did not sign twice. Method: a genuine sample of each; then each
 * way to be nearly one (chain.md, 3.3 rows 14, 25). */
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

/* ---- blocks ---- */

struct sample {
    struct block_tx txs[3];
    struct certificate cert;
    struct block_header header;
    uint8_t *data;
    size_t size;
};

static struct block_tx evidence_tx(void) {
    uint8_t data[EVIDENCE_BYTES_MAX];
    struct hash a = signer_rig_hash(1), b = signer_rig_hash(2);
    struct vote first = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &a);
    struct vote second = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &b);
    struct evidence evidence = evidence_of_votes(&first, &second);
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    evidence_encode(&writer, &evidence);
    struct transaction tx = {.type = TX_EVIDENCE,
                             .chain_id = rig.genesis.chain_id,
                             .sender = 2,
                             .nonce = 1,
                             .expiry_height = 100,
                             .ext_bytes = (uint16_t)writer.used,
                             .ext = data};
    transaction_sign(&rig.keys[2], &tx);
    return signer_rig_encode(&tx);
}

static struct sample sample_open(uint64_t height) {
    uint8_t blob[100] = {1}, ext[4 + 4 * 3];
    struct hash prev = signer_rig_hash(11);
    struct sample sample = {.cert = signer_rig_certificate(&rig, height - 1, &prev, 0xb),
                            .header = {.chain_id = rig.genesis.chain_id,
                                       .height = height,
                                       .prev_block_id = prev,
                                       .proposer = 1,
                                       .time_ms = 1234}};
    struct transaction model = signer_rig_model(&rig, 4, 1, blob, sizeof blob);
    struct transaction records = signer_rig_records(&rig, 5, 1, 3, ext);
    sample.txs[0] = signer_rig_encode(&model);
    sample.txs[1] = evidence_tx();
    sample.txs[2] = signer_rig_encode(&records);
    assert_int_equal(block_build(&sample.header, sample.txs, 3, height == 1 ? NULL : &sample.cert,
                                 &sample.data, &sample.size),
                     STATUS_OK);
    return sample;
}

static void sample_close(struct sample *sample) {
    for (size_t i = 0; i < 3; i++)
        free((void *)sample->txs[i].data);
    free(sample->data);
}

static enum status open_copy(const uint8_t *data, size_t size, size_t bytes_max) {
    uint8_t *copy = malloc(size == 0 ? 1 : size); /* of the exact size, for sanitizers */
    assert_non_null(copy);
    memcpy(copy, data, size);
    struct block block;
    enum status status = block_open(copy, size, bytes_max, &block);
    block_close(&block);
    free(copy);
    return status;
}

static void a_block_is_taken_apart_into_what_it_was_built_of(void **state) {
    (void)state;
    for (uint64_t height = 1; height <= 2; height++) {
        struct sample sample = sample_open(height);
        struct block block;
        assert_int_equal(block_open(sample.data, sample.size, sample.size, &block), STATUS_OK);
        struct hash id = block_id_of(&sample.header), opened = block_id_of(&block.header);
        assert_true(hash_equal(&id, &opened));
        assert_int_equal(block.header.tx_count, 3);
        assert_int_equal(block.header.body_bytes, sample.size - BLOCK_HEADER_BYTES);
        struct hash leaves[3], evidence = merkle_leaf(sample.txs[1].data, sample.txs[1].bytes);
        block_tx_leaves(&block, leaves);
        for (size_t i = 0; i < 3; i++) {
            struct hash leaf = merkle_leaf(sample.txs[i].data, sample.txs[i].bytes);
            assert_int_equal(block.txs[i].bytes, sample.txs[i].bytes);
            assert_memory_equal(block.txs[i].data, sample.txs[i].data, sample.txs[i].bytes);
            assert_true(hash_equal(&leaf, &leaves[i]));
        }
        struct hash root = merkle_root(leaves, 3);
        assert_true(hash_equal(&root, &block.header.txs_root));
        assert_true(hash_equal(&evidence, &block.header.evidence_root));
        assert_int_equal(block.has_prev_cert, height == 2);
        if (height == 2) {
            struct hash expected = certificate_hash(&sample.cert);
            assert_true(hash_equal(&block.header.prev_cert_hash, &expected));
            assert_memory_equal(&block.prev_cert, &sample.cert, sizeof sample.cert);
        } else {
            assert_true(hash_is_zero(&block.header.prev_cert_hash));
        }
        block_close(&block);
        block_close(&block); /* twice is harmless */
        sample_close(&sample);
    }
}

/* A bit of the header may change the id and leave the form; a bit of the body never passes. */
static void a_block_cut_lengthened_or_changed_is_refused(void **state) {
    (void)state;
    struct sample sample = sample_open(2);
    struct hash id = block_id_of(&sample.header);
    for (size_t size = 0; size < sample.size; size++)
        assert_int_equal(open_copy(sample.data, size, sample.size), STATUS_INVALID);
    uint8_t *longer = calloc(1, sample.size + 1);
    assert_non_null(longer);
    memcpy(longer, sample.data, sample.size);
    assert_int_equal(open_copy(longer, sample.size + 1, sample.size + 1), STATUS_INVALID);
    for (size_t bit = 0; bit < 8 * sample.size; bit++) {
        longer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct block block;
        enum status status = block_open(longer, sample.size, sample.size, &block);
        struct hash changed = block_id_of(&block.header);
        if (status == STATUS_OK) {
            assert_true(bit / 8 < BLOCK_HEADER_BYTES);
            assert_false(hash_equal(&id, &changed));
        }
        block_close(&block);
        longer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(longer);
    sample_close(&sample);
}

static void a_block_above_its_bound_is_refused_unread(void **state) {
    (void)state;
    struct sample sample = sample_open(2);
    assert_int_equal(open_copy(sample.data, sample.size, sample.size), STATUS_OK);
    assert_int_equal(open_copy(sample.data, sample.size, sample.size - 1), STATUS_INVALID);
    sample_close(&sample);
}

/* The count is believed only as far as there are bytes for it. */
static void a_block_that_claims_many_transactions_gets_no_room_for_them(void **state) {
    (void)state;
    struct block_header header = {.height = 1, .tx_count = BLOCK_TXS_MAX, .body_bytes = 8};
    uint8_t data[BLOCK_HEADER_BYTES + 8];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    block_header_encode(&writer, &header);
    bytes_put_u32(&writer, BLOCK_TXS_MAX);
    bytes_put_u32(&writer, 0);
    struct block block;
    assert_int_equal(block_open(data, sizeof data, sizeof data, &block), STATUS_INVALID);
    assert_null(block.txs);
    block_close(&block);
}

static void an_empty_block_is_a_block(void **state) {
    (void)state;
    struct block_header header = {.chain_id = rig.genesis.chain_id, .height = 1, .time_ms = 1};
    uint8_t *data;
    size_t size;
    struct block block;
    assert_int_equal(block_build(&header, NULL, 0, NULL, &data, &size), STATUS_OK);
    assert_int_equal(size, BLOCK_HEADER_BYTES + 8);
    assert_int_equal(block_open(data, size, size, &block), STATUS_OK);
    struct hash empty = merkle_root(NULL, 0);
    assert_true(hash_equal(&block.header.txs_root, &empty));
    block_close(&block);
    free(data);
}

static void a_block_travels_in_parts_below_one_root(void **state) {
    (void)state;
    size_t size = 2 * (size_t)PART_BYTES_MAX + 1;
    uint8_t *data = calloc(1, size);
    struct hash leaves[3];
    assert_non_null(data);
    assert_int_equal(block_part_count(0), 0);
    assert_int_equal(block_part_count(1), 1);
    assert_int_equal(block_part_count(PART_BYTES_MAX), 1);
    assert_int_equal(block_part_count(size), 3);
    struct hash root = block_part_leaves(data, size, leaves), expected = merkle_root(leaves, 3);
    assert_true(hash_equal(&root, &expected));
    expected = merkle_leaf(data + 2 * (size_t)PART_BYTES_MAX, 1);
    assert_true(hash_equal(&leaves[2], &expected));
    free(data);
}

/* ---- certificates ---- */

static void a_quorum_of_distinct_validators_certifies(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    static const struct {
        uint64_t bitmap;
        bool valid;
    } cases[] = {{0x7, true},  {0xb, true},  {0xd, true},  {0xe, true}, {0xf, true},
                 {0x3, false}, {0xc, false}, {0x8, false}, {0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct certificate certificate = signer_rig_certificate(&rig, 7, &id, cases[i].bitmap);
        assert_int_equal(certificate_valid(&rig.genesis, &certificate), cases[i].valid);
    }
}

static void one_signature_less_than_a_quorum_never_certifies(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 16, 64};
    struct signer_rig *other = malloc(sizeof *other);
    assert_non_null(other);
    struct hash id = signer_rig_hash(1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        signer_rig_open(other, sizes[i], 0);
        uint32_t quorum = quorum_size(sizes[i]);
        uint64_t bitmap = UINT64_MAX >> (64 - quorum);
        struct certificate certificate = signer_rig_certificate(other, 7, &id, bitmap);
        assert_true(certificate_valid(&other->genesis, &certificate));
        certificate = signer_rig_certificate(other, 7, &id, bitmap >> 1);
        assert_false(certificate_valid(&other->genesis, &certificate));
    }
    free(other);
}

static void one_validator_signing_often_does_not_certify(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    struct certificate certificate = signer_rig_certificate(&rig, 7, &id, 0x7);
    certificate.signatures[1] = certificate.signatures[2] = certificate.signatures[0];
    assert_false(certificate_valid(&rig.genesis, &certificate));
}

static void votes_for_nil_do_not_certify(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1), nil = {0};
    struct certificate certificate = signer_rig_certificate(&rig, 7, &id, 0x7);
    certificate.signatures[1] = signer_rig_vote(&rig, VOTE_PRECOMMIT, 1, 7, &nil).signature;
    assert_false(certificate_valid(&rig.genesis, &certificate));
    certificate = signer_rig_certificate(&rig, 7, &nil, 0x7); /* all for nil */
    assert_false(certificate_valid(&rig.genesis, &certificate));
}

static void prevotes_do_not_certify(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    struct certificate certificate = signer_rig_certificate(&rig, 7, &id, 0x7);
    certificate.signatures[2] = signer_rig_vote(&rig, VOTE_PREVOTE, 2, 7, &id).signature;
    assert_false(certificate_valid(&rig.genesis, &certificate));
}

static void a_foreign_key_or_an_unknown_validator_does_not_certify(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    struct certificate certificate = signer_rig_certificate(&rig, 7, &id, 0x7);
    struct vote foreign = {.type = VOTE_PRECOMMIT, .height = 7, .validator = 2, .block_id = id};
    vote_sign(&rig.genesis, &rig.keys[5], &foreign); /* a submitter's key */
    certificate.signatures[2] = foreign.signature;
    assert_false(certificate_valid(&rig.genesis, &certificate));
    certificate = signer_rig_certificate(&rig, 7, &id, 0xf);
    certificate.bitmap = 0x17; /* there is no validator 4 */
    assert_false(certificate_valid(&rig.genesis, &certificate));
    certificate.bitmap = UINT64_MAX;
    assert_false(certificate_valid(&rig.genesis, &certificate));
}

static void a_vote_of_one_validator_does_not_count_for_another(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    struct certificate certificate = signer_rig_certificate(&rig, 7, &id, 0x7);
    certificate.bitmap = 0xb; /* validator 2's signature under validator 3's bit */
    assert_false(certificate_valid(&rig.genesis, &certificate));
    certificate = signer_rig_certificate(&rig, 7, &id, 0x7);
    struct signature first = certificate.signatures[0];
    certificate.signatures[0] = certificate.signatures[1];
    certificate.signatures[1] = first;
    assert_false(certificate_valid(&rig.genesis, &certificate));
}

static void a_certificate_holds_for_its_own_chain_height_round_and_block(void **state) {
    (void)state;
    struct hash id = signer_rig_hash(1);
    const struct certificate good = signer_rig_certificate(&rig, 7, &id, 0x7);
    struct certificate wrong[] = {good, good, good, good};
    wrong[0].chain_id = signer_rig_hash(2);
    wrong[1].height = 8;
    wrong[2].round = 1;
    wrong[3].block_id = signer_rig_hash(3);
    assert_true(certificate_valid(&rig.genesis, &good));
    for (size_t i = 0; i < 4; i++)
        assert_false(certificate_valid(&rig.genesis, &wrong[i]));
    for (uint32_t i = 0; i < 3; i++) {
        struct certificate bogus = good;
        bogus.signatures[i].bytes[5] ^= 1;
        assert_false(certificate_valid(&rig.genesis, &bogus));
    }
}

/* Votes of another run with the same keys: only chain_id differs. */
static void certificates_of_another_chain_do_not_hold_here(void **state) {
    (void)state;
    struct signer_rig *other = malloc(sizeof *other);
    assert_non_null(other);
    struct hash id = signer_rig_hash(1);
    signer_rig_open(other, 4, 1);
    struct certificate certificate = signer_rig_certificate(other, 7, &id, 0x7);
    assert_true(certificate_valid(&other->genesis, &certificate));
    assert_false(certificate_valid(&rig.genesis, &certificate));
    certificate.chain_id = rig.genesis.chain_id;
    assert_false(certificate_valid(&rig.genesis, &certificate));
    free(other);
}

/* ---- evidence ---- */

static struct evidence double_vote(void) {
    struct hash a = signer_rig_hash(1), b = signer_rig_hash(2);
    struct vote first = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &a);
    struct vote second = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &b);
    return evidence_of_votes(&first, &second);
}

static void two_votes_for_different_blocks_are_evidence_in_one_order(void **state) {
    (void)state;
    struct hash a = signer_rig_hash(1), nil = {0};
    struct vote first = signer_rig_vote(&rig, VOTE_PRECOMMIT, 1, 5, &a);
    struct vote second = signer_rig_vote(&rig, VOTE_PRECOMMIT, 1, 5, &nil);
    struct evidence ab = evidence_of_votes(&first, &second), ba = evidence_of_votes(&second, &first);
    assert_true(evidence_valid(&rig.genesis, &ab));
    assert_true(evidence_valid(&rig.genesis, &ba));
    assert_true(hash_is_zero(&ab.as.votes[0].block_id) && hash_is_zero(&ba.as.votes[0].block_id));
    assert_int_equal(evidence_accused(&ab), 1);
    assert_int_equal(evidence_height(&ab), 5);
    struct vote swap = ab.as.votes[0];
    ab.as.votes[0] = ab.as.votes[1];
    ab.as.votes[1] = swap;
    assert_false(evidence_valid(&rig.genesis, &ab)); /* a second form of the same */
}

static void two_proposals_are_evidence_by_block_or_by_parts(void **state) {
    (void)state;
    struct hash a = signer_rig_hash(1), b = signer_rig_hash(2);
    struct proposal first = signer_rig_proposal(&rig, 1, 5, &a), second = signer_rig_proposal(&rig, 1, 5, &b);
    struct evidence evidence = evidence_of_proposals(&second, &first);
    assert_true(evidence_valid(&rig.genesis, &evidence));
    struct proposal parts = first;
    parts.parts_root = signer_rig_hash(77);
    proposal_sign(&rig.genesis, &rig.keys[1], &parts);
    evidence = evidence_of_proposals(&first, &parts);
    assert_true(evidence_valid(&rig.genesis, &evidence));
    assert_int_equal(evidence_accused(&evidence), 1);
    evidence = evidence_of_proposals(&first, &first);
    assert_false(evidence_valid(&rig.genesis, &evidence));
    evidence = evidence_of_proposals(&first, &second);
    evidence.as.proposals[1].signature.bytes[0] ^= 1;
    assert_false(evidence_valid(&rig.genesis, &evidence));
    struct proposal higher = signer_rig_proposal(&rig, 1, 6, &b);
    evidence = evidence_of_proposals(&first, &higher);
    assert_false(evidence_valid(&rig.genesis, &evidence));
}

/* What an honest validator may sign, or what others may make up, accuses nobody. */
static void nobody_is_accused_who_did_not_sign_twice(void **state) {
    (void)state;
    struct hash a = signer_rig_hash(1), b = signer_rig_hash(2);
    struct vote prevote = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &a);
    struct vote others[] = {
        signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &a),                                  /* the same again */
        signer_rig_vote(&rig, VOTE_PREVOTE, 1, 6, &b),                                  /* another height */
        signer_rig_vote(&rig, VOTE_PRECOMMIT, 1, 5, &b),                                /* another step */
        signer_rig_vote(&rig, VOTE_PREVOTE, 2, 5, &b),                                  /* somebody else */
        {.type = VOTE_PREVOTE, .height = 5, .round = 1, .validator = 1, .block_id = b}, /* another round */
        {.type = VOTE_PREVOTE, .height = 5, .validator = 1, .block_id = b},             /* by another key */
    };
    vote_sign(&rig.genesis, &rig.keys[1], &others[4]);
    vote_sign(&rig.genesis, &rig.keys[2], &others[5]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct evidence evidence = evidence_of_votes(&prevote, &others[i]);
        assert_false(evidence_valid(&rig.genesis, &evidence));
    }
}

static void both_signatures_of_evidence_are_verified(void **state) {
    (void)state;
    const struct evidence good = double_vote();
    assert_true(evidence_valid(&rig.genesis, &good));
    for (size_t i = 0; i < 2; i++)
        for (size_t byte = 0; byte < SIGNATURE_BYTES; byte++) {
            struct evidence bogus = good;
            bogus.as.votes[i].signature.bytes[byte] ^= 1;
            assert_false(evidence_valid(&rig.genesis, &bogus));
        }
    struct evidence unknown = good;
    unknown.kind = (enum evidence_kind)3;
    assert_false(evidence_valid(&rig.genesis, &unknown));
}

static void one_offence_has_one_key_whichever_messages_show_it(void **state) {
    (void)state;
    struct hash a = signer_rig_hash(1), b = signer_rig_hash(2), c = signer_rig_hash(3);
    struct vote va = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &a),
                vb = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &b),
                vc = signer_rig_vote(&rig, VOTE_PREVOTE, 1, 5, &c);
    struct evidence ab = evidence_of_votes(&va, &vb), bc = evidence_of_votes(&vb, &vc), other = ab;
    struct hash key = evidence_key(&ab), same = evidence_key(&bc);
    assert_true(hash_equal(&key, &same));
    other.as.votes[0].round = other.as.votes[1].round = 1;
    struct hash different = evidence_key(&other);
    assert_false(hash_equal(&key, &different));
    other = ab;
    other.as.votes[0].type = other.as.votes[1].type = VOTE_PRECOMMIT;
    different = evidence_key(&other);
    assert_false(hash_equal(&key, &different));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_taken_apart_into_what_it_was_built_of),
        cmocka_unit_test(a_block_cut_lengthened_or_changed_is_refused),
        cmocka_unit_test(a_block_above_its_bound_is_refused_unread),
        cmocka_unit_test(a_block_that_claims_many_transactions_gets_no_room_for_them),
        cmocka_unit_test(an_empty_block_is_a_block),
        cmocka_unit_test(a_block_travels_in_parts_below_one_root),
        cmocka_unit_test(a_quorum_of_distinct_validators_certifies),
        cmocka_unit_test(one_signature_less_than_a_quorum_never_certifies),
        cmocka_unit_test(one_validator_signing_often_does_not_certify),
        cmocka_unit_test(votes_for_nil_do_not_certify),
        cmocka_unit_test(prevotes_do_not_certify),
        cmocka_unit_test(a_foreign_key_or_an_unknown_validator_does_not_certify),
        cmocka_unit_test(a_vote_of_one_validator_does_not_count_for_another),
        cmocka_unit_test(a_certificate_holds_for_its_own_chain_height_round_and_block),
        cmocka_unit_test(certificates_of_another_chain_do_not_hold_here),
        cmocka_unit_test(two_votes_for_different_blocks_are_evidence_in_one_order),
        cmocka_unit_test(two_proposals_are_evidence_by_block_or_by_parts),
        cmocka_unit_test(nobody_is_accused_who_did_not_sign_twice),
        cmocka_unit_test(both_signatures_of_evidence_are_verified),
        cmocka_unit_test(one_offence_has_one_key_whichever_messages_show_it),
    };
    return cmocka_run_group_tests(tests, open_rig, NULL);
}
