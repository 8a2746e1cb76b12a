/* rows: what a run measures, as plain structs with a codec, so that processes can ship them to the director.
 */
#ifndef TIERBED_RECORD_ROWS_H
#define TIERBED_RECORD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/net/identity.h"
#include "common/net/message.h"

enum row_kind {
    ROW_TASK = 1,
    ROW_NODE,
    ROW_LINK,
    ROW_FAULT,
    ROW_PROCESS,
    ROW_SERIES,
    ROW_RESULT,
    ROW_HANDLER,
    ROW_KIND_COUNT
};

/* One task, written by its device when the answer arrives or is given up. */
#define ROW_CLASS_NONE UINT8_MAX /* class and true_class of a task in which nothing is diagnosed */

struct row_task {
    struct task_header task;
    int64_t answered_ns; /* answer at the device, or when it was given up */
    uint8_t place;       /* enum task_place */
    uint8_t drop;        /* enum drop_reason; DROP_NONE: done in time */
    uint8_t class;       /* answer; equals true_class when right */
    double confidence;
    double energy_device_j, energy_gateway_j, energy_uplink_j, energy_edge_j;
    int64_t closed_form_ns; /* as message_answer */
    int64_t deadline_ns;    /* T_k */
};

/* One node, written at the end by its host. */
struct row_node {
    uint32_t node;
    uint64_t events, sent, received, protocol_errors, dropped_down; /* messages that met a dead node */
    uint64_t crashes, restarts, hangs;
    uint64_t digest; /* of all that was delivered to it */
    int64_t busy_ns; /* gateway: computing; edge: sum over gateways' shares divided by their number */
    double energy_j; /* computing */
    uint8_t join;    /* enum join_verdict */
    /* Messages to it that were dropped: from or to a node that was not admitted; whose seal did not open;
     * seen before; that the message table forbids. */
    uint64_t join_refused, unsealed, replayed, forbidden;
};

struct row_link { /* struct link_counters of one link */
    uint32_t link, from, to;
    uint64_t offered, refused, departed, delivered, lost, corrupted, cut, duplicated, bits;
    int64_t busy_ns;
    double air_s, energy_j, queue_area_s, wait_s;
    uint32_t queue_peak;
};

struct row_fault {
    int64_t at_ns;
    uint32_t fault; /* index into scenario->faults */
    uint32_t node;  /* node id or UINT32_MAX */
    uint8_t begin;  /* 1 begins, 0 ends */
    uint64_t lost;  /* messages and timers that were lost to it at that moment */
};

/* One process, written at the end. */
struct row_process {
    uint32_t rank, nodes;
    uint64_t events, windows, batches_sent, bytes_sent;
    double busy_s, wait_s; /* wall clock: executing, waiting for grants and messages */
    uint64_t peak_rss_bytes;
    double late_p50_s, late_p99_s, late_max_s; /* wall-clock mode, else 0 */
};

/* Names are 1 to ROW_..._NAME_MAX bytes of a-z, 0-9 and _; a unit is 0 to ROW_UNIT_MAX bytes of printable
 * ASCII. A value that is not finite (a loss that diverged) is a measurement like any other: it travels as it
 * is and is stored as NULL. */
#define ROW_SERIES_NAME_MAX 31
#define ROW_RESULT_NAME_MAX 39
#define ROW_UNIT_MAX 15

/* One value of a curve, as the loss of a training step. `step` counts whatever the node counts. */
struct row_series {
    uint32_t node; /* filled in by its host */
    char name[ROW_SERIES_NAME_MAX + 1];
    uint32_t step;
    double value;
};

/* One figure of a node; recorded again, the last one counts. */
struct row_result {
    uint32_t node; /* filled in by its host */
    char name[ROW_RESULT_NAME_MAX + 1];
    char unit[ROW_UNIT_MAX + 1];
    double value;
};

/* What one kind of event cost a node, wall clock; written at the end by its host. */
struct row_handler {
    uint32_t node;
    char name[ROW_SERIES_NAME_MAX + 1]; /* message, or timer of its class */
    uint64_t calls;
    double least_s, wall_s; /* the quickest call, and all; in the node's handler; with a child process, on the
                               way there and back too */
};

struct row {
    enum row_kind kind;
    union {
        struct row_task task;
        struct row_node node;
        struct row_link link;
        struct row_fault fault;
        struct row_process process;
        struct row_series series;
        struct row_result result;
        struct row_handler handler;
    } as;
};

/* Whether `name` may name a series or result of at most `size_max` bytes, and `unit` may be a unit. */
bool row_name_valid(const char *name, size_t size_max);
bool row_unit_valid(const char *unit);

/* Appends kind byte + fields. */
void row_encode(struct bytes_writer *writer, const struct row *row);
#define ROW_BYTES_MAX 256
/* Reads one row; STATUS_INVALID on an unknown kind, short input, a value out of range, a name that is none.
 */
enum status row_decode(struct bytes_reader *reader, struct row *row);

#endif
