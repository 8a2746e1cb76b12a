/* command: the table of subcommands; it also prints help, man pages and shell completion. */
#ifndef TIERBED_CLI_COMMAND_H
#define TIERBED_CLI_COMMAND_H

struct command_option {
    const char *name;     /* long option without dashes; NULL ends a list */
    char letter;          /* short form, 0 for none */
    const char *argument; /* placeholder of its argument, NULL for a flag */
    const char *help;
};

struct command {
    const char *name;
    const char *usage;   /* after the name: "FILE [options]" */
    const char *summary; /* one line */
    const char *details; /* man page text: paragraphs, exit codes */
    const struct command_option *options;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns the exit code */
};

extern const struct command command_run, command_report, command_verify, command_scenario, command_runs,
    command_doctor, command_bench;

extern const struct command *const command_table[]; /* ends with NULL */

/* getopt_long over `command`'s own option list plus --help. Usage:
 *   struct command_args args; if ((code = command_parse(&command_x, argc, argv, handler, context)) != COMMAND_GO)
 *       return code;
 * `handler` is called for every option with its long name and argument (NULL for flags) and returns 0, or 2 after
 * printing a usage error. Positional arguments are left in argv[optind..]. Returns COMMAND_GO, or the exit code
 * (0 after --help, 2 after a usage error). */
#define COMMAND_GO (-1)
typedef int (*command_option_handler)(const char *name, const char *argument, void *context);
int command_parse(const struct command *command, int argc, char **argv, command_option_handler handler, void *context);

/* Prints "tierbed COMMAND: text" and a hint to --help on stderr; returns 2. */
int command_usage_error(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
