#include "campaign/kinds.h"

#include <assert.h>
#include <string.h>

static const struct kind *const lists[] = {kinds_crash, kinds_network, kinds_disk, kinds_byzantine,
                                           kinds_control};
#define LIST_COUNT (sizeof lists / sizeof lists[0])

const struct kind *kind_at(uint32_t index) {
    for (uint32_t i = 0; i < LIST_COUNT; i++)
        for (const struct kind *kind = lists[i]; kind->name != NULL; kind++)
            if (index-- == 0)
                return kind;
    return NULL;
}

const struct kind *kind_find(const char *name) {
    for (uint32_t i = 0; kind_at(i) != NULL; i++)
        if (strcmp(kind_at(i)->name, name) == 0)
            return kind_at(i);
    return NULL;
}

const struct kind *kind_draw(uint64_t seed) {
    uint32_t total = 0;
    for (uint32_t i = 0; kind_at(i) != NULL; i++)
        total += kind_at(i)->weight;
    struct random_stream stream;
    random_init(&stream, seed, 0, RANDOM_CAMPAIGN | UINT64_C(4) << 32);
    uint32_t place = (uint32_t)random_below(&stream, total);
    for (uint32_t i = 0;; i++) {
        const struct kind *kind = kind_at(i);
        assert(kind != NULL);
        if (place < kind->weight)
            return kind;
        place -= kind->weight;
    }
}
