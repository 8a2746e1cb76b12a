/* host_faults: the fault schedule, applied to the nodes and network cards of this process. */
#include "nodes/host.h"
#include "nodes/hosting_ledger.h"

/* Fault schedules are data: every one is an event of the node it concerns, at its own virtual time. */
static void post(struct host *host, uint32_t node, enum wire_kind kind, uint32_t fault, int64_t at_ns) {
    struct wire wire = {.kind = (uint8_t)kind, .source = node, .index = fault};
    engine_post(&host->engine, node, node, at_ns, &wire, sizeof wire);
}

static bool concerns(const struct host *host, const struct scenario_fault *fault, uint32_t node) {
    const struct topology *topology = host->config.topology;
    const struct scenario *scenario = host->config.scenario;
    if (fault_on_node(fault->kind))
        return topology_selects(topology, scenario, fault->node, node);
    if (topology_selects(topology, scenario, fault->from, node))
        return true;
    return fault->kind == FAULT_PARTITION && !fault->one_way &&
           topology_selects(topology, scenario, fault->to, node);
}

/* Was the crash of `node` at `at_ns` followed by a restart before `before_ns`? */
static bool is_mended(const struct host *host, uint32_t node, int64_t at_ns, int64_t before_ns) {
    const struct scenario *scenario = host->config.scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_fault *fault = &scenario->faults[i];
        if (fault->kind == FAULT_RESTART && fault->at_ns > at_ns && fault->at_ns < before_ns &&
            concerns(host, fault, node))
            return true;
    }
    return false;
}

/* When a fault begins in this run, which may begin later than its timeline: what lasts from before begins
 * with the run, what is over does not happen (VTIME_NEVER). */
static int64_t begins_ns(const struct host *host, const struct scenario_fault *fault, uint32_t node) {
    int64_t begin_ns = scenario_begin_ns(host->config.scenario);
    if (fault->at_ns >= begin_ns)
        return fault->at_ns;
    bool once = fault->kind == FAULT_RESTART ||
                (fault_on_ledger(fault->kind) && fault->kind != FAULT_DISK_FULL); /* over as soon as done */
    bool over = fault->kind == FAULT_CRASH ? is_mended(host, node, fault->at_ns, begin_ns)
                                           : once || fault->until_ns <= begin_ns;
    return over ? VTIME_NEVER : begin_ns;
}

enum status host_post_faults(struct host *host, uint32_t node) {
    const struct scenario *scenario = host->config.scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_fault *fault = &scenario->faults[i];
        int64_t at_ns = concerns(host, fault, node) ? begins_ns(host, fault, node) : VTIME_NEVER;
        if (at_ns == VTIME_NEVER)
            continue;
        host->nodes[node].wrong_clock |= fault->kind == FAULT_CLOCK;
        post(host, node, WIRE_FAULT_BEGIN, i, at_ns);
        bool ends =
            fault->kind != FAULT_CRASH && fault->kind != FAULT_RESTART && fault->until_ns != VTIME_NEVER;
        if (ends)
            post(host, node, WIRE_FAULT_END, i, fault->until_ns);
    }
    return STATUS_OK;
}

uint64_t host_crash(struct host *host, struct host_node *node) {
    if (node->mode == NODE_DOWN)
        return 0;
    if (node->mode == NODE_HUNG)
        hosting_pause(&node->hosting, false);
    hosting_kill(&node->hosting);
    node->mode = NODE_DOWN;
    node->card.incarnation = ++node->incarnation;
    node->totals.crashes++;
    return card_flush(&node->card, host->engine.now.time_ns);
}

static enum status restart(struct host *host, struct host_node *node) {
    if (node->mode != NODE_DOWN)
        return STATUS_OK;
    struct node_event event = {.now_ns = host->engine.now.time_ns};
    node->mode = NODE_UP;
    node->totals.restarts++;
    TRY(host_call(host, node, HOSTING_RESTART, &event));
    card_report_all(&node->card, &host->engine);
    return STATUS_OK;
}

static void hang(struct host_node *node, const struct scenario_fault *fault) {
    if (node->mode != NODE_UP)
        return;
    hosting_pause(&node->hosting, true);
    node->mode = NODE_HUNG;
    node->hung_until_ns = fault->until_ns;
    node->totals.hangs++;
}

static void go_on(struct host_node *node) {
    if (node->mode != NODE_HUNG)
        return;
    hosting_pause(&node->hosting, false);
    node->mode = NODE_UP;
}

/* A fault of a validator's disk. */
static enum status disk_fault(struct host_node *node, const struct scenario_fault *fault, bool begins,
                              struct error *error) {
    node->ledger.dir = node->ledger_dir;
    node->ledger.disk = node->hosting.disk;
    switch (fault->kind) {
    case FAULT_DISK_FULL:
        hosting_ledger_set_full(&node->hosting, begins);
        return STATUS_OK;
    case FAULT_LEDGER_CORRUPT:
        return ledger_damage_corrupt(&node->ledger, fault->file, error);
    case FAULT_LEDGER_ROLLBACK:
        return begins ? ledger_damage_copy(&node->ledger, error)
                      : ledger_damage_restore(&node->ledger, error);
    case FAULT_LEDGER_WIPE:
        return ledger_damage_wipe(&node->ledger, error);
    case FAULT_LEDGER_UNLINK:
        return ledger_damage_unlink(&node->ledger, fault->file, error);
    default:
        return STATUS_OK;
    }
}

enum status host_fault(struct host *host, struct host_node *node, const struct engine_event *event,
                       const struct wire *wire) {
    const struct scenario_fault *fault = &host->config.scenario->faults[wire->index];
    bool begins = wire->kind == WIRE_FAULT_BEGIN;
    enum status status = STATUS_OK;
    uint64_t lost = 0;
    if (fault->kind == FAULT_CRASH)
        lost = host_crash(host, node);
    else if (fault->kind == FAULT_RESTART)
        status = restart(host, node);
    else if (fault->kind == FAULT_HANG && begins)
        hang(node, fault);
    else if (fault->kind == FAULT_HANG)
        go_on(node);
    else if (fault_on_ledger(fault->kind))
        status = disk_fault(node, fault, begins, host->error);
    else if (fault->kind != FAULT_CLOCK) /* that is looked up (clock.h) */
        card_fault(&node->card, &host->engine, wire->index, begins);
    struct row row = {.kind = ROW_FAULT,
                      .as.fault = {.at_ns = event->key.time_ns,
                                   .fault = wire->index,
                                   .node = event->node,
                                   .begin = begins,
                                   .lost = lost}};
    host_add_row(host, &row);
    return status;
}
