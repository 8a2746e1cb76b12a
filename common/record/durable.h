/* durable: files that are either whole or absent. Written beside their place, fsynced, renamed, folder
 * fsynced. */
#ifndef TIERBED_RECORD_DURABLE_H
#define TIERBED_RECORD_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/error.h"

#define DURABLE_PATH_MAX 4096

/* Writes "DIR/NAME" into `path` (room for DURABLE_PATH_MAX). STATUS_INVALID when it is too long. */
enum status durable_path(char *path, const char *dir, const char *name, struct error *error);

/* Replaces the file `path` with `size` bytes of `data`; a failure leaves what was there before. STATUS_IO. */
enum status durable_write(const char *path, const void *data, size_t size, struct error *error);
/* As durable_write, but the disk may take its time: a machine that is killed can lose the file. */
enum status durable_write_unsynced(const char *path, const void *data, size_t size, struct error *error);

/* A file written piece by piece: `stream` is for stdio; nothing shows at `path` before durable_commit. */
struct durable_file {
    FILE *stream;
    bool unsynced; /* set after durable_open: the commit does not wait for the disk */
    char path[DURABLE_PATH_MAX], beside[DURABLE_PATH_MAX];
};
enum status durable_open(struct durable_file *file, const char *path, struct error *error);
enum status durable_commit(struct durable_file *file, struct error *error); /* closes in any case */
void durable_abandon(struct durable_file *file);                            /* safe after commit */

/* Makes `dir` and its parents; one that is there is fine. STATUS_IO. */
enum status durable_make_dirs(const char *dir, struct error *error);

/* Reads a whole file of at most `size_max` bytes; `*text` is zero-terminated, owned by the caller (free). */
enum status durable_read(const char *path, size_t size_max, char **text, size_t *size, struct error *error);

#endif
