/* slot: one slot of JOPA (gateways with their tasks and channels, one edge server), a decision about it, and
 * what the decision leads to in closed form.
 *
 * This is the yardstick: baselines, the exact optimum and tests use it. An agent does not; it learns from the
 * measured timeline. Units: bit, FLOP, FLOP/s, Hz, W, W/Hz, s; gains are linear. */
#ifndef TIERBED_SCHEMES_JOPA_SLOT_H
#define TIERBED_SCHEMES_JOPA_SLOT_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/model/gateway_slot.h"
#include "common/model/qos.h"
#include "common/model/reading.h"

#define JOPA_LEVELS 6         /* of criticality */
#define JOPA_CHANNEL_STATES 3 /* bad, normal, good */
#define JOPA_GATEWAYS_MAX 16
#define JOPA_TASKS_MAX 128 /* of one gateway */

enum jopa_profile {
    JOPA_CALIBRATED = 0,
    JOPA_CALIBRATED_LIGHT, /* a local task costs one forward pass, as one at the edge does */
    JOPA_STRESS,           /* calibrated, with noise of 1e-19 W/Hz: overloaded */
    JOPA_PAPER             /* as printed */
};

/* What all gateways share. */
struct jopa_parameters {
    double task_bits;                 /* H */
    double flop_per_bit;              /* I, at a gateway */
    double gateway_flops;             /* C_g */
    double edge_flops;                /* C_e */
    double edge_work;                 /* numerator of Eq. (3): F_e in FLOP; paper: H */
    double edge_share_floor;          /* eps */
    double bandwidth_hz;              /* W */
    double power_w;                   /* z_g */
    double noise_w_per_hz;            /* N0 */
    double gain[JOPA_CHANNEL_STATES]; /* psi of the states B, N, G */
    double rate_max_bps;              /* R_max */
    double mini_slot_s;               /* tau */
    double slot_s;                    /* Gamma */
    double penalty;                   /* J */
    struct qos_model models[QOS_MODELS];
    uint32_t model_count; /* V, 1 .. QOS_MODELS */
    enum reading reading; /* of waits, mini-slots per task and utilisation */
};

/* What one gateway faces. */
struct jopa_gateway {
    uint32_t task_count;           /* M_g, 1 .. JOPA_TASKS_MAX */
    uint32_t channel;              /* index into gain */
    uint8_t level[JOPA_TASKS_MAX]; /* of each task: criticality k = level / (JOPA_LEVELS - 1) */
};

struct jopa_slot {
    uint32_t gateway_count; /* G, 1 .. JOPA_GATEWAYS_MAX */
    struct jopa_gateway gateways[JOPA_GATEWAYS_MAX];
};

/* Eq. (19). */
struct jopa_decision {
    uint8_t offloaded[JOPA_GATEWAYS_MAX][JOPA_TASKS_MAX]; /* o_m */
    uint32_t model[JOPA_GATEWAYS_MAX];                    /* v_g, index into models */
    double share[JOPA_GATEWAYS_MAX];                      /* c_g in [0, 1] */
};

/* Sums over all gateways. */
struct jopa_outcome {
    double local_utilisation, radio_utilisation, edge_utilisation; /* Eq. (12), (13), (14) */
    double delay_sum_s;                                            /* Eq. (16), over all tasks */
    double reward;                                                 /* Eq. (21) */
    uint32_t task_count, offloaded_count, dropped_count;
};

/* Table I and section 3.1 of the specification; all six models. */
struct jopa_parameters jopa_parameters_of(enum jopa_profile profile);

/* As `parameters`, with one model only (JOPA-V1): the one of that pruning rate, which must exist. */
struct jopa_parameters jopa_parameters_one_model(const struct jopa_parameters *parameters, double pruning);

/* k of a level below JOPA_LEVELS. */
double jopa_criticality(uint32_t level);

/* N, the tasks of all gateways. */
uint32_t jopa_task_count(const struct jopa_slot *slot);

/* STATUS_INVALID when a parameter is not a finite number in its range, when a count, level, channel state or
 * model is out of bounds, or when a delay that follows is not finite. All functions below, and those of
 * slot_optimum.h and baselines.h, ask for what passes this check. */
enum status jopa_slot_check(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                            struct error *error);

/* Levels and channel states as they are drawn in section 3.1: levels uniform, states from the stationary
 * distribution of Eq. (28). task_count of each gateway. */
struct jopa_slot jopa_slot_draw(uint32_t gateway_count, uint32_t task_count, struct random_stream *stream);

/* Omega, delta tau and the work of gateway g, for gateway_slot_evaluate; the caller adds tasks, model and
 * share. */
struct gateway_slot jopa_gateway_terms(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                       uint32_t g);

/* Eq. (3) at share c_g in s. */
double jopa_edge_s(const struct jopa_parameters *parameters, double share);

/* Eq. (2) - (17), (21), (22) of any decision whose models exist and whose shares lie in [0, 1]; it does not
 * ask whether shares obey Eq. (17c) and (17d). */
struct jopa_outcome jopa_evaluate(const struct jopa_parameters *parameters, const struct jopa_slot *slot,
                                  const struct jopa_decision *decision);

#endif
