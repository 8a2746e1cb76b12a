/* node: what a device, gateway, edge server or validator is: a pure state machine.
 *
 * (state, event, now) -> new state + outbox. A node has no clock, no file, no MPI, no global, no sleep. It is
 * hosted in the process of all nodes, in its own MPI rank, or in a child process of its rank, and cannot tell
 * which. Handlers sit in a table by message type; an empty slot is a protocol error, counted and logged by
 * the host. */
#ifndef TIERBED_NODES_NODE_H
#define TIERBED_NODES_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/data/bearing.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/net/message.h"
#include "common/record/rows.h"

struct chain;        /* nodes/chain/chain.h */
struct ledger_store; /* common/ledger/store.h */
struct outbox; /* nodes/outbox.h: what the node wants done, carried out by the host after the handler returns
                */

/* Fixed for the life of a node but for its clock. All borrowed. */
struct node_env {
    uint32_t self;
    const struct scenario *scenario;
    const struct topology *topology;
    const struct bearing_source
        *bearings;               /* where devices get their windows; opened once per process by the host */
    const struct chain *chain;   /* genesis and this node's key; NULL in a run without validators */
    struct ledger_store *ledger; /* a validator's disk, opened by its host before on_start; NULL for others */
    int64_t clock_offset_ns; /* what its own clock shows, less the time of the call; 0 unless a fault set it
                                wrong. For what it tells others about the time, and nothing else */
    struct error *error;     /* where on_start and on_restart may say why they fail; NULL elsewhere */
};

/* A message that arrived, or a timer that fired. */
struct node_event {
    int64_t now_ns;
    /* message */
    enum message_type type;
    uint32_t source;
    const uint8_t *payload; /* borrowed for the call */
    size_t payload_bytes;
    uint64_t bits;    /* emulated size */
    int64_t sent_ns;  /* handed to the sender's network card */
    int64_t start_ns; /* transmission started */
    int64_t air_ns;   /* time on air */
    /* timer */
    uint32_t timer; /* the node's own number of the timer */
    uint64_t cookie;
};

typedef enum status (*node_handler)(void *state, const struct node_env *env, const struct node_event *event,
                                    struct outbox *out);

#define NODE_TIMERS_MAX 12

struct node_class {
    enum node_role role;
    size_t state_bytes; /* the host allocates this much, zero-filled, before on_start or on_restart */
    enum status (*on_start)(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out);
    /* Back after a crash with only what it persisted last (size 0: nothing). */
    enum status (*on_restart)(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out);
    node_handler on_timer;
    node_handler on_message[MESSAGE_COUNT];
    void (*close)(void *state);               /* frees what the state owns; safe after a failed start */
    const char *timer_names[NODE_TIMERS_MAX]; /* by number; NULL: has no name in the record */
    /* Fills busy_ns and energy_j of the node's row at the end of the run; NULL: the node computes nothing. */
    void (*totals)(const void *state, struct row_node *row);
};

extern const struct node_class device_class, terminal_class, gateway_class, edge_class, coordinator_class,
    validator_class;

/* Handler of LINK_STATE for nodes that send at any rate: the report of their own card is checked and
 * otherwise of no use. */
enum status node_on_link_state(void *state, const struct node_env *env, const struct node_event *event,
                               struct outbox *out);

/* The class of node `id` by its role and what is above or below it; NULL where this build has none
 * (ROLE_DIRECTOR). */
const struct node_class *node_class_of(const struct topology *topology, uint32_t id);

#endif
