/* The confusion matrix as a heat map, and drops by reason as bars. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/record/names.h"
#include "common/record/report_charts.h"

static void count_text(char *text, size_t size, uint64_t value) {
    struct markup markup;
    markup_init(&markup);
    markup_count(&markup, value);
    snprintf(text, size, "%s", markup.data != NULL ? markup.data : "");
    markup_close(&markup);
}

static void draw_cell(struct svg *svg, const struct summary *summary, uint8_t truth, uint8_t found,
                      struct svg_box box) {
    uint64_t count = summary->confusion[truth][found], row = 0;
    char text[32];
    for (unsigned i = 0; i < BEARING_CLASS_COUNT; i++)
        row += summary->confusion[truth][i];
    double share = row > 0 ? (double)count / (double)row : 0;
    const char *ink = share > 0.5 ? "ink" : "value"; /* the text must stand out from a dark cell */
    svg_rect_tinted(svg, box, 1, "cell");
    svg_rect_tinted(svg, box, share > 0 ? 0.10 + 0.90 * share : 0,
                    truth == found ? "cell-right" : "cell-wrong");
    char style_class[32];
    snprintf(style_class, sizeof style_class, "%s middle", ink);
    count_text(text, sizeof text, count);
    svg_text(svg, box.x + box.width / 2, box.y + box.height / 2 - 1, style_class, text);
    snprintf(style_class, sizeof style_class, "%s-small middle", ink);
    snprintf(text, sizeof text, "%d %%", (int)lround(100 * share));
    if (row > 0)
        svg_text(svg, box.x + box.width / 2, box.y + box.height / 2 + 15, style_class, text);
}

void chart_confusion(struct markup *out, const struct summary *summary, struct chart_size size) {
    struct svg svg;
    char id[64];
    double left = 62, top = 44, cell_width = (size.width - left - 8) / BEARING_CLASS_COUNT, cell_height = 52;
    snprintf(id, sizeof id, "confusion-%s", size.suffix);
    svg_open(&svg, out,
             &(struct svg_frame){
                 .width = size.width,
                 .height = top + BEARING_CLASS_COUNT * cell_height + 8,
                 .id = id,
                 .style_class = size.style_class,
                 .title = "Confusion matrix",
                 .description = "Rows: true condition of the bearing. Columns: diagnosis. Each cell: tasks, "
                                "and their share of the row."});
    svg_text(&svg, 2, 14, "label start", "true \xe2\x86\x93");
    svg_text(&svg, left + (size.width - left - 8) / 2, 14, "label middle", "diagnosed \xe2\x86\x92");
    for (uint8_t class = 0; class < BEARING_CLASS_COUNT; class ++) {
        svg_text(&svg, left + (class + 0.5) * cell_width, top - 9, "mark middle", name_of_class(class));
        svg_text(&svg, left - 8, top + (class + 0.5) * cell_height + 4, "mark end", name_of_class(class));
    }
    for (uint8_t truth = 0; truth < BEARING_CLASS_COUNT; truth++)
        for (uint8_t found = 0; found < BEARING_CLASS_COUNT; found++)
            draw_cell(&svg, summary, truth, found,
                      (struct svg_box){left + found * cell_width + 1.5, top + truth * cell_height + 1.5,
                                       cell_width - 3, cell_height - 3});
    svg_close(&svg);
}

/* Reasons that this run can have, or has: without gateways and windows there are fewer. */
static bool is_shown(const struct summary *summary, unsigned reason) {
    bool of_windows = reason == DROP_GATEWAY_FULL || reason == DROP_EDGE_FULL || reason == DROP_BAD_WINDOW;
    return summary->drop[reason] > 0 || !of_windows || !summary_has_scheme(summary);
}

void chart_drops(struct markup *out, const struct summary *summary, struct chart_size size) {
    struct svg svg;
    char id[64];
    double left = 92, row_height = 30, room = size.width - left - 100;
    uint64_t most = 1;
    unsigned rows = 0, row = 0;
    for (unsigned reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++) {
        most = summary->drop[reason] > most ? summary->drop[reason] : most;
        rows += is_shown(summary, reason);
    }
    snprintf(id, sizeof id, "drops-%s", size.suffix);
    svg_open(&svg, out,
             &(struct svg_frame){
                 .width = size.width,
                 .height = rows * row_height + 8,
                 .id = id,
                 .style_class = size.style_class,
                 .title = "Drops by reason",
                 .description = "Number of dropped tasks for each reason, and their share of all tasks."});
    for (unsigned reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++) {
        if (!is_shown(summary, reason))
            continue;
        double y = row++ * row_height + 4, width = room * (double)summary->drop[reason] / (double)most;
        char count[32], text[64];
        count_text(count, sizeof count, summary->drop[reason]);
        long tenths =
            summary->born > 0 ? lround(1000.0 * (double)summary->drop[reason] / (double)summary->born) : 0;
        snprintf(text, sizeof text, "%s  (%ld.%ld %%)", count, tenths / 10, tenths % 10);
        svg_text(&svg, left - 8, y + 18, "mark end", name_of_drop((uint8_t)reason));
        svg_rect_tinted(&svg, (struct svg_box){left, y + 4, fmax(width, 1), row_height - 10}, 1,
                        summary->drop[reason] > 0 ? "f-drop" : "f-wait");
        svg_text(&svg, left + fmax(width, 1) + 8, y + 18, "value-small start", text);
    }
    svg_close(&svg);
}
