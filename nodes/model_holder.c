#include "nodes/model_holder.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/net/message_chain.h"
#include "nodes/chain/chain.h"

void model_holder_init(struct model_holder *holder, const struct node_env *env) {
    *holder = (struct model_holder){0};
    if (env->chain != NULL)
        light_client_init(&holder->client, &env->chain->genesis);
}

void model_holder_close(struct model_holder *holder) {
    free(holder->message);
    *holder = (struct model_holder){0};
}

/* What the message says, before anything is believed. */
struct claim {
    struct message_model message;
    struct light_proof proof;
    struct ledger_model model;
    struct diagnosis_model parameters;
};

static bool read_claim(const uint8_t *payload, size_t bytes, struct claim *claim) {
    if (message_decode_model(payload, bytes, &claim->message) != STATUS_OK)
        return false;
    struct bytes_reader reader = bytes_reader_over(claim->message.proof, claim->message.proof_bytes);
    return light_proof_decode(&reader, &claim->proof) == STATUS_OK && bytes_done(&reader) &&
           claim->proof.kind == PROOF_MODEL &&
           ledger_model_decode(claim->proof.leaf, claim->proof.leaf_bytes, &claim->model) == STATUS_OK &&
           claim->model.arch_id == DIAGNOSIS_MODEL_ARCH &&
           diagnosis_model_decode(claim->message.blob, claim->message.blob_bytes, &claim->parameters) ==
               STATUS_OK;
}

static void keep(struct model_holder *holder, const struct claim *claim, const uint8_t *payload,
                 size_t bytes) {
    holder->message = memory_grow(holder->message, bytes, 1, "a model");
    memcpy(holder->message, payload, bytes);
    holder->message_bytes = (uint32_t)bytes;
    holder->model = claim->model;
    holder->parameters = claim->parameters;
    holder->holds = true;
    holder->taken++;
}

enum model_news model_holder_take(struct model_holder *holder, const uint8_t *payload, size_t bytes) {
    struct claim claim;
    if (holder->client.genesis == NULL || !read_claim(payload, bytes, &claim)) {
        holder->refused++;
        return MODEL_REFUSED;
    }
    if (holder->holds && !ledger_model_better(&claim.model, &holder->model))
        return MODEL_KNOWN;
    if (light_client_check_model(&holder->client, &claim.proof, claim.message.blob, claim.message.blob_bytes,
                                 &claim.model, NULL) != STATUS_OK) {
        holder->refused++;
        return MODEL_REFUSED;
    }
    keep(holder, &claim, payload, bytes);
    return MODEL_TAKEN;
}

void model_holder_send(const struct model_holder *holder, uint32_t node, struct outbox *out) {
    if (holder->holds)
        outbox_send(out, node, MESSAGE_MODEL, holder->message, holder->message_bytes, 0, 0);
}

void model_holder_record(const struct model_holder *holder, const struct node_env *env, enum model_news news,
                         int64_t now_ns, struct outbox *out) {
    if (news == MODEL_TAKEN) {
        double height = (double)holder->client.newest.height;
        outbox_record_series(out, "model_height", (uint32_t)(now_ns / env->scenario->slot_ns), height);
        outbox_record_result(out, "model_height", "", height);
    } else if (news == MODEL_REFUSED) {
        outbox_record_result(out, "models_refused", "", (double)holder->refused);
    }
}

void model_holder_retune(const struct model_holder *holder, const struct node_env *env,
                         struct diagnosis_plan *plan) {
    struct diagnosis_config config = diagnosis_config_default(env->scenario->data.shaft_hz);
    if (!holder->holds)
        return;
    diagnosis_model_apply(&holder->parameters, &config);
    diagnosis_retune(plan, &config);
}
