/* What nodes measured of themselves, in the summary: results and series by name. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/record/reader.h"
#include "common/record/summary_parts.h"

#define WHOLE_MAX 1e15

static enum status take_result(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    if (summary->result_names++ >= SUMMARY_RESULTS_MAX)
        return STATUS_OK;
    struct summary_result *result = &summary->results[summary->result_count++];
    reader_text(row, 0, result->name, sizeof result->name);
    reader_text(row, 1, result->unit, sizeof result->unit);
    result->nodes = reader_count(row, 2);
    result->mean = reader_real(row, 3);
    result->least = reader_real(row, 4);
    result->most = reader_real(row, 5);
    return STATUS_OK;
}

static enum status take_series(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    if (summary->series_names++ >= SUMMARY_SERIES_MAX)
        return STATUS_OK;
    struct summary_series *series = &summary->series[summary->series_count++];
    reader_text(row, 0, series->name, sizeof series->name);
    series->nodes = reader_count(row, 1);
    series->values = reader_count(row, 2);
    series->steps = reader_count(row, 3);
    series->not_finite = reader_count(row, 4);
    series->last_step = sqlite3_column_int64(row, 5);
    series->last = reader_real(row, 6);
    return STATUS_OK;
}

static enum status take_handler(sqlite3_stmt *row, void *context) {
    struct summary *summary = context;
    if (summary->handler_count >= SUMMARY_HANDLERS_MAX)
        return STATUS_OK;
    struct summary_handler *handler = &summary->handlers[summary->handler_count++];
    reader_text(row, 0, handler->role, sizeof handler->role);
    reader_text(row, 1, handler->name, sizeof handler->name);
    handler->calls = reader_count(row, 2);
    handler->least_s = reader_real(row, 3);
    handler->wall_s = reader_real(row, 4);
    return STATUS_OK;
}

/* In the inner query `value` is that of the row with the greatest step: SQLite promises so for a bare column
 * beside a MAX. */
enum status summary_load_measured(sqlite3 *db, struct summary *summary, struct error *error) {
    bool results = false, series = false, handlers = false;
    TRY(reader_has_table(db, "results", &results, error));
    TRY(reader_has_table(db, "series", &series, error));
    TRY(reader_has_table(db, "handlers", &handlers, error));
    if (handlers)
        TRY(reader_each(db,
                        "SELECT role, handler, SUM(calls), MIN(least_s), SUM(wall_s) FROM handlers JOIN "
                        "nodes USING (node_id)"
                        " GROUP BY role, handler ORDER BY role, handler",
                        take_handler, summary, error));
    if (results)
        TRY(reader_each(db,
                        "SELECT name, MAX(unit), COUNT(*), AVG(value), MIN(value), MAX(value) FROM results "
                        "WHERE name NOT LIKE 'ledger\\_%' ESCAPE '\\'"
                        " GROUP BY name ORDER BY name",
                        take_result, summary, error));
    if (series)
        TRY(reader_each(
            db,
            "SELECT name, COUNT(*), SUM(n), MAX(n), SUM(bad), MAX(last_step), AVG(value) FROM"
            " (SELECT name, node_id, COUNT(*) AS n, COUNT(*) - COUNT(value) AS bad, MAX(step) AS last_step,"
            " value FROM series WHERE node_id NOT IN (SELECT node_id FROM nodes WHERE role = 'chain')"
            " GROUP BY name, node_id) GROUP BY name ORDER BY name",
            take_series, summary, error));
    return STATUS_OK;
}

const struct summary_result *summary_result(const struct summary *summary, const char *name) {
    for (uint32_t i = 0; i < summary->result_count; i++)
        if (strcmp(summary->results[i].name, name) == 0)
            return &summary->results[i];
    return NULL;
}

static void print_value(double value, FILE *out) {
    bool whole = value == floor(value) && fabs(value) < WHOLE_MAX; /* counts and checksums: every digit */
    if (isfinite(value))
        fprintf(out, whole ? "%.0f" : "%.6g", value);
    else
        fputs("not finite", out);
}

static void print_result(const struct summary_result *result, FILE *out) {
    fprintf(out, SUMMARY_LABEL "%-24s ", "", result->name);
    print_value(result->mean, out);
    if (result->unit[0] != '\0')
        fprintf(out, " %s", result->unit);
    if (result->nodes > 1)
        fprintf(out, " (mean of %" PRIu64 " nodes; %.6g to %.6g)", result->nodes, result->least,
                result->most);
    fputc('\n', out);
}

static void print_series(const struct summary_series *series, FILE *out) {
    fprintf(out, SUMMARY_LABEL "%-24s last ", "", series->name);
    print_value(series->last, out);
    fprintf(out, " at step %" PRId64 ", %" PRIu64 " step%s", series->last_step, series->steps,
            series->steps == 1 ? "" : "s");
    if (series->nodes > 1)
        fprintf(out, " of %" PRIu64 " nodes", series->nodes);
    if (series->not_finite > 0)
        fprintf(out, ", %" PRIu64 " value%s not finite", series->not_finite,
                series->not_finite == 1 ? "" : "s");
    fputc('\n', out);
}

static void print_rest(uint64_t names, uint32_t shown, FILE *out) {
    if (names > shown)
        fprintf(out, SUMMARY_LABEL "and %" PRIu64 " more in metrics.sqlite\n", "", names - shown);
}

void summary_print_results(const struct summary *summary, FILE *out) {
    if (summary->result_count > 0)
        fprintf(out, SUMMARY_LABEL "recorded by nodes\n", "results");
    for (uint32_t i = 0; i < summary->result_count; i++)
        print_result(&summary->results[i], out);
    print_rest(summary->result_names, summary->result_count, out);
}

void summary_print_series(const struct summary *summary, FILE *out) {
    if (summary->series_count > 0)
        fprintf(out, SUMMARY_LABEL "recorded by nodes\n", "series");
    for (uint32_t i = 0; i < summary->series_count; i++)
        print_series(&summary->series[i], out);
    print_rest(summary->series_names, summary->series_count, out);
}

/* "handlers": {role: {handler: {calls, wall_s, mean_us, least_us}}} */
static void handlers_to_json(const struct summary *summary, json_t *root) {
    json_t *roles = json_object();
    for (uint32_t i = 0; i < summary->handler_count; i++) {
        const struct summary_handler *handler = &summary->handlers[i];
        json_t *role = json_object_get(roles, handler->role);
        if (role == NULL) {
            role = json_object();
            json_object_set_new(roles, handler->role, role);
        }
        json_object_set_new(role, handler->name,
                            json_pack("{s:o, s:o, s:o, s:o}", "calls", summary_json_count(handler->calls),
                                      "wall_s", summary_json_number(handler->wall_s), "mean_us",
                                      summary_json_number(handler->wall_s * 1e6 / (double)handler->calls),
                                      "least_us", summary_json_number(handler->least_s * 1e6)));
    }
    json_object_set_new(root, "handlers", roles);
}

void summary_measured_to_json(const struct summary *summary, json_t *root) {
    json_t *results = json_object(), *all_series = json_object();
    for (uint32_t i = 0; i < summary->result_count; i++) {
        const struct summary_result *result = &summary->results[i];
        json_object_set_new(results, result->name,
                            json_pack("{s:o, s:s, s:o, s:o, s:o}", "value", summary_json_number(result->mean),
                                      "unit", result->unit, "nodes", summary_json_count(result->nodes), "min",
                                      summary_json_number(result->least), "max",
                                      summary_json_number(result->most)));
    }
    for (uint32_t i = 0; i < summary->series_count; i++) {
        const struct summary_series *series = &summary->series[i];
        json_object_set_new(
            all_series, series->name,
            json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "last", summary_json_number(series->last),
                      "last_step", (json_int_t)series->last_step, "steps", summary_json_count(series->steps),
                      "values", summary_json_count(series->values), "nodes",
                      summary_json_count(series->nodes), "not_finite",
                      summary_json_count(series->not_finite)));
    }
    handlers_to_json(summary, root);
    json_object_set_new(root, "results", results);
    json_object_set_new(root, "series", all_series);
}
