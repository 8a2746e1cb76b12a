/* scenario_set: `--set a.b=c` on the tree of a file, before it is bound: so an override goes through exactly
 * the checks that the file goes through. An empty value takes a key away, back to its default. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/model/scenario_bind.h"

#define SET_BYTES_MAX 4096
#define SEGMENTS_MAX 8

struct assignment {
    struct scenario_load *load;
    struct tree_node place; /* line 0, marked with the assignment: problems are reported here */
    char *segments[SEGMENTS_MAX];
    size_t count;
    const char *value; /* "" takes the key away */
};

static void apply(struct assignment *set, struct tree_node *node, size_t depth);

/* The names an entry of a list goes by: a node's name, a link's `from:to`, a fault's kind. */
static bool goes_by(const struct tree_node *entry, const char *word) {
    const struct tree_node *name = tree_get(entry, "name"), *kind = tree_get(entry, "kind");
    const struct tree_node *from = tree_get(entry, "from"), *to = tree_get(entry, "to");
    if (strcmp(word, "*") == 0 || (name != NULL && strcmp(name->text, word) == 0))
        return true;
    if (name == NULL && kind != NULL && strcmp(kind->text, word) == 0)
        return true;
    const char *colon = strchr(word, ':');
    if (colon == NULL || from == NULL || to == NULL)
        return false;
    return strncmp(from->text, word, (size_t)(colon - word)) == 0 && from->size == (size_t)(colon - word) &&
           strcmp(to->text, colon + 1) == 0;
}

static struct tree_node *value_node(struct assignment *set) {
    return tree_parse(set->value, strlen(set->value), set->place.origin, set->load->scratch,
                      set->load->problems);
}

/* Goes on below list entry `index`, or replaces it. */
static void apply_to_entry(struct assignment *set, struct tree_node *list, uint32_t index, size_t depth) {
    if (depth + 1 < set->count) {
        apply(set, list->items[index], depth + 1);
        return;
    }
    if (*set->value == '\0') {
        problem_at(set->load->problems, &set->place, "entries of a list cannot be taken away one by one");
        return;
    }
    struct tree_node *value = value_node(set);
    if (value != NULL)
        list->items[index] = value;
}

static void apply_to_list(struct assignment *set, struct tree_node *list, size_t depth) {
    const char *word = set->segments[depth];
    char quoted[TEXT_QUOTED_MAX];
    text_quote(word, strlen(word), quoted);
    size_t digits = strspn(word, "0123456789");
    if (digits > 0 && word[digits] == '\0') {
        unsigned long index = digits < 10 ? strtoul(word, NULL, 10) : UINT32_MAX;
        if (index < list->count)
            apply_to_entry(set, list, (uint32_t)index, depth);
        else
            problem_at(set->load->problems, &set->place, "no entry %s: the list has %u, counted from 0",
                       quoted, list->count);
        return;
    }
    struct text_closest search = text_closest_to(word);
    uint32_t matches = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tree_node *name = tree_get(list->items[i], "name");
        if (name != NULL)
            text_closest_offer(&search, name->text);
        if (!goes_by(list->items[i], word))
            continue;
        matches++;
        apply_to_entry(set, list, i, depth);
    }
    if (matches == 0)
        problem_at(set->load->problems, &set->place,
                   "no entry `%s`: entries go by index, `*`, a node's name, a link's `from:to` or a fault's "
                   "kind%s%s%s",
                   quoted, search.best != NULL ? "; did you mean `" : "",
                   search.best != NULL ? search.best : "", search.best != NULL ? "`?" : "");
}

static void remove_key(struct tree_node *map, const char *word) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, word) == 0)
            continue;
        map->keys[kept] = map->keys[i];
        map->items[kept++] = map->items[i];
    }
    map->count = kept;
}

static struct tree_node *new_key(struct assignment *set, const char *word) {
    struct tree_node *key = tree_new(TREE_SCALAR, &set->place, set->load->scratch);
    key->text = word;
    key->size = strlen(word);
    key->plain = true;
    return key;
}

static void apply_to_map(struct assignment *set, struct tree_node *map, size_t depth) {
    const char *word = set->segments[depth];
    struct tree_node *child = tree_get(map, word);
    bool last = depth + 1 == set->count;
    if (last && *set->value == '\0') {
        remove_key(map, word);
        return;
    }
    if (!last && child != NULL) {
        apply(set, child, depth + 1);
        return;
    }
    struct tree_node *value = last ? value_node(set) : tree_new(TREE_MAP, &set->place, set->load->scratch);
    if (value == NULL)
        return;
    remove_key(map, word);
    tree_append(map, new_key(set, word), value, set->load->scratch);
    if (!last)
        apply(set, value, depth + 1);
}

static void apply(struct assignment *set, struct tree_node *node, size_t depth) {
    char quoted[TEXT_QUOTED_MAX];
    if (node->kind == TREE_LIST)
        apply_to_list(set, node, depth);
    else if (node->kind == TREE_MAP)
        apply_to_map(set, node, depth);
    else
        problem_at(set->load->problems, &set->place, "there is no key `%s` below a single value",
                   text_quote(set->segments[depth], strlen(set->segments[depth]), quoted));
}

/* Splits "a.b.c=value" in place. False when there is no `=`, no key, or an empty or too deep path. */
static bool split(struct assignment *set, char *text) {
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return false;
    *equals = '\0';
    set->value = equals + 1 + strspn(equals + 1, " ");
    char *segment = text;
    while (segment != NULL) {
        char *dot = strchr(segment, '.');
        if (dot != NULL)
            *dot = '\0';
        if (*segment == '\0' || set->count == SEGMENTS_MAX)
            return false;
        set->segments[set->count++] = segment;
        segment = dot != NULL ? dot + 1 : NULL;
    }
    return true;
}

void scenario_set(struct scenario_load *load, const char *assignment) {
    struct assignment set = {.load = load, .place = {.origin = assignment, .text = ""}};
    if (strlen(assignment) >= SET_BYTES_MAX)
        problem_at(load->problems, &set.place, "longer than %d bytes", SET_BYTES_MAX - 1);
    else if (!split(&set, arena_copy_text(load->scratch, assignment)))
        problem_at(load->problems, &set.place,
                   "expected KEY=VALUE with a dotted key, such as `task.size=32 kbit`");
    else
        apply(&set, load->root, 0);
}
