/* predictor: learns what one device will measure, delay and energy, from what is asked of it.
 *
 * A small network over logarithms: inputs are logarithms of positive quantities, outputs the logarithms of T
 * and E. Both are brought to mean 0 and spread 1 by statistics that are taken once. Beside the hidden layers
 * runs a linear path from inputs to outputs: products and quotients of the inputs are straight lines in
 * logarithms, and only what is left has to be bent. It knows no equation of the system. */
#ifndef TIERBED_SCHEMES_CPDRL_PREDICTOR_H
#define TIERBED_SCHEMES_CPDRL_PREDICTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/mlp.h"
#include "common/learn/optimiser.h"

#define CPDRL_PREDICTOR_INPUTS_MAX 8
#define CPDRL_PREDICTOR_OUTPUTS 2 /* log T, log E */

/* y = (x - mean) / spread. */
struct cpdrl_scaling {
    double mean, spread;
};

struct cpdrl_predictor {
    uint32_t input_count;
    struct mlp bent, straight; /* the prediction is the sum of both */
    struct cpdrl_scaling input[CPDRL_PREDICTOR_INPUTS_MAX], output[CPDRL_PREDICTOR_OUTPUTS];
    struct mlp_trace bent_trace, straight_trace;
    struct optimiser optimiser;
    bool log_inputs, log_outputs;
    bool trains_straight;
    size_t bent_count, parameter_count;
    real *parameters, *gradients;   /* owned, [parameter_count]: bent, then straight */
    real *scaled, *delta, *d_input; /* owned, [batch_max][...] */
};

struct cpdrl_predictor_config {
    uint32_t input_count, hidden, batch_max;
    bool straight;    /* false: without the linear path (an ablation) */
    bool log_inputs;  /* false: inputs are given as logarithms all the same, but learned from as they are */
    bool log_outputs; /* false: y is T and E themselves */
};

/* Owned; close with cpdrl_predictor_close, also after a failure. */
enum status cpdrl_predictor_open(struct cpdrl_predictor *predictor,
                                 const struct cpdrl_predictor_config *config, struct random_stream *stream);
void cpdrl_predictor_close(struct cpdrl_predictor *predictor); /* safe on zeros */

/* Takes mean and spread of `rows` examples, x [rows][input_count], y [rows][2]. The spread is at least
 * `spread_min`, or this part of the mean where there are no logarithms. rows >= 1. */
void cpdrl_predictor_scale(struct cpdrl_predictor *predictor, const real *x, const real *y, uint32_t rows,
                           double spread_min);

/* Column `index` of the inputs as the network sees it: mean 0, spread 1. */
real cpdrl_predictor_scaled(const struct cpdrl_predictor *predictor, uint32_t index, real x);

/* One step of Adam on the mean squared error of the scaled outputs; returns that error. rows <= batch_max. */
double cpdrl_predictor_train(struct cpdrl_predictor *predictor, const real *x, const real *y, uint32_t rows,
                             double learning_rate);

/* x [rows][input_count] -> y [rows][2], of the caller. rows <= batch_max. */
void cpdrl_predictor_forward(struct cpdrl_predictor *predictor, const real *x, uint32_t rows, real *y);

/* After cpdrl_predictor_forward of the same rows: the gradient in y -> the gradient in x [rows][input_count].
 */
void cpdrl_predictor_backward(struct cpdrl_predictor *predictor, const real *dy, uint32_t rows, real *dx);

size_t cpdrl_predictor_saved_bytes(const struct cpdrl_predictor *predictor);
void cpdrl_predictor_save(const struct cpdrl_predictor *predictor, struct bytes_writer *writer);
enum status cpdrl_predictor_load(struct cpdrl_predictor *predictor, struct bytes_reader *reader);

#endif
