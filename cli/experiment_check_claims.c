/* experiment_check_claims: what the names in a claim mean, and whether the claim can be judged at all. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/experiment_check.h"

/* The claim at hand. */
struct check {
    struct scenario_load *load;
    struct sweep *sweep;
    struct sweep_claim *claim;
    uint32_t index;
};

#define REPORT(check, key, ...) scenario_report((check)->load, "claims", (check)->index, key, __VA_ARGS__)

static uint32_t arm_named(const struct check *check, const char *key, const char *name) {
    char guess[SWEEP_GUESS_MAX];
    uint32_t arm = sweep_find_arm(check->sweep, name);
    if (arm == UINT32_MAX)
        REPORT(check, key, "there is no arm `%.60s`%s", name, sweep_guess_arm(check->sweep, name, guess));
    return arm;
}

static uint32_t measure_named(const struct check *check, const char *key, const char *name,
                              uint32_t otherwise) {
    char guess[SWEEP_GUESS_MAX];
    if (*name == '\0')
        return otherwise;
    uint32_t measure = sweep_find_measure(check->sweep, name);
    if (measure == UINT32_MAX)
        REPORT(check, key, "there is no measure `%s`%s", name,
               sweep_guess_measure(check->sweep, name, guess));
    return measure == UINT32_MAX ? 0 : measure;
}

/* Names of arms, a list or a single one; their indexes, at most SWEEP_ARMS_MAX. */
static uint32_t read_arms(const struct check *check, const char *key, const struct tree_node *node,
                          uint32_t *arms) {
    uint32_t count = node->kind == TREE_LIST ? node->count : 1, kept = 0;
    if (count < 1 || count > SWEEP_ARMS_MAX || node->kind == TREE_MAP) {
        REPORT(check, key, "expected the name of an arm, or a list of 1 to %d names", SWEEP_ARMS_MAX);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct tree_node *item = node->kind == TREE_LIST ? node->items[i] : node;
        uint32_t arm = arm_named(check, key, item->text);
        if (arm != UINT32_MAX)
            arms[kept++] = arm;
    }
    return kept;
}

/* a against every b. */
static void resolve_pairs(const struct check *check) {
    struct sweep_claim *claim = check->claim;
    uint32_t a = arm_named(check, "a", claim->a);
    claim->pair_count = read_arms(check, "b", claim->b_tree, claim->b_arms);
    for (uint32_t i = 0; i < claim->pair_count; i++) {
        claim->a_arms[i] = a;
        if (claim->b_arms[i] == a && claim->measure_index == claim->measure_b_index)
            REPORT(check, "b", "`%s` is compared with itself", claim->a);
    }
}

/* Each below the next. */
static void resolve_ranking(const struct check *check) {
    struct sweep_claim *claim = check->claim;
    uint32_t arms[SWEEP_ARMS_MAX], count = read_arms(check, "arms", claim->arms_tree, arms);
    if (count < 2)
        REPORT(check, "arms", "a ranking takes at least two arms, the lowest first");
    for (uint32_t i = 0; i + 1 < count; i++) {
        claim->a_arms[i] = arms[i];
        claim->b_arms[i] = arms[i + 1];
        claim->pair_count++;
    }
}

static uint32_t point_of(const struct sweep *sweep, const char *text) {
    for (uint32_t i = 0; i < sweep->point_count; i++)
        if (strcmp(sweep->points[i].text, text) == 0)
            return i;
    return UINT32_MAX;
}

/* Was `text` in the file, though the quick section leaves it out? */
static bool left_out(const struct sweep *sweep, const char *text) {
    const struct tree_node *values = sweep->x.values_tree;
    for (uint32_t i = 0; values != NULL && i < values->count; i++) {
        const struct tree_node *value = tree_item(values, i);
        if (value != NULL && value->kind == TREE_MAP)
            value = tree_get(value, "value");
        if (value != NULL && strcmp(value->text, text) == 0)
            return true;
    }
    return false;
}

/* Points of the claim, all without `at`. Values to be equal to follow the points kept. */
static void resolve_points(const struct check *check) {
    struct sweep_claim *claim = check->claim;
    const struct tree_node *at = claim->at_tree;
    const struct tree_node *values = at != NULL ? at : check->sweep->x.values_tree;
    bool each = claim->kind == CLAIM_VALUE && claim->equal_count > 1;
    uint32_t count = values == NULL ? 1 : values->kind == TREE_LIST ? values->count : 1;
    if (each && claim->equal_count != count) {
        REPORT(check, "equals", "%u values for %u points; give one for all, or one for each",
               claim->equal_count, count);
        return;
    }
    for (uint32_t i = 0; i < count && claim->at_count < SWEEP_POINTS_MAX; i++) {
        const struct tree_node *item =
            values != NULL && values->kind == TREE_LIST ? values->items[i] : values;
        if (item != NULL && item->kind == TREE_MAP)
            item = tree_get(item, "value");
        const char *text = item != NULL ? item->text : "all";
        uint32_t point = point_of(check->sweep, text);
        if (point == UINT32_MAX && !left_out(check->sweep, text))
            REPORT(check, "at", "`%.40s` is no value of x", text);
        if (point == UINT32_MAX)
            continue;
        if (each)
            claim->equals[claim->at_count] = claim->equals[i];
        claim->at[claim->at_count++] = point;
    }
    if (each)
        claim->equal_count = claim->at_count;
}

/* How many points the whole file has for this claim: quick may leave fewer. */
static void check_axis(const struct check *check) {
    const struct sweep_claim *claim = check->claim;
    const struct sweep *sweep = check->sweep;
    bool needs_numbers = claim->kind == CLAIM_GROWTH || claim->kind == CLAIM_CROSSOVER ||
                         (claim->kind == CLAIM_MONOTONE && claim->shape != SHAPE_ANY);
    bool over_points = needs_numbers || claim->kind == CLAIM_MONOTONE || claim->kind == CLAIM_SPREAD;
    if (needs_numbers && sweep->categorical)
        REPORT(check, "kind", "needs numbers on the x axis; these are names");
    if (over_points && sweep->single)
        REPORT(check, "kind", "compares points of the x axis; there is only one");
    if (claim->kind == CLAIM_CROSSOVER && claim->from <= claim->until)
        REPORT(check, "above_from", "must be more than `below_until`");
    bool range = claim->kind == CLAIM_RATIO || claim->kind == CLAIM_GROWTH;
    if (range && claim->high < claim->low)
        REPORT(check, "high", "is less than `low`");
}

static void check_claim(const struct check *check) {
    struct sweep_claim *claim = check->claim;
    bool pairs = claim->kind == CLAIM_ORDER || claim->kind == CLAIM_RATIO || claim->kind == CLAIM_CROSSOVER;
    claim->measure_index = measure_named(check, "measure", claim->measure, 0);
    claim->measure_b_index = measure_named(check, "measure_b", claim->measure_b, claim->measure_index);
    if (pairs) {
        resolve_pairs(check);
    } else if (claim->kind == CLAIM_RANKING) {
        resolve_ranking(check);
    } else {
        claim->a_arms[0] = arm_named(check, "a", claim->a);
        claim->pair_count = 1;
    }
    resolve_points(check);
    check_axis(check);
}

void sweep_check_claims(struct scenario_load *load, struct sweep *sweep) {
    for (uint32_t i = 0; i < sweep->claim_count; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(sweep->claims[k].name, sweep->claims[i].name) == 0)
                scenario_report(load, "claims", i, "name", "`%s` is there already; names must differ",
                                sweep->claims[i].name);
        check_claim(&(struct check){.load = load, .sweep = sweep, .claim = &sweep->claims[i], .index = i});
    }
}
