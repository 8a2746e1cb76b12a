/* oracle_evidence: what was seen of equivocation must come to stand on the chain (I10), and nobody honest may
 * be accused (I9); a fork needs f + 1 who broke the rules. */
#include <inttypes.h>

#include "campaign/oracle.h"
#include "common/base/memory.h"

static uint64_t mark_of(const struct signature *signature) {
    uint64_t mark;
    memcpy(&mark, signature->bytes, sizeof mark);
    return mark | 1;
}

static void note_seen(struct oracle *oracle, const struct oracle_offence *seen, uint64_t mark) {
    for (uint32_t i = 0; i < oracle->offence_count; i++) {
        struct oracle_offence *offence = &oracle->offences[i];
        if (offence->height != seen->height || offence->round != seen->round || offence->type != seen->type ||
            offence->accused != seen->accused || offence->member != seen->member ||
            offence->incarnation != seen->incarnation)
            continue;
        if (offence->seen_first != mark && offence->seen_second == 0)
            offence->seen_second = mark;
        return;
    }
    if (oracle->offence_count == oracle->offence_capacity) {
        oracle->offence_capacity = oracle->offence_capacity ? oracle->offence_capacity * 2 : 64;
        oracle->offences = memory_grow(oracle->offences, oracle->offence_capacity, sizeof *oracle->offences,
                                       "campaign offences");
    }
    oracle->offences[oracle->offence_count] = *seen;
    oracle->offences[oracle->offence_count++].seen_first = mark;
}

/* Only of those who may lie: there is nothing to see of the others. */
static bool is_watched(const struct oracle *oracle, uint32_t member, uint16_t accused) {
    return oracle->members[member].honest && accused < oracle->genesis->validator_count &&
           (oracle->byzantine >> accused & 1) != 0;
}

void oracle_gets_vote(struct oracle *oracle, uint32_t member, uint32_t incarnation, const struct vote *vote,
                      uint64_t height, uint32_t round) {
    if (vote->height != height || vote->round != round || !is_watched(oracle, member, vote->validator) ||
        !signed_vote_valid(oracle->genesis, vote))
        return;
    struct oracle_offence seen = {.height = height,
                                  .round = round,
                                  .type = (uint8_t)vote->type,
                                  .accused = vote->validator,
                                  .member = member,
                                  .incarnation = incarnation};
    note_seen(oracle, &seen, mark_of(&vote->signature));
}

void oracle_gets_proposal(struct oracle *oracle, uint32_t member, uint32_t incarnation,
                          const struct proposal *proposal, uint64_t height, uint32_t round) {
    if (proposal->height != height || proposal->round != round ||
        !is_watched(oracle, member, proposal->proposer) || !signed_proposal_valid(oracle->genesis, proposal))
        return;
    struct oracle_offence seen = {.height = height,
                                  .round = round,
                                  .type = VOTE_PROPOSAL,
                                  .accused = proposal->proposer,
                                  .member = member,
                                  .incarnation = incarnation};
    note_seen(oracle, &seen, mark_of(&proposal->signature));
}

void oracle_member_died(struct oracle *oracle, uint32_t member, uint32_t incarnation) {
    for (uint32_t i = 0; i < oracle->offence_count; i++)
        if (oracle->offences[i].member == member && oracle->offences[i].incarnation == incarnation)
            oracle->offences[i].lapsed = true;
}

/* Both messages signed by the accused, over canonical bytes, and different. */
static bool evidence_holds(const struct oracle *oracle, const struct evidence *evidence) {
    if (evidence->kind == EVIDENCE_DUP_VOTE) {
        const struct vote *a = &evidence->as.votes[0], *b = &evidence->as.votes[1];
        return a->validator == b->validator && a->height == b->height && a->round == b->round &&
               a->type == b->type && !hash_equal(&a->block_id, &b->block_id) &&
               signed_vote_valid(oracle->genesis, a) && signed_vote_valid(oracle->genesis, b);
    }
    const struct proposal *a = &evidence->as.proposals[0], *b = &evidence->as.proposals[1];
    return a->proposer == b->proposer && a->height == b->height && a->round == b->round &&
           memcmp(a->signature.bytes, b->signature.bytes, SIGNATURE_BYTES) != 0 &&
           signed_proposal_valid(oracle->genesis, a) && signed_proposal_valid(oracle->genesis, b);
}

static void strike(struct oracle *oracle, const struct evidence *evidence) {
    bool vote = evidence->kind == EVIDENCE_DUP_VOTE;
    uint32_t round = vote ? evidence->as.votes[0].round : evidence->as.proposals[0].round;
    uint8_t type = vote ? (uint8_t)evidence->as.votes[0].type : (uint8_t)VOTE_PROPOSAL;
    for (uint32_t i = 0; i < oracle->offence_count; i++) {
        struct oracle_offence *offence = &oracle->offences[i];
        if (offence->height == evidence_height(evidence) && offence->round == round &&
            offence->type == type && offence->accused == evidence_accused(evidence))
            offence->on_chain = true;
    }
}

void oracle_note_evidence(struct oracle *oracle, const struct block *block) {
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        struct transaction tx;
        struct evidence evidence;
        if (transaction_decode(block->txs[i].data, block->txs[i].bytes, &tx) != STATUS_OK ||
            tx.type != TX_EVIDENCE || evidence_decode(tx.ext, tx.ext_bytes, &evidence) != STATUS_OK)
            continue;
        uint16_t accused = evidence_accused(&evidence);
        oracle->checks[I9_EVIDENCE_SOUND]++;
        if ((oracle->byzantine >> accused & 1) == 0 || !evidence_holds(oracle, &evidence))
            oracle_violation(oracle, I9_EVIDENCE_SOUND, block->header.height,
                             "%u is accused and has done "
                             "nothing, or the evidence does not show it",
                             accused);
        strike(oracle, &evidence);
    }
}

static void judge_fork(struct oracle *oracle) {
    uint64_t culprits = oracle_culprits(oracle);
    oracle->checks[I9_EVIDENCE_SOUND]++;
    if ((culprits & ~oracle->byzantine) != 0)
        oracle_violation(oracle, I9_EVIDENCE_SOUND, 0, "honest validators are held guilty: %" PRIx64,
                         culprits & ~oracle->byzantine);
    if ((uint32_t)__builtin_popcountll(culprits) < oracle->faults_max + 1)
        oracle_violation(oracle, I9_EVIDENCE_SOUND, 0, "a fork and only %d guilty of it",
                         __builtin_popcountll(culprits));
}

void oracle_finish(struct oracle *oracle) {
    uint64_t age = oracle->genesis->params.evidence_age;
    for (uint32_t i = 0; i < oracle->offence_count; i++) {
        const struct oracle_offence *offence = &oracle->offences[i];
        if (offence->seen_second == 0 || offence->lapsed || offence->height + age > oracle->tip)
            continue;
        oracle->checks[I10_EVIDENCE_COMPLETE]++;
        if (!offence->on_chain)
            oracle_violation(oracle, I10_EVIDENCE_COMPLETE, offence->height,
                             "%u saw both messages of %u in round %u (type %u), and no evidence is on chain",
                             oracle->members[offence->member].node, offence->accused, offence->round,
                             offence->type);
    }
    if (oracle->forked)
        judge_fork(oracle);
}
