/* reduce: the sum of one block from each of a fixed number of shards, in a binary tree over their numbers.
 *
 * Floating-point sums depend on their order; here the order depends on the number of shards alone, never on
 * who adds what when, or in how many processes: leaf i is shard i's block, an inner node is left plus right,
 * where a node of width w covers shards [k w, k w + w), k even to the left; where nothing is to the right,
 * the left moves up as it is. A process sums what it has as far as the tree allows and sends the remaining
 * nodes on. */
#ifndef TIERBED_LEARN_REDUCE_H
#define TIERBED_LEARN_REDUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/learn/real.h"

struct reduce {
    uint32_t shard_count;
    size_t size;
    real *sums;       /* owned, [shard_count][size]; a node lies at its first shard */
    uint64_t *widths; /* owned, [shard_count]: width of the node that begins there, 0: none */
};

enum status reduce_init(struct reduce *reduce, uint32_t shard_count, size_t size);
void reduce_close(struct reduce *reduce); /* safe on zeros */
void reduce_clear(struct reduce *reduce);

/* Adds the node of `width` (a power of two) at shard `first` (a multiple of it), then sums as far as
 * possible. values [size]. STATUS_INVALID, and nothing happens, when the node is none of the tree's or one of
 * its shards is there already: nodes may come from other processes. */
enum status reduce_add(struct reduce *reduce, uint32_t first, uint64_t width, const real *values);

/* The sum over all shards, borrowed; NULL while some are missing. */
const real *reduce_result(const struct reduce *reduce);

/* A node that is there. */
struct reduce_node {
    uint32_t first;
    uint64_t width;
    const real *values; /* borrowed, [size] */
};

/* The first node at or after shard `from`; false when there is none. Go on from node.first + node.width. */
bool reduce_next(const struct reduce *reduce, uint64_t from, struct reduce_node *node);

#endif
