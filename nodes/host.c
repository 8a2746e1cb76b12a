#include "nodes/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/record/durable.h"
#include "common/time/wall.h"
#include "nodes/chain/chain.h"
#include "nodes/clock.h"
#include "nodes/hosting_ledger.h"
#include "nodes/labelled.h"
#include "nodes/task.h"

static enum status deliver(void *context, struct engine *engine, const struct engine_event *event);

/* ---- rows, digests, trace ---- */

static void reserve_rows(struct host *host, size_t size) {
    if (host->rows.capacity - host->rows.used >= size)
        return;
    size_t capacity = (host->rows.capacity + size) * 2;
    host->rows.data = memory_grow(host->rows.data, capacity, 1, "rows of the record");
    host->rows.capacity = capacity;
}

void host_add_row(struct host *host, const struct row *row) {
    reserve_rows(host, ROW_BYTES_MAX);
    row_encode(&host->rows, row);
    assert(!host->rows.failed);
}

const uint8_t *host_take_rows(void *context, size_t *size) {
    struct host *host = context;
    *size = host->rows.used;
    host->rows.used = 0;
    return host->rows.data;
}

/* Everything that reaches a node goes into its digest, in order. */
void host_digest(struct host_node *node, const struct engine_event *event, const struct wire *wire,
                 uint64_t checksum) {
    uint32_t index = wire->kind == WIRE_MESSAGE ? 0 : wire->index; /* sealed or not, a run is the same */
    uint64_t digest = random_mix(node->totals.digest ^ (uint64_t)event->key.time_ns);
    digest = random_mix(digest ^ event->key.order);
    digest = random_mix(digest ^ ((uint64_t)wire->kind << 56 | (uint64_t)wire->type << 40 | index));
    node->totals.digest = random_mix(digest ^ checksum ^ wire->bits);
}

enum status host_trace(struct host *host, const struct engine_event *event, const struct wire *wire,
                       uint32_t flags) {
    static const uint16_t types[] = {
        [WIRE_TIMER] = TRACE_TIMER, [WIRE_FAULT_BEGIN] = TRACE_FAULT, [WIRE_FAULT_END] = TRACE_FAULT};
    if (host->config.trace == NULL)
        return STATUS_OK;
    bool message = wire->kind == WIRE_MESSAGE;
    bool fault = wire->kind == WIRE_FAULT_BEGIN || wire->kind == WIRE_FAULT_END;
    struct trace_entry entry = {.time_ns = event->key.time_ns,
                                .order = event->key.order,
                                .node = event->node,
                                .source = fault ? wire->index : wire->source,
                                .type = message ? wire->type : types[wire->kind],
                                .flags = (uint16_t)flags,
                                .bytes = message ? event->bytes - (uint32_t)sizeof *wire : 0,
                                .bits = wire->bits,
                                .digest = host->nodes[event->node].totals.digest};
    return trace_add(host->config.trace, &entry, host->error);
}

/* A packet that its network card could not deliver: noted where and when it was given up. */
static void trace_lost(void *context, uint32_t node, const struct wire *wire, uint32_t bytes,
                       uint32_t flags) {
    struct host *host = context;
    struct engine_event here = {
        .key = host->engine.now, .node = node, .bytes = bytes + (uint32_t)sizeof *wire, .body = NULL};
    if (host->failed == STATUS_OK)
        host->failed = host_trace(host, &here, wire, flags);
}

/* ---- carrying out an outbox ---- */

static bool may_send(const struct host *host, uint32_t node, uint32_t type) {
    const struct message_info *info = message_info(type);
    return info != NULL && (info->from_roles & 1u << host->config.topology->nodes[node].role) != 0;
}

static void act_send(struct host *host, struct host_node *node, const struct action *action) {
    struct card_send send = {.destination = action->node,
                             .type = (enum message_type)action->type,
                             .urgency = action->urgency,
                             .bits = action->bits,
                             .payload = host->out.bytes + action->offset,
                             .bytes = action->bytes};
    if (action->node >= host->node_count || !may_send(host, node->totals.node, action->type) ||
        card_send(&node->card, &host->engine, &send) != STATUS_OK)
        node->totals.protocol_errors++;
    else
        node->totals.sent++;
}

static void act_timer(struct host *host, struct host_node *node, const struct action *action) {
    if (action->at_ns < host->engine.now.time_ns) {
        node->totals.protocol_errors++;
        return;
    }
    struct wire wire = {.kind = WIRE_TIMER,
                        .source = node->totals.node,
                        .index = action->node,
                        .incarnation = node->incarnation,
                        .bits = action->bits};
    engine_post(&host->engine, node->totals.node, node->totals.node, action->at_ns, &wire, sizeof wire);
}

/* A node adds tasks, series and results of its own; the rest of the record is not for nodes to write. Rows
 * may have crossed from a child: one that is malformed counts as a protocol error, with what follows it. */
static bool take_row(struct host *host, const struct host_node *node, struct row *row) {
    if (row->kind == ROW_SERIES)
        row->as.series.node = node->totals.node;
    else if (row->kind == ROW_RESULT)
        row->as.result.node = node->totals.node;
    else if (row->kind != ROW_TASK)
        return false;
    host_add_row(host, row);
    return true;
}

static void act_record(struct host *host, struct host_node *node, const struct action *action) {
    struct bytes_reader reader = bytes_reader_over(host->out.bytes + action->offset, action->bytes);
    struct row row;
    while (bytes_left(&reader) > 0) {
        if (row_decode(&reader, &row) != STATUS_OK || !take_row(host, node, &row)) {
            node->totals.protocol_errors++;
            return;
        }
    }
}

static void carry_out(struct host *host, struct host_node *node) {
    for (uint32_t i = 0; i < host->out.count; i++) {
        const struct action *action = &host->out.actions[i];
        switch (action->kind) {
        case ACTION_SEND:
            act_send(host, node, action);
            break;
        case ACTION_TIMER:
            act_timer(host, node, action);
            break;
        case ACTION_RECORD:
            act_record(host, node, action);
            break;
        case ACTION_PERSIST: /* done where the node lives, before its answer came here */
            break;
        default:
            node->totals.protocol_errors++;
        }
    }
}

/* Where the time of a call is booked; NULL: nowhere. */
static struct host_handler *handler_of(struct host_node *node, enum hosting_call call,
                                       const struct node_event *event) {
    if (call == HOSTING_MESSAGE)
        return &node->on_message[event->type];
    return call == HOSTING_TIMER && event->timer < NODE_TIMERS_MAX ? &node->on_timer[event->timer] : NULL;
}

/* The ledger of a validator failed: it must not go on, and nothing that it asked for in this call happens. It
 * can be started again. */
static void fail_stop(struct host *host, struct host_node *node) {
    (void)host_crash(host, node);
    struct row row = {.kind = ROW_SERIES,
                      .as.series = {.node = node->totals.node,
                                    .name = "ledger_failed_s",
                                    .step = (uint32_t)++node->ledger_failures,
                                    .value = vtime_to_s(host->engine.now.time_ns)}};
    host_add_row(host, &row);
}

enum status host_call(struct host *host, struct host_node *node, enum hosting_call call,
                      const struct node_event *event) {
    struct error error = {0};
    struct host_handler *handler = handler_of(node, call, event);
    if (node->wrong_clock)
        node->hosting.env.clock_offset_ns =
            clock_offset_ns(host->config.scenario, host->config.topology, node->totals.node, event->now_ns);
    int64_t begin_ns = wall_now_ns();
    enum status status = hosting_call(&node->hosting, call, event, &host->out, &error);
    if (handler != NULL) {
        int64_t wall_ns = wall_now_ns() - begin_ns;
        handler->least_ns = handler->calls == 0 || wall_ns < handler->least_ns ? wall_ns : handler->least_ns;
        handler->wall_ns += wall_ns;
        handler->calls++;
    }
    if (status == STATUS_INVALID && call != HOSTING_START && call != HOSTING_RESTART) {
        node->totals.protocol_errors++;
        status = STATUS_OK;
    }
    bool late = call == HOSTING_MESSAGE || call == HOSTING_TIMER || node->hosting.disk_full;
    if (late && hosting_ledger_failed(&node->hosting, status)) {
        fail_stop(host, node);
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        if (host->error != NULL)
            error_set(host->error, status, "%s",
                      error.text[0] ? error.text : "a node reported a failure it could not explain");
        return status;
    }
    carry_out(host, node);
    return STATUS_OK;
}

/* ---- events ---- */

/* The node hangs: what reaches it waits until it goes on. A hang without end loses it. */
static void defer(struct host *host, struct host_node *node, const struct engine_event *event) {
    if (node->hung_until_ns == VTIME_NEVER) {
        node->totals.dropped_down++;
        return;
    }
    uint8_t *room =
        engine_post_reserve(&host->engine, event->node, event->node, node->hung_until_ns, event->bytes);
    /* The engine may have moved its bodies, but not this event's: the copy comes from the event itself. */
    memcpy(room, event->body, event->bytes);
    ((struct wire *)(void *)room)->flags |= WIRE_DEFERRED;
}

static enum status on_timer(struct host *host, struct host_node *node, const struct engine_event *event,
                            const struct wire *wire) {
    if (node->mode == NODE_DOWN || wire->incarnation != node->incarnation)
        return STATUS_OK; /* a crash forgets timers */
    host_digest(node, event, wire, 0);
    TRY(host_trace(host, event, wire, 0));
    struct node_event for_node = {.now_ns = event->key.time_ns, .timer = wire->index, .cookie = wire->bits};
    return host_call(host, node, HOSTING_TIMER, &for_node);
}

static enum status on_start(struct host *host, struct host_node *node, const struct engine_event *event) {
    struct node_event for_node = {.now_ns = event->key.time_ns};
    node->mode = NODE_UP;
    TRY(host_call(host, node, HOSTING_START, &for_node));
    card_start(&node->card, &host->engine);
    return STATUS_OK;
}

static enum status on_fault(struct host *host, struct host_node *node, const struct engine_event *event,
                            const struct wire *wire) {
    host_digest(node, event, wire, 0);
    TRY(host_trace(host, event, wire, wire->kind == WIRE_FAULT_BEGIN ? TRACE_BEGIN : TRACE_END));
    return host_fault(host, node, event, wire);
}

static enum status dispatch(struct host *host, struct host_node *node, const struct engine_event *event,
                            const struct wire *wire) {
    if (wire->kind != WIRE_MESSAGE && event_order_source(event->key.order) != event->node) {
        node->totals.forbidden++;
        return STATUS_OK;
    }
    if (node->mode == NODE_HUNG && (wire->kind == WIRE_MESSAGE || wire->kind == WIRE_TIMER)) {
        defer(host, node, event);
        return STATUS_OK;
    }
    switch (wire->kind) {
    case WIRE_START:
        return on_start(host, node, event);
    case WIRE_MESSAGE:
        return host_message(host, node, event, wire);
    case WIRE_TIMER:
        return on_timer(host, node, event, wire);
    case WIRE_CARD:
        card_wake(&node->card, &host->engine, wire->index);
        return STATUS_OK;
    case WIRE_SLOT:
        card_slot(&node->card, &host->engine);
        return STATUS_OK;
    case WIRE_FAULT_BEGIN:
    case WIRE_FAULT_END:
        return on_fault(host, node, event, wire);
    default:
        return error_set(host->error, STATUS_INVALID, "an event of unknown kind %u reached node %u",
                         wire->kind, event->node);
    }
}

static enum status deliver(void *context, struct engine *engine, const struct engine_event *event) {
    (void)engine;
    struct host *host = context;
    struct host_node *node = &host->nodes[event->node];
    struct wire wire;
    if (event->bytes < sizeof wire)
        return error_set(host->error, STATUS_INVALID, "an event without header reached node %u", event->node);
    memcpy(&wire, event->body, sizeof wire);
    pacer_hold(&host->pacer, event->key.time_ns);
    node->totals.events++;
    enum status status = dispatch(host, node, event, &wire);
    return status != STATUS_OK ? status : host->failed;
}

/* ---- opening and closing ---- */

static const char *name_of(void *context, uint32_t node) {
    return ((const struct host *)context)->config.topology->nodes[node].name;
}

static bool is_here(const struct host *host, uint32_t node) {
    return host->config.rank_of_node == NULL || host->config.rank_of_node[node] == host->config.rank;
}

static enum status open_bearings(struct host *host, struct error *error) {
    const struct scenario *scenario = host->config.scenario;
    for (uint32_t id = 0; id < host->node_count; id++)
        if (is_here(host, id) && labelled_wanted(scenario, host->config.topology, id))
            return task_open_bearings(scenario, &host->bearings, error);
    return STATUS_OK;
}

/* Where a node keeps what it must not forget; `ledger`: a directory, otherwise a file. */
static enum status open_place(const struct host *host, const char *name, bool ledger, char **place,
                              struct error *error) {
    char path[DURABLE_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/nodes", host->config.run_dir);
    if (length < 0 || (size_t)length + SCENARIO_NAME_MAX + 16 >= sizeof path)
        return error_set(error, STATUS_INVALID, "the run directory's path is too long: %s",
                         host->config.run_dir);
    TRY(durable_make_dirs(path, error));
    if (ledger)
        hosting_ledger_path(host->config.run_dir, name, path, sizeof path);
    else
        hosting_durable_path(host->config.run_dir, name, path, sizeof path);
    *place = strdup(path);
    return *place != NULL ? STATUS_OK : STATUS_MEMORY;
}

static enum status open_durable(struct host *host, struct host_node *node, uint32_t id, struct error *error) {
    const struct topology_node *info = &host->config.topology->nodes[id];
    bool learns = info->role == ROLE_EDGE && host->config.scenario->training.checkpoint_slots > 0;
    if (host->config.run_dir == NULL)
        return STATUS_OK;
    if (info->role == ROLE_CHAIN)
        return open_place(host, info->name, true, &node->ledger_dir, error);
    return info->may_crash || learns ? open_place(host, info->name, false, &node->durable_path, error)
                                     : STATUS_OK;
}

static enum status open_node(struct host *host, uint32_t id, struct error *error) {
    struct host_node *node = &host->nodes[id];
    const struct topology_node *info = &host->config.topology->nodes[id];
    struct node_env env = {.self = id,
                           .scenario = host->config.scenario,
                           .topology = host->config.topology,
                           .bearings = host->bearings,
                           .chain = host->chain};
    node->totals.node = id;
    node->mode = NODE_UP;
    const struct node_class *class = node_class_of(host->config.topology, id);
    if (class == NULL)
        return error_set(error, STATUS_UNSUPPORTED, "node %s has role `%s`, which this build does not have",
                         info->name, node_role_name(info->role));
    chain_take_key(host->chain, host->config.scenario, host->config.topology, id);
    TRY(open_durable(host, node, id, error));
    node->hosting = (struct hosting){
        .env = env,
        .class = class,
        .child_text = info->may_crash && host->config.children ? host->config.scenario_text : NULL,
        .durable_path = node->durable_path,
        .ledger_dir = node->ledger_dir,
        .resume_path = hosting_resume_path(host->config.scenario, info)};
    TRY(card_open(&node->card, &env, error));
    node->card.watch = host->config.trace != NULL ? trace_lost : NULL;
    node->card.watch_context = host;
    node->card.sealing = host->sealing.keyring != NULL ? &host->sealing : NULL;
    struct wire wire = {.kind = WIRE_START, .source = id};
    engine_post(&host->engine, id, id, scenario_begin_ns(host->config.scenario), &wire, sizeof wire);
    host->here_count++;
    return host_post_faults(host, id);
}

enum status host_open(struct host *host, const struct host_config *config, struct error *error) {
    memset(host, 0, sizeof *host);
    host->config = *config;
    host->node_count = config->topology->node_count;
    host->nodes = calloc(host->node_count, sizeof *host->nodes);
    outbox_init(&host->out);
    pacer_init(&host->pacer, config->speed, scenario_begin_ns(config->scenario));
    engine_init(&host->engine, &(struct engine_config){.node_count = host->node_count,
                                                       .rank = config->rank,
                                                       .rank_count = config->rank_count,
                                                       .rank_of_node = config->rank_of_node,
                                                       .step_max = config->scenario->superdense_max,
                                                       .deliver = deliver,
                                                       .name = name_of,
                                                       .context = host});
    if (host->nodes == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for %u nodes", host->node_count);
    if (config->keyring != NULL && config->scenario->identity.seal)
        sealing_open(&host->sealing, config->keyring, config->topology);
    TRY(open_bearings(host, error));
    TRY(chain_open(config->scenario, config->topology, &host->chain, error));
    for (uint32_t id = 0; id < host->node_count; id++)
        if (is_here(host, id))
            TRY(open_node(host, id, error));
    return STATUS_OK;
}

void host_close(struct host *host) {
    for (uint32_t id = 0; host->nodes != NULL && id < host->node_count; id++) {
        struct host_node *node = &host->nodes[id];
        if (node->hosting.class != NULL)
            hosting_close(&node->hosting);
        card_close(&node->card);
        free(node->durable_path);
        ledger_damage_close(&node->ledger);
        free(node->ledger_dir);
    }
    sealing_close(&host->sealing);
    free(host->nodes);
    free(host->rows.data);
    outbox_close(&host->out);
    bearing_source_close(host->bearings);
    chain_close(host->chain);
    if (host->node_count > 0)
        engine_close(&host->engine);
    memset(host, 0, sizeof *host);
}

int64_t host_lookahead_ns(const struct host *host) {
    int64_t least_ns = VTIME_NEVER;
    const struct topology *topology = host->config.topology;
    for (uint32_t i = 0; i < topology->link_count; i++) {
        const struct topology_link *link = &topology->links[i];
        if (!is_here(host, link->from) || is_here(host, link->to))
            continue;
        int64_t delay_ns = link_lookahead_ns(link->config);
        if (delay_ns < least_ns)
            least_ns = delay_ns;
    }
    return least_ns;
}

/* ---- the end ---- */

static void add_failures(struct host *host, const struct host_node *node) {
    struct row row = {.kind = ROW_RESULT,
                      .as.result = {.node = node->totals.node,
                                    .name = "ledger_failures",
                                    .value = (double)node->ledger_failures}};
    if (node->ledger_failures > 0)
        host_add_row(host, &row);
}

static void add_link_rows(struct host *host, const struct host_node *node) {
    const struct topology_node *info = &host->config.topology->nodes[node->totals.node];
    for (uint32_t i = 0; i < node->card.link_count; i++) {
        const struct link_counters *c = link_counters(node->card.links[i]);
        const struct topology_link *link = &host->config.topology->links[info->first_link + i];
        struct row row = {.kind = ROW_LINK,
                          .as.link = {.link = info->first_link + i,
                                      .from = link->from,
                                      .to = link->to,
                                      .offered = c->offered,
                                      .refused = c->refused,
                                      .departed = c->departed,
                                      .delivered = c->delivered,
                                      .lost = c->lost,
                                      .corrupted = c->corrupted,
                                      .cut = c->cut,
                                      .duplicated = c->duplicated,
                                      .bits = c->bits,
                                      .busy_ns = c->busy_ns,
                                      .air_s = c->air_s,
                                      .energy_j = c->energy_j,
                                      .queue_area_s = c->queue_area_s,
                                      .wait_s = c->wait_s,
                                      .queue_peak = c->queue_peak}};
        host_add_row(host, &row);
    }
}

static void add_handler_row(struct host *host, const struct host_node *node, const char *name,
                            const struct host_handler *handler) {
    if (name == NULL || handler->calls == 0)
        return;
    struct row row = {.kind = ROW_HANDLER,
                      .as.handler = {.node = node->totals.node,
                                     .calls = handler->calls,
                                     .least_s = (double)handler->least_ns * 1e-9,
                                     .wall_s = (double)handler->wall_ns * 1e-9}};
    snprintf(row.as.handler.name, sizeof row.as.handler.name, "%s", name);
    host_add_row(host, &row);
}

static void add_handler_rows(struct host *host, const struct host_node *node) {
    for (uint32_t type = 0; type < MESSAGE_COUNT; type++)
        add_handler_row(host, node, message_info(type)->name, &node->on_message[type]);
    for (uint32_t timer = 0; timer < NODE_TIMERS_MAX; timer++)
        add_handler_row(host, node, node->hosting.class->timer_names[timer], &node->on_timer[timer]);
}

const uint8_t *host_take_final(void *context, size_t *size) {
    struct host *host = context;
    for (uint32_t id = 0; id < host->node_count; id++) {
        struct host_node *node = &host->nodes[id];
        struct error error;
        if (node->mode == NODE_ABSENT)
            continue;
        if (node->mode == NODE_UP)
            (void)hosting_totals(&node->hosting, &node->totals, &error); /* a dead child has nothing to add */
        if (host->config.keyring != NULL)
            node->totals.join = host->config.keyring->nodes[id].verdict;
        host_add_row(host, &(struct row){.kind = ROW_NODE, .as.node = node->totals});
        add_failures(host, node);
        add_link_rows(host, node);
        add_handler_rows(host, node);
    }
    return host_take_rows(host, size);
}
