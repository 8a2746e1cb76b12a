#include "common/ledger/store_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ledger/disk_file.h"
#include "common/record/durable.h"

#define LOCK_NAME "lock"

static enum status lock_directory(struct store_files *files, struct error *error) {
    files->lock_descriptor = openat(files->dir_descriptor, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (files->lock_descriptor < 0)
        return error_set_errno(error, STATUS_IO, "cannot create %s/" LOCK_NAME, files->dir);
    if (flock(files->lock_descriptor, LOCK_EX | LOCK_NB) != 0)
        return error_set_errno(error, STATUS_IO,
                               "another process has the ledger in %s; stop it, or use another directory",
                               files->dir);
    return STATUS_OK;
}

/* The entry of a directory that was just made is durable once its parent is synced. */
static enum status sync_parent(const struct store_files *files, struct error *error) {
    int parent = openat(files->dir_descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return STATUS_OK; /* not ours to read: then it was not made just now either */
    bool failed = fsync(parent) != 0 && errno != EINVAL;
    int saved_errno = errno;
    close(parent);
    errno = saved_errno;
    return failed ? error_set_errno(error, STATUS_IO, "cannot sync the folder of %s", files->dir) : STATUS_OK;
}

static enum status open_directory(struct store_files *files, const char *dir, struct error *error) {
    if (snprintf(files->dir, sizeof files->dir, "%s", dir) >= (int)sizeof files->dir)
        return error_set(error, STATUS_INVALID, "the path %.80s... is too long; use a shorter one", dir);
    TRY(durable_make_dirs(dir, error));
    files->dir_descriptor = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->dir_descriptor < 0)
        return error_set_errno(error, STATUS_IO, "cannot open the folder %s", dir);
    if (files->syncs)
        TRY(sync_parent(files, error));
    return lock_directory(files, error);
}

enum status store_files_open(struct store_files *files, const struct ledger_store_config *config,
                             struct error *error) {
    assert((config->dir != NULL) != (config->disk != NULL));
    *files = (struct store_files){.disk = config->disk,
                                  .dir_descriptor = -1,
                                  .lock_descriptor = -1,
                                  .syncs = config->durability == DURABILITY_POWER};
    if (config->disk == NULL) {
        enum status status = open_directory(files, config->dir, error);
        files->open = true;
        if (status != STATUS_OK)
            store_files_close(files);
        return status;
    }
    if (config->disk->held)
        return error_set(error, STATUS_IO, "a store is open on this disk already; close it first");
    config->disk->held = true;
    files->open = true;
    return STATUS_OK;
}

void store_files_close(struct store_files *files) {
    if (!files->open)
        return;
    files->open = false;
    if (files->disk != NULL) {
        files->disk->held = false;
        return;
    }
    if (files->lock_descriptor >= 0)
        close(files->lock_descriptor);
    if (files->dir_descriptor >= 0)
        close(files->dir_descriptor);
}

const char *store_files_vfs(const struct store_files *files) {
    return files->disk != NULL ? files->disk->vfs_name : NULL;
}

void store_files_path(const struct store_files *files, const char *name, char path[STORE_PATH_MAX]) {
    snprintf(path, STORE_PATH_MAX, "%s/%s", files->disk != NULL ? "" : files->dir, name);
}

bool store_files_identity(const struct store_files *files, const char *name, struct file_identity *identity) {
    if (files->disk != NULL) {
        const struct disk_file *file = disk_find(files->disk, name);
        *identity = (struct file_identity){.serial = file != NULL ? file->serial : 0};
        return file != NULL;
    }
    struct statx about;
    *identity = (struct file_identity){0};
    if (statx(files->dir_descriptor, name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_NLINK,
              &about) != 0 ||
        about.stx_nlink == 0)
        return false;
    identity->serial = about.stx_ino;
    if (about.stx_mask & STATX_BTIME)
        identity->birth_ns = (uint64_t)about.stx_btime.tv_sec * 1000000000u + about.stx_btime.tv_nsec;
    return true;
}

enum status store_files_remove(const struct store_files *files, const char *name) {
    if (files->disk != NULL) {
        ledger_disk_unlink(files->disk, name);
        return STATUS_OK;
    }
    return unlinkat(files->dir_descriptor, name, 0) == 0 || errno == ENOENT ? STATUS_OK : STATUS_IO;
}

enum status store_files_sync_directory(const struct store_files *files) {
    if (!files->syncs)
        return STATUS_OK;
    if (files->disk != NULL)
        return disk_sync_directory(files->disk);
    return fsync(files->dir_descriptor) == 0 || errno == EINVAL ? STATUS_OK : STATUS_IO;
}

enum status store_file_open(struct store_file *file, const struct store_files *files, const char *name,
                            bool create) {
    *file = (struct store_file){.descriptor = -1};
    if (files->disk != NULL) {
        if (!create && disk_find(files->disk, name) == NULL)
            return STATUS_INVALID;
        TRY(disk_file_open(files->disk, name, create, &file->on_disk));
    } else {
        file->descriptor =
            openat(files->dir_descriptor, name, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
        if (file->descriptor < 0)
            return errno == ENOENT && !create ? STATUS_INVALID : STATUS_IO;
    }
    file->files = files;
    return STATUS_OK;
}

void store_file_close(struct store_file *file) {
    if (file->files == NULL)
        return;
    if (file->on_disk != NULL)
        disk_file_close(file->files->disk, file->on_disk);
    else
        close(file->descriptor);
    file->files = NULL;
}

size_t store_file_read(struct store_file *file, void *data, size_t size, uint64_t offset) {
    if (file->on_disk != NULL)
        return disk_file_read(file->files->disk, file->on_disk, data, size, offset);
    ssize_t count = pread(file->descriptor, data, size, (off_t)offset);
    return count > 0 ? (size_t)count : 0;
}

enum status store_file_write(struct store_file *file, const void *data, size_t size, uint64_t offset) {
    if (file->on_disk != NULL) {
        TRY(disk_file_write(file->files->disk, file->on_disk, data, size, offset));
        return file->files->syncs ? disk_file_sync(file->files->disk, file->on_disk) : STATUS_OK;
    }
    if (pwrite(file->descriptor, data, size, (off_t)offset) != (ssize_t)size)
        return STATUS_IO;
    return !file->files->syncs || fdatasync(file->descriptor) == 0 ? STATUS_OK : STATUS_IO;
}
