/* cost: delay and energy of a decision, and their weighted sums: what the published schemes minimise. */
#ifndef TIERBED_MODEL_COST_H
#define TIERBED_MODEL_COST_H

#include <stddef.h>
#include <stdint.h>

/* (1 - x) a + x b for x in {0, 1}: UCMS Eq. (11), (12); CPDRL Eq. (8), (9); with o in place of 1 - x IPOR Eq.
 * (13)-(15). An untaken branch may be infinite. */
double cost_chosen(uint8_t offloaded, double local, double remote);

/* w_T T + w_E E: UCMS Eq. (14) C_n = rho1 tau + rho2 e; one term of CPDRL Eq. (10). */
double cost_weighted(double delay_weight, double delay_s, double energy_weight, double energy_j);

/* UCMS Eq. (9) outside the queue: tau_a = tau_p + max(tau_o, tau_q) in s; tau_q = time at which a processor
 * is free, 0 when nothing is known of it (selection, Eq. (18), (19)). */
double cost_edge_done_s(double process_s, double transfer_s, double available_s);

/* DyNN Eq. (19): w_i = gamma c' s' / d, c' = c/c_avg, s' = s/s_avg, d in ms (so that a mean task due in 80 ms
 * has w = 0.75 with gamma = 60). Averages and deadline > 0. */
struct cost_urgency {
    double gamma;
    double bits_average;           /* s_avg */
    double cycles_per_bit_average; /* c_avg */
};
double cost_urgency_weight(const struct cost_urgency *urgency, double bits, double cycles_per_bit,
                           double deadline_ms);

/* DyNN Eq. (24), (25): C = alpha w (T_infer + T) + beta E; T and E local or at the edge. */
struct cost_coefficients {
    double delay;  /* alpha, per s */
    double energy; /* beta, per J */
    double miss;   /* delta, per missed deadline */
};
double cost_urgent(const struct cost_coefficients *coefficients, double urgency, double delay_s,
                   double energy_j);

/* DyNN Eq. (11a): sum_i alpha T_i + beta E_i + delta 1(T_i > d_i); T_i includes the inference time of the
 * decision. Arrays of count; a delay equal to its deadline within THRESHOLD_TOLERANCE is no miss. */
struct cost_total {
    double objective;
    uint32_t miss_count;
};
struct cost_total cost_with_misses(const struct cost_coefficients *coefficients, const double *delay_s,
                                   const double *energy_j, const double *deadline_s, size_t count);

/* DyNN Eq. (29): sum_i (label_i - output_i)^2 over the entries of one policy output. */
double cost_squared_error(const double *label, const double *output, size_t count);

/* IPOR Eq. (16): T_cost = (sum_n T_n + T_blk) / N in s, count = N > 0. Calibrated runs pass chain_s = 0 in
 * slots in which nobody uploads. */
double cost_mean_delay_s(const double *delay_s, size_t count, double chain_s);

/* Mean of count > 0 values: E_cost and L_rep of IPOR Eq. (16). */
double cost_mean(const double *values, size_t count);

/* IPOR weights mu_L, mu_T, mu_E (they add up to 1). */
struct cost_knowledge_weights {
    double knowledge, delay, energy;
};
/* IPOR Eq. (16): Phi = mu_L L - mu_T T_cost - mu_E E_cost. */
double cost_knowledge_objective(const struct cost_knowledge_weights *weights, double knowledge,
                                double delay_s, double energy_j);

#endif
