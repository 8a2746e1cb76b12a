/* experiment_list: `tierbed experiment list`. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/experiment.h"
#include "cli/experiment_find.h"
#include "cli/experiment_sweep.h"
#include "common/record/manifest.h"

static json_t *sweep_json(const struct sweep *sweep, const char *name) {
    uint32_t hard = 0;
    for (uint32_t i = 0; i < sweep->claim_count; i++)
        hard += sweep->claims[i].level == CLAIM_HARD;
    return json_pack("{s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:i}", "experiment", name, "file",
                     manifest_json_text(sweep->path), "title", manifest_json_text(sweep->title), "points",
                     (int)sweep->point_count, "arms", (int)sweep->arm_count, "seeds", (int)sweep->seeds,
                     "runs", (int)(sweep->point_count * sweep->arm_count * sweep->seeds), "claims",
                     (int)sweep->claim_count, "hard_claims", (int)hard);
}

static int list_one(const char *path, json_t *list, bool json) {
    struct scenario_problems *problems = malloc(sizeof *problems);
    struct sweep *sweep = malloc(sizeof *sweep);
    struct arena arena;
    char name[2 * SWEEP_NAME_MAX];
    arena_init(&arena);
    enum status status =
        problems != NULL && sweep != NULL ? sweep_load(path, false, &arena, sweep, problems) : STATUS_MEMORY;
    if (status == STATUS_OK) {
        snprintf(name, sizeof name, "%s/%s", sweep->scheme, sweep->name);
        json_array_append_new(list, sweep_json(sweep, name));
        if (!json)
            printf("%-24s %5u runs  %2u claims  %s\n", name,
                   sweep->point_count * sweep->arm_count * sweep->seeds, sweep->claim_count, sweep->title);
    } else if (problems != NULL) {
        scenario_problems_print(problems, stderr);
    }
    arena_close(&arena);
    free(sweep);
    free(problems);
    return status_exit_code(status);
}

int experiment_list(const struct experiment_request *request) {
    struct error error = {0};
    struct found_list found = {0};
    struct arena arena;
    char root[1024];
    arena_init(&arena);
    enum status status = find_root(request->dir, root, sizeof root, &error);
    if (status == STATUS_OK)
        status = find_all(root, &arena, &found, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "tierbed experiment: %s\n", error.text);
    int code = status_exit_code(status);
    json_t *list = json_array();
    for (size_t i = 0; i < found.count; i++) {
        int one = list_one(found.paths[i], list, request->json);
        code = code != 0 ? code : one;
    }
    if (request->json && status == STATUS_OK) {
        json_t *all = json_pack("{s:o, s:O}", "root", manifest_json_text(root), "experiments", list);
        json_dumpf(all, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(all);
    } else if (status == STATUS_OK && found.count == 0) {
        printf("no experiments in %s\n", root);
    }
    json_decref(list);
    arena_close(&arena);
    return code;
}
