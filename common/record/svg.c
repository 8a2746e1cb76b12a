#include "common/record/svg.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* Two decimals: finer than any screen. */
static void coordinate(struct svg *svg, double value) {
    markup_number(svg->out, value, 2);
}

static void attribute(struct svg *svg, const char *name, double value) {
    markup_raw(svg->out, " ");
    markup_raw(svg->out, name);
    markup_raw(svg->out, "=\"");
    coordinate(svg, value);
    markup_raw(svg->out, "\"");
}

static void class_attribute(struct svg *svg, const char *style_class) {
    markup_raw(svg->out, " class=\"");
    markup_text(svg->out, style_class);
    markup_raw(svg->out, "\"");
}

static void labelled(struct markup *out, const char *element, const char *id, const char *text) {
    markup_raw(out, "<");
    markup_raw(out, element);
    markup_raw(out, " id=\"");
    markup_text(out, id);
    markup_raw(out, "-");
    markup_raw(out, element);
    markup_raw(out, "\">");
    markup_text(out, text);
    markup_raw(out, "</");
    markup_raw(out, element);
    markup_raw(out, ">");
}

void svg_open(struct svg *svg, struct markup *out, const struct svg_frame *frame) {
    *svg = (struct svg){.out = out, .width = frame->width, .height = frame->height};
    markup_raw(out, frame->style != NULL ? "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\""
                                         : "<svg role=\"img\"");
    if (frame->style != NULL) {
        attribute(svg, "width", frame->width);
        attribute(svg, "height", frame->height);
    }
    markup_raw(out, " viewBox=\"0 0 ");
    coordinate(svg, frame->width);
    markup_raw(out, " ");
    coordinate(svg, frame->height);
    markup_raw(out, "\"");
    class_attribute(svg, frame->style_class);
    markup_raw(out, " aria-labelledby=\"");
    markup_text(out, frame->id);
    markup_raw(out, "-title ");
    markup_text(out, frame->id);
    markup_raw(out, "-desc\">");
    labelled(out, "title", frame->id, frame->title);
    labelled(out, "desc", frame->id, frame->description);
    if (frame->style != NULL) {
        markup_raw(out, "\n<style>");
        markup_raw(out, frame->style);
        markup_raw(out, "</style>");
    }
    markup_raw(out, "\n");
}

void svg_close(struct svg *svg) {
    markup_raw(svg->out, "</svg>\n");
}

void svg_line(struct svg *svg, double x1, double y1, double x2, double y2, const char *style_class) {
    markup_raw(svg->out, "<line");
    attribute(svg, "x1", x1);
    attribute(svg, "y1", y1);
    attribute(svg, "x2", x2);
    attribute(svg, "y2", y2);
    class_attribute(svg, style_class);
    markup_raw(svg->out, "/>\n");
}

static void rect_open(struct svg *svg, struct svg_box box) {
    markup_raw(svg->out, "<rect");
    attribute(svg, "x", box.x);
    attribute(svg, "y", box.y);
    attribute(svg, "width", fmax(box.width, 0));
    attribute(svg, "height", fmax(box.height, 0));
}

void svg_rect(struct svg *svg, struct svg_box box, const char *style_class) {
    rect_open(svg, box);
    class_attribute(svg, style_class);
    markup_raw(svg->out, "/>\n");
}

void svg_rect_tinted(struct svg *svg, struct svg_box box, double opacity, const char *style_class) {
    rect_open(svg, box);
    attribute(svg, "rx", 3);
    attribute(svg, "fill-opacity", opacity);
    class_attribute(svg, style_class);
    markup_raw(svg->out, "/>\n");
}

void svg_cross(struct svg *svg, double x, double y, double arm, const char *style_class) {
    svg_path_open(svg, style_class);
    svg_path_move(svg, x - arm, y - arm);
    svg_path_to(svg, x + arm, y + arm);
    svg_path_move(svg, x - arm, y + arm);
    svg_path_to(svg, x + arm, y - arm);
    svg_path_close(svg);
}

void svg_text(struct svg *svg, double x, double y, const char *style_class, const char *text) {
    markup_raw(svg->out, "<text");
    attribute(svg, "x", x);
    attribute(svg, "y", y);
    class_attribute(svg, style_class);
    markup_raw(svg->out, ">");
    markup_text(svg->out, text);
    markup_raw(svg->out, "</text>\n");
}

void svg_path_open(struct svg *svg, const char *style_class) {
    markup_raw(svg->out, "<path");
    class_attribute(svg, style_class);
    markup_raw(svg->out, " d=\"");
}

static void point(struct svg *svg, const char *letter, double x, double y) {
    markup_raw(svg->out, letter);
    coordinate(svg, x);
    markup_raw(svg->out, " ");
    coordinate(svg, y);
}

void svg_path_move(struct svg *svg, double x, double y) {
    point(svg, "M", x, y);
}

void svg_path_to(struct svg *svg, double x, double y) {
    point(svg, "L", x, y);
}

void svg_path_close(struct svg *svg) {
    markup_raw(svg->out, "\"/>\n");
}

void svg_path_join(struct svg *svg) {
    markup_raw(svg->out, "Z\"/>\n");
}

/* Corners of the marks that have some, in units of their size. */
struct corners {
    unsigned count;
    double at[12][2];
};

static const struct corners shapes[SVG_MARKS] = {
    {0, {{0}}}, /* a circle */
    {4, {{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}}},
    {3, {{0, -1.2}, {1.1, 0.8}, {-1.1, 0.8}}},
    {4, {{0, -1.3}, {1.3, 0}, {0, 1.3}, {-1.3, 0}}},
    {3, {{0, 1.2}, {1.1, -0.8}, {-1.1, -0.8}}},
    {12,
     {{-0.35, -1.2},
      {0.35, -1.2},
      {0.35, -0.35},
      {1.2, -0.35},
      {1.2, 0.35},
      {0.35, 0.35},
      {0.35, 1.2},
      {-0.35, 1.2},
      {-0.35, 0.35},
      {-1.2, 0.35},
      {-1.2, -0.35},
      {-0.35, -0.35}}},
    {5, {{0, -1.2}, {1.14, -0.37}, {0.71, 0.97}, {-0.71, 0.97}, {-1.14, -0.37}}},
    {10,
     {{0, -1.4},
      {0.37, -0.5},
      {1.33, -0.43},
      {0.59, 0.19},
      {0.82, 1.13},
      {0, 0.62},
      {-0.82, 1.13},
      {-0.59, 0.19},
      {-1.33, -0.43},
      {-0.37, -0.5}}}};

#define MARK_SIZE 4.0

void svg_mark(struct svg *svg, unsigned shape, double x, double y, const char *style_class) {
    const struct corners *corners = &shapes[shape % SVG_MARKS];
    if (corners->count == 0) {
        markup_raw(svg->out, "<circle");
        attribute(svg, "cx", x);
        attribute(svg, "cy", y);
        attribute(svg, "r", MARK_SIZE);
        class_attribute(svg, style_class);
        markup_raw(svg->out, "/>\n");
        return;
    }
    svg_path_open(svg, style_class);
    for (unsigned i = 0; i < corners->count; i++) {
        double to_x = x + MARK_SIZE * corners->at[i][0], to_y = y + MARK_SIZE * corners->at[i][1];
        if (i == 0)
            svg_path_move(svg, to_x, to_y);
        else
            svg_path_to(svg, to_x, to_y);
    }
    svg_path_join(svg);
}

void svg_group_open(struct svg *svg, const char *title) {
    markup_raw(svg->out, "<g><title>");
    markup_text(svg->out, title);
    markup_raw(svg->out, "</title>");
}

void svg_group_close(struct svg *svg) {
    markup_raw(svg->out, "</g>\n");
}

/* 1, 2 or 5 times a power of ten, at least `rough`. */
static double round_step(double rough) {
    double power = pow(10, floor(log10(rough)));
    return rough <= power       ? power
           : rough <= 2 * power ? 2 * power
           : rough <= 5 * power ? 5 * power
                                : 10 * power;
}

struct svg_axis svg_axis_of(double high, unsigned marks, bool exact) {
    double wanted = isfinite(high) && high > 0 ? high : 1;
    double step = round_step(wanted / (marks > 0 ? marks : 1));
    double top = exact ? wanted : ceil(wanted / step - 1e-9) * step;
    return (struct svg_axis){.low = 0, .high = top, .step = step};
}

/* Half of the value to both sides, or of 1 around 0: what differs by less cannot be told apart on an axis. */
static void widen(double *low, double *high) {
    double size = fmax(fabs(*low), fabs(*high));
    if (*high - *low > 1e-9 * size)
        return;
    double by = size > 1e-300 ? size / 2 : 0.5;
    *low -= by;
    *high += by;
}

struct svg_axis svg_axis_between(double low, double high, unsigned marks, bool exact) {
    assert(isfinite(low) && isfinite(high) && low <= high && isfinite(high - low));
    widen(&low, &high);
    struct svg_axis axis = {.low = low, .high = high, .scale = SVG_COMPACT};
    axis.step = round_step((high - low) / (marks > 0 ? marks : 1));
    axis.mark = ceil(low / axis.step - 1e-9) * axis.step;
    if (!exact) {
        axis.low = axis.mark = floor(low / axis.step + 1e-9) * axis.step;
        axis.high = ceil(high / axis.step - 1e-9) * axis.step;
    }
    return axis;
}

struct svg_axis svg_axis_log(double low, double high, unsigned marks) {
    assert(low > 0 && low <= high && isfinite(high));
    struct svg_axis axis = {.low = floor(log10(low)), .high = ceil(log10(high)), .scale = SVG_LOG};
    if (axis.high <= axis.low)
        axis.high = axis.low + 1;
    axis.mark = axis.low;
    axis.step = fmax(1, ceil((axis.high - axis.low) / (marks > 0 ? marks : 1)));
    return axis;
}

static double share_of(const struct svg_axis *axis, double value) {
    if (axis->scale == SVG_LOG)
        value = value > 0 ? log10(value) : axis->low;
    return (value - axis->low) / (axis->high - axis->low);
}

static double pixel_at(const struct svg_axis *axis, double share) {
    return axis->from + fmin(fmax(share, 0), 1) * (axis->to - axis->from);
}

double svg_axis_at(const struct svg_axis *axis, double value) {
    return pixel_at(axis, share_of(axis, value));
}

static unsigned mark_count(const struct svg_axis *axis) {
    return (unsigned)floor((axis->high - axis->mark) / axis->step + 1e-9) + 1;
}

static int decimals_of(double step) {
    return step >= 1 ? 0 : (int)fmin(9, ceil(-log10(step) - 1e-9));
}

/* Every mark with the same unit, so that they can be compared. */
static void compact_number(struct markup *text, const struct svg_axis *axis, double value) {
    static const struct {
        double from, unit;
        const char *letter;
    } units[] = {{1e12, 0, ""}, {1e9, 1e9, "G"}, {1e6, 1e6, "M"}, {1e4, 1e3, "k"}, {0, 1, ""}};
    double size = fmax(fabs(axis->low), fabs(axis->high));
    size_t i = 0;
    if (fabs(value) < axis->step / 2) {
        markup_raw(text, "0");
        return;
    }
    while (size < units[i].from)
        i++;
    if (units[i].unit == 0 || size < 1e-3) {
        int digits = (int)(floor(log10(fabs(value)) + 1e-9) - floor(log10(axis->step) + 1e-9));
        markup_scientific(text, value, digits < 0 ? 0 : digits > 9 ? 9 : digits);
        return;
    }
    markup_number(text, value / units[i].unit, decimals_of(axis->step / units[i].unit));
    markup_raw(text, units[i].letter);
}

static void power_of_ten(struct markup *text, double exponent) {
    if (exponent >= -3 && exponent <= 3)
        markup_number(text, pow(10, exponent), exponent < 0 ? (int)-exponent : 0);
    else
        markup_format(text, "1e%d", (int)exponent);
}

static void mark_text(struct svg *svg, const struct svg_axis *axis, double x, double y, double value,
                      const char *where) {
    struct markup text;
    markup_init(&text);
    if (axis->scale == SVG_LOG)
        power_of_ten(&text, value);
    else if (axis->scale == SVG_COMPACT)
        compact_number(&text, axis, value);
    else
        markup_number(&text, value, decimals_of(axis->step));
    svg_text(svg, x, y, where, text.data != NULL ? text.data : "");
    markup_close(&text);
}

/* The i-th mark, as a number of the axis (SVG_LOG: a power of ten), and its pixel. */
static double mark_at(const struct svg_axis *axis, unsigned i, double *pixel) {
    double value = axis->mark + i * axis->step;
    *pixel = pixel_at(axis, (value - axis->low) / (axis->high - axis->low));
    return value;
}

void svg_axis_x(struct svg *svg, const struct svg_axis *axis, double y, double top_y, const char *label) {
    for (unsigned i = 0; i < mark_count(axis); i++) {
        double x, value = mark_at(axis, i, &x);
        svg_line(svg, x, top_y, x, y, "grid");
        mark_text(svg, axis, x, y + 16, value, "mark middle");
    }
    svg_line(svg, axis->from, y, axis->to, y, "axis");
    svg_text(svg, (axis->from + axis->to) / 2, y + 33, "label middle", label);
}

/* The label lies flat above the axis: turned text is hard to read on a phone. */
void svg_axis_y(struct svg *svg, const struct svg_axis *axis, double x, double far_x, const char *label) {
    for (unsigned i = 0; i < mark_count(axis); i++) {
        double y, value = mark_at(axis, i, &y);
        svg_line(svg, x, y, far_x, y, "grid");
        mark_text(svg, axis, x - 6, y + 4, value, "mark end");
    }
    svg_line(svg, x, axis->from, x, axis->to, "axis");
    if (label[0] != '\0')
        svg_text(svg, 2, fmin(axis->from, axis->to) - 12, "label start", label);
}
