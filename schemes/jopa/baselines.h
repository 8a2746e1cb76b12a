/* baselines: decisions about a slot of JOPA that nobody learns. Functions of what passes jopa_slot_check;
 * gateways that offload share the edge server equally (Eq. 17c, 17d).
 *
 * AGDM knows a criticality of each sensor that was drawn once, runs one model (pruning 0.7) and is judged by
 * the true levels: `static_slot` is the true slot (gateways, tasks, channels) with the levels drawn once. The
 * paper leaves its rule open, so both readings of the specification stand here. */
#ifndef TIERBED_SCHEMES_JOPA_BASELINES_H
#define TIERBED_SCHEMES_JOPA_BASELINES_H

#include <stdint.h>

#include "schemes/jopa/slot.h"

/* Every task stays, or every task leaves; all gateways run `model`, an index into the models. */
struct jopa_decision jopa_all_local(const struct jopa_slot *slot, uint32_t model);
struct jopa_decision jopa_all_offload(const struct jopa_slot *slot, uint32_t model);

/* From the most critical level down, as many tasks leave as are all served behind those that left before, if
 * each gateway had 1/G of the server; the rest stays, with the model of the best reward (lowest among
 * equals).
 */
struct jopa_decision jopa_greedy(const struct jopa_parameters *parameters, const struct jopa_slot *slot);

/* A fair coin for each task, any model with equal chance. */
struct jopa_decision jopa_random(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                 struct random_stream *stream);

/* Least mean delay, with 1/G of the server for each gateway, among all offloading vectors that keep a task
 * local only where `model` is accurate enough for its static level. The mean depends only on how many stay:
 * the most tolerant do, the fewest among equals. */
struct jopa_decision jopa_agdm_delay(const struct jopa_parameters *parameters,
                                     const struct jopa_slot *static_slot, uint32_t model);

/* Keeps tasks whose static level tolerates `model`, most tolerant first, while the batch meets the static
 * deadline of each; the others leave. */
struct jopa_decision jopa_agdm_local_first(const struct jopa_parameters *parameters,
                                           const struct jopa_slot *static_slot, uint32_t model);

#endif
