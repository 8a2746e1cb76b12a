#include "schemes/cpdrl/predictor.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

static real *reals(size_t count) {
    real *values = memory_grow(NULL, count, sizeof *values, "a predictor");
    memset(values, 0, count * sizeof *values);
    return values;
}

enum status cpdrl_predictor_open(struct cpdrl_predictor *predictor,
                                 const struct cpdrl_predictor_config *config, struct random_stream *stream) {
    assert(config->input_count >= 1 && config->input_count <= CPDRL_PREDICTOR_INPUTS_MAX);
    *predictor = (struct cpdrl_predictor){.input_count = config->input_count,
                                          .log_inputs = config->log_inputs,
                                          .log_outputs = config->log_outputs};
    const uint32_t bent[] = {config->input_count, config->hidden, config->hidden, CPDRL_PREDICTOR_OUTPUTS};
    const uint32_t straight[] = {config->input_count, CPDRL_PREDICTOR_OUTPUTS};
    predictor->bent = mlp_of(bent, 3, ACTIVATION_TANH, ACTIVATION_NONE);
    predictor->straight = mlp_of(straight, 1, ACTIVATION_NONE, ACTIVATION_NONE);
    predictor->bent_count = mlp_parameter_count(&predictor->bent);
    predictor->parameter_count = predictor->bent_count + mlp_parameter_count(&predictor->straight);
    predictor->parameters = reals(predictor->parameter_count);
    predictor->gradients = reals(predictor->parameter_count);
    predictor->scaled = reals((size_t)config->batch_max * config->input_count);
    predictor->d_input = reals((size_t)config->batch_max * config->input_count);
    predictor->delta = reals((size_t)config->batch_max * CPDRL_PREDICTOR_OUTPUTS);
    for (uint32_t i = 0; i < CPDRL_PREDICTOR_INPUTS_MAX; i++)
        predictor->input[i].spread = 1.0;
    for (uint32_t i = 0; i < CPDRL_PREDICTOR_OUTPUTS; i++)
        predictor->output[i].spread = 1.0;
    const struct initialiser hidden = {INITIALISER_XAVIER, 1.0}, last = {INITIALISER_XAVIER, 0.1};
    mlp_initialise(&predictor->bent, &hidden, &last, stream, predictor->parameters);
    /* The straight path starts at 0. */
    predictor->trains_straight = config->straight;
    TRY(mlp_trace_open(&predictor->bent_trace, &predictor->bent, config->batch_max));
    TRY(mlp_trace_open(&predictor->straight_trace, &predictor->straight, config->batch_max));
    struct optimiser_config adam = optimiser_adam(1e-3);
    return optimiser_init(&predictor->optimiser, &adam, predictor->parameter_count);
}

void cpdrl_predictor_close(struct cpdrl_predictor *predictor) {
    mlp_trace_close(&predictor->bent_trace);
    mlp_trace_close(&predictor->straight_trace);
    optimiser_close(&predictor->optimiser);
    free(predictor->parameters);
    free(predictor->gradients);
    free(predictor->scaled);
    free(predictor->d_input);
    free(predictor->delta);
    *predictor = (struct cpdrl_predictor){0};
}

/* What a network sees of an input, before it is scaled. */
static double seen(const struct cpdrl_predictor *predictor, real x) {
    return predictor->log_inputs ? (double)x : exp((double)x);
}

static struct cpdrl_scaling scaling_of(const real *values, uint32_t rows, uint32_t stride,
                                       bool exponentials) {
    double sum = 0.0, squares = 0.0;
    for (uint32_t row = 0; row < rows; row++) {
        double value = (double)values[(size_t)row * stride];
        sum += exponentials ? exp(value) : value;
    }
    double mean = sum / rows;
    for (uint32_t row = 0; row < rows; row++) {
        double value = (double)values[(size_t)row * stride];
        squares += pow((exponentials ? exp(value) : value) - mean, 2.0);
    }
    return (struct cpdrl_scaling){.mean = mean, .spread = sqrt(squares / rows)};
}

static void widen(struct cpdrl_scaling *scaling, double spread_min, bool logarithms) {
    scaling->spread = fmax(scaling->spread, logarithms ? spread_min : spread_min * fabs(scaling->mean));
}

void cpdrl_predictor_scale(struct cpdrl_predictor *predictor, const real *x, const real *y, uint32_t rows,
                           double spread_min) {
    assert(rows >= 1 && spread_min > 0.0);
    for (uint32_t i = 0; i < predictor->input_count; i++) {
        predictor->input[i] = scaling_of(x + i, rows, predictor->input_count, !predictor->log_inputs);
        widen(&predictor->input[i], spread_min, predictor->log_inputs);
    }
    for (uint32_t i = 0; i < CPDRL_PREDICTOR_OUTPUTS; i++) {
        predictor->output[i] = scaling_of(y + i, rows, CPDRL_PREDICTOR_OUTPUTS, false);
        widen(&predictor->output[i], spread_min, predictor->log_outputs);
    }
}

real cpdrl_predictor_scaled(const struct cpdrl_predictor *predictor, uint32_t index, real x) {
    const struct cpdrl_scaling *scaling = &predictor->input[index];
    return (real)((seen(predictor, x) - scaling->mean) / scaling->spread);
}

/* Scaled outputs into delta. */
static void forward_scaled(struct cpdrl_predictor *predictor, const real *x, uint32_t rows) {
    uint32_t count = predictor->input_count;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t i = 0; i < count; i++)
            predictor->scaled[row * count + i] = cpdrl_predictor_scaled(predictor, i, x[row * count + i]);
    const real *bent =
        mlp_forward(&predictor->bent, predictor->parameters, predictor->scaled, rows, &predictor->bent_trace);
    const real *straight = mlp_forward(&predictor->straight, predictor->parameters + predictor->bent_count,
                                       predictor->scaled, rows, &predictor->straight_trace);
    for (uint32_t i = 0; i < rows * CPDRL_PREDICTOR_OUTPUTS; i++)
        predictor->delta[i] = bent[i] + straight[i];
}

double cpdrl_predictor_train(struct cpdrl_predictor *predictor, const real *x, const real *y, uint32_t rows,
                             double learning_rate) {
    if (rows == 0)
        return 0.0;
    forward_scaled(predictor, x, rows);
    double loss = 0.0;
    double weight = 2.0 / (rows * CPDRL_PREDICTOR_OUTPUTS);
    for (uint32_t i = 0; i < rows * CPDRL_PREDICTOR_OUTPUTS; i++) {
        const struct cpdrl_scaling *scaling = &predictor->output[i % CPDRL_PREDICTOR_OUTPUTS];
        double error = (double)predictor->delta[i] - ((double)y[i] - scaling->mean) / scaling->spread;
        predictor->delta[i] = (real)(weight * error);
        loss += error * error;
    }
    mlp_backward(&predictor->bent, predictor->parameters, predictor->scaled, predictor->delta, rows,
                 &predictor->bent_trace, predictor->gradients, NULL);
    mlp_backward(&predictor->straight, predictor->parameters + predictor->bent_count, predictor->scaled,
                 predictor->delta, rows, &predictor->straight_trace,
                 predictor->gradients + predictor->bent_count, NULL);
    if (!predictor->trains_straight)
        memset(predictor->gradients + predictor->bent_count, 0,
               (predictor->parameter_count - predictor->bent_count) * sizeof(real));
    predictor->optimiser.config.learning_rate = learning_rate;
    optimiser_step(&predictor->optimiser, predictor->parameters, predictor->gradients);
    return loss / (rows * CPDRL_PREDICTOR_OUTPUTS);
}

void cpdrl_predictor_forward(struct cpdrl_predictor *predictor, const real *x, uint32_t rows, real *y) {
    forward_scaled(predictor, x, rows);
    for (uint32_t i = 0; i < rows * CPDRL_PREDICTOR_OUTPUTS; i++) {
        const struct cpdrl_scaling *scaling = &predictor->output[i % CPDRL_PREDICTOR_OUTPUTS];
        y[i] = (real)(scaling->mean + scaling->spread * (double)predictor->delta[i]);
    }
}

void cpdrl_predictor_backward(struct cpdrl_predictor *predictor, const real *dy, uint32_t rows, real *dx) {
    uint32_t count = predictor->input_count;
    for (uint32_t i = 0; i < rows * CPDRL_PREDICTOR_OUTPUTS; i++)
        predictor->delta[i] = (real)((double)dy[i] * predictor->output[i % CPDRL_PREDICTOR_OUTPUTS].spread);
    mlp_backward(&predictor->bent, predictor->parameters, predictor->scaled, predictor->delta, rows,
                 &predictor->bent_trace, NULL, dx);
    mlp_backward(&predictor->straight, predictor->parameters + predictor->bent_count, predictor->scaled,
                 predictor->delta, rows, &predictor->straight_trace, NULL, predictor->d_input);
    for (uint32_t i = 0; i < rows * count; i++) {
        const struct cpdrl_scaling *scaling = &predictor->input[i % count];
        dx[i] = (real)(((double)dx[i] + (double)predictor->d_input[i]) / scaling->spread);
        if (!predictor->log_inputs) /* d exp(x) = exp(x) dx */
            dx[i] *= (real)(scaling->mean + scaling->spread * (double)predictor->scaled[i]);
    }
}

/* ---- checkpoint ---- */

#define SCALINGS (CPDRL_PREDICTOR_INPUTS_MAX + CPDRL_PREDICTOR_OUTPUTS)

size_t cpdrl_predictor_saved_bytes(const struct cpdrl_predictor *predictor) {
    return 2 * sizeof(double) * SCALINGS + reals_saved_bytes(predictor->parameter_count) +
           optimiser_saved_bytes(&predictor->optimiser);
}

void cpdrl_predictor_save(const struct cpdrl_predictor *predictor, struct bytes_writer *writer) {
    for (uint32_t i = 0; i < SCALINGS; i++) {
        const struct cpdrl_scaling *scaling = i < CPDRL_PREDICTOR_INPUTS_MAX
                                                  ? &predictor->input[i]
                                                  : &predictor->output[i - CPDRL_PREDICTOR_INPUTS_MAX];
        bytes_put_f64(writer, scaling->mean);
        bytes_put_f64(writer, scaling->spread);
    }
    reals_save(writer, predictor->parameters, predictor->parameter_count);
    optimiser_save(&predictor->optimiser, writer);
}

enum status cpdrl_predictor_load(struct cpdrl_predictor *predictor, struct bytes_reader *reader) {
    for (uint32_t i = 0; i < SCALINGS; i++) {
        struct cpdrl_scaling *scaling = i < CPDRL_PREDICTOR_INPUTS_MAX
                                            ? &predictor->input[i]
                                            : &predictor->output[i - CPDRL_PREDICTOR_INPUTS_MAX];
        scaling->mean = bytes_get_f64(reader);
        scaling->spread = bytes_get_f64(reader);
        if (!(scaling->spread > 0.0) || !isfinite(scaling->spread) || !isfinite(scaling->mean))
            return STATUS_INVALID;
    }
    TRY(reals_load(reader, predictor->parameters, predictor->parameter_count));
    return optimiser_load(&predictor->optimiser, reader);
}
