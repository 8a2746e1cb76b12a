/* arena: memory taken during init and given back at once. Allocation never fails quietly: out of memory
 * aborts with a message in arena_alloc (a testbed that cannot hold its scenario cannot run). Zero-filled,
 * 16-byte aligned. */
#ifndef TIERBED_BASE_ARENA_H
#define TIERBED_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head;
};

void arena_init(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size); /* checks the product */
char *arena_copy_text(struct arena *arena, const char *text);
void arena_close(struct arena *arena); /* safe twice */

#endif
