#include "nodes/chain/catch_up.h"

#include <assert.h>
#include <stdlib.h>

#include "common/time/vtime.h"
#include "nodes/chain/catch_up_parts.h"

enum status catch_up_init(struct catch_up *catch_up, const struct catch_up_config *config) {
    *catch_up = (struct catch_up){.config = *config, .behind_since_ns = VTIME_NEVER};
    catch_up->slots = calloc(CATCH_UP_WINDOW, sizeof *catch_up->slots);
    return catch_up->slots == NULL ? STATUS_MEMORY : STATUS_OK;
}

void catch_up_close(struct catch_up *catch_up) {
    for (uint32_t i = 0; catch_up->slots != NULL && i < CATCH_UP_WINDOW; i++)
        catch_up_slot_free(catch_up, &catch_up->slots[i]);
    catch_up_slot_free(catch_up, &catch_up->repair);
    free(catch_up->slots);
    catch_up_snapshot_free(&catch_up->snapshot);
    catch_up_snapshot_free(&catch_up->serving);
    *catch_up = (struct catch_up){0};
}

/* ---- peers ---- */

static bool may_be_asked(const struct catch_up *catch_up, uint16_t peer) {
    return peer != catch_up->config.self && catch_up->peers[peer].banned_until_ns <= catch_up->now_ns;
}

uint16_t catch_up_choose(struct catch_up *catch_up, uint64_t height, bool for_snapshot) {
    uint32_t count = catch_up->config.genesis->validator_count;
    uint16_t best = CATCH_UP_NOBODY;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t peer = (uint16_t)((catch_up->next_peer + i) % count);
        const struct catch_up_peer *candidate = &catch_up->peers[peer];
        if (!may_be_asked(catch_up, peer) || candidate->height < height ||
            (for_snapshot && candidate->no_snapshot_until_ns > catch_up->now_ns))
            continue;
        if (best == CATCH_UP_NOBODY || candidate->failures < catch_up->peers[best].failures)
            best = peer;
    }
    if (best != CATCH_UP_NOBODY)
        catch_up->next_peer = (uint16_t)((best + 1) % count);
    return best;
}

void catch_up_ban(struct catch_up *catch_up, uint16_t peer) {
    catch_up->refused++;
    catch_up->peers[peer].banned_until_ns =
        catch_up->now_ns + CATCH_UP_BAN_TIMEOUTS * catch_up->config.timeout_ns;
    catch_up->peers[peer].failures++;
}

void catch_up_fail(struct catch_up *catch_up, uint16_t peer) {
    catch_up->peers[peer].height = 0;
    catch_up->peers[peer].failures++;
}

uint64_t catch_up_target(const struct catch_up *catch_up) {
    uint64_t target = catch_up->tip;
    for (uint16_t i = 0; i < catch_up->config.genesis->validator_count; i++)
        if (may_be_asked(catch_up, i) && catch_up->peers[i].height > target)
            target = catch_up->peers[i].height;
    return target;
}

bool catch_up_active(const struct catch_up *catch_up) {
    return catch_up->asking_headers || catch_up->snapshot != NULL || catch_up->header_tip > catch_up->tip;
}

/* ---- headers ---- */

static void ask_headers(struct catch_up *catch_up, struct outbox *out) {
    uint64_t target = catch_up_target(catch_up), most = catch_up->tip + CATCH_UP_WINDOW;
    if (catch_up->asking_headers || catch_up->header_tip >= (target < most ? target : most))
        return;
    uint16_t peer = catch_up_choose(catch_up, catch_up->header_tip + 1, false);
    if (peer == CATCH_UP_NOBODY)
        return;
    struct message_catchup_req request = {.kind = MESSAGE_CATCHUP_HEADERS,
                                          .from = catch_up->header_tip + 1,
                                          .count = (uint32_t)(most - catch_up->header_tip)};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_catchup_req(&writer, &request);
    assert(!writer.failed);
    outbox_send(out, catch_up->config.nodes[peer], MESSAGE_CATCHUP_REQ, data, writer.used, 0, 0);
    catch_up->asking_headers = true;
    catch_up->headers_peer = peer;
    catch_up->headers_deadline_ns = catch_up->now_ns + catch_up->config.timeout_ns;
}

/* Certified, and next after the last one. */
static bool header_holds(const struct catch_up *catch_up, const struct block_header *header,
                         const struct certificate *certificate, const struct hash *id) {
    return header->height == catch_up->header_tip + 1 && certificate->height == header->height &&
           hash_equal(&header->prev_block_id, &catch_up->header_id) &&
           hash_equal(&certificate->block_id, id) && certificate_valid(catch_up->config.genesis, certificate);
}

static bool take_header(struct catch_up *catch_up, struct bytes_reader *reader) {
    struct block_header header;
    struct certificate certificate;
    if (block_header_decode(reader, &header) != STATUS_OK ||
        certificate_decode(reader, &certificate) != STATUS_OK)
        return false;
    struct hash id = block_id_of(&header);
    if (!header_holds(catch_up, &header, &certificate, &id))
        return false;
    struct catch_up_slot *slot = &catch_up->slots[header.height % CATCH_UP_WINDOW];
    assert(slot->height == 0);
    *slot = (struct catch_up_slot){.height = header.height, .block_id = id, .certificate = certificate};
    catch_up->header_tip = header.height;
    catch_up->header_id = id;
    return true;
}

static void on_headers(struct catch_up *catch_up, uint16_t peer, const struct message_catchup_resp *message) {
    if (!catch_up->asking_headers || peer != catch_up->headers_peer ||
        message->height != catch_up->header_tip + 1)
        return;
    struct bytes_reader reader = bytes_reader_over(message->data, message->bytes);
    catch_up->asking_headers = false;
    if (message->total == 0) {
        catch_up_fail(catch_up, peer);
        return;
    }
    for (uint64_t i = 0; i < message->total; i++) {
        if (catch_up->header_tip >= catch_up->tip + CATCH_UP_WINDOW)
            return;
        if (!take_header(catch_up, &reader)) {
            catch_up_ban(catch_up, peer);
            return;
        }
    }
    catch_up->peers[peer].failures = 0;
}

/* ---- where it stands ---- */

/* What was fetched does not belong to the chain that goes on here, or is not believed any more. */
static void forget_headers(struct catch_up *catch_up) {
    for (uint32_t i = 0; i < CATCH_UP_WINDOW; i++)
        catch_up_slot_free(catch_up, &catch_up->slots[i]);
    catch_up->header_tip = catch_up->tip;
    catch_up->header_id = catch_up->tip_id;
    catch_up->asking_headers = false;
}

static void note_behind(struct catch_up *catch_up) {
    if (catch_up_target(catch_up) <= catch_up->tip)
        catch_up->behind_since_ns = VTIME_NEVER;
    else if (catch_up->behind_since_ns == VTIME_NEVER)
        catch_up->behind_since_ns = catch_up->now_ns;
}

/* One height behind may be no more than votes on their way. */
static bool is_patient(const struct catch_up *catch_up) {
    return catch_up_target(catch_up) <= catch_up->tip + 1 &&
           (catch_up->behind_since_ns == VTIME_NEVER ||
            catch_up->now_ns < catch_up->behind_since_ns + catch_up->config.timeout_ns);
}

void catch_up_advance(struct catch_up *catch_up, struct outbox *out) {
    note_behind(catch_up);
    if (catch_up->snapshot == NULL && catch_up_snapshot_due(catch_up))
        (void)catch_up_snapshot_begin(catch_up, out);
    if (catch_up->snapshot == NULL && !is_patient(catch_up))
        ask_headers(catch_up, out);
    catch_up_ask_bodies(catch_up, out);
}

void catch_up_committed(struct catch_up *catch_up, uint64_t height, const struct hash *block_id,
                        int64_t now_ns, struct outbox *out) {
    const struct catch_up_slot *slot = &catch_up->slots[height % CATCH_UP_WINDOW];
    bool other = slot->height == height && !hash_equal(&slot->block_id, block_id);
    catch_up->now_ns = now_ns;
    catch_up->tip = height;
    catch_up->tip_id = *block_id;
    catch_up->behind_since_ns = VTIME_NEVER;
    for (uint32_t i = 0; i < CATCH_UP_WINDOW; i++)
        if (catch_up->slots[i].height <= height)
            catch_up_slot_free(catch_up, &catch_up->slots[i]);
    if (other || catch_up->header_tip < height)
        forget_headers(catch_up);
    if (catch_up->snapshot != NULL && catch_up->snapshot->height != 0 && catch_up->snapshot->height <= height)
        catch_up_snapshot_free(&catch_up->snapshot);
    catch_up_advance(catch_up, out);
}

void catch_up_heard(struct catch_up *catch_up, uint16_t validator, uint64_t height, int64_t now_ns,
                    struct outbox *out) {
    assert(validator < catch_up->config.genesis->validator_count);
    catch_up->now_ns = now_ns;
    if (validator == catch_up->config.self)
        return;
    catch_up->peers[validator].height = height;
    catch_up_advance(catch_up, out);
}

enum status catch_up_on_response(struct catch_up *catch_up, uint16_t validator,
                                 const struct message_catchup_resp *message, int64_t now_ns,
                                 struct outbox *out) {
    enum status status = STATUS_OK;
    catch_up->now_ns = now_ns;
    if (validator >= catch_up->config.genesis->validator_count || validator == catch_up->config.self)
        return STATUS_OK;
    if (message->kind == MESSAGE_CATCHUP_HEADERS)
        on_headers(catch_up, validator, message);
    else
        status = catch_up_on_body(catch_up, validator, message, out);
    catch_up_advance(catch_up, out);
    return status;
}

bool catch_up_take(struct catch_up *catch_up, struct catch_up_item *item) {
    if (catch_up->snapshot != NULL && catch_up->snapshot->complete) {
        *item = (struct catch_up_item){.is_checkpoint = true,
                                       .peer = catch_up->snapshot->peer,
                                       .commit = catch_up->snapshot->commit,
                                       .ids = catch_up->snapshot->ids};
        return true;
    }
    const struct catch_up_slot *slot = &catch_up->slots[(catch_up->tip + 1) % CATCH_UP_WINDOW];
    if (slot->height != catch_up->tip + 1 || !slot->complete)
        return false;
    *item = (struct catch_up_item){
        .peer = slot->peer,
        .commit = {.height = slot->height, .block_id = slot->block_id, .certificate = &slot->certificate}};
    item->commit.block = catch_up_slot_block(slot, &item->commit.block_bytes);
    return true;
}

void catch_up_reject(struct catch_up *catch_up, const struct catch_up_item *item) {
    catch_up_ban(catch_up, item->peer);
    if (item->is_checkpoint)
        catch_up_snapshot_free(&catch_up->snapshot);
    forget_headers(catch_up);
}

/* ---- time ---- */

static bool is_over(const struct catch_up *catch_up, int64_t deadline_ns) {
    return deadline_ns <= catch_up->now_ns;
}

static void expire_slot(struct catch_up *catch_up, struct catch_up_slot *slot) {
    if (!slot->asked || slot->complete || !is_over(catch_up, slot->deadline_ns))
        return;
    catch_up_fail(catch_up, slot->peer);
    catch_up_slot_reset(catch_up, slot);
}

void catch_up_on_time(struct catch_up *catch_up, int64_t now_ns, struct outbox *out) {
    catch_up->now_ns = now_ns;
    for (uint32_t i = 0; i < CATCH_UP_WINDOW; i++)
        expire_slot(catch_up, &catch_up->slots[i]);
    expire_slot(catch_up, &catch_up->repair);
    if (catch_up->asking_headers && is_over(catch_up, catch_up->headers_deadline_ns)) {
        catch_up_fail(catch_up, catch_up->headers_peer);
        catch_up->asking_headers = false;
    }
    const struct catch_up_snapshot *snapshot = catch_up->snapshot;
    if (snapshot != NULL && !snapshot->complete && is_over(catch_up, snapshot->deadline_ns)) {
        catch_up_fail_snapshot(catch_up);
    }
    catch_up_advance(catch_up, out);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns) {
    return a_ns < b_ns ? a_ns : b_ns;
}

static int64_t slot_deadline_ns(const struct catch_up_slot *slot) {
    return slot->asked && !slot->complete ? slot->deadline_ns : VTIME_NEVER;
}

/* When nothing is asked although there is something to be had, it waits for patience or for a ban to end. */
static int64_t idle_deadline_ns(const struct catch_up *catch_up) {
    int64_t deadline_ns = VTIME_NEVER;
    for (uint16_t i = 0; i < catch_up->config.genesis->validator_count; i++) {
        const struct catch_up_peer *peer = &catch_up->peers[i];
        if (peer->height > catch_up->tip && peer->banned_until_ns > catch_up->now_ns)
            deadline_ns = earlier(deadline_ns, peer->banned_until_ns);
    }
    if (catch_up->behind_since_ns != VTIME_NEVER && is_patient(catch_up))
        deadline_ns = earlier(deadline_ns, catch_up->behind_since_ns + catch_up->config.timeout_ns);
    return deadline_ns;
}

int64_t catch_up_deadline_ns(const struct catch_up *catch_up) {
    int64_t deadline_ns = slot_deadline_ns(&catch_up->repair);
    for (uint32_t i = 0; i < CATCH_UP_WINDOW; i++)
        deadline_ns = earlier(deadline_ns, slot_deadline_ns(&catch_up->slots[i]));
    if (catch_up->asking_headers)
        deadline_ns = earlier(deadline_ns, catch_up->headers_deadline_ns);
    if (catch_up->snapshot != NULL && !catch_up->snapshot->complete)
        deadline_ns = earlier(deadline_ns, catch_up->snapshot->deadline_ns);
    return earlier(deadline_ns, idle_deadline_ns(catch_up));
}

static size_t snapshot_memory(const struct catch_up_snapshot *snapshot) {
    return snapshot == NULL ? 0 : sizeof *snapshot + snapshot->total + snapshot->count * (HASH_BYTES + 1);
}

size_t catch_up_memory(const struct catch_up *catch_up) {
    return CATCH_UP_WINDOW * sizeof *catch_up->slots + catch_up->bytes + snapshot_memory(catch_up->snapshot) +
           snapshot_memory(catch_up->serving);
}
