#include "nodes/chain/dissemination.h"

#include <assert.h>

/* How far the others are turned at this height; 0 .. validator_count - 2. */
static uint32_t turn(uint32_t validator_count, uint64_t height) {
    return (uint32_t)(height % (validator_count - 1));
}

uint32_t dissemination_position(uint32_t validator_count, uint64_t height, uint16_t root, uint16_t self) {
    assert(root < validator_count && self < validator_count);
    if (self == root)
        return 0;
    uint32_t distance = (self + validator_count - root) % validator_count; /* 1 .. validator_count - 1 */
    return 1 + (distance - 1 + turn(validator_count, height)) % (validator_count - 1);
}

uint16_t dissemination_at(uint32_t validator_count, uint64_t height, uint16_t root, uint32_t position) {
    assert(root < validator_count && position < validator_count);
    if (position == 0)
        return root;
    uint32_t others = validator_count - 1;
    uint32_t distance = 1 + (position - 1 + others - turn(validator_count, height)) % others;
    return (uint16_t)((root + distance) % validator_count);
}

uint32_t dissemination_children(uint32_t validator_count, uint64_t height, uint16_t root, uint16_t self,
                                uint16_t children[DISSEMINATION_CHILDREN_MAX]) {
    uint32_t position = dissemination_position(validator_count, height, root, self), count = 0;
    for (uint32_t step = 1; position + step < validator_count; step *= 2)
        if (step > position)
            children[count++] = dissemination_at(validator_count, height, root, position + step);
    return count;
}
