/* scenario_load: text -> tree -> overrides -> struct -> checks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/scenario_bind.h"

static void problems_init(struct scenario_problems *problems, const char *name) {
    problems->count = 0;
    snprintf(problems->file, sizeof problems->file, "%s", name);
}

static enum status load(struct scenario_load *load, const char *text, size_t size,
                        const struct scenario_override *overrides, size_t override_count) {
    struct scenario_problems *problems = load->problems;
    load->root = tree_parse(text, size, NULL, load->scratch, problems);
    if (load->root == NULL)
        return STATUS_INVALID;
    if (load->root->kind != TREE_MAP) {
        problem_at(problems, load->root,
                   "expected a map of `key: value` with at least `name`, `nodes` and `links`");
        return STATUS_INVALID;
    }
    for (size_t i = 0; i < override_count; i++)
        scenario_set(load, overrides[i].assignment);
    scenario_bind(load);
    scenario_check(load);
    problems_sort(problems);
    return problems->count == 0 ? STATUS_OK : STATUS_INVALID;
}

enum status scenario_load_text(const char *text, size_t size, const char *name,
                               const struct scenario_override *overrides, size_t override_count,
                               struct arena *arena, struct scenario *scenario,
                               struct scenario_problems *problems) {
    problems_init(problems, name);
    struct arena scratch;
    arena_init(&scratch);
    struct scenario_load loading = {
        .arena = arena, .scratch = &scratch, .scenario = scenario, .problems = problems};
    enum status status = load(&loading, text, size, overrides, override_count);
    arena_close(&scratch);
    return status;
}

/* Reads at most one byte more than a scenario may have, which the parser then refuses with the bound. */
static enum status read_file(const char *path, char **text, size_t *size,
                             struct scenario_problems *problems) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        problem_add(problems, 0, 0, "cannot open the scenario: %s", strerror(errno));
        return STATUS_IO;
    }
    *text = malloc(TREE_BYTES_MAX + 1);
    enum status status = *text != NULL ? STATUS_OK : STATUS_MEMORY;
    errno = 0;
    *size = *text != NULL ? fread(*text, 1, TREE_BYTES_MAX + 1, file) : 0;
    if (status == STATUS_OK && ferror(file))
        status = STATUS_IO;
    if (status != STATUS_OK) {
        problem_add(problems, 0, 0, "cannot read the scenario: %s",
                    strerror(status == STATUS_IO ? errno : ENOMEM));
        free(*text);
    }
    fclose(file);
    return status;
}

enum status scenario_load_file(const char *path, const struct scenario_override *overrides,
                               size_t override_count, struct arena *arena, struct scenario *scenario,
                               struct scenario_problems *problems) {
    problems_init(problems, path);
    char *text;
    size_t size;
    TRY(read_file(path, &text, &size, problems));
    enum status status =
        scenario_load_text(text, size, path, overrides, override_count, arena, scenario, problems);
    free(text);
    return status;
}
