/* experiment_page: one figure as Markdown and for the terminal. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/experiment_results.h"
#include "common/record/manifest.h"

/* ---- Markdown, from verdict.json alone ---- */

/* Without line feeds at the end. */
static int length_of(const char *text) {
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    return (int)length;
}

/* In a table cell a bar must not end the cell, and a line break must not end the row. */
static void put_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void put_claims(const json_t *claims, FILE *out) {
    size_t index;
    json_t *claim;
    if (json_array_size(claims) == 0)
        return;
    fputs("| claim | level | verdict | decided by |\n|---|---|---|---|\n", out);
    json_array_foreach((json_t *)claims, index, claim) {
        const json_t *decider = json_object_get(claim, "decider");
        const char *level = manifest_text(claim, "level", ""), *verdict = manifest_text(claim, "verdict", "");
        bool bold = strcmp(level, "hard") == 0 && strcmp(verdict, "does not hold") == 0;
        fputs("| ", out);
        put_cell(out, manifest_text(claim, "text", ""));
        fprintf(out, " | %s | %s%s%s | ", strcmp(level, "hard") == 0 ? "HARD" : "SOFT", bold ? "**" : "",
                verdict, bold ? "**" : "");
        if (json_is_object(decider)) {
            put_cell(out, manifest_text(decider, "what", ""));
            fputs(": ", out);
            put_cell(out, manifest_text(decider, "text", ""));
        }
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

static bool same(const json_t *a, const json_t *b, const char *key) {
    return strcmp(manifest_text(a, key, ""), manifest_text(b, key, "")) == 0;
}

static void put_interval(const json_t *row, FILE *out) {
    if (json_is_number(json_object_get(row, "iqm")))
        fprintf(out, " %.4g [%.4g, %.4g] |", manifest_number(row, "iqm", 0), manifest_number(row, "low", 0),
                manifest_number(row, "high", 0));
    else
        fputs(" - |", out);
}

/* A table for each measure: a row for each x, a column for each arm. */
static void put_numbers(const json_t *rows, FILE *out) {
    const json_t *before = NULL;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (before == NULL || !same(before, row, "measure")) {
            size_t arms = 0;
            fprintf(out, "%s| %s |", before != NULL ? "\n\n" : "", manifest_text(row, "measure", ""));
            for (; i + arms < json_array_size(rows) && same(json_array_get(rows, i + arms), row, "x");
                 arms++) {
                if (!same(json_array_get(rows, i + arms), row, "measure"))
                    break;
                fprintf(out, " %s |", manifest_text(json_array_get(rows, i + arms), "arm", ""));
            }
            fputs("\n|---|", out);
            for (; arms > 0; arms--)
                fputs("---|", out);
            before = NULL;
        }
        if (before == NULL || !same(before, row, "x"))
            fprintf(out, "\n| %s |", manifest_text(row, "x", ""));
        put_interval(row, out);
        before = row;
    }
    fputs("\n\n", out);
}

void results_page(const json_t *verdict, const char *svg, int level, FILE *out) {
    const char *paper = manifest_text(verdict, "paper", ""), *notes = manifest_text(verdict, "notes", "");
    const char *name = manifest_text(verdict, "experiment", "");
    bool quick = json_is_true(json_object_get(verdict, "quick"));
    fprintf(out, "%.*s %s: %s\n\n", level, "######", name, manifest_text(verdict, "title", ""));
    if (quick)
        fputs("**Quick run, not the full experiment.**\n\n", out);
    if (*paper != '\0')
        fprintf(out, "Reproduces: %s\n\n", paper);
    fprintf(out, "![%s](%s)\n\n", manifest_text(verdict, "title", ""), svg);
    put_claims(json_object_get(verdict, "claims"), out);
    if (*notes != '\0')
        fprintf(out, "%.*s\n\n", length_of(notes), notes);
    fputs("<details><summary>Numbers</summary>\n\n", out);
    put_numbers(json_object_get(verdict, "summary"), out);
    fputs("</details>\n\n", out);
    double failed = manifest_number(verdict, "failed_runs", 0);
    double first = manifest_number(verdict, "first_seed", 1), seeds = manifest_number(verdict, "seeds", 0);
    fprintf(out, "%.0f runs, seeds %.0f to %.0f; tierbed %s.", manifest_number(verdict, "runs", 0), first,
            first + seeds - 1, manifest_text(verdict, "version", ""));
    if (failed > 0)
        fprintf(out, " **%.0f run%s failed.**", failed, failed == 1 ? "" : "s");
    fprintf(out, " Repeat:\n\n    tierbed experiment run %s%s\n\n", name, quick ? " --quick" : "");
}

/* ---- the terminal ---- */

static void print_measure(const struct results *results, uint32_t measure, FILE *out) {
    const struct sweep *sweep = results->sweep;
    char label[SWEEP_LABEL_MAX + SWEEP_NAME_MAX + 4];
    label_with_unit(sweep->measures[measure].label, sweep->measures[measure].unit, label, sizeof label);
    fprintf(out, "\n%s\n  %-12s", label, sweep->single ? "" : sweep->x.label);
    for (uint32_t arm = 0; arm < sweep->arm_count; arm++)
        fprintf(out, "  %24.24s", sweep->arms[arm].name);
    fputc('\n', out);
    for (uint32_t point = 0; point < sweep->point_count; point++) {
        int room = sweep->single ? 12 : (int)fmax(12, (double)strlen(sweep->x.label));
        fprintf(out, "  %-*s", room, sweep->points[point].text);
        for (uint32_t arm = 0; arm < sweep->arm_count; arm++) {
            const struct statistics_interval *cell = results_cell(results, measure, arm, point);
            char text[80] = "-";
            if (cell->count > 0 && isfinite(cell->value))
                snprintf(text, sizeof text, "%.4g [%.4g, %.4g]", cell->value, cell->low, cell->high);
            fprintf(out, "  %24s", text);
        }
        fputc('\n', out);
    }
}

static void print_claim(const struct claim_verdict *verdict, FILE *out) {
    const struct claim_check *decider = claim_decider(verdict);
    char text[256];
    fprintf(out, "  %s  %-14s %s: %s\n", verdict->claim->level == CLAIM_HARD ? "HARD" : "SOFT",
            verdict_name(verdict->verdict), verdict->claim->name, verdict->claim->text);
    if (decider == NULL)
        return;
    claim_check_text(decider, text, sizeof text);
    fprintf(out, "                       %s: %s\n", decider->what, text);
}

void results_print(const struct results *results, FILE *out, struct arena *arena) {
    const struct sweep *sweep = results->sweep;
    fprintf(out, "%s/%s: %s%s\n", sweep->scheme, sweep->name, sweep->title,
            results->quick ? " (QUICK: not the full experiment)" : "");
    fprintf(out, "%u runs: %u reused, %u made, %u failed, in %.1f s; %u seed%s\n", results->plan->run_count,
            results->runs.reused, results->runs.made, results->runs.failed, results->runs.wall_s,
            sweep->seeds, sweep->seeds == 1 ? "" : "s");
    fprintf(out, "interquartile mean [95 %% bootstrap interval]\n");
    for (uint32_t measure = 0; measure < sweep->measure_count; measure++)
        print_measure(results, measure, out);
    if (sweep->claim_count > 0)
        fprintf(out, "\nclaims%s\n", results->quick ? " (quick)" : "");
    for (uint32_t i = 0; i < sweep->claim_count; i++)
        print_claim(&results->verdicts[i], out);
    fprintf(out, "\nresults: %s/{points.csv,summary.csv,figure.svg,verdict.json,figure.md}\n", results->dir);
    fprintf(out,
            "repeat a run alone under mpirun (the column `command` of points.csv has all, with digests):\n");
    fprintf(out, "  %s\n", plan_command(&results->plan->runs[0], arena));
}
