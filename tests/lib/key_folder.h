/* key_folder: a directory like that of `tierbed keys init`, in which a test may put what it likes. */
#ifndef TIERBED_TESTS_LIB_KEY_FOLDER_H
#define TIERBED_TESTS_LIB_KEY_FOLDER_H

#include "common/net/identity.h"

struct key_folder {
    char path[256];
    struct identity_authority *authority;
};

/* A fresh directory with the certificate of the authority of `seed`. */
void key_folder_open(struct key_folder *folder, uint64_t seed);
/* Files and all. */
void key_folder_close(struct key_folder *folder);

/* Writes NAME.pem, issued by `issuer` for (subject name, role), and NAME.key; both of the key of (1, id). */
struct key_folder_node {
    const char *name; /* of the files */
    const char *subject, *role;
    const struct identity_authority *issuer; /* NULL: the folder's */
    uint32_t id;
};
void key_folder_add(const struct key_folder *folder, const struct key_folder_node *node);
/* Writes `text` to NAME.SUFFIX; NULL: removes it. */
void key_folder_write(const struct key_folder *folder, const char *name, const char *suffix,
                      const char *text);

#endif
