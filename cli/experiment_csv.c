/* experiment_csv: the tables of one figure, as CSV (RFC 4180, lines end with a line feed). */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/experiment_results.h"
#include "common/base/units.h"

static void put_text(FILE *out, const char *text) {
    if (strpbrk(text, ",\"\n\r") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* The shortest text that reads back to the same number; nothing for one that is not there. */
static void put_number(FILE *out, double value) {
    char text[UNITS_TEXT_MAX];
    if (isfinite(value))
        fputs(units_print(value, UNIT_PLAIN, text), out);
}

static void put_interval(FILE *out, const struct statistics_interval *interval) {
    fputc(',', out);
    put_number(out, interval->value);
    fputc(',', out);
    put_number(out, interval->low);
    fputc(',', out);
    put_number(out, interval->high);
    fprintf(out, ",%zu", interval->count);
}

static const char *state_name(enum run_state state) {
    return state == RUN_FAILED ? "failed" : state == RUN_WAITING ? "not run" : "finished";
}

void results_points_csv(const struct results *results, FILE *out, struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    fputs("x,arm,seed", out);
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++) {
        fputc(',', out);
        put_text(out, sweep->measures[measure].name);
    }
    fputs(",state,digest,command\n", out);
    for (uint32_t point = 0; point < sweep->point_count; point++)
        for (uint32_t arm = 0; arm < sweep->arm_count; arm++)
            for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
                const struct plan_run *run = plan_run_at(results->plan, arm, point, seed);
                put_text(out, sweep->points[point].text);
                fprintf(out, ",%s,%" PRIu64, sweep->arms[arm].name, run->seed);
                for (uint32_t measure = 0; measure < sweep->measure_count; measure++) {
                    fputc(',', out);
                    put_number(out, results->outcome.values[outcome_index(sweep, measure, arm, point, seed)]);
                }
                fprintf(out, ",%s,%s,", state_name(run->state), run->digest);
                put_text(out, plan_command(run, arena));
                fputc('\n', out);
            }
}

void results_summary_csv(const struct results *results, FILE *out) {
    const struct sweep *sweep = results->sweep;
    fputs("measure,unit,x,arm,iqm,low,high,seeds\n", out);
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++)
        for (uint32_t point = 0; point < sweep->point_count; point++)
            for (uint32_t arm = 0; arm < sweep->arm_count; arm++) {
                put_text(out, sweep->measures[measure].name);
                fputc(',', out);
                put_text(out, sweep->measures[measure].unit);
                fputc(',', out);
                put_text(out, sweep->points[point].text);
                fprintf(out, ",%s", sweep->arms[arm].name);
                put_interval(out, results_cell(results, measure, arm, point));
                fputc('\n', out);
            }
}

void results_curves_csv(const struct results *results, FILE *out, struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    fputs("measure,unit,x,arm,step,iqm,low,high,seeds\n", out);
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++)
        for (uint32_t point = 0; point < sweep->point_count; point++)
            for (uint32_t arm = 0; arm < sweep->arm_count; arm++) {
                struct binned binned = results_binned(results, measure, arm, point, arena);
                for (uint32_t bin = 0; bin < binned.count; bin++) {
                    put_text(out, sweep->measures[measure].name);
                    fputc(',', out);
                    put_text(out, sweep->measures[measure].unit);
                    fputc(',', out);
                    put_text(out, sweep->points[point].text);
                    fprintf(out, ",%s,%.0f", sweep->arms[arm].name, binned.steps[bin]);
                    put_interval(out, &binned.cells[bin]);
                    fputc('\n', out);
                }
            }
}
