/* tierbed doctor: is this machine ready, and if not, what to do about it? */
#include <getopt.h>
#include <jansson.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/doctor.h"
#include "common/base/version.h"
#include "common/record/machine.h"

static const char *const verdict_names[] = {"ok", "warn", "fail"};

void doctor_add(struct doctor_report *report, const char *name, enum doctor_verdict verdict,
                const char *format, ...) {
    if (report->count == DOCTOR_FINDINGS_MAX)
        abort(); /* the list of checks below has outgrown its bound */
    struct doctor_finding *finding = &report->findings[report->count++];
    *finding = (struct doctor_finding){.name = name, .verdict = verdict};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
}

void doctor_mend(struct doctor_report *report, const char *format, ...) {
    struct doctor_finding *finding = &report->findings[report->count - 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->mend, sizeof finding->mend, format, arguments);
    va_end(arguments);
}

static void check_build(struct doctor_report *report) {
    doctor_add(report, "build", DOCTOR_OK, "tierbed %s, commit %s, %s build, %s", version_text(),
               version_commit(), version_variant(), version_compiler());
}

/* The loader has already refused to start a program whose library is missing, so this one can only tell
 * versions. */
static void check_libraries(struct doctor_report *report) {
    json_t *libraries = machine_libraries();
    char text[320] = "";
    size_t used = 0;
    const char *name;
    json_t *version;
    json_object_foreach(libraries, name, version) {
        if (strcmp(name, "mpi") == 0 || strcmp(name, "openblas") == 0 || used >= sizeof text)
            continue; /* not linked into this program; asked below */
        int more = snprintf(text + used, sizeof text - used, "%s%s %s", used > 0 ? ", " : "", name,
                            json_string_value(version));
        used += more > 0 ? (size_t)more : 0;
    }
    json_decref(libraries);
    doctor_add(report, "libraries", used > 0 ? DOCTOR_OK : DOCTOR_FAIL, "%s",
               used > 0 ? text : "no memory to list them");
}

static void find_program_dir(struct doctor_report *report) {
    char path[sizeof report->program_dir] = "";
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    snprintf(report->program_dir, sizeof report->program_dir, "%s", size > 0 ? dirname(path) : ".");
}

static void check_all(struct doctor_report *report) {
    *report = (struct doctor_report){0};
    find_program_dir(report);
    check_build(report);
    check_libraries(report);
    doctor_check_programs(report);
    doctor_check_processor(report);
    doctor_check_learning(report);
    doctor_check_cores(report);
    doctor_check_memory(report);
    doctor_check_limits(report);
    doctor_check_places(report);
    doctor_check_futex(report);
    doctor_check_copy(report);
    doctor_check_signals(report);
    doctor_check_mpi(report);
}

static size_t count_verdict(const struct doctor_report *report, enum doctor_verdict verdict) {
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += report->findings[i].verdict == verdict;
    return count;
}

static void print_text(const struct doctor_report *report) {
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    bool colour = command_wants_colour(stdout);
    for (size_t i = 0; i < report->count; i++) {
        const struct doctor_finding *finding = &report->findings[i];
        printf("%s%-4s%s  %-12s %s\n", colour ? colours[finding->verdict] : "",
               verdict_names[finding->verdict], colour ? "\033[0m" : "", finding->name, finding->text);
        if (finding->mend[0] != '\0')
            printf("      %-12s -> %s\n", "", finding->mend);
    }
    printf("%zu ok, %zu warnings, %zu failures\n", count_verdict(report, DOCTOR_OK),
           count_verdict(report, DOCTOR_WARN), count_verdict(report, DOCTOR_FAIL));
}

static int print_json(const struct doctor_report *report) {
    json_t *checks = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct doctor_finding *finding = &report->findings[i];
        json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:s}", "name", finding->name, "verdict",
                                                verdict_names[finding->verdict], "text", finding->text,
                                                "mend", finding->mend));
    }
    json_t *root = json_pack("{s:I, s:I, s:I, s:o}", "ok", (json_int_t)count_verdict(report, DOCTOR_OK),
                             "warn", (json_int_t)count_verdict(report, DOCTOR_WARN), "fail",
                             (json_int_t)count_verdict(report, DOCTOR_FAIL), "checks", checks);
    int failed = root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0;
    printf("\n");
    json_decref(root);
    return failed;
}

static int doctor_option(const char *name, const char *argument, void *context) {
    (void)name;
    (void)argument;
    *(bool *)context = true;
    return 0;
}

static int doctor_run(int argc, char **argv) {
    bool json = false;
    int code = command_parse(&command_doctor, argc, argv, doctor_option, &json);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_doctor, "unexpected argument '%s'", argv[optind]);
    struct doctor_report report;
    check_all(&report);
    if (!json)
        print_text(&report);
    else if (print_json(&report) != 0)
        return 4;
    return count_verdict(&report, DOCTOR_FAIL) > 0 ? 1 : 0;
}

static const struct command_option doctor_options[] = {
    {.name = "json", .help = "print one JSON object: ok, warn, fail, checks[name, verdict, text, mend]"},
    {0}};

const struct command command_doctor = {
    .name = "doctor",
    .usage = "[--json]",
    .summary = "Check that this machine can run the testbed, and say how to mend what is wrong",
    .details =
        "Looks at the programs and libraries, the processor and the kernels that learning uses on it, cores, memory, limits and places for files, "
        "starts\n"
        "short-lived processes to see that they can wake, read and stop each other, and starts two MPI "
        "ranks\n"
        "that pass messages. A warning means slower or smaller; a failure means that runs will not work.\n"
        "\n"
        "EXIT STATUS\n"
        "  0    ready, perhaps with warnings\n"
        "  1    at least one failure\n"
        "  2    wrong usage\n"
        "\n"
        "EXAMPLES\n"
        "  tierbed doctor\n"
        "  tierbed doctor --json | jq '.checks[] | select(.verdict != \"ok\")'\n",
    .options = doctor_options,
    .run = doctor_run,
};
