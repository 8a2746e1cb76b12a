/* topology: the groups and links of a scenario, expanded to nodes with ids and directed links with ids.
 *
 * Node ids are dense and follow the order of the groups in the file; link ids are dense and sorted by (from,
 * to). Both are equal in every process of a run, whatever the placement: they key random streams and
 * tie-breaks. */
#ifndef TIERBED_MODEL_TOPOLOGY_H
#define TIERBED_MODEL_TOPOLOGY_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/model/scenario.h"

#define TOPOLOGY_NONE UINT32_MAX

struct topology_node {
    char name[SCENARIO_NAME_MAX];
    enum node_role role;
    uint32_t group;       /* index into scenario->groups */
    uint32_t parent;      /* node id, TOPOLOGY_NONE for none */
    uint32_t first_child; /* children are listed in topology->children[first_child .. +child_count) */
    uint32_t child_count;
    uint32_t first_link; /* outgoing links are contiguous: topology->links[first_link .. +link_count) */
    uint32_t link_count;
    double x_m, y_m; /* position in the square of `offloading.area`, from its middle; 0, 0 without one */
    bool may_crash;  /* a fault of the schedule kills or hangs it: hosted in a child process under MPI */
};

struct topology_link {
    uint32_t from, to; /* node ids */
    const struct scenario_link
        *config;  /* borrowed from the scenario, or its copy with the distance of these two */
    double share; /* lte-m: resolved M_g / N */
};

struct topology {
    struct topology_node *nodes;
    uint32_t node_count;
    uint32_t *children; /* node ids */
    struct topology_link *links;
    uint32_t link_count;
};

/* Expands `scenario` (borrowed, must outlive the topology). All memory from `arena`. STATUS_LIMIT above
 * SCENARIO_NODES_MAX nodes. scenario_load_* has already checked names, so nothing else fails on a loaded
 * scenario. */
enum status topology_build(const struct scenario *scenario, struct arena *arena, struct topology *topology,
                           struct error *error);

/* Link id from -> to, TOPOLOGY_NONE when there is none. O(log links of `from`). */
uint32_t topology_link_between(const struct topology *topology, uint32_t from, uint32_t to);

/* Node id by full name, TOPOLOGY_NONE when unknown. */
uint32_t topology_node_by_name(const struct topology *topology, const char *name);

/* Does `selector` (a node name or a group name) cover node `id`? */
bool topology_selects(const struct topology *topology, const struct scenario *scenario, const char *selector,
                      uint32_t id);

const char *node_role_name(enum node_role role);

#endif
