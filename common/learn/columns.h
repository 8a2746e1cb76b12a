/* columns: copies between matrices whose rows lie at different distances, as networks' inputs are put
 * together from states and actions. */
#ifndef TIERBED_LEARN_COLUMNS_H
#define TIERBED_LEARN_COLUMNS_H

#include <stddef.h>
#include <string.h>

#include "common/learn/vector.h"

#define COLUMNS_SHORT 64 /* reals: below this a call of memcpy for every row costs more than the copy */

static inline void columns_copy_row(const real *from, size_t size, real *to) {
    if (size < VECTOR_WIDTH || size > COLUMNS_SHORT) {
        memcpy(to, from, size * sizeof *to);
        return;
    }
    for (size_t i = 0; i + VECTOR_WIDTH < size; i += VECTOR_WIDTH)
        vector_store(to + i, vector_load(from + i));
    vector_store(to + size - VECTOR_WIDTH,
                 vector_load(from + size - VECTOR_WIDTH)); /* overlaps the one before */
}

/* `size` (>= 1) columns of `rows` rows; rows of `from` and `to` are their stride apart. They do not overlap.
 */
static inline void columns_copy(const real *from, size_t from_stride, size_t rows, size_t size, real *to,
                                size_t to_stride) {
    for (size_t row = 0; row < rows; row++, from += from_stride, to += to_stride)
        columns_copy_row(from, size, to);
}

#endif
