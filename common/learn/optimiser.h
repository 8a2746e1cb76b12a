/* optimiser: gradient steps on a flat block of parameters, and what belongs to them: clipping, soft updates.
 */
#ifndef TIERBED_LEARN_OPTIMISER_H
#define TIERBED_LEARN_OPTIMISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/learn/real.h"

enum optimiser_kind { OPTIMISER_SGD = 0, OPTIMISER_RMSPROP, OPTIMISER_ADAM };

struct optimiser_config {
    enum optimiser_kind kind;
    double learning_rate;
    double momentum;     /* SGD: the first step takes the gradient whole, no dampening */
    double beta1, beta2; /* Adam; RMSprop: beta2 is its alpha */
    double epsilon;      /* outside the root, after bias correction */
    double weight_decay; /* L2 added to the gradient, or with `decoupled` subtracted apart (AdamW) */
    bool decoupled;
};

/* Adam with beta 0.9, 0.999, epsilon 1e-8. */
struct optimiser_config optimiser_adam(double learning_rate);

struct optimiser {
    struct optimiser_config config; /* learning_rate may be changed between steps (schedules) */
    size_t count;
    uint64_t step;
    real *first, *second; /* owned, [count]; first: momentum or mean, second: mean square */
};

enum status optimiser_init(struct optimiser *optimiser, const struct optimiser_config *config, size_t count);
void optimiser_close(struct optimiser *optimiser); /* safe on zeros */

/* parameters -= step of gradients, both [count]. */
void optimiser_step(struct optimiser *optimiser, real *parameters, const real *gradients);

/* State (step, moments) for a checkpoint; the config is not part of it. load: STATUS_INVALID when the counts
 * differ. */
size_t optimiser_saved_bytes(const struct optimiser *optimiser);
void optimiser_save(const struct optimiser *optimiser, struct bytes_writer *writer);
enum status optimiser_load(struct optimiser *optimiser, struct bytes_reader *reader);

/* Scales gradients to a Euclidean norm of at most norm_max (factor min(1, max / (norm + 1e-6))); returns the
 * norm before. */
double gradient_clip(real *gradients, size_t count, double norm_max);

/* target = tau online + (1 - tau) target. */
void soft_update(real *target, const real *online, size_t count, double tau);

/* A block of reals in a checkpoint: count, then values (each as 8 bytes, so that fp32 and fp64 read each
 * other's). */
size_t reals_saved_bytes(size_t count);
void reals_save(struct bytes_writer *writer, const real *values, size_t count);
enum status reals_load(struct bytes_reader *reader, real *values, size_t count);

#endif
