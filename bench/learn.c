/* learn: measures the rows and prints a table. Processor time is taken, not wall time: other processes of the
 * machine disturb it less, and one thread computes. */
#include "bench/learn.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "common/base/text.h"
#include "common/record/machine.h"

static const struct learn_row *const groups[] = {learn_rows_mlp, learn_rows_off_policy, learn_rows_convnet};

#define REPETITIONS_MAX 1000

static double processor_time_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double time_steps(const struct learn_row *row, void *context, uint64_t steps) {
    double begin = processor_time_s();
    for (uint64_t i = 0; i < steps; i++)
        row->step(context);
    return processor_time_s() - begin;
}

/* Doubles the steps until they take time_s. */
static uint64_t steps_for(const struct learn_row *row, void *context, double time_s) {
    uint64_t steps = 1;
    for (;;) {
        double taken_s = time_steps(row, context, steps);
        if (taken_s >= time_s)
            return steps;
        double missing = taken_s > 0 ? time_s / taken_s : 2;
        steps = (uint64_t)ceil((double)steps * fmin(fmax(1.1 * missing, 1.5), 10));
    }
}

static int by_size(const void *a, const void *b) {
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

bool learn_measure(const struct learn_row *row, uint32_t repetitions, double time_s,
                   struct learn_result *result) {
    double each_us[REPETITIONS_MAX];
    void *context = row->open();
    if (context == NULL)
        return false;
    *result = (struct learn_result){.repetitions = repetitions, .steps = steps_for(row, context, time_s)};
    for (uint32_t i = 0; i < repetitions; i++)
        each_us[i] = 1e6 * time_steps(row, context, result->steps) / (double)result->steps;
    row->close(context);
    qsort(each_us, repetitions, sizeof *each_us, by_size);
    result->minimum_us = each_us[0];
    result->median_us = 0.5 * (each_us[(repetitions - 1) / 2] + each_us[repetitions / 2]);
    result->ratio = result->median_us > 0 ? row->reference_us / result->median_us : 0;
    result->reached = result->ratio >= row->asked;
    return true;
}

struct request {
    const char *only; /* NULL: all */
    uint32_t repetitions;
    double time_s;
    bool json, list;
};

static const struct command_option options[] = {
    {.name = "only", .argument = "NAME", .help = "measure this row alone"},
    {.name = "repetitions", .argument = "N", .help = "repetitions of each row, 1 to 1000 (default 7)"},
    {.name = "time", .argument = "S", .help = "seconds a repetition takes at least (default 0.1)"},
    {.name = "list", .help = "name the rows and end"},
    {.name = "json", .help = "print one JSON object"},
    {0}};

static const struct command command_learn = {
    .name = "bench learn",
    .usage = "[options]",
    .summary = "Steps of learning in one thread, beside what PyTorch 1.13 needs for them on one core",
    .details =
        "Times are processor time of one step: median and minimum over repetitions. The ratio is PyTorch's "
        "time by the\n"
        "median; PyTorch's times are of a 2-core Emerald Rapids machine and do not scale with this one.\n",
    .options = options};

static int take_number(const char *name, const char *argument, struct request *request) {
    char *end = NULL;
    errno = 0;
    double value = strtod(argument, &end);
    bool number = errno == 0 && end != argument && *end == '\0';
    if (strcmp(name, "repetitions") == 0) {
        if (!number || !(value >= 1 && value <= REPETITIONS_MAX) || value != floor(value))
            return command_usage_error(&command_learn,
                                       "--repetitions: expected a number from 1 to %d, not '%s'",
                                       REPETITIONS_MAX, argument);
        request->repetitions = (uint32_t)value;
        return 0;
    }
    if (!number || !(value >= 0 && value <= 3600))
        return command_usage_error(&command_learn, "--time: expected seconds from 0 to 3600, not '%s'",
                                   argument);
    request->time_s = value;
    return 0;
}

static int take_option(const char *name, const char *argument, void *context) {
    struct request *request = context;
    if (strcmp(name, "json") == 0)
        request->json = true;
    else if (strcmp(name, "list") == 0)
        request->list = true;
    else if (strcmp(name, "only") == 0)
        request->only = argument;
    else
        return take_number(name, argument, request);
    return 0;
}

static void print_row(const struct learn_row *row, const struct learn_result *result) {
    printf("%-16s %10.2f %10.2f %9llu", row->name, result->median_us, result->minimum_us,
           (unsigned long long)result->steps);
    if (row->reference_us > 0)
        printf(" %10.1f %8.1fx %6.1fx  %s\n", row->reference_us, result->ratio, row->asked,
               result->reached ? "yes" : "no");
    else
        printf(" %10s %9s %7s\n", "-", "-", "-");
}

static json_t *json_row(const struct learn_row *row, const struct learn_result *result) {
    return json_pack("{s:s, s:s, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:b}", "name", row->name, "what",
                     row->what, "steps", (json_int_t)result->steps, "repetitions", (int)result->repetitions,
                     "median_us", result->median_us, "minimum_us", result->minimum_us, "reference_us",
                     row->reference_us, "ratio", result->ratio, "asked", row->asked, "reached",
                     result->reached);
}

/* Measures and prints the rows asked for, or appends them to `rows`. False: no memory. */
static bool for_each(const struct request *request, json_t *rows) {
    for (size_t group = 0; group < sizeof groups / sizeof *groups; group++)
        for (const struct learn_row *row = groups[group]; row->name != NULL; row++) {
            struct learn_result result;
            if (request->only != NULL && strcmp(request->only, row->name) != 0)
                continue;
            if (request->list) {
                printf("%-16s %s\n", row->name, row->what);
                continue;
            }
            if (!learn_measure(row, request->repetitions, request->time_s, &result)) {
                fprintf(stderr, "tierbed bench learn: %s: no memory\n", row->name);
                return false;
            }
            if (rows != NULL)
                json_array_append_new(rows, json_row(row, &result));
            else
                print_row(row, &result);
            fflush(stdout);
        }
    return true;
}

/* 0 when there is a row of this name (NULL: any). */
static int check_name(const char *name) {
    struct text_closest search = text_closest_to(name);
    for (size_t group = 0; group < sizeof groups / sizeof *groups; group++)
        for (const struct learn_row *row = groups[group]; row->name != NULL; row++) {
            if (name == NULL || strcmp(name, row->name) == 0)
                return 0;
            text_closest_offer(&search, row->name);
        }
    if (search.best != NULL)
        return command_usage_error(&command_learn, "no row '%s'; did you mean '%s'?", name, search.best);
    return command_usage_error(&command_learn, "no row '%s'; --list names them", name);
}

static bool measure_as_json(const struct request *request) {
    json_t *rows = json_array();
    bool done = for_each(request, rows);
    json_t *whole = json_pack("{s:o, s:o, s:o}", "machine", machine_describe(), "libraries",
                              machine_libraries(), "rows", rows);
    if (done && json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0)
        printf("\n");
    json_decref(whole);
    return done;
}

int bench_learn(int argc, char **argv) {
    struct request request = {.repetitions = 7, .time_s = 0.1};
    int code = command_parse(&command_learn, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_learn, "unexpected argument '%s'", argv[optind]);
    code = check_name(request.only);
    if (code != 0)
        return code;
    bool table = !request.json && !request.list;
    if (table)
        printf("%-16s %10s %10s %9s %10s %9s %7s  %s\n", "step", "median us", "minimum us", "steps",
               "PyTorch us", "ratio", "asked", "reached");
    bool done = request.json && !request.list ? measure_as_json(&request) : for_each(&request, NULL);
    return done ? 0 : 4;
}
