#include "nodes/network_card.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/record/trace.h"

#define PACKET_NONE 0u

static const struct topology_node *self_of(const struct network_card *card) {
    return &card->env.topology->nodes[card->env.self];
}

static const struct topology_link *link_info(const struct network_card *card, uint32_t index) {
    return &card->env.topology->links[self_of(card)->first_link + index];
}

static bool is_radio(const struct scenario_link *config) {
    return config->kind == LINK_LTE_M || config->kind == LINK_OFDMA || config->kind == LINK_OFDMA_SHARE;
}

uint64_t card_checksum(const uint8_t *payload, size_t bytes) {
    static const uint8_t key[crypto_shorthash_KEYBYTES] =
        "tierbed-message"; /* public: against accidents only */
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, payload, bytes, key);
    uint64_t value;
    memcpy(&value, hash, sizeof value);
    return value;
}

/* ---- opening ---- */

enum status card_open(struct network_card *card, const struct node_env *env, struct error *error) {
    memset(card, 0, sizeof *card);
    card->env = *env;
    card->link_count = self_of(card)->link_count;
    card->links = memory_grow(NULL, card->link_count, sizeof(struct link *), "packets of a network card");
    memset(card->links, 0, card->link_count * sizeof *card->links);
    card->wake_ns = memory_grow(NULL, card->link_count, sizeof *card->wake_ns, "packets of a network card");
    card->fault_active = memory_grow(NULL, env->scenario->fault_count, sizeof *card->fault_active,
                                     "packets of a network card");
    memset(card->fault_active, 0, env->scenario->fault_count * sizeof *card->fault_active);
    card->packet_count = 1; /* index 0 stands for none */
    card->packet_capacity = 8;
    card->packets =
        memory_grow(NULL, card->packet_capacity, sizeof *card->packets, "packets of a network card");
    memset(card->packets, 0, card->packet_capacity * sizeof *card->packets);
    for (uint32_t i = 0; i < card->link_count; i++) {
        const struct topology_link *info = link_info(card, i);
        card->wake_ns[i] = VTIME_NEVER;
        card->steps |= is_radio(info->config) && info->config->channel != CHANNEL_FIXED &&
                       info->config->channel != CHANNEL_PATH_LOSS;
        TRY(link_open(info->config, info->share, env->scenario->seed, self_of(card)->first_link + i,
                      &card->links[i], error));
    }
    return STATUS_OK;
}

void card_close(struct network_card *card) {
    for (uint32_t i = 0; card->links != NULL && i < card->link_count; i++)
        link_close(card->links[i]);
    for (uint32_t i = 1; card->packets != NULL && i < card->packet_count; i++)
        free(card->packets[i].payload);
    free(card->links);
    free(card->wake_ns);
    free(card->fault_active);
    free(card->packets);
    memset(card, 0, sizeof *card);
}

/* ---- packets ---- */

static uint32_t packet_take(struct network_card *card, const uint8_t *payload, uint32_t bytes) {
    uint32_t index = card->packet_free;
    if (index != PACKET_NONE) {
        card->packet_free = card->packets[index].next_free;
    } else {
        if (card->packet_count == card->packet_capacity) {
            card->packet_capacity *= 2;
            card->packets = memory_grow(card->packets, card->packet_capacity, sizeof *card->packets,
                                        "packets of a network card");
        }
        index = card->packet_count++;
        card->packets[index] = (struct card_packet){0};
    }
    struct card_packet *packet = &card->packets[index];
    if (packet->capacity < bytes) {
        packet->payload = memory_grow(packet->payload, bytes, 1, "packets of a network card");
        packet->capacity = bytes;
    }
    if (bytes > 0)
        memcpy(packet->payload, payload, bytes);
    packet->bytes = bytes;
    return index;
}

static void packet_give(struct network_card *card, uint32_t index) {
    card->packets[index].next_free = card->packet_free;
    card->packet_free = index;
}

/* ---- notices to the own node ---- */

static void post_notice(struct network_card *card, struct engine *engine, enum message_type type,
                        const struct bytes_writer *payload) {
    struct wire wire = {
        .kind = WIRE_MESSAGE, .flags = WIRE_OWN_CARD, .type = (uint16_t)type, .source = card->env.self};
    int64_t now_ns = engine->now.time_ns;
    wire.bits = payload->used * 8;
    wire.sent_ns = wire.start_ns = now_ns;
    wire.checksum = card_checksum(payload->data, payload->used);
    uint8_t *room = engine_post_reserve(engine, card->env.self, card->env.self, now_ns,
                                        (uint32_t)(sizeof wire + payload->used));
    memcpy(room, &wire, sizeof wire);
    memcpy(room + sizeof wire, payload->data, payload->used);
}

static void report(struct network_card *card, struct engine *engine, uint32_t index) {
    struct link_report now = link_report(card->links[index]);
    struct message_link_state message = {.peer = link_info(card, index)->to,
                                         .state = now.state,
                                         .mini_slots = now.mini_slots,
                                         .mini_slot_ns = now.mini_slot_ns,
                                         .rate_bps = now.rate_bps,
                                         .gain = now.gain};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_link_state(&writer, &message);
    post_notice(card, engine, MESSAGE_LINK_STATE, &writer);
}

void card_report_all(struct network_card *card, struct engine *engine) {
    for (uint32_t i = 0; i < card->link_count; i++)
        if (is_radio(link_info(card, i)->config))
            report(card, engine, i);
}

static void post_slot(struct network_card *card, struct engine *engine) {
    struct wire wire = {.kind = WIRE_SLOT, .source = card->env.self};
    int64_t at_ns = engine->now.time_ns + card->env.scenario->slot_ns;
    engine_post(engine, card->env.self, card->env.self, at_ns, &wire, sizeof wire);
}

void card_start(struct network_card *card, struct engine *engine) {
    for (uint32_t i = 0; i < card->link_count; i++)
        for (uint32_t slot = 0; slot < card->env.scenario->training.first_slot; slot++)
            link_slot(card->links[i], engine->now.time_ns);
    card_report_all(card, engine);
    if (card->steps)
        post_slot(card, engine);
}

/* ---- transmissions ---- */

static void flip_bits(uint8_t *payload, uint32_t bytes, uint64_t key) {
    uint32_t flips = 1 + (uint32_t)(key >> 61);
    for (uint32_t i = 0; i < flips && bytes > 0; i++) {
        uint64_t bit = random_mix(key + i) % ((uint64_t)bytes * 8);
        payload[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static void post_arrival(struct network_card *card, struct engine *engine, uint32_t index,
                         const struct link_departure *departure, bool duplicate) {
    const struct card_packet *packet = &card->packets[departure->packet.handle];
    struct wire wire = packet->wire;
    wire.start_ns = departure->start_ns;
    wire.air_ns = departure->air_ns;
    wire.flags |= duplicate ? WIRE_DUPLICATE : 0;
    int64_t at_ns = duplicate ? departure->duplicate_ns : departure->arrival_ns;
    uint32_t link = self_of(card)->first_link + index, bytes = packet->bytes;
    if (card->sealing != NULL)
        bytes = sealing_bytes(card->sealing, link, &wire, packet->bytes);
    uint8_t *room = engine_post_reserve(engine, card->env.self, link_info(card, index)->to, at_ns,
                                        (uint32_t)sizeof wire + bytes);
    memcpy(room, &wire, sizeof wire);
    if (card->sealing != NULL)
        sealing_seal(card->sealing, link, &wire, packet->payload, packet->bytes, room + sizeof wire);
    else if (bytes > 0)
        memcpy(room + sizeof wire, packet->payload, bytes);
    /* Text and sealed text have their bits in the same places, so the same ones are hit. */
    if (departure->fate == LINK_CORRUPTED && !duplicate && bytes > 0)
        flip_bits(room + sizeof wire, packet->bytes, departure->corrupt_key);
}

static void tell_lost(struct network_card *card, const struct card_packet *packet, uint32_t flags) {
    if (card->watch != NULL)
        card->watch(card->watch_context, card->env.self, &packet->wire, packet->bytes, flags);
}

/* A transmission that starts: its arrivals become events, its packet is free again. */
static void depart(struct network_card *card, struct engine *engine, uint32_t index,
                   const struct link_departure *departure) {
    struct wire *wire = &card->packets[departure->packet.handle].wire;
    wire->incarnation = card->incarnation;
    if (card->sealing != NULL)
        sealing_number(card->sealing, self_of(card)->first_link + index, wire);
    if (departure->fate == LINK_DELIVERED || departure->fate == LINK_CORRUPTED)
        post_arrival(card, engine, index, departure, false);
    else
        tell_lost(card, &card->packets[departure->packet.handle],
                  departure->fate == LINK_CUT ? TRACE_CUT : TRACE_LOST);
    if (departure->duplicate_ns != VTIME_NEVER)
        post_arrival(card, engine, index, departure, true);
    packet_give(card, departure->packet.handle);
}

void card_wake(struct network_card *card, struct engine *engine, uint32_t index) {
    struct link *link = card->links[index];
    struct link_departure departure;
    int64_t now_ns = engine->now.time_ns;
    if (card->wake_ns[index] <= now_ns)
        card->wake_ns[index] = VTIME_NEVER;
    while (link_start(link, now_ns, &departure))
        depart(card, engine, index, &departure);
    int64_t next_ns = link_next_ns(link);
    if (next_ns >= card->wake_ns[index])
        return;
    struct wire wire = {.kind = WIRE_CARD, .source = card->env.self, .index = index};
    card->wake_ns[index] = next_ns;
    engine_post(engine, card->env.self, card->env.self, next_ns, &wire, sizeof wire);
}

static void refuse(struct network_card *card, struct engine *engine, const struct card_send *send) {
    struct message_refused message = {.peer = send->destination, .type = (uint16_t)send->type};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    if (!message_task_identity(send->type, send->payload, send->bytes, &message.device, &message.slot))
        return;
    message_encode_refused(&writer, &message);
    post_notice(card, engine, MESSAGE_REFUSED, &writer);
}

enum status card_send(struct network_card *card, struct engine *engine, const struct card_send *send) {
    uint32_t link_id = topology_link_between(card->env.topology, card->env.self, send->destination);
    if (link_id == TOPOLOGY_NONE)
        return STATUS_INVALID;
    uint32_t index = link_id - self_of(card)->first_link;
    uint64_t bits = send->bits ? send->bits : (uint64_t)send->bytes * 8;
    uint32_t handle = packet_take(card, send->payload, send->bytes);
    card->packets[handle].wire = (struct wire){.kind = WIRE_MESSAGE,
                                               .type = (uint16_t)send->type,
                                               .source = card->env.self,
                                               .bits = bits,
                                               .sent_ns = engine->now.time_ns,
                                               .checksum = card_checksum(send->payload, send->bytes)};
    struct link_packet packet = {.bits = bits, .urgency = send->urgency, .handle = handle};
    if (message_info(send->type)->lane == LANE_CONTROL) {
        struct link_departure departure;
        link_control(card->links[index], packet, engine->now.time_ns, &departure);
        depart(card, engine, index, &departure);
        return STATUS_OK;
    }
    if (link_offer(card->links[index], packet, engine->now.time_ns) != STATUS_OK) {
        tell_lost(card, &card->packets[handle], TRACE_REFUSED);
        packet_give(card, handle);
        refuse(card, engine, send);
        return STATUS_OK;
    }
    card_wake(card, engine, index);
    return STATUS_OK;
}

void card_slot(struct network_card *card, struct engine *engine) {
    for (uint32_t i = 0; i < card->link_count; i++) {
        if (!link_slot(card->links[i], engine->now.time_ns))
            continue;
        report(card, engine, i);
        card_wake(card, engine, i);
    }
    post_slot(card, engine);
}

enum status card_allocate(struct network_card *card, struct engine *engine, uint32_t granter,
                          const struct link_allocation *allocation) {
    uint32_t link_id = topology_link_between(card->env.topology, card->env.self, granter);
    if (link_id == TOPOLOGY_NONE)
        return STATUS_INVALID;
    uint32_t index = link_id - self_of(card)->first_link;
    if (link_allocate(card->links[index], allocation, engine->now.time_ns)) {
        report(card, engine, index);
        card_wake(card, engine, index);
    }
    return STATUS_OK;
}

/* ---- faults ---- */

static bool fault_concerns(const struct network_card *card, const struct scenario_fault *fault, uint32_t to) {
    const struct topology *topology = card->env.topology;
    const struct scenario *scenario = card->env.scenario;
    bool forward = topology_selects(topology, scenario, fault->from, card->env.self) &&
                   topology_selects(topology, scenario, fault->to, to);
    bool back = topology_selects(topology, scenario, fault->to, card->env.self) &&
                topology_selects(topology, scenario, fault->from, to);
    return forward || (back && fault->kind == FAULT_PARTITION && !fault->one_way);
}

static double either(double a, double b) {
    return a + b - a * b;
}

static void fault_add(struct link_fault *sum, const struct scenario_fault *fault) {
    switch (fault->kind) {
    case FAULT_PARTITION:
        sum->cut = true;
        break;
    case FAULT_LOSS:
        sum->loss = either(sum->loss, fault->value);
        break;
    case FAULT_CORRUPT:
        sum->corrupt = either(sum->corrupt, fault->value);
        break;
    case FAULT_DUPLICATE:
        sum->duplicate = either(sum->duplicate, fault->value);
        break;
    case FAULT_REORDER:
        sum->reorder = either(sum->reorder, fault->value);
        break;
    case FAULT_RATE:
        sum->rate_factor *= fault->value;
        break;
    default: /* of nodes */
        break;
    }
}

void card_fault(struct network_card *card, struct engine *engine, uint32_t fault, bool begins) {
    const struct scenario *scenario = card->env.scenario;
    card->fault_active[fault] = begins;
    for (uint32_t i = 0; i < card->link_count; i++) {
        struct link_fault sum = {.rate_factor = 1.0};
        for (uint32_t f = 0; f < scenario->fault_count; f++)
            if (card->fault_active[f] && fault_concerns(card, &scenario->faults[f], link_info(card, i)->to))
                fault_add(&sum, &scenario->faults[f]);
        double rate_bps = link_report(card->links[i]).rate_bps;
        link_set_fault(card->links[i], &sum);
        if (is_radio(link_info(card, i)->config) && link_report(card->links[i]).rate_bps != rate_bps)
            report(card, engine, i);
        card_wake(card, engine, i);
    }
}

uint64_t card_flush(struct network_card *card, int64_t now_ns) {
    uint64_t dropped = 0;
    for (uint32_t i = 0; i < card->link_count; i++) {
        uint32_t capacity = link_info(card, i)->config->queue_max;
        uint32_t *handles = memory_grow(NULL, capacity, sizeof *handles, "packets of a network card");
        uint32_t count = link_flush(card->links[i], handles, now_ns);
        for (uint32_t h = 0; h < count; h++)
            packet_give(card, handles[h]);
        dropped += count;
        free(handles);
    }
    return dropped;
}
