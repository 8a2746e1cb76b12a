/* host: the nodes that live in this process, each with its network card, on one engine.
 *
 * It turns engine events into calls of the nodes' state machines and carries out what their outboxes ask. It
 * applies the fault schedule, checks what the message table permits, verifies checksums, and counts whatever
 * it drops. */
#ifndef TIERBED_NODES_HOST_H
#define TIERBED_NODES_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/record/trace.h"
#include "common/time/engine.h"
#include "common/time/pacer.h"
#include "nodes/hosting.h"
#include "nodes/ledger_damage.h"
#include "nodes/network_card.h"

struct host_config {
    const struct scenario *scenario; /* borrowed, like the rest */
    const struct topology *topology;
    const char *scenario_text;    /* resolved, for children */
    const char *run_dir;          /* durable stores go to run_dir/nodes; NULL: nowhere */
    const uint32_t *rank_of_node; /* NULL: all here */
    struct keyring *keyring;      /* NULL: nobody joins, nothing is sealed */
    uint32_t rank, rank_count;
    bool children;       /* host nodes that may crash in child processes */
    struct trace *trace; /* NULL: none */
    double speed;        /* wall-clock mode; 0: virtual */
};

enum node_mode { NODE_ABSENT = 0, NODE_UP, NODE_DOWN, NODE_HUNG };

/* How often handlers of one kind were called and what they took, wall clock. */
struct host_handler {
    uint64_t calls;
    int64_t least_ns, wall_ns; /* the quickest call, and all */
};

struct host_node {
    enum node_mode mode;
    uint32_t incarnation;
    bool wrong_clock; /* at some time */
    int64_t hung_until_ns;
    struct hosting hosting;
    struct network_card card;
    struct row_node totals;
    struct host_handler on_message[MESSAGE_COUNT], on_timer[NODE_TIMERS_MAX];
    char *durable_path, *ledger_dir;
    struct ledger_place ledger; /* of a validator, for faults of its disk */
    uint64_t ledger_failures;   /* times that it stopped because its ledger failed */
};

struct host {
    struct host_config config;
    struct engine engine;
    struct pacer pacer;
    struct bearing_source *bearings;
    struct chain *chain; /* NULL in a run without validators */
    struct sealing sealing;
    struct host_node *nodes; /* by node id; those elsewhere are NODE_ABSENT */
    uint32_t node_count, here_count;
    struct outbox out;
    struct bytes_writer rows; /* waiting to be taken */
    enum status failed;       /* a failure met where no status can be returned; ends the run */
    struct error *error;      /* where to say why a run cannot go on; set by the owner before running */
};

/* Opens what this process needs and posts the start of every node and every fault that concerns it. On
 * failure call host_close all the same. */
enum status host_open(struct host *host, const struct host_config *config, struct error *error);
void host_close(struct host *host);

/* Least delay from a node here to one elsewhere. */
int64_t host_lookahead_ns(const struct host *host);

/* Rows since the last call (struct process_config.take_rows). */
const uint8_t *host_take_rows(void *host, size_t *size);
/* The closing rows of nodes and links (struct process_config.take_final). */
const uint8_t *host_take_final(void *host, size_t *size);

/* ---- between host.c, host_faults.c and host_message.c ---- */
enum status host_fault(struct host *host, struct host_node *node, const struct engine_event *event,
                       const struct wire *wire);
enum status host_post_faults(struct host *host, uint32_t node);
/* The node's process and memory are gone; returns how many of its messages were lost with it. */
uint64_t host_crash(struct host *host, struct host_node *node);
enum status host_call(struct host *host, struct host_node *node, enum hosting_call call,
                      const struct node_event *event);
enum status host_message(struct host *host, struct host_node *node, const struct engine_event *event,
                         const struct wire *wire);
void host_digest(struct host_node *node, const struct engine_event *event, const struct wire *wire,
                 uint64_t checksum);
void host_add_row(struct host *host, const struct row *row);
enum status host_trace(struct host *host, const struct engine_event *event, const struct wire *wire,
                       uint32_t flags);

#endif
