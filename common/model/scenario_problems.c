/* scenario_problems: collecting, sorting and printing what is wrong with a scenario file. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/model/scenario_tree.h"

static struct scenario_problem *next_problem(struct scenario_problems *problems, uint32_t line,
                                             uint32_t column) {
    if (problems->count >= SCENARIO_PROBLEMS_MAX)
        return NULL;
    struct scenario_problem *problem = &problems->items[problems->count++];
    *problem = (struct scenario_problem){.line = line, .column = column};
    return problem;
}

void problem_add(struct scenario_problems *problems, uint32_t line, uint32_t column, const char *format,
                 ...) {
    struct scenario_problem *problem = next_problem(problems, line, column);
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

void problem_at(struct scenario_problems *problems, const struct tree_node *node, const char *format, ...) {
    struct scenario_problem *problem = next_problem(problems, node->line, node->column);
    if (problem == NULL)
        return;
    size_t used = 0;
    if (node->origin != NULL) {
        char quoted[TEXT_QUOTED_MAX];
        text_quote(node->origin, strlen(node->origin), quoted);
        used = (size_t)snprintf(problem->text, sizeof problem->text, "--set %s: ", quoted);
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text + used, sizeof problem->text - used, format, arguments);
    va_end(arguments);
}

static bool comes_before(const struct scenario_problem *a, const struct scenario_problem *b) {
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Insertion sort: at most a hundred, and stable. */
void problems_sort(struct scenario_problems *problems) {
    for (uint32_t i = 1; i < problems->count; i++) {
        struct scenario_problem moved = problems->items[i];
        uint32_t to = i;
        for (; to > 0 && comes_before(&moved, &problems->items[to - 1]); to--)
            problems->items[to] = problems->items[to - 1];
        problems->items[to] = moved;
    }
}

void scenario_problems_print(const struct scenario_problems *problems, void *stream) {
    FILE *file = stream;
    for (uint32_t i = 0; i < problems->count; i++) {
        const struct scenario_problem *problem = &problems->items[i];
        if (problem->line == 0)
            fprintf(file, "%s: %s\n", problems->file, problem->text);
        else
            fprintf(file, "%s:%u:%u: %s\n", problems->file, problem->line, problem->column, problem->text);
    }
    if (problems->count >= SCENARIO_PROBLEMS_MAX)
        fprintf(file, "the first %u problems; mend these, then check again\n", problems->count);
    else
        fprintf(file, "%u problem%s\n", problems->count, problems->count == 1 ? "" : "s");
}
