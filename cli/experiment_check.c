#include "cli/experiment_check.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/units.h"
#include "common/record/summary.h"

uint32_t sweep_find_arm(const struct sweep *sweep, const char *name) {
    for (uint32_t i = 0; i < sweep->arm_count; i++)
        if (strcmp(sweep->arms[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

uint32_t sweep_find_measure(const struct sweep *sweep, const char *name) {
    for (uint32_t i = 0; i < sweep->measure_count; i++)
        if (strcmp(sweep->measures[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

const char *sweep_guess_text(const struct text_closest *search, char guess[SWEEP_GUESS_MAX]) {
    *guess = '\0';
    if (search->best != NULL)
        snprintf(guess, SWEEP_GUESS_MAX, "; did you mean `%s`?", search->best);
    return guess;
}

const char *sweep_guess_arm(const struct sweep *sweep, const char *name, char guess[SWEEP_GUESS_MAX]) {
    struct text_closest search = text_closest_to(name);
    for (uint32_t i = 0; i < sweep->arm_count; i++)
        text_closest_offer(&search, sweep->arms[i].name);
    return sweep_guess_text(&search, guess);
}

const char *sweep_guess_measure(const struct sweep *sweep, const char *name, char guess[SWEEP_GUESS_MAX]) {
    struct text_closest search = text_closest_to(name);
    for (uint32_t i = 0; i < sweep->measure_count; i++)
        text_closest_offer(&search, sweep->measures[i].name);
    return sweep_guess_text(&search, guess);
}

/* ---- what is read out of a run ---- */

static void offer_keys(const json_t *object, const char *prefix, struct text_closest *search,
                       struct arena *arena) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        char path[160];
        snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' ? "." : "", key);
        if (json_is_object(value))
            offer_keys(value, path, search, arena);
        else if (json_is_number(value) || json_is_null(value))
            text_closest_offer(search, arena_copy_text(arena, path));
    }
}

/* handlers.ROLE.HANDLER.NUMBER: which there are depends on the run. */
static bool is_handler_key(const char *path) {
    static const char *const numbers[] = {".calls", ".wall_s", ".mean_us", ".least_us"};
    const char *number = strrchr(path, '.');
    for (size_t i = 0; number != NULL && i < sizeof numbers / sizeof *numbers; i++)
        if (strncmp(path, "handlers.", 9) == 0 && strcmp(number, numbers[i]) == 0)
            return true;
    return false;
}

/* The summary of an empty run with a validator has every key that any summary has, but those of handlers. */
static void check_summary_key(struct scenario_load *load, const struct tree_node *place, const char *path) {
    static const struct summary empty = {.chain = {.validators = 1}};
    char guess[SWEEP_GUESS_MAX];
    json_t *keys = summary_to_json(&empty);
    struct text_closest search = text_closest_to(path);
    offer_keys(keys, "", &search, load->scratch);
    bool known = search.best != NULL && search.distance == 0 && strcmp(search.best, path) == 0;
    if (!known && !is_handler_key(path))
        problem_at(load->problems, place, "the summary of a run has no number `%s`%s", path,
                   sweep_guess_text(&search, guess));
    json_decref(keys);
}

/* Exactly one source; what reduces a curve goes with a curve only. */
static void check_source(struct scenario_load *load, const struct tree_node *map,
                         struct sweep_source *source) {
    int given = (*source->result != '\0') + (*source->series != '\0') + (*source->summary != '\0');
    if (given != 1) {
        problem_at(load->problems, map,
                   "says %s where its number comes from; give one of `result`, `series` and `summary`",
                   given == 0 ? "nowhere" : "more than once");
        return;
    }
    source->kind = *source->result != '\0'   ? SOURCE_RESULT
                   : *source->series != '\0' ? SOURCE_SERIES
                                             : SOURCE_SUMMARY;
    static const char *const of_series[] = {"reduce", "window"};
    for (size_t i = 0; i < sizeof of_series / sizeof *of_series; i++)
        if (source->kind != SOURCE_SERIES && tree_get(map, of_series[i]) != NULL)
            problem_at(load->problems, tree_get(map, of_series[i]),
                       "`%s` has no effect here: it goes with `series`; remove it", of_series[i]);
    if (source->kind == SOURCE_SERIES && *source->per != '\0')
        problem_at(load->problems, tree_get(map, "per"),
                   "`per` goes with `result` and `summary` only; remove it");
    if (source->kind == SOURCE_SUMMARY && tree_get(map, "nodes") != NULL)
        problem_at(load->problems, tree_get(map, "nodes"),
                   "`nodes` has no effect here: the summary is of all nodes; remove it");
    if (source->kind == SOURCE_SUMMARY)
        check_summary_key(load, tree_get(map, "summary"), source->summary);
    if (source->kind == SOURCE_SUMMARY && *source->per != '\0')
        check_summary_key(load, tree_get(map, "per"), source->per);
}

static void check_reads(struct scenario_load *load, struct sweep *sweep, uint32_t arm) {
    const struct tree_node *list = tree_get(tree_item(tree_get(load->root, "arms"), arm), "read");
    for (uint32_t i = 0; i < sweep->arms[arm].read_count; i++) {
        struct sweep_read *read = &sweep->arms[arm].reads[i];
        const struct tree_node *map = tree_item(list, i);
        char guess[SWEEP_GUESS_MAX];
        uint32_t measure = sweep_find_measure(sweep, read->measure);
        if (measure == UINT32_MAX && *read->measure != '\0')
            problem_at(load->problems, tree_get(map, "measure"), "there is no measure `%s`%s", read->measure,
                       sweep_guess_measure(sweep, read->measure, guess));
        check_source(load, map, &read->source);
        if (measure != UINT32_MAX && sweep->figure == FIGURE_STEPS && read->source.kind != SOURCE_SERIES)
            problem_at(load->problems, map, "a figure over steps draws curves: read a `series`");
    }
}

/* Reports the second of two entries with one name. */
static void check_unique(struct scenario_load *load, const char *list, const char *const *names,
                         uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (*names[i] != '\0' && strcmp(names[i], names[k]) == 0) {
                scenario_report(load, list, i, "name", "`%s` is there already; names must differ", names[i]);
                break;
            }
}

static bool too_many(struct scenario_load *load, const char *list, uint32_t count, uint32_t most) {
    if (count > most)
        problem_at(load->problems, tree_get(load->root, list), "%s: more than %u entries", list, most);
    if (count == 0 && tree_get(load->root, list) != NULL && !tree_get(load->root, list)->bad)
        problem_at(load->problems, tree_get(load->root, list), "%s: at least one is needed", list);
    return count > most;
}

void sweep_check_measures(struct scenario_load *load, struct sweep *sweep) {
    const char *names[SWEEP_ARMS_MAX + SWEEP_MEASURES_MAX];
    if (too_many(load, "measures", sweep->measure_count, SWEEP_MEASURES_MAX) ||
        too_many(load, "arms", sweep->arm_count, SWEEP_ARMS_MAX))
        return;
    for (uint32_t i = 0; i < sweep->measure_count; i++) {
        struct sweep_measure *measure = &sweep->measures[i];
        names[i] = measure->name;
        check_source(load, tree_item(tree_get(load->root, "measures"), i), &measure->source);
        if (sweep->figure == FIGURE_STEPS && measure->source.kind != SOURCE_SERIES)
            scenario_report(load, "measures", i, "name", "a figure over steps draws curves: read a `series`");
        if (*measure->label == '\0')
            memcpy(measure->label, measure->name, sizeof measure->name);
    }
    check_unique(load, "measures", names, sweep->measure_count);
    for (uint32_t i = 0; i < sweep->arm_count; i++) {
        names[i] = sweep->arms[i].name;
        check_reads(load, sweep, i);
        if (*sweep->arms[i].label == '\0')
            memcpy(sweep->arms[i].label, sweep->arms[i].name, sizeof sweep->arms[i].name);
    }
    check_unique(load, "arms", names, sweep->arm_count);
}

/* ---- sets and points ---- */

/* One KEY=VALUE; `point` replaces `$x` (NULL: none may be there). */
static const char *read_set(struct scenario_load *load, const struct tree_node *node, const char *point) {
    if (node->kind != TREE_SCALAR || node->size == 0 || strlen(node->text) != node->size ||
        strchr(node->text, '=') == NULL || node->text[0] == '=') {
        problem_at(load->problems, node, "expected KEY=VALUE as --set has it, such as `policy.kind=local`");
        return NULL;
    }
    if (strncmp(node->text, "seed=", 5) == 0) {
        problem_at(load->problems, node, "the seed is what runs of one point differ by; use `first_seed`");
        return NULL;
    }
    const char *mark = strstr(node->text, "$x");
    if (mark == NULL)
        return arena_copy_text(load->arena, node->text);
    if (point == NULL) {
        problem_at(load->problems, node,
                   "`$x` stands for a value of the axis; it goes into the `set` of `x`");
        return NULL;
    }
    size_t size = node->size + strlen(point) + 1;
    char *text = arena_alloc(load->arena, size);
    snprintf(text, size, "%.*s%s%s", (int)(mark - node->text), node->text, point, mark + 2);
    return text;
}

/* Appends the assignments of `node`, a list or a single one. NULL: none. */
static void read_sets(struct scenario_load *load, const struct tree_node *node, const char *point,
                      struct sweep_sets *sets) {
    if (node == NULL)
        return;
    uint32_t count = node->kind == TREE_LIST ? node->count : 1;
    if (sets->count + count > SWEEP_OVERRIDES_MAX) {
        problem_at(load->problems, node, "more than %d overrides; put them into the scenario",
                   SWEEP_OVERRIDES_MAX);
        return;
    }
    const char **items = arena_alloc_array(load->arena, sets->count + count, sizeof *items);
    for (uint32_t i = 0; i < sets->count; i++)
        items[i] = sets->items[i];
    for (uint32_t i = 0; i < count; i++) {
        const char *text = read_set(load, node->kind == TREE_LIST ? node->items[i] : node, point);
        if (text != NULL)
            items[sets->count++] = text;
    }
    sets->items = items;
}

static bool copy_scalar(struct scenario_load *load, const struct tree_node *node, const char *what,
                        char *text, size_t size) {
    if (node->kind != TREE_SCALAR || tree_is_empty(node) || node->size >= size ||
        strlen(node->text) != node->size) {
        problem_at(load->problems, node, "expected %s of 1 to %zu bytes", what, size - 1);
        return false;
    }
    memcpy(text, node->text, node->size + 1);
    return true;
}

/* `{value: small, label: A small hall, set: [...]}` */
static void read_point_map(struct scenario_load *load, const struct tree_node *map,
                           struct sweep_point *point) {
    static const char *const known[] = {"value", "label", "set"};
    char guess[SWEEP_GUESS_MAX];
    for (uint32_t i = 0; i < map->count; i++) {
        struct text_closest search = text_closest_to(map->keys[i]->text);
        for (size_t k = 0; k < 3; k++)
            text_closest_offer(&search, known[k]);
        if (search.distance != 0)
            problem_at(load->problems, map->keys[i], "a value has the keys `value`, `label` and `set`%s",
                       sweep_guess_text(&search, guess));
    }
    const struct tree_node *value = tree_get(map, "value"), *label = tree_get(map, "label");
    if (copy_scalar(load, value != NULL ? value : map, "`value`", point->text, sizeof point->text))
        read_sets(load, tree_get(map, "set"), point->text, &point->sets);
    if (label != NULL)
        copy_scalar(load, label, "a label", point->label, sizeof point->label);
}

static void read_point(struct scenario_load *load, struct sweep *sweep, const struct tree_node *node,
                       struct sweep_point *point) {
    if (node->kind == TREE_MAP)
        read_point_map(load, node, point);
    else if (!copy_scalar(load, node, "a value", point->text, sizeof point->text))
        return;
    if (*point->text != '\0')
        read_sets(load, sweep->x.set_tree, point->text, &point->sets);
    if (*point->text == '\0' || units_parse(point->text, UNIT_PLAIN, &point->number, NULL) != STATUS_OK)
        point->number = NAN;
    if (isnan(point->number))
        sweep->categorical = true;
    if (sweep->x.logarithmic && !(point->number > 0))
        problem_at(load->problems, node, "a logarithmic axis takes numbers above 0 only");
    for (uint32_t i = 0; i < sweep->point_count; i++)
        if (strcmp(sweep->points[i].text, point->text) == 0)
            problem_at(load->problems, node, "`%s` is there already", point->text);
}

static void read_points(struct scenario_load *load, struct sweep *sweep) {
    const struct tree_node *values = sweep->x.values_tree;
    uint32_t count = values == NULL ? 1 : values->kind == TREE_LIST ? values->count : 0;
    if (count < 1 || count > SWEEP_POINTS_MAX) {
        problem_at(load->problems, values, "x.values: expected a list of 1 to %d values", SWEEP_POINTS_MAX);
        return;
    }
    sweep->points = arena_alloc_array(load->arena, count, sizeof *sweep->points);
    if (values == NULL) {
        sweep->single = sweep->categorical = true;
        sweep->point_count = 1;
        sweep->points[0] = (struct sweep_point){.text = "all", .number = NAN};
        if (sweep->x.set_tree != NULL)
            problem_at(load->problems, sweep->x.set_tree, "x.set has no effect without x.values");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        read_point(load, sweep, values->items[i], &sweep->points[i]);
        sweep->point_count++;
    }
    for (uint32_t i = 1; i < count && !sweep->categorical; i++)
        if (!(sweep->points[i].number > sweep->points[i - 1].number))
            problem_at(load->problems, values->items[i], "values of the axis must rise: %s comes after %s",
                       sweep->points[i].text, sweep->points[i - 1].text);
    if (sweep->x.set_tree == NULL)
        for (uint32_t i = 0; i < count; i++)
            if (sweep->points[i].sets.count == 0)
                problem_at(
                    load->problems, values->items[i],
                    "sets nothing: give `set` with x (`nodes.sensor.per_parent=$x`) or with the value");
}

/* Keeps the points that the quick section names. */
static void pick_points(struct scenario_load *load, struct sweep *sweep) {
    const struct tree_node *values = sweep->quick.values_tree;
    bool keep[SWEEP_POINTS_MAX] = {false};
    uint32_t kept = 0;
    for (uint32_t i = 0; values->kind == TREE_LIST && i < values->count; i++) {
        uint32_t k = 0;
        while (k < sweep->point_count && strcmp(sweep->points[k].text, values->items[i]->text) != 0)
            k++;
        if (k == sweep->point_count)
            problem_at(load->problems, values->items[i], "`%.40s` is no value of x", values->items[i]->text);
        else
            keep[k] = true;
    }
    if (values->kind != TREE_LIST || values->count == 0)
        problem_at(load->problems, values, "quick.values: expected a list of values of x");
    for (uint32_t k = 0; k < sweep->point_count; k++)
        if (keep[k])
            sweep->points[kept++] = sweep->points[k];
    sweep->point_count = kept > 0 ? kept : sweep->point_count;
}

/* Could the overrides of one run be more than `tierbed run` takes? */
static void check_totals(struct scenario_load *load, const struct sweep *sweep) {
    for (uint32_t p = 0; p < sweep->point_count; p++)
        for (uint32_t a = 0; a < sweep->arm_count; a++)
            if (sweep->sets.count + sweep->points[p].sets.count + sweep->arms[a].sets.count +
                    sweep->quick.sets.count >
                SWEEP_OVERRIDES_MAX) {
                problem_at(load->problems, load->root, "more than %d overrides for one run",
                           SWEEP_OVERRIDES_MAX);
                return;
            }
}

void sweep_expand(struct scenario_load *load, struct sweep *sweep, bool quick) {
    read_sets(load, sweep->set_tree, NULL, &sweep->sets);
    read_points(load, sweep);
    for (uint32_t i = 0; i < sweep->arm_count; i++)
        read_sets(load, sweep->arms[i].set_tree, NULL, &sweep->arms[i].sets);
    read_sets(load, sweep->quick.set_tree, NULL, &sweep->quick.sets);
    check_totals(load, sweep);
    if (sweep->quick.values_tree != NULL && load->problems->count == 0) {
        struct sweep_point *all = sweep->points;
        uint32_t count = sweep->point_count;
        if (!quick) { /* still checked, on a copy */
            sweep->points = arena_alloc_array(load->arena, count, sizeof *all);
            memcpy(sweep->points, all, count * sizeof *all);
        }
        pick_points(load, sweep);
        if (!quick) {
            sweep->points = all;
            sweep->point_count = count;
        }
    }
    if (quick)
        sweep->seeds = sweep->quick.seeds;
    else
        sweep->quick.sets.count = 0;
    if (*sweep->x.label == '\0')
        snprintf(sweep->x.label, sizeof sweep->x.label, "x");
}
