/* oracle_sign: signatures on the wire: I5, I6, I8, and who is to blame for a fork. */
#include <inttypes.h>

#include "campaign/oracle.h"

static const char *vote_name(enum vote_type type) {
    return type == VOTE_PROPOSAL ? "proposal" : type == VOTE_PREVOTE ? "prevote" : "precommit";
}

static bool is_honest(const struct oracle *oracle, uint16_t validator) {
    return (oracle->byzantine >> validator & 1) == 0;
}

void oracle_persisted(struct oracle *oracle, uint32_t member, const struct ledger_votes *votes) {
    uint16_t self = (uint16_t)oracle->members[member].node;
    bool added;
    if (votes->step == VOTE_PROPOSAL) {
        if (signed_proposal_valid(oracle->genesis, &votes->proposal))
            signed_set_proposal(oracle->signatures, &votes->proposal, &added)->persisted = true;
        return;
    }
    if (votes->step != VOTE_PREVOTE && votes->step != VOTE_PRECOMMIT)
        return;
    struct vote vote = {.type = (enum vote_type)votes->step,
                        .height = votes->height,
                        .round = votes->round,
                        .validator = self,
                        .signature = votes->signature};
    memcpy(vote.block_id.bytes, votes->sign_bytes + 66, HASH_BYTES);
    if (signed_vote_valid(oracle->genesis, &vote))
        signed_set_vote(oracle->signatures, &vote, &added)->persisted = true;
}

/* ---- I6 ---- */

/* A polka for the value of `prevote` in a round from `lock_round` up to before it. */
bool oracle_lock_excused(const struct oracle *oracle, const struct vote *prevote, uint32_t lock_round) {
    for (uint32_t round = lock_round; round < prevote->round; round++) {
        uint64_t voters =
            signed_set_voters(oracle->signatures, prevote->height, round, VOTE_PREVOTE, &prevote->block_id);
        if ((uint32_t)__builtin_popcountll(voters) >= oracle->quorum)
            return true;
    }
    return false;
}

void oracle_check_lock(struct oracle *oracle, struct oracle_member *member, const struct vote *vote) {
    bool nil = hash_is_zero(&vote->block_id);
    if (vote->type == VOTE_PRECOMMIT && !nil) {
        if (vote->height > member->lock_height ||
            (vote->height == member->lock_height && vote->round >= member->lock_round)) {
            member->lock_height = vote->height;
            member->lock_round = vote->round;
            member->lock_value = vote->block_id;
        }
        return;
    }
    if (vote->type != VOTE_PREVOTE || nil || vote->height != member->lock_height ||
        vote->round <= member->lock_round)
        return;
    oracle->checks[I6_LOCK]++;
    if (!hash_equal(&vote->block_id, &member->lock_value) &&
        !oracle_lock_excused(oracle, vote, member->lock_round))
        oracle_violation(oracle, I6_LOCK, vote->height,
                         "%u precommits in round %u and prevotes another block in round %u without a polka",
                         vote->validator, member->lock_round, vote->round);
}

/* ---- I5, I8 ---- */

void oracle_sends_vote(struct oracle *oracle, uint32_t member_index, const struct vote *vote) {
    struct oracle_member *member = &oracle->members[member_index];
    bool own = vote->validator == member->node && member->honest;
    if (!signed_vote_valid(oracle->genesis, vote)) {
        if (own)
            oracle_violation(oracle, I5_NO_DOUBLE_SIGN, vote->height,
                             "%u sends a %s in round %u whose signature is not over the canonical bytes",
                             vote->validator, vote_name(vote->type), vote->round);
        return;
    }
    bool added;
    struct signed_vote *entry = signed_set_vote(oracle->signatures, vote, &added);
    if (own) {
        oracle->checks[I8_PERSIST_BEFORE_SEND]++;
        if (!entry->persisted)
            oracle_violation(oracle, I8_PERSIST_BEFORE_SEND, vote->height,
                             "%u sends a %s in round %u that is not in votes.db", vote->validator,
                             vote_name(vote->type), vote->round);
    }
    if (entry->on_wire)
        return;
    entry->on_wire = true;
    if (!is_honest(oracle, vote->validator))
        return;
    oracle->checks[I5_NO_DOUBLE_SIGN]++;
    const struct signed_vote *other = signed_set_conflict(oracle->signatures, vote);
    if (other != NULL && other->on_wire)
        oracle_violation(oracle, I5_NO_DOUBLE_SIGN, vote->height, "%u signed two %ss in round %u",
                         vote->validator, vote_name(vote->type), vote->round);
    if (own)
        oracle_check_lock(oracle, member, vote);
}

void oracle_sends_proposal(struct oracle *oracle, uint32_t member_index, const struct proposal *proposal) {
    const struct oracle_member *member = &oracle->members[member_index];
    bool own = proposal->proposer == member->node && member->honest;
    if (!signed_proposal_valid(oracle->genesis, proposal)) {
        if (own)
            oracle_violation(
                oracle, I5_NO_DOUBLE_SIGN, proposal->height,
                "%u sends a proposal in round %u whose signature is not over the canonical bytes",
                proposal->proposer, proposal->round);
        return;
    }
    bool added;
    struct signed_proposal *entry = signed_set_proposal(oracle->signatures, proposal, &added);
    if (own && !entry->persisted)
        oracle_violation(oracle, I8_PERSIST_BEFORE_SEND, proposal->height,
                         "%u sends a proposal in round %u that is not in votes.db", proposal->proposer,
                         proposal->round);
    if (entry->on_wire)
        return;
    entry->on_wire = true;
    if (!is_honest(oracle, proposal->proposer))
        return;
    oracle->checks[I5_NO_DOUBLE_SIGN]++;
    const struct signed_proposal *other = signed_set_proposal_conflict(oracle->signatures, proposal);
    if (other != NULL && other->on_wire)
        oracle_violation(oracle, I5_NO_DOUBLE_SIGN, proposal->height, "%u signed two proposals in round %u",
                         proposal->proposer, proposal->round);
}

/* ---- accountability ---- */

/* A prevote against the precommit of an earlier round, without a polka between. */
static bool broke_lock(const struct oracle *oracle, const struct vote *precommit) {
    const struct signed_set *set = oracle->signatures;
    for (uint32_t i = 0; i < set->vote_count; i++) {
        const struct vote *vote = &set->votes[i].vote;
        if (vote->validator == precommit->validator && vote->type == VOTE_PREVOTE &&
            vote->height == precommit->height && vote->round > precommit->round &&
            !hash_is_zero(&vote->block_id) && !hash_equal(&vote->block_id, &precommit->block_id) &&
            !oracle_lock_excused(oracle, vote, precommit->round))
            return true;
    }
    return false;
}

uint64_t oracle_culprits(const struct oracle *oracle) {
    const struct signed_set *set = oracle->signatures;
    uint64_t culprits = 0;
    for (uint32_t i = 0; i < set->vote_count; i++) {
        const struct vote *vote = &set->votes[i].vote;
        if (culprits >> vote->validator & 1)
            continue;
        bool guilty = signed_set_conflict(set, vote) != NULL;
        if (!guilty && vote->type == VOTE_PRECOMMIT && !hash_is_zero(&vote->block_id))
            guilty = broke_lock(oracle, vote);
        if (guilty)
            culprits |= UINT64_C(1) << vote->validator;
    }
    return culprits;
}
