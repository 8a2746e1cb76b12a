/* Fuzzes what a validator takes over from a peer when it is far behind: a checkpoint, as one string of bytes
 * (first byte even: the rest is the string; odd: the rest edits the true one, three bytes each: where (two),
 * what; a lone byte at the end cuts it short). The peer describes it truly and holds a certified header above
 * it, so everything hangs on the string. Whatever it is, only the true block, state and ids are handed on;
 * the true string is. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/merkle.h"
#include "nodes/chain/catch_up_parts.h"
#include "tests/lib/ledger_rig.h"
#include "tests/fuzz/edits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEIGHT 4u /* of the checkpoint */
#define PEER 1u
#define STRING_MAX ((size_t)1 << 18)

struct truth {
    struct ledger_rig rig;
    struct block_header next;
    uint8_t string[STRING_MAX];
    size_t bytes;
};

static void make_chain(struct ledger_rig *rig) {
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    struct hash model = ledger_rig_model(rig, 4, 1, 0.5);
    ledger_rig_commit(rig);
    ledger_rig_attest_all(rig, &model);
    ledger_rig_commit(rig);
    (void)ledger_rig_model(rig, 5, 2, 0.75);
    (void)ledger_rig_evidence(rig, 0, 3, 2, 1);
    ledger_rig_commit(rig);
    (void)ledger_rig_records(rig, 4, 3);
    ledger_rig_commit(rig);
    ledger_rig_commit(rig);
}

static const struct ledger_rig_block *block_at(const struct truth *truth, uint64_t height) {
    return &truth->rig.blocks[height - 1];
}

static struct truth *truth_here(void) {
    static struct truth truth;
    if (truth.bytes > 0)
        return &truth;
    make_chain(&truth.rig);
    const struct ledger_rig_block *block = block_at(&truth, HEIGHT), *next = block_at(&truth, HEIGHT + 1);
    struct bytes_reader reader = bytes_reader_over(next->data, next->size);
    struct bytes_writer writer = bytes_writer_over(truth.string, STRING_MAX);
    demand(block_header_decode(&reader, &truth.next) == STATUS_OK);
    bytes_put_u64(&writer, HEIGHT);
    bytes_put_u32(&writer, (uint32_t)block->size);
    bytes_put(&writer, block->data, block->size);
    certificate_encode(&writer, &block->certificate);
    bytes_put_u64(&writer, block->state_bytes);
    bytes_put(&writer, block->state, block->state_bytes);
    for (uint64_t height = 1; height < HEIGHT; height++)
        bytes_put(&writer, block_at(&truth, height)->id.bytes, HASH_BYTES);
    demand(!writer.failed);
    truth.bytes = writer.used;
    return &truth;
}

static size_t edited(const struct truth *truth, const uint8_t *edits, size_t size, uint8_t *string) {
    memcpy(string, truth->string, truth->bytes);
    for (; size >= 3; edits += 3, size -= 3)
        string[(edits[0] | (size_t)edits[1] << 8) % truth->bytes] ^= edits[2];
    return size == 1 ? truth->bytes - 1 - edits[0] : truth->bytes;
}

/* The peer's messages about a string. */
static void deliver(struct catch_up *catch_up, const struct truth *truth, const uint8_t *string, size_t size,
                    struct outbox *out) {
    struct hash hashes[STRING_MAX / MESSAGE_CHUNK_MAX + 1] = {{{0}}};
    uint32_t count = (uint32_t)((size + MESSAGE_CHUNK_MAX - 1) / MESSAGE_CHUNK_MAX);
    struct message_snap_meta meta = {.height = HEIGHT,
                                     .total = size,
                                     .header = truth->next,
                                     .certificate = block_at(truth, HEIGHT + 1)->certificate,
                                     .count = count,
                                     .hashes = hashes[0].bytes};
    struct message_snap_chunk chunk = {.height = HEIGHT};
    for (uint32_t i = 0; i < count; i++) {
        size_t left = size - (size_t)i * MESSAGE_CHUNK_MAX;
        hashes[i] = merkle_leaf(string + (size_t)i * MESSAGE_CHUNK_MAX,
                                left < MESSAGE_CHUNK_MAX ? left : MESSAGE_CHUNK_MAX);
    }
    catch_up_on_snap_meta(catch_up, PEER, &meta, 1, out);
    for (; chunk.index < count; chunk.index++) {
        size_t left = size - (size_t)chunk.index * MESSAGE_CHUNK_MAX;
        chunk.data = string + (size_t)chunk.index * MESSAGE_CHUNK_MAX;
        chunk.bytes = (uint32_t)(left < MESSAGE_CHUNK_MAX ? left : MESSAGE_CHUNK_MAX);
        catch_up_on_snap_chunk(catch_up, PEER, &chunk, 1, out);
    }
}

static bool taken_over(struct catch_up *catch_up, const struct truth *truth) {
    const struct ledger_rig_block *block = block_at(truth, HEIGHT);
    struct catch_up_item item;
    if (!catch_up_take(catch_up, &item))
        return false;
    demand(item.is_checkpoint && item.peer == PEER && item.commit.height == HEIGHT);
    demand(hash_equal(&item.commit.block_id, &block->id));
    demand(item.commit.block_bytes == block->size &&
           memcmp(item.commit.block, block->data, block->size) == 0);
    demand(item.commit.state_bytes == block->state_bytes &&
           memcmp(item.commit.state, block->state, block->state_bytes) == 0);
    demand(certificate_valid(&truth->rig.genesis, item.commit.certificate));
    for (uint64_t height = 1; height < HEIGHT; height++)
        demand(hash_equal(&item.ids[height - 1], &block_at(truth, height)->id));
    return true;
}

static bool offer(const struct truth *truth, const uint8_t *string, size_t size) {
    static const uint32_t nodes[] = {10, 11, 12, 13};
    struct catch_up_config config = {.genesis = &truth->rig.genesis,
                                     .nodes = nodes,
                                     .block_bytes_max = (size_t)1 << 20,
                                     .bytes_max = (size_t)1 << 22,
                                     .timeout_ns = 1000,
                                     .snapshot_gap = 2};
    struct catch_up catch_up;
    struct outbox out;
    outbox_init(&out);
    demand(catch_up_init(&catch_up, &config) == STATUS_OK);
    catch_up_committed(&catch_up, 0, &(struct hash){{0}}, 0, &out);
    catch_up_heard(&catch_up, PEER, HEIGHT + 1, 0, &out);
    demand(catch_up.snapshot != NULL && catch_up.snapshot->peer == PEER);
    deliver(&catch_up, truth, string, size, &out);
    bool taken = taken_over(&catch_up, truth);
    catch_up_close(&catch_up);
    outbox_close(&out);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool tried;
    const struct truth *truth = truth_here();
    static uint8_t string[STRING_MAX];
    if (!tried)
        demand(offer(truth, truth->string, truth->bytes));
    tried = true;
    if (size < 2 || size > STRING_MAX)
        return 0;
    if ((data[0] & 1) == 0) {
        (void)offer(truth, data + 1, size - 1);
        return 0;
    }
    size_t bytes = edited(truth, data + 1, size - 1, string);
    bool same = bytes == truth->bytes && memcmp(string, truth->string, bytes) == 0;
    demand(offer(truth, string, bytes) == same);
    return 0;
}
