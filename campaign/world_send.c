/* world_send: what outboxes ask, over the network, into handlers. */
#include <assert.h>
#include <stdlib.h>

#include "campaign/byzantine.h"
#include "campaign/sight.h"
#include "campaign/world.h"
#include "common/base/memory.h"
#include "common/net/message_chain.h"

#define FLIPS_MAX 8u

static const char *type_name(uint16_t type) {
    const struct message_info *info = message_info(type);
    return info == NULL ? "unknown" : info->name;
}

/* The text is made only where somebody reads it; the digest is of the numbers. */
static void trace_message(struct world *world, const struct member *member, const char *verb, uint32_t other,
                          uint16_t type, const uint8_t *payload, size_t bytes) {
    char text[400] = "";
    if (world->config.trace != NULL)
        sight_text(type, payload, bytes, text, sizeof text);
    world_mix(world, (uint64_t)type << 48 ^ (uint64_t)other << 32 ^ bytes);
    world_trace(world, member, "%s %u %s", verb, other, text);
}

/* ---- sending ---- */

static void keep_past(struct world *world, uint32_t from_node, uint16_t type, const uint8_t *payload,
                      size_t bytes) {
    struct world_past *past = &world->past[world->past_next++ % NETWORK_PAST_MAX];
    past->payload = memory_grow(past->payload, bytes, 1, "campaign past");
    past->type = type;
    past->from_node = from_node;
    past->bytes = (uint32_t)bytes;
    if (bytes > 0)
        memcpy(past->payload, payload, bytes);
}

/* Damages the copy of a message that waits in event `index`. */
static void damage(struct world *world, uint32_t index, const struct network_copy *copy) {
    struct world_event *event = &world->events[index];
    if (copy->damage == NETWORK_FLIPPED && event->bytes > 0) {
        uint64_t bits = random_mix(copy->place);
        for (uint64_t i = 0; i <= bits % FLIPS_MAX; i++) {
            uint64_t draw = random_mix(bits + i);
            event->payload[draw % event->bytes] ^= (uint8_t)(1u << (draw >> 32 & 7u));
        }
    } else if (copy->damage == NETWORK_CUT) {
        event->bytes = copy->place;
    } else if (copy->damage == NETWORK_GROWN) {
        uint32_t bytes = event->bytes + copy->place;
        event->payload = memory_grow(event->payload, bytes, 1, "campaign message");
        memset(event->payload + event->bytes, 0xa5, copy->place);
        event->bytes = event->capacity = bytes;
    }
}

static void post_copy(struct world *world, struct world_event *event, const struct network_copy *copy,
                      const uint8_t *payload, size_t bytes) {
    int64_t at_ns = world->now_ns + copy->delay_ns;
    if (copy->past == 0) {
        uint32_t index = world_post(world, at_ns, event, payload, bytes);
        if (copy->damage != NETWORK_WHOLE)
            damage(world, index, copy);
        return;
    }
    const struct world_past *past = &world->past[(world->past_next - copy->past) % NETWORK_PAST_MAX];
    if (past->payload == NULL)
        return;
    struct world_event again = *event;
    again.type = past->type;
    again.from_node = past->from_node;
    world_post(world, at_ns, &again, past->payload, past->bytes);
}

/* In phases a vote goes where its signer may be heard, whoever passes it on; of several votes all have to. */
static bool votes_may_pass(const struct world *world, const struct member *from, const struct member *to,
                           const uint8_t *payload, size_t bytes) {
    struct message_vote message;
    if (message_decode_vote(payload, bytes, &message) != STATUS_OK)
        return true;
    for (uint32_t i = 0; i < message.count; i++) {
        const struct vote *vote = &message.votes[i];
        bool own = vote->validator == from->node || vote->validator >= world->config.validators;
        struct network_packet packet = {.from = own ? from->index : vote->validator,
                                        .to = to->index,
                                        .class =
                                            vote->type == VOTE_PREVOTE ? NETWORK_PREVOTE : NETWORK_PRECOMMIT,
                                        .round = vote->round};
        if (!network_open(&world->network, &packet))
            return false;
    }
    return true;
}

static void route(struct world *world, struct member *from, struct member *to, uint16_t type,
                  const uint8_t *payload, size_t bytes) {
    struct network_packet packet = {.from = from->index, .to = to->index, .bytes = (uint32_t)bytes};
    uint64_t height = 0;
    packet.round = from->round;
    if (world->network.phase_count > 0 && type == MESSAGE_VOTE &&
        !votes_may_pass(world, from, to, payload, bytes))
        return;
    packet.class = sight_class(type, payload, bytes, &height, &packet.round);
    struct network_copy copies[NETWORK_COPIES_MAX];
    uint32_t count = network_send(&world->network, &packet, copies);
    struct world_event event = {.kind = WORLD_DELIVER,
                                .member = to->index,
                                .from_node = from->node,
                                .type = type,
                                .sent_ns = world->now_ns};
    for (uint32_t i = 0; i < count; i++) {
        copies[i].delay_ns += from->send_delay_ns;
        post_copy(world, &event, &copies[i], payload, bytes);
    }
}

void world_say(struct world *world, struct member *from, uint32_t to_node, uint16_t type,
               const uint8_t *payload, size_t bytes) {
    world_mix(world, (uint64_t)type << 32 ^ to_node);
    from->sends++;
    if (from->byzantine != NULL)
        trace_message(world, from, "really sends", to_node, type, payload, bytes);
    if (world->watch.on_send != NULL)
        world->watch.on_send(world->watch.context, from, to_node, type, payload, bytes);
    keep_past(world, from->node, type, payload, bytes);
    for (uint32_t i = 0; i < world->member_count; i++) {
        struct member *to = &world->members[i];
        bool wanted = to->node == to_node || (i == world->client && to_node >= world->config.validators);
        if (wanted && to != from)
            route(world, from, to, type, payload, bytes);
    }
}

/* The round of a member for the network, from what it signs. */
static void note_round(struct member *member, uint16_t type, const uint8_t *payload, size_t bytes) {
    uint64_t height = 0;
    uint32_t round = 0;
    if (sight_class(type, payload, bytes, &height, &round) == NETWORK_OTHER)
        return;
    if (height > member->round_height || (height == member->round_height && round > member->round)) {
        member->round_height = height;
        member->round = round;
    }
}

static void carry_out_timer(struct world *world, struct member *member, const struct action *action) {
    int64_t at_ns = action->at_ns;
    if (at_ns < world->now_ns)
        at_ns = world->now_ns;
    world_post(world, at_ns,
               &(struct world_event){.kind = WORLD_TIMER,
                                     .member = member->index,
                                     .incarnation = member->incarnation,
                                     .timer = action->node,
                                     .cookie = action->bits},
               NULL, 0);
}

/* false: the member has died of it. */
static bool carry_out_send(struct world *world, struct member *member, const struct action *action) {
    const uint8_t *payload = member->out.bytes + action->offset;
    if (member->crash_armed_sends && member->sends_left-- == 0) {
        world_trace(world, member, "dies before a send to %u", action->node);
        world_kill(world, member);
        return false;
    }
    trace_message(world, member, "sends", action->node, action->type, payload, action->bytes);
    note_round(member, action->type, payload, action->bytes);
    if (member->byzantine != NULL)
        byzantine_send(member->byzantine, world, member, action, payload);
    else
        world_say(world, member, action->node, action->type, payload, action->bytes);
    return true;
}

void world_carry_out(struct world *world, struct member *member) {
    if (member->out.status != STATUS_OK) {
        world_stop(world, member, member->out.status, "outbox overflowed");
        return;
    }
    if (member->persisted && member->disk_delay_ns > 0) {
        member->send_delay_ns = member->disk_delay_ns;
        world_hang(world, member, world->now_ns + member->disk_delay_ns);
    }
    member->persisted = false;
    for (uint32_t i = 0; i < member->out.count; i++) {
        const struct action *action = &member->out.actions[i];
        if (action->kind == ACTION_TIMER)
            carry_out_timer(world, member, action);
        else if (action->kind == ACTION_SEND && !carry_out_send(world, member, action))
            return;
    }
    member->send_delay_ns = 0;
    outbox_reset(&member->out);
}

/* ---- receiving ---- */

/* After a handler: what it returned decides whether its sends leave. */
static void settle(struct world *world, struct member *member, enum status status) {
    if (member->died_inside) {
        world_stop(world, member, status, "");
        return;
    }
    if (status == STATUS_INVALID) {
        world->refused++;
        world_trace(world, member, "refuses");
    } else if (status != STATUS_OK) {
        world_stop(world, member, status, ledger_store_reason(member->store));
        return;
    }
    world_see_votes(world, member);
    if (world->watch.on_handled != NULL)
        world->watch.on_handled(world->watch.context, member);
    world_carry_out(world, member);
}

/* A hung member takes what comes when it goes on, in the same order. false: handled here. */
static bool is_awake(struct world *world, struct member *member, const struct world_event *event) {
    if (member->mode != MEMBER_HUNG)
        return member->mode == MEMBER_UP;
    world_post(world, member->hung_until_ns, event, event->payload, event->bytes);
    return false;
}

void world_deliver(struct world *world, const struct world_event *event) {
    struct member *member = &world->members[event->member];
    if (member->index == world->client) {
        if (world->watch.on_client != NULL)
            world->watch.on_client(world->watch.context, event->from_node, event->type, event->payload,
                                   event->bytes);
        return;
    }
    if (!is_awake(world, member, event))
        return;
    const struct message_info *info = message_info(event->type);
    node_handler handler = info == NULL ? NULL : world->config.class->on_message[event->type];
    if (handler == NULL || event->bytes < info->bytes_min || event->bytes > info->bytes_max) {
        world->refused++;
        world_trace(world, member, "drops %s of %u bytes from %u", type_name(event->type), event->bytes,
                    event->from_node);
        return;
    }
    trace_message(world, member, "gets", event->from_node, event->type, event->payload, event->bytes);
    if (world->watch.on_deliver != NULL)
        world->watch.on_deliver(world->watch.context, member, event->type, event->payload, event->bytes);
    struct node_event given = {.now_ns = world->now_ns,
                               .type = (enum message_type)event->type,
                               .source = event->from_node,
                               .payload = event->payload,
                               .payload_bytes = event->bytes,
                               .bits = (uint64_t)event->bytes * 8,
                               .sent_ns = event->sent_ns,
                               .start_ns = event->sent_ns};
    outbox_reset(&member->out);
    settle(world, member, handler(member->state, &member->env, &given, &member->out));
}

void world_timer(struct world *world, const struct world_event *event) {
    struct member *member = &world->members[event->member];
    if (event->incarnation != member->incarnation || !is_awake(world, member, event))
        return;
    const char *name = event->timer < NODE_TIMERS_MAX ? world->config.class->timer_names[event->timer] : NULL;
    world_trace(world, member, "timer %s", name != NULL ? name : "?");
    struct node_event given = {.now_ns = world->now_ns, .timer = event->timer, .cookie = event->cookie};
    outbox_reset(&member->out);
    settle(world, member, world->config.class->on_timer(member->state, &member->env, &given, &member->out));
}
