/* child: a node in a child process of its rank, and the frames that cross the socket pair between them.
 *
 *   INIT    node id, durable path, ledger path, scenario text   (once, first)
 *   call    kind, struct node_event, payload
 *   answer  status, error text, actions and bytes of the outbox
 *
 * A frame is cut into pieces that a SOCK_SEQPACKET socket takes; the first says the length of all. */
#ifndef TIERBED_NODES_CHILD_H
#define TIERBED_NODES_CHILD_H

#include "nodes/hosting.h"

enum status child_call(struct hosting *hosting, enum hosting_call call, const struct node_event *event,
                       struct outbox *out, struct error *error);
enum status child_totals(struct hosting *hosting, struct row_node *row, struct error *error);
void child_kill(struct hosting *hosting);
void child_pause(struct hosting *hosting, bool paused);

/* Frames: a growing buffer that is sent or received whole. Shared with the child's side (child_main.c). */
struct frame {
    uint8_t *data;
    size_t size, capacity;
};
#define FRAME_BYTES_MAX ((size_t)160 << 20)

void frame_reset(struct frame *frame);
void frame_put(struct frame *frame, const void *data, size_t size);
void frame_close(struct frame *frame);
/* STATUS_PEER when the other side is gone. */
enum status frame_send(int socket, const struct frame *frame);
enum status frame_receive(int socket, struct frame *frame);

/* The fixed part of a call; the payload follows. */
struct child_call_head {
    uint32_t call;
    uint32_t payload_bytes;
    int64_t clock_offset_ns; /* of its struct node_env */
    struct node_event event; /* its payload pointer means nothing */
};

/* The fixed part of an answer; actions, then bytes follow. */
struct child_answer_head {
    uint32_t status;
    uint32_t outbox_status;
    uint32_t action_count;
    uint32_t reserved;
    uint64_t bytes_used;
    struct row_node totals; /* HOSTING_TOTALS */
    char text[256];
};

#endif
