/* director: grants virtual time. Conservative synchronisation: a process may execute what nobody can still
 * affect.
 *
 * For every process the director knows its next event and its lookahead (least delay to another process).
 * Process q may run up to the least of (next event + lookahead) over the others, and up to the earliest echo
 * of its own events. Only processes with work before their bound get a grant, with the number of event
 * batches they must have received first. A round ends when all granted processes have reported. */
#ifndef TIERBED_NODES_DIRECTOR_DIRECTOR_H
#define TIERBED_NODES_DIRECTOR_DIRECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/bus.h"
#include "common/time/event_queue.h"

struct director_config {
    struct bus *bus;     /* borrowed */
    uint32_t first_rank; /* the first rank that hosts nodes: 0, or 1 when the director has rank 0 to itself */
    int64_t begin_ns;    /* no event is before this */
    int64_t end_ns;      /* events at or after this are not executed */
    int64_t chunk_ns;    /* no window is longer, so that progress is shown and a stop is obeyed */
    double speed;        /* 0: as fast as possible; else virtual seconds per wall second */
    void *context;
    /* What a process says to join, and the answer for all once everybody has spoken; both or neither. */
    void (*on_join)(void *context, uint32_t rank, const uint8_t *data, size_t size);
    const uint8_t *(*admission)(void *context, size_t *size);
    /* Rows from a process. A status other than OK ends the run. */
    enum status (*on_rows)(void *context, const uint8_t *data, size_t size, struct error *error);
    enum status (*on_final)(void *context, uint32_t rank, const uint8_t *data, size_t size,
                            struct error *error);
    void (*on_progress)(void *context, int64_t now_ns); /* after a round; may be NULL */
    /* Names a rank for a message: "rank 7 (gateway-2)". May be NULL. */
    void (*describe)(void *context, uint32_t rank, char *text, size_t size);
};

struct director_peer {
    struct event_key next;
    int64_t lookahead_ns;
    uint64_t executed, batches;
    bool ready, busy, final, dead;
};

enum director_phase { DIRECTOR_GATHERING = 0, DIRECTOR_RUNNING, DIRECTOR_FINISHING, DIRECTOR_DONE };

struct director {
    struct director_config config;
    enum director_phase phase;
    struct director_peer *peers;
    uint32_t count, waiting; /* ranks; how many reports (or HELLO, FINAL) are outstanding */
    int64_t now_ns;          /* everything before this has been executed */
    uint64_t rounds, grants;
    double first_grant_s, finish_s; /* wall clock (CLOCK_MONOTONIC) */
    enum status status;             /* why the run ends; STATUS_OK: it is complete */
    struct error error;
};

void director_init(struct director *director, const struct director_config *config);
void director_close(struct director *director);

/* Takes a message of the control lane from a process. */
void director_on_message(struct director *director, const struct bus_message *message);

/* Starts the next round when the last is complete. `wall_s`: now on the monotonic clock. Returns how long the
 * caller may sleep, in ns of wall time (0: not at all; negative: until a message comes). */
int64_t director_step(struct director *director, double wall_s);

/* Ends the run after the current round (STATUS_STOPPED) or because something failed. The first reason stays.
 */
void director_stop(struct director *director, enum status status, const char *text);

/* Looks for dead processes among those it waits for; ends the run with STATUS_PEER when there is one. */
void director_check_peers(struct director *director);

static inline bool director_done(const struct director *director) {
    return director->phase == DIRECTOR_DONE;
}

#endif
