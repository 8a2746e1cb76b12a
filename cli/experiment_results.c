#include "cli/experiment_results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/version.h"
#include "common/record/durable.h"
#include "common/record/manifest.h"

static size_t cell_index(const struct sweep *sweep, uint32_t measure, uint32_t arm, uint32_t point) {
    return ((size_t)measure * sweep->arm_count + arm) * sweep->point_count + point;
}

const struct statistics_interval *results_cell(const struct results *results, uint32_t measure, uint32_t arm,
                                               uint32_t point) {
    return &results->cells[cell_index(results->sweep, measure, arm, point)];
}

/* Seeds without a value are left out; the count says so. */
static struct statistics_interval summarise(const double *values, uint32_t count, struct arena *arena) {
    double *kept = arena_alloc_array(arena, count + 1, sizeof *kept);
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            kept[used++] = values[i];
    return statistics_summary(kept, used);
}

void results_judge(struct results *results, struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    size_t count = (size_t)sweep->measure_count * sweep->arm_count * sweep->point_count;
    results->cells = arena_alloc_array(arena, count, sizeof *results->cells);
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++)
        for (uint32_t arm = 0; arm < sweep->arm_count; arm++)
            for (uint32_t point = 0; point < sweep->point_count; point++)
                results->cells[cell_index(sweep, measure, arm, point)] =
                    summarise(&results->outcome.values[outcome_index(sweep, measure, arm, point, 0)],
                              sweep->seeds, arena);
    results->verdicts = arena_alloc_array(arena, sweep->claim_count + 1, sizeof *results->verdicts);
    for (uint32_t i = 0; i < sweep->claim_count; i++)
        results->verdicts[i] = claim_judge(&sweep->claims[i], &results->outcome, arena);
}

uint32_t results_count(const struct results *results, enum claim_level level, enum verdict verdict) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->sweep->claim_count; i++)
        count += results->verdicts[i].verdict == verdict && results->verdicts[i].claim->level == level;
    return count;
}

/* ---- curves ---- */

/* Mean of the last `smooth` values up to and with index `at`. */
static double smoothed(const struct curve *curve, uint32_t at, uint32_t smooth) {
    uint32_t first = at + 1 > smooth ? at + 1 - smooth : 0;
    return statistics_mean(curve->values + first, at + 1 - first);
}

/* The index of the last step that is not after `step`; UINT32_MAX: none. */
static uint32_t index_before(const struct curve *curve, double step) {
    uint32_t low = 0, high = curve->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((double)curve->steps[middle] <= step)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? UINT32_MAX : low - 1;
}

/* The curve with most steps gives the positions. */
static const struct curve *longest(const struct results *results, uint32_t measure, uint32_t point) {
    const struct sweep *sweep = results->sweep;
    const struct curve *found = NULL;
    for (uint32_t arm = 0; arm < sweep->arm_count; arm++)
        for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
            const struct curve *curve =
                &results->outcome.curves[outcome_index(sweep, measure, arm, point, seed)];
            if (found == NULL || curve->count > found->count)
                found = curve;
        }
    return found;
}

struct binned results_binned(const struct results *results, uint32_t measure, uint32_t arm, uint32_t point,
                             struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    const struct curve *all = longest(results, measure, point);
    uint32_t bins = all->count < RESULTS_BINS_MAX ? all->count : RESULTS_BINS_MAX;
    struct binned binned = {.steps = arena_alloc_array(arena, bins + 1, sizeof *binned.steps),
                            .cells = arena_alloc_array(arena, bins + 1, sizeof *binned.cells),
                            .count = bins};
    double *values = arena_alloc_array(arena, sweep->seeds, sizeof *values);
    for (uint32_t bin = 0; bin < bins; bin++) {
        uint32_t at = bins > 1 ? (uint32_t)((uint64_t)bin * (all->count - 1) / (bins - 1)) : 0;
        binned.steps[bin] = (double)all->steps[at];
        for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
            const struct curve *curve =
                &results->outcome.curves[outcome_index(sweep, measure, arm, point, seed)];
            uint32_t index = index_before(curve, binned.steps[bin]);
            values[seed] = index == UINT32_MAX ? NAN : smoothed(curve, index, sweep->smooth);
        }
        binned.cells[bin] = summarise(values, sweep->seeds, arena);
    }
    return binned;
}

/* ---- verdict.json ---- */

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *check_json(const struct claim_check *check) {
    char text[256];
    claim_check_text(check, text, sizeof text);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:s, s:s?}", "what", check->what,
                     "verdict", verdict_name(check->verdict), "value", number(check->interval.value), "low",
                     number(check->interval.low), "high", number(check->interval.high), "seeds",
                     (json_int_t)check->interval.count, "least", number(check->low), "most",
                     number(check->high), "strict", check->strict, "text", text, "why", check->why);
}

static json_t *claim_json(const struct claim_verdict *verdict) {
    json_t *checks = json_array();
    const struct claim_check *decider = claim_decider(verdict);
    for (uint32_t i = 0; i < verdict->check_count; i++)
        json_array_append_new(checks, check_json(&verdict->checks[i]));
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o}", "name", verdict->claim->name, "text",
                     manifest_json_text(verdict->claim->text), "level",
                     claim_level_names[verdict->claim->level], "kind", claim_kind_names[verdict->claim->kind],
                     "verdict", verdict_name(verdict->verdict), "decider",
                     decider != NULL ? check_json(decider) : json_null(), "checks", checks);
}

static json_t *summary_json(const struct results *results) {
    const struct sweep *sweep = results->sweep;
    json_t *rows = json_array();
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++)
        for (uint32_t point = 0; point < sweep->point_count; point++)
            for (uint32_t arm = 0; arm < sweep->arm_count; arm++) {
                const struct statistics_interval *cell = results_cell(results, measure, arm, point);
                json_array_append_new(rows,
                                      json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I}", "measure",
                                                sweep->measures[measure].name, "arm", sweep->arms[arm].name,
                                                "x", sweep->points[point].text, "iqm", number(cell->value),
                                                "low", number(cell->low), "high", number(cell->high), "seeds",
                                                (json_int_t)cell->count));
            }
    return rows;
}

static json_t *experiment_json(const struct results *results) {
    const struct sweep *sweep = results->sweep;
    char name[2 * SWEEP_NAME_MAX], hash[24];
    uint32_t failed = 0;
    for (uint32_t i = 0; i < results->plan->run_count; i++)
        failed += results->plan->runs[i].state == RUN_FAILED;
    snprintf(name, sizeof name, "%s/%s", sweep->scheme, sweep->name);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)sweep->hash);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:i, s:I, s:i, s:i, s:s, s:s}", "format",
                     "tierbed-experiment-1", "experiment", name, "title", manifest_json_text(sweep->title),
                     "paper", manifest_json_text(sweep->paper), "notes", manifest_json_text(sweep->notes),
                     "file", manifest_json_text(sweep->path), "file_hash", hash, "quick", results->quick,
                     "seeds", (int)sweep->seeds, "first_seed", (json_int_t)sweep->first_seed, "runs",
                     (int)results->plan->run_count, "failed_runs", (int)failed, "version", version_text(),
                     "commit", version_commit());
}

json_t *results_json(const struct results *results) {
    json_t *root = experiment_json(results), *claims = json_array();
    for (uint32_t i = 0; i < results->sweep->claim_count; i++)
        json_array_append_new(claims, claim_json(&results->verdicts[i]));
    json_object_set_new(root, "claims", claims);
    json_object_set_new(root, "summary", summary_json(results));
    return root;
}

/* ---- files ---- */

static enum status write_text(const struct results *results, const char *name, const void *text, size_t size,
                              struct error *error) {
    char path[DURABLE_PATH_MAX];
    TRY(durable_path(path, results->dir, name, error));
    return durable_write(path, text, size, error);
}

/* Collects what `write` prints and puts it into its place. */
static enum status write_csv(const struct results *results, const char *name, struct arena *arena,
                             struct error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for %s", name);
    if (strcmp(name, "points.csv") == 0)
        results_points_csv(results, out, arena);
    else if (strcmp(name, "summary.csv") == 0)
        results_summary_csv(results, out);
    else
        results_curves_csv(results, out, arena);
    fclose(out);
    enum status status = write_text(results, name, text, size, error);
    free(text);
    return status;
}

static enum status write_figure(const struct results *results, struct arena *arena, struct error *error) {
    struct markup svg;
    markup_init(&svg);
    results_svg(results, &svg, arena);
    enum status status = svg.failed || svg.data == NULL
                             ? error_set(error, STATUS_MEMORY, "no memory for the figure")
                             : write_text(results, "figure.svg", svg.data, svg.used, error);
    markup_close(&svg);
    return status;
}

static enum status write_json(const struct results *results, const json_t *verdict, struct error *error) {
    char *text = json_dumps(verdict, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (text == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the verdict");
    size_t length = strlen(text);
    text[length] = '\n'; /* the zero gives its place */
    enum status status = write_text(results, "verdict.json", text, length + 1, error);
    free(text);
    return status;
}

static enum status write_page(const struct results *results, const json_t *verdict, struct error *error) {
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    if (out == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the page");
    results_page(verdict, "figure.svg", 1, out);
    fclose(out);
    enum status status = write_text(results, "figure.md", page, size, error);
    free(page);
    return status;
}

static enum status write_verdict(const struct results *results, struct error *error) {
    json_t *verdict = results_json(results);
    enum status status = write_json(results, verdict, error);
    if (status == STATUS_OK)
        status = write_page(results, verdict, error);
    json_decref(verdict);
    return status;
}

enum status results_write(const struct results *results, struct arena *arena, struct error *error) {
    TRY(durable_make_dirs(results->dir, error));
    TRY(write_csv(results, "points.csv", arena, error));
    TRY(write_csv(results, "summary.csv", arena, error));
    if (results->sweep->figure == FIGURE_STEPS)
        TRY(write_csv(results, "curves.csv", arena, error));
    TRY(write_figure(results, arena, error));
    return write_verdict(results, error);
}
