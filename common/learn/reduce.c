#include "common/learn/reduce.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum status reduce_init(struct reduce *reduce, uint32_t shard_count, size_t size) {
    assert(shard_count > 0);
    *reduce = (struct reduce){.shard_count = shard_count, .size = size};
    if (size > 0 && shard_count > SIZE_MAX / sizeof(real) / size)
        return STATUS_MEMORY;
    reduce->sums = calloc((size_t)shard_count * size + 1, sizeof(real));
    reduce->widths = calloc(shard_count, sizeof *reduce->widths);
    if (reduce->sums != NULL && reduce->widths != NULL)
        return STATUS_OK;
    reduce_close(reduce);
    return STATUS_MEMORY;
}

void reduce_close(struct reduce *reduce) {
    free(reduce->sums);
    free(reduce->widths);
    *reduce = (struct reduce){0};
}

void reduce_clear(struct reduce *reduce) {
    memset(reduce->widths, 0, reduce->shard_count * sizeof *reduce->widths);
}

static real *sum_at(const struct reduce *reduce, uint64_t first) {
    return reduce->sums + first * reduce->size;
}

/* Whether a node covers any shard of [first, first + width). */
static bool taken(const struct reduce *reduce, uint64_t first, uint64_t width) {
    struct reduce_node node;
    for (uint64_t at = 0; reduce_next(reduce, at, &node); at = node.first + node.width)
        if (node.first < first + width && first < node.first + node.width)
            return true;
    return false;
}

/* One level up from the node at `first`: with its sibling, or alone where there can be none. False: has to
 * wait. */
static bool climb(struct reduce *reduce, uint64_t *first) {
    uint64_t width = reduce->widths[*first], left = *first & ~width, right = left + width;
    if (right >= reduce->shard_count) {
        reduce->widths[left] = 2 * width;
        return true;
    }
    if (reduce->widths[left] != width || reduce->widths[right] != width)
        return false;
    real *sum = sum_at(reduce, left);
    const real *other = sum_at(reduce, right);
    for (size_t i = 0; i < reduce->size; i++)
        sum[i] += other[i];
    reduce->widths[left] = 2 * width;
    reduce->widths[right] = 0;
    *first = left;
    return true;
}

enum status reduce_add(struct reduce *reduce, uint32_t first, uint64_t width, const real *values) {
    bool power = width > 0 && (width & (width - 1)) == 0;
    if (!power || first >= reduce->shard_count || first % width != 0 ||
        width >= 2 * (uint64_t)reduce->shard_count || taken(reduce, first, width))
        return STATUS_INVALID;
    if (reduce->size > 0)
        memcpy(sum_at(reduce, first), values, reduce->size * sizeof(real));
    uint64_t at = first;
    reduce->widths[at] = width;
    while (reduce->widths[at] < reduce->shard_count && climb(reduce, &at))
        ;
    return STATUS_OK;
}

const real *reduce_result(const struct reduce *reduce) {
    return reduce->widths[0] >= reduce->shard_count ? reduce->sums : NULL;
}

bool reduce_next(const struct reduce *reduce, uint64_t from, struct reduce_node *node) {
    for (; from < reduce->shard_count; from++)
        if (reduce->widths[from] > 0) {
            *node = (struct reduce_node){(uint32_t)from, reduce->widths[from], sum_at(reduce, from)};
            return true;
        }
    return false;
}
