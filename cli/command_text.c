/* command_text: one table, printed as help, man pages and completion, so that they cannot disagree. */
#include "cli/command_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define NAME_COLUMN 10   /* width of the command names in the overview */
#define OPTION_COLUMN 26 /* width of an option and its argument in help */
#define HELP_WIDTH 120   /* longer lines of running text are broken */

static const char about[] = "Tierbed emulates devices, gateways, edge servers and the links between them as "
                            "separate processes, in virtual "
                            "time, from one scenario file. The same scenario and seed give the same result "
                            "on any number of processes.";

static const char exit_codes[] =
    "  0    success\n"
    "  1    the run or a check failed\n"
    "  2    wrong usage, or an invalid scenario or input file: nothing was started\n"
    "  3    a case that this build does not know (verify)\n"
    "  4    the system refused: disk, memory, permission, missing file\n"
    "  5    a process of the run died\n"
    "  130  stopped by Ctrl-C or SIGTERM; what was recorded is kept\n";

static const char environment[] = "  NO_COLOR  no colour in terminal output when set\n"
                                  "  TMPDIR    where temporary files go, /tmp otherwise\n";

static bool is_heading(const char *line, size_t size) {
    bool letters = false;
    for (size_t i = 0; i < size; i++) {
        if (!isupper((unsigned char)line[i]) && line[i] != ' ')
            return false;
        letters = letters || line[i] != ' ';
    }
    return letters;
}

static void print_heading(FILE *stream, const char *text) {
    bool colour = command_wants_colour(stream);
    fprintf(stream, "%s%s%s\n", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
}

void command_print_overview(FILE *stream) {
    print_heading(stream, "Usage: tierbed COMMAND [options]");
    fprintf(stream,
            "A testbed of tiers: devices, gateways, edge servers and their links, in virtual time.\n\n");
    print_heading(stream, "Commands");
    for (size_t i = 0; command_table[i] != NULL; i++)
        fprintf(stream, "  %-*s %c%s\n", NAME_COLUMN, command_table[i]->name,
                toupper((unsigned char)command_table[i]->summary[0]), command_table[i]->summary + 1);
    fprintf(stream, "\n");
    print_heading(stream, "Options");
    fprintf(stream, "  -h, --help     this text\n  -V, --version  version and build\n\n");
    print_heading(stream, "Start here");
    fprintf(stream, "  tierbed doctor                                     is this machine ready?\n"
                    "  tierbed run experiments/factory/quickstart.yaml    run a factory\n"
                    "  tierbed help COMMAND                               options, examples, exit codes\n");
}

static void print_option(FILE *stream, const struct command_option *option) {
    char text[80];
    char letter[5] = "    ";
    if (option->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, sizeof text, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    if (strlen(text) > OPTION_COLUMN)
        fprintf(stream, "  %s\n  %*s %s\n", text, OPTION_COLUMN, "", option->help);
    else
        fprintf(stream, "  %-*s %s\n", OPTION_COLUMN, text, option->help);
}

/* Breaks a long line of running text between words. */
static void print_wrapped(FILE *stream, const char *line, size_t size) {
    while (size > HELP_WIDTH) {
        size_t cut = HELP_WIDTH;
        while (cut > 0 && line[cut] != ' ')
            cut--;
        if (cut == 0)
            break;
        fprintf(stream, "%.*s\n", (int)cut, line);
        line += cut + 1;
        size -= cut + 1;
    }
    fprintf(stream, "%.*s\n", (int)size, line);
}

static void print_details(FILE *stream, const char *details) {
    char heading[80];
    for (const char *line = details; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        snprintf(heading, sizeof heading, "%.*s", (int)size, line);
        if (is_heading(line, size))
            print_heading(stream, heading);
        else if (*line == ' ')
            fprintf(stream, "%.*s\n", (int)size, line);
        else
            print_wrapped(stream, line, size);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
}

static const struct command_option help_option = {
    .name = "help", .letter = 'h', .help = "show this text and exit"};

void command_print_help(FILE *stream, const struct command *command) {
    char usage[256];
    snprintf(usage, sizeof usage, "Usage: tierbed %s %s", command->name, command->usage);
    print_heading(stream, usage);
    fprintf(stream, "%c%s\n\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
    print_heading(stream, "Options");
    for (const struct command_option *option = command->options; option != NULL && option->name != NULL;
         option++)
        print_option(stream, option);
    print_option(stream, &help_option);
    if (command->details != NULL && *command->details != '\0') {
        fputc('\n', stream);
        print_details(stream, command->details);
    }
}

/* scdoc gives these characters a meaning; a backslash takes it away. */
static void man_text(FILE *stream, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (strchr("\\_*<>", text[i]) != NULL || (i == 0 && strchr("-.#|[]:+~`", text[i]) != NULL))
            fputc('\\', stream);
        fputc(text[i], stream);
    }
}

static void man_line(FILE *stream, const char *text) {
    man_text(stream, text, strlen(text));
    fputc('\n', stream);
}

/* Lines that begin with two spaces become literal blocks; capitals become headings; the rest is running text.
 */
static void man_details(FILE *stream, const char *details) {
    bool literal = false;
    for (const char *line = details; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        bool wants_literal = strncmp(line, "  ", 2) == 0;
        if (wants_literal != literal)
            fputs(wants_literal ? "\n```\n" : "```\n\n", stream);
        literal = wants_literal;
        if (literal) {
            fprintf(stream, "%.*s\n", (int)size, line);
        } else if (is_heading(line, size)) {
            fprintf(stream, "\n# %.*s\n\n", (int)size, line);
        } else {
            man_text(stream, line, size);
            fputc('\n', stream);
        }
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    if (literal)
        fputs("```\n", stream);
}

static void man_option(FILE *stream, const struct command_option *option) {
    if (option->letter != '\0')
        fprintf(stream, "*-%c*, ", option->letter);
    fprintf(stream, "*--%s*", option->name);
    if (option->argument != NULL) {
        fputs(" _", stream);
        man_text(stream, option->argument, strlen(option->argument));
        fputs("_", stream);
    }
    fputs("\n\t", stream);
    man_line(stream, option->help);
    fputc('\n', stream);
}

static void man_see_also(FILE *stream, const struct command *except) {
    fputs("\n# SEE ALSO\n\n", stream);
    if (except != NULL)
        fputs("*tierbed*(1)", stream);
    const char *comma = except != NULL ? ", " : "";
    for (size_t i = 0; command_table[i] != NULL; i++) {
        if (command_table[i] == except)
            continue;
        fprintf(stream, "%s*tierbed-%s*(1)", comma, command_table[i]->name);
        comma = ", ";
    }
    fputc('\n', stream);
}

void command_print_man_overview(FILE *stream) {
    fputs("tierbed(1) \"\" \"Tierbed manual\"\n\n# NAME\n\n"
          "tierbed - a testbed of tiers: devices, gateways, edge servers and their links\n\n"
          "# SYNOPSIS\n\n*tierbed* _COMMAND_ [options]\n\n# DESCRIPTION\n\n",
          stream);
    man_line(stream, about);
    fputs("\n# COMMANDS\n\n", stream);
    for (size_t i = 0; command_table[i] != NULL; i++) {
        fprintf(stream, "*%s*\n\t", command_table[i]->name);
        man_line(stream, command_table[i]->summary);
        fputc('\n', stream);
    }
    fputs("# OPTIONS\n\n*-h*, *--help*\n\tshow the list of commands and exit\n\n"
          "*-V*, *--version*\n\tshow version and build and exit\n\n",
          stream);
    fprintf(stream, "# EXIT STATUS\n\n```\n%s```\n\n# ENVIRONMENT\n\n```\n%s```\n", exit_codes, environment);
    man_see_also(stream, NULL);
}

void command_print_man(FILE *stream, const struct command *command) {
    fprintf(stream, "tierbed-%s(1) \"\" \"Tierbed manual\"\n\n# NAME\n\ntierbed-%s - ", command->name,
            command->name);
    man_line(stream, command->summary);
    fprintf(stream, "\n# SYNOPSIS\n\n*tierbed %s* ", command->name);
    man_line(stream, command->usage);
    fputs("\n# OPTIONS\n\n", stream);
    for (const struct command_option *option = command->options; option != NULL && option->name != NULL;
         option++)
        man_option(stream, option);
    man_option(stream, &help_option);
    if (command->details != NULL && *command->details != '\0') {
        fputs("# DESCRIPTION\n\n", stream);
        man_details(stream, command->details);
    }
    man_see_also(stream, command);
}

static void completion_options(FILE *stream, const struct command *command) {
    fprintf(stream, "    %s) options='--help", command->name);
    for (const struct command_option *option = command->options; option != NULL && option->name != NULL;
         option++)
        fprintf(stream, " --%s", option->name);
    fputs("' ;;\n", stream);
}

void command_print_completion(FILE *stream) {
    fputs("# bash completion for tierbed; printed by `tierbed help --completion`\n"
          "_tierbed() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} options=''\n"
          "    local commands='",
          stream);
    for (size_t i = 0; command_table[i] != NULL; i++)
        fprintf(stream, "%s%s", i > 0 ? " " : "", command_table[i]->name);
    fputs("'\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$commands --help --version\" -- \"$word\")\n"
          "        return\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]} in\n",
          stream);
    for (size_t i = 0; command_table[i] != NULL; i++)
        completion_options(stream, command_table[i]);
    fputs("    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
          "    elif [[ ${COMP_WORDS[1]} == help ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\")\n"
          "    else\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "    fi\n"
          "}\n"
          "complete -F _tierbed tierbed\n",
          stream);
}
