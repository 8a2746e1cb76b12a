/* validator_past: the votes and the proposal of the height before, so that an equivocation is found whose
 * second half comes after the commit, and the time when all had prevoted. Late votes are verified only when
 * they conflict. */
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/validator_state.h"

enum status validator_past_init(struct validator_past *past, uint32_t validator_count) {
    for (int type = 0; type < 2; type++) {
        past->votes[type] = calloc(validator_count, sizeof *past->votes[type]);
        if (past->votes[type] == NULL)
            return STATUS_MEMORY;
    }
    return STATUS_OK;
}

void validator_past_close(struct validator_past *past) {
    free(past->votes[0]);
    free(past->votes[1]);
    *past = (struct validator_past){0};
}

void validator_past_keep(struct validator *validator) {
    struct validator_past *past = &validator->past;
    past->height = validator->committed + 1;
    past->round = consensus_round(validator->consensus);
    past->all_recorded = validator->times.all_ns != VTIME_NEVER;
    for (uint32_t type = 0; type < 2; type++) {
        const struct vote_set *votes =
            consensus_votes(validator->consensus, past->round, type == 0 ? VOTE_PREVOTE : VOTE_PRECOMMIT);
        past->seen[type] = votes != NULL ? votes->seen : 0;
        for (uint32_t i = 0; votes != NULL && i < validator->count; i++)
            if (votes->seen >> i & 1)
                past->votes[type][i] = votes->first[i];
    }
}

static void record_all(struct validator *validator) {
    struct validator_past *past = &validator->past;
    if (past->all_recorded || (uint32_t)__builtin_popcountll(past->seen[0]) < validator->count)
        return;
    past->all_recorded = true;
    outbox_record_series(validator->out, "t_all", (uint32_t)past->height, vtime_to_s(validator->now_ns));
}

void validator_late_vote(struct validator *validator, const struct vote *vote) {
    struct validator_past *past = &validator->past;
    if (vote->height != past->height || vote->round != past->round || vote->validator >= validator->count) {
        validator->drops.stale++;
        return;
    }
    uint32_t type = vote->type == VOTE_PRECOMMIT;
    struct vote *first = &past->votes[type][vote->validator];
    if ((past->seen[type] >> vote->validator & 1) == 0) {
        past->seen[type] |= UINT64_C(1) << vote->validator;
        *first = *vote;
        record_all(validator);
        return;
    }
    if (hash_equal(&first->block_id, &vote->block_id)) {
        validator->drops.duplicate++;
        return;
    }
    if (!vote_valid(validator->genesis, vote)) {
        validator->drops.invalid++;
        return;
    }
    if (!vote_valid(validator->genesis, first)) { /* came late itself, unverified */
        *first = *vote;
        return;
    }
    struct evidence evidence = evidence_of_votes(first, vote);
    validator_accuse(validator, &evidence);
}

/* Against the proposal of the committed block, which was verified when it came. */
void validator_late_proposal(struct validator *validator, const struct proposal *proposal) {
    const struct proposal *first = &validator->last_proposal;
    if (proposal->height != first->height || proposal->round != first->round ||
        proposal->proposer != first->proposer) {
        validator->drops.stale++;
        return;
    }
    if (hash_equal(&first->block_id, &proposal->block_id) &&
        hash_equal(&first->parts_root, &proposal->parts_root)) {
        validator->drops.duplicate++;
        return;
    }
    if (!proposal_valid(validator->genesis, proposal)) {
        validator->drops.invalid++;
        return;
    }
    struct evidence evidence = evidence_of_proposals(first, proposal);
    validator_accuse(validator, &evidence);
}
