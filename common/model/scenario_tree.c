#include "common/model/scenario_tree.h"

#include <string.h>
#include <yaml.h>

#include "common/base/text.h"

struct tree_node *tree_get(const struct tree_node *map, const char *key) {
    if (map == NULL || map->kind != TREE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (map->keys[i]->text[0] == key[0] && strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

struct tree_node *tree_item(const struct tree_node *list, uint32_t index) {
    return list != NULL && list->kind == TREE_LIST && index < list->count ? list->items[index] : NULL;
}

struct tree_node *tree_new(enum tree_kind kind, const struct tree_node *like, struct arena *arena) {
    struct tree_node *node = arena_alloc(arena, sizeof *node);
    *node = (struct tree_node){
        .kind = kind, .line = like->line, .column = like->column, .origin = like->origin, .text = ""};
    return node;
}

static struct tree_node **grow(struct tree_node **items, uint32_t count, uint32_t capacity,
                               struct arena *arena) {
    struct tree_node **grown = arena_alloc_array(arena, capacity, sizeof *grown);
    if (count > 0)
        memcpy(grown, items, count * sizeof *grown);
    return grown;
}

void tree_append(struct tree_node *node, struct tree_node *key, struct tree_node *item, struct arena *arena) {
    if (node->count == node->capacity) {
        node->capacity = node->capacity == 0 ? 8 : node->capacity * 2;
        node->items = grow(node->items, node->count, node->capacity, arena);
        if (node->kind == TREE_MAP)
            node->keys = grow(node->keys, node->count, node->capacity, arena);
    }
    node->items[node->count] = item;
    if (node->kind == TREE_MAP)
        node->keys[node->count] = key;
    node->count++;
}

bool tree_is_empty(const struct tree_node *node) {
    return node->kind == TREE_SCALAR && node->plain &&
           (node->size == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

/* The tree under construction. */
struct builder {
    yaml_parser_t parser;
    struct arena *arena;
    struct scenario_problems *problems;
    const char *origin;
    struct tree_node *root;
    struct tree_node *stack[TREE_DEPTH_MAX];
    struct tree_node *key[TREE_DEPTH_MAX]; /* of the open map at that depth, NULL: a key comes next */
    bool ignore[TREE_DEPTH_MAX];           /* the value of that key is dropped: a duplicate */
    size_t depth;
};

/* The place of an event, as a node to report at. */
static struct tree_node place_of(const struct builder *builder, yaml_mark_t mark) {
    bool file = builder->origin == NULL;
    return (struct tree_node){.line = file ? (uint32_t)mark.line + 1 : 0,
                              .column = file ? (uint32_t)mark.column + 1 : 0,
                              .origin = builder->origin,
                              .text = ""};
}

static bool refuse(struct builder *builder, yaml_mark_t mark, const char *text) {
    struct tree_node place = place_of(builder, mark);
    problem_at(builder->problems, &place, "%s", text);
    return false;
}

static bool add_key(struct builder *builder, struct tree_node *key) {
    struct tree_node *map = builder->stack[builder->depth - 1];
    char quoted[TEXT_QUOTED_MAX];
    if (map->count >= TREE_KEYS_MAX) {
        problem_at(builder->problems, key, "more than %d keys in one map", TREE_KEYS_MAX);
        return false;
    }
    builder->ignore[builder->depth - 1] = false;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct tree_node *first = map->keys[i];
        if (first->size != key->size || memcmp(first->text, key->text, key->size) != 0)
            continue;
        text_quote(key->text, key->size, quoted);
        problem_at(builder->problems, key, "duplicate key `%s`, already given on line %u; remove one of them",
                   quoted, first->line);
        builder->ignore[builder->depth - 1] = true;
    }
    builder->key[builder->depth - 1] = key;
    return true;
}

/* Hangs a finished or opening node where it belongs. */
static bool add_node(struct builder *builder, struct tree_node *node) {
    if (builder->depth == 0) {
        builder->root = node;
        return true;
    }
    struct tree_node *parent = builder->stack[builder->depth - 1];
    struct tree_node **key = &builder->key[builder->depth - 1];
    if (parent->kind == TREE_LIST) {
        tree_append(parent, NULL, node, builder->arena);
        return true;
    }
    if (*key == NULL && node->kind != TREE_SCALAR) {
        problem_at(builder->problems, node, "a key must be a word, not a list or map");
        return false;
    }
    if (*key == NULL)
        return add_key(builder, node);
    if (!builder->ignore[builder->depth - 1])
        tree_append(parent, *key, node, builder->arena);
    *key = NULL;
    return true;
}

static bool add_scalar(struct builder *builder, const yaml_event_t *event) {
    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
        return refuse(builder, event->start_mark,
                      "anchors (`&x`) and tags (`!x`) have no place in a scenario");
    struct tree_node place = place_of(builder, event->start_mark);
    struct tree_node *node = tree_new(TREE_SCALAR, &place, builder->arena);
    node->size = event->data.scalar.length;
    char *text = arena_alloc(builder->arena, node->size + 1);
    memcpy(text, event->data.scalar.value, node->size);
    node->text = text;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return add_node(builder, node);
}

static bool open_node(struct builder *builder, enum tree_kind kind, const yaml_event_t *event) {
    bool map = kind == TREE_MAP;
    if ((map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor) != NULL ||
        (map ? event->data.mapping_start.tag : event->data.sequence_start.tag) != NULL)
        return refuse(builder, event->start_mark,
                      "anchors (`&x`) and tags (`!x`) have no place in a scenario");
    if (builder->depth >= TREE_DEPTH_MAX)
        return refuse(builder, event->start_mark, "lists and maps are nested too deeply");
    struct tree_node place = place_of(builder, event->start_mark);
    struct tree_node *node = tree_new(kind, &place, builder->arena);
    if (!add_node(builder, node))
        return false;
    builder->stack[builder->depth] = node;
    builder->key[builder->depth] = NULL;
    builder->depth++;
    return true;
}

/* One event of the parser; false ends the parsing with a problem reported. */
static bool take_event(struct builder *builder, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_scalar(builder, event);
    case YAML_MAPPING_START_EVENT:
        return open_node(builder, TREE_MAP, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(builder, TREE_LIST, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        builder->depth--;
        return true;
    case YAML_ALIAS_EVENT:
        return refuse(builder, event->start_mark,
                      "aliases (`*x`) have no place in a scenario: write the value out");
    case YAML_DOCUMENT_START_EVENT:
        return builder->root == NULL ||
               refuse(builder, event->start_mark, "a second document (`---`); a file holds one scenario");
    default:
        return true;
    }
}

static bool syntax_problem(struct builder *builder) {
    const yaml_parser_t *parser = &builder->parser;
    struct tree_node place = place_of(builder, parser->problem_mark);
    const char *what = parser->problem != NULL ? parser->problem : "not understood";
    if (parser->context != NULL)
        problem_at(builder->problems, &place, "YAML syntax: %s, %s from line %zu", what, parser->context,
                   parser->context_mark.line + 1);
    else
        problem_at(builder->problems, &place, "YAML syntax: %s", what);
    return false;
}

static bool run_parser(struct builder *builder) {
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&builder->parser, &event))
            return syntax_problem(builder);
        bool good = take_event(builder, &event);
        bool end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!good || end)
            return good;
    }
}

/* Characters that YAML does not allow, found before the parser sees them so that the message has a place. */
static bool readable(struct builder *builder, const char *text, size_t size) {
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t length = text_utf8(text + i, size - i, &code);
        if (length == 0)
            return refuse(builder, mark, "not UTF-8 text");
        if ((code < 0x20 && code != '\n' && code != '\r' && code != '\t') || code == 0x7f)
            return refuse(builder, mark,
                          code == 0 ? "a zero byte; this is not a text file" : "a control character");
        i += length;
        mark.column++;
        if (code == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return true;
}

struct tree_node *tree_parse(const char *text, size_t size, const char *origin, struct arena *arena,
                             struct scenario_problems *problems) {
    struct builder builder = {.arena = arena, .problems = problems, .origin = origin};
    if (size > TREE_BYTES_MAX) {
        refuse(&builder, (yaml_mark_t){0}, "larger than 1 MiB; this is not a scenario");
        return NULL;
    }
    if (!readable(&builder, text, size))
        return NULL;
    if (!yaml_parser_initialize(&builder.parser)) {
        refuse(&builder, (yaml_mark_t){0}, "out of memory in the YAML parser");
        return NULL;
    }
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, size);
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    bool good = run_parser(&builder);
    if (good && builder.root == NULL)
        good = refuse(&builder, (yaml_mark_t){0},
                      origin != NULL ? "there is no value" : "nothing in it; expected a scenario");
    yaml_parser_delete(&builder.parser);
    return good ? builder.root : NULL;
}
