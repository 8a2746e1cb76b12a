/* scenario_json: the table as JSON Schema (draft 2020-12), for editors that complete and check YAML. */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/scenario.h"
#include "common/model/scenario_schema.h"
#include "common/model/scheme_options.h"

static json_t *map_schema(const struct schema *schema);

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, json_string(text));
}

static json_t *type_schema(const char *type) {
    json_t *object = json_object();
    set_text(object, "type", type);
    return object;
}

static void set_range(json_t *object, const struct schema_field *field) {
    if (field->minimum == 0 && field->maximum == 0)
        return;
    bool above = (field->flags & SCHEMA_ABOVE) != 0;
    json_object_set_new(object, above ? "exclusiveMinimum" : "minimum", json_real(field->minimum));
    json_object_set_new(object, "maximum", json_real(field->maximum));
}

/* A number, a text with unit, or either, as the dimension wants it. */
static json_t *quantity_schema(const struct schema_field *field, enum unit_dimension dimension) {
    char pattern[UNITS_PATTERN_MAX];
    bool bare = dimension == UNIT_PLAIN || dimension == UNIT_RATIO || dimension == UNIT_GAIN;
    json_t *number = type_schema("number"), *text = type_schema("string");
    set_range(number, field);
    set_text(text, "pattern", units_pattern(dimension, pattern));
    if (bare && dimension != UNIT_PLAIN)
        return json_pack("{s:[o, o]}", "anyOf", number, text);
    json_decref(bare ? text : number);
    return bare ? number : text;
}

static json_t *array_schema(json_t *items, size_t least, size_t most) {
    json_t *object = type_schema("array");
    json_object_set_new(object, "items", items);
    json_object_set_new(object, "minItems", json_integer((json_int_t)least));
    if (most > 0)
        json_object_set_new(object, "maxItems", json_integer((json_int_t)most));
    return object;
}

static json_t *text_schema(const struct schema_field *field) {
    json_t *object = type_schema("string");
    json_object_set_new(object, "minLength", json_integer(1));
    json_object_set_new(object, "maxLength", json_integer((json_int_t)field->size - 1));
    if (field->type == SCHEMA_NAME)
        set_text(object, "pattern", "^[A-Za-z][A-Za-z0-9_-]*$");
    return object;
}

static json_t *integer_schema(const struct schema_field *field) {
    json_t *object = type_schema("integer");
    json_object_set_new(object, "minimum", json_integer((json_int_t)field->minimum));
    if (field->type == SCHEMA_COUNT)
        json_object_set_new(object, "maximum", json_integer((json_int_t)field->maximum));
    return object;
}

static json_t *enum_schema(const struct schema_field *field) {
    json_t *names = json_array();
    for (size_t i = 0; field->names[i] != NULL; i++)
        json_array_append_new(names, json_string(field->names[i]));
    return json_pack("{s:o}", "enum", names);
}

static json_t *value_schema(const struct schema_field *field) {
    enum unit_dimension dimension = field->dimension;
    switch (field->type) {
    case SCHEMA_TEXT:
    case SCHEMA_NAME:
        return text_schema(field);
    case SCHEMA_BOOL:
        return type_schema("boolean");
    case SCHEMA_COUNT:
    case SCHEMA_SEED:
        return integer_schema(field);
    case SCHEMA_NUMBER:
    case SCHEMA_BYTES:
        return quantity_schema(field, dimension);
    case SCHEMA_TIME:
        return quantity_schema(field, UNIT_TIME);
    case SCHEMA_ENUM:
        return enum_schema(field);
    case SCHEMA_NUMBERS:
        return json_pack("{s:[o, o]}", "anyOf",
                         array_schema(quantity_schema(field, dimension), 1, field->size),
                         quantity_schema(field, dimension));
    case SCHEMA_TIMES:
        return json_pack("{s:[o, o]}", "anyOf",
                         array_schema(quantity_schema(field, UNIT_TIME), 1, field->size),
                         quantity_schema(field, UNIT_TIME));
    case SCHEMA_MATRIX:
        return array_schema(array_schema(quantity_schema(field, dimension), field->size, field->size),
                            field->size, field->size);
    case SCHEMA_TREE:
        break;
    case SCHEMA_MAP:
        return map_schema(field->fields);
    case SCHEMA_CHOSEN: /* its keys follow under a condition */
        return type_schema("object");
    case SCHEMA_LIST:
        return array_schema(map_schema(field->fields), (field->flags & SCHEMA_REQUIRED) != 0 ? 1 : 0, 0);
    }
    return NULL;
}

static json_t *field_schema(const struct schema *schema, const struct schema_field *field) {
    char condition[SCHEMA_CONDITION_MAX], text[1024];
    json_t *object = value_schema(field);
    assert(object != NULL);
    schema_condition_text(schema, field, condition);
    snprintf(text, sizeof text, "%s%s%s%s", field->doc, *condition != '\0' ? " Only with " : "", condition,
             *condition != '\0' ? "." : "");
    set_text(object, "description", text);
    if (field->fallback != NULL) {
        json_t *value = json_loads(field->fallback, JSON_DECODE_ANY, NULL); /* NULL for texts with units */
        if (value == NULL && *field->fallback != '[')
            value = json_string(field->fallback);
        if (value != NULL)
            json_object_set_new(object, "default", value);
    }
    return object;
}

/* "if <decider> is one of <values> then <keys> are required", for one conditional key. */
static json_t *requirement(const struct schema *schema, const struct schema_field *field) {
    const struct schema_field *decider = schema_find(schema, field->when.key);
    json_t *values = json_array();
    for (unsigned i = 0; decider->names[i] != NULL; i++)
        if ((field->when.mask >> i & 1u) != 0)
            json_array_append_new(values, json_string(decider->names[i]));
    return json_pack("{s:{s:{s:{s:o}}, s:[s]}, s:{s:[s]}}", "if", "properties", decider->key, "enum", values,
                     "required", decider->key, "then", "required", field->key);
}

/* "if <decider> is <name> then <key> has these keys", for every value of the decider that has some. */
static void choices(const struct schema *schema, const struct schema_field *field, json_t *conditions) {
    const struct schema_field *decider = schema_find(schema, field->when.key);
    for (unsigned i = 0; decider->names[i] != NULL; i++)
        if ((field->when.mask >> i & 1u) != 0)
            json_array_append_new(conditions,
                                  json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:{s:{s:o}}}", "if", "properties",
                                            decider->key, "const", decider->names[i], "required",
                                            decider->key, "then", "properties", field->key,
                                            map_schema(scheme_options_of(i)->schema)));
}

static json_t *map_schema(const struct schema *schema) {
    json_t *object = type_schema("object"), *properties = json_object(), *required = json_array();
    json_t *conditions = json_array();
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        bool needed = (field->flags & SCHEMA_REQUIRED) != 0;
        json_object_set_new(properties, field->key, field_schema(schema, field));
        if (needed && field->when.key == NULL)
            json_array_append_new(required, json_string(field->key));
        else if (needed)
            json_array_append_new(conditions, requirement(schema, field));
        if (field->type == SCHEMA_CHOSEN)
            choices(schema, field, conditions);
    }
    json_object_set_new(object, "additionalProperties", json_false());
    json_object_set_new(object, "properties", properties);
    if (json_array_size(required) > 0)
        json_object_set(object, "required", required);
    if (json_array_size(conditions) > 0)
        json_object_set(object, "allOf", conditions);
    json_decref(required);
    json_decref(conditions);
    return object;
}

char *scenario_json_schema(struct arena *arena) {
    json_t *body = map_schema(&scenario_schema), *root = json_object();
    set_text(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
    set_text(root, "title", "Tierbed scenario");
    json_object_update(root, body);
    json_decref(body);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    json_decref(root);
    assert(text != NULL);
    char *copy = arena_copy_text(arena, text);
    free(text);
    return copy;
}
