/* network_card: the outgoing links of one node, and the packets that wait on them.
 *
 * It is the rank's side of a node: a crash of the node empties its queues, but what is on the air arrives. It
 * turns departures of links into events at their destinations. */
#ifndef TIERBED_NODES_NETWORK_CARD_H
#define TIERBED_NODES_NETWORK_CARD_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/net/link.h"
#include "common/time/engine.h"
#include "nodes/node.h"
#include "nodes/sealing.h"
#include "nodes/wire.h"

struct card_packet {
    struct wire wire;
    uint8_t *payload; /* kept for reuse */
    uint32_t bytes, capacity, next_free;
};

/* Told of every packet that does not arrive, and why (enum trace_flag). May be NULL. */
typedef void (*card_watcher)(void *context, uint32_t node, const struct wire *wire, uint32_t bytes,
                             uint32_t flags);

struct network_card {
    struct node_env env;
    card_watcher watch;
    void *watch_context;
    struct sealing *sealing; /* borrowed; NULL: payloads travel as they are */
    uint32_t incarnation;    /* life of the node */
    struct link **links;     /* env.topology->nodes[self].link_count */
    int64_t *wake_ns;        /* per link: when it is already due to be looked at */
    uint32_t link_count;
    struct card_packet *packets;
    uint32_t packet_count, packet_capacity, packet_free;
    bool *fault_active; /* per fault of the schedule that concerns these links */
    bool steps;         /* some channel changes with the slots */
};

enum status card_open(struct network_card *card, const struct node_env *env, struct error *error);
void card_close(struct network_card *card);

/* Posts the first slot event and the first report of every radio link. Channels are brought to where they are
 * when the run begins later than its timeline. */
void card_start(struct network_card *card, struct engine *engine);
/* Reports every radio link to the node (after a restart). */
void card_report_all(struct network_card *card, struct engine *engine);

/* Carries out a send of the node. STATUS_INVALID: no such link. A full queue sends the node REFUSED. */
struct card_send {
    uint32_t destination;
    enum message_type type;
    uint32_t urgency;
    uint64_t bits;
    const uint8_t *payload;
    uint32_t bytes;
};
enum status card_send(struct network_card *card, struct engine *engine, const struct card_send *send);

/* A CARD event: link `index` may start a transmission. A SLOT event: channels step. */
void card_wake(struct network_card *card, struct engine *engine, uint32_t index);
void card_slot(struct network_card *card, struct engine *engine);
/* An ALLOCATE message: what `granter` grants this node's link to it. STATUS_INVALID without such a link. */
enum status card_allocate(struct network_card *card, struct engine *engine, uint32_t granter,
                          const struct link_allocation *allocation);

/* A link fault of the schedule begins or ends. */
void card_fault(struct network_card *card, struct engine *engine, uint32_t fault, bool begins);
/* The node died: returns how many packets were dropped. */
uint64_t card_flush(struct network_card *card, int64_t now_ns);

/* The checksum that travels with a payload. */
uint64_t card_checksum(const uint8_t *payload, size_t bytes);

#endif
