/* experiment: the parts of `tierbed experiment`. Each returns the exit code. */
#ifndef TIERBED_CLI_EXPERIMENT_H
#define TIERBED_CLI_EXPERIMENT_H

#include <stdbool.h>
#include <stdint.h>

#define EXPERIMENT_RESULTS "runs/results"
#define EXPERIMENT_CACHE "runs/.cache"

struct experiment_request {
    const char *dir;    /* of experiments; NULL: search */
    const char *out;    /* root of results */
    const char *cache;  /* of finished runs */
    const char *report; /* the page to write; NULL: none (run), or docs/results/SCHEME.md (report) */
    uint32_t seeds;     /* 0: as the sweep says */
    uint32_t jobs;      /* 0: as many as there are cores */
    bool quick, json, force, verbose, quiet, dry_run;
};

int experiment_list(const struct experiment_request *request);
int experiment_run(const struct experiment_request *request, const char *word);
int experiment_write_report(const struct experiment_request *request, const char *word);

#endif
