/* keys: what `tierbed keys` does to a directory of keys and certificates (common/net/identity.h). */
#ifndef TIERBED_CLI_KEYS_H
#define TIERBED_CLI_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/identity.h"

struct keys_node {
    char name[IDENTITY_NAME_MAX], role[IDENTITY_ROLE_MAX];
};

struct keys_plan {
    struct keys_node *nodes; /* owned; index = node id */
    uint32_t count;
};

/* From the nodes of a scenario file, or from "NAME[:ROLE],..." (`role` for those without). STATUS_INVALID. */
enum status keys_plan_scenario(const char *path, struct keys_plan *plan, struct error *error);
enum status keys_plan_list(const char *list, const char *role, struct keys_plan *plan, struct error *error);
void keys_plan_close(struct keys_plan *plan);

/* Makes DIR (0700; must be absent or empty) with the authority and a key and certificate per node. `seed`
 * NULL: random keys. */
enum status keys_init(const char *dir, const struct keys_plan *plan, const uint64_t *seed,
                      struct error *error);

/* What there is to say about one node's files. */
struct keys_finding {
    char name[IDENTITY_NAME_MAX], role[IDENTITY_ROLE_MAX]; /* role "": unknown */
    uint8_t key[IDENTITY_KEY_BYTES];
    bool has_certificate, has_private_key;
    char problem[256]; /* "": none */
};
struct keys_findings {
    struct keys_finding *items; /* owned, by name */
    uint32_t count;
};
/* Looks at every NAME.pem and NAME.key of DIR; with `plan`, also for the nodes it names. STATUS_IO,
 * STATUS_INVALID: no such directory, or no authority in it. */
enum status keys_look(const char *dir, const struct keys_plan *plan, struct keys_findings *findings,
                      struct error *error);
void keys_findings_close(struct keys_findings *findings);

#endif
