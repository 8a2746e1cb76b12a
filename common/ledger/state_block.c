/* state_block: a whole block on top of a state. */
#include <assert.h>
#include <inttypes.h>

#include "common/ledger/state_parts.h"

/* One transaction of a block; `why` says what is wrong with it, NULL: nothing. */
static enum status apply_one(struct ledger_state *state, const struct block_tx *encoded,
                             ledger_tx_verified verified, void *context, const char **why) {
    struct transaction tx;
    uint64_t height = state->height + 1;
    enum status status = transaction_decode(encoded->data, encoded->bytes, &tx);
    *why = "it cannot be decoded";
    TRY(status);
    struct hash id = transaction_id(encoded->data, encoded->bytes);
    if (verified == NULL || !verified(context, &id)) {
        *why = "its form, its chain, its sender's role or its signature is wrong";
        TRY(transaction_check(state->genesis, &tx, encoded->data, encoded->bytes));
    }
    *why = state_objection(state, &tx, height, &status);
    if (*why != NULL)
        return STATUS_INVALID;
    status = ledger_state_apply_tx(state, &tx, &id, height);
    *why = status == STATUS_OK ? NULL : "it cannot be applied";
    return status;
}

static enum status apply_all(struct ledger_state *state, const struct block *block,
                             ledger_tx_verified verified, void *context, struct error *why) {
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        const char *reason;
        enum status status = apply_one(state, &block->txs[i], verified, context, &reason);
        if (status != STATUS_OK)
            return error_set(why, status, "transaction %u of block %" PRIu64 " may not stand there: %s", i,
                             block->header.height, reason);
    }
    ledger_state_end_block(state, block->header.height);
    return STATUS_OK;
}

enum status ledger_state_apply(struct ledger_state *state, const struct block *block,
                               ledger_tx_verified verified, void *context) {
    if (block->header.height != state->height + 1)
        return STATUS_INVALID;
    return apply_all(state, block, verified, context, NULL);
}

/* ---- the header ---- */

static const char too_far_ahead[] = "its time is too far ahead";

/* Height, id of the block before and its certificate, time. */
static const char *object_to_link(const struct block_context *context, const struct block *block) {
    const struct block_header *header = &block->header, *tip = context->tip;
    if (tip == NULL) {
        if (header->height != 1)
            return "it is not the first";
        if (!hash_is_zero(&header->prev_block_id) || !hash_is_zero(&header->prev_cert_hash) ||
            block->has_prev_cert)
            return "the first block names a block before it";
        return header->time_ms <= BLOCK_TIME_STEP_MAX_MS ? NULL : too_far_ahead;
    }
    struct hash before = block_id_of(tip);
    const struct certificate *certificate = &block->prev_cert;
    if (header->height != tip->height + 1)
        return "its height does not follow that of the tip";
    if (!hash_equal(&header->prev_block_id, &before))
        return "its prev_block_id is not the tip";
    if (header->time_ms <= tip->time_ms)
        return "its time is not after that of the block before";
    if (header->time_ms - tip->time_ms > BLOCK_TIME_STEP_MAX_MS)
        return too_far_ahead;
    if (!block->has_prev_cert || certificate->height != tip->height ||
        !hash_equal(&certificate->block_id, &before) || !certificate_valid(context->genesis, certificate))
        return "its certificate of the block before does not hold";
    struct hash hash = certificate_hash(certificate);
    return hash_equal(&header->prev_cert_hash, &hash) ? NULL : "its prev_cert_hash is another certificate's";
}

static const char *object_to_header(const struct block_context *context, const struct block_header *header) {
    const struct genesis *genesis = context->genesis;
    if (!hash_equal(&header->chain_id, &genesis->chain_id))
        return "it is of another chain";
    if (!hash_equal(&header->validators_hash, &genesis->validators_hash))
        return "its validators_hash is not that of genesis";
    if (!hash_equal(&header->params_hash, &genesis->params_hash))
        return "its params_hash is not that of genesis";
    if (header->proposer >= genesis->validator_count)
        return "its proposer is no validator";
    if (header->body_bytes > genesis->params.block_bytes_max)
        return "its body is larger than block_bytes_max";
    struct hash root = ledger_state_root(context->state);
    if (!hash_equal(&header->state_root, &root))
        return "its state_root is not that of the state before it";
    return hash_equal(&header->history_root, &context->history_root)
               ? NULL
               : "its history_root is not that of the blocks before it";
}

/* Transactions count by their weight. */
static const char *object_to_count(const struct genesis *genesis, const struct block *block) {
    uint64_t weight = 0;
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        struct transaction tx;
        if (transaction_decode(block->txs[i].data, block->txs[i].bytes, &tx) != STATUS_OK)
            return "one of its transactions cannot be decoded";
        weight += transaction_weight(&tx);
    }
    return weight <= genesis->params.block_txs_max ? NULL : "it holds more transactions than block_txs_max";
}

enum status block_valid_on(const struct block_context *context, const struct block *block,
                           struct ledger_state *next, struct error *why) {
    const struct block_header *header = &block->header;
    *next = (struct ledger_state){0};
    assert(context->state->height == (context->tip == NULL ? 0 : context->tip->height));
    const char *objection = object_to_header(context, header);
    if (objection == NULL)
        objection = object_to_link(context, block);
    if (objection == NULL)
        objection = object_to_count(context->genesis, block);
    if (objection != NULL)
        return error_set(why, STATUS_INVALID, "block %" PRIu64 " is not valid: %s", header->height,
                         objection);
    enum status status = ledger_state_copy(next, context->state);
    if (status != STATUS_OK)
        return error_set(why, status, "no memory for the state after block %" PRIu64, header->height);
    status = apply_all(next, block, context->verified, context->context, why);
    if (status != STATUS_OK)
        ledger_state_close(next);
    return status;
}
