/* catch_up_snapshot.c: a checkpoint from one peer, believed only as far as a certified header goes. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/merkle.h"
#include "common/time/vtime.h"
#include "nodes/chain/catch_up_parts.h"

#define SNAPSHOT_WINDOW 8u /* chunks asked for at a time */

void catch_up_snapshot_free(struct catch_up_snapshot **snapshot) {
    if (*snapshot == NULL)
        return;
    free((*snapshot)->hashes);
    free((*snapshot)->held);
    free((*snapshot)->data);
    free((*snapshot)->ids);
    free(*snapshot);
    *snapshot = NULL;
}

/* A peer that is far ahead and was not asked in vain before. */
bool catch_up_snapshot_due(const struct catch_up *catch_up) {
    uint64_t gap = catch_up->config.snapshot_gap;
    return gap != 0 && catch_up_target(catch_up) - catch_up->tip >= gap;
}

static void ask_chunk(struct catch_up *catch_up, uint32_t index, struct outbox *out) {
    struct catch_up_snapshot *snapshot = catch_up->snapshot;
    struct message_snap_req request = {.height = snapshot->height, .index = index};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_snap_req(&writer, &request);
    assert(!writer.failed);
    outbox_send(out, catch_up->config.nodes[snapshot->peer], MESSAGE_SNAP_REQ, data, writer.used, 0, 0);
    snapshot->deadline_ns = catch_up->now_ns + catch_up->config.timeout_ns;
}

bool catch_up_snapshot_begin(struct catch_up *catch_up, struct outbox *out) {
    uint16_t peer = catch_up_choose(catch_up, catch_up->tip + catch_up->config.snapshot_gap, true);
    if (peer == CATCH_UP_NOBODY)
        return false;
    catch_up->snapshot = calloc(1, sizeof *catch_up->snapshot);
    if (catch_up->snapshot == NULL)
        return false;
    catch_up->snapshot->peer = peer;
    ask_chunk(catch_up, MESSAGE_SNAP_ASK_META, out);
    return true;
}

/* Blocks are fetched one by one meanwhile. Not for ever: the answer may have been lost, and a peer that has
 * none today has one after some more heights. */
void catch_up_fail_snapshot(struct catch_up *catch_up) {
    catch_up->peers[catch_up->snapshot->peer].no_snapshot_until_ns =
        catch_up->now_ns + CATCH_UP_BAN_TIMEOUTS * catch_up->config.timeout_ns;
    catch_up_snapshot_free(&catch_up->snapshot);
}

static void give_up(struct catch_up *catch_up, bool wrong, struct outbox *out) {
    if (wrong)
        catch_up_ban(catch_up, catch_up->snapshot->peer);
    catch_up_fail_snapshot(catch_up);
    catch_up_advance(catch_up, out);
}

static void ask_window(struct catch_up *catch_up, struct outbox *out) {
    struct catch_up_snapshot *snapshot = catch_up->snapshot;
    uint32_t first = snapshot->window_end;
    for (uint32_t i = first; i < snapshot->count && i - first < SNAPSHOT_WINDOW; i++) {
        ask_chunk(catch_up, i, out);
        snapshot->window_end = i + 1;
    }
}

/* ---- what it is ---- */

static bool meta_holds(const struct catch_up *catch_up, const struct message_snap_meta *message) {
    struct hash id = block_id_of(&message->header);
    return message->header.height == message->height + 1 &&
           message->certificate.height == message->header.height &&
           hash_equal(&message->certificate.block_id, &id) &&
           certificate_valid(catch_up->config.genesis, &message->certificate);
}

void catch_up_on_snap_meta(struct catch_up *catch_up, uint16_t validator,
                           const struct message_snap_meta *message, int64_t now_ns, struct outbox *out) {
    struct catch_up_snapshot *snapshot = catch_up->snapshot;
    catch_up->now_ns = now_ns;
    if (snapshot == NULL || snapshot->peer != validator || snapshot->height != 0)
        return;
    if (!meta_holds(catch_up, message)) {
        give_up(catch_up, true, out);
        return;
    }
    bool fits = message->total <= catch_up->config.bytes_max;
    if (message->height <= catch_up->tip || !fits) { /* true, and of no use */
        give_up(catch_up, false, out);
        return;
    }
    snapshot->height = message->height;
    snapshot->next = message->header;
    snapshot->certificate = message->certificate;
    snapshot->total = message->total;
    snapshot->count = message->count;
    snapshot->hashes = memory_grow(NULL, message->count, HASH_BYTES, "chunks of a checkpoint");
    snapshot->held = memory_grow(NULL, message->count, 1, "chunks of a checkpoint");
    snapshot->data = memory_grow(NULL, (size_t)message->total, 1, "a checkpoint");
    memcpy(snapshot->hashes, message->hashes, (size_t)message->count * HASH_BYTES);
    memset(snapshot->held, 0, message->count);
    ask_window(catch_up, out);
}

/* ---- is it true ---- */

static bool open_block(const struct catch_up *catch_up, struct catch_up_snapshot *snapshot,
                       struct bytes_reader *reader) {
    struct ledger_commit *commit = &snapshot->commit;
    struct block block;
    commit->height = bytes_get_u64(reader);
    commit->block_bytes = bytes_get_u32(reader);
    commit->block = bytes_get(reader, commit->block_bytes);
    if (commit->block == NULL || commit->height != snapshot->height)
        return false;
    bool opens =
        block_open(commit->block, commit->block_bytes, catch_up->config.block_bytes_max, &block) == STATUS_OK;
    commit->block_id = block_id_of(&block.header);
    opens = opens && block.header.height == commit->height;
    block_close(&block);
    if (!opens || !hash_equal(&commit->block_id, &snapshot->next.prev_block_id) ||
        certificate_decode(reader, &snapshot->commit_certificate) != STATUS_OK)
        return false;
    commit->certificate = &snapshot->commit_certificate;
    return commit->certificate->height == commit->height &&
           hash_equal(&commit->certificate->block_id, &commit->block_id) &&
           certificate_valid(catch_up->config.genesis, commit->certificate);
}

static bool open_state(const struct catch_up *catch_up, struct catch_up_snapshot *snapshot,
                       struct bytes_reader *reader) {
    struct ledger_commit *commit = &snapshot->commit;
    struct ledger_state state;
    uint64_t bytes = bytes_get_u64(reader);
    commit->state = bytes_get(reader, bytes <= SIZE_MAX ? (size_t)bytes : SIZE_MAX);
    commit->state_bytes = (size_t)bytes;
    if (commit->state == NULL || ledger_state_decode(&state, catch_up->config.genesis, commit->state,
                                                     commit->state_bytes) != STATUS_OK)
        return false;
    struct hash root = ledger_state_root(&state);
    bool holds = state.height == commit->height && hash_equal(&root, &snapshot->next.state_root);
    ledger_state_close(&state);
    return holds;
}

static bool open_ids(struct catch_up_snapshot *snapshot, struct bytes_reader *reader) {
    uint64_t count = snapshot->height - 1;
    struct merkle_frontier history = {0};
    if (bytes_left(reader) / HASH_BYTES != count || bytes_left(reader) % HASH_BYTES != 0)
        return false;
    snapshot->ids = memory_grow(NULL, (size_t)count, HASH_BYTES, "ids of blocks");
    for (uint64_t i = 0; i <= count; i++) {
        struct hash id = snapshot->commit.block_id;
        if (i < count) {
            memcpy(id.bytes, bytes_get(reader, HASH_BYTES), HASH_BYTES);
            snapshot->ids[i] = id;
        }
        struct hash leaf = merkle_leaf(id.bytes, HASH_BYTES);
        merkle_frontier_add(&history, &leaf);
    }
    struct hash root = merkle_frontier_root(&history);
    return bytes_done(reader) && hash_equal(&root, &snapshot->next.history_root);
}

static size_t chunk_bytes(const struct catch_up_snapshot *snapshot, uint32_t index) {
    uint64_t left = snapshot->total - (uint64_t)index * MESSAGE_CHUNK_MAX;
    return left < MESSAGE_CHUNK_MAX ? (size_t)left : MESSAGE_CHUNK_MAX;
}

void catch_up_on_snap_chunk(struct catch_up *catch_up, uint16_t validator,
                            const struct message_snap_chunk *message, int64_t now_ns, struct outbox *out) {
    struct catch_up_snapshot *snapshot = catch_up->snapshot;
    catch_up->now_ns = now_ns;
    if (snapshot == NULL || snapshot->peer != validator || snapshot->height != message->height ||
        snapshot->complete || message->index >= snapshot->count || snapshot->held[message->index])
        return;
    struct hash leaf = merkle_leaf(message->data, message->bytes);
    if (message->bytes != chunk_bytes(snapshot, message->index) ||
        !hash_equal(&leaf, &snapshot->hashes[message->index])) {
        give_up(catch_up, true, out);
        return;
    }
    memcpy(snapshot->data + (size_t)message->index * MESSAGE_CHUNK_MAX, message->data, message->bytes);
    snapshot->held[message->index] = 1;
    snapshot->held_count++;
    snapshot->deadline_ns = now_ns + catch_up->config.timeout_ns;
    if (snapshot->held_count < snapshot->count) {
        if (snapshot->held_count == snapshot->window_end)
            ask_window(catch_up, out);
        return;
    }
    struct bytes_reader reader = bytes_reader_over(snapshot->data, (size_t)snapshot->total);
    snapshot->complete = open_block(catch_up, snapshot, &reader) && open_state(catch_up, snapshot, &reader) &&
                         open_ids(snapshot, &reader);
    if (!snapshot->complete)
        give_up(catch_up, true, out);
}
