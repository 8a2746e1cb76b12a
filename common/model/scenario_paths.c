/* scenario_paths: the files and folders a scenario names, found by the table. */
#include <string.h>

#include "common/model/scenario.h"
#include "common/model/scenario_schema.h"
#include "common/model/scheme_options.h"

struct walk {
    scenario_visit_path visit;
    void *context;
};

static enum status visit_map(const struct walk *walk, const struct schema *schema, const void *base);

static enum status visit_list(const struct walk *walk, const struct schema_field *field, const void *base) {
    const char *entries;
    uint32_t count;
    memcpy(&entries, (const char *)base + field->offset, sizeof entries);
    memcpy(&count, (const char *)base + field->count_offset, sizeof count);
    for (uint32_t i = 0; i < count; i++)
        TRY(visit_map(walk, field->fields, entries + i * field->size));
    return STATUS_OK;
}

static enum status visit_options(const struct walk *walk, const struct schema *schema,
                                 const struct schema_field *field, const void *base) {
    const void *options;
    memcpy(&options, (const char *)base + field->offset, sizeof options);
    return options != NULL ? visit_map(walk, schema_chosen(schema, field, base)->schema, options) : STATUS_OK;
}

static enum status visit_map(const struct walk *walk, const struct schema *schema, const void *base) {
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        const char *text = (const char *)base + field->offset;
        if (!schema_applies(schema, field, base))
            continue;
        if (field->type == SCHEMA_MAP)
            TRY(visit_map(walk, field->fields, base));
        else if (field->type == SCHEMA_CHOSEN)
            TRY(visit_options(walk, schema, field, base));
        else if (field->type == SCHEMA_LIST)
            TRY(visit_list(walk, field, base));
        else if ((field->flags & SCHEMA_PATH) != 0 && *text != '\0')
            TRY(walk->visit(walk->context, text));
    }
    return STATUS_OK;
}

enum status scenario_each_path(const struct scenario *scenario, scenario_visit_path visit, void *context) {
    struct walk walk = {.visit = visit, .context = context};
    return visit_map(&walk, &scenario_schema, scenario);
}
