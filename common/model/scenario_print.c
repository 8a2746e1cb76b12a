/* scenario_print: a resolved scenario as YAML with units. What does not apply (the rate of a radio link) and
 * what was left out (no parent, no end of a fault) is not printed, so that the text loads back to the same
 * struct. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/model/scenario.h"
#include "common/model/scenario_schema.h"
#include "common/model/scheme_options.h"
#include "common/time/vtime.h"

static void print_map(FILE *out, const struct schema *schema, const void *base, int indent);

static bool is_plain_word(const char *text) {
    static const char *const reserved[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcasecmp(text, reserved[i]) == 0)
            return false;
    return *text != '\0';
}

/* Double-quoted; the text is printable UTF-8 with at most line feeds and tabs to escape. */
static void print_quoted(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if (*text == '\n' || *text == '\t')
            fputs(*text == '\n' ? "\\n" : "\\t", out);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_number(FILE *out, const struct schema_field *field, const void *value) {
    char text[UNITS_TEXT_MAX];
    double number;
    int64_t time_ns;
    if (field->type == SCHEMA_TIME || field->type == SCHEMA_TIMES) {
        memcpy(&time_ns, value, sizeof time_ns);
        fputs(units_print_time(time_ns, text), out);
    } else {
        memcpy(&number, value, sizeof number);
        fputs(units_print(number, field->dimension, text), out);
    }
}

static void print_numbers(FILE *out, const struct schema_field *field, const char *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        fputs(i == 0 ? "[" : ", ", out);
        print_number(out, field, values + i * sizeof(double));
    }
    fputc(']', out);
}

/* How many values of a list are printed: a channel gain that is one number is kept once. */
static uint32_t list_count(const struct schema_field *field, const void *base) {
    uint32_t count = (uint32_t)field->size;
    const char *values = (const char *)base + field->offset;
    if (field->count_offset != 0) {
        memcpy(&count, (const char *)base + field->count_offset, sizeof count);
        return count;
    }
    for (uint32_t i = 1; i < count; i++)
        if (memcmp(values, values + i * sizeof(double), sizeof(double)) != 0)
            return count;
    return 1;
}

static void print_scalar(FILE *out, const struct schema_field *field, const void *base) {
    const char *value = (const char *)base + field->offset;
    uint32_t count;
    uint64_t seed;
    bool yes;
    char unit[UNITS_TEXT_MAX];
    switch (field->type) {
    case SCHEMA_NAME:
    case SCHEMA_TEXT:
        if (field->type == SCHEMA_NAME && is_plain_word(value))
            fputs(value, out);
        else
            print_quoted(out, value);
        return;
    case SCHEMA_BOOL:
        memcpy(&yes, value, sizeof yes);
        fputs(yes ? "true" : "false", out);
        return;
    case SCHEMA_COUNT:
        memcpy(&count, value, sizeof count);
        fprintf(out, "%" PRIu32, count);
        return;
    case SCHEMA_BYTES:
        memcpy(&count, value, sizeof count);
        fputs(units_print((double)count * 8, field->dimension, unit), out);
        return;
    case SCHEMA_SEED:
        memcpy(&seed, value, sizeof seed);
        fprintf(out, "%" PRIu64, seed);
        return;
    case SCHEMA_ENUM:
        memcpy(&count, value, sizeof count);
        fputs(field->names[count], out);
        return;
    case SCHEMA_NUMBERS:
    case SCHEMA_TIMES:
        print_numbers(out, field, value, list_count(field, base));
        return;
    case SCHEMA_MATRIX:
        for (size_t row = 0; row < field->size; row++) {
            fputs(row == 0 ? "[" : ", ", out);
            print_numbers(out, field, value + row * field->size * sizeof(double), (uint32_t)field->size);
        }
        fputc(']', out);
        return;
    default:
        print_number(out, field, value);
        return;
    }
}

/* Was an optional value without default left out? */
static bool is_absent(const struct schema_field *field, const void *base) {
    const char *value = (const char *)base + field->offset;
    int64_t time_ns = 0;
    uint32_t count = 1;
    if ((field->flags & SCHEMA_NEVER) != 0)
        memcpy(&time_ns, value, sizeof time_ns);
    if (field->type == SCHEMA_COUNT && field->fallback == NULL)
        memcpy(&count, value, sizeof count);
    if (field->type == SCHEMA_LIST && (field->flags & SCHEMA_REQUIRED) == 0)
        memcpy(&count, (const char *)base + field->count_offset, sizeof count);
    bool text = (field->type == SCHEMA_TEXT || field->type == SCHEMA_NAME) && *value == '\0';
    return text || time_ns == VTIME_NEVER || count == 0;
}

static void print_list(FILE *out, const struct schema_field *field, const void *base, int indent) {
    const char *entries;
    uint32_t count;
    memcpy(&entries, (const char *)base + field->offset, sizeof entries);
    memcpy(&count, (const char *)base + field->count_offset, sizeof count);
    fputs(count == 0 ? " []\n" : "\n", out);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "%*s- ", indent + 2, "");
        print_map(out, field->fields, entries + i * field->size, indent + 4);
    }
}

/* The keys of a map, the first of them on the line that is already begun (a list's dash, or the start). */
static void print_map(FILE *out, const struct schema *schema, const void *base, int indent) {
    bool first = true;
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        if (!schema_applies(schema, field, base) || is_absent(field, base))
            continue;
        fprintf(out, "%*s%s:", first ? 0 : indent, "", field->key);
        first = false;
        if (field->type == SCHEMA_MAP) {
            fprintf(out, "\n%*s", indent + 2, "");
            print_map(out, field->fields, base, indent + 2);
        } else if (field->type == SCHEMA_CHOSEN) {
            const void *options;
            memcpy(&options, (const char *)base + field->offset, sizeof options);
            fprintf(out, "\n%*s", indent + 2, "");
            print_map(out, schema_chosen(schema, field, base)->schema, options, indent + 2);
        } else if (field->type == SCHEMA_LIST) {
            print_list(out, field, base, indent);
        } else {
            fputc(' ', out);
            print_scalar(out, field, base);
            fputc('\n', out);
        }
    }
}

char *scenario_print(const struct scenario *scenario, struct arena *arena, size_t *size) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert(out != NULL);
    print_map(out, &scenario_schema, scenario, 0);
    fclose(out);
    char *copy = arena_copy_text(arena, text);
    free(text);
    if (size != NULL)
        *size = length;
    return copy;
}
