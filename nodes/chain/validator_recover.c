/* validator_recover: start, start again, and the way back from amnesia (specs/chain.md, 1.8). */
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/validator_state.h"

#define MEMPOOL_BLOCKS 4u           /* bytes of the mempool, in blocks */
#define MEMPOOL_VERIFIED_MAX 16384u /* a power of two */
#define CATCH_UP_BLOCKS 8u          /* bytes on their way, in blocks */
#define SNAPSHOT_GAP_INTERVALS 4u   /* checkpoints behind from which one is fetched */
#define ATTEST_EXPIRY 64u
#define LINKS_CHECKED 4u                                  /* last heights whose blocks are looked at */
#define BLOCK_ID_OFFSET (18u + HASH_BYTES + 8u + 4u + 4u) /* of the sign bytes */

static const struct attestor *const attestors[] = {&attestor_stated, &attestor_diagnosis};

/* ---- the chain ---- */

/* The tip: its block is what it says, certified, and follows the one before. */
static enum status load_tip(struct validator *validator, uint64_t height) {
    uint8_t *data = NULL;
    size_t bytes;
    struct block block = {.txs = NULL};
    enum status status =
        ledger_store_get_block(validator->store, height, &data, &bytes, &validator->tip_certificate);
    if (status == STATUS_OK)
        status = block_open(data, bytes, validator->block_bytes_max, &block);
    if (status == STATUS_OK) {
        validator->tip = block.header;
        validator->tip_id = block_id_of(&block.header);
        validator_remember_block(validator, &block);
        if (block.header.height != height ||
            !hash_equal(&validator->tip_id, &validator->tip_certificate.block_id) ||
            !certificate_valid(validator->genesis, &validator->tip_certificate))
            status = STATUS_FAILED;
    }
    block_close(&block);
    free(data);
    return status;
}

/* Links of the last heights, so that proofs can be given again too. */
static enum status check_links(struct validator *validator, uint64_t height) {
    struct hash expected = validator->tip.prev_block_id;
    for (uint64_t i = height - 1; i > 0 && height - i < LINKS_CHECKED; i--) {
        uint8_t *data = NULL;
        size_t bytes;
        struct certificate certificate;
        struct block block = {.txs = NULL};
        enum status status = ledger_store_get_block(validator->store, i, &data, &bytes, &certificate);
        if (status == STATUS_INVALID)
            return STATUS_OK; /* below the checkpoint that it was started from */
        if (status == STATUS_OK)
            status = block_open(data, bytes, validator->block_bytes_max, &block);
        if (status == STATUS_OK) {
            struct hash id = block_id_of(&block.header);
            status = hash_equal(&id, &expected) ? STATUS_OK : STATUS_FAILED;
            expected = block.header.prev_block_id;
            validator_remember_block(validator, &block);
        }
        block_close(&block);
        free(data);
        TRY(status);
    }
    return STATUS_OK;
}

static enum status load_history(struct validator *validator, uint64_t height) {
    validator->history = (struct merkle_frontier){.count = 0};
    for (uint64_t i = 1; i <= height; i++) {
        struct hash id;
        TRY(ledger_store_get_block_id(validator->store, i, &id));
        struct hash leaf = merkle_leaf(id.bytes, HASH_BYTES);
        merkle_frontier_add(&validator->history, &leaf);
    }
    return STATUS_OK;
}

static enum status load_state(struct validator *validator, uint64_t height) {
    uint8_t *data = NULL;
    size_t bytes;
    ledger_state_close(&validator->before);
    ledger_state_close(&validator->state);
    if (height == 0)
        return ledger_state_init(&validator->state, validator->genesis);
    TRY(ledger_store_get_state(validator->store, height, &data, &bytes));
    enum status status = ledger_state_decode(&validator->state, validator->genesis, data, bytes);
    free(data);
    return status;
}

enum status validator_load_chain(struct validator *validator) {
    uint64_t height = ledger_store_height(validator->store);
    enum status status = load_state(validator, height);
    validator->committed = height;
    if (status == STATUS_OK && height > 0)
        status = load_tip(validator, height);
    if (status == STATUS_OK && height > 0)
        status = check_links(validator, height);
    if (status == STATUS_OK)
        status = load_history(validator, height);
    return status == STATUS_OK || status == STATUS_MEMORY ? status : STATUS_FAILED;
}

/* ---- what it works with ---- */

static enum status open_parts(struct validator *validator) {
    const struct scenario_chain *rules = validator->rules;
    const struct chain_params *params = &validator->genesis->params;
    size_t block_bytes = validator->block_bytes_max;
    TRY(mempool_init(&validator->mempool, &(struct mempool_config){.genesis = validator->genesis,
                                                                   .txs_max = rules->mempool_max,
                                                                   .bytes_max = MEMPOOL_BLOCKS * block_bytes,
                                                                   .verified_max = MEMPOOL_VERIFIED_MAX}));
    blobs_init(&validator->blobs, &(struct blobs_config){.store = validator->store,
                                                         .blob_bytes_max = params->blob_bytes_max,
                                                         .bytes_max = 4 * (size_t)params->blob_bytes_max,
                                                         .timeout_ns = rules->timeout_ns});
    VALIDATOR_STORE(blob_keeper_init(&validator->keeper, validator->store, &validator->state));
    TRY(catch_up_init(&validator->catch_up,
                      &(struct catch_up_config){.genesis = validator->genesis,
                                                .store = validator->store,
                                                .self = validator->self,
                                                .nodes = validator->nodes,
                                                .block_bytes_max = block_bytes + CERTIFICATE_BYTES_MAX,
                                                .bytes_max = CATCH_UP_BLOCKS * block_bytes,
                                                .timeout_ns = rules->timeout_ns,
                                                .snapshot_gap = (uint64_t)SNAPSHOT_GAP_INTERVALS *
                                                                params->checkpoint_interval}));
    attest_diagnosis_init(&validator->judge, validator->env);
    return attest_init(&validator->attest,
                       &(struct attest_config){.genesis = validator->genesis,
                                               .store = validator->store,
                                               .key = validator->key,
                                               .self = validator->self,
                                               .attestors = attestors,
                                               .attestor_count = sizeof attestors / sizeof *attestors,
                                               .context = &validator->judge,
                                               .expiry = ATTEST_EXPIRY});
}

/* Where it may sign from: above what it has signed, or only when others say how far it may have been. A
 * directory that is fresh though it ran before is one in which nothing was ever signed: the store would call
 * an emptied one amnesia. */
static enum status load_votes(struct validator *validator) {
    enum ledger_condition condition = ledger_store_condition(validator->store);
    validator->votes = (struct ledger_votes){.locked_round = -1, .valid_round = -1};
    validator->amnesia = condition == LEDGER_AMNESIA;
    validator->ask_nonce = (uint64_t)validator->now_ns + 1;
    validator->sign_from = validator->amnesia ? UINT64_MAX : 1;
    if (validator->amnesia)
        return STATUS_OK;
    enum status status = ledger_store_get_votes(validator->store, &validator->votes);
    if (status == STATUS_INVALID) /* it has signed nothing yet */
        return STATUS_OK;
    VALIDATOR_STORE(status);
    validator->sign_from = validator->votes.height;
    return STATUS_OK;
}

enum status validator_recover(struct validator *validator) {
    validator->places = calloc(VALIDATOR_PLACES_MAX, sizeof *validator->places);
    validator->direct = calloc(VALIDATOR_PLACES_MAX, sizeof *validator->direct);
    validator->vain = calloc(validator->genesis->sender_count, sizeof *validator->vain);
    validator->asked = calloc(validator->genesis->sender_count, sizeof *validator->asked);
    if (validator->places == NULL || validator->direct == NULL || validator->vain == NULL ||
        validator->asked == NULL)
        return STATUS_MEMORY;
    TRY(validator_past_init(&validator->past, validator->count));
    enum status status = validator_load_chain(validator);
    if (status != STATUS_OK)
        return error_set(validator->env->error, status, "the chain that the ledger keeps cannot be read: %s",
                         ledger_store_reason(validator->store));
    TRY(load_votes(validator));
    TRY(open_parts(validator));
    catch_up_committed(&validator->catch_up, validator->committed, &validator->tip_id, validator->now_ns,
                       validator->out);
    return STATUS_OK;
}

/* ---- the engine ---- */

bool validator_may_sign(const struct validator *validator) {
    return !validator->amnesia && validator->committed + 1 >= validator->sign_from;
}

static enum status open_engine(struct validator *validator) {
    bool observer = !validator_may_sign(validator);
    if (validator->consensus != NULL && validator->observer == observer)
        return STATUS_OK;
    consensus_close(validator->consensus);
    validator->observer = observer;
    return consensus_open(&(struct consensus_config){.validator_count = validator->count,
                                                     .self = validator->self,
                                                     .timeout_ns = validator->rules->timeout_ns,
                                                     .timeout_step_ns = validator->rules->timeout_step_ns,
                                                     .timeout_max_ns = validator->rules->timeout_max_ns,
                                                     .observer = observer},
                          &validator->consensus);
}

enum status validator_open_engine(struct validator *validator) {
    TRY(open_engine(validator));
    bool exclude = validator->genesis->params.exclude_accused;
    consensus_exclude(validator->consensus, exclude ? validator->state.accused : 0);
    return STATUS_OK;
}

static uint32_t polka_of(const struct ledger_votes *votes, struct vote *polka) {
    uint32_t count = 0;
    for (uint16_t i = 0; votes->valid_round >= 0 && i < VALIDATORS_MAX; i++) {
        if ((votes->polka_bitmap >> i & 1) == 0)
            continue;
        polka[count] = (struct vote){.type = VOTE_PREVOTE,
                                     .height = votes->height,
                                     .round = (uint32_t)votes->valid_round,
                                     .validator = i,
                                     .block_id = votes->valid_block_id,
                                     .signature = votes->polka[count]};
        count++;
    }
    return count;
}

static void resume_engine(struct validator *validator, const struct pacing *pacing) {
    const struct ledger_votes *votes = &validator->votes;
    struct vote polka[VALIDATORS_MAX];
    struct consensus_resume from = {.height = votes->height,
                                    .first_proposer = pacing->first_proposer,
                                    .round = votes->round,
                                    .step = votes->step,
                                    .locked_round = votes->locked_round,
                                    .valid_round = votes->valid_round,
                                    .locked_value = votes->locked_block_id,
                                    .valid_value = votes->valid_block_id,
                                    .polka = polka,
                                    .polka_count = polka_of(votes, polka)};
    consensus_resume(validator->consensus, &from, &validator->actions);
}

/* The block it is bound to, so that it can be proposed again. */
static enum status bring_back_block(struct validator *validator, const struct hash *id) {
    uint8_t *data = NULL;
    size_t bytes;
    if (hash_is_zero(id) || validator_find_block(validator, id) != NULL)
        return STATUS_OK;
    enum status status = ledger_store_get_proposal_block(validator->store, id, &data, &bytes);
    if (status == STATUS_INVALID)
        return STATUS_OK; /* peers have it */
    VALIDATOR_STORE(status);
    struct proposed *block = validator_place_block(validator, data, bytes, id);
    return block != NULL ? validator_verify(validator, block, true) : STATUS_OK;
}

/* What was signed last goes out again, and into the engine. */
static enum status repeat_last(struct validator *validator) {
    const struct ledger_votes *votes = &validator->votes;
    if (votes->step == VOTE_PROPOSAL) {
        struct proposal proposal = votes->proposal;
        return validator_repeat_proposal(validator, &proposal);
    }
    struct message_vote message = {.count = 1};
    struct vote *vote = &message.votes[0];
    *vote = (struct vote){.type = (enum vote_type)votes->step,
                          .height = votes->height,
                          .round = votes->round,
                          .validator = validator->self,
                          .signature = votes->signature};
    memcpy(vote->block_id.bytes, votes->sign_bytes + BLOCK_ID_OFFSET, HASH_BYTES);
    if (!vote_valid(validator->genesis, vote))
        return STATUS_FAILED; /* of another key or chain: not a directory of this validator */
    validator_send_all_votes(validator, &message);
    consensus_on_vote(validator->consensus, vote, &validator->actions);
    return STATUS_OK;
}

enum status validator_resume(struct validator *validator, bool *resumed) {
    const struct ledger_votes *votes = &validator->votes;
    struct pacing pacing;
    *resumed = validator_may_sign(validator) && votes->height == validator->committed + 1 && votes->step != 0;
    if (!*resumed)
        return STATUS_OK;
    validator_begin_height(validator, &pacing);
    TRY(validator_open_engine(validator));
    validator->awake = true;
    resume_engine(validator, &pacing);
    TRY(bring_back_block(validator, &votes->valid_block_id));
    TRY(bring_back_block(validator, &votes->locked_block_id));
    return repeat_last(validator);
}

/* ---- amnesia ---- */

/* H: the highest height that a quorum of others is known to work on. This validator may have signed at H + 1
 * and not above: to sign at h it held a certificate of h - 1, whose q signers and the q that answered have an
 * honest validator in common. */
static enum status end_amnesia(struct validator *validator) {
    uint32_t answers = 0, step_round;
    uint64_t highest = 0, sentinel_height;
    uint8_t step;
    for (uint32_t i = 0; i < validator->count; i++) {
        answers += validator->peers[i].proven;
        if (validator->peers[i].proven && validator->peers[i].claim > highest)
            highest = validator->peers[i].claim;
    }
    if (answers < validator->quorum)
        return STATUS_OK;
    ledger_store_sentinel(validator->store, &sentinel_height, &step_round, &step);
    uint64_t from = highest + 2 > sentinel_height ? highest + 2 : sentinel_height + 1;
    VALIDATOR_STORE(ledger_store_recover_votes(validator->store, from));
    validator->votes = (struct ledger_votes){.height = from, .locked_round = -1, .valid_round = -1};
    validator->amnesia = false;
    validator->sign_from = from;
    /* the others may wait for nothing but its vote at this very height */
    return validator_may_sign(validator) ? validator_enter_height(validator) : STATUS_OK;
}

enum status validator_on_claim(struct validator *validator, uint32_t from,
                               const struct message_status *status) {
    struct validator_peer *peer = &validator->peers[from];
    uint64_t first = validator->ask_nonce;
    bool proven = (status->flags & MESSAGE_STATUS_PROVEN) != 0;
    if (!validator->amnesia || status->nonce < first || status->nonce > first + validator->beacon)
        return STATUS_OK; /* of an earlier life, or no longer asked */
    if (status->committed > 0 && (!proven || status->certificate.height != status->committed ||
                                  !certificate_valid(validator->genesis, &status->certificate)))
        return STATUS_INVALID; /* a claim that proves nothing would silence this validator for ever */
    if (!peer->proven || status->committed + 1 > peer->claim)
        peer->claim = status->committed + 1;
    peer->proven = true;
    return end_amnesia(validator);
}
