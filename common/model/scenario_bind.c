#include "common/model/scenario_bind.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/model/scenario_schema.h"
#include "common/time/vtime.h"

#define PATH_MAX_BYTES 160

struct binder {
    struct scenario_load *load;
    char path[PATH_MAX_BYTES]; /* of the value at hand: "links[2].loss" */
};

/* Extends the path by a key or an index, cut where it is full; returns its old length for leave(). */
static size_t enter_key(struct binder *binder, const char *key) {
    size_t length = strlen(binder->path), letters = strlen(key);
    size_t dot = length > 0 ? 1 : 0;
    if (length + dot + letters >= sizeof binder->path)
        return length;
    binder->path[length] = '.';
    memcpy(binder->path + length + dot, key, letters + 1);
    return length;
}

static size_t enter_index(struct binder *binder, uint32_t index) {
    size_t length = strlen(binder->path);
    snprintf(binder->path + length, sizeof binder->path - length, "[%u]", index);
    return length;
}

static void leave(struct binder *binder, size_t length) {
    binder->path[length] = '\0';
}

/* Reports a wrong value, once. */
static void wrong(struct binder *binder, struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void wrong(struct binder *binder, struct tree_node *node, const char *format, ...) {
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

#define DESCRIBED_MAX (TEXT_QUOTED_MAX + 2)

/* What a message says it got: `text`, "a list", "nothing". */
static const char *describe(const struct tree_node *node, char described[DESCRIBED_MAX]) {
    char quoted[TEXT_QUOTED_MAX];
    if (node->kind != TREE_SCALAR)
        return node->kind == TREE_MAP ? "a map" : "a list";
    if (tree_is_empty(node))
        return "nothing";
    snprintf(described, DESCRIBED_MAX, "`%s`", text_quote(node->text, node->size, quoted));
    return described;
}

/* A scalar with something in it, without zero bytes. Otherwise reports what was expected. */
static bool take_scalar(struct binder *binder, struct tree_node *node, const char *expected, const char *example) {
    char got[DESCRIBED_MAX];
    if (node->kind == TREE_SCALAR && !tree_is_empty(node) && strlen(node->text) == node->size)
        return true;
    wrong(binder, node, "expected %s such as `%s`, got %s", expected, example, describe(node, got));
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

static void bind_text(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *target) {
    bool name = field->type == SCHEMA_NAME;
    if (!take_scalar(binder, node, name ? "a name" : "text", name ? "sensor-1" : "A small factory"))
        return;
    char got[DESCRIBED_MAX];
    if (node->size >= field->size) {
        wrong(binder, node, "longer than %zu bytes", field->size - 1);
        return;
    }
    if (name ? !is_name(node) : !is_printable(node->text, node->size)) {
        wrong(binder, node,
              name ? "%s is no name: a letter comes first, then letters, digits, `-` and `_`"
                   : "%s holds characters that cannot be printed",
              describe(node, got));
        return;
    }
    memset(target, 0, field->size);
    memcpy(target, node->text, node->size);
}

static void bind_bool(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *target) {
    (void)field;
    char got[DESCRIBED_MAX];
    bool yes = node->kind == TREE_SCALAR && node->plain && strcmp(node->text, "true") == 0;
    if (!yes && !(node->kind == TREE_SCALAR && node->plain && strcmp(node->text, "false") == 0))
        wrong(binder, node, "expected `true` or `false`, got %s", describe(node, got));
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
    uint64_t minimum = wide ? 0 : (uint64_t)field->minimum, maximum = wide ? UINT64_MAX : (uint64_t)field->maximum;
    uint64_t value = 0;
    bool scalar = node->kind == TREE_SCALAR && node->plain && strlen(node->text) == node->size;
    if (!scalar || !read_integer(node->text, &value) || value < minimum || value > maximum) {
        wrong(binder, node, "expected a whole number from %" PRIu64 " to %" PRIu64 ", got %s", minimum, maximum,
              describe(node, got));
        return;
    }
    uint32_t narrow = (uint32_t)value;
    memcpy(target, wide ? (const void *)&value : (const void *)&narrow, wide ? sizeof value : sizeof narrow);
}

static const char *print_bound(const struct schema_field *field, double bound, char text[UNITS_TEXT_MAX]) {
    return field->type == SCHEMA_TIME || field->type == SCHEMA_TIMES ? units_print_time((int64_t)bound, text)
                                                                     : units_print(bound, field->dimension, text);
}

/* Is `value` in the range of `field`? Reports if not. */
static bool in_range(struct binder *binder, const struct schema_field *field, struct tree_node *node, double value) {
    bool above = (field->flags & SCHEMA_ABOVE) != 0;
    bool low = value < field->minimum || (above && value == field->minimum);
    if ((field->minimum == 0 && field->maximum == 0) || (!low && value <= field->maximum))
        return true;
    char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX], got[DESCRIBED_MAX];
    wrong(binder, node, "%s is out of range, expected %s `%s` and at most `%s`", describe(node, got),
          above ? "more than" : "at least", print_bound(field, field->minimum, least),
          print_bound(field, field->maximum, most));
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
        wrong(binder, node, "expected a number, got quoted text");
    else if (units_parse(node->text, dimension, &value, &error) != STATUS_OK)
        wrong(binder, node, "%s", error.text);
    else if (in_range(binder, field, node, value))
        memcpy(target, &value, sizeof value);
}

static void bind_time(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *target) {
    if (!take_scalar(binder, node, units_name(UNIT_TIME), units_example(UNIT_TIME)))
        return;
    int64_t value;
    struct error error;
    if (units_parse_time(node->text, &value, &error) != STATUS_OK)
        wrong(binder, node, "%s", error.text);
    else if (in_range(binder, field, node, (double)value))
        memcpy(target, &value, sizeof value);
}

static void bind_enum(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *target) {
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
    wrong(binder, node, "expected one of %s, got %s%s%s%s", known, describe(node, got),
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
        wrong(binder, node, "expected a list of 1 to %zu values, got %s of %u", field->size, describe(node, got),
              node->count);
        return;
    }
    memset(target, 0, field->size * sizeof(double));
    for (uint32_t i = 0; i < *count; i++) {
        size_t length = list ? enter_index(binder, i) : strlen(binder->path);
        bind_element(binder, field, items[i], (char *)target + i * sizeof(double));
        leave(binder, length);
        node->bad = node->bad || items[i]->bad;
    }
}

static void bind_array(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *base) {
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
        wrong(binder, node, "expected %zu rows of %zu numbers: [[a, b, c], [d, e, f], [g, h, i]]", field->size,
              field->size);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t count;
        size_t length = enter_index(binder, i);
        bind_numbers(binder, field, node->items[i], (char *)target + i * field->size * sizeof(double), &count);
        leave(binder, length);
        node->bad = node->bad || node->items[i]->bad;
    }
}

static void bind_map(struct binder *binder, const struct schema *schema, struct tree_node *node, void *base);
static void bind_list(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *base);

static void bind_value(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *base) {
    char *target = (char *)base + field->offset;
    switch (field->type) {
    case SCHEMA_TEXT:
    case SCHEMA_NAME:
        bind_text(binder, field, node, target);
        return;
    case SCHEMA_BOOL:
        bind_bool(binder, field, node, target);
        return;
    case SCHEMA_COUNT:
    case SCHEMA_SEED:
        bind_integer(binder, field, node, target);
        return;
    case SCHEMA_NUMBER:
        bind_number(binder, field, node, target);
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
    case SCHEMA_MAP:
        bind_map(binder, field->fields, node, base);
        return;
    case SCHEMA_LIST:
        bind_list(binder, field, node, base);
        return;
    }
}

/* Writes the defaults of `schema` into the struct at `base`. */
static void bind_defaults(struct binder *binder, const struct schema *schema, void *base) {
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        struct tree_node scalar = {.plain = true, .text = field->fallback};
        int64_t never = VTIME_NEVER;
        if (field->type == SCHEMA_MAP)
            bind_defaults(binder, field->fields, base);
        if ((field->flags & SCHEMA_NEVER) != 0)
            memcpy((char *)base + field->offset, &never, sizeof never);
        if (field->fallback == NULL)
            continue;
        scalar.size = strlen(field->fallback);
        struct tree_node *node = &scalar;
        if (*field->fallback == '[')
            node = tree_parse(field->fallback, scalar.size, NULL, binder->load->scratch, binder->load->problems);
        bind_value(binder, field, node, base);
        assert(!node->bad); /* a default that the table itself refuses */
    }
}

static void report_unknown_key(struct binder *binder, const struct schema *schema, struct tree_node *key) {
    char quoted[TEXT_QUOTED_MAX], known[360] = "";
    struct text_closest search = text_closest_to(key->text);
    size_t used = 0;
    for (size_t i = 0; i < schema->count && used < sizeof known; i++) {
        text_closest_offer(&search, schema->fields[i].key);
        used += (size_t)snprintf(known + used, sizeof known - used, "%s`%s`", i > 0 ? ", " : "",
                                 schema->fields[i].key);
    }
    text_quote(key->text, key->size, quoted);
    if (search.best != NULL)
        wrong(binder, key, "unknown key `%s`; did you mean `%s`?", quoted, search.best);
    else
        wrong(binder, key, "unknown key `%s`; known here: %s", quoted, known);
}

/* Is it certain whether `field` applies: were the values that decide it given and good? */
static bool condition_known(const struct schema *schema, const struct schema_field *field,
                            const struct tree_node *map) {
    if (field->when.key == NULL)
        return true;
    const struct schema_field *decider = schema_find(schema, field->when.key);
    const struct tree_node *node = tree_get(map, decider->key);
    bool known = node != NULL ? !node->bad : (decider->flags & SCHEMA_REQUIRED) == 0;
    return known && condition_known(schema, decider, map);
}

static void report_missing(struct binder *binder, const struct schema *schema, const struct schema_field *field,
                           struct tree_node *map) {
    char condition[SCHEMA_CONDITION_MAX], example[96] = "";
    schema_condition_text(schema, field, condition);
    bool number = field->type == SCHEMA_NUMBER || field->type == SCHEMA_TIME;
    enum unit_dimension dimension = field->type == SCHEMA_TIME ? UNIT_TIME : field->dimension;
    if (number)
        snprintf(example, sizeof example, ", %s such as `%s`", units_name(dimension), units_example(dimension));
    bool bad = map->bad;
    wrong(binder, map, "missing key `%s`%s%s%s", field->key, example, *condition != '\0' ? ", needed with " : "",
          condition);
    map->bad = bad; /* its other values stay good */
}

/* Second pass over a map, when the values that decide about others are known. */
static void settle_field(struct binder *binder, const struct schema *schema, const struct schema_field *field,
                         struct tree_node *map, void *base) {
    struct tree_node *node = tree_get(map, field->key);
    bool nested = field->type == SCHEMA_MAP || field->type == SCHEMA_LIST;
    bool known = condition_known(schema, field, map), applies = schema_applies(schema, field, base);
    char condition[SCHEMA_CONDITION_MAX];
    size_t length = enter_key(binder, field->key);
    if (node != NULL && known && !applies)
        wrong(binder, node, "has no effect here: it goes with %s; remove it",
              schema_condition_text(schema, field, condition));
    else if (node != NULL && nested)
        bind_value(binder, field, node, base);
    else if (node == NULL && known && applies && field->type == SCHEMA_MAP)
        bind_map(binder, field->fields, tree_new(TREE_MAP, map, binder->load->scratch), base);
    leave(binder, length);
    if (node == NULL && known && applies && (field->flags & SCHEMA_REQUIRED) != 0)
        report_missing(binder, schema, field, map);
}

static void bind_map(struct binder *binder, const struct schema *schema, struct tree_node *node, void *base) {
    char got[DESCRIBED_MAX];
    if (node->kind != TREE_MAP) {
        wrong(binder, node, "expected a map of `key: value`, got %s", describe(node, got));
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct schema_field *field = schema_find(schema, node->keys[i]->text);
        if (field == NULL || strlen(node->keys[i]->text) != node->keys[i]->size) {
            report_unknown_key(binder, schema, node->keys[i]);
        } else if (field->type != SCHEMA_MAP && field->type != SCHEMA_LIST) {
            size_t length = enter_key(binder, field->key);
            bind_value(binder, field, node->items[i], base);
            leave(binder, length);
        }
    }
    for (size_t i = 0; i < schema->count; i++)
        settle_field(binder, schema, &schema->fields[i], node, base);
}

static void bind_list(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *base) {
    char got[DESCRIBED_MAX];
    if (node->kind != TREE_LIST) {
        wrong(binder, node, "expected a list with `- ` before each %s, got %s", field->fields->item,
              describe(node, got));
        return;
    }
    if (node->count > SCENARIO_ENTRIES_MAX) {
        wrong(binder, node, "more than %d entries; use `count` and group names", SCENARIO_ENTRIES_MAX);
        return;
    }
    struct binder quiet = {.load = binder->load};
    uint32_t before = binder->load->problems->count;
    void *model = arena_alloc(binder->load->scratch, field->size);
    bind_defaults(&quiet, field->fields, model);
    char *entries = arena_alloc_array(binder->load->arena, node->count, field->size);
    for (uint32_t i = 0; i < node->count; i++) {
        memcpy(entries + i * field->size, model, field->size);
        size_t length = enter_index(binder, i);
        bind_map(binder, field->fields, node->items[i], entries + i * field->size);
        leave(binder, length);
    }
    node->bad = binder->load->problems->count > before; /* the checks of the whole tree then make no sense */
    memcpy((char *)base + field->offset, &entries, sizeof entries);
    memcpy((char *)base + field->count_offset, &node->count, sizeof node->count);
}

void scenario_bind(struct scenario_load *load) {
    struct binder binder = {.load = load};
    memset(load->scenario, 0, sizeof *load->scenario);
    bind_defaults(&binder, &scenario_schema, load->scenario);
    bind_map(&binder, &scenario_schema, load->root, load->scenario);
}

void scenario_report(struct scenario_load *load, const char *list, uint32_t index, const char *key,
                     const char *format, ...) {
    char text[448], place[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct tree_node *entry = tree_item(tree_get(load->root, list), index);
    struct tree_node *value = tree_get(entry, key);
    if (entry == NULL)
        entry = load->root;
    snprintf(place, sizeof place, "%s[%u]%s%s", list, index, value != NULL ? "." : "", value != NULL ? key : "");
    problem_at(load->problems, value != NULL ? value : entry, "%s: %s", place, text);
}

bool scenario_sound(const struct scenario_load *load, const char *list, uint32_t index, const char *key) {
    const struct tree_node *value = tree_get(tree_item(tree_get(load->root, list), index), key);
    return value == NULL || !value->bad;
}
