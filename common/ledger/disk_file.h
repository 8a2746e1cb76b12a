/* disk_file: what a disk in memory gives to those who write on it, SQLite's VFS and the sentinel. Private to
 * the ledger; everybody else sees disk.h.
 *
 * A file has two images: `data`, what a process reads (the page cache), and `platter`, what a loss of power
 * leaves. Sectors that differ are marked; sync copies them over. A file that never was synced has no platter,
 * so a run that never syncs holds its bytes once. Of a sector written several times between two syncs only
 * the last version can reach the platter. Removal of a file is durable at once; its creation when the
 * directory is synced. */
#ifndef TIERBED_LEDGER_DISK_FILE_H
#define TIERBED_LEDGER_DISK_FILE_H

#include <sqlite3.h>
#include <stddef.h>

#include "common/ledger/disk.h"

#define DISK_SECTOR_BYTES 512u
#define DISK_FILES_MAX 24u
#define DISK_NAME_BYTES 32u

struct disk_file {
    char name[DISK_NAME_BYTES];
    uint64_t serial;    /* inode and time of birth in one: no two files of a disk share it, ever */
    uint32_t handles;   /* open ones; a removed file lives until the last is closed */
    bool removed;       /* no name leads here any more */
    bool entry_durable; /* the directory on the platter knows it */
    uint8_t *data, *platter;
    uint64_t size, capacity, platter_size, platter_capacity;
    uint64_t *dirty;                 /* one bit per sector of `capacity` */
    uint64_t dirty_first, dirty_end; /* all set bits lie in between; sectors */
};

struct ledger_disk {
    struct disk_file *files[DISK_FILES_MAX]; /* owned; NULL: free */
    uint64_t next_serial;
    bool held; /* a store is open on it: the file lock of a directory */
    enum ledger_disk_fault fault;
    uint64_t fault_room, fault_calls;
    struct ledger_disk_counters counters;
    char vfs_name[40]; /* unique among the disks of this process */
    sqlite3_vfs vfs;
};

/* NULL: no such name. */
struct disk_file *disk_find(const struct ledger_disk *disk, const char *name);
/* Opens a handle; `create` makes the file when it is not there. STATUS_IO: not there, or too many files. */
enum status disk_file_open(struct ledger_disk *disk, const char *name, bool create, struct disk_file **file);
void disk_file_close(struct ledger_disk *disk, struct disk_file *file);

/* Bytes read; fewer than `size` at the end of the file. */
size_t disk_file_read(struct ledger_disk *disk, const struct disk_file *file, void *data, size_t size,
                      uint64_t offset);
/* STATUS_FULL: no space. STATUS_IO: the write failed. Nothing is written then. */
enum status disk_file_write(struct ledger_disk *disk, struct disk_file *file, const void *data, size_t size,
                            uint64_t offset);
enum status disk_file_truncate(struct disk_file *file, uint64_t size);
enum status disk_file_sync(struct ledger_disk *disk, struct disk_file *file);
enum status disk_sync_directory(struct ledger_disk *disk);
/* A new file in place of what has that name, safely on the platter whatever faults are set. */
enum status disk_put_file(struct ledger_disk *disk, const char *name, const void *data, size_t size);

/* The methods behind disk->vfs (disk_vfs.c); registers it. */
enum status disk_vfs_register(struct ledger_disk *disk);

#endif
