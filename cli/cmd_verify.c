/* tierbed verify: does the testbed compute what the papers say? */
#include <stdio.h>
#include <string.h>
#include <getopt.h>

#include "cli/command.h"
#include "cli/golden.h"
#include "cli/vectors.h"
#include "cli/verify_links.h"
#include "common/base/text.h"

static int handle_option(const char *name, const char *argument, void *context) {
    (void)argument;
    struct vector_options *options = context;
    if (strcmp(name, "json") == 0)
        options->json = true;
    else if (strcmp(name, "quiet") == 0)
        options->quiet = true;
    else
        options->list = true;
    return 0;
}

static int list_cases(void) {
    for (const struct vector_case *entry = vector_cases; entry->name != NULL; entry++)
        printf("%-14s %s\n", entry->name, entry->equations);
    return 0;
}

static int unknown_subject(const char *word) {
    struct text_closest search = text_closest_to(word);
    text_closest_offer(&search, "vectors");
    text_closest_offer(&search, "links");
    text_closest_offer(&search, "golden");
    if (search.best == NULL)
        return command_usage_error(&command_verify,
                                   "cannot verify '%s'; there are 'vectors', 'golden' and 'links'", word);
    return command_usage_error(&command_verify, "cannot verify '%s'; did you mean '%s'?", word, search.best);
}

static int run_golden(int count, char **words, const struct vector_options *options) {
    if (count != 1)
        return command_usage_error(&command_verify, "golden: expected one folder of golden files");
    struct golden_options golden = {.json = options->json, .quiet = options->quiet};
    return golden_verify(words[0], &golden);
}

static int run(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "links") == 0)
        return verify_links(argc - 1, argv + 1);
    struct vector_options options = {0};
    int code = command_parse(&command_verify, argc, argv, handle_option, &options);
    if (code != COMMAND_GO)
        return code;
    if (optind == argc)
        return command_usage_error(&command_verify,
                                   "expected what to verify: 'vectors FILE...', 'golden DIR' or 'links'");
    if (strcmp(argv[optind], "links") == 0)
        return command_usage_error(&command_verify, "options of 'links' come after it");
    if (strcmp(argv[optind], "golden") == 0)
        return run_golden(argc - optind - 1, argv + optind + 1, &options);
    if (strcmp(argv[optind], "vectors") != 0)
        return unknown_subject(argv[optind]);
    if (options.list)
        return list_cases();
    if (optind + 1 == argc)
        return command_usage_error(&command_verify, "vectors: expected at least one file");
    return vectors_verify(argv + optind + 1, (size_t)(argc - optind - 1), &options);
}

static const struct command_option options_of_verify[] = {
    {"json", 'j', NULL, "print one JSON object on standard output"},
    {"quiet", 'q', NULL, "print only what does not agree, and the summary"},
    {"list", 'l', NULL, "vectors: print the known cases with their equations"},
    {NULL, 0, NULL, NULL},
};

const struct command command_verify = {
    .name = "verify",
    .usage = "vectors FILE... | golden DIR | links [options]",
    .summary = "check equations and learning against published vectors, and links against closed forms",
    .details =
        "VECTORS\n\n"
        "Each FILE is a JSON object whose member `vectors` is an array of {id, case, inputs, outputs, rtol}. "
        "The case "
        "names the function under test; its outputs (any subset of them) are compared one by one: whole "
        "numbers "
        "exactly, others to the relative tolerance rtol (1e-9 if absent), an expected 0 to 1e-15. An output "
        "that the "
        "case does not compute is a mismatch. null stands for a value that is not finite or does not exist. "
        "Inputs "
        "that the published files leave out (such as a bandwidth) have the published value and can be "
        "given.\n\n"
        "GOLDEN\n\n"
        "DIR holds vectors of the learning core that another library computed, one JSON file a topic. Each "
        "known "
        "file is checked in double and in single precision, to the tolerances that it states in `tol`; every "
        "check is printed with its largest error.\n\n"
        "LINKS\n\n"
        "The link emulator is compared with closed forms: arrival times, queueing waits, loss rates. "
        "`tierbed verify links --help` lists its options: --quick, --seed N, --json.\n\n"
        "EXIT STATUS\n\n"
        "  0  everything agrees\n"
        "  1  a value differs\n"
        "  2  usage, or a file is malformed (file and JSON path are printed)\n"
        "  3  a case or file is unknown; nothing differs\n"
        "  4  a file cannot be read\n\n"
        "EXAMPLE\n\n"
        "  tierbed verify vectors jopa.json ipor.json\n"
        "  tierbed verify golden golden/ --quiet\n",
    .options = options_of_verify,
    .run = run,
};
