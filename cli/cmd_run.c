/* cmd_run: `tierbed run`: checks everything, then runs the scenario here or under mpirun, and shows what came
 * out. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/run_mpi.h"
#include "common/record/report.h"
#include "common/record/summary.h"
#include "common/time/wall.h"
#include "nodes/director/session.h"
#include "nodes/run_resume.h"

static volatile sig_atomic_t stopped; /* a signal handler has no other place to write to */

static void on_signal(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

static int take_option(const char *name, const char *argument, void *context) {
    struct run_request *request = context;
    struct error error = {0};
    enum status status = run_options_take(&request->options, name, argument, &error);
    if (status == STATUS_OK)
        return 0;
    if (status != STATUS_UNSUPPORTED)
        return command_usage_error(&command_run, "%s", error.text);
    if (strcmp(name, "in-process") == 0)
        request->in_process = true;
    else if (strcmp(name, "dry-run") == 0)
        request->dry_run = true;
    else if (strcmp(name, "json") == 0)
        request->json = true;
    else if (strcmp(name, "schema") == 0)
        request->schema = true;
    else
        request->hostfile = argument;
    return 0;
}

static int print_schema(void) {
    struct arena arena;
    arena_init(&arena);
    puts(scenario_json_schema(&arena));
    arena_close(&arena);
    return 0;
}

/* ---- in this process ---- */

static void show_progress(void *context, int64_t now_ns, int64_t end_ns, double wall_s) {
    struct run_request *request = context;
    if (!request->progress_begun)
        progress_init(&request->progress, stderr, end_ns, request->options.quiet || request->json);
    request->progress_begun = true;
    progress_update(&request->progress, now_ns, wall_s);
}

static enum status run_in_process(struct run_request *request, struct session_result *result,
                                  struct error *error) {
    struct bus **endpoints;
    TRY(bus_memory_open(1, &endpoints, error));
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct session_config config = {.options = &request->options,
                                    .bus = endpoints[0],
                                    .transport = "in-process",
                                    .command_line = request->command_line,
                                    .launched_s = request->launched_s,
                                    .stopped = &stopped,
                                    .context = request,
                                    .on_progress = show_progress};
    enum status status = session_run(&config, result);
    if (request->progress_begun && status == STATUS_OK)
        progress_update(&request->progress, request->progress.end_ns, request->progress.wall_s);
    if (request->progress_begun)
        progress_done(&request->progress);
    bus_close(endpoints[0]);
    free(endpoints);
    error_set(error, status, "%s", result->message);
    if (result->problems.count > 0)
        scenario_problems_print(&result->problems, stderr);
    snprintf(request->run_dir, sizeof request->run_dir, "%s", result->run_dir);
    return status;
}

/* ---- what came out ---- */

static int print_json(const struct run_request *request, const struct summary *summary, enum status status,
                      const char *message) {
    char report[sizeof request->run_dir + 16], metrics[sizeof request->run_dir + 16];
    snprintf(report, sizeof report, "%s/" REPORT_FILE, request->run_dir);
    snprintf(metrics, sizeof metrics, "%s/metrics.sqlite", request->run_dir);
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:o}", "status", status_name(status), "message",
                             message, "digest", summary->digest, "run", request->run_dir, "report",
                             request->options.no_report ? NULL : report, "metrics", metrics, "summary",
                             summary_to_json(summary));
    if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0) {
        fprintf(stderr, "tierbed run: cannot write JSON to stdout\n");
        return 4;
    }
    printf("\n");
    json_decref(root);
    return status_exit_code(status);
}

static int show_outcome(const struct run_request *request, enum status status, const struct error *error) {
    struct summary summary;
    struct error unreadable = {0};
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed run: %s\n", error->text);
    if (request->run_dir[0] == '\0')
        return status_exit_code(status);
    if (summary_load(request->run_dir, &summary, &unreadable) != STATUS_OK) {
        fprintf(stderr, "tierbed run: %s\n", unreadable.text);
        return status_exit_code(status != STATUS_OK ? status : unreadable.status);
    }
    if (request->json)
        return print_json(request, &summary, status, status == STATUS_OK ? "" : error->text);
    if (!request->options.quiet) {
        summary_print_text(&summary, stdout);
        if (request->options.no_report)
            printf("\nrun: %s\n", request->run_dir);
        else
            printf("\nreport: %s/" REPORT_FILE "\n", request->run_dir);
    }
    return status_exit_code(status);
}

static void join_command_line(int argc, char **argv, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "tierbed");
    for (int i = 0; i < argc && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %s", argv[i]);
}

static int run_run(int argc, char **argv) {
    static struct run_request request; /* large */
    static struct session_result result;
    struct error error = {0};
    request.launched_s = wall_now_s();
    join_command_line(argc, argv, request.command_line, sizeof request.command_line);
    run_options_init(&request.options);
    int code = command_parse(&command_run, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (request.schema)
        return print_schema();
    request.options.scenario_path = optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        return command_usage_error(&command_run, "more than one scenario: '%s'", argv[optind]);
    if (run_options_check(&request.options, &error) != STATUS_OK)
        return command_usage_error(&command_run, "%s", error.text);
    enum status resumed = run_resume(&request.options, &error);
    if (resumed != STATUS_OK) {
        fprintf(stderr, "tierbed run: %s\n", error.text);
        return status_exit_code(resumed);
    }
    if (request.in_process && (request.options.processes > 1 || request.hostfile != NULL || request.dry_run))
        return command_usage_error(&command_run, "--in-process is one process without mpirun; leave out "
                                                 "--processes, --hostfile and --dry-run");
    if (request.dry_run)
        return run_mpi_dry(&request);
    enum status status =
        request.in_process ? run_in_process(&request, &result, &error) : run_mpi(&request, &error);
    return show_outcome(&request, status, &error);
}

static const struct command_option run_command_options[] = {
    {.name = "set",
     .argument = "KEY=VALUE",
     .help = "override a key, as --set policy.kind=offload; may be repeated"},
    {.name = "seed", .letter = 's', .argument = "N", .help = "override the seed"},
    {.name = "in-process", .help = "all nodes in this process, without MPI; the same result"},
    {.name = "processes",
     .letter = 'n',
     .argument = "N",
     .help = "pack the nodes into N processes (default: one each)"},
    {.name = "placement", .argument = "KIND", .help = "how nodes are packed: block (default) or cyclic"},
    {.name = "hostfile", .argument = "FILE", .help = "hosts to run on, as mpirun reads them"},
    {.name = "out",
     .letter = 'o',
     .argument = "DIR",
     .help = "run directory, empty or absent (default: below runs/)"},
    {.name = "resume",
     .argument = "DIR",
     .help = "go on with the learning of the run in DIR from its last checkpoint; no SCENARIO"},
    {.name = "trace", .help = "also write the event trace, trace.csv"},
    {.name = "no-report", .help = "do not write report.html; `tierbed report DIR` writes it later"},
    {.name = "relaxed",
     .help = "wait for the disk only when the record is complete: for many short runs that can be repeated"},
    {.name = "clock",
     .argument = "KIND",
     .help = "virtual (default) or wall: hold events until their real time"},
    {.name = "speed",
     .argument = "X",
     .help = "with --clock wall: virtual seconds per real second (default 1)"},
    {.name = "dry-run", .help = "print the mpirun line instead of running it"},
    {.name = "schema", .help = "print the JSON Schema of scenario files"},
    {.name = "json", .help = "print one JSON object: digest, report, metrics, summary, ..."},
    {.name = "quiet", .letter = 'q', .help = "no progress, no summary"},
    {0}};

const struct command command_run = {
    .name = "run",
    .usage = "SCENARIO [options], or --resume DIR [options]",
    .summary = "Run a scenario and write its run directory and report",
    .details =
        "Loads and checks SCENARIO, then plays its nodes: as MPI processes that mpirun starts, one program "
        "per\n"
        "role and one process per node, or packed (--processes), or all in this process (--in-process). The\n"
        "digest, and every number but wall-clock times, is the same in all of these.\n"
        "\n"
        "A run whose scenario has a scheme and `training.checkpoint` can be stopped, or killed, and gone on "
        "with:\n"
        "--resume takes the scenario from its run directory and begins, in a run directory of its own, with "
        "the\n"
        "slot after the last checkpoint. What is learnt in the end is the same, bit for bit, as if it had "
        "never\n"
        "stopped, unless links of the scenario lose or delay packets at random: their draws begin anew.\n"
        "\n"
        "Ctrl-C and SIGTERM end a run in order: what was recorded until then is kept and reported.\n"
        "\n"
        "EXIT STATUS\n"
        "  0    finished\n"
        "  1    the run failed (a zero-delay loop, a node that cannot go on)\n"
        "  2    wrong usage or scenario; nothing was started\n"
        "  4    disk, permission, memory or a missing program\n"
        "  5    a process died that no fault of the schedule was to kill\n"
        "  130  stopped by the user\n"
        "\n"
        "EXAMPLES\n"
        "  tierbed run experiments/factory/quickstart.yaml\n"
        "  tierbed run --in-process --seed 7 --json experiments/factory/quickstart.yaml\n"
        "  tierbed run --processes 4 --set policy.kind=offload experiments/factory/quickstart.yaml\n"
        "  tierbed run experiments/cpdrl/cpdrl.yaml --set training.checkpoint=100 --out runs/learn\n"
        "  tierbed run --resume runs/learn\n",
    .options = run_command_options,
    .run = run_run,
};
