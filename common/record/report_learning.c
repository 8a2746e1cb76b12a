/* What nodes recorded of themselves: a small chart for each curve, and the figures. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record/reader.h"
#include "common/record/report_charts.h"
#include "common/record/report_parts.h"

/* Validators have a part of the page of their own (report_chain.c). */
#define NOT_CHAIN "node_id NOT IN (SELECT node_id FROM nodes WHERE role = 'chain')"
#define CHARTS_MAX 32u
#define SMALL_POINTS 300u

/* How curves are laid out: one or two are drawn large, more as small multiples. */
struct layout {
    const struct chart_size *sizes;
    size_t size_count;
    uint32_t point_max;
    const char *style_class;
};

static const struct chart_size small_sizes[] = {{.width = 360, .suffix = "a", .style_class = "w-a"}};
static const struct chart_size half_sizes[] = {{.width = 360, .suffix = "s", .style_class = "w-s"},
                                               {.width = 620, .suffix = "ml", .style_class = "w-ml"}};
static const struct chart_size full_sizes[] = {{.width = 360, .suffix = "s", .style_class = "w-s"},
                                               {.width = 760, .suffix = "m", .style_class = "w-m"},
                                               {.width = 1260, .suffix = "l", .style_class = "w-l"}};

static struct layout layout_of(const struct summary *summary) {
    if (summary->series_names > 2)
        return (struct layout){small_sizes, 1, SMALL_POINTS, "curves"};
    if (summary->series_names == 2 || summary->result_names > 0)
        return (struct layout){half_sizes, 2, SERIES_POINTS_MAX, "curves few"};
    return (struct layout){full_sizes, 3, SERIES_POINTS_MAX, "curves one"};
}

/* What a curve is before its values are read. */
struct outline {
    char name[ROW_SERIES_NAME_MAX + 1];
    int64_t steps[2];
    uint32_t nodes;
};

struct gallery {
    struct markup *out;
    const struct report_data *data;
    struct layout layout;
    struct outline outlines[CHARTS_MAX];
    uint32_t outline_count, current; /* current: outline whose values are being added */
    struct series_plot plot;
};

static enum status take_outline(sqlite3_stmt *row, void *context) {
    struct gallery *gallery = context;
    struct outline *outline = &gallery->outlines[gallery->outline_count];
    reader_text(row, 0, outline->name, sizeof outline->name);
    if (!row_name_valid(outline->name, ROW_SERIES_NAME_MAX))
        return STATUS_INVALID;
    outline->steps[0] = sqlite3_column_int64(row, 1);
    outline->steps[1] = sqlite3_column_int64(row, 2);
    outline->nodes = (uint32_t)reader_count(row, 3);
    if (outline->steps[0] < 0 || outline->steps[1] > UINT32_MAX)
        return STATUS_INVALID;
    gallery->outline_count++;
    return STATUS_OK;
}

static const struct summary_series *summary_of(const struct summary *summary, const char *name) {
    for (uint32_t i = 0; i < summary->series_count; i++)
        if (strcmp(summary->series[i].name, name) == 0)
            return &summary->series[i];
    return NULL;
}

static void node_name(struct markup *out, const struct report_data *data, uint32_t node) {
    if (node < data->node_count)
        markup_text(out, data->nodes[node].name);
    else
        markup_format(out, "node %" PRIu32, node);
}

static void last_value(struct markup *out, const struct summary_series *series) {
    markup_raw(out, "last <b>");
    if (isfinite(series->last))
        markup_figure(out, series->last, 4);
    else
        markup_raw(out, "<span class=\"warn\">not finite</span>");
    markup_raw(out, "</b> at step ");
    markup_count(out, (uint64_t)series->last_step);
    if (series->not_finite == 0)
        return;
    markup_raw(out, " &#183; <span class=\"warn\">");
    markup_count(out, series->not_finite);
    markup_raw(out, " not finite</span>");
}

static void caption(struct gallery *gallery) {
    struct markup *out = gallery->out;
    const struct series_plot *plot = &gallery->plot;
    const struct summary_series *series = summary_of(&gallery->data->summary, plot->name);
    markup_raw(out, "<p class=\"caption\">");
    if (series != NULL) {
        last_value(out, series);
        markup_raw(out, " &#183; ");
    }
    if (plot->nodes == 1)
        node_name(out, gallery->data, plot->lines[0].node);
    else
        markup_format(out, "%" PRIu32 " nodes", plot->nodes);
    if (plot->steps_per_point > 1) {
        markup_raw(out, " &#183; ");
        markup_count(out, plot->steps_per_point);
        markup_raw(out, " steps a point");
    }
    if (series_plot_is_log(plot))
        markup_raw(out, " &#183; logarithmic");
    markup_raw(out, "</p>\n");
}

static void legend(struct gallery *gallery) {
    const struct series_plot *plot = &gallery->plot;
    if (plot->nodes < 2 || plot->nodes > SERIES_LINES_MAX)
        return;
    markup_raw(gallery->out, "<ul class=\"legend\">\n");
    for (uint32_t i = 0; i < plot->line_count; i++) {
        markup_format(gallery->out,
                      "<li><svg class=\"key\" viewBox=\"0 0 26 8\" aria-hidden=\"true\"><path class=\"curve "
                      "c-%" PRIu32 " dash-%" PRIu32 "\" d=\"M1 4L25 4\"/></svg>",
                      i, i);
        node_name(gallery->out, gallery->data, plot->lines[i].node);
        markup_raw(gallery->out, "</li>\n");
    }
    markup_raw(gallery->out, "</ul>\n");
}

static void show(struct gallery *gallery) {
    markup_raw(gallery->out, "<figure><h3>");
    markup_text(gallery->out, gallery->plot.name);
    markup_raw(gallery->out, "</h3>\n");
    caption(gallery);
    legend(gallery);
    for (size_t i = 0; i < gallery->layout.size_count; i++)
        chart_series(gallery->out, &gallery->plot, gallery->layout.sizes[i]);
    markup_raw(gallery->out, "</figure>\n");
}

static void begin(struct gallery *gallery, uint32_t index) {
    const struct outline *outline = &gallery->outlines[index];
    gallery->current = index;
    series_plot_init(&gallery->plot, outline->name, outline->nodes, outline->steps,
                     gallery->layout.point_max);
}

/* Values come in the order of the outlines; those of a curve that is not shown end the reading. */
static enum status take_value(sqlite3_stmt *row, void *context) {
    struct gallery *gallery = context;
    const char *name = (const char *)sqlite3_column_text(row, 0);
    if (name == NULL || strcmp(name, gallery->plot.name) != 0) {
        show(gallery);
        if (gallery->current + 1 == gallery->outline_count)
            return STATUS_STOPPED;
        begin(gallery, gallery->current + 1);
    }
    series_plot_add(&gallery->plot, (uint32_t)reader_count(row, 1), sqlite3_column_int64(row, 2),
                    reader_real(row, 3));
    return STATUS_OK;
}

static enum status draw_all(struct gallery *gallery, struct error *error) {
    char sql[384];
    snprintf(sql, sizeof sql,
             "SELECT name, MIN(first), MAX(last), COUNT(*) FROM (SELECT name, MIN(step) AS first, MAX(step)"
             " AS last FROM series WHERE " NOT_CHAIN
             " GROUP BY name, node_id) GROUP BY name ORDER BY name LIMIT %u",
             CHARTS_MAX);
    enum status status = reader_each(gallery->data->db, sql, take_outline, gallery, error);
    if (status == STATUS_INVALID)
        error_set(error, status, "metrics.sqlite: a series has a name or a step that no node can give it");
    if (status != STATUS_OK || gallery->outline_count == 0)
        return status;
    begin(gallery, 0);
    status = reader_each(gallery->data->db,
                         "SELECT name, node_id, step, value FROM series WHERE " NOT_CHAIN
                         " ORDER BY name, node_id, step",
                         take_value, gallery, error);
    if (status == STATUS_OK)
        show(gallery);
    return status == STATUS_STOPPED ? STATUS_OK : status;
}

static void curves(struct markup *out, const struct report_data *data, struct error *error,
                   enum status *status) {
    struct gallery *gallery = calloc(1, sizeof *gallery);
    if (gallery == NULL) {
        out->failed = true;
        return;
    }
    *gallery = (struct gallery){.out = out, .data = data, .layout = layout_of(&data->summary)};
    markup_raw(out,
               "<section class=\"panel\"><h2>Learning</h2>\n<p class=\"caption\">What nodes recorded, over "
               "their own steps. Lines are means, shades the range of the nodes and steps that share a "
               "point.</p>\n<div class=\"");
    markup_raw(out, gallery->layout.style_class);
    markup_raw(out, "\">\n");
    *status = draw_all(gallery, error);
    markup_raw(out, "</div>\n");
    if (data->summary.series_names > CHARTS_MAX)
        markup_format(out,
                      "<p class=\"caption\">The first %u of %" PRIu64 "; all are in metrics.sqlite.</p>\n",
                      CHARTS_MAX, data->summary.series_names);
    markup_raw(out, "</section>\n");
    free(gallery);
}

void report_learning(struct markup *out, const struct report_data *data, struct error *error,
                     enum status *status) {
    const struct summary *summary = &data->summary;
    bool beside = summary->series_names == 1 && summary->result_names > 0;
    if (*status != STATUS_OK)
        return;
    bool results = summary->result_names > 0, first = summary_has_scheme(summary) && !beside;
    if (beside)
        markup_raw(out, "<div class=\"panels\">\n");
    if (results && first)
        report_results(out, data);
    if (summary->series_names > 0)
        curves(out, data, error, status);
    if (results && !first)
        report_results(out, data);
    if (beside)
        markup_raw(out, "</div>\n");
}
