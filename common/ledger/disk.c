#include "common/ledger/disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/ledger/disk_file.h"

enum status ledger_disk_open(struct ledger_disk **disk) {
    *disk = calloc(1, sizeof **disk);
    if (*disk == NULL)
        return STATUS_MEMORY;
    enum status status = disk_vfs_register(*disk);
    if (status != STATUS_OK) {
        free(*disk);
        *disk = NULL;
    }
    return status;
}

void ledger_disk_wipe(struct ledger_disk *disk) {
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++)
        if (disk->files[i] != NULL && !disk->files[i]->removed)
            ledger_disk_unlink(disk, disk->files[i]->name);
}

void ledger_disk_close(struct ledger_disk *disk) {
    if (disk == NULL)
        return;
    assert(!disk->held); /* close the store first */
    ledger_disk_wipe(disk);
    sqlite3_vfs_unregister(&disk->vfs);
    free(disk);
}

enum status disk_put_file(struct ledger_disk *disk, const char *name, const void *data, size_t size) {
    struct disk_file *file;
    ledger_disk_unlink(disk, name);
    TRY(disk_file_open(disk, name, true, &file));
    enum ledger_disk_fault fault = disk->fault;
    struct ledger_disk_counters counters = disk->counters;
    disk->fault = DISK_SOUND;
    enum status status = disk_file_write(disk, file, data, size, 0);
    if (status == STATUS_OK)
        status = disk_file_sync(disk, file);
    file->entry_durable = true;
    disk->fault = fault;
    disk->counters = counters;
    disk_file_close(disk, file);
    return status;
}

enum status ledger_disk_restore(struct ledger_disk *disk, const struct ledger_disk *copy) {
    ledger_disk_wipe(disk);
    if (disk->next_serial < copy->next_serial)
        disk->next_serial = copy->next_serial; /* files that are put back are new files */
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        const struct disk_file *file = copy->files[i];
        if (file != NULL && !file->removed)
            TRY(disk_put_file(disk, file->name, file->data, (size_t)file->size));
    }
    return STATUS_OK;
}

enum status ledger_disk_copy(const struct ledger_disk *disk, struct ledger_disk **copy) {
    TRY(ledger_disk_open(copy));
    enum status status = ledger_disk_restore(*copy, disk);
    if (status != STATUS_OK) {
        ledger_disk_close(*copy);
        *copy = NULL;
    }
    return status;
}

/* ------------------------------------------------------------------------------------- loss of power */

enum loss { LOSS_ALL = 0, LOSS_TAIL, LOSS_SCATTERED, LOSS_NONE, LOSS_KINDS };

/* Of one unsynced sector, how many bytes of the new version reach the platter. */
static uint64_t bytes_kept(struct random_stream *random, enum loss loss, bool before_cut, bool at_cut) {
    switch (loss) {
    case LOSS_TAIL:
        if (at_cut)
            return random_below(random, DISK_SECTOR_BYTES);
        return before_cut ? DISK_SECTOR_BYTES : 0;
    case LOSS_SCATTERED:
        if (random_chance(random, 0.2))
            return random_below(random, DISK_SECTOR_BYTES);
        return random_chance(random, 0.5) ? DISK_SECTOR_BYTES : 0;
    case LOSS_NONE:
        return DISK_SECTOR_BYTES;
    default:
        return 0;
    }
}

static uint64_t size_after_loss(struct random_stream *random, const struct disk_file *file, enum loss loss) {
    if (loss == LOSS_ALL)
        return file->platter_size;
    if (loss == LOSS_NONE || file->size <= file->platter_size)
        return loss == LOSS_NONE || random_chance(random, 0.5) ? file->size : file->platter_size;
    return file->platter_size + random_below(random, file->size - file->platter_size + 1);
}

/* The platter of `file` becomes what is found after the loss. */
static void lose_sectors(struct random_stream *random, struct disk_file *file) {
    enum loss loss = (enum loss)random_below(random, LOSS_KINDS);
    uint64_t size = size_after_loss(random, file, loss);
    uint64_t dirty_sectors = file->dirty_end - file->dirty_first;
    uint64_t cut = file->dirty_first + (dirty_sectors > 0 ? random_below(random, dirty_sectors) : 0);
    for (uint64_t sector = file->dirty_first; sector < file->dirty_end; sector++) {
        uint64_t offset = sector * DISK_SECTOR_BYTES;
        if ((file->dirty[sector / 64] >> sector % 64 & 1) == 0)
            continue;
        uint64_t kept = bytes_kept(random, loss, sector < cut, sector == cut);
        /* `data` is what will be read: old bytes go where new ones did not arrive. */
        for (uint64_t at = offset + kept; at < offset + DISK_SECTOR_BYTES && at < file->capacity; at++)
            file->data[at] = at < file->platter_size ? file->platter[at] : 0;
    }
    file->size = size;
}

void ledger_disk_lose_power(struct ledger_disk *disk, uint64_t seed) {
    struct ledger_disk_counters counters = disk->counters;
    enum ledger_disk_fault fault = disk->fault;
    disk->fault = DISK_SOUND;
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        struct disk_file *file = disk->files[i];
        struct random_stream random;
        if (file == NULL || file->removed)
            continue;
        random_init(&random, seed, i, RANDOM_LOSS);
        if (!file->entry_durable && random_chance(&random, 0.5)) {
            ledger_disk_unlink(disk, file->name);
            continue;
        }
        lose_sectors(&random, file);
        file->entry_durable = true;
        (void)disk_file_sync(disk, file); /* memory only: at worst the next loss takes more */
    }
    disk->fault = fault;
    disk->counters = counters;
}

/* -------------------------------------------------------------------------------------- damage at rest */

/* A change of the medium itself: cache and platter alike. */
static void damage(struct disk_file *file, uint64_t offset, uint8_t flipped, bool zero) {
    file->data[offset] = zero ? 0 : file->data[offset] ^ flipped;
    if (offset < file->platter_size)
        file->platter[offset] = zero ? 0 : file->platter[offset] ^ flipped;
}

bool ledger_disk_flip(struct ledger_disk *disk, const char *name, uint64_t bit) {
    struct disk_file *file = disk_find(disk, name);
    if (file == NULL || bit / 8 >= file->size)
        return false;
    damage(file, bit / 8, (uint8_t)(1u << bit % 8), false);
    return true;
}

bool ledger_disk_zero(struct ledger_disk *disk, const char *name, uint64_t offset, uint64_t size) {
    struct disk_file *file = disk_find(disk, name);
    if (file == NULL || offset > file->size || size > file->size - offset)
        return false;
    for (uint64_t at = offset; at < offset + size; at++)
        damage(file, at, 0, true);
    return true;
}

bool ledger_disk_truncate(struct ledger_disk *disk, const char *name, uint64_t size) {
    struct disk_file *file = disk_find(disk, name);
    if (file == NULL || size > file->size)
        return false;
    file->size = size;
    if (file->platter_size > size)
        file->platter_size = size;
    return true;
}

uint64_t ledger_disk_size(const struct ledger_disk *disk, const char *name) {
    const struct disk_file *file = disk_find(disk, name);
    return file == NULL ? 0 : file->size;
}

void ledger_disk_set_fault(struct ledger_disk *disk, enum ledger_disk_fault fault, uint64_t after) {
    disk->fault = fault;
    disk->fault_room = after;
    disk->fault_calls = 0;
}

const struct ledger_disk_counters *ledger_disk_counters(const struct ledger_disk *disk) {
    return &disk->counters;
}
