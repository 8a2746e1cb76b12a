/* scenario_values: reading single values of a file by their row of the table: type, unit, range. Internal to
 * the scenario loader. */
#ifndef TIERBED_MODEL_SCENARIO_VALUES_H
#define TIERBED_MODEL_SCENARIO_VALUES_H

#include "common/base/text.h"
#include "common/model/scenario_bind.h"
#include "common/model/scenario_schema.h"

#define BINDER_PATH_MAX 160

struct binder {
    struct scenario_load *load;
    char path[BINDER_PATH_MAX]; /* of the value at hand: "links[2].loss" */
};

/* Extends the path by a key or an index, cut where it is full; returns its old length, for binder_leave. */
size_t binder_enter_key(struct binder *binder, const char *key);
size_t binder_enter_index(struct binder *binder, uint32_t index);
void binder_leave(struct binder *binder, size_t length);

/* Reports a wrong value at the path at hand and marks its node. */
void binder_wrong(struct binder *binder, struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a message says it got: "`text`", "a list", "nothing". */
#define DESCRIBED_MAX (TEXT_QUOTED_MAX + 2)
const char *binder_describe(const struct tree_node *node, char described[DESCRIBED_MAX]);

/* Reads `node` into its place in the struct at `base`, or reports. `field` is no map and no list of maps. */
void binder_read(struct binder *binder, const struct schema_field *field, struct tree_node *node, void *base);

#endif
