#include "common/ledger/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/store_parts.h"

/* ------------------------------------------------------------------------------------ failing and dying */

enum status store_writable(struct ledger_store *store) {
    if (store->files.view)
        return store_refuse(store, STATUS_INVALID, "the ledger was opened for reading only");
    if (store->crashed)
        return STATUS_STOPPED;
    return store->failed ? STATUS_IO : STATUS_OK;
}

bool store_dies(struct ledger_store *store, const char *point) {
    if (store->crash == NULL || !store->crash(store->crash_context, point))
        return false;
    store->crashed = true;
    error_set(&store->reason, STATUS_STOPPED, "died at the crash point %s", point);
    return true;
}

enum status store_refuse(struct ledger_store *store, enum status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    store->reason.status = status;
    vsnprintf(store->reason.text, sizeof store->reason.text, format, arguments);
    va_end(arguments);
    return status;
}

enum status store_fail(struct ledger_store *store, struct store_db *db, enum status status,
                       const char *what) {
    if (status == STATUS_STOPPED)
        return status;
    store->failed = true;
    if (store->reason.text[0] == '\0' || store->reason.status != STATUS_IO)
        error_set(&store->reason, status, "%s: %s: %s; the validator must stop and be started again",
                  db->config->name, what, sqlite3_errmsg(db->handle));
    if (sqlite3_get_autocommit(db->handle) == 0)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return status == STATUS_FAILED ? STATUS_FAILED : STATUS_IO;
}

const char *ledger_store_reason(const struct ledger_store *store) {
    return store->reason.text;
}

void ledger_store_set_crash_point(struct ledger_store *store, ledger_crash_point crash, void *context) {
    store->crash = crash;
    store->crash_context = context;
}

/* ---------------------------------------------------------------------------------------- transactions */

static bool sentinel_in_place(const struct ledger_store *store) {
    struct file_identity now;
    return store_files_identity(&store->files, SENTINEL_NAME, &now) &&
           now.serial == store->sentinel.self.serial && now.birth_ns == store->sentinel.self.birth_ns;
}

enum status store_begin(struct ledger_store *store, struct store_db *db) {
    if (!store_db_in_place(db) || !sentinel_in_place(store))
        return store_refuse(store, STATUS_IO,
                            "%s, its WAL or the sentinel is not the file that was opened: somebody removed "
                            "or replaced it; the validator must stop and be started again",
                            db->config->name);
    return store_db_run(db, store_db_statement(db, SQL_BEGIN));
}

enum status store_commit(struct ledger_store *store, struct store_db *db, const char *const points[3]) {
    if (store_dies(store, points[0]))
        return STATUS_STOPPED;
    TRY(store_db_run(db, store_db_statement(db, SQL_COMMIT)));
    if (store_dies(store, points[1]))
        return STATUS_STOPPED;
    if (points[2] != NULL) {
        TRY(store_write_sentinel(store));
        if (store_dies(store, points[2]))
            return STATUS_STOPPED;
    }
    return store_db_checkpoint(db);
}

enum status store_write_sentinel(struct ledger_store *store) {
    enum status status = sentinel_write(&store->sentinel_file, &store->sentinel);
    if (status == STATUS_OK)
        return STATUS_OK;
    return store_refuse(store, STATUS_IO,
                        "the sentinel cannot be written; the validator must stop and be started again");
}

struct hash store_block_digest(struct ledger_store *store, const uint8_t *block, size_t size) {
    if (store->hashed_bytes == size && size > 0 && memcmp(store->hashed_block, block, size) == 0)
        return store->hashed_digest;
    struct hash digest = hash_of(NULL, block, size);
    if (size > store->hashed_capacity) {
        uint8_t *room = realloc(store->hashed_block, size);
        if (room == NULL)
            return digest; /* it is hashed once more, that is all */
        store->hashed_block = room;
        store->hashed_capacity = size;
    }
    if (size > 0)
        memcpy(store->hashed_block, block, size);
    store->hashed_bytes = size;
    store->hashed_digest = digest;
    return digest;
}

enum status store_copy_out(const void *bytes, size_t size, uint8_t **data, size_t *data_size) {
    *data = malloc(size > 0 ? size : 1);
    if (*data == NULL)
        return STATUS_MEMORY;
    if (size > 0)
        memcpy(*data, bytes, size);
    *data_size = size;
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------------------- open */

/* The sentinel is there before any database is: a database without one means that it was lost. */
static enum status open_sentinel(struct ledger_store *store, bool restarted, struct error *error) {
    struct file_identity ignored, self;
    bool database = store_files_identity(&store->files, "votes.db", &ignored) ||
                    store_files_identity(&store->files, "chain.db", &ignored);
    bool known = sentinel_load(&store->files, &store->sentinel) == STATUS_OK;
    enum status status = store_file_open(&store->sentinel_file, &store->files, SENTINEL_NAME, true);
    if (status == STATUS_OK && !store_files_identity(&store->files, SENTINEL_NAME, &self))
        status = STATUS_IO;
    if (status == STATUS_OK) {
        struct sentinel *sentinel = &store->sentinel;
        bool moved =
            known && (self.serial != sentinel->self.serial || self.birth_ns != sentinel->self.birth_ns);
        sentinel->self = self;
        if (!known) {
            sentinel->amnesia = database || restarted;
            status = sentinel_create(&store->sentinel_file, sentinel);
        } else if (moved) {
            sentinel->amnesia = true;
            status = sentinel_write(&store->sentinel_file, sentinel);
        }
        if (status == STATUS_OK && (!known || moved))
            status = store_files_sync_directory(&store->files);
    }
    return status == STATUS_OK ? STATUS_OK
                               : error_set(error, STATUS_IO,
                                           "the sentinel cannot be written; see to the disk and start again");
}

/* The copy is written to by SQLite as it pleases; what it was copied from is not touched. */
static enum status open_view(struct ledger_store *store, const struct ledger_store_config *config,
                             struct error *error) {
    struct file_identity self;
    TRY(store_view_open(&store->view, config, &self, error));
    const struct ledger_store_config copy = {.disk = store->view.copy, .durability = DURABILITY_PROCESS};
    TRY(store_files_open(&store->files, &copy, error));
    store->files.view = true;
    bool known = sentinel_load(&store->files, &store->sentinel) == STATUS_OK;
    if (!known || self.serial != store->sentinel.self.serial ||
        self.birth_ns != store->sentinel.self.birth_ns)
        store->sentinel.amnesia = true;
    TRY(store_votes_open(store, error));
    return store_chain_open(store, false, error);
}

static enum status open_parts(struct ledger_store *store, const struct ledger_store_config *config,
                              struct error *error) {
    if (config->read_only)
        return open_view(store, config, error);
    TRY(store_files_open(&store->files, config, error));
    TRY(open_sentinel(store, config->restarted, error));
    TRY(store_votes_open(store, error));
    TRY(store_chain_open(store, config->deep, error));
    TRY(store_blobs_open(store, error));
    if (store_files_sync_directory(&store->files) != STATUS_OK)
        return error_set(error, STATUS_IO, "the folder of the ledger cannot be synced; see to the disk");
    return STATUS_OK;
}

enum status ledger_store_open(const struct ledger_store_config *config, struct ledger_store **out,
                              struct error *error) {
    *out = NULL;
    struct ledger_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the ledger");
    enum status status = open_parts(store, config, error);
    if (status != STATUS_OK) {
        ledger_store_close(store);
        return status;
    }
    if (store->sentinel.amnesia)
        store->condition = LEDGER_AMNESIA;
    else
        store->condition = store->has_votes || store->height > 0 ? LEDGER_INTACT : LEDGER_FRESH;
    if (store->height < store->sentinel.chain_height)
        (void)store_refuse(
            store, STATUS_OK,
            "chain.db ends at height %llu, the sentinel remembers %llu: the rest is to be caught up",
            (unsigned long long)store->height, (unsigned long long)store->sentinel.chain_height);
    *out = store;
    return STATUS_OK;
}

void ledger_store_close(struct ledger_store *store) {
    if (store == NULL)
        return;
    store_db_close(&store->votes_db);
    store_db_close(&store->chain_db);
    store_db_close(&store->blobs_db);
    store_file_close(&store->sentinel_file);
    store_files_close(&store->files);
    store_view_close(&store->view);
    free(store->hashed_block);
    free(store);
}

enum ledger_condition ledger_store_condition(const struct ledger_store *store) {
    return store->condition;
}

void ledger_store_sentinel(const struct ledger_store *store, uint64_t *height, uint32_t *round,
                           uint8_t *step) {
    *height = store->sentinel.height;
    *round = store->sentinel.round;
    *step = store->sentinel.step;
}

/* Opens chain and blobs as ledger_store_open does and removes what is found damaged; both when neither is. */
enum status ledger_store_discard_chain(const struct ledger_store_config *config, struct error *error) {
    struct ledger_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the ledger");
    enum status status = store_files_open(&store->files, config, error);
    if (status == STATUS_OK) {
        bool chain_damaged = store_chain_open(store, config->deep, NULL) == STATUS_FAILED;
        bool blobs_damaged = store_blobs_open(store, NULL) == STATUS_FAILED;
        bool neither = !chain_damaged && !blobs_damaged;
        store_db_close(&store->chain_db);
        store_db_close(&store->blobs_db);
        if (chain_damaged || neither)
            status = store_chain_remove(&store->files);
        if (status == STATUS_OK && (blobs_damaged || neither))
            status = store_blobs_remove(&store->files);
        if (status != STATUS_OK)
            error_set(error, status, "the damaged chain cannot be removed");
    }
    ledger_store_close(store);
    return status;
}
