#include "cli/experiment_plan.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The run at hand while the plan is made. */
struct making {
    struct plan *plan;
    struct key_base *base;
    struct arena *arena;
    struct scenario_problems *problems; /* large */
};

struct plan_run *plan_run_at(const struct plan *plan, uint32_t arm, uint32_t point, uint32_t seed) {
    const struct sweep *sweep = plan->sweep;
    assert(arm < sweep->arm_count && point < sweep->point_count && seed < sweep->seeds);
    return &plan->runs[plan->of[(arm * sweep->point_count + point) * sweep->seeds + seed]];
}

static void take_sets(struct plan_run *run, const struct sweep_sets *sets) {
    for (uint32_t i = 0; i < sets->count; i++)
        run->sets[run->set_count++] = sets->items[i];
}

static void describe(struct plan_run *run, const struct sweep *sweep, uint32_t arm, uint32_t point) {
    if (sweep->single)
        snprintf(run->name, sizeof run->name, "%s seed %" PRIu64, sweep->arms[arm].name, run->seed);
    else
        snprintf(run->name, sizeof run->name, "%s x=%s seed %" PRIu64, sweep->arms[arm].name,
                 sweep->points[point].text, run->seed);
}

static enum status resolve(struct making *making, struct plan_run *run, struct error *error) {
    struct scenario_override overrides[SWEEP_OVERRIDES_MAX + 1];
    struct scenario scenario;
    struct arena scratch;
    char seed[40];
    for (uint32_t i = 0; i < run->set_count; i++)
        overrides[i].assignment = run->sets[i];
    snprintf(seed, sizeof seed, "seed=%" PRIu64, run->seed);
    overrides[run->set_count].assignment = seed;
    arena_init(&scratch);
    enum status status = scenario_load_file(run->scenario_path, overrides, run->set_count + 1, &scratch,
                                            &scenario, making->problems);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: the run `%s` is not possible:\n", making->plan->sweep->path, run->name);
        scenario_problems_print(making->problems, stderr);
        error_set(error, status, "%s: the scenario was not accepted; nothing was started",
                  making->plan->sweep->path);
    } else {
        run->text = arena_copy_text(making->arena, scenario_print(&scenario, &scratch, NULL));
        status = key_of_run(making->base, &scenario, run->text, run->key, error);
    }
    arena_close(&scratch);
    return status;
}

/* The index of the run with that key; the new one if there is none yet. */
static uint32_t settle(struct plan *plan) {
    const struct plan_run *made = &plan->runs[plan->run_count];
    for (uint32_t i = 0; i < plan->run_count; i++)
        if (strcmp(plan->runs[i].key, made->key) == 0)
            return i;
    return plan->run_count++;
}

static enum status add_run(struct making *making, uint32_t arm, uint32_t point, uint32_t seed,
                           struct error *error) {
    struct plan *plan = making->plan;
    const struct sweep *sweep = plan->sweep;
    struct plan_run *run = &plan->runs[plan->run_count];
    *run = (struct plan_run){.scenario_path = sweep->scenario_path, .seed = sweep->first_seed + seed};
    run->sets = arena_alloc_array(making->arena, SWEEP_OVERRIDES_MAX, sizeof *run->sets);
    take_sets(run, &sweep->sets);
    take_sets(run, &sweep->points[point].sets);
    take_sets(run, &sweep->arms[arm].sets);
    take_sets(run, &sweep->quick.sets);
    describe(run, sweep, arm, point);
    TRY(resolve(making, run, error));
    plan->of[(arm * sweep->point_count + point) * sweep->seeds + seed] = settle(plan);
    return STATUS_OK;
}

enum status plan_make(const struct sweep *sweep, struct key_base *base, struct arena *arena,
                      struct plan *plan, struct error *error) {
    size_t count = (size_t)sweep->arm_count * sweep->point_count * sweep->seeds;
    *plan = (struct plan){.sweep = sweep,
                          .runs = arena_alloc_array(arena, count + 1, sizeof *plan->runs),
                          .of = arena_alloc_array(arena, count, sizeof *plan->of)};
    struct making making = {
        .plan = plan, .base = base, .arena = arena, .problems = malloc(sizeof *making.problems)};
    if (making.problems == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the plan");
    enum status status = STATUS_OK;
    /* Seeds outermost: an interrupted experiment has complete figures of fewer seeds. */
    for (uint32_t seed = 0; seed < sweep->seeds && status == STATUS_OK; seed++)
        for (uint32_t point = 0; point < sweep->point_count && status == STATUS_OK; point++)
            for (uint32_t arm = 0; arm < sweep->arm_count && status == STATUS_OK; arm++)
                status = add_run(&making, arm, point, seed, error);
    free(making.problems);
    return status;
}

static bool needs_quotes(const char *text) {
    return *text == '\0' || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                         "_-+=.,:/@%") != strlen(text);
}

static void print_word(FILE *out, const char *word) {
    if (!needs_quotes(word)) {
        fprintf(out, " %s", word);
        return;
    }
    fputs(" '", out);
    for (; *word != '\0'; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, out);
    fputc('\'', out);
}

const char *plan_command(const struct plan_run *run, struct arena *arena) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert(out != NULL);
    fputs("tierbed run", out);
    print_word(out, run->scenario_path);
    for (uint32_t i = 0; i < run->set_count; i++) {
        fputs(" --set", out);
        print_word(out, run->sets[i]);
    }
    fprintf(out, " --seed %" PRIu64, run->seed);
    fclose(out);
    const char *copy = arena_copy_text(arena, text);
    free(text);
    return copy;
}
