/* cmd_report: `tierbed report`: (re)writes the page of a run, prints its key figures, exports its tables. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/record/durable.h"
#include "common/record/export.h"
#include "common/record/report.h"
#include "common/record/summary.h"

struct report_request {
    bool json;
    const char *csv_dir; /* NULL: no export */
};

static int take_option(const char *name, const char *argument, void *context) {
    struct report_request *request = context;
    if (strcmp(name, "json") == 0)
        request->json = true;
    else
        request->csv_dir = argument;
    return 0;
}

static int fail(const struct error *error) {
    fprintf(stderr, "tierbed report: %s\n", error->text);
    return status_exit_code(error->status);
}

static int print_json(const char *dir, const struct report_request *request, const struct summary *summary) {
    char page[DURABLE_PATH_MAX + 16];
    snprintf(page, sizeof page, "%s/" REPORT_FILE, dir);
    json_t *root = json_pack("{s:s, s:s, s:s*, s:o}", "run", dir, "report", page, "csv", request->csv_dir,
                             "summary", summary_to_json(summary));
    bool written = root != NULL && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    json_decref(root);
    printf("\n");
    if (!written)
        fprintf(stderr, "tierbed report: cannot write JSON to stdout\n");
    return written ? 0 : 4;
}

static int run_report(int argc, char **argv) {
    struct report_request request = {0};
    struct error error = {0};
    struct summary summary;
    int code = command_parse(&command_report, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (optind + 1 != argc)
        return command_usage_error(&command_report, optind == argc
                                                        ? "name the directory of a run"
                                                        : "name one directory of a run, not several");
    const char *dir = argv[optind];
    if (summary_load(dir, &summary, &error) != STATUS_OK || report_write(dir, &error) != STATUS_OK)
        return fail(&error);
    if (request.csv_dir != NULL && export_csv(dir, request.csv_dir, &error) != STATUS_OK)
        return fail(&error);
    if (request.json)
        return print_json(dir, &request, &summary);
    summary_print_text(&summary, stdout);
    printf("\nreport: %s/" REPORT_FILE "\n", dir);
    if (request.csv_dir != NULL)
        printf("tables: %s/*.csv\n", request.csv_dir);
    return 0;
}

static const struct command_option options[] = {
    {"json", 0, NULL, "print one JSON object instead of text"},
    {"csv", 0, "DIR", "also export every table and view as DIR/<table>.csv"},
    {0}};

const struct command command_report = {.name = "report",
                                       .usage = "RUN [options]",
                                       .summary = "write the HTML report of a run and print its summary",
                                       .details =
                                           "RUN is the directory that `tierbed run` made. Its report.html is "
                                           "written anew from manifest.json and\n"
                                           "metrics.sqlite, also for a run that was stopped or killed: it "
                                           "then shows what was recorded so far. The page is\n"
                                           "one file without scripts or links to the network.\n"
                                           "\n"
                                           "Exit codes: 0 done; 2 usage, or the run's files are corrupt; 4 "
                                           "there is no run there, or the report cannot be\n"
                                           "written.\n",
                                       .options = options,
                                       .run = run_report};
