#include "campaign/client.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "common/net/message_chain.h"

#define RECORDS_MAX 4u
#define RECORD_BYTES 16u
#define EXPIRY_HEIGHTS 1000u
#define LIAR                                                                                                 \
    (SETTING_CLIENTS - 1u) /* the edge server that lies where one does; it may harm itself, not the others   \
                            */

void client_init(struct client *client, struct world *world, struct oracle *oracle, bool lies) {
    *client = (struct client){.world = world, .oracle = oracle, .lies = lies};
    light_client_init(&client->light, &world->setting.chain.genesis);
    random_init(&client->random, world->config.seed, 0, RANDOM_CAMPAIGN | UINT64_C(6) << 32);
}

/* Number i of all that are kept. */
static struct client_tx *client_kept(struct client *client, uint32_t i) {
    return &client->kept[i / CLIENT_KEPT_MAX][i % CLIENT_KEPT_MAX];
}

void client_close(struct client *client) {
    for (uint32_t i = 0; i < SETTING_CLIENTS * CLIENT_KEPT_MAX; i++) {
        free(client_kept(client, i)->data);
        free(client_kept(client, i)->blob);
    }
    *client = (struct client){0};
}

static uint32_t below(struct client *client, uint32_t bound) {
    return (uint32_t)random_below(&client->random, bound);
}

static void send(struct client *client, uint32_t sender, uint32_t to, uint16_t type, const uint8_t *payload,
                 size_t bytes) {
    struct world *world = client->world;
    struct member *member = &world->members[world->client];
    member->node = world->config.validators + sender;
    world_say(world, member, to, type, payload, bytes);
    member->node = world->config.validators;
}

static void submit(struct client *client, const struct client_tx *kept, uint32_t to) {
    uint8_t *data = memory_grow(NULL, kept->bytes + 16, 1, "campaign message");
    struct bytes_writer writer = bytes_writer_over(data, kept->bytes + 16);
    message_encode_tx(&writer, &(struct message_tx){.data = kept->data, .bytes = kept->bytes});
    if (!writer.failed)
        send(client, kept->sender, to, MESSAGE_TX, data, writer.used);
    free(data);
    client->sent++;
}

/* ---- making transactions ---- */

static struct client_tx *keep(struct client *client, const struct transaction *tx) {
    uint32_t sender = tx->sender - client->world->config.validators;
    struct client_tx *kept = &client->kept[sender][client->next[sender]++ % CLIENT_KEPT_MAX];
    free(kept->data);
    free(kept->blob);
    *kept = (struct client_tx){.sender = sender, .bytes = (uint32_t)transaction_bytes(tx)};
    kept->data = memory_grow(NULL, kept->bytes, 1, "campaign transaction");
    struct bytes_writer writer = bytes_writer_over(kept->data, kept->bytes);
    transaction_encode(&writer, tx);
    kept->id = transaction_id(kept->data, kept->bytes);
    return kept;
}

static struct transaction begin(struct client *client, uint32_t sender, uint8_t type) {
    const struct genesis *genesis = &client->world->setting.chain.genesis;
    return (struct transaction){.type = type,
                                .chain_id = genesis->chain_id,
                                .sender = client->world->config.validators + sender,
                                .nonce = client->nonces[sender] + 1,
                                .expiry_height = client->oracle->tip + EXPIRY_HEIGHTS,
                                .client_ms = (uint64_t)(client->world->now_ns / VTIME_NS_PER_MS)};
}

static struct client_tx *make_records(struct client *client, uint32_t sender) {
    struct transaction tx = begin(client, sender, TX_RECORDS);
    uint8_t ext[4 + RECORDS_MAX * RECORD_BYTES];
    uint16_t count = (uint16_t)(1 + below(client, RECORDS_MAX));
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    bytes_put_u16(&writer, count);
    bytes_put_u16(&writer, RECORD_BYTES);
    for (uint32_t i = 0; i < count * RECORD_BYTES / 8; i++)
        bytes_put_u64(&writer, random_next(&client->random));
    tx.ext = ext;
    tx.ext_bytes = (uint16_t)writer.used;
    transaction_sign(&client->world->setting.chain.keys[tx.sender], &tx);
    client->nonces[sender] += transaction_weight(&tx);
    return keep(client, &tx);
}

/* A model of architecture 0: its metrics are its first bytes. A liar claims others. */
static struct client_tx *make_model(struct client *client, uint32_t sender) {
    struct transaction tx = begin(client, sender, TX_MODEL_UPDATE);
    uint8_t *blob = memory_grow(NULL, CLIENT_MODEL_BYTES, 1, "campaign model");
    struct bytes_writer writer = bytes_writer_over(blob, CLIENT_MODEL_BYTES);
    for (uint32_t i = 0; i < METRIC_COUNT; i++) {
        tx.metric_q32[i] = (int64_t)(random_next(&client->random) >> 33);
        bytes_put_i64(&writer, tx.metric_q32[i]);
    }
    while (writer.used < CLIENT_MODEL_BYTES)
        bytes_put_u64(&writer, random_next(&client->random));
    if (client->lies && sender == LIAR && below(client, 3) == 0)
        tx.metric_q32[METRIC_SLOPE_ITY] += INT64_C(1) << 31;
    tx.fl_round = 1;
    tx.task_id = below(client, 2);
    tx.blob_bytes = CLIENT_MODEL_BYTES;
    tx.blob_hash = blob_hash(blob, CLIENT_MODEL_BYTES);
    tx.chunk_root = blob_chunk_root(blob, CLIENT_MODEL_BYTES);
    tx.sample_count = 100;
    transaction_sign(&client->world->setting.chain.keys[tx.sender], &tx);
    client->nonces[sender]++;
    struct client_tx *kept = keep(client, &tx);
    kept->blob = blob;
    return kept;
}

static uint32_t any_validator(struct client *client) {
    return below(client, client->world->config.validators);
}

/* The last nonce once more for other content: to one validator this, to another that. */
static void equivocate(struct client *client, uint32_t sender) {
    uint64_t before = client->nonces[sender];
    struct client_tx *a = make_records(client, sender);
    submit(client, a, any_validator(client));
    client->nonces[sender] = before;
    struct client_tx *b = make_records(client, sender);
    submit(client, b, any_validator(client));
}

static void lie(struct client *client, uint32_t sender) {
    struct client_tx *kept;
    switch (below(client, 4)) {
    case 0:
        equivocate(client, sender);
        break;
    case 1: /* a nonce from the past */
        client->nonces[sender] -= client->nonces[sender] > 2 ? 2 : 0;
        submit(client, make_records(client, sender), any_validator(client));
        break;
    case 2: /* a signature that is none */
        kept = make_records(client, sender);
        kept->data[kept->bytes - 1] ^= 1;
        kept->proven = true; /* never will be: do not wait for it */
        submit(client, kept, any_validator(client));
        break;
    default: /* a model whose bytes never come */
        kept = make_model(client, sender);
        free(kept->blob);
        kept->blob = NULL;
        kept->proven = true;
        submit(client, kept, any_validator(client));
    }
}

void client_tick(struct client *client) {
    uint32_t sender = below(client, SETTING_CLIENTS);
    uint32_t draw = below(client, 100);
    if (client->lies && draw < 30) {
        lie(client, LIAR);
        return;
    }
    if (draw < 70) {
        struct client_tx *kept = draw < 50 ? make_records(client, sender) : make_model(client, sender);
        uint32_t copies = 1 + below(client, client->world->config.validators);
        for (uint32_t i = 0, to = any_validator(client); i < copies; i++)
            submit(client, kept, (to + i) % client->world->config.validators);
        return;
    }
    uint32_t next = client->next[sender];
    uint32_t count = next < CLIENT_KEPT_MAX ? next : CLIENT_KEPT_MAX;
    for (uint32_t i = 0, again = 0; i < count && again < 3; i++) { /* the oldest that have no proof */
        const struct client_tx *kept = &client->kept[sender][(next - count + i) % CLIENT_KEPT_MAX];
        if (kept->data == NULL || kept->proven)
            continue;
        submit(client, kept, any_validator(client));
        again++;
    }
}

void client_flood(struct client *client, uint32_t count) {
    uint32_t sender = client->lies ? LIAR : below(client, SETTING_CLIENTS), to = any_validator(client);
    for (uint32_t i = 0; i < count; i++)
        submit(client, make_records(client, sender), to);
}

/* ---- what comes back ---- */

static void serve_model(struct client *client, uint32_t from_node, const uint8_t *payload, size_t bytes) {
    struct message_blob_req request;
    if (message_decode_blob_req(payload, bytes, &request) != STATUS_OK)
        return;
    struct message_blob_resp answer = {.blob_hash = request.blob_hash};
    for (uint32_t i = 0; i < SETTING_CLIENTS * CLIENT_KEPT_MAX; i++) {
        const struct client_tx *kept = client_kept(client, i);
        struct transaction tx;
        if (kept->blob == NULL || transaction_decode(kept->data, kept->bytes, &tx) != STATUS_OK ||
            !hash_equal(&tx.blob_hash, &request.blob_hash))
            continue;
        answer.total = answer.bytes = CLIENT_MODEL_BYTES;
        answer.data = kept->blob;
    }
    uint8_t data[CLIENT_MODEL_BYTES + 256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_blob_resp(&writer, &answer);
    if (!writer.failed)
        send(client, 0, from_node, MESSAGE_BLOB_RESP, data, writer.used);
}

static void mark_proven(struct client *client, const struct light_proof *proof) {
    struct hash id = transaction_id(proof->leaf, proof->leaf_bytes);
    for (uint32_t i = 0; i < SETTING_CLIENTS * CLIENT_KEPT_MAX; i++) {
        struct client_tx *kept = client_kept(client, i);
        if (kept->data == NULL || kept->proven || !hash_equal(&kept->id, &id))
            continue;
        kept->proven = true;
        client->proven++;
    }
}

/* A light client takes a proof only if its header was committed (I14). */
static void take_proof(struct client *client, const uint8_t *payload, size_t bytes) {
    struct message_proof message;
    if (message_decode_proof(payload, bytes, &message) != STATUS_OK)
        return;
    struct light_proof *proof = memory_grow(NULL, 1, sizeof *proof, "campaign proof");
    struct bytes_reader reader = bytes_reader_over(message.data, message.bytes);
    if (light_proof_decode(&reader, proof) == STATUS_OK &&
        light_client_check(&client->light, proof, NULL) == STATUS_OK) {
        struct oracle *oracle = client->oracle;
        struct hash id = block_id_of(&proof->header);
        uint64_t height = proof->header.height;
        oracle->checks[I14_LIGHT_CLIENT]++;
        client->proofs++;
        oracle_certified(oracle, I14_LIGHT_CLIENT, height, &id);
        if (proof->kind == PROOF_TRANSACTION)
            mark_proven(client, proof);
    }
    free(proof);
}

void client_on_message(struct client *client, uint32_t from_node, uint16_t type, const uint8_t *payload,
                       size_t bytes) {
    if (type == MESSAGE_BLOB_REQ)
        serve_model(client, from_node, payload, bytes);
    else if (type == MESSAGE_PROOF)
        take_proof(client, payload, bytes);
}
