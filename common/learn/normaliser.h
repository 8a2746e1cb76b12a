/* normaliser: running mean and variance, to bring observations and rewards to a common scale.
 *
 * Collecting and applying are apart: a learner applies statistics that stand still for a whole round of
 * training and collects the coming ones in a second normaliser, which it merges in between rounds. Evaluation
 * only applies. Sums are kept in double whatever `real` is. */
#ifndef TIERBED_LEARN_NORMALISER_H
#define TIERBED_LEARN_NORMALISER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/learn/real.h"

struct normaliser {
    uint32_t size;          /* numbers per row */
    uint64_t count;         /* rows seen */
    double *mean, *squares; /* owned, [size]; squares: sum of squared distances from the mean */
};

enum status normaliser_init(struct normaliser *normaliser, uint32_t size);
void normaliser_close(struct normaliser *normaliser); /* safe on zeros */
void normaliser_clear(struct normaliser *normaliser);

/* Takes one row [size] into account (Welford 1962). */
void normaliser_collect(struct normaliser *normaliser, const real *row);

/* into = both together (Chan, Golub and LeVeque 1979, Eq. (1.5)). */
void normaliser_merge(struct normaliser *into, const struct normaliser *from);

/* Merges `count` of one size into the first, in the binary tree over their index that reduce.h describes. */
void normaliser_merge_all(struct normaliser *all, uint32_t count);

/* y = (x - mean) / sqrt(variance + 1e-8), cut to [-10, 10]; rows x size; y may be x. Fewer than two rows
 * seen: y = x. */
void normaliser_apply(const struct normaliser *normaliser, const real *x, size_t rows, real *y);

/* sqrt(variance + 1e-8) of number `index`, 1 with fewer than two rows seen. Variance with n, as usual for
 * this purpose. */
double normaliser_deviation(const struct normaliser *normaliser, uint32_t index);

size_t normaliser_saved_bytes(const struct normaliser *normaliser);
void normaliser_save(const struct normaliser *normaliser, struct bytes_writer *writer);
/* STATUS_INVALID: another size, or no such statistics exist. */
enum status normaliser_load(struct normaliser *normaliser, struct bytes_reader *reader);

#endif
