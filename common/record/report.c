#include "common/record/report.h"

#include "common/base/version.h"
#include "common/record/durable.h"
#include "common/record/report_charts.h"
#include "common/record/report_data.h"
#include "common/record/report_parts.h"

static const struct chart_size half_sizes[] = {{.width = 360, .suffix = "s", .style_class = "w-s"},
                                               {.width = 620, .suffix = "ml", .style_class = "w-ml"}};
static const struct chart_size full_sizes[] = {{.width = 360, .suffix = "s", .style_class = "w-s"},
                                               {.width = 760, .suffix = "m", .style_class = "w-m"},
                                               {.width = 1260, .suffix = "l", .style_class = "w-l"}};

static void page_open(struct markup *out, const struct report_data *data) {
    markup_raw(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"generator\" content=\"Tierbed ");
    markup_text(out, version_text());
    markup_raw(out, "\">\n<title>");
    markup_text(out, data->summary.scenario);
    markup_raw(out, ", seed ");
    markup_text(out, data->summary.seed);
    markup_raw(out, "</title>\n<style>\n");
    markup_raw(out, report_style);
    report_level_colours(out, data->level_count);
    markup_raw(out, "</style>\n</head>\n<body>\n");
}

static void panel_open(struct markup *out, const char *title) {
    markup_raw(out, "<section class=\"panel\"><h2>");
    markup_text(out, title);
    markup_raw(out, "</h2>\n");
}

static void panel_close(struct markup *out) {
    markup_raw(out, "</section>\n");
}

static void legend_item(struct markup *out, const char *style_class, const char *name) {
    markup_raw(out, "<li><i class=\"");
    markup_raw(out, style_class);
    markup_raw(out, "\"></i>");
    markup_raw(out, name);
    markup_raw(out, "</li>\n");
}

static void fill_legend(struct markup *out, const struct report_data *data, bool wait) {
    markup_raw(out, "<ul class=\"legend\">\n");
    if (wait)
        legend_item(out, "b-wait", "waiting or travelling");
    if (data->at_devices)
        legend_item(out, "b-device", "device CPU");
    legend_item(out, "b-uplink", "uplink");
    if (data->summary.gateways > 0)
        legend_item(out, "b-gateway", "gateway CPU");
    legend_item(out, "b-edge", "edge");
    if (data->fault_count > 0)
        legend_item(out, "fault-key", "fault active");
    markup_raw(out, "</ul>\n");
}

static void timeline_panel(struct markup *out, const struct report_data *data) {
    panel_open(out, "The first tasks");
    chart_timeline_caption(out, data);
    fill_legend(out, data, true);
    markup_raw(out, "<figure>\n");
    for (size_t i = 0; i < sizeof full_sizes / sizeof *full_sizes; i++)
        chart_timeline(out, data, full_sizes[i]);
    markup_raw(out, "</figure>\n");
    panel_close(out);
}

static void delay_panel(struct markup *out, const struct report_data *data, enum chart_split split) {
    panel_open(out, split == CHART_BY_LEVEL ? "Delay by criticality k" : "Delay by place");
    markup_raw(out, split == CHART_BY_LEVEL
                        ? "<p class=\"caption\">Done tasks; the marks on top are the deadlines.</p>\n"
                        : "<p class=\"caption\">Done tasks, by where they were processed.</p>\n");
    chart_delay_legend(out, data, split);
    markup_raw(out, "<figure>\n");
    for (size_t i = 0; i < sizeof half_sizes / sizeof *half_sizes; i++)
        chart_delay(out, data, split, half_sizes[i]);
    markup_raw(out, "</figure>\n");
    panel_close(out);
}

static void load_panel(struct markup *out, const struct report_data *data) {
    panel_open(out, "Utilisation over time");
    markup_raw(out, "<p class=\"caption\">Share of each slot, mean over the nodes or links of a kind.</p>\n");
    fill_legend(out, data, false);
    markup_raw(out, "<figure>\n");
    for (size_t i = 0; i < sizeof full_sizes / sizeof *full_sizes; i++)
        chart_load(out, data, full_sizes[i]);
    markup_raw(out, "</figure>\n");
    panel_close(out);
}

static void diagnosis_panel(struct markup *out, const struct report_data *data) {
    panel_open(out, "Diagnosis");
    markup_raw(out, "<p class=\"caption\">Processed tasks; share of each row.</p>\n<figure>\n");
    for (size_t i = 0; i < sizeof half_sizes / sizeof *half_sizes; i++)
        chart_confusion(out, &data->summary, half_sizes[i]);
    markup_raw(out, "</figure>\n");
    panel_close(out);
}

static void drops_panel(struct markup *out, const struct report_data *data) {
    panel_open(out, "Drops by reason");
    markup_raw(out, "<p class=\"caption\">Tasks, and their share of all that were born.</p>\n<figure>\n");
    for (size_t i = 0; i < sizeof half_sizes / sizeof *half_sizes; i++)
        chart_drops(out, &data->summary, half_sizes[i]);
    markup_raw(out, "</figure>\n");
    panel_close(out);
}

static void work_panels(struct markup *out, const struct report_data *data) {
    timeline_panel(out, data);
    load_panel(out, data);
    markup_raw(out, "<div class=\"panels\">\n");
    delay_panel(out, data, CHART_BY_PLACE);
    if (!summary_has_scheme(&data->summary)) /* tasks of a scheme have no criticality and no class */
        delay_panel(out, data, CHART_BY_LEVEL);
    if (!summary_has_scheme(&data->summary))
        diagnosis_panel(out, data);
    drops_panel(out, data);
    markup_raw(out, "</div>\n");
}

static enum status page(struct markup *out, const struct report_data *data, const char *dir,
                        struct error *error) {
    enum status status = STATUS_OK;
    page_open(out, data);
    report_header(out, data);
    markup_raw(out, "<main>\n");
    report_cards(out, data);
    report_learning(out, data, error, &status);
    if (summary_has_tiers(&data->summary))
        work_panels(out, data);
    report_chain(out, data, error, &status);
    report_faults(out, data);
    report_identity(out, data, error, &status);
    report_links(out, data, error, &status);
    report_processes(out, data, error, &status);
    report_manifest(out, data, dir);
    markup_raw(out, "</main>\n<footer>Tierbed ");
    markup_text(out, version_text());
    markup_raw(
        out, ". Every figure on this page comes from metrics.sqlite beside it.</footer>\n</body>\n</html>\n");
    if (status == STATUS_OK && out->failed)
        status = error_set(error, STATUS_MEMORY, "no memory for the report of %s", dir);
    return status;
}

enum status report_write(const char *dir, struct error *error) {
    struct report_data data;
    struct markup out;
    char path[DURABLE_PATH_MAX];
    TRY(durable_path(path, dir, REPORT_FILE, error));
    TRY(report_data_load(&data, dir, error));
    markup_init(&out);
    enum status status = page(&out, &data, dir, error);
    if (status == STATUS_OK)
        status = durable_write(path, out.data, out.used, error);
    markup_close(&out);
    report_data_close(&data);
    return status;
}
