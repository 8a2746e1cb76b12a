/* command: from the words of a command line to one command and its options, with GNU conventions. */
#include "cli/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command_text.h"
#include "common/base/text.h"

#define EXIT_USAGE 2
#define OPTION_BASE 256 /* long options are numbered from here, above every letter */

const struct command *command_find(const char *name) {
    for (size_t i = 0; command_table[i] != NULL; i++) {
        if (strcmp(command_table[i]->name, name) == 0)
            return command_table[i];
    }
    return NULL;
}

bool command_wants_colour(FILE *stream) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return (no_color == NULL || *no_color == '\0') && (term == NULL || strcmp(term, "dumb") != 0) &&
           isatty(fileno(stream)) != 0;
}

int command_usage_error(const struct command *command, const char *format, ...) {
    const char *space = command == NULL ? "" : " ", *name = command == NULL ? "" : command->name;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "tierbed%s%s: ", space, name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry 'tierbed%s%s --help' for more information.\n", space, name);
    va_end(arguments);
    return EXIT_USAGE;
}

int command_number(const struct command *command, const char *name, const char *argument,
                   struct command_range range, uint64_t *number) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(argument, &end, 10);
    if (errno != 0 || argument[0] < '0' || argument[0] > '9' || *end != '\0' || value < range.least ||
        value > range.most)
        return command_usage_error(command,
                                   "--%s takes a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                                   name, range.least, range.most, argument);
    *number = value;
    return 0;
}

int command_unknown(const struct command *asker, const char *name) {
    struct text_closest search = text_closest_to(name);
    for (size_t i = 0; command_table[i] != NULL; i++)
        text_closest_offer(&search, command_table[i]->name);
    if (search.best == NULL)
        return command_usage_error(asker, "there is no command '%s'", name);
    return command_usage_error(asker, "there is no command '%s'; did you mean '%s'?", name, search.best);
}

/* What getopt_long wants to know, derived from the command's own list. */
struct option_list {
    struct option longs[COMMAND_OPTIONS_MAX + 2];
    char letters[2 * COMMAND_OPTIONS_MAX + 4];
    size_t count;
};

static void option_list_fill(struct option_list *list, const struct command *command) {
    size_t used = 0;
    *list = (struct option_list){0};
    list->letters[used++] = ':'; /* getopt then tells a missing argument from an unknown option */
    list->letters[used++] = 'h';
    for (const struct command_option *option = command->options; option != NULL && option->name != NULL;
         option++) {
        assert(list->count < COMMAND_OPTIONS_MAX && option->letter != 'h');
        list->longs[list->count] =
            (struct option){.name = option->name,
                            .has_arg = option->argument != NULL ? required_argument : no_argument,
                            .val = OPTION_BASE + (int)list->count};
        list->count++;
        if (option->letter != '\0')
            list->letters[used++] = option->letter;
        if (option->letter != '\0' && option->argument != NULL)
            list->letters[used++] = ':';
    }
    list->longs[list->count] = (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
}

static int unknown_option(const struct command *command, const char *word) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    struct text_closest search = text_closest_to(name);
    text_closest_offer(&search, "help");
    bool ambiguous = false;
    for (const struct command_option *option = command->options; option != NULL && option->name != NULL;
         option++) {
        ambiguous = ambiguous || strncmp(option->name, name, strlen(name)) == 0;
        text_closest_offer(&search, option->name);
    }
    if (ambiguous)
        return command_usage_error(command, "option '--%s' is short for more than one", name);
    if (search.best == NULL)
        return command_usage_error(command, "unknown option '--%s'", name);
    return command_usage_error(command, "unknown option '--%s'; did you mean '--%s'?", name, search.best);
}

/* After '?', optopt is an unknown letter, the value of a long option that takes no argument, or 0. */
static int refused_option(const struct command *command, const struct option_list *list, const char *word) {
    if (optopt == 0)
        return unknown_option(command, word);
    if (optopt == 'h')
        return command_usage_error(command, "option '--help' takes no argument");
    if (optopt >= OPTION_BASE)
        return command_usage_error(command, "option '--%s' takes no argument",
                                   list->longs[optopt - OPTION_BASE].name);
    return command_usage_error(command, "unknown option '-%c'", optopt);
}

/* The option that getopt means: a number from OPTION_BASE on, or a letter of the list. */
static const struct command_option *option_of(const struct command *command, int value) {
    assert(command->options != NULL);
    if (value >= OPTION_BASE)
        return &command->options[value - OPTION_BASE];
    const struct command_option *option = command->options;
    while (option->name != NULL && option->letter != value)
        option++;
    assert(option->name != NULL);
    return option;
}

static int missing_argument(const struct command *command) {
    const struct command_option *option = option_of(command, optopt);
    return command_usage_error(command, "option '--%s' needs an argument, %s", option->name,
                               option->argument);
}

static int handle_option(const struct command *command, int value, command_option_handler handler,
                         void *context) {
    const struct command_option *option = option_of(command, value);
    return handler(option->name, option->argument != NULL ? optarg : NULL, context);
}

int command_parse(const struct command *command, int argc, char **argv, command_option_handler handler,
                  void *context) {
    struct option_list list;
    option_list_fill(&list, command);
    optind = 0; /* glibc: forget an earlier scan */
    opterr = 0;
    for (;;) {
        int value = getopt_long(argc, argv, list.letters, list.longs, NULL);
        if (value == -1)
            return COMMAND_GO;
        if (value == 'h') {
            command_print_help(stdout, command);
            return 0;
        }
        if (value == '?')
            return refused_option(command, &list, argv[optind - 1]);
        if (value == ':')
            return missing_argument(command);
        int code = handle_option(command, value, handler, context);
        if (code != 0)
            return code;
    }
}
