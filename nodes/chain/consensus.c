/* consensus.c: what goes into the engine and what can be asked of it. The rules are in consensus_rules.c. */
#include "nodes/chain/consensus.h"

#include <assert.h>
#include <stdlib.h>

#include "common/ledger/block.h"
#include "nodes/chain/consensus_state.h"

#define VOTES_PER_RECORD 4u /* of two types the first and the second */

static size_t vote_room(uint32_t validators) {
    return (size_t)CONSENSUS_RECORDS * VOTES_PER_RECORD * validators;
}

static size_t tally_room(uint32_t validators) {
    return (size_t)CONSENSUS_RECORDS * 2u * 2u * validators;
}

/* Gives every record its part of the arrays. */
static void place_arrays(struct consensus *consensus) {
    uint32_t validators = consensus->config.validator_count;
    for (uint32_t i = 0; i < CONSENSUS_RECORDS; i++)
        for (uint32_t type = 0; type < 2; type++) {
            struct round_votes *votes = &consensus->records[i].votes[type];
            size_t index = (size_t)i * 2 + type;
            votes->set.first = consensus->votes + index * 2 * validators;
            votes->set.second = votes->set.first + validators;
            votes->tallies = consensus->tallies + index * 2 * validators;
        }
}

enum status consensus_open(const struct consensus_config *config, struct consensus **consensus) {
    *consensus = NULL;
    uint32_t validators = config->validator_count;
    if (validators < 1 || validators > VALIDATORS_MAX || (!config->observer && config->self >= validators) ||
        config->timeout_ns <= 0 || config->timeout_step_ns < 0 || config->timeout_max_ns < config->timeout_ns)
        return STATUS_INVALID;
    struct consensus *made = calloc(1, sizeof *made);
    if (!made)
        return STATUS_MEMORY;
    made->config = *config;
    made->quorum = quorum_size(validators);
    made->faults_max = quorum_faults_max(validators);
    made->step = CONSENSUS_DECIDED;
    consensus_exclude(made, 0);
    made->locked_round = made->valid_round = -1;
    made->future = calloc(validators, sizeof *made->future);
    made->votes = calloc(vote_room(validators), sizeof *made->votes);
    made->tallies = calloc(tally_room(validators), sizeof *made->tallies);
    if (!made->future || !made->votes || !made->tallies) {
        consensus_close(made);
        return STATUS_MEMORY;
    }
    place_arrays(made);
    *consensus = made;
    return STATUS_OK;
}

void consensus_close(struct consensus *consensus) {
    if (!consensus)
        return;
    free(consensus->future);
    free(consensus->votes);
    free(consensus->tallies);
    free(consensus);
}

/* ------------------------------------------------------------------------------------------------ events */

void consensus_exclude(struct consensus *consensus, uint64_t excluded) {
    uint64_t all = UINT64_MAX >> (64 - consensus->config.validator_count);
    uint64_t left = all & ~excluded;
    consensus->proposers = left != 0 ? left : all;
}

static void begin(struct consensus *consensus, uint64_t height, uint16_t first_proposer, int64_t wait_ns) {
    assert(first_proposer < consensus->config.validator_count && wait_ns >= 0);
    consensus->height = height;
    consensus->first_proposer = first_proposer;
    consensus->wait_ns = wait_ns;
    consensus->round = 0;
    consensus->step = CONSENSUS_PROPOSE;
    consensus->locked_round = consensus->valid_round = -1; /* line 53 */
    consensus->locked_value = consensus->valid_value = (struct hash){0};
    consensus_forget(consensus);
}

void consensus_enter_height(struct consensus *consensus, uint64_t height, uint16_t first_proposer,
                            int64_t wait_ns, struct consensus_actions *out) {
    begin(consensus, height, first_proposer, wait_ns);
    consensus_start_round(consensus, 0, out); /* line 54 */
    consensus_evaluate(consensus, out);
}

void consensus_resume(struct consensus *consensus, const struct consensus_resume *from,
                      struct consensus_actions *out) {
    begin(consensus, from->height, from->first_proposer, 0);
    consensus->round = from->round;
    consensus->locked_round = from->locked_round;
    consensus->locked_value = from->locked_value;
    consensus->valid_round = from->valid_round;
    consensus->valid_value = from->valid_value;
    for (uint32_t i = 0; i < from->polka_count; i++)
        consensus_add_vote(consensus, &from->polka[i], out);
    if (from->step == 0) {
        consensus_start_round(consensus, from->round, out);
    } else {
        consensus->step = from->step == VOTE_PROPOSAL  ? CONSENSUS_PROPOSE
                          : from->step == VOTE_PREVOTE ? CONSENSUS_PREVOTE
                                                       : CONSENSUS_PRECOMMIT;
        consensus_emit(out, CONSENSUS_DO_ROUND, from->round);
        if (consensus->step == CONSENSUS_PROPOSE) {
            struct consensus_action *timer = consensus_emit(out, CONSENSUS_DO_TIMEOUT, from->round);
            timer->step = CONSENSUS_PROPOSE;
            timer->delay_ns = consensus_timeout_ns(&consensus->config, from->round);
        }
    }
    consensus_evaluate(consensus, out);
}

void consensus_on_proposal(struct consensus *consensus, const struct proposal *proposal,
                           struct consensus_actions *out) {
    if (proposal->height != consensus->height || proposal->round > CONSENSUS_ROUND_MAX ||
        proposal->proposer != consensus_proposer(consensus, proposal->round) || proposal->valid_round < -1 ||
        proposal->valid_round >= (int64_t)proposal->round || hash_is_zero(&proposal->block_id))
        return;
    consensus_add_proposal(consensus, proposal, out);
    consensus_evaluate(consensus, out);
}

void consensus_on_value(struct consensus *consensus, const struct hash *value, bool valid,
                        struct consensus_actions *out) {
    consensus_learn_value(consensus, value, valid ? VALUE_VALID : VALUE_INVALID);
    consensus_evaluate(consensus, out);
}

void consensus_on_vote(struct consensus *consensus, const struct vote *vote, struct consensus_actions *out) {
    if (vote->height != consensus->height || vote->round > CONSENSUS_ROUND_MAX ||
        vote->validator >= consensus->config.validator_count ||
        (vote->type != VOTE_PREVOTE && vote->type != VOTE_PRECOMMIT))
        return;
    consensus_add_vote(consensus, vote, out);
    consensus_evaluate(consensus, out);
}

void consensus_on_timeout(struct consensus *consensus, uint64_t height, uint32_t round,
                          enum consensus_step step, struct consensus_actions *out) {
    if (height != consensus->height || round != consensus->round || consensus->step == CONSENSUS_DECIDED)
        return;
    struct hash nil = {0};
    if (step == CONSENSUS_PROPOSE && consensus->step == CONSENSUS_PROPOSE) /* line 57 */
        consensus_cast(consensus, VOTE_PREVOTE, &nil, out);
    else if (step == CONSENSUS_PREVOTE && consensus->step == CONSENSUS_PREVOTE) /* line 61 */
        consensus_cast(consensus, VOTE_PRECOMMIT, &nil, out);
    else if (step == CONSENSUS_PRECOMMIT && round < CONSENSUS_ROUND_MAX) /* line 65 */
        consensus_start_round(consensus, round + 1, out);
    consensus_evaluate(consensus, out);
}

/* --------------------------------------------------------------------------------------------- questions */

uint64_t consensus_height(const struct consensus *consensus) {
    return consensus->height;
}

uint32_t consensus_round(const struct consensus *consensus) {
    return consensus->round;
}

enum consensus_step consensus_step_now(const struct consensus *consensus) {
    return consensus->step;
}

int32_t consensus_locked_round(const struct consensus *consensus) {
    return consensus->locked_round;
}

int32_t consensus_valid_round(const struct consensus *consensus) {
    return consensus->valid_round;
}

struct hash consensus_locked_value(const struct consensus *consensus) {
    return consensus->locked_value;
}

struct hash consensus_valid_value(const struct consensus *consensus) {
    return consensus->valid_value;
}

uint16_t consensus_proposer(const struct consensus *consensus, uint32_t round) {
    uint32_t turn = round % (uint32_t)__builtin_popcountll(consensus->proposers);
    uint32_t index = consensus->first_proposer;
    while ((consensus->proposers >> index & 1) == 0 || turn-- > 0)
        index = (index + 1) % consensus->config.validator_count;
    return (uint16_t)index;
}

const struct proposal *consensus_proposal(const struct consensus *consensus, uint32_t round) {
    const struct round_record *record = consensus_record(consensus, round);
    return record && record->has_proposal ? &record->proposal : NULL;
}

const struct vote_set *consensus_votes(const struct consensus *consensus, uint32_t round,
                                       enum vote_type type) {
    const struct round_record *record = consensus_record(consensus, round);
    return record ? &record->votes[vote_index(type)].set : NULL;
}

uint64_t consensus_voted(const struct consensus *consensus, uint32_t round, enum vote_type type) {
    const struct vote_set *votes = consensus_votes(consensus, round, type);
    return votes ? votes->seen : 0;
}

uint64_t consensus_voted_for(const struct consensus *consensus, uint32_t round, enum vote_type type,
                             const struct hash *value) {
    const struct round_record *record = consensus_record(consensus, round);
    return record ? consensus_voters(&record->votes[vote_index(type)], value) : 0;
}

const struct vote *consensus_vote_for(const struct consensus *consensus, uint32_t round, enum vote_type type,
                                      const struct hash *value, uint16_t validator) {
    const struct vote_set *votes = consensus_votes(consensus, round, type);
    uint64_t bit = UINT64_C(1) << validator;
    if (!votes || !(votes->seen & bit))
        return NULL;
    if (hash_equal(&votes->first[validator].block_id, value))
        return &votes->first[validator];
    bool other = (votes->conflicting & bit) && hash_equal(&votes->second[validator].block_id, value);
    return other ? &votes->second[validator] : NULL;
}

bool consensus_wants_polka(const struct consensus *consensus, struct consensus_polka_wanted *wanted) {
    const struct proposal *proposal = consensus_proposal(consensus, consensus->round);
    if (consensus->step != CONSENSUS_PROPOSE || !proposal || proposal->valid_round < 0)
        return false;
    wanted->round = (uint32_t)proposal->valid_round;
    wanted->value = proposal->block_id;
    wanted->held = consensus_voted_for(consensus, wanted->round, VOTE_PREVOTE, &wanted->value);
    return true;
}

bool consensus_certificate(const struct consensus *consensus, const struct hash *chain_id,
                           struct certificate *certificate) {
    if (consensus->step != CONSENSUS_DECIDED || consensus->height == 0)
        return false;
    *certificate = (struct certificate){.chain_id = *chain_id,
                                        .height = consensus->height,
                                        .round = consensus->decided_round,
                                        .block_id = consensus->decided_value};
    uint32_t count = 0;
    for (uint16_t i = 0; i < consensus->config.validator_count; i++) {
        const struct vote *vote = consensus_vote_for(consensus, consensus->decided_round, VOTE_PRECOMMIT,
                                                     &consensus->decided_value, i);
        if (!vote)
            continue;
        certificate->bitmap |= UINT64_C(1) << i;
        certificate->signatures[count++] = vote->signature;
    }
    return true;
}

size_t consensus_memory(const struct consensus *consensus) {
    uint32_t validators = consensus->config.validator_count;
    return sizeof *consensus + validators * sizeof *consensus->future +
           vote_room(validators) * sizeof *consensus->votes +
           tally_room(validators) * sizeof *consensus->tallies;
}

int64_t consensus_timeout_ns(const struct consensus_config *config, uint32_t round) {
    int64_t room_ns = config->timeout_max_ns - config->timeout_ns;
    if (config->timeout_step_ns == 0)
        return config->timeout_ns;
    if (round > (uint64_t)(room_ns / config->timeout_step_ns))
        return config->timeout_max_ns;
    return config->timeout_ns + config->timeout_step_ns * round;
}
