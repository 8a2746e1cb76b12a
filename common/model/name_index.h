/* name_index: names of groups or nodes, sorted once, found by bisection. The order of equal names is by id,
 * so a lookup does not depend on how the index was built. */
#ifndef TIERBED_MODEL_NAME_INDEX_H
#define TIERBED_MODEL_NAME_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

#define NAME_NONE UINT32_MAX

struct name_entry {
    const char *name; /* borrowed */
    uint32_t id;
};

struct name_index {
    struct name_entry *entries; /* sorted by (name, id) after name_index_sort */
    uint32_t count, capacity;
};

/* Room for `capacity` names in `arena`. */
void name_index_init(struct name_index *index, uint32_t capacity, struct arena *arena);
void name_index_add(struct name_index *index, const char *name, uint32_t id);
void name_index_sort(struct name_index *index);

/* The least id with that name, NAME_NONE when there is none. */
uint32_t name_index_find(const struct name_index *index, const char *name);

#endif
