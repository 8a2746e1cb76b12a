#include "nodes/hosting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ledger/disk.h"
#include "common/record/durable.h"
#include "nodes/child.h"
#include "nodes/hosting_ledger.h"

#define DURABLE_BYTES_MAX OUTBOX_BYTES_MAX /* nothing larger was ever persisted */

int hosting_durable_path(const char *run_dir, const char *node, char *path, size_t size) {
    return snprintf(path, size, "%s/nodes/%s.durable", run_dir, node);
}

const char *hosting_resume_path(const struct scenario *scenario, const struct topology_node *node) {
    return node->role == ROLE_EDGE && scenario->training.resume[0] != '\0' ? scenario->training.resume : NULL;
}

/* ---- in this process ---- */

/* Says which node it was; `reason` is the node's own sentence, or empty. */
static enum status explain(const struct hosting *hosting, enum status status, const char *what,
                           const struct error *reason, struct error *error) {
    if (status == STATUS_OK)
        return STATUS_OK;
    return error_set(error, status, "node %s could not %s%s%s",
                     hosting->env.topology->nodes[hosting->env.self].name, what,
                     reason->text[0] != '\0' ? ": " : "", reason->text);
}

static enum status local_restart(struct hosting *hosting, const struct node_event *event, struct outbox *out,
                                 struct error *error) {
    char *durable = NULL;
    size_t bytes = 0;
    struct error reason = {0};
    struct node_env env = hosting->env;
    env.error = &reason;
    if (hosting->durable_path != NULL &&
        access(hosting->durable_path, F_OK) == 0) /* else it persisted nothing */
        TRY(durable_read(hosting->durable_path, DURABLE_BYTES_MAX, &durable, &bytes, error));
    enum status status =
        hosting->class->on_restart(hosting->state, &env, event->now_ns, (const uint8_t *)durable, bytes, out);
    free(durable);
    return explain(hosting, status, "restart from its durable store", &reason, error);
}

/* The store that the node resumes from: the file itself, or that of this node in a run directory. */
static enum status read_resumed(const struct hosting *hosting, char **durable, size_t *bytes,
                                struct error *error) {
    char path[DURABLE_PATH_MAX];
    struct stat about;
    const char *name = hosting->env.topology->nodes[hosting->env.self].name;
    int length = snprintf(path, sizeof path, "%s", hosting->resume_path);
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        length = hosting_durable_path(hosting->resume_path, name, path, sizeof path);
    if (length < 0 || (size_t)length >= sizeof path)
        return error_set(error, STATUS_INVALID, "training.resume: the path is too long");
    struct error reason = {0};
    enum status status = durable_read(path, DURABLE_BYTES_MAX, durable, bytes, &reason);
    return status == STATUS_OK
               ? status
               : error_set(error, status, "node %s has nothing to resume from: %s", name, reason.text);
}

/* The first start of a run: from nothing, or from what an earlier run left. */
static enum status local_start(struct hosting *hosting, const struct node_event *event, struct outbox *out,
                               struct error *error) {
    struct error reason = {0};
    struct node_env env = hosting->env;
    char *durable = NULL;
    size_t bytes = 0;
    env.error = &reason;
    if (hosting->resume_path == NULL)
        return explain(hosting, hosting->class->on_start(hosting->state, &env, event->now_ns, out), "start",
                       &reason, error);
    TRY(read_resumed(hosting, &durable, &bytes, error));
    enum status status =
        hosting->class->on_restart(hosting->state, &env, event->now_ns, (const uint8_t *)durable, bytes, out);
    free(durable);
    return explain(hosting, status, "resume", &reason, error);
}

static enum status local_begin(struct hosting *hosting, enum hosting_call call,
                               const struct node_event *event, struct outbox *out, struct error *error) {
    hosting->state = calloc(1, hosting->class->state_bytes);
    if (hosting->state == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the state of a node (%zu bytes)",
                         hosting->class->state_bytes);
    TRY(hosting_ledger_open(hosting, call == HOSTING_START, error));
    return call == HOSTING_RESTART ? local_restart(hosting, event, out, error)
                                   : local_start(hosting, event, out, error);
}

static enum status local_event(struct hosting *hosting, enum hosting_call call,
                               const struct node_event *event, struct outbox *out) {
    node_handler handler =
        call == HOSTING_TIMER ? hosting->class->on_timer : hosting->class->on_message[event->type];
    return handler == NULL ? STATUS_INVALID : handler(hosting->state, &hosting->env, event, out);
}

/* Durable before any send of this outbox leaves. */
static enum status persist(const struct hosting *hosting, const struct outbox *out, struct error *error) {
    const struct action *last = NULL;
    for (uint32_t i = 0; i < out->count; i++)
        if (out->actions[i].kind == ACTION_PERSIST)
            last = &out->actions[i];
    if (last == NULL || hosting->durable_path == NULL)
        return STATUS_OK;
    return durable_write(hosting->durable_path, out->bytes + last->offset, last->bytes, error);
}

static enum status local_call(struct hosting *hosting, enum hosting_call call, const struct node_event *event,
                              struct outbox *out, struct error *error) {
    hosting_ledger_enter(hosting);
    enum status status = call == HOSTING_START || call == HOSTING_RESTART
                             ? local_begin(hosting, call, event, out, error)
                             : local_event(hosting, call, event, out);
    hosting_ledger_leave(hosting);
    TRY(persist(hosting, out, error));
    return status;
}

static void local_close(struct hosting *hosting) {
    if (hosting->state == NULL)
        return;
    if (hosting->class->close != NULL)
        hosting->class->close(hosting->state);
    free(hosting->state);
    hosting->state = NULL;
    hosting_ledger_close(hosting);
}

/* ---- either way ---- */

enum status hosting_call(struct hosting *hosting, enum hosting_call call, const struct node_event *event,
                         struct outbox *out, struct error *error) {
    outbox_reset(out);
    enum status status = hosting->child_text != NULL ? child_call(hosting, call, event, out, error)
                                                     : local_call(hosting, call, event, out, error);
    if (out->status != STATUS_OK)
        return error_set(error, STATUS_LIMIT,
                         "node %s asked for more than an outbox holds (%u actions, %zu bytes)",
                         hosting->env.topology->nodes[hosting->env.self].name, out->count, out->bytes_used);
    return status;
}

enum status hosting_totals(struct hosting *hosting, struct row_node *row, struct error *error) {
    if (hosting->child_text != NULL)
        return hosting->child > 0 ? child_totals(hosting, row, error) : STATUS_OK;
    if (hosting->state != NULL && hosting->class->totals != NULL)
        hosting->class->totals(hosting->state, row);
    return STATUS_OK;
}

void hosting_kill(struct hosting *hosting) {
    if (hosting->child_text != NULL)
        child_kill(hosting);
    else
        local_close(hosting);
}

void hosting_pause(struct hosting *hosting, bool paused) {
    if (hosting->child_text != NULL)
        child_pause(hosting, paused);
}

void hosting_close(struct hosting *hosting) {
    if (hosting->child_text != NULL)
        child_kill(hosting);
    local_close(hosting);
    if (hosting->disk != NULL)
        ledger_disk_close(hosting->disk);
    hosting->disk = NULL;
}
