#include "common/net/link_check.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static struct link_check_row *file_row(struct link_check_report *report, enum link_check_kind kind,
                                       const char *group, const char *unit) {
    assert(report->count < LINK_CHECK_ROWS_MAX);
    struct link_check_row *row = &report->rows[report->count++];
    *row = (struct link_check_row){.group = group, .unit = unit, .kind = kind};
    return row;
}

struct link_check_row *link_check_exact(struct link_check_report *report, const char *group, const char *unit,
                                        const char *name, ...) {
    struct link_check_row *row = file_row(report, LINK_CHECK_EXACT, group, unit);
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(row->name, sizeof row->name, name, arguments);
    va_end(arguments);
    return row;
}

struct link_check_row *link_check_mean(struct link_check_report *report, const struct batch_means *means,
                                       double expected, const char *group, const char *name) {
    struct link_check_row *row = file_row(report, LINK_CHECK_MEAN, group, "");
    snprintf(row->name, sizeof row->name, "%s", name);
    row->expected = expected;
    row->measured = batch_means_mean(means);
    row->standard_error = batch_means_error(means);
    row->samples = means->batch_size * LINK_CHECK_BATCHES;
    return row;
}

struct link_check_row *link_check_share(struct link_check_report *report, uint64_t hits, uint64_t trials,
                                        double expected, const char *name) {
    struct link_check_row *row = file_row(report, LINK_CHECK_SHARE, "loss", "");
    snprintf(row->name, sizeof row->name, "%s", name);
    row->expected = expected;
    row->measured = (double)hits / (double)trials;
    row->hits = hits;
    row->trials = row->samples = trials;
    return row;
}

static struct interval around(const struct link_check_row *row, double confidence) {
    double half = row->tolerance;
    if (row->kind == LINK_CHECK_SHARE)
        return wilson_interval(row->hits, row->trials, confidence);
    if (row->kind == LINK_CHECK_MEAN)
        half = student_quantile(confidence, LINK_CHECK_BATCHES - 1) * row->standard_error;
    return (struct interval){row->measured - half, row->measured + half};
}

static bool inside(double value, struct interval interval) {
    return value >= interval.low && value <= interval.high; /* false for NaN */
}

static enum link_check_verdict judge(const struct link_check_row *row) {
    double half = 0.5 * (row->interval.high - row->interval.low);
    if (row->half_width_max > 0.0 && !(half <= row->half_width_max * fabs(row->expected)))
        return LINK_CHECK_TOO_WIDE;
    if (inside(row->expected, row->interval))
        return LINK_CHECK_HOLDS;
    return row->kind != LINK_CHECK_EXACT && inside(row->expected, row->joint) ? LINK_CHECK_HOLDS_JOINTLY
                                                                              : LINK_CHECK_FAILS;
}

void link_check_conclude(struct link_check_report *report) {
    report->random_count = report->outside_count = report->failed_count = 0;
    for (uint32_t i = 0; i < report->count; i++)
        report->random_count += report->rows[i].kind != LINK_CHECK_EXACT;
    double joint =
        1.0 - (1.0 - LINK_CHECK_CONFIDENCE) / (report->random_count > 0 ? report->random_count : 1);
    for (uint32_t i = 0; i < report->count; i++) {
        struct link_check_row *row = &report->rows[i];
        row->interval = around(row, LINK_CHECK_CONFIDENCE);
        row->joint = around(row, joint);
        row->verdict = judge(row);
        report->outside_count += row->kind != LINK_CHECK_EXACT && !inside(row->expected, row->interval);
        report->failed_count += row->verdict == LINK_CHECK_FAILS || row->verdict == LINK_CHECK_TOO_WIDE;
    }
}

enum status link_check_run(const struct link_check_options *options, struct link_check_report *report,
                           struct error *error) {
    *report = (struct link_check_report){0};
    TRY(link_check_arrivals(report, options, error));
    TRY(link_check_queues(report, options, error));
    TRY(link_check_losses(report, options, error));
    TRY(link_check_priorities(report, options, true, error));
    TRY(link_check_channels(report, options, error));
    link_check_conclude(report);
    return STATUS_OK;
}

struct scenario_link link_check_wired(void) {
    return (struct scenario_link){.from = "sender",
                                  .to = "receiver",
                                  .kind = LINK_WIRED,
                                  .rate_bps = 10e6,
                                  .delay_ns = 250000,
                                  .queue_max = 1000000};
}

struct scenario_link link_check_radio(enum link_kind kind, enum link_channel channel) {
    return (struct scenario_link){.from = "gateway",
                                  .to = "edge",
                                  .kind = kind,
                                  .channel = channel,
                                  .delay_ns = 10000,
                                  .queue_max = 100000,
                                  .bandwidth_hz = 5e6,
                                  .power_w = 1.0,
                                  .noise_w_per_hz = 4e-20,
                                  .noise_w = 1e-13,
                                  .gain = {2e-13, 4e-13, 6e-13},
                                  .transition = {{0.3, 0.7, 0.0}, {0.25, 0.5, 0.25}, {0.0, 0.7, 0.3}},
                                  .mini_slot_bits = 64000.0,
                                  .subchannels = 24,
                                  .subchannels_initial = 6,
                                  .distance_m = 120.0,
                                  .path_loss_g0 = 1e-6,
                                  .path_loss_exponent = 3.2};
}
