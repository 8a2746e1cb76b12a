/* Goal: the engine behaves as published tests of Tendermint implementations demand, scenario by scenario (the
 * published name stands over each). Where an older release unlocked on a polka for nil or for an unknown
 * block, the scenario here shows what Algorithm 1 does instead: it keeps its lock. Method: one engine of four
 * validators (q = 3), a script of events, the whole trace of its answers. Validator 2 proposes in round 0,
 * then 3, then 0, which is the engine under test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/ledger/block.h"
#include "tests/lib/consensus_script.h"

static void expect_lock(const struct script *script, int32_t round, char letter) {
    struct hash locked = consensus_locked_value(script->engine), expected = script_value(letter);
    assert_int_equal(consensus_locked_round(script->engine), round);
    assert_true(hash_equal(&locked, &expected));
}

static void expect_valid(const struct script *script, int32_t round, char letter) {
    struct hash valid = consensus_valid_value(script->engine), expected = script_value(letter);
    assert_int_equal(consensus_valid_round(script->engine), round);
    assert_true(hash_equal(&valid, &expected));
}

/* Round 0 ends with this validator alone locked on A, and round 1 begins. */
static void lock_a_in_round_0(struct script *script) {
    EXPECT(script_proposal(script, 0, 'A', -1), "");
    EXPECT(script_block(script, 'A', true), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "12", 'A'), "precommit 0 A");
    EXPECT(script_precommits(script, 0, "12", NIL), "wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
    expect_lock(script, 0, 'A');
}

/* Round `round` ends without any decision. */
static void fail_round(struct script *script, uint32_t round) {
    script_timeout(script, round, CONSENSUS_PROPOSE);
    script_prevotes(script, round, "12", NIL);
    script_precommits(script, round, "12", NIL);
    script_timeout(script, round, CONSENSUS_PRECOMMIT);
    assert_int_equal(consensus_round(script->engine), round + 1);
}

/* FullRound1, FullRound2 */
static void a_full_round_commits(void **state) {
    struct script *script = *state;
    EXPECT(script_proposal(script, 0, 'A', -1), "");
    EXPECT(script_block(script, 'A', true), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "2", 'A'), "precommit 0 A");
    EXPECT(script_precommits(script, 0, "1", 'A'), "");
    EXPECT(script_precommits(script, 0, "2", 'A'), "commit 0 A");
    EXPECT(script_precommits(script, 0, "3", 'A'), "");
}

/* FullRoundNil */
static void a_full_round_of_nil_leads_to_the_next(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_prevotes(script, 0, "12", NIL), "precommit 0 nil");
    EXPECT(script_precommits(script, 0, "12", NIL), "wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
}

/* BadProposal, OversizedBlock */
static void a_bad_proposal_gets_nil(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', false), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 nil");
    EXPECT(script_prevotes(script, 0, "13", NIL), "precommit 0 nil");
}

/* ProposerSelection0, ProposerSelection2, EnterProposeYesPrivValidator */
static void the_proposers_take_turns_and_the_own_turn_asks_for_a_block(void **state) {
    struct script *script = *state;
    fail_round(script, 0);
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "prevote 1 nil");
    script_prevotes(script, 1, "12", NIL);
    script_precommits(script, 1, "12", NIL);
    EXPECT(script_timeout(script, 1, CONSENSUS_PRECOMMIT), "round 2; propose 2 new; wait-propose 2");
    static const uint16_t proposers[] = {2, 3, 0, 1, 2};
    for (uint32_t round = 0; round < 5; round++)
        assert_int_equal(consensus_proposer(script->engine, round), proposers[round]);
}

/* StateLockNoPOL */
static void a_lock_holds_while_no_other_value_has_a_polka(void **state) {
    struct script *script = *state;
    lock_a_in_round_0(script);
    EXPECT(script_block(script, 'B', true), "");
    EXPECT(script_proposal(script, 1, 'B', -1), "prevote 1 nil");
    EXPECT(script_prevotes(script, 1, "12", 'B'), "wait-prevote 1");
    EXPECT(script_timeout(script, 1, CONSENSUS_PREVOTE), "precommit 1 nil");
    EXPECT(script_precommits(script, 1, "12", NIL), "wait-precommit 1");
    EXPECT(script_timeout(script, 1, CONSENSUS_PRECOMMIT), "round 2; propose 2 A of 0; wait-propose 2");
    EXPECT(script_proposal(script, 2, 'A', 0), "prevote 2 A");
    expect_lock(script, 0, 'A');
}

/* StateLockPOLRelock, StateLock_POLUpdateLock */
static void a_polka_of_a_later_round_moves_the_lock(void **state) {
    struct script *script = *state;
    lock_a_in_round_0(script);
    EXPECT(script_proposal(script, 1, 'B', -1), "prevote 1 nil");
    EXPECT(script_prevotes(script, 1, "123", 'B'), "wait-prevote 1; need 1 B");
    EXPECT(script_block(script, 'B', true), "precommit 1 B");
    expect_lock(script, 1, 'B');
    EXPECT(script_precommits(script, 1, "23", 'B'), "commit 1 B");
}

/* StateLock_POLRelock (same value again) */
static void a_polka_for_the_locked_value_renews_the_lock(void **state) {
    struct script *script = *state;
    lock_a_in_round_0(script);
    EXPECT(script_proposal(script, 1, 'A', 0), "prevote 1 A");
    EXPECT(script_prevotes(script, 1, "12", 'A'), "precommit 1 A");
    expect_lock(script, 1, 'A');
}

/* StateLockPOLUnlock, StateLock_POLDoesNotUnlock */
static void a_polka_for_nil_does_not_unlock_but_a_later_polka_in_a_proposal_does(void **state) {
    struct script *script = *state;
    lock_a_in_round_0(script);
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "prevote 1 nil");
    EXPECT(script_prevotes(script, 1, "12", NIL), "precommit 1 nil");
    expect_lock(script, 0, 'A');
    fail_round(script, 1);
    fail_round(script, 2);
    EXPECT(script_block(script, 'B', true), "");
    EXPECT(script_proposal(script, 3, 'B', 2), "");
    EXPECT(script_prevotes(script, 2, "12", 'B'), "evidence against 1; evidence against 2");
    EXPECT(script_prevotes(script, 2, "3", 'B'), "prevote 3 B");
    expect_lock(script, 0, 'A');
}

/* StateLockPOLUnlockOnUnknownBlock, StateLock_MissingProposalWhenPOLSeenDoesNotUpdateLock */
static void a_polka_for_an_unknown_block_keeps_the_lock_and_asks_for_it(void **state) {
    struct script *script = *state;
    lock_a_in_round_0(script);
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "prevote 1 nil");
    EXPECT(script_prevotes(script, 1, "123", 'B'), "wait-prevote 1; need 1 B");
    EXPECT(script_timeout(script, 1, CONSENSUS_PREVOTE), "precommit 1 nil");
    expect_lock(script, 0, 'A');
    EXPECT(script_block(script, 'B', true), "");
    expect_lock(script, 0, 'A');
    expect_valid(script, 1, 'B');
}

/* StateLockPOLSafety1 */
static void a_polka_of_an_earlier_round_that_comes_late_changes_nothing(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "12", NIL), "wait-prevote 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "precommit 0 nil");
    EXPECT(script_precommits(script, 0, "12", NIL), "wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
    EXPECT(script_block(script, 'B', true), "");
    EXPECT(script_proposal(script, 1, 'B', -1), "prevote 1 B");
    EXPECT(script_prevotes(script, 1, "12", 'B'), "precommit 1 B");
    EXPECT(script_precommits(script, 1, "12", NIL), "wait-precommit 1");
    EXPECT(script_prevotes(script, 0, "3", 'A'), "");
    EXPECT(script_timeout(script, 1, CONSENSUS_PRECOMMIT), "round 2; propose 2 B of 1; wait-propose 2");
    expect_lock(script, 1, 'B');
    expect_valid(script, 1, 'B');
}

/* StateLockPOLSafety2 */
static void a_proposal_with_a_polka_older_than_the_lock_gets_nil(void **state) {
    struct script *script = *state;
    fail_round(script, 0);
    EXPECT(script_block(script, 'B', true), "");
    EXPECT(script_proposal(script, 1, 'B', -1), "prevote 1 B");
    EXPECT(script_prevotes(script, 1, "12", 'B'), "precommit 1 B");
    EXPECT(script_precommits(script, 1, "12", NIL), "wait-precommit 1");
    script_timeout(script, 1, CONSENSUS_PRECOMMIT);
    fail_round(script, 2);
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 3, 'A', 0), "");
    EXPECT(script_prevotes(script, 0, "3", 'A'), "");
    script_prevotes(script, 0, "12", 'A');
    EXPECT(script->trace, "evidence against 1; evidence against 2; prevote 3 nil");
    expect_lock(script, 1, 'B');
}

/* ProposeValidBlock, SetValidBlockOnDelayedPrevote */
static void a_polka_after_the_own_precommit_makes_the_value_valid_and_it_is_proposed_again(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "3", NIL), "wait-prevote 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "precommit 0 nil");
    expect_valid(script, -1, NIL);
    EXPECT(script_prevotes(script, 0, "2", 'A'), "");
    expect_valid(script, 0, 'A');
    expect_lock(script, -1, NIL);
    script_precommits(script, 0, "12", NIL);
    script_timeout(script, 0, CONSENSUS_PRECOMMIT);
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "prevote 1 nil");
    script_prevotes(script, 1, "12", NIL);
    script_precommits(script, 1, "12", NIL);
    EXPECT(script_timeout(script, 1, CONSENSUS_PRECOMMIT), "round 2; propose 2 A of 0; wait-propose 2");
    EXPECT(script_proposal(script, 2, 'A', 0), "prevote 2 A");
}

/* SetValidBlockOnDelayedProposal */
static void a_block_after_its_polka_and_the_own_precommit_becomes_the_valid_value(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_prevotes(script, 0, "123", 'A'), "wait-prevote 0; need 0 A");
    EXPECT(script_timeout(script, 0, CONSENSUS_PREVOTE), "precommit 0 nil");
    EXPECT(script_proposal(script, 0, 'A', -1), "");
    EXPECT(script_block(script, 'A', true), "");
    expect_valid(script, 0, 'A');
    expect_lock(script, -1, NIL);
}

/* WaitingTimeoutProposeOnNewRound, RoundSkipOnNilPolkaFromHigherRound */
static void votes_of_a_higher_round_take_it_there(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_prevotes(script, 1, "1", NIL), "");
    EXPECT(script_prevotes(script, 1, "2", NIL), "round 1; wait-propose 1");
    EXPECT(script_prevotes(script, 1, "3", NIL), "");
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "prevote 1 nil; precommit 1 nil");
    EXPECT(script_precommits(script, 1, "12", NIL), "wait-precommit 1");
    EXPECT(script_timeout(script, 1, CONSENSUS_PRECOMMIT), "round 2; propose 2 new; wait-propose 2");
}

/* WaitTimeoutProposeOnNilPolkaForTheCurrentRound */
static void a_nil_polka_before_the_proposal_waits_for_the_proposal(void **state) {
    struct script *script = *state;
    EXPECT(script_prevotes(script, 0, "123", NIL), "");
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil; precommit 0 nil");
}

/* CommitFromPreviousRound */
static void precommits_of_an_earlier_round_commit(void **state) {
    struct script *script = *state;
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "prevote 0 nil");
    EXPECT(script_prevotes(script, 0, "12", NIL), "precommit 0 nil");
    EXPECT(script_precommits(script, 0, "12", 'A'), "wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
    fail_round(script, 1);
    EXPECT(script_precommits(script, 0, "3", 'A'), "need 0 A");
    EXPECT(script_block(script, 'A', true), "commit 0 A");
}

/* EmitNewValidBlockEventOnCommitWithoutBlock */
static void a_decided_block_that_is_not_here_is_asked_for_then_committed(void **state) {
    struct script *script = *state;
    EXPECT(script_precommits(script, 0, "123", 'A'), "need 0 A; wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1; need 0 A");
    EXPECT(script_block(script, 'A', true), "commit 0 A");
}

/* StateHalt1 */
static void a_precommit_that_comes_a_round_late_ends_the_height(void **state) {
    struct script *script = *state;
    EXPECT(script_proposal(script, 0, 'A', -1), "");
    EXPECT(script_block(script, 'A', true), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "123", 'A'), "precommit 0 A");
    EXPECT(script_precommits(script, 0, "1", NIL), "");
    EXPECT(script_precommits(script, 0, "3", 'A'), "wait-precommit 0");
    EXPECT(script_timeout(script, 0, CONSENSUS_PRECOMMIT), "round 1; wait-propose 1");
    EXPECT(script_timeout(script, 1, CONSENSUS_PROPOSE), "prevote 1 nil");
    EXPECT(script_precommits(script, 0, "2", 'A'), "commit 0 A");
}

/* SignSameVoteTwice, WAL crash and replay */
static void after_a_crash_nothing_signed_is_asked_for_again(void **state) {
    struct script *script = *state;
    struct vote polka[3];
    for (uint16_t i = 0; i < 3; i++)
        polka[i] = script_vote(VOTE_PREVOTE, 0, i, 'A');
    struct consensus_resume from = {.height = SCRIPT_HEIGHT,
                                    .first_proposer = 2,
                                    .round = 0,
                                    .step = VOTE_PRECOMMIT,
                                    .locked_value = script_value('A'),
                                    .valid_value = script_value('A'),
                                    .polka = polka,
                                    .polka_count = 3};
    EXPECT(script_resume(script, &from), "round 0; need 0 A");
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "");
    EXPECT(script_prevotes(script, 0, "0123", 'A'), "");
    EXPECT(script_precommits(script, 0, "01", 'A'), "");
    EXPECT(script_precommits(script, 0, "2", 'A'), "commit 0 A");
}

/* DoubleSigning, byzantine prevote equivocation */
static void two_votes_of_one_validator_are_evidence_and_count_for_either_value(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "1", 'B'), "");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "evidence against 1");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "1", 'C'), "");
    EXPECT(script_prevotes(script, 0, "3", 'A'), "precommit 0 A");
    EXPECT(script_precommits(script, 0, "2", 'B'), "");
    EXPECT(script_precommits(script, 0, "2", NIL), "evidence against 2");
}

/* byzantine conflicting proposals, with a partition in two halves that heals */
static void the_half_that_got_the_other_proposal_follows_the_polka(void **state) {
    struct script *script = *state;
    EXPECT(script_block(script, 'A', true), "");
    EXPECT(script_proposal(script, 0, 'A', -1), "prevote 0 A");
    EXPECT(script_prevotes(script, 0, "1", 'A'), "");
    EXPECT(script_prevotes(script, 0, "23", 'B'), "wait-prevote 0");
    EXPECT(script_proposal(script, 0, 'B', -1), "evidence against 2");
    EXPECT(script_prevotes(script, 0, "1", 'B'), "evidence against 1; need 0 B");
    EXPECT(script_block(script, 'B', true), "precommit 0 B");
    EXPECT(script_precommits(script, 0, "23", 'B'), "commit 0 B");
    struct certificate certificate;
    struct hash chain = {0};
    assert_true(consensus_certificate(script->engine, &chain, &certificate));
    assert_int_equal(certificate.bitmap, 0xd);
    assert_int_equal(certificate.signatures[1].bytes[0], 2);
}

/* StartNextHeightCorrectlyAfterTimeout, ResetTimeoutPrecommitUponNewHeight */
static void a_new_height_starts_at_round_0_with_nothing_locked_and_ignores_old_timers(void **state) {
    struct script *script = *state;
    lock_a_in_round_0(script);
    consensus_enter_height(script->engine, SCRIPT_HEIGHT + 1, 3, 1000, &script->out);
    assert_int_equal(consensus_round(script->engine), 0);
    expect_lock(script, -1, NIL);
    const struct consensus_action *timer = &script->out.items[script->out.count - 1];
    assert_int_equal(timer->kind, CONSENSUS_DO_TIMEOUT);
    assert_int_equal(timer->delay_ns, 1100);
    EXPECT(script_timeout(script, 0, CONSENSUS_PROPOSE), "");
    EXPECT(script_prevotes(script, 0, "123", 'A'), "");
    assert_int_equal(consensus_voted(script->engine, 0, VOTE_PREVOTE), 0);
}

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SCENARIO(a_full_round_commits),
        SCENARIO(a_full_round_of_nil_leads_to_the_next),
        SCENARIO(a_bad_proposal_gets_nil),
        SCENARIO(the_proposers_take_turns_and_the_own_turn_asks_for_a_block),
        SCENARIO(a_lock_holds_while_no_other_value_has_a_polka),
        SCENARIO(a_polka_of_a_later_round_moves_the_lock),
        SCENARIO(a_polka_for_the_locked_value_renews_the_lock),
        SCENARIO(a_polka_for_nil_does_not_unlock_but_a_later_polka_in_a_proposal_does),
        SCENARIO(a_polka_for_an_unknown_block_keeps_the_lock_and_asks_for_it),
        SCENARIO(a_polka_of_an_earlier_round_that_comes_late_changes_nothing),
        SCENARIO(a_proposal_with_a_polka_older_than_the_lock_gets_nil),
        SCENARIO(a_polka_after_the_own_precommit_makes_the_value_valid_and_it_is_proposed_again),
        SCENARIO(a_block_after_its_polka_and_the_own_precommit_becomes_the_valid_value),
        SCENARIO(votes_of_a_higher_round_take_it_there),
        SCENARIO(a_nil_polka_before_the_proposal_waits_for_the_proposal),
        SCENARIO(precommits_of_an_earlier_round_commit),
        SCENARIO(a_decided_block_that_is_not_here_is_asked_for_then_committed),
        SCENARIO(a_precommit_that_comes_a_round_late_ends_the_height),
        SCENARIO(after_a_crash_nothing_signed_is_asked_for_again),
        SCENARIO(two_votes_of_one_validator_are_evidence_and_count_for_either_value),
        SCENARIO(the_half_that_got_the_other_proposal_follows_the_polka),
        SCENARIO(a_new_height_starts_at_round_0_with_nothing_locked_and_ignores_old_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
