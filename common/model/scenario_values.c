#include "common/model/scenario_values.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t binder_enter_key(struct binder *binder, const char *key) {
    size_t length = strlen(binder->path), letters = strlen(key);
    size_t dot = length > 0 ? 1 : 0;
    if (length + dot + letters >= sizeof binder->path)
        return length;
    binder->path[length] = '.';
    memcpy(binder->path + length + dot, key, letters + 1);
    return length;
}

size_t binder_enter_index(struct binder *binder, uint32_t index) {
    size_t length = strlen(binder->path);
    snprintf(binder->path + length, sizeof binder->path - length, "[%u]", index);
    return length;
}

void binder_leave(struct binder *binder, size_t length) {
    binder->path[length] = '\0';
}

void binder_wrong(struct binder *binder, struct tree_node *node, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    node->bad = true;
    if (*binder->path != '\0')
        problem_at(binder->load->problems, node, "%s: %s", binder->path, text);
    else
        problem_at(binder->load->problems, node, "%s", text);
}

const char *binder_describe(const struct tree_node *node, char described[DESCRIBED_MAX]) {
    char quoted[TEXT_QUOTED_MAX];
    if (node->kind != TREE_SCALAR)
        return node->kind == TREE_MAP ? "a map" : "a list";
    if (tree_is_empty(node))
        return "nothing";
    snprintf(described, DESCRIBED_MAX, "`%s`", text_quote(node->text, node->size, quoted));
    return described;
}

/* A scalar with something in it, without zero bytes. Otherwise reports what was expected. */
static bool take_scalar(struct binder *binder, struct tree_node *node, const char *expected,
                        const char *example) {
    char got[DESCRIBED_MAX];
    if (node->kind == TREE_SCALAR && !tree_is_empty(node) && strlen(node->text) == node->size)
        return true;
    binder_wrong(binder, node, "expected %s such as `%s`, got %s", expected, example,
                 binder_describe(node, got));
    return false;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(const struct tree_node *node) {
    bool good = node->size > 0 && is_letter(node->text[0]);
    for (size_t i = 0; i < node->size && good; i++) {
        char c = node->text[i];
        good = is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }
    return good && strcmp(node->text, "null") != 0;
}

/* Printable text: what a report can show and YAML can carry. */
static bool is_printable(const char *text, size_t size) {
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t length = text_utf8(text + i, size - i, &code);
        bool control = (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0);
        if (length == 0 || control || code == 0x2028 || code == 0x2029 || code == 0xfeff || code >= 0xfffe)
            return false;
        i += length;
    }
    return true;
}

static void bind_text(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                      void *target) {
    bool name = field->type == SCHEMA_NAME;
    if (!take_scalar(binder, node, name ? "a name" : "text", name ? "sensor-1" : "A small factory"))
        return;
    char got[DESCRIBED_MAX];
    if (node->size >= field->size) {
        binder_wrong(binder, node, "longer than %zu bytes", field->size - 1);
        return;
    }
    if (name ? !is_name(node) : !is_printable(node->text, node->size)) {
        binder_wrong(binder, node,
                     name ? "%s is no name: a letter comes first, then letters, digits, `-` and `_`"
                          : "%s holds characters that cannot be printed",
                     binder_describe(node, got));
        return;
    }
    memset(target, 0, field->size);
    memcpy(target, node->text, node->size);
}

static void bind_bool(struct binder *binder, struct tree_node *node, void *target) {
    char got[DESCRIBED_MAX];
    bool yes = node->kind == TREE_SCALAR && node->plain && strcmp(node->text, "true") == 0;
    if (!yes && !(node->kind == TREE_SCALAR && node->plain && strcmp(node->text, "false") == 0))
        binder_wrong(binder, node, "expected `true` or `false`, got %s", binder_describe(node, got));
    else
        memcpy(target, &yes, sizeof yes);
}

/* Decimal digits without sign or leading zeros; false when `text` is something else or beyond uint64_t. */
static bool read_integer(const char *text, uint64_t *value) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
        return false;
    *value = 0;
    for (; *text != '\0'; text++)
        if (__builtin_mul_overflow(*value, (uint64_t)10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*text - '0'), value))
            return false;
    return true;
}

static void bind_integer(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                         void *target) {
    char got[DESCRIBED_MAX];
    bool wide = field->type == SCHEMA_SEED;
    uint64_t minimum = wide ? 0 : (uint64_t)field->minimum,
             maximum = wide ? UINT64_MAX : (uint64_t)field->maximum;
    uint64_t value = 0;
    bool scalar = node->kind == TREE_SCALAR && node->plain && strlen(node->text) == node->size;
    if (!scalar || !read_integer(node->text, &value) || value < minimum || value > maximum) {
        binder_wrong(binder, node, "expected a whole number from %" PRIu64 " to %" PRIu64 ", got %s", minimum,
                     maximum, binder_describe(node, got));
        return;
    }
    uint32_t narrow = (uint32_t)value;
    memcpy(target, wide ? (const void *)&value : (const void *)&narrow, wide ? sizeof value : sizeof narrow);
}

static const char *print_bound(const struct schema_field *field, double bound, char text[UNITS_TEXT_MAX]) {
    return field->type == SCHEMA_TIME || field->type == SCHEMA_TIMES
               ? units_print_time((int64_t)bound, text)
               : units_print(bound, field->dimension, text);
}

/* Is `value` in the range of `field`? Reports if not. */
static bool in_range(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                     double value) {
    bool above = (field->flags & SCHEMA_ABOVE) != 0;
    bool low = value < field->minimum || (above && value == field->minimum);
    if ((field->minimum == 0 && field->maximum == 0) || (!low && value <= field->maximum))
        return true;
    char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX], got[DESCRIBED_MAX];
    binder_wrong(binder, node, "%s is out of range, expected %s `%s` and at most `%s`",
                 binder_describe(node, got), above ? "more than" : "at least",
                 print_bound(field, field->minimum, least), print_bound(field, field->maximum, most));
    return false;
}

static void bind_number(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                        void *target) {
    enum unit_dimension dimension = field->dimension;
    if (!take_scalar(binder, node, units_name(dimension), units_example(dimension)))
        return;
    double value;
    struct error error;
    if (dimension == UNIT_PLAIN && !node->plain)
        binder_wrong(binder, node, "expected a number, got quoted text");
    else if (units_parse(node->text, dimension, &value, &error) != STATUS_OK)
        binder_wrong(binder, node, "%s", error.text);
    else if (in_range(binder, field, node, value))
        memcpy(target, &value, sizeof value);
}

/* Whole bytes, written as an amount of data. */
static void bind_bytes(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                       void *target) {
    double bits = 0;
    char got[DESCRIBED_MAX];
    bind_number(binder, field, node, &bits);
    if (node->bad)
        return;
    uint32_t bytes = (uint32_t)(bits / 8);
    if ((double)bytes * 8 != bits)
        binder_wrong(binder, node, "expected whole bytes, got %s", binder_describe(node, got));
    else
        memcpy(target, &bytes, sizeof bytes);
}

static void bind_time(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                      void *target) {
    if (!take_scalar(binder, node, units_name(UNIT_TIME), units_example(UNIT_TIME)))
        return;
    int64_t value;
    struct error error;
    if (units_parse_time(node->text, &value, &error) != STATUS_OK)
        binder_wrong(binder, node, "%s", error.text);
    else if (in_range(binder, field, node, (double)value))
        memcpy(target, &value, sizeof value);
}

static void bind_enum(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                      void *target) {
    char got[DESCRIBED_MAX], known[256] = "";
    size_t used = 0;
    struct text_closest search = text_closest_to(node->text);
    for (unsigned value = 0; field->names[value] != NULL; value++) {
        if (node->kind == TREE_SCALAR && strcmp(node->text, field->names[value]) == 0) {
            memcpy(target, &value, sizeof value);
            return;
        }
        text_closest_offer(&search, field->names[value]);
        used += (size_t)snprintf(known + used, sizeof known - used, "%s`%s`", value > 0 ? ", " : "",
                                 field->names[value]);
        assert(used < sizeof known);
    }
    bool guess = node->kind == TREE_SCALAR && search.best != NULL;
    binder_wrong(binder, node, "expected one of %s, got %s%s%s%s", known, binder_describe(node, got),
                 guess ? "; did you mean `" : "", guess ? search.best : "", guess ? "`?" : "");
}

static void bind_element(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                         void *target) {
    if (field->type == SCHEMA_TIMES)
        bind_time(binder, field, node, target);
    else
        bind_number(binder, field, node, target);
}

/* A list of 1 to field->size numbers or times (8 bytes each). */
static void bind_numbers(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                         void *target, uint32_t *count) {
    char got[DESCRIBED_MAX];
    struct tree_node *one[1] = {node};
    bool list = node->kind == TREE_LIST;
    struct tree_node **items = list ? node->items : one;
    *count = list ? node->count : 1;
    if (*count < 1 || *count > field->size || node->kind == TREE_MAP) {
        binder_wrong(binder, node, "expected a list of 1 to %zu values, got %s of %u", field->size,
                     binder_describe(node, got), node->count);
        return;
    }
    memset(target, 0, field->size * sizeof(double));
    for (uint32_t i = 0; i < *count; i++) {
        size_t length = list ? binder_enter_index(binder, i) : strlen(binder->path);
        bind_element(binder, field, items[i], (char *)target + i * sizeof(double));
        binder_leave(binder, length);
        node->bad = node->bad || items[i]->bad;
    }
}

static void bind_array(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                       void *base) {
    char *target = (char *)base + field->offset;
    uint32_t count;
    bind_numbers(binder, field, node, target, &count);
    if (field->count_offset != 0 && !node->bad)
        memcpy((char *)base + field->count_offset, &count, sizeof count);
    for (uint32_t i = 1; field->count_offset == 0 && count == 1 && i < field->size; i++)
        memcpy(target + i * sizeof(double), target, sizeof(double));
}

static void bind_matrix(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                        void *target) {
    bool shape = node->kind == TREE_LIST && node->count == field->size;
    for (uint32_t i = 0; shape && i < node->count; i++)
        shape = node->items[i]->kind == TREE_LIST && node->items[i]->count == field->size;
    if (!shape) {
        binder_wrong(binder, node, "expected %zu rows of %zu numbers: [[a, b, c], [d, e, f], [g, h, i]]",
                     field->size, field->size);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t count;
        size_t length = binder_enter_index(binder, i);
        bind_numbers(binder, field, node->items[i], (char *)target + i * field->size * sizeof(double),
                     &count);
        binder_leave(binder, length);
        node->bad = node->bad || node->items[i]->bad;
    }
}

void binder_read(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                 void *base) {
    char *target = (char *)base + field->offset;
    switch (field->type) {
    case SCHEMA_TEXT:
    case SCHEMA_NAME:
        bind_text(binder, field, node, target);
        return;
    case SCHEMA_BOOL:
        bind_bool(binder, node, target);
        return;
    case SCHEMA_COUNT:
    case SCHEMA_SEED:
        bind_integer(binder, field, node, target);
        return;
    case SCHEMA_NUMBER:
        bind_number(binder, field, node, target);
        return;
    case SCHEMA_BYTES:
        bind_bytes(binder, field, node, target);
        return;
    case SCHEMA_TIME:
        bind_time(binder, field, node, target);
        return;
    case SCHEMA_ENUM:
        bind_enum(binder, field, node, target);
        return;
    case SCHEMA_NUMBERS:
    case SCHEMA_TIMES:
        bind_array(binder, field, node, base);
        return;
    case SCHEMA_MATRIX:
        bind_matrix(binder, field, node, target);
        return;
    case SCHEMA_TREE:
        memcpy(target, &node, sizeof node);
        return;
    case SCHEMA_MAP:
    case SCHEMA_CHOSEN:
    case SCHEMA_LIST:
        break;
    }
    assert(false); /* a map or list is no single value */
}
