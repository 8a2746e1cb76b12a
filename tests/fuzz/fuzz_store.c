/* Goal: whatever stands in the files of a store, opening and reading it neither crashes nor hands out a block
 * that is not the one written. Method: a small sound store on a disk in memory, of which the input replaces
 * one thing: the sentinel, the record of the votes, a block with its certificate (with checksums that fit, so
 * that they are reached), or single bytes anywhere in its files. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/disk_file.h"
#include "common/ledger/store.h"
#include "common/ledger/store_record.h"
#include "common/ledger/store_sentinel.h"

#define HEIGHTS 2u

static void check(bool fine) {
    if (!fine)
        abort();
}

static struct ledger_disk *sound_store(const struct ledger_store_config *more) {
    struct ledger_disk *disk;
    struct ledger_store *store;
    check(ledger_disk_open(&disk) == STATUS_OK);
    struct ledger_store_config config = *more;
    config.disk = disk;
    check(ledger_store_open(&config, &store, NULL) == STATUS_OK);
    struct hash previous = {0};
    for (uint64_t height = 1; height <= HEIGHTS; height++) {
        uint8_t block[BLOCK_HEADER_BYTES + 50] = {0};
        struct block_header header = {.height = height, .prev_block_id = previous};
        struct bytes_writer writer = bytes_writer_over(block, sizeof block);
        block_header_encode(&writer, &header);
        previous = block_id_of(&header);
        struct certificate certificate = {.height = height, .block_id = previous, .bitmap = 1};
        struct ledger_votes votes = {.height = height, .step = VOTE_PRECOMMIT, .valid_block_id = previous};
        struct ledger_commit commit = {.height = height,
                                       .block_id = previous,
                                       .block = block,
                                       .block_bytes = sizeof block,
                                       .certificate = &certificate,
                                       .state = block,
                                       .state_bytes = 20};
        check(ledger_store_put_votes(store, &votes, block, sizeof block) == STATUS_OK);
        check(ledger_store_commit(store, &commit) == STATUS_OK);
    }
    ledger_store_close(store);
    return disk;
}

static void execute(struct ledger_disk *disk, const char *name, const char *sql, const uint8_t *data,
                    size_t size, const struct hash *hash) {
    sqlite3 *db;
    sqlite3_stmt *statement;
    check(sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, disk->vfs_name) == SQLITE_OK);
    check(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK);
    check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
    sqlite3_bind_blob64(statement, 1, size > 0 ? data : (const uint8_t *)"", size, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, hash->bytes, HASH_BYTES, SQLITE_STATIC);
    check(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void replace_sentinel(struct ledger_disk *disk, const uint8_t *data, size_t size) {
    uint8_t file[SENTINEL_FILE_BYTES] = {0};
    memcpy(file, data, size < SENTINEL_SLOT_BYTES ? size : SENTINEL_SLOT_BYTES);
    struct hash hash = hash_of("sentinel", file, SENTINEL_SLOT_BYTES - HASH_BYTES);
    memcpy(file + SENTINEL_SLOT_BYTES - HASH_BYTES, hash.bytes, HASH_BYTES);
    check(disk_put_file(disk, SENTINEL_NAME, file, sizeof file) == STATUS_OK);
}

static void replace_votes(struct ledger_disk *disk, const uint8_t *data, size_t size) {
    struct hash hash = hash_of(VOTES_RECORD_TAG, data, size);
    execute(disk, "/votes.db", "UPDATE votes SET data = ?1, sha256 = ?2", data, size, &hash);
}

/* The block at height 1, or its certificate beside an empty block. */
static void replace_block(struct ledger_disk *disk, const uint8_t *data, size_t size) {
    struct block_row row = {.block = data, .block_bytes = size};
    struct hash digest = hash_of(NULL, data, size), hash = block_row_hash(1, &row, &digest);
    execute(disk, "/chain.db",
            "UPDATE blocks SET block = ?1, sha256 = ?2, certificate = x'', "
            "block_id = zeroblob(32) WHERE height = 1",
            data, size, &hash);
    row = (struct block_row){.certificate = data, .certificate_bytes = size};
    digest = (struct hash){0};
    hash = block_row_hash(2, &row, &digest);
    execute(disk, "/chain.db",
            "UPDATE blocks SET certificate = ?1, sha256 = ?2, block = NULL, "
            "block_id = zeroblob(32) WHERE height = 2",
            data, size, &hash);
}

/* Bytes one by one: u8 file, u16 place (scaled), u8 new value. */
static void replace_bytes(struct ledger_disk *disk, const uint8_t *data, size_t size) {
    static const char *const names[] = {"votes.db",     "votes.db-wal", "chain.db",
                                        "chain.db-wal", "blobs.db",     "sentinel"};
    for (; size >= 4; size -= 4, data += 4) {
        struct disk_file *file = disk_find(disk, names[data[0] % (sizeof names / sizeof *names)]);
        if (file != NULL && file->size > 0)
            file->data[(uint64_t)(data[1] | data[2] << 8) * file->size >> 16] = data[3];
    }
}

static void read_everything(struct ledger_store *store) {
    struct ledger_votes votes = {0};
    struct certificate certificate;
    uint8_t *data;
    size_t size;
    (void)ledger_store_get_votes(store, &votes);
    for (uint64_t height = 0; height <= ledger_store_height(store) && height < 10; height++) {
        if (ledger_store_get_block(store, height, &data, &size, &certificate) == STATUS_OK)
            free(data);
        if (ledger_store_get_state(store, height, &data, &size) == STATUS_OK)
            free(data);
    }
    if (ledger_store_get_proposal_block(store, &votes.valid_block_id, &data, &size) == STATUS_OK)
        free(data);
    uint8_t blob[10] = {0};
    struct hash hash = hash_of("blob", blob, sizeof blob);
    (void)ledger_store_put_blob(store, &hash, blob, sizeof blob);
    if (ledger_store_condition(store) == LEDGER_AMNESIA)
        (void)ledger_store_recover_votes(store, votes.height + 10);
    votes.step = VOTE_PREVOTE;
    votes.height += 20;
    (void)ledger_store_put_votes(store, &votes, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const replace[])(struct ledger_disk * disk, const uint8_t *data, size_t size) = {
        replace_sentinel, replace_votes, replace_block, replace_bytes};
    struct ledger_store_config config = {.durability = DURABILITY_PROCESS};
    struct ledger_store *store;
    if (size == 0)
        return 0;
    static struct ledger_disk *sound; /* made once */
    struct ledger_disk *disk;
    if (sound == NULL)
        sound = sound_store(&config);
    check(ledger_disk_copy(sound, &disk) == STATUS_OK);
    replace[data[0] & 3](disk, data + 1, size - 1);
    config.disk = disk;
    config.deep = (data[0] & 4) != 0;
    config.read_only = (data[0] & 8) != 0;
    for (int again = 0; again < 2; again++) {
        enum status status = ledger_store_open(&config, &store, NULL);
        if (status == STATUS_FAILED)
            check(ledger_store_discard_chain(&config, NULL) == STATUS_OK);
        else
            check(status == STATUS_OK);
        if (status == STATUS_OK)
            read_everything(store);
        ledger_store_close(store);
    }
    ledger_disk_close(disk);
    return 0;
}
