/* svg: a small writer of SVG charts that stand inside an HTML page and take their colours from its style
 * sheet (classes, so that light and dark need no second drawing), or are files of their own with a style
 * sheet inside. Byte-stable. Coordinates are those of the viewBox. */
#ifndef TIERBED_RECORD_SVG_H
#define TIERBED_RECORD_SVG_H

#include "common/record/markup.h"

struct svg {
    struct markup *out; /* borrowed */
    double width, height;
};

/* `id` must be unique in the page; `title` and `description` are what a screen reader says instead of the
 * drawing. */
struct svg_frame {
    double width, height;
    const char *id, *style_class, *title, *description;
    const char *style; /* a file of its own with this style sheet; NULL: part of a page */
};

void svg_open(struct svg *svg, struct markup *out, const struct svg_frame *frame);
void svg_close(struct svg *svg);

struct svg_box {
    double x, y, width, height;
};

void svg_line(struct svg *svg, double x1, double y1, double x2, double y2, const char *style_class);
void svg_rect(struct svg *svg, struct svg_box box, const char *style_class);
/* As svg_rect with its own opacity in 0..1 and rounded corners. */
void svg_rect_tinted(struct svg *svg, struct svg_box box, double opacity, const char *style_class);
/* A small x with arms of `arm`. */
void svg_cross(struct svg *svg, double x, double y, double arm, const char *style_class);
/* Text of at most one line; style_class says where it is anchored (`start`, `middle`, `end` in the style
 * sheet). */
void svg_text(struct svg *svg, double x, double y, const char *style_class, const char *text);

/* A path, point by point. */
void svg_path_open(struct svg *svg, const char *style_class);
void svg_path_move(struct svg *svg, double x, double y);
void svg_path_to(struct svg *svg, double x, double y);
void svg_path_close(struct svg *svg);
void svg_path_join(struct svg *svg); /* as svg_path_close, with a line back to where the path began */

/* What tells series apart beside their colours: circle, square, triangle, diamond, ... */
#define SVG_MARKS 8u
void svg_mark(struct svg *svg, unsigned shape, double x, double y, const char *style_class);

/* A group whose title shows when the pointer rests on it. */
void svg_group_open(struct svg *svg, const char *title);
void svg_group_close(struct svg *svg);

/* What the numbers of an axis stand for and how they are written. */
enum svg_scale {
    SVG_LINEAR = 0,
    SVG_COMPACT, /* linear; 20k, 1.5M, 2e-7 where plain numbers are long */
    SVG_LOG      /* low, high, mark and step are powers of ten */
};

/* An axis from `low` to `high` over the pixels `from` to `to`, marked at `mark` and every `step` from there.
 */
struct svg_axis {
    double low, high, from, to, mark, step;
    enum svg_scale scale;
};

/* An axis from 0 to at least `high` with about `marks` marks at 1, 2 or 5 times a power of ten; high stays if
 * `exact`. */
struct svg_axis svg_axis_of(double high, unsigned marks, bool exact);
/* An axis over any range, SVG_COMPACT. `exact`: from `low` to `high` themselves with the round marks between;
 * else from mark to mark around them. A range of no width is widened. */
struct svg_axis svg_axis_between(double low, double high, unsigned marks, bool exact);
/* A logarithmic axis from the power of ten below `low` to the one above `high`; 0 < low <= high. */
struct svg_axis svg_axis_log(double low, double high, unsigned marks);
/* The pixel of a value (SVG_LOG: of the value itself, not of its logarithm). */
double svg_axis_at(const struct svg_axis *axis, double value); /* clamped to the ends */

/* Draws marks, grid lines, numbers and the label (y: "" for none): below for x (pixels down at y), to the
 * left for y (grid to `far_x`).
 */
void svg_axis_x(struct svg *svg, const struct svg_axis *axis, double y, double top_y, const char *label);
void svg_axis_y(struct svg *svg, const struct svg_axis *axis, double x, double far_x, const char *label);

#endif
