/* vectors_run: goes through files of vectors, prints every comparison, and sums up. */
#include "cli/vectors.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RTOL_PUBLISHED 1e-9 /* where a vector states none */
#define RTOL_MAX 0.1        /* more would let anything pass */
#define FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum { EXIT_PASSED = 0, EXIT_MISMATCH = 1, EXIT_MALFORMED = 2, EXIT_UNKNOWN = 3, EXIT_UNREADABLE = 4 };

struct run {
    const struct vector_options *options;
    const char *file;
    size_t passed, failed, unknown, invalid, unreadable;
    size_t compared;
    double worst_error; /* largest relative error among the values that passed */
    json_t *vectors;    /* NULL unless options->json, as the next three */
    json_t *problems;
    json_t *values; /* of the vector at hand */
    const char *id; /* of the vector at hand */
};

static void problem(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void problem(struct run *run, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "tierbed verify: %s: %s\n", run->file, text);
    if (run->options->json) {
        char located[1400];
        snprintf(located, sizeof located, "%s: %s", run->file, text);
        json_array_append_new(run->problems, json_string(located));
    }
}

/* ---- one value ---- */

static void format_value(const json_t *value, char *text, size_t size) {
    if (value == NULL) {
        snprintf(text, size, "-");
        return;
    }
    if (json_is_real(value)) {
        snprintf(text, size, "%.15g", json_real_value(value));
        return;
    }
    if (json_is_array(value)) {
        snprintf(text, size, "[%zu entries]", json_array_size(value));
        return;
    }
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(text, size, "%s", dumped != NULL ? dumped : "?");
    free(dumped);
}

static void print_value(const struct run *run, const struct vector_comparison *comparison) {
    char expected[48], got[48], error[24];
    format_value(comparison->expected, expected, sizeof expected);
    format_value(comparison->got, got, sizeof got);
    if (isnan(comparison->relative_error))
        snprintf(error, sizeof error, "-");
    else
        snprintf(error, sizeof error, "%.1e", comparison->relative_error);
    printf("%-18s %-20s expected %-22s got %-22s error %-8s %s\n", run->id, comparison->path, expected, got,
           error, comparison->verdict);
}

static json_t *value_object(const struct vector_comparison *comparison) {
    json_t *object = json_object();
    json_object_set_new(object, "path", json_string(comparison->path));
    json_object_set_new(object, "expected", json_deep_copy(comparison->expected));
    json_object_set_new(object, "got",
                        comparison->got != NULL ? json_deep_copy(comparison->got) : json_null());
    json_object_set_new(object, "relative_error",
                        isnan(comparison->relative_error) ? json_null()
                                                          : vector_json_number(comparison->relative_error));
    json_object_set_new(object, "verdict", json_string(comparison->verdict));
    return object;
}

static void on_value(const struct vector_comparison *comparison, void *context) {
    struct run *run = context;
    run->compared++;
    if (comparison->passed && comparison->relative_error > run->worst_error) /* false for NaN */
        run->worst_error = comparison->relative_error;
    if (run->options->json)
        json_array_append_new(run->values, value_object(comparison));
    else if (!comparison->passed || !run->options->quiet)
        print_value(run, comparison);
}

/* ---- one vector ---- */

static void close_vector(struct run *run, const char *case_name, const struct vector_case *entry,
                         const char *verdict) {
    if (!run->options->json)
        return;
    json_t *object = json_object();
    json_object_set_new(object, "file", json_string(run->file));
    json_object_set_new(object, "id", json_string(run->id));
    json_object_set_new(object, "case", json_string(case_name));
    json_object_set_new(object, "equations", entry != NULL ? json_string(entry->equations) : json_null());
    json_object_set_new(object, "verdict", json_string(verdict));
    json_object_set(object, "values", run->values);
    json_array_append_new(run->vectors, object);
}

static void invalid_vector(struct run *run, const char *case_name, const struct vector_case *entry) {
    run->invalid++;
    close_vector(run, case_name, entry, "invalid");
}

static void warn_unused(struct run *run, const struct vector_reader *reader) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)reader->inputs, key, value) {
        if (json_object_get(reader->used, key) == NULL)
            fprintf(stderr, "tierbed verify: %s: note: %s.%s is not used by this case\n", run->file,
                    reader->path, key);
    }
}

struct vector {
    const char *case_name;
    const json_t *inputs, *outputs;
    double rtol;
    char inputs_path[64];
};

static void check_vector(struct run *run, const struct vector_case *entry, const struct vector *vector) {
    struct arena arena;
    arena_init(&arena);
    struct vector_reader reader = {.inputs = vector->inputs, .path = vector->inputs_path, .arena = &arena};
    reader.used = json_object();
    json_t *got = json_object();
    entry->compute(&reader, got);
    if (reader.failed) {
        problem(run, "%s (vector %s)", reader.problem, run->id);
        invalid_vector(run, vector->case_name, entry);
    } else {
        warn_unused(run, &reader);
        size_t failures =
            vector_compare(vector->outputs, got, vector->rtol, entry->tolerances, on_value, run);
        run->failed += failures > 0;
        run->passed += failures == 0;
        close_vector(run, vector->case_name, entry, failures > 0 ? "failed" : "passed");
    }
    json_decref(got);
    json_decref(reader.used);
    arena_close(&arena);
}

static void unknown_case(struct run *run, const char *case_name) {
    run->unknown++;
    if (!run->options->json)
        printf("%-18s case %s: UNKNOWN, no function computes it\n", run->id, case_name);
    close_vector(run, case_name, NULL, "unknown");
}

/* Reads the members that every vector has; false after a problem. */
static bool read_vector(struct run *run, const json_t *object, size_t index, struct vector *vector) {
    static const char *const texts[] = {"id", "case"};
    for (size_t i = 0; i < 2; i++)
        if (json_string_length(json_object_get(object, texts[i])) == 0) {
            problem(run, "$.vectors[%zu].%s: expected a text", index, texts[i]);
            return false;
        }
    static const char *const objects[] = {"inputs", "outputs"};
    for (size_t i = 0; i < 2; i++)
        if (json_object_size(json_object_get(object, objects[i])) == 0) {
            problem(run, "$.vectors[%zu].%s: expected an object with at least one member", index, objects[i]);
            return false;
        }
    const json_t *rtol = json_object_get(object, "rtol");
    vector->rtol = rtol == NULL ? RTOL_PUBLISHED : json_number_value(rtol);
    if (rtol != NULL && !(json_is_number(rtol) && vector->rtol >= 0.0 && vector->rtol <= RTOL_MAX)) {
        problem(run, "$.vectors[%zu].rtol: expected a number from 0 to %g", index, RTOL_MAX);
        return false;
    }
    vector->case_name = json_string_value(json_object_get(object, "case"));
    vector->inputs = json_object_get(object, "inputs");
    vector->outputs = json_object_get(object, "outputs");
    snprintf(vector->inputs_path, sizeof vector->inputs_path, "$.vectors[%zu].inputs", index);
    return true;
}

static void verify_vector(struct run *run, const json_t *object, size_t index) {
    struct vector vector;
    const char *id = json_string_value(json_object_get(object, "id"));
    const char *case_name = json_string_value(json_object_get(object, "case"));
    run->id = id != NULL ? id : "?";
    run->values = run->options->json ? json_array() : NULL;
    if (!read_vector(run, object, index, &vector)) {
        invalid_vector(run, case_name != NULL ? case_name : "?", NULL);
    } else {
        const struct vector_case *entry = vector_case_find(vector.case_name);
        if (entry == NULL)
            unknown_case(run, vector.case_name);
        else
            check_vector(run, entry, &vector);
    }
    json_decref(run->values);
    run->values = NULL;
}

/* ---- files ---- */

static void verify_text(struct run *run, const char *text, size_t size) {
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        run->invalid++;
        problem(run, "line %d, column %d: not JSON: %s", error.line, error.column, error.text);
        return;
    }
    const json_t *vectors = json_object_get(root, "vectors");
    if (json_array_size(vectors) == 0) {
        run->invalid++;
        problem(run, "$.vectors: expected an array of at least one vector");
    }
    for (size_t i = 0; i < json_array_size(vectors); i++)
        verify_vector(run, json_array_get(vectors, i), i);
    json_decref(root);
}

static char *read_stream(FILE *stream, size_t *size) {
    size_t capacity = 65536;
    char *text = malloc(capacity);
    *size = 0;
    while (text != NULL) {
        *size += fread(text + *size, 1, capacity - *size, stream);
        if (*size < capacity)
            break;
        if (capacity >= FILE_BYTES_MAX) {
            errno = EFBIG;
            break;
        }
        char *larger = realloc(text, capacity *= 2);
        if (larger == NULL)
            free(text);
        text = larger;
    }
    if (text != NULL && (ferror(stream) || *size >= FILE_BYTES_MAX)) {
        free(text);
        return NULL;
    }
    return text;
}

static void verify_file(struct run *run) {
    size_t size = 0;
    FILE *stream = fopen(run->file, "rb");
    char *text = stream != NULL ? read_stream(stream, &size) : NULL;
    int reason = errno;
    if (stream != NULL)
        fclose(stream);
    if (text == NULL) {
        run->unreadable++;
        problem(run, "cannot read: %s", strerror(reason != 0 ? reason : EIO));
        return;
    }
    verify_text(run, text, size);
    free(text);
}

/* ---- summary ---- */

static int exit_code(const struct run *run) {
    if (run->unreadable > 0)
        return EXIT_UNREADABLE;
    if (run->invalid > 0)
        return EXIT_MALFORMED;
    if (run->failed > 0)
        return EXIT_MISMATCH;
    return run->unknown > 0 ? EXIT_UNKNOWN : EXIT_PASSED;
}

static void print_summary(const struct run *run) {
    printf("%zu passed, %zu failed, %zu unknown, %zu invalid; %zu values compared", run->passed, run->failed,
           run->unknown, run->invalid, run->compared);
    if (run->passed > 0)
        printf(", largest relative error of those that agree %.1e", run->worst_error);
    putchar('\n');
}

static void print_json(const struct run *run) {
    json_t *object = json_object();
    json_object_set_new(object, "passed", json_integer((json_int_t)run->passed));
    json_object_set_new(object, "failed", json_integer((json_int_t)run->failed));
    json_object_set_new(object, "unknown", json_integer((json_int_t)run->unknown));
    json_object_set_new(object, "invalid", json_integer((json_int_t)run->invalid));
    json_object_set_new(object, "unreadable_files", json_integer((json_int_t)run->unreadable));
    json_object_set_new(object, "values_compared", json_integer((json_int_t)run->compared));
    json_object_set_new(object, "largest_relative_error", json_real(run->worst_error));
    json_object_set_new(object, "exit_code", json_integer(exit_code(run)));
    json_object_set(object, "problems", run->problems);
    json_object_set(object, "vectors", run->vectors);
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
}

static struct run run_open(const struct vector_options *options) {
    struct run run = {.options = options};
    run.vectors = options->json ? json_array() : NULL;
    run.problems = options->json ? json_array() : NULL;
    return run;
}

static int run_close(struct run *run) {
    if (run->options->json)
        print_json(run);
    else
        print_summary(run);
    json_decref(run->vectors);
    json_decref(run->problems);
    return exit_code(run);
}

int vectors_verify(char *const *paths, size_t path_count, const struct vector_options *options) {
    struct run run = run_open(options);
    for (size_t i = 0; i < path_count; i++) {
        run.file = paths[i];
        verify_file(&run);
    }
    return run_close(&run);
}

int vectors_verify_text(const char *name, const char *text, size_t size,
                        const struct vector_options *options) {
    struct run run = run_open(options);
    run.file = name;
    verify_text(&run, text, size);
    return run_close(&run);
}
