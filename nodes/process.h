/* process: one member of a run: an engine on a bus that executes the windows the director grants.
 *
 * It does not know what lives in its engine: nodes of a scenario (nodes/host.h) or a benchmark
 * (bench/phold.h). */
#ifndef TIERBED_NODES_PROCESS_H
#define TIERBED_NODES_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/bus.h"
#include "common/time/engine.h"
#include "common/time/pacer.h"

struct process_config {
    struct bus *bus;       /* borrowed */
    struct engine *engine; /* borrowed */
    int64_t lookahead_ns;  /* least delay to a node of another process; VTIME_NEVER for none */
    struct pacer *pacer;   /* hears the grants; NULL: virtual clock */
    void *context;
    /* The next part of what this process says to join, borrowed until the next call; NULL: it has said all.
     * May be NULL. */
    const uint8_t *(*next_join)(void *context, size_t *size);
    /* Takes the director's answer. May be NULL. */
    enum status (*on_admission)(void *context, const uint8_t *data, size_t size);
    /* Rows recorded since the last call; borrowed until the next window. May be NULL. */
    const uint8_t *(*take_rows)(void *context, size_t *size);
    /* The content of FINAL; borrowed until the process is closed. May be NULL. */
    const uint8_t *(*take_final)(void *context, size_t *size);
};

struct process {
    struct process_config config;
    bool granted, finished;
    bool abandon; /* the run ended because something died: no orderly leave of the bus */
    struct event_key bound;
    uint64_t round; /* of the latest grant */
    /* Batches of different senders overtake each other, and a fast sender's batch of this very round may come
     * before a slow one's of the last: those of the newest round seen are counted apart, and do not count for
     * that round. */
    uint64_t batches_expected, batches_received, newest_round, newest_count;
    uint64_t windows, batches_sent, bytes_sent;
    double busy_s;
    uint8_t *scratch;
    size_t scratch_capacity;
    enum status status; /* why it stopped by itself */
    struct error error;
};

/* Says HELLO to the director. */
void process_init(struct process *process, const struct process_config *config);
void process_close(struct process *process);

/* Takes a message of either lane: events, GRANT, FINISH. STATUS_INVALID when malformed. */
enum status process_on_message(struct process *process, const struct bus_message *message);

/* Executes the granted window if everything it needs is here. True when it did something. */
bool process_step(struct process *process);

#endif
