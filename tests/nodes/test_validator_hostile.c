/* Goal: no validator and no edge server that lies or asks too much stops another, makes it work without end,
 * or has it say what is not so. Method: as test_validator.c; what the liar sends is made by hand with its
 * keys, and what the others send is looked at on its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/net/message_chain.h"
#include "nodes/chain/validator_state.h"
#include "tests/lib/chain_rig.h"

#define MS VTIME_NS_PER_MS
#define S VTIME_NS_PER_S
#define QUICK                                                                                                \
    "timeout: 50 ms, timeout_step: 20 ms, timeout_max: 1 s, status_interval: 20 ms, block_rate: 0 Hz"

static const struct signing_key *key_of(const struct chain_rig *rig, uint32_t index) {
    return &rig->chain->keys[rig->first_node + index];
}

static struct vote nil_precommit(const struct chain_rig *rig, uint16_t from, uint32_t round) {
    struct vote vote = {.type = VOTE_PRECOMMIT, .height = 1, .round = round, .validator = from};
    vote_sign(&rig->chain->genesis, key_of(rig, from), &vote);
    return vote;
}

static void inject_votes(struct chain_rig *rig, uint32_t from, uint32_t to,
                         const struct message_vote *message) {
    uint8_t data[2 + MESSAGE_VOTES_MAX * 128u];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_vote(&writer, message);
    assert_false(writer.failed);
    chain_rig_inject(rig, from, to, MESSAGE_VOTE, data, writer.used);
}

static uint32_t told; /* STATUS messages of validator 0 */

static bool count_status(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type, uint8_t *payload,
                         size_t bytes) {
    (void)rig;
    (void)to;
    (void)payload;
    (void)bytes;
    told += from == 0 && type == MESSAGE_STATUS;
    return true;
}

/* One honest vote of a late round, and each vote of the liar takes the validator one round further. */
static void a_message_of_votes_for_round_after_round_is_carried_out(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    chain_rig_run(&rig, MS);
    struct message_vote late = {.count = 1, .votes[0] = nil_precommit(&rig, 1, 300)};
    struct message_vote many = {.count = MESSAGE_VOTES_MAX};
    for (uint32_t i = 0; i < many.count; i++)
        many.votes[i] = nil_precommit(&rig, 3, i + 1);
    chain_rig_kill(&rig, 1);
    chain_rig_kill(&rig, 3);
    inject_votes(&rig, 1, 0, &late);
    inject_votes(&rig, 3, 0, &many);
    told = 0;
    rig.watch = count_status;
    chain_rig_run(&rig, 3 * MS);
    assert_in_range(told, 1, 3); /* where it ends, and not every round on the way */
    assert_int_equal(validator_round(rig.validators[0].state), MESSAGE_VOTES_MAX);
    chain_rig_close(&rig);
}

static void after_a_vote_that_does_not_hold_the_rest_of_a_message_is_not_looked_at(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    chain_rig_run(&rig, MS);
    struct message_vote message = {.count = MESSAGE_VOTES_MAX};
    for (uint32_t i = 0; i < message.count; i++)
        message.votes[i] = (struct vote){.type = VOTE_PREVOTE, .height = 1, .round = i, .validator = 2};
    uint64_t before = rig.chain->verified.misses;
    inject_votes(&rig, 3, 0, &message);
    chain_rig_run(&rig, 3 * MS);
    assert_int_equal(rig.chain->verified.misses, before + 1);
    assert_int_equal(validator_drops(rig.validators[0].state)->invalid, 1);
    chain_rig_close(&rig);
}

/* ---- answers ---- */

static uint64_t answered; /* bytes of blocks, by validator 0 */

static bool count_answers(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type, uint8_t *payload,
                          size_t bytes) {
    (void)rig;
    (void)to;
    (void)payload;
    answered += from == 0 && type == MESSAGE_CATCHUP_RESP ? bytes : 0;
    return true;
}

static void ask_for_blocks(struct chain_rig *rig, uint32_t times) {
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_catchup_req(
        &writer, &(struct message_catchup_req){.kind = MESSAGE_CATCHUP_BLOCK, .from = 2, .count = 1});
    for (uint32_t i = 0; i < times; i++)
        chain_rig_inject(rig, 3, 0, MESSAGE_CATCHUP_REQ, data, writer.used);
    chain_rig_run(rig, rig->now_ns + 5 * MS);
}

static void who_asks_without_end_gets_answers_within_bounds(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", block_txs: 20000, mempool: 20000");
    chain_rig_start_all(&rig);
    for (uint32_t i = 0; i < 16; i++)
        chain_rig_submit(&rig, 0, i % 4, 1000);
    chain_rig_reach(&rig, 2, S);
    chain_rig_kill(&rig, 3);
    answered = 0;
    rig.watch = count_answers;
    ask_for_blocks(&rig, 1);
    uint64_t one = answered;
    assert_true(one > 10000);
    ask_for_blocks(&rig, (uint32_t)((96u << 20) / one));
    assert_true(answered > (16u << 20));
    assert_true(answered < (40u << 20));
    assert_true(validator_drops(rig.validators[0].state)->crowded > 0);
    chain_rig_run(&rig, rig.now_ns + S); /* it is forgiven */
    uint64_t before = answered;
    ask_for_blocks(&rig, 1);
    assert_int_equal(answered, before + one);
    chain_rig_close(&rig);
}

/* ---- proposals ---- */

static uint32_t passed_on; /* proposals sent by others than their proposer */
static uint32_t liar;

static bool count_proposals(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type,
                            uint8_t *payload, size_t bytes) {
    (void)rig;
    (void)to;
    (void)payload;
    (void)bytes;
    passed_on += from != liar && type == MESSAGE_PROPOSAL;
    return true;
}

static void of_the_many_proposals_of_a_liar_two_are_passed_on(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 7, QUICK);
    chain_rig_start_all(&rig);
    chain_rig_run(&rig, 2 * MS);
    const struct validator *any = rig.validators[0].state;
    liar = consensus_proposer(any->consensus, 0);
    passed_on = 0;
    rig.watch = count_proposals;
    for (uint32_t i = 0; i < 20; i++) {
        struct message_proposal message = {.proposal = {.height = 1,
                                                        .valid_round = -1,
                                                        .proposer = (uint16_t)liar,
                                                        .block_id = {{1, (uint8_t)i}},
                                                        .part_count = 1,
                                                        .block_bytes = 1000}};
        uint8_t data[256];
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        proposal_sign(&rig.chain->genesis, key_of(&rig, liar), &message.proposal);
        message_encode_proposal(&writer, &message);
        for (uint32_t to = 0; to < 7; to++)
            if (to != liar)
                chain_rig_inject(&rig, liar, to, MESSAGE_PROPOSAL, data, writer.used);
    }
    chain_rig_run(&rig, 10 * MS);
    assert_in_range(passed_on, 1, 2 * 6);
    chain_rig_close(&rig);
}

static void a_liar_does_not_hide_behind_the_offences_of_another(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 7, QUICK);
    chain_rig_start_all(&rig);
    struct validator *validator = rig.validators[0].state;
    for (uint32_t i = 0; i <= VALIDATOR_OFFENCES_MAX; i++) {
        uint16_t accused = i < VALIDATOR_OFFENCES_MAX ? 5 : 6;
        struct vote votes[2];
        for (uint8_t j = 0; j < 2; j++)
            votes[j] = (struct vote){.type = VOTE_PREVOTE,
                                     .height = 1,
                                     .round = i,
                                     .validator = accused,
                                     .block_id = {{(uint8_t)(1 + j)}}};
        struct evidence evidence = evidence_of_votes(&votes[0], &votes[1]);
        validator_accuse(validator, &evidence);
    }
    uint32_t found = 0;
    for (uint32_t i = 0; i < validator->offence_count; i++)
        found += evidence_accused(&validator->offences[i].evidence) == 6;
    assert_int_equal(found, 1);
    assert_int_equal(validator->offence_count, VALIDATOR_OFFENCES_MAX);
    chain_rig_close(&rig);
}

/* Quorums spoke of as many blocks as there are places, and none came: the next proposal is looked at all the
 * same. */
static void blocks_that_never_came_leave_room_for_the_next_proposal(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    struct validator *validator = rig.validators[0].state;
    for (uint8_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++) {
        struct hash id = {{1, i}};
        assert_int_equal(validator_need_block(validator, 0, &id), STATUS_OK);
        assert_non_null(validator_find_block(validator, &id));
    }
    struct proposal next = {.height = 1, .block_id = {{2}}, .part_count = 1, .block_bytes = 1000};
    assert_non_null(validator_open_block(validator, &next));
    chain_rig_close(&rig);
}

/* ---- what is said to one without memory ---- */

static uint32_t claims; /* answers to its question */

static bool lose_all_and_count_claims(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type,
                                      uint8_t *payload, size_t bytes) {
    (void)rig;
    (void)to;
    struct message_status status;
    if (from == 1 && type == MESSAGE_STATUS) {
        assert_int_equal(message_decode_status(payload, bytes, &status), STATUS_OK);
        claims += (status.flags & MESSAGE_STATUS_ANSWERS) != 0;
    }
    return false;
}

static void ask_for_claim(struct chain_rig *rig) {
    uint8_t data[8192];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    struct message_status question = {
        .flags = MESSAGE_STATUS_ASKS, .height = 1, .locked_round = -1, .valid_round = -1};
    message_encode_status(&writer, &question);
    claims = 0;
    rig->watch = lose_all_and_count_claims;
    chain_rig_inject(rig, 0, 1, MESSAGE_STATUS, data, writer.used);
    chain_rig_run(rig, rig->now_ns + 2 * MS);
    rig->watch = NULL;
}

/* It has voted at heights of which it no longer knows that they were decided: what it would claim is less
 * than what it signed, and the one that asks would sign again too early. */
static void a_validator_whose_chain_is_lost_tells_no_height_until_it_has_caught_up(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_reach(&rig, 10, 5 * S);
    ask_for_claim(&rig);
    assert_int_equal(claims, 1);
    chain_rig_kill(&rig, 1);
    struct ledger_store_config config = {.disk = rig.validators[1].disk, .durability = DURABILITY_POWER};
    assert_int_equal(ledger_store_discard_chain(&config, NULL), STATUS_OK);
    rig.watch = lose_all_and_count_claims;
    chain_rig_restart(&rig, 1);
    assert_int_equal(validator_committed(rig.validators[1].state), 0);
    assert_false(validator_signs(rig.validators[1].state));
    ask_for_claim(&rig);
    assert_int_equal(claims, 0);
    chain_rig_run(&rig, rig.now_ns + 2 * S);
    assert_true(validator_signs(rig.validators[1].state));
    ask_for_claim(&rig);
    assert_int_equal(claims, 1);
    chain_rig_close(&rig);
}

/* ---- an old polka ---- */

/* In round 0 only its proposer sees a polka: nobody gets its own prevote. */
static bool hide_the_polka(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type, uint8_t *payload,
                           size_t bytes) {
    struct message_vote message;
    (void)to;
    if (type != MESSAGE_VOTE || from != liar || rig->now_ns > 30 * MS)
        return true;
    assert_int_equal(message_decode_vote(payload, bytes, &message), STATUS_OK);
    return message.votes[0].type != VOTE_PREVOTE;
}

/* Four rounds later it is its turn again, and the others keep no votes of so long ago. Beacons are rare. */
static void a_polka_of_many_rounds_ago_is_accepted_with_its_proposal(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4,
                   "timeout: 50 ms, timeout_step: 0 ms, timeout_max: 50 ms, status_interval: 60 s, "
                   "block_rate: 0 Hz, empty_blocks: true");
    struct chain_rig_validator *validators = rig.validators;
    rig.watch = hide_the_polka;
    liar = pacing_of(rig.chain->genesis.params.seed, 1, 4, 0).first_proposer;
    chain_rig_start_all(&rig);
    chain_rig_kill(&rig, (liar + 3) % 4);
    chain_rig_run(&rig, 30 * MS);
    const struct validator *locked = validators[liar].state;
    assert_int_equal(consensus_locked_round(locked->consensus), 0);
    for (uint32_t i = 1; i < 3; i++) {
        const struct validator *other = validators[(liar + i) % 4].state;
        assert_int_equal(consensus_valid_round(other->consensus), -1);
    }
    chain_rig_reach(&rig, 1, 2 * S);
    chain_rig_close(&rig);
}

/* ---- a large block ---- */

/* A transaction of one record that is as large as can be. */
static void submit_large(struct chain_rig *rig, uint32_t to, uint8_t *data, size_t capacity) {
    static const uint8_t zeros[60000];
    uint8_t ext[4 + sizeof zeros] = {1, 0, sizeof zeros & 0xff, sizeof zeros >> 8};
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    struct transaction tx = {.type = TX_RECORDS,
                             .chain_id = rig->chain->genesis.chain_id,
                             .sender = rig->count,
                             .nonce = ++rig->nonces[0],
                             .expiry_height = 1000,
                             .ext_bytes = sizeof ext,
                             .ext = ext};
    transaction_sign(&rig->chain->keys[0], &tx);
    transaction_encode(&writer, &tx);
    assert_false(writer.failed);
    chain_rig_submit_bytes(rig, 0, to, data, writer.used);
}

/* Six times 16 MB are more than what a node may send at once. */
static void a_block_that_is_too_large_for_all_branches_at_once_stops_nobody(void **state) {
    (void)state;
    struct chain_rig rig;
    uint8_t *data = malloc(70000);
    chain_rig_open(&rig, 34, QUICK ", block_size: 16 MB, mempool: 4096, block_txs: 4096");
    uint32_t proposer = pacing_of(rig.chain->genesis.params.seed, 1, 34, 0).first_proposer;
    chain_rig_start_all(&rig);
    for (uint32_t i = 0; i < 34; i++)
        if (i != proposer)
            chain_rig_kill(&rig, i);
    struct validator *validator = rig.validators[proposer].state;
    validator->ready_ns = rig.now_ns + 5 * MS; /* all of them are there by then */
    for (uint32_t i = 0; i < 260; i++)
        submit_large(&rig, proposer, data, 70000);
    chain_rig_run(&rig, 3 * MS);
    assert_true(validator->mempool.bytes > (size_t)14 << 20);
    rig.now_ns = 5 * MS;
    submit_large(&rig, proposer, data, 70000);
    chain_rig_run(&rig, 10 * MS);
    assert_true(validator->own.block_bytes > (size_t)14 << 20);
    free(data);
    chain_rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_votes_for_round_after_round_is_carried_out),
        cmocka_unit_test(after_a_vote_that_does_not_hold_the_rest_of_a_message_is_not_looked_at),
        cmocka_unit_test(who_asks_without_end_gets_answers_within_bounds),
        cmocka_unit_test(of_the_many_proposals_of_a_liar_two_are_passed_on),
        cmocka_unit_test(a_liar_does_not_hide_behind_the_offences_of_another),
        cmocka_unit_test(blocks_that_never_came_leave_room_for_the_next_proposal),
        cmocka_unit_test(a_validator_whose_chain_is_lost_tells_no_height_until_it_has_caught_up),
        cmocka_unit_test(a_polka_of_many_rounds_ago_is_accepted_with_its_proposal),
        cmocka_unit_test(a_block_that_is_too_large_for_all_branches_at_once_stops_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
