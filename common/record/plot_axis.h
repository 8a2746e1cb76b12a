/* plot_axis: axes of a plot: round ends and marks, linear or logarithmic. Internal to the plot. */
#ifndef TIERBED_RECORD_PLOT_AXIS_H
#define TIERBED_RECORD_PLOT_AXIS_H

#include <stdbool.h>
#include <stdint.h>

struct plot_range {
    double low, high; /* low > high: empty */
};

struct plot_range plot_range_empty(void);
/* Extends by what is finite (and above 0 for a logarithmic axis). */
void plot_range_take(struct plot_range *range, const double *values, uint32_t count, bool logarithmic);

#define PLOT_TICKS_MAX 64
#define PLOT_TICK_MAX 32

struct plot_axis {
    double low, high, from, to; /* values, and pixels for them */
    bool logarithmic;
    double ticks[PLOT_TICKS_MAX];
    uint32_t tick_count;
    int decimals; /* of the numbers at the ticks; -1: as many as each needs */
};

/* With round ends; from 0 where that costs little, and always when `zero`. */
struct plot_axis plot_axis_over(struct plot_range range, bool logarithmic, bool zero);
/* Ends where the values end; ticks at round numbers. */
struct plot_axis plot_axis_tight(struct plot_range range, bool logarithmic);
/* Ends a little beyond the values; ticks at the points themselves. */
struct plot_axis plot_axis_of_points(struct plot_range range, const double *points, uint32_t count,
                                     bool logarithmic);
/* Leaves out ticks whose numbers would touch; from and to must be set. */
void plot_axis_thin(struct plot_axis *axis);

double plot_axis_at(const struct plot_axis *axis, double value); /* pixel, clamped to the ends */
bool plot_axis_holds(const struct plot_axis *axis, double value);
const char *plot_axis_text(const struct plot_axis *axis, uint32_t tick, char text[PLOT_TICK_MAX]);

#endif
