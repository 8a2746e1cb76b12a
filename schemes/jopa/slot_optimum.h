/* slot_optimum: the best decision about one slot of JOPA, exactly, with the edge server divided in whole
 * steps of 1 / share_steps (the paper: 20).
 *
 * Gateways meet only in the division of the edge server, so a dynamic programme over gateways divides the
 * steps. Within a gateway, tasks of equal level are exchangeable, the fate of local ones follows from model
 * and size of the batch, and an offloaded one waits only for those at least as critical; so for each model
 * and number of offloaded tasks a second dynamic programme goes through the levels from the top. The whole
 * takes about gateways x steps x models x levels x tasks^2 x tasks of a level operations.
 *
 * A gateway that offloads has at least one step, one that does not has none (Eq. 17c); steps add up to
 * share_steps (17d) unless no gateway offloads. Of equal tasks those of lower index leave. Ties: the lower
 * number of steps, then the lower model, then fewer offloaded tasks. */
#ifndef TIERBED_SCHEMES_JOPA_SLOT_OPTIMUM_H
#define TIERBED_SCHEMES_JOPA_SLOT_OPTIMUM_H

#include <stdint.h>

#include "schemes/jopa/slot.h"

#define JOPA_SHARE_STEPS 20 /* of the paper */
#define JOPA_SHARE_STEPS_MAX 100

struct jopa_optimum {
    struct jopa_decision decision;
    struct jopa_outcome outcome;             /* of jopa_evaluate */
    double value;                            /* its reward as the programme summed it */
    uint32_t share_steps[JOPA_GATEWAYS_MAX]; /* c_g in steps */
};

/* Maximises the reward, Eq. (21). STATUS_INVALID as jopa_slot_check says, and for share_steps outside 1 ..
 * JOPA_SHARE_STEPS_MAX; `optimum` is then untouched. */
enum status jopa_slot_optimum(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                              uint32_t share_steps, struct jopa_optimum *optimum, struct error *error);

#endif
