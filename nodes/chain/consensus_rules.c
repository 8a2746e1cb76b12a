/* consensus_rules.c: the upon-rules of Algorithm 1 of Buchman, Kwon and Milosevic (2018); "line" is a line of
 * it.
 *
 * Where a rule asks for a proposal together with a quorum (lines 36 and 49), the value itself suffices here:
 * a quorum holds honest validators that had the proposal, and an equivocating proposer cannot keep apart
 * those who got the other one.
 *
 * The time-outs of lines 34 and 47 start when q distinct validators are known to be done with the step,
 * which those are as well who have signed for a later step or round. Time-outs are always safe, and after a
 * crash of many the older votes are nowhere to be had: each validator keeps its last signature only. For the
 * same reason nobody leaves a round without q that are done with it, or f + 1 that are beyond it. */
#include <stdlib.h>

#include "common/base/mutate.h"
#include "nodes/chain/consensus_state.h"

static struct round_record *current(struct consensus *consensus) {
    return consensus_find_record(consensus, consensus->round);
}

static void start_timer(const struct consensus *consensus, enum consensus_step step,
                        struct consensus_actions *out) {
    struct consensus_action *timer = consensus_emit(out, CONSENSUS_DO_TIMEOUT, consensus->round);
    timer->step = step;
    timer->delay_ns = consensus_timeout_ns(&consensus->config, consensus->round);
    if (step == CONSENSUS_PROPOSE && consensus->round == 0)
        timer->delay_ns += consensus->wait_ns;
}

/* Lines 11 to 21. The proposer has the time-out too: its block may fail to come. */
void consensus_start_round(struct consensus *consensus, uint32_t round, struct consensus_actions *out) {
    consensus->round = round;            /* line 12 */
    consensus->step = CONSENSUS_PROPOSE; /* line 13 */
    consensus_advance(consensus, out);
    for (uint32_t i = 0; i < CONSENSUS_RECORDS; i++)
        consensus->records[i].asked[0] = consensus->records[i].asked[1] = false;
    consensus_emit(out, CONSENSUS_DO_ROUND, round);
    if (!consensus->config.observer && consensus_proposer(consensus, round) == consensus->config.self) {
        struct consensus_action *propose = consensus_emit(out, CONSENSUS_DO_PROPOSE, round); /* line 19 */
        propose->value = consensus->valid_value;                                             /* line 16 */
        propose->valid_round = consensus->valid_round;
    }
    start_timer(consensus, CONSENSUS_PROPOSE, out); /* line 21 */
}

void consensus_cast(struct consensus *consensus, enum vote_type type, const struct hash *value,
                    struct consensus_actions *out) {
    consensus->step = type == VOTE_PREVOTE ? CONSENSUS_PREVOTE : CONSENSUS_PRECOMMIT;
    if (consensus->config.observer)
        return;
    struct consensus_action *vote = consensus_emit(out, CONSENSUS_DO_VOTE, consensus->round);
    vote->type = type;
    vote->value = *value;
}

static void ask(struct round_record *record, enum vote_type type, const struct hash *value,
                struct consensus_actions *out) {
    if (record->asked[vote_index(type)])
        return;
    record->asked[vote_index(type)] = true;
    consensus_emit(out, CONSENSUS_DO_NEED_VALUE, record->round)->value = *value;
}

/* Line 49, for every round that is held. A value that is invalid here is asked for again each round and
 * never committed: more than f are faulty, and silence is better than a fork. */
static bool rule_decide(struct consensus *consensus, struct consensus_actions *out) {
    for (uint32_t i = 0; i < CONSENSUS_RECORDS; i++) {
        struct round_record *record = &consensus->records[i];
        const struct hash *value =
            record->held ? consensus_quorum_value(consensus, record, VOTE_PRECOMMIT) : NULL;
        if (!value)
            continue;
        if (consensus_validity(consensus, value) != VALUE_VALID) { /* line 50 */
            ask(record, VOTE_PRECOMMIT, value, out);
            continue;
        }
        consensus->step = CONSENSUS_DECIDED; /* line 51 */
        consensus->decided_round = record->round;
        consensus->decided_value = *value;
        consensus_emit(out, CONSENSUS_DO_COMMIT, record->round)->value = *value;
        return true;
    }
    return false;
}

/* Line 55. */
static bool rule_skip(struct consensus *consensus, struct consensus_actions *out) {
    uint32_t round = consensus_skip_round(consensus);
    if (round == consensus->round)
        return false;
    consensus_start_round(consensus, round, out); /* line 56 */
    return true;
}

/* Lines 23 and 29: may the lock be voted against, or is there none? */
static bool lock_allows(const struct consensus *consensus, const struct proposal *proposal) {
    bool same = hash_equal(&consensus->locked_value, &proposal->block_id);
    if (proposal->valid_round < 0)
        return MUTATE(SKIP_LOCK_CHECK, consensus->locked_round == -1 || same, true);
    bool newer = MUTATE(STALE_POLKA, consensus->locked_round <= proposal->valid_round, true);
    return MUTATE(SKIP_LOCK_CHECK, newer || same, true);
}

/* Lines 22 and 28. When the lock forbids it, nil is due whatever the value is: it is not waited for. */
static bool rule_prevote(struct consensus *consensus, struct consensus_actions *out) {
    const struct round_record *now = current(consensus);
    if (consensus->step != CONSENSUS_PROPOSE || !now->has_proposal)
        return false;
    const struct proposal *proposal = &now->proposal;
    if (proposal->valid_round >= 0) {
        const struct round_record *polka = consensus_record(consensus, (uint32_t)proposal->valid_round);
        if (!polka || !consensus_has_quorum(consensus, polka, VOTE_PREVOTE, &proposal->block_id))
            return false;
    }
    bool allowed = lock_allows(consensus, proposal);
    enum validity validity = consensus_validity(consensus, &proposal->block_id);
    if (allowed && validity == VALUE_UNKNOWN)
        return false;
    struct hash nil = {0};
    consensus_cast(consensus, VOTE_PREVOTE,
                   allowed && validity == VALUE_VALID ? &proposal->block_id : &nil, /* lines 24, 26, 30, 32 */
                   out);
    return true;
}

/* Line 36. */
static bool rule_polka(struct consensus *consensus, struct consensus_actions *out) {
    struct round_record *now = current(consensus);
    if (now->polka_seen)
        return false;
    const struct hash *value = consensus_quorum_value(consensus, now, VOTE_PREVOTE);
    if (!value)
        return false;
    if (consensus_validity(consensus, value) != VALUE_VALID) {
        ask(now, VOTE_PREVOTE, value, out);
        return false;
    }
    if (consensus->step < CONSENSUS_PREVOTE)
        return false;
    now->polka_seen = true;
    consensus->valid_value = *value; /* line 42 */
    consensus->valid_round = (int32_t)consensus->round;
    if (consensus->step == CONSENSUS_PREVOTE) { /* line 37 */
        consensus->locked_value = *value;
        consensus->locked_round = (int32_t)consensus->round;
        consensus_cast(consensus, VOTE_PRECOMMIT, value, out); /* line 40 */
    }
    return true;
}

/* Line 44. */
static bool rule_nil(struct consensus *consensus, struct consensus_actions *out) {
    struct hash nil = {0};
    if (consensus->step != CONSENSUS_PREVOTE ||
        !consensus_has_quorum(consensus, current(consensus), VOTE_PREVOTE, &nil))
        return false;
    consensus_cast(consensus, VOTE_PRECOMMIT, &nil, out); /* line 45 */
    return true;
}

/* Lines 34 and 47. */
static void rule_timers(struct consensus *consensus, struct consensus_actions *out) {
    struct round_record *now = current(consensus);
    uint64_t precommitted = now->votes[1].set.seen | consensus_ahead(consensus);
    uint64_t prevoted = precommitted | now->votes[0].set.seen;
    if (consensus->step == CONSENSUS_PREVOTE && !now->prevote_timer &&
        (uint32_t)__builtin_popcountll(prevoted) >= consensus->quorum) {
        now->prevote_timer = true;
        start_timer(consensus, CONSENSUS_PREVOTE, out); /* line 35 */
    }
    if (!now->precommit_timer && (uint32_t)__builtin_popcountll(precommitted) >= consensus->quorum) {
        now->precommit_timer = true;
        start_timer(consensus, CONSENSUS_PRECOMMIT, out); /* line 48 */
    }
}

void consensus_evaluate(struct consensus *consensus, struct consensus_actions *out) {
    bool again = true;
    while (again && consensus->step != CONSENSUS_DECIDED)
        again = rule_decide(consensus, out) || rule_skip(consensus, out) || rule_prevote(consensus, out) ||
                rule_polka(consensus, out) || rule_nil(consensus, out);
    if (consensus->step != CONSENSUS_DECIDED)
        rule_timers(consensus, out);
}
