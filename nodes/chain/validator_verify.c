/* validator_verify: is a block valid on this chain, and are its models here? */
#include <math.h>
#include <stdlib.h>

#include "common/model/chain_delay.h"
#include "common/model/compute.h"
#include "nodes/chain/validator_state.h"

/* T_cv = S_B f / f_b. */
static int64_t verify_ns(const struct validator *validator, size_t bytes) {
    const struct scenario_chain *rules = validator->rules;
    double clock_hz =
        chain_clock_hz(rules->validator_clock_hz, rules->clock_spread, validator->self, validator->count);
    double seconds = compute_delay_s(8.0 * (double)bytes, rules->verify_cycles_per_bit, clock_hz);
    return seconds < 1e9 ? vtime_from_s(seconds) : (int64_t)1e18;
}

/* Is `block` valid on top of the chain here? On success `next` is the state after it. */
static enum status stands(struct validator *validator, const struct block *block, struct ledger_state *next) {
    struct block_context context = {.genesis = validator->genesis,
                                    .state = &validator->state,
                                    .tip = validator->committed > 0 ? &validator->tip : NULL,
                                    .history_root = merkle_frontier_root(&validator->history),
                                    .verified = mempool_verified,
                                    .context = &validator->mempool};
    *next = (struct ledger_state){0};
    enum status status = block_valid_on(&context, block, next, NULL);
    if (status != STATUS_OK)
        *next = (struct ledger_state){0};
    return status;
}

enum status validator_check_block(struct validator *validator, const uint8_t *data, size_t bytes,
                                  struct block *block, struct ledger_state *next) {
    *next = (struct ledger_state){0};
    enum status status = block_open(data, bytes, validator->block_bytes_max, block);
    if (status == STATUS_OK)
        status = stands(validator, block, next);
    if (status != STATUS_OK)
        block_close(block);
    return status;
}

/* Wants the models of the block that are not here. true: all are. */
static bool has_blobs(struct validator *validator, const struct proposed *block) {
    bool all = true;
    for (uint32_t i = 0; i < block->block.header.tx_count; i++) {
        const struct block_tx *encoded = &block->block.txs[i];
        struct transaction tx;
        if (transaction_decode(encoded->data, encoded->bytes, &tx) != STATUS_OK ||
            tx.type != TX_MODEL_UPDATE || validator_blob_held(validator, &tx))
            continue;
        struct blob_claim claim = blob_claim_of(&tx);
        validator_want_blob(validator, &claim, validator->nodes[block->proposal.proposer], tx.sender);
        all = false;
    }
    return all;
}

static void settle_blobs(struct validator *validator, struct proposed *block) {
    block->state = has_blobs(validator, block) ? PROPOSED_VALID : PROPOSED_BLOBLESS;
    if (block->state == PROPOSED_VALID)
        consensus_on_value(validator->consensus, &block->id, true, &validator->actions);
}

/* The bytes are those that its proposer signed. If they are not those of its id, the proposer lied about the
 * parts: the block of that id may be good, and nothing is said about it. */
static enum status check(struct validator *validator, struct proposed *block) {
    enum status status = block_open(block->data, block->bytes, validator->block_bytes_max, &block->block);
    struct hash id = status == STATUS_OK ? block_id_of(&block->block.header) : (struct hash){{0}};
    bool named_rightly = status == STATUS_OK && hash_equal(&id, &block->id);
    if (named_rightly)
        status = stands(validator, &block->block, &block->next);
    if (status == STATUS_MEMORY)
        return status;
    if (named_rightly && status == STATUS_OK) {
        settle_blobs(validator, block);
        return STATUS_OK;
    }
    block_close(&block->block);
    block->state = PROPOSED_INVALID;
    validator->drops.invalid++;
    if (named_rightly)
        consensus_on_value(validator->consensus, &block->id, false, &validator->actions);
    return STATUS_OK;
}

enum status validator_verify(struct validator *validator, struct proposed *block, bool free_of_charge) {
    int64_t cost_ns = free_of_charge ? 0 : verify_ns(validator, block->bytes);
    block->state = PROPOSED_VERIFYING;
    validator->busy_ns += cost_ns;
    if (cost_ns == 0)
        return check(validator, block);
    outbox_timer(validator->out, validator->now_ns + cost_ns, VALIDATOR_TIMER_VERIFIED, block->serial);
    return STATUS_OK;
}

enum status validator_on_verified(struct validator *validator, uint64_t serial) {
    struct proposed *block = validator_block_of_serial(validator, serial);
    return block != NULL && block->state == PROPOSED_VERIFYING ? check(validator, block) : STATUS_OK;
}

enum status validator_blob_came(struct validator *validator) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++)
        if (validator->blocks[i].state == PROPOSED_BLOBLESS)
            settle_blobs(validator, &validator->blocks[i]);
    validator->own_due = true;
    if (validator_has_work(validator))
        validator_wake(validator);
    return validator_try_propose(validator);
}

/* q precommits say that f + 1 honest validators hold its models: the block is decided, models or not. */
enum status validator_accept_blobless(struct validator *validator, struct proposed *block, uint32_t round) {
    uint64_t voters = consensus_voted_for(validator->consensus, round, VOTE_PRECOMMIT, &block->id);
    if ((uint32_t)__builtin_popcountll(voters) < validator->quorum)
        return STATUS_OK;
    block->state = PROPOSED_VALID;
    consensus_on_value(validator->consensus, &block->id, true, &validator->actions);
    return STATUS_OK;
}
