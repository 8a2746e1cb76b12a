#include "cli/keys.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/record/durable.h"

/* ---- making ---- */

static enum status make_dir(const char *dir, struct error *error) {
    struct stat about;
    if (stat(dir, &about) == 0 && rmdir(dir) != 0) /* an empty one is made anew, with its mode */
        return error_set(
            error, STATUS_INVALID,
            "%s is already there; keys are never overwritten, so choose another directory or remove "
            "it",
            dir);
    TRY(durable_make_dirs(dir, error));
    if (chmod(dir, 0700) != 0)
        return error_set_errno(error, STATUS_IO, "cannot close %s to others", dir);
    return STATUS_OK;
}

/* The file is never open to others, not even for a moment: the caller has set the umask. */
static enum status write_text(const char *dir, const char *name, const char *suffix, const char *text,
                              struct error *error) {
    char path[DURABLE_PATH_MAX];
    TRY(identity_path(path, dir, name, suffix, error));
    TRY(durable_write(path, text, strlen(text), error));
    if (strcmp(suffix, "pem") == 0 && chmod(path, 0644) != 0)
        return error_set_errno(error, STATUS_IO, "cannot open %s to readers", path);
    return STATUS_OK;
}

static enum status write_key(const char *dir, const char *name, const uint8_t seed[IDENTITY_KEY_BYTES],
                             struct error *error) {
    char text[IDENTITY_PEM_BYTES_MAX];
    if (identity_key_to_pem(seed, text) != STATUS_OK)
        return error_set(error, STATUS_FAILED, "OpenSSL could not write the key of %s", name);
    enum status status = write_text(dir, name, "key", text, error);
    sodium_memzero(text, sizeof text);
    return status;
}

static enum status write_certificate(const char *dir, const char *name,
                                     const struct identity_certificate *certificate, struct error *error) {
    char text[IDENTITY_PEM_BYTES_MAX];
    if (identity_certificate_to_pem(certificate, text) != STATUS_OK)
        return error_set(error, STATUS_FAILED, "OpenSSL could not write the certificate of %s", name);
    return write_text(dir, name, "pem", text, error);
}

static enum status make_node(const char *dir, const struct identity_authority *authority,
                             const struct keys_plan *plan, uint32_t id, const uint64_t *seed,
                             struct error *error) {
    const struct keys_node *node = &plan->nodes[id];
    uint8_t key[IDENTITY_KEY_BYTES];
    struct identity_subject subject;
    struct identity_certificate certificate = {.bytes = 0};
    if (seed != NULL)
        identity_key_seed(*seed, id, key);
    else
        randombytes_buf(key, sizeof key);
    snprintf(subject.name, sizeof subject.name, "%s", node->name);
    snprintf(subject.role, sizeof subject.role, "%s", node->role);
    identity_public_key(key, subject.key);
    enum status status = identity_issue(authority, &subject, identity_serial(id), &certificate, error);
    if (status == STATUS_OK)
        status = write_key(dir, node->name, key, error);
    if (status == STATUS_OK)
        status = write_certificate(dir, node->name, &certificate, error);
    sodium_memzero(key, sizeof key);
    return status;
}

/* The authority's certificate comes last: a directory without one is not finished. */
static enum status make_all(const char *dir, const struct keys_plan *plan, const uint64_t *seed,
                            struct error *error) {
    uint8_t key[IDENTITY_KEY_BYTES];
    struct identity_authority *authority;
    struct identity_certificate certificate = {.bytes = 0};
    if (seed != NULL)
        identity_authority_seed(*seed, key);
    else
        randombytes_buf(key, sizeof key);
    TRY(identity_authority_open(key, &authority, error));
    enum status status = write_key(dir, IDENTITY_AUTHORITY_NAME, key, error);
    sodium_memzero(key, sizeof key);
    for (uint32_t id = 0; id < plan->count && status == STATUS_OK; id++)
        status = make_node(dir, authority, plan, id, seed, error);
    if (status == STATUS_OK)
        status = identity_authority_certificate(authority, &certificate);
    if (status == STATUS_OK)
        status = write_certificate(dir, IDENTITY_AUTHORITY_NAME, &certificate, error);
    identity_authority_close(authority);
    return status;
}

enum status keys_init(const char *dir, const struct keys_plan *plan, const uint64_t *seed,
                      struct error *error) {
    mode_t before = umask(0077);
    enum status status = make_dir(dir, error);
    if (status == STATUS_OK)
        status = make_all(dir, plan, seed, error);
    umask(before);
    return status;
}

/* ---- looking ---- */

void keys_findings_close(struct keys_findings *findings) {
    free(findings->items);
    *findings = (struct keys_findings){0};
}

static struct keys_finding *find(struct keys_findings *findings, const char *name) {
    for (uint32_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].name, name) == 0)
            return &findings->items[i];
    findings->items =
        memory_grow(findings->items, findings->count + 1u, sizeof *findings->items, "names of nodes");
    struct keys_finding *added = &findings->items[findings->count++];
    *added = (struct keys_finding){0};
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

/* Every node that a file of the directory is named after. */
static enum status list_dir(const char *dir, struct keys_findings *findings, struct error *error) {
    DIR *stream = opendir(dir);
    if (stream == NULL)
        return error_set_errno(error, STATUS_IO, "cannot read the directory %s", dir);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        char name[IDENTITY_NAME_MAX];
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || (strcmp(dot, ".pem") != 0 && strcmp(dot, ".key") != 0) ||
            (size_t)(dot - entry->d_name) >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(dot - entry->d_name), entry->d_name);
        if (strcmp(name, IDENTITY_AUTHORITY_NAME) != 0)
            (void)find(findings, name);
    }
    closedir(stream);
    return STATUS_OK;
}

static void say(struct keys_finding *finding, const char *problem) {
    if (finding->problem[0] == '\0') /* the first one explains the rest */
        snprintf(finding->problem, sizeof finding->problem, "%.*s", (int)sizeof finding->problem - 1,
                 problem);
}

static void look_at_certificate(const char *dir, const struct identity_authority *authority,
                                struct keys_finding *finding) {
    struct error error = {0};
    struct identity_certificate certificate = {.bytes = 0};
    struct identity_subject subject;
    if (identity_load_certificate(dir, finding->name, &certificate, &error) != STATUS_OK) {
        say(finding, error.text);
        return;
    }
    finding->has_certificate = true;
    switch (identity_check(authority, certificate.data, certificate.bytes, &subject)) {
    case IDENTITY_MALFORMED:
        say(finding, "the certificate is not one that `tierbed keys init` makes");
        return;
    case IDENTITY_FOREIGN:
        say(finding, "the certificate is not signed by the authority of this directory");
        return;
    case IDENTITY_SOUND:
        break;
    }
    if (strcmp(subject.name, finding->name) != 0)
        say(finding, "the certificate is about another name than that of its file");
    snprintf(finding->role, sizeof finding->role, "%s", subject.role);
    memcpy(finding->key, subject.key, sizeof finding->key);
}

static void look_at_key(const char *dir, struct keys_finding *finding) {
    char path[DURABLE_PATH_MAX];
    struct error error = {0};
    struct stat about;
    uint8_t seed[IDENTITY_KEY_BYTES], key[IDENTITY_KEY_BYTES];
    if (identity_path(path, dir, finding->name, "key", &error) != STATUS_OK || stat(path, &about) != 0)
        return; /* a host has the keys of its own nodes only */
    if (identity_load_key(dir, finding->name, seed, &error) != STATUS_OK) {
        say(finding, error.text);
        return;
    }
    finding->has_private_key = true;
    identity_public_key(seed, key);
    sodium_memzero(seed, sizeof seed);
    if (finding->role[0] != '\0' && memcmp(key, finding->key, sizeof key) != 0)
        say(finding, "the private key is not that of the certificate");
    if ((about.st_mode & 077) != 0)
        say(finding, "the private key can be read by others; chmod 600");
}

static int by_name(const void *left, const void *right) {
    return strcmp(((const struct keys_finding *)left)->name, ((const struct keys_finding *)right)->name);
}

static void compare_roles(const struct keys_plan *plan, struct keys_findings *findings) {
    for (uint32_t id = 0; plan != NULL && id < plan->count; id++) {
        struct keys_finding *finding = find(findings, plan->nodes[id].name);
        char text[128];
        if (finding->role[0] == '\0' || strcmp(finding->role, plan->nodes[id].role) == 0)
            continue;
        snprintf(text, sizeof text, "the certificate is for role %s, the scenario gives it role %s",
                 finding->role, plan->nodes[id].role);
        say(finding, text);
    }
}

enum status keys_look(const char *dir, const struct keys_plan *plan, struct keys_findings *findings,
                      struct error *error) {
    struct identity_authority *authority;
    *findings = (struct keys_findings){0};
    TRY(identity_load_authority(dir, &authority, error));
    enum status status = list_dir(dir, findings, error);
    for (uint32_t id = 0; plan != NULL && id < plan->count; id++)
        (void)find(findings, plan->nodes[id].name);
    for (uint32_t i = 0; i < findings->count; i++) {
        look_at_certificate(dir, authority, &findings->items[i]);
        look_at_key(dir, &findings->items[i]);
    }
    compare_roles(plan, findings);
    if (findings->count > 0)
        qsort(findings->items, findings->count, sizeof *findings->items, by_name);
    identity_authority_close(authority);
    return status;
}
