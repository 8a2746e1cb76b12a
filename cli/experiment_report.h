/* experiment_report: one page over all figures of a scheme, from what the figures' results say. */
#ifndef TIERBED_CLI_EXPERIMENT_REPORT_H
#define TIERBED_CLI_EXPERIMENT_REPORT_H

#include <stdbool.h>

#include "cli/experiment_find.h"

struct report_config {
    const char *scheme;
    const struct found_list *sweeps;
    const char *results; /* root of results: RESULTS/SCHEME/NAME/verdict.json */
    bool quick;          /* use the quick results */
    const char *file;    /* the page; plots go to the folder of its name without .md */
};

/* Writes the page and copies the plots. A figure that was not run is named as such. STATUS_IO, STATUS_INVALID
 * (results are corrupt). */
enum status experiment_report(const struct report_config *config, struct arena *arena, struct error *error);

#endif
