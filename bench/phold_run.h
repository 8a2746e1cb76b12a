/* phold_run: PHOLD on a bus: the same process and director as any run. */
#ifndef TIERBED_BENCH_PHOLD_RUN_H
#define TIERBED_BENCH_PHOLD_RUN_H

#include "bench/phold.h"
#include "common/base/error.h"
#include "common/net/bus.h"

struct phold_result { /* complete on rank 0 only */
    uint64_t events, digest, rounds;
    double wall_s;   /* first grant to last report */
    double expected; /* mean number of events: K_total (T + (s^2 - 1) / 2), s = (mean - lookahead) / mean */
    double z;        /* (events - expected) / standard deviation */
};

enum status phold_run(struct bus *bus, const struct phold_config *config, struct phold_result *result,
                      struct error *error);

/* Parses one option by its long name into `config`. STATUS_UNSUPPORTED for another name. */
enum status phold_option(struct phold_config *config, const char *name, const char *argument,
                         struct error *error);
void phold_defaults(struct phold_config *config);
enum status phold_check(const struct phold_config *config, struct error *error);

/* Prints the result as one JSON object, or as text. */
void phold_print(const struct phold_config *config, const struct phold_result *result, bool json);

#endif
