/* How long done tasks took: cumulative distributions by place and by level. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/record/names.h"
#include "common/record/report_charts.h"
#include "common/time/vtime.h"

#define CURVE_POINTS_MAX 160u
#define SERIES_MAX SCENARIO_LEVELS_MAX

struct series {
    double *delays_ms; /* ascending; a piece of delays.values */
    size_t count;
};

struct delays {
    struct series series[SERIES_MAX];
    uint32_t count;
    double max_ms;
    double *values; /* owned: the delays of all series, one series after the other */
};

static bool is_done(const struct row_task *task) {
    return task->answered_ns != VTIME_NEVER && task->drop == DROP_NONE && task->task.born_ns != VTIME_NEVER;
}

/* The places of computing, in the order of the legend. */
static const struct {
    uint8_t place;
    const char *style_class;
} places[] = {
    {PLACE_DEVICE, "s-device dash-3"}, {PLACE_GATEWAY, "s-gateway dash-0"}, {PLACE_EDGE, "s-edge dash-1"}};

#define PLACES (sizeof places / sizeof *places)

static uint32_t series_of(const struct row_task *task, enum chart_split split) {
    if (split == CHART_BY_LEVEL)
        return task->task.level;
    uint32_t series = 0;
    while (series < PLACES && places[series].place != task->place)
        series++;
    return series;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static bool belongs(const struct delays *delays, const struct row_task *task, enum chart_split split) {
    return is_done(task) && series_of(task, split) < delays->count;
}

static void sort_series(struct delays *delays) {
    for (uint32_t s = 0; s < delays->count; s++) {
        struct series *series = &delays->series[s];
        if (series->count == 0)
            continue;
        qsort(series->delays_ms, series->count, sizeof *series->delays_ms, ascending);
        delays->max_ms = fmax(delays->max_ms, series->delays_ms[series->count - 1]);
    }
}

/* False without memory. */
static bool collect(struct delays *delays, const struct report_data *data, enum chart_split split) {
    *delays = (struct delays){.count = split == CHART_BY_LEVEL ? data->level_count : PLACES};
    delays->values = calloc(data->task_count + 1, sizeof *delays->values);
    if (delays->values == NULL)
        return false;
    for (size_t i = 0; i < data->task_count; i++)
        if (belongs(delays, &data->tasks[i], split))
            delays->series[series_of(&data->tasks[i], split)].count++;
    size_t used = 0;
    for (uint32_t s = 0; s < delays->count; s++) {
        delays->series[s].delays_ms = delays->values + used;
        used += delays->series[s].count;
        delays->series[s].count = 0;
    }
    for (size_t i = 0; i < data->task_count; i++) {
        const struct row_task *task = &data->tasks[i];
        if (!belongs(delays, task, split))
            continue;
        struct series *series = &delays->series[series_of(task, split)];
        series->delays_ms[series->count++] = (double)(task->answered_ns - task->task.born_ns) / 1e6;
    }
    sort_series(delays);
    return true;
}

static void style_of(char *style_class, size_t size, enum chart_split split, uint32_t series) {
    if (split == CHART_BY_PLACE)
        snprintf(style_class, size, "curve %s", places[series].style_class);
    else
        snprintf(style_class, size, "curve level-%" PRIu32 " dash-%" PRIu32, series, series % 3);
}

/* Steps up at each delay; long series are thinned to evenly spaced ranks, always with the last. */
static void draw_curve(struct svg *svg, const struct series *series, const struct svg_axis *x,
                       const struct svg_axis *y, const char *style_class) {
    size_t points = series->count < CURVE_POINTS_MAX ? series->count : CURVE_POINTS_MAX;
    double before = y->from;
    svg_path_open(svg, style_class);
    for (size_t i = 1; i <= points; i++) {
        size_t rank = i * series->count / points; /* 1-based */
        double at = svg_axis_at(x, series->delays_ms[rank - 1]);
        double share = svg_axis_at(y, 100.0 * (double)rank / (double)series->count);
        if (i == 1)
            svg_path_move(svg, at, before);
        else
            svg_path_to(svg, at, before);
        svg_path_to(svg, at, share);
        before = share;
    }
    svg_path_to(svg, x->to, before);
    svg_path_close(svg);
}

static void draw_deadlines(struct svg *svg, const struct report_data *data, const struct svg_axis *x,
                           double top) {
    for (uint32_t level = 0; level < data->level_count; level++) {
        double deadline_ms = (double)data->levels[level].deadline_ns / 1e6;
        char style_class[64];
        if (data->levels[level].deadline_ns == VTIME_NEVER || deadline_ms > x->high)
            continue;
        snprintf(style_class, sizeof style_class, "deadline level-%" PRIu32, level);
        svg_line(svg, svg_axis_at(x, deadline_ms), top - 6, svg_axis_at(x, deadline_ms), top + 2,
                 style_class);
    }
}

static void draw(struct svg *svg, const struct report_data *data, const struct delays *delays,
                 enum chart_split split) {
    struct svg_axis x = svg_axis_of(delays->max_ms, svg->width < 500 ? 4 : 8, false);
    struct svg_axis y = svg_axis_of(100, 5, true);
    x.from = 40;
    x.to = svg->width - 16;
    y.from = svg->height - 42;
    y.to = 30;
    svg_axis_y(svg, &y, x.from, x.to, "tasks done within (%)");
    svg_axis_x(svg, &x, y.from, y.to, "delay, born to answered (ms)");
    if (split == CHART_BY_LEVEL)
        draw_deadlines(svg, data, &x, y.to);
    for (uint32_t s = 0; s < delays->count; s++) {
        char style_class[64];
        style_of(style_class, sizeof style_class, split, s);
        if (delays->series[s].count > 0)
            draw_curve(svg, &delays->series[s], &x, &y, style_class);
    }
}

void chart_delay(struct markup *out, const struct report_data *data, enum chart_split split,
                 struct chart_size size) {
    struct delays delays;
    struct svg svg;
    char id[64];
    bool by_level = split == CHART_BY_LEVEL;
    snprintf(id, sizeof id, "delay-%s-%s", by_level ? "level" : "place", size.suffix);
    if (!collect(&delays, data, split)) {
        out->failed = true;
        return;
    }
    svg_open(&svg, out,
             &(struct svg_frame){
                 .width = size.width,
                 .height = size.width < 500 ? 260 : 300,
                 .id = id,
                 .style_class = size.style_class,
                 .title = by_level ? "Delay by criticality level" : "Delay by place",
                 .description = "Share of done tasks that were answered within a delay; one curve each."});
    draw(&svg, data, &delays, split);
    svg_close(&svg);
    free(delays.values);
}

static void legend_key(struct markup *out, const char *style_class) {
    markup_raw(out, "<li><svg class=\"key\" viewBox=\"0 0 26 8\" aria-hidden=\"true\"><path class=\"");
    markup_text(out, style_class);
    markup_raw(out, "\" d=\"M1 4L25 4\"/></svg>");
}

static bool has_place(const struct report_data *data, uint8_t place) {
    return place == PLACE_DEVICE ? data->at_devices : place != PLACE_GATEWAY || data->summary.gateways > 0;
}

void chart_delay_legend(struct markup *out, const struct report_data *data, enum chart_split split) {
    struct delays delays;
    if (!collect(&delays, data, split)) {
        out->failed = true;
        return;
    }
    markup_raw(out, "<ul class=\"legend\">\n");
    for (uint32_t s = 0; s < delays.count; s++) {
        char style_class[64];
        if (split == CHART_BY_PLACE && !has_place(data, places[s].place))
            continue;
        style_of(style_class, sizeof style_class, split, s);
        legend_key(out, style_class);
        if (split == CHART_BY_PLACE) {
            markup_raw(out, name_of_place(places[s].place));
        } else {
            markup_raw(out, "k = ");
            markup_number(out, data->levels[s].criticality, 3);
        }
        markup_raw(out, " <span class=\"muted\">");
        markup_count(out, delays.series[s].count);
        markup_raw(out, "</span></li>\n");
    }
    markup_raw(out, "</ul>\n");
    free(delays.values);
}
