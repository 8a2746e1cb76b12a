/* experiment_figure: the plot of one figure, from its summaries. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/experiment_results.h"
#include "common/record/plot.h"

void label_with_unit(const char *label, const char *unit, char *text, size_t size) {
    snprintf(text, size, *unit != '\0' ? "%s (%s)" : "%s", label, unit);
}

/* One panel while its series are filled. */
struct drawing {
    const struct results *results;
    struct arena *arena;
    struct plot_panel *panel;
    struct plot_series *series;
    uint32_t measure, point;
};

static const char *copy_label(struct arena *arena, const char *label, const char *unit) {
    char text[SWEEP_LABEL_MAX + SWEEP_NAME_MAX + 4];
    label_with_unit(label, unit, text, sizeof text);
    return arena_copy_text(arena, text);
}

/* Arrays of `count` values, all missing. */
static struct plot_series new_series(struct arena *arena, const char *label, uint32_t count) {
    double *all = arena_alloc_array(arena, (size_t)count * 4 + 1, sizeof *all);
    for (uint32_t i = 0; i < 4 * count; i++)
        all[i] = NAN;
    return (struct plot_series){.label = label,
                                .x = all,
                                .value = all + count,
                                .low = all + 2 * count,
                                .high = all + 3 * count,
                                .count = count};
}

static void put(struct plot_series *series, uint32_t i, double x, const struct statistics_interval *cell) {
    ((double *)series->x)[i] = x;
    ((double *)series->value)[i] = cell->value;
    ((double *)series->low)[i] = cell->low;
    ((double *)series->high)[i] = cell->high;
}

static void fill_swept(struct drawing *drawing) {
    const struct sweep *sweep = drawing->results->sweep;
    for (uint32_t arm = 0; arm < sweep->arm_count; arm++) {
        struct plot_series series = new_series(drawing->arena, sweep->arms[arm].label, sweep->point_count);
        for (uint32_t point = 0; point < sweep->point_count; point++)
            put(&series, point, sweep->categorical ? point : sweep->points[point].number,
                results_cell(drawing->results, drawing->measure, arm, point));
        drawing->series[arm] = series;
    }
}

static void fill_steps(struct drawing *drawing) {
    const struct sweep *sweep = drawing->results->sweep;
    for (uint32_t arm = 0; arm < sweep->arm_count; arm++) {
        struct binned binned =
            results_binned(drawing->results, drawing->measure, arm, drawing->point, drawing->arena);
        struct plot_series series = new_series(drawing->arena, sweep->arms[arm].label, binned.count);
        for (uint32_t bin = 0; bin < binned.count; bin++)
            put(&series, bin, binned.steps[bin], &binned.cells[bin]);
        drawing->series[arm] = series;
    }
}

static const char *point_name(const struct sweep_point *point) {
    return *point->label != '\0' ? point->label : point->text;
}

static void name_points(struct drawing *drawing) {
    const struct sweep *sweep = drawing->results->sweep;
    const char **names = arena_alloc_array(drawing->arena, sweep->point_count, sizeof *names);
    for (uint32_t point = 0; point < sweep->point_count; point++)
        names[point] = sweep->single ? "" : point_name(&sweep->points[point]);
    drawing->panel->names = names;
    drawing->panel->apart = sweep->single;
    drawing->panel->name_count = sweep->point_count;
}

static const char *panel_title(const struct drawing *drawing) {
    const struct sweep *sweep = drawing->results->sweep;
    const char *label = sweep->measures[drawing->measure].label;
    char text[4 * SWEEP_LABEL_MAX];
    if (sweep->figure != FIGURE_STEPS || sweep->single)
        return label;
    const struct sweep_point *point = &sweep->points[drawing->point];
    if (*point->label != '\0')
        snprintf(text, sizeof text, "%s, %s", label, point->label);
    else
        snprintf(text, sizeof text, "%s, %s = %s%s%s", label, sweep->x.label, point->text,
                 *sweep->x.unit != '\0' ? " " : "", sweep->x.unit);
    return arena_copy_text(drawing->arena, text);
}

static void draw_panel(struct drawing *drawing) {
    const struct sweep *sweep = drawing->results->sweep;
    const struct sweep_measure *measure = &sweep->measures[drawing->measure];
    bool steps = sweep->figure == FIGURE_STEPS;
    drawing->series = arena_alloc_array(drawing->arena, sweep->arm_count, sizeof *drawing->series);
    *drawing->panel =
        (struct plot_panel){.title = panel_title(drawing),
                            .x_label = copy_label(drawing->arena, sweep->x.label, sweep->x.unit),
                            .y_label = *measure->unit != '\0' ? measure->unit : "",
                            .logarithmic_x = sweep->x.logarithmic && !sweep->categorical,
                            .logarithmic_y = measure->logarithmic,
                            .dense = steps,
                            .series = drawing->series,
                            .series_count = sweep->arm_count};
    if (steps)
        fill_steps(drawing);
    else
        fill_swept(drawing);
    if (!steps && sweep->categorical)
        name_points(drawing);
    if (!steps && sweep->single)
        drawing->panel->x_label = "";
    if (steps)
        drawing->panel->x_label = sweep->step_label;
}

/* What the bands are, from how many seeds; that it is quick, where it is. */
static const char *note_of(const struct results *results, struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    char text[256], smooth[64] = "";
    if (sweep->figure == FIGURE_STEPS && sweep->smooth > 1)
        snprintf(smooth, sizeof smooth, ", mean of the last %u steps", sweep->smooth);
    snprintf(text, sizeof text, "%sInterquartile mean over %u seed%s with 95 %% bootstrap interval%s",
             results->quick ? "QUICK RUN, not the full experiment. " : "", sweep->seeds,
             sweep->seeds == 1 ? "" : "s", smooth);
    return arena_copy_text(arena, text);
}

void results_svg(const struct results *results, struct markup *out, struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    uint32_t points = sweep->figure == FIGURE_STEPS ? sweep->point_count : 1;
    struct plot_panel *panels =
        arena_alloc_array(arena, (size_t)sweep->measure_count * points, sizeof *panels);
    struct plot plot = {.title = sweep->title,
                        .note = note_of(results, arena),
                        .description = "The numbers are in summary.csv beside this figure.",
                        .panels = panels};
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++)
        for (uint32_t point = 0; point < points; point++) {
            struct drawing drawing = {.results = results,
                                      .arena = arena,
                                      .panel = &panels[plot.panel_count++],
                                      .measure = measure,
                                      .point = point};
            draw_panel(&drawing);
        }
    plot_write(out, &plot);
}
