/* edits: what several fuzz targets do with a true text: the input edits it, three bytes each: where (two),
 * what; a lone byte at the end cuts it short. */
#ifndef TIERBED_TESTS_FUZZ_EDITS_H
#define TIERBED_TESTS_FUZZ_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What must hold; a finding otherwise. */
static inline void demand(bool holds) {
    if (!holds)
        abort();
}

/* Edits `size` >= 1 bytes of `text` in place; returns how many are left. */
static inline size_t fuzz_edit(uint8_t *text, size_t size, const uint8_t *edits, size_t count) {
    for (size_t i = 0; i + 3 <= count; i += 3)
        text[((size_t)edits[i] << 8 | edits[i + 1]) % size] = edits[i + 2];
    return count % 3 == 1 ? size * edits[count - 1] / 256 : size;
}

#endif
