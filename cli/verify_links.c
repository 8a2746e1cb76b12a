/* tierbed verify links: runs the checks of common/net/link_check.h and prints them as a table or as JSON. */
#include "cli/verify_links.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/net/link_check.h"

struct settings {
    struct link_check_options options;
    bool json;
};

static const struct command_option options_of_links[] = {
    {"json", 'j', NULL, "print one JSON object on standard output"},
    {"quick", 'q', NULL, "a tenth of the packets or less, with wider intervals"},
    {"seed", 's', "N", "seed of all random streams (default 1)"},
    {NULL, 0, NULL, NULL},
};

static const struct command command_links = {
    .name = "verify links",
    .usage = "[options]",
    .summary = "compare the link emulator with closed forms",
    .details =
        "Drives links of every kind on an emulated timeline and compares what it measures with formulas that "
        "share "
        "no code with the emulator: arrival times to 1 ns; mean waits of M/D/1, M/M/1, M/G/1 and M/M/4; "
        "Little's law; "
        "loss, bursts, duplication, corruption, reordering and jitter; the queueing delay of each "
        "criticality level "
        "on LTE-M; the stationary distributions of the channels.\n\n"
        "A row is exact or random. An exact row holds when the deviation is within its tolerance. Around "
        "each random "
        "measurement stands its own 99 % interval; one row in a hundred lies outside by chance, whatever is "
        "checked, "
        "and is shown as `ok (joint)`. The run fails when a row leaves the wider interval (Bonferroni) that "
        "all random "
        "rows together respect with 99 %, so a sound emulator fails for at most one seed in a hundred.\n\n"
        "EXIT STATUS\n\n"
        "  0  everything agrees\n"
        "  1  a value differs\n"
        "  2  usage\n"
        "  4  a check could not be run\n\n"
        "EXAMPLE\n\n"
        "  tierbed verify links --quick --seed 7\n",
    .options = options_of_links,
};

static int handle_option(const char *name, const char *argument, void *context) {
    struct settings *settings = context;
    if (strcmp(name, "json") == 0) {
        settings->json = true;
    } else if (strcmp(name, "quick") == 0) {
        settings->options.quick = true;
    } else {
        char *end;
        errno = 0;
        settings->options.seed = strtoull(argument, &end, 10);
        if (errno != 0 || argument[0] < '0' || argument[0] > '9' || *end != '\0')
            return command_usage_error(
                &command_links, "--seed: expected a whole number from 0 to 2^64 - 1, got '%s'", argument);
    }
    return 0;
}

static const char *verdict_name(enum link_check_verdict verdict) {
    switch (verdict) {
    case LINK_CHECK_HOLDS:
        return "ok";
    case LINK_CHECK_HOLDS_JOINTLY:
        return "ok (joint)";
    case LINK_CHECK_FAILS:
        return "FAIL";
    case LINK_CHECK_TOO_WIDE:
        return "TOO WIDE";
    }
    return "?";
}

static void print_row(const struct link_check_row *row) {
    char interval[64];
    if (row->kind == LINK_CHECK_EXACT)
        snprintf(interval, sizeof interval, "+- %.3g", row->tolerance);
    else
        snprintf(interval, sizeof interval, "[%.6g, %.6g]", row->interval.low, row->interval.high);
    printf("%-8s %-54s %12.6g %12.6g %-7s %-26s %s\n", row->group, row->name, row->expected, row->measured,
           row->unit, interval, verdict_name(row->verdict));
}

static void print_table(const struct link_check_report *report) {
    printf("%-8s %-54s %12s %12s %-7s %-26s %s\n", "what", "check", "expected", "measured", "unit",
           "tolerance or 99 % interval", "verdict");
    for (uint32_t i = 0; i < report->count; i++)
        print_row(&report->rows[i]);
    printf("\n%u checks, %u failed. Of the %u random ones %u lie outside their own 99 %% interval (about "
           "%.1f do by "
           "chance);\nthe verdict is joint: at least 99 %% of seeds pass when every expectation is true.\n",
           report->count, report->failed_count, report->random_count, report->outside_count,
           report->random_count * (1.0 - LINK_CHECK_CONFIDENCE));
}

/* JSON has no infinity: null. */
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_json(const struct link_check_row *row) {
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:[o,o], s:[o,o], s:I, s:s, s:b}", "group", row->group,
                     "check", row->name, "kind", row->kind == LINK_CHECK_EXACT ? "exact" : "random", "unit",
                     row->unit, "expected", number(row->expected), "measured", number(row->measured),
                     "interval", number(row->interval.low), number(row->interval.high), "joint_interval",
                     number(row->joint.low), number(row->joint.high), "samples", (json_int_t)row->samples,
                     "verdict", verdict_name(row->verdict), "passed",
                     row->verdict == LINK_CHECK_HOLDS || row->verdict == LINK_CHECK_HOLDS_JOINTLY);
}

/* Returns false when there was no memory for the object or no room to print it. */
static bool print_json(const struct link_check_report *report, const struct link_check_options *options) {
    json_t *checks = json_array();
    for (uint32_t i = 0; i < report->count; i++)
        json_array_append_new(checks, row_json(&report->rows[i]));
    json_t *seed =
        json_integer((json_int_t)options->seed); /* JSON integers are signed here: large seeds as text */
    if (options->seed > INT64_MAX) {
        char text[32];
        snprintf(text, sizeof text, "%llu", (unsigned long long)options->seed);
        json_decref(seed);
        seed = json_string(text);
    }
    json_t *root =
        json_pack("{s:o, s:b, s:f, s:i, s:i, s:i, s:i, s:b, s:o}", "seed", seed, "quick", options->quick,
                  "confidence", LINK_CHECK_CONFIDENCE, "checks_count", (int)report->count, "random",
                  (int)report->random_count, "outside_own_interval", (int)report->outside_count, "failed",
                  (int)report->failed_count, "passed", report->failed_count == 0, "checks", checks);
    bool printed = root != NULL && json_dumpf(root, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF;
    json_decref(root);
    return printed;
}

int verify_links(int argc, char **argv) {
    struct settings settings = {.options.seed = LINK_CHECK_SEED};
    int code = command_parse(&command_links, argc, argv, handle_option, &settings);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_links, "unexpected argument '%s'", argv[optind]);
    if (!settings.json)
        printf("Links against closed forms: %s run, seed %llu.\n",
               settings.options.quick ? "quick (shorter, wider intervals)" : "full",
               (unsigned long long)settings.options.seed);
    struct link_check_report report;
    struct error error = {0};
    enum status status = link_check_run(&settings.options, &report, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed verify links: %s: %s\n", status_name(status), error.text);
        return status_exit_code(status);
    }
    if (settings.json && !print_json(&report, &settings.options)) {
        fprintf(stderr, "tierbed verify links: cannot write the result\n");
        return status_exit_code(STATUS_IO);
    }
    if (!settings.json)
        print_table(&report);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "tierbed verify links: cannot write the result: %s\n", strerror(errno));
        return status_exit_code(STATUS_IO);
    }
    return report.failed_count == 0 ? 0 : 1;
}
