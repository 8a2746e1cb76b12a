/* scenario_tree: the YAML of a scenario as a tree of maps, lists and scalars that know where they stand.
 *
 * Everything untrusted is bounded here: size, depth, keys of a map. Anchors, aliases, tags and second
 * documents are refused. Internal to the scenario loader. */
#ifndef TIERBED_MODEL_SCENARIO_TREE_H
#define TIERBED_MODEL_SCENARIO_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/model/scenario.h"

#define TREE_BYTES_MAX ((size_t)1024 * 1024)
#define TREE_DEPTH_MAX 16
#define TREE_KEYS_MAX 64 /* keys of one map; the largest table has fewer */

enum tree_kind { TREE_SCALAR = 0, TREE_MAP, TREE_LIST };

struct tree_node {
    enum tree_kind kind;
    bool bad;                 /* a problem was reported for it: checks that build on its value are skipped */
    bool plain;               /* scalar without quotes */
    uint32_t line, column;    /* 1-based; 0: from --set */
    const char *origin;       /* the --set assignment it comes from, NULL for the file */
    const char *text;         /* scalar, zero-terminated; may hold further zeros */
    size_t size;              /* of text */
    struct tree_node **items; /* of a list, or values of a map */
    struct tree_node **keys;  /* of a map: scalars, same order */
    uint32_t count, capacity;
};

/* Parses `text`; everything lives in `arena`. NULL when there is a problem, which is then in `problems`.
 * `origin` is NULL for a file, else the --set assignment that all nodes are marked with. */
struct tree_node *tree_parse(const char *text, size_t size, const char *origin, struct arena *arena,
                             struct scenario_problems *problems);

/* The value of `key` in a map, NULL when `map` is NULL, no map, or has no such key. */
struct tree_node *tree_get(const struct tree_node *map, const char *key);
/* The item of a list, NULL when there is none. */
struct tree_node *tree_item(const struct tree_node *list, uint32_t index);
/* Appends to a list (key NULL) or map. */
void tree_append(struct tree_node *node, struct tree_node *key, struct tree_node *item, struct arena *arena);
/* An empty node marked as `like`. */
struct tree_node *tree_new(enum tree_kind kind, const struct tree_node *like, struct arena *arena);

/* `~`, `null` or nothing at all. */
bool tree_is_empty(const struct tree_node *node);

/* Adds a problem (ignored beyond SCENARIO_PROBLEMS_MAX), for the place of `node`. */
void problem_at(struct scenario_problems *problems, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problem_add(struct scenario_problems *problems, uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* By line and column; those found first stay first. */
void problems_sort(struct scenario_problems *problems);

#endif
