#include "cli/experiment_schema.h"

#include "cli/experiment_sweep.h"

/* clang-format off */

#define BIT(value) (UINT32_C(1) << (value))
#define KINDS(mask) {"kind", mask}
#define PAIRS (BIT(CLAIM_ORDER) | BIT(CLAIM_RATIO) | BIT(CLAIM_CROSSOVER))
#define MEMBER SCHEMA_MEMBER
#define FINITE .minimum = -1e300, .maximum = 1e300

static const char *const reduce_names[] = {"mean", "std", "last", "min", "max", "sum", NULL};
static const char *const nodes_names[] = {"mean", "sum", "min", "max", NULL};
static const char *const figure_names[] = {"sweep", "steps", NULL};
static const char *const relation_names[] = {"below", "above", "at-most", "at-least", NULL};
static const char *const direction_names[] = {"increasing", "decreasing", NULL};
static const char *const shape_names[] = {"any", "convex", "concave", NULL};
const char *const claim_level_names[] = {"hard", "soft", NULL};
const char *const claim_kind_names[] = {"order",     "ranking", "ratio",  "monotone",
                                        "crossover", "spread",  "growth", "value", NULL};

#define SOURCE_ROWS(holder)                                                                                    \
    {.key = "result", .type = SCHEMA_TEXT, MEMBER(holder, source.result)},                                     \
    {.key = "series", .type = SCHEMA_TEXT, MEMBER(holder, source.series)},                                     \
    {.key = "summary", .type = SCHEMA_TEXT, MEMBER(holder, source.summary)},                                   \
    {.key = "per", .type = SCHEMA_TEXT, MEMBER(holder, source.per)},                                        \
    {.key = "nodes", .type = SCHEMA_ENUM, MEMBER(holder, source.nodes), .names = nodes_names,                  \
     .fallback = "mean"},                                                                                    \
    {.key = "reduce", .type = SCHEMA_ENUM, MEMBER(holder, source.reduce), .names = reduce_names,               \
     .fallback = "mean"},                                                                                    \
    {.key = "window", .type = SCHEMA_COUNT, MEMBER(holder, source.window), .minimum = 1, .maximum = 1e9},      \
    {.key = "scale", .type = SCHEMA_NUMBER, MEMBER(holder, source.scale), FINITE, .fallback = "1"}

static const struct schema_field measure_rows[] = {
    {.key = "name", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(sweep_measure, name)},
    {.key = "label", .type = SCHEMA_TEXT, MEMBER(sweep_measure, label)},
    {.key = "unit", .type = SCHEMA_TEXT, MEMBER(sweep_measure, unit)},
    {.key = "log", .type = SCHEMA_BOOL, MEMBER(sweep_measure, logarithmic), .fallback = "false"},
    SOURCE_ROWS(sweep_measure),
};
static const struct schema measure_schema = {measure_rows, SCHEMA_LENGTH(measure_rows), "measure"};

static const struct schema_field read_rows[] = {
    {.key = "measure", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(sweep_read, measure)},
    SOURCE_ROWS(sweep_read),
};
static const struct schema read_schema = {read_rows, SCHEMA_LENGTH(read_rows), "measure"};

static const struct schema_field arm_rows[] = {
    {.key = "name", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(sweep_arm, name)},
    {.key = "label", .type = SCHEMA_TEXT, MEMBER(sweep_arm, label)},
    {.key = "set", .type = SCHEMA_TREE, MEMBER(sweep_arm, set_tree)},
    {.key = "read", .type = SCHEMA_LIST, .offset = offsetof(struct sweep_arm, reads), .size = sizeof(struct sweep_read),
     .count_offset = offsetof(struct sweep_arm, read_count), .fields = &read_schema},
};
static const struct schema arm_schema = {arm_rows, SCHEMA_LENGTH(arm_rows), "arm"};

static const struct schema_field claim_rows[] = {
    {.key = "name", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, name)},
    {.key = "text", .type = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, text)},
    {.key = "level", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, level),
     .names = claim_level_names},
    {.key = "kind", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, kind), .names = claim_kind_names},
    {.key = "measure", .type = SCHEMA_NAME, MEMBER(sweep_claim, measure)},
    {.key = "at", .type = SCHEMA_TREE, MEMBER(sweep_claim, at_tree)},
    {.key = "exact", .type = SCHEMA_BOOL, MEMBER(sweep_claim, exact), .fallback = "false"},
    {.key = "a", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, a),
     .when = KINDS(~BIT(CLAIM_RANKING))},
    {.key = "b", .type = SCHEMA_TREE, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, b_tree), .when = KINDS(PAIRS)},
    {.key = "measure_b", .type = SCHEMA_NAME, MEMBER(sweep_claim, measure_b), .when = KINDS(PAIRS)},
    {.key = "arms", .type = SCHEMA_TREE, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, arms_tree),
     .when = KINDS(BIT(CLAIM_RANKING))},
    {.key = "relation", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, relation),
     .names = relation_names, .when = KINDS(BIT(CLAIM_ORDER))},
    {.key = "ratio", .type = SCHEMA_NUMBER, .flags = SCHEMA_ABOVE, MEMBER(sweep_claim, ratio), .maximum = 1e300,
     .fallback = "1", .when = KINDS(BIT(CLAIM_ORDER) | BIT(CLAIM_RANKING))},
    {.key = "margin", .type = SCHEMA_NUMBER, MEMBER(sweep_claim, margin), FINITE, .fallback = "0",
     .when = KINDS(BIT(CLAIM_ORDER) | BIT(CLAIM_RANKING) | BIT(CLAIM_MONOTONE) | BIT(CLAIM_CROSSOVER))},
    {.key = "low", .type = SCHEMA_NUMBER, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, low), FINITE,
     .when = KINDS(BIT(CLAIM_RATIO) | BIT(CLAIM_GROWTH))},
    {.key = "high", .type = SCHEMA_NUMBER, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, high), FINITE,
     .when = KINDS(BIT(CLAIM_RATIO) | BIT(CLAIM_GROWTH))},
    {.key = "direction", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, direction),
     .names = direction_names, .when = KINDS(BIT(CLAIM_MONOTONE))},
    {.key = "shape", .type = SCHEMA_ENUM, MEMBER(sweep_claim, shape), .names = shape_names, .fallback = "any",
     .when = KINDS(BIT(CLAIM_MONOTONE))},
    {.key = "below_until", .type = SCHEMA_NUMBER, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, until), FINITE,
     .when = KINDS(BIT(CLAIM_CROSSOVER))},
    {.key = "above_from", .type = SCHEMA_NUMBER, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, from), FINITE,
     .when = KINDS(BIT(CLAIM_CROSSOVER))},
    {.key = "most", .type = SCHEMA_NUMBER, .flags = SCHEMA_REQUIRED, MEMBER(sweep_claim, most), .minimum = 1,
     .maximum = 1e300, .when = KINDS(BIT(CLAIM_SPREAD))},
    {.key = "equals", .type = SCHEMA_NUMBERS, .flags = SCHEMA_REQUIRED, .offset = offsetof(struct sweep_claim, equals),
     .size = SWEEP_POINTS_MAX, .count_offset = offsetof(struct sweep_claim, equal_count), FINITE,
     .when = KINDS(BIT(CLAIM_VALUE))},
    {.key = "tolerance", .type = SCHEMA_NUMBER, MEMBER(sweep_claim, tolerance), .maximum = 1e300, .fallback = "0",
     .when = KINDS(BIT(CLAIM_VALUE))},
    {.key = "relative", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, MEMBER(sweep_claim, relative), .maximum = 1e300,
     .fallback = "0", .when = KINDS(BIT(CLAIM_VALUE))},
};
static const struct schema claim_schema = {claim_rows, SCHEMA_LENGTH(claim_rows), "claim"};

static const struct schema_field x_rows[] = {
    {.key = "label", .type = SCHEMA_TEXT, MEMBER(sweep, x.label)},
    {.key = "unit", .type = SCHEMA_TEXT, MEMBER(sweep, x.unit)},
    {.key = "log", .type = SCHEMA_BOOL, MEMBER(sweep, x.logarithmic), .fallback = "false"},
    {.key = "values", .type = SCHEMA_TREE, MEMBER(sweep, x.values_tree)},
    {.key = "set", .type = SCHEMA_TREE, MEMBER(sweep, x.set_tree)},
};
static const struct schema x_schema = {x_rows, SCHEMA_LENGTH(x_rows), NULL};

static const struct schema_field quick_rows[] = {
    {.key = "seeds", .type = SCHEMA_COUNT, MEMBER(sweep, quick.seeds), .minimum = 1, .maximum = SWEEP_SEEDS_MAX,
     .fallback = "3"},
    {.key = "values", .type = SCHEMA_TREE, MEMBER(sweep, quick.values_tree)},
    {.key = "set", .type = SCHEMA_TREE, MEMBER(sweep, quick.set_tree)},
};
static const struct schema quick_schema = {quick_rows, SCHEMA_LENGTH(quick_rows), NULL};

#define ENTRIES(member, counter, type)                                                                       \
    .offset = offsetof(struct sweep, member), .size = sizeof(struct type), .count_offset = offsetof(struct sweep, counter)

static const struct schema_field sweep_rows[] = {
    {.key = "title", .type = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, MEMBER(sweep, title)},
    {.key = "paper", .type = SCHEMA_TEXT, MEMBER(sweep, paper)},
    {.key = "scenario", .type = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, MEMBER(sweep, scenario)},
    {.key = "figure", .type = SCHEMA_ENUM, MEMBER(sweep, figure), .names = figure_names, .fallback = "sweep"},
    {.key = "set", .type = SCHEMA_TREE, MEMBER(sweep, set_tree)},
    {.key = "x", .type = SCHEMA_MAP, .fields = &x_schema},
    {.key = "measures", .type = SCHEMA_LIST, .flags = SCHEMA_REQUIRED, ENTRIES(measures, measure_count, sweep_measure),
     .fields = &measure_schema},
    {.key = "arms", .type = SCHEMA_LIST, .flags = SCHEMA_REQUIRED, ENTRIES(arms, arm_count, sweep_arm),
     .fields = &arm_schema},
    {.key = "seeds", .type = SCHEMA_COUNT, MEMBER(sweep, seeds), .minimum = 1, .maximum = SWEEP_SEEDS_MAX,
     .fallback = "10"},
    {.key = "first_seed", .type = SCHEMA_SEED, MEMBER(sweep, first_seed), .fallback = "1"},
    {.key = "smooth", .type = SCHEMA_COUNT, MEMBER(sweep, smooth), .minimum = 1, .maximum = 1e6, .fallback = "1"},
    {.key = "step_label", .type = SCHEMA_TEXT, MEMBER(sweep, step_label), .fallback = "step"},
    {.key = "claims", .type = SCHEMA_LIST, ENTRIES(claims, claim_count, sweep_claim), .fields = &claim_schema},
    {.key = "quick", .type = SCHEMA_MAP, .fields = &quick_schema},
    {.key = "notes", .type = SCHEMA_TEXT, MEMBER(sweep, notes)},
};
const struct schema sweep_schema = {sweep_rows, SCHEMA_LENGTH(sweep_rows), NULL};
