/* scheme_options: what the scenario files know of the schemes: their names and the table of options of each.
 *
 * Schemes stand above this layer, so they are only declared here; schemes/registry.c defines them from
 * schemes.def. */
#ifndef TIERBED_MODEL_SCHEME_OPTIONS_H
#define TIERBED_MODEL_SCHEME_OPTIONS_H

#include <stddef.h>

struct schema;

/* By number: 0 is "none". Both end with NULL. */
extern const char *const scheme_names[];
extern const char *const scheme_docs[];

/* The option table of scheme `number` >= 1 and the size of the struct that it fills; never NULL. */
struct scheme_options {
    const struct schema *schema;
    size_t bytes;
};
const struct scheme_options *scheme_options_of(unsigned number);

#endif
