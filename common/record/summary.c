#include "common/record/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/topology.h"
#include "common/record/reader.h"
#include "common/record/summary_parts.h"
#include "common/time/vtime.h"

struct values {
    double *items;
    size_t count, capacity;
};

struct task_sums {
    struct summary *summary;
    struct values delay_ms, service_ms;
    double closed_sum_ns;
};

static enum status values_add(struct values *values, double value) {
    if (values->count == values->capacity) {
        size_t capacity = values->capacity == 0 ? 1024 : 2 * values->capacity;
        double *items = realloc(values->items, capacity * sizeof *items);
        if (items == NULL)
            return STATUS_MEMORY;
        values->items = items;
        values->capacity = capacity;
    }
    values->items[values->count++] = value;
    return STATUS_OK;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static struct summary_delay describe(struct values *values) {
    struct summary_delay delay = {
        .count = values->count, .mean_ms = NAN, .p50_ms = NAN, .p99_ms = NAN, .max_ms = NAN};
    if (values->count == 0)
        return delay;
    double sum = 0;
    qsort(values->items, values->count, sizeof *values->items, ascending);
    for (size_t i = 0; i < values->count; i++)
        sum += values->items[i];
    delay.mean_ms = sum / (double)values->count;
    delay.p50_ms = values->items[(values->count * 50 + 99) / 100 - 1];
    delay.p99_ms = values->items[(values->count * 99 + 99) / 100 - 1];
    delay.max_ms = values->items[values->count - 1];
    return delay;
}

static bool known(int64_t time_ns) {
    return time_ns != VTIME_NEVER;
}

int64_t summary_closed_form_gap_ns(const struct row_task *task) {
    const struct task_header *at = &task->task;
    if (!known(task->closed_form_ns) || !known(at->decided_ns) || !known(at->compute_end_ns))
        return VTIME_NEVER;
    int64_t measured_ns = at->compute_end_ns - at->decided_ns;
    if (task->place == PLACE_EDGE) {
        if (!known(at->uplink_start_ns) || !known(at->uplink_end_ns) || !known(at->compute_start_ns))
            return VTIME_NEVER;
        /* The queue at the edge and the uplink's propagation are not part of eq (16). */
        measured_ns = at->uplink_end_ns - at->decided_ns + at->compute_end_ns - at->compute_start_ns;
    }
    int64_t gap_ns = measured_ns - task->closed_form_ns;
    return gap_ns < 0 ? -gap_ns : gap_ns;
}

static void add_outcome(struct summary *summary, const struct row_task *task) {
    summary->born++;
    if (!known(task->answered_ns)) {
        summary->in_flight++;
        return;
    }
    summary->drop[task->drop]++;
    summary->dropped += task->drop != DROP_NONE;
    summary->done += task->drop == DROP_NONE;
    summary->at_device += task->drop == DROP_NONE && task->place == PLACE_DEVICE;
    summary->at_gateway += task->drop == DROP_NONE && task->place == PLACE_GATEWAY;
    summary->at_edge += task->drop == DROP_NONE && task->place == PLACE_EDGE;
    bool processed = task->drop == DROP_NONE || task->drop == DROP_DEADLINE;
    if (processed && task->class < BEARING_CLASS_COUNT && task->task.true_class < BEARING_CLASS_COUNT) {
        summary->processed++;
        summary->right += task->class == task->task.true_class;
        summary->confusion[task->task.true_class][task->class]++;
    }
}

static double or_zero(double value) {
    return isfinite(value) ? value : 0;
}

static enum status add_task(const struct row_task *task, void *context) {
    struct task_sums *sums = context;
    struct summary *summary = sums->summary;
    add_outcome(summary, task);
    summary->energy_device_j += or_zero(task->energy_device_j);
    summary->energy_gateway_j += or_zero(task->energy_gateway_j);
    summary->energy_uplink_j += or_zero(task->energy_uplink_j);
    summary->energy_edge_j += or_zero(task->energy_edge_j);
    int64_t gap_ns = summary_closed_form_gap_ns(task);
    if (known(gap_ns)) {
        summary->closed_count++;
        summary->closed_within_1_ns += gap_ns <= 1;
        summary->closed_max_ns = fmax(summary->closed_max_ns, (double)gap_ns);
        sums->closed_sum_ns += (double)gap_ns;
    }
    if (!known(task->answered_ns) || task->drop != DROP_NONE)
        return STATUS_OK;
    if (known(task->task.born_ns))
        TRY(values_add(&sums->delay_ms, (double)(task->answered_ns - task->task.born_ns) / 1e6));
    if (known(task->task.decided_ns) && known(task->task.compute_end_ns))
        TRY(values_add(&sums->service_ms, (double)(task->task.compute_end_ns - task->task.decided_ns) / 1e6));
    return STATUS_OK;
}

static enum status load_tasks(sqlite3 *db, struct summary *summary, struct error *error) {
    struct task_sums sums = {.summary = summary};
    enum status status = reader_each_task(db, add_task, &sums, error);
    summary->delay = describe(&sums.delay_ms);
    summary->service = describe(&sums.service_ms);
    summary->closed_mean_ns =
        summary->closed_count > 0 ? sums.closed_sum_ns / (double)summary->closed_count : NAN;
    if (summary->closed_count == 0)
        summary->closed_max_ns = NAN;
    free(sums.delay_ms.items);
    free(sums.service_ms.items);
    return status;
}

/* Where a key of the table meta goes. */
struct meta_text {
    const char *key;
    size_t offset, size;
};

#define META_TEXT(field)                                                                                     \
    { #field, offsetof(struct summary, field), sizeof((struct summary *)NULL)->field }

static const struct meta_text meta_texts[] = {
    META_TEXT(scenario), META_TEXT(description), META_TEXT(seed),      META_TEXT(policy),
    META_TEXT(scheme),   META_TEXT(data_source), META_TEXT(transport), META_TEXT(clock),
    META_TEXT(status),   META_TEXT(message),     META_TEXT(digest)};

static enum status take_meta(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    char key[64];
    reader_text(row, 0, key, sizeof key);
    for (size_t i = 0; i < sizeof meta_texts / sizeof *meta_texts; i++)
        if (strcmp(key, meta_texts[i].key) == 0)
            reader_text(row, 1, (char *)summary + meta_texts[i].offset, meta_texts[i].size);
    if (strcmp(key, "processes") == 0)
        summary->processes = reader_count(row, 1);
    else if (strcmp(key, "slots") == 0)
        summary->slots = reader_count(row, 1);
    else if (strcmp(key, "events") == 0)
        summary->events = reader_count(row, 1);
    else if (strcmp(key, "windows") == 0)
        summary->windows = reader_count(row, 1);
    else if (strcmp(key, "slot_ns") == 0)
        summary->slot_s = vtime_to_s(sqlite3_column_int64(row, 1));
    else if (strcmp(key, "begin_ns") == 0)
        summary->begin_s = vtime_to_s(sqlite3_column_int64(row, 1));
    else if (strcmp(key, "virtual_ns") == 0)
        summary->virtual_s = vtime_to_s(sqlite3_column_int64(row, 1));
    else if (strcmp(key, "speed") == 0)
        summary->speed = reader_real(row, 1);
    else if (strcmp(key, "wall_s") == 0)
        summary->wall_s = reader_real(row, 1);
    else if (strcmp(key, "startup_s") == 0)
        summary->startup_s = reader_real(row, 1);
    return STATUS_OK;
}

static enum status take_role(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    char role[32];
    uint64_t count = reader_count(row, 1), rows = reader_count(row, 2);
    double busy = (double)reader_count(row, 3) / 1e9 / ((double)count * summary->virtual_s);
    reader_text(row, 0, role, sizeof role);
    summary->nodes += count;
    if (strcmp(role, node_role_name(ROLE_DEVICE)) == 0)
        summary->devices = count;
    if (strcmp(role, node_role_name(ROLE_GATEWAY)) == 0) {
        summary->gateways = count;
        summary->busy_gateway = rows > 0 ? busy : NAN;
    }
    if (strcmp(role, node_role_name(ROLE_EDGE)) == 0) {
        summary->edges = count;
        summary->busy_edge = rows > 0 ? busy : NAN;
    }
    return STATUS_OK;
}

static enum status take_links(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    summary->links = reader_count(row, 0);
    return STATUS_OK;
}

/* Those into an edge server, from gateways or from devices directly below it. */
static enum status take_uplinks(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    uint64_t count = reader_count(row, 0), rows = reader_count(row, 1);
    if (rows > 0)
        summary->busy_uplink = (double)reader_count(row, 2) / 1e9 / ((double)count * summary->virtual_s);
    return STATUS_OK;
}

static enum status take_packets(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    summary->lost = reader_count(row, 0);
    summary->corrupted = reader_count(row, 1);
    summary->cut = reader_count(row, 2);
    summary->duplicated = reader_count(row, 3);
    summary->refused = reader_count(row, 4);
    return STATUS_OK;
}

static enum status take_nodes(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    summary->dropped_down = reader_count(row, 0);
    summary->protocol_errors = reader_count(row, 1);
    summary->crashes = reader_count(row, 2);
    summary->restarts = reader_count(row, 3);
    summary->hangs = reader_count(row, 4);
    summary->faults = reader_count(row, 5);
    return STATUS_OK;
}

static enum status take_identity(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    summary->not_admitted = reader_count(row, 0);
    summary->join_refused = reader_count(row, 1);
    summary->unsealed = reader_count(row, 2);
    summary->replayed = reader_count(row, 3);
    summary->forbidden = reader_count(row, 4);
    return STATUS_OK;
}

static enum status take_any(sqlite3_stmt *row, void *context) {
    *(bool *)context = reader_count(row, 0) > 0;
    return STATUS_OK;
}

/* Runs of versions without identities have no such columns. */
static enum status load_identity(sqlite3 *db, struct summary *summary, struct error *error) {
    bool has = false;
    TRY(reader_each(db, "SELECT COUNT(*) FROM pragma_table_info('node_totals') WHERE name = 'admission'",
                    take_any, &has, error));
    if (!has)
        return STATUS_OK;
    return reader_each(db,
                       "SELECT SUM(admission <> 'admitted'), SUM(join_refused), SUM(unsealed), SUM(replayed),"
                       " SUM(forbidden) FROM node_totals",
                       take_identity, summary, error);
}

static enum status take_processes(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    summary->process_rows = reader_count(row, 0);
    summary->process_busy_s = reader_real(row, 1);
    summary->process_wait_s = reader_real(row, 2);
    summary->peak_rss_bytes = reader_count(row, 3);
    summary->late_p50_s = reader_real(row, 4);
    summary->late_p99_s = reader_real(row, 5);
    summary->late_max_s = reader_real(row, 6);
    summary->process_wait_max_share = reader_real(row, 7);
    return STATUS_OK;
}

static enum status load_totals(sqlite3 *db, struct summary *summary, struct error *error) {
    TRY(reader_each(db,
                    "SELECT n.role, COUNT(*), COUNT(t.node_id), SUM(t.busy_ns) FROM nodes n"
                    " LEFT JOIN node_totals t ON t.node_id = n.node_id GROUP BY n.role",
                    take_role, summary, error));
    TRY(reader_each(db, "SELECT COUNT(*) FROM links", take_links, summary, error));
    TRY(reader_each(db,
                    "SELECT COUNT(*), COUNT(t.link_id), SUM(t.busy_ns) FROM links l"
                    " JOIN nodes a ON a.node_id = l.from_id JOIN nodes b ON b.node_id = l.to_id"
                    " LEFT JOIN link_totals t ON t.link_id = l.link_id"
                    " WHERE a.role IN ('gateway', 'device') AND b.role = 'edge'",
                    take_uplinks, summary, error));
    TRY(reader_each(
        db, "SELECT SUM(lost), SUM(corrupted), SUM(cut), SUM(duplicated), SUM(refused) FROM link_totals",
        take_packets, summary, error));
    TRY(reader_each(db,
                    "SELECT SUM(dropped_down), SUM(protocol_errors), SUM(crashes), SUM(restarts), SUM(hangs),"
                    " (SELECT COUNT(DISTINCT fault) FROM faults WHERE phase = 'begins') FROM node_totals",
                    take_nodes, summary, error));
    TRY(load_identity(db, summary, error));
    return reader_each(
        db,
        "SELECT COUNT(*), SUM(busy_s), SUM(wait_s), SUM(peak_rss_bytes), MAX(late_p50_s),"
        " MAX(late_p99_s), MAX(late_max_s), MAX(wait_s / NULLIF(busy_s + wait_s, 0)) FROM processes",
        take_processes, summary, error);
}

/* Slots that had begun by the end, for each device, without a row. */
static void count_unreported(struct summary *summary) {
    double begun = summary->slot_s > 0 ? floor(summary->virtual_s / summary->slot_s) : 0;
    double left =
        summary->slot_s > 0 ? (double)summary->slots - round(summary->begin_s / summary->slot_s) : 0;
    uint64_t slots = (uint64_t)fmax(fmin(begun, left), 0.0);
    uint64_t expected = summary->devices * slots;
    summary->unreported = expected > summary->born ? expected - summary->born : 0;
}

enum status summary_load(const char *dir, struct summary *summary, struct error *error) {
    sqlite3 *db = NULL;
    *summary = (struct summary){.busy_gateway = NAN,
                                .busy_uplink = NAN,
                                .busy_edge = NAN,
                                .wall_s = NAN,
                                .startup_s = NAN,
                                .process_wait_max_share = NAN};
    TRY(reader_open(dir, &db, error));
    enum status status = reader_each(db, "SELECT key, value FROM meta", take_meta, summary, error);
    summary->virtual_s = fmax(summary->virtual_s - summary->begin_s, 0.0);
    if (status == STATUS_OK)
        status = load_totals(db, summary, error);
    if (status == STATUS_OK)
        status = load_tasks(db, summary, error);
    if (status == STATUS_OK)
        status = summary_load_measured(db, summary, error);
    if (status == STATUS_OK)
        status = summary_load_chain(db, summary, error);
    sqlite3_close(db);
    count_unreported(summary);
    return status;
}

bool summary_has_strangers(const struct summary *summary) {
    return summary->not_admitted + summary->join_refused + summary->unsealed + summary->replayed +
               summary->forbidden >
           0;
}

bool summary_has_scheme(const struct summary *summary) {
    return summary->scheme[0] != '\0' && strcmp(summary->scheme, "none") != 0;
}

double summary_speed_up(const struct summary *summary) {
    return summary->wall_s > 0 ? summary->virtual_s / summary->wall_s : NAN;
}

double summary_events_per_s(const struct summary *summary) {
    return summary->wall_s > 0 ? (double)summary->events / summary->wall_s : NAN;
}

double summary_wait_share(const struct summary *summary) {
    double total_s = summary->process_busy_s + summary->process_wait_s;
    return total_s > 0 ? summary->process_wait_s / total_s : NAN;
}

double summary_accuracy(const struct summary *summary) {
    return summary->processed > 0 ? (double)summary->right / (double)summary->processed : NAN;
}
