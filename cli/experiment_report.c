#include "cli/experiment_report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/experiment_results.h"
#include "common/record/durable.h"
#include "common/record/manifest.h"

#define VERDICT_BYTES_MAX ((size_t)64 << 20)

struct report_page {
    const struct report_config *config;
    struct arena *arena;
    char folder[DURABLE_PATH_MAX]; /* of the plots */
    char link[SWEEP_NAME_MAX + 8]; /* the same as the page names it */
    json_t *verdicts;              /* array, in order of the sweeps; null: not run */
};

static enum status result_path(const struct report_page *page, const struct sweep *sweep, const char *file,
                               char path[DURABLE_PATH_MAX], struct error *error) {
    int length = snprintf(path, DURABLE_PATH_MAX, "%s/%s/%s%s/%s", page->config->results, sweep->scheme,
                          sweep->name, page->config->quick ? "-quick" : "", file);
    if (length < 0 || length >= DURABLE_PATH_MAX)
        return error_set(error, STATUS_INVALID, "the path of the results is too long");
    return STATUS_OK;
}

static enum status copy_file(const char *from, const char *to, struct error *error) {
    char *text = NULL;
    size_t size = 0;
    TRY(durable_read(from, VERDICT_BYTES_MAX, &text, &size, error));
    enum status status = durable_write(to, text, size, error);
    free(text);
    return status;
}

/* The verdict of one figure into page->verdicts; its plot to its place. */
static enum status take_figure(struct report_page *page, const struct sweep *sweep, struct error *error) {
    char path[DURABLE_PATH_MAX], plot[DURABLE_PATH_MAX], name[SWEEP_NAME_MAX + 8], *text = NULL;
    size_t size = 0;
    json_error_t problem;
    TRY(result_path(page, sweep, "verdict.json", path, error));
    if (access(path, F_OK) != 0) {
        json_array_append_new(page->verdicts, json_null());
        return STATUS_OK;
    }
    TRY(durable_read(path, VERDICT_BYTES_MAX, &text, &size, error));
    json_t *verdict = json_loadb(text, size, 0, &problem);
    free(text);
    if (verdict == NULL || strcmp(manifest_text(verdict, "format", ""), "tierbed-experiment-1") != 0) {
        json_decref(verdict);
        return error_set(error, STATUS_INVALID, "%s is not the verdict of an experiment; run it again", path);
    }
    json_object_set_new(verdict, "notes", manifest_json_text(sweep->notes));
    json_array_append_new(page->verdicts, verdict);
    TRY(result_path(page, sweep, "figure.svg", path, error));
    snprintf(name, sizeof name, "%s.svg", sweep->name);
    TRY(durable_path(plot, page->folder, name, error));
    return copy_file(path, plot, error);
}

static void count_claims(const json_t *verdict, const char *level, unsigned counts[4]) {
    size_t index;
    json_t *claim;
    json_array_foreach(json_object_get(verdict, "claims"), index, claim) {
        if (strcmp(manifest_text(claim, "level", ""), level) != 0)
            continue;
        for (enum verdict kind = VERDICT_HOLDS; kind <= VERDICT_UNTESTED; kind++)
            counts[kind] += strcmp(manifest_text(claim, "verdict", ""), verdict_name(kind)) == 0;
    }
}

static void put_counts(const json_t *verdict, const char *level, FILE *out) {
    unsigned counts[4] = {0};
    count_claims(verdict, level, counts);
    unsigned all = counts[0] + counts[1] + counts[2] + counts[3];
    if (all == 0)
        fputs(" - |", out);
    else
        fprintf(out, " %u of %u hold%s%s |", counts[VERDICT_HOLDS], all,
                counts[VERDICT_FAILS] > 0 ? ", **some do not**" : "",
                counts[VERDICT_UNDECIDED] > 0 ? ", some are not decidable" : "");
}

static void put_overview(const struct report_page *page, const struct sweep *sweeps, FILE *out) {
    fputs("| figure | what | HARD claims | SOFT claims |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < page->config->sweeps->count; i++) {
        const json_t *verdict = json_array_get(page->verdicts, i);
        fprintf(out, "| [%s](#%s) | %s |", sweeps[i].name, sweeps[i].name, sweeps[i].title);
        if (json_is_null(verdict)) {
            fputs(" not run | not run |\n", out);
            continue;
        }
        put_counts(verdict, "hard", out);
        put_counts(verdict, "soft", out);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void put_page(const struct report_page *page, const struct sweep *sweeps, FILE *out) {
    const char *scheme = page->config->scheme;
    fprintf(out, "# Results: %s\n\n", scheme);
    if (page->config->quick)
        fputs("**From quick runs, not the full experiments.**\n\n", out);
    fprintf(
        out,
        "Written by `tierbed experiment report %s` from what `tierbed experiment run %s` found; do not edit. "
        "Numbers are\ninterquartile means over seeds with 95 %% bootstrap intervals; how claims are decided "
        "is told in\n[experiments.md](../experiments.md).\n\n",
        scheme, scheme);
    put_overview(page, sweeps, out);
    for (size_t i = 0; i < page->config->sweeps->count; i++) {
        const json_t *verdict = json_array_get(page->verdicts, i);
        char svg[2 * SWEEP_NAME_MAX + 16];
        fprintf(out, "<a id=\"%s\"></a>\n\n", sweeps[i].name);
        snprintf(svg, sizeof svg, "%s/%s.svg", page->link, sweeps[i].name);
        if (json_is_null(verdict))
            fprintf(out, "## %s/%s: %s\n\nNot run.\n\n", scheme, sweeps[i].name, sweeps[i].title);
        else
            results_page(verdict, svg, 2, out);
    }
}

static enum status load_sweeps(const struct report_config *config, struct arena *arena, struct sweep *sweeps,
                               struct error *error) {
    struct scenario_problems *problems = arena_alloc(arena, sizeof *problems);
    for (size_t i = 0; i < config->sweeps->count; i++) {
        enum status status = sweep_load(config->sweeps->paths[i], config->quick, arena, &sweeps[i], problems);
        if (status != STATUS_OK) {
            scenario_problems_print(problems, stderr);
            return error_set(error, status, "%s: the sweep was not accepted", config->sweeps->paths[i]);
        }
    }
    return STATUS_OK;
}

/* "docs/results/cpdrl.md" has its plots in docs/results/cpdrl/. */
static enum status place_plots(struct report_page *page, struct error *error) {
    const char *file = page->config->file, *slash = strrchr(file, '/');
    const char *base = slash != NULL ? slash + 1 : file, *dot = strrchr(base, '.');
    int length = (int)(dot != NULL && dot != base ? dot - base : (ptrdiff_t)strlen(base));
    if (dot == NULL || dot == base || length >= SWEEP_NAME_MAX || strlen(file) >= sizeof page->folder)
        return error_set(error, STATUS_INVALID, "the page %s should end in .md", file);
    snprintf(page->link, sizeof page->link, "%.*s", length, base);
    snprintf(page->folder, sizeof page->folder, "%.*s", (int)(dot - file), file);
    return durable_make_dirs(page->folder, error);
}

static enum status write_page(const struct report_page *page, const struct sweep *sweeps,
                              struct error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the page");
    put_page(page, sweeps, out);
    fclose(out);
    while (size > 1 && text[size - 1] == '\n' && text[size - 2] == '\n')
        size--;
    enum status status = durable_write(page->config->file, text, size, error);
    free(text);
    return status;
}

enum status experiment_report(const struct report_config *config, struct arena *arena, struct error *error) {
    struct report_page page = {.config = config, .arena = arena, .verdicts = json_array()};
    struct sweep *sweeps = arena_alloc_array(arena, config->sweeps->count + 1, sizeof *sweeps);
    enum status status = load_sweeps(config, arena, sweeps, error);
    if (status == STATUS_OK)
        status = place_plots(&page, error);
    for (size_t i = 0; i < config->sweeps->count && status == STATUS_OK; i++)
        status = take_figure(&page, &sweeps[i], error);
    if (status == STATUS_OK)
        status = write_page(&page, sweeps, error);
    json_decref(page.verdicts);
    return status;
}
