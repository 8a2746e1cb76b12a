/* consensus_votes.c: the votes, proposals and values that the engine holds, within bounds. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mutate.h"
#include "nodes/chain/consensus_state.h"

struct consensus_action *consensus_emit(struct consensus_actions *out, enum consensus_action_kind kind,
                                        uint32_t round) {
    assert(out->count < CONSENSUS_ACTIONS_MAX);
    struct consensus_action *action = &out->items[out->count++];
    *action = (struct consensus_action){.kind = kind, .round = round, .valid_round = -1};
    return action;
}

/* Evidence is shown again by whoever repeats the offence: it never takes the room of what must be done. */
static void accuse(struct consensus_actions *out, uint32_t round, const struct evidence *evidence) {
    if (out->count < CONSENSUS_ACTIONS_MAX / 2)
        consensus_emit(out, CONSENSUS_DO_EVIDENCE, round)->evidence = *evidence;
}

/* ---------------------------------------------------------------------------------------------- records */

static bool is_needed(const struct consensus *consensus, uint32_t round) {
    if (round > consensus->round)
        return false;
    if (consensus->round - round <= CONSENSUS_PAST_ROUNDS || (int64_t)round == consensus->valid_round ||
        (int64_t)round == consensus->locked_round)
        return true;
    const struct round_record *now = consensus_record(consensus, consensus->round);
    return now && now->has_proposal && (int64_t)round == now->proposal.valid_round;
}

struct round_record *consensus_record(const struct consensus *consensus, uint32_t round) {
    for (uint32_t i = 0; i < CONSENSUS_RECORDS; i++)
        if (consensus->records[i].held && consensus->records[i].round == round)
            return (struct round_record *)&consensus->records[i];
    return NULL;
}

/* Empties a record; its arrays stay. */
static void clear_record(struct round_record *record) {
    struct round_votes prevotes = record->votes[0], precommits = record->votes[1];
    prevotes.set.seen = prevotes.set.conflicting = prevotes.tally_count = 0;
    precommits.set.seen = precommits.set.conflicting = precommits.tally_count = 0;
    *record = (struct round_record){.votes = {prevotes, precommits}};
}

static void free_unneeded(struct consensus *consensus) {
    for (uint32_t i = 0; i < CONSENSUS_RECORDS; i++)
        if (consensus->records[i].held && !is_needed(consensus, consensus->records[i].round))
            clear_record(&consensus->records[i]);
}

struct round_record *consensus_find_record(struct consensus *consensus, uint32_t round) {
    struct round_record *record = consensus_record(consensus, round);
    if (record || !is_needed(consensus, round))
        return record;
    free_unneeded(consensus);
    for (uint32_t i = 0; i < CONSENSUS_RECORDS && !record; i++)
        if (!consensus->records[i].held)
            record = &consensus->records[i];
    assert(record);
    record->held = true;
    record->round = round;
    return record;
}

void consensus_forget(struct consensus *consensus) {
    for (uint32_t i = 0; i < CONSENSUS_RECORDS; i++)
        clear_record(&consensus->records[i]);
    for (uint32_t i = 0; i < consensus->config.validator_count; i++)
        consensus->future[i].used = false;
    for (uint32_t i = 0; i < CONSENSUS_VALUES; i++)
        consensus->values[i].validity = VALUE_UNKNOWN;
}

/* ------------------------------------------------------------------------------------------------ votes */

static void tally_add(struct round_votes *votes, const struct vote *vote) {
    uint32_t i = 0;
    while (i < votes->tally_count && !hash_equal(&votes->tallies[i].value, &vote->block_id))
        i++;
    if (i == votes->tally_count)
        votes->tallies[votes->tally_count++] = (struct tally){.value = vote->block_id};
    votes->tallies[i].voters |= UINT64_C(1) << vote->validator;
    votes->tallies[i].messages++;
}

static void tally_remove(struct round_votes *votes, const struct vote *vote) {
    for (uint32_t i = 0; i < votes->tally_count; i++) {
        struct tally *tally = &votes->tallies[i];
        if (!hash_equal(&tally->value, &vote->block_id))
            continue;
        tally->voters &= ~(UINT64_C(1) << vote->validator);
        if (!tally->voters)
            *tally = votes->tallies[--votes->tally_count];
        return;
    }
}

/* The value proposed in that round, or the one whose polka the current proposal says was there. */
static bool is_proposed(const struct consensus *consensus, const struct round_record *record,
                        const struct hash *value) {
    if (record->has_proposal && hash_equal(&record->proposal.block_id, value))
        return true;
    const struct round_record *now = consensus_record(consensus, consensus->round);
    return now && now->has_proposal && (int64_t)record->round == now->proposal.valid_round &&
           hash_equal(&now->proposal.block_id, value);
}

/* A third value of one validator. It counts in the place of another only when the proposal speaks of it:
 * else a liar who voted for two other values first could hide from one validator the polka that all others
 * see, and stop its prevote for ever. A quorum that is there is never taken apart. */
static void add_third(const struct consensus *consensus, const struct round_record *record,
                      struct round_votes *votes, const struct vote *vote) {
    if (!is_proposed(consensus, record, &vote->block_id) ||
        consensus_quorum_value(consensus, record, vote->type))
        return;
    struct vote *place = &votes->set.second[vote->validator];
    if (is_proposed(consensus, record, &place->block_id))
        place = &votes->set.first[vote->validator];
    tally_remove(votes, place);
    *place = *vote;
    tally_add(votes, vote);
}

static void add_to_record(struct consensus *consensus, struct round_record *record, const struct vote *vote,
                          struct consensus_actions *out) {
    struct round_votes *votes = &record->votes[vote_index(vote->type)];
    struct vote_set *set = &votes->set;
    uint64_t bit = UINT64_C(1) << vote->validator;
    struct vote *first = &set->first[vote->validator], *second = &set->second[vote->validator];
    if (!(set->seen & bit)) {
        set->seen |= bit;
        *first = *vote;
        tally_add(votes, vote);
    } else if (hash_equal(&first->block_id, &vote->block_id) ||
               ((set->conflicting & bit) && hash_equal(&second->block_id, &vote->block_id))) {
        tally_add(votes, vote); /* known; changes nothing but the count of messages */
    } else if (!(set->conflicting & bit)) {
        set->conflicting |= bit;
        *second = *vote;
        tally_add(votes, vote);
        struct evidence evidence = evidence_of_votes(first, second);
        accuse(out, vote->round, &evidence);
    } else {
        add_third(consensus, record, votes, vote);
    }
}

/* The slot of a validator, for `round`; NULL: it has been further already. */
static struct future_slot *future_slot(struct consensus *consensus, uint16_t validator, uint32_t round) {
    struct future_slot *slot = &consensus->future[validator];
    if (slot->used && slot->round > round)
        return NULL;
    if (!slot->used || slot->round < round)
        *slot = (struct future_slot){.used = true, .round = round};
    return slot;
}

static void add_to_slot(struct future_slot *slot, const struct vote *vote, struct consensus_actions *out) {
    struct vote *votes = slot->votes[vote_index(vote->type)];
    uint8_t *count = &slot->vote_count[vote_index(vote->type)];
    for (uint32_t i = 0; i < *count; i++)
        if (hash_equal(&votes[i].block_id, &vote->block_id))
            return;
    if (*count == 2)
        return;
    votes[(*count)++] = *vote;
    if (*count == 2) {
        struct evidence evidence = evidence_of_votes(&votes[0], &votes[1]);
        accuse(out, vote->round, &evidence);
    }
}

void consensus_add_vote(struct consensus *consensus, const struct vote *vote, struct consensus_actions *out) {
    if (vote->round > consensus->round) {
        struct future_slot *slot = future_slot(consensus, vote->validator, vote->round);
        if (slot)
            add_to_slot(slot, vote, out);
        return;
    }
    struct round_record *record = consensus_find_record(consensus, vote->round);
    if (record)
        add_to_record(consensus, record, vote, out);
}

/* -------------------------------------------------------------------------------------------- proposals */

static bool conflicts(const struct proposal *a, const struct proposal *b) {
    struct hash a_parts = proposal_parts_id(a), b_parts = proposal_parts_id(b);
    return !hash_equal(&a->block_id, &b->block_id) || !hash_equal(&a_parts, &b_parts);
}

/* The first proposal of a round counts; the second is evidence. */
static void keep_proposal(bool *has, struct proposal *kept, bool *conflict, const struct proposal *proposal,
                          struct consensus_actions *out) {
    if (!*has) {
        *has = true;
        *kept = *proposal;
    } else if (!*conflict && conflicts(kept, proposal)) {
        *conflict = true;
        struct evidence evidence = evidence_of_proposals(kept, proposal);
        accuse(out, proposal->round, &evidence);
    }
}

void consensus_add_proposal(struct consensus *consensus, const struct proposal *proposal,
                            struct consensus_actions *out) {
    if (proposal->round > consensus->round) {
        struct future_slot *slot = future_slot(consensus, proposal->proposer, proposal->round);
        if (slot)
            keep_proposal(&slot->has_proposal, &slot->proposal, &slot->proposal_conflict, proposal, out);
        return;
    }
    struct round_record *record = consensus_find_record(consensus, proposal->round);
    if (record)
        keep_proposal(&record->has_proposal, &record->proposal, &record->proposal_conflict, proposal, out);
}

/* ----------------------------------------------------------------------------------------- future rounds */

void consensus_advance(struct consensus *consensus, struct consensus_actions *out) {
    free_unneeded(consensus);
    for (uint32_t i = 0; i < consensus->config.validator_count; i++) {
        struct future_slot *slot = &consensus->future[i];
        if (!slot->used || slot->round > consensus->round)
            continue;
        slot->used = false;
        if (slot->has_proposal)
            consensus_add_proposal(consensus, &slot->proposal, out);
        struct round_record *record = consensus_record(consensus, slot->round);
        if (record && record->has_proposal && slot->has_proposal)
            record->proposal_conflict |= slot->proposal_conflict;
        for (uint32_t type = 0; type < 2; type++)
            for (uint32_t j = 0; j < slot->vote_count[type]; j++)
                consensus_add_vote(consensus, &slot->votes[type][j], out);
    }
}

uint64_t consensus_ahead(const struct consensus *consensus) {
    uint64_t ahead = 0;
    for (uint32_t i = 0; i < consensus->config.validator_count; i++)
        if (consensus->future[i].used)
            ahead |= UINT64_C(1) << i;
    return ahead;
}

uint32_t consensus_skip_round(const struct consensus *consensus) {
    uint32_t skip = consensus->round;
    for (uint32_t i = 0; i < consensus->config.validator_count; i++) {
        const struct future_slot *slot = &consensus->future[i];
        if (!slot->used || slot->round <= skip)
            continue;
        uint32_t reached = 0;
        for (uint32_t j = 0; j < consensus->config.validator_count; j++)
            reached += consensus->future[j].used && consensus->future[j].round >= slot->round;
        if (reached >= consensus->faults_max + 1)
            skip = slot->round;
    }
    return skip;
}

/* ----------------------------------------------------------------------------------------------- quorums */

static uint32_t counted(const struct tally *tally, uint64_t others) {
    return MUTATE(COUNT_MESSAGES, (uint32_t)__builtin_popcountll(tally->voters | others), tally->messages);
}

static bool suffices(const struct consensus *consensus, uint32_t count) {
    return count >= MUTATE(QUORUM_LESS_ONE, consensus->quorum, consensus->quorum - 1);
}

uint64_t consensus_voters(const struct round_votes *votes, const struct hash *value) {
    for (uint32_t i = 0; i < votes->tally_count; i++)
        if (hash_equal(&votes->tallies[i].value, value))
            return votes->tallies[i].voters;
    return 0;
}

const struct hash *consensus_quorum_value(const struct consensus *consensus,
                                          const struct round_record *record, enum vote_type type) {
    const struct round_votes *votes = &record->votes[vote_index(type)];
    static const struct hash nil = {0};
    uint64_t others = type == VOTE_PRECOMMIT ? MUTATE(NIL_CERTIFICATE, 0, consensus_voters(votes, &nil)) : 0;
    for (uint32_t i = 0; i < votes->tally_count; i++)
        if (suffices(consensus, counted(&votes->tallies[i], others)) &&
            !hash_is_zero(&votes->tallies[i].value))
            return &votes->tallies[i].value;
    return NULL;
}

bool consensus_has_quorum(const struct consensus *consensus, const struct round_record *record,
                          enum vote_type type, const struct hash *value) {
    const struct round_votes *votes = &record->votes[vote_index(type)];
    for (uint32_t i = 0; i < votes->tally_count; i++)
        if (hash_equal(&votes->tallies[i].value, value))
            return suffices(consensus, counted(&votes->tallies[i], 0));
    return false;
}

/* ------------------------------------------------------------------------------------------------ values */

static bool is_in_use(const struct consensus *consensus, const struct hash *value) {
    const struct round_record *now = consensus_record(consensus, consensus->round);
    return hash_equal(value, &consensus->locked_value) || hash_equal(value, &consensus->valid_value) ||
           (now && now->has_proposal && hash_equal(value, &now->proposal.block_id));
}

/* A ring that steps over what is in use; what falls out is asked for again when a quorum speaks of it. */
void consensus_learn_value(struct consensus *consensus, const struct hash *value, enum validity validity) {
    uint32_t place = CONSENSUS_VALUES;
    for (uint32_t i = 0; i < CONSENSUS_VALUES; i++)
        if (consensus->values[i].validity != VALUE_UNKNOWN && hash_equal(&consensus->values[i].value, value))
            place = i;
    while (place == CONSENSUS_VALUES) {
        uint32_t next = consensus->value_next;
        consensus->value_next = (next + 1) % CONSENSUS_VALUES;
        if (consensus->values[next].validity == VALUE_UNKNOWN ||
            !is_in_use(consensus, &consensus->values[next].value))
            place = next;
    }
    consensus->values[place] = (struct known_value){.value = *value, .validity = validity};
}

enum validity consensus_validity(const struct consensus *consensus, const struct hash *value) {
    for (uint32_t i = 0; i < CONSENSUS_VALUES; i++)
        if (consensus->values[i].validity != VALUE_UNKNOWN && hash_equal(&consensus->values[i].value, value))
            return consensus->values[i].validity;
    return VALUE_UNKNOWN;
}
