#include "common/record/plot.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/record/plot_axis.h"
#include "common/record/svg.h"

#define MARGIN 16.0
#define PANEL_LEFT 62.0   /* room for the numbers of the y axis */
#define PANEL_TOP 46.0    /* title and y label of a panel */
#define PANEL_BOTTOM 46.0 /* numbers and label of the x axis */
#define LEGEND_ROW 20.0
#define COLOURS 8u

/* Okabe and Ito's palette without its yellow, which is too pale on white, and with a grey. */
static const char style[] =
    "svg{background:#fff;font-family:Helvetica,Arial,'Liberation Sans',sans-serif;color-scheme:light}"
    "text{fill:#1f2328;font-size:12px}.title{font-size:16px;font-weight:600}.note{fill:#59636e}"
    ".panel{font-size:13px;font-weight:600}.label{fill:#1f2328}.mark{fill:#59636e;font-size:11px}"
    ".middle{text-anchor:middle}.end{text-anchor:end}"
    ".paper{fill:#fff}.grid{stroke:#e4e7eb;stroke-width:1}.axis{stroke:#59636e;stroke-width:1}"
    ".line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}.band{stroke:none;fill-"
    "opacity:.16}"
    ".point{stroke:#fff;stroke-width:.8}.whisker{stroke:#1f2328;stroke-width:1.2;fill:none}"
    ".bar{stroke:none}"
    ".c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#cc79a7}.c4{stroke:#e69f00}"
    ".c5{stroke:#56b4e9}.c6{stroke:#333}.c7{stroke:#8a8a8a}"
    ".f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#009e73}.f3{fill:#cc79a7}.f4{fill:#e69f00}.f5{fill:#56b4e9}"
    ".f6{fill:#333}.f7{fill:#8a8a8a}"
    ".d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 3}.d3{stroke-dasharray:9 3 2 3}.d4{stroke-dasharray:4 "
    "2}";

/* Where one panel is drawn. */
struct place {
    double left, top, width, height; /* of the area between the axes */
};

struct drawing {
    struct svg svg;
    const struct plot *plot;
    const struct plot_panel *panel;
    struct plot_axis x, y;
    struct place place;
};

static const char *line_class(const struct plot_panel *panel, uint32_t series, char text[48]) {
    uint32_t dash = panel->dense ? series % 5 : series / COLOURS % 5;
    snprintf(text, 48, "line c%u d%u", series % COLOURS, dash);
    return text;
}

static const char *fill_class(const char *kind, uint32_t series, char text[48]) {
    snprintf(text, 48, "%s f%u", kind, series % COLOURS);
    return text;
}

/* ---- lines ---- */

/* One run of neighbouring points that are there, as a band. */
static void draw_band_part(struct drawing *drawing, const struct plot_series *series, uint32_t first,
                           uint32_t end, const char *style_class) {
    struct svg *svg = &drawing->svg;
    svg_path_open(svg, style_class);
    for (uint32_t i = first; i < end; i++) {
        double x = plot_axis_at(&drawing->x, series->x[i]), y = plot_axis_at(&drawing->y, series->high[i]);
        if (i == first)
            svg_path_move(svg, x, y);
        else
            svg_path_to(svg, x, y);
    }
    for (uint32_t i = end; i > first; i--)
        svg_path_to(svg, plot_axis_at(&drawing->x, series->x[i - 1]),
                    plot_axis_at(&drawing->y, series->low[i - 1]));
    svg_path_join(svg);
}

static bool is_there(const struct drawing *drawing, const struct plot_series *series, uint32_t i) {
    return isfinite(series->value[i]) && plot_axis_holds(&drawing->y, series->value[i]);
}

static uint32_t part_end(const struct drawing *drawing, const struct plot_series *series, uint32_t first) {
    while (first < series->count && is_there(drawing, series, first))
        first++;
    return first;
}

static void draw_bands(struct drawing *drawing, uint32_t index) {
    const struct plot_series *series = &drawing->panel->series[index];
    char text[48];
    for (uint32_t i = 0; i < series->count;) {
        uint32_t end = part_end(drawing, series, i);
        if (end > i + 1)
            draw_band_part(drawing, series, i, end, fill_class("band", index, text));
        i = end > i ? end : i + 1;
    }
}

static void draw_whisker(struct drawing *drawing, double x, double low, double high) {
    struct svg *svg = &drawing->svg;
    double from = plot_axis_at(&drawing->y, low), to = plot_axis_at(&drawing->y, high);
    svg_path_open(svg, "whisker");
    svg_path_move(svg, x - 4, to);
    svg_path_to(svg, x + 4, to);
    svg_path_move(svg, x, to);
    svg_path_to(svg, x, from);
    svg_path_move(svg, x - 4, from);
    svg_path_to(svg, x + 4, from);
    svg_path_close(svg);
}

static void draw_line(struct drawing *drawing, uint32_t index) {
    const struct plot_series *series = &drawing->panel->series[index];
    struct svg *svg = &drawing->svg;
    char text[48];
    for (uint32_t i = 0; i < series->count;) {
        uint32_t end = part_end(drawing, series, i);
        if (end > i + 1) {
            svg_path_open(svg, line_class(drawing->panel, index, text));
            for (uint32_t k = i; k < end; k++) {
                double x = plot_axis_at(&drawing->x, series->x[k]),
                       y = plot_axis_at(&drawing->y, series->value[k]);
                if (k == i)
                    svg_path_move(svg, x, y);
                else
                    svg_path_to(svg, x, y);
            }
            svg_path_close(svg);
        } else if (end == i + 1) {
            draw_whisker(drawing, plot_axis_at(&drawing->x, series->x[i]), series->low[i], series->high[i]);
        }
        i = end > i ? end : i + 1;
    }
}

/* What the pointer shows when it rests on a point. */
static void open_tip(struct drawing *drawing, const struct plot_series *series, uint32_t i) {
    struct markup tip;
    markup_init(&tip);
    markup_raw(&tip, series->label);
    markup_raw(&tip, ": ");
    markup_quantity(&tip, series->value[i]);
    markup_raw(&tip, " (");
    markup_quantity(&tip, series->low[i]);
    markup_raw(&tip, " to ");
    markup_quantity(&tip, series->high[i]);
    markup_raw(&tip, ")");
    svg_group_open(&drawing->svg, tip.data != NULL ? tip.data : "");
    markup_close(&tip);
}

static void draw_marks(struct drawing *drawing, uint32_t index) {
    const struct plot_series *series = &drawing->panel->series[index];
    char text[48];
    for (uint32_t i = 0; i < series->count; i++) {
        if (!is_there(drawing, series, i))
            continue;
        open_tip(drawing, series, i);
        svg_mark(&drawing->svg, index, plot_axis_at(&drawing->x, series->x[i]),
                 plot_axis_at(&drawing->y, series->value[i]), fill_class("point", index, text));
        svg_group_close(&drawing->svg);
    }
}

static void draw_lines(struct drawing *drawing) {
    for (uint32_t i = 0; i < drawing->panel->series_count; i++)
        draw_bands(drawing, i);
    for (uint32_t i = 0; i < drawing->panel->series_count; i++)
        draw_line(drawing, i);
    for (uint32_t i = 0; !drawing->panel->dense && i < drawing->panel->series_count; i++)
        draw_marks(drawing, i);
}

/* ---- bars ---- */

static void draw_bar(struct drawing *drawing, uint32_t index, uint32_t i, double left, double width) {
    const struct plot_series *series = &drawing->panel->series[index];
    char text[48];
    double zero = drawing->y.logarithmic ? drawing->y.low : 0;
    double from = plot_axis_at(&drawing->y, zero), to = plot_axis_at(&drawing->y, series->value[i]);
    if (!is_there(drawing, series, i))
        return;
    open_tip(drawing, series, i);
    svg_rect(&drawing->svg, (struct svg_box){left, fmin(from, to), width, fabs(from - to)},
             fill_class("bar", index, text));
    svg_group_close(&drawing->svg);
    draw_whisker(drawing, left + width / 2, series->low[i], series->high[i]);
}

/* One bar for each series, with its label below; the legend is not needed then. */
static void draw_bars_apart(struct drawing *drawing) {
    const struct plot_panel *panel = drawing->panel;
    double slot = drawing->place.width / panel->series_count, width = fmin(slot * 0.6, 72);
    double bottom = drawing->place.top + drawing->place.height;
    for (uint32_t index = 0; index < panel->series_count; index++) {
        double middle = drawing->place.left + (index + 0.5) * slot;
        draw_bar(drawing, index, 0, middle - width / 2, width);
        svg_text(&drawing->svg, middle, bottom + 17, "mark middle", panel->series[index].label);
    }
}

static void draw_bars(struct drawing *drawing) {
    const struct plot_panel *panel = drawing->panel;
    double slot = drawing->place.width / panel->name_count;
    double width = fmin(slot * 0.8 / panel->series_count, 56);
    for (uint32_t name = 0; name < panel->name_count; name++) {
        double middle = drawing->place.left + (name + 0.5) * slot;
        double left = middle - width * panel->series_count / 2;
        for (uint32_t index = 0; index < panel->series_count; index++)
            draw_bar(drawing, index, name, left + index * width + 1, width - 2);
    }
}

/* ---- axes ---- */

static double text_width(const char *text, double size) {
    return 0.56 * size * (double)strlen(text);
}

static void draw_names(struct drawing *drawing) {
    const struct plot_panel *panel = drawing->panel;
    double slot = drawing->place.width / panel->name_count;
    double bottom = drawing->place.top + drawing->place.height;
    for (uint32_t name = 0; name < panel->name_count && !panel->apart; name++)
        svg_text(&drawing->svg, drawing->place.left + (name + 0.5) * slot, bottom + 17, "mark middle",
                 panel->names[name]);
    svg_line(&drawing->svg, drawing->place.left, bottom, drawing->place.left + drawing->place.width, bottom,
             "axis");
}

static void draw_x_axis(struct drawing *drawing) {
    const struct place *place = &drawing->place;
    double bottom = place->top + place->height;
    for (uint32_t i = 0; i < drawing->x.tick_count; i++) {
        char text[PLOT_TICK_MAX];
        double x = plot_axis_at(&drawing->x, drawing->x.ticks[i]);
        svg_line(&drawing->svg, x, place->top, x, bottom, "grid");
        svg_text(&drawing->svg, x, bottom + 17, "mark middle", plot_axis_text(&drawing->x, i, text));
    }
    svg_line(&drawing->svg, place->left, bottom, place->left + place->width, bottom, "axis");
}

static void draw_y_axis(struct drawing *drawing) {
    const struct place *place = &drawing->place;
    for (uint32_t i = 0; i < drawing->y.tick_count; i++) {
        char text[PLOT_TICK_MAX];
        double y = plot_axis_at(&drawing->y, drawing->y.ticks[i]);
        svg_line(&drawing->svg, place->left, y, place->left + place->width, y, "grid");
        svg_text(&drawing->svg, place->left - 7, y + 4, "mark end", plot_axis_text(&drawing->y, i, text));
    }
    svg_line(&drawing->svg, place->left, place->top, place->left, place->top + place->height, "axis");
}

static struct plot_axis y_axis(const struct plot_panel *panel) {
    struct plot_range range = plot_range_empty();
    for (uint32_t i = 0; i < panel->series_count; i++) {
        const struct plot_series *series = &panel->series[i];
        plot_range_take(&range, series->value, series->count, panel->logarithmic_y);
        plot_range_take(&range, series->low, series->count, panel->logarithmic_y);
        plot_range_take(&range, series->high, series->count, panel->logarithmic_y);
    }
    return plot_axis_over(range, panel->logarithmic_y, panel->names != NULL);
}

static struct plot_axis x_axis(const struct plot_panel *panel) {
    struct plot_range range = plot_range_empty();
    for (uint32_t i = 0; i < panel->series_count; i++)
        plot_range_take(&range, panel->series[i].x, panel->series[i].count, panel->logarithmic_x);
    if (panel->dense)
        return plot_axis_tight(range, panel->logarithmic_x);
    const struct plot_series *first = &panel->series[0];
    return plot_axis_of_points(range, first->x, first->count, panel->logarithmic_x);
}

static void draw_panel(struct drawing *drawing, const struct plot_panel *panel) {
    const struct place *place = &drawing->place;
    drawing->panel = panel;
    drawing->y = y_axis(panel);
    drawing->y.from = place->top + place->height;
    drawing->y.to = place->top;
    svg_text(&drawing->svg, place->left - PANEL_LEFT + 6, place->top - 28, "panel", panel->title);
    svg_text(&drawing->svg, place->left - PANEL_LEFT + 6, place->top - 11, "note", panel->y_label);
    draw_y_axis(drawing);
    if (panel->names != NULL) {
        if (panel->apart)
            draw_bars_apart(drawing);
        else
            draw_bars(drawing);
        draw_names(drawing);
    } else {
        drawing->x = x_axis(panel);
        drawing->x.from = place->left;
        drawing->x.to = place->left + place->width;
        plot_axis_thin(&drawing->x);
        draw_x_axis(drawing);
        draw_lines(drawing);
    }
    svg_text(&drawing->svg, place->left + place->width / 2, place->top + place->height + 36, "label middle",
             panel->x_label);
}

/* ---- the legend ---- */

static bool wants_legend(const struct plot *plot) {
    return plot->panels[0].series_count > 1 && !plot->panels[0].apart;
}

/* Draws the legend (`svg` NULL: only measures); returns its height. */
static double lay_legend(struct svg *svg, const struct plot *plot, double width, double top) {
    const struct plot_panel *panel = &plot->panels[0];
    double x = MARGIN, y = top + 12;
    for (uint32_t i = 0; i < panel->series_count; i++) {
        char text[48];
        double needed = 34 + text_width(panel->series[i].label, 12) + 18;
        if (x > MARGIN && x + needed > width - MARGIN) {
            x = MARGIN;
            y += LEGEND_ROW;
        }
        if (svg != NULL && panel->names != NULL) {
            svg_rect(svg, (struct svg_box){x + 8, y - 10, 12, 12}, fill_class("bar", i, text));
        } else if (svg != NULL) {
            svg_line(svg, x, y - 4, x + 26, y - 4, line_class(panel, i, text));
            if (!panel->dense)
                svg_mark(svg, i, x + 13, y - 4, fill_class("point", i, text));
        }
        if (svg != NULL)
            svg_text(svg, x + 32, y, "label", panel->series[i].label);
        x += needed;
    }
    return y - top + LEGEND_ROW - 8;
}

void plot_write(struct markup *out, const struct plot *plot) {
    assert(plot->panel_count > 0 && plot->panels[0].series_count > 0);
    uint32_t columns = plot->panel_count < 2 ? 1 : plot->panel_count <= 4 ? 2 : 3;
    uint32_t rows = (plot->panel_count + columns - 1) / columns;
    double width = columns == 1 ? 720 : columns * 440 + MARGIN, inner = columns == 1 ? 300 : 230;
    double head = *plot->note != '\0' ? 58 : 40;
    double legend = wants_legend(plot) ? lay_legend(NULL, plot, width, head) : 0;
    double panel_width = (width - MARGIN) / columns, panel_height = PANEL_TOP + inner + PANEL_BOTTOM;
    struct svg_frame frame = {.width = width,
                              .height = head + legend + rows * panel_height + 6,
                              .id = "plot",
                              .style_class = "plot",
                              .title = plot->title,
                              .description = plot->description,
                              .style = style};
    struct drawing drawing = {.plot = plot};
    svg_open(&drawing.svg, out, &frame);
    svg_rect(&drawing.svg, (struct svg_box){0, 0, frame.width, frame.height}, "paper");
    svg_text(&drawing.svg, MARGIN, 27, "title", plot->title);
    if (*plot->note != '\0')
        svg_text(&drawing.svg, MARGIN, 47, "note", plot->note);
    if (legend > 0)
        lay_legend(&drawing.svg, plot, width, head);
    for (uint32_t i = 0; i < plot->panel_count; i++) {
        uint32_t column = i % columns, row = i / columns;
        drawing.place = (struct place){.left = column * panel_width + PANEL_LEFT + 8,
                                       .top = head + legend + row * panel_height + PANEL_TOP,
                                       .width = panel_width - PANEL_LEFT - 20,
                                       .height = inner};
        draw_panel(&drawing, &plot->panels[i]);
    }
    svg_close(&drawing.svg);
}
