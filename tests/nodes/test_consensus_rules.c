/* Goal: each upon-rule and each time-out of Algorithm 1 fires exactly when it should, for every number of
 * validators; after a crash the engine goes on where its last signature was; memory stays the same under any
 * flood. Method: scripts for one engine of four validators; loops over N with votes made by hand; every order
 * of the eight events of a good round. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/ledger/block.h"
#include "tests/lib/consensus_script.h"

/* --------------------------------------------------------------------------------------------- the rules */

static void line_22_waits_for_the_proposal_and_the_block(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_block(script, 'B', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A");
    EXPECT(script_proposal(script, 0, 'A', -1), "");
}

static void line_22_refuses_what_is_no_proposal(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, NIL, -1), "");
    EXPECT(script_proposal(script, 0, 'A', 0), "");
    EXPECT(script_proposal(script, 0, 'A', -2), "");
    struct proposal stranger = {
        .height = SCRIPT_HEIGHT, .valid_round = -1, .proposer = 1, .block_id = script_value('A')};
    script->out.count = 0;
    consensus_on_proposal(script->engine, &stranger, &script->out);
    stranger.proposer = 2;
    stranger.height++;
    consensus_on_proposal(script->engine, &stranger, &script->out);
    assert_int_equal(script->out.count, 0);
    assert_null(consensus_proposal(script->engine, 0));
}

/* Round 1 with this validator locked on A since round 0. */
static void lock_a(struct script *script) {
    script_block(script, 'A', true);
    script_proposal(script, 0, 'A', -1);
    script_prevotes(script, 0, "12", 'A');
    script_precommits(script, 0, "12", NIL);
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
    assert_int_equal(consensus_locked_round(script->engine), 0);
}

static void line_23_lets_a_locked_validator_prevote_its_own_value(void **state) {
    struct script *script = *state;
    lock_a(script);
    EXPECT(script_proposal(script, 1, 'A', -1), "prevote 1 A");
}

static void line_23_does_not_wait_for_a_block_that_the_lock_forbids(void **state) {
    struct script *script = *state;
    lock_a(script);
    EXPECT(script_proposal(script, 1, 'B', -1), "prevote 1 nil");
}

static void line_28_waits_for_the_polka_that_the_proposal_speaks_of(void **state) {
    struct script *script = *state;
    EXPECT(script_precommits(script, 1, "12", NIL), "round 1; wait-propose 1");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_proposal(script, 1, 'A', 0), "");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "2", 'A'), "");
    EXPECT(script_prevotes(script, 0, "3", 'A'), "prevote 1 A; wait-prevote 1");
}

static void line_28_takes_a_polka_of_any_earlier_round(void **state) {
    struct script *script = *state;
    EXPECT(script_prevotes(script, 41, "13", NIL), "round 41; wait-propose 41");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_prevotes(script, 5, "123", 'A'), ""); /* of no interest to anyone yet: dropped */
    assert_null(consensus_votes(script->engine, 5, VOTE_PREVOTE));
    EXPECT(script_proposal(script, 41, 'A', 5), "");
    EXPECT(script_prevotes(script, 5, "12", 'A'), "");
    EXPECT(script_prevotes(script, 5, "3", 'A'), "prevote 41 A; wait-prevote 41");
}

static void line_29_a_polka_as_new_as_the_lock_unlocks(void **state) {
    struct script *script = *state;
    lock_a(script);
    EXPECT(script_block(script, 'B', true), "");
    EXPECT(script_precommits(script, 3, "13", NIL), "round 3; wait-propose 3");
    EXPECT(script_proposal(script, 3, 'B', 1), "");
    EXPECT(script_prevotes(script, 1, "123", 'B'), "prevote 3 B; wait-prevote 3");
}

static void line_34_waits_for_q_different_prevotes_once(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "2", 'B'), "wait-prevote 0");
    EXPECT(script_prevotes(script, 0, "3", 'C'), "");
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "precommit 0 nil");
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "");
}

static void line_34_counts_those_who_have_gone_further(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_precommits(script, 0, "1", NIL), "");
    EXPECT(script_prevotes(script, 9, "3", NIL), "wait-prevote 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "precommit 0 nil; wait-precommit 0");
}

static void line_36_locks_once_and_only_with_the_block(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_prevotes(script, 0, "123", 'A'), "wait-prevote 0; need 0 A");
    EXPECT(script_block(script, 'A', true), "precommit 0 A");
    EXPECT(script_block(script, 'A', true), "");
}

static void line_44_is_for_those_who_have_prevoted(void **state) {
    struct script *script = *state;
    EXPECT(script_prevotes(script, 0, "123", NIL), "");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A; precommit 0 nil");
}

static void line_47_waits_for_q_different_precommits_once_in_any_step(void **state) {
    struct script *script = *state;
    EXPECT(script_precommits(script, 0, "1", 'A'), "");
    EXPECT(script_precommits(script, 0, "2", 'B'), "");
    EXPECT(script_precommits(script, 0, "3", NIL), "wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil; wait-prevote 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "");
}

static void line_49_never_commits_an_invalid_block_and_goes_on_asking(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', false), "");
    EXPECT(script_precommits(script, 0, "123", 'A'), "need 0 A; wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1; need 0 A");
    struct certificate certificate;
    struct hash chain = {0};
    assert_false(consensus_certificate(script->engine, &chain, &certificate));
}

static void line_49_never_commits_nil(void **state) {
    struct script *script = *state;
    EXPECT(script_precommits(script, 0, "123", NIL), "wait-precommit 0");
    EXPECT(script_precommits(script, 0, "1", 'A'), "evidence against 1");
    EXPECT(script_block(script, 'A', true), "");
    assert_int_not_equal(consensus_step_now(script->engine), CONSENSUS_DECIDED);
}

static void line_55_skips_to_what_f_plus_1_have_reached(void **state) {
    struct script *script = *state;
    EXPECT(script_prevotes(script, 1000000, "1", NIL), "");
    EXPECT(script_precommits(script, 1000001, "1", NIL), "");
    EXPECT(script_prevotes(script, 4, "3", NIL), "round 4; wait-propose 4");
    EXPECT(script_proposal(script, 8, 'A', -1), "round 8; wait-propose 8"); /* validator 2's */
    EXPECT(script_block(script, 'A', true), "prevote 8 A");
}

static void late_and_foreign_time_outs_do_nothing(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "");
    script->out.count = 0;
    consensus_on_timeout(script->engine, SCRIPT_HEIGHT + 1, 0, CONSENSUS_PROPOSE, &script->out);
    consensus_on_timeout(script->engine, SCRIPT_HEIGHT - 1, 0, CONSENSUS_PRECOMMIT, &script->out);
    assert_int_equal(script->out.count, 0);
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "");
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "");
}

static void time_outs_grow_in_a_line_up_to_their_cap(void **state) {
    (void)state;
    struct consensus_config config = {.timeout_ns = 100, .timeout_step_ns = 10, .timeout_max_ns = 150};
    assert_int_equal(consensus_timeout_ns(&config, 0), 100);
    assert_int_equal(consensus_timeout_ns(&config, 3), 130);
    assert_int_equal(consensus_timeout_ns(&config, 5), 150);
    assert_int_equal(consensus_timeout_ns(&config, 6), 150);
    assert_int_equal(consensus_timeout_ns(&config, UINT32_MAX), 150);
    config.timeout_max_ns = INT64_MAX;
    config.timeout_step_ns = INT64_MAX / 4;
    assert_int_equal(consensus_timeout_ns(&config, 5), INT64_MAX);
    config.timeout_step_ns = 0;
    assert_int_equal(consensus_timeout_ns(&config, UINT32_MAX), 100);
}

/* ------------------------------------------------------------------------------- observers, crash, resume */

static void an_observer_follows_and_signs_nothing(void **state) {
    (void)state;
    struct script script;
    script_open(&script, 4, 0);
    script.engine->config.observer = true;
    EXPECT(script_enter(&script, 0), "round 0; wait-propose 0");
    EXPECT(script_proposal(&script, 0, 'A', -1), "");
    EXPECT(script_block(&script, 'A', true), "");
    EXPECT(script_prevotes(&script, 0, "123", 'A'), "");
    EXPECT(script_precommits(&script, 0, "123", 'A'), "commit 0 A");
    script_close(&script);
}

static void a_crash_before_the_first_signature_starts_the_round_again(void **state) {
    struct script *script = *state;
    struct consensus_resume from = {
        .height = SCRIPT_HEIGHT, .first_proposer = 0, .locked_round = -1, .valid_round = -1};
    EXPECT(script_resume(script, &from), "round 0; propose 0 new; wait-propose 0");
}

static void a_crash_after_the_proposal_goes_on_with_that_proposal(void **state) {
    struct script *script = *state;
    struct consensus_resume from = {.height = SCRIPT_HEIGHT,
                                    .first_proposer = 3,
                                    .round = 1,
                                    .step = VOTE_PROPOSAL,
                                    .locked_round = -1,
                                    .valid_round = -1};
    EXPECT(script_resume(script, &from), "round 1; wait-propose 1");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 1, 'A', -1), "prevote 1 A");
}

static void a_crash_after_the_prevote_may_still_precommit(void **state) {
    struct script *script = *state;
    struct consensus_resume from = {.height = SCRIPT_HEIGHT,
                                    .first_proposer = 3,
                                    .round = 2,
                                    .step = VOTE_PREVOTE,
                                    .locked_round = -1,
                                    .valid_round = -1};
    EXPECT(script_resume(script, &from), "round 2");
    EXPECT(script_prevotes(script, 2, "0", 'A'), "");
    EXPECT(script_prevotes(script, 2, "12", 'A'), "need 2 A; wait-prevote 2");
    EXPECT(script_block(script, 'A', true), "precommit 2 A");
}

static void a_crash_while_locked_keeps_the_lock_and_can_prove_the_polka(void **state) {
    struct script *script = *state;
    struct vote polka[3];
    for (uint16_t i = 0; i < 3; i++)
        polka[i] = script_vote(VOTE_PREVOTE, 1, i, 'A');
    struct consensus_resume from = {.height = SCRIPT_HEIGHT,
                                    .first_proposer = 3,
                                    .round = 8,
                                    .step = VOTE_PRECOMMIT,
                                    .locked_round = 1,
                                    .valid_round = 1,
                                    .locked_value = script_value('A'),
                                    .valid_value = script_value('A'),
                                    .polka = polka,
                                    .polka_count = 3};
    EXPECT(script_resume(script, &from), "round 8");
    EXPECT(script_precommits(script, 8, "012", NIL), "wait-precommit 8");
    EXPECT(script_timeout(script, 8, CONSENSUS_PRECOMMIT), "round 9; propose 9 A of 1; wait-propose 9");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 9, 'A', 1), "prevote 9 A");
    assert_int_equal(consensus_voted(script->engine, 1, VOTE_PREVOTE), 0x7);
}

/* All crashed; two were at the end of round 4, one in round 5, one never returns: the precommit that took the
 * third to round 5 is lost, and still none is stuck. */
static void after_a_crash_of_all_those_behind_see_that_another_is_done_with_their_round(void **state) {
    struct script *script = *state;
    struct consensus_resume from = {.height = SCRIPT_HEIGHT,
                                    .first_proposer = 2,
                                    .round = 4,
                                    .step = VOTE_PRECOMMIT,
                                    .locked_round = -1,
                                    .valid_round = -1};
    EXPECT(script_resume(script, &from), "round 4");
    EXPECT(script_precommits(script, 4, "01", NIL), "");
    EXPECT(script_prevotes(script, 5, "3", NIL), "wait-precommit 4");
    EXPECT(script_timeout(script, 4, CONSENSUS_PRECOMMIT), "round 5; wait-propose 5");
}

/* -------------------------------------------------------------------------------- every N, flood, orders */

static void open_for(struct script *script, uint32_t validators) {
    script_open(script, validators, 0);
    script_enter(script, 0);
    script_block(script, 'A', true);
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A");
}

static void give(struct script *script, enum vote_type type, uint32_t round, uint32_t from, char letter) {
    struct vote vote = script_vote(type, round, (uint16_t)from, letter);
    consensus_on_vote(script->engine, &vote, &script->out);
}

static void it_takes_exactly_q_for_every_number_of_validators(void **state) {
    (void)state;
    for (uint32_t validators = 2; validators <= VALIDATORS_MAX; validators++) {
        struct script script;
        uint32_t quorum = quorum_size(validators);
        open_for(&script, validators);
        for (uint32_t i = 1; i < quorum; i++) {
            assert_int_equal(consensus_step_now(script.engine), CONSENSUS_PREVOTE);
            script.out.count = 0;
            for (int repeat = 0; repeat < 3; repeat++)
                give(&script, VOTE_PREVOTE, 0, i, 'A');
        }
        assert_int_equal(consensus_step_now(script.engine), CONSENSUS_PRECOMMIT);
        for (uint32_t i = 0; i < quorum; i++) {
            assert_int_equal(consensus_step_now(script.engine), CONSENSUS_PRECOMMIT);
            script.out.count = 0;
            for (int repeat = 0; repeat < 3; repeat++)
                give(&script, VOTE_PRECOMMIT, 0, i, 'A');
        }
        assert_int_equal(consensus_step_now(script.engine), CONSENSUS_DECIDED);
        struct certificate certificate;
        struct hash chain = {0};
        assert_true(consensus_certificate(script.engine, &chain, &certificate));
        assert_int_equal(__builtin_popcountll(certificate.bitmap), quorum);
        script_close(&script);
    }
}

static void it_takes_f_plus_1_to_skip_a_round_for_4_to_8_validators(void **state) {
    (void)state;
    for (uint32_t validators = 4; validators <= 8; validators++) {
        struct script script;
        open_for(&script, validators);
        uint32_t faults = quorum_faults_max(validators);
        for (uint32_t i = 0; i < faults; i++) {
            give(&script, VOTE_PRECOMMIT, 3 + i, validators - 1 - i, NIL);
            give(&script, VOTE_PRECOMMIT, 3 + i, validators - 1 - i, 'B');
            assert_int_equal(consensus_round(script.engine), 0);
        }
        give(&script, VOTE_PREVOTE, 3, 1, NIL);
        assert_int_equal(consensus_round(script.engine), 3);
        script_close(&script);
    }
}

static void a_flood_of_signed_votes_takes_no_more_memory_and_no_honest_vote_away(void **state) {
    (void)state;
    struct script script;
    script_open(&script, 7, 0);
    script_enter(&script, 0);
    size_t before = consensus_memory(script.engine);
    assert_true(before < 512 * 1024);
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    for (uint32_t i = 0; i < 100000; i++) {
        struct vote vote = script_vote(random_chance(&stream, 0.5) ? VOTE_PREVOTE : VOTE_PRECOMMIT, 0,
                                       (uint16_t)(5 + random_below(&stream, 2)), 'X');
        vote.round = (uint32_t)random_next(&stream) >> random_below(&stream, 32);
        memcpy(vote.block_id.bytes, &i, sizeof i);
        script.out.count = 0;
        consensus_on_vote(script.engine, &vote, &script.out);
        struct hash value = vote.block_id;
        consensus_on_value(script.engine, &value, i % 2, &script.out);
        assert_int_equal(consensus_round(script.engine), 0);
    }
    assert_int_equal(consensus_memory(script.engine), before);
    EXPECT(script_proposal(&script, 0, 'A', -1), "");
    EXPECT(script_block(&script, 'A', true), "prevote 0 A");
    EXPECT(script_prevotes(&script, 0, "1234", 'A'), "wait-prevote 0; precommit 0 A");
    EXPECT(script_precommits(&script, 0, "1234", 'A'), "wait-precommit 0; commit 0 A");
    script_close(&script);
}

/* A liar spends its two votes of round 0 here, and gives the third to others: the polka must count here too,
 * or this validator could never prevote what the locked one proposes again. */
static void a_third_vote_counts_when_the_proposal_speaks_of_its_value(void **state) {
    struct script *script = *state;
    EXPECT(script_prevotes(script, 0, "3", 'X'), "");
    EXPECT(script_prevotes(script, 0, "3", 'Y'), "evidence against 3");
    EXPECT(script_precommits(script, 1, "12", NIL), "round 1; wait-propose 1");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_prevotes(script, 0, "3", 'A'), "");
    EXPECT(script_proposal(script, 1, 'A', 0), "");
    EXPECT(script_prevotes(script, 0, "12", 'A'), "");
    EXPECT(script_prevotes(script, 0, "3", 'A'), "prevote 1 A; wait-prevote 1");
    EXPECT(script_prevotes(script, 0, "3", 'Y'), ""); /* a quorum is never taken apart */
    struct hash value = script_value('A');
    struct round_record *record = consensus_record(script->engine, 0);
    assert_true(consensus_has_quorum(script->engine, record, VOTE_PREVOTE, &value));
}

static void play(struct script *script, uint32_t event) {
    static const char *const from[] = {"1", "2", "3"};
    if (event == 0)
        script_proposal(script, 0, 'A', -1);
    else if (event == 1)
        script_block(script, 'A', true);
    else if (event < 5)
        script_prevotes(script, 0, from[event - 2], 'A');
    else
        script_precommits(script, 0, from[event - 5], 'A');
}

/* Heap's algorithm in its recursive form, over the events of a good round. */
static uint32_t all_orders(struct script *script, uint32_t *events, uint32_t left) {
    if (left == 1) {
        script_enter(script, 1);
        for (uint32_t i = 0; i < 8; i++)
            play(script, events[i]);
        return consensus_step_now(script->engine) == CONSENSUS_DECIDED;
    }
    uint32_t decided = 0;
    for (uint32_t i = 0; i < left; i++) {
        decided += all_orders(script, events, left - 1);
        uint32_t other = left % 2 ? 0 : i, kept = events[other];
        events[other] = events[left - 1];
        events[left - 1] = kept;
    }
    return decided;
}

static void every_order_of_the_events_of_a_good_round_decides(void **state) {
    uint32_t events[] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_int_equal(all_orders(*state, events, 8), 40320);
}

static void settings_that_make_no_sense_are_refused(void **state) {
    (void)state;
    struct consensus_config good = {.validator_count = 4, .timeout_ns = 1, .timeout_max_ns = 1};
    struct consensus *engine;
    struct consensus_config bad = good;
    bad.validator_count = VALIDATORS_MAX + 1;
    assert_int_equal(consensus_open(&bad, &engine), STATUS_INVALID);
    assert_null(engine);
    bad = good;
    bad.self = 4;
    assert_int_equal(consensus_open(&bad, &engine), STATUS_INVALID);
    bad = good;
    bad.timeout_max_ns = 0;
    assert_int_equal(consensus_open(&bad, &engine), STATUS_INVALID);
    assert_int_equal(consensus_open(&good, &engine), STATUS_OK);
    consensus_close(engine);
    consensus_close(NULL);
}

#define SCRIPTED(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRIPTED(line_22_waits_for_the_proposal_and_the_block),
        SCRIPTED(line_22_refuses_what_is_no_proposal),
        SCRIPTED(line_23_lets_a_locked_validator_prevote_its_own_value),
        SCRIPTED(line_23_does_not_wait_for_a_block_that_the_lock_forbids),
        SCRIPTED(line_28_waits_for_the_polka_that_the_proposal_speaks_of),
        SCRIPTED(line_28_takes_a_polka_of_any_earlier_round),
        SCRIPTED(line_29_a_polka_as_new_as_the_lock_unlocks),
        SCRIPTED(line_34_waits_for_q_different_prevotes_once),
        SCRIPTED(line_34_counts_those_who_have_gone_further),
        SCRIPTED(line_36_locks_once_and_only_with_the_block),
        SCRIPTED(line_44_is_for_those_who_have_prevoted),
        SCRIPTED(line_47_waits_for_q_different_precommits_once_in_any_step),
        SCRIPTED(line_49_never_commits_an_invalid_block_and_goes_on_asking),
        SCRIPTED(line_49_never_commits_nil),
        SCRIPTED(line_55_skips_to_what_f_plus_1_have_reached),
        SCRIPTED(late_and_foreign_time_outs_do_nothing),
        cmocka_unit_test(time_outs_grow_in_a_line_up_to_their_cap),
        cmocka_unit_test(an_observer_follows_and_signs_nothing),
        SCRIPTED(a_crash_before_the_first_signature_starts_the_round_again),
        SCRIPTED(a_crash_after_the_proposal_goes_on_with_that_proposal),
        SCRIPTED(a_crash_after_the_prevote_may_still_precommit),
        SCRIPTED(a_crash_while_locked_keeps_the_lock_and_can_prove_the_polka),
        SCRIPTED(after_a_crash_of_all_those_behind_see_that_another_is_done_with_their_round),
        cmocka_unit_test(it_takes_exactly_q_for_every_number_of_validators),
        cmocka_unit_test(it_takes_f_plus_1_to_skip_a_round_for_4_to_8_validators),
        cmocka_unit_test(a_flood_of_signed_votes_takes_no_more_memory_and_no_honest_vote_away),
        SCRIPTED(a_third_vote_counts_when_the_proposal_speaks_of_its_value),
        SCRIPTED(every_order_of_the_events_of_a_good_round_decides),
        cmocka_unit_test(settings_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
