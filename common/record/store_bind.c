#include "common/record/store_bind.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/record/names.h"
#include "common/time/vtime.h"

void bind_integer(struct binder *binder, int64_t value) {
    sqlite3_bind_int64(binder->statement, ++binder->column, value);
}

static void bind_count(struct binder *binder, uint64_t value) {
    bind_integer(binder, value > INT64_MAX ? INT64_MAX : (int64_t)value); /* SQLite has no unsigned */
}

void bind_time(struct binder *binder, int64_t time_ns) {
    if (time_ns == VTIME_NEVER)
        sqlite3_bind_null(binder->statement, ++binder->column);
    else
        bind_integer(binder, time_ns);
}

void bind_id(struct binder *binder, uint32_t id) {
    bind_time(binder, id == TOPOLOGY_NONE ? VTIME_NEVER : (int64_t)id);
}

void bind_real(struct binder *binder, double value) {
    sqlite3_bind_double(binder->statement, ++binder->column, value);
}

void bind_text(struct binder *binder, const char *text) {
    sqlite3_bind_text(binder->statement, ++binder->column, text, -1, SQLITE_STATIC);
}

static void bind_class(struct binder *binder, uint8_t class) {
    bind_text(binder, class == ROW_CLASS_NONE ? NULL : name_of_class(class));
}

const char *const bind_insert_sql[ROW_KIND_COUNT] = {
    [ROW_TASK] = "INSERT INTO tasks VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [ROW_NODE] = "INSERT INTO node_totals VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [ROW_LINK] = "INSERT INTO link_totals VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [ROW_FAULT] = "INSERT INTO faults VALUES (?,?,?,?,?,?,?,?)",
    [ROW_PROCESS] = "INSERT INTO processes VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    [ROW_SERIES] = "INSERT INTO series VALUES (?,?,?,?)",
    [ROW_RESULT] = "INSERT OR REPLACE INTO results VALUES (?,?,?,?)",
    [ROW_HANDLER] = "INSERT INTO handlers VALUES (?,?,?,?,?)"};

static void bind_task(struct binder *to, const struct row_task *row) {
    const struct task_header *task = &row->task;
    bind_integer(to, task->device);
    bind_integer(to, task->slot);
    bind_integer(to, task->level);
    bind_class(to, task->true_class);
    bind_time(to, task->born_ns);
    bind_time(to, task->gathered_ns);
    bind_time(to, task->decided_ns);
    bind_time(to, task->uplink_start_ns);
    bind_time(to, task->uplink_end_ns);
    bind_time(to, task->compute_start_ns);
    bind_time(to, task->compute_end_ns);
    bind_time(to, row->answered_ns);
    bind_text(to, name_of_place(row->place));
    bind_text(to, name_of_drop(row->drop));
    bind_class(to, row->class);
    bind_real(to, row->confidence);
    bind_real(to, row->energy_device_j);
    bind_real(to, row->energy_gateway_j);
    bind_real(to, row->energy_uplink_j);
    bind_real(to, row->energy_edge_j);
    bind_time(to, row->closed_form_ns);
    bind_time(to, row->deadline_ns);
}

static void bind_node(struct binder *to, const struct row_node *row) {
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, row->digest);
    bind_integer(to, row->node);
    bind_count(to, row->events);
    bind_count(to, row->sent);
    bind_count(to, row->received);
    bind_count(to, row->protocol_errors);
    bind_count(to, row->dropped_down);
    bind_count(to, row->crashes);
    bind_count(to, row->restarts);
    bind_count(to, row->hangs);
    sqlite3_bind_text(to->statement, ++to->column, digest, -1, SQLITE_TRANSIENT);
    bind_time(to, row->busy_ns);
    bind_real(to, row->energy_j);
    bind_text(to, name_of_join(row->join));
    bind_count(to, row->join_refused);
    bind_count(to, row->unsealed);
    bind_count(to, row->replayed);
    bind_count(to, row->forbidden);
}

static void bind_link(struct binder *to, const struct row_link *row) {
    bind_integer(to, row->link);
    bind_count(to, row->offered);
    bind_count(to, row->refused);
    bind_count(to, row->departed);
    bind_count(to, row->delivered);
    bind_count(to, row->lost);
    bind_count(to, row->corrupted);
    bind_count(to, row->cut);
    bind_count(to, row->duplicated);
    bind_count(to, row->bits);
    bind_time(to, row->busy_ns);
    bind_real(to, row->air_s);
    bind_real(to, row->energy_j);
    bind_real(to, row->queue_area_s);
    bind_real(to, row->wait_s);
    bind_integer(to, row->queue_peak);
}

static void bind_fault(struct binder *to, const struct record_config *config, const struct row_fault *row) {
    const struct scenario_fault *fault = &config->scenario->faults[row->fault];
    char target[3 * SCENARIO_NAME_MAX];
    bool on_link = !fault_on_node(fault->kind), both = fault->kind == FAULT_PARTITION && !fault->one_way;
    if (on_link)
        snprintf(target, sizeof target, "%s %s %s", fault->from, both ? "<->" : "->", fault->to);
    else if (row->node != TOPOLOGY_NONE)
        snprintf(target, sizeof target, "%s", config->topology->nodes[row->node].name);
    else
        snprintf(target, sizeof target, "%s", fault->node);
    bind_time(to, row->at_ns);
    bind_integer(to, row->fault);
    bind_text(to, name_of_fault_kind(fault->kind));
    bind_text(to, row->begin ? "begins" : "ends");
    bind_id(to, row->node);
    sqlite3_bind_text(to->statement, ++to->column, target, -1, SQLITE_TRANSIENT);
    if (fault->kind > FAULT_PARTITION && on_link)
        bind_real(to, fault->value);
    else if (fault->kind == FAULT_CLOCK)
        bind_real(to, vtime_to_s(fault->offset_ns));
    else
        bind_time(to, VTIME_NEVER); /* no value: NULL */
    bind_count(to, row->lost);
}

static void bind_process(struct binder *to, const struct row_process *row) {
    bind_integer(to, row->rank);
    bind_integer(to, row->nodes);
    bind_count(to, row->events);
    bind_count(to, row->windows);
    bind_count(to, row->batches_sent);
    bind_count(to, row->bytes_sent);
    bind_real(to, row->busy_s);
    bind_real(to, row->wait_s);
    bind_count(to, row->peak_rss_bytes);
    bind_real(to, row->late_p50_s);
    bind_real(to, row->late_p99_s);
    bind_real(to, row->late_max_s);
}

/* NULL where it is not finite: SQL has no such numbers, and aggregates skip NULL. */
static void bind_measured(struct binder *to, double value) {
    bind_real(to, isfinite(value) ? value : NAN); /* SQLite stores a NaN as NULL */
}

static void bind_series(struct binder *to, const struct row_series *row) {
    bind_integer(to, row->node);
    bind_text(to, row->name);
    bind_integer(to, row->step);
    bind_measured(to, row->value);
}

static void bind_result(struct binder *to, const struct row_result *row) {
    bind_integer(to, row->node);
    bind_text(to, row->name);
    bind_measured(to, row->value);
    bind_text(to, row->unit);
}

static void bind_handler(struct binder *to, const struct row_handler *row) {
    bind_integer(to, row->node);
    bind_text(to, row->name);
    bind_count(to, row->calls);
    bind_real(to, row->least_s);
    bind_real(to, row->wall_s);
}

void bind_row(struct binder *to, const struct record_config *config, const struct row *row) {
    switch (row->kind) {
    case ROW_TASK:
        bind_task(to, &row->as.task);
        break;
    case ROW_NODE:
        bind_node(to, &row->as.node);
        break;
    case ROW_LINK:
        bind_link(to, &row->as.link);
        break;
    case ROW_FAULT:
        bind_fault(to, config, &row->as.fault);
        break;
    case ROW_PROCESS:
        bind_process(to, &row->as.process);
        break;
    case ROW_SERIES:
        bind_series(to, &row->as.series);
        break;
    case ROW_RESULT:
        bind_result(to, &row->as.result);
        break;
    case ROW_HANDLER:
        bind_handler(to, &row->as.handler);
        break;
    case ROW_KIND_COUNT:
        break;
    }
}
