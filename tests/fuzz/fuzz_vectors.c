/* Fuzzes the reader and the cases of `tierbed verify vectors`. Input that begins with '{' is taken as a whole
 * file; any other first byte picks a case, whose inputs are the rest of the bytes as a JSON object, so that
 * the models behind the table are reached quickly. Nothing may crash, hang, or trip an assert of a model. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compute(const struct vector_case *entry, const char *text, size_t size) {
    json_t *inputs = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(inputs)) {
        json_decref(inputs);
        return;
    }
    struct arena arena;
    arena_init(&arena);
    struct vector_reader reader = {.inputs = inputs, .path = "$", .arena = &arena, .used = json_object()};
    json_t *outputs = json_object();
    entry->compute(&reader, outputs);
    if (!reader.failed && json_object_size(outputs) == 0)
        abort(); /* accepted, but nothing computed */
    json_decref(outputs);
    json_decref(reader.used);
    json_decref(inputs);
    arena_close(&arena);
}

/* Reports go to standard output; only the bytes matter here. */
static void verify_file(const char *text, size_t size) {
    const struct vector_options options = {.quiet = true};
    int code = vectors_verify_text("fuzz", text, size, &options);
    if (code < 0 || code > 3)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static size_t case_count;
    if (case_count == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL)
            abort();
        while (vector_cases[case_count].name != NULL)
            case_count++;
    }
    if (size == 0)
        return 0;
    if (data[0] == '{')
        verify_file((const char *)data, size);
    else
        compute(&vector_cases[data[0] % case_count], (const char *)data + 1, size - 1);
    return 0;
}
