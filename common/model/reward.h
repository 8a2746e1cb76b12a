/* reward: what an agent is paid for a slot, from measured delays and energies. Pure formulas; no learning. */
#ifndef TIERBED_MODEL_REWARD_H
#define TIERBED_MODEL_REWARD_H

#include <stddef.h>
#include <stdint.h>

#include "common/model/cost.h"

/* What counts as a full mark of knowledge and a zero mark of delay and energy. All > 0. */
struct reward_references {
    double knowledge; /* L_ref */
    double delay_s;   /* T_ref */
    double energy_j;  /* E_ref */
};

/* IPOR Eq. (18), calibrated: 100 [mu_L min(1, L/L_ref) + mu_T max(0, 1 - T/T_ref) + mu_E max(0, 1 -
 * E/E_ref)]. */
double reward_knowledge(const struct cost_knowledge_weights *weights,
                        const struct reward_references *references, double knowledge, double delay_s,
                        double energy_j);

/* UCMS Eq. (25): P_n = rho1 min(phi - tau, 0) + rho2 min(b - b_min, 0), never above 0. */
struct reward_limits {
    double deadline_s;   /* phi_n */
    double charge_min_j; /* b_min */
};
double reward_penalty(double delay_weight, double delay_s, double energy_weight, double charge_j,
                      const struct reward_limits *limits);

/* UCMS Eq. (26), calibrated: r_n = -mean C + P_n. */
double reward_coselection(double cost_mean_value, double penalty);
/* UCMS Eq. (26) as printed: r_n = -(mean C + P_n), which rewards lateness. */
double reward_coselection_paper(double cost_mean_value, double penalty);

/* DyNN Eq. (23) for one user, calibrated: the cost saved times the probability of the action taken:
 * (C_loc - C_edge) p if offloaded, (C_edge - C_loc) (1 - p) otherwise. p = probability to offload. */
double reward_saving(uint8_t offloaded, double local_cost, double edge_cost, double offload_probability);
/* As printed: p in both branches, which gives the local branch the wrong sign of gradient. */
double reward_saving_paper(uint8_t offloaded, double local_cost, double edge_cost,
                           double offload_probability);

/* CPDRL: what the reward of one slot is made from; arrays of count, borrowed. */
struct reward_allocation {
    const double *delay_s;      /* T_n */
    const double *energy_j;     /* E_n */
    const double *bandwidth_hz; /* b_n as requested */
    size_t count;
    double deadline_s;         /* tau */
    double bandwidth_max_hz;   /* B > 0 */
    uint32_t consistent_count; /* users whose action obeys Eq. (11) */
};
/* CPDRL Eq. (17), calibrated: -sum T - sum E - sum max(0, T_n - tau) - max(0, sum b / B - 1) + #consistent.
 */
double reward_consistency(const struct reward_allocation *allocation);
/* As printed: -sum T - sum E - (sum T - tau) - (sum b - B) + #consistent, bandwidth in Hz. */
double reward_consistency_paper(const struct reward_allocation *allocation);

#endif
