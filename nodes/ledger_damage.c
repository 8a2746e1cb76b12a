#include "nodes/ledger_damage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ledger/disk.h"
#include "common/record/durable.h"

#define DAMAGED_BYTES 8192u /* the header and more of a database; both slots of the sentinel */
#define COPY_PIECE 65536u

static const char *const file_names[] = {[LEDGER_VOTES] = "votes.db",
                                         [LEDGER_CHAIN] = "chain.db",
                                         [LEDGER_BLOBS] = "blobs.db",
                                         [LEDGER_SENTINEL] = "sentinel"};

static enum status make_path(char path[DURABLE_PATH_MAX], const char *dir, const char *name,
                             const char *suffix, struct error *error) {
    int length = snprintf(path, DURABLE_PATH_MAX, "%s/%s%s", dir, name, suffix);
    return length > 0 && length < DURABLE_PATH_MAX
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "the path of a ledger is too long: %s", dir);
}

/* ---- one file ---- */

static enum status zero_file(const char *path, struct error *error) {
    static const uint8_t zeros[DAMAGED_BYTES];
    struct stat about;
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) {
        enum status status = error_set_errno(error, STATUS_IO, "cannot damage %s", path);
        if (file >= 0)
            close(file);
        return status;
    }
    size_t size = about.st_size < (off_t)DAMAGED_BYTES ? (size_t)about.st_size : DAMAGED_BYTES;
    bool done = pwrite(file, zeros, size, 0) == (ssize_t)size;
    return close(file) == 0 && done ? STATUS_OK : error_set_errno(error, STATUS_IO, "cannot damage %s", path);
}

enum status ledger_damage_corrupt(struct ledger_place *place, enum ledger_file file, struct error *error) {
    char path[DURABLE_PATH_MAX];
    const char *name = file_names[file];
    if (place->dir == NULL) {
        uint64_t size = ledger_disk_size(place->disk, name);
        snprintf(path, sizeof path, "%s-wal", name);
        (void)ledger_disk_truncate(place->disk, path, 0); /* there may be none */
        bool done = ledger_disk_zero(place->disk, name, 0, size < DAMAGED_BYTES ? size : DAMAGED_BYTES);
        return done ? STATUS_OK : error_set(error, STATUS_IO, "there is no %s to damage", name);
    }
    TRY(make_path(path, place->dir, name, "-wal", error));
    if (access(path, F_OK) == 0 && truncate(path, 0) != 0)
        return error_set_errno(error, STATUS_IO, "cannot empty %s", path);
    TRY(make_path(path, place->dir, name, "", error));
    return zero_file(path, error);
}

enum status ledger_damage_unlink(struct ledger_place *place, enum ledger_file file, struct error *error) {
    char path[DURABLE_PATH_MAX];
    if (place->dir == NULL)
        return ledger_disk_unlink(place->disk, file_names[file])
                   ? STATUS_OK
                   : error_set(error, STATUS_IO, "there is no %s to remove", file_names[file]);
    TRY(make_path(path, place->dir, file_names[file], "", error));
    return unlink(path) == 0 ? STATUS_OK : error_set_errno(error, STATUS_IO, "cannot remove %s", path);
}

/* ---- all files ---- */

typedef enum status (*visit_file)(const char *path, const char *other, struct error *error);

/* Calls `visit` for each file of `dir`, with its name in `other` (or NULL). */
static enum status each_file(const char *dir, const char *other, visit_file visit, struct error *error) {
    DIR *stream = opendir(dir);
    enum status status = STATUS_OK;
    if (stream == NULL)
        return error_set_errno(error, STATUS_IO, "cannot read the directory %s", dir);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(stream)) != NULL;) {
        char path[DURABLE_PATH_MAX], twin[DURABLE_PATH_MAX] = "";
        if (entry->d_name[0] == '.')
            continue;
        status = make_path(path, dir, entry->d_name, "", error);
        if (status == STATUS_OK && other != NULL)
            status = make_path(twin, other, entry->d_name, "", error);
        if (status == STATUS_OK)
            status = visit(path, twin, error);
    }
    closedir(stream);
    return status;
}

static enum status remove_file(const char *path, const char *other, struct error *error) {
    (void)other;
    return unlink(path) == 0 ? STATUS_OK : error_set_errno(error, STATUS_IO, "cannot remove %s", path);
}

static enum status copy_file(const char *path, const char *other, struct error *error) {
    uint8_t piece[COPY_PIECE];
    FILE *from = fopen(path, "rbe"), *to = fopen(other, "wbe");
    bool done = from != NULL && to != NULL;
    for (size_t got; done && (got = fread(piece, 1, sizeof piece, from)) > 0;)
        done = fwrite(piece, 1, got, to) == got;
    done = done && ferror(from) == 0;
    if (from != NULL)
        fclose(from);
    if (to != NULL && fclose(to) != 0)
        done = false;
    return done ? STATUS_OK : error_set_errno(error, STATUS_IO, "cannot copy %s to %s", path, other);
}

enum status ledger_damage_wipe(struct ledger_place *place, struct error *error) {
    if (place->dir != NULL)
        return each_file(place->dir, NULL, remove_file, error);
    ledger_disk_wipe(place->disk);
    return STATUS_OK;
}

static enum status old_dir(const struct ledger_place *place, char path[DURABLE_PATH_MAX],
                           struct error *error) {
    int length = snprintf(path, DURABLE_PATH_MAX, "%s.old", place->dir);
    return length > 0 && length < DURABLE_PATH_MAX
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "the path of a ledger is too long: %s", place->dir);
}

enum status ledger_damage_copy(struct ledger_place *place, struct error *error) {
    char old[DURABLE_PATH_MAX];
    if (place->dir == NULL) {
        ledger_damage_close(place);
        return ledger_disk_copy(place->disk, &place->copy);
    }
    TRY(old_dir(place, old, error));
    TRY(durable_make_dirs(old, error));
    TRY(each_file(old, NULL, remove_file, error));
    return each_file(place->dir, old, copy_file, error);
}

enum status ledger_damage_restore(struct ledger_place *place, struct error *error) {
    char old[DURABLE_PATH_MAX];
    if (place->dir == NULL)
        return place->copy != NULL ? ledger_disk_restore(place->disk, place->copy)
                                   : error_set(error, STATUS_INVALID, "there is no copy to put back");
    TRY(old_dir(place, old, error));
    TRY(each_file(place->dir, NULL, remove_file, error));
    return each_file(old, place->dir, copy_file, error);
}

void ledger_damage_close(struct ledger_place *place) {
    if (place->copy != NULL)
        ledger_disk_close(place->copy);
    place->copy = NULL;
}
