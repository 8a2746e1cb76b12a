/* Goal: the disk in memory behaves as disks do: what was synced survives a loss of power, what was not may be
 * there, old, or torn, and nothing else; faults strike when they were told to; SQLite works on it. Method:
 * files written below SQLite, looked at after losses with many seeds; and databases on two disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/ledger/disk_file.h"

#define BYTES 5000u

static struct ledger_disk *new_disk(void) {
    struct ledger_disk *disk;
    assert_int_equal(ledger_disk_open(&disk), STATUS_OK);
    return disk;
}

static struct disk_file *open_file(struct ledger_disk *disk, const char *name) {
    struct disk_file *file;
    assert_int_equal(disk_file_open(disk, name, true, &file), STATUS_OK);
    return file;
}

/* `size` bytes of one value at `offset`. */
static enum status fill(struct ledger_disk *disk, struct disk_file *file, uint8_t value, size_t size,
                        uint64_t offset) {
    uint8_t data[BYTES];
    assert_true(size <= sizeof data);
    memset(data, value, size);
    return disk_file_write(disk, file, data, size, offset);
}

static void what_is_written_is_read_and_gaps_are_zero(void **state) {
    (void)state;
    struct ledger_disk *disk = new_disk();
    struct disk_file *file = open_file(disk, "a");
    uint8_t data[BYTES];
    assert_int_equal(fill(disk, file, 7, 100, 1000), STATUS_OK);
    assert_int_equal(ledger_disk_size(disk, "a"), 1100);
    assert_int_equal(disk_file_read(disk, file, data, sizeof data, 0), 1100);
    for (size_t i = 0; i < 1100; i++)
        assert_int_equal(data[i], i < 1000 ? 0 : 7);
    assert_int_equal(disk_file_read(disk, file, data, 10, 1095), 5);
    assert_int_equal(disk_file_read(disk, file, data, 10, 1100), 0);
    assert_int_equal(disk_file_truncate(file, 1050), STATUS_OK);
    assert_int_equal(fill(disk, file, 9, 10, 1090), STATUS_OK); /* what was cut off does not come back */
    assert_int_equal(disk_file_read(disk, file, data, sizeof data, 1040), 60);
    for (size_t i = 0; i < 60; i++)
        assert_int_equal(data[i], i < 10 ? 7 : i < 50 ? 0 : 9);
    assert_int_equal(ledger_disk_counters(disk)->writes, 2);
    assert_int_equal(ledger_disk_counters(disk)->bytes_written, 110);
    disk_file_close(disk, file);
    ledger_disk_close(disk);
}

static void synced_bytes_survive_and_others_are_old_new_or_torn(void **state) {
    (void)state;
    uint32_t kept = 0, lost = 0, torn = 0, shorter = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct ledger_disk *disk = new_disk();
        struct disk_file *file = open_file(disk, "a");
        uint8_t data[2 * BYTES];
        assert_int_equal(fill(disk, file, 1, BYTES, 0), STATUS_OK);
        assert_int_equal(disk_file_sync(disk, file), STATUS_OK);
        assert_int_equal(disk_sync_directory(disk), STATUS_OK);
        assert_int_equal(fill(disk, file, 2, 2048, 512), STATUS_OK);   /* over what is synced */
        assert_int_equal(fill(disk, file, 3, 2000, BYTES), STATUS_OK); /* beyond it */
        ledger_disk_lose_power(disk, seed);
        size_t size = disk_file_read(disk, file, data, sizeof data, 0);
        assert_in_range(size, BYTES, BYTES + 2000);
        shorter += size > BYTES && size < BYTES + 2000;
        for (size_t i = 0; i < size; i++) {
            if (i < 512 || (i >= 2560 && i < BYTES))
                assert_int_equal(data[i], 1); /* not a byte of it */
            else
                assert_true(data[i] == (i < BYTES ? 1 : 0) || data[i] == (i < BYTES ? 2 : 3));
        }
        for (size_t sector = 1; sector < 5; sector++) {
            const uint8_t *bytes = data + sector * DISK_SECTOR_BYTES;
            torn += bytes[0] != bytes[DISK_SECTOR_BYTES - 1];
            kept += bytes[DISK_SECTOR_BYTES - 1] == 2;
            lost += bytes[0] == 1;
        }
        uint8_t again[2 * BYTES];
        ledger_disk_lose_power(disk, seed + 1); /* what was found once stays */
        assert_int_equal(disk_file_read(disk, file, again, sizeof again, 0), size);
        assert_memory_equal(again, data, size);
        disk_file_close(disk, file);
        ledger_disk_close(disk);
    }
    assert_true(kept > 100);
    assert_true(lost > 100);
    assert_true(torn > 20);
    assert_true(shorter > 20);
}

static void a_loss_of_power_is_the_same_for_the_same_seed(void **state) {
    (void)state;
    uint8_t data[2][BYTES] = {{0}};
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t sizes[2];
        for (int run = 0; run < 2; run++) {
            struct ledger_disk *disk = new_disk();
            struct disk_file *file = open_file(disk, "a");
            assert_int_equal(disk_sync_directory(disk), STATUS_OK);
            for (uint8_t i = 1; i < 9; i++)
                assert_int_equal(fill(disk, file, i, 600, i * 500u), STATUS_OK);
            ledger_disk_lose_power(disk, seed);
            sizes[run] = disk_file_read(disk, file, data[run], BYTES, 0);
            disk_file_close(disk, file);
            ledger_disk_close(disk);
        }
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(data[0], data[1], sizes[0]);
    }
}

static void a_new_file_may_vanish_until_its_directory_is_synced(void **state) {
    (void)state;
    uint32_t vanished = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        for (int synced = 0; synced < 2; synced++) {
            struct ledger_disk *disk = new_disk();
            struct disk_file *file = open_file(disk, "a");
            assert_int_equal(fill(disk, file, 1, 10, 0), STATUS_OK);
            assert_int_equal(disk_file_sync(disk, file), STATUS_OK);
            if (synced)
                assert_int_equal(disk_sync_directory(disk), STATUS_OK);
            disk_file_close(disk, file);
            ledger_disk_lose_power(disk, seed);
            if (synced)
                assert_int_equal(ledger_disk_size(disk, "a"), 10);
            vanished += ledger_disk_size(disk, "a") == 0;
            ledger_disk_close(disk);
        }
    }
    assert_in_range(vanished, 10, 30);
}

static void a_lying_sync_changes_nothing_and_says_it_did(void **state) {
    (void)state;
    uint32_t lost = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct ledger_disk *disk = new_disk();
        struct disk_file *file = open_file(disk, "a");
        assert_int_equal(disk_sync_directory(disk), STATUS_OK);
        ledger_disk_set_fault(disk, DISK_LYING_SYNC, 0);
        assert_int_equal(fill(disk, file, 1, 100, 0), STATUS_OK);
        assert_int_equal(disk_file_sync(disk, file), STATUS_OK);
        ledger_disk_lose_power(disk, seed);
        lost += ledger_disk_size(disk, "a") < 100;
        disk_file_close(disk, file);
        ledger_disk_close(disk);
    }
    assert_true(lost > 10);
}

static void a_full_disk_takes_what_still_fits_and_what_is_written_over(void **state) {
    (void)state;
    struct ledger_disk *disk = new_disk();
    struct disk_file *file = open_file(disk, "a"), *other = open_file(disk, "b");
    assert_int_equal(fill(disk, file, 1, 100, 0), STATUS_OK);
    ledger_disk_set_fault(disk, DISK_FULL, 50);
    assert_int_equal(fill(disk, file, 2, 51, 100), STATUS_FULL);
    assert_int_equal(ledger_disk_size(disk, "a"), 100);
    assert_int_equal(fill(disk, file, 2, 30, 100), STATUS_OK);
    assert_int_equal(fill(disk, other, 2, 20, 0), STATUS_OK);
    assert_int_equal(fill(disk, other, 2, 1, 20), STATUS_FULL);
    assert_int_equal(fill(disk, file, 3, 130, 0), STATUS_OK);
    ledger_disk_set_fault(disk, DISK_SOUND, 0);
    assert_int_equal(fill(disk, other, 2, 1, 20), STATUS_OK);
    disk_file_close(disk, file);
    disk_file_close(disk, other);
    ledger_disk_close(disk);
}

static void calls_fail_from_the_one_named_on(void **state) {
    (void)state;
    struct ledger_disk *disk = new_disk();
    struct disk_file *file = open_file(disk, "a");
    ledger_disk_set_fault(disk, DISK_FAIL_WRITE, 3);
    for (int call = 1; call <= 5; call++)
        assert_int_equal(fill(disk, file, 1, 10, 0), call < 3 ? STATUS_OK : STATUS_IO);
    assert_int_equal(disk_file_sync(disk, file), STATUS_OK);
    ledger_disk_set_fault(disk, DISK_FAIL_SYNC, 2);
    for (int call = 1; call <= 4; call++)
        assert_int_equal(disk_file_sync(disk, file), call < 2 ? STATUS_OK : STATUS_IO);
    assert_int_equal(disk_sync_directory(disk), STATUS_IO);
    assert_int_equal(fill(disk, file, 1, 10, 0), STATUS_OK);
    ledger_disk_set_fault(disk, DISK_SOUND, 0);
    assert_int_equal(disk_file_sync(disk, file), STATUS_OK);
    disk_file_close(disk, file);
    ledger_disk_close(disk);
}

static void a_removed_file_lives_until_it_is_closed(void **state) {
    (void)state;
    struct ledger_disk *disk = new_disk();
    struct disk_file *file = open_file(disk, "a");
    uint8_t data[10];
    assert_int_equal(fill(disk, file, 5, 10, 0), STATUS_OK);
    assert_true(ledger_disk_unlink(disk, "a"));
    assert_false(ledger_disk_unlink(disk, "a"));
    assert_int_equal(ledger_disk_size(disk, "a"), 0);
    assert_int_equal(fill(disk, file, 6, 5, 0), STATUS_OK);
    assert_int_equal(disk_file_read(disk, file, data, 10, 0), 10);
    assert_int_equal(data[0], 6);
    struct disk_file *next = open_file(disk, "a");
    assert_ptr_not_equal(next, file);
    assert_int_not_equal(next->serial, file->serial);
    disk_file_close(disk, file);
    disk_file_close(disk, next);
    ledger_disk_close(disk);
}

static void damage_hits_what_it_names_and_lasts(void **state) {
    (void)state;
    struct ledger_disk *disk = new_disk();
    struct disk_file *file = open_file(disk, "a");
    uint8_t data[100];
    assert_int_equal(fill(disk, file, 0xff, 100, 0), STATUS_OK);
    assert_int_equal(disk_file_sync(disk, file), STATUS_OK);
    assert_int_equal(disk_sync_directory(disk), STATUS_OK);
    assert_true(ledger_disk_flip(disk, "a", 8 * 10 + 3));
    assert_true(ledger_disk_zero(disk, "a", 20, 5));
    assert_true(ledger_disk_truncate(disk, "a", 90));
    assert_false(ledger_disk_flip(disk, "a", 8 * 90));
    assert_false(ledger_disk_zero(disk, "a", 80, 11));
    assert_false(ledger_disk_truncate(disk, "a", 91));
    assert_false(ledger_disk_flip(disk, "b", 0));
    assert_false(ledger_disk_zero(disk, "b", 0, 0));
    assert_false(ledger_disk_truncate(disk, "b", 0));
    ledger_disk_lose_power(disk, 1);
    assert_int_equal(disk_file_read(disk, file, data, 100, 0), 90);
    for (size_t i = 0; i < 90; i++)
        assert_int_equal(data[i], i == 10 ? 0xf7 : i >= 20 && i < 25 ? 0 : 0xff);
    disk_file_close(disk, file);
    ledger_disk_close(disk);
}

static void a_copy_is_apart_and_what_it_puts_back_are_new_files(void **state) {
    (void)state;
    struct ledger_disk *disk = new_disk(), *copy;
    struct disk_file *file = open_file(disk, "a");
    uint8_t data[10];
    assert_int_equal(fill(disk, file, 1, 10, 0), STATUS_OK);
    uint64_t serial = file->serial;
    assert_int_equal(ledger_disk_copy(disk, &copy), STATUS_OK);
    assert_int_not_equal(disk_find(copy, "a")->serial, serial);
    assert_int_equal(fill(disk, file, 2, 10, 0), STATUS_OK);
    disk_file_close(disk, file);
    file = open_file(disk, "b");
    disk_file_close(disk, file);
    assert_int_equal(ledger_disk_restore(disk, copy), STATUS_OK);
    assert_null(disk_find(disk, "b"));
    file = open_file(disk, "a");
    assert_int_equal(disk_file_read(disk, file, data, 10, 0), 10);
    assert_int_equal(data[0], 1);
    assert_int_not_equal(file->serial, serial);
    disk_file_close(disk, file);
    ledger_disk_lose_power(disk, 3); /* a copy that is put back is on the platter */
    assert_int_equal(ledger_disk_size(disk, "a"), 10);
    ledger_disk_wipe(disk);
    assert_int_equal(ledger_disk_size(disk, "a"), 0);
    ledger_disk_close(copy);
    ledger_disk_close(disk);
}

static int count_row(void *context, int columns, char **values, char **names) {
    (void)names;
    assert_int_equal(columns, 1);
    strcpy(context, values[0]);
    return 0;
}

static void databases_on_two_disks_know_nothing_of_each_other(void **state) {
    (void)state;
    static const char *const modes[] = {"WAL", "DELETE", "TRUNCATE"};
    for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
        struct ledger_disk *disks[2] = {new_disk(), new_disk()};
        char sql[200], answer[50];
        for (int round = 0; round < 2; round++)
            for (int i = 0; i < 2; i++) {
                sqlite3 *db;
                assert_int_equal(sqlite3_open_v2("/x.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                                 disks[i]->vfs_name),
                                 SQLITE_OK);
                snprintf(sql, sizeof sql,
                         "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=%s; "
                         "CREATE TABLE IF NOT EXISTS t(v); INSERT INTO t VALUES(%d)",
                         modes[mode], i + 1);
                assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
                assert_int_equal(sqlite3_exec(db, "BEGIN; INSERT INTO t VALUES(1000)", NULL, NULL, NULL),
                                 SQLITE_OK); /* never committed */
                sqlite3_close(db);
            }
        for (int i = 0; i < 2; i++) {
            sqlite3 *db;
            assert_int_equal(sqlite3_open_v2("/x.db", &db, SQLITE_OPEN_READWRITE, disks[i]->vfs_name),
                             SQLITE_OK);
            assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; SELECT 1", NULL, NULL, NULL),
                             SQLITE_OK);
            assert_int_equal(sqlite3_exec(db, "SELECT sum(v) FROM t", count_row, answer, NULL), SQLITE_OK);
            assert_string_equal(answer, i == 0 ? "2" : "4");
            sqlite3_close(db);
            ledger_disk_close(disks[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_and_gaps_are_zero),
        cmocka_unit_test(synced_bytes_survive_and_others_are_old_new_or_torn),
        cmocka_unit_test(a_loss_of_power_is_the_same_for_the_same_seed),
        cmocka_unit_test(a_new_file_may_vanish_until_its_directory_is_synced),
        cmocka_unit_test(a_lying_sync_changes_nothing_and_says_it_did),
        cmocka_unit_test(a_full_disk_takes_what_still_fits_and_what_is_written_over),
        cmocka_unit_test(calls_fail_from_the_one_named_on),
        cmocka_unit_test(a_removed_file_lives_until_it_is_closed),
        cmocka_unit_test(damage_hits_what_it_names_and_lasts),
        cmocka_unit_test(a_copy_is_apart_and_what_it_puts_back_are_new_files),
        cmocka_unit_test(databases_on_two_disks_know_nothing_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
