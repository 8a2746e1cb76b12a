#include "nodes/edge/model_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/chain/blobs.h"
#include "nodes/chain/chain.h"

#define AGAIN_TIMEOUTS 2 /* time-outs of round 0 before the next validator is asked for a blob */

void model_server_init(struct model_server *server, const struct node_env *env) {
    *server = (struct model_server){.again_ns = VTIME_NEVER};
    model_author_init(&server->author, env);
    model_holder_init(&server->holder, env);
}

void model_server_close(struct model_server *server) {
    model_author_close(&server->author);
    model_holder_close(&server->holder);
    free(server->proof);
    *server = (struct model_server){0};
}

/* ---- what is sent again ---- */

static void arm(struct model_server *server, int64_t at_ns, struct outbox *out) {
    if (at_ns >= server->again_ns)
        return;
    server->again_ns = at_ns;
    outbox_timer(out, at_ns, MODEL_TIMER_AGAIN, (uint64_t)at_ns);
}

static void send_offers(struct model_server *server, const struct node_env *env, int64_t now_ns,
                        struct outbox *out) {
    arm(server, model_author_send(&server->author, env, now_ns, out), out);
}

static void ask_for_blob(struct model_server *server, const struct node_env *env, int64_t now_ns,
                         struct outbox *out) {
    uint32_t validators = env->chain->genesis.validator_count;
    struct message_blob_req message = {.blob_hash = server->wanted.blob_hash, .count = 1};
    for (uint32_t i = 0; i < validators; i++) {
        uint32_t node = env->chain->node_of_sender[server->asked++ % validators];
        if (topology_link_between(env->topology, env->self, node) == TOPOLOGY_NONE)
            continue;
        struct bytes_writer writer = outbox_reserve(out, message_info(MESSAGE_BLOB_REQ)->bytes_max);
        message_encode_blob_req(&writer, &message);
        outbox_send_reserved(out, node, MESSAGE_BLOB_REQ, &writer, 0, 0);
        break;
    }
    arm(server, now_ns + AGAIN_TIMEOUTS * env->scenario->chain.timeout_ns, out);
}

/* ---- rounds ---- */

static void arm_round(const struct node_env *env, uint32_t round, struct outbox *out) {
    int64_t at_ns = model_author_round_ns(env, round);
    if (at_ns != VTIME_NEVER)
        outbox_timer(out, at_ns, MODEL_TIMER_ROUND, round);
}

enum status model_server_start(struct model_server *server, const struct node_env *env, int64_t now_ns,
                               struct outbox *out) {
    (void)now_ns;
    if (server->author.active)
        arm_round(env, 1, out);
    return STATUS_OK;
}

enum status model_server_restart(struct model_server *server, const struct node_env *env, int64_t now_ns,
                                 const uint8_t *durable, size_t durable_bytes, struct outbox *out) {
    if (!server->author.active)
        return STATUS_OK;
    if (durable_bytes > 0 && model_holder_take(&server->holder, durable, durable_bytes) != MODEL_TAKEN)
        return STATUS_INVALID;
    int64_t period_ns = env->scenario->slot_ns * env->scenario->chain.model_slots;
    int64_t last_ns = model_author_round_ns(env, (uint32_t)(now_ns / period_ns));
    if (now_ns >= period_ns && last_ns != VTIME_NEVER) {
        TRY(model_author_round(&server->author, env, (uint32_t)(now_ns / period_ns), now_ns, out));
        send_offers(server, env, now_ns, out);
    }
    arm_round(env, (uint32_t)(now_ns / period_ns) + 1, out);
    return STATUS_OK;
}

static enum status on_round(struct model_server *server, const struct node_env *env, uint64_t round,
                            int64_t now_ns, struct outbox *out) {
    const struct topology_node *node = &env->topology->nodes[env->self];
    if (!server->author.active || round == 0 || round > env->scenario->slots)
        return STATUS_INVALID;
    TRY(model_author_round(&server->author, env, (uint32_t)round, now_ns, out));
    if (server->author.count == 1) /* otherwise the one before is still being sent */
        send_offers(server, env, now_ns, out);
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t child = env->topology->children[node->first_child + i];
        if (env->topology->nodes[child].role == ROLE_GATEWAY)
            model_holder_send(&server->holder, child, out);
    }
    arm_round(env, (uint32_t)round + 1, out);
    return STATUS_OK;
}

enum status model_server_on_timer(struct model_server *server, const struct node_env *env,
                                  const struct node_event *event, struct outbox *out) {
    if (event->timer == MODEL_TIMER_ROUND)
        return on_round(server, env, event->cookie, event->now_ns, out);
    if (event->timer != MODEL_TIMER_AGAIN || !server->author.active)
        return STATUS_INVALID;
    if ((int64_t)event->cookie != server->again_ns)
        return STATUS_OK; /* an earlier one was set since */
    server->again_ns = VTIME_NEVER;
    send_offers(server, env, event->now_ns, out);
    if (server->wants)
        ask_for_blob(server, env, event->now_ns, out);
    return STATUS_OK;
}

/* ---- accepted models ---- */

/* The bytes are here: both together are what gateways and devices get. */
static bool complete(struct model_server *server, const uint8_t *blob, size_t bytes) {
    struct message_model message = {.proof = server->proof,
                                    .proof_bytes = server->proof_bytes,
                                    .blob = blob,
                                    .blob_bytes = (uint32_t)bytes};
    size_t room = MESSAGE_MODEL_BYTES(server->proof_bytes, bytes);
    uint8_t *payload = memory_grow(NULL, room, 1, "a model");
    struct bytes_writer writer = bytes_writer_over(payload, room);
    message_encode_model(&writer, &message);
    assert(!writer.failed);
    server->wants = false;
    bool taken = model_holder_take(&server->holder, payload, writer.used) == MODEL_TAKEN;
    free(payload);
    return taken;
}

static bool is_wanted(const struct model_server *server, const struct ledger_model *model) {
    return model->status == MODEL_ACCEPTED && model->arch_id == DIAGNOSIS_MODEL_ARCH &&
           (!server->holder.holds || ledger_model_better(model, &server->holder.model)) &&
           (!server->wants || ledger_model_better(model, &server->wanted));
}

static bool want(struct model_server *server, const struct node_env *env, const struct ledger_model *model,
                 const struct message_proof *message, const struct node_event *event, struct outbox *out) {
    server->proof = memory_grow(server->proof, message->bytes, 1, "a proof");
    memcpy(server->proof, message->data, message->bytes);
    server->proof_bytes = message->bytes;
    server->wanted = *model;
    server->wants = true;
    const uint8_t *own = model_author_blob(&server->author, &model->blob_hash);
    if (own != NULL)
        return complete(server, own, DIAGNOSIS_MODEL_BYTES);
    ask_for_blob(server, env, event->now_ns, out);
    return false;
}

static bool is_awaited(const struct model_server *server, const struct hash *tx_id) {
    return server->author.count > 0 && hash_equal(&server->author.offers[0].tx_id, tx_id);
}

static bool on_model_proof(struct model_server *server, const struct node_env *env,
                           const struct light_proof *proof, const struct message_proof *message,
                           const struct node_event *event, struct outbox *out) {
    struct ledger_model model;
    if (ledger_model_decode(proof->leaf, proof->leaf_bytes, &model) != STATUS_OK)
        return false;
    bool awaited = model.status == MODEL_ACCEPTED && is_awaited(server, &model.tx_id);
    bool wanted = is_wanted(server, &model);
    if ((!awaited && !wanted) || light_client_check(&server->holder.client, proof, NULL) != STATUS_OK)
        return false;
    if (awaited) {
        model_author_accepted(&server->author, &model.tx_id, event->now_ns, out);
        send_offers(server, env, event->now_ns, out);
    }
    return wanted && want(server, env, &model, message, event, out);
}

static void on_inclusion(struct model_server *server, const struct node_env *env,
                         const struct light_proof *proof, const struct node_event *event,
                         struct outbox *out) {
    struct hash id = transaction_id(proof->leaf, proof->leaf_bytes);
    if (!is_awaited(server, &id) || server->author.offers[0].included ||
        light_client_check(&server->holder.client, proof, NULL) != STATUS_OK)
        return;
    model_author_included(&server->author, &id, event->now_ns, out);
    if (!is_awaited(server, &id)) /* the next one's turn */
        send_offers(server, env, event->now_ns, out);
}

enum status model_server_on_proof(struct model_server *server, const struct node_env *env,
                                  const struct node_event *event, struct outbox *out, bool *taken) {
    struct message_proof message;
    struct light_proof proof;
    *taken = false;
    if (!server->author.active)
        return STATUS_INVALID;
    TRY(message_decode_proof(event->payload, event->payload_bytes, &message));
    struct bytes_reader reader = bytes_reader_over(message.data, message.bytes);
    TRY(light_proof_decode(&reader, &proof));
    if (!bytes_done(&reader))
        return STATUS_INVALID;
    if (proof.kind == PROOF_MODEL)
        *taken = on_model_proof(server, env, &proof, &message, event, out);
    else
        on_inclusion(server, env, &proof, event, out);
    return STATUS_OK;
}

enum status model_server_on_blob(struct model_server *server, const struct node_env *env,
                                 const struct node_event *event, struct outbox *out, bool *taken) {
    struct message_blob_resp message;
    (void)env;
    (void)out;
    *taken = false;
    TRY(message_decode_blob_resp(event->payload, event->payload_bytes, &message));
    if (!server->wants || !hash_equal(&message.blob_hash, &server->wanted.blob_hash) || message.total == 0)
        return STATUS_OK; /* no longer wanted, or not there: the next one is asked when its time comes */
    struct hash hash = blob_hash(message.data, message.bytes);
    if (message.bytes != message.total || !hash_equal(&hash, &server->wanted.blob_hash))
        return STATUS_INVALID;
    *taken = complete(server, message.data, message.bytes);
    return STATUS_OK;
}

/* ---- serving ---- */

enum status model_server_on_request(struct model_server *server, const struct node_event *event,
                                    struct outbox *out) {
    struct message_blob_req request;
    struct message_model held = {.blob = NULL};
    TRY(message_decode_blob_req(event->payload, event->payload_bytes, &request));
    const uint8_t *data = model_author_blob(&server->author, &request.blob_hash);
    size_t bytes = DIAGNOSIS_MODEL_BYTES;
    if (data == NULL && server->holder.holds &&
        hash_equal(&server->holder.model.blob_hash, &request.blob_hash) &&
        message_decode_model(server->holder.message, server->holder.message_bytes, &held) == STATUS_OK) {
        data = held.blob;
        bytes = held.blob_bytes;
    }
    assert(bytes <= CHUNK_BYTES); /* one chunk */
    struct hash leaf = data != NULL ? merkle_leaf(data, bytes) : (struct hash){{0}};
    struct blob_source source = {data, data != NULL ? bytes : 0, &leaf};
    blob_answer(&request, &source, event->source, out);
    return STATUS_OK;
}
