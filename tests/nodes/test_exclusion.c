/* Goal: with `exclude_accused`, a validator that evidence on the chain speaks against does not propose any
 * more, from the height after the evidence on, at every validator alike, also at those that die and come
 * back; it goes on voting; and all accused is as none. Method: the order of turns as the engine tells it;
 * then four validators of which one signs two prevotes of one round (chain_rig), and the proposers that the
 * headers of their blocks name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/chain/pacing.h"
#include "tests/lib/chain_rig.h"
#include "tests/lib/consensus_script.h"

#define MS VTIME_NS_PER_MS
#define S VTIME_NS_PER_S
#define LIAR 3u
#define RIG_SEED 11u /* of chain_rig's scenario */

/* ---- the order of turns ---- */

static void expect_turns(uint32_t validators, uint64_t excluded, uint16_t first, const char *turns) {
    struct script script;
    script_open(&script, validators, 0);
    consensus_exclude(script.engine, excluded);
    script_enter(&script, first);
    for (uint32_t round = 0; turns[round] != '\0'; round++)
        assert_int_equal(consensus_proposer(script.engine, round), turns[round] - '0');
    script_close(&script);
}

static void the_turn_of_an_excluded_validator_goes_to_the_next_in_order(void **state) {
    (void)state;
    expect_turns(5, 0, 3, "340123401");
    expect_turns(5, 1u << 2, 3, "340134013");
    expect_turns(5, 1u << 3, 3, "401240124");
    expect_turns(5, 1u << 3 | 1u << 4, 3, "01201201");
    expect_turns(5, 0x1f & ~(1u << 2), 4, "2222");
    expect_turns(1, 0, 0, "000");
}

static void excluding_all_excludes_none_and_others_do_not_count(void **state) {
    (void)state;
    expect_turns(4, 0xf, 2, "230123");
    expect_turns(4, UINT64_MAX, 2, "230123");
    expect_turns(4, 1u << 4, 2, "230123"); /* no validator */
    struct script script;
    script_open(&script, 64, 0);
    consensus_exclude(script.engine, UINT64_MAX >> 1);
    script_enter(&script, 5);
    assert_int_equal(consensus_proposer(script.engine, 0), 63);
    assert_int_equal(consensus_proposer(script.engine, INT32_MAX), 63);
    script_close(&script);
}

/* ---- on a chain ---- */

static void equivocate(struct chain_rig *rig) {
    struct message_vote message = {.count = 2};
    for (uint32_t i = 0; i < 2; i++) {
        message.votes[i] = (struct vote){.type = VOTE_PREVOTE,
                                         .height = validator_height(rig->validators[0].state),
                                         .round = 7,
                                         .validator = LIAR,
                                         .block_id = {{(uint8_t)(i + 1)}}};
        vote_sign(&rig->chain->genesis, &rig->chain->keys[rig->first_node + LIAR], &message.votes[i]);
    }
    uint8_t data[512];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_vote(&writer, &message);
    rig->delay_ns = 0;
    chain_rig_inject(rig, LIAR, 0, MESSAGE_VOTE, data, writer.used);
    rig->delay_ns = MS;
}

/* The header at `height` and the round that decided it. */
static struct block_header header_at(struct chain_rig *rig, uint64_t height, uint32_t *round) {
    uint8_t *data;
    size_t size;
    struct certificate certificate;
    struct block block;
    assert_int_equal(ledger_store_get_block(rig->validators[0].store, height, &data, &size, &certificate),
                     STATUS_OK);
    assert_int_equal(block_open(data, size, 1u << 20, &block), STATUS_OK);
    struct block_header header = block.header;
    *round = certificate.round;
    block_close(&block);
    free(data);
    return header;
}

/* The height whose block holds the evidence: evidence_root is that of an empty tree in all others. */
static uint64_t height_of_evidence(struct chain_rig *rig) {
    struct hash none = merkle_root(NULL, 0);
    uint32_t round;
    for (uint64_t height = 1; height <= chain_rig_least(rig); height++) {
        struct block_header header = header_at(rig, height, &round);
        if (!hash_equal(&header.evidence_root, &none))
            return height;
    }
    fail_msg("no evidence on the chain");
    return 0;
}

static uint32_t turns_of_liar(uint64_t from, uint64_t to) {
    uint32_t turns = 0;
    for (uint64_t height = from; height <= to; height++)
        turns += pacing_of(RIG_SEED, height, 4, 0).first_proposer == LIAR;
    return turns;
}

static uint32_t proposed_by_liar(struct chain_rig *rig, uint64_t from, uint64_t to) {
    uint32_t blocks = 0, round;
    for (uint64_t height = from; height <= to; height++) {
        blocks += header_at(rig, height, &round).proposer == LIAR;
        assert_int_equal(round, 0); /* nobody waits for a turn that nobody takes */
    }
    return blocks;
}

static void play(struct chain_rig *rig, const char *chain) {
    chain_rig_open(rig, 4, chain);
    chain_rig_start_all(rig);
    chain_rig_reach(rig, 3, 5 * S);
    equivocate(rig);
    chain_rig_reach(rig, 30, 10 * S);
}

#define QUICK                                                                                                \
    "timeout: 50 ms, timeout_step: 20 ms, timeout_max: 1 s, status_interval: 20 ms, block_rate: 0 Hz, "      \
    "empty_blocks: true, exclude_accused: "

static void an_accused_validator_proposes_no_more(void **state) {
    (void)state;
    struct chain_rig rig;
    play(&rig, QUICK "true");
    uint64_t evidence = height_of_evidence(&rig), last = chain_rig_least(&rig);
    assert_in_range(evidence, 4, 12);
    assert_true(turns_of_liar(evidence + 1, last) > 2); /* that it would have had */
    assert_int_equal(proposed_by_liar(&rig, evidence + 1, last), 0);
    assert_int_equal(proposed_by_liar(&rig, 1, evidence), turns_of_liar(1, evidence)); /* until then it did */
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void without_the_rule_it_goes_on_proposing(void **state) {
    (void)state;
    struct chain_rig rig;
    play(&rig, QUICK "false");
    uint64_t evidence = height_of_evidence(&rig), last = chain_rig_least(&rig);
    assert_int_equal(proposed_by_liar(&rig, evidence + 1, last), turns_of_liar(evidence + 1, last));
    chain_rig_close(&rig);
}

static void those_who_die_and_come_back_exclude_the_same(void **state) {
    (void)state;
    struct chain_rig rig;
    play(&rig, QUICK "true, checkpoint: 4");
    uint64_t evidence = height_of_evidence(&rig);
    chain_rig_kill(&rig, 2);
    chain_rig_reach(&rig, chain_rig_most(&rig) + 30,
                    20 * S); /* the liar votes, or there would be no quorum */
    chain_rig_restart(&rig, 2);
    chain_rig_kill(&rig, 1);
    chain_rig_restart(&rig, 1);
    uint64_t back = chain_rig_most(&rig) + 1;
    chain_rig_reach(&rig, back + 30, 20 * S);
    uint32_t round;
    for (uint64_t height = evidence + 1; height <= chain_rig_least(&rig); height++)
        assert_int_not_equal(header_at(&rig, height, &round).proposer, LIAR);
    assert_true(turns_of_liar(back, back + 30) > 2);
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_turn_of_an_excluded_validator_goes_to_the_next_in_order),
        cmocka_unit_test(excluding_all_excludes_none_and_others_do_not_count),
        cmocka_unit_test(an_accused_validator_proposes_no_more),
        cmocka_unit_test(without_the_rule_it_goes_on_proposing),
        cmocka_unit_test(those_who_die_and_come_back_exclude_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
