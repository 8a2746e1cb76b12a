/* discretiser: numbers to bins, rows of numbers to one cell. Bins are half-open, [low + i w, low + (i + 1)
 * w), and what lies outside belongs to the first or the last. */
#ifndef TIERBED_LEARN_DISCRETISER_H
#define TIERBED_LEARN_DISCRETISER_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/learn/real.h"

/* Bins of one number: low < high, bins >= 1. */
struct discretiser_axis {
    double low, high;
    uint32_t bins;
};

struct discretiser {
    uint32_t size;                 /* numbers per row */
    struct discretiser_axis *axes; /* owned, [size] */
    uint64_t cell_count;
};

/* Copies axes [size]. STATUS_INVALID: an axis is none, or there would be more than `most` cells. */
enum status discretiser_init(struct discretiser *discretiser, const struct discretiser_axis *axes,
                             uint32_t size, uint64_t most);
void discretiser_close(struct discretiser *discretiser); /* safe on zeros */

/* Not a number falls into the first bin. */
uint32_t discretiser_bin(const struct discretiser_axis *axis, double value);

/* row [size] -> cell below cell_count; the first number's bin counts least. */
uint64_t discretiser_cell(const struct discretiser *discretiser, const real *row);

#endif
