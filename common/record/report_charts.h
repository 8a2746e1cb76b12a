/* report_charts: the plots of a report. Each is drawn anew for every width, since a drawing that is merely
 * scaled down to a phone cannot be read; the style sheet shows the one that fits. */
#ifndef TIERBED_RECORD_REPORT_CHARTS_H
#define TIERBED_RECORD_REPORT_CHARTS_H

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

/* A shaded band between `top` and `bottom` while the fault was active; a mere line for a restart. */
void chart_fault(struct svg *svg, const struct report_fault *fault, const struct svg_axis *time_s, double top,
                 double bottom);

#endif
