/* report_charts: the plots of a report. Each is drawn anew for every width, since a drawing that is merely
 * scaled down to a phone cannot be read; the style sheet shows the one that fits. */
#ifndef TIERBED_RECORD_REPORT_CHARTS_H
#define TIERBED_RECORD_REPORT_CHARTS_H

#include <stdbool.h>

#include "common/record/report_data.h"

struct chart_size {
    double width;            /* of the viewBox, in pixels of the page at its natural size */
    const char *suffix;      /* makes ids unique */
    const char *style_class; /* shows it at the right widths */
};

/* Tasks of the first slots, one lane per device below its gateway: waiting, uplink, compute, drops, faults.
 */
void chart_timeline(struct markup *out, const struct report_data *data, struct chart_size size);
/* Says in words what of the run the widest timeline shows. */
void chart_timeline_caption(struct markup *out, const struct report_data *data);

enum chart_split { CHART_BY_PLACE, CHART_BY_LEVEL };
/* Cumulative distribution of the delay of done tasks. */
void chart_delay(struct markup *out, const struct report_data *data, enum chart_split split,
                 struct chart_size size);
void chart_delay_legend(struct markup *out, const struct report_data *data, enum chart_split split);

/* Share of each slot that gateway CPU, uplink and edge were busy, mean over gateways. */
void chart_load(struct markup *out, const struct report_data *data, struct chart_size size);

void chart_confusion(struct markup *out, const struct summary *summary, struct chart_size size);
void chart_drops(struct markup *out, const struct summary *summary, struct chart_size size);

/* One curve of a run, reduced while its values are added: steps are put together until at most `point_max`
 * points are left, each with the mean and the range of its values. Up to SERIES_LINES_MAX nodes have a line
 * each; more than that share one. */
#define SERIES_LINES_MAX 4u
#define SERIES_POINTS_MAX 600u

struct series_point {
    double step, mean, least, most; /* step: mean over its values; NAN while count is 0 */
    uint32_t count, not_finite;
};

struct series_line {
    uint32_t node; /* meaningless for a shared line */
    struct series_point points[SERIES_POINTS_MAX];
};

struct series_plot {
    const char *name;         /* borrowed */
    int64_t first, last;      /* steps */
    uint32_t nodes;           /* that recorded values */
    uint32_t point_count;     /* points of each line, also empty ones */
    uint32_t line_count;      /* lines begun */
    uint64_t steps_per_point; /* 1: nothing was put together */
    struct series_line lines[SERIES_LINES_MAX];
};

void series_plot_init(struct series_plot *plot, const char *name, uint32_t nodes, const int64_t steps[2],
                      uint32_t point_max);
/* Values come node by node. One outside the steps is left out; `value` may be anything, NAN too. */
void series_plot_add(struct series_plot *plot, uint32_t node, int64_t step, double value);
/* Whether the values span so many powers of ten that the axis is logarithmic. */
bool series_plot_is_log(const struct series_plot *plot);
void chart_series(struct markup *out, const struct series_plot *plot, struct chart_size size);

/* A shaded band between `top` and `bottom` while the fault was active; a mere line for a restart. */
void chart_fault(struct svg *svg, const struct report_fault *fault, const struct svg_axis *time_s, double top,
                 double bottom);

#endif
