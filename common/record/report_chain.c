/* The part of the page about validators: nothing in a run without them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/record/chart_chain.h"
#include "common/record/reader.h"
#include "common/record/report_parts.h"

static const struct chart_size half_sizes[] = {{.width = 360, .suffix = "s", .style_class = "w-s"},
                                               {.width = 620, .suffix = "ml", .style_class = "w-ml"}};

static void legend_parts(struct markup *out) {
    markup_raw(out, "<ul class=\"legend\">\n"
                    "<li><i class=\"b-wait\"></i>until it is made (T_gen)</li>\n"
                    "<li><i class=\"b-uplink\"></i>sent (T_tr)</li>\n"
                    "<li><i class=\"b-gateway\"></i>verified (T_cv)</li>\n"
                    "<li><i class=\"b-edge\"></i>agreed on</li>\n<li><svg class=\"key\" viewBox=\"0 0 26 8\" "
                    "aria-hidden=\"true\"><path class=\"curve s-device\" "
                    "d=\"M1 4L25 4\"/></svg>from block to block</li>\n</ul>\n");
}

static void heights_panel(struct markup *out, const struct report_data *data,
                          const struct chain_chart *chart) {
    markup_raw(out,
               "<section class=\"panel\"><h2>Chain: heights</h2>\n<p class=\"caption\">A step up for every "
               "block that a validator committed; shaded while a fault was active.</p>\n");
    chart_heights_legend(out, chart, data);
    markup_raw(out, "<figure>\n");
    for (size_t i = 0; i < sizeof half_sizes / sizeof *half_sizes; i++)
        chart_heights(out, chart, data, half_sizes[i]);
    markup_raw(out, "</figure>\n</section>\n");
}

static void times_panel(struct markup *out, const struct report_data *data, const struct chain_chart *chart) {
    const struct summary_chain *chain = &data->summary.chain;
    markup_raw(out, "<section class=\"panel\"><h2>Chain: time of a block</h2>\n<p class=\"caption\">");
    if (isfinite(chain->block_s)) {
        markup_raw(out, "One block every ");
        markup_quantity(out, chain->block_s);
        markup_raw(out, " s. ");
    }
    markup_raw(out, "Means over the validators that took part");
    if (chart->heights_per_bar > 1)
        markup_format(out, "; %" PRIu32 " heights a bar", chart->heights_per_bar);
    markup_raw(out, ".</p>\n");
    legend_parts(out);
    markup_raw(out, "<figure>\n");
    for (size_t i = 0; i < sizeof half_sizes / sizeof *half_sizes; i++)
        chart_block_times(out, chart, half_sizes[i]);
    markup_raw(out, "</figure>\n</section>\n");
}

/* ---- the table ---- */

static void cell(struct markup *out, sqlite3_stmt *row, int column) {
    markup_raw(out, "<td>");
    if (sqlite3_column_type(row, column) != SQLITE_NULL)
        markup_count(out, reader_count(row, column));
    markup_raw(out, "</td>");
}

static enum status take_validator(sqlite3_stmt *row, void *context) {
    struct markup *out = context;
    char name[SCENARIO_NAME_MAX];
    reader_text(row, 0, name, sizeof name);
    markup_raw(out, "<tr><td class=\"t\">");
    markup_text(out, name);
    markup_raw(out, "</td>");
    for (int column = 1; column < sqlite3_column_count(row); column++)
        cell(out, row, column);
    markup_raw(out, "</tr>\n");
    return STATUS_OK;
}

#define RESULT(name)                                                                                         \
    "(SELECT CAST(value AS INTEGER) FROM results r WHERE r.node_id = n.node_id AND r.name = '" name "')"
#define DROPPED                                                                                              \
    "(SELECT CAST(SUM(value) AS INTEGER) FROM results r WHERE r.node_id = n.node_id AND r.name LIKE "        \
    "'dropped\\_%' ESCAPE '\\')"

static const char validators_sql[] = "SELECT n.name, " RESULT("ledger_height") ", " RESULT(
    "ledger_transactions") ","
                           " (SELECT COUNT(*) FROM series s WHERE s.node_id = n.node_id AND s.name = "
                           "'rounds' AND s.value > 1),"
                           " t.crashes, t.restarts, " RESULT(
                               "ledger_failures") ", t.sent, t.received, " DROPPED ","
                                                  " t.dropped_down, t.protocol_errors, " RESULT(
                                                      "ledger_accused") " FROM nodes n LEFT JOIN node_totals "
                                                                        "t USING (node_id) WHERE n.role = "
                                                                        "'chain' ORDER BY n.node_id";

static enum status table(struct markup *out, const struct report_data *data, struct error *error) {
    static const char *const columns[] = {"height",      "transactions",    "heights of several rounds",
                                          "crashes",     "restarts",        "ledger failures",
                                          "sent",        "received",        "dropped",
                                          "met it down", "protocol errors", "accused"};
    markup_raw(out,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Validators\"><table><thead>"
               "<tr><th class=\"t\" scope=\"col\">validator</th>");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        markup_format(out, "<th scope=\"col\">%s</th>", columns[i]);
    markup_raw(out, "</tr></thead><tbody>\n");
    enum status status = reader_each(data->db, validators_sql, take_validator, out, error);
    markup_raw(out, "</tbody></table></div>\n");
    return status;
}

static void verdict(struct markup *out, const struct summary_chain *chain) {
    markup_raw(out, "<p class=\"caption\">");
    if (chain->read == 0)
        markup_raw(out, "The ledgers could not be read where the run was directed.");
    else if (chain->agree == chain->read)
        markup_format(out,
                      "%" PRIu64 " of %" PRIu64
                      " ledgers were read: they agree on every block up to height %" PRIu64
                      ", the longest reaches %" PRIu64 ".",
                      chain->read, chain->validators, chain->least_height, chain->most_height);
    else
        markup_raw(out, "<span class=\"warn\">The ledgers hold different blocks at one height.</span>");
    markup_raw(out, " \"Dropped\" counts messages that a validator refused since it was last started, for "
                    "whatever reason; \"met it down\" those "
                    "that came while it was down.</p>\n");
}

void report_chain(struct markup *out, const struct report_data *data, struct error *error,
                  enum status *status) {
    struct chain_chart chart;
    if (*status != STATUS_OK || data->summary.chain.validators == 0)
        return;
    *status = chain_chart_load(&chart, data, error);
    if (*status == STATUS_OK && chart.commit_count > 0) {
        markup_raw(out, "<div class=\"panels\">\n");
        heights_panel(out, data, &chart);
        times_panel(out, data, &chart);
        markup_raw(out, "</div>\n");
    }
    chain_chart_close(&chart);
    if (*status != STATUS_OK)
        return;
    markup_raw(out, "<section class=\"panel\"><h2>Validators</h2>\n");
    verdict(out, &data->summary.chain);
    *status = table(out, data, error);
    markup_raw(out, "</section>\n");
}
