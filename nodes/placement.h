/* placement: which process plays which node. The result of a run never depends on it. */
#ifndef TIERBED_NODES_PLACEMENT_H
#define TIERBED_NODES_PLACEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/topology.h"

enum placement_kind {
    PLACEMENT_SINGLE = 0, /* one process per node, and rank 0 for the director alone */
    PLACEMENT_BLOCK,      /* contiguous, even blocks of node ids; the director shares rank 0 */
    PLACEMENT_CYCLIC      /* node i on rank i mod ranks; the director shares rank 0 */
};

struct placement {
    enum placement_kind kind;
    uint32_t ranks;
    uint32_t first_rank;    /* the first that hosts nodes */
    uint32_t *rank_of_node; /* owned */
};

/* STATUS_INVALID when `ranks` does not fit the kind (single: nodes + 1). The caller frees with
 * placement_close. */
enum status placement_init(struct placement *placement, enum placement_kind kind, uint32_t ranks,
                           const struct topology *topology, struct error *error);
void placement_close(struct placement *placement);

/* "rank 7 (gateway-2)" or "rank 1 (21 nodes: edge .. sensor-3-1)". */
void placement_describe(const struct placement *placement, const struct topology *topology, uint32_t rank,
                        char *text, size_t size);

const char *placement_name(enum placement_kind kind);
/* STATUS_INVALID for a name in no table. */
enum status placement_parse(const char *name, enum placement_kind *kind, struct error *error);

#endif
