#include "common/record/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status durable_path(char *path, const char *dir, const char *name, struct error *error) {
    int length = snprintf(path, DURABLE_PATH_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= DURABLE_PATH_MAX)
        return error_set(error, STATUS_INVALID, "the path %.80s.../%s is too long; use a shorter one", dir,
                         name);
    return STATUS_OK;
}

/* A rename is only on disk once its folder is. Some file systems cannot sync a folder (EINVAL): they need
 * not. */
static enum status sync_folder_of(const char *path, struct error *error) {
    char folder[DURABLE_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        strcpy(folder, ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, STATUS_IO, "cannot open the folder %s", folder);
    int failed = fsync(descriptor) != 0 && errno != EINVAL;
    int saved_errno = errno;
    close(descriptor);
    errno = saved_errno;
    return failed ? error_set_errno(error, STATUS_IO, "cannot sync the folder %s", folder) : STATUS_OK;
}

enum status durable_open(struct durable_file *file, const char *path, struct error *error) {
    file->stream = NULL;
    file->unsynced = false;
    int length = snprintf(file->beside, sizeof file->beside, "%s.part", path);
    if (length < 0 || (size_t)length >= sizeof file->beside)
        return error_set(error, STATUS_INVALID, "the path %.80s... is too long; use a shorter one", path);
    snprintf(file->path, sizeof file->path, "%s", path);
    file->stream = fopen(file->beside, "we");
    if (file->stream == NULL)
        return error_set_errno(error, STATUS_IO, "cannot create %s", file->beside);
    return STATUS_OK;
}

enum status durable_commit(struct durable_file *file, struct error *error) {
    FILE *stream = file->stream;
    file->stream = NULL;
    int failed =
        fflush(stream) != 0 || ferror(stream) != 0 || (!file->unsynced && fsync(fileno(stream)) != 0);
    int saved_errno = errno;
    failed = fclose(stream) != 0 || failed;
    if (failed) {
        errno = saved_errno != 0 ? saved_errno : EIO;
        enum status status =
            error_set_errno(error, STATUS_IO, "cannot write %s (what was there before is kept)", file->path);
        unlink(file->beside);
        return status;
    }
    if (rename(file->beside, file->path) != 0) {
        enum status status = error_set_errno(error, STATUS_IO, "cannot put %s in its place", file->path);
        unlink(file->beside);
        return status;
    }
    return file->unsynced ? STATUS_OK : sync_folder_of(file->path, error);
}

void durable_abandon(struct durable_file *file) {
    if (file->stream == NULL)
        return;
    fclose(file->stream);
    unlink(file->beside);
    file->stream = NULL;
}

static enum status write_whole(const char *path, const void *data, size_t size, bool unsynced,
                               struct error *error) {
    struct durable_file file;
    TRY(durable_open(&file, path, error));
    file.unsynced = unsynced;
    if (size > 0)
        fwrite(data, 1, size, file.stream); /* a failure sticks to the stream and is seen by the commit */
    return durable_commit(&file, error);
}

enum status durable_write(const char *path, const void *data, size_t size, struct error *error) {
    return write_whole(path, data, size, false, error);
}

enum status durable_write_unsynced(const char *path, const void *data, size_t size, struct error *error) {
    return write_whole(path, data, size, true, error);
}

enum status durable_make_dirs(const char *dir, struct error *error) {
    char path[DURABLE_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s", dir);
    if (length <= 0 || (size_t)length >= sizeof path)
        return error_set(error, STATUS_INVALID, "the folder name is %s", length <= 0 ? "empty" : "too long");
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return error_set_errno(error, STATUS_IO, "cannot create the folder %s", path);
        if (kept == '\0')
            break;
        *at = kept;
    }
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return error_set(error, STATUS_IO, "%s is there but is not a folder", path);
    return STATUS_OK;
}

enum status durable_read(const char *path, size_t size_max, char **text, size_t *size, struct error *error) {
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return error_set_errno(error, STATUS_IO, "cannot open %s", path);
    size_t capacity = size_max + 1; /* one more byte than allowed, to see that there is more */
    char *buffer = malloc(capacity + 1);
    size_t used = buffer == NULL ? 0 : fread(buffer, 1, capacity, stream);
    int failed = ferror(stream);
    fclose(stream);
    if (buffer == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to read %s", path);
    if (failed || used > size_max) {
        free(buffer);
        return failed ? error_set(error, STATUS_IO, "cannot read %s", path)
                      : error_set(error, STATUS_INVALID, "%s is larger than %zu bytes", path, size_max);
    }
    buffer[used] = '\0';
    *text = buffer;
    *size = used;
    return STATUS_OK;
}
