/* validator_transactions: what comes to be put on chain, and what this validator itself has to say there. */
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/validator_state.h"

#define GOSSIP_AGAIN_MAX 8u       /* transactions sent again per beacon */
#define MODEL_PATIENCE_TIMEOUTS 8 /* T0: how long the bytes of a model may take */
#define MODEL_REFUSAL_PATIENCES 4 /* for how long an update that was given up is not taken again */

/* ---- models ---- */

bool validator_blob_held(void *context, const struct transaction *tx) {
    struct validator *validator = context;
    struct blob_claim claim = blob_claim_of(tx);
    return blobs_hold(&validator->blobs, &claim);
}

static bool has_link(const struct validator *validator, uint32_t node) {
    return topology_link_between(validator->env->topology, validator->env->self, node) != TOPOLOGY_NONE;
}

void validator_want_blob(struct validator *validator, const struct blob_claim *claim, uint32_t node,
                         uint32_t sender) {
    uint32_t sources[VALIDATORS_MAX + 2u], count = 0;
    uint32_t author = validator->chain->node_of_sender[sender];
    if (node != validator->env->self && has_link(validator, node))
        sources[count++] = node;
    if (author != node && author != validator->env->self && has_link(validator, author))
        sources[count++] = author;
    for (uint32_t i = 1; i < validator->count && count < BLOB_SOURCES_MAX; i++) {
        uint32_t other = validator->nodes[(validator->self + i) % validator->count];
        if (other != node && other != author && has_link(validator, other))
            sources[count++] = other;
    }
    if (count > BLOB_SOURCES_MAX)
        count = BLOB_SOURCES_MAX;
    struct blob_want want = {.claim = *claim, .sources = sources, .source_count = count};
    if (count > 0) /* no room now: asked for again when the next block or transaction names it */
        (void)blobs_want(&validator->blobs, &want, validator->now_ns, validator->out);
}

void validator_drop_claims(struct validator *validator, const struct blob_claim *claim) {
    struct mempool *pool = &validator->mempool;
    for (uint32_t i = pool->count; i-- > 0;) {
        const struct mempool_entry *entry = pool->entries[i];
        struct transaction tx;
        if (entry->type == TX_MODEL_UPDATE &&
            transaction_decode(entry->data, entry->bytes, &tx) == STATUS_OK &&
            tx.blob_bytes == claim->bytes && hash_equal(&tx.blob_hash, &claim->hash) &&
            hash_equal(&tx.chunk_root, &claim->chunk_root))
            mempool_drop(pool, tx.sender, tx.nonce);
    }
}

static void want_model_of(struct validator *validator, uint32_t node, const uint8_t *data, size_t bytes) {
    struct transaction tx;
    if (transaction_decode(data, bytes, &tx) != STATUS_OK || tx.type != TX_MODEL_UPDATE ||
        validator_blob_held(validator, &tx))
        return;
    struct blob_claim claim = blob_claim_of(&tx);
    validator_want_blob(validator, &claim, node, tx.sender);
}

/* Is this one that was given up of late, and still without its model? */
static bool is_vain(struct validator *validator, const uint8_t *data, size_t bytes) {
    struct transaction tx;
    if (transaction_decode(data, bytes, &tx) != STATUS_OK || tx.type != TX_MODEL_UPDATE ||
        tx.sender >= validator->genesis->sender_count)
        return false;
    const struct validator_vain *vain = &validator->vain[tx.sender];
    return vain->nonce == tx.nonce && validator->now_ns < vain->refuse_until_ns &&
           !validator_blob_held(validator, &tx);
}

/* true: the transaction has waited in vain for too long. */
static bool waits_in_vain(struct validator *validator, const struct transaction *tx) {
    struct validator_vain *vain = &validator->vain[tx->sender];
    int64_t patience_ns = MODEL_PATIENCE_TIMEOUTS * validator->rules->timeout_ns;
    if (vain->nonce != tx->nonce || vain->refuse_until_ns != 0)
        *vain = (struct validator_vain){.nonce = tx->nonce, .since_ns = validator->now_ns};
    if (validator->now_ns - vain->since_ns < patience_ns)
        return false;
    vain->refuse_until_ns = validator->now_ns + MODEL_REFUSAL_PATIENCES * patience_ns;
    return true;
}

enum status validator_give_up_models(struct validator *validator) {
    struct mempool *pool = &validator->mempool;
    bool dropped = false;
    for (uint32_t i = 0; i < pool->count;) {
        const struct mempool_entry *entry = pool->entries[i];
        struct transaction tx;
        if ((i > 0 && pool->entries[i - 1]->sender == entry->sender) || entry->type != TX_MODEL_UPDATE ||
            transaction_decode(entry->data, entry->bytes, &tx) != STATUS_OK ||
            validator_blob_held(validator, &tx) || !waits_in_vain(validator, &tx)) {
            i++;
            continue;
        }
        blobs_forget(&validator->blobs, &tx.blob_hash);
        mempool_drop(pool, tx.sender, tx.nonce); /* the next one of its sender moves up */
        dropped = true;
    }
    if (dropped && validator_has_work(validator))
        validator_wake(validator);
    return dropped ? validator_try_propose(validator) : STATUS_OK;
}

/* ---- what comes ---- */

static void pass_on(struct validator *validator, const uint8_t *payload, size_t bytes) {
    validator_send_all(validator, MESSAGE_TX, payload, bytes, VALIDATOR_ORDINARY);
}

static void count_refused(struct validator *validator, enum mempool_verdict verdict) {
    validator->drops.duplicate += verdict == MEMPOOL_KNOWN;
    validator->drops.stale += verdict == MEMPOOL_STALE || verdict == MEMPOOL_CONFLICT;
    validator->drops.crowded += verdict == MEMPOOL_CROWDED;
}

static enum status prove_again(struct validator *validator, uint32_t node, const struct message_tx *message) {
    if (!validator_may_ask(validator, node))
        return STATUS_OK;
    TRY(validator_prove_again(validator, node, message->data, message->bytes));
    validator_charge(validator, node);
    return STATUS_OK;
}

/* From an edge server: new ones go to all other validators. From a validator: it has told all. */
enum status validator_on_tx(struct validator *validator, uint32_t node, const uint8_t *payload,
                            size_t bytes) {
    struct message_tx message;
    TRY(message_decode_tx(payload, bytes, &message));
    bool direct = validator_of_node(validator, node) == CHAIN_NONE;
    if (is_vain(validator, message.data, message.bytes)) {
        validator->drops.crowded++;
        return STATUS_OK;
    }
    enum mempool_verdict verdict =
        mempool_add(&validator->mempool, &validator->state, message.data, message.bytes);
    if (verdict == MEMPOOL_INVALID)
        return STATUS_INVALID;
    if (direct && (verdict == MEMPOOL_NEW || verdict == MEMPOOL_KNOWN)) {
        struct hash id = transaction_id(message.data, message.bytes);
        validator_note_direct(validator, &id);
    }
    if (direct && verdict == MEMPOOL_STALE)
        TRY(prove_again(validator, node, &message));
    if (verdict == MEMPOOL_NEW || verdict == MEMPOOL_KNOWN) /* known: its blob may have found no room */
        want_model_of(validator, node, message.data, message.bytes);
    if (verdict != MEMPOOL_NEW) {
        count_refused(validator, verdict);
        return STATUS_OK;
    }
    if (direct)
        pass_on(validator, payload, bytes);
    if (validator_has_work(validator))
        validator_wake(validator);
    return validator_try_propose(validator);
}

void validator_gossip_again(struct validator *validator) {
    const struct mempool *pool = &validator->mempool;
    uint32_t to = (uint32_t)((validator->self + 1 + validator->beacon) % validator->count);
    for (uint32_t i = 0; i < GOSSIP_AGAIN_MAX && i < pool->count; i++) {
        const struct mempool_entry *entry = pool->entries[validator->gossip_next++ % pool->count];
        struct message_tx message = {.data = entry->data, .bytes = entry->bytes};
        struct bytes_writer writer = outbox_reserve(validator->out, entry->bytes + 1u);
        if (writer.data == NULL || to == validator->self || !validator->peers[to].linked)
            return;
        message_encode_tx(&writer, &message);
        outbox_send_reserved(validator->out, validator->nodes[to], MESSAGE_TX, &writer, 0,
                             VALIDATOR_ORDINARY);
    }
}

/* ---- what it says itself ---- */

void validator_submit(struct validator *validator, const struct bytes_writer *tx) {
    struct message_tx message = {.data = tx->data, .bytes = (uint32_t)tx->used};
    uint8_t *data = malloc(tx->used + 1);
    struct bytes_writer writer = bytes_writer_over(data, tx->used + 1);
    if (data == NULL)
        return; /* comes again: what is not on chain stays due */
    message_encode_tx(&writer, &message);
    enum mempool_verdict verdict = mempool_add(&validator->mempool, &validator->state, tx->data, tx->used);
    count_refused(validator, verdict);
    if (verdict == MEMPOOL_NEW) {
        pass_on(validator, data, writer.used);
        if (validator_has_work(validator))
            validator_wake(validator);
    }
    free(data);
}

uint64_t validator_next_nonce(struct validator *validator) {
    uint64_t least = validator->state.nonces[validator->self] + 1;
    validator->next_nonce = validator->next_nonce < least ? least : validator->next_nonce;
    return validator->next_nonce;
}

static uint32_t offences_of(const struct validator *validator, uint16_t accused) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < validator->offence_count; i++)
        count += evidence_accused(&validator->offences[i].evidence) == accused;
    return count;
}

/* All places are taken: one of whoever has most gives way to somebody who has less by two. So nobody hides
 * behind the offences of another. NULL: none. */
static struct validator_offence *offence_to_give_way(struct validator *validator, uint16_t accused) {
    uint32_t most = offences_of(validator, accused) + 1;
    struct validator_offence *place = NULL;
    for (uint32_t i = 0; i < validator->offence_count; i++) {
        struct validator_offence *offence = &validator->offences[i];
        uint32_t count = offences_of(validator, evidence_accused(&offence->evidence));
        if (count > most) {
            most = count;
            place = offence;
        }
    }
    return place;
}

void validator_accuse(struct validator *validator, const struct evidence *evidence) {
    struct hash key = evidence_key(evidence);
    for (uint32_t i = 0; i < validator->offence_count; i++) {
        struct hash other = evidence_key(&validator->offences[i].evidence);
        if (hash_equal(&key, &other))
            return;
    }
    struct validator_offence *place = validator->offence_count < VALIDATOR_OFFENCES_MAX
                                          ? &validator->offences[validator->offence_count++]
                                          : offence_to_give_way(validator, evidence_accused(evidence));
    if (place == NULL) {
        validator->drops.crowded++;
        return;
    }
    *place = (struct validator_offence){.evidence = *evidence, .nonce = 0};
    validator->own_due = true;
}

/* Makes the transaction of an offence. false: it is on chain, or too old, or none: forget it. */
static bool bring_to_chain(struct validator *validator, struct validator_offence *offence) {
    uint8_t ext[EVIDENCE_BYTES_MAX], data[TRANSACTION_BYTES_MIN + EVIDENCE_BYTES_MAX];
    struct bytes_writer ext_writer = bytes_writer_over(ext, sizeof ext);
    evidence_encode(&ext_writer, &offence->evidence);
    struct transaction tx = {.type = TX_EVIDENCE,
                             .chain_id = validator->genesis->chain_id,
                             .sender = validator->self,
                             .nonce = validator->next_nonce,
                             .expiry_height =
                                 validator->committed + validator->genesis->params.evidence_age + 1,
                             .ext_bytes = (uint16_t)ext_writer.used,
                             .ext = ext};
    transaction_sign(validator->key, &tx);
    if (ledger_state_check(&validator->state, &tx, validator->committed + 1) == STATUS_INVALID)
        return false;
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    transaction_encode(&writer, &tx);
    offence->nonce = validator->next_nonce++;
    validator_submit(validator, &writer);
    return true;
}

/* Is a transaction with this own nonce still to come? */
static bool is_waiting(const struct validator *validator, uint64_t nonce) {
    return nonce > validator->state.nonces[validator->self] &&
           mempool_find(&validator->mempool, validator->self, nonce) != NULL;
}

static void bring_offences(struct validator *validator) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < validator->offence_count; i++) {
        struct validator_offence *offence = &validator->offences[i];
        if (is_waiting(validator, offence->nonce) || bring_to_chain(validator, offence))
            validator->offences[kept++] = *offence;
    }
    validator->offence_count = kept;
}

static enum status attest_due(struct validator *validator) {
    uint8_t data[ATTEST_TX_BYTES];
    for (;;) {
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        enum status status =
            attest_next(&validator->attest, &validator->state, &validator->next_nonce, &writer);
        if (status == STATUS_STOPPED)
            return STATUS_OK;
        VALIDATOR_STORE(status);
        validator_submit(validator, &writer);
    }
}

static void want_models(struct validator *validator) {
    const struct ledger_model *model;
    struct hash after;
    bool more = attest_missing_blob(&validator->attest, &validator->state, NULL, &model);
    while (more) {
        struct blob_claim claim = {
            .hash = model->blob_hash, .chunk_root = model->chunk_root, .bytes = model->blob_bytes};
        validator_want_blob(validator, &claim, validator->env->self, model->sender);
        after = model->tx_id;
        more = attest_missing_blob(&validator->attest, &validator->state, &after, &model);
    }
}

enum status validator_own_transactions(struct validator *validator) {
    validator->own_due = false;
    if (validator->catch_up.header_tip > validator->committed + 1)
        return STATUS_OK; /* certified: this state is old, and others have attested since */
    (void)validator_next_nonce(validator);
    bring_offences(validator);
    TRY(attest_due(validator));
    want_models(validator);
    return validator_try_propose(validator);
}
