/* scenario_reference: the table as a Markdown page. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/scenario.h"
#include "common/model/scenario_schema.h"
#include "common/model/scheme_options.h"

static const char opening[] =
    "# Scenario files\n\n"
    "<!-- Written by `tierbed scenario reference`; change common/model/scenario_schema.c instead. -->\n\n"
    "A scenario is one YAML file that says which nodes and links there are, what the devices do, and what "
    "goes wrong.\n"
    "`tierbed scenario check FILE` reports everything that is wrong with it; `tierbed scenario print FILE` "
    "shows it\n"
    "with every default filled in; `tierbed scenario schema` prints a JSON Schema for editors.\n\n"
    "Values have units: `64 kbit`, `5 MHz`, `0.1 ms`, `-114 dBm`. A value with a dimension and no unit is an "
    "error, and\n"
    "so is an unknown key, a key given twice, and a key that has no effect where it stands. Times are whole\n"
    "nanoseconds. Anchors, aliases and tags of YAML are not used.\n\n"
    "`--set KEY=VALUE` replaces any value: `--set task.size=32kbit`, `--set nodes.sensor.per_parent=40`,\n"
    "`--set links.0.delay=2ms`, `--set links.gateway:edge.loss.model=bernoulli`, `--set 'links.*.queue=64'`. "
    "Entries of\n"
    "lists go by index from 0, by `*` for all, nodes by name, links by `from:to`, faults by kind. An empty "
    "value takes\n"
    "the key away, back to its default: `--set nodes.sensor.count=`.\n";

static const char units_page[] =
    "\n## Units\n\n"
    "| dimension | units |\n|---|---|\n"
    "| data size | `bit` `kbit` `Mbit` `Gbit`, `B` `kB` `MB` `GB` (1 kB = 1000 B) |\n"
    "| data rate | the same per second: `Mbit/s`, `MB/s` |\n"
    "| frequency | `Hz` `kHz` `MHz` `GHz` |\n"
    "| time | `ns` `us` `ms` `s` `min` `h` |\n"
    "| power | `nW` `uW` `mW` `W` `kW` `dBm` |\n"
    "| power density | `W/Hz` `dBm/Hz` |\n"
    "| energy | `nJ` `uJ` `mJ` `J` `kJ` `MJ` |\n"
    "| length | `mm` `m` `km` |\n"
    "| work | `FLOP` and `kFLOP` to `PFLOP` |\n"
    "| computing speed | `FLOP/s` and `kFLOP/s` to `PFLOP/s` |\n"
    "| computing intensity | `FLOP/bit` and `kFLOP/bit` to `GFLOP/bit` |\n"
    "| fraction | none, or `%` |\n"
    "| gain | none, or `dB` |\n";

static void write_type(FILE *out, const struct schema_field *field) {
    switch (field->type) {
    case SCHEMA_TEXT:
        fputs("text", out);
        return;
    case SCHEMA_NAME:
        fputs("name", out);
        return;
    case SCHEMA_BOOL:
        fputs("`true` or `false`", out);
        return;
    case SCHEMA_COUNT:
    case SCHEMA_SEED:
        fputs("whole number", out);
        return;
    case SCHEMA_ENUM:
        fputs("word", out);
        return;
    case SCHEMA_TIMES:
        fprintf(out, "list of up to %zu times", field->size);
        return;
    case SCHEMA_NUMBERS:
        fprintf(out, "up to %zu values, each %s", field->size, units_name(field->dimension));
        return;
    case SCHEMA_MATRIX:
        fprintf(out, "%zu rows of %zu numbers", field->size, field->size);
        return;
    case SCHEMA_TREE:
    case SCHEMA_MAP:
    case SCHEMA_CHOSEN:
        fputs("map", out);
        return;
    case SCHEMA_LIST:
        fputs("list", out);
        return;
    case SCHEMA_NUMBER:
    case SCHEMA_BYTES:
    case SCHEMA_TIME:
        fputs(units_name(field->type == SCHEMA_TIME ? UNIT_TIME : field->dimension), out);
        return;
    }
}

static void write_bound(FILE *out, const struct schema_field *field, double bound) {
    char text[UNITS_TEXT_MAX];
    if (field->type == SCHEMA_COUNT)
        fprintf(out, "%.0f", bound);
    else if (field->type == SCHEMA_TIME || field->type == SCHEMA_TIMES)
        fputs(units_print_time((int64_t)bound, text), out);
    else
        fputs(units_print(bound, field->dimension, text), out);
}

static void write_range(FILE *out, const struct schema_field *field) {
    if (field->minimum == 0 && field->maximum == 0)
        return;
    fputs((field->flags & SCHEMA_ABOVE) != 0 ? "above " : "", out);
    write_bound(out, field, field->minimum);
    fputs(" to ", out);
    write_bound(out, field, field->maximum);
}

static void write_doc(FILE *out, const struct schema *schema, const struct schema_field *field) {
    char condition[SCHEMA_CONDITION_MAX];
    fputs(field->doc, out);
    schema_condition_text(schema, field, condition);
    if (*condition != '\0')
        fprintf(out, " Only with %s.", condition);
    for (size_t i = 0; field->names != NULL && field->names[i] != NULL; i++)
        fprintf(out, "%s`%s`: %s", i == 0 ? " " : "; ", field->names[i], field->name_docs[i]);
    fputs(field->names != NULL ? "." : "", out);
}

static void write_rows(FILE *out, const struct schema *schema, const char *prefix) {
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        char key[64];
        snprintf(key, sizeof key, "%s%s", prefix, field->key);
        fprintf(out, "| `%s` | ", key);
        write_type(out, field);
        fputs(" | ", out);
        if ((field->flags & SCHEMA_REQUIRED) != 0)
            fputs("**required**", out);
        else if (field->fallback != NULL)
            fprintf(out, "`%s`", field->fallback);
        fputs(" | ", out);
        write_range(out, field);
        fputs(" | ", out);
        write_doc(out, schema, field);
        fputs(" |\n", out);
        if (field->type == SCHEMA_MAP && schema != &scenario_schema) {
            char nested[80];
            snprintf(nested, sizeof nested, "%s.", key);
            write_rows(out, field->fields, nested);
        }
    }
}

static void write_table(FILE *out, const struct schema *schema) {
    fputs("\n| key | value | default | range | meaning |\n|---|---|---|---|---|\n", out);
    write_rows(out, schema, "");
}

char *scenario_reference(struct arena *arena) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert(out != NULL);
    fputs(opening, out);
    fputs("\n## Top level\n", out);
    write_table(out, &scenario_schema);
    for (size_t i = 0; i < scenario_schema.count; i++) {
        const struct schema_field *field = &scenario_schema.fields[i];
        if (field->fields == NULL)
            continue;
        fprintf(out, "\n## `%s`\n\n%s%s\n", field->key, field->doc,
                field->type == SCHEMA_LIST ? " Keys of each entry:" : "");
        write_table(out, field->fields);
    }
    for (unsigned i = 1; scheme_names[i] != NULL; i++) {
        fprintf(out, "\n## `options` of scheme `%s`\n\n%s.\n", scheme_names[i], scheme_docs[i]);
        write_table(out, scheme_options_of(i)->schema);
    }
    fputs(units_page, out);
    fclose(out);
    char *copy = arena_copy_text(arena, text);
    free(text);
    return copy;
}
