/* factory_rig: one node of a small factory on the bench: a scenario and topology made by hand, one state
 * machine, its outbox, and helpers that feed it events and look at what it wants done. No engine, no network
 * card, no clock. */
#ifndef TIERBED_TESTS_LIB_FACTORY_RIG_H
#define TIERBED_TESTS_LIB_FACTORY_RIG_H

#include <stdbool.h>

#include "nodes/node.h"
#include "nodes/outbox.h"

#define RIG_GATEWAYS 2
#define RIG_DEVICES 3 /* of each gateway */
#define RIG_NODES (1 + RIG_GATEWAYS + RIG_GATEWAYS * RIG_DEVICES)
#define RIG_LINKS (2 * (RIG_NODES - 1))
#define RIG_EDGE 0u
#define RIG_GATEWAY(g) (1u + (g))
#define RIG_DEVICE(g, d) (1u + RIG_GATEWAYS + (g)*RIG_DEVICES + (d))

#define RIG_TERMINALS 3
#define RIG_TERMINAL(d) (1u + (d))

#define MS(x) ((int64_t)(x)*INT64_C(1000000))

struct factory_rig {
    struct scenario scenario; /* the calibrated profile of jopa, changed by the test before rig_start */
    struct scenario_link wire, radio;
    struct topology topology;
    struct topology_node nodes[RIG_NODES];
    uint32_t children[RIG_NODES];
    struct topology_link links[RIG_LINKS];
    struct bearing_source *bearings;
    struct node_env env;
    const struct node_class *class;
    void *state;
    struct outbox out;  /* of the last event */
    struct error error; /* what the node says of a start that failed */
    uint8_t *durable;   /* what was persisted last */
    size_t durable_bytes;
};

void rig_init(struct factory_rig *rig, uint32_t self);
/* The same bench with a scheme: an edge server, RIG_TERMINALS devices directly below it, slots of 10 s, tasks
 * of 200 to 400 kbit. */
void rig_init_scheme(struct factory_rig *rig, uint32_t self);
void rig_close(struct factory_rig *rig);

enum status rig_start(struct factory_rig *rig, int64_t now_ns);
/* SIGKILL and a fresh start with what was persisted. */
enum status rig_crash_and_restart(struct factory_rig *rig, int64_t now_ns);
enum status rig_timer(struct factory_rig *rig, int64_t now_ns, uint32_t timer, uint64_t cookie);
/* Fires the timer that action `index` of the last outbox asked for (the outbox is replaced by the answer). */
enum status rig_fire(struct factory_rig *rig, const struct action *timer);
enum status rig_message(struct factory_rig *rig, int64_t now_ns, enum message_type type, uint32_t source,
                        const struct bytes_writer *payload);
/* As rig_message with a transmission that started at `start_ns` and took `air_ns`. */
enum status rig_message_on_air(struct factory_rig *rig, struct node_event event,
                               const struct bytes_writer *payload);

/* Number of actions of a kind (SEND: of a message type), and the n-th of them (NULL when there are fewer). */
uint32_t rig_count(const struct factory_rig *rig, enum action_kind kind, uint32_t type);
const struct action *rig_action(const struct factory_rig *rig, enum action_kind kind, uint32_t type,
                                uint32_t n);
const uint8_t *rig_payload(const struct factory_rig *rig, const struct action *action);

/* The n-th answer, result or row of the last outbox; a test failure when there is none. */
struct message_answer rig_answer(const struct factory_rig *rig, uint32_t n);
struct message_result rig_result(const struct factory_rig *rig, uint32_t n);
struct row_task rig_row(const struct factory_rig *rig, uint32_t n);

/* Feeds the gateway under test a TASK of `device`, born in its slot and arriving at `now_ns`. */
enum status rig_send_task(struct factory_rig *rig, uint32_t device, uint32_t slot, uint16_t level,
                          int64_t now_ns);
/* Tells it the rate of the uplink by channel state: 0 bad, 1 normal, 2 good (share 1/2 of the band). */
enum status rig_send_link_state(struct factory_rig *rig, uint32_t state, int64_t now_ns);

#endif
