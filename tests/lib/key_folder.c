#include "tests/lib/key_folder.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/record/durable.h"

static void path_of(const struct key_folder *folder, const char *name, const char *suffix, char *path) {
    enum status status = identity_path(path, folder->path, name, suffix, NULL);
    assert(status == STATUS_OK);
}

void key_folder_write(const struct key_folder *folder, const char *name, const char *suffix,
                      const char *text) {
    char path[DURABLE_PATH_MAX];
    path_of(folder, name, suffix, path);
    enum status status = STATUS_OK;
    if (text == NULL)
        unlink(path);
    else
        status = durable_write_unsynced(path, text, strlen(text), NULL);
    assert(status == STATUS_OK);
}

void key_folder_open(struct key_folder *folder, uint64_t seed) {
    uint8_t key[IDENTITY_KEY_BYTES];
    char text[IDENTITY_PEM_BYTES_MAX];
    struct identity_certificate certificate;
    const char *parent = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/tierbed-keys-XXXXXX", parent != NULL ? parent : "/tmp");
    const char *made = mkdtemp(folder->path);
    assert(made != NULL);
    identity_authority_seed(seed, key);
    enum status status = identity_authority_open(key, &folder->authority, NULL);
    assert(status == STATUS_OK);
    status = identity_authority_certificate(folder->authority, &certificate);
    assert(status == STATUS_OK);
    status = identity_certificate_to_pem(&certificate, text);
    assert(status == STATUS_OK);
    key_folder_write(folder, IDENTITY_AUTHORITY_NAME, "pem", text);
}

void key_folder_close(struct key_folder *folder) {
    DIR *stream = opendir(folder->path);
    for (const struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        char path[DURABLE_PATH_MAX];
        if (durable_path(path, folder->path, entry->d_name, NULL) == STATUS_OK)
            unlink(path);
    }
    if (stream != NULL)
        closedir(stream);
    rmdir(folder->path);
    identity_authority_close(folder->authority);
}

void key_folder_add(const struct key_folder *folder, const struct key_folder_node *node) {
    uint8_t seed[IDENTITY_KEY_BYTES];
    char text[IDENTITY_PEM_BYTES_MAX];
    struct identity_subject subject;
    struct identity_certificate certificate;
    identity_key_seed(1, node->id, seed);
    snprintf(subject.name, sizeof subject.name, "%s", node->subject);
    snprintf(subject.role, sizeof subject.role, "%s", node->role);
    identity_public_key(seed, subject.key);
    enum status status = identity_issue(node->issuer != NULL ? node->issuer : folder->authority, &subject,
                                        identity_serial(node->id), &certificate, NULL);
    assert(status == STATUS_OK);
    status = identity_certificate_to_pem(&certificate, text);
    assert(status == STATUS_OK);
    key_folder_write(folder, node->name, "pem", text);
    status = identity_key_to_pem(seed, text);
    assert(status == STATUS_OK);
    key_folder_write(folder, node->name, "key", text);
}
