/* validator_apply: commit. Order of 1.8: models are in the store already; block, certificate and state in one
 * transaction; only then everything else. */
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/validator_state.h"

/* What is committed; `next` is taken over. */
struct decision {
    const uint8_t *data;
    size_t bytes;
    const struct hash *id;
    const struct block *block;
    struct ledger_state *next;
    const struct certificate *certificate;
};

static enum status store(struct validator *validator, const struct decision *decision) {
    size_t bytes = ledger_state_bytes(decision->next);
    uint8_t *state = malloc(bytes);
    if (state == NULL)
        return STATUS_MEMORY;
    struct bytes_writer writer = bytes_writer_over(state, bytes);
    ledger_state_encode(&writer, decision->next);
    struct ledger_commit commit = {.height = decision->block->header.height,
                                   .block_id = *decision->id,
                                   .block = decision->data,
                                   .block_bytes = decision->bytes,
                                   .certificate = decision->certificate,
                                   .state = state,
                                   .state_bytes = writer.used};
    enum status status = ledger_store_commit(validator->store, &commit);
    free(state);
    VALIDATOR_STORE(status);
    return STATUS_OK;
}

/* ---- the record ---- */

static void record_time(struct validator *validator, const char *name, int64_t time_ns) {
    if (time_ns != VTIME_NEVER)
        outbox_record_series(validator->out, name, (uint32_t)(validator->committed + 1), vtime_to_s(time_ns));
}

static void record_height(struct validator *validator, size_t block_bytes) {
    const struct validator_times *times = &validator->times;
    record_time(validator, "t_newheight", times->newheight_ns);
    record_time(validator, "t_ready", validator->ready_ns);
    record_time(validator, "t_propose_send", times->propose_ns);
    record_time(validator, "t_block_complete", times->complete_ns);
    record_time(validator, "t_prevote_send", times->prevote_ns);
    record_time(validator, "t_polka", times->polka_ns);
    record_time(validator, "t_precommit_send", times->precommit_ns);
    record_time(validator, "t_all", times->all_ns);
    record_time(validator, "t_commit", validator->now_ns);
    outbox_record_series(validator->out, "rounds", (uint32_t)(validator->committed + 1),
                         consensus_round(validator->consensus) + 1.0);
    outbox_record_series(validator->out, "block_bits", (uint32_t)(validator->committed + 1),
                         8.0 * (double)block_bytes);
}

/* Messages dropped since the validator was started, for the record; those that never happened are left out.
 */
static void record_drops(struct validator *validator) {
    const struct validator_drops *drops = &validator->drops;
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"dropped_invalid", drops->invalid},     {"dropped_stale", drops->stale},
                {"dropped_early", drops->early},         {"dropped_crowded", drops->crowded},
                {"dropped_duplicate", drops->duplicate}, {"dropped_foreign", drops->foreign}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].count > 0)
            outbox_record_result(validator->out, rows[i].name, "", (double)rows[i].count);
}

/* ---- after the store has it ---- */

/* Peers may still want its parts. */
static void keep_last_block(struct validator *validator, const struct decision *decision) {
    free(validator->last_block);
    free(validator->last_leaves);
    validator->last_leaves = NULL;
    validator->last_block = malloc(decision->bytes);
    validator->last_block_bytes = validator->last_block != NULL ? decision->bytes : 0;
    if (validator->last_block != NULL)
        memcpy(validator->last_block, decision->data, decision->bytes);
    const struct proposed *block = validator_find_block(validator, decision->id);
    validator->last_proposal =
        block != NULL && block->has_proposal ? block->proposal : (struct proposal){.height = 0};
}

static void advance(struct validator *validator, const struct decision *decision) {
    struct hash leaf = merkle_leaf(decision->id->bytes, HASH_BYTES);
    merkle_frontier_add(&validator->history, &leaf);
    validator->committed++;
    validator->tip_id = *decision->id;
    validator->tip = decision->block->header;
    validator->tip_certificate = *decision->certificate;
    ledger_state_close(&validator->before);
    validator->before = validator->state;
    validator->header_due = false;
    validator->state = *decision->next;
    *decision->next = (struct ledger_state){0};
}

static enum status commit(struct validator *validator, const struct decision *decision) {
    TRY(store(validator, decision));
    record_height(validator, decision->bytes);
    record_drops(validator);
    validator_past_keep(validator);
    keep_last_block(validator, decision);
    validator_send_model_proofs(validator, &decision->block->header, decision->certificate);
    advance(validator, decision);
    validator_remember_block(validator, decision->block);
    TRY(validator_send_proofs(validator, decision->block, decision->certificate));
    mempool_committed(&validator->mempool, &validator->state);
    VALIDATOR_STORE(blob_keeper_committed(&validator->keeper, decision->block, &validator->state));
    if (validator->committed % validator->genesis->params.checkpoint_interval == 0)
        VALIDATOR_STORE(ledger_store_checkpoint(validator->store));
    validator->own_due = true;
    catch_up_committed(&validator->catch_up, validator->committed, &validator->tip_id, validator->now_ns,
                       validator->out);
    return validator_enter_height(validator);
}

static enum status commit_proposed(struct validator *validator, struct proposed *block,
                                   const struct certificate *certificate) {
    struct decision decision = {.data = block->data,
                                .bytes = block->bytes,
                                .id = &block->id,
                                .block = &block->block,
                                .next = &block->next,
                                .certificate = certificate};
    return commit(validator, &decision);
}

enum status validator_commit_decided(struct validator *validator) {
    struct certificate certificate;
    struct proposed *block = validator_find_block(validator, &validator->decided_value);
    validator->decided = false;
    if (!consensus_certificate(validator->consensus, &validator->genesis->chain_id, &certificate))
        return STATUS_FAILED; /* the engine has just said so */
    if (block != NULL && block->state == PROPOSED_VALID)
        return commit_proposed(validator, block, &certificate);
    /* It was valid here, but is of a round so long past that it had to make room: whoever signed has it. */
    for (uint16_t i = 0; i < validator->count; i++)
        if (certificate.bitmap >> i & 1 && i != validator->self)
            catch_up_heard(&validator->catch_up, i, certificate.height, validator->now_ns, validator->out);
    return STATUS_OK;
}

/* ---- decided elsewhere ---- */

static enum status take_block(struct validator *validator, const struct catch_up_item *item) {
    struct block block;
    struct ledger_state next;
    if (item->commit.height != validator->committed + 1) {
        catch_up_reject(&validator->catch_up, item);
        return STATUS_OK;
    }
    enum status status =
        validator_check_block(validator, item->commit.block, item->commit.block_bytes, &block, &next);
    if (status == STATUS_INVALID) { /* certified, and yet not on top of this chain: more than f are faulty */
        validator->forks++;
        catch_up_reject(&validator->catch_up, item);
        return STATUS_OK;
    }
    TRY(status);
    struct certificate certificate = *item->commit.certificate;
    struct hash id = item->commit.block_id;
    struct decision decision = {.data = item->commit.block,
                                .bytes = item->commit.block_bytes,
                                .id = &id,
                                .block = &block,
                                .next = &next,
                                .certificate = &certificate};
    status = commit(validator, &decision);
    block_close(&block);
    ledger_state_close(&next);
    return status;
}

static enum status take_checkpoint(struct validator *validator, const struct catch_up_item *item) {
    if (item->commit.height <= validator->committed) {
        catch_up_reject(&validator->catch_up, item);
        return STATUS_OK;
    }
    VALIDATOR_STORE(ledger_store_adopt(validator->store, &item->commit, item->ids));
    TRY(validator_load_chain(validator));
    mempool_committed(&validator->mempool, &validator->state);
    catch_up_committed(&validator->catch_up, validator->committed, &validator->tip_id, validator->now_ns,
                       validator->out);
    return validator_enter_height(validator);
}

enum status validator_take_caught_up(struct validator *validator, bool *progress) {
    struct catch_up_item item;
    *progress = catch_up_take(&validator->catch_up, &item);
    if (!*progress)
        return STATUS_OK;
    return item.is_checkpoint ? take_checkpoint(validator, &item) : take_block(validator, &item);
}

enum status validator_feed_certificate(struct validator *validator, uint32_t from, const uint8_t *payload,
                                       size_t bytes) {
    struct message_commit_cert message;
    const struct certificate *certificate = &message.certificate;
    TRY(message_decode_commit_cert(payload, bytes, &message));
    if (certificate->height <= validator->committed) {
        validator->drops.stale++;
        return STATUS_OK;
    }
    if (!certificate_valid(validator->genesis, certificate))
        return STATUS_INVALID;
    struct proposed *block = certificate->height == validator->committed + 1
                                 ? validator_find_block(validator, &certificate->block_id)
                                 : NULL;
    if (block != NULL && (block->state == PROPOSED_VALID || block->state == PROPOSED_BLOBLESS))
        return commit_proposed(validator, block, certificate);
    if (block == NULL || block->state != PROPOSED_VERIFYING) /* else it is due soon */
        catch_up_heard(&validator->catch_up, (uint16_t)from, certificate->height, validator->now_ns,
                       validator->out);
    return STATUS_OK;
}
