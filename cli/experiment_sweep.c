#include "cli/experiment_sweep.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/experiment_check.h"
#include "cli/experiment_schema.h"
#include "common/record/durable.h"

/* "experiments/factory/policies.yaml": scheme `factory`, name `policies`. A file without folder belongs to
 * `own`. */
static void name_after_path(struct sweep *sweep, const char *path) {
    snprintf(sweep->path, sizeof sweep->path, "%s", path);
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    snprintf(sweep->name, sizeof sweep->name, "%.*s", (int)strcspn(base, "."), base);
    snprintf(sweep->scheme, sizeof sweep->scheme, "own");
    if (slash == NULL || slash == path)
        return;
    const char *begin = slash;
    while (begin > path && begin[-1] != '/')
        begin--;
    if (begin < slash && *begin != '.')
        snprintf(sweep->scheme, sizeof sweep->scheme, "%.*s", (int)(slash - begin), begin);
}

/* The scenario stands relative to the sweep file; a path from the root stays. */
static void find_scenario(struct sweep *sweep) {
    const char *slash = strrchr(sweep->path, '/');
    int folder = slash == NULL || sweep->scenario[0] == '/' ? 0 : (int)(slash - sweep->path) + 1;
    snprintf(sweep->scenario_path, sizeof sweep->scenario_path, "%.*s%s", folder, sweep->path,
             sweep->scenario);
}

static uint64_t hash_text(const char *text, size_t size) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a: tells edited files apart, no more */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash;
}

static void check(struct scenario_load *load, struct sweep *sweep, bool quick) {
    sweep_check_measures(load, sweep);
    sweep_expand(load, sweep, quick);
    if (load->problems->count == 0)
        sweep_check_claims(load, sweep);
}

enum status sweep_load_text(const char *text, size_t size, const char *path, bool quick, struct arena *arena,
                            struct sweep *sweep, struct scenario_problems *problems) {
    *sweep = (struct sweep){0};
    problems->count = 0;
    snprintf(problems->file, sizeof problems->file, "%s", path);
    struct scenario_load load = {.arena = arena, .scratch = arena, .problems = problems};
    name_after_path(sweep, path);
    sweep->hash = hash_text(text, size);
    load.root = tree_parse(text, size, NULL, arena, problems);
    if (load.root == NULL)
        return STATUS_INVALID;
    if (load.root->kind != TREE_MAP) {
        problem_at(problems, load.root,
                   "expected a map of `key: value` with at least `title`, `scenario`, `measures` and `arms`");
        return STATUS_INVALID;
    }
    schema_bind(&load, &sweep_schema, sweep);
    find_scenario(sweep);
    check(&load, sweep, quick);
    problems_sort(problems);
    return problems->count == 0 ? STATUS_OK : STATUS_INVALID;
}

enum status sweep_load(const char *path, bool quick, struct arena *arena, struct sweep *sweep,
                       struct scenario_problems *problems) {
    struct error error = {0};
    char *text = NULL;
    size_t size = 0;
    *sweep = (struct sweep){0};
    problems->count = 0;
    snprintf(problems->file, sizeof problems->file, "%s", path);
    enum status status = durable_read(path, TREE_BYTES_MAX, &text, &size, &error);
    if (status != STATUS_OK) {
        problem_add(problems, 0, 0, "%s", error.text);
        return status;
    }
    status = sweep_load_text(text, size, path, quick, arena, sweep, problems);
    free(text);
    return status;
}

bool sweep_is_one(const char *path) {
    struct arena arena;
    struct scenario_problems *problems = malloc(sizeof *problems); /* large */
    char *text = NULL;
    size_t size = 0;
    bool one = false;
    arena_init(&arena);
    if (problems != NULL && durable_read(path, TREE_BYTES_MAX, &text, &size, NULL) == STATUS_OK) {
        problems->count = 0;
        const struct tree_node *root = tree_parse(text, size, NULL, &arena, problems);
        one = tree_get(root, "arms") != NULL;
    }
    free(text);
    free(problems);
    arena_close(&arena);
    return one;
}

const struct sweep_source *sweep_source_of(const struct sweep *sweep, uint32_t arm, uint32_t measure) {
    assert(arm < sweep->arm_count && measure < sweep->measure_count);
    const struct sweep_arm *of = &sweep->arms[arm];
    for (uint32_t i = 0; i < of->read_count; i++)
        if (strcmp(of->reads[i].measure, sweep->measures[measure].name) == 0)
            return &of->reads[i].source;
    return &sweep->measures[measure].source;
}

const char *source_name(const struct sweep_source *source) {
    switch (source->kind) {
    case SOURCE_RESULT:
        return source->result;
    case SOURCE_SERIES:
        return source->series;
    case SOURCE_SUMMARY:
        return source->summary;
    case SOURCE_NONE:
        break;
    }
    return "";
}
