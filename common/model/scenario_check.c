/* scenario_check: what takes more than one value to judge. First each entry for itself, then names, then the
 * whole tree of nodes; a later step is skipped when an earlier one has found problems that it would only
 * repeat. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "common/model/scenario_bind.h"
#include "common/model/topology_plan.h"

#define ROW_SUM_TOLERANCE 1e-9
#define SHARE_TOLERANCE 1e-9
#define LEVELS_DEFAULT 6      /* of criticality in the table */
#define LOAD_BYTES_MAX 65531u /* of records in a transaction */
#define SAMPLES_MIN 16
#define SAMPLES_MAX 500000 /* two bytes each, so that a window fits into one message */

/* Reports at a key of a top-level map such as `task`, or at the map, or at the file. */
static void report_in(struct scenario_load *load, const char *map, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void report_in(struct scenario_load *load, const char *map, const char *key, const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const struct tree_node *top = tree_get(load->root, map), *value = tree_get(top, key);
    problem_at(load->problems,
               value != NULL ? value
               : top != NULL ? top
                             : load->root,
               "%s%s%s: %s", map, *key != '\0' ? "." : "", key, text);
}

static bool sound_in(const struct scenario_load *load, const char *map, const char *key) {
    const struct tree_node *value = tree_get(tree_get(load->root, map), key);
    return value == NULL || !value->bad;
}

/* Number of values given for a list, `otherwise` when it is left to its default. */
static uint32_t given_count(const struct tree_node *values, uint32_t otherwise) {
    return values == NULL ? otherwise : values->kind == TREE_LIST ? values->count : 1;
}

static void check_levels(struct scenario_load *load) {
    const struct scenario_task *task = &load->scenario->task;
    const struct tree_node *map = tree_get(load->root, "task"), *deadlines = tree_get(map, "deadline");
    if (!sound_in(load, "task", "criticality") || !sound_in(load, "task", "deadline"))
        return;
    uint32_t levels = given_count(tree_get(map, "criticality"), LEVELS_DEFAULT);
    uint32_t deadline_count = given_count(deadlines, LEVELS_DEFAULT);
    if (levels != deadline_count)
        report_in(load, "task", deadlines != NULL ? "deadline" : "criticality",
                  "%u deadlines for %u levels of criticality; each level needs one", deadline_count, levels);
    for (uint32_t i = 1; i < levels; i++)
        if (task->criticality[i] <= task->criticality[i - 1]) {
            report_in(load, "task", "criticality", "levels must ascend, each more than the one before");
            return;
        }
}

static void check_task(struct scenario_load *load) {
    const struct scenario_task *task = &load->scenario->task;
    const struct tree_node *slot = tree_get(load->root, "slot");
    check_levels(load);
    double samples = (double)task->window_ns * task->sample_rate_hz / 1e9;
    bool rates = sound_in(load, "task", "window") && sound_in(load, "task", "sample_rate");
    if (rates && (samples < SAMPLES_MIN || samples > SAMPLES_MAX || samples != floor(samples)))
        report_in(load, "task",
                  tree_get(tree_get(load->root, "task"), "window") != NULL ? "window" : "sample_rate",
                  "window x sample_rate is %.6g samples; expected a whole number from %d to %d", samples,
                  SAMPLES_MIN, SAMPLES_MAX);
    bool slots = sound_in(load, "task", "phase") && (slot == NULL || !slot->bad);
    if (slots && task->phase_ns >= load->scenario->slot_ns)
        report_in(load, "task", "phase", "must be shorter than a slot");
}

static void check_data(struct scenario_load *load) {
    struct scenario_data *data = &load->scenario->data;
    bool given = data->dir[0] != '\0';
    if (given)
        data->source = DATA_RECORDS;
    else if (data->source == DATA_RECORDS && sound_in(load, "data", "dir"))
        report_in(load, "data", "source", "`records` needs `dir`, the folder that holds them");
}

static void check_run(struct scenario_load *load) {
    if (scenario_length_ns(load->scenario) == INT64_MAX)
        report_in(load, "slots", "", "the run would last longer than 100 days of virtual time");
}

static void check_channel(struct scenario_load *load, uint32_t index) {
    const struct scenario_link *link = &load->scenario->links[index];
    struct tree_node *entry = tree_item(tree_get(load->root, "links"), index);
    const struct tree_node *gain = tree_get(entry, "gain");
    uint32_t gains = given_count(gain, SCENARIO_STATES);
    bool markov = link->channel == CHANNEL_MARKOV3;
    bool one = link->channel == CHANNEL_FIXED || link->channel == CHANNEL_LEVELS10;
    if (markov && gains != SCENARIO_STATES && gains != 1 && !gain->bad)
        scenario_report(
            load, "links", index, "gain",
            "channel `markov3` needs three gains, of the bad, normal and good state, or one for all");
    if (one && gains != 1 && (gain == NULL || !gain->bad))
        scenario_report(load, "links", index, "gain", "this channel needs one `gain`, such as `4e-13`");
    for (uint32_t row = 0;
         markov && row < SCENARIO_STATES && scenario_sound(load, "links", index, "transition"); row++) {
        double sum = link->transition[row][0] + link->transition[row][1] + link->transition[row][2];
        if (fabs(sum - 1) > ROW_SUM_TOLERANCE)
            scenario_report(load, "links", index, "transition",
                            "row %u sums to %.12g; every row must sum to 1", row + 1, sum);
    }
}

/* Was it read without a problem whether a scheme decides? Otherwise that was reported, and what hangs on it
 * need not be. */
static bool scheme_known(const struct scenario_load *load) {
    const struct tree_node *scheme = tree_get(load->root, "scheme");
    return scheme == NULL || !scheme->bad;
}

static void check_link(struct scenario_load *load, uint32_t index) {
    const struct scenario_link *link = &load->scenario->links[index];
    bool radio = link->kind == LINK_OFDMA || link->kind == LINK_LTE_M || link->kind == LINK_OFDMA_SHARE;
    if (!scenario_sound(load, "links", index, "kind"))
        return;
    if (link->delay_ns == 0 && link->kind != LINK_IDEAL && scenario_sound(load, "links", index, "delay"))
        scenario_report(load, "links", index, "delay",
                        "needs a `delay` longer than 0, such as `10 us`; only kind `ideal` may have none");
    if (radio && scenario_sound(load, "links", index, "channel"))
        check_channel(load, index);
    if (link->kind == LINK_OFDMA && link->subchannels_initial > link->subchannels)
        scenario_report(load, "links", index, "subchannels_initial",
                        "more than the %u sub-channels there are", link->subchannels);
    bool path_loss =
        radio && link->channel == CHANNEL_PATH_LOSS && scenario_sound(load, "links", index, "channel");
    if (path_loss && link->distance_m == 0 && scheme_known(load) &&
        (load->scenario->scheme == 0 || load->scenario->offloading.area_m == 0))
        scenario_report(
            load, "links", index, "path_loss",
            "needs a `distance` longer than 0; without one, devices need positions, and only a scheme's "
            "`offloading.area` gives them");
    if (link->reorder_probability > 0 && link->reorder_delay_ns == 0)
        scenario_report(load, "links", index, "reorder_delay",
                        "must be longer than 0 when packets are reordered");
}

/* Does following the parents from `group` lead back to it? Else `endless` says whether it leads into another
 * cycle. */
static bool is_on_cycle(const struct topology_plan *plan, uint32_t group, bool *endless) {
    uint32_t at = plan->parent_group[group];
    for (uint32_t steps = 0; at != TOPOLOGY_NONE && steps < plan->scenario->group_count; steps++) {
        if (at == group)
            return *endless = true;
        at = plan->parent_group[at];
    }
    *endless = at != TOPOLOGY_NONE;
    return false;
}

static void check_parent(struct scenario_load *load, const struct topology_plan *plan, uint32_t index) {
    const struct scenario_group *groups = plan->scenario->groups, *group = &groups[index];
    uint32_t parent = plan->parent_group[index];
    bool endless;
    char guess[SCENARIO_GUESS_MAX];
    bool scheme = load->scenario->scheme != 0; /* decides for devices directly below an edge server */
    enum node_role above = group->role == ROLE_DEVICE && !scheme ? ROLE_GATEWAY : ROLE_EDGE;
    const char *wanted = above == ROLE_GATEWAY ? "a gateway" : "an edge server";
    if (!scenario_sound(load, "nodes", index, "role") || !scenario_sound(load, "nodes", index, "parent"))
        return;
    if (group->parent[0] == '\0') {
        if (group->role != ROLE_EDGE && group->role != ROLE_CHAIN)
            scenario_report(load, "nodes", index, "parent", "a %s needs a `parent`, %s",
                            node_role_name(group->role), wanted);
    } else if (parent == TOPOLOGY_NONE) {
        scenario_report(load, "nodes", index, "parent", "there is no group `%s`%s", group->parent,
                        scenario_suggest(plan, group->parent, guess));
    } else if (is_on_cycle(plan, index, &endless)) {
        scenario_report(load, "nodes", index, "parent",
                        "`%s` is below `%s` itself: parents must not form a cycle", group->parent,
                        group->name);
    } else if (group->role == ROLE_GATEWAY && scheme) {
        scenario_report(load, "nodes", index, "role",
                        "with a scheme there are no gateways: devices stand directly below an edge server");
    } else if (group->role == ROLE_CHAIN) {
        scenario_report(load, "nodes", index, "parent",
                        "validators stand beside the tiers and have no parent");
    } else if (group->role == ROLE_EDGE) {
        scenario_report(load, "nodes", index, "parent", "an edge server stands at the top and has no parent");
    } else if (scenario_sound(load, "nodes", parent, "role") && groups[parent].role != above &&
               (group->role != ROLE_DEVICE || scheme_known(load))) {
        scenario_report(load, "nodes", index, "parent", "`%s` is of role %s; the parent of a %s is %s",
                        group->parent, node_role_name(groups[parent].role), node_role_name(group->role),
                        wanted);
    }
}

/* A name that two things would share: two groups, or a group and a node of another group. */
static void check_unique(struct scenario_load *load, const struct topology_plan *plan) {
    const struct name_index *names = &plan->groups;
    for (uint32_t i = 1; i < names->count; i++) {
        const struct name_entry *entry = &names->entries[i];
        if (*entry->name != '\0' && strcmp(entry->name, names->entries[i - 1].name) == 0)
            scenario_report(load, "nodes", entry->id, "name", "`%s` is already the name of nodes[%u]",
                            entry->name, name_index_find(names, entry->name));
    }
}

/* As above, where a group or its first node has a name that a node of another group has. The plan is counted.
 */
static void check_node_names(struct scenario_load *load, const struct topology_plan *plan) {
    for (uint32_t i = 0; i < plan->scenario->group_count; i++) {
        char first[SCENARIO_NAME_MAX];
        const char *name = plan->scenario->groups[i].name;
        plan_node_name(plan, i, 0, first);
        uint32_t owners[] = {plan_select_counted(plan, name).group, plan_select_nested(plan, name).group,
                             plan_select_counted(plan, first).group, plan_select_nested(plan, first).group};
        for (size_t k = 0; k < sizeof owners / sizeof *owners; k++) {
            /* two first nodes that collide would be found from both sides: told once */
            if (owners[k] == TOPOLOGY_NONE || owners[k] == i || (k >= 2 && owners[k] > i))
                continue;
            scenario_report(load, "nodes", i, "name",
                            "`%s` is also the name of a node of group `%s`; rename one", k < 2 ? name : first,
                            plan->scenario->groups[owners[k]].name);
            break;
        }
    }
}

static void check_groups(struct scenario_load *load, const struct topology_plan *plan) {
    const struct scenario *scenario = load->scenario;
    if (scenario->group_count == 0 && tree_get(load->root, "nodes") != NULL)
        report_in(load, "nodes", "", "a scenario needs nodes");
    check_unique(load, plan);
    for (uint32_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        check_parent(load, plan, i);
        if (group->count > 0 && group->per_parent > 0)
            scenario_report(load, "nodes", i, "per_parent",
                            "`count` and `per_parent` exclude each other; remove one");
        if (group->per_parent > 0 && group->parent[0] == '\0' && scenario_sound(load, "nodes", i, "parent"))
            scenario_report(load, "nodes", i, "per_parent", "needs a `parent`");
    }
}

/* Is it known what `group` is below? Otherwise that was reported, and its links need not be. */
static bool has_sound_parent(const struct scenario_load *load, const struct topology_plan *plan,
                             uint32_t group) {
    enum node_role role = plan->scenario->groups[group].role;
    bool top = (role == ROLE_EDGE || role == ROLE_CHAIN) && plan->scenario->groups[group].parent[0] == '\0';
    bool endless;
    return (top || plan->parent_group[group] != TOPOLOGY_NONE) &&
           scenario_sound(load, "nodes", group, "parent") && !is_on_cycle(plan, group, &endless) && !endless;
}

/* A link of the mesh is a wire of some kind, and takes time. */
static void check_mesh_link(struct scenario_load *load, uint32_t index) {
    const struct scenario_link *link = &load->scenario->links[index];
    if (!scenario_sound(load, "links", index, "kind"))
        return;
    if (link->kind != LINK_WIRED && link->kind != LINK_IDEAL && link->kind != LINK_TRACE)
        scenario_report(load, "links", index, "kind",
                        "links of validators are of kind `wired`, `ideal` or `trace`");
    else if (link->kind == LINK_IDEAL && link->delay_ns == 0 && scenario_sound(load, "links", index, "delay"))
        scenario_report(load, "links", index, "delay",
                        "a link of a validator needs a `delay` longer than 0, such as `1 ms`");
}

/* The names of a link exist and stand for a parent and its child; nothing is said twice. */
static void check_link_names(struct scenario_load *load, const struct topology_plan *plan) {
    const struct scenario *scenario = load->scenario;
    struct name_index routes;
    name_index_init(&routes, scenario->link_count, load->scratch);
    for (uint32_t i = 0; i < scenario->link_count; i++) {
        const struct scenario_link *link = &scenario->links[i];
        char route[2 * SCENARIO_NAME_MAX + 1];
        bool from = scenario_check_name(load, plan, "links", i, "from", link->from);
        bool to = scenario_check_name(load, plan, "links", i, "to", link->to);
        if (!from || !to)
            continue;
        snprintf(route, sizeof route, "%s:%s", link->from, link->to);
        name_index_add(&routes, arena_copy_text(load->scratch, route), i);
        uint32_t a = plan_select(plan, link->from).group, b = plan_select(plan, link->to).group;
        bool mesh = plan_is_mesh(scenario->groups[a].role, scenario->groups[b].role);
        bool related = mesh || plan->parent_group[a] == b || plan->parent_group[b] == a;
        if (mesh)
            check_mesh_link(load, i);
        if (mesh && strcmp(link->from, link->to) == 0 && plan_select(plan, link->from).node != TOPOLOGY_NONE)
            scenario_report(load, "links", i, "to", "a node needs no link to itself");
        if (!related && has_sound_parent(load, plan, a) && has_sound_parent(load, plan, b))
            scenario_report(
                load, "links", i, "to",
                "`%s` and `%s` are not parent and child; links join only those, validators, and edge "
                "servers with validators",
                link->from, link->to);
    }
    name_index_sort(&routes);
    for (uint32_t i = 1; i < routes.count; i++)
        if (strcmp(routes.entries[i].name, routes.entries[i - 1].name) == 0)
            scenario_report(load, "links", routes.entries[i].id, "to",
                            "links[%u] already goes from `%s` to `%s`", routes.entries[i - 1].id,
                            scenario->links[routes.entries[i].id].from,
                            scenario->links[routes.entries[i].id].to);
}

static void report_conflict(void *context, uint32_t link, uint32_t other, uint32_t child) {
    struct scenario_load *load = context;
    (void)child;
    const struct scenario_link *links = load->scenario->links;
    scenario_report(
        load, "links", link, "from",
        "`%s` to `%s` and links[%u], `%s` to `%s`, serve the same nodes and neither is more specific",
        links[link].from, links[link].to, other, links[other].from, links[other].to);
}

/* Every pair of parent and child needs a link each way; one report per group and direction. */
static void check_coverage(struct scenario_load *load, const struct topology *topology,
                           const struct plan_links *pairs) {
    uint32_t groups = load->scenario->group_count;
    bool *told = arena_alloc_array(load->scratch, groups, 2 * sizeof *told);
    for (uint32_t i = 0; i < 2 * topology->node_count; i++) {
        const struct topology_node *node = &topology->nodes[i / 2];
        bool down = i % 2 == 1;
        bool *done = &told[node->group + (down ? groups : 0)];
        uint32_t entry = down ? pairs->down[i / 2] : pairs->up[i / 2];
        if (node->parent == TOPOLOGY_NONE || entry != TOPOLOGY_NONE || *done)
            continue;
        const char *parent = topology->nodes[node->parent].name;
        *done = true;
        report_in(load, "links", "",
                  "no link from `%s` to `%s`; a parent and its child need one in each direction",
                  down ? parent : node->name, down ? node->name : parent);
    }
}

/* Every two validators need a link each way, and every edge server and validator; one report each. */
static void check_mesh_coverage(struct scenario_load *load, const struct topology *topology,
                                const struct plan_mesh *mesh) {
    bool told[ROLE_COUNT][ROLE_COUNT] = {{false}};
    for (uint32_t i = 0; i < mesh->validator_count; i++) {
        for (uint32_t k = 0; k < 2 * mesh->member_count; k++) {
            uint32_t self = mesh->validators[i], other = mesh->members[k / 2];
            uint32_t from = k % 2 == 0 ? self : other, to = k % 2 == 0 ? other : self;
            const uint32_t *entry = plan_mesh_entry(mesh, from, to);
            bool *done = &told[topology->nodes[from].role][topology->nodes[to].role];
            if (entry == NULL || *entry != TOPOLOGY_NONE || *done)
                continue;
            *done = true;
            report_in(load, "links", "",
                      "no link from `%s` to `%s`; validators need one to every other validator, and to and "
                      "from every edge server",
                      topology->nodes[from].name, topology->nodes[to].name);
        }
    }
}

/* The links of one cell (those of one edge server's uplinks) share one band. */
static void check_shares(struct scenario_load *load, const struct topology *topology,
                         const struct plan_links *pairs) {
    uint32_t total;
    uint32_t *below = plan_devices_below(topology, load->scratch, &total);
    double *sum = arena_alloc_array(load->scratch, topology->node_count, sizeof *sum);
    for (uint32_t id = 0; id < topology->node_count; id++) {
        if (pairs->up[id] == TOPOLOGY_NONE)
            continue;
        const struct scenario_link *link = &load->scenario->links[pairs->up[id]];
        double share = plan_share(topology, below, total, link, id);
        uint32_t parent = topology->nodes[id].parent;
        double before = sum[parent];
        sum[parent] += share;
        if (link->kind == LINK_LTE_M && share == 0)
            scenario_report(load, "links", pairs->up[id], "share",
                            "no device is below `%s`, so its part of the band would be 0; give `share`",
                            topology->nodes[id].name);
        if (before <= 1 + SHARE_TOLERANCE && sum[parent] > 1 + SHARE_TOLERANCE)
            scenario_report(load, "links", pairs->up[id], "share",
                            "the links to `%s` share one band, but their parts sum to more than 1",
                            topology->nodes[parent].name);
    }
}

/* What is wrong with the link of device `id` up to its edge server under a scheme, which grants band and
 * power of it; NULL: nothing. `key` is where. */
static const char *granted_problem(const struct scenario *scenario, const struct topology *topology,
                                   const struct plan_links *pairs, uint32_t id, const char **key) {
    const struct topology_node *server = &topology->nodes[topology->nodes[id].parent];
    const struct scenario_link *link = &scenario->links[pairs->up[id]];
    uint32_t first = pairs->up[topology->children[server->first_child]];
    *key = "kind";
    if (link->kind != LINK_OFDMA_SHARE)
        return "a scheme grants devices band and power: their links to the edge server are of kind "
               "`ofdma-share`";
    *key = "power";
    if (link->power_w < scenario->offloading.power_w[1])
        return "less than the most of `offloading.power`, which devices are granted";
    *key = "bandwidth";
    if (first != TOPOLOGY_NONE && link->bandwidth_hz != scenario->links[first].bandwidth_hz)
        return "devices below one edge server share its band: it must be the same for all of them";
    *key = "noise_total";
    if (first != TOPOLOGY_NONE && link->noise_w != scenario->links[first].noise_w)
        return "devices below one edge server share its band: its noise must be the same for all of them";
    return NULL;
}

static void check_granted(struct scenario_load *load, const struct topology *topology,
                          const struct plan_links *pairs) {
    for (uint32_t id = 0; load->scenario->scheme != 0 && id < topology->node_count; id++) {
        const char *key, *problem = NULL;
        if (topology->nodes[id].role == ROLE_DEVICE && pairs->up[id] != TOPOLOGY_NONE)
            problem = granted_problem(load->scenario, topology, pairs, id, &key);
        if (problem == NULL)
            continue;
        scenario_report(load, "links", pairs->up[id], key, "%s", problem);
        return;
    }
}

/* Everything that needs the nodes and the links between them, both known to be sound. */
static void check_wiring(struct scenario_load *load, const struct topology_plan *plan,
                         const struct topology *topology) {
    struct plan_links pairs;
    uint32_t before = load->problems->count;
    plan_pair_links(plan, topology, load->scratch, &pairs, report_conflict, load);
    check_coverage(load, topology, &pairs);
    check_mesh_coverage(load, topology, &pairs.mesh);
    if (load->problems->count == before)
        check_shares(load, topology, &pairs);
    check_granted(load, topology, &pairs);
}

static bool list_sound(const struct scenario_load *load, const char *list) {
    const struct tree_node *node = tree_get(load->root, list);
    return node != NULL && !node->bad && load->problems->count < SCENARIO_PROBLEMS_MAX;
}

/* Checks the nodes and counts them in `plan`. False when something is wrong with them. */
static bool check_nodes(struct scenario_load *load, struct topology_plan *plan) {
    uint32_t before = load->problems->count;
    struct error error;
    check_groups(load, plan);
    if (!list_sound(load, "nodes") || load->problems->count > before)
        return false;
    if (plan_count(plan, &error) != STATUS_OK)
        report_in(load, "nodes", "", "%s", error.text);
    else
        check_node_names(load, plan);
    return load->problems->count == before;
}

static bool check_links(struct scenario_load *load, const struct topology_plan *plan) {
    uint32_t before = load->problems->count;
    for (uint32_t i = 0; i < load->scenario->link_count; i++)
        check_link(load, i);
    check_link_names(load, plan);
    return list_sound(load, "links") && load->problems->count == before;
}

static void check_range(struct scenario_load *load, const char *key, const double range[2]) {
    if (sound_in(load, "offloading", key) && range[0] > range[1])
        report_in(load, "offloading", key, "expected the least and the most, in this order");
}

static void check_first_slot(struct scenario_load *load) {
    const struct scenario_training *training = &load->scenario->training;
    if (!sound_in(load, "training", "first_slot") || training->first_slot == 0)
        return;
    if (training->resume[0] == '\0' && sound_in(load, "training", "resume"))
        report_in(load, "training", "first_slot", "goes with `resume`, the run whose timeline it continues");
    if (training->first_slot >= load->scenario->slots)
        report_in(load, "training", "first_slot", "there are only %u slots", load->scenario->slots);
}

static void check_scheme(struct scenario_load *load) {
    const struct scenario *scenario = load->scenario;
    const struct scenario_offloading *offloading = &scenario->offloading;
    if (scenario->scheme == 0)
        return;
    check_range(load, "size", offloading->bits);
    check_range(load, "cycles_per_bit", offloading->cycles_per_bit);
    check_range(load, "clock", offloading->clock_hz);
    check_range(load, "power", offloading->power_w);
    if (scenario->training.evaluate_slots > scenario->slots && sound_in(load, "training", "evaluate"))
        report_in(load, "training", "evaluate", "there are only %u slots", scenario->slots);
    check_first_slot(load);
    if (scenario->task.answer_timeout_ns > scenario->slot_ns / 10 * 9 &&
        sound_in(load, "task", "answer_timeout"))
        report_in(load, "task", "answer_timeout",
                  "with a scheme a slot's tasks must be over within 90 %% of the slot, so that it can be "
                  "learnt from");
}

static void check_chain(struct scenario_load *load) {
    const struct scenario_chain *chain = &load->scenario->chain;
    if (chain->timeout_max_ns < chain->timeout_ns && sound_in(load, "chain", "timeout") &&
        sound_in(load, "chain", "timeout_max"))
        report_in(load, "chain", "timeout_max", "shorter than `timeout`, where it begins");
    const struct scenario_chain_load *own = &chain->load;
    const struct tree_node *map = tree_get(tree_get(load->root, "chain"), "load");
    if (own->rate_hz == 0 || map == NULL || map->bad)
        return;
    if ((uint64_t)own->records * own->record_bytes > LOAD_BYTES_MAX)
        report_in(load, "chain", "load", "%u records of %u bytes do not fit into a transaction of %u bytes",
                  own->records, own->record_bytes, LOAD_BYTES_MAX);
    else if (own->records > chain->block_txs_max || own->records > chain->mempool_max)
        report_in(load, "chain", "load", "a transaction of %u records fits into no block or mempool",
                  own->records);
}

void scenario_check(struct scenario_load *load) {
    struct topology_plan plan;
    struct topology topology;
    check_task(load);
    check_data(load);
    check_scheme(load);
    check_chain(load);
    check_run(load);
    plan_init(&plan, load->scenario, load->scratch);
    bool nodes = check_nodes(load, &plan), links = check_links(load, &plan);
    if (nodes)
        plan_expand(&plan, load->scratch, &topology);
    scenario_check_faults(load, &plan, nodes ? &topology : NULL);
    if (nodes && links)
        check_wiring(load, &plan, &topology);
}
