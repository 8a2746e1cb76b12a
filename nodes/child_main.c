/* child_main: the other end of nodes/child.h: one node, its memory, its file, and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "nodes/chain/chain.h"
#include "nodes/child.h"
#include "nodes/hosting_ledger.h"
#include "nodes/labelled.h"
#include "nodes/task.h"

struct child {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct bearing_source *bearings;
    struct chain *chain;
    struct hosting hosting;
    struct outbox out;
    struct frame frame;
};

static enum status open_bearings(struct child *child, struct error *error) {
    if (!labelled_wanted(&child->scenario, &child->topology, child->hosting.env.self))
        return STATUS_OK;
    return task_open_bearings(&child->scenario, &child->bearings, error);
}

static enum status child_init(struct child *child, struct error *error) {
    uint32_t node;
    const struct frame *frame = &child->frame;
    if (frame->size < sizeof node + 3 || frame->data[frame->size - 1] != '\0')
        return STATUS_INVALID;
    memcpy(&node, frame->data, sizeof node);
    const char *path = arena_copy_text(&child->arena, (const char *)frame->data + sizeof node);
    size_t ledger_at = sizeof node + strlen(path) + 1;
    if (ledger_at >= frame->size)
        return STATUS_INVALID;
    const char *ledger = arena_copy_text(&child->arena, (const char *)frame->data + ledger_at);
    size_t text_at = ledger_at + strlen(ledger) + 1;
    if (text_at >= frame->size)
        return STATUS_INVALID;
    struct scenario_problems *problems = arena_alloc(&child->arena, sizeof *problems);
    TRY(scenario_load_text((const char *)frame->data + text_at, frame->size - text_at - 1,
                           "scenario of the run", NULL, 0, &child->arena, &child->scenario, problems));
    TRY(topology_build(&child->scenario, &child->arena, &child->topology, error));
    if (node >= child->topology.node_count)
        return STATUS_INVALID;
    child->hosting =
        (struct hosting){.env = {.self = node, .scenario = &child->scenario, .topology = &child->topology},
                         .class = node_class_of(&child->topology, node),
                         .durable_path = *path ? path : NULL,
                         .ledger_dir = *ledger ? ledger : NULL,
                         .resume_path = hosting_resume_path(&child->scenario, &child->topology.nodes[node])};
    TRY(open_bearings(child, error));
    child->hosting.env.bearings = child->bearings;
    TRY(chain_open(&child->scenario, &child->topology, &child->chain, error));
    chain_take_key(child->chain, &child->scenario, &child->topology, node);
    child->hosting.env.chain = child->chain;
    return STATUS_OK;
}

static enum status answer(struct child *child, int socket, struct child_answer_head *head) {
    struct outbox *out = &child->out;
    head->outbox_status = out->status;
    head->action_count = out->count;
    head->bytes_used = out->bytes_used;
    frame_reset(&child->frame);
    frame_put(&child->frame, head, sizeof *head);
    frame_put(&child->frame, out->actions, out->count * sizeof *out->actions);
    frame_put(&child->frame, out->bytes, out->bytes_used);
    return frame_send(socket, &child->frame);
}

static enum status serve(struct child *child, int socket) {
    struct child_call_head head;
    struct child_answer_head reply = {0};
    struct error error = {0};
    TRY(frame_receive(socket, &child->frame));
    if (child->frame.size < sizeof head)
        return STATUS_INVALID;
    memcpy(&head, child->frame.data, sizeof head);
    if (child->frame.size != sizeof head + head.payload_bytes || (uint32_t)head.event.type >= MESSAGE_COUNT)
        return STATUS_INVALID;
    head.event.payload = child->frame.data + sizeof head;
    child->hosting.env.clock_offset_ns = head.clock_offset_ns;
    outbox_reset(&child->out);
    if (head.call == HOSTING_TOTALS)
        reply.status = hosting_totals(&child->hosting, &reply.totals, &error);
    else if (head.call == HOSTING_DISK_FULL || head.call == HOSTING_DISK_SOUND)
        hosting_ledger_set_full(&child->hosting, head.call == HOSTING_DISK_FULL);
    else
        reply.status =
            hosting_call(&child->hosting, (enum hosting_call)head.call, &head.event, &child->out, &error);
    snprintf(reply.text, sizeof reply.text, "%.*s", (int)sizeof reply.text - 1, error.text);
    return answer(child, socket, &reply);
}

static void child_close(struct child *child) {
    hosting_close(&child->hosting);
    bearing_source_close(child->bearings);
    chain_close(child->chain);
    outbox_close(&child->out);
    frame_close(&child->frame);
    arena_close(&child->arena);
}

int hosting_child_main(int socket) {
    static struct child child; /* one per process, by nature */
    struct error error = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "tierbed-child");
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    close_range((unsigned)socket + 1, ~0u, 0);
    arena_init(&child.arena);
    outbox_init(&child.out);
    enum status status = frame_receive(socket, &child.frame);
    if (status == STATUS_OK)
        status = child_init(&child, &error);
    while (status == STATUS_OK)
        status = serve(&child, socket);
    child_close(&child);
    return status == STATUS_PEER ? 0 : status_exit_code(status);
}
