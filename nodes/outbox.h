/* outbox: what a node asks of its host while it handles one event; carried out in this order afterwards. */
#ifndef TIERBED_NODES_OUTBOX_H
#define TIERBED_NODES_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/message.h"
#include "common/record/rows.h"

enum action_kind { ACTION_SEND = 1, ACTION_TIMER, ACTION_PERSIST, ACTION_RECORD };

struct action {
    uint8_t kind;     /* enum action_kind */
    uint16_t type;    /* SEND: enum message_type; RECORD: enum row_kind */
    uint32_t node;    /* SEND: destination; TIMER: the node's number of the timer */
    uint32_t urgency; /* SEND */
    uint64_t bits;    /* SEND: emulated size; TIMER: cookie */
    int64_t at_ns;    /* TIMER: absolute virtual time */
    uint32_t bytes;   /* payload size */
    uint32_t offset;  /* of the payload in outbox.bytes */
};

#define OUTBOX_ACTIONS_MAX 65536u
#define OUTBOX_BYTES_MAX ((size_t)64 << 20)

struct outbox {
    struct action *actions;
    uint32_t count, capacity;
    uint8_t *bytes;
    size_t bytes_used, bytes_capacity;
    enum status
        status; /* sticky: STATUS_LIMIT or STATUS_MEMORY when something did not fit; the host stops the run */
};

void outbox_init(struct outbox *out);
void outbox_reset(struct outbox *out);
void outbox_close(struct outbox *out);

/* Replaces the content by `count` raw actions and their bytes, as they crossed from a child process.
 * STATUS_PEER when an action points outside `bytes` or has no known kind. */
enum status outbox_adopt(struct outbox *out, const uint8_t *actions, uint32_t count, const uint8_t *bytes,
                         size_t bytes_used);

/* Sends `payload` to node `destination` over the link between them. `bits` is the emulated size (0: payload
 * bits); a link with a priority queue sends the most urgent first. No link: counted by the host as a protocol
 * error. */
void outbox_send(struct outbox *out, uint32_t destination, enum message_type type, const void *payload,
                 size_t bytes, uint64_t bits, uint32_t urgency);

/* Sends what was written through a writer obtained here: reserve, encode into it, then commit. No copy. */
struct bytes_writer outbox_reserve(struct outbox *out, size_t bytes_max);
void outbox_send_reserved(struct outbox *out, uint32_t destination, enum message_type type,
                          const struct bytes_writer *writer, uint64_t bits, uint32_t urgency);

/* on_timer is called at `at_ns` (not before now) with this timer number and cookie. Timers cannot be
 * cancelled: a node that no longer wants one ignores it. A crash forgets them. */
void outbox_timer(struct outbox *out, int64_t at_ns, uint32_t timer, uint64_t cookie);

/* Replaces the node's durable store: on disk (write, fsync, rename) before any send of this outbox leaves.
 * Data given, or written through outbox_reserve. */
void outbox_persist(struct outbox *out, const void *data, size_t bytes);
void outbox_persist_reserved(struct outbox *out, const struct bytes_writer *writer);

/* Adds a row to the record of the run (common/record/rows.h). */
void outbox_record_task(struct outbox *out, const struct row_task *row);

/* Adds one value to the curve `name` of this node, or one figure (`unit` "": none). Names and units as in
 * rows.h: another is a mistake of the program. The host fills in which node it was. */
void outbox_record_series(struct outbox *out, const char *name, uint32_t step, double value);
void outbox_record_result(struct outbox *out, const char *name, const char *unit, double value);

#endif
