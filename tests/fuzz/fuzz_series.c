/* Fuzzes the drawing of curves: any values at any steps of any number of nodes. The drawing must hold no
 * number that is none, and nothing may trip an assert or a sanitizer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/record/report_charts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(const struct series_plot *plot) {
    struct markup out;
    markup_init(&out);
    chart_series(&out, plot, (struct chart_size){.width = 360, .suffix = "a", .style_class = "w-a"});
    if (out.failed || strstr(out.data, "n/a") != NULL || strstr(out.data, "nan") != NULL)
        abort();
    markup_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    uint32_t nodes = bytes_get_u8(&reader) % 8 + 1u, points = bytes_get_u16(&reader) % SERIES_POINTS_MAX + 1u;
    int64_t first = bytes_get_u32(&reader), last = bytes_get_u32(&reader);
    struct series_plot *plot = calloc(1, sizeof *plot);
    if (plot == NULL)
        return 0;
    series_plot_init(plot, "fuzz", nodes,
                     (const int64_t[]){first < last ? first : last, first < last ? last : first}, points);
    while (bytes_left(&reader) >= 13) {
        uint32_t node = bytes_get_u8(&reader), step = bytes_get_u32(&reader);
        series_plot_add(plot, node, step, bytes_get_f64(&reader));
    }
    draw(plot);
    free(plot);
    return 0;
}
