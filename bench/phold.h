/* phold: the PHOLD benchmark of Fujimoto (1990) on the time engine, in one process or several. */
#ifndef TIERBED_BENCH_PHOLD_H
#define TIERBED_BENCH_PHOLD_H

#include <stdint.h>

#include "common/time/engine.h"

/* `tierbed bench phold`: parses options, runs here or under mpirun, prints. Returns the exit code. */
int bench_phold(int argc, char **argv);

struct phold_config {
    uint32_t lps, events_per_lp;
    double remote;      /* probability that an event goes to a uniformly drawn LP instead of its own */
    double lookahead_s; /* least delay */
    double mean_s;      /* mean delay, lookahead included */
    double end_s;
    uint64_t seed;
    uint32_t processes;
};

/* One logical process: one cache line. */
struct phold_lp {
    uint64_t random[4];
    uint64_t digest;
    uint64_t executed;
    uint64_t padding[2];
};

struct phold {
    struct phold_config config;
    struct phold_lp *lps; /* all of them; only those of this process are used */
    int64_t lookahead_ns;
    double rest_ns; /* mean of the exponential part */
    int64_t end_ns;
};

void phold_init(struct phold *phold, const struct phold_config *config);
void phold_close(struct phold *phold);
/* The engine's handler; context is the struct phold. */
enum status phold_deliver(void *context, struct engine *engine, const struct engine_event *event);
/* Posts the first events of the LPs of this process. */
void phold_start(struct phold *phold, struct engine *engine);
/* Order-free digest of the LPs of this process; sum over processes is the digest of the run. */
uint64_t phold_digest(const struct phold *phold, const struct engine *engine);

#endif
