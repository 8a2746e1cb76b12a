#include "campaign/chain_cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/pool.h"
#include "campaign/summary.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "common/base/text.h"

#define VALIDATORS_LEAST 4u
#define VALIDATORS_MOST 13u /* with their twins and the client they are members of one world */
#define SEEDS_MOST UINT64_C(100000000)

struct request {
    uint64_t first, last;
    bool one, trace, mutants, json, list, seeds_given;
    uint32_t jobs, validators;
    const struct kind *kind;
    const char *mutant;
};

static const struct command_option chain_options[] = {
    {.name = "seeds", .argument = "A..B", .help = "seeds to run, both included (default 1..200)"},
    {.name = "seed", .argument = "N", .help = "this seed alone, in this process"},
    {.name = "trace", .help = "with --seed: print one line for every event"},
    {.name = "jobs", .letter = 'j', .argument = "N", .help = "processes at once (default: the cores)"},
    {.name = "validators", .argument = "N", .help = "validators of a world, 4 to 13 (default 4)"},
    {.name = "kind", .argument = "NAME", .help = "only this kind of scenario; --list names them"},
    {.name = "mutants", .help = "run known mistakes instead: each must be found out"},
    {.name = "mutant", .argument = "NAME", .help = "with --mutants: this one only"},
    {.name = "json", .help = "print one JSON object on standard output"},
    {.name = "list", .help = "list the kinds of scenario"},
    {0}};

static const struct command command_chain = {
    .name = "campaign chain",
    .usage = "[--seeds A..B] [--jobs N] [options] | --seed N [--trace] | --mutants",
    .summary = "Validators in virtual time under faults, one world per seed, judged from outside",
    .details =
        "Each seed makes a world: N validators with disks in memory, edge servers that submit, a network, "
        "and "
        "a plan of faults: deaths at any point, partitions, loss, damage, disks that lose or refuse, "
        "validators that lie, twins. While it runs, and in a phase without faults after it, an oracle checks "
        "what must hold: agreement, validity, certificates, no double signature, the lock rule, durability, "
        "evidence, progress within a bound. A seed always gives the same run.\n"
        "\n"
        "Kinds that must go wrong are part of it: f + 1 twins have to fork, and the guilty have to be named; "
        "more than f validators that have forgotten everything have to stall.\n"
        "\n"
        "EXIT STATUS\n"
        "  0  nothing was violated; with --mutants: every mistake was found out\n"
        "  1  a seed failed, or a mutant survived\n"
        "  2  wrong usage\n"
        "  4  a program is missing, no memory, no process\n"
        "\n"
        "EXAMPLES\n"
        "  tierbed campaign chain --seeds 1..10000\n"
        "  tierbed campaign chain --seeds 1..500 --validators 7 --kind twins\n"
        "  tierbed campaign chain --seed 4711 --trace\n"
        "  tierbed campaign chain --mutants\n",
    .options = chain_options};

static int take_seeds(const char *argument, struct request *request) {
    char *end;
    unsigned long long first = strtoull(argument, &end, 10);
    const char *second = strncmp(end, "..", 2) == 0 ? end + 2 : NULL;
    if (end == argument || argument[0] == '-' || second == NULL || *second < '0' || *second > '9')
        return command_usage_error(&command_chain, "--seeds takes a range like 1..200, not '%s'", argument);
    unsigned long long last = strtoull(second, &end, 10);
    if (*end != '\0' || last < first || last - first >= SEEDS_MOST)
        return command_usage_error(&command_chain, "--seeds takes a range like 1..200, not '%s'", argument);
    request->first = first;
    request->last = last;
    request->seeds_given = true;
    return 0;
}

static int take_kind(const char *argument, struct request *request) {
    request->kind = kind_find(argument);
    if (request->kind != NULL)
        return 0;
    struct text_closest search = text_closest_to(argument);
    for (uint32_t i = 0; kind_at(i) != NULL; i++)
        text_closest_offer(&search, kind_at(i)->name);
    if (search.best != NULL)
        return command_usage_error(&command_chain, "there is no kind '%s'; did you mean '%s'?", argument,
                                   search.best);
    return command_usage_error(&command_chain, "there is no kind '%s'; --list names them", argument);
}

static int take_option(const char *name, const char *argument, void *context) {
    struct request *request = context;
    uint64_t number = 0;
    int code = 0;
    if (strcmp(name, "seeds") == 0)
        return take_seeds(argument, request);
    if (strcmp(name, "kind") == 0)
        return take_kind(argument, request);
    if (strcmp(name, "seed") == 0) {
        request->one = true;
        code = command_number(&command_chain, name, argument, (struct command_range){0, UINT64_MAX / 2},
                              &request->first);
        request->last = request->first;
    } else if (strcmp(name, "jobs") == 0) {
        code =
            command_number(&command_chain, name, argument, (struct command_range){1, POOL_JOBS_MAX}, &number);
        request->jobs = (uint32_t)number;
    } else if (strcmp(name, "validators") == 0) {
        code = command_number(&command_chain, name, argument,
                              (struct command_range){VALIDATORS_LEAST, VALIDATORS_MOST}, &number);
        request->validators = (uint32_t)number;
    } else if (strcmp(name, "mutant") == 0) {
        request->mutant = argument;
    }
    request->trace = request->trace || strcmp(name, "trace") == 0;
    request->mutants = request->mutants || strcmp(name, "mutants") == 0;
    request->json = request->json || strcmp(name, "json") == 0;
    request->list = request->list || strcmp(name, "list") == 0;
    return code;
}

static int list_kinds(void) {
    for (uint32_t i = 0; kind_at(i) != NULL; i++)
        printf("%-16s %-28s %s\n", kind_at(i)->name, kind_at(i)->rows, kind_at(i)->what);
    return 0;
}

static int run_one(const struct request *request) {
    struct campaign_options options = {
        .validators = request->validators, .kind = request->kind, .trace = request->trace ? stdout : NULL};
    struct summary *summary = calloc(1, sizeof *summary);
    struct campaign_result result;
    struct error error = {0};
    if (summary == NULL)
        return status_exit_code(STATUS_MEMORY);
    enum status status = campaign_run(&options, request->first, &result, &error);
    int code = result.violation_count > 0 ? 1 : 0;
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed campaign chain: %s\n", error.text);
        code = status_exit_code(status);
    }
    summary_init(summary, &options, request->first, request->first, NULL);
    summary_add(summary, &result);
    if (request->json) {
        char *text = summary_json(summary);
        puts(text != NULL ? text : "{}");
        free(text);
    } else {
        if (result.violation_count > 0)
            summary_print_failure(summary, &result, stdout);
        printf("seed %" PRIu64 ", %s, N = %u: %s; %" PRIu64 " heights, %" PRIu64 " events, %.3f s of virtual "
               "time, digest %016" PRIx64 "\n",
               result.seed, result.kind->name, request->validators,
               result.forked ? "forked"
               : code != 0   ? "failed"
                             : "ok",
               result.heights, result.events, (double)result.virtual_ns * 1e-9, result.digest);
    }
    free(summary);
    return code;
}

static int run_range(const struct request *request) {
    struct pool_config config = {.options = {.validators = request->validators, .kind = request->kind},
                                 .first = request->first,
                                 .last = request->last,
                                 .jobs = request->jobs};
    struct summary *summary = calloc(1, sizeof *summary);
    if (summary == NULL)
        return status_exit_code(STATUS_MEMORY);
    summary_init(summary, &config.options, request->first, request->last, stderr);
    config.context = summary;
    config.on_result = summary_add;
    struct error error = {0};
    enum status status = campaign_pool_run(&config, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed campaign chain: %s\n", error.text);
    if (request->json) {
        char *text = summary_json(summary);
        puts(text != NULL ? text : "{}");
        free(text);
    } else {
        summary_print(summary, stdout);
    }
    int code = status != STATUS_OK ? status_exit_code(status) : summary_failed(summary) ? 1 : 0;
    free(summary);
    return code;
}

/* Becomes tierbed-mutants, which is built from the same sources with the mistakes in them. */
static int run_mutants(const struct request *request) {
    char path[4096], seeds[48], jobs[16], validators[16];
    struct error error = {0};
    enum status status = launch_find_program("tierbed-mutants", path, sizeof path, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed campaign chain: %s\n", error.text);
        return status_exit_code(status);
    }
    snprintf(seeds, sizeof seeds, "%" PRIu64 "..%" PRIu64, request->first, request->last);
    snprintf(jobs, sizeof jobs, "%u", request->jobs);
    snprintf(validators, sizeof validators, "%u", request->validators);
    char *words[16] = {path, seeds, jobs, validators};
    uint32_t count = 4;
    words[count++] = (char *)(uintptr_t)(request->mutant != NULL ? request->mutant : "all");
    words[count++] = (char *)(uintptr_t)(request->kind != NULL ? request->kind->name : "any");
    words[count++] = (char *)(uintptr_t)(request->trace ? "trace" : request->json ? "json" : "text");
    fflush(NULL);
    execv(path, words);
    fprintf(stderr, "tierbed campaign chain: cannot run %s\n", path);
    return status_exit_code(STATUS_IO);
}

int campaign_chain(int argc, char **argv) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct request request = {
        .first = 1, .last = 200, .validators = 4, .jobs = cores > 0 ? (uint32_t)cores : 1};
    if (request.jobs > POOL_JOBS_MAX)
        request.jobs = POOL_JOBS_MAX;
    int code = command_parse(&command_chain, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    if (optind < argc)
        return command_usage_error(&command_chain, "unexpected '%s'", argv[optind]);
    if (request.trace && !request.one)
        return command_usage_error(&command_chain, "--trace needs --seed N");
    if (request.one && request.seeds_given)
        return command_usage_error(&command_chain, "--seed and --seeds exclude each other");
    if (request.mutant != NULL && !request.mutants)
        return command_usage_error(&command_chain, "--mutant needs --mutants");
    if (request.list)
        return list_kinds();
    if (request.mutants)
        return run_mutants(&request);
    return request.one ? run_one(&request) : run_range(&request);
}
