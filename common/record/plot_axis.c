#include "common/record/plot_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/record/markup.h"

#define TICKS_WANTED 6
#define VALUE_MAX 1e300 /* beyond it lengths overflow; NAN and infinities are not below it either */

struct plot_range plot_range_empty(void) {
    return (struct plot_range){.low = INFINITY, .high = -INFINITY};
}

void plot_range_take(struct plot_range *range, const double *values, uint32_t count, bool logarithmic) {
    for (uint32_t i = 0; i < count; i++) {
        if (!(fabs(values[i]) < VALUE_MAX) || (logarithmic && values[i] <= 0))
            continue;
        range->low = fmin(range->low, values[i]);
        range->high = fmax(range->high, values[i]);
    }
}

/* Never empty, never of no length. */
static struct plot_range usable(struct plot_range range, bool logarithmic) {
    if (range.low > range.high)
        return logarithmic ? (struct plot_range){1, 10} : (struct plot_range){0, 1};
    if (range.low < range.high)
        return range;
    if (logarithmic)
        return (struct plot_range){range.low / 2, range.high * 2};
    double room = range.low != 0 ? fabs(range.low) * 0.1 : 1;
    return (struct plot_range){range.low - room, range.high + room};
}

static double round_step(double length) {
    double rough = length / TICKS_WANTED, power = pow(10, floor(log10(rough)));
    return rough <= power       ? power
           : rough <= 2 * power ? 2 * power
           : rough <= 5 * power ? 5 * power
                                : 10 * power;
}

static void add_tick(struct plot_axis *axis, double value) {
    if (axis->tick_count < PLOT_TICKS_MAX)
        axis->ticks[axis->tick_count++] = value;
}

static void linear_ticks(struct plot_axis *axis, double step) {
    axis->decimals = step >= 1 ? 0 : (int)fmin(9, ceil(-log10(step) - 1e-9));
    double first = ceil(axis->low / step - 1e-9);
    for (int i = 0; i < PLOT_TICKS_MAX && (first + i) * step <= axis->high + 1e-9 * step; i++)
        add_tick(axis, (first + i) * step);
}

/* 1, 2, 5 of each decade; only the decades when there are many. */
static void logarithmic_ticks(struct plot_axis *axis) {
    static const double digits[] = {1, 2, 5};
    double decades = log10(axis->high) - log10(axis->low);
    int every = decades > 12 ? (int)ceil(decades / 6) : 1;
    axis->decimals = -1;
    int least = (int)floor(log10(axis->low)), most = (int)ceil(log10(axis->high));
    for (int power = least; power <= most; power += every)
        for (int i = 0; i < (decades > 2.5 ? 1 : 3); i++) {
            double value = digits[i] * pow(10, power);
            if (value >= axis->low * (1 - 1e-9) && value <= axis->high * (1 + 1e-9))
                add_tick(axis, value);
        }
}

static double log_floor(double value) {
    double power = pow(10, floor(log10(value))), digit = value / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

static double log_ceil(double value) {
    double power = pow(10, floor(log10(value))), digit = value / power * (1 - 1e-9);
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

struct plot_axis plot_axis_over(struct plot_range range, bool logarithmic, bool zero) {
    range = usable(range, logarithmic);
    struct plot_axis axis = {.low = range.low, .high = range.high, .logarithmic = logarithmic};
    if (logarithmic) {
        axis.low = log_floor(range.low);
        axis.high = log_ceil(range.high);
        logarithmic_ticks(&axis);
        return axis;
    }
    if (range.low > 0 && (zero || range.low < 0.5 * range.high))
        axis.low = 0;
    if (range.high < 0 && (zero || range.high > 0.5 * range.low))
        axis.high = 0;
    double step = round_step(axis.high - axis.low);
    axis.low = floor(axis.low / step + 1e-9) * step;
    axis.high = ceil(axis.high / step - 1e-9) * step;
    linear_ticks(&axis, step);
    return axis;
}

struct plot_axis plot_axis_tight(struct plot_range range, bool logarithmic) {
    range = usable(range, logarithmic);
    struct plot_axis axis = {.low = range.low, .high = range.high, .logarithmic = logarithmic};
    if (logarithmic)
        logarithmic_ticks(&axis);
    else
        linear_ticks(&axis, round_step(axis.high - axis.low));
    return axis;
}

struct plot_axis plot_axis_of_points(struct plot_range range, const double *points, uint32_t count,
                                     bool logarithmic) {
    range = usable(range, logarithmic);
    struct plot_axis axis = {.logarithmic = logarithmic, .decimals = -1};
    if (logarithmic) {
        double room = pow(range.high / range.low, 0.03);
        axis.low = range.low / room;
        axis.high = range.high * room;
    } else {
        double room = 0.03 * (range.high - range.low);
        axis.low = range.low - room;
        axis.high = range.high + room;
    }
    for (uint32_t i = 0; i < count; i++)
        add_tick(&axis, points[i]);
    return axis;
}

void plot_axis_thin(struct plot_axis *axis) {
    double end = -INFINITY;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < axis->tick_count; i++) {
        char text[PLOT_TICK_MAX];
        axis->ticks[kept] = axis->ticks[i];
        double half = 3.5 * (double)strlen(plot_axis_text(axis, kept, text));
        double at = plot_axis_at(axis, axis->ticks[kept]);
        if (at - half < end + 6)
            continue;
        end = at + half;
        kept++;
    }
    axis->tick_count = kept;
}

double plot_axis_at(const struct plot_axis *axis, double value) {
    double part = (value - axis->low) / (axis->high - axis->low);
    if (axis->logarithmic)
        part = value > 0 ? log(value / axis->low) / log(axis->high / axis->low) : 0;
    return axis->from + fmin(fmax(part, 0), 1) * (axis->to - axis->from);
}

bool plot_axis_holds(const struct plot_axis *axis, double value) {
    return !axis->logarithmic || value > 0;
}

/* Four significant digits at least, without zeros at the end. */
static int own_decimals(double value) {
    double magnitude = fabs(value);
    if (magnitude == 0 || magnitude >= 1000)
        return 0;
    return (int)fmin(9, fmax(0, 3 - floor(log10(magnitude))));
}

const char *plot_axis_text(const struct plot_axis *axis, uint32_t tick, char text[PLOT_TICK_MAX]) {
    double value = axis->ticks[tick];
    if (fabs(value) >= 1e6 || (value != 0 && fabs(value) < 1e-6)) {
        snprintf(text, PLOT_TICK_MAX, "%.3g", value);
        return text;
    }
    struct markup number;
    markup_init(&number);
    if (axis->decimals >= 0 && fabs(value) >= 10000 && axis->decimals == 0) {
        markup_raw(&number, value < 0 ? "-" : "");
        markup_count(&number, (uint64_t)llround(fabs(value)));
    } else {
        markup_number(&number, value, axis->decimals >= 0 ? axis->decimals : own_decimals(value));
    }
    snprintf(text, PLOT_TICK_MAX, "%s", number.data != NULL ? number.data : "");
    markup_close(&number);
    return text;
}
