/* catch_up_serve.c: what this validator has committed, for those who are behind. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/merkle.h"
#include "nodes/chain/catch_up_parts.h"

#define SERVED_HEADERS_MAX CATCH_UP_WINDOW
#define SERVED_READ_MAX ((size_t)8 << 20) /* bytes of blocks read for one answer with headers */
#define RESPONSE_ROOM 64u
#define META_ROOM (BLOCK_HEADER_BYTES + CERTIFICATE_BYTES_MAX + 64u)

/* A block as it is stored. STATUS_INVALID: not here, or damaged, which sets off its repair. */
struct stored {
    uint8_t *data; /* owned */
    size_t size;
    struct certificate certificate;
};

static enum status load(struct catch_up *catch_up, uint64_t height, struct stored *stored,
                        struct outbox *out) {
    enum status status = ledger_store_get_block(catch_up->config.store, height, &stored->data, &stored->size,
                                                &stored->certificate);
    catch_up->read_bytes += status == STATUS_OK ? stored->size : 0;
    if (status == STATUS_FAILED && height <= catch_up->tip) {
        catch_up_damaged(catch_up, height, catch_up->now_ns, out);
        return STATUS_INVALID;
    }
    return status == STATUS_FAILED ? STATUS_INVALID : status;
}

static void send_response(const struct message_catchup_resp *response, uint32_t node, struct outbox *out) {
    struct bytes_writer writer = outbox_reserve(out, RESPONSE_ROOM + response->bytes);
    if (out->status != STATUS_OK)
        return;
    message_encode_catchup_resp(&writer, response);
    assert(!writer.failed);
    outbox_send_reserved(out, node, MESSAGE_CATCHUP_RESP, &writer, 0, 0);
}

static enum status serve_headers(struct catch_up *catch_up, const struct message_catchup_req *message,
                                 uint32_t node, struct outbox *out) {
    struct message_catchup_resp response = {
        .kind = message->kind, .height = message->from, .tip = catch_up->tip};
    size_t room = SERVED_HEADERS_MAX * (size_t)(BLOCK_HEADER_BYTES + CERTIFICATE_BYTES_MAX), read = 0;
    uint8_t *data = memory_grow(NULL, room, 1, "headers");
    struct bytes_writer writer = bytes_writer_over(data, room);
    uint32_t count = message->count < SERVED_HEADERS_MAX ? message->count : SERVED_HEADERS_MAX;
    enum status status = STATUS_OK;
    for (uint64_t height = message->from; response.total < count && height <= catch_up->tip &&
                                          height >= message->from && read < SERVED_READ_MAX;
         height++) {
        struct stored stored;
        status = load(catch_up, height, &stored, out);
        if (status != STATUS_OK)
            break;
        assert(stored.size >= BLOCK_HEADER_BYTES);
        bytes_put(&writer, stored.data, BLOCK_HEADER_BYTES);
        certificate_encode(&writer, &stored.certificate);
        read += stored.size;
        free(stored.data);
        response.total++;
    }
    response.data = data;
    response.bytes = (uint32_t)writer.used;
    if (status == STATUS_OK || status == STATUS_INVALID)
        send_response(&response, node, out);
    free(data);
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status serve_block(struct catch_up *catch_up, const struct message_catchup_req *message,
                               uint32_t node, struct outbox *out) {
    struct message_catchup_resp response = {
        .kind = message->kind, .height = message->from, .tip = catch_up->tip, .offset = message->offset};
    struct stored stored;
    enum status status = load(catch_up, message->from, &stored, out);
    if (status == STATUS_INVALID) {
        send_response(&response, node, out);
        return STATUS_OK;
    }
    TRY(status);
    size_t total = certificate_bytes(&stored.certificate) + stored.size;
    uint8_t *document = memory_grow(NULL, total, 1, "a block");
    struct bytes_writer writer = bytes_writer_over(document, total);
    certificate_encode(&writer, &stored.certificate);
    bytes_put(&writer, stored.data, stored.size);
    if (message->offset < total) {
        size_t left = total - (size_t)message->offset;
        response.total = total;
        response.data = document + message->offset;
        response.bytes = (uint32_t)(left < MESSAGE_CATCHUP_DATA_MAX ? left : MESSAGE_CATCHUP_DATA_MAX);
        send_response(&response, node, out);
    }
    free(document);
    free(stored.data);
    return STATUS_OK;
}

enum status catch_up_on_request(struct catch_up *catch_up, uint32_t node,
                                const struct message_catchup_req *message, struct outbox *out) {
    return message->kind == MESSAGE_CATCHUP_HEADERS ? serve_headers(catch_up, message, node, out)
                                                    : serve_block(catch_up, message, node, out);
}

/* ---- checkpoints ---- */

struct checkpoint {
    uint64_t height;
    struct stored block, next; /* of height and height + 1 */
    uint8_t *state;            /* owned */
    size_t state_bytes;
};

static void checkpoint_close(struct checkpoint *checkpoint) {
    free(checkpoint->block.data);
    free(checkpoint->next.data);
    free(checkpoint->state);
}

static enum status checkpoint_load(struct catch_up *catch_up, struct checkpoint *checkpoint,
                                   struct outbox *out) {
    enum status status = ledger_store_get_state(catch_up->config.store, checkpoint->height,
                                                &checkpoint->state, &checkpoint->state_bytes);
    if (status != STATUS_OK)
        return status == STATUS_FAILED ? STATUS_INVALID : status;
    TRY(load(catch_up, checkpoint->height, &checkpoint->block, out));
    return load(catch_up, checkpoint->height + 1, &checkpoint->next, out);
}

static enum status checkpoint_encode(struct catch_up *catch_up, const struct checkpoint *checkpoint,
                                     struct bytes_writer *writer) {
    bytes_put_u64(writer, checkpoint->height);
    bytes_put_u32(writer, (uint32_t)checkpoint->block.size);
    bytes_put(writer, checkpoint->block.data, checkpoint->block.size);
    certificate_encode(writer, &checkpoint->block.certificate);
    bytes_put_u64(writer, checkpoint->state_bytes);
    bytes_put(writer, checkpoint->state, checkpoint->state_bytes);
    for (uint64_t height = 1; height < checkpoint->height; height++) {
        struct hash id;
        enum status status = ledger_store_get_block_id(catch_up->config.store, height, &id);
        if (status != STATUS_OK)
            return status == STATUS_FAILED ? STATUS_INVALID : status;
        bytes_put(writer, id.bytes, HASH_BYTES);
    }
    assert(!writer->failed && writer->used == writer->capacity);
    return STATUS_OK;
}

static enum status serving_make(struct catch_up *catch_up, const struct checkpoint *checkpoint) {
    size_t total = 8 + 4 + checkpoint->block.size + certificate_bytes(&checkpoint->block.certificate) + 8 +
                   checkpoint->state_bytes + HASH_BYTES * (size_t)(checkpoint->height - 1);
    size_t chunks = (total + MESSAGE_CHUNK_MAX - 1) / MESSAGE_CHUNK_MAX;
    if (total > catch_up->config.bytes_max || chunks > MESSAGE_SNAP_CHUNKS_MAX)
        return STATUS_INVALID;
    struct catch_up_snapshot *serving = memory_grow(NULL, 1, sizeof *serving, "a checkpoint");
    *serving = (struct catch_up_snapshot){.height = checkpoint->height,
                                          .certificate = checkpoint->next.certificate,
                                          .total = total,
                                          .count = (uint32_t)chunks};
    struct bytes_reader reader = bytes_reader_over(checkpoint->next.data, checkpoint->next.size);
    serving->data = memory_grow(NULL, total, 1, "a checkpoint");
    serving->hashes = memory_grow(NULL, chunks, HASH_BYTES, "chunks of a checkpoint");
    struct bytes_writer writer = bytes_writer_over(serving->data, total);
    enum status status = block_header_decode(&reader, &serving->next);
    if (status == STATUS_OK)
        status = checkpoint_encode(catch_up, checkpoint, &writer);
    if (status != STATUS_OK) {
        catch_up_snapshot_free(&serving);
        return status;
    }
    for (size_t i = 0; i < chunks; i++) {
        size_t at = i * MESSAGE_CHUNK_MAX, left = total - at;
        serving->hashes[i] =
            merkle_leaf(serving->data + at, left < MESSAGE_CHUNK_MAX ? left : MESSAGE_CHUNK_MAX);
    }
    catch_up_snapshot_free(&catch_up->serving);
    catch_up->serving = serving;
    return STATUS_OK;
}

/* The newest checkpoint with a block above it, or the one before. STATUS_INVALID: there is none. */
static enum status serving_refresh(struct catch_up *catch_up, struct outbox *out) {
    uint64_t interval = catch_up->config.genesis->params.checkpoint_interval;
    if (interval == 0 || catch_up->tip <= interval)
        return STATUS_INVALID;
    uint64_t newest = (catch_up->tip - 1) / interval * interval;
    for (uint32_t back = 0; back < 2 && newest > back * interval; back++) {
        struct checkpoint checkpoint = {.height = newest - back * interval};
        if (catch_up->serving != NULL && catch_up->serving->height == checkpoint.height)
            return STATUS_OK;
        enum status status = checkpoint_load(catch_up, &checkpoint, out);
        if (status == STATUS_OK)
            status = serving_make(catch_up, &checkpoint);
        checkpoint_close(&checkpoint);
        if (status != STATUS_INVALID)
            return status;
    }
    return STATUS_INVALID;
}

static void send_meta(const struct catch_up_snapshot *serving, uint32_t node, struct outbox *out) {
    struct message_snap_meta meta = {.height = serving->height,
                                     .total = serving->total,
                                     .header = serving->next,
                                     .certificate = serving->certificate,
                                     .count = serving->count,
                                     .hashes = serving->hashes[0].bytes};
    struct bytes_writer writer = outbox_reserve(out, META_ROOM + (size_t)serving->count * HASH_BYTES);
    if (out->status != STATUS_OK)
        return;
    message_encode_snap_meta(&writer, &meta);
    assert(!writer.failed);
    outbox_send_reserved(out, node, MESSAGE_SNAP_META, &writer, 0, 0);
}

static void send_chunk(const struct catch_up_snapshot *serving, uint32_t index, uint32_t node,
                       struct outbox *out) {
    size_t at = (size_t)index * MESSAGE_CHUNK_MAX, left = (size_t)serving->total - at;
    struct message_snap_chunk chunk = {.height = serving->height,
                                       .index = index,
                                       .data = serving->data + at,
                                       .bytes =
                                           (uint32_t)(left < MESSAGE_CHUNK_MAX ? left : MESSAGE_CHUNK_MAX)};
    struct bytes_writer writer = outbox_reserve(out, RESPONSE_ROOM + MESSAGE_CHUNK_MAX);
    if (out->status != STATUS_OK)
        return;
    message_encode_snap_chunk(&writer, &chunk);
    assert(!writer.failed);
    outbox_send_reserved(out, node, MESSAGE_SNAP_CHUNK, &writer, 0, 0);
}

/* Who asks for what is not here gets no answer, and asks another. A checkpoint that somebody is fetching
 * stays as long as nobody asks for the description of a newer one. */
enum status catch_up_on_snap_request(struct catch_up *catch_up, uint32_t node,
                                     const struct message_snap_req *message, struct outbox *out) {
    if (message->index == MESSAGE_SNAP_ASK_META) {
        enum status status = serving_refresh(catch_up, out);
        if (status != STATUS_OK)
            return status == STATUS_INVALID ? STATUS_OK : status;
        send_meta(catch_up->serving, node, out);
        return STATUS_OK;
    }
    const struct catch_up_snapshot *serving = catch_up->serving;
    if (serving != NULL && serving->height == message->height && message->index < serving->count)
        send_chunk(serving, message->index, node, out);
    return STATUS_OK;
}
