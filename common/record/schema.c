#include "common/record/schema.h"

#include <stddef.h>

static const char meta_table[] = "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID";

static const char levels_table[] =
    "CREATE TABLE levels (level INTEGER PRIMARY KEY, criticality REAL, deadline_ns INTEGER)";

static const char nodes_table[] = "CREATE TABLE nodes (node_id INTEGER PRIMARY KEY, name TEXT UNIQUE, role "
                                  "TEXT, group_name TEXT, parent_id INTEGER)";

static const char links_table[] =
    "CREATE TABLE links (link_id INTEGER PRIMARY KEY, from_id INTEGER, to_id INTEGER, from_name TEXT, "
    "to_name TEXT,"
    " from_group TEXT, to_group TEXT, kind TEXT, delay_ns INTEGER, rate_bps REAL, bandwidth_hz REAL,"
    " queue_max INTEGER)";

static const char tasks_table[] =
    "CREATE TABLE tasks (device_id INTEGER, slot INTEGER, level INTEGER, true_class TEXT, born_ns INTEGER,"
    " gathered_ns INTEGER, decided_ns INTEGER, uplink_start_ns INTEGER, uplink_end_ns INTEGER,"
    " compute_start_ns INTEGER, compute_end_ns INTEGER, answered_ns INTEGER, place TEXT, drop_reason TEXT,"
    " class TEXT, confidence REAL, energy_device_j REAL, energy_gateway_j REAL, energy_uplink_j REAL,"
    " energy_edge_j REAL, closed_form_ns INTEGER, deadline_ns INTEGER)";

static const char node_totals_table[] =
    "CREATE TABLE node_totals (node_id INTEGER, events INTEGER, sent INTEGER, received INTEGER,"
    " protocol_errors INTEGER, dropped_down INTEGER, crashes INTEGER, restarts INTEGER, hangs INTEGER, "
    "digest TEXT,"
    " busy_ns INTEGER, energy_j REAL, admission TEXT, join_refused INTEGER, unsealed INTEGER, replayed INTEGER,"
    " forbidden INTEGER)";

static const char link_totals_table[] =
    "CREATE TABLE link_totals (link_id INTEGER, offered INTEGER, refused INTEGER, departed INTEGER,"
    " delivered INTEGER, lost INTEGER, corrupted INTEGER, cut INTEGER, duplicated INTEGER, bits INTEGER,"
    " busy_ns INTEGER, air_s REAL, energy_j REAL, queue_area_s REAL, wait_s REAL, queue_peak INTEGER)";

static const char faults_table[] =
    "CREATE TABLE faults (at_ns INTEGER, fault INTEGER, kind TEXT, phase TEXT, node_id INTEGER, target TEXT,"
    " value REAL, lost_count INTEGER)";

static const char processes_table[] =
    "CREATE TABLE processes (rank INTEGER, nodes INTEGER, events INTEGER, windows INTEGER, batches_sent "
    "INTEGER,"
    " bytes_sent INTEGER, busy_s REAL, wait_s REAL, peak_rss_bytes INTEGER, late_p50_s REAL, late_p99_s REAL,"
    " late_max_s REAL)";

static const char series_table[] =
    "CREATE TABLE series (node_id INTEGER, name TEXT, step INTEGER, value REAL)";

static const char handlers_table[] =
    "CREATE TABLE handlers (node_id INTEGER, handler TEXT, calls INTEGER, least_s REAL, wall_s REAL)";

static const char results_table[] = "CREATE TABLE results (node_id INTEGER, name TEXT, value REAL, unit TEXT,"
                                    " PRIMARY KEY (name, node_id)) WITHOUT ROWID";

static const char tasks_view[] =
    "CREATE VIEW v_tasks AS SELECT t.device_id, d.name AS device, g.node_id AS gateway_id, g.name AS "
    "gateway, t.slot,"
    " t.level, l.criticality, t.place,"
    " CASE WHEN t.answered_ns IS NULL THEN 'in-flight' WHEN t.drop_reason = 'none' THEN 'done' ELSE "
    "'dropped' END"
    " AS outcome, t.drop_reason, t.true_class, t.class,"
    " CASE WHEN t.drop_reason IN ('none', 'deadline') THEN t.class = t.true_class END AS right, t.confidence,"
    " t.born_ns, (t.answered_ns - t.born_ns) / 1e6 AS delay_ms, t.deadline_ns / 1e6 AS deadline_ms,"
    " (t.gathered_ns - t.born_ns) / 1e6 AS gather_ms, (t.decided_ns - t.gathered_ns) / 1e6 AS collect_ms,"
    " (t.uplink_start_ns - t.decided_ns) / 1e6 AS uplink_wait_ms,"
    " (t.uplink_end_ns - t.uplink_start_ns) / 1e6 AS uplink_ms,"
    " (t.compute_end_ns - t.compute_start_ns) / 1e6 AS compute_ms,"
    " (t.compute_end_ns - t.decided_ns) / 1e6 AS service_ms,"
    " (t.answered_ns - t.compute_end_ns) / 1e6 AS answer_ms,"
    " CASE t.place WHEN 'edge' THEN t.uplink_end_ns - t.decided_ns + t.compute_end_ns - t.compute_start_ns"
    " WHEN 'gateway' THEN t.compute_end_ns - t.decided_ns WHEN 'device' THEN t.compute_end_ns - t.decided_ns "
    "END AS measured_ns, t.closed_form_ns,"
    " t.energy_device_j + t.energy_gateway_j + t.energy_uplink_j + t.energy_edge_j AS energy_j"
    " FROM tasks t JOIN nodes d ON d.node_id = t.device_id LEFT JOIN nodes g ON g.node_id = d.parent_id"
    " LEFT JOIN levels l ON l.level = t.level";

/* Percentiles by nearest rank, as in the summary: the value at position ceil(p n) of the sorted delays. */
#define DELAY_VIEW(name, column)                                                                             \
    "CREATE VIEW " name " AS WITH ranked AS (SELECT " column ", delay_ms,"                                   \
    " ROW_NUMBER() OVER (PARTITION BY " column " ORDER BY delay_ms) AS position,"                            \
    " COUNT(*) OVER (PARTITION BY " column ") AS n FROM v_tasks WHERE outcome = 'done')"                     \
    " SELECT " column ", n AS done, AVG(delay_ms) AS delay_mean_ms,"                                         \
    " MIN(CASE WHEN position * 100 >= n * 50 THEN delay_ms END) AS delay_p50_ms,"                            \
    " MIN(CASE WHEN position * 100 >= n * 99 THEN delay_ms END) AS delay_p99_ms, MAX(delay_ms) AS "          \
    "delay_max_ms"                                                                                           \
    " FROM ranked GROUP BY " column " ORDER BY " column

static const char level_view[] = DELAY_VIEW("v_delay_by_level", "level");
static const char place_view[] = DELAY_VIEW("v_delay_by_place", "place");

static const char slots_view[] =
    "CREATE VIEW v_slots AS SELECT slot, COUNT(*) AS tasks, SUM(outcome = 'done') AS done,"
    " SUM(outcome = 'dropped') AS dropped, SUM(outcome = 'in-flight') AS in_flight, SUM(place = 'edge') AS "
    "at_edge,"
    " SUM(place = 'gateway') AS at_gateway, SUM(place = 'device') AS at_device, AVG(CASE outcome WHEN 'done' "
    "THEN delay_ms END) AS delay_mean_ms,"
    " SUM(energy_j) AS energy_j FROM v_tasks GROUP BY slot ORDER BY slot";

static const char links_view[] =
    "CREATE VIEW v_links AS SELECT l.link_id, l.from_name, l.to_name, l.from_group, l.to_group, l.kind, "
    "t.offered,"
    " t.refused, t.departed, t.delivered, t.lost, t.corrupted, t.cut, t.duplicated, t.bits,"
    " t.busy_ns / 1e9 AS busy_s, t.air_s, t.energy_j,"
    " CASE WHEN t.departed > 0 THEN t.wait_s / t.departed * 1e3 END AS wait_mean_ms, t.queue_peak"
    " FROM links l JOIN link_totals t ON t.link_id = l.link_id";

const char *const schema_statements[] = {
    meta_table,        levels_table, nodes_table,     links_table,  tasks_table,   node_totals_table,
    link_totals_table, faults_table, processes_table, series_table, results_table, handlers_table,
    tasks_view,        level_view,   place_view,      slots_view,   links_view,    NULL};

const char *const schema_indexes[] = {"CREATE INDEX tasks_by_device ON tasks (device_id, slot)",
                                      "CREATE INDEX tasks_by_slot ON tasks (slot, device_id)",
                                      "CREATE INDEX series_by_name ON series (name, node_id, step, value)",
                                      NULL};

const char *const schema_tables[] = {"meta",
                                     "levels",
                                     "nodes",
                                     "links",
                                     "tasks",
                                     "node_totals",
                                     "link_totals",
                                     "faults",
                                     "processes",
                                     "series",
                                     "results",
                                     "handlers",
                                     "v_tasks",
                                     "v_delay_by_level",
                                     "v_delay_by_place",
                                     "v_slots",
                                     "v_links",
                                     NULL};
