#include "nodes/chain/blobs.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/merkle.h"
#include "common/time/vtime.h"

#define BLOB_RESPONSE_BYTES_MAX (1024u + CHUNK_BYTES)

void blobs_init(struct blobs *blobs, const struct blobs_config *config) {
    *blobs = (struct blobs){.config = *config};
}

static size_t fetch_memory(const struct blob_claim *claim) {
    return (size_t)claim->bytes + blob_chunk_count(claim->bytes);
}

static void fetch_close(struct blobs *blobs, struct blob_fetch *fetch) {
    if (fetch->data != NULL)
        blobs->bytes -= fetch_memory(&fetch->claim);
    free(fetch->data);
    free(fetch->held);
    *fetch = (struct blob_fetch){0};
}

static void serving_close(struct blobs *blobs) {
    free(blobs->serving_data);
    free(blobs->serving_leaves);
    blobs->serving_data = NULL;
    blobs->serving_leaves = NULL;
    blobs->serving_bytes = 0;
}

void blobs_close(struct blobs *blobs) {
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++)
        fetch_close(blobs, &blobs->fetches[i]);
    serving_close(blobs);
}

/* ---- what is stored ---- */

static bool claims_equal(const struct blob_claim *a, const struct blob_claim *b) {
    return a->bytes == b->bytes && hash_equal(&a->hash, &b->hash) &&
           hash_equal(&a->chunk_root, &b->chunk_root);
}

static void remember(struct blobs *blobs, const struct blob_claim *truth) {
    blobs->seen[blobs->seen_next] = *truth;
    blobs->seen_next = (blobs->seen_next + 1) % BLOBS_SEEN_MAX;
}

bool blobs_hold(struct blobs *blobs, const struct blob_claim *claim) {
    if (!ledger_store_has_blob(blobs->config.store, &claim->hash))
        return false;
    for (uint32_t i = 0; i < BLOBS_SEEN_MAX; i++)
        if (blobs->seen[i].bytes != 0 && hash_equal(&blobs->seen[i].hash, &claim->hash))
            return claims_equal(&blobs->seen[i], claim);
    uint8_t *data = NULL;
    size_t bytes = 0;
    if (ledger_store_get_blob(blobs->config.store, &claim->hash, &data, &bytes) != STATUS_OK)
        return false;
    struct blob_claim truth = {
        .hash = claim->hash, .chunk_root = blob_chunk_root(data, bytes), .bytes = bytes};
    free(data);
    remember(blobs, &truth);
    return claims_equal(&truth, claim);
}

/* ---- asking ---- */

static void ask(struct blob_fetch *fetch, int64_t timeout_ns, int64_t now_ns, struct outbox *out) {
    while (fetch->window_first < fetch->chunk_count && fetch->held[fetch->window_first])
        fetch->window_first++;
    uint32_t left = fetch->chunk_count - fetch->window_first;
    uint32_t count = left < BLOB_WINDOW_CHUNKS ? left : BLOB_WINDOW_CHUNKS;
    struct message_blob_req request = {
        .blob_hash = fetch->claim.hash, .first = fetch->window_first, .count = count};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_blob_req(&writer, &request);
    assert(!writer.failed && count > 0);
    outbox_send(out, fetch->sources[fetch->source], MESSAGE_BLOB_REQ, data, writer.used, 0, 0);
    fetch->window_end = fetch->window_first + count;
    fetch->deadline_ns = now_ns + timeout_ns;
}

/* The source asked did not deliver. After all have failed in a row it waits before it goes round again. */
static void turn_to_next(struct blob_fetch *fetch, int64_t timeout_ns, int64_t now_ns, struct outbox *out) {
    fetch->source = (fetch->source + 1) % fetch->source_count;
    fetch->failed++;
    if (fetch->failed < fetch->source_count) {
        ask(fetch, timeout_ns, now_ns, out);
        return;
    }
    fetch->failed = 0;
    fetch->rounds++;
    fetch->window_end = 0;
    fetch->deadline_ns = now_ns + timeout_ns;
}

static struct blob_fetch *find_fetch(struct blobs *blobs, const struct hash *hash) {
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++)
        if (blobs->fetches[i].data != NULL && hash_equal(&blobs->fetches[i].claim.hash, hash))
            return &blobs->fetches[i];
    return NULL;
}

static struct blob_fetch *find_claim(struct blobs *blobs, const struct blob_claim *claim) {
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++)
        if (blobs->fetches[i].data != NULL && claims_equal(&blobs->fetches[i].claim, claim))
            return &blobs->fetches[i];
    return NULL;
}

static bool add_source(struct blob_fetch *fetch, uint32_t node) {
    for (uint32_t i = 0; i < fetch->source_count; i++)
        if (fetch->sources[i] == node)
            return false;
    if (fetch->source_count == BLOB_SOURCES_MAX)
        return false;
    fetch->sources[fetch->source_count++] = node;
    return true;
}

/* A free place with room for `bytes`; fetches that went round in vain give way, the most patient first. */
static struct blob_fetch *find_place(struct blobs *blobs, size_t bytes) {
    if (bytes > blobs->config.bytes_max)
        return NULL;
    for (;;) {
        struct blob_fetch *place = NULL, *vain = NULL;
        for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++) {
            struct blob_fetch *fetch = &blobs->fetches[i];
            if (fetch->data == NULL)
                place = place == NULL ? fetch : place;
            else if (fetch->rounds > 0 && (vain == NULL || fetch->rounds > vain->rounds))
                vain = fetch;
        }
        if (place != NULL && bytes <= blobs->config.bytes_max - blobs->bytes)
            return place;
        if (vain == NULL)
            return NULL;
        fetch_close(blobs, vain);
    }
}

static enum status begin_fetch(struct blobs *blobs, const struct blob_claim *claim,
                               struct blob_fetch **opened) {
    size_t bytes = fetch_memory(claim);
    struct blob_fetch *fetch = find_place(blobs, bytes);
    if (fetch == NULL)
        return STATUS_FULL;
    fetch->data = malloc((size_t)claim->bytes);
    fetch->held = calloc(blob_chunk_count(claim->bytes), 1);
    if (fetch->data == NULL || fetch->held == NULL) {
        free(fetch->data);
        free(fetch->held);
        *fetch = (struct blob_fetch){0};
        return STATUS_MEMORY;
    }
    fetch->claim = *claim;
    fetch->chunk_count = blob_chunk_count(claim->bytes);
    blobs->bytes += bytes;
    *opened = fetch;
    return STATUS_OK;
}

enum status blobs_want(struct blobs *blobs, const struct blob_want *want, int64_t now_ns,
                       struct outbox *out) {
    const struct blob_claim *claim = &want->claim;
    if (claim->bytes == 0 || claim->bytes > blobs->config.blob_bytes_max ||
        claim->bytes > ((uint64_t)CHUNK_BYTES << MESSAGE_PATH_MAX))
        return STATUS_INVALID;
    if (blobs_hold(blobs, claim))
        return STATUS_OK;
    struct blob_fetch *fetch = find_claim(blobs, claim);
    bool is_new = fetch == NULL;
    assert(want->source_count > 0);
    if (is_new)
        TRY(begin_fetch(blobs, claim, &fetch));
    for (uint32_t i = 0; i < want->source_count; i++)
        add_source(fetch, want->sources[i]);
    if (is_new)
        ask(fetch, blobs->config.timeout_ns, now_ns, out);
    return STATUS_OK;
}

void blobs_forget(struct blobs *blobs, const struct hash *hash) {
    for (struct blob_fetch *fetch; (fetch = find_fetch(blobs, hash)) != NULL;)
        fetch_close(blobs, fetch);
}

bool blobs_wanted(const struct blobs *blobs, const struct hash *hash) {
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++)
        if (blobs->fetches[i].data != NULL && hash_equal(&blobs->fetches[i].claim.hash, hash))
            return true;
    return false;
}

/* ---- answers ---- */

static bool is_source(const struct blob_fetch *fetch, uint32_t node) {
    for (uint32_t i = 0; i < fetch->source_count; i++)
        if (fetch->sources[i] == node)
            return true;
    return false;
}

static size_t chunk_bytes(uint64_t total, uint32_t index) {
    uint64_t left = total - (uint64_t)index * CHUNK_BYTES;
    return left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
}

static bool chunk_holds(const struct blob_fetch *fetch, const struct message_blob_resp *message) {
    if (message->total != fetch->claim.bytes || message->index >= fetch->chunk_count ||
        message->bytes != chunk_bytes(fetch->claim.bytes, message->index))
        return false;
    struct hash leaf = merkle_leaf(message->data, message->bytes);
    return merkle_inclusion_valid(&fetch->claim.chunk_root, &leaf, message->index, fetch->chunk_count,
                                  message->path, message->length);
}

static enum status finish(struct blobs *blobs, struct blob_fetch *fetch, struct blobs_outcome *outcome) {
    struct hash hash = blob_hash(fetch->data, (size_t)fetch->claim.bytes);
    enum status status = STATUS_OK;
    outcome->result = hash_equal(&hash, &fetch->claim.hash) ? BLOBS_STORED : BLOBS_FALSE;
    outcome->claim = fetch->claim;
    if (outcome->result == BLOBS_STORED) {
        status = ledger_store_put_blob(blobs->config.store, &fetch->claim.hash, fetch->data,
                                       (size_t)fetch->claim.bytes);
        remember(blobs, &fetch->claim);
    }
    fetch_close(blobs, fetch);
    return status;
}

static enum status keep_chunk(struct blobs *blobs, struct blob_fetch *fetch, const struct blob_event *event,
                              struct outbox *out, struct blobs_outcome *outcome) {
    const struct message_blob_resp *message = event->message;
    memcpy(fetch->data + (size_t)message->index * CHUNK_BYTES, message->data, message->bytes);
    fetch->held[message->index] = 1;
    fetch->held_count++;
    fetch->failed = 0;
    fetch->rounds = 0;
    if (fetch->held_count == fetch->chunk_count)
        return finish(blobs, fetch, outcome);
    fetch->deadline_ns = event->now_ns + blobs->config.timeout_ns;
    for (uint32_t i = fetch->window_first; i < fetch->window_end; i++)
        if (!fetch->held[i])
            return STATUS_OK;
    ask(fetch, blobs->config.timeout_ns, event->now_ns, out);
    return STATUS_OK;
}

enum status blobs_on_response(struct blobs *blobs, const struct blob_event *event, struct outbox *out,
                              struct blobs_outcome *outcome) {
    const struct message_blob_resp *message = event->message;
    *outcome = (struct blobs_outcome){.result = BLOBS_NOTHING};
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++) {
        struct blob_fetch *fetch = &blobs->fetches[i];
        if (fetch->data == NULL || !hash_equal(&fetch->claim.hash, &message->blob_hash) ||
            !is_source(fetch, event->node))
            continue;
        if (message->total != 0 && message->index < fetch->chunk_count && fetch->held[message->index])
            continue;
        if (message->total != 0 && chunk_holds(fetch, message))
            return keep_chunk(blobs, fetch, event, out, outcome);
        blobs->refused += message->total != 0;
        if (event->node == fetch->sources[fetch->source] && fetch->window_end > 0)
            turn_to_next(fetch, blobs->config.timeout_ns, event->now_ns, out);
    }
    return STATUS_OK;
}

void blobs_on_time(struct blobs *blobs, int64_t now_ns, struct outbox *out) {
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++) {
        struct blob_fetch *fetch = &blobs->fetches[i];
        if (fetch->data == NULL || fetch->deadline_ns > now_ns)
            continue;
        if (fetch->window_end == 0) /* it has waited long enough: round again */
            ask(fetch, blobs->config.timeout_ns, now_ns, out);
        else
            turn_to_next(fetch, blobs->config.timeout_ns, now_ns, out);
    }
}

int64_t blobs_deadline_ns(const struct blobs *blobs) {
    int64_t deadline_ns = VTIME_NEVER;
    for (uint32_t i = 0; i < BLOB_FETCHES_MAX; i++) {
        const struct blob_fetch *fetch = &blobs->fetches[i];
        if (fetch->data != NULL && fetch->deadline_ns < deadline_ns)
            deadline_ns = fetch->deadline_ns;
    }
    return deadline_ns;
}

/* ---- serving ---- */

void blob_leaves(const uint8_t *data, size_t bytes, struct hash *leaves) {
    for (uint32_t i = 0; i < blob_chunk_count(bytes); i++)
        leaves[i] = merkle_leaf(data + (size_t)i * CHUNK_BYTES, chunk_bytes(bytes, i));
}

static void send_response(const struct message_blob_resp *response, uint32_t node, struct outbox *out) {
    struct bytes_writer writer = outbox_reserve(out, BLOB_RESPONSE_BYTES_MAX);
    if (out->status != STATUS_OK)
        return;
    message_encode_blob_resp(&writer, response);
    assert(!writer.failed);
    outbox_send_reserved(out, node, MESSAGE_BLOB_RESP, &writer, 0, 0);
}

void blob_answer(const struct message_blob_req *request, const struct blob_source *source, uint32_t node,
                 struct outbox *out) {
    struct message_blob_resp response = {.blob_hash = request->blob_hash};
    uint32_t count = blob_chunk_count(source->bytes);
    assert(count <= 1u << MESSAGE_PATH_MAX);
    if (source->data == NULL || request->first >= count) {
        send_response(&response, node, out);
        return;
    }
    uint32_t wanted = request->count < BLOB_WINDOW_CHUNKS ? request->count : BLOB_WINDOW_CHUNKS;
    for (uint32_t i = request->first; i < count && i - request->first < wanted; i++) {
        response.total = source->bytes;
        response.index = i;
        response.length = merkle_inclusion(source->leaves, count, i, response.path);
        response.data = source->data + (size_t)i * CHUNK_BYTES;
        response.bytes = (uint32_t)chunk_bytes(source->bytes, i);
        send_response(&response, node, out);
    }
}

static enum status load_serving(struct blobs *blobs, const struct hash *hash) {
    if (blobs->serving_data != NULL && hash_equal(&blobs->serving, hash))
        return STATUS_OK;
    serving_close(blobs);
    if (!ledger_store_has_blob(blobs->config.store, hash))
        return STATUS_OK;
    uint8_t *data = NULL;
    size_t bytes = 0;
    enum status status = ledger_store_get_blob(blobs->config.store, hash, &data, &bytes);
    if (status == STATUS_INVALID || status == STATUS_FAILED) /* damaged: not here */
        return STATUS_OK;
    TRY(status);
    blobs->serving = *hash;
    blobs->serving_data = data;
    blobs->serving_bytes = bytes;
    blobs->read_bytes += bytes;
    blobs->serving_leaves =
        memory_grow(NULL, blob_chunk_count(bytes), sizeof *blobs->serving_leaves, "chunks of a model");
    blob_leaves(data, bytes, blobs->serving_leaves);
    return STATUS_OK;
}

enum status blobs_on_request(struct blobs *blobs, uint32_t node, const struct message_blob_req *message,
                             struct outbox *out) {
    TRY(load_serving(blobs, &message->blob_hash));
    struct blob_source source = {blobs->serving_data, blobs->serving_bytes, blobs->serving_leaves};
    blob_answer(message, &source, node, out);
    return STATUS_OK;
}

size_t blobs_memory(const struct blobs *blobs) {
    size_t leaves = blob_chunk_count(blobs->serving_bytes) * sizeof *blobs->serving_leaves;
    return blobs->bytes + blobs->serving_bytes + leaves;
}
