#include "nodes/sealing.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/net/message.h"
#include "common/net/seal.h"

#define LANES 2u

struct sealing_sender {
    uint32_t incarnation;
    bool has_key;
    uint8_t key[SEAL_KEY_BYTES];
    uint32_t counters[LANES]; /* of the latest message */
};

/* One life of the sender, as the receiver knows it. */
struct life {
    uint32_t incarnation;
    uint8_t key[SEAL_KEY_BYTES];
    struct seal_window windows[LANES];
};

/* A life ends with messages on the air, so the one before the latest is remembered too. */
struct sealing_receiver {
    struct life *lives[2]; /* the latest first; NULL: none yet */
};

void sealing_open(struct sealing *sealing, struct keyring *keyring, const struct topology *topology) {
    *sealing = (struct sealing){.keyring = keyring, .topology = topology};
    size_t bytes = topology->link_count * sizeof(void *);
    sealing->senders = memory_grow(NULL, topology->link_count, sizeof(void *), "sessions");
    sealing->receivers = memory_grow(NULL, topology->link_count, sizeof(void *), "sessions");
    memset(sealing->senders, 0, bytes);
    memset(sealing->receivers, 0, bytes);
}

static void forget(void *memory, size_t bytes) {
    if (memory != NULL)
        sodium_memzero(memory, bytes);
    free(memory);
}

void sealing_close(struct sealing *sealing) {
    for (uint32_t link = 0; sealing->topology != NULL && link < sealing->topology->link_count; link++) {
        struct sealing_receiver *receiver = sealing->receivers[link];
        for (int i = 0; receiver != NULL && i < 2; i++)
            forget(receiver->lives[i], sizeof(struct life));
        free(receiver);
        forget(sealing->senders[link], sizeof(struct sealing_sender));
    }
    free(sealing->senders);
    free(sealing->receivers);
    free(sealing->text);
    *sealing = (struct sealing){0};
}

static uint32_t lane_of(const struct wire *wire) {
    return message_info(wire->type)->lane;
}

/* The header as it is authenticated. */
#define HEADER_BYTES (sizeof(struct wire) + sizeof(uint32_t))

static void put_header(const struct sealing *sealing, uint32_t link, const struct wire *wire,
                       uint8_t header[HEADER_BYTES]) {
    struct wire fixed = *wire;
    fixed.flags = 0;
    memcpy(header, &fixed, sizeof fixed);
    memcpy(header + sizeof fixed, &sealing->topology->links[link].to, sizeof(uint32_t));
}

/* ---- sending ---- */

static struct sealing_sender *sender_of(struct sealing *sealing, uint32_t link, uint32_t incarnation) {
    struct sealing_sender *sender = sealing->senders[link];
    if (sender != NULL && sender->incarnation == incarnation)
        return sender;
    sender = sealing->senders[link] = memory_grow(sender, 1, sizeof *sender, "sessions");
    *sender = (struct sealing_sender){.incarnation = incarnation};
    sender->has_key = keyring_session(sealing->keyring, link, incarnation, sender->key);
    return sender;
}

void sealing_number(struct sealing *sealing, uint32_t link, struct wire *wire) {
    struct sealing_sender *sender = sender_of(sealing, link, wire->incarnation);
    uint32_t lane = lane_of(wire);
    assert(sender->counters[lane] < UINT32_MAX); /* a key never meets a nonce twice */
    wire->index = ++sender->counters[lane];
}

uint32_t sealing_bytes(struct sealing *sealing, uint32_t link, const struct wire *wire, uint32_t bytes) {
    return sender_of(sealing, link, wire->incarnation)->has_key ? bytes + SEAL_TAG_BYTES : 0;
}

void sealing_seal(struct sealing *sealing, uint32_t link, const struct wire *wire, const uint8_t *text,
                  uint32_t bytes, uint8_t *sealed) {
    uint8_t header[HEADER_BYTES];
    const struct sealing_sender *sender = sender_of(sealing, link, wire->incarnation);
    if (!sender->has_key)
        return;
    put_header(sealing, link, wire, header);
    struct seal_frame frame = {
        .lane = lane_of(wire), .counter = wire->index, .header = header, .header_bytes = sizeof header};
    seal_make(sender->key, &frame, text, bytes, sealed);
}

/* ---- receiving ---- */

/* Puts a life that has proven itself where it belongs; lives[1] may be forgotten for it. */
static struct life *remember(struct sealing_receiver *receiver, const struct life *life) {
    bool latest = receiver->lives[0] == NULL || life->incarnation > receiver->lives[0]->incarnation;
    struct life *kept =
        receiver->lives[1] != NULL ? receiver->lives[1] : memory_grow(NULL, 1, sizeof *kept, "sessions");
    *kept = *life;
    receiver->lives[1] = latest ? receiver->lives[0] : kept;
    if (latest)
        receiver->lives[0] = kept;
    return kept;
}

static struct life *find_life(const struct sealing_receiver *receiver, uint32_t incarnation) {
    for (int i = 0; i < 2; i++)
        if (receiver->lives[i] != NULL && receiver->lives[i]->incarnation == incarnation)
            return receiver->lives[i];
    return NULL;
}

static bool is_forgotten(const struct sealing_receiver *receiver, uint32_t incarnation) {
    return receiver->lives[1] != NULL && incarnation < receiver->lives[1]->incarnation;
}

static uint8_t *room_for_text(struct sealing *sealing, size_t size) {
    if (size > sealing->text_capacity) {
        sealing->text = memory_grow(sealing->text, size, 1, "a message that was opened");
        sealing->text_capacity = size;
    }
    return sealing->text;
}

static struct sealing_receiver *receiver_of(struct sealing *sealing, uint32_t link) {
    if (sealing->receivers[link] == NULL) {
        sealing->receivers[link] = memory_grow(NULL, 1, sizeof(struct sealing_receiver), "sessions");
        *sealing->receivers[link] = (struct sealing_receiver){0};
    }
    return sealing->receivers[link];
}

enum sealing_verdict sealing_unseal(struct sealing *sealing, uint32_t link, const struct wire *wire,
                                    const uint8_t *sealed, size_t size, const uint8_t **text) {
    uint8_t header[HEADER_BYTES];
    struct sealing_receiver *receiver = receiver_of(sealing, link);
    struct life fresh = {.incarnation = wire->incarnation};
    struct life *life = find_life(receiver, wire->incarnation);
    uint32_t lane = lane_of(wire);
    if (is_forgotten(receiver, wire->incarnation) ||
        (life != NULL && !seal_window_fresh(&life->windows[lane], wire->index)))
        return SEALING_REPLAYED;
    if (size < SEAL_TAG_BYTES ||
        (life == NULL && !keyring_session(sealing->keyring, link, wire->incarnation, fresh.key)))
        return SEALING_BROKEN;
    put_header(sealing, link, wire, header);
    struct seal_frame frame = {
        .lane = lane, .counter = wire->index, .header = header, .header_bytes = sizeof header};
    uint8_t *room = room_for_text(sealing, size);
    if (wire->index == 0 || !seal_open(life != NULL ? life->key : fresh.key, &frame, sealed, size, room))
        return SEALING_BROKEN;
    if (life == NULL)
        life = remember(receiver, &fresh);
    seal_window_mark(&life->windows[lane], wire->index);
    *text = room;
    return SEALING_GOOD;
}
