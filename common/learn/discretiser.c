#include "common/learn/discretiser.h"

#include <stdlib.h>
#include <string.h>

enum status discretiser_init(struct discretiser *discretiser, const struct discretiser_axis *axes,
                             uint32_t size, uint64_t most) {
    *discretiser = (struct discretiser){.size = size, .cell_count = 1};
    for (uint32_t i = 0; i < size; i++) {
        const struct discretiser_axis *axis = &axes[i];
        if (!(axis->low < axis->high) || !isfinite(axis->high - axis->low) || axis->bins == 0 ||
            discretiser->cell_count > most / axis->bins)
            return STATUS_INVALID;
        discretiser->cell_count *= axis->bins;
    }
    discretiser->axes = calloc(size + 1u, sizeof *axes);
    if (discretiser->axes == NULL)
        return STATUS_MEMORY;
    memcpy(discretiser->axes, axes, size * sizeof *axes);
    return STATUS_OK;
}

void discretiser_close(struct discretiser *discretiser) {
    free(discretiser->axes);
    *discretiser = (struct discretiser){0};
}

uint32_t discretiser_bin(const struct discretiser_axis *axis, double value) {
    double place = (value - axis->low) / (axis->high - axis->low) * axis->bins;
    if (!(place > 0))
        return 0;
    return place < axis->bins ? (uint32_t)place : axis->bins - 1;
}

uint64_t discretiser_cell(const struct discretiser *discretiser, const real *row) {
    uint64_t cell = 0;
    for (uint32_t i = discretiser->size; i-- > 0;)
        cell = cell * discretiser->axes[i].bins + discretiser_bin(&discretiser->axes[i], (double)row[i]);
    return cell;
}
