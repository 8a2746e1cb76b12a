#include "common/model/name_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void name_index_init(struct name_index *index, uint32_t capacity, struct arena *arena) {
    *index = (struct name_index){.capacity = capacity};
    index->entries = arena_alloc_array(arena, capacity, sizeof *index->entries);
}

void name_index_add(struct name_index *index, const char *name, uint32_t id) {
    assert(index->count < index->capacity);
    index->entries[index->count++] = (struct name_entry){.name = name, .id = id};
}

static int compare(const void *a, const void *b) {
    const struct name_entry *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->id > right->id) - (left->id < right->id);
}

void name_index_sort(struct name_index *index) {
    qsort(index->entries, index->count, sizeof *index->entries, compare);
}

uint32_t name_index_find(const struct name_index *index, const char *name) {
    uint32_t low = 0, high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(index->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->count && strcmp(index->entries[low].name, name) == 0 ? index->entries[low].id
                                                                             : NAME_NONE;
}
