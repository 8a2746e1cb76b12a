/* summary: what a campaign found: failing seeds with the command that replays each, runs by kind, how often
 * each invariant was looked at. */
#ifndef TIERBED_CAMPAIGN_SUMMARY_H
#define TIERBED_CAMPAIGN_SUMMARY_H

#include <stdio.h>

#include "campaign/run.h"

#define SUMMARY_FAILURES_MAX 64u /* that are kept and printed */
#define SUMMARY_KINDS_MAX 64u

struct summary_kind {
    const struct kind *kind;
    uint64_t runs, failed, forks, heights;
};

struct summary {
    uint32_t validators;
    bool forced_kind; /* the command that replays has to name it */
    uint64_t first, last;
    FILE *progress; /* NULL: none */
    bool terminal;  /* progress overwrites its line */
    uint64_t runs, failed, heights, events, restarts, proofs, evidence;
    uint64_t checks[INVARIANT_COUNT];
    struct summary_kind kinds[SUMMARY_KINDS_MAX];
    uint32_t kind_count;
    struct campaign_result failures[SUMMARY_FAILURES_MAX];
    uint64_t memory_max, peer_memory_max;
    double begin_s, shown_s; /* wall clock, monotonic */
};

void summary_init(struct summary *summary, const struct campaign_options *options, uint64_t first,
                  uint64_t last, FILE *progress);
/* For pool_config.on_result; context is the struct summary. */
void summary_add(void *summary, const struct campaign_result *result);

/* Kinds that must fork and never did: the campaign has failed even if no seed did. */
bool summary_missed_fork(const struct summary *summary);
bool summary_failed(const struct summary *summary);
void summary_print(const struct summary *summary, FILE *file);
/* One JSON object; owned by the caller (free). NULL: no memory. */
char *summary_json(const struct summary *summary);

/* One failing seed: what was violated and how to see it again. */
void summary_print_failure(const struct summary *summary, const struct campaign_result *result, FILE *file);

#endif
