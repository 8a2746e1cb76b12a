/* head: from the 4n outputs of the actor to the action that critic and environment get: Eq. (15), (16), (19).
 *
 * Outputs lie in [-1, 1] in four parts of n: decision a, band b, clock f, power p; u = (x + 1) / 2 for the
 * last three. The action has the same parts, all in [0, 1]. */
#ifndef TIERBED_SCHEMES_CPDRL_HEAD_H
#define TIERBED_SCHEMES_CPDRL_HEAD_H

#include <stdbool.h>

#include "common/learn/action_head.h"

struct cpdrl_head {
    uint32_t device_count; /* n */
    bool hard;             /* straight-through decision, Eq. (15); else the sigmoid itself */
    bool masked;           /* Eq. (16), calibrated: b = a u_b, f = (1 - a) u_f, p = a u_p */
    bool as_printed;       /* Eq. (16) with b_raw in all three lines */
    double steepness;      /* beta */
    double penalty;        /* lambda_c; 0: no auxiliary loss, Eq. (19) */
};

/* `config` is borrowed as the context of the head. */
struct action_head cpdrl_action_head(struct cpdrl_head *config);

/* The part of u that the requested band of device n is read from, masked or not as the head says. */
enum cpdrl_part { CPDRL_PART_DECISION = 0, CPDRL_PART_BAND, CPDRL_PART_CLOCK, CPDRL_PART_POWER, CPDRL_PARTS };

#endif
