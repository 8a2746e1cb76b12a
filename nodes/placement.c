#include "nodes/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"single", "block", "cyclic"};
#define KIND_COUNT (sizeof names / sizeof *names)

const char *placement_name(enum placement_kind kind) {
    return names[kind];
}

enum status placement_parse(const char *name, enum placement_kind *kind, struct error *error) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *kind = (enum placement_kind)i;
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_INVALID, "unknown placement `%s`; it is one of single, block, cyclic",
                     name);
}

enum status placement_init(struct placement *placement, enum placement_kind kind, uint32_t ranks,
                           const struct topology *topology, struct error *error) {
    uint32_t count = topology->node_count;
    *placement = (struct placement){.kind = kind, .ranks = ranks, .first_rank = kind == PLACEMENT_SINGLE};
    if (kind == PLACEMENT_SINGLE && ranks != count + 1)
        return error_set(
            error, STATUS_INVALID,
            "one process per node needs %u processes (%u nodes and the director), not %u; start so many, or "
            "pack the nodes with --processes N",
            count + 1, count, ranks);
    placement->rank_of_node = calloc(count, sizeof *placement->rank_of_node);
    if (placement->rank_of_node == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to place %u nodes", count);
    for (uint32_t id = 0; id < count; id++) {
        uint32_t rank = id + 1;
        if (kind == PLACEMENT_BLOCK)
            rank = (uint32_t)((uint64_t)id * ranks / count);
        else if (kind == PLACEMENT_CYCLIC)
            rank = id % ranks;
        placement->rank_of_node[id] = rank;
    }
    return STATUS_OK;
}

void placement_close(struct placement *placement) {
    free(placement->rank_of_node);
    placement->rank_of_node = NULL;
}

void placement_describe(const struct placement *placement, const struct topology *topology, uint32_t rank,
                        char *text, size_t size) {
    uint32_t count = 0, first = 0, last = 0;
    for (uint32_t id = 0; id < topology->node_count; id++) {
        if (placement->rank_of_node[id] != rank)
            continue;
        first = count++ == 0 ? id : first;
        last = id;
    }
    if (count == 0)
        snprintf(text, size, "rank %u", rank);
    else if (count == 1)
        snprintf(text, size, "rank %u (%s)", rank, topology->nodes[first].name);
    else
        snprintf(text, size, "rank %u (%u nodes: %s .. %s)", rank, count, topology->nodes[first].name,
                 topology->nodes[last].name);
}
