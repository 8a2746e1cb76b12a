/* cmd_experiment: `tierbed experiment`: figures as sweeps of runs, with the claims they must show. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/experiment.h"
#include "cli/experiment_sweep.h"
#include "common/base/text.h"

#define JOBS_MAX 256

static int take_count(const char *name, const char *argument, uint32_t most, uint32_t *count) {
    char *end;
    unsigned long value = strtoul(argument, &end, 10);
    if (*argument < '0' || *argument > '9' || *end != '\0' || value < 1 || value > most)
        return command_usage_error(&command_experiment, "--%s wants a number from 1 to %u, got `%s`", name,
                                   most, argument);
    *count = (uint32_t)value;
    return 0;
}

static int take_option(const char *name, const char *argument, void *context) {
    struct experiment_request *request = context;
    const struct {
        const char *name;
        const char **text;
        bool *flag;
    } plain[] = {{"dir", &request->dir, NULL},     {"out", &request->out, NULL},
                 {"cache", &request->cache, NULL}, {"report", &request->report, NULL},
                 {"quick", NULL, &request->quick}, {"json", NULL, &request->json},
                 {"force", NULL, &request->force}, {"verbose", NULL, &request->verbose},
                 {"quiet", NULL, &request->quiet}, {"dry-run", NULL, &request->dry_run}};
    if (strcmp(name, "seeds") == 0)
        return take_count(name, argument, SWEEP_SEEDS_MAX, &request->seeds);
    if (strcmp(name, "jobs") == 0)
        return take_count(name, argument, JOBS_MAX, &request->jobs);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(name, plain[i].name) != 0)
            continue;
        if (plain[i].text != NULL)
            *plain[i].text = argument;
        if (plain[i].flag != NULL)
            *plain[i].flag = true;
    }
    return 0;
}

static int unknown_verb(const char *verb) {
    struct text_closest search = text_closest_to(verb);
    text_closest_offer(&search, "list");
    text_closest_offer(&search, "run");
    text_closest_offer(&search, "report");
    if (search.best == NULL)
        return command_usage_error(&command_experiment, "cannot '%s'; there are 'list', 'run' and 'report'",
                                   verb);
    return command_usage_error(&command_experiment, "cannot '%s'; did you mean '%s'?", verb, search.best);
}

static int run(int argc, char **argv) {
    struct experiment_request request = {.out = EXPERIMENT_RESULTS, .cache = EXPERIMENT_CACHE};
    int code = command_parse(&command_experiment, argc, argv, take_option, &request);
    if (code != COMMAND_GO)
        return code;
    int words = argc - optind;
    const char *verb = words > 0 ? argv[optind] : "";
    bool list = strcmp(verb, "list") == 0, runs = strcmp(verb, "run") == 0,
         report = strcmp(verb, "report") == 0;
    if (words == 0)
        return command_usage_error(&command_experiment, "say what to do: list, run or report");
    if (!list && !runs && !report)
        return unknown_verb(verb);
    if (list && words != 1)
        return command_usage_error(&command_experiment, "list takes no name");
    if (!list && words != 2)
        return command_usage_error(&command_experiment, "%s takes one name: SCHEME/FIGURE, SCHEME, or a file",
                                   verb);
    if (list)
        return experiment_list(&request);
    return runs ? experiment_run(&request, argv[optind + 1])
                : experiment_write_report(&request, argv[optind + 1]);
}

static const struct command_option options[] = {
    {"quick", 'q', NULL, "the quick section of the sweep: fewer seeds and points, the same code; says so"},
    {"seeds", 's', "N", "seeds per point (default: as the sweep says)"},
    {"jobs", 'j', "N", "runs at a time (default: one per core)"},
    {"force", 'f', NULL, "make every run again, also those that are kept"},
    {"dry-run", 0, NULL, "print the command of every run, each to be run alone; run nothing"},
    {"out", 'o', "DIR", "results go to DIR/SCHEME/FIGURE/ (default: " EXPERIMENT_RESULTS ")"},
    {"report", 'r', "FILE", "also write the page over all figures, and its plots beside it"},
    {"json", 0, NULL, "one JSON object on standard output"},
    {"verbose", 'v', NULL, "a line for every run"},
    {"quiet", 0, NULL, "print only what went wrong"},
    {"dir", 0, "DIR", "where experiments are (default: ./experiments, or those installed)"},
    {"cache", 0, "DIR", "where finished runs are kept (default: " EXPERIMENT_CACHE ")"},
    {NULL, 0, NULL, NULL},
};

const struct command command_experiment = {
    .name = "experiment",
    .usage = "list | run NAME | report SCHEME [options]",
    .summary = "Run the experiments that answer a figure, and judge their claims",
    .details =
        "list shows the experiments there are: the sweep files SCHEME/FIGURE.yaml.\n\n"
        "run makes the runs of a figure (NAME is SCHEME/FIGURE or a file) or of all figures of a scheme "
        "(NAME is "
        "SCHEME), each in a process of its own, reads the measures out of them, and writes tables (CSV), the "
        "plot "
        "(SVG), and a verdict for every claim: holds, does not hold, or not decidable with these seeds.\n\n"
        "A finished run is kept under a hash of all that its result depends on, and used again. So an "
        "experiment "
        "that was interrupted in any way goes on when the same command is given again, and only what has "
        "changed "
        "is run.\n\n"
        "report writes the page over all figures of a scheme from their results, docs/results/SCHEME.md "
        "unless "
        "--report names another, and copies their plots beside it.\n\n"
        "Every run can be repeated alone: --dry-run prints the commands, points.csv has them with the digest "
        "each "
        "must give, under mpirun or not.\n\n"
        "EXIT STATUS\n\n"
        "  0    done; every HARD claim holds, or cannot be decided with these seeds (a warning says so)\n"
        "  1    a HARD claim does not hold, or a run failed\n"
        "  2    wrong usage, a sweep or scenario with mistakes, or a measure that runs do not record\n"
        "  4    disk, permission, memory\n"
        "  5    a run's process died\n"
        "  130  stopped by the user; finished runs are kept\n\n"
        "EXAMPLES\n\n"
        "  tierbed experiment list\n"
        "  tierbed experiment run factory/policies --quick\n"
        "  tierbed experiment run factory --seeds 20 --report factory.md\n",
    .options = options,
    .run = run,
};
