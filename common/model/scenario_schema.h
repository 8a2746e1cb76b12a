/* scenario_schema: the one table of every key a scenario file may have. The loader, `--set`, the printer, the
 * JSON Schema and the reference page all walk it; a new key is a new row. Internal to the scenario modules.
 */
#ifndef TIERBED_MODEL_SCENARIO_SCHEMA_H
#define TIERBED_MODEL_SCENARIO_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/units.h"

enum schema_type {
    SCHEMA_TEXT,    /* char[size] */
    SCHEMA_NAME,    /* char[size]: letter, then letters, digits, - and _ */
    SCHEMA_BOOL,    /* bool */
    SCHEMA_COUNT,   /* uint32_t */
    SCHEMA_BYTES,   /* uint32_t bytes, written as data; range in bits */
    SCHEMA_SEED,    /* uint64_t */
    SCHEMA_NUMBER,  /* double with dimension */
    SCHEMA_TIME,    /* int64_t ns */
    SCHEMA_ENUM,    /* enum, by names */
    SCHEMA_NUMBERS, /* double[size], 1..size of them; a single one needs no brackets and fills all */
    SCHEMA_TIMES,   /* int64_t[size] */
    SCHEMA_MATRIX,  /* double[size][size] */
    SCHEMA_TREE,   /* const struct tree_node *: kept as it stands, for whoever reads further; not in scenarios
                    */
    SCHEMA_MAP,    /* further keys, by `fields` */
    SCHEMA_CHOSEN, /* pointer to a struct whose table depends on the scheme (scheme_options.h) */
    SCHEMA_LIST    /* pointer to an array of structs of `size` bytes, length at count_offset */
};

enum schema_flag {
    SCHEMA_REQUIRED = 1,   /* no default: must be given where it applies */
    SCHEMA_ABOVE = 2,      /* minimum itself is outside */
    SCHEMA_NEVER = 4,      /* time: not given is VTIME_NEVER */
    SCHEMA_REFERENCE = 8,  /* name: of a node or group that must exist */
    SCHEMA_PATH = 32,      /* text: a file or folder whose content belongs to the run */
    SCHEMA_VALIDATORS = 64 /* of struct scenario: applies only where a group has role chain */
};

/* A field applies only where the field `key` of the same map (which must itself apply) has a value in `mask`.
 */
struct schema_condition {
    const char *key; /* NULL: always applies */
    uint32_t mask;   /* bit v: enum value v */
};

struct schema;

struct schema_field {
    const char *key;
    enum schema_type type;
    enum unit_dimension dimension;
    unsigned flags;
    size_t offset;                /* into the struct of the map; nested maps add up */
    size_t size;                  /* see the types */
    size_t count_offset;          /* lists: where the length is kept; 0 for fixed arrays */
    double minimum, maximum;      /* SI, times in ns; both 0: no range */
    const char *fallback;         /* default as written in a file; NULL without SCHEMA_REQUIRED: left out */
    const char *const *names;     /* enums: name of each value, ends with NULL */
    const char *const *name_docs; /* what each means */
    const struct schema *fields;  /* MAP and LIST */
    struct schema_condition when;
    const char *doc;
};

struct schema {
    const struct schema_field *fields;
    size_t count;
    const char *item; /* what one entry of a list is called: "link" */
};

extern const struct schema scenario_schema, scenario_schema_group, scenario_schema_link,
    scenario_schema_fault, scenario_schema_chain;

/* A row of a table for `struct type`. */
#define SCHEMA_MEMBER(type, member)                                                                          \
    .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define SCHEMA_LENGTH(array) (sizeof(array) / sizeof *(array))

const struct schema_field *schema_find(const struct schema *schema, const char *key);

/* The table and struct size that the field of type SCHEMA_CHOSEN has in the struct at `base`; the field
 * applies there. */
struct scheme_options;
const struct scheme_options *schema_chosen(const struct schema *schema, const struct schema_field *field,
                                           const void *base);

/* Does `field` apply in the struct at `base`? */
bool schema_applies(const struct schema *schema, const struct schema_field *field, const void *base);

/* The text of the condition, such as "kind `ofdma` or `lte-m`", "" when there is none. */
#define SCHEMA_CONDITION_MAX 160
const char *schema_condition_text(const struct schema *schema, const struct schema_field *field,
                                  char text[SCHEMA_CONDITION_MAX]);

#endif
