/* scenario_check_faults: the schedule of faults makes sense: it lies in the run, hits something that exists,
 * and brings back only what went down. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "common/model/scenario_bind.h"
#include "common/model/topology_plan.h"
#include "common/time/vtime.h"

#define RUN_NS_MAX INT64_C(8640000000000000) /* 100 days */

int64_t scenario_length_ns(const struct scenario *scenario) {
    __int128 length = (__int128)scenario->slot_ns * scenario->slots + scenario->drain_ns;
    return length > RUN_NS_MAX ? INT64_MAX : (int64_t)length;
}

const char *scenario_suggest(const struct topology_plan *plan, const char *name,
                             char guess[SCENARIO_GUESS_MAX]) {
    struct text_closest search = text_closest_to(name);
    for (uint32_t i = 0; i < plan->scenario->group_count; i++)
        text_closest_offer(&search, plan->scenario->groups[i].name);
    guess[0] = '\0';
    if (search.best != NULL)
        snprintf(guess, SCENARIO_GUESS_MAX, "; did you mean `%s`?", search.best);
    return guess;
}

bool scenario_check_name(struct scenario_load *load, const struct topology_plan *plan, const char *list,
                         uint32_t index, const char *key, const char *name) {
    char guess[SCENARIO_GUESS_MAX];
    if (*name == '\0' || plan->scenario->group_count == 0)
        return false;
    if (plan_select(plan, name).group != TOPOLOGY_NONE)
        return true;
    scenario_report(load, list, index, key, "there is no node or group `%s`%s", name,
                    scenario_suggest(plan, name, guess));
    return false;
}

static void check_times(struct scenario_load *load, uint32_t index) {
    const struct scenario_fault *fault = &load->scenario->faults[index];
    int64_t length_ns = scenario_length_ns(load->scenario);
    char text[UNITS_TEXT_MAX];
    if (!scenario_sound(load, "faults", index, "at"))
        return;
    if (fault->at_ns >= length_ns)
        scenario_report(load, "faults", index, "at", "after the end of the run, which lasts %s",
                        units_print_time(length_ns, text));
    if (fault->until_ns <= fault->at_ns && scenario_sound(load, "faults", index, "until"))
        scenario_report(load, "faults", index, "until", "must be later than `at`, %s",
                        units_print_time(fault->at_ns, text));
}

/* Is any node of `child` below any node of `parent`? */
static bool are_related(const struct topology_plan *plan, const struct topology *topology,
                        struct plan_selection child, struct plan_selection parent) {
    if (plan->parent_group[child.group] != parent.group)
        return false;
    if (child.node != TOPOLOGY_NONE)
        return plan_selects(plan, parent, topology->nodes[child.node].parent);
    if (parent.node == TOPOLOGY_NONE)
        return true;
    const struct topology_node *node = &topology->nodes[parent.node];
    for (uint32_t i = 0; i < node->child_count; i++)
        if (plan_selects(plan, child, topology->children[node->first_child + i]))
            return true;
    return false;
}

/* Is there a link of the mesh between any node of `a` and any of `b`? */
static bool are_in_mesh(const struct topology_plan *plan, struct plan_selection a, struct plan_selection b) {
    const struct scenario_group *groups = plan->scenario->groups;
    bool same = a.group == b.group &&
                (plan->node_count[a.group] == 1 || (a.node != TOPOLOGY_NONE && a.node == b.node));
    return plan_is_mesh(groups[a.group].role, groups[b.group].role) && !same;
}

static void check_ends(struct scenario_load *load, const struct topology_plan *plan,
                       const struct topology *topology, uint32_t index) {
    const struct scenario_fault *fault = &load->scenario->faults[index];
    bool from = scenario_check_name(load, plan, "faults", index, "from", fault->from);
    bool to = scenario_check_name(load, plan, "faults", index, "to", fault->to);
    if (!from || !to || topology == NULL)
        return;
    struct plan_selection a = plan_select(plan, fault->from), b = plan_select(plan, fault->to);
    if (!are_related(plan, topology, a, b) && !are_related(plan, topology, b, a) && !are_in_mesh(plan, a, b))
        scenario_report(load, "faults", index, "to",
                        "there is no link between `%s` and `%s`, so nothing would happen", fault->from,
                        fault->to);
}

/* Only validators have a ledger and a clock, and a ledger is copied before it is put back. */
static void check_validator(struct scenario_load *load, const struct topology_plan *plan, uint32_t index) {
    const struct scenario_fault *fault = &load->scenario->faults[index];
    uint32_t group = *fault->node != '\0' ? plan_select(plan, fault->node).group : TOPOLOGY_NONE;
    bool clock = fault->kind == FAULT_CLOCK;
    if (!fault_on_ledger(fault->kind) && !clock)
        return;
    if (group != TOPOLOGY_NONE && scenario_sound(load, "nodes", group, "role") &&
        load->scenario->groups[group].role != ROLE_CHAIN)
        scenario_report(load, "faults", index, "node", "`%s` is no validator; only they have a %s",
                        fault->node, clock ? "clock" : "ledger");
    if (fault->kind == FAULT_LEDGER_ROLLBACK && fault->until_ns == VTIME_NEVER)
        scenario_report(load, "faults", index, "kind", "needs `until`, when the copy is put back");
    if (clock && fault->offset_ns == 0 && fault->drift == 0 &&
        scenario_sound(load, "faults", index, "offset") && scenario_sound(load, "faults", index, "drift"))
        scenario_report(load, "faults", index, "kind", "needs `offset` or `drift`, or nothing would happen");
}

struct moment {
    int64_t at_ns;
    uint32_t index;
};

static int compare_moments(const void *a, const void *b) {
    const struct moment *left = a, *right = b;
    if (left->at_ns != right->at_ns)
        return left->at_ns < right->at_ns ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

/* What is wrong with a fault that hits a node which went down at `down_at` (-1: is up); NULL: nothing. */
static const char *misplaced(const struct scenario_fault *fault, int64_t at_ns, int64_t down_at,
                             const char **key) {
    bool down = down_at >= 0, damage = fault->kind == FAULT_LEDGER_CORRUPT ||
                                       fault->kind == FAULT_LEDGER_ROLLBACK ||
                                       fault->kind == FAULT_LEDGER_WIPE;
    *key = "node";
    if (fault->kind == FAULT_RESTART && !down)
        return "is not down at that time; only a crashed node can be restarted";
    if (damage && !down)
        return "is not down at that time; crash it first, a ledger is damaged while nobody uses it";
    if (fault->kind != FAULT_RESTART && !damage)
        return down ? "is down at that time; restart it first" : NULL;
    *key = "at";
    if (down_at != at_ns)
        return NULL;
    return damage ? "goes down at this very time; take a later one"
                  : "crashes at this very time; restart it later";
}

/* Applies one fault to `down_at` (per node: when it went down, -1 while up). A validator whose ledger fails
 * goes down at its next write. */
static void play(struct scenario_load *load, const struct topology_plan *plan,
                 const struct topology *topology, const struct moment *moment, int64_t *down_at) {
    const struct scenario_fault *fault = &load->scenario->faults[moment->index];
    struct plan_selection hit = plan_select(plan, fault->node);
    const char *key = NULL, *what = NULL, *name = "";
    uint32_t first = hit.node != TOPOLOGY_NONE ? hit.node : plan->first_node[hit.group];
    uint32_t count = hit.node != TOPOLOGY_NONE ? 1 : plan->node_count[hit.group];
    for (uint32_t id = first; id < first + count; id++) {
        const char *where, *problem = misplaced(fault, moment->at_ns, down_at[id], &where);
        if (problem != NULL && what == NULL)
            key = where, what = problem, name = topology->nodes[id].name;
        if (problem != NULL)
            continue;
        if (fault->kind == FAULT_CRASH || fault->kind == FAULT_DISK_FULL ||
            fault->kind == FAULT_LEDGER_UNLINK)
            down_at[id] = moment->at_ns;
        else if (fault->kind == FAULT_RESTART)
            down_at[id] = -1;
    }
    if (key != NULL)
        scenario_report(load, "faults", moment->index, key, "`%s` %s", name, what);
}

/* Plays the crashes in order of time and looks that each makes sense. */
static void check_crashes(struct scenario_load *load, const struct topology_plan *plan,
                          const struct topology *topology) {
    const struct scenario *scenario = load->scenario;
    uint32_t count = 0;
    struct moment *moments = arena_alloc_array(load->scratch, scenario->fault_count, sizeof *moments);
    int64_t *down_at = arena_alloc_array(load->scratch, topology->node_count, sizeof *down_at);
    memset(down_at, 0xff, topology->node_count * sizeof *down_at);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_fault *fault = &scenario->faults[i];
        bool known = *fault->node != '\0' && plan_select(plan, fault->node).group != TOPOLOGY_NONE;
        bool back = fault->kind == FAULT_LEDGER_ROLLBACK, clock = fault->kind == FAULT_CLOCK;
        if (known && fault_on_node(fault->kind) && !clock) /* a clock may be wrong while its owner is down */
            moments[count++] = (struct moment){.at_ns = back ? fault->until_ns : fault->at_ns, .index = i};
    }
    qsort(moments, count, sizeof *moments, compare_moments);
    for (uint32_t i = 0; i < count; i++)
        play(load, plan, topology, &moments[i], down_at);
}

void scenario_check_faults(struct scenario_load *load, const struct topology_plan *plan,
                           const struct topology *topology) {
    const struct tree_node *list = tree_get(load->root, "faults");
    bool sound = list == NULL || !list->bad;
    for (uint32_t i = 0; i < load->scenario->fault_count; i++) {
        const struct scenario_fault *fault = &load->scenario->faults[i];
        if (!scenario_sound(load, "faults", i, "kind"))
            continue;
        check_times(load, i);
        if (fault_on_node(fault->kind))
            check_validator(load, plan, i);
        if (fault_on_node(fault->kind))
            scenario_check_name(load, plan, "faults", i, "node", fault->node);
        else
            check_ends(load, plan, topology, i);
    }
    if (sound && topology != NULL)
        check_crashes(load, plan, topology);
}
