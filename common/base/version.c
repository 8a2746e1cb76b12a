#include "common/base/version.h"

#ifndef TIERBED_VERSION
#define TIERBED_VERSION "unknown"
#endif
#ifndef TIERBED_COMMIT
#define TIERBED_COMMIT "unknown"
#endif
#ifndef TIERBED_CFLAGS_TEXT
#define TIERBED_CFLAGS_TEXT ""
#endif
#ifndef TIERBED_VARIANT
#define TIERBED_VARIANT "unknown"
#endif

const char *version_text(void) {
    return TIERBED_VERSION;
}

const char *version_commit(void) {
    return TIERBED_COMMIT;
}

const char *version_compiler(void) {
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

const char *version_flags(void) {
    return TIERBED_CFLAGS_TEXT;
}

const char *version_variant(void) {
    return TIERBED_VARIANT;
}
