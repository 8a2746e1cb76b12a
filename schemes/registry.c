/* The schemes of schemes.def by number, for nodes (scheme.h) and for scenario files
 * (common/model/scheme_options.h). */
#include <assert.h>

#include "schemes/scheme.h"

#define SCHEME(name, text) extern const struct scheme name##_scheme;
#include "schemes/schemes.def"
#undef SCHEME

static const struct scheme *const schemes[] = {
    NULL,
#define SCHEME(name, text) &name##_scheme,
#include "schemes/schemes.def"
#undef SCHEME
};

const char *const scheme_names[] = {
    "none",
#define SCHEME(name, text) #name,
#include "schemes/schemes.def"
#undef SCHEME
    NULL,
};

const char *const scheme_docs[] = {
    "gateways decide, by `policy`",
#define SCHEME(name, text) text,
#include "schemes/schemes.def"
#undef SCHEME
    NULL,
};

const struct scheme *scheme_of(unsigned number) {
    assert(number >= 1 && number < sizeof schemes / sizeof *schemes);
    return schemes[number];
}

const struct scheme_options *scheme_options_of(unsigned number) {
    return &scheme_of(number)->options;
}
