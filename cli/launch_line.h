/* launch_line: the words of an mpirun line. Private to cli/launch*.c. */
#ifndef TIERBED_CLI_LAUNCH_LINE_H
#define TIERBED_CLI_LAUNCH_LINE_H

#include "cli/launch.h"

/* The words, ending with NULL. The caller frees the array and `numbers`, which holds some of the words; the
 * others are borrowed from `plan`. Aborts when out of memory. */
char **launch_words(const struct launch_plan *plan, char **numbers);

/* Environment that mpirun needs from us: pairs "NAME=1", ending with NULL; empty unless run by root. */
const char *const *launch_environment(void);

#endif
