/* A curve that nodes recorded: lines with the range of their values, on axes that fit whatever it is. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/record/report_charts.h"

#define LOG_SPAN 1000.0   /* a logarithmic axis from this ratio on */
#define VALUE_SIZE 1e300  /* beyond it, and below its inverse, values are drawn as if they were there */
#define HEIGHT_SHARE 0.62 /* of the width, for a small chart */
#define WIDE_HEIGHT 300.0

/* ---- adding ---- */

void series_plot_init(struct series_plot *plot, const char *name, uint32_t nodes, const int64_t steps[2],
                      uint32_t point_max) {
    assert(point_max > 0 && point_max <= SERIES_POINTS_MAX && steps[0] <= steps[1]);
    memset(plot, 0, sizeof *plot);
    plot->name = name;
    plot->nodes = nodes;
    plot->first = steps[0];
    plot->last = steps[1];
    uint64_t span = (uint64_t)steps[1] - (uint64_t)steps[0] + 1;
    plot->steps_per_point = (span + point_max - 1) / point_max;
    plot->point_count = (uint32_t)((span + plot->steps_per_point - 1) / plot->steps_per_point);
}

static struct series_line *line_of(struct series_plot *plot, uint32_t node) {
    bool shared = plot->nodes > SERIES_LINES_MAX;
    if (plot->line_count == 0 || (!shared && plot->lines[plot->line_count - 1].node != node)) {
        if (plot->line_count == SERIES_LINES_MAX)
            return NULL;
        plot->lines[plot->line_count++].node = node;
    }
    return &plot->lines[plot->line_count - 1];
}

static double tamed(double value) {
    if (fabs(value) < 1 / VALUE_SIZE)
        return 0;
    return fmin(fmax(value, -VALUE_SIZE), VALUE_SIZE);
}

void series_plot_add(struct series_plot *plot, uint32_t node, int64_t step, double value) {
    struct series_line *line = line_of(plot, node);
    if (line == NULL || step < plot->first || step > plot->last)
        return;
    struct series_point *point =
        &line->points[((uint64_t)step - (uint64_t)plot->first) / plot->steps_per_point];
    uint32_t seen = point->count + point->not_finite;
    point->step += ((double)step - point->step) / (seen + 1.0);
    if (!isfinite(value)) {
        point->not_finite++;
        return;
    }
    value = tamed(value);
    point->least = point->count == 0 ? value : fmin(point->least, value);
    point->most = point->count == 0 ? value : fmax(point->most, value);
    point->count++;
    point->mean += (value - point->mean) / point->count;
}

/* ---- axes ---- */

struct range {
    double least, most, least_mean, most_mean; /* INFINITY, -INFINITY while there is none */
};

static struct range range_of(const struct series_plot *plot) {
    struct range range = {INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (uint32_t i = 0; i < plot->line_count; i++) {
        for (uint32_t j = 0; j < plot->point_count; j++) {
            const struct series_point *point = &plot->lines[i].points[j];
            if (point->count == 0)
                continue;
            range.least = fmin(range.least, point->least);
            range.most = fmax(range.most, point->most);
            range.least_mean = fmin(range.least_mean, point->mean);
            range.most_mean = fmax(range.most_mean, point->mean);
        }
    }
    return range;
}

static bool spans_decades(const struct range *range) {
    return range->least > 0 && isfinite(range->most) && range->most_mean / range->least_mean >= LOG_SPAN;
}

bool series_plot_is_log(const struct series_plot *plot) {
    struct range range = range_of(plot);
    return spans_decades(&range);
}

/* A value that is small by chance must not make the means a line along the top: a hundredth of the least mean
 * is low enough. */
static struct svg_axis value_axis(const struct series_plot *plot) {
    struct range range = range_of(plot);
    if (!isfinite(range.least))
        return svg_axis_between(0, 1, 4, false);
    if (spans_decades(&range))
        return svg_axis_log(fmax(range.least, range.least_mean / 100), range.most, 5);
    return svg_axis_between(range.least, range.most, 4, false);
}

static struct svg_axis step_axis(const struct series_plot *plot, double width) {
    double around = plot->first == plot->last ? 1 : 0;
    struct svg_axis axis = svg_axis_between((double)plot->first - around, (double)plot->last + around,
                                            width < 500 ? 4 : 8, true);
    if (axis.step < 1) { /* there is nothing between two steps */
        axis.step = 1;
        axis.mark = ceil(axis.low);
    }
    return axis;
}

/* ---- drawing ---- */

struct canvas {
    struct svg svg;
    struct svg_axis x, y;
};

static bool is_gap(const struct series_point *point) {
    return point->count == 0 && point->not_finite > 0;
}

/* The next point with a value from `at` on, skipping steps without any; `point_count` at a gap or the end. */
static uint32_t next_value(const struct series_plot *plot, const struct series_line *line, uint32_t at) {
    while (at < plot->point_count && line->points[at].count == 0 && !is_gap(&line->points[at]))
        at++;
    return at < plot->point_count && !is_gap(&line->points[at]) ? at : plot->point_count;
}

static void band_edge(struct canvas *canvas, const struct series_point *point, double value, bool first) {
    double x = svg_axis_at(&canvas->x, point->step), y = svg_axis_at(&canvas->y, value);
    if (first)
        svg_path_move(&canvas->svg, x, y);
    else
        svg_path_to(&canvas->svg, x, y);
}

/* The range of one stretch without gaps, there along the top and back along the bottom. */
static void draw_band(struct canvas *canvas, const struct series_plot *plot, const struct series_line *line,
                      const uint32_t stretch[2], const char *style_class) {
    bool spread = false;
    for (uint32_t i = stretch[0]; i <= stretch[1]; i++)
        spread = spread || (line->points[i].count > 0 && line->points[i].most > line->points[i].least);
    if (!spread)
        return;
    svg_path_open(&canvas->svg, style_class);
    for (uint32_t i = stretch[0]; i < plot->point_count && i <= stretch[1]; i++)
        if (line->points[i].count > 0)
            band_edge(canvas, &line->points[i], line->points[i].most, i == stretch[0]);
    for (uint32_t i = stretch[1] + 1; i-- > stretch[0];)
        if (line->points[i].count > 0)
            band_edge(canvas, &line->points[i], line->points[i].least, false);
    svg_path_close(&canvas->svg);
}

/* A single point becomes a dot: a line of no length with round ends. */
static void draw_stretch(struct canvas *canvas, const struct series_line *line, const uint32_t stretch[2],
                         const char *style_class) {
    char dot_class[64];
    snprintf(dot_class, sizeof dot_class, "%s dot", style_class);
    svg_path_open(&canvas->svg, stretch[0] == stretch[1] ? dot_class : style_class);
    for (uint32_t i = stretch[0]; i <= stretch[1]; i++) {
        const struct series_point *point = &line->points[i];
        if (point->count > 0)
            band_edge(canvas, point, point->mean, i == stretch[0]);
    }
    if (stretch[0] == stretch[1])
        band_edge(canvas, &line->points[stretch[0]], line->points[stretch[0]].mean, false);
    svg_path_close(&canvas->svg);
}

/* All bands (`bands`) or all lines of one node, stretch by stretch. */
static void draw_line(struct canvas *canvas, const struct series_plot *plot, uint32_t index, bool bands) {
    const struct series_line *line = &plot->lines[index];
    char style_class[48];
    snprintf(style_class, sizeof style_class, bands ? "band c-%" PRIu32 : "curve c-%" PRIu32 " dash-%" PRIu32,
             index, index);
    for (uint32_t at = 0; at < plot->point_count; at++) {
        uint32_t stretch[2] = {next_value(plot, line, at), 0};
        if (stretch[0] == plot->point_count) { /* a gap comes next, or nothing */
            while (at < plot->point_count && !is_gap(&line->points[at]))
                at++;
            continue;
        }
        stretch[1] = stretch[0];
        for (at = stretch[0]; at < plot->point_count; at = next_value(plot, line, at + 1))
            stretch[1] = at;
        if (bands)
            draw_band(canvas, plot, line, stretch, style_class);
        else
            draw_stretch(canvas, line, stretch, style_class);
        at = stretch[1];
    }
}

/* Where values were not finite: a cross, or a line over steps that follow each other. */
static void draw_gaps(struct canvas *canvas, const struct series_plot *plot, const struct series_line *line) {
    double y = canvas->y.to - 5;
    for (uint32_t i = 0; i < plot->point_count; i++) {
        uint32_t first = i;
        if (line->points[i].not_finite == 0)
            continue;
        while (i + 1 < plot->point_count && line->points[i + 1].not_finite > 0)
            i++;
        double from = svg_axis_at(&canvas->x, line->points[first].step);
        double to = svg_axis_at(&canvas->x, line->points[i].step);
        svg_cross(&canvas->svg, from, y, 3, "s-drop");
        if (to > from + 6)
            svg_line(&canvas->svg, from + 5, y, to, y, "s-drop");
    }
}

static void draw(struct canvas *canvas, const struct series_plot *plot) {
    struct svg *svg = &canvas->svg;
    canvas->x = step_axis(plot, svg->width);
    canvas->y = value_axis(plot);
    canvas->x.from = 52;
    canvas->x.to = svg->width - 22;
    canvas->y.from = svg->height - 42;
    canvas->y.to = 14;
    svg_axis_y(svg, &canvas->y, canvas->x.from, canvas->x.to, "");
    svg_axis_x(svg, &canvas->x, canvas->y.from, canvas->y.to, "step");
    if (canvas->y.scale != SVG_LOG && canvas->y.low < 0 && canvas->y.high > 0)
        svg_line(svg, canvas->x.from, svg_axis_at(&canvas->y, 0), canvas->x.to, svg_axis_at(&canvas->y, 0),
                 "axis");
    for (uint32_t i = 0; i < plot->line_count; i++)
        draw_line(canvas, plot, i, true);
    for (uint32_t i = 0; i < plot->line_count; i++)
        draw_line(canvas, plot, i, false);
    for (uint32_t i = 0; i < plot->line_count; i++)
        draw_gaps(canvas, plot, &plot->lines[i]);
}

void chart_series(struct markup *out, const struct series_plot *plot, struct chart_size size) {
    struct canvas canvas;
    char id[64], title[64];
    snprintf(id, sizeof id, "series-%s-%s", plot->name, size.suffix);
    snprintf(title, sizeof title, "Curve of %s", plot->name);
    svg_open(&canvas.svg, out,
             &(struct svg_frame){.width = size.width,
                                 .height = size.width < 500 ? HEIGHT_SHARE * size.width : WIDE_HEIGHT,
                                 .id = id,
                                 .style_class = size.style_class,
                                 .title = title,
                                 .description = "Values over steps: lines are means, shades their ranges; "
                                                "a cross marks where values were not finite."});
    draw(&canvas, plot);
    svg_close(&canvas.svg);
}
