/* experiment_measure: reads what a sweep measures out of the finished runs of its plan. */
#ifndef TIERBED_CLI_EXPERIMENT_MEASURE_H
#define TIERBED_CLI_EXPERIMENT_MEASURE_H

#include <jansson.h>

#include "cli/experiment_cache.h"
#include "cli/experiment_plan.h"

/* A curve of one run: values over ascending steps, all nodes reduced to one. */
struct curve {
    int64_t *steps;
    double *values;
    uint32_t count;
};

struct outcome {
    const struct sweep *sweep;
    double *values;       /* [measure][arm][point][seed]; NAN: not there (failed run, nothing measured) */
    struct curve *curves; /* the same, for figures over steps; NULL otherwise */
};

/* Index into values and curves. */
size_t outcome_index(const struct sweep *sweep, uint32_t measure, uint32_t arm, uint32_t point,
                     uint32_t seed);

/* Empty (all NAN), in `arena`. */
void outcome_init(struct outcome *outcome, const struct sweep *sweep, struct arena *arena);

/* Fills `outcome`. STATUS_INVALID when a finished run has no result or curve of a name that the sweep reads;
 * the error then names what there is. */
enum status outcome_read(struct outcome *outcome, const struct plan *plan, const struct cache *cache,
                         struct arena *arena, struct error *error);

/* A run directory while it is read. */
struct measured_run {
    const char *dir;
    json_t *summary; /* loaded when first asked for; NULL before. The caller gives it back (json_decref) */
};

/* One value out of a run; `curve` (may be NULL) gets the whole curve of a series. */
enum status measure_read(struct measured_run *run, const struct sweep_source *source, struct arena *arena,
                         double *value, struct curve *curve, struct error *error);

#endif
