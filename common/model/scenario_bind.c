#include "common/model/scenario_bind.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/model/scenario_schema.h"
#include "common/model/scenario_values.h"
#include "common/model/scheme_options.h"
#include "common/time/vtime.h"

static void bind_map(struct binder *binder, const struct schema *schema, struct tree_node *node, void *base);
static void bind_list(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                      void *base);

static void bind_value(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                       void *base) {
    if (field->type == SCHEMA_MAP)
        bind_map(binder, field->fields, node, base);
    else if (field->type == SCHEMA_LIST)
        bind_list(binder, field, node, base);
    else
        binder_read(binder, field, node, base);
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
            node =
                tree_parse(field->fallback, scalar.size, NULL, binder->load->scratch, binder->load->problems);
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
        binder_wrong(binder, key, "unknown key `%s`; did you mean `%s`?", quoted, search.best);
    else
        binder_wrong(binder, key, "unknown key `%s`; known here: %s", quoted, known);
}

/* Is it certain whether `field` applies: were the values that decide it given and good? */
static bool condition_known(const struct schema *schema, const struct schema_field *field,
                            const struct tree_node *map) {
    if ((field->flags & SCHEMA_VALIDATORS) != 0)
        return tree_get(map, "nodes") != NULL && !tree_get(map, "nodes")->bad;
    if (field->when.key == NULL)
        return true;
    const struct schema_field *decider = schema_find(schema, field->when.key);
    const struct tree_node *node = tree_get(map, decider->key);
    bool known = node != NULL ? !node->bad : (decider->flags & SCHEMA_REQUIRED) == 0;
    return known && condition_known(schema, decider, map);
}

static void report_missing(struct binder *binder, const struct schema *schema,
                           const struct schema_field *field, struct tree_node *map) {
    char condition[SCHEMA_CONDITION_MAX], example[96] = "";
    schema_condition_text(schema, field, condition);
    bool number = field->type == SCHEMA_NUMBER || field->type == SCHEMA_TIME;
    enum unit_dimension dimension = field->type == SCHEMA_TIME ? UNIT_TIME : field->dimension;
    if (number)
        snprintf(example, sizeof example, ", %s such as `%s`", units_name(dimension),
                 units_example(dimension));
    bool bad = map->bad;
    binder_wrong(binder, map, "missing key `%s`%s%s%s", field->key, example,
                 *condition != '\0' ? ", needed with " : "", condition);
    map->bad = bad; /* its other values stay good */
}

/* The options of the chosen scheme: a struct of its own, defaults first. `node` NULL: nothing is given. */
static void bind_chosen(struct binder *binder, const struct schema *schema, const struct schema_field *field,
                        struct tree_node *node, void *base) {
    const struct scheme_options *options = schema_chosen(schema, field, base);
    void *filled = arena_alloc(binder->load->arena, options->bytes);
    memset(filled, 0, options->bytes);
    bind_defaults(binder, options->schema, filled);
    if (node != NULL)
        bind_map(binder, options->schema, node, filled);
    memcpy((char *)base + field->offset, &filled, sizeof filled);
}

/* Second pass over a map, when the values that decide about others are known. */
static void settle_field(struct binder *binder, const struct schema *schema, const struct schema_field *field,
                         struct tree_node *map, void *base) {
    struct tree_node *node = tree_get(map, field->key);
    bool chosen = field->type == SCHEMA_CHOSEN,
         nested = field->type == SCHEMA_MAP || field->type == SCHEMA_LIST;
    bool known = condition_known(schema, field, map), applies = schema_applies(schema, field, base);
    char condition[SCHEMA_CONDITION_MAX];
    size_t length = binder_enter_key(binder, field->key);
    if (node != NULL && known && !applies)
        binder_wrong(binder, node, "has no effect here: it goes with %s; remove it",
                     schema_condition_text(schema, field, condition));
    else if (chosen && known && applies)
        bind_chosen(binder, schema, field, node, base);
    else if (node != NULL && nested)
        bind_value(binder, field, node, base);
    else if (node == NULL && known && applies && field->type == SCHEMA_MAP)
        bind_map(binder, field->fields, tree_new(TREE_MAP, map, binder->load->scratch), base);
    binder_leave(binder, length);
    if (node == NULL && known && applies && (field->flags & SCHEMA_REQUIRED) != 0)
        report_missing(binder, schema, field, map);
}

static void bind_map(struct binder *binder, const struct schema *schema, struct tree_node *node, void *base) {
    char got[DESCRIBED_MAX];
    if (node->kind != TREE_MAP) {
        binder_wrong(binder, node, "expected a map of `key: value`, got %s", binder_describe(node, got));
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct schema_field *field = schema_find(schema, node->keys[i]->text);
        if (field == NULL || strlen(node->keys[i]->text) != node->keys[i]->size) {
            report_unknown_key(binder, schema, node->keys[i]);
        } else if (field->type < SCHEMA_MAP) {
            size_t length = binder_enter_key(binder, field->key);
            bind_value(binder, field, node->items[i], base);
            binder_leave(binder, length);
        }
    }
    for (size_t i = 0; i < schema->count; i++)
        settle_field(binder, schema, &schema->fields[i], node, base);
}

static void bind_list(struct binder *binder, const struct schema_field *field, struct tree_node *node,
                      void *base) {
    char got[DESCRIBED_MAX];
    if (node->kind != TREE_LIST) {
        binder_wrong(binder, node, "expected a list with `- ` before each %s, got %s", field->fields->item,
                     binder_describe(node, got));
        return;
    }
    if (node->count > SCENARIO_ENTRIES_MAX) {
        binder_wrong(binder, node, "more than %d entries; use `count` and group names", SCENARIO_ENTRIES_MAX);
        return;
    }
    struct binder quiet = {.load = binder->load};
    uint32_t before = binder->load->problems->count;
    void *model = arena_alloc(binder->load->scratch, field->size);
    bind_defaults(&quiet, field->fields, model);
    char *entries = arena_alloc_array(binder->load->arena, node->count, field->size);
    for (uint32_t i = 0; i < node->count; i++) {
        memcpy(entries + i * field->size, model, field->size);
        size_t length = binder_enter_index(binder, i);
        bind_map(binder, field->fields, node->items[i], entries + i * field->size);
        binder_leave(binder, length);
    }
    node->bad = binder->load->problems->count > before; /* the checks of the whole tree then make no sense */
    memcpy((char *)base + field->offset, &entries, sizeof entries);
    memcpy((char *)base + field->count_offset, &node->count, sizeof node->count);
}

void schema_bind(struct scenario_load *load, const struct schema *schema, void *target) {
    struct binder binder = {.load = load};
    bind_defaults(&binder, schema, target);
    bind_map(&binder, schema, load->root, target);
}

void scenario_bind(struct scenario_load *load) {
    memset(load->scenario, 0, sizeof *load->scenario);
    schema_bind(load, &scenario_schema, load->scenario);
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
    snprintf(place, sizeof place, "%s[%u]%s%s", list, index, value != NULL ? "." : "",
             value != NULL ? key : "");
    problem_at(load->problems, value != NULL ? value : entry, "%s: %s", place, text);
}

bool scenario_sound(const struct scenario_load *load, const char *list, uint32_t index, const char *key) {
    const struct tree_node *value = tree_get(tree_item(tree_get(load->root, list), index), key);
    return value == NULL || !value->bad;
}
