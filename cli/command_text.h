/* command_text: everything the table of commands is printed as: help, man pages (scdoc source), bash
 * completion. */
#ifndef TIERBED_CLI_COMMAND_TEXT_H
#define TIERBED_CLI_COMMAND_TEXT_H

#include <stdio.h>

#include "cli/command.h"

/* The list of commands, and the help of one. Headings are bold where command_wants_colour says so. */
void command_print_overview(FILE *stream);
void command_print_help(FILE *stream, const struct command *command);

/* scdoc(5) source of tierbed(1), or of tierbed-COMMAND(1). */
void command_print_man_overview(FILE *stream);
void command_print_man(FILE *stream, const struct command *command);

/* A bash completion script for all commands and their options. */
void command_print_completion(FILE *stream);

#endif
