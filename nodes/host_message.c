/* host_message: a message has come: is it from whom it says, whole, new and allowed? Only then does the node
 * get it. What fails is dropped and counted. */
#include "common/net/seal.h"
#include "nodes/host.h"

/* A message as it came out of its seal. */
struct arrival {
    const uint8_t *payload;
    size_t bytes;
    bool intact;       /* nothing happened to it on its way */
    uint64_t *counter; /* where it is counted when it is dropped; NULL: it may pass */
    uint32_t flags;    /* of the trace */
};

/* May this message be sent by who sent it, to whom it came? */
static bool is_permitted(const struct host *host, const struct engine_event *event, const struct wire *wire) {
    const struct message_info *info = message_info(wire->type);
    const struct topology *topology = host->config.topology;
    uint32_t poster = event_order_source(event->key.order);
    if (info == NULL || wire->source >= topology->node_count)
        return false;
    if (poster != (wire->flags & WIRE_DEFERRED ? event->node : wire->source))
        return false;
    bool own = (wire->flags & WIRE_OWN_CARD) != 0;
    if (own && poster != event->node)
        return false;
    uint32_t from = own ? MESSAGE_SELF : 1u << topology->nodes[wire->source].role;
    uint32_t to = 1u << topology->nodes[event->node].role | MESSAGE_NETWORK_CARD;
    return (info->from_roles & from) != 0 && (info->to_roles & to) != 0;
}

static void drop(struct arrival *arrival, uint64_t *counter, uint32_t flags) {
    arrival->counter = counter;
    arrival->flags |= flags;
}

static void unseal(struct host *host, struct host_node *node, const struct engine_event *event,
                   const struct wire *wire, struct arrival *arrival) {
    uint32_t link = topology_link_between(host->config.topology, wire->source, event->node);
    if (link == TOPOLOGY_NONE) {
        drop(arrival, &node->totals.forbidden, TRACE_FORBIDDEN);
        return;
    }
    switch (sealing_unseal(&host->sealing, link, wire, arrival->payload, arrival->bytes, &arrival->payload)) {
    case SEALING_GOOD:
        arrival->bytes -= SEAL_TAG_BYTES;
        break;
    case SEALING_BROKEN:
        arrival->intact = false;
        drop(arrival, &node->totals.unsealed, TRACE_UNSEALED);
        break;
    case SEALING_REPLAYED:
        drop(arrival, &node->totals.replayed, TRACE_REPLAYED);
        break;
    }
}

static struct arrival arrive(struct host *host, struct host_node *node, const struct engine_event *event,
                             const struct wire *wire) {
    struct arrival arrival = {.payload = event->body + sizeof *wire,
                              .bytes = event->bytes - sizeof *wire,
                              .intact = true,
                              .flags = wire->flags & WIRE_DUPLICATE ? TRACE_DUPLICATE : 0u};
    const struct keyring *keyring = host->config.keyring;
    bool own = (wire->flags & WIRE_OWN_CARD) != 0;
    if (!is_permitted(host, event, wire)) {
        drop(&arrival, &node->totals.forbidden, TRACE_FORBIDDEN);
    } else if (keyring != NULL && !own &&
               (!keyring_admits(keyring, wire->source) || !keyring_admits(keyring, event->node))) {
        arrival.intact = false; /* sealed or not, a run is the same */
        drop(&arrival, &node->totals.join_refused, TRACE_STRANGER);
    } else if (host->sealing.keyring != NULL && !own) {
        unseal(host, node, event, wire, &arrival);
    }
    if (arrival.counter == NULL && card_checksum(arrival.payload, arrival.bytes) != wire->checksum)
        arrival.intact = false;
    arrival.flags |= arrival.intact ? 0u : TRACE_CORRUPTED;
    return arrival;
}

static enum status to_card(struct host *host, struct host_node *node, const struct wire *wire,
                           const struct arrival *arrival) {
    struct message_allocate message;
    if (message_decode_allocate(arrival->payload, arrival->bytes, &message) != STATUS_OK ||
        card_allocate(&node->card, &host->engine, wire->source,
                      &(struct link_allocation){.subchannels = message.subchannels,
                                                .bandwidth_hz = message.bandwidth_hz,
                                                .power_w = message.power_w}) != STATUS_OK)
        node->totals.protocol_errors++;
    return STATUS_OK;
}

enum status host_message(struct host *host, struct host_node *node, const struct engine_event *event,
                         const struct wire *wire) {
    struct arrival arrival = arrive(host, node, event, wire);
    bool down = node->mode == NODE_DOWN;
    host_digest(node, event, wire, wire->checksum + arrival.intact);
    TRY(host_trace(host, event, wire, arrival.flags | (down ? TRACE_DOWN : 0u)));
    if (down) {
        node->totals.dropped_down++;
        return STATUS_OK;
    }
    if (arrival.counter != NULL)
        (*arrival.counter)++;
    if (arrival.counter != NULL || !arrival.intact) /* without a seal: counted by the link that did it */
        return STATUS_OK;
    node->totals.received++;
    if (message_info(wire->type)->to_roles & MESSAGE_NETWORK_CARD)
        return to_card(host, node, wire, &arrival);
    struct node_event for_node = {.now_ns = event->key.time_ns,
                                  .type = (enum message_type)wire->type,
                                  .source = wire->source,
                                  .payload = arrival.payload,
                                  .payload_bytes = arrival.bytes,
                                  .bits = wire->bits,
                                  .sent_ns = wire->sent_ns,
                                  .start_ns = wire->start_ns,
                                  .air_ns = wire->air_ns};
    return host_call(host, node, HOSTING_MESSAGE, &for_node);
}
