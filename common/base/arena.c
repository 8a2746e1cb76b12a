#include "common/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES ((size_t)64 * 1024)
#define ARENA_ALIGN ((size_t)16)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t capacity;
    size_t padding; /* keeps the header a multiple of ARENA_ALIGN */
};

void arena_init(struct arena *arena) {
    arena->head = NULL;
}

static struct arena_block *arena_grow(struct arena *arena, size_t size) {
    size_t capacity = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + capacity);
    if (block == NULL) {
        fprintf(stderr, "tierbed: out of memory (%zu bytes wanted); use fewer nodes or a larger machine\n",
                size);
        abort();
    }
    block->capacity = capacity;
    block->next = arena->head;
    arena->head = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size) {
    if (size > SIZE_MAX / 2)
        size = SIZE_MAX / 2; /* cannot be met: arena_grow says so */
    size_t rounded = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
    struct arena_block *block = arena->head;
    if (block == NULL || block->capacity - block->used < rounded)
        block = arena_grow(arena, rounded);
    void *memory = (uint8_t *)(block + 1) + block->used;
    block->used += rounded;
    return memory;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX / 2; /* cannot be met: reported by arena_grow */
    return arena_alloc(arena, total);
}

char *arena_copy_text(struct arena *arena, const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size), text, size);
}

void arena_close(struct arena *arena) {
    while (arena->head != NULL) {
        struct arena_block *block = arena->head;
        arena->head = block->next;
        free(block);
    }
}
