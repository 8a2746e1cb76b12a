/* run: one seed: its plan, its world, the faults, the liveness phase after them, the verdict. */
#ifndef TIERBED_CAMPAIGN_RUN_H
#define TIERBED_CAMPAIGN_RUN_H

#include <stdio.h>

#include "campaign/kinds.h"
#include "campaign/oracle.h"

struct campaign_options {
    uint32_t validators;     /* N */
    const struct kind *kind; /* NULL: drawn from the seed */
    FILE *trace;             /* NULL: none */
};

struct campaign_result {
    uint64_t seed;
    const struct kind *kind;
    uint32_t violation_count;
    struct violation violations[ORACLE_VIOLATIONS_MAX];
    bool forked;
    uint64_t digest, events, heights, proofs, restarts, evidence;
    int64_t virtual_ns;
    uint64_t memory_max, peer_memory_max; /* bytes that a validator held for others, for one peer */
    uint64_t checks[INVARIANT_COUNT];
};

/* STATUS_OK: it ran, look at violation_count. Anything else: the world could not be made. */
enum status campaign_run(const struct campaign_options *options, uint64_t seed,
                         struct campaign_result *result, struct error *error);

#endif
