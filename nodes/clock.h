/* clock: how wrong the clock of a node is by the fault schedule.
 *
 * Nodes live in virtual time. A clock of its own has only who tells others what time it is, as a validator
 * does in the header of a block; faults of kind `clock` set that clock wrong and leave everything else
 * alone. It is a function of schedule and time, with nothing to remember: the same wherever the node is
 * hosted, and in a run that begins in the middle of its timeline. */
#ifndef TIERBED_NODES_CLOCK_H
#define TIERBED_NODES_CLOCK_H

#include <stdint.h>

#include "common/model/topology.h"

#define CLOCK_WRONG_MAX_NS INT64_C(1000000000000000000) /* 32 years: sums stay inside int64_t */

/* How far the clock of `node` is ahead at `now_ns` (negative: behind), within +-CLOCK_WRONG_MAX_NS. Faults
 * that overlap add up. */
int64_t clock_offset_ns(const struct scenario *scenario, const struct topology *topology, uint32_t node,
                        int64_t now_ns);

#endif
