/* The tables of the page. Wide ones scroll inside their panel, so that the page itself never does. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/record/manifest.h"
#include "common/record/reader.h"
#include "common/record/report_parts.h"
#include "common/time/vtime.h"

#define LINK_ROWS_MAX 400
#define PROCESS_ROWS_MAX 64

/* `extra_class`: "" or " NAME". */
static void panel_open(struct markup *out, const char *extra_class, const char *title, const char *caption) {
    markup_format(out, "<section class=\"panel%s\"><h2>", extra_class);
    markup_text(out, title);
    markup_raw(out, "</h2>\n");
    if (caption[0] != '\0') {
        markup_raw(out, "<p class=\"caption\">");
        markup_text(out, caption);
        markup_raw(out, "</p>\n");
    }
}

/* `columns`: names apart by '|'; one that starts with '<' is text and stands left. */
static void table_open(struct markup *out, const char *label, const char *columns) {
    markup_raw(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    markup_text(out, label);
    markup_raw(out, "\"><table><thead><tr>");
    while (*columns != '\0') {
        size_t length = strcspn(columns, "|");
        bool text = *columns == '<';
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(length - text), columns + text);
        markup_raw(out, text ? "<th class=\"t\" scope=\"col\">" : "<th scope=\"col\">");
        markup_text(out, name);
        markup_raw(out, "</th>");
        columns += length + (columns[length] == '|');
    }
    markup_raw(out, "</tr></thead><tbody>\n");
}

static void table_close(struct markup *out) {
    markup_raw(out, "</tbody></table></div>\n");
}

static void cell_text(struct markup *out, const char *text) {
    markup_raw(out, "<td class=\"t\">");
    markup_text(out, text);
    markup_raw(out, "</td>");
}

static void cell_count(struct markup *out, uint64_t value) {
    markup_raw(out, "<td>");
    markup_count(out, value);
    markup_raw(out, "</td>");
}

static void cell_number(struct markup *out, double value) {
    markup_raw(out, "<td>");
    if (isfinite(value))
        markup_quantity(out, value);
    markup_raw(out, "</td>");
}

static void cell_time(struct markup *out, int64_t time_ns) {
    markup_raw(out, "<td>");
    if (time_ns != VTIME_NEVER)
        markup_number(out, vtime_to_s(time_ns), 6);
    markup_raw(out, "</td>");
}

/* A table made by one query: the first `texts` columns are text, the rest numbers. */
struct query_table {
    struct markup *out;
    int texts, rows;
};

static enum status query_row(sqlite3_stmt *row, void *context) {
    struct query_table *table = context;
    markup_raw(table->out, "<tr>");
    for (int column = 0; column < sqlite3_column_count(row); column++) {
        if (column < table->texts) {
            char text[160];
            reader_text(row, column, text, sizeof text);
            cell_text(table->out, text);
        } else if (sqlite3_column_type(row, column) == SQLITE_INTEGER) {
            cell_count(table->out, reader_count(row, column));
        } else {
            cell_number(table->out, reader_real(row, column));
        }
    }
    markup_raw(table->out, "</tr>\n");
    table->rows++;
    return STATUS_OK;
}

#define LINK_COLUMNS                                                                                         \
    "offered|delivered|lost|corrupted|cut|refused|duplicated|mean wait (ms)|busy (%)|peak queue|energy (J)"
#define LINK_SUMS                                                                                            \
    " SUM(t.offered), SUM(t.delivered), SUM(t.lost), SUM(t.corrupted), SUM(t.cut), SUM(t.refused),"          \
    " SUM(t.duplicated), SUM(t.wait_s) * 1e3 / NULLIF(SUM(t.departed), 0),"                                  \
    " SUM(t.busy_ns) * 1e2 / COUNT(*) / (SELECT NULLIF(value, 0) FROM meta WHERE key = 'virtual_ns'),"       \
    " MAX(t.queue_peak), SUM(t.energy_j) FROM links l JOIN link_totals t ON t.link_id = l.link_id"

static enum status link_details(struct markup *out, const struct report_data *data, struct error *error) {
    char sql[1024];
    struct query_table table = {.out = out, .texts = 3};
    markup_raw(out, "<details><summary>Each link</summary>\n");
    table_open(out, "Links", "<from|<to|<kind|" LINK_COLUMNS);
    snprintf(sql, sizeof sql,
             "SELECT l.from_name, l.to_name, l.kind, %s GROUP BY l.link_id ORDER BY l.link_id LIMIT %d",
             LINK_SUMS, LINK_ROWS_MAX);
    enum status status = reader_each(data->db, sql, query_row, &table, error);
    table_close(out);
    if (data->summary.links > LINK_ROWS_MAX)
        markup_format(out,
                      "<p class=\"caption\">The first %d of %" PRIu64 "; all are in metrics.sqlite.</p>\n",
                      LINK_ROWS_MAX, data->summary.links);
    markup_raw(out, "</details>\n");
    return status;
}

void report_links(struct markup *out, const struct report_data *data, struct error *error,
                  enum status *status) {
    struct query_table table = {.out = out, .texts = 3};
    if (*status != STATUS_OK)
        return;
    panel_open(out, "", "Links",
               "Packets from group to group. Waiting is the time in the queue before transmission.");
    table_open(out, "Links by group", "<from|<to|<kind|links|" LINK_COLUMNS);
    *status = reader_each(data->db,
                          "SELECT l.from_group, l.to_group, l.kind, COUNT(*)," LINK_SUMS
                          " GROUP BY l.from_group, l.to_group, l.kind ORDER BY MIN(l.link_id)",
                          query_row, &table, error);
    table_close(out);
    if (table.rows == 0)
        markup_raw(out,
                   "<p class=\"caption\">Not recorded: the run ended before its links could report.</p>\n");
    else if (*status == STATUS_OK)
        *status = link_details(out, data, error);
    markup_raw(out, "</section>\n");
}

static enum status take_lookahead(sqlite3_stmt *row, void *context) {
    struct markup *out = context;
    char from[64], to[64];
    reader_text(row, 1, from, sizeof from);
    reader_text(row, 2, to, sizeof to);
    markup_raw(out, "<p class=\"caption\">Lookahead is bounded by the shortest link delay: ");
    markup_quantity(out, (double)reader_count(row, 0) / 1e6);
    markup_raw(out, " ms, ");
    markup_text(out, from);
    markup_raw(out, " to ");
    markup_text(out, to);
    markup_raw(out, ". A longer shortest delay means fewer and larger windows.</p>\n");
    return STATUS_OK;
}

static void lateness(struct markup *out, const struct summary *summary) {
    if (strcmp(summary->clock, "wall") != 0)
        return;
    markup_raw(out, "<p class=\"caption\">Wall clock: deliveries were late by ");
    markup_quantity(out, 1e3 * summary->late_p50_s);
    markup_raw(out, " ms (p50), ");
    markup_quantity(out, 1e3 * summary->late_p99_s);
    markup_raw(out, " ms (p99), ");
    markup_quantity(out, 1e3 * summary->late_max_s);
    markup_raw(out, " ms at most, in the worst process.</p>\n");
}

void report_processes(struct markup *out, const struct report_data *data, struct error *error,
                      enum status *status) {
    char sql[512];
    struct query_table table = {.out = out, .texts = 0};
    if (*status != STATUS_OK)
        return;
    panel_open(out, "", "Processes",
               "Where the wall-clock time went. Waiting: for grants of time and for messages.");
    *status =
        reader_each(data->db,
                    "SELECT delay_ns, from_group, to_group FROM links WHERE kind <> 'ideal' AND delay_ns > 0"
                    " ORDER BY delay_ns, link_id LIMIT 1",
                    take_lookahead, out, error);
    lateness(out, &data->summary);
    table_open(
        out, "Processes",
        "rank|nodes|events|windows|events per window|busy (s)|waiting (s)|waiting (%)|batches sent|sent (kB)|"
        "late p99 (ms)|peak memory (MB)");
    snprintf(sql, sizeof sql,
             "SELECT rank, nodes, events, windows, events * 1.0 / NULLIF(windows, 0), busy_s, wait_s,"
             " wait_s * 100 / NULLIF(busy_s + wait_s, 0), batches_sent, bytes_sent / 1e3, late_p99_s * 1e3,"
             " peak_rss_bytes / 1e6 FROM processes ORDER BY rank LIMIT %d",
             PROCESS_ROWS_MAX);
    if (*status == STATUS_OK)
        *status = reader_each(data->db, sql, query_row, &table, error);
    table_close(out);
    if (data->summary.process_rows > PROCESS_ROWS_MAX)
        markup_format(out,
                      "<p class=\"caption\">The first %d of %" PRIu64 "; all are in metrics.sqlite.</p>\n",
                      PROCESS_ROWS_MAX, data->summary.process_rows);
    if (table.rows == 0)
        markup_raw(
            out, "<p class=\"caption\">Not recorded: the run ended before its processes could report.</p>\n");
    markup_raw(out, "</section>\n");
}

/* Whole numbers, as counts of parameters or bytes, in full. */
static void cell_figure(struct markup *out, double value) {
    markup_raw(out, "<td>");
    if (!isfinite(value)) {
        markup_raw(out, "<span class=\"warn\">not finite</span>");
    } else if (fabs(value) < 1e15 && floor(value) == value) {
        markup_raw(out, value < 0 ? "-" : "");
        markup_count(out, (uint64_t)fabs(value));
    } else {
        markup_figure(out, value, 6);
    }
    markup_raw(out, "</td>");
}

static void result_row(struct markup *out, const struct summary_result *result, bool several) {
    markup_raw(out, "<tr>");
    cell_text(out, result->name);
    cell_figure(out, result->mean);
    cell_text(out, result->unit);
    if (several)
        cell_count(out, result->nodes);
    if (several && result->nodes > 1) {
        cell_figure(out, result->least);
        cell_figure(out, result->most);
    } else if (several) {
        markup_raw(out, "<td></td><td></td>");
    }
    markup_raw(out, "</tr>\n");
}

void report_results(struct markup *out, const struct report_data *data) {
    const struct summary *summary = &data->summary;
    bool several = false;
    for (uint32_t i = 0; i < summary->result_count; i++)
        several = several || summary->results[i].nodes > 1;
    panel_open(out, " results", "Results",
               several ? "What nodes recorded; means over nodes." : "What nodes recorded.");
    table_open(out, "Results", several ? "<name|value|<unit|nodes|least|most" : "<name|value|<unit");
    for (uint32_t i = 0; i < summary->result_count; i++)
        result_row(out, &summary->results[i], several);
    table_close(out);
    if (summary->result_names > summary->result_count)
        markup_format(out,
                      "<p class=\"caption\">The first %" PRIu32 " of %" PRIu64
                      "; all are in metrics.sqlite.</p>\n",
                      summary->result_count, summary->result_names);
    markup_raw(out, "</section>\n");
}

void report_identity(struct markup *out, const struct report_data *data, struct error *error,
                     enum status *status) {
    char sql[512];
    struct query_table table = {.out = out, .texts = 3};
    if (*status != STATUS_OK || !summary_has_strangers(&data->summary))
        return;
    panel_open(out, "", "Identity",
               "Nodes that were not admitted to the run, and messages that nodes dropped for what they are.");
    table_open(out, "Identity", "<node|<role|<admission|join refused|unsealed|replayed|forbidden");
    snprintf(sql, sizeof sql,
             "SELECT n.name, n.role, t.admission, t.join_refused, t.unsealed, t.replayed, t.forbidden"
             " FROM node_totals t JOIN nodes n ON n.node_id = t.node_id WHERE t.admission <> 'admitted'"
             " OR t.join_refused + t.unsealed + t.replayed + t.forbidden > 0 ORDER BY n.node_id LIMIT %d",
             LINK_ROWS_MAX);
    *status = reader_each(data->db, sql, query_row, &table, error);
    table_close(out);
    markup_raw(out, "</section>\n");
}

void report_faults(struct markup *out, const struct report_data *data) {
    if (data->fault_count == 0)
        return;
    panel_open(out, "", "Faults", "The schedule as it was carried out, in virtual time.");
    table_open(out, "Faults", "<kind|<target|from (s)|to (s)|value|nodes|lost with it");
    for (size_t i = 0; i < data->fault_count; i++) {
        const struct report_fault *fault = &data->faults[i];
        markup_raw(out, "<tr>");
        cell_text(out, fault->kind);
        cell_text(out, fault->target);
        cell_time(out, fault->begin_ns);
        cell_time(out, fault->end_ns);
        cell_number(out, fault->value);
        cell_count(out, fault->nodes);
        cell_count(out, fault->lost);
        markup_raw(out, "</tr>\n");
    }
    table_close(out);
    markup_raw(out, "</section>\n");
}

static void manifest_row(struct markup *out, const char *label, const char *value) {
    markup_raw(out, "<tr><td>");
    markup_text(out, label);
    markup_raw(out, "</td><td>");
    markup_text(out, value);
    markup_raw(out, "</td></tr>\n");
}

static void manifest_rows(struct markup *out, const char *prefix, const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        char label[96], text[64];
        snprintf(label, sizeof label, "%s%s%s", prefix, prefix[0] != '\0' ? " " : "", key);
        for (char *at = label; *at != '\0'; at++)
            *at = *at == '_' ? ' ' : *at;
        if (json_is_object(value)) {
            manifest_rows(out, key, value);
        } else if (json_is_integer(value)) {
            snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
            manifest_row(out, label, text);
        } else if (json_is_real(value)) {
            struct markup number;
            markup_init(&number);
            markup_number(&number, json_real_value(value), 6);
            manifest_row(out, label, number.data != NULL ? number.data : "");
            markup_close(&number);
        } else if (json_is_string(value)) {
            manifest_row(out, label, json_string_value(value));
        }
    }
}

void report_manifest(struct markup *out, const struct report_data *data, const char *dir) {
    const char *command = manifest_text(data->manifest, "command_line", "");
    panel_open(out, "", "How to repeat",
               "The same scenario and seed give the same digest, on any number of processes.");
    markup_raw(out, "<pre><code>");
    if (command[0] != '\0') {
        markup_text(out, command);
        markup_raw(out, "\n");
    }
    markup_raw(out, "tierbed run ");
    markup_text(out, dir);
    markup_raw(out, "/scenario.yaml</code></pre>\n<details><summary>Manifest: what made this run</summary>\n"
                    "<table class=\"wrap\"><tbody>\n");
    manifest_rows(out, "", data->manifest);
    markup_raw(out, "</tbody></table></details></section>\n");
}
