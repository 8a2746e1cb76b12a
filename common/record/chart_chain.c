#include "common/record/chart_chain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/record/reader.h"
#include "common/time/vtime.h"

#define IS_CHAIN "node_id IN (SELECT node_id FROM nodes WHERE role = 'chain')"
#define LINES_MAX 4u /* as many as there are colours; further validators share them */

/* ---- loading ---- */

static enum status take_commit(sqlite3_stmt *row, void *context) {
    struct chain_chart *chart = context;
    if (chart->commit_count == chart->commit_capacity) {
        size_t capacity = chart->commit_capacity == 0 ? 256 : chart->commit_capacity * 2;
        struct chain_commit *commits = realloc(chart->commits, capacity * sizeof *commits);
        if (commits == NULL)
            return STATUS_MEMORY;
        chart->commits = commits;
        chart->commit_capacity = capacity;
    }
    struct chain_commit commit = {(uint32_t)reader_count(row, 0), reader_real(row, 2), reader_real(row, 1)};
    chart->commits[chart->commit_count++] = commit;
    if (chart->commit_count == 1 || commit.height < chart->least_height)
        chart->least_height = commit.height;
    chart->most_height = fmax(chart->most_height, commit.height);
    return STATUS_OK;
}

static const char commits_sql[] = "SELECT node_id, step, MIN(value) FROM series WHERE " IS_CHAIN
                                  " AND name = 't_commit' AND value IS NOT NULL"
                                  " GROUP BY node_id, step ORDER BY node_id, step";

/* By height: who sent the proposal last before the first commit is who it was taken from. */
static const char bars_sql[] =
    "WITH p AS (SELECT step AS h, node_id,"
    " MAX(CASE name WHEN 't_newheight' THEN value END) AS began,"
    " MAX(CASE name WHEN 't_propose_send' THEN value END) AS sent,"
    " MAX(CASE name WHEN 't_block_complete' THEN value END) AS whole,"
    " MAX(CASE name WHEN 't_prevote_send' THEN value END) AS voted,"
    " MIN(CASE name WHEN 't_commit' THEN value END) AS done"
    " FROM series WHERE " IS_CHAIN " GROUP BY step, node_id),"
    " q AS (SELECT h, MIN(began) AS began, MAX(sent) AS sent, MIN(done) AS first_done FROM p GROUP BY h),"
    " r AS (SELECT *, first_done - LAG(first_done) OVER (ORDER BY h) AS gap FROM q)"
    " SELECT CAST(r.h / %u AS INTEGER), AVG(r.h), AVG(r.gap), AVG(MAX(r.sent - r.began, 0)),"
    " AVG(MAX(p.whole - r.sent, 0)), AVG(MAX(p.voted - MAX(p.whole, r.sent), 0)), AVG(MAX(p.done - "
    "MAX(p.voted, p.whole, r.sent), 0))"
    " FROM p JOIN r USING (h) WHERE r.first_done IS NOT NULL GROUP BY 1 ORDER BY 1";

static enum status take_bar(sqlite3_stmt *row, void *context) {
    struct chain_chart *chart = context;
    if (chart->bar_count == CHAIN_BARS_MAX)
        return STATUS_OK;
    chart->bars[chart->bar_count++] = (struct chain_bar){.height = reader_real(row, 1),
                                                         .gap_s = reader_real(row, 2),
                                                         .wait_s = reader_real(row, 3),
                                                         .transfer_s = reader_real(row, 4),
                                                         .verify_s = reader_real(row, 5),
                                                         .agree_s = reader_real(row, 6)};
    return STATUS_OK;
}

enum status chain_chart_load(struct chain_chart *chart, const struct report_data *data, struct error *error) {
    char sql[sizeof bars_sql + 16];
    *chart = (struct chain_chart){.heights_per_bar = 1};
    enum status status = reader_each(data->db, commits_sql, take_commit, chart, error);
    if (status == STATUS_MEMORY)
        return error_set(error, status, "no memory for the commits of validators");
    TRY(status);
    double heights = chart->most_height - chart->least_height + 1;
    chart->heights_per_bar = (uint32_t)fmax(ceil(heights / (CHAIN_BARS_MAX - 1)), 1);
    snprintf(sql, sizeof sql, bars_sql, chart->heights_per_bar);
    return reader_each(data->db, sql, take_bar, chart, error);
}

void chain_chart_close(struct chain_chart *chart) {
    free(chart->commits);
    chart->commits = NULL;
}

/* ---- drawing ---- */

static void place_axes(const struct svg *svg, struct svg_axis axes[2]) {
    axes[0].from = 52;
    axes[0].to = svg->width - 16;
    axes[1].from = svg->height - 42;
    axes[1].to = 30;
}

void chart_heights_legend(struct markup *out, const struct chain_chart *chart,
                          const struct report_data *data) {
    uint32_t line = 0, more = 0;
    markup_raw(out, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < chart->commit_count; i++) {
        uint32_t node = chart->commits[i].node;
        if (i > 0 && chart->commits[i - 1].node == node)
            continue;
        if (line == LINES_MAX || node >= data->node_count) {
            more++;
            continue;
        }
        markup_format(out,
                      "<li><svg class=\"key\" viewBox=\"0 0 26 8\" aria-hidden=\"true\"><path class=\"curve "
                      "c-%u dash-%u\" d=\"M1 4L25 4\"/></svg>",
                      line, line);
        markup_text(out, data->nodes[node].name);
        markup_raw(out, "</li>\n");
        line++;
    }
    if (more > 0)
        markup_format(out, "<li>and %u more in the same colours</li>\n", more);
    markup_raw(out, "</ul>\n");
}

/* One step up for each commit; a validator that was down has a long flat stretch and a steep one. */
static void draw_heights(struct svg *svg, const struct chain_chart *chart, const struct svg_axis axes[2]) {
    uint32_t line = 0;
    for (size_t i = 0; i < chart->commit_count; i++) {
        const struct chain_commit *commit = &chart->commits[i];
        bool first = i == 0 || commit[-1].node != commit->node;
        double x = svg_axis_at(&axes[0], commit->time_s), y = svg_axis_at(&axes[1], commit->height);
        if (first) {
            char style_class[48];
            uint32_t colour = line++ % LINES_MAX;
            snprintf(style_class, sizeof style_class, "curve c-%u dash-%u", colour, colour);
            if (i > 0)
                svg_path_close(svg);
            svg_path_open(svg, style_class);
            svg_path_move(svg, x, svg_axis_at(&axes[1], commit->height - 1));
        } else {
            svg_path_to(svg, x, svg_axis_at(&axes[1], commit[-1].height));
        }
        svg_path_to(svg, x, y);
    }
    if (chart->commit_count > 0)
        svg_path_close(svg);
}

/* Has an earlier fault the same span? A network is cut in two by many at once. */
static bool is_shaded(const struct report_data *data, size_t fault) {
    for (size_t i = 0; i < fault; i++)
        if (data->faults[i].begin_ns == data->faults[fault].begin_ns &&
            data->faults[i].end_ns == data->faults[fault].end_ns)
            return true;
    return false;
}

void chart_heights(struct markup *out, const struct chain_chart *chart, const struct report_data *data,
                   struct chart_size size) {
    struct svg svg;
    char id[64];
    snprintf(id, sizeof id, "heights-%s", size.suffix);
    svg_open(&svg, out,
             &(struct svg_frame){.width = size.width,
                                 .height = 280,
                                 .id = id,
                                 .style_class = size.style_class,
                                 .title = "Height of each validator over time",
                                 .description = "A step up for every block that a validator committed."});
    struct svg_axis axes[2] = {svg_axis_of(vtime_to_s(data->end_ns), svg.width < 500 ? 4 : 8, true),
                               svg_axis_of(fmax(chart->most_height, 1), 4, false)};
    place_axes(&svg, axes);
    svg_axis_y(&svg, &axes[1], axes[0].from, axes[0].to, "height");
    svg_axis_x(&svg, &axes[0], axes[1].from, axes[1].to, "virtual time (s)");
    for (size_t i = 0; i < data->fault_count; i++)
        if (!is_shaded(data, i))
            chart_fault(&svg, &data->faults[i], &axes[0], axes[1].to, axes[1].from);
    draw_heights(&svg, chart, axes);
    svg_close(&svg);
}

static double known(double value) {
    return isfinite(value) ? value : 0;
}

static void draw_bar(struct svg *svg, const struct chain_bar *bar, double x, double width,
                     const struct svg_axis *axis) {
    static const char *const styles[] = {"f-wait", "f-uplink", "f-gateway", "f-edge"};
    const double parts_s[] = {bar->wait_s, bar->transfer_s, bar->verify_s, bar->agree_s};
    double below_s = 0;
    for (size_t i = 0; i < sizeof parts_s / sizeof *parts_s; i++) {
        double from = svg_axis_at(axis, below_s), to = svg_axis_at(axis, below_s + known(parts_s[i]));
        below_s += known(parts_s[i]);
        if (from > to)
            svg_rect(svg, (struct svg_box){x, to, width, from - to}, styles[i]);
    }
}

/* From block to block, over the bars. */
static void draw_gaps(struct svg *svg, const struct chain_chart *chart, const struct svg_axis axes[2]) {
    bool open = false;
    for (uint32_t i = 0; i < chart->bar_count; i++) {
        const struct chain_bar *bar = &chart->bars[i];
        if (!isfinite(bar->gap_s))
            continue;
        double x = svg_axis_at(&axes[0], bar->height), y = svg_axis_at(&axes[1], bar->gap_s);
        if (!open) {
            svg_path_open(svg, "curve s-device");
            svg_path_move(svg, x, y);
        }
        open = true;
        svg_path_to(svg, x, y);
    }
    if (open)
        svg_path_close(svg);
}

static double highest(const struct chain_chart *chart) {
    double high_s = 0;
    for (uint32_t i = 0; i < chart->bar_count; i++) {
        const struct chain_bar *bar = &chart->bars[i];
        high_s = fmax(high_s, known(bar->wait_s) + known(bar->transfer_s) + known(bar->verify_s) +
                                  known(bar->agree_s));
        high_s = fmax(high_s, known(bar->gap_s));
    }
    return high_s > 0 ? high_s : 1;
}

void chart_block_times(struct markup *out, const struct chain_chart *chart, struct chart_size size) {
    struct svg svg;
    char id[64];
    snprintf(id, sizeof id, "block-times-%s", size.suffix);
    svg_open(&svg, out,
             &(struct svg_frame){.width = size.width,
                                 .height = size.width < 500 ? 240 : 280,
                                 .id = id,
                                 .style_class = size.style_class,
                                 .title = "What the time of a block went into",
                                 .description = "For every height: waiting for the block to be made, sending "
                                                "it, verifying it, and agreeing on it."});
    double half = 0.5 * chart->heights_per_bar;
    struct svg_axis axes[2] = {svg_axis_between(chart->least_height - half, chart->most_height + half,
                                                svg.width < 500 ? 4 : 8, true),
                               svg_axis_of(highest(chart), 4, false)};
    place_axes(&svg, axes);
    svg_axis_y(&svg, &axes[1], axes[0].from, axes[0].to, "time (s)");
    svg_axis_x(&svg, &axes[0], axes[1].from, axes[1].to, "height");
    for (uint32_t i = 0; i < chart->bar_count; i++) {
        double left = svg_axis_at(&axes[0], chart->bars[i].height - half);
        double right = svg_axis_at(&axes[0], chart->bars[i].height + half);
        draw_bar(&svg, &chart->bars[i], left, fmax(right - left - 1, 1), &axes[1]);
    }
    draw_gaps(&svg, chart, axes);
    svg_close(&svg);
}
