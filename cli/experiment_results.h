/* experiment_results: what one figure came to, and the files that say so:
 *
 *   points.csv    one row per run: x, arm, seed, every measure, digest, the command that repeats it
 *   summary.csv   per measure, x and arm: interquartile mean, 95 % interval, number of seeds
 *   curves.csv    figures over steps: the same per step
 *   figure.svg    the plot
 *   verdict.json  the claims, each with its checks and their numbers
 *   figure.md     all of it as a page
 *
 * All but verdict.json's `commit` depend on the runs alone, so that the same runs write the same bytes. */
#ifndef TIERBED_CLI_EXPERIMENT_RESULTS_H
#define TIERBED_CLI_EXPERIMENT_RESULTS_H

#include <jansson.h>

#include "cli/experiment_claims.h"
#include "cli/experiment_pool.h"
#include "common/record/markup.h"

struct results {
    const struct sweep *sweep;
    const struct plan *plan;
    struct outcome outcome;
    struct pool_result runs;
    struct statistics_interval *cells; /* [measure][arm][point] */
    struct claim_verdict *verdicts;    /* one per claim */
    bool quick;
    char dir[1024];
};

/* Summaries and verdicts of results->outcome; in `arena`. */
void results_judge(struct results *results, struct arena *arena);

const struct statistics_interval *results_cell(const struct results *results, uint32_t measure, uint32_t arm,
                                               uint32_t point);

/* Claims of `level` with `verdict`. */
uint32_t results_count(const struct results *results, enum claim_level level, enum verdict verdict);

/* Writes every file into results->dir, which is made. */
enum status results_write(const struct results *results, struct arena *arena, struct error *error);

/* What verdict.json holds; owned by the caller. NULL without memory. */
json_t *results_json(const struct results *results);

/* Summary and verdicts for the terminal. */
void results_print(const struct results *results, FILE *out, struct arena *arena);

/* The parts of results_write. */
void results_points_csv(const struct results *results, FILE *out, struct arena *arena);
void results_summary_csv(const struct results *results, FILE *out);
void results_curves_csv(const struct results *results, FILE *out, struct arena *arena);
void results_svg(const struct results *results, struct markup *out, struct arena *arena);
void results_page(const json_t *verdict, const char *svg, int level, FILE *out);

/* A figure over steps at RESULTS_BINS_MAX steps at most: `steps` are common to all arms of the panel,
 * `cells` [bin] are of one arm. */
#define RESULTS_BINS_MAX 160u
struct binned {
    double *steps;
    struct statistics_interval *cells;
    uint32_t count;
};
struct binned results_binned(const struct results *results, uint32_t measure, uint32_t arm, uint32_t point,
                             struct arena *arena);

/* "delay (ms)", "sensors per gateway" */
void label_with_unit(const char *label, const char *unit, char *text, size_t size);

#endif
