#include "cli/experiment_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/record/durable.h"
#include "common/record/manifest.h"

#define WORK_PREFIX "work-"
#define SCENARIO_BYTES_MAX ((size_t)16 << 20)

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

void cache_remove(const char *path) {
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A work folder whose lock is free belongs to a process that is gone. */
static void remove_if_left(const char *root, const char *name) {
    char path[CACHE_PATH_MAX], lock_path[CACHE_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/%s", root, name);
    snprintf(lock_path, sizeof lock_path, "%s/lock", path);
    int lock = open(lock_path, O_RDWR | O_CLOEXEC);
    if (lock < 0)
        return; /* just being made, or just being removed */
    if (flock(lock, LOCK_EX | LOCK_NB) == 0)
        cache_remove(path);
    close(lock);
}

static void clean_up(const char *root) {
    DIR *folder = opendir(root);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, WORK_PREFIX, strlen(WORK_PREFIX)) == 0)
            remove_if_left(root, entry->d_name);
    if (folder != NULL)
        closedir(folder);
}

static enum status make_work(struct cache *cache, struct error *error) {
    char lock_path[sizeof cache->work + 8];
    snprintf(cache->work, sizeof cache->work, "%s/" WORK_PREFIX "XXXXXX", cache->root);
    if (mkdtemp(cache->work) == NULL)
        return error_set_errno(error, STATUS_IO, "cannot create a folder below %s", cache->root);
    snprintf(lock_path, sizeof lock_path, "%s/lock", cache->work);
    cache->lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (cache->lock < 0 || flock(cache->lock, LOCK_EX) != 0)
        return error_set_errno(error, STATUS_IO, "cannot lock %s", lock_path);
    return STATUS_OK;
}

enum status cache_open(struct cache *cache, const char *root, struct error *error) {
    *cache = (struct cache){.lock = -1};
    if (strlen(root) >= sizeof cache->root)
        return error_set(error, STATUS_INVALID, "the path %.80s... is too long; use a shorter one", root);
    snprintf(cache->root, sizeof cache->root, "%s", root);
    TRY(durable_make_dirs(root, error));
    clean_up(root);
    enum status status = make_work(cache, error);
    if (status != STATUS_OK)
        cache_close(cache);
    return status;
}

void cache_close(struct cache *cache) {
    if (cache->work[0] != '\0')
        cache_remove(cache->work);
    if (cache->lock >= 0)
        close(cache->lock);
    cache->work[0] = '\0';
    cache->lock = -1;
}

void cache_entry(const struct cache *cache, const char *key, char path[CACHE_PATH_MAX]) {
    snprintf(path, CACHE_PATH_MAX, "%s/%.2s/%s", cache->root, key, key);
}

void cache_work(const struct cache *cache, const char *key, char path[CACHE_PATH_MAX],
                char log[CACHE_PATH_MAX]) {
    snprintf(path, CACHE_PATH_MAX, "%s/%s", cache->work, key);
    snprintf(log, CACHE_PATH_MAX, "%s/%s.log", cache->work, key);
}

/* The digest of the finished run in `dir`; false for any other. */
static bool finished(const char *dir, char digest[72]) {
    json_t *manifest = NULL;
    if (access(dir, F_OK) != 0 || manifest_load(dir, &manifest, NULL) != STATUS_OK)
        return false;
    bool good = strcmp(manifest_text(manifest, "status", ""), "finished") == 0;
    snprintf(digest, 72, "%s", manifest_text(manifest, "digest", ""));
    json_decref(manifest);
    return good && strlen(digest) == 64;
}

bool cache_find(const struct cache *cache, const char *key, const char *text, char digest[72]) {
    char dir[CACHE_PATH_MAX], path[DURABLE_PATH_MAX], *kept = NULL;
    size_t size = 0;
    cache_entry(cache, key, dir);
    if (!finished(dir, digest) || durable_path(path, dir, "metrics.sqlite", NULL) != STATUS_OK ||
        access(path, R_OK) != 0 || durable_path(path, dir, "scenario.yaml", NULL) != STATUS_OK ||
        durable_read(path, SCENARIO_BYTES_MAX, &kept, &size, NULL) != STATUS_OK)
        return false;
    bool same = strcmp(kept, text) == 0;
    free(kept);
    return same;
}

static enum status sync_path(const char *path, struct error *error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, STATUS_IO, "cannot open %s", path);
    bool failed = fsync(descriptor) != 0 && errno != EINVAL;
    enum status status = failed ? error_set_errno(error, STATUS_IO, "cannot sync %s", path) : STATUS_OK;
    close(descriptor);
    return status;
}

/* The run wrote without syncing: everything goes to disk here, once, before the rename says it is there. */
static enum status sync_folder(const char *dir, struct error *error) {
    DIR *folder = opendir(dir);
    if (folder == NULL)
        return error_set_errno(error, STATUS_IO, "cannot open %s", dir);
    enum status status = STATUS_OK;
    const struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(folder)) != NULL) {
        char path[DURABLE_PATH_MAX];
        if (entry->d_type == DT_DIR)
            continue;
        status = durable_path(path, dir, entry->d_name, error);
        if (status == STATUS_OK)
            status = sync_path(path, error);
    }
    closedir(folder);
    return status == STATUS_OK ? sync_path(dir, error) : status;
}

static enum status put_in_place(const struct cache *cache, const char *from, const char *to,
                                struct error *error) {
    if (rename(from, to) == 0)
        return STATUS_OK;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return error_set_errno(error, STATUS_IO, "cannot put %s in its place", to);
    char away[CACHE_PATH_MAX];
    snprintf(away, sizeof away, "%s/replaced", cache->work);
    if (rename(to, away) != 0 || rename(from, to) != 0)
        return error_set_errno(error, STATUS_IO, "cannot replace %s", to);
    cache_remove(away);
    return STATUS_OK;
}

enum status cache_commit(const struct cache *cache, const char *key, char digest[72], struct error *error) {
    char from[CACHE_PATH_MAX], log[CACHE_PATH_MAX], to[CACHE_PATH_MAX], above[CACHE_PATH_MAX];
    cache_work(cache, key, from, log);
    cache_entry(cache, key, to);
    if (!finished(from, digest))
        return error_set(error, STATUS_FAILED, "the run ended without having finished");
    TRY(sync_folder(from, error));
    snprintf(above, sizeof above, "%s/%.2s", cache->root, key);
    TRY(durable_make_dirs(above, error));
    TRY(put_in_place(cache, from, to, error));
    unlink(log);
    return sync_path(above, error);
}
