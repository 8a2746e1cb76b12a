/* phold_cli: `tierbed bench phold`: in this process, or as many under mpirun. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/phold_run.h"
#include "cli/command.h"
#include "cli/launch.h"

static const struct command_option options[] = {
    {.name = "lps", .argument = "N", .help = "logical processes (default 1024)"},
    {.name = "events-per-lp", .argument = "K", .help = "events that each LP starts with (default 1)"},
    {.name = "remote",
     .argument = "P",
     .help = "probability that an event goes to a random LP (default 0.5)"},
    {.name = "lookahead", .argument = "L", .help = "least delay, in seconds (default 0.1)"},
    {.name = "mean", .argument = "M", .help = "mean delay with the lookahead, in seconds (default 1)"},
    {.name = "end", .argument = "T", .help = "virtual time at which to stop, in seconds (default 1000)"},
    {.name = "processes", .argument = "P", .help = "processes (default 1: here, without MPI)"},
    {.name = "seed", .argument = "S", .help = "seed (default 1)"},
    {.name = "json", .help = "print one JSON object"},
    {0}};

static const struct command command_phold = {
    .name = "bench phold",
    .usage = "[options]",
    .summary = "PHOLD: events per second of the time engine",
    .details = "Prints the number of events, the wall time, events per second and a digest. Count and digest "
               "do not depend\n"
               "on --processes; the count is compared with its mean from renewal theory (z).\n",
    .options = options};

struct request {
    struct phold_config config;
    bool json;
};

static int take_option(const char *name, const char *argument, void *context) {
    struct request *request = context;
    struct error error = {0};
    if (strcmp(name, "json") == 0)
        request->json = true;
    else if (phold_option(&request->config, name, argument, &error) != STATUS_OK)
        return command_usage_error(&command_phold, "%s", error.text);
    return 0;
}

static enum status run_here(const struct request *request, struct error *error) {
    struct bus **endpoints;
    struct phold_result result;
    TRY(bus_memory_open(1, &endpoints, error));
    enum status status = phold_run(endpoints[0], &request->config, &result, error);
    if (status == STATUS_OK)
        phold_print(&request->config, &result, request->json);
    bus_close(endpoints[0]);
    free(endpoints);
    return status;
}

static enum status run_mpi(const struct request *request, struct error *error) {
    const struct phold_config *config = &request->config;
    char program[4096], numbers[7][40];
    TRY(launch_find_program("tierbed-bench-phold", program, sizeof program, error));
    snprintf(numbers[0], sizeof numbers[0], "--lps=%u", config->lps);
    snprintf(numbers[1], sizeof numbers[1], "--events-per-lp=%u", config->events_per_lp);
    snprintf(numbers[2], sizeof numbers[2], "--remote=%.17g", config->remote);
    snprintf(numbers[3], sizeof numbers[3], "--lookahead=%.17g", config->lookahead_s);
    snprintf(numbers[4], sizeof numbers[4], "--mean=%.17g", config->mean_s);
    snprintf(numbers[5], sizeof numbers[5], "--end=%.17g", config->end_s);
    snprintf(numbers[6], sizeof numbers[6], "--seed=%llu", (unsigned long long)config->seed);
    const char *arguments[9] = {numbers[0], numbers[1], numbers[2], numbers[3],
                                numbers[4], numbers[5], numbers[6], request->json ? "--json" : NULL,
                                NULL};
    struct launch_block block = {.program = program, .count = config->processes, .arguments = arguments};
    struct launch_result result;
    fflush(stdout);
    return launch_run(
        &(struct launch_plan){.blocks = &block, .block_count = 1, .quiet = true, .abort_on_death = true},
        &result, error);
}

int bench_phold(int argc, char **argv) {
    struct request request = {.json = false};
    struct error error = {0};
    phold_defaults(&request.config);
    int code = command_parse(&command_phold, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_phold, "unexpected argument '%s'", argv[optind]);
    if (phold_check(&request.config, &error) != STATUS_OK)
        return command_usage_error(&command_phold, "%s", error.text);
    enum status status =
        request.config.processes == 1 ? run_here(&request, &error) : run_mpi(&request, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed bench phold: %s\n", error.text);
    return status_exit_code(status);
}
