#include "common/ledger/merkle.h"

#include <assert.h>

struct hash merkle_leaf(const void *data, size_t size) {
    static const uint8_t leaf = 0x00;
    return hash_of_two(NULL, &leaf, 1, data, size);
}

struct hash merkle_node(const struct hash *left, const struct hash *right) {
    uint8_t bytes[1 + 2 * HASH_BYTES] = {0x01};
    memcpy(bytes + 1, left->bytes, HASH_BYTES);
    memcpy(bytes + 1 + HASH_BYTES, right->bytes, HASH_BYTES);
    return hash_of(NULL, bytes, sizeof bytes);
}

void merkle_frontier_add(struct merkle_frontier *frontier, const struct hash *leaf) {
    struct hash node = *leaf;
    uint32_t level = 0;
    for (; frontier->count >> level & 1; level++)
        node = merkle_node(&frontier->nodes[level], &node);
    assert(level < MERKLE_PATH_MAX);
    frontier->nodes[level] = node;
    frontier->count++;
}

struct hash merkle_frontier_root(const struct merkle_frontier *frontier) {
    if (frontier->count == 0)
        return hash_of(NULL, NULL, 0);
    uint32_t level = (uint32_t)__builtin_ctzll(frontier->count);
    struct hash root = frontier->nodes[level];
    for (level++; level < MERKLE_PATH_MAX; level++)
        if (frontier->count >> level & 1)
            root = merkle_node(&frontier->nodes[level], &root);
    return root;
}

struct hash merkle_root(const struct hash *leaves, uint64_t count) {
    struct merkle_frontier frontier = {0};
    for (uint64_t i = 0; i < count; i++)
        merkle_frontier_add(&frontier, &leaves[i]);
    return merkle_frontier_root(&frontier);
}

/* k: the largest power of two below `count`, which is at least 2. */
static uint64_t split_of(uint64_t count) {
    return UINT64_C(1) << (63 - __builtin_clzll(count - 1));
}

static void reverse(struct hash *path, uint32_t length) {
    for (uint32_t i = 0; i < length / 2; i++) {
        struct hash last = path[length - 1 - i];
        path[length - 1 - i] = path[i];
        path[i] = last;
    }
}

/* RFC 6962, 2.1.1. The definition names the highest node last; walking down meets it first. */
uint32_t merkle_inclusion(const struct hash *leaves, uint64_t count, uint64_t index, struct hash *path) {
    assert(index < count);
    uint32_t length = 0;
    while (count > 1) {
        uint64_t split = split_of(count);
        if (index < split) {
            path[length++] = merkle_root(leaves + split, count - split);
            count = split;
        } else {
            path[length++] = merkle_root(leaves, split);
            leaves += split;
            count -= split;
            index -= split;
        }
    }
    reverse(path, length);
    return length;
}

/* One step of a path: from the places of a node and of the last node of a level to those of the next level
 * on which the node has a sibling. true: the sibling stands on the left. */
static bool ascend(uint64_t *node, uint64_t *last) {
    bool left = (*node & 1) == 1 || *node == *last;
    for (; left && (*node & 1) == 0 && *node != 0; *node >>= 1)
        *last >>= 1;
    *node >>= 1;
    *last >>= 1;
    return left;
}

/* RFC 9162, 2.1.3.2, which checks the trees of RFC 6962. */
bool merkle_inclusion_valid(const struct hash *root, const struct hash *leaf, uint64_t index, uint64_t count,
                            const struct hash *path, uint32_t length) {
    if (index >= count)
        return false;
    uint64_t node = index, last = count - 1;
    struct hash reached = *leaf;
    for (uint32_t i = 0; i < length; i++) {
        if (last == 0)
            return false;
        reached = ascend(&node, &last) ? merkle_node(&path[i], &reached) : merkle_node(&reached, &path[i]);
    }
    return last == 0 && hash_equal(&reached, root);
}

/* RFC 6962, 2.1.2: SUBPROOF(m, D[n], whole), walked down as above. */
uint32_t merkle_consistency(const struct hash *leaves, uint64_t count, uint64_t old, struct hash *path) {
    assert(old > 0 && old <= count);
    uint32_t length = 0;
    bool whole = true; /* the old tree itself is this subtree: its root is known */
    while (old != count) {
        uint64_t split = split_of(count);
        if (old <= split) {
            path[length++] = merkle_root(leaves + split, count - split);
            count = split;
        } else {
            path[length++] = merkle_root(leaves, split);
            leaves += split;
            count -= split;
            old -= split;
            whole = false;
        }
    }
    if (!whole)
        path[length++] = merkle_root(leaves, count);
    reverse(path, length);
    return length;
}

/* RFC 9162, 2.1.4.2. */
bool merkle_consistency_valid(const struct hash *old_root, uint64_t old, const struct hash *new_root,
                              uint64_t count, const struct hash *path, uint32_t length) {
    if (old == 0 || old > count)
        return false;
    if (old == count)
        return length == 0 && hash_equal(old_root, new_root);
    uint64_t node = old - 1, last = count - 1;
    for (; (node & 1) == 1; node >>= 1)
        last >>= 1;
    bool known = (old & (old - 1)) == 0; /* a full tree: its root starts the path without being in it */
    if (!known && length == 0)
        return false;
    struct hash before = known ? *old_root : path[0], after = before;
    for (uint32_t i = known ? 0 : 1; i < length; i++) {
        if (last == 0)
            return false;
        if (ascend(&node, &last)) {
            before = merkle_node(&path[i], &before);
            after = merkle_node(&path[i], &after);
        } else {
            after = merkle_node(&after, &path[i]);
        }
    }
    return last == 0 && hash_equal(&before, old_root) && hash_equal(&after, new_root);
}
