#include "common/model/topology_plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/ledger/genesis.h"

void plan_init(struct topology_plan *plan, const struct scenario *scenario, struct arena *arena) {
    uint32_t count = scenario->group_count;
    *plan = (struct topology_plan){.scenario = scenario};
    name_index_init(&plan->groups, count, arena);
    for (uint32_t i = 0; i < count; i++)
        name_index_add(&plan->groups, scenario->groups[i].name, i);
    name_index_sort(&plan->groups);
    plan->parent_group = arena_alloc_array(arena, count, sizeof(uint32_t));
    plan->node_count = arena_alloc_array(arena, count, sizeof(uint32_t));
    plan->first_node = arena_alloc_array(arena, count, sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++) {
        const char *parent = scenario->groups[i].parent;
        plan->parent_group[i] = *parent != '\0' ? name_index_find(&plan->groups, parent) : TOPOLOGY_NONE;
    }
}

/* Nodes of a group; saturates above the limit. Walks up the parents, whose number `steps` bounds. */
static uint64_t count_nodes(const struct topology_plan *plan, uint32_t group, uint32_t steps) {
    const struct scenario_group *config = &plan->scenario->groups[group];
    assert(steps <= plan->scenario->group_count);
    if (config->per_parent == 0)
        return config->count > 0 ? config->count : 1;
    assert(plan->parent_group[group] != TOPOLOGY_NONE);
    uint64_t nodes = config->per_parent * count_nodes(plan, plan->parent_group[group], steps + 1);
    return nodes > SCENARIO_NODES_MAX ? SCENARIO_NODES_MAX + 1 : nodes;
}

static bool names_fit(const struct topology_plan *plan, uint32_t group) {
    const struct scenario_group *config = &plan->scenario->groups[group];
    int letters;
    if (config->per_parent > 0)
        letters = snprintf(NULL, 0, "%s-%u-%u", config->name, plan->node_count[group] / config->per_parent,
                           config->per_parent);
    else
        letters = snprintf(NULL, 0, "%s-%u", config->name, config->count);
    return letters < SCENARIO_NAME_MAX || (config->per_parent == 0 && config->count == 0);
}

/* A set of validators is a bitmap, and genesis names every validator and edge server. */
static enum status check_mesh_size(const struct topology_plan *plan, struct error *error) {
    uint64_t validators = 0, edges = 0;
    for (uint32_t group = 0; group < plan->scenario->group_count; group++) {
        enum node_role role = plan->scenario->groups[group].role;
        validators += role == ROLE_CHAIN ? plan->node_count[group] : 0;
        edges += role == ROLE_EDGE ? plan->node_count[group] : 0;
    }
    if (validators > VALIDATORS_MAX)
        return error_set(error, STATUS_LIMIT, "%llu validators, but a chain takes at most %u",
                         (unsigned long long)validators, VALIDATORS_MAX);
    if (validators > 0 && validators + edges > SUBMITTERS_MAX)
        return error_set(error, STATUS_LIMIT,
                         "%llu edge servers beside %llu validators, but a chain takes %u of both",
                         (unsigned long long)edges, (unsigned long long)validators, SUBMITTERS_MAX);
    return STATUS_OK;
}

enum status plan_count(struct topology_plan *plan, struct error *error) {
    uint64_t total = 0;
    for (uint32_t group = 0; group < plan->scenario->group_count; group++) {
        const char *name = plan->scenario->groups[group].name;
        uint64_t nodes = count_nodes(plan, group, 0);
        plan->first_node[group] = (uint32_t)total;
        plan->node_count[group] = (uint32_t)nodes;
        total += nodes;
        if (total > SCENARIO_NODES_MAX)
            return error_set(error, STATUS_LIMIT,
                             "with group `%s` there are more than %d nodes, the most one run takes", name,
                             SCENARIO_NODES_MAX);
        if (!names_fit(plan, group))
            return error_set(error, STATUS_INVALID,
                             "names of the nodes of group `%s` would be longer than %d bytes", name,
                             SCENARIO_NAME_MAX - 1);
    }
    TRY(check_mesh_size(plan, error));
    plan->total = (uint32_t)total;
    plan->counted = true;
    return STATUS_OK;
}

void plan_node_name(const struct topology_plan *plan, uint32_t group, uint32_t position,
                    char name[SCENARIO_NAME_MAX]) {
    const struct scenario_group *config = &plan->scenario->groups[group];
    char text[SCENARIO_NAME_MAX + 24] = ""; /* zeros after the name: structs compare as bytes */
    if (config->per_parent > 0)
        snprintf(text, sizeof text, "%s-%u-%u", config->name, position / config->per_parent + 1,
                 position % config->per_parent + 1);
    else if (config->count > 0)
        snprintf(text, sizeof text, "%s-%u", config->name, position + 1);
    else
        snprintf(text, sizeof text, "%s", config->name);
    assert(strlen(text) < SCENARIO_NAME_MAX);
    memcpy(name, text, SCENARIO_NAME_MAX);
}

uint32_t plan_parent_position(const struct topology_plan *plan, uint32_t group, uint32_t position) {
    const struct scenario_group *config = &plan->scenario->groups[group];
    if (config->per_parent > 0)
        return position / config->per_parent;
    uint64_t parents = plan->node_count[plan->parent_group[group]];
    return (uint32_t)(position * parents / plan->node_count[group]);
}

/* Cuts a trailing "-17" (no leading zeros, at least 1) off the first `length` letters; 0 when there is none.
 */
static uint32_t cut_number(const char *name, size_t *length) {
    size_t start = *length;
    while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9')
        start--;
    size_t digits = *length - start;
    if (start < 2 || name[start - 1] != '-' || digits == 0 || digits > 6 || name[start] == '0')
        return 0;
    uint32_t number = 0;
    for (size_t i = start; i < *length; i++)
        number = number * 10 + (uint32_t)(name[i] - '0');
    *length = start - 1;
    return number;
}

static uint32_t group_of_prefix(const struct topology_plan *plan, const char *name, size_t length) {
    char prefix[SCENARIO_NAME_MAX] = "";
    if (length >= sizeof prefix)
        return TOPOLOGY_NONE;
    memcpy(prefix, name, length);
    return name_index_find(&plan->groups, prefix);
}

static const struct plan_selection nothing = {TOPOLOGY_NONE, TOPOLOGY_NONE};

/* `position` counts from 0 within the group. */
static struct plan_selection node_selection(const struct topology_plan *plan, uint32_t group,
                                            uint64_t position) {
    if (!plan->counted)
        return (struct plan_selection){.group = group, .node = 0};
    if (position >= plan->node_count[group])
        return nothing;
    return (struct plan_selection){.group = group, .node = plan->first_node[group] + (uint32_t)position};
}

struct plan_selection plan_select_counted(const struct topology_plan *plan, const char *name) {
    size_t length = strlen(name);
    uint32_t number = cut_number(name, &length);
    uint32_t group = number > 0 ? group_of_prefix(plan, name, length) : TOPOLOGY_NONE;
    if (group == TOPOLOGY_NONE || number > plan->scenario->groups[group].count)
        return nothing;
    return node_selection(plan, group, number - 1);
}

struct plan_selection plan_select_nested(const struct topology_plan *plan, const char *name) {
    size_t length = strlen(name);
    uint32_t number = cut_number(name, &length);
    uint32_t parent = number > 0 ? cut_number(name, &length) : 0;
    uint32_t group = parent > 0 ? group_of_prefix(plan, name, length) : TOPOLOGY_NONE;
    if (group == TOPOLOGY_NONE || number > plan->scenario->groups[group].per_parent)
        return nothing;
    return node_selection(plan, group,
                          (uint64_t)(parent - 1) * plan->scenario->groups[group].per_parent + number - 1);
}

struct plan_selection plan_select(const struct topology_plan *plan, const char *name) {
    uint32_t group = name_index_find(&plan->groups, name);
    if (group != TOPOLOGY_NONE)
        return (struct plan_selection){group, TOPOLOGY_NONE};
    struct plan_selection node = plan_select_counted(plan, name);
    return node.group != TOPOLOGY_NONE ? node : plan_select_nested(plan, name);
}

bool plan_selects(const struct topology_plan *plan, struct plan_selection selection, uint32_t id) {
    assert(plan->counted);
    if (selection.group == TOPOLOGY_NONE)
        return false;
    if (selection.node != TOPOLOGY_NONE)
        return selection.node == id;
    uint32_t first = plan->first_node[selection.group];
    return id >= first && id - first < plan->node_count[selection.group];
}

static void expand_children(struct arena *arena, struct topology *topology) {
    uint32_t used = 0;
    topology->children = arena_alloc_array(arena, topology->node_count, sizeof(uint32_t));
    for (uint32_t id = 0; id < topology->node_count; id++)
        if (topology->nodes[id].parent != TOPOLOGY_NONE)
            topology->nodes[topology->nodes[id].parent].child_count++;
    for (uint32_t id = 0; id < topology->node_count; id++) {
        topology->nodes[id].first_child = used;
        used += topology->nodes[id].child_count;
        topology->nodes[id].child_count = 0;
    }
    for (uint32_t id = 0; id < topology->node_count; id++) {
        if (topology->nodes[id].parent == TOPOLOGY_NONE)
            continue;
        struct topology_node *parent = &topology->nodes[topology->nodes[id].parent];
        topology->children[parent->first_child + parent->child_count++] = id;
    }
}

void plan_expand(const struct topology_plan *plan, struct arena *arena, struct topology *topology) {
    assert(plan->counted);
    *topology = (struct topology){.node_count = plan->total};
    topology->nodes = arena_alloc_array(arena, plan->total, sizeof *topology->nodes);
    for (uint32_t group = 0; group < plan->scenario->group_count; group++) {
        uint32_t above = plan->parent_group[group];
        for (uint32_t position = 0; position < plan->node_count[group]; position++) {
            struct topology_node *node = &topology->nodes[plan->first_node[group] + position];
            plan_node_name(plan, group, position, node->name);
            node->role = plan->scenario->groups[group].role;
            node->group = group;
            node->parent = TOPOLOGY_NONE;
            if (above != TOPOLOGY_NONE)
                node->parent = plan->first_node[above] + plan_parent_position(plan, group, position);
        }
    }
    expand_children(arena, topology);
}

/* How many ends of an entry name single nodes of a group. */
static int specificity(const struct topology_plan *plan, uint32_t link) {
    const struct scenario_link *config = &plan->scenario->links[link];
    return (plan_select(plan, config->from).node != TOPOLOGY_NONE) +
           (plan_select(plan, config->to).node != TOPOLOGY_NONE);
}

/* ---- the mesh ---- */

bool plan_is_mesh(enum node_role a, enum node_role b) {
    return (a == ROLE_CHAIN && (b == ROLE_CHAIN || b == ROLE_EDGE)) || (a == ROLE_EDGE && b == ROLE_CHAIN);
}

static void mesh_init(const struct topology_plan *plan, const struct topology *topology, struct arena *arena,
                      struct plan_mesh *mesh) {
    *mesh = (struct plan_mesh){0};
    uint32_t validators = 0, members = 0;
    for (uint32_t id = 0; id < plan->total; id++) {
        validators += topology->nodes[id].role == ROLE_CHAIN;
        members += topology->nodes[id].role == ROLE_CHAIN || topology->nodes[id].role == ROLE_EDGE;
    }
    if (validators == 0)
        return;
    mesh->validators = arena_alloc_array(arena, validators, sizeof(uint32_t));
    mesh->members = arena_alloc_array(arena, members, sizeof(uint32_t));
    for (uint32_t id = 0; id < plan->total; id++) {
        enum node_role role = topology->nodes[id].role;
        if (role == ROLE_CHAIN)
            mesh->validators[mesh->validator_count++] = id;
        if (role == ROLE_CHAIN || role == ROLE_EDGE)
            mesh->members[mesh->member_count++] = id;
    }
    size_t pairs = (size_t)validators * members;
    mesh->out = arena_alloc_array(arena, pairs, sizeof(uint32_t));
    mesh->in = arena_alloc_array(arena, pairs, sizeof(uint32_t));
    memset(mesh->out, 0xff, pairs * sizeof(uint32_t));
    memset(mesh->in, 0xff, pairs * sizeof(uint32_t));
}

static uint32_t place_of(const uint32_t *ids, uint32_t count, uint32_t id) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ids[low] == id ? low : TOPOLOGY_NONE;
}

uint32_t *plan_mesh_entry(const struct plan_mesh *mesh, uint32_t from, uint32_t to) {
    uint32_t sender = place_of(mesh->validators, mesh->validator_count, from);
    uint32_t receiver = place_of(mesh->validators, mesh->validator_count, to);
    bool out = sender != TOPOLOGY_NONE;
    uint32_t member = place_of(mesh->members, mesh->member_count, out ? to : from);
    if (from == to || (!out && receiver == TOPOLOGY_NONE) || member == TOPOLOGY_NONE)
        return NULL;
    return out ? &mesh->out[(size_t)sender * mesh->member_count + member]
               : &mesh->in[(size_t)receiver * mesh->member_count + member];
}

/* An entry that serves pairs of the mesh. */
struct mesh_entry {
    const struct topology_plan *plan;
    struct plan_mesh *mesh;
    plan_conflict conflict;
    void *context;
    uint32_t link;
};

static void deal_mesh_pair(const struct mesh_entry *entry, uint32_t from, uint32_t to) {
    uint32_t *slot = plan_mesh_entry(entry->mesh, from, to);
    if (slot == NULL)
        return;
    if (*slot == TOPOLOGY_NONE) {
        *slot = entry->link;
        return;
    }
    int mine = specificity(entry->plan, entry->link), other = specificity(entry->plan, *slot);
    if (mine == other && entry->conflict != NULL)
        entry->conflict(entry->context, entry->link, *slot, to);
    if (mine > other)
        *slot = entry->link;
}

static void deal_mesh(const struct mesh_entry *entry, struct plan_selection from, struct plan_selection to) {
    const struct topology_plan *plan = entry->plan;
    uint32_t senders = from.node == TOPOLOGY_NONE ? plan->node_count[from.group] : 1;
    uint32_t receivers = to.node == TOPOLOGY_NONE ? plan->node_count[to.group] : 1;
    uint32_t sender = from.node == TOPOLOGY_NONE ? plan->first_node[from.group] : from.node;
    uint32_t receiver = to.node == TOPOLOGY_NONE ? plan->first_node[to.group] : to.node;
    for (uint32_t i = 0; i < senders; i++)
        for (uint32_t k = 0; k < receivers; k++)
            deal_mesh_pair(entry, sender + i, receiver + k);
}

/* ---- the tree ---- */

/* One end of a link entry served by it, and what it competes with. */
struct pairing {
    const struct topology_plan *plan;
    const struct topology *topology;
    struct plan_links *links;
    plan_conflict conflict;
    void *context;
    uint32_t link;
    bool up;
    struct plan_selection child, parent;
};

static void deal_pair(const struct pairing *pairing, uint32_t child) {
    const struct topology_node *node = &pairing->topology->nodes[child];
    if (!plan_selects(pairing->plan, pairing->child, child) ||
        !plan_selects(pairing->plan, pairing->parent, node->parent))
        return;
    uint32_t *slot = pairing->up ? &pairing->links->up[child] : &pairing->links->down[child];
    if (*slot == TOPOLOGY_NONE) {
        *slot = pairing->link;
        return;
    }
    int mine = specificity(pairing->plan, pairing->link), other = specificity(pairing->plan, *slot);
    if (mine == other && pairing->conflict != NULL)
        pairing->conflict(pairing->context, pairing->link, *slot, child);
    if (mine > other)
        *slot = pairing->link;
}

static void deal_entry(const struct pairing *pairing) {
    const struct topology_plan *plan = pairing->plan;
    if (pairing->child.node != TOPOLOGY_NONE) {
        deal_pair(pairing, pairing->child.node);
        return;
    }
    if (pairing->parent.node != TOPOLOGY_NONE) {
        const struct topology_node *parent = &pairing->topology->nodes[pairing->parent.node];
        for (uint32_t i = 0; i < parent->child_count; i++)
            deal_pair(pairing, pairing->topology->children[parent->first_child + i]);
        return;
    }
    for (uint32_t i = 0; i < plan->node_count[pairing->child.group]; i++)
        deal_pair(pairing, plan->first_node[pairing->child.group] + i);
}

void plan_pair_links(const struct topology_plan *plan, const struct topology *topology, struct arena *arena,
                     struct plan_links *links, plan_conflict conflict, void *context) {
    links->up = arena_alloc_array(arena, plan->total, sizeof(uint32_t));
    links->down = arena_alloc_array(arena, plan->total, sizeof(uint32_t));
    memset(links->up, 0xff, plan->total * sizeof(uint32_t));
    memset(links->down, 0xff, plan->total * sizeof(uint32_t));
    mesh_init(plan, topology, arena, &links->mesh);
    for (uint32_t link = 0; link < plan->scenario->link_count; link++) {
        struct plan_selection from = plan_select(plan, plan->scenario->links[link].from);
        struct plan_selection to = plan_select(plan, plan->scenario->links[link].to);
        if (from.group == TOPOLOGY_NONE || to.group == TOPOLOGY_NONE)
            continue;
        if (plan_is_mesh(plan->scenario->groups[from.group].role, plan->scenario->groups[to.group].role)) {
            struct mesh_entry entry = {plan, &links->mesh, conflict, context, link};
            deal_mesh(&entry, from, to);
            continue;
        }
        bool up = plan->parent_group[from.group] == to.group;
        struct pairing pairing = {plan, topology, links,          conflict,      context,
                                  link, up,       up ? from : to, up ? to : from};
        deal_entry(&pairing);
    }
}

uint32_t *plan_devices_below(const struct topology *topology, struct arena *arena, uint32_t *device_total) {
    uint32_t *below = arena_alloc_array(arena, topology->node_count, sizeof *below);
    *device_total = 0;
    for (uint32_t id = 0; id < topology->node_count; id++) {
        if (topology->nodes[id].role != ROLE_DEVICE)
            continue;
        (*device_total)++;
        for (uint32_t at = id; at != TOPOLOGY_NONE; at = topology->nodes[at].parent)
            below[at]++;
    }
    return below;
}

double plan_share(const struct topology *topology, const uint32_t *devices_below, uint32_t device_total,
                  const struct scenario_link *config, uint32_t child) {
    assert(child < topology->node_count);
    if (config->kind != LINK_LTE_M)
        return 0;
    if (config->share > 0 || device_total == 0)
        return config->share;
    return (double)devices_below[child] / (double)device_total;
}
