/* memory: growing arrays whose size is bounded elsewhere. Like an arena, it never fails quietly: a testbed
 * that cannot hold its pending events cannot run, so running out of memory aborts with a message. */
#ifndef TIERBED_BASE_MEMORY_H
#define TIERBED_BASE_MEMORY_H

#include <stddef.h>

/* realloc to `count` x `size` bytes (at least one; the product is checked). `what` names the content in the
 * message. The caller owns the result and frees it with free(). */
void *memory_grow(void *memory, size_t count, size_t size, const char *what);

#endif
