/* vectors_read: typed access to the inputs of one vector; the first problem is kept with its JSON path. */
#include "cli/vectors.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range_rule {
    double minimum, maximum;
    bool without_zero;
    const char *text;
};

static const struct range_rule range_rules[] = {
    [VECTOR_ANY] = {-1e40, 1e40, false, "a number"},
    [VECTOR_NON_NEGATIVE] = {0.0, 1e40, false, "a number >= 0"},
    [VECTOR_POSITIVE] = {0.0, 1e40, true, "a number > 0"},
    [VECTOR_UNIT] = {0.0, 1.0, false, "a number from 0 to 1"},
    [VECTOR_DECIBEL] = {-400.0, 400.0, false, "a number of decibels from -400 to 400"},
    [VECTOR_DISTANCE] = {1e-3, 1e9, true, "a distance from 0.001 to 1e9 m"},
    [VECTOR_EXPONENT] = {-10.0, 10.0, false, "an exponent from -10 to 10"},
    [VECTOR_ARGUMENT] = {-1e6, 1e6, false, "a number from -1e6 to 1e6"},
};
#define MAGNITUDE_MIN 1e-40

static void describe(const json_t *value, char *text, size_t size) {
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    snprintf(text, size, "%s", dumped != NULL ? dumped : "something unreadable");
    if (strlen(text) > 60)
        memcpy(text + 57, "...", 4);
    free(dumped);
}

static void fail(struct vector_reader *reader, const char *where, const char *format, va_list arguments) {
    if (reader->failed)
        return;
    reader->failed = true;
    int used = snprintf(reader->problem, sizeof reader->problem, "%s.%s: ", reader->path, where);
    if (used > 0 && (size_t)used < sizeof reader->problem)
        vsnprintf(reader->problem + used, sizeof reader->problem - (size_t)used, format, arguments);
}

void vector_refuse(struct vector_reader *reader, const char *key, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail(reader, key, format, arguments);
    va_end(arguments);
}

static void expected(struct vector_reader *reader, const char *where, const char *what, const json_t *found) {
    char text[128];
    describe(found, text, sizeof text);
    vector_refuse(reader, where, "expected %s, found %s", what, text);
}

/* NULL when the key is absent. */
static const json_t *find(struct vector_reader *reader, const char *key) {
    json_object_set_new(reader->used, key, json_true());
    return json_object_get(reader->inputs, key);
}

static const json_t *need(struct vector_reader *reader, const char *key) {
    const json_t *value = find(reader, key);
    if (value == NULL)
        vector_refuse(reader, key, "this input is missing");
    return value;
}

static bool in_range(double value, const struct range_rule *rule) {
    if (!(value >= rule->minimum && value <= rule->maximum))
        return false;
    return value == 0.0 ? !rule->without_zero : fabs(value) >= MAGNITUDE_MIN;
}

/* A placeholder inside every range, for calls after a problem. */
static double checked(struct vector_reader *reader, const json_t *value, const char *where,
                      enum vector_range range) {
    const struct range_rule *rule = &range_rules[range];
    if (json_is_number(value) && in_range(json_number_value(value), rule))
        return json_number_value(value);
    expected(reader, where, rule->text, value);
    return 1.0;
}

double vector_number(struct vector_reader *reader, const char *key, enum vector_range range) {
    const json_t *value = need(reader, key);
    return value == NULL ? 1.0 : checked(reader, value, key, range);
}

double vector_number_or(struct vector_reader *reader, const char *key, enum vector_range range,
                        double published) {
    const json_t *value = find(reader, key);
    return value == NULL ? published : checked(reader, value, key, range);
}

static uint32_t checked_count(struct vector_reader *reader, const json_t *value, const char *where,
                              uint32_t minimum, uint32_t maximum) {
    double number = json_is_number(value) ? json_number_value(value) : -1.0;
    if (number >= minimum && number <= maximum && number == floor(number))
        return (uint32_t)number;
    char rule[64];
    snprintf(rule, sizeof rule, "a whole number from %u to %u", minimum, maximum);
    expected(reader, where, rule, value);
    return minimum;
}

uint32_t vector_count(struct vector_reader *reader, const char *key, uint32_t minimum, uint32_t maximum) {
    const json_t *value = need(reader, key);
    return value == NULL ? minimum : checked_count(reader, value, key, minimum, maximum);
}

uint32_t vector_count_or(struct vector_reader *reader, const char *key, uint32_t maximum,
                         uint32_t published) {
    const json_t *value = find(reader, key);
    return value == NULL ? published : checked_count(reader, value, key, 1, maximum);
}

/* NULL unless it is an array of at most VECTOR_ARRAY_MAX entries. */
static const json_t *need_array(struct vector_reader *reader, const char *key) {
    const json_t *value = need(reader, key);
    if (value == NULL)
        return NULL;
    if (!json_is_array(value)) {
        expected(reader, key, "an array", value);
        return NULL;
    }
    if (json_array_size(value) > VECTOR_ARRAY_MAX) {
        vector_refuse(reader, key, "the array has %zu entries, the limit is %d", json_array_size(value),
                      VECTOR_ARRAY_MAX);
        return NULL;
    }
    return value;
}

static void fill(struct vector_reader *reader, const json_t *array, const char *where,
                 enum vector_range range, double *values) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        char entry[160];
        snprintf(entry, sizeof entry, "%s[%zu]", where, i);
        values[i] = checked(reader, json_array_get(array, i), entry, range);
    }
}

struct vector_numbers vector_numbers(struct vector_reader *reader, const char *key, enum vector_range range) {
    const json_t *array = need_array(reader, key);
    size_t count = array == NULL ? 0 : json_array_size(array);
    double *values =
        arena_alloc_array(reader->arena, count + 1, sizeof *values); /* +1: never a null pointer */
    if (array != NULL)
        fill(reader, array, key, range, values);
    return (struct vector_numbers){values, count};
}

const double *vector_numbers_of(struct vector_reader *reader, const char *key, enum vector_range range,
                                size_t count) {
    struct vector_numbers numbers = vector_numbers(reader, key, range);
    if (numbers.count == count)
        return numbers.values;
    vector_refuse(reader, key, "expected %zu entries as in the other arrays, found %zu", count,
                  numbers.count);
    return arena_alloc_array(reader->arena, count + 1, sizeof(double));
}

const uint8_t *vector_flags_of(struct vector_reader *reader, const char *key, size_t count) {
    const double *values = vector_numbers_of(reader, key, VECTOR_UNIT, count);
    uint8_t *flags = arena_alloc_array(reader->arena, count + 1, sizeof *flags);
    for (size_t i = 0; i < count; i++) {
        if (values[i] != 0.0 && values[i] != 1.0)
            vector_refuse(reader, key, "expected 0 or 1 at [%zu], found %g", i, values[i]);
        flags[i] = values[i] != 0.0;
    }
    return flags;
}

/* Number of columns, 0 after a problem. */
static size_t matrix_columns(struct vector_reader *reader, const char *key, const json_t *rows) {
    size_t columns = json_array_size(json_array_get(rows, 0));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!json_is_array(row) || json_array_size(row) != columns) {
            vector_refuse(reader, key, "expected rows of equal length; [%zu] differs from [0]", i);
            return 0;
        }
    }
    if (columns == 0)
        vector_refuse(reader, key, "expected at least one row of at least one number");
    else if (columns > VECTOR_ARRAY_MAX / json_array_size(rows))
        vector_refuse(reader, key, "the matrix has more than %d entries", VECTOR_ARRAY_MAX);
    return reader->failed ? 0 : columns;
}

struct vector_matrix vector_matrix(struct vector_reader *reader, const char *key, enum vector_range range) {
    const json_t *rows = need_array(reader, key);
    struct vector_matrix matrix = {.rows = rows == NULL ? 0 : json_array_size(rows)};
    matrix.columns = rows == NULL ? 0 : matrix_columns(reader, key, rows);
    double *values = arena_alloc_array(reader->arena, matrix.rows * matrix.columns + 1, sizeof *values);
    for (size_t i = 0; i < matrix.rows && matrix.columns > 0; i++) {
        char row[128];
        snprintf(row, sizeof row, "%s[%zu]", key, i);
        fill(reader, json_array_get(rows, i), row, range, values + i * matrix.columns);
    }
    matrix.values = values;
    return matrix;
}

double vector_nested_sum(struct vector_reader *reader, const char *key, enum vector_range range,
                         size_t *rows) {
    const json_t *outer = need_array(reader, key);
    *rows = outer == NULL ? 0 : json_array_size(outer);
    double total = 0.0;
    for (size_t i = 0; i < *rows; i++) {
        const json_t *inner = json_array_get(outer, i);
        if (!json_is_array(inner))
            vector_refuse(reader, key, "expected an array at [%zu]", i);
        for (size_t j = 0; j < json_array_size(inner); j++) {
            char entry[160];
            snprintf(entry, sizeof entry, "%s[%zu][%zu]", key, i, j);
            total += checked(reader, json_array_get(inner, j), entry, range);
        }
    }
    return total;
}

void vector_expect_text(struct vector_reader *reader, const char *key, const char *text) {
    const json_t *value = find(reader, key);
    if (value == NULL)
        return;
    const char *found = json_string_value(value);
    if (found == NULL || strcmp(found, text) != 0)
        expected(reader, key, text, value);
}

json_t *vector_json_number(double value) {
    if (isnan(value))
        return json_string("nan");
    if (isinf(value))
        return json_string(value > 0.0 ? "inf" : "-inf");
    return json_real(value);
}

void vector_give(json_t *outputs, const char *name, double value) {
    json_object_set_new(outputs, name, vector_json_number(value));
}

void vector_give_count(json_t *outputs, const char *name, int64_t value) {
    json_object_set_new(outputs, name, json_integer(value));
}

static json_t *number_array(const double *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, vector_json_number(values[i]));
    return array;
}

void vector_give_numbers(json_t *outputs, const char *name, const double *values, size_t count) {
    json_object_set_new(outputs, name, number_array(values, count));
}

void vector_give_flags(json_t *outputs, const char *name, const uint8_t *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_integer(values[i]));
    json_object_set_new(outputs, name, array);
}

void vector_give_matrix(json_t *outputs, const char *name, const double *values, size_t rows,
                        size_t columns) {
    json_t *array = json_array();
    for (size_t i = 0; i < rows; i++)
        json_array_append_new(array, number_array(values + i * columns, columns));
    json_object_set_new(outputs, name, array);
}
