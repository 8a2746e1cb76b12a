/* The VFS through which SQLite writes on a disk in memory. One is registered per disk, under a name of its
 * own, so that nothing is shared between disks. There is no shared memory: the store opens its databases with
 * locking_mode=EXCLUSIVE, where SQLite keeps the index of the WAL on its heap. Locks are those of the store.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "common/ledger/disk_file.h"

struct vfs_file {
    sqlite3_file base; /* first: SQLite sees only this */
    struct ledger_disk *disk;
    struct disk_file *file;
    bool syncs_directory; /* a journal or WAL: SQLite has the directory synced with it, as on a real disk */
};

static struct vfs_file *vfs_file_of(sqlite3_file *file) {
    return (struct vfs_file *)(void *)file;
}

static struct ledger_disk *disk_of(sqlite3_vfs *vfs) {
    return vfs->pAppData;
}

static const char *name_of(const char *path) {
    return path[0] == '/' ? path + 1 : path;
}

static int file_close(sqlite3_file *base) {
    struct vfs_file *file = vfs_file_of(base);
    disk_file_close(file->disk, file->file);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *data, int size, sqlite3_int64 offset) {
    struct vfs_file *file = vfs_file_of(base);
    size_t count = disk_file_read(file->disk, file->file, data, (size_t)size, (uint64_t)offset);
    if (count == (size_t)size)
        return SQLITE_OK;
    memset((uint8_t *)data + count, 0, (size_t)size - count);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset) {
    struct vfs_file *file = vfs_file_of(base);
    switch (disk_file_write(file->disk, file->file, data, (size_t)size, (uint64_t)offset)) {
    case STATUS_OK:
        return SQLITE_OK;
    case STATUS_FULL:
        return SQLITE_FULL;
    case STATUS_MEMORY:
        return SQLITE_IOERR_NOMEM;
    default:
        return SQLITE_IOERR_WRITE;
    }
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    return disk_file_truncate(vfs_file_of(base)->file, (uint64_t)size) == STATUS_OK ? SQLITE_OK
                                                                                    : SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *base, int flags) {
    (void)flags;
    struct vfs_file *file = vfs_file_of(base);
    if (disk_file_sync(file->disk, file->file) != STATUS_OK)
        return SQLITE_IOERR_FSYNC;
    if (file->syncs_directory && !file->file->entry_durable && disk_sync_directory(file->disk) != STATUS_OK)
        return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    *size = (sqlite3_int64)vfs_file_of(base)->file->size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level) {
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *reserved) {
    (void)base;
    *reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base) {
    (void)base;
    return (int)DISK_SECTOR_BYTES;
}

/* A torn write damages only the bytes that were being written, as SQLite assumes of real disks. */
static int file_characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_lock,
                                           .xCheckReservedLock = file_reserved,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector,
                                           .xDeviceCharacteristics = file_characteristics};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *flags_out) {
    struct vfs_file *file = vfs_file_of(base);
    struct ledger_disk *disk = disk_of(vfs);
    *file = (struct vfs_file){.disk = disk};
    if (path == NULL ||
        disk_file_open(disk, name_of(path), (flags & SQLITE_OPEN_CREATE) != 0, &file->file) != STATUS_OK)
        return SQLITE_CANTOPEN;
    file->syncs_directory = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    file->base.pMethods = &methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_directory) {
    (void)sync_directory;
    return ledger_disk_unlink(disk_of(vfs), name_of(path)) ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    const struct disk_file *file = disk_find(disk_of(vfs), name_of(path));
    *result = file != NULL && (flags != SQLITE_ACCESS_EXISTS || file->size > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out) {
    (void)vfs;
    return snprintf(out, (size_t)room, "%s", path) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out) {
    struct ledger_disk *disk = disk_of(vfs);
    for (int i = 0; i < size; i++)
        out[i] = (char)random_mix(disk->counters.writes + (uint64_t)i);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *milliseconds) {
    (void)vfs;
    *milliseconds = 0; /* time does not pass: nothing stored depends on it */
    return SQLITE_OK;
}

static int vfs_time_days(sqlite3_vfs *vfs, double *days) {
    (void)vfs;
    *days = 0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *text) {
    (void)vfs;
    if (room > 0)
        text[0] = '\0';
    return 0;
}

enum status disk_vfs_register(struct ledger_disk *disk) {
    snprintf(disk->vfs_name, sizeof disk->vfs_name, "ledger-disk-%p", (void *)disk);
    disk->vfs = (sqlite3_vfs){.iVersion = 2,
                              .szOsFile = (int)sizeof(struct vfs_file),
                              .mxPathname = 64,
                              .zName = disk->vfs_name,
                              .pAppData = disk,
                              .xOpen = vfs_open,
                              .xDelete = vfs_delete,
                              .xAccess = vfs_access,
                              .xFullPathname = vfs_full_path,
                              .xRandomness = vfs_randomness,
                              .xSleep = vfs_sleep,
                              .xCurrentTime = vfs_time_days,
                              .xCurrentTimeInt64 = vfs_time,
                              .xGetLastError = vfs_last_error};
    return sqlite3_vfs_register(&disk->vfs, 0) == SQLITE_OK ? STATUS_OK : STATUS_FAILED;
}
