/* Goal: the oracle looks: each invariant that is planted broken is reported as that invariant, and a sound
 * history as none. Method: a chain of four validators built by hand (ledger_rig), votes signed with their
 * keys, handed to the oracle as the world would. Validator 3 is the liar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "campaign/oracle.h"
#include "tests/lib/ledger_rig.h"

struct scene {
    struct ledger_rig rig;
    struct signed_set signatures;
    struct oracle oracle;
};

static int open_scene(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    ledger_rig_open(&scene->rig, &(struct ledger_rig_config){.validators = 4, .edges = 1});
    signed_set_init(&scene->signatures, &scene->rig.genesis);
    assert_int_equal(oracle_init(&scene->oracle, &scene->rig.genesis, &scene->signatures), STATUS_OK);
    for (uint32_t i = 0; i < 4; i++)
        oracle_add_member(&scene->oracle, i, i != 3, false);
    *state = scene;
    return 0;
}

static int close_scene(void **state) {
    struct scene *scene = *state;
    oracle_close(&scene->oracle);
    signed_set_close(&scene->signatures);
    ledger_rig_close(&scene->rig);
    free(scene);
    return 0;
}

static void expect(const struct scene *scene, enum invariant invariant) {
    assert_int_equal(scene->oracle.violation_count, 1);
    assert_int_equal(scene->oracle.violations[0].invariant, invariant);
}

static void expect_none(const struct scene *scene) {
    if (scene->oracle.violation_count > 0)
        print_error("%s\n", scene->oracle.violations[0].text);
    assert_int_equal(scene->oracle.violation_count, 0);
}

static struct hash value_of(uint8_t byte) {
    struct hash hash;
    memset(hash.bytes, byte, sizeof hash.bytes);
    return hash;
}

static struct vote make_vote(const struct scene *scene, uint16_t validator, enum vote_type type,
                             uint32_t round, uint8_t value) {
    struct vote vote = {.type = type, .height = 5, .round = round, .validator = validator};
    vote.block_id = value_of(value);
    vote_sign(&scene->rig.genesis, &scene->rig.keys[validator], &vote);
    return vote;
}

static void persist(struct scene *scene, const struct vote *vote) {
    struct ledger_votes votes = {.height = vote->height,
                                 .round = vote->round,
                                 .step = (uint8_t)vote->type,
                                 .signature = vote->signature};
    vote_sign_bytes(&scene->rig.genesis.chain_id, vote, votes.sign_bytes);
    oracle_persisted(&scene->oracle, vote->validator, &votes);
}

static void say(struct scene *scene, uint16_t validator, enum vote_type type, uint32_t round, uint8_t value) {
    struct vote vote = make_vote(scene, validator, type, round, value);
    persist(scene, &vote);
    oracle_sends_vote(&scene->oracle, validator, &vote);
}

/* Block number `height` of the rig, committed by `member` with the certificate given. */
static void commit(struct scene *scene, uint32_t member, uint64_t height,
                   const struct certificate *certificate) {
    const struct ledger_rig_block *block = &scene->rig.blocks[height - 1];
    oracle_committed(&scene->oracle, member,
                     &(struct oracle_commit){.height = height,
                                             .block = block->data,
                                             .block_bytes = block->size,
                                             .certificate = certificate,
                                             .state = block->state,
                                             .state_bytes = block->state_bytes});
}

static void make_chain(struct scene *scene, uint32_t heights) {
    for (uint32_t i = 0; i < heights; i++) {
        ledger_rig_records(&scene->rig, 4, 3);
        ledger_rig_commit(&scene->rig);
    }
}

static void commit_all(struct scene *scene) {
    for (uint64_t height = 1; height <= scene->rig.block_count; height++)
        for (uint32_t member = 0; member < 4; member++)
            commit(scene, member, height, &scene->rig.blocks[height - 1].certificate);
}

static void a_sound_history_breaks_nothing(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 8);
    commit_all(scene);
    for (uint16_t i = 0; i < 4; i++) {
        say(scene, i, VOTE_PREVOTE, 0, 1);
        say(scene, i, VOTE_PRECOMMIT, 0, 1);
        oracle_restarted(&scene->oracle, i, 8);
    }
    oracle_finish(&scene->oracle);
    expect_none(scene);
    assert_true(scene->oracle.checks[I14_LIGHT_CLIENT] > 0);
    assert_int_equal(scene->oracle.tip, 8);
}

/* A certified block of the height of the last one that is not that one. */
static void commit_other(struct scene *scene, uint32_t member) {
    struct ledger_rig_block *block = &scene->rig.blocks[scene->rig.block_count - 1];
    struct block opened;
    assert_int_equal(block_open(block->data, block->size, block->size, &opened), STATUS_OK);
    struct block_header header = opened.header;
    header.time_ms++;
    struct bytes_writer writer = bytes_writer_over(block->data, block->size);
    block_header_encode(&writer, &header);
    block_close(&opened);
    struct hash id = block_id_of(&header);
    struct certificate certificate =
        ledger_rig_certify(&scene->rig, header.height, 1, &id, 0xb); /* 0, 1 and the liar 3 */
    commit(scene, member, header.height, &certificate);
}

static void two_blocks_of_one_height_break_agreement(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2);
    commit_all(scene);
    commit_other(scene, 1);
    expect(scene, I1_AGREEMENT);
}

static void a_certificate_on_the_wire_for_another_block_breaks_agreement(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2);
    commit_all(scene);
    struct hash other = value_of(9);
    struct certificate certificate = ledger_rig_certify(&scene->rig, 2, 0, &other, 0x7);
    oracle_sees_certificate(&scene->oracle, &certificate, NULL);
    expect(scene, I1_AGREEMENT);
}

static void a_block_with_a_replayed_nonce_breaks_validity(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 1);
    scene->rig.nonces[4] = 0;
    ledger_rig_records(&scene->rig, 4, 3);
    struct block_header header;
    uint8_t *data;
    size_t size;
    ledger_rig_build(&scene->rig, &header, &data, &size);
    struct hash id = block_id_of(&header);
    struct certificate certificate = ledger_rig_certify(&scene->rig, 2, 0, &id, 0x7);
    commit(scene, 0, 1, &scene->rig.blocks[0].certificate);
    oracle_committed(&scene->oracle, 0,
                     &(struct oracle_commit){
                         .height = 2, .block = data, .block_bytes = size, .certificate = &certificate});
    assert_true(scene->oracle.violation_count >= 1);
    assert_int_equal(scene->oracle.violations[0].invariant, I2_VALIDITY);
    free(data);
}

static void a_height_that_nobody_committed_breaks_the_chain(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 3);
    commit(scene, 0, 1, &scene->rig.blocks[0].certificate);
    commit(scene, 0, 3, &scene->rig.blocks[2].certificate);
    expect(scene, I3_CHAIN);
}

static void a_commit_with_too_few_signatures_breaks_the_certificate(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 1);
    struct certificate certificate = ledger_rig_certify(&scene->rig, 1, 0, &scene->rig.blocks[0].id, 0x3);
    commit(scene, 0, 1, &certificate);
    expect(scene, I4_CERTIFICATE);
}

static void two_prevotes_of_an_honest_validator_are_a_double_signature(void **state) {
    struct scene *scene = *state;
    say(scene, 1, VOTE_PREVOTE, 2, 1);
    say(scene, 1, VOTE_PREVOTE, 2, 1);
    expect_none(scene);
    say(scene, 1, VOTE_PREVOTE, 2, 2);
    expect(scene, I5_NO_DOUBLE_SIGN);
}

static void a_double_signature_that_another_forwards_is_found_too(void **state) {
    struct scene *scene = *state;
    say(scene, 1, VOTE_PRECOMMIT, 2, 1);
    struct vote other = make_vote(scene, 1, VOTE_PRECOMMIT, 2, 2);
    oracle_sends_vote(&scene->oracle, 0, &other);
    expect(scene, I5_NO_DOUBLE_SIGN);
}

static void a_liar_may_sign_twice(void **state) {
    struct scene *scene = *state;
    say(scene, 3, VOTE_PREVOTE, 2, 1);
    say(scene, 3, VOTE_PREVOTE, 2, 2);
    expect_none(scene);
}

static void a_signature_over_other_bytes_is_not_taken(void **state) {
    struct scene *scene = *state;
    struct vote vote = make_vote(scene, 0, VOTE_PREVOTE, 0, 1);
    vote.type = VOTE_PRECOMMIT; /* as if both kinds were signed under one tag */
    oracle_sends_vote(&scene->oracle, 0, &vote);
    expect(scene, I5_NO_DOUBLE_SIGN);
}

static void a_prevote_against_the_lock_breaks_the_lock_rule(void **state) {
    struct scene *scene = *state;
    say(scene, 0, VOTE_PRECOMMIT, 1, 1);
    say(scene, 0, VOTE_PREVOTE, 3, 2);
    expect(scene, I6_LOCK);
}

static void a_polka_after_the_lock_excuses_the_other_value(void **state) {
    struct scene *scene = *state;
    say(scene, 0, VOTE_PRECOMMIT, 1, 1);
    for (uint16_t i = 1; i < 4; i++)
        say(scene, i, VOTE_PREVOTE, 2, 2);
    say(scene, 0, VOTE_PREVOTE, 3, 2);
    expect_none(scene);
}

static void a_polka_before_the_lock_is_no_excuse(void **state) {
    struct scene *scene = *state;
    for (uint16_t i = 1; i < 4; i++)
        say(scene, i, VOTE_PREVOTE, 0, 2);
    say(scene, 0, VOTE_PRECOMMIT, 1, 1);
    say(scene, 0, VOTE_PREVOTE, 3, 2);
    expect(scene, I6_LOCK);
}

static void a_restart_below_what_was_acknowledged_breaks_durability(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 3);
    commit_all(scene);
    oracle_restarted(&scene->oracle, 2, 3);
    expect_none(scene);
    oracle_restarted(&scene->oracle, 2, 2);
    expect(scene, I7_DURABILITY);
}

static void a_vote_that_is_sent_before_it_is_durable_is_found(void **state) {
    struct scene *scene = *state;
    struct vote vote = make_vote(scene, 0, VOTE_PREVOTE, 0, 1);
    oracle_sends_vote(&scene->oracle, 0, &vote);
    expect(scene, I8_PERSIST_BEFORE_SEND);
}

static void evidence_against_an_honest_validator_is_unsound(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2);
    ledger_rig_evidence(&scene->rig, 0, 1, 2, 0);
    ledger_rig_commit(&scene->rig);
    commit_all(scene);
    expect(scene, I9_EVIDENCE_SOUND);
}

static void see_both(struct scene *scene, uint32_t member) {
    for (uint8_t value = 1; value <= 2; value++) {
        struct vote vote = {.type = VOTE_PREVOTE, .height = 2, .round = 0, .validator = 3};
        vote.block_id = value_of(value);
        vote_sign(&scene->rig.genesis, &scene->rig.keys[3], &vote);
        oracle_gets_vote(&scene->oracle, member, 0, &vote, 2, 0);
    }
}

static void an_offence_that_was_seen_must_come_on_chain(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2 + scene->rig.genesis.params.evidence_age);
    see_both(scene, 0);
    commit_all(scene);
    oracle_finish(&scene->oracle);
    expect(scene, I10_EVIDENCE_COMPLETE);
}

static void an_offence_whose_witness_died_may_be_forgotten(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2 + scene->rig.genesis.params.evidence_age);
    see_both(scene, 0);
    oracle_member_died(&scene->oracle, 0, 0);
    commit_all(scene);
    oracle_finish(&scene->oracle);
    expect_none(scene);
}

static void an_offence_that_stands_on_the_chain_is_settled(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2);
    see_both(scene, 0);
    ledger_rig_evidence(&scene->rig, 0, 3, 2, 0);
    make_chain(scene, scene->rig.genesis.params.evidence_age);
    commit_all(scene);
    oracle_finish(&scene->oracle);
    expect_none(scene);
}

static void another_state_at_the_same_height_breaks_the_registry(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 2);
    commit_all(scene);
    scene->rig.blocks[1].state[scene->rig.blocks[1].state_bytes - 1] ^= 1;
    commit(scene, 1, 2, &scene->rig.blocks[1].certificate);
    expect(scene, I13_REGISTRY);
}

/* The same transaction twice also breaks validity; the oracle counts for itself. */
static void a_transaction_that_stands_twice_is_found(void **state) {
    struct scene *scene = *state;
    make_chain(scene, 1);
    ledger_rig_records(&scene->rig, 4, 3);
    struct block before;
    assert_int_equal(
        block_open(scene->rig.blocks[0].data, scene->rig.blocks[0].size, scene->rig.blocks[0].size, &before),
        STATUS_OK);
    assert_int_equal(before.txs[0].bytes, scene->rig.pending[0].bytes);
    memcpy((uint8_t *)(uintptr_t)scene->rig.pending[0].data, before.txs[0].data, before.txs[0].bytes);
    block_close(&before);
    struct block_header header;
    uint8_t *data;
    size_t size;
    ledger_rig_build(&scene->rig, &header, &data, &size);
    struct hash id = block_id_of(&header);
    struct certificate certificate = ledger_rig_certify(&scene->rig, 2, 0, &id, 0x7);
    commit(scene, 0, 1, &scene->rig.blocks[0].certificate);
    oracle_committed(&scene->oracle, 0,
                     &(struct oracle_commit){
                         .height = 2, .block = data, .block_bytes = size, .certificate = &certificate});
    bool found = false;
    for (uint32_t i = 0; i < scene->oracle.violation_count; i++)
        found = found || scene->oracle.violations[i].invariant == I16_EXACTLY_ONCE;
    assert_true(found);
    free(data);
}

/* 2 and 3 sign both ways and both blocks get their quorum: exactly these two are to blame. */
static void a_fork_is_blamed_on_those_who_made_it(void **state) {
    struct scene *scene = *state;
    scene->oracle.expect_fork = true;
    scene->oracle.byzantine = 0xc;
    for (uint16_t i = 0; i < 3; i++)
        say(scene, i == 0 ? 0 : (uint16_t)(i + 1), VOTE_PRECOMMIT, 0, 1);
    for (uint16_t i = 1; i < 4; i++)
        say(scene, i, VOTE_PRECOMMIT, 0, 2);
    assert_int_equal(oracle_culprits(&scene->oracle), 0xc);
    scene->oracle.forked = true;
    scene->oracle.violation_count = 0; /* 2 is a member that the scene calls honest */
    oracle_finish(&scene->oracle);
    expect_none(scene);
}

/* 2 and 3 do not sign twice, they forget their locks. */
static void amnesia_is_blamed_too(void **state) {
    struct scene *scene = *state;
    for (uint16_t i = 0; i < 4; i++) {
        if (i != 1)
            say(scene, i, VOTE_PRECOMMIT, 0, 1);
        if (i != 0)
            say(scene, i, VOTE_PREVOTE, 1, 2);
        if (i != 0)
            say(scene, i, VOTE_PRECOMMIT, 1, 2);
    }
    assert_int_equal(oracle_culprits(&scene->oracle), 0xc);
}

static void a_fork_with_too_few_culprits_is_a_hole_in_the_oracle(void **state) {
    struct scene *scene = *state;
    scene->oracle.expect_fork = true;
    scene->oracle.forked = true;
    oracle_finish(&scene->oracle);
    expect(scene, I9_EVIDENCE_SOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_sound_history_breaks_nothing),
        TEST(two_blocks_of_one_height_break_agreement),
        TEST(a_certificate_on_the_wire_for_another_block_breaks_agreement),
        TEST(a_block_with_a_replayed_nonce_breaks_validity),
        TEST(a_height_that_nobody_committed_breaks_the_chain),
        TEST(a_commit_with_too_few_signatures_breaks_the_certificate),
        TEST(two_prevotes_of_an_honest_validator_are_a_double_signature),
        TEST(a_double_signature_that_another_forwards_is_found_too),
        TEST(a_liar_may_sign_twice),
        TEST(a_signature_over_other_bytes_is_not_taken),
        TEST(a_prevote_against_the_lock_breaks_the_lock_rule),
        TEST(a_polka_after_the_lock_excuses_the_other_value),
        TEST(a_polka_before_the_lock_is_no_excuse),
        TEST(a_restart_below_what_was_acknowledged_breaks_durability),
        TEST(a_vote_that_is_sent_before_it_is_durable_is_found),
        TEST(evidence_against_an_honest_validator_is_unsound),
        TEST(an_offence_that_was_seen_must_come_on_chain),
        TEST(an_offence_whose_witness_died_may_be_forgotten),
        TEST(an_offence_that_stands_on_the_chain_is_settled),
        TEST(another_state_at_the_same_height_breaks_the_registry),
        TEST(a_transaction_that_stands_twice_is_found),
        TEST(a_fork_is_blamed_on_those_who_made_it),
        TEST(amnesia_is_blamed_too),
        TEST(a_fork_with_too_few_culprits_is_a_hole_in_the_oracle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
