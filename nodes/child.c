#include "nodes/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/memory.h"

#define PIECE_BYTES ((size_t)60000)
#define CHILD_SOCKET 3

/* ---- frames ---- */

void frame_reset(struct frame *frame) {
    frame->size = 0;
}

void frame_close(struct frame *frame) {
    free(frame->data);
    *frame = (struct frame){0};
}

static void frame_reserve(struct frame *frame, size_t capacity) {
    if (capacity <= frame->capacity)
        return;
    frame->data = memory_grow(frame->data, capacity * 2, 1, "a frame");
    frame->capacity = capacity * 2;
}

void frame_put(struct frame *frame, const void *data, size_t size) {
    frame_reserve(frame, frame->size + size);
    if (size > 0)
        memcpy(frame->data + frame->size, data, size);
    frame->size += size;
}

static enum status piece_send(int socket, const void *data, size_t size) {
    for (;;) {
        ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
        if (sent == (ssize_t)size)
            return STATUS_OK;
        if (sent >= 0 || errno != EINTR)
            return STATUS_PEER;
    }
}

static ssize_t piece_receive(int socket, void *data, size_t size) {
    for (;;) {
        ssize_t got = recv(socket, data, size, 0);
        if (got >= 0 || errno != EINTR)
            return got;
    }
}

enum status frame_send(int socket, const struct frame *frame) {
    uint64_t size = frame->size;
    TRY(piece_send(socket, &size, sizeof size));
    for (size_t at = 0; at < frame->size; at += PIECE_BYTES) {
        size_t left = frame->size - at;
        TRY(piece_send(socket, frame->data + at, left < PIECE_BYTES ? left : PIECE_BYTES));
    }
    return STATUS_OK;
}

enum status frame_receive(int socket, struct frame *frame) {
    uint64_t size = 0;
    if (piece_receive(socket, &size, sizeof size) != (ssize_t)sizeof size || size > FRAME_BYTES_MAX)
        return STATUS_PEER;
    frame_reset(frame);
    frame_reserve(frame, (size_t)size + PIECE_BYTES);
    while (frame->size < size) {
        ssize_t got = piece_receive(socket, frame->data + frame->size, PIECE_BYTES);
        if (got <= 0)
            return STATUS_PEER;
        frame->size += (size_t)got;
    }
    return frame->size == size ? STATUS_OK : STATUS_PEER;
}

/* ---- the parent's side ---- */

/* Without what Open MPI put there: a child that found it would try to join the run. */
static char **child_environment(void) {
    static const char *const drop[] = {"OMPI_", "PMIX_", "OPAL_", "ORTE_", "PRTE_", "PMI_"};
    size_t count = 0, kept = 0;
    while (environ[count] != NULL)
        count++;
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        bool dropped = false;
        for (size_t d = 0; d < sizeof drop / sizeof *drop; d++)
            dropped |= strncmp(environ[i], drop[d], strlen(drop[d])) == 0;
        if (!dropped)
            copy[kept++] = environ[i];
    }
    return copy;
}

static int spawn(pid_t *child, int socket, const char *node_name) {
    char title[SCENARIO_NAME_MAX + 32];
    snprintf(title, sizeof title, "tierbed-child:%s", node_name);
    char option[] = HOSTING_CHILD_OPTION, number[] = "3";
    char *arguments[] = {title, option, number, NULL};
    char **environment = child_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, CHILD_SOCKET);
    /* Of a group of its own: Ctrl-C is for the director, which ends the run in order. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int failed = environment == NULL
                     ? ENOMEM
                     : posix_spawn(child, "/proc/self/exe", &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(environment);
    return failed;
}

static enum status send_init(const struct hosting *hosting) {
    struct frame frame = {0};
    const char *path = hosting->durable_path ? hosting->durable_path : "";
    const char *ledger = hosting->ledger_dir ? hosting->ledger_dir : "";
    frame_put(&frame, &hosting->env.self, sizeof hosting->env.self);
    frame_put(&frame, path, strlen(path) + 1);
    frame_put(&frame, ledger, strlen(ledger) + 1);
    frame_put(&frame, hosting->child_text, strlen(hosting->child_text) + 1);
    enum status status = frame_send(hosting->socket, &frame);
    frame_close(&frame);
    return status;
}

static const char *name_of(const struct hosting *hosting) {
    return hosting->env.topology->nodes[hosting->env.self].name;
}

static enum status child_begin(struct hosting *hosting, struct error *error) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_set_errno(error, STATUS_IO, "no socket pair for the child of node %s", name_of(hosting));
    /* dup2 onto its own number would keep the close-on-exec flag. */
    int theirs = pair[1] == CHILD_SOCKET ? fcntl(pair[1], F_DUPFD_CLOEXEC, CHILD_SOCKET + 1) : pair[1];
    int failed = spawn(&hosting->child, theirs, name_of(hosting));
    if (theirs != pair[1])
        close(theirs);
    close(pair[1]);
    if (failed != 0) {
        close(pair[0]);
        errno = failed;
        hosting->child = 0;
        return error_set_errno(error, STATUS_IO, "cannot start the child process of node %s",
                               name_of(hosting));
    }
    hosting->socket = pair[0];
    hosting->disk_told = false;
    return send_init(hosting);
}

static enum status child_died(struct hosting *hosting, struct error *error) {
    int how = 0;
    pid_t child = hosting->child;
    kill(child, SIGKILL);
    waitpid(child, &how, 0);
    close(hosting->socket);
    hosting->child = 0;
    const char *verb = WIFSIGNALED(how) ? "was killed by signal" : "ended with code";
    return error_set(error, STATUS_PEER,
                     "the child process of node %s (pid %d) %s %d, and no fault of the schedule asked for it",
                     name_of(hosting), (int)child, verb, WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

static enum status exchange(struct hosting *hosting, enum hosting_call call, const struct node_event *event,
                            struct frame *frame) {
    struct child_call_head head = {.call = call, .clock_offset_ns = hosting->env.clock_offset_ns};
    if (event != NULL) {
        head.event = *event;
        head.payload_bytes = (uint32_t)event->payload_bytes;
    }
    frame_reset(frame);
    frame_put(frame, &head, sizeof head);
    if (event != NULL)
        frame_put(frame, event->payload, event->payload_bytes);
    TRY(frame_send(hosting->socket, frame));
    TRY(frame_receive(hosting->socket, frame));
    return frame->size >= sizeof(struct child_answer_head) ? STATUS_OK : STATUS_PEER;
}

static enum status take_outbox(const struct frame *frame, const struct child_answer_head *head,
                               struct outbox *out) {
    size_t actions_bytes = head->action_count * sizeof(struct action);
    if (frame->size != sizeof *head + actions_bytes + head->bytes_used)
        return STATUS_PEER;
    const uint8_t *at = frame->data + sizeof *head;
    return outbox_adopt(out, at, head->action_count, at + actions_bytes, head->bytes_used);
}

/* Lets the child know that its disk is full, or sound again. Late, since it may have been stopped. */
static enum status tell_disk(struct hosting *hosting, struct error *error) {
    struct frame frame = {0};
    if (hosting->disk_told == hosting->disk_full)
        return STATUS_OK;
    enum status status =
        exchange(hosting, hosting->disk_full ? HOSTING_DISK_FULL : HOSTING_DISK_SOUND, NULL, &frame);
    frame_close(&frame);
    hosting->disk_told = hosting->disk_full;
    return status == STATUS_OK ? STATUS_OK : child_died(hosting, error);
}

enum status child_call(struct hosting *hosting, enum hosting_call call, const struct node_event *event,
                       struct outbox *out, struct error *error) {
    struct frame frame = {0};
    struct child_answer_head head;
    if (call == HOSTING_START || call == HOSTING_RESTART)
        TRY(child_begin(hosting, error));
    TRY(tell_disk(hosting, error));
    enum status status = exchange(hosting, call, event, &frame);
    if (status == STATUS_OK) {
        memcpy(&head, frame.data, sizeof head);
        head.text[sizeof head.text - 1] = '\0';
        status = take_outbox(&frame, &head, out);
    }
    frame_close(&frame);
    if (status != STATUS_OK)
        return child_died(hosting, error);
    out->status = (enum status)head.outbox_status;
    if (head.status != STATUS_OK)
        error_set(error, (enum status)head.status, "%s", head.text);
    return (enum status)head.status;
}

enum status child_totals(struct hosting *hosting, struct row_node *row, struct error *error) {
    struct frame frame = {0};
    struct child_answer_head head;
    enum status status = exchange(hosting, HOSTING_TOTALS, NULL, &frame);
    if (status == STATUS_OK) {
        memcpy(&head, frame.data, sizeof head);
        row->busy_ns = head.totals.busy_ns;
        row->energy_j = head.totals.energy_j;
    }
    frame_close(&frame);
    return status == STATUS_OK ? STATUS_OK : child_died(hosting, error);
}

void child_kill(struct hosting *hosting) {
    if (hosting->child <= 0)
        return;
    kill(hosting->child, SIGKILL);
    waitpid(hosting->child, NULL, 0);
    close(hosting->socket);
    hosting->child = 0;
}

void child_pause(struct hosting *hosting, bool paused) {
    if (hosting->child > 0)
        kill(hosting->child, paused ? SIGSTOP : SIGCONT);
}
