/* command: the table of subcommands; it also prints help, man pages and shell completion (command_text.h). */
#ifndef TIERBED_CLI_COMMAND_H
#define TIERBED_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct command_option {
    const char *name;     /* long option without dashes; NULL ends a list */
    char letter;          /* short form, 0 for none; `h` is taken */
    const char *argument; /* placeholder of its argument, NULL for a flag */
    const char *help;
};

struct command {
    const char *name;
    const char *usage;   /* after the name: "FILE [options]" */
    const char *summary; /* one line */
    /* Text of the man page and of --help: paragraphs apart by an empty line; a line in capitals is a heading;
     * lines that begin with two spaces are shown as they are (examples, lists of exit codes). */
    const char *details;
    const struct command_option *options;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns the exit code */
};

extern const struct command command_run, command_report, command_verify, command_scenario, command_runs,
    command_doctor, command_bench, command_campaign, command_help, command_experiment, command_scheme,
    command_ledger, command_keys;

extern const struct command *const command_table[]; /* ends with NULL */

/* NULL when there is none of this name. */
const struct command *command_find(const char *name);

/* getopt_long over `command`'s own option list plus --help. Usage:
 *   int code = command_parse(&command_x, argc, argv, handler, &settings);
 *   if (code != COMMAND_GO)
 *       return code;
 * `handler` is called for every option with its long name and argument (NULL for flags) and returns 0, or 2
 * after printing a usage error. Positional arguments are left in argv[optind..]. Returns COMMAND_GO, or the
 * exit code (0 after --help, 2 after a usage error). At most COMMAND_OPTIONS_MAX options a command. */
#define COMMAND_GO (-1)
#define COMMAND_OPTIONS_MAX 48
typedef int (*command_option_handler)(const char *name, const char *argument, void *context);
int command_parse(const struct command *command, int argc, char **argv, command_option_handler handler,
                  void *context);

/* Prints "tierbed COMMAND: text" and a hint to --help on stderr; returns 2. `command` NULL: the program
 * itself. */
int command_usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A whole decimal number within `range`, and nothing else. Returns 0 and fills `number`, or 2 after a usage
 * error that says the range. */
struct command_range {
    uint64_t least, most;
};
int command_number(const struct command *command, const char *name, const char *argument,
                   struct command_range range, uint64_t *number);

/* The usage error for a command that does not exist, with the nearest that does; `asker` as above. */
int command_unknown(const struct command *asker, const char *name);

/* May `stream` be written to in colour? Only a terminal that is not dumb, and not when NO_COLOR is set and
 * not empty. */
bool command_wants_colour(FILE *stream);

#endif
