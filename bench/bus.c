/* bus: starts tierbed-bench-bus with as many ranks as asked for. */
#include "bench/bus.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/launch.h"
#include "common/time/wall.h"

struct request {
    uint32_t ranks, rounds, repetitions, busy;
    bool dry_run;
};

static const struct command_option options[] = {
    {.name = "ranks", .argument = "N", .help = "processes, the director among them, 2 to 1000 (default 60)"},
    {.name = "rounds", .argument = "N", .help = "round trips per repetition, 10 to 1000000 (default 5000)"},
    {.name = "repetitions", .argument = "N", .help = "repetitions, 1 to 101 (default 7)"},
    {.name = "busy",
     .argument = "N",
     .help = "busy programs to start for the part beside them, 0 to 64 (default 2)"},
    {.name = "json", .help = "accepted for symmetry: the result always is one JSON object"},
    {.name = "dry-run", .help = "print the mpirun line instead of running it"},
    {0}};

static const struct command command_bus = {
    .name = "bench bus",
    .usage = "[options]",
    .summary = "The bus: round trips, messages and idle processes",
    .details = "Prints one JSON object with median, least and greatest of the repetitions: microseconds per "
               "round trip\n"
               "director - node - director with one node active, quiet and beside busy programs; "
               "microseconds per round\n"
               "trip with all nodes active; CPU time of all processes together, in percent of a core, while "
               "all wait; nanoseconds and megabytes per second of sealing and opening a message of 64 B, 8 "
               "KiB and\n"
               "64 KiB, and microseconds to set up a session between two nodes.\n"
               "Whatever else runs on the machine shows in these numbers: load_average_before tells of it.\n",
    .options = options};

static int take_number(const char *name, const char *argument, struct command_range range, uint32_t *number) {
    uint64_t value = *number;
    int code = command_number(&command_bus, name, argument, range, &value);
    *number = (uint32_t)value;
    return code;
}

static int take_option(const char *name, const char *argument, void *context) {
    struct request *request = context;
    if (strcmp(name, "ranks") == 0)
        return take_number(name, argument, (struct command_range){2, 1000}, &request->ranks);
    if (strcmp(name, "rounds") == 0)
        return take_number(name, argument, (struct command_range){10, 1000000}, &request->rounds);
    if (strcmp(name, "repetitions") == 0)
        return take_number(name, argument, (struct command_range){1, 101}, &request->repetitions);
    if (strcmp(name, "busy") == 0)
        return take_number(name, argument, (struct command_range){0, 64}, &request->busy);
    request->dry_run = request->dry_run || strcmp(name, "dry-run") == 0;
    return 0;
}

static enum status run(const struct request *request, struct error *error) {
    char program[4096], words[4][24];
    struct launch_result result;
    TRY(launch_find_program("tierbed-bench-bus", program, sizeof program, error));
    snprintf(words[0], sizeof words[0], "%u", request->rounds);
    snprintf(words[1], sizeof words[1], "%u", request->repetitions);
    snprintf(words[2], sizeof words[2], "%u", request->busy);
    snprintf(words[3], sizeof words[3], "%lld", (long long)wall_now_ns());
    const char *arguments[] = {words[0], words[1], words[2], request->dry_run ? NULL : words[3], NULL};
    struct launch_block block = {.program = program, .count = request->ranks, .arguments = arguments};
    struct launch_plan plan = {.blocks = &block, .block_count = 1, .abort_on_death = true, .quiet = true};
    if (request->dry_run) {
        launch_print(&plan, stdout);
        return STATUS_OK;
    }
    return launch_run(&plan, &result, error);
}

int bench_bus(int argc, char **argv) {
    struct request request = {.ranks = 60, .rounds = 5000, .repetitions = 7, .busy = 2};
    struct error error = {0};
    int code = command_parse(&command_bus, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_bus, "unexpected argument '%s'", argv[optind]);
    enum status status = run(&request, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed bench bus: %s\n", error.text);
    return status_exit_code(status);
}
