#include "nodes/edge/model_author.h"

#include <string.h>

#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/chain/attest_diagnosis.h"
#include "nodes/chain/chain.h"

#define AGAIN_TIMEOUTS 2 /* time-outs of round 0 between two sendings */
#define TASK_DIAGNOSIS 0u

void model_author_init(struct model_author *author, const struct node_env *env) {
    *author = (struct model_author){.active = env->chain != NULL &&
                                              labelled_models_offered(env->scenario, env->topology)};
}

void model_author_close(struct model_author *author) {
    labelled_close(&author->learnt);
    labelled_close(&author->judged);
    *author = (struct model_author){0};
}

int64_t model_author_round_ns(const struct node_env *env, uint32_t round) {
    uint64_t slot = (uint64_t)round * env->scenario->chain.model_slots;
    return slot < env->scenario->slots ? scenario_slot_begin_ns(env->scenario, (uint32_t)slot) : VTIME_NEVER;
}

/* ---- a round ---- */

/* Learns from what there is up to this round, and measures on the windows that judge. */
static enum status estimate(struct model_author *author, const struct node_env *env, uint32_t round,
                            struct diagnosis_model *model, struct diagnosis_quality *quality) {
    struct diagnosis_config config = diagnosis_config_default(env->scenario->data.shaft_hz);
    uint32_t windows = round * LABELLED_PER_ROUND;
    TRY(labelled_extend(&author->learnt, env, env->self, windows));
    TRY(labelled_extend(&author->judged, env, TOPOLOGY_NONE, LABELLED_JUDGED));
    diagnosis_fit(&config, author->learnt.labels, windows);
    *model = (struct diagnosis_model){.author = env->self, .round = round, .windows = windows};
    diagnosis_model_take(model, &config);
    diagnosis_model_apply(model, &config); /* measured is what travels */
    *quality = diagnosis_judge(&config, author->judged.labels, author->judged.count);
    return STATUS_OK;
}

static void make_offer(const struct node_env *env, const struct diagnosis_quality *quality,
                       const struct author_blob *blob, struct author_offer *offer) {
    const struct chain *chain = env->chain;
    struct transaction tx = {.type = TX_MODEL_UPDATE,
                             .chain_id = chain->genesis.chain_id,
                             .sender = chain->sender_of_node[env->self],
                             .nonce = offer->round,
                             .fl_round = offer->round,
                             .task_id = TASK_DIAGNOSIS,
                             .blob_hash = blob->hash,
                             .blob_bytes = DIAGNOSIS_MODEL_BYTES,
                             .chunk_root = blob_chunk_root(blob->data, DIAGNOSIS_MODEL_BYTES),
                             .arch_id = DIAGNOSIS_MODEL_ARCH,
                             .sample_count = LABELLED_JUDGED,
                             .metric_input_hash = labelled_judged_hash(env->scenario),
                             .expiry_height = UINT64_MAX};
    struct bytes_writer writer = bytes_writer_over(offer->tx, sizeof offer->tx);
    attest_diagnosis_metrics(quality, tx.metric_q32); /* both are finite and small */
    transaction_sign(&chain->keys[env->self], &tx);
    transaction_encode(&writer, &tx);
    offer->tx_id = transaction_id(offer->tx, writer.used);
}

enum status model_author_round(struct model_author *author, const struct node_env *env, uint32_t round,
                               int64_t now_ns, struct outbox *out) {
    struct diagnosis_model model;
    struct diagnosis_quality quality;
    if (author->count > 0 && author->offers[0].included) { /* no longer waited for: the next one is here */
        author->count--;
        memmove(author->offers, author->offers + 1, author->count * sizeof *author->offers);
        author->sent = 0;
    }
    if (author->count == AUTHOR_OFFERS_MAX) {
        author->skipped++;
        return STATUS_OK;
    }
    TRY(estimate(author, env, round, &model, &quality));
    struct author_blob *blob = &author->served[author->served_next++ % AUTHOR_SERVED_MAX];
    diagnosis_model_encode(&model, blob->data);
    blob->hash = blob_hash(blob->data, sizeof blob->data);
    struct author_offer *offer = &author->offers[author->count++];
    *offer = (struct author_offer){.round = round, .since_ns = now_ns};
    make_offer(env, &quality, blob, offer);
    outbox_record_series(out, "model_accuracy", round, quality.accuracy);
    return STATUS_OK;
}

/* ---- sending ---- */

static void send_to(const struct author_offer *offer, uint32_t validator, struct outbox *out) {
    struct message_tx message = {.data = offer->tx, .bytes = sizeof offer->tx};
    struct bytes_writer writer = outbox_reserve(out, sizeof offer->tx + 1u);
    if (writer.data == NULL)
        return; /* the outbox remembers why */
    message_encode_tx(&writer, &message);
    outbox_send_reserved(out, validator, MESSAGE_TX, &writer, 0, 0);
}

int64_t model_author_send(struct model_author *author, const struct node_env *env, int64_t now_ns,
                          struct outbox *out) {
    if (author->count == 0)
        return VTIME_NEVER;
    const struct author_offer *offer = &author->offers[0];
    uint32_t validators = env->chain->genesis.validator_count;
    uint32_t one = (uint32_t)(author->sent++ % validators);
    for (uint32_t i = 0; i < validators; i++) {
        uint32_t node = env->chain->node_of_sender[i];
        bool wanted = !offer->included || i == one;
        if (wanted && topology_link_between(env->topology, env->self, node) != TOPOLOGY_NONE)
            send_to(offer, node, out);
    }
    return now_ns + AGAIN_TIMEOUTS * env->scenario->chain.timeout_ns;
}

/* ---- what becomes of it ---- */

void model_author_included(struct model_author *author, const struct hash *tx_id, int64_t now_ns,
                           struct outbox *out) {
    struct author_offer *offer = &author->offers[0];
    if (author->count == 0 || offer->included || !hash_equal(&offer->tx_id, tx_id))
        return;
    offer->included = true;
    outbox_record_series(out, "model_included_s", offer->round, vtime_to_s(now_ns - offer->since_ns));
    if (author->count == 1)
        return;
    author->count--;
    memmove(author->offers, author->offers + 1, author->count * sizeof *author->offers);
    author->sent = 0;
}

void model_author_accepted(struct model_author *author, const struct hash *tx_id, int64_t now_ns,
                           struct outbox *out) {
    struct author_offer *offer = &author->offers[0];
    if (author->count == 0 || !hash_equal(&offer->tx_id, tx_id))
        return;
    outbox_record_series(out, "model_accepted_s", offer->round, vtime_to_s(now_ns - offer->since_ns));
    author->count--;
    memmove(author->offers, author->offers + 1, author->count * sizeof *author->offers);
    author->sent = 0;
}

const uint8_t *model_author_blob(const struct model_author *author, const struct hash *hash) {
    for (uint32_t i = 0; i < AUTHOR_SERVED_MAX; i++)
        if (hash_equal(&author->served[i].hash, hash))
            return author->served[i].data;
    return NULL;
}
