/* inference: work of DyNN's dynamic network (mixture of experts with adjustable width and depth) and its
 * time.
 *
 * MAC = multiply-accumulate. Counts are doubles holding whole numbers: exact up to 2^53. */
#ifndef TIERBED_MODEL_INFERENCE_H
#define TIERBED_MODEL_INFERENCE_H

#include <stdint.h>

struct inference_shape {
    double inputs;         /* d_in, features of one user */
    double hidden;         /* H, width of an expert's layers */
    double mac_factor;     /* zeta, operations per weight */
    double bias_factor;    /* iota of Eq. (8) per layer; 0 in the paper's Table I */
    double cycles_per_mac; /* lambda */
};

/* DyNN Eq. (8): MACs of one dense layer, zeta Din Dout + iota. */
double inference_layer_macs(const struct inference_shape *shape, double inputs, double outputs);

/* DyNN Eq. (30)-(33) with the layout of Table I: N k (sum of the first l layers of an expert + H), the last
 * term for weighting its output by the gate. user_count = N, active experts k >= 1, layers l >= 1. */
double inference_moe_macs(const struct inference_shape *shape, double user_count, uint32_t experts,
                          uint32_t layers);

/* Weights and biases of K experts with L layers: K (d_in H + H + (L-1)(H^2 + H)). */
double inference_moe_parameters(const struct inference_shape *shape, uint32_t experts, uint32_t layers);

/* DyNN Eq. (9), (10), (34), (35): lambda (sum of MACs) / f in s; clock_hz > 0. */
double inference_delay_s(const struct inference_shape *shape, double macs, double clock_hz);

#endif
