/* version: what this build is, for manifests, `--version` and doctor. All texts are static. */
#ifndef TIERBED_BASE_VERSION_H
#define TIERBED_BASE_VERSION_H

const char *version_text(void);     /* "0.2.0" */
const char *version_commit(void);   /* twelve hex digits, or "unknown" outside a checkout */
const char *version_compiler(void); /* "gcc 12.2.0" */
const char *version_flags(void);
const char *version_variant(void); /* "release", "san-address-undefined", ... */

#endif
