/* tierbed help: the texts of the command table. */
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "cli/command.h"
#include "cli/command_text.h"

struct help_settings {
    bool man, completion;
};

static int help_option(const char *name, const char *argument, void *context) {
    struct help_settings *settings = context;
    (void)argument;
    if (strcmp(name, "man") == 0)
        settings->man = true;
    else
        settings->completion = true;
    return 0;
}

static int help_run(int argc, char **argv) {
    struct help_settings settings = {0};
    int code = command_parse(&command_help, argc, argv, help_option, &settings);
    if (code != COMMAND_GO)
        return code;
    const char *name = optind < argc ? argv[optind] : NULL;
    if (argc - optind > 1)
        return command_usage_error(&command_help, "one command at a time, got '%s' too", argv[optind + 1]);
    if (settings.completion && (settings.man || name != NULL))
        return command_usage_error(&command_help, "--completion stands alone");
    const struct command *command = name != NULL ? command_find(name) : NULL;
    if (name != NULL && command == NULL)
        return command_unknown(&command_help, name);
    if (settings.completion)
        command_print_completion(stdout);
    else if (settings.man && command != NULL)
        command_print_man(stdout, command);
    else if (settings.man)
        command_print_man_overview(stdout);
    else if (command != NULL)
        command_print_help(stdout, command);
    else
        command_print_overview(stdout);
    return 0;
}

static const struct command_option help_options[] = {
    {.name = "man", .help = "print the man page as scdoc source"},
    {.name = "completion", .help = "print a completion script for bash"},
    {0}};

const struct command command_help = {
    .name = "help",
    .usage = "[COMMAND] [options]",
    .summary = "Show the commands, or one of them",
    .details =
        "Help, man pages and completion come from one table, so they agree with what the program does.\n"
        "\n"
        "EXAMPLES\n"
        "  tierbed help run\n"
        "  tierbed help --man run | scdoc > tierbed-run.1\n"
        "  source <(tierbed help --completion)\n",
    .options = help_options,
    .run = help_run,
};
