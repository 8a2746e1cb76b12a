/* plot: a figure with one panel or several: lines with confidence bands over a number or over steps, or bars
 * with intervals over names. One SVG file that carries its own style. Colours can be told apart with any
 * colour vision, and series have marks or dashes too. Byte-stable. */
#ifndef TIERBED_RECORD_PLOT_H
#define TIERBED_RECORD_PLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record/markup.h"

/* Values over x; all arrays borrowed, `count` long. NAN: nothing there. low and high bound the band. */
struct plot_series {
    const char *label;
    const double *x, *value, *low, *high;
    uint32_t count;
};

struct plot_panel {
    const char *title, *x_label, *y_label;
    bool logarithmic_x, logarithmic_y;
    bool dense; /* many points: no marks, marks of the axis at round numbers instead of at the points */
    /* Bars instead of lines: x of all series is 0, 1, ... and these are what they stand for. NULL: lines. */
    const char *const *names;
    uint32_t name_count;
    bool apart; /* bars of a single name: each series stands apart, with its label below it */
    const struct plot_series *series; /* in the order of colours; the same in all panels */
    uint32_t series_count;
};

struct plot {
    const char *title, *note; /* note: below the title, such as what the bands are */
    const char *description;  /* for those who cannot see it */
    const struct plot_panel *panels;
    uint32_t panel_count;
};

/* Appends the whole file to `out`. */
void plot_write(struct markup *out, const struct plot *plot);

#endif
