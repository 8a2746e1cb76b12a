/* ledger_walk: from genesis through a ledger, block by block (ledger_view.h). */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/ledger_view.h"

static const char *const advice_damaged =
    "start the validator again, it takes what is damaged from the others; or use another ledger of the run";
static const char *const advice_forged =
    "do not use this ledger: what it holds was never agreed on; compare with the others (--node NAME)";
static const char *const advice_rebuild =
    "delete chain.db of this ledger and start the validator again: it rebuilds it from the others";

/* Does the ledger hold a block of this height, good or damaged? */
static bool has_block(struct ledger_store *store, uint64_t height) {
    struct certificate certificate;
    uint8_t *data = NULL;
    size_t size = 0;
    enum status status = ledger_store_get_block(store, height, &data, &size, &certificate);
    if (status == STATUS_OK)
        free(data);
    return status != STATUS_INVALID;
}

/* All heights from the first on are there. */
static uint64_t first_height(const struct ledger_view *view) {
    uint64_t low = 1, high = view->height;
    if (high == 0 || has_block(view->store, 1))
        return 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (has_block(view->store, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void add_id(struct merkle_frontier *history, const struct hash *id) {
    struct hash leaf = merkle_leaf(id->bytes, HASH_BYTES);
    merkle_frontier_add(history, &leaf);
}

enum status ledger_walk_open(struct ledger_walk *walk, struct ledger_view *view, bool trusting,
                             struct error *error) {
    *walk = (struct ledger_walk){.view = view, .trusting = trusting, .first = first_height(view)};
    walk->state_known = !trusting && walk->first == 1;
    if (walk->state_known && ledger_state_init(&walk->after, &view->genesis) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for the state of %s", view->dir);
    for (uint64_t height = 1; height < walk->first; height++) {
        struct hash id;
        if (ledger_store_get_block_id(view->store, height, &id) != STATUS_OK)
            return error_set(error, STATUS_FAILED, "the id of block %" PRIu64 " is missing", height);
        add_id(&walk->history, &id);
        walk->tip_id = id;
    }
    return STATUS_OK;
}

void ledger_walk_close(struct ledger_walk *walk) {
    block_close(&walk->block);
    free(walk->data);
    ledger_state_close(&walk->before);
    ledger_state_close(&walk->after);
    *walk = (struct ledger_walk){0};
}

static enum status fail(struct ledger_walk *walk, const char *advice, struct error *error, const char *what) {
    walk->advice = advice;
    return error_set(error, STATUS_FAILED, "block %" PRIu64 " %s", walk->height, what);
}

static enum status load(struct ledger_walk *walk, struct error *error) {
    struct hash stored;
    enum status status =
        ledger_store_get_block(walk->view->store, walk->height, &walk->data, &walk->size, &walk->certificate);
    if (status != STATUS_OK)
        walk->data = NULL;
    if (status == STATUS_INVALID)
        return fail(walk, advice_rebuild, error, "is missing");
    if (status == STATUS_FAILED)
        return fail(walk, advice_damaged, error, "is damaged on disk");
    if (status != STATUS_OK)
        return error_set(error, status, "cannot read block %" PRIu64 ": %s", walk->height,
                         ledger_store_reason(walk->view->store));
    if (block_open(walk->data, walk->size, walk->size, &walk->block) != STATUS_OK)
        return fail(walk, advice_forged, error, "is none: its header does not commit to its body");
    walk->id = block_id_of(&walk->block.header);
    if (walk->block.header.height != walk->height)
        return fail(walk, advice_forged, error, "says it is of another height");
    if (ledger_store_get_block_id(walk->view->store, walk->height, &stored) != STATUS_OK ||
        !hash_equal(&stored, &walk->id))
        return fail(walk, advice_rebuild, error, "is listed under another id");
    return STATUS_OK;
}

static enum status check_certificate(struct ledger_walk *walk, struct error *error) {
    const struct certificate *certificate = &walk->certificate;
    if (certificate->height != walk->height || !hash_equal(&certificate->block_id, &walk->id))
        return fail(walk, advice_forged, error, "has the certificate of another block");
    if (!certificate_valid(&walk->view->genesis, certificate))
        return fail(walk, advice_forged, error,
                    "has no certificate of a quorum of the validators of genesis");
    return STATUS_OK;
}

/* All that can be said of a block without the state before it. */
static enum status check_header(struct ledger_walk *walk, struct error *error) {
    const struct block_header *header = &walk->block.header;
    const struct genesis *genesis = &walk->view->genesis;
    struct hash history = merkle_frontier_root(&walk->history);
    if (!hash_equal(&header->chain_id, &genesis->chain_id) ||
        !hash_equal(&header->validators_hash, &genesis->validators_hash) ||
        !hash_equal(&header->params_hash, &genesis->params_hash))
        return fail(walk, advice_forged, error, "is of another genesis");
    if (!hash_equal(&header->history_root, &history) || !hash_equal(&header->prev_block_id, &walk->tip_id))
        return fail(walk, advice_forged, error, "does not follow from the blocks before it");
    return STATUS_OK;
}

static enum status check_whole(struct ledger_walk *walk, struct error *error) {
    struct block_context context = {.genesis = &walk->view->genesis,
                                    .state = &walk->before,
                                    .tip = walk->height == 1 ? NULL : &walk->tip,
                                    .history_root = merkle_frontier_root(&walk->history)};
    struct error why = {0};
    if (block_valid_on(&context, &walk->block, &walk->after, &why) == STATUS_OK)
        return STATUS_OK;
    walk->advice = advice_forged;
    return error_set(error, STATUS_FAILED, "%s", why.text);
}

/* Where the ledger kept the state after this height: it must be that of the replay, or begins one. */
static enum status check_kept_state(struct ledger_walk *walk, struct error *error) {
    uint8_t *data = NULL;
    size_t size = 0;
    struct ledger_state kept;
    enum status status = ledger_store_get_state(walk->view->store, walk->height, &data, &size);
    if (status == STATUS_INVALID)
        return STATUS_OK;
    if (status != STATUS_OK)
        return fail(walk, advice_rebuild, error, "has a state after it that is damaged on disk");
    status = ledger_state_decode(&kept, &walk->view->genesis, data, size);
    free(data);
    if (status != STATUS_OK || kept.height != walk->height) {
        ledger_state_close(&kept);
        return fail(walk, advice_rebuild, error, "has a kept state after it that is none");
    }
    if (!walk->state_known) {
        walk->after = kept;
        walk->state_known = true;
        return STATUS_OK;
    }
    struct hash replayed = ledger_state_root(&walk->after), found = ledger_state_root(&kept);
    ledger_state_close(&kept);
    return hash_equal(&replayed, &found) ? STATUS_OK
                                         : fail(walk, advice_rebuild, error,
                                                "has a kept state after it that is not that of the replay");
}

static enum status check(struct ledger_walk *walk, struct error *error) {
    TRY(walk->state_known ? check_whole(walk, error) : check_header(walk, error));
    TRY(check_certificate(walk, error));
    return check_kept_state(walk, error);
}

/* The block at hand becomes the one before. */
static void step(struct ledger_walk *walk) {
    if (walk->height > 0) {
        add_id(&walk->history, &walk->id);
        walk->tip = walk->block.header;
        walk->tip_id = walk->id;
    }
    block_close(&walk->block);
    free(walk->data);
    walk->data = NULL;
    ledger_state_close(&walk->before);
    walk->before = walk->after;
    walk->after = (struct ledger_state){0};
}

enum status ledger_walk_next(struct ledger_walk *walk, bool *more, struct error *error) {
    uint64_t height = walk->height == 0 ? walk->first : walk->height + 1;
    walk->advice = NULL;
    *more = height <= walk->view->height;
    if (!*more)
        return STATUS_OK;
    step(walk);
    walk->height = height;
    TRY(load(walk, error));
    return walk->trusting ? STATUS_OK : check(walk, error);
}
