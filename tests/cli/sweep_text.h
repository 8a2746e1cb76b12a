/* sweep_text: sweeps from text in tests, and results filled by hand, so that no run is needed. */
#ifndef TIERBED_TESTS_CLI_SWEEP_TEXT_H
#define TIERBED_TESTS_CLI_SWEEP_TEXT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/experiment_claims.h"

#define SWEEP_HEAD                                                                                           \
    "title: A test\n"                                                                                        \
    "scenario: quickstart.yaml\n"                                                                            \
    "x: {label: load, values: [1, 2, 4], set: nodes.sensor.per_parent=$x}\n"                                 \
    "measures:\n"                                                                                            \
    "  - {name: delay, unit: ms, summary: delay.mean_ms}\n"                                                  \
    "  - {name: drops, summary: tasks.dropped}\n"                                                            \
    "arms:\n"                                                                                                \
    "  - {name: a, set: policy.kind=local}\n"                                                                \
    "  - {name: b, set: policy.kind=offload}\n"                                                              \
    "  - {name: c, set: policy.kind=greedy}\n"                                                               \
    "seeds: 8\n"

struct sweep_case {
    struct arena arena;
    struct sweep sweep;
    struct scenario_problems problems;
    struct outcome outcome;
};

static inline enum status sweep_case_try(struct sweep_case *test, const char *text, bool quick) {
    arena_init(&test->arena);
    return sweep_load_text(text, strlen(text), "experiments/factory/test.yaml", quick, &test->arena,
                           &test->sweep, &test->problems);
}

/* Loads SWEEP_HEAD and the claims, which must be right; results are all missing. */
static inline void sweep_case_open(struct sweep_case *test, const char *claims) {
    char text[8192];
    snprintf(text, sizeof text, "%sclaims:\n%s", SWEEP_HEAD, claims);
    if (sweep_case_try(test, text, false) != STATUS_OK) {
        scenario_problems_print(&test->problems, stderr);
        fail_msg("the sweep was not accepted");
    }
    outcome_init(&test->outcome, &test->sweep, &test->arena);
}

static inline void sweep_case_close(struct sweep_case *test) {
    arena_close(&test->arena);
}

/* Value of seed s (0..7): `base` plus `noise` times a fixed pattern that is symmetric around 0. */
static inline void sweep_case_fill(struct sweep_case *test, uint32_t arm, uint32_t point, double base,
                                   double noise) {
    static const double pattern[8] = {-1, 1, -0.5, 0.5, -0.75, 0.75, -0.25, 0.25};
    for (uint32_t seed = 0; seed < test->sweep.seeds; seed++)
        test->outcome.values[outcome_index(&test->sweep, 0, arm, point, seed)] =
            base + noise * pattern[seed % 8];
}

#endif
