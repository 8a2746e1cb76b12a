/* vectors_compare: expected against computed values, leaf by leaf. */
#include "cli/vectors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ZERO_TOLERANCE 1e-15 /* how far from 0 a value may be where exactly 0 is expected */
#define PATH_MAX_LENGTH 512
#define DEPTH_MAX 16

struct comparer {
    double rtol;
    vector_visitor visit;
    void *context;
    size_t failures;
};

static void compare(struct comparer *comparer, const char *path, const json_t *expected, const json_t *got,
                    unsigned depth);

static void report(struct comparer *comparer, const char *path, const json_t *expected, const json_t *got,
                   double relative_error, const char *failure) {
    struct vector_comparison comparison = {.path = path, .expected = expected, .got = got};
    comparison.relative_error = relative_error;
    comparison.passed = failure == NULL;
    comparison.verdict = failure == NULL ? "ok" : failure;
    comparer->failures += !comparison.passed;
    comparer->visit(&comparison, comparer->context);
}

static double relative_error(double expected, double got) {
    if (expected == 0.0)
        return fabs(got) <= ZERO_TOLERANCE ? 0.0 : (double)INFINITY;
    return fabs(got - expected) / fabs(expected);
}

static void compare_numbers(struct comparer *comparer, const char *path, const json_t *expected,
                            const json_t *got) {
    if (json_is_integer(expected) && json_is_integer(got)) {
        bool equal = json_integer_value(expected) == json_integer_value(got);
        report(comparer, path, expected, got, NAN, equal ? NULL : "MISMATCH");
        return;
    }
    double wanted = json_number_value(expected), found = json_number_value(got);
    double error = relative_error(wanted, found);
    double allowed = json_is_integer(got) ? 0.0 : comparer->rtol; /* a count is right or wrong */
    report(comparer, path, expected, got, error, error <= allowed ? NULL : "MISMATCH");
}

static void compare_arrays(struct comparer *comparer, const char *path, const json_t *expected,
                           const json_t *got, unsigned depth) {
    size_t count = json_array_size(expected);
    if (count != json_array_size(got) || count == 0) {
        report(comparer, path, expected, got, NAN, count == json_array_size(got) ? NULL : "wrong length");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        char entry[PATH_MAX_LENGTH];
        snprintf(entry, sizeof entry, "%s[%zu]", path, i);
        compare(comparer, entry, json_array_get(expected, i), json_array_get(got, i), depth + 1);
    }
}

static void compare_objects(struct comparer *comparer, const char *path, const json_t *expected,
                            const json_t *got, unsigned depth) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, key, value) {
        char member[PATH_MAX_LENGTH];
        snprintf(member, sizeof member, "%s%s%s", path, *path != '\0' ? "." : "", key);
        compare(comparer, member, value, json_object_get(got, key), depth + 1);
    }
}

/* JSON has no NaN or infinity: null stands for "no finite value here". */
static bool is_nothing(const json_t *got) {
    return got == NULL || json_is_null(got) || json_is_string(got);
}

static void compare(struct comparer *comparer, const char *path, const json_t *expected, const json_t *got,
                    unsigned depth) {
    if (json_is_null(expected))
        report(comparer, path, expected, got, NAN, is_nothing(got) ? NULL : "MISMATCH");
    else if (got == NULL)
        report(comparer, path, expected, got, NAN, "not computed");
    else if (depth < DEPTH_MAX && json_is_array(expected) && json_is_array(got))
        compare_arrays(comparer, path, expected, got, depth);
    else if (depth < DEPTH_MAX && json_is_object(expected) && json_is_object(got))
        compare_objects(comparer, path, expected, got, depth);
    else if (json_is_number(expected) && json_is_number(got))
        compare_numbers(comparer, path, expected, got);
    else if (json_is_string(expected) && json_is_string(got))
        report(comparer, path, expected, got, NAN, json_equal(expected, got) ? NULL : "MISMATCH");
    else if (json_is_number(expected) && json_is_string(got)) /* computed, but not finite */
        report(comparer, path, expected, got, NAN, "MISMATCH");
    else
        report(comparer, path, expected, got, NAN, "not comparable");
}

static double rtol_of(const char *output, double rtol, const struct vector_tolerance *tolerances) {
    for (; tolerances != NULL && tolerances->output != NULL; tolerances++)
        if (strcmp(tolerances->output, output) == 0)
            return fmax(rtol, tolerances->rtol);
    return rtol;
}

size_t vector_compare(const json_t *expected, const json_t *got, double rtol,
                      const struct vector_tolerance *tolerances, vector_visitor visit, void *context) {
    struct comparer comparer = {.visit = visit, .context = context};
    const char *output;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, output, value) {
        comparer.rtol = rtol_of(output, rtol, tolerances);
        compare(&comparer, output, value, json_object_get(got, output), 1);
    }
    return comparer.failures;
}
