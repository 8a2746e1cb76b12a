/* mistakes: one change at a time to a valid scenario; the one problem reported must stand on the line and
 * column of the change. Only included by tests, after cmocka. */
#ifndef TIERBED_TESTS_MODEL_MISTAKES_H
#define TIERBED_TESTS_MODEL_MISTAKES_H

#include "tests/model/scenario_text.h"

static struct scenario_problems problems;

static enum status load(const char *text, size_t size, const char *assignment) {
    struct arena arena;
    struct scenario scenario;
    struct scenario_override override = {.assignment = assignment};
    arena_init(&arena);
    enum status status = scenario_load_text(text, size, "test.yaml", &override, assignment != NULL ? 1 : 0,
                                            &arena, &scenario, &problems);
    arena_close(&arena);
    return status;
}

struct mistake {
    const char *find, *replacement;
    const char *at;   /* where the problem stands: words of the changed text, `|` before the very place */
    const char *part; /* of its message */
    uint32_t others;  /* problems that come with it */
};

/* Line and column, from 1, of the place that `at` marks in `text`. */
static void locate(const char *text, const char *at, uint32_t *line, uint32_t *column) {
    char words[128];
    size_t bar = strcspn(at, "|");
    assert_true(at[bar] == '|' && strlen(at) < sizeof words);
    sprintf(words, "%.*s%s", (int)bar, at, at + bar + 1);
    const char *found = strstr(text, words);
    if (found == NULL)
        fail_msg("the changed text does not hold `%s`", words);
    *line = *column = 1;
    for (const char *c = text; c < found + bar; c++) {
        *column = *c == '\n' ? 1 : *column + (((unsigned char)*c & 0xc0) != 0x80);
        *line += *c == '\n';
    }
}

static void expect(const char *what, uint32_t line, uint32_t column, const char *part, uint32_t count) {
    bool found = false;
    for (uint32_t i = 0; i < problems.count; i++) {
        const struct scenario_problem *problem = &problems.items[i];
        found = found ||
                (problem->line == line && problem->column == column && strstr(problem->text, part) != NULL);
    }
    if (found && problems.count == count)
        return;
    scenario_problems_print(&problems, stderr);
    fail_msg("%s: expected %u problem(s), one at %u:%u with `%s`", what, count, line, column, part);
}

static inline void expect_one(const char *what, uint32_t line, uint32_t column, const char *part) {
    expect(what, line, column, part, 1);
}

static void expect_each(const char *base, const struct mistake *mistakes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[4096];
        uint32_t line, column;
        scenario_text_change(base, mistakes[i].find, mistakes[i].replacement, text, sizeof text);
        locate(text, mistakes[i].at, &line, &column);
        assert_int_equal(load(text, strlen(text), NULL), STATUS_INVALID);
        expect(mistakes[i].replacement, line, column, mistakes[i].part, mistakes[i].others + 1);
    }
}

#define EXPECT_EACH_OF(base, list) expect_each(base, list, sizeof(list) / sizeof *(list))
#define EXPECT_EACH(list) EXPECT_EACH_OF(scenario_text_small, list)

#endif
