/* validator_time: the clock of this validator: when proposals came by it, and what it says to a vote. */
#include "nodes/chain/block_time.h"
#include "nodes/chain/validator_state.h"

int64_t validator_clock_ns(const struct validator *validator) {
    return validator->now_ns + validator->env->clock_offset_ns;
}

/* The first one counts: to see a proposal again makes it no later. One place for each proposer will do: who
 * goes on to a further round is done with this one, and who only says so loses a vote for its own block. */
void validator_note_receipt(struct validator *validator, const struct proposal *proposal) {
    struct validator_receipt *receipt = &validator->receipts[proposal->proposer];
    if (!receipt->held || receipt->round != proposal->round)
        *receipt = (struct validator_receipt){
            .held = true, .round = proposal->round, .clock_ns = validator->came_ns};
}

/* Line 22 with proposer-based timestamps: a fresh value that is not timely gets nil. It may still be locked
 * and decided here, when a quorum finds that it was. */
bool validator_finds_timely(struct validator *validator, uint32_t round, const struct hash *value) {
    const struct proposal *proposal = consensus_proposal(validator->consensus, round);
    if (validator->rules->time == CHAIN_TIME_MONOTONE || proposal == NULL || proposal->valid_round >= 0)
        return true;
    const struct validator_receipt *receipt = &validator->receipts[proposal->proposer];
    const struct proposed *block = validator_find_block(validator, value);
    bool known = receipt->held && receipt->round == round && block != NULL && block->state == PROPOSED_VALID;
    uint64_t time_ms = known ? block->block.header.time_ms : 0;
    if (known && block_time_is_timely(validator->rules, time_ms, receipt->clock_ns))
        return true;
    validator->untimely++;
    if (known)
        outbox_record_series(validator->out, "untimely_s", (uint32_t)(validator->committed + 1),
                             vtime_to_s(receipt->clock_ns) - (double)time_ms * 1e-3);
    return false;
}

bool validator_dates_block(struct validator *validator, uint64_t *time_ms) {
    const uint64_t *tip_ms = validator->committed > 0 ? &validator->tip.time_ms : NULL;
    int64_t wait_ns = block_time_next(validator->rules, tip_ms, validator_clock_ns(validator), time_ms);
    if (wait_ns == 0)
        return true;
    if (validator->now_ns >= validator->date_ns) {
        validator->date_ns = validator->now_ns + wait_ns;
        outbox_timer(validator->out, validator->date_ns, VALIDATOR_TIMER_READY, validator->committed + 1);
    }
    return false;
}
