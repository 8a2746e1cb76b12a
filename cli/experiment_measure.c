#include "cli/experiment_measure.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/learn/statistics.h"
#include "common/record/reader.h"
#include "common/record/summary.h"

size_t outcome_index(const struct sweep *sweep, uint32_t measure, uint32_t arm, uint32_t point,
                     uint32_t seed) {
    assert(measure < sweep->measure_count && arm < sweep->arm_count && point < sweep->point_count);
    size_t index = (size_t)measure * sweep->arm_count + arm;
    return (index * sweep->point_count + point) * sweep->seeds + seed;
}

void outcome_init(struct outcome *outcome, const struct sweep *sweep, struct arena *arena) {
    size_t count = (size_t)sweep->measure_count * sweep->arm_count * sweep->point_count * sweep->seeds;
    *outcome =
        (struct outcome){.sweep = sweep, .values = arena_alloc_array(arena, count, sizeof *outcome->values)};
    for (size_t i = 0; i < count; i++)
        outcome->values[i] = NAN;
    if (sweep->figure == FIGURE_STEPS)
        outcome->curves = arena_alloc_array(arena, count, sizeof *outcome->curves);
}

/* ---- the summary ---- */

static double number_at(const json_t *object, const char *path) {
    char key[SWEEP_LABEL_MAX];
    while (object != NULL) {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        object = json_object_get(object, key);
        if (path[length] == '\0')
            return json_is_number(object) ? json_number_value(object) : NAN;
        path += length + 1;
    }
    return NAN;
}

static enum status read_summary(struct measured_run *run, const struct sweep_source *source, double *value,
                                struct error *error) {
    struct summary summary;
    if (run->summary == NULL) {
        TRY(summary_load(run->dir, &summary, error));
        run->summary = summary_to_json(&summary);
    }
    *value = source->scale * number_at(run->summary, source->summary);
    if (*source->per != '\0')
        *value /= number_at(run->summary, source->per);
    return STATUS_OK;
}

/* ---- results and series ---- */

/* Rows in order: values of one step follow each other. */
struct rows {
    int64_t *steps;
    double *values;
    size_t count, capacity;
};

static enum status take_row(sqlite3_stmt *row, void *context) {
    struct rows *rows = context;
    double value = reader_real(row, 1);
    if (isnan(value))
        return STATUS_OK;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 256 : 2 * rows->capacity;
        rows->steps = memory_grow(rows->steps, rows->capacity, sizeof *rows->steps, "a curve");
        rows->values = memory_grow(rows->values, rows->capacity, sizeof *rows->values, "a curve");
    }
    rows->steps[rows->count] = sqlite3_column_int64(row, 0);
    rows->values[rows->count++] = value;
    return STATUS_OK;
}

static double extreme(const double *values, size_t count, bool most) {
    double found = count > 0 ? values[0] : NAN;
    for (size_t i = 1; i < count; i++)
        found = most ? fmax(found, values[i]) : fmin(found, values[i]);
    return found;
}

static double sum_of(const double *values, size_t count) {
    return count > 0 ? statistics_mean(values, count) * (double)count : NAN;
}

static double over_nodes(const struct sweep_source *source, const double *values, size_t count) {
    switch (source->nodes) {
    case NODES_MEAN:
        return statistics_mean(values, count);
    case NODES_SUM:
        return sum_of(values, count);
    case NODES_MIN:
    case NODES_MAX:
        break;
    }
    return extreme(values, count, source->nodes == NODES_MAX);
}

static double over_steps(const struct sweep_source *source, const struct curve *curve) {
    size_t count = source->window > 0 && source->window < curve->count ? source->window : curve->count;
    const double *values = curve->values + (curve->count - count);
    switch (source->reduce) {
    case REDUCE_MEAN:
        return statistics_mean(values, count);
    case REDUCE_DEVIATION:
        return statistics_deviation(values, count);
    case REDUCE_LAST:
        return count > 0 ? values[count - 1] : NAN;
    case REDUCE_SUM:
        return sum_of(values, count);
    case REDUCE_MIN:
    case REDUCE_MAX:
        break;
    }
    return extreme(values, count, source->reduce == REDUCE_MAX);
}

/* Values of one step become one. */
static void fold(const struct sweep_source *source, const struct rows *rows, struct arena *arena,
                 struct curve *curve) {
    *curve = (struct curve){.steps = arena_alloc_array(arena, rows->count + 1, sizeof *curve->steps),
                            .values = arena_alloc_array(arena, rows->count + 1, sizeof *curve->values)};
    for (size_t first = 0, next; first < rows->count; first = next) {
        for (next = first; next < rows->count && rows->steps[next] == rows->steps[first];)
            next++;
        curve->steps[curve->count] = rows->steps[first];
        curve->values[curve->count++] =
            source->scale * over_nodes(source, rows->values + first, next - first);
    }
}

struct name_search {
    struct text_closest closest;
    char known[400];
    size_t used;
    struct arena *arena;
};

static enum status offer_name(sqlite3_stmt *row, void *context) {
    struct name_search *search = context;
    char name[SWEEP_LABEL_MAX];
    reader_text(row, 0, name, sizeof name);
    text_closest_offer(&search->closest, arena_copy_text(search->arena, name));
    if (search->used < sizeof search->known)
        search->used += (size_t)snprintf(search->known + search->used, sizeof search->known - search->used,
                                         "%s%s", search->used > 0 ? ", " : "", name);
    return STATUS_OK;
}

static enum status no_such_name(sqlite3 *db, const struct sweep_source *source, struct arena *arena,
                                struct error *error) {
    bool series = source->kind == SOURCE_SERIES;
    struct name_search search = {.closest = text_closest_to(source_name(source)), .arena = arena};
    TRY(reader_each(db,
                    series ? "SELECT DISTINCT name FROM series ORDER BY name"
                           : "SELECT DISTINCT name FROM results ORDER BY name",
                    offer_name, &search, error));
    const char *what = series ? "curve" : "result";
    if (search.used == 0)
        return error_set(error, STATUS_INVALID, "the run has no %s `%s`: it recorded none at all", what,
                         source_name(source));
    if (search.closest.best != NULL)
        return error_set(error, STATUS_INVALID, "the run has no %s `%s`; did you mean `%s`?", what,
                         source_name(source), search.closest.best);
    return error_set(error, STATUS_INVALID, "the run has no %s `%s`; it has %s", what, source_name(source),
                     search.known);
}

static enum status read_rows(sqlite3 *db, const struct sweep_source *source, struct rows *rows,
                             struct error *error) {
    const char *format = source->kind == SOURCE_SERIES
                             ? "SELECT step, value FROM series WHERE name = %Q ORDER BY step, node_id"
                             : "SELECT 0, value FROM results WHERE name = %Q ORDER BY node_id";
    char *sql = sqlite3_mprintf(format, source_name(source));
    if (sql == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to read a run");
    enum status status = reader_each(db, sql, take_row, rows, error);
    sqlite3_free(sql);
    return status;
}

static enum status read_recorded(const char *dir, const struct sweep_source *source, struct arena *arena,
                                 struct curve *curve, struct error *error) {
    sqlite3 *db = NULL;
    struct rows rows = {0};
    TRY(reader_open(dir, &db, error));
    enum status status = read_rows(db, source, &rows, error);
    if (status == STATUS_OK && rows.count == 0)
        status = no_such_name(db, source, arena, error);
    if (status == STATUS_OK)
        fold(source, &rows, arena, curve);
    sqlite3_close(db);
    free(rows.steps);
    free(rows.values);
    return status;
}

static enum status divide(const char *dir, const struct sweep_source *source, struct arena *arena,
                          double *value, struct error *error) {
    struct sweep_source per = *source;
    struct curve divisor;
    memcpy(per.result, source->per, sizeof per.result);
    per.scale = 1;
    TRY(read_recorded(dir, &per, arena, &divisor, error));
    *value /= divisor.values[0];
    return STATUS_OK;
}

enum status measure_read(struct measured_run *run, const struct sweep_source *source, struct arena *arena,
                         double *value, struct curve *curve, struct error *error) {
    struct curve own;
    assert(source->kind != SOURCE_NONE);
    if (source->kind == SOURCE_SUMMARY)
        return read_summary(run, source, value, error);
    if (curve == NULL)
        curve = &own;
    TRY(read_recorded(run->dir, source, arena, curve, error));
    *value = source->kind == SOURCE_SERIES ? over_steps(source, curve) : curve->values[0];
    return *source->per != '\0' ? divide(run->dir, source, arena, value, error) : STATUS_OK;
}

/* ---- all runs ---- */

/* One cell; curves that are only reduced do not stay in memory. */
static enum status read_cell(struct outcome *outcome, struct measured_run *run,
                             const struct sweep_source *source, size_t index, struct arena *arena,
                             struct error *error) {
    struct arena scratch;
    arena_init(&scratch);
    enum status status =
        outcome->curves != NULL
            ? measure_read(run, source, arena, &outcome->values[index], &outcome->curves[index], error)
            : measure_read(run, source, &scratch, &outcome->values[index], NULL, error);
    arena_close(&scratch);
    return status;
}

static enum status read_run(struct outcome *outcome, const struct plan_run *run, const char *dir,
                            const uint32_t at[3], struct arena *arena, struct error *error) {
    const struct sweep *sweep = outcome->sweep;
    struct measured_run measured = {.dir = dir};
    enum status status = STATUS_OK;
    for (uint32_t measure = 0; measure < sweep->measure_count && status == STATUS_OK; measure++) {
        struct error inner = {0};
        size_t index = outcome_index(sweep, measure, at[0], at[1], at[2]);
        status = read_cell(outcome, &measured, sweep_source_of(sweep, at[0], measure), index, arena, &inner);
        if (status != STATUS_OK)
            error_set(error, status, "measure `%s` of the run `%s`: %s", sweep->measures[measure].name,
                      run->name, inner.text);
    }
    json_decref(measured.summary);
    return status;
}

enum status outcome_read(struct outcome *outcome, const struct plan *plan, const struct cache *cache,
                         struct arena *arena, struct error *error) {
    const struct sweep *sweep = plan->sweep;
    for (uint32_t arm = 0; arm < sweep->arm_count; arm++)
        for (uint32_t point = 0; point < sweep->point_count; point++)
            for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
                const struct plan_run *run = plan_run_at(plan, arm, point, seed);
                char dir[CACHE_PATH_MAX];
                if (run->state != RUN_REUSED && run->state != RUN_DONE)
                    continue;
                cache_entry(cache, run->key, dir);
                TRY(read_run(outcome, run, dir, (const uint32_t[]){arm, point, seed}, arena, error));
            }
    return STATUS_OK;
}
