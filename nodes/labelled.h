/* labelled: windows whose condition is known, as from inspections: what an edge server learns from, and what
 * models are judged by. Pure functions of the scenario: whoever asks gets the same ones.
 *
 * They come from the machines of the run, at times that do not occur in it. An edge server learns from the
 * machines below it, LABELLED_PER_ROUND more windows a round; models are judged by LABELLED_JUDGED windows of
 * all machines, the same ones throughout, so that their accuracies compare. */
#ifndef TIERBED_NODES_LABELLED_H
#define TIERBED_NODES_LABELLED_H

#include "common/data/diagnosis_model.h"
#include "common/ledger/hash.h"
#include "nodes/node.h"

#define LABELLED_PER_ROUND 40u
#define LABELLED_JUDGED 120u

struct labelled {
    struct diagnosis_label *labels; /* owned */
    uint32_t count;
};

/* Measures as many more windows as it takes to hold `count`; those there are stay. `edge` TOPOLOGY_NONE: the
 * windows that judge; otherwise those this edge server learns from. Needs env->bearings. STATUS_INVALID: no
 * machines, or windows that cannot be diagnosed. */
enum status labelled_extend(struct labelled *labelled, const struct node_env *env, uint32_t edge,
                            uint32_t count);
void labelled_close(struct labelled *labelled);

/* What a transaction says its metrics were measured on: the windows that judge, of this scenario. */
struct hash labelled_judged_hash(const struct scenario *scenario);

/* Does anybody in a process with this node need windows: a device of the factory, or one that measures
 * models? */
bool labelled_wanted(const struct scenario *scenario, const struct topology *topology, uint32_t node);
/* Do edge servers of this run offer models? */
bool labelled_models_offered(const struct scenario *scenario, const struct topology *topology);

#endif
