#include "common/ledger/disk_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH_BYTES_MIN 16384u

struct disk_file *disk_find(const struct ledger_disk *disk, const char *name) {
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++) {
        struct disk_file *file = disk->files[i];
        if (file != NULL && !file->removed && strcmp(file->name, name) == 0)
            return file;
    }
    return NULL;
}

static struct disk_file *file_create(struct ledger_disk *disk, const char *name) {
    uint32_t free_index = 0;
    while (free_index < DISK_FILES_MAX && disk->files[free_index] != NULL)
        free_index++;
    if (free_index == DISK_FILES_MAX || strlen(name) >= DISK_NAME_BYTES)
        return NULL;
    struct disk_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    memcpy(file->name, name, strlen(name) + 1);
    file->serial = ++disk->next_serial;
    disk->files[free_index] = file;
    return file;
}

enum status disk_file_open(struct ledger_disk *disk, const char *name, bool create, struct disk_file **file) {
    *file = disk_find(disk, name);
    if (*file == NULL && create)
        *file = file_create(disk, name);
    if (*file == NULL)
        return STATUS_IO;
    (*file)->handles++;
    return STATUS_OK;
}

static void file_free(struct ledger_disk *disk, struct disk_file *file) {
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++)
        if (disk->files[i] == file)
            disk->files[i] = NULL;
    free(file->data);
    free(file->platter);
    free(file->dirty);
    free(file);
}

void disk_file_close(struct ledger_disk *disk, struct disk_file *file) {
    assert(file->handles > 0);
    if (--file->handles == 0 && file->removed)
        file_free(disk, file);
}

bool ledger_disk_unlink(struct ledger_disk *disk, const char *name) {
    struct disk_file *file = disk_find(disk, name);
    if (file == NULL)
        return false;
    file->removed = true;
    if (file->handles == 0)
        file_free(disk, file);
    return true;
}

size_t disk_file_read(struct ledger_disk *disk, const struct disk_file *file, void *data, size_t size,
                      uint64_t offset) {
    disk->counters.reads++;
    if (offset >= file->size)
        return 0;
    size_t count = file->size - offset < size ? (size_t)(file->size - offset) : size;
    memcpy(data, file->data + offset, count);
    return count;
}

/* Room for `size` bytes; what is beyond the size of the file has no meaning yet. */
static enum status reserve(struct disk_file *file, uint64_t size) {
    if (size <= file->capacity)
        return STATUS_OK;
    uint64_t capacity = file->capacity < GROWTH_BYTES_MIN ? GROWTH_BYTES_MIN : 2 * file->capacity;
    while (capacity < size)
        capacity *= 2;
    size_t words_before = (size_t)(file->capacity / DISK_SECTOR_BYTES / 64 + 1);
    size_t words = (size_t)(capacity / DISK_SECTOR_BYTES / 64 + 1);
    uint8_t *data = realloc(file->data, (size_t)capacity);
    if (data == NULL)
        return STATUS_MEMORY;
    file->data = data;
    uint64_t *dirty = realloc(file->dirty, words * sizeof *dirty);
    if (dirty == NULL)
        return STATUS_MEMORY;
    if (file->dirty == NULL)
        words_before = 0;
    memset(dirty + words_before, 0, (words - words_before) * sizeof *dirty);
    file->dirty = dirty;
    file->capacity = capacity;
    return STATUS_OK;
}

static void mark_dirty(struct disk_file *file, uint64_t offset, uint64_t size) {
    uint64_t first = offset / DISK_SECTOR_BYTES, end = (offset + size - 1) / DISK_SECTOR_BYTES + 1;
    for (uint64_t sector = first; sector < end; sector++)
        file->dirty[sector / 64] |= UINT64_C(1) << sector % 64;
    if (file->dirty_end == 0 || first < file->dirty_first)
        file->dirty_first = first;
    if (end > file->dirty_end)
        file->dirty_end = end;
}

static enum status fault_of_write(struct ledger_disk *disk, uint64_t growth) {
    if (disk->fault == DISK_FAIL_WRITE && ++disk->fault_calls >= disk->fault_room)
        return STATUS_IO;
    if (disk->fault != DISK_FULL)
        return STATUS_OK;
    if (growth > disk->fault_room)
        return STATUS_FULL;
    disk->fault_room -= growth;
    return STATUS_OK;
}

enum status disk_file_write(struct ledger_disk *disk, struct disk_file *file, const void *data, size_t size,
                            uint64_t offset) {
    disk->counters.writes++;
    if (size == 0)
        return STATUS_OK;
    uint64_t end = offset + size;
    TRY(fault_of_write(disk, end > file->size ? end - file->size : 0));
    TRY(reserve(file, end));
    if (offset > file->size) {
        memset(file->data + file->size, 0, (size_t)(offset - file->size));
        mark_dirty(file, file->size, offset - file->size);
    }
    memcpy(file->data + offset, data, size);
    mark_dirty(file, offset, size);
    if (end > file->size)
        file->size = end;
    disk->counters.bytes_written += size;
    return STATUS_OK;
}

enum status disk_file_truncate(struct disk_file *file, uint64_t size) {
    if (size >= file->size)
        return STATUS_OK;
    uint64_t cut = file->size - size;
    memset(file->data + size, 0, (size_t)cut);
    mark_dirty(file, size, cut);
    file->size = size;
    return STATUS_OK;
}

/* The platter as large as `size`; what is new is zero. */
static enum status platter_resize(struct disk_file *file, uint64_t size) {
    if (size > file->platter_capacity) {
        uint8_t *platter = realloc(file->platter, (size_t)file->capacity);
        if (platter == NULL)
            return STATUS_MEMORY;
        file->platter = platter;
        file->platter_capacity = file->capacity;
    }
    if (size > file->platter_size)
        memset(file->platter + file->platter_size, 0, (size_t)(size - file->platter_size));
    file->platter_size = size;
    return STATUS_OK;
}

enum status disk_file_sync(struct ledger_disk *disk, struct disk_file *file) {
    disk->counters.syncs++;
    if (disk->fault == DISK_FAIL_SYNC && ++disk->fault_calls >= disk->fault_room)
        return STATUS_IO;
    if (disk->fault == DISK_LYING_SYNC)
        return STATUS_OK;
    TRY(platter_resize(file, file->size));
    for (uint64_t sector = file->dirty_first; sector < file->dirty_end; sector++) {
        uint64_t *word = &file->dirty[sector / 64], bit = UINT64_C(1) << sector % 64;
        uint64_t offset = sector * DISK_SECTOR_BYTES;
        if (*word == 0)
            sector |= 63; /* none of these 64 */
        if ((*word & bit) == 0)
            continue;
        *word &= ~bit;
        if (offset < file->size) {
            uint64_t left = file->size - offset;
            memcpy(file->platter + offset, file->data + offset,
                   left < DISK_SECTOR_BYTES ? (size_t)left : DISK_SECTOR_BYTES);
        }
    }
    file->dirty_first = file->dirty_end = 0;
    return STATUS_OK;
}

enum status disk_sync_directory(struct ledger_disk *disk) {
    disk->counters.syncs++;
    if (disk->fault == DISK_FAIL_SYNC && ++disk->fault_calls >= disk->fault_room)
        return STATUS_IO;
    for (uint32_t i = 0; i < DISK_FILES_MAX && disk->fault != DISK_LYING_SYNC; i++)
        if (disk->files[i] != NULL)
            disk->files[i]->entry_durable = true;
    return STATUS_OK;
}
