#include "common/model/topology.h"

#include <assert.h>
#include <math.h>
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

/* The outgoing links of a node, by receiver: children are in order, the parent goes between them. */
static void add_links_of(const struct wiring *wiring, uint32_t id) {
    const struct topology *topology = wiring->topology;
    struct topology_node *node = &wiring->topology->nodes[id];
    node->first_link = topology->link_count;
    bool parent_done = node->parent == TOPOLOGY_NONE;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t child = topology->children[node->first_child + i];
        if (!parent_done && node->parent < child) {
            add_link(wiring, id, node->parent, id, wiring->pairs->up[id]);
            parent_done = true;
        }
        add_link(wiring, id, child, child, wiring->pairs->down[child]);
    }
    if (!parent_done)
        add_link(wiring, id, node->parent, id, wiring->pairs->up[id]);
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
        if (fault->kind != FAULT_CRASH && fault->kind != FAULT_RESTART && fault->kind != FAULT_HANG)
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
    topology->links = arena_alloc_array(arena, (size_t)topology->node_count * 2, sizeof *topology->links);
    struct wiring wiring = {.scenario = scenario, .topology = topology, .arena = arena, .pairs = &pairs};
    place(scenario, topology);
    wiring.devices_below = plan_devices_below(topology, arena, &wiring.device_total);
    for (uint32_t id = 0; id < topology->node_count; id++)
        add_links_of(&wiring, id);
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
