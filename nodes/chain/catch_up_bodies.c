/* catch_up_bodies.c: blocks whose certified header is here, range by range. */
#include <assert.h>
#include <stdlib.h>

#include "common/time/vtime.h"
#include "nodes/chain/catch_up_parts.h"

static size_t document_max(const struct catch_up *catch_up) {
    return catch_up->config.block_bytes_max + CERTIFICATE_BYTES_MAX;
}

void catch_up_slot_reset(struct catch_up *catch_up, struct catch_up_slot *slot) {
    if (slot->data != NULL)
        catch_up->bytes -= slot->size;
    free(slot->data);
    slot->data = NULL;
    slot->size = slot->held = 0;
    slot->asked = slot->complete = false;
}

void catch_up_slot_free(struct catch_up *catch_up, struct catch_up_slot *slot) {
    catch_up_slot_reset(catch_up, slot);
    *slot = (struct catch_up_slot){0};
}

const uint8_t *catch_up_slot_block(const struct catch_up_slot *slot, size_t *size) {
    struct bytes_reader reader = bytes_reader_over(slot->data, slot->size);
    struct certificate certificate;
    *size = 0;
    if (certificate_decode(&reader, &certificate) != STATUS_OK)
        return NULL;
    *size = bytes_left(&reader);
    return slot->data + reader.used;
}

/* ---- asking ---- */

static void ask_range(struct catch_up *catch_up, struct catch_up_slot *slot, struct outbox *out) {
    struct message_catchup_req request = {
        .kind = MESSAGE_CATCHUP_BLOCK, .from = slot->height, .count = 1, .offset = slot->held};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_catchup_req(&writer, &request);
    assert(!writer.failed);
    outbox_send(out, catch_up->config.nodes[slot->peer], MESSAGE_CATCHUP_REQ, data, writer.used, 0, 0);
    slot->asked = true;
    slot->deadline_ns = catch_up->now_ns + catch_up->config.timeout_ns;
}

static bool ask_somebody(struct catch_up *catch_up, struct catch_up_slot *slot, struct outbox *out) {
    uint16_t peer = catch_up_choose(catch_up, slot->height, false);
    if (peer == CATCH_UP_NOBODY)
        return false;
    slot->peer = peer;
    ask_range(catch_up, slot, out);
    return true;
}

/* In the order of heights, as many at once as memory allows, and always the next one. */
void catch_up_ask_bodies(struct catch_up *catch_up, struct outbox *out) {
    size_t parallel = catch_up->config.bytes_max / document_max(catch_up), busy = 0;
    if (catch_up->repair.height != 0 && !catch_up->repair.asked)
        (void)ask_somebody(catch_up, &catch_up->repair, out);
    for (uint64_t height = catch_up->tip + 1; height <= catch_up->header_tip; height++) {
        struct catch_up_slot *slot = &catch_up->slots[height % CATCH_UP_WINDOW];
        assert(slot->height == height);
        if (busy > 0 && busy >= parallel)
            return;
        busy++;
        if (!slot->asked && !ask_somebody(catch_up, slot, out))
            return;
    }
}

/* ---- answers ---- */

static bool first_range_fits(const struct catch_up *catch_up, const struct message_catchup_resp *message) {
    return message->total > BLOCK_HEADER_BYTES && message->total <= document_max(catch_up);
}

/* The whole range that was asked for, or it does not count: so that nobody can drip. */
static bool range_fits(const struct catch_up_slot *slot, const struct message_catchup_resp *message) {
    uint64_t left = message->total - slot->held;
    return message->total == slot->size &&
           message->bytes == (left < MESSAGE_CATCHUP_DATA_MAX ? left : MESSAGE_CATCHUP_DATA_MAX);
}

/* The id of a block to be repaired is that of its certificate; the store knows whether it is the right one.
 */
static bool block_holds(const struct catch_up *catch_up, struct catch_up_slot *slot) {
    struct bytes_reader reader = bytes_reader_over(slot->data, slot->size);
    struct certificate certificate;
    struct block block;
    if (certificate_decode(&reader, &certificate) != STATUS_OK || certificate.height != slot->height)
        return false;
    if (slot == &catch_up->repair) {
        if (!certificate_valid(catch_up->config.genesis, &certificate))
            return false;
        slot->certificate = certificate;
        slot->block_id = certificate.block_id;
    }
    bool holds = block_open(slot->data + reader.used, bytes_left(&reader), catch_up->config.block_bytes_max,
                            &block) == STATUS_OK;
    struct hash id = block_id_of(&block.header);
    block_close(&block);
    return holds && hash_equal(&id, &slot->block_id);
}

/* STATUS_INVALID of the store: a certified block that is not the one it had, so that more than f validators
 * are wrong, or one whose id nothing here tells any more. The damaged one stays, and is found at its next
 * use.
 */
static enum status repair(struct catch_up *catch_up) {
    struct catch_up_slot *slot = &catch_up->repair;
    size_t size;
    const uint8_t *block = catch_up_slot_block(slot, &size);
    enum status status =
        ledger_store_repair_block(catch_up->config.store, slot->height, block, size, &slot->certificate);
    if (status == STATUS_INVALID)
        catch_up->refused++;
    catch_up_slot_free(catch_up, slot);
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status complete(struct catch_up *catch_up, struct catch_up_slot *slot) {
    if (!block_holds(catch_up, slot)) {
        catch_up_ban(catch_up, slot->peer);
        catch_up_slot_reset(catch_up, slot);
        return STATUS_OK;
    }
    catch_up->peers[slot->peer].failures = 0;
    slot->complete = true;
    return slot == &catch_up->repair ? repair(catch_up) : STATUS_OK;
}

static struct catch_up_slot *slot_of(struct catch_up *catch_up, uint16_t peer,
                                     const struct message_catchup_resp *message) {
    struct catch_up_slot *both[] = {&catch_up->slots[message->height % CATCH_UP_WINDOW], &catch_up->repair};
    for (uint32_t i = 0; i < 2; i++)
        if (both[i]->height == message->height && both[i]->asked && !both[i]->complete &&
            both[i]->peer == peer && message->offset == both[i]->held)
            return both[i];
    return NULL;
}

/* STATUS_INVALID: the answer cannot be right. */
static enum status accept_range(struct catch_up *catch_up, struct catch_up_slot *slot,
                                const struct message_catchup_resp *message) {
    if (slot->data == NULL) {
        if (!first_range_fits(catch_up, message))
            return STATUS_INVALID;
        slot->data = malloc((size_t)message->total);
        if (slot->data == NULL)
            return STATUS_MEMORY;
        slot->size = (size_t)message->total;
        catch_up->bytes += slot->size;
    }
    if (!range_fits(slot, message))
        return STATUS_INVALID;
    memcpy(slot->data + slot->held, message->data, message->bytes);
    slot->held += message->bytes;
    return STATUS_OK;
}

enum status catch_up_on_body(struct catch_up *catch_up, uint16_t peer,
                             const struct message_catchup_resp *message, struct outbox *out) {
    struct catch_up_slot *slot = slot_of(catch_up, peer, message);
    if (slot == NULL)
        return STATUS_OK;
    if (message->total == 0) {
        catch_up_fail(catch_up, peer);
        catch_up_slot_reset(catch_up, slot);
    } else if (accept_range(catch_up, slot, message) != STATUS_OK) {
        catch_up_ban(catch_up, peer);
        catch_up_slot_reset(catch_up, slot);
    } else if (slot->held == slot->size) {
        return complete(catch_up, slot);
    } else {
        ask_range(catch_up, slot, out);
    }
    return STATUS_OK;
}

void catch_up_damaged(struct catch_up *catch_up, uint64_t height, int64_t now_ns, struct outbox *out) {
    assert(height > 0);
    catch_up->now_ns = now_ns;
    if (catch_up->repair.height != 0)
        return;
    catch_up->repair = (struct catch_up_slot){.height = height};
    catch_up_advance(catch_up, out);
}
