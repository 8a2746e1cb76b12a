/* experiment_claims: does what a sweep claims hold? Decided from the values of the runs alone.
 *
 * A claim is a set of checks, one for each point of the x axis and pair of arms it is about. Each check is a
 * quantity over seeds, computed from runs that are paired by seed (both arms of a difference, both points of
 * a step saw the same seed), with its 95 % bootstrap interval (common/learn/statistics.h), and a range in
 * which it must lie:
 *
 *   the whole interval lies inside the range    the check holds
 *   the whole interval lies outside             it fails
 *   otherwise                                   it is not decidable with these seeds
 *
 * A bound "above 0" is strict: an interval that touches 0 from above only (values that are equal) is not
 * inside. All other bounds belong to the range, with a slack of 1e-9 of their size. Seeds for which a value
 * is missing are left out of the pair; fewer than CLAIM_SEEDS_MIN are never decidable unless the claim is
 * `exact`.
 *
 * The claim fails when one check fails, holds when all hold, and is not decidable otherwise. No correction is
 * made for the number of checks. */
#ifndef TIERBED_CLI_EXPERIMENT_CLAIMS_H
#define TIERBED_CLI_EXPERIMENT_CLAIMS_H

#include "cli/experiment_measure.h"
#include "common/learn/statistics.h"

#define CLAIM_SEEDS_MIN 3u

enum verdict { VERDICT_HOLDS = 0, VERDICT_FAILS, VERDICT_UNDECIDED, VERDICT_UNTESTED };

struct claim_check {
    char what[256];                      /* "delay at 5: greedy below local, local - greedy" */
    struct statistics_interval interval; /* of the quantity; NAN when it cannot be computed */
    double low, high;                    /* the range; infinities for none */
    bool strict;                         /* low itself is outside */
    enum verdict verdict;
    const char *why; /* not decidable for another reason than its interval; NULL otherwise */
};

struct claim_verdict {
    const struct sweep_claim *claim;
    enum verdict verdict;
    struct claim_check *checks;
    uint32_t check_count;
};

/* Judges `claim`; in `arena`. UNTESTED when the quick section leaves too few points. */
struct claim_verdict claim_judge(const struct sweep_claim *claim, const struct outcome *outcome,
                                 struct arena *arena);

/* "holds", "does not hold", "not decidable", "not tested". */
const char *verdict_name(enum verdict verdict);

/* The check that decided: the first that fails, else the first undecided, else the tightest one. NULL: none.
 */
const struct claim_check *claim_decider(const struct claim_verdict *verdict);

/* "0.12 [0.08, 0.17] must be above 0", into `text`. */
void claim_check_text(const struct claim_check *check, char *text, size_t size);

#endif
