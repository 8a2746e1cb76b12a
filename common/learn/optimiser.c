/* optimiser: SGD, RMSprop and Adam element by element; the constants of a step are computed in double. */
#include "common/learn/optimiser.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifndef LEARN_DOUBLE
#include "common/learn/vector_math.h"
#endif

struct optimiser_config optimiser_adam(double learning_rate) {
    return (struct optimiser_config){.kind = OPTIMISER_ADAM,
                                     .learning_rate = learning_rate,
                                     .beta1 = 0.9,
                                     .beta2 = 0.999,
                                     .epsilon = 1e-8};
}

static bool needs_first(const struct optimiser_config *config) {
    return config->kind == OPTIMISER_ADAM || config->momentum > 0;
}

static bool needs_second(const struct optimiser_config *config) {
    return config->kind != OPTIMISER_SGD;
}

enum status optimiser_init(struct optimiser *optimiser, const struct optimiser_config *config, size_t count) {
    *optimiser = (struct optimiser){.config = *config, .count = count};
    size_t room = count > 0 ? count : 1;
    if (needs_first(config))
        optimiser->first = calloc(room, sizeof *optimiser->first);
    if (needs_second(config))
        optimiser->second = calloc(room, sizeof *optimiser->second);
    if ((needs_first(config) && optimiser->first == NULL) ||
        (needs_second(config) && optimiser->second == NULL)) {
        optimiser_close(optimiser);
        return STATUS_MEMORY;
    }
    return STATUS_OK;
}

void optimiser_close(struct optimiser *optimiser) {
    free(optimiser->first);
    free(optimiser->second);
    *optimiser = (struct optimiser){0};
}

/* p -= rate m, m = momentum m + g (the first m is g itself). */
static void step_sgd(struct optimiser *optimiser, real *restrict parameters, const real *restrict gradients,
                     real decay, real keep) {
    const struct optimiser_config *config = &optimiser->config;
    real rate = (real)config->learning_rate, momentum = (real)config->momentum;
    real *restrict velocity = optimiser->first;
    for (size_t i = 0; i < optimiser->count; i++) {
        real direction = gradients[i] + decay * parameters[i];
        if (velocity != NULL)
            direction = velocity[i] = momentum * velocity[i] + direction;
        parameters[i] = keep * parameters[i] - rate * direction;
    }
}

/* v = alpha v + (1 - alpha) g^2, p -= rate g / (sqrt(v) + epsilon) (Tieleman and Hinton 2012); with momentum
 * the quotient is accumulated as in SGD. */
static void step_rmsprop(struct optimiser *optimiser, real *restrict parameters,
                         const real *restrict gradients, real decay, real keep) {
    const struct optimiser_config *config = &optimiser->config;
    real rate = (real)config->learning_rate, momentum = (real)config->momentum,
         epsilon = (real)config->epsilon;
    real alpha = (real)config->beta2, rest = (real)(1 - config->beta2);
    real *restrict velocity = optimiser->first, *restrict second = optimiser->second;
    for (size_t i = 0; i < optimiser->count; i++) {
        real gradient = gradients[i] + decay * parameters[i];
        second[i] = alpha * second[i] + rest * gradient * gradient;
        real direction = gradient / (real_sqrt(second[i]) + epsilon);
        if (velocity != NULL)
            direction = velocity[i] = momentum * velocity[i] + direction;
        parameters[i] = keep * parameters[i] - rate * direction;
    }
}

/* What one step of Adam multiplies with. */
struct adam {
    real rate, root, epsilon, beta1, rest1, beta2, rest2, decay, keep;
};

static inline void adam_one(const struct adam *adam, real *parameter, real gradient, real *first,
                            real *second) {
    gradient += adam->decay * *parameter;
    *first = adam->beta1 * *first + adam->rest1 * gradient;
    *second = adam->beta2 * *second + adam->rest2 * gradient * gradient;
    *parameter =
        adam->keep * *parameter - adam->rate * *first / (real_sqrt(*second) * adam->root + adam->epsilon);
}

#ifdef LEARN_DOUBLE
static size_t adam_vectors(const struct optimiser *optimiser, const struct adam *adam, real *parameters,
                           const real *gradients) {
    (void)optimiser, (void)adam, (void)parameters, (void)gradients;
    return 0;
}
#else
/* As adam_one for whole vectors; returns how many elements that were. */
static size_t adam_vectors(const struct optimiser *optimiser, const struct adam *adam, real *parameters,
                           const real *gradients) {
    const vector rate = vector_all(adam->rate), root = vector_all(adam->root),
                 epsilon = vector_all(adam->epsilon);
    const vector beta1 = vector_all(adam->beta1), rest1 = vector_all(adam->rest1),
                 beta2 = vector_all(adam->beta2);
    const vector rest2 = vector_all(adam->rest2), decay = vector_all(adam->decay),
                 keep = vector_all(adam->keep);
    size_t i = 0;
    for (; i + VECTOR_WIDTH <= optimiser->count; i += VECTOR_WIDTH) {
        vector parameter = vector_load(parameters + i);
        vector gradient = vector_fma(decay, parameter, vector_load(gradients + i));
        vector first = vector_fma(beta1, vector_load(optimiser->first + i), rest1 * gradient);
        vector second = vector_fma(beta2, vector_load(optimiser->second + i), rest2 * gradient * gradient);
        vector divisor = vector_fma(vector_root(second), root, epsilon);
        vector_store(optimiser->first + i, first);
        vector_store(optimiser->second + i, second);
        vector_store(parameters + i, keep * parameter - rate * first / divisor);
    }
    return i;
}
#endif

/* Kingma and Ba 2015, algorithm 1; decoupled decay after Loshchilov and Hutter 2019. */
static void step_adam(struct optimiser *optimiser, real *parameters, const real *gradients, real decay,
                      real keep) {
    const struct optimiser_config *config = &optimiser->config;
    double t = (double)optimiser->step;
    struct adam adam = {.rate = (real)(config->learning_rate / (1 - pow(config->beta1, t))),
                        .root = (real)(1 / sqrt(1 - pow(config->beta2, t))),
                        .epsilon = (real)config->epsilon,
                        .beta1 = (real)config->beta1,
                        .rest1 = (real)(1 - config->beta1),
                        .beta2 = (real)config->beta2,
                        .rest2 = (real)(1 - config->beta2),
                        .decay = decay,
                        .keep = keep};
    for (size_t i = adam_vectors(optimiser, &adam, parameters, gradients); i < optimiser->count; i++)
        adam_one(&adam, &parameters[i], gradients[i], &optimiser->first[i], &optimiser->second[i]);
}

void optimiser_step(struct optimiser *optimiser, real *parameters, const real *gradients) {
    const struct optimiser_config *config = &optimiser->config;
    real decay = config->decoupled ? 0 : (real)config->weight_decay;
    real keep = config->decoupled ? (real)(1 - config->learning_rate * config->weight_decay) : 1;
    optimiser->step++;
    switch (config->kind) {
    case OPTIMISER_SGD:
        step_sgd(optimiser, parameters, gradients, decay, keep);
        return;
    case OPTIMISER_RMSPROP:
        step_rmsprop(optimiser, parameters, gradients, decay, keep);
        return;
    case OPTIMISER_ADAM:
        step_adam(optimiser, parameters, gradients, decay, keep);
        return;
    }
    assert(0 && "no such optimiser");
}

size_t optimiser_saved_bytes(const struct optimiser *optimiser) {
    return sizeof(uint64_t) + reals_saved_bytes(optimiser->first != NULL ? optimiser->count : 0) +
           reals_saved_bytes(optimiser->second != NULL ? optimiser->count : 0);
}

void optimiser_save(const struct optimiser *optimiser, struct bytes_writer *writer) {
    bytes_put_u64(writer, optimiser->step);
    reals_save(writer, optimiser->first, optimiser->first != NULL ? optimiser->count : 0);
    reals_save(writer, optimiser->second, optimiser->second != NULL ? optimiser->count : 0);
}

enum status optimiser_load(struct optimiser *optimiser, struct bytes_reader *reader) {
    uint64_t step = bytes_get_u64(reader);
    TRY(reals_load(reader, optimiser->first, optimiser->first != NULL ? optimiser->count : 0));
    TRY(reals_load(reader, optimiser->second, optimiser->second != NULL ? optimiser->count : 0));
    optimiser->step = step;
    return STATUS_OK;
}

/* In sixteen sums side by side, so that they can be computed at once, in a fixed order. */
static double sum_of_squares(const real *values, size_t count) {
    enum { LANES = 16 };
    double sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    for (size_t lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sum;
}

double gradient_clip(real *gradients, size_t count, double norm_max) {
    double norm = sqrt(sum_of_squares(gradients, count)), factor = norm_max / (norm + 1e-6);
    for (size_t i = 0; factor < 1 && i < count; i++)
        gradients[i] *= (real)factor;
    return norm;
}

void soft_update(real *restrict target, const real *restrict online, size_t count, double tau) {
    real part = (real)tau, rest = (real)(1 - tau);
    for (size_t i = 0; i < count; i++)
        target[i] = part * online[i] + rest * target[i];
}

size_t reals_saved_bytes(size_t count) {
    return sizeof(uint64_t) + count * sizeof(double);
}

void reals_save(struct bytes_writer *writer, const real *values, size_t count) {
    bytes_put_u64(writer, count);
    for (size_t i = 0; i < count; i++)
        bytes_put_f64(writer, (double)values[i]);
}

enum status reals_load(struct bytes_reader *reader, real *values, size_t count) {
    if (bytes_get_u64(reader) != count || reader->failed || bytes_left(reader) / sizeof(double) < count)
        return STATUS_INVALID;
    for (size_t i = 0; i < count; i++)
        values[i] = (real)bytes_get_f64(reader);
    return STATUS_OK;
}
