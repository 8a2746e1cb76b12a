/* store_files: where the files of a store are, a directory or a disk in memory, and what the store needs of
 * them besides SQLite: identity, removal, the file lock, and the sentinel's few bytes. Private to the store.
 */
#ifndef TIERBED_LEDGER_STORE_FILES_H
#define TIERBED_LEDGER_STORE_FILES_H

#include <stddef.h>

#include "common/ledger/store.h"

#define STORE_PATH_MAX 4096u

struct disk_file;

struct store_files {
    struct ledger_disk *disk; /* borrowed; NULL: the directory `dir` */
    char dir[STORE_PATH_MAX - 64u];
    int dir_descriptor, lock_descriptor; /* -1: none */
    bool syncs;                          /* durability power */
    bool view;                           /* a copy to read from (store_view.h) */
    bool open;
};

/* Two files are the same one exactly when these are: inode and time of birth. */
struct file_identity {
    uint64_t serial, birth_ns;
};

/* Makes the directory if need be and takes the lock. STATUS_IO: cannot, or another process has it. */
enum status store_files_open(struct store_files *files, const struct ledger_store_config *config,
                             struct error *error);
void store_files_close(struct store_files *files);

/* For sqlite3_open_v2: NULL is the system's own VFS. */
const char *store_files_vfs(const struct store_files *files);
void store_files_path(const struct store_files *files, const char *name, char path[STORE_PATH_MAX]);

/* false: no file has this name. */
bool store_files_identity(const struct store_files *files, const char *name, struct file_identity *identity);
/* One that is not there is fine. STATUS_IO. */
enum status store_files_remove(const struct store_files *files, const char *name);
/* Makes creations and removals durable. STATUS_IO. */
enum status store_files_sync_directory(const struct store_files *files);

/* A small file that is read and written in place. */
struct store_file {
    const struct store_files *files; /* borrowed; NULL: not open */
    int descriptor;
    struct disk_file *on_disk;
};
/* STATUS_INVALID: not there and not to be made. */
enum status store_file_open(struct store_file *file, const struct store_files *files, const char *name,
                            bool create);
void store_file_close(struct store_file *file);
size_t store_file_read(struct store_file *file, void *data, size_t size, uint64_t offset);
/* All or STATUS_IO; durable under durability power. */
enum status store_file_write(struct store_file *file, const void *data, size_t size, uint64_t offset);

#endif
