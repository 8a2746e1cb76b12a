/* Goal: whatever happened to the files of a validator while it was down (specs/chain.md, 3.3 rows 27 to 31,
 * 34 and 37), the store never forgets silently: what was acknowledged is there, or it says amnesia, or it
 * says damaged, and it never hands out other bytes than were written. Method: a short life of a validator on
 * a disk in memory, then each file lost, cut at many places, put back from a copy, with bits flipped and
 * pages zeroed. */
#include "tests/ledger/store_rig.h"

#include <stdio.h>

#include "common/ledger/disk_file.h"

/* --------------------------------------------------------------------------------- amnesia (27, 28, 29) */

/* In amnesia, and not out of it by being started again; then out of it by ledger_store_recover_votes only. */
static void check_amnesia(struct rig *rig) {
    struct ledger_votes votes;
    uint64_t height;
    uint32_t round;
    uint8_t step;
    rig->config.restarted = true;
    for (int again = 0; again < 2; again++) {
        rig_must_open(rig, LEDGER_AMNESIA);
        assert_int_equal(ledger_store_get_votes(rig->store, &votes), STATUS_INVALID);
        assert_int_equal(rig_vote(rig, 60, VOTE_PREVOTE), STATUS_INVALID);
    }
    ledger_store_sentinel(rig->store, &height, &round, &step);
    if (height > 0)
        assert_int_equal(ledger_store_recover_votes(rig->store, height), STATUS_INVALID);
    assert_int_equal(ledger_store_recover_votes(rig->store, 61), STATUS_OK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(ledger_store_condition(rig->store), LEDGER_INTACT);
        assert_int_equal(rig_vote(rig, 60, VOTE_PRECOMMIT), STATUS_INVALID);
        rig_must_open(rig, LEDGER_INTACT);
    }
    assert_int_equal(rig_vote(rig, 61, VOTE_PREVOTE), STATUS_OK);
    rig_must_open(rig, LEDGER_INTACT);
    assert_int_equal(ledger_store_get_votes(rig->store, &votes), STATUS_OK);
    assert_int_equal(votes.height, 61);
    rig->config.restarted = false;
}

static void lost_files_of_votes_are_amnesia(void **state) {
    (void)state;
    static const char *const lost[][3] = {{"votes.db", NULL, NULL},
                                          {"votes.db-wal", NULL, NULL},
                                          {"votes.db", "votes.db-wal", NULL},
                                          {"sentinel", NULL, NULL},
                                          {"sentinel", "votes.db", "votes.db-wal"}};
    struct rig *rig = rig_new(5000, DURABILITY_POWER);
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        rig_live(rig, 3);
        for (size_t j = 0; j < 3 && lost[i][j] != NULL; j++)
            assert_true(ledger_disk_unlink(rig->disk, lost[i][j]));
        check_amnesia(rig);
    }
    rig_live(rig, 3);
    ledger_disk_wipe(rig->disk); /* row 27: an emptied directory, and the caller knows that it had one */
    check_amnesia(rig);
    rig_free(rig);
}

static void a_directory_put_back_from_a_copy_is_amnesia(void **state) {
    (void)state;
    struct rig *rig = rig_new(5000, DURABILITY_POWER);
    for (uint64_t when = 0; when <= 3; when++) {
        struct ledger_disk *copy;
        rig_live(rig, when);
        assert_int_equal(ledger_disk_copy(rig->disk, &copy), STATUS_OK);
        rig_must_open(rig, when == 0 ? LEDGER_FRESH : LEDGER_INTACT);
        assert_int_equal(rig_work(rig, 4), STATUS_OK);
        rig_kill(rig);
        assert_int_equal(ledger_disk_restore(rig->disk, copy), STATUS_OK);
        check_amnesia(rig);
        ledger_disk_close(copy);
    }
    rig_free(rig);
}

/* What was signed is the same, but not what goes with it. */
static void an_older_lock_beside_the_same_signature_is_amnesia(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    rig_must_open(rig, LEDGER_FRESH);
    struct ledger_votes votes = rig_votes(rig, 1, VOTE_PREVOTE);
    assert_int_equal(ledger_store_put_votes(rig->store, &votes, NULL, 0), STATUS_OK);
    uint64_t size = ledger_disk_size(rig->disk, "votes.db-wal");
    votes.valid_round = 0;
    votes.valid_block_id.bytes[0] = 1;
    assert_int_equal(ledger_store_put_votes(rig->store, &votes, (const uint8_t *)"block", 5), STATUS_OK);
    rig_kill(rig);
    assert_true(ledger_disk_truncate(rig->disk, "votes.db-wal", size));
    check_amnesia(rig);
    rig_free(rig);
}

/* After damage to votes.db or its WAL: amnesia, or everything acknowledged is there. */
static bool amnesia_or_complete(struct rig *rig) {
    if (rig_open(rig) != STATUS_OK)
        fail_msg("%s", rig->error.text);
    if (ledger_store_condition(rig->store) == LEDGER_AMNESIA)
        return true;
    assert_int_equal(ledger_store_condition(rig->store), LEDGER_INTACT);
    rig_check(rig);
    return false;
}

static void a_wal_of_votes_cut_anywhere_is_amnesia(void **state) {
    (void)state;
    struct rig *rig = rig_new(1200, DURABILITY_POWER);
    rig_live(rig, 3);
    uint64_t size = ledger_disk_size(rig->disk, "votes.db-wal");
    assert_true(size > 20000);
    for (uint64_t cut = 0; cut < size; cut += 1021) {
        rig_live(rig, 3);
        assert_int_equal(ledger_disk_size(rig->disk, "votes.db-wal"), size);
        assert_true(ledger_disk_truncate(rig->disk, "votes.db-wal", cut));
        assert_true(amnesia_or_complete(rig)); /* the last commit ends where the file ends */
    }
    check_amnesia(rig);
    rig_free(rig);
}

static void a_bit_flipped_in_the_wal_of_votes_is_amnesia(void **state) {
    (void)state;
    struct rig *rig = rig_new(1200, DURABILITY_POWER);
    rig_live(rig, 3);
    uint64_t size = ledger_disk_size(rig->disk, "votes.db-wal");
    for (uint64_t bit = 0; bit < 8 * size; bit += 8 * 997 + 3) {
        rig_live(rig, 3);
        assert_true(ledger_disk_flip(rig->disk, "votes.db-wal", bit));
        assert_true(amnesia_or_complete(rig));
    }
    rig_free(rig);
}

/* Long enough that the WAL was moved into votes.db. */
static void fill_votes(struct rig *rig) {
    rig_reset(rig);
    rig_must_open(rig, LEDGER_FRESH);
    for (uint64_t height = 1; height <= RIG_HEIGHTS_MAX; height++)
        for (uint8_t step = VOTE_PROPOSAL; step <= VOTE_PRECOMMIT; step++)
            assert_int_equal(rig_vote(rig, height, step), STATUS_OK);
    rig_kill(rig);
}

static void a_page_of_votes_zeroed_or_a_bit_flipped_is_amnesia(void **state) {
    (void)state;
    struct rig *rig = rig_new(20000, DURABILITY_PROCESS);
    uint32_t hidden = 0;
    fill_votes(rig);
    uint64_t pages = ledger_disk_size(rig->disk, "votes.db") / 4096;
    assert_true(pages > 4);
    for (uint64_t page = 0; page < pages; page++) {
        fill_votes(rig);
        assert_true(ledger_disk_zero(rig->disk, "votes.db", page * 4096, 4096));
        hidden += !amnesia_or_complete(rig); /* the WAL has that page too */
        fill_votes(rig);
        assert_true(ledger_disk_unlink(rig->disk, "votes.db-wal"));
        assert_true(ledger_disk_flip(rig->disk, "votes.db", 8 * 4096 * page + 8 * 40 + 1));
        assert_true(amnesia_or_complete(rig));
    }
    assert_true(hidden > 0);
    rig_free(rig);
}

static void both_slots_of_the_sentinel_must_go_before_it_is_lost(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    for (int slots = 0; slots < 4; slots++) {
        rig_live(rig, 3);
        if (slots & 1)
            assert_true(ledger_disk_flip(rig->disk, "sentinel", 70));
        if (slots & 2)
            assert_true(ledger_disk_flip(rig->disk, "sentinel", UINT64_C(4096) * 8 + 70));
        if (slots == 3) {
            check_amnesia(rig);
        } else {
            rig_must_open(rig, LEDGER_INTACT);
            rig_check(rig);
            assert_int_equal(rig_work(rig, 5), STATUS_OK);
            rig_must_open(rig, LEDGER_INTACT);
        }
    }
    rig_free(rig);
}

static bool die_at_once(void *context, const char *point) {
    return strcmp(context, point) == 0;
}

static void a_process_may_die_while_amnesia_ends(void **state) {
    (void)state;
    static const char *const points[] = {"votes-before", "votes-inside", "votes-committed", "votes-sentinel"};
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        rig_live(rig, 3);
        assert_true(ledger_disk_unlink(rig->disk, "votes.db"));
        rig_must_open(rig, LEDGER_AMNESIA);
        char point[32];
        snprintf(point, sizeof point, "%s", points[i]);
        ledger_store_set_crash_point(rig->store, die_at_once, point);
        assert_int_equal(ledger_store_recover_votes(rig->store, 9), STATUS_STOPPED);
        rig_must_open(rig, i == 3 ? LEDGER_INTACT : LEDGER_AMNESIA);
        if (i < 3)
            assert_int_equal(ledger_store_recover_votes(rig->store, 9), STATUS_OK);
        assert_int_equal(rig_vote(rig, 8, VOTE_PRECOMMIT), STATUS_INVALID);
        assert_int_equal(rig_vote(rig, 9, VOTE_PREVOTE), STATUS_OK);
    }
    rig_free(rig);
}

/* ------------------------------------------------------------------------- damage to the chain (30, 31) */

/* Where `bytes` stand in a file; fails when nowhere. */
static uint64_t find_bytes(struct rig *rig, const char *name, const uint8_t *bytes, size_t size) {
    const struct disk_file *file = disk_find(rig->disk, name);
    assert_non_null(file);
    const uint8_t *found = memmem(file->data, (size_t)file->size, bytes, size);
    assert_non_null(found);
    return (uint64_t)(found - file->data);
}

/* A chain of 40 blocks that was moved out of the WAL, which is gone. */
static void settle_chain(struct rig *rig) {
    rig_live(rig, 40);
    assert_true(ledger_disk_size(rig->disk, "chain.db") > 4000000);
}

static void a_bit_flipped_in_a_block_is_seen_and_repaired(void **state) {
    (void)state;
    struct rig *rig = rig_new(300000, DURABILITY_PROCESS);
    uint8_t *data;
    size_t size;
    struct certificate certificate;
    settle_chain(rig);
    const struct rig_block *block = rig_block(rig, 5), *other = rig_block(rig, 6);
    uint64_t place = find_bytes(rig, "chain.db", block->data + 4000, 200);
    assert_true(ledger_disk_flip(rig->disk, "chain.db", 8 * place + 77));
    rig_must_open(rig, LEDGER_INTACT); /* SQLite sees nothing, and only the last blocks are looked at */
    assert_int_equal(ledger_store_get_block(rig->store, 5, &data, &size, &certificate), STATUS_FAILED);
    assert_int_equal(ledger_store_get_block(rig->store, 4, &data, &size, &certificate), STATUS_OK);
    free(data);
    assert_int_equal(ledger_store_repair_block(rig->store, 5, other->data, other->size, &other->certificate),
                     STATUS_INVALID);
    assert_int_equal(ledger_store_repair_block(rig->store, 5, block->data, block->size, &block->certificate),
                     STATUS_OK);
    rig->config.deep = true;
    rig_must_open(rig, LEDGER_INTACT);
    rig_check(rig);
    rig_free(rig);
}

static void a_deep_open_finds_what_a_quick_one_leaves_to_the_reader(void **state) {
    (void)state;
    struct rig *rig = rig_new(300000, DURABILITY_PROCESS);
    settle_chain(rig);
    uint64_t place = find_bytes(rig, "chain.db", rig_block(rig, 7)->data + 9000, 200);
    assert_true(ledger_disk_flip(rig->disk, "chain.db", 8 * place));
    rig_must_open(rig, LEDGER_INTACT);
    rig->config.deep = true;
    assert_int_equal(rig_open(rig), STATUS_FAILED);
    assert_int_equal(ledger_store_discard_chain(&rig->config, &rig->error), STATUS_OK);
    rig_must_open(rig, LEDGER_INTACT); /* what was signed is known still */
    assert_int_equal(ledger_store_height(rig->store), 0);
    assert_int_equal(rig_vote(rig, 39, VOTE_PRECOMMIT), STATUS_INVALID);
    for (uint64_t height = 1; height <= 40; height++) /* from the peers */
        assert_int_equal(rig_commit(rig, height), STATUS_OK);
    rig_must_open(rig, LEDGER_INTACT);
    rig_check(rig);
    rig_free(rig);
}

static void a_bit_flipped_in_the_state_is_seen(void **state) {
    (void)state;
    struct rig *rig = rig_new(300000, DURABILITY_PROCESS);
    settle_chain(rig);
    assert_true(ledger_disk_unlink(rig->disk, "chain.db-wal")); /* which holds that row, too */
    rig_must_open(rig, LEDGER_INTACT);
    uint64_t tip = ledger_store_height(rig->store);
    assert_in_range(tip, 20, 39);
    rig_kill(rig);
    const uint8_t *content = rig_block(rig, tip)->state;
    uint64_t place = find_bytes(rig, "chain.db", content, sizeof rig->blocks[tip].state);
    assert_true(ledger_disk_flip(rig->disk, "chain.db", 8 * place + 100));
    assert_int_equal(rig_open(rig), STATUS_FAILED);
    rig_free(rig);
}

static void a_reader_of_a_damaged_chain_is_told_block_by_block(void **state) {
    (void)state;
    struct rig *rig = rig_new(300000, DURABILITY_PROCESS);
    uint8_t *data;
    size_t size;
    settle_chain(rig);
    uint64_t place = find_bytes(rig, "chain.db", rig_block(rig, 7)->data + 9000, 200);
    assert_true(ledger_disk_flip(rig->disk, "chain.db", 8 * place));
    rig->config.read_only = true;
    rig_must_open(rig, LEDGER_INTACT);
    assert_int_equal(ledger_store_get_block(rig->store, 7, &data, &size, NULL), STATUS_FAILED);
    assert_int_equal(ledger_store_get_block(rig->store, 8, &data, &size, NULL), STATUS_OK);
    free(data);
    assert_true(ledger_disk_unlink(rig->disk, "chain.db-wal"));
    assert_true(ledger_disk_zero(rig->disk, "chain.db", 0, 100)); /* not even a database any more */
    rig_must_open(rig, LEDGER_INTACT);
    assert_int_equal(ledger_store_get_block(rig->store, 8, &data, &size, NULL), STATUS_FAILED);
    rig->config.read_only = false;
    assert_int_equal(rig_open(rig), STATUS_FAILED);
    rig_free(rig);
}

static void a_bit_flipped_in_a_model_is_seen_and_the_model_forgotten(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_PROCESS);
    size_t size = 9000000, found_size;
    uint8_t *blob = malloc(size), *found;
    assert_non_null(blob);
    for (size_t i = 0; i < size; i++)
        blob[i] = (uint8_t)(i * i >> 7);
    struct hash hash = blob_hash(blob, size);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(ledger_store_put_blob(rig->store, &hash, blob, size), STATUS_OK);
    rig_kill(rig);
    assert_true(ledger_disk_unlink(rig->disk, "blobs.db-wal")); /* all of it was moved */
    uint64_t place = find_bytes(rig, "blobs.db", blob + 5000000, 300);
    assert_true(ledger_disk_flip(rig->disk, "blobs.db", 8 * place + 5));
    rig_must_open(rig, LEDGER_FRESH);
    assert_true(ledger_store_has_blob(rig->store, &hash));
    assert_int_equal(ledger_store_get_blob(rig->store, &hash, &found, &found_size), STATUS_FAILED);
    assert_false(ledger_store_has_blob(rig->store, &hash));
    assert_int_equal(ledger_store_put_blob(rig->store, &hash, blob, size), STATUS_OK); /* from a peer */
    assert_int_equal(ledger_store_get_blob(rig->store, &hash, &found, &found_size), STATUS_OK);
    assert_memory_equal(found, blob, size);
    free(found);
    free(blob);
    rig_free(rig);
}

/* Reads everything: each block is the one that was written, or is said to be damaged. */
static void check_no_wrong_bytes(struct rig *rig, uint64_t last) {
    for (uint64_t height = 1; height <= last; height++) {
        uint8_t *data;
        size_t size;
        enum status status = ledger_store_get_block(rig->store, height, &data, &size, NULL);
        assert_true(status == STATUS_OK || status == STATUS_FAILED || status == STATUS_INVALID);
        if (status != STATUS_OK)
            continue;
        assert_int_equal(size, rig_block(rig, height)->size);
        assert_memory_equal(data, rig_block(rig, height)->data, size);
        free(data);
    }
}

static void a_page_of_the_chain_zeroed_is_never_read_as_content(void **state) {
    (void)state;
    struct rig *rig = rig_new(60000, DURABILITY_PROCESS);
    struct ledger_disk *whole;
    uint32_t damaged = 0;
    rig_must_open(rig, LEDGER_FRESH);
    for (uint64_t height = 1; height <= 125; height++)
        assert_int_equal(rig_commit(rig, height), STATUS_OK);
    rig_kill(rig);
    assert_int_equal(ledger_disk_copy(rig->disk, &whole), STATUS_OK);
    uint64_t pages = ledger_disk_size(rig->disk, "chain.db") / 8192;
    assert_true(pages > 500);
    for (uint64_t page = 0; page < pages; page += page < 12 ? 1 : 61) {
        assert_int_equal(ledger_disk_restore(rig->disk, whole), STATUS_OK);
        assert_true(ledger_disk_zero(rig->disk, "chain.db", page * 8192, 8192));
        enum status status = rig_open(rig);
        assert_true(status == STATUS_OK || status == STATUS_FAILED);
        if (status == STATUS_OK) {
            check_no_wrong_bytes(rig, 125);
            continue;
        }
        damaged++;
        assert_int_equal(ledger_store_discard_chain(&rig->config, &rig->error), STATUS_OK);
        assert_int_equal(rig_open(rig), STATUS_OK);
        assert_int_equal(ledger_store_height(rig->store), 0);
    }
    assert_true(damaged > 12);
    ledger_disk_close(whole);
    rig_free(rig);
}

static void a_chain_that_lost_its_wal_is_a_shorter_chain(void **state) {
    (void)state;
    struct rig *rig = rig_new(5000, DURABILITY_POWER);
    for (uint64_t life = 0; life < 12; life++) {
        rig_live(rig, 6);
        uint64_t size = ledger_disk_size(rig->disk, "chain.db-wal");
        assert_true(ledger_disk_truncate(rig->disk, "chain.db-wal", size * life / 12));
        rig_must_open(rig, LEDGER_INTACT);
        uint64_t height = ledger_store_height(rig->store);
        assert_true(height < 6);
        assert_non_null(strstr(ledger_store_reason(rig->store), "caught up"));
        check_no_wrong_bytes(rig, height);
        while (++height <= 6)
            assert_int_equal(rig_commit(rig, height), STATUS_OK);
        rig_check(rig);
    }
    rig_free(rig);
}

/* ----------------------------------------------------------------------- files that go away meanwhile (34)
 */

static void a_file_removed_while_open_stops_the_validator(void **state) {
    (void)state;
    static const char *const names[] = {"votes.db", "votes.db-wal", "chain.db", "chain.db-wal",
                                        "blobs.db", "blobs.db-wal", "sentinel"};
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool sentinel = strcmp(names[i], "sentinel") == 0;
        for (int replaced = 0; replaced < 2; replaced++) {
            rig_live(rig, 2);
            rig_must_open(rig, LEDGER_INTACT);
            assert_true(ledger_disk_unlink(rig->disk, names[i]));
            if (replaced)
                assert_int_equal(disk_put_file(rig->disk, names[i], "other", 5), STATUS_OK);
            enum status vote = rig_vote(rig, 3, VOTE_PREVOTE), commit = rig_commit(rig, 3),
                        blob = rig_put_blob(rig, 3);
            enum status last = names[i][0] == 'v' || sentinel ? vote : names[i][0] == 'c' ? commit : blob;
            assert_int_equal(last, STATUS_IO);
            assert_int_equal(blob, STATUS_IO); /* after the first failure nothing goes any more */
        }
    }
    rig_free(rig);
}

static void a_disk_serves_one_store_at_a_time(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    struct ledger_store *second;
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(ledger_store_open(&rig->config, &second, &rig->error), STATUS_IO);
    assert_null(second);
    assert_int_equal(ledger_store_discard_chain(&rig->config, &rig->error), STATUS_IO);
    assert_int_equal(rig_work(rig, 2), STATUS_OK);
    rig_free(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_files_of_votes_are_amnesia),
        cmocka_unit_test(a_directory_put_back_from_a_copy_is_amnesia),
        cmocka_unit_test(an_older_lock_beside_the_same_signature_is_amnesia),
        cmocka_unit_test(a_wal_of_votes_cut_anywhere_is_amnesia),
        cmocka_unit_test(a_bit_flipped_in_the_wal_of_votes_is_amnesia),
        cmocka_unit_test(a_page_of_votes_zeroed_or_a_bit_flipped_is_amnesia),
        cmocka_unit_test(both_slots_of_the_sentinel_must_go_before_it_is_lost),
        cmocka_unit_test(a_process_may_die_while_amnesia_ends),
        cmocka_unit_test(a_bit_flipped_in_a_block_is_seen_and_repaired),
        cmocka_unit_test(a_deep_open_finds_what_a_quick_one_leaves_to_the_reader),
        cmocka_unit_test(a_bit_flipped_in_the_state_is_seen),
        cmocka_unit_test(a_reader_of_a_damaged_chain_is_told_block_by_block),
        cmocka_unit_test(a_bit_flipped_in_a_model_is_seen_and_the_model_forgotten),
        cmocka_unit_test(a_page_of_the_chain_zeroed_is_never_read_as_content),
        cmocka_unit_test(a_chain_that_lost_its_wal_is_a_shorter_chain),
        cmocka_unit_test(a_file_removed_while_open_stops_the_validator),
        cmocka_unit_test(a_disk_serves_one_store_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
