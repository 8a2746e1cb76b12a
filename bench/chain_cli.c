/* chain_cli: `tierbed bench chain`: makes a directory, measures under mpirun or here, removes it again. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/chain.h"
#include "bench/chain_bench.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "common/time/wall.h"

static const struct command_option options[] = {
    {.name = "validators", .argument = "N", .help = "validators, 1 to 64 (default 4)"},
    {.name = "durability", .argument = "WORD", .help = "process or power (default process)"},
    {.name = "only", .argument = "WORD", .help = "measure only records, signed or single"},
    {.name = "seconds", .argument = "S", .help = "time of each of them, 0.1 to 600 (default 5)"},
    {.name = "heights", .argument = "N", .help = "stop each after so many blocks instead"},
    {.name = "outstanding",
     .argument = "N",
     .help = "blocks' worth of transactions on their way, 1 to 16 (default 3)"},
    {.name = "record-bytes", .argument = "N", .help = "size of a record, 8 to 160 (default 64)"},
    {.name = "dir",
     .argument = "DIR",
     .help = "where ledgers are written for the time of the run (default: the working directory)"},
    {.name = "in-process", .help = "all validators in this process and thread, without MPI"},
    {.name = "json", .help = "accepted for symmetry: the result always is one JSON object"},
    {.name = "dry-run", .help = "print the mpirun line instead of running it"},
    {0}};

static const struct command command_chain = {
    .name = "bench chain",
    .usage = "[options]",
    .summary = "The chain: transactions per second, time to commit, and what the disk allows",
    .details =
        "Validators run as fast as they can, without emulated delay, on real ledgers; a client submits and "
        "takes the\n"
        "time until the first validator proves each transaction to be in a block. Blocks hold 400 "
        "transactions.\n"
        "\n"
        "records  400 small records under one signature, a few blocks' worth on their way\n"
        "signed   transactions with a signature each, as many\n"
        "single   one transaction on its way at a time\n"
        "\n"
        "Before it, the cost of a durable write is measured in the same directory, by one validator alone "
        "and by all\n"
        "at once: of one page and fdatasync, of a signature and of a block in the ledger. Four writes lie on "
        "the path\n"
        "of a block (proposal, prevote, precommit, block): bound says what they cost during the load, how "
        "many\n"
        "transactions a second that alone would allow, and how much of it was reached.\n",
    .options = options};

struct request {
    struct chain_bench_config config;
    bool dry_run;
};

static int take_option(const char *name, const char *argument, void *context) {
    struct request *request = context;
    struct error error = {0};
    if (strcmp(name, "in-process") == 0)
        request->config.in_process = true;
    else if (strcmp(name, "dry-run") == 0)
        request->dry_run = true;
    else if (argument != NULL && chain_bench_option(&request->config, name, argument, &error) != STATUS_OK)
        return command_usage_error(&command_chain, "%s", error.text);
    return 0;
}

static enum status run_here(struct chain_bench_config *config, struct error *error) {
    struct chain_result result;
    TRY(chain_run_here(config, &result, error));
    chain_bench_print(config, &result);
    return STATUS_OK;
}

static enum status run_mpi(const struct request *request, struct error *error) {
    const struct chain_bench_config *config = &request->config;
    char program[4096], words[7][40], dir[sizeof config->dir + 8], only[24];
    const char *arguments[10] = {NULL};
    size_t count = 7;
    TRY(launch_find_program("tierbed-bench-chain", program, sizeof program, error));
    snprintf(words[0], sizeof words[0], "--validators=%u", config->validators);
    snprintf(words[1], sizeof words[1], "--record-bytes=%u", config->record_bytes);
    snprintf(words[2], sizeof words[2], "--outstanding=%u", config->outstanding);
    snprintf(words[3], sizeof words[3], "--seconds=%.17g", config->seconds);
    snprintf(words[4], sizeof words[4], "--durability=%s",
             config->durability == DURABILITY_POWER ? "power" : "process");
    snprintf(words[5], sizeof words[5], "--epoch=%lld", (long long)config->epoch_ns);
    snprintf(dir, sizeof dir, "--dir=%s", config->dir);
    for (size_t i = 0; i < 6; i++)
        arguments[i] = words[i];
    arguments[6] = dir;
    if (config->heights > 0) {
        snprintf(words[6], sizeof words[6], "--heights=%u", config->heights);
        arguments[count++] = words[6];
    }
    for (uint32_t phase = 0; phase < CHAIN_PHASES; phase++)
        if (config->phases[phase] && !config->phases[(phase + 1) % CHAIN_PHASES]) {
            snprintf(only, sizeof only, "--only=%s", chain_phase_names[phase]);
            arguments[count++] = only;
        }
    struct launch_block block = {.program = program, .count = config->validators + 1, .arguments = arguments};
    struct launch_plan plan = {.blocks = &block, .block_count = 1, .abort_on_death = true, .quiet = true};
    struct launch_result result;
    if (request->dry_run) {
        launch_print(&plan, stdout);
        return STATUS_OK;
    }
    return launch_run(&plan, &result, error);
}

static enum status run(struct request *request, struct error *error) {
    struct chain_bench_config *config = &request->config;
    char parent[sizeof config->dir];
    memcpy(parent, config->dir, sizeof parent);
    snprintf(config->dir, sizeof config->dir, request->dry_run ? "%.440s" : "%.440s/tierbed-bench-XXXXXX",
             *parent ? parent : ".");
    if (!request->dry_run && mkdtemp(config->dir) == NULL)
        return error_set_errno(error, STATUS_IO, "cannot make %s", config->dir);
    config->epoch_ns = wall_now_ns();
    enum status status =
        config->in_process && !request->dry_run ? run_here(config, error) : run_mpi(request, error);
    if (!request->dry_run)
        chain_bench_remove(config->dir);
    return status;
}

int bench_chain(int argc, char **argv) {
    struct request request = {.dry_run = false};
    struct error error = {0};
    chain_bench_defaults(&request.config);
    int code = command_parse(&command_chain, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_chain, "unexpected argument '%s'", argv[optind]);
    enum status status = run(&request, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed bench chain: %s\n", error.text);
    return status_exit_code(status);
}
