/* merkle: the hash trees of RFC 6962, section 2.1, as they are: leaf SHA-256(0x00 || data), node
 * SHA-256(0x01 || left || right), split at the largest power of two below n, no leaf ever doubled; the empty
 * tree is SHA-256(""). */
#ifndef TIERBED_LEDGER_MERKLE_H
#define TIERBED_LEDGER_MERKLE_H

#include "common/base/error.h"
#include "common/ledger/hash.h"

#define MERKLE_PATH_MAX 64u /* log2 of the most leaves */

struct hash merkle_leaf(const void *data, size_t size);
struct hash merkle_node(const struct hash *left, const struct hash *right);

/* Root over leaf hashes. `leaves` may be NULL when count is 0. O(count) hashes, no allocation. */
struct hash merkle_root(const struct hash *leaves, uint64_t count);

/* PATH(m, D[n]) of 2.1.1, lowest first; returns its length (<= MERKLE_PATH_MAX). index < count. */
uint32_t merkle_inclusion(const struct hash *leaves, uint64_t count, uint64_t index, struct hash *path);
/* Does `path` prove that `leaf` is number `index` of `count` leaves below `root`? Never reads past
 * `length`. */
bool merkle_inclusion_valid(const struct hash *root, const struct hash *leaf, uint64_t index, uint64_t count,
                            const struct hash *path, uint32_t length);

/* PROOF(m, D[n]) of 2.1.2: that the tree of the first `old` leaves is a prefix. 0 < old <= count. */
uint32_t merkle_consistency(const struct hash *leaves, uint64_t count, uint64_t old, struct hash *path);
bool merkle_consistency_valid(const struct hash *old_root, uint64_t old, const struct hash *new_root,
                              uint64_t count, const struct hash *path, uint32_t length);

/* A tree that only grows: the roots of its full subtrees, so that adding a leaf and reading the root cost
 * O(log n). For history_root. */
struct merkle_frontier {
    uint64_t count;
    struct hash nodes[MERKLE_PATH_MAX]; /* nodes[k]: full subtree of 2^k leaves where bit k of count is set */
};
void merkle_frontier_add(struct merkle_frontier *frontier, const struct hash *leaf);
struct hash merkle_frontier_root(const struct merkle_frontier *frontier);

#endif
