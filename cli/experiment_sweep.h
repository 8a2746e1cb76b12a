/* experiment_sweep: what a sweep file says: a scenario, what is swept (x), the arms, what is read out of a
 * run (measures), and the claims that the results must show. Checked as strictly as a scenario; nothing is
 * run here. docs/experiments.md is the reference of the format. */
#ifndef TIERBED_CLI_EXPERIMENT_SWEEP_H
#define TIERBED_CLI_EXPERIMENT_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/model/scenario.h"
#include "common/model/scenario_tree.h"

#define SWEEP_NAME_MAX 48
#define SWEEP_LABEL_MAX 96
#define SWEEP_POINTS_MAX 64
#define SWEEP_ARMS_MAX 16
#define SWEEP_MEASURES_MAX 12
#define SWEEP_SEEDS_MAX 1000
#define SWEEP_OVERRIDES_MAX 60 /* of one run, the seed not counted */

enum source_kind { SOURCE_NONE = 0, SOURCE_RESULT, SOURCE_SERIES, SOURCE_SUMMARY };
enum source_reduce { REDUCE_MEAN = 0, REDUCE_DEVIATION, REDUCE_LAST, REDUCE_MIN, REDUCE_MAX, REDUCE_SUM };
enum source_nodes { NODES_MEAN = 0, NODES_SUM, NODES_MIN, NODES_MAX };

/* Where a number comes from: a named result, a curve over steps, or a key of the summary such as
 * `delay.mean_ms`. */
struct sweep_source {
    enum source_kind kind;
    char result[SWEEP_LABEL_MAX], series[SWEEP_LABEL_MAX], summary[SWEEP_LABEL_MAX]; /* the one given */
    char per[SWEEP_LABEL_MAX]; /* divided by this one of the same kind, "" for nothing; not for a series */
    enum source_nodes nodes;   /* how several nodes become one value (per step, for a curve) */
    enum source_reduce reduce; /* series: over steps */
    uint32_t window;           /* series: the last so many steps; 0: all */
    double scale;              /* factor to the unit shown */
};

struct sweep_measure {
    char name[SWEEP_NAME_MAX], label[SWEEP_LABEL_MAX], unit[SWEEP_NAME_MAX];
    struct sweep_source source;
    bool logarithmic; /* y axis */
};

/* An arm may read a measure from elsewhere, such as another result of the same run. */
struct sweep_read {
    char measure[SWEEP_NAME_MAX];
    struct sweep_source source;
};

struct sweep_sets {
    const char **items; /* KEY=VALUE, later ones win */
    uint32_t count;
};

struct sweep_arm {
    char name[SWEEP_NAME_MAX], label[SWEEP_LABEL_MAX];
    const struct tree_node *set_tree;
    struct sweep_sets sets;
    struct sweep_read *reads;
    uint32_t read_count;
};

struct sweep_point {
    char text[SWEEP_NAME_MAX];   /* as the file has it; claims name points by it */
    char label[SWEEP_LABEL_MAX]; /* of a named point, "" otherwise */
    double number;               /* position on the axis; NAN: a name */
    struct sweep_sets sets;
};

struct sweep_x {
    char label[SWEEP_LABEL_MAX], unit[SWEEP_NAME_MAX];
    bool logarithmic;
    const struct tree_node *values_tree, *set_tree;
};

enum figure_kind { FIGURE_SWEEP = 0, FIGURE_STEPS };

enum claim_level { CLAIM_HARD = 0, CLAIM_SOFT };
enum claim_kind {
    CLAIM_ORDER = 0,
    CLAIM_RANKING,
    CLAIM_RATIO,
    CLAIM_MONOTONE,
    CLAIM_CROSSOVER,
    CLAIM_SPREAD,
    CLAIM_GROWTH,
    CLAIM_VALUE
};
enum claim_relation { RELATION_BELOW = 0, RELATION_ABOVE, RELATION_AT_MOST, RELATION_AT_LEAST };
enum claim_direction { DIRECTION_INCREASING = 0, DIRECTION_DECREASING };
enum claim_shape { SHAPE_ANY = 0, SHAPE_CONVEX, SHAPE_CONCAVE };

struct sweep_claim {
    char name[SWEEP_NAME_MAX], text[512];
    enum claim_level level;
    enum claim_kind kind;
    char measure[SWEEP_NAME_MAX], measure_b[SWEEP_NAME_MAX], a[SWEEP_NAME_MAX];
    const struct tree_node *b_tree, *arms_tree, *at_tree;
    enum claim_relation relation;
    double ratio, margin;
    double low, high;
    enum claim_direction direction;
    enum claim_shape shape;
    double until, from; /* crossover */
    double most;        /* spread */
    double equals[SWEEP_POINTS_MAX];
    uint32_t equal_count;
    double tolerance, relative;
    bool exact; /* no randomness: one seed is enough */
    /* What the names mean, filled by the checks. */
    uint32_t measure_index, measure_b_index;
    uint32_t a_arms[SWEEP_ARMS_MAX], b_arms[SWEEP_ARMS_MAX]; /* pairs for order, ranking, ratio, crossover */
    uint32_t pair_count;                                     /* others: 1, b unused */
    uint32_t at[SWEEP_POINTS_MAX], at_count;                 /* indexes into points, in order of the file */
};

struct sweep_quick {
    uint32_t seeds;
    const struct tree_node *values_tree, *set_tree;
    struct sweep_sets sets;
};

struct sweep {
    char path[512];              /* of the file, as given */
    char scheme[SWEEP_NAME_MAX]; /* name of its folder */
    char name[SWEEP_NAME_MAX];   /* of the file, without .yaml */
    char title[160], paper[160]; /* paper: what the figure reproduces */
    char scenario[256];          /* as the file has it: relative to the file */
    char scenario_path[1024];    /* as seen from here */
    enum figure_kind figure;
    const struct tree_node *set_tree;
    struct sweep_sets sets;
    struct sweep_x x;
    struct sweep_point *points; /* at least one; a sweep without x has one point called "all" */
    uint32_t point_count;
    bool categorical; /* points are names */
    bool single;      /* no x at all: arms stand side by side */
    struct sweep_measure *measures;
    uint32_t measure_count;
    struct sweep_arm *arms;
    uint32_t arm_count;
    uint32_t seeds;
    uint64_t first_seed;
    uint32_t smooth;                  /* steps averaged in a curve */
    char step_label[SWEEP_LABEL_MAX]; /* of the axis of a curve */
    struct sweep_claim *claims;
    uint32_t claim_count;
    struct sweep_quick quick;
    char notes[4096];
    uint64_t hash; /* of the file's text */
};

/* Loads a sweep file. STATUS_INVALID with `problems` filled, STATUS_IO when it cannot be read (also one
 * problem). Everything lives in `arena`. With `quick` the quick section is applied: fewer points and seeds,
 * further overrides. */
enum status sweep_load(const char *path, bool quick, struct arena *arena, struct sweep *sweep,
                       struct scenario_problems *problems);

/* As above from text; `path` gives scheme, name and the place of the scenario. */
enum status sweep_load_text(const char *text, size_t size, const char *path, bool quick, struct arena *arena,
                            struct sweep *sweep, struct scenario_problems *problems);

/* Is the file at `path` a sweep (a map with the key `arms`), not a scenario? False for what cannot be read.
 */
bool sweep_is_one(const char *path);

/* Where arm `arm` reads measure `measure` from. */
const struct sweep_source *sweep_source_of(const struct sweep *sweep, uint32_t arm, uint32_t measure);

/* Name of the result, the curve or the key. */
const char *source_name(const struct sweep_source *source);

/* Words of the enums, as files have them. */
extern const char *const claim_kind_names[];
extern const char *const claim_level_names[];

#endif
