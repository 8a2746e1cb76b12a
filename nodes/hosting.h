/* hosting: where a node's state machine runs: in this process, or in a child process that can be killed.
 *
 * Same calls, same results. A child never calls MPI; events and outboxes cross a SOCK_SEQPACKET pair in
 * pieces. The durable store of a node that may crash is a file of its own, written before any of its sends
 * leaves. */
#ifndef TIERBED_NODES_HOSTING_H
#define TIERBED_NODES_HOSTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "nodes/node.h"
#include "nodes/outbox.h"

struct hosting {
    struct node_env env;
    const struct node_class *class;
    void *state;              /* in this process */
    const char *child_text;   /* scenario text for a child, borrowed; NULL: host here */
    const char *durable_path; /* borrowed; NULL: nothing is kept */
    const char
        *resume_path; /* borrowed; what the node starts from, left by an earlier run; NULL: from nothing */
    const char *ledger_dir;    /* borrowed; of a validator; NULL: its ledger is in memory, on `disk` */
    struct ledger_disk *disk;  /* owned; outlives a kill */
    bool disk_full, disk_told; /* a fault: nothing can be written to the ledger; what the child knows of it */
    uint64_t file_bytes_max;   /* limit of this process, while it is lowered for that */
    pid_t child;               /* 0: none */
    int socket;
};

enum hosting_call {
    HOSTING_START = 1,
    HOSTING_RESTART,
    HOSTING_MESSAGE,
    HOSTING_TIMER,
    HOSTING_TOTALS,
    HOSTING_DISK_FULL, /* to a child only: hosting_ledger_set_full */
    HOSTING_DISK_SOUND
};

/* Writes where node `node` keeps its durable store in `run_dir`; returns as snprintf does. */
int hosting_durable_path(const char *run_dir, const char *node, char *path, size_t size);

/* What `node` starts from: edge servers from training.resume, everything else from nothing (NULL). Borrowed.
 */
const char *hosting_resume_path(const struct scenario *scenario, const struct topology_node *node);

/* One call: the node's answer is appended to `out` (reset before). STATUS_INVALID: the node refused the event
 * (a protocol error, go on). STATUS_PEER: the child died though no fault asked for it. */
enum status hosting_call(struct hosting *hosting, enum hosting_call call, const struct node_event *event,
                         struct outbox *out, struct error *error);

/* Busy time and energy for the node's row. */
enum status hosting_totals(struct hosting *hosting, struct row_node *row, struct error *error);

/* SIGKILLs the child, or drops the state: memory is gone, the durable store stays. */
void hosting_kill(struct hosting *hosting);
/* SIGSTOP and SIGCONT; nothing to do for a node in this process. */
void hosting_pause(struct hosting *hosting, bool paused);
void hosting_close(struct hosting *hosting);

/* The main of a child: serves calls on `socket` until it closes. Returns the exit code. */
int hosting_child_main(int socket);

/* The argument that makes any Tierbed program a child: PROGRAM --child FD. */
#define HOSTING_CHILD_OPTION "--child"

#endif
