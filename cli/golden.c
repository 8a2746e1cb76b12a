/* golden: the files of a directory, each checked in both precisions, and the report. */
#include "cli/golden.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    size_t passed, failed;
};

struct report {
    const struct golden_options *options;
    struct tally all, file;
    double file_used;                    /* of one file and precision: the largest share of the tolerance */
    json_t *checks, *problems, *unknown; /* owned; JSON only (else NULL) */
    size_t malformed, unreadable, unknown_count;
};

static void print_line(const struct golden_result *result) {
    printf("%-8s %s  %-18s %-28s %6zu  error %9.2g  %5.2g of the tolerance\n",
           result->passed ? "ok" : "DIFFERS", result->precision, result->file, result->path, result->count,
           result->error, result->used);
}

static void visit(const struct golden_result *result, void *context) {
    struct report *report = context;
    struct tally *tallies[] = {&report->all, &report->file};
    for (size_t i = 0; i < 2; i++)
        *(result->passed ? &tallies[i]->passed : &tallies[i]->failed) += 1;
    report->file_used = fmax(report->file_used, isnan(result->error) ? (double)INFINITY : result->used);
    if (report->options->json)
        json_array_append_new(
            report->checks,
            json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:b}", "file", result->file, "precision",
                      result->precision, "path", result->path, "values", (json_int_t)result->count, "error",
                      isfinite(result->error) ? json_real(result->error) : json_null(), "used",
                      isfinite(result->used) ? json_real(result->used) : json_null(), "ok", result->passed));
    else if (!report->options->quiet || !result->passed)
        print_line(result);
}

static void problem(struct report *report, const char *file, const char *text) {
    if (report->options->json)
        json_array_append_new(report->problems, json_pack("{s:s, s:s}", "file", file, "problem", text));
    else
        printf("INVALID  %s: %s\n", file, text);
}

static void read_tolerance(struct golden *golden, struct golden_node root, bool twice) {
    struct golden_node tolerance = golden_get(golden, root, "tol");
    golden->relative = golden_number(golden, tolerance, twice ? "f64_rel" : "f32_rel");
    golden->absolute = golden_number(golden, tolerance, twice ? "f64_abs" : "f32_abs");
    if (!golden->failed && !(golden->relative >= 0 && golden->absolute > 0))
        golden_refuse(golden, tolerance, "expected a tolerance above 0");
}

/* One file in one precision; false when it is malformed. */
static bool check_one(struct report *report, const struct golden_file *file, const json_t *json, bool twice) {
    struct golden golden = {
        .file = file->name, .precision = twice ? "fp64" : "fp32", .visit = visit, .context = report};
    struct golden_node root = {json, ""};
    report->file = (struct tally){0};
    report->file_used = 0;
    arena_init(&golden.arena);
    read_tolerance(&golden, root, twice);
    if (!golden.failed)
        file->check(&golden, root);
    if (!golden.failed && report->file.passed + report->file.failed == 0)
        golden_refuse(&golden, root, "nothing in it could be checked");
    if (golden.failed)
        problem(report, file->name, golden.problem);
    else if (!report->options->json && report->options->quiet)
        printf("%-8s %s  %-18s %zu of %zu hold, %.2g of the tolerance\n",
               report->file.failed == 0 ? "ok" : "DIFFERS", golden.precision, file->name, report->file.passed,
               report->file.passed + report->file.failed, report->file_used);
    arena_close(&golden.arena);
    return !golden.failed;
}

static void check_file(struct report *report, const char *directory, size_t row) {
    char path[4096], text[512];
    snprintf(path, sizeof path, "%s/%s", directory, golden_table[row].name);
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        bool unreadable = json_error_code(&error) == json_error_cannot_open_file;
        *(unreadable ? &report->unreadable : &report->malformed) += 1;
        snprintf(text, sizeof text, "line %d, column %d: %s", error.line, error.column, error.text);
        problem(report, path, unreadable ? error.text : text);
        return;
    }
    bool fine = check_one(report, &golden_table_fp64[row], json, true);
    fine = fine && check_one(report, &golden_table[row], json, false);
    report->malformed += !fine;
    json_decref(json);
}

/* The row of the table, or -1. */
static int row_of(const char *name) {
    for (int row = 0; golden_table[row].name != NULL; row++)
        if (strcmp(golden_table[row].name, name) == 0)
            return row;
    return -1;
}

static void report_unknown(struct report *report, const char *name) {
    report->unknown_count++;
    if (report->options->json)
        json_array_append_new(report->unknown, json_string(name));
    else
        printf("UNKNOWN  %s: no check knows this file\n", name);
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int exit_code(const struct report *report) {
    return report->unreadable > 0      ? 4
           : report->malformed > 0     ? 2
           : report->all.failed > 0    ? 1
           : report->unknown_count > 0 ? 3
                                       : 0;
}

static void print_summary(struct report *report) {
    if (!report->options->json) {
        printf("%zu passed, %zu failed, %zu unknown, %zu invalid\n", report->all.passed, report->all.failed,
               report->unknown_count, report->malformed + report->unreadable);
        return;
    }
    json_t *whole = json_pack("{s:I, s:I, s:o, s:o, s:o}", "passed", (json_int_t)report->all.passed, "failed",
                              (json_int_t)report->all.failed, "unknown", report->unknown, "invalid",
                              report->problems, "checks", report->checks);
    json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(whole);
}

int golden_verify(const char *directory, const struct golden_options *options) {
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_visible, alphasort);
    if (count <= 0) {
        fprintf(stderr, "tierbed verify: %s: %s\n", directory,
                count < 0 ? strerror(errno) : "no file in it; expected a folder of golden files");
        free(entries);
        return 4;
    }
    struct report report = {.options = options};
    if (options->json) {
        report.checks = json_array();
        report.problems = json_array();
        report.unknown = json_array();
    }
    for (int i = 0; i < count; i++) {
        int row = row_of(entries[i]->d_name);
        if (row < 0)
            report_unknown(&report, entries[i]->d_name);
        else
            check_file(&report, directory, (size_t)row);
        free(entries[i]);
    }
    free(entries);
    print_summary(&report);
    return exit_code(&report);
}
