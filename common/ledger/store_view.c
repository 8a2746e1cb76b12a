#include "common/ledger/store_view.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ledger/disk_file.h"
#include "common/ledger/store_sentinel.h"

#define WAL_HEADER_BYTES 32u
#define ATTEMPTS_MAX 20u
#define WHOLE SIZE_MAX

/* At most `size_max` bytes from the beginning; owned by the caller. No file: NULL and size 0. */
static enum status read_descriptor(int descriptor, size_t size_max, uint8_t **data, size_t *size) {
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return STATUS_IO;
    size_t count = (uint64_t)about.st_size < size_max ? (size_t)about.st_size : size_max;
    uint8_t *bytes = malloc(count > 0 ? count : 1);
    if (bytes == NULL)
        return STATUS_MEMORY;
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(descriptor, bytes + done, count - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(bytes);
            return STATUS_IO;
        }
        if (got == 0)
            break; /* it was cut meanwhile */
        done += (size_t)got;
    }
    *data = bytes;
    *size = done;
    return STATUS_OK;
}

static enum status read_file(const struct store_view *view, const char *name, size_t size_max, uint8_t **data,
                             size_t *size) {
    *data = NULL;
    *size = 0;
    if (view->origin == NULL) {
        int descriptor = openat(view->descriptor, name, O_RDONLY | O_CLOEXEC);
        if (descriptor < 0)
            return errno == ENOENT ? STATUS_OK : STATUS_IO;
        enum status status = read_descriptor(descriptor, size_max, data, size);
        close(descriptor);
        return status;
    }
    const struct disk_file *file = disk_find(view->origin, name);
    if (file == NULL)
        return STATUS_OK;
    *size = file->size < size_max ? (size_t)file->size : size_max;
    *data = malloc(*size > 0 ? *size : 1);
    if (*data == NULL)
        return STATUS_MEMORY;
    if (*size > 0)
        memcpy(*data, file->data, *size);
    return STATUS_OK;
}

static enum status copy_file(struct store_view *view, const char *name) {
    uint8_t *data;
    size_t size;
    enum status status = read_file(view, name, WHOLE, &data, &size);
    if (status == STATUS_OK && data != NULL)
        status = disk_put_file(view->copy, name, data, size);
    free(data);
    return status;
}

struct wal_header {
    uint8_t bytes[WAL_HEADER_BYTES];
    size_t size;
};

static enum status read_wal_header(const struct store_view *view, const char *wal,
                                   struct wal_header *header) {
    uint8_t *data;
    memset(header, 0, sizeof *header);
    enum status status = read_file(view, wal, WAL_HEADER_BYTES, &data, &header->size);
    if (status == STATUS_OK && data != NULL)
        memcpy(header->bytes, data, header->size);
    free(data);
    return status;
}

enum status store_view_copy(struct store_view *view, const char *name, struct error *error) {
    char wal[64];
    snprintf(wal, sizeof wal, "%s-wal", name);
    for (uint32_t attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        struct wal_header before, after;
        enum status status = read_wal_header(view, wal, &before);
        if (status == STATUS_OK)
            status = copy_file(view, name);
        if (status == STATUS_OK)
            status = copy_file(view, wal);
        if (status == STATUS_OK)
            status = read_wal_header(view, wal, &after);
        if (status != STATUS_OK)
            return error_set_errno(error, status, "%s cannot be read", name);
        if (memcmp(&before, &after, sizeof before) == 0)
            return STATUS_OK;
    }
    return error_set(error, STATUS_IO, "%s is written too fast to be copied; try again", name);
}

/* Whose files these are, and whether there are any. */
static bool find_ledger(const struct store_view *view, struct file_identity *sentinel) {
    const struct store_files files = {.disk = view->origin, .dir_descriptor = view->descriptor};
    struct file_identity ignored;
    bool found = store_files_identity(&files, SENTINEL_NAME, sentinel);
    return store_files_identity(&files, "chain.db", &ignored) || found;
}

enum status store_view_open(struct store_view *view, const struct ledger_store_config *config,
                            struct file_identity *sentinel, struct error *error) {
    assert((config->dir != NULL) != (config->disk != NULL));
    const char *where = config->dir != NULL ? config->dir : "memory";
    *view = (struct store_view){.origin = config->disk, .descriptor = -1};
    if (config->dir != NULL)
        view->descriptor = open(config->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if ((config->dir != NULL && view->descriptor < 0) || !find_ledger(view, sentinel)) {
        store_view_close(view);
        return error_set(error, STATUS_INVALID, "there is no ledger in %s", where);
    }
    TRY(ledger_disk_open(&view->copy));
    if (copy_file(view, SENTINEL_NAME) != STATUS_OK)
        return error_set_errno(error, STATUS_IO, "the sentinel in %s cannot be read", where);
    TRY(store_view_copy(view, "votes.db", error));
    return store_view_copy(view, "chain.db", error);
}

void store_view_close(struct store_view *view) {
    if (view->origin == NULL && view->descriptor > 0)
        close(view->descriptor);
    ledger_disk_close(view->copy);
    view->copy = NULL;
    view->descriptor = -1;
}
