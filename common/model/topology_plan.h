/* topology_plan: how groups expand to nodes, before any node exists: counts, numbers, names, and which link
 * entry serves which pair. Shared by the checks of a scenario, which must report every problem, and by
 * topology_build, which relies on there being none. Internal to the model. */
#ifndef TIERBED_MODEL_TOPOLOGY_PLAN_H
#define TIERBED_MODEL_TOPOLOGY_PLAN_H

#include <stdbool.h>

#include "common/model/name_index.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"

struct topology_plan {
    const struct scenario *scenario; /* borrowed */
    struct name_index groups;
    uint32_t *parent_group; /* per group, TOPOLOGY_NONE for none or unknown */
    uint32_t *node_count;   /* per group; valid once counted */
    uint32_t *first_node;   /* per group: id of its first node; valid once counted */
    uint32_t total;
    bool counted;
};

/* Indexes the groups by name and finds their parents. */
void plan_init(struct topology_plan *plan, const struct scenario *scenario, struct arena *arena);

/* Counts and numbers the nodes. Parents must be free of cycles. STATUS_LIMIT above SCENARIO_NODES_MAX,
 * STATUS_INVALID when a name would not fit; `error` says of which group. */
enum status plan_count(struct topology_plan *plan, struct error *error);

/* What a name stands for. */
struct plan_selection {
    uint32_t group; /* TOPOLOGY_NONE: nothing has that name */
    uint32_t node; /* node id, TOPOLOGY_NONE: the whole group. Not counted yet: 0 for any node of the group */
};
struct plan_selection plan_select(const struct topology_plan *plan, const char *name);
/* Only as a node of a group with `count` (NAME-n), or of one with `per_parent` (NAME-p-n). */
struct plan_selection plan_select_counted(const struct topology_plan *plan, const char *name);
struct plan_selection plan_select_nested(const struct topology_plan *plan, const char *name);
bool plan_selects(const struct topology_plan *plan, struct plan_selection selection, uint32_t id);

/* Writes the name of the node at `position` in `group`, and the position of its parent in the parent group.
 */
void plan_node_name(const struct topology_plan *plan, uint32_t group, uint32_t position,
                    char name[SCENARIO_NAME_MAX]);
uint32_t plan_parent_position(const struct topology_plan *plan, uint32_t group, uint32_t position);

/* May nodes of these roles, which are not parent and child, be linked: validators with each other and with
 * edge servers? */
bool plan_is_mesh(enum node_role a, enum node_role b);

/* Links beside the tree: from each validator to every other and to every edge server, and back. */
struct plan_mesh {
    uint32_t *validators; /* node ids, ascending */
    uint32_t *members;    /* node ids of validators and edge servers, ascending */
    uint32_t validator_count, member_count;
    uint32_t *out; /* [validator][member]: link entry of validator -> member, TOPOLOGY_NONE for none */
    uint32_t *in;  /* [validator][member]: of member -> validator, where the member is an edge server */
};

/* For every node, the index of the link entry that serves it and its parent, TOPOLOGY_NONE for none. */
struct plan_links {
    uint32_t *up;   /* child -> parent, by child */
    uint32_t *down; /* parent -> child, by child */
    struct plan_mesh mesh;
};

/* Where the entry of `from` -> `to` stands; NULL when the mesh has no such pair. */
uint32_t *plan_mesh_entry(const struct plan_mesh *mesh, uint32_t from, uint32_t to);

/* Called when two entries that are equally specific serve the same pair; the first keeps it. */
typedef void (*plan_conflict)(void *context, uint32_t link, uint32_t other, uint32_t child);

/* Deals the link entries to the pairs of `topology` (nodes and children are enough). */
void plan_pair_links(const struct topology_plan *plan, const struct topology *topology, struct arena *arena,
                     struct plan_links *links, plan_conflict conflict, void *context);

/* Makes nodes and children of `topology`; topology_build adds the links. The plan is counted. */
void plan_expand(const struct topology_plan *plan, struct arena *arena, struct topology *topology);

/* lte-m: the part of the band of the link between `child` and its parent, Eq. (5) of JOPA: M_g / N. */
double plan_share(const struct topology *topology, const uint32_t *devices_below, uint32_t device_total,
                  const struct scenario_link *config, uint32_t child);
/* Number of devices at or below each node (array in `arena`); the total in `device_total`. */
uint32_t *plan_devices_below(const struct topology *topology, struct arena *arena, uint32_t *device_total);

#endif
