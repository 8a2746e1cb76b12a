/* validator_height: from one commit to the proposal of the next block. */
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/validator_state.h"

static void forget_times(struct validator *validator) {
    validator->times = (struct validator_times){.newheight_ns = validator->now_ns,
                                                .propose_ns = VTIME_NEVER,
                                                .complete_ns = VTIME_NEVER,
                                                .prevote_ns = VTIME_NEVER,
                                                .polka_ns = VTIME_NEVER,
                                                .precommit_ns = VTIME_NEVER,
                                                .all_ns = VTIME_NEVER};
}

void validator_begin_height(struct validator *validator, struct pacing *pacing) {
    const struct chain_params *params = &validator->genesis->params;
    *pacing = pacing_of(params->seed, validator->committed + 1, validator->count, params->block_rate_hz);
    validator->wait_ns = pacing->wait_ns;
    validator->ready_ns = validator->now_ns + pacing->wait_ns;
    validator->awake = validator->decided = validator->proposing = false;
    validator->held_timeout_ns = validator->date_ns = 0;
    memset(validator->receipts, 0, sizeof validator->receipts);
    validator->actions.count = validator->action_next = 0;
    validator_drop_blocks(validator);
    forget_times(validator);
}

enum status validator_enter_height(struct validator *validator) {
    struct pacing pacing;
    bool resumed;
    TRY(validator_resume(validator, &resumed));
    if (resumed)
        return STATUS_OK;
    validator_begin_height(validator, &pacing);
    TRY(validator_open_engine(validator));
    consensus_enter_height(validator->consensus, validator->committed + 1, pacing.first_proposer,
                           pacing.wait_ns, &validator->actions);
    if (validator_has_work(validator))
        validator_wake(validator);
    return STATUS_OK;
}

/* A model decided by the block before is proven by the header of this one: nobody could show that it is
 * accepted if this height waited for a transaction. */
static bool has_header_to_make(const struct validator *validator) {
    const struct ledger_state *state = &validator->state;
    for (uint32_t i = 0; i < state->model_count; i++)
        if (state->models[i].status == MODEL_ACCEPTED &&
            state->models[i].decided_height == validator->committed)
            return true;
    return validator->header_due;
}

/* Does the next transaction of some sender wait for nothing but a block? One whose model is still to come is
 * no reason to make blocks. */
static bool has_transaction(struct validator *validator) {
    const struct mempool *pool = &validator->mempool;
    for (uint32_t i = 0; i < pool->count; i++) {
        const struct mempool_entry *entry = pool->entries[i];
        struct transaction tx;
        if (i > 0 && pool->entries[i - 1]->sender == entry->sender)
            continue; /* waits behind another */
        if (entry->type != TX_MODEL_UPDATE ||
            (transaction_decode(entry->data, entry->bytes, &tx) == STATUS_OK &&
             validator_blob_held(validator, &tx)))
            return true;
    }
    return false;
}

bool validator_has_work(struct validator *validator) {
    return validator->rules->empty_blocks || has_transaction(validator) || has_header_to_make(validator);
}

/* The held time-out ran from the beginning of the height and includes W_h; what woke it came now. */
void validator_wake(struct validator *validator) {
    if (validator->awake)
        return;
    validator->awake = true;
    if (validator->held_timeout_ns == 0)
        return;
    int64_t from_begin_ns = validator->times.newheight_ns + validator->held_timeout_ns;
    int64_t from_now_ns = validator->now_ns + validator->held_timeout_ns - validator->wait_ns;
    validator_arm_step(validator, from_begin_ns > from_now_ns ? from_begin_ns : from_now_ns, 0,
                       CONSENSUS_PROPOSE);
    validator->held_timeout_ns = 0;
}

enum status validator_on_ready(struct validator *validator, uint64_t height) {
    return height == validator->committed + 1 ? validator_try_propose(validator) : STATUS_OK;
}

/* Makes the block; `id` and `bytes` of `proposal` are those of `data` then. */
static enum status build(struct validator *validator, const struct mempool_pick *pick, uint64_t time_ms,
                         struct proposal *proposal, uint8_t **data) {
    bool first = validator->committed == 0;
    struct block_header header = {.chain_id = validator->genesis->chain_id,
                                  .height = validator->committed + 1,
                                  .prev_block_id = validator->tip_id,
                                  .state_root = ledger_state_root(&validator->state),
                                  .history_root = merkle_frontier_root(&validator->history),
                                  .validators_hash = validator->genesis->validators_hash,
                                  .params_hash = validator->genesis->params_hash,
                                  .proposer = validator->self,
                                  .time_ms = time_ms};
    size_t bytes;
    TRY(block_build(&header, pick->txs, pick->count, first ? NULL : &validator->tip_certificate, data,
                    &bytes));
    proposal->block_id = block_id_of(&header);
    proposal->block_bytes = bytes;
    return STATUS_OK;
}

/* An own block is checked like that of anybody: the state after it is needed, and a block that others would
 * refuse must not be signed. */
static enum status propose_block(struct validator *validator, const struct mempool_pick *pick,
                                 uint64_t time_ms) {
    uint8_t *data;
    struct proposal proposal = {.height = validator->committed + 1,
                                .round = validator->propose_round,
                                .valid_round = -1,
                                .proposer = validator->self};
    TRY(build(validator, pick, time_ms, &proposal, &data));
    struct proposed *block =
        validator_place_block(validator, data, (size_t)proposal.block_bytes, &proposal.block_id);
    if (block == NULL)
        return STATUS_OK; /* round passes by its time-out */
    TRY(validator_verify(validator, block, true));
    if (block->state != PROPOSED_VALID) {
        validator->drops.invalid++;
        return STATUS_OK;
    }
    proposal.parts_root = block->parts_root;
    proposal.part_count = block->part_count;
    return validator_cast_proposal(validator, &proposal);
}

static enum status pick_and_propose(struct validator *validator, uint64_t time_ms) {
    struct mempool_pick pick = {.capacity = validator->genesis->params.block_txs_max,
                                .held = validator_blob_held,
                                .context = validator};
    pick.txs = malloc(pick.capacity * sizeof *pick.txs);
    if (pick.txs == NULL)
        return STATUS_MEMORY;
    size_t cert_bytes = validator->committed > 0 ? certificate_bytes(&validator->tip_certificate) : 0;
    enum status status = mempool_pick(&validator->mempool, &validator->state, cert_bytes, &pick);
    bool empty =
        validator->propose_round > 0 || validator->rules->empty_blocks || has_header_to_make(validator);
    if (status == STATUS_OK && (pick.count > 0 || empty)) {
        validator->proposing = false;
        status = propose_block(validator, &pick, time_ms);
    }
    free(pick.txs);
    return status;
}

enum status validator_try_propose(struct validator *validator) {
    if (!validator->proposing || validator->propose_round != consensus_round(validator->consensus) ||
        consensus_step_now(validator->consensus) != CONSENSUS_PROPOSE)
        return STATUS_OK;
    if (validator->propose_round == 0 &&
        (validator->now_ns < validator->ready_ns || !validator_has_work(validator)))
        return STATUS_OK;
    uint64_t time_ms;
    return validator_dates_block(validator, &time_ms) ? pick_and_propose(validator, time_ms) : STATUS_OK;
}
