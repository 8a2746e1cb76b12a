/* runs: the parts of `tierbed runs`. Each returns the exit code. */
#ifndef TIERBED_CLI_RUNS_H
#define TIERBED_CLI_RUNS_H

#include <stdbool.h>

#include "common/base/error.h"

/* Prints the error of `tierbed runs` and returns its exit code. */
int runs_fail(const struct error *error);

int runs_list(const char *root, bool json);
int runs_show(const char *dir, bool json);
/* Key figures side by side. With `need_digest`, 1 unless both runs have a digest and it is the same. */
int runs_compare(const char *first, const char *second, bool need_digest, bool json);

#endif
