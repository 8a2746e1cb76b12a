/* compute: how long processing takes on a device, a gateway and the edge server, and how the edge is shared.
 *
 * Units: bit, cycles per bit or FLOP per bit, Hz or FLOP/s, s. Pure arithmetic; preconditions are asserted.
 */
#ifndef TIERBED_MODEL_COMPUTE_H
#define TIERBED_MODEL_COMPUTE_H

#include <stddef.h>
#include <stdint.h>

#include "common/model/reading.h"

/* D C / f in s: IPOR Eq. (1), UCMS Eq. (3) and tau_p of Eq. (8), DyNN Eq. (2) and (4), CPDRL Eq. (1).
 * bits, cycles_per_bit >= 0. No work takes 0 s even at clock 0; otherwise a clock of 0 never ends (INFINITY).
 */
double compute_delay_s(double bits, double cycles_per_bit, double clock_hz);

/* CPDRL Eq. (7): T_e = D C m / F in s: the server's clock F is shared equally by all m offloaded tasks. F >
 * 0. */
double compute_shared_delay_s(double bits, double cycles_per_bit, uint32_t offloaded_count, double clock_hz);

/* One pruned task on the gateway: (1-p) H I / C_g in s. pruning in [0, 1], work = H I in FLOP, C_g > 0 in
 * FLOP/s. The term under the sums of JOPA Eq. (2) and (12). */
double compute_pruned_task_s(double work_flop, double pruning, double capacity_flops);

/* JOPA Eq. (2): L_g = (number of local tasks) (1-p) H I / C_g in s, the same for each task of the batch. */
double compute_batch_delay_s(size_t local_count, double work_flop, double pruning, double capacity_flops);

/* JOPA eps = F_e / (C_e Gamma): the share at which an edge task takes exactly one slot; calibrated. All > 0.
 */
double compute_edge_share_floor(double work_flop, double capacity_flops, double slot_s);

/* The paper's eps and the numerator of its Eq. (3), bits where FLOP are meant. */
#define COMPUTE_EDGE_SHARE_FLOOR_PAPER 5e-13
#define COMPUTE_TASK_BITS_PAPER 64000.0

/* JOPA Eq. (3) for an offloaded task: E = F_e / (C_e (c_g + eps)) in s, share c_g in [0, 1], eps > 0, C_e >
 * 0. Calibrated: work = F_e in FLOP (one forward pass). Paper: work = H, the number of bits. */
double compute_edge_delay_s(double work, double capacity_flops, double share, double share_floor);

/* JOPA Eq. (17c), (17d): shares of the edge server from the scores of an agent: softmax over the gateways
 * that offload; the others get 0. When none offloads all are 0 (the paper asks for a sum of 1, which
 * contradicts 17c). Arrays of gateway_count; `shares` may be `scores`. */
void compute_edge_shares(const double *scores, const uint8_t *offloads, size_t gateway_count, double *shares);

#endif
