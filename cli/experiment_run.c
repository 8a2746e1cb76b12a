/* experiment_run: `tierbed experiment run`: one figure after the other: plan, make what is missing, read,
 * judge, write. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/experiment.h"
#include "cli/experiment_find.h"
#include "cli/experiment_report.h"
#include "cli/experiment_results.h"

/* What one call works on. */
struct session {
    const struct experiment_request *request;
    const char *word;
    struct arena arena; /* of the call */
    struct key_base base;
    struct cache cache;
    struct scenario_problems problems;
    struct found_list found;
    json_t *figures; /* --json */
    int exit_code;
};

/* The graver of two exit codes: a stop, then what the system or the input refused, then deaths, then checks.
 */
static int graver(int a, int b) {
    static const int order[] = {130, 4, 2, 5, 1, 0};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a != 0 ? a : b;
}

static void fail(struct session *session, const struct error *error) {
    fprintf(stderr, "tierbed experiment: %s\n", error->text);
    session->exit_code = graver(session->exit_code, status_exit_code(error->status));
}

static enum status load(struct session *session, const char *path, struct arena *arena, struct sweep *sweep,
                        struct error *error) {
    enum status status = sweep_load(path, session->request->quick, arena, sweep, &session->problems);
    if (status != STATUS_OK) {
        scenario_problems_print(&session->problems, stderr);
        return error_set(error, status, "%s: the sweep was not accepted; nothing was started", path);
    }
    if (session->request->seeds > 0)
        sweep->seeds = session->request->seeds;
    return STATUS_OK;
}

/* ---- what came out ---- */

/* A failed run is as grave as what its own exit code says: 5 for a death, 4 for the system. */
static int code_of_runs(const struct plan *plan) {
    int code = 0;
    for (uint32_t i = 0; i < plan->run_count; i++) {
        const struct plan_run *run = &plan->runs[i];
        if (run->state == RUN_FAILED)
            code = graver(code, run->exit_code >= 128 || run->exit_code == 5 ? 5
                                : run->exit_code == 4                        ? 4
                                                                             : 1);
    }
    return code;
}

static void add_json(struct session *session, const struct results *results) {
    json_t *figure = results_json(results);
    json_object_set_new(figure, "results", json_string(results->dir));
    json_object_set_new(figure, "reused", json_integer(results->runs.reused));
    json_object_set_new(figure, "made", json_integer(results->runs.made));
    json_object_set_new(figure, "wall_s", json_real(results->runs.wall_s));
    json_array_append_new(session->figures, figure);
}

static void show(struct session *session, const struct results *results, struct arena *arena) {
    if (session->request->json)
        add_json(session, results);
    else if (!session->request->quiet)
        results_print(results, stdout, arena);
    uint32_t failed = results_count(results, CLAIM_HARD, VERDICT_FAILS);
    uint32_t open = results_count(results, CLAIM_HARD, VERDICT_UNDECIDED);
    if (failed > 0)
        fprintf(stderr, "tierbed experiment: %s/%s: %u HARD claim%s not hold\n", results->sweep->scheme,
                results->sweep->name, failed, failed == 1 ? " does" : "s do");
    if (open > 0)
        fprintf(
            stderr,
            "tierbed experiment: %s/%s: warning: %u HARD claim%s not decidable with these seeds; more seeds "
            "(--seeds N) may decide\n",
            results->sweep->scheme, results->sweep->name, open, open == 1 ? " is" : "s are");
    session->exit_code = graver(session->exit_code, graver(failed > 0 ? 1 : 0, code_of_runs(results->plan)));
}

/* ---- one figure ---- */

static void print_commands(const struct plan *plan, struct arena *arena) {
    for (uint32_t i = 0; i < plan->run_count; i++)
        puts(plan_command(&plan->runs[i], arena));
}

static enum status make_runs(struct session *session, struct results *results, struct plan *plan,
                             struct error *error) {
    const struct experiment_request *request = session->request;
    char fail_dir[sizeof results->dir + 16];
    snprintf(fail_dir, sizeof fail_dir, "%s/failed", results->dir);
    struct pool_config config = {.jobs = request->jobs > 0 ? request->jobs : pool_default_jobs(),
                                 .force = request->force,
                                 .verbose = request->verbose,
                                 .quiet = request->quiet || (request->json && !request->verbose),
                                 .fail_dir = fail_dir};
    enum status status = pool_run(plan, &session->cache, &config, &results->runs, error);
    uint32_t kept = results->runs.reused + results->runs.made;
    if (status == STATUS_STOPPED)
        error_set(error, status,
                  "stopped; %u of %u runs of %s/%s are done and kept: the same command goes on from there",
                  kept, plan->run_count, results->sweep->scheme, results->sweep->name);
    return status;
}

static enum status run_figure(struct session *session, const char *path, struct arena *arena,
                              struct error *error) {
    const struct experiment_request *request = session->request;
    struct sweep *sweep = arena_alloc(arena, sizeof *sweep);
    struct plan plan;
    struct results results = {.sweep = sweep, .plan = &plan, .quick = request->quick};
    TRY(load(session, path, arena, sweep, error));
    TRY(plan_make(sweep, &session->base, arena, &plan, error));
    if (request->dry_run) {
        print_commands(&plan, arena);
        return STATUS_OK;
    }
    snprintf(results.dir, sizeof results.dir, "%s/%s/%s%s", request->out, sweep->scheme, sweep->name,
             request->quick ? "-quick" : "");
    TRY(make_runs(session, &results, &plan, error));
    outcome_init(&results.outcome, sweep, arena);
    TRY(outcome_read(&results.outcome, &plan, &session->cache, arena, error));
    results_judge(&results, arena);
    TRY(results_write(&results, arena, error));
    show(session, &results, arena);
    return STATUS_OK;
}

/* ---- all that the word names ---- */

static enum status prepare(struct session *session, struct error *error) {
    char root[1024];
    TRY(find_root(session->request->dir, root, sizeof root, error));
    TRY(find_named(root, session->word, &session->arena, &session->found, error));
    TRY(key_base_init(&session->base, error));
    return cache_open(&session->cache, session->request->cache, error);
}

static void run_figures(struct session *session) {
    for (size_t i = 0; i < session->found.count && session->exit_code != 130; i++) {
        struct arena arena;
        struct error error = {0};
        arena_init(&arena);
        if (i > 0 && !session->request->json && !session->request->quiet && !session->request->dry_run)
            printf("\n");
        if (run_figure(session, session->found.paths[i], &arena, &error) != STATUS_OK)
            fail(session, &error);
        arena_close(&arena);
    }
}

static void write_json(struct session *session) {
    json_t *root = json_pack("{s:i, s:b, s:O}", "exit_code", session->exit_code, "quick",
                             session->request->quick, "figures", session->figures);
    if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0)
        session->exit_code = 4;
    printf("\n");
    json_decref(root);
}

static enum status write_report(struct session *session, struct error *error) {
    struct sweep sweep;
    TRY(load(session, session->found.paths[0], &session->arena, &sweep, error));
    return experiment_report(&(struct report_config){.scheme = arena_copy_text(&session->arena, sweep.scheme),
                                                     .sweeps = &session->found,
                                                     .results = session->request->out,
                                                     .quick = session->request->quick,
                                                     .file = session->request->report},
                             &session->arena, error);
}

int experiment_run(const struct experiment_request *request, const char *word) {
    struct session *session = calloc(1, sizeof *session);
    struct error error = {0};
    if (session == NULL)
        return 4;
    session->request = request;
    session->word = word;
    session->cache.lock = -1;
    session->figures = json_array();
    arena_init(&session->arena);
    if (prepare(session, &error) == STATUS_OK)
        run_figures(session);
    else
        fail(session, &error);
    bool reports = request->report != NULL && !request->dry_run && session->found.count > 0;
    if (reports && session->exit_code != 130 && write_report(session, &error) != STATUS_OK)
        fail(session, &error);
    if (request->json && !request->dry_run)
        write_json(session);
    cache_close(&session->cache);
    json_decref(session->figures);
    arena_close(&session->arena);
    int code = session->exit_code;
    free(session);
    return code;
}

int experiment_write_report(const struct experiment_request *request, const char *word) {
    struct session *session = calloc(1, sizeof *session);
    struct error error = {0};
    char root[1024], page[1200];
    if (session == NULL)
        return 4;
    struct experiment_request own = *request;
    session->request = &own;
    arena_init(&session->arena);
    snprintf(page, sizeof page, "docs/results/%s.md", word);
    if (own.report == NULL)
        own.report = page;
    enum status status = find_root(own.dir, root, sizeof root, &error);
    if (status == STATUS_OK)
        status = find_named(root, word, &session->arena, &session->found, &error);
    if (status == STATUS_OK)
        status = write_report(session, &error);
    if (status != STATUS_OK)
        fail(session, &error);
    else
        printf("%s\n", own.report);
    arena_close(&session->arena);
    int code = session->exit_code;
    free(session);
    return code;
}
