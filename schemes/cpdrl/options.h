/* options: what a scenario may set of CPDRL: who decides (arm), the profile, the hyper-parameters of
 * Table I, and what is taken away from cpdrl+. */
#ifndef TIERBED_SCHEMES_CPDRL_OPTIONS_H
#define TIERBED_SCHEMES_CPDRL_OPTIONS_H

#include <stdint.h>

#include "common/model/scenario_schema.h"
#include "schemes/cpdrl/plus.h"

enum cpdrl_arm {
    CPDRL_ARM_CPDRL = 0,       /* straight-through decision, masks, bonus and penalty */
    CPDRL_ARM_DDPG,            /* soft decision, nothing of these */
    CPDRL_ARM_STE_DDPG,        /* straight-through decision only */
    CPDRL_ARM_ASTE_DDPG,       /* straight-through decision and masks */
    CPDRL_ARM_PLUS,            /* factorised critic, see plus.h */
    CPDRL_ARM_TEM,             /* the exact optimum, by enumeration */
    CPDRL_ARM_LOCAL_OPTIMUM,   /* all local, with the best clock */
    CPDRL_ARM_OFFLOAD_OPTIMUM, /* all offload, with the best band and power */
    CPDRL_ARM_ROM,             /* random everything */
    CPDRL_ARM_FOM,             /* all offload, random band and power */
    CPDRL_ARM_LEM,             /* all local, random clock */
    CPDRL_ARM_SEARCH           /* the best of as many random decisions as there are training slots */
};

#define CPDRL_BAND_LEAST 1e-3 /* of B, for a device that offloads: section 4.2 of the specification */

enum cpdrl_reading { CPDRL_READING_CALIBRATED = 0, CPDRL_READING_PAPER };

struct cpdrl_options {
    enum cpdrl_arm arm;
    enum cpdrl_reading profile;   /* of reward Eq. (17) */
    enum cpdrl_ablation ablation; /* of arm `plus` */
    double actor_rate, critic_rate;
    double discount;    /* gamma */
    double soft_update; /* eta of Eq. (13), (14) */
    double noise;       /* standard deviation on the raw outputs in [-1, 1] */
    double noise_end;   /* falls to this over the training slots */
    uint32_t batch, replay;
    uint32_t episode_slots; /* T of Algorithm 1: the state starts at 0 every so many slots */
    double steepness;       /* beta of Eq. (15) */
    double penalty;         /* lambda_c of Eq. (18) */
    double output_range;    /* first weights of the last layers */
};

extern const struct schema cpdrl_options_schema;

#endif
