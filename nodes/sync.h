/* sync: the management messages between the director and the processes it grants time to.
 *
 *   HELLO    process -> director   I am ready; my first event and my lookahead
 *   GRANT    director -> process   execute everything before `bound`, once `batches` event batches have
 * arrived REPORT   process -> director   done; my next event; whom I sent a batch, and its earliest event
 *   ROWS     process -> director   rows of the record (common/record/rows.h), back to back
 *   FINISH   director -> process   the run is over: send FINAL; one byte says whether everybody is still
 * alive, so that the process may take leave of MPI in order FINAL    process -> director   last rows and
 * digests; the process ends after it FAILURE  process -> director   I cannot go on: status and a sentence
 *   SETUP    director -> process   what to run (nodes/setup.h)
 *   JOIN     process -> director   who my nodes are, before HELLO (nodes/join.h)
 *   ADMIT    director -> process   who takes part, before the first GRANT (nodes/join.h) */
#ifndef TIERBED_NODES_SYNC_H
#define TIERBED_NODES_SYNC_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/time/event_queue.h"

enum sync_kind {
    SYNC_HELLO = 1,
    SYNC_GRANT,
    SYNC_REPORT,
    SYNC_ROWS,
    SYNC_FINISH,
    SYNC_FINAL,
    SYNC_FAILURE,
    SYNC_SETUP,
    SYNC_JOIN,
    SYNC_ADMIT
};

struct sync_hello {
    struct event_key next;
    int64_t lookahead_ns; /* to the nearest other process, VTIME_NEVER when it sends to none */
};

struct sync_grant {
    uint64_t round; /* from 1; every event batch carries the round in which it was sent */
    struct event_key bound;
    uint64_t batches;   /* event batches of earlier rounds that the process must have received, cumulative */
    int64_t elapsed_ns; /* wall time since the first grant of the run, for wall-clock mode */
};

struct sync_report {
    struct event_key next;
    uint64_t executed; /* cumulative */
    uint32_t sent_count;
};

struct sync_sent { /* follows a report, sent_count times */
    uint32_t rank;
    struct event_key earliest;
};

#define SYNC_SENT_BYTES ((size_t)20)
#define SYNC_REPORT_BYTES ((size_t)29)

void sync_put_hello(struct bytes_writer *writer, const struct sync_hello *hello);
void sync_put_grant(struct bytes_writer *writer, const struct sync_grant *grant);
void sync_put_report(struct bytes_writer *writer, const struct sync_report *report);
void sync_put_sent(struct bytes_writer *writer, const struct sync_sent *sent);

/* The kind byte has been read by the caller. Check reader->failed afterwards. */
struct sync_hello sync_get_hello(struct bytes_reader *reader);
struct sync_grant sync_get_grant(struct bytes_reader *reader);
struct sync_report sync_get_report(struct bytes_reader *reader);
struct sync_sent sync_get_sent(struct bytes_reader *reader);

#endif
