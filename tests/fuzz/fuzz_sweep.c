/* Fuzzes the loader of sweep files, in full and quick. What is refused must say why; what is accepted must
 * hold together: every name resolved, every bound kept. Small sweeps are judged and drawn too, with values
 * that are hard (equal, missing, zero, huge). */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/experiment_results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "not so: %s\n", #condition);                                                     \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static struct scenario_problems problems;
static struct sweep sweep;

static void check_claim(const struct sweep_claim *claim) {
    REQUIRE(claim->at_count <= sweep.point_count);
    REQUIRE(claim->pair_count >= 1 && claim->pair_count <= SWEEP_ARMS_MAX);
    REQUIRE(claim->measure_index < sweep.measure_count && claim->measure_b_index < sweep.measure_count);
    for (uint32_t i = 0; i < claim->at_count; i++)
        REQUIRE(claim->at[i] < sweep.point_count);
    for (uint32_t i = 0; i < claim->pair_count; i++)
        REQUIRE(claim->a_arms[i] < sweep.arm_count && claim->b_arms[i] < sweep.arm_count);
}

static void check_sweep(void) {
    REQUIRE(sweep.point_count >= 1 && sweep.point_count <= SWEEP_POINTS_MAX);
    REQUIRE(sweep.arm_count >= 1 && sweep.arm_count <= SWEEP_ARMS_MAX);
    REQUIRE(sweep.measure_count >= 1 && sweep.measure_count <= SWEEP_MEASURES_MAX);
    REQUIRE(sweep.seeds >= 1 && sweep.seeds <= SWEEP_SEEDS_MAX);
    for (uint32_t arm = 0; arm < sweep.arm_count; arm++)
        for (uint32_t measure = 0; measure < sweep.measure_count; measure++)
            REQUIRE(*source_name(sweep_source_of(&sweep, arm, measure)) != '\0');
    for (uint32_t i = 0; i < sweep.claim_count; i++)
        check_claim(&sweep.claims[i]);
}

static void judge(struct arena *arena) {
    static const double hard[] = {1, 0, -1, 1, NAN, 1e300, 1e-300, 2, 3};
    struct results results = {.sweep = &sweep, .plan = NULL};
    struct markup svg;
    size_t count = (size_t)sweep.measure_count * sweep.arm_count * sweep.point_count * sweep.seeds;
    if (count > 48 || sweep.claim_count > 4)
        return;
    outcome_init(&results.outcome, &sweep, arena);
    for (size_t i = 0; i < count; i++)
        results.outcome.values[i] = hard[i % (sizeof hard / sizeof *hard)];
    results_judge(&results, arena);
    markup_init(&svg);
    results_svg(&results, &svg, arena);
    REQUIRE(svg.data != NULL && strstr(svg.data, "</svg>") != NULL);
    REQUIRE(strstr(svg.data, "nan") == NULL && strstr(svg.data, "\"n/a") == NULL);
    markup_close(&svg);
}

static void load(const char *text, size_t size, bool quick) {
    struct arena arena;
    arena_init(&arena);
    enum status status =
        sweep_load_text(text, size, "experiments/fuzz/sweep.yaml", quick, &arena, &sweep, &problems);
    REQUIRE((status == STATUS_OK) == (problems.count == 0));
    if (status == STATUS_OK) {
        check_sweep();
        judge(&arena);
    }
    arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    load((const char *)data, size, false);
    load((const char *)data, size, true);
    return 0;
}
