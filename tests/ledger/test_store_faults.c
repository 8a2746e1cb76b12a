/* Goal: whatever a disk refuses, or loses with the power, while a validator works (specs/chain.md, 3.3 rows
 * 32, 33, 35 and 36), what was acknowledged is there afterwards and the store goes on. Method: a short life
 * of a validator on a disk in memory; the fault strikes at each write and at each sync in turn. */
#include "tests/ledger/store_rig.h"

#include "common/ledger/disk_file.h"

/* ------------------------------------------------------ the disk fails while it works (rows 32, 33) */

/* Opens after whatever happened; goes on when it can, and must then reach height `last`. Fresh is right only
 * when nothing was acknowledged. */
static void open_and_go_on(struct rig *rig, uint64_t last) {
    if (rig_open(rig) != STATUS_OK)
        fail_msg("%s", rig->error.text);
    enum ledger_condition condition = ledger_store_condition(rig->store);
    assert_int_not_equal(condition, LEDGER_AMNESIA);
    if (condition == LEDGER_FRESH)
        assert_int_equal(rig->signed_height + rig->height, 0);
    rig_check(rig);
    assert_int_equal(rig_work(rig, last), STATUS_OK);
    rig_check(rig);
}

/* Works with `fault` set; true when it struck. Then the store is closed to writes. */
static bool work_under(struct rig *rig, enum ledger_disk_fault fault, uint64_t after) {
    rig_reset(rig);
    rig_must_open(rig, LEDGER_FRESH);
    ledger_disk_set_fault(rig->disk, fault, after);
    enum status status = rig_work(rig, 3);
    if (status == STATUS_OK)
        return false;
    assert_int_equal(status, STATUS_IO);
    assert_true(strlen(ledger_store_reason(rig->store)) > 0);
    ledger_disk_set_fault(rig->disk, DISK_SOUND, 0);
    assert_int_equal(rig_put_blob(rig, 90), STATUS_IO); /* no second try in this life */
    return true;
}

static void a_write_that_fails_stops_the_validator_and_costs_nothing(void **state) {
    (void)state;
    uint32_t struck = 0;
    struct rig *rig = rig_new(9000, DURABILITY_POWER);
    for (uint64_t after = 1; work_under(rig, DISK_FAIL_WRITE, after); after++, struck++)
        open_and_go_on(rig, 4);
    assert_true(struck > 60);
    rig_free(rig);
}

static void a_sync_that_fails_stops_the_validator_and_costs_nothing(void **state) {
    (void)state;
    uint32_t struck = 0;
    struct rig *rig = rig_new(9000, DURABILITY_POWER);
    for (uint64_t after = 1; work_under(rig, DISK_FAIL_SYNC, after); after++, struck++)
        open_and_go_on(rig, 4);
    assert_true(struck > 20);
    rig_free(rig);
}

static void a_full_disk_stops_the_validator_until_there_is_space(void **state) {
    (void)state;
    uint32_t struck = 0;
    struct rig *rig = rig_new(9000, DURABILITY_POWER);
    for (uint64_t room = 0; work_under(rig, DISK_FULL, room); room += 2048, struck++) {
        ledger_disk_set_fault(rig->disk, DISK_FULL, 0);
        if (rig_open(rig) == STATUS_OK) { /* still full: it may look, not write */
            rig_check(rig);
            assert_int_equal(rig_vote(rig, 50, VOTE_PREVOTE), STATUS_IO);
        }
        ledger_disk_set_fault(rig->disk, DISK_SOUND, 0);
        rig->config.restarted = true;
        open_and_go_on(rig, 4);
        rig->config.restarted = false;
    }
    assert_true(struck > 60);
    rig_free(rig);
}

static void a_store_that_cannot_be_made_is_made_later(void **state) {
    (void)state;
    static const enum ledger_disk_fault faults[] = {DISK_FAIL_WRITE, DISK_FAIL_SYNC, DISK_FULL};
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        uint32_t struck = 0;
        for (uint64_t after = 1; struck == after - 1; after++) {
            rig_reset(rig);
            ledger_disk_set_fault(rig->disk, faults[i], faults[i] == DISK_FULL ? 512 * after : after);
            enum status status = rig_open(rig);
            ledger_disk_set_fault(rig->disk, DISK_SOUND, 0);
            if (status == STATUS_OK)
                continue;
            assert_int_equal(status, STATUS_IO);
            struck++;
            if (after % 2 == 0)
                ledger_disk_lose_power(rig->disk, after);
            open_and_go_on(rig, 2);
        }
        assert_true(struck > 5);
    }
    rig_free(rig);
}

/* ------------------------------------------------------------------------------- loss of power (35, 36) */

static void lose_power_after(struct rig *rig, enum ledger_disk_fault fault, uint64_t after, uint64_t seed) {
    rig_kill(rig);
    ledger_disk_lose_power(rig->disk, seed * 1000003 + after * 10 + (uint64_t)fault);
}

static void loss_of_power_at_each_write_and_sync_keeps_what_was_acknowledged(void **state) {
    (void)state;
    static const enum ledger_disk_fault faults[] = {DISK_FAIL_WRITE, DISK_FAIL_SYNC};
    struct rig *rig = rig_new(5000, DURABILITY_POWER);
    for (size_t i = 0; i < 2; i++)
        for (uint64_t seed = 0; seed < 2; seed++)
            for (uint64_t after = 1; work_under(rig, faults[i], after); after++) {
                lose_power_after(rig, faults[i], after, seed);
                open_and_go_on(rig, 3);
            }
    rig_free(rig);
}

static void loss_of_power_between_calls_keeps_what_was_acknowledged(void **state) {
    (void)state;
    struct rig *rig = rig_new(5000, DURABILITY_POWER);
    rig_must_open(rig, LEDGER_FRESH);
    for (uint64_t life = 1; life <= 40; life++) {
        assert_int_equal(rig_work(rig, life), STATUS_OK);
        rig_kill(rig);
        ledger_disk_lose_power(rig->disk, life);
        rig_must_open(rig, LEDGER_INTACT);
        rig_check(rig);
    }
    rig_free(rig);
}

static void the_move_of_the_wal_into_the_database_survives_loss_of_power(void **state) {
    (void)state;
    struct rig *rig = rig_new(400000, DURABILITY_POWER);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(rig_work(rig, 9), STATUS_OK);
    struct ledger_disk *before;
    assert_int_equal(ledger_disk_copy(rig->disk, &before), STATUS_OK);
    uint32_t struck = 0, moved = 0;
    for (uint64_t after = 1;; after += 1 + struck / 2) {
        struct rig *copy = rig_new(400000, DURABILITY_POWER);
        assert_int_equal(ledger_disk_restore(copy->disk, before), STATUS_OK);
        rig_kill(copy);
        copy->config.restarted = true;
        rig_must_open(copy, LEDGER_AMNESIA); /* restored: its own life goes on above what was signed */
        assert_int_equal(ledger_store_recover_votes(copy->store, 11), STATUS_OK);
        copy->height = 9;
        ledger_disk_set_fault(copy->disk, DISK_FAIL_SYNC, after);
        enum status status = rig_commit(copy, 10);
        for (uint64_t height = 11; status == STATUS_OK && height <= 26; height++)
            status = rig_commit(copy, height);
        if (status == STATUS_OK) /* no failure of a sync was kept from the caller */
            assert_true(copy->disk->fault_calls < after);
        else
            assert_int_equal(copy->disk->fault_calls, after);
        ledger_disk_set_fault(copy->disk, DISK_SOUND, 0);
        moved += ledger_disk_size(copy->disk, "chain.db") > 3000000;
        if (status == STATUS_OK) {
            rig_free(copy);
            break;
        }
        struck++;
        rig_kill(copy);
        ledger_disk_lose_power(copy->disk, after);
        rig_must_open(copy, LEDGER_INTACT);
        rig_check(copy);
        rig_free(copy);
    }
    assert_true(struck > 10);
    assert_true(moved > 0);
    ledger_disk_close(before);
    rig_free(rig);
}

static void a_disk_that_lies_about_syncs_is_found_out_or_is_simply_older(void **state) {
    (void)state;
    uint32_t amnesia = 0, older = 0;
    struct rig *rig = rig_new(5000, DURABILITY_POWER);
    for (uint64_t seed = 0; seed < 60; seed++) {
        rig_reset(rig);
        rig->config.restarted = false;
        rig_must_open(rig, LEDGER_FRESH);
        assert_int_equal(rig_work(rig, 2), STATUS_OK);
        ledger_disk_set_fault(rig->disk, DISK_LYING_SYNC, 0);
        assert_int_equal(rig_work(rig, 4), STATUS_OK);
        rig_kill(rig);
        ledger_disk_lose_power(rig->disk, seed);
        ledger_disk_set_fault(rig->disk, DISK_SOUND, 0);
        rig->config.restarted = true;
        if (rig_open(rig) == STATUS_FAILED) {
            assert_int_equal(ledger_store_discard_chain(&rig->config, &rig->error), STATUS_OK);
            assert_int_equal(rig_open(rig), STATUS_OK);
        }
        assert_int_not_equal(ledger_store_condition(rig->store), LEDGER_FRESH);
        amnesia += ledger_store_condition(rig->store) == LEDGER_AMNESIA;
        older += ledger_store_condition(rig->store) == LEDGER_INTACT;
    }
    assert_true(amnesia > 5); /* the sentinel got through, votes.db did not */
    assert_true(older > 5);   /* none of this can be seen: one of the f */
    rig_free(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_fails_stops_the_validator_and_costs_nothing),
        cmocka_unit_test(a_sync_that_fails_stops_the_validator_and_costs_nothing),
        cmocka_unit_test(a_full_disk_stops_the_validator_until_there_is_space),
        cmocka_unit_test(a_store_that_cannot_be_made_is_made_later),
        cmocka_unit_test(loss_of_power_at_each_write_and_sync_keeps_what_was_acknowledged),
        cmocka_unit_test(loss_of_power_between_calls_keeps_what_was_acknowledged),
        cmocka_unit_test(the_move_of_the_wal_into_the_database_survives_loss_of_power),
        cmocka_unit_test(a_disk_that_lies_about_syncs_is_found_out_or_is_simply_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
