/* blob_keeper: which blobs are still needed (blobs.h). */
#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "nodes/chain/blobs.h"

/* Blocks older than the window that are read at the start, so that what a crash kept from being dropped is.
 */
#define KEEPER_SLACK 16u

_Static_assert(offsetof(struct blob_reference, hash) == 0, "hash_place looks at the first field");

static void refer(struct blob_keeper *keeper, const struct hash *hash, uint64_t height) {
    bool found;
    uint32_t place = hash_place(keeper->references, keeper->count, sizeof *keeper->references, hash, &found);
    if (found) {
        if (keeper->references[place].height < height)
            keeper->references[place].height = height;
        return;
    }
    if (keeper->count == keeper->capacity) {
        keeper->capacity = keeper->capacity == 0 ? 64 : 2 * keeper->capacity;
        keeper->references = memory_grow(keeper->references, keeper->capacity, sizeof *keeper->references,
                                         "models that are kept");
    }
    memmove(keeper->references + place + 1, keeper->references + place,
            (keeper->count - place) * sizeof *keeper->references);
    keeper->references[place] = (struct blob_reference){.hash = *hash, .height = height};
    keeper->count++;
}

static void refer_to_models_of(struct blob_keeper *keeper, const struct block *block) {
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        struct transaction tx;
        if (transaction_decode(block->txs[i].data, block->txs[i].bytes, &tx) == STATUS_OK &&
            tx.type == TX_MODEL_UPDATE)
            refer(keeper, &tx.blob_hash, block->header.height);
    }
}

static void refer_to_registry(struct blob_keeper *keeper, const struct ledger_state *state) {
    for (uint32_t i = 0; i < state->model_count; i++)
        refer(keeper, &state->models[i].blob_hash, state->models[i].height);
}

/* A block that is damaged, or from before the checkpoint this chain began with, says nothing. */
static enum status read_block(struct blob_keeper *keeper, uint64_t height) {
    uint8_t *data = NULL;
    size_t size = 0;
    struct certificate certificate;
    struct block block;
    enum status status = ledger_store_get_block(keeper->store, height, &data, &size, &certificate);
    if (status == STATUS_INVALID || status == STATUS_FAILED)
        return STATUS_OK;
    TRY(status);
    if (block_open(data, size, size, &block) == STATUS_OK)
        refer_to_models_of(keeper, &block);
    block_close(&block);
    free(data);
    return STATUS_OK;
}

enum status blob_keeper_init(struct blob_keeper *keeper, struct ledger_store *store,
                             const struct ledger_state *state) {
    *keeper = (struct blob_keeper){.store = store, .height = state->height};
    uint64_t window = (uint64_t)state->genesis->params.evidence_age + KEEPER_SLACK;
    uint64_t first = state->height > window ? state->height - window : 1;
    refer_to_registry(keeper, state);
    for (uint64_t height = first; height <= state->height; height++)
        TRY(read_block(keeper, height));
    return STATUS_OK;
}

void blob_keeper_close(struct blob_keeper *keeper) {
    free(keeper->references);
    *keeper = (struct blob_keeper){0};
}

static bool in_registry(const struct ledger_state *state, const struct hash *hash) {
    for (uint32_t i = 0; i < state->model_count; i++)
        if (hash_equal(&state->models[i].blob_hash, hash))
            return true;
    return false;
}

/* A model that is due but in the registry is looked at again when it would be due again: later by at most the
 * window, and not at every height. */
enum status blob_keeper_committed(struct blob_keeper *keeper, const struct block *block,
                                  const struct ledger_state *state) {
    uint64_t age = state->genesis->params.evidence_age;
    uint32_t kept = 0;
    enum status status = STATUS_OK;
    refer_to_models_of(keeper, block);
    if (state->height != keeper->height + 1) /* a checkpoint was taken over in between */
        refer_to_registry(keeper, state);
    keeper->height = state->height;
    for (uint32_t i = 0; i < keeper->count; i++) {
        struct blob_reference *reference = &keeper->references[i];
        bool due = status == STATUS_OK && state->height > age && reference->height < state->height - age;
        if (due && in_registry(state, &reference->hash)) {
            reference->height = state->height;
            due = false;
        }
        if (due)
            status = ledger_store_drop_blob(keeper->store, &reference->hash);
        if (!due || status != STATUS_OK)
            keeper->references[kept++] = *reference;
    }
    keeper->count = kept;
    return status;
}
