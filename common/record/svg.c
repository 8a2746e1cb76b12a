#include "common/record/svg.h"

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
    markup_raw(out, "<svg role=\"img\" viewBox=\"0 0 ");
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

void svg_group_open(struct svg *svg, const char *title) {
    markup_raw(svg->out, "<g><title>");
    markup_text(svg->out, title);
    markup_raw(svg->out, "</title>");
}

void svg_group_close(struct svg *svg) {
    markup_raw(svg->out, "</g>\n");
}

struct svg_axis svg_axis_of(double high, unsigned marks, bool exact) {
    double wanted = isfinite(high) && high > 0 ? high : 1;
    double rough = wanted / (marks > 0 ? marks : 1), power = pow(10, floor(log10(rough)));
    double step = rough <= power       ? power
                  : rough <= 2 * power ? 2 * power
                  : rough <= 5 * power ? 5 * power
                                       : 10 * power;
    double top = exact ? wanted : ceil(wanted / step - 1e-9) * step;
    return (struct svg_axis){.low = 0, .high = top, .step = step};
}

double svg_axis_at(const struct svg_axis *axis, double value) {
    double part = (value - axis->low) / (axis->high - axis->low);
    return axis->from + fmin(fmax(part, 0), 1) * (axis->to - axis->from);
}

static unsigned mark_count(const struct svg_axis *axis) {
    return (unsigned)floor((axis->high - axis->low) / axis->step + 1e-9) + 1;
}

static void mark_text(struct svg *svg, const struct svg_axis *axis, double x, double y, double value,
                      const char *where) {
    struct markup text;
    int decimals = axis->step >= 1 ? 0 : (int)fmin(9, ceil(-log10(axis->step) - 1e-9));
    markup_init(&text);
    markup_number(&text, value, decimals);
    svg_text(svg, x, y, where, text.data != NULL ? text.data : "");
    markup_close(&text);
}

void svg_axis_x(struct svg *svg, const struct svg_axis *axis, double y, double top_y, const char *label) {
    for (unsigned i = 0; i < mark_count(axis); i++) {
        double value = axis->low + i * axis->step, x = svg_axis_at(axis, value);
        svg_line(svg, x, top_y, x, y, "grid");
        mark_text(svg, axis, x, y + 16, value, "mark middle");
    }
    svg_line(svg, axis->from, y, axis->to, y, "axis");
    svg_text(svg, (axis->from + axis->to) / 2, y + 33, "label middle", label);
}

/* The label lies flat above the axis: turned text is hard to read on a phone. */
void svg_axis_y(struct svg *svg, const struct svg_axis *axis, double x, double far_x, const char *label) {
    for (unsigned i = 0; i < mark_count(axis); i++) {
        double value = axis->low + i * axis->step, y = svg_axis_at(axis, value);
        svg_line(svg, x, y, far_x, y, "grid");
        mark_text(svg, axis, x - 6, y + 4, value, "mark end");
    }
    svg_line(svg, x, axis->from, x, axis->to, "axis");
    svg_text(svg, 2, fmin(axis->from, axis->to) - 12, "label start", label);
}
