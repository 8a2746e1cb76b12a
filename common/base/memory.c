#include "common/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

void *memory_grow(void *memory, size_t count, size_t size, const char *what) {
    size_t bytes;
    void *larger = NULL;
    if (!__builtin_mul_overflow(count, size, &bytes))
        larger = realloc(memory, bytes > 0 ? bytes : 1);
    if (larger == NULL) {
        fprintf(stderr,
                "tierbed: out of memory for %s (%zu x %zu bytes); use fewer nodes or a larger machine\n",
                what, count, size);
        abort();
    }
    return larger;
}
