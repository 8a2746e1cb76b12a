/* golden_read: typed access to a golden file, and comparison; the first problem is kept with its place. */
#include "cli/golden.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAGNITUDE_MAX 1e37 /* of an input: its square root must not be lost in single precision */

void golden_refuse(struct golden *golden, struct golden_node node, const char *format, ...) {
    if (golden->failed)
        return;
    golden->failed = true;
    int used =
        snprintf(golden->problem, sizeof golden->problem, "%s: ", *node.path != '\0' ? node.path : "file");
    if (used < 0 || (size_t)used >= sizeof golden->problem)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(golden->problem + used, sizeof golden->problem - (size_t)used, format, arguments);
    va_end(arguments);
}

static struct golden_node nowhere(struct golden_node node) {
    return (struct golden_node){.json = NULL, .path = node.path};
}

static const char *path_of(struct golden *golden, const char *parent, const char *key) {
    size_t size = strlen(parent) + strlen(key) + 2;
    char *path = arena_alloc(&golden->arena, size);
    snprintf(path, size, "%s%s%s", parent, *parent != '\0' && *key != '[' ? "." : "", key);
    return path;
}

struct golden_node golden_get(struct golden *golden, struct golden_node node, const char *key) {
    if (key == NULL || node.json == NULL)
        return node;
    struct golden_node member = {json_object_get(node.json, key), path_of(golden, node.path, key)};
    if (member.json == NULL)
        golden_refuse(golden, member, json_is_object(node.json) ? "this key is missing" : "not in an object");
    return member;
}

bool golden_has(struct golden_node node, const char *key) {
    return node.json != NULL && json_object_get(node.json, key) != NULL;
}

size_t golden_length(struct golden *golden, struct golden_node node) {
    if (node.json != NULL && !json_is_array(node.json))
        golden_refuse(golden, node, "expected an array");
    return node.json == NULL ? 0 : json_array_size(node.json);
}

struct golden_node golden_at(struct golden *golden, struct golden_node node, size_t index) {
    char text[32];
    snprintf(text, sizeof text, "[%zu]", index);
    struct golden_node entry = {NULL, path_of(golden, node.path, text)};
    if (node.json == NULL)
        return entry;
    entry.json = json_array_get(node.json, index);
    if (entry.json == NULL)
        golden_refuse(golden, entry, "this entry is missing");
    return entry;
}

double golden_number(struct golden *golden, struct golden_node node, const char *key) {
    node = golden_get(golden, node, key);
    if (node.json == NULL)
        return 0;
    double value = json_number_value(node.json);
    if (!json_is_number(node.json) || !(fabs(value) <= MAGNITUDE_MAX)) {
        golden_refuse(golden, node, "expected a number of at most %g", MAGNITUDE_MAX);
        return 0;
    }
    return value;
}

size_t golden_count(struct golden *golden, struct golden_node node, const char *key, size_t maximum) {
    node = golden_get(golden, node, key);
    double value = golden_number(golden, node, NULL);
    if (value < 0 || value > (double)maximum || value != floor(value)) {
        golden_refuse(golden, node, "expected a whole number from 0 to %zu", maximum);
        return 0;
    }
    return (size_t)value;
}

const char *golden_text(struct golden *golden, struct golden_node node, const char *key) {
    node = golden_get(golden, node, key);
    if (node.json != NULL && !json_is_string(node.json))
        golden_refuse(golden, node, "expected a text");
    const char *text = node.json == NULL ? NULL : json_string_value(node.json);
    return text == NULL ? "" : text;
}

real *golden_room(struct golden *golden, size_t count) {
    return arena_alloc_array(&golden->arena, count > 0 ? count : 1, sizeof(real));
}

/* The product of `shape`, also into the tensor. */
static size_t read_shape(struct golden *golden, struct golden_node shape, struct golden_tensor *tensor) {
    size_t count = 1;
    tensor->rank = golden_length(golden, shape);
    if (tensor->rank > GOLDEN_RANK_MAX) {
        golden_refuse(golden, shape, "expected at most %d entries", GOLDEN_RANK_MAX);
        return 0;
    }
    for (size_t i = 0; i < tensor->rank; i++) {
        tensor->shape[i] = golden_count(golden, golden_at(golden, shape, i), NULL, GOLDEN_COUNT_MAX);
        count *= tensor->shape[i];
        if (count > GOLDEN_COUNT_MAX)
            golden_refuse(golden, shape, "more than %d values", GOLDEN_COUNT_MAX);
        if (golden->failed)
            return 0;
    }
    return count;
}

/* Where the numbers of a tensor lie, with its shape filled in; json NULL after a problem. */
static struct golden_node open_tensor(struct golden *golden, struct golden_node node,
                                      struct golden_tensor *tensor) {
    *tensor = (struct golden_tensor){.rank = 1, .shape = {1, 1, 1, 1}};
    struct golden_node data = node;
    if (json_is_object(node.json)) {
        data = golden_get(golden, node, "data");
        tensor->count = read_shape(golden, golden_get(golden, node, "shape"), tensor);
        if (!golden->failed && golden_length(golden, data) != tensor->count)
            golden_refuse(golden, data, "expected %zu values as its shape says, found %zu", tensor->count,
                          golden_length(golden, data));
    } else {
        tensor->shape[0] = tensor->count = golden_length(golden, data);
    }
    return golden->failed ? nowhere(data) : data;
}

struct golden_tensor golden_tensor(struct golden *golden, struct golden_node node, const char *key) {
    struct golden_tensor tensor;
    struct golden_node data = open_tensor(golden, golden_get(golden, node, key), &tensor);
    tensor.data = golden_room(golden, tensor.count);
    for (size_t i = 0; i < tensor.count && !golden->failed; i++) {
        const json_t *value = json_array_get(data.json, i);
        if (json_is_number(value) && fabs(json_number_value(value)) <= MAGNITUDE_MAX)
            tensor.data[i] = (real)json_number_value(value);
        else
            golden_number(golden, golden_at(golden, data, i), NULL); /* says what is wrong */
    }
    return golden->failed ? (struct golden_tensor){.shape = {1, 1, 1, 1}, .data = tensor.data} : tensor;
}

real *golden_reals(struct golden *golden, struct golden_node node, const char *key, size_t count) {
    node = golden_get(golden, node, key);
    struct golden_tensor tensor = golden_tensor(golden, node, NULL);
    if (!golden->failed && tensor.count != count)
        golden_refuse(golden, node, "expected %zu values, found %zu", count, tensor.count);
    return golden->failed ? golden_room(golden, count) : tensor.data;
}

real *golden_weight(struct golden *golden, struct golden_node node, const char *key, size_t in, size_t out) {
    const real *given = golden_reals(golden, node, key, in * out);
    real *weight = golden_room(golden, in * out);
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++)
            weight[i * out + o] = given[o * in + i];
    return weight;
}

uint32_t *golden_indices(struct golden *golden, struct golden_node node, const char *key, size_t count,
                         size_t limit) {
    node = golden_get(golden, node, key);
    uint32_t *indices = arena_alloc_array(&golden->arena, count > 0 ? count : 1, sizeof *indices);
    struct golden_tensor shape;
    struct golden_node data = open_tensor(golden, node, &shape);
    if (!golden->failed && shape.count != count)
        golden_refuse(golden, node, "expected %zu entries, found %zu", count, shape.count);
    if (!golden->failed && limit == 0 && count > 0)
        golden_refuse(golden, node, "indices of nothing");
    for (size_t i = 0; i < count && !golden->failed; i++)
        indices[i] = (uint32_t)golden_count(golden, golden_at(golden, data, i), NULL, limit - 1);
    return indices;
}

uint8_t *golden_flags(struct golden *golden, struct golden_node node, const char *key, size_t count) {
    node = golden_get(golden, node, key);
    uint8_t *flags = arena_alloc_array(&golden->arena, count > 0 ? count : 1, 1);
    struct golden_tensor shape;
    struct golden_node data = open_tensor(golden, node, &shape);
    if (!golden->failed && shape.count != count)
        golden_refuse(golden, node, "expected %zu entries, found %zu", count, shape.count);
    for (size_t i = 0; i < count && !golden->failed; i++) {
        struct golden_node entry = golden_at(golden, data, i);
        flags[i] = json_is_boolean(entry.json) ? json_is_true(entry.json)
                                               : (uint8_t)golden_count(golden, entry, NULL, 1);
    }
    return flags;
}

/* What of the expected values lies where in what was computed: entry i is got[i], or with `in` > 0
 * transposed. */
static size_t place_of(size_t i, size_t in, size_t out) {
    return in == 0 ? i : i % in * out + i / in;
}

static void compare(struct golden *golden, struct golden_node node, struct golden_result *result,
                    double got) {
    double expected = golden_number(golden, node, NULL), error = fabs(got - expected);
    double used = error / (golden->absolute + golden->relative * fabs(expected));
    if (!(error <= result->error)) /* a NaN stays */
        result->error = isnan(result->error) ? result->error : error;
    result->used = used > result->used ? used : result->used;
    result->passed = result->passed && used <= 1;
}

static struct golden_result result_at(const struct golden *golden, struct golden_node node, size_t count) {
    return (struct golden_result){.file = golden->file,
                                  .precision = golden->precision,
                                  .path = node.path,
                                  .count = count,
                                  .passed = true};
}

static void expect(struct golden *golden, struct golden_node node, const real *got, size_t count, size_t in) {
    struct golden_tensor shape;
    struct golden_node data = open_tensor(golden, node, &shape);
    if (!golden->failed && shape.count != count)
        golden_refuse(golden, node, "expected %zu values, found %zu", count, shape.count);
    struct golden_result result = result_at(golden, node, count);
    for (size_t i = 0; i < count && !golden->failed; i++) {
        struct golden_node entry = {json_array_get(data.json, i), data.path};
        if (!json_is_number(entry.json))
            entry = golden_at(golden, data, i); /* says where */
        compare(golden, entry, &result, (double)got[place_of(i, in, in == 0 ? 0 : count / in)]);
    }
    if (!golden->failed)
        golden->visit(&result, golden->context);
}

void golden_expect(struct golden *golden, struct golden_node node, const char *key, const real *got,
                   size_t count) {
    expect(golden, golden_get(golden, node, key), got, count, 0);
}

void golden_expect_weight(struct golden *golden, struct golden_node node, const char *key, const real *got,
                          size_t in, size_t out) {
    expect(golden, golden_get(golden, node, key), got, in * out, in);
}

void golden_expect_number(struct golden *golden, struct golden_node node, const char *key, double got) {
    node = golden_get(golden, node, key);
    struct golden_result result = result_at(golden, node, 1);
    if (!golden->failed)
        compare(golden, node, &result, got);
    if (!golden->failed)
        golden->visit(&result, golden->context);
}

void golden_expect_indices(struct golden *golden, struct golden_node node, const char *key,
                           const uint32_t *got, size_t count) {
    node = golden_get(golden, node, key);
    const uint32_t *expected = golden_indices(golden, node, NULL, count, (size_t)UINT32_MAX + 1);
    struct golden_result result = result_at(golden, node, count);
    for (size_t i = 0; i < count && !golden->failed; i++) {
        result.error = fmax(result.error, fabs((double)got[i] - (double)expected[i]));
        result.passed = result.passed && got[i] == expected[i];
    }
    result.used = result.passed ? 0 : (double)INFINITY;
    if (!golden->failed)
        golden->visit(&result, golden->context);
}

void golden_expect_index_rows(struct golden *golden, struct golden_node node, const char *key,
                              const uint32_t *got, const size_t shape[2]) {
    node = golden_get(golden, node, key);
    struct golden_result result = result_at(golden, node, shape[0] * shape[1]);
    if (!golden->failed && golden_length(golden, node) != shape[0])
        golden_refuse(golden, node, "expected %zu rows, found %zu", shape[0], golden_length(golden, node));
    for (size_t row = 0; row < shape[0] && !golden->failed; row++) {
        const uint32_t *expected =
            golden_indices(golden, golden_at(golden, node, row), NULL, shape[1], (size_t)UINT32_MAX + 1);
        for (size_t i = 0; i < shape[1]; i++, got++) {
            result.error = fmax(result.error, fabs((double)*got - (double)expected[i]));
            result.passed = result.passed && *got == expected[i];
        }
    }
    result.used = result.passed ? 0 : (double)INFINITY;
    if (!golden->failed)
        golden->visit(&result, golden->context);
}
