/* scenario_bind: from the tree of a file to struct scenario, by the table. Internal to the scenario loader.
 */
#ifndef TIERBED_MODEL_SCENARIO_BIND_H
#define TIERBED_MODEL_SCENARIO_BIND_H

#include "common/model/scenario_tree.h"

/* What the steps of loading share. All borrowed. */
struct scenario_load {
    struct arena *arena;    /* of the caller: what the scenario points to */
    struct arena *scratch;  /* gone after loading: tree, indexes */
    struct tree_node *root; /* of the file with overrides applied */
    struct scenario *scenario; /* NULL when another kind of file is loaded */
    struct scenario_problems *problems;
};

#define SCENARIO_ENTRIES_MAX 10000 /* entries of one list in a file */

/* Applies one --set assignment to load->root. */
void scenario_set(struct scenario_load *load, const char *assignment);

/* Fills *load->scenario: defaults, then what the tree gives. Reports unknown, missing, misplaced keys, wrong
 * types, units and ranges. */
void scenario_bind(struct scenario_load *load);

/* The same for any other kind of file: fills the zeroed struct `target` of `schema` from load->root. */
struct schema;
void schema_bind(struct scenario_load *load, const struct schema *schema, void *target);

/* Everything that takes more than one value to judge: references, tiers, links, faults. */
void scenario_check(struct scenario_load *load);

/* The part of scenario_check about faults. `topology` is NULL when the nodes are not sound. */
struct topology;
struct topology_plan;
void scenario_check_faults(struct scenario_load *load, const struct topology_plan *plan,
                           const struct topology *topology);

/* Is there a node or group called `name`, the value of that key? Reports if not. False for the empty name,
 * whose problem was reported when it was read. */
bool scenario_check_name(struct scenario_load *load, const struct topology_plan *plan, const char *list,
                         uint32_t index, const char *key, const char *name);

/* "; did you mean `sensor`?", or "". */
#define SCENARIO_GUESS_MAX 96
const char *scenario_suggest(const struct topology_plan *plan, const char *name,
                             char guess[SCENARIO_GUESS_MAX]);

/* All slots and the drain; INT64_MAX above 100 days. */
int64_t scenario_length_ns(const struct scenario *scenario);

/* Reports at key `key` of entry `index` of list `list`, or at the entry when it lacks the key. The text
 * begins with "links[2].rate: ". */
void scenario_report(struct scenario_load *load, const char *list, uint32_t index, const char *key,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Was `key` of that entry read without a problem (or left out)? */
bool scenario_sound(const struct scenario_load *load, const char *list, uint32_t index, const char *key);

#endif
