/* trace: what happened, event by event, when a run asks for it (`--trace`).
 *
 * Each process writes its own part as it executes: fixed records in the order of (time, order, node), which
 * is the order of execution. At the end the director merges the parts into one trace.csv, which is therefore
 * the same text for any number of processes. Memory is bounded: a buffer per part. */
#ifndef TIERBED_RECORD_TRACE_H
#define TIERBED_RECORD_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/topology.h"

/* Type codes: a message has its enum message_type; the rest start at TRACE_TIMER. Names: trace_type_name. */
enum trace_type {
    TRACE_TIMER = 1000, /* a node's timer fired; bits: its cookie */
    TRACE_NIC,          /* a network card did something: transmission started, channel stepped */
    TRACE_FAULT,        /* a fault of the schedule begins or ends; source: its index in the schedule */
    TRACE_TYPE_END
};

/* What else is to be said of an entry, as a bit set. */
enum trace_flag {
    TRACE_LOST = 1 << 0,       /* the link lost it */
    TRACE_CORRUPTED = 1 << 1,  /* arrived with a wrong checksum and was dropped */
    TRACE_CUT = 1 << 2,        /* met a partition */
    TRACE_DUPLICATE = 1 << 3,  /* a second copy */
    TRACE_REFUSED = 1 << 4,    /* the queue had no room */
    TRACE_DOWN = 1 << 5,       /* the node was down */
    TRACE_BEGIN = 1 << 6,      /* a fault begins */
    TRACE_END = 1 << 7,        /* a fault ends */
    TRACE_UNSEALED = 1 << 8,   /* its seal did not open, and it was dropped */
    TRACE_REPLAYED = 1 << 9,   /* seen before, and dropped */
    TRACE_STRANGER = 1 << 10,  /* from or to a node that was not admitted, and dropped */
    TRACE_FORBIDDEN = 1 << 11, /* not allowed by the message table, and dropped */
    TRACE_FLAGS_ALL = (1 << 12) - 1
};

struct trace_entry {
    int64_t time_ns;
    uint64_t order;  /* superdense step, source, sequence: whatever orders events of one time */
    uint32_t node;   /* where it happened */
    uint32_t source; /* who sent it; TOPOLOGY_NONE for none */
    uint16_t type;   /* enum message_type or enum trace_type */
    uint16_t flags;  /* enum trace_flag */
    uint32_t bytes;  /* carried */
    uint64_t bits;   /* emulated: may exceed 8 * bytes */
    uint64_t digest; /* of the payload, or of the node after the event */
};

struct trace; /* the part of one process */

/* Creates the file `path` (replaced if there). STATUS_IO says which file and why. */
enum status trace_open(const char *path, struct trace **trace, struct error *error);
/* Appends (buffered). Entries must come in ascending (time, order, node); trace_merge refuses a part that
 * breaks it. */
enum status trace_add(struct trace *trace, const struct trace_entry *entry, struct error *error);
/* Writes what is buffered, closes and frees. Safe on NULL. */
enum status trace_close(struct trace *trace, struct error *error);

/* Merges `count` parts into a CSV file with names of nodes and messages; written beside its place, then
 * renamed. A part that ends in the middle of a record (its process was killed) is used up to its last whole
 * record. STATUS_INVALID: not a trace, or out of order. The parts are left alone. */
enum status trace_merge(const char *const *paths, size_t count, const char *csv_path,
                        const struct topology *topology, struct error *error);

/* "task", "timer", ...; NULL for a code in no table. */
const char *trace_type_name(uint16_t type);

#endif
