/* learner: the arms of CPDRL that learn with DDPG: Algorithm 1, and what each arm leaves out.
 *
 * | arm       | decision         | masks Eq. (16) | bonus of Eq. (17) | penalty Eq. (18) |
 * | cpdrl     | straight-through | yes            | yes               | yes              |
 * | aste-ddpg | straight-through | yes            | no                | no               |
 * | ste-ddpg  | straight-through | no             | no                | no               |
 * | ddpg      | soft sigmoid     | no             | no                | no               | */
#ifndef TIERBED_SCHEMES_CPDRL_LEARNER_H
#define TIERBED_SCHEMES_CPDRL_LEARNER_H

#include "common/learn/ddpg.h"
#include "schemes/cpdrl/arm.h"
#include "schemes/cpdrl/head.h"

#define CPDRL_LEARNER_DEVICES_MAX 256

struct cpdrl_learner {
    const struct cpdrl_options *options; /* borrowed */
    const struct scheme_env *env;        /* borrowed, like it */
    struct cpdrl_head head;
    struct agent *agent;  /* of ddpg_class; owned */
    real *action;         /* of the running slot, [4n]; owned with the states */
    real *state, *next;   /* (T_1..T_n, E_1..E_n) of the last slot and of this one, [2n] */
    double *requested_hz; /* b before it is scaled to B, [n] */
    uint64_t step;        /* slots settled so far, over all runs */
    double critic_loss, actor_loss, reward, reward_plain;
    bool updated;
};

#endif
