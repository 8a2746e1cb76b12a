#include "common/model/topology.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/model/topology_plan.h"

/* What a link is made from. */
struct wiring {
    const struct scenario *scenario;
    struct topology *topology;
    struct arena *arena;
    const struct plan_links *pairs;
    const uint32_t *devices_below;
    uint32_t device_total;
};

#define DISTANCE_LEAST_M 1.0 /* CPDRL: the floor of d in Eq. (4) */

/* The entry itself, or a copy that knows how far these two stand apart. */
static const struct scenario_link *config_of(const struct wiring *wiring, uint32_t from, uint32_t to,
                                             uint32_t entry) {
    const struct scenario_link *config = &wiring->scenario->links[entry];
    bool radio = config->kind == LINK_OFDMA || config->kind == LINK_OFDMA_SHARE || config->kind == LINK_LTE_M;
    if (!radio || config->channel != CHANNEL_PATH_LOSS || config->distance_m > 0.0)
        return config;
    const struct topology_node *a = &wiring->topology->nodes[from], *b = &wiring->topology->nodes[to];
    struct scenario_link *own = arena_alloc(wiring->arena, sizeof *own);
    *own = *config;
    own->distance_m = fmax(hypot(a->x_m - b->x_m, a->y_m - b->y_m), DISTANCE_LEAST_M);
    return own;
}

static void add_link(const struct wiring *wiring, uint32_t from, uint32_t to, uint32_t child,
                     uint32_t entry) {
    struct topology *topology = wiring->topology;
    if (entry == TOPOLOGY_NONE)
        return;
    const struct scenario_link *config = config_of(wiring, from, to, entry);
    struct topology_link *link = &topology->links[topology->link_count++];
    link->from = from;
    link->to = to;
    link->config = config;
    link->share = plan_share(topology, wiring->devices_below, wiring->device_total, config, child);
    topology->nodes[from].link_count++;
}

/* A link that a node may have. */
struct candidate {
    uint32_t to, child, entry; /* child: the lower end in the tree, or `to` */
};

static int compare_candidates(const void *a, const void *b) {
    const struct candidate *left = a, *right = b;
    return (left->to > right->to) - (left->to < right->to);
}

/* Receivers beside the tree. */
static uint32_t add_mesh(const struct wiring *wiring, uint32_t id, struct candidate *items) {
    const struct plan_mesh *mesh = &wiring->pairs->mesh;
    enum node_role role = wiring->topology->nodes[id].role;
    uint32_t count = 0;
    for (uint32_t i = 0; i < mesh->member_count; i++) {
        uint32_t to = mesh->members[i];
        const uint32_t *entry =
            plan_is_mesh(role, wiring->topology->nodes[to].role) ? plan_mesh_entry(mesh, id, to) : NULL;
        if (entry != NULL)
            items[count++] = (struct candidate){.to = to, .child = to, .entry = *entry};
    }
    return count;
}

/* The outgoing links of a node, by receiver. `items` has room for all. */
static void add_links_of(const struct wiring *wiring, uint32_t id, struct candidate *items) {
    const struct topology *topology = wiring->topology;
    struct topology_node *node = &wiring->topology->nodes[id];
    uint32_t count = 0;
    node->first_link = topology->link_count;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t child = topology->children[node->first_child + i];
        items[count++] = (struct candidate){.to = child, .child = child, .entry = wiring->pairs->down[child]};
    }
    if (node->parent != TOPOLOGY_NONE)
        items[count++] = (struct candidate){.to = node->parent, .child = id, .entry = wiring->pairs->up[id]};
    count += add_mesh(wiring, id, items + count);
    qsort(items, count, sizeof *items, compare_candidates);
    for (uint32_t i = 0; i < count; i++)
        add_link(wiring, id, items[i].to, items[i].child, items[i].entry);
}

/* The most links that one node may have, and all together. */
static uint32_t most_links(const struct wiring *wiring, size_t *total) {
    const struct plan_mesh *mesh = &wiring->pairs->mesh;
    uint32_t children = 0;
    for (uint32_t id = 0; id < wiring->topology->node_count; id++)
        if (wiring->topology->nodes[id].child_count > children)
            children = wiring->topology->nodes[id].child_count;
    *total =
        (size_t)wiring->topology->node_count * 2 + (size_t)mesh->validator_count * mesh->member_count * 2;
    return children + 1 + mesh->member_count;
}

/* Devices stand uniformly in the square; everything else stands in its middle. */
static void place(const struct scenario *scenario, struct topology *topology) {
    double side_m = scenario->scheme != 0 ? scenario->offloading.area_m : 0.0;
    for (uint32_t id = 0; side_m > 0.0 && id < topology->node_count; id++) {
        struct topology_node *node = &topology->nodes[id];
        struct random_stream stream;
        if (node->role != ROLE_DEVICE)
            continue;
        random_init(&stream, scenario->seed, id, RANDOM_PLACE);
        node->x_m = (random_uniform(&stream) - 0.5) * side_m;
        node->y_m = (random_uniform(&stream) - 0.5) * side_m;
    }
}

static void mark_crashing(const struct topology_plan *plan, struct topology *topology) {
    for (uint32_t i = 0; i < plan->scenario->fault_count; i++) {
        const struct scenario_fault *fault = &plan->scenario->faults[i];
        if (!fault_on_node(fault->kind) || fault->kind == FAULT_CLOCK)
            continue;
        struct plan_selection hit = plan_select(plan, fault->node);
        for (uint32_t id = 0; id < topology->node_count; id++)
            if (plan_selects(plan, hit, id))
                topology->nodes[id].may_crash = true;
    }
}

enum status topology_build(const struct scenario *scenario, struct arena *arena, struct topology *topology,
                           struct error *error) {
    struct topology_plan plan;
    struct plan_links pairs;
    plan_init(&plan, scenario, arena);
    TRY(plan_count(&plan, error));
    plan_expand(&plan, arena, topology);
    plan_pair_links(&plan, topology, arena, &pairs, NULL, NULL);
    struct wiring wiring = {.scenario = scenario, .topology = topology, .arena = arena, .pairs = &pairs};
    place(scenario, topology);
    wiring.devices_below = plan_devices_below(topology, arena, &wiring.device_total);
    size_t total;
    uint32_t most = most_links(&wiring, &total);
    struct candidate *items = arena_alloc_array(arena, most, sizeof *items);
    topology->links = arena_alloc_array(arena, total, sizeof *topology->links);
    for (uint32_t id = 0; id < topology->node_count; id++)
        add_links_of(&wiring, id, items);
    mark_crashing(&plan, topology);
    return STATUS_OK;
}

uint32_t topology_link_between(const struct topology *topology, uint32_t from, uint32_t to) {
    assert(from < topology->node_count);
    const struct topology_node *node = &topology->nodes[from];
    uint32_t low = node->first_link, high = node->first_link + node->link_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (topology->links[middle].to < to)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < node->first_link + node->link_count && topology->links[low].to == to;
    return found ? low : TOPOLOGY_NONE;
}

uint32_t topology_node_by_name(const struct topology *topology, const char *name) {
    for (uint32_t id = 0; id < topology->node_count; id++)
        if (strcmp(topology->nodes[id].name, name) == 0)
            return id;
    return TOPOLOGY_NONE;
}

bool topology_selects(const struct topology *topology, const struct scenario *scenario, const char *selector,
                      uint32_t id) {
    assert(id < topology->node_count);
    const struct topology_node *node = &topology->nodes[id];
    return strcmp(node->name, selector) == 0 || strcmp(scenario->groups[node->group].name, selector) == 0;
}

const char *node_role_name(enum node_role role) {
    static const char *const names[ROLE_COUNT] = {"device", "gateway", "edge", "chain", "director"};
    return (unsigned)role < ROLE_COUNT ? names[role] : "unknown";
}
