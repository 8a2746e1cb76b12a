/* Goal: the store keeps its promises where nothing goes wrong with the disk: what was committed is there
 * after opening again, votes only go forward, writing again is harmless, and a process that dies at any named
 * point leaves a store that can go on. Method: a store on a disk in memory; every crash point is died at in
 * turn. */
#include "tests/ledger/store_rig.h"

#include <stdio.h>

static void a_new_store_is_fresh_and_empty(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    struct ledger_votes votes;
    struct hash id = {.bytes = {1}};
    uint8_t *data;
    size_t size;
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(ledger_store_height(rig->store), 0);
    assert_int_equal(ledger_store_get_votes(rig->store, &votes), STATUS_INVALID);
    assert_int_equal(ledger_store_get_block(rig->store, 1, &data, &size, NULL), STATUS_INVALID);
    assert_int_equal(ledger_store_get_state(rig->store, 0, &data, &size), STATUS_INVALID);
    assert_int_equal(ledger_store_get_proposal_block(rig->store, &id, &data, &size), STATUS_INVALID);
    assert_int_equal(ledger_store_get_blob(rig->store, &id, &data, &size), STATUS_INVALID);
    assert_false(ledger_store_has_blob(rig->store, &id));
    assert_int_equal(ledger_store_checkpoint(rig->store), STATUS_INVALID);
    rig_must_open(rig, LEDGER_FRESH); /* opening alone changes nothing */
    rig_free(rig);
}

static void what_was_written_is_there_after_opening_again(void **state) {
    (void)state;
    for (int durability = DURABILITY_POWER; durability <= DURABILITY_PROCESS; durability++) {
        struct rig *rig = rig_new(40000, (enum ledger_durability)durability);
        rig_must_open(rig, LEDGER_FRESH);
        assert_int_equal(rig_work(rig, 20), STATUS_OK);
        rig->config.deep = true;
        rig_must_open(rig, LEDGER_INTACT);
        assert_int_equal(ledger_store_height(rig->store), 20);
        rig_check(rig);
        for (uint64_t height = 1; height <= 20; height++) {
            uint8_t expected[RIG_BLOB_BYTES], *data;
            size_t size;
            struct hash hash = rig_blob(height, expected);
            enum status status = ledger_store_get_blob(rig->store, &hash, &data, &size);
            assert_int_equal(status, height % 3 == 2 && height < 18 ? STATUS_INVALID : STATUS_OK);
            if (status != STATUS_OK)
                continue;
            assert_int_equal(size, sizeof expected);
            assert_memory_equal(data, expected, size);
            free(data);
        }
        rig_free(rig);
    }
}

static void every_field_of_the_votes_comes_back(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    struct ledger_votes votes = rig_votes(rig, 7, VOTE_PROPOSAL), back;
    votes.round = 3;
    votes.locked_round = 1;
    votes.valid_round = 2;
    votes.locked_block_id.bytes[3] = 9;
    votes.valid_block_id.bytes[31] = 8;
    votes.proposal.round = 3;
    votes.polka_bitmap = UINT64_C(1) << 63 | 5;
    memset(votes.polka, 0xa5, sizeof votes.polka);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(ledger_store_put_votes(rig->store, &votes, (const uint8_t *)"block", 5), STATUS_OK);
    rig_must_open(rig, LEDGER_INTACT);
    assert_int_equal(ledger_store_get_votes(rig->store, &back), STATUS_OK);
    assert_int_equal(back.epoch, 1);
    back.epoch = votes.epoch;
    assert_memory_equal(&back, &votes, sizeof votes);
    rig_free(rig);
}

static void votes_go_forward_or_are_the_same_bytes(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    rig_must_open(rig, LEDGER_FRESH);
    struct ledger_votes votes = rig_votes(rig, 5, VOTE_PREVOTE);
    votes.round = 2;
    assert_int_equal(ledger_store_put_votes(rig->store, &votes, NULL, 0), STATUS_OK);
    static const struct {
        uint64_t height;
        uint32_t round;
        uint8_t step;
    } past[] = {{4, 9, 3}, {5, 1, 3}, {5, 2, 1}, {5, 2, 0}, {0, 0, 0}, {6, 0, 4}};
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
            struct ledger_votes other = votes;
            other.height = past[i].height;
            other.round = past[i].round;
            other.step = past[i].step;
            assert_int_equal(ledger_store_put_votes(rig->store, &other, NULL, 0), STATUS_INVALID);
            assert_true(strlen(ledger_store_reason(rig->store)) > 0);
        }
        struct ledger_votes other = votes;
        other.sign_bytes[SIGN_BYTES - 1] ^= 1;
        assert_int_equal(ledger_store_put_votes(rig->store, &other, NULL, 0), STATUS_INVALID);
        uint64_t writes = ledger_disk_counters(rig->disk)->writes;
        assert_int_equal(ledger_store_put_votes(rig->store, &votes, NULL, 0), STATUS_OK);
        assert_int_equal(ledger_disk_counters(rig->disk)->writes, writes); /* nothing new: nothing written */
        rig_must_open(rig, LEDGER_INTACT); /* and the same once more after opening again */
    }
    struct ledger_votes later = votes; /* same signature, but a valid value was found meanwhile */
    later.valid_round = 2;
    later.valid_block_id.bytes[0] = 1;
    assert_int_equal(ledger_store_put_votes(rig->store, &later, (const uint8_t *)"b", 1), STATUS_OK);
    rig_must_open(rig, LEDGER_INTACT);
    assert_int_equal(ledger_store_get_votes(rig->store, &votes), STATUS_OK);
    assert_int_equal(votes.valid_round, 2);
    rig_free(rig);
}

static void the_locked_and_the_valid_block_are_kept_until_neither_is(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    static const char *const bytes[] = {"zero", "one", "two", "three"};
    struct hash ids[4] = {{.bytes = {1}}, {.bytes = {2}}, {.bytes = {3}}, {.bytes = {4}}};
    uint8_t *data;
    size_t size;
    rig_must_open(rig, LEDGER_FRESH);
    struct ledger_votes votes = rig_votes(rig, 1, VOTE_PREVOTE);
    votes.locked_block_id = ids[0];
    for (uint32_t i = 0; i < 4; i++) { /* locked on the first, the valid value changes each round */
        votes.round = i;
        votes.valid_block_id = ids[i];
        assert_int_equal(
            ledger_store_put_votes(rig->store, &votes, (const uint8_t *)bytes[i], strlen(bytes[i])),
            STATUS_OK);
        rig_must_open(rig, LEDGER_INTACT);
        for (uint32_t j = 0; j < 4; j++) {
            bool kept = j == 0 || j == i;
            assert_int_equal(ledger_store_get_proposal_block(rig->store, &ids[j], &data, &size),
                             kept ? STATUS_OK : STATUS_INVALID);
            if (!kept)
                continue;
            assert_int_equal(size, strlen(bytes[j]));
            assert_memory_equal(data, bytes[j], size);
            free(data);
        }
    }
    votes = rig_votes(rig, 2, VOTE_PREVOTE);
    assert_int_equal(ledger_store_put_votes(rig->store, &votes, NULL, 0), STATUS_OK);
    for (uint32_t j = 0; j < 4; j++)
        assert_int_equal(ledger_store_get_proposal_block(rig->store, &ids[j], &data, &size), STATUS_INVALID);
    rig_free(rig);
}

static void a_commit_follows_the_tip_or_is_the_tip(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(rig_commit(rig, 2), STATUS_INVALID);
    assert_int_equal(rig_work(rig, 3), STATUS_OK);
    assert_int_equal(rig_commit(rig, 3), STATUS_OK); /* again */
    assert_int_equal(rig_commit(rig, 2), STATUS_INVALID);
    assert_int_equal(rig_commit(rig, 5), STATUS_INVALID);
    struct ledger_commit commit = rig_commit_of(rig, 3);
    struct certificate other = *commit.certificate;
    commit.certificate = &other;
    other.block_id.bytes[0] ^= 1;
    assert_int_equal(ledger_store_commit(rig->store, &commit), STATUS_INVALID); /* not its certificate */
    commit.block_id = other.block_id;
    assert_int_equal(ledger_store_commit(rig->store, &commit), STATUS_INVALID); /* another block at the tip */
    assert_int_equal(rig_commit(rig, 4), STATUS_OK);
    rig_must_open(rig, LEDGER_INTACT);
    rig_check(rig);
    rig_free(rig);
}

static void states_are_the_tip_and_the_newest_checkpoints(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(rig_work(rig, 16), STATUS_OK); /* checkpoints at 3, 6, 9, 12 and 15 */
    for (uint64_t height = 0; height <= 17; height++) {
        bool kept = height == 9 || height == 12 || height == 15 || height == 16;
        uint8_t *data;
        size_t size;
        assert_int_equal(ledger_store_get_state(rig->store, height, &data, &size),
                         kept ? STATUS_OK : STATUS_INVALID);
        if (!kept)
            continue;
        assert_int_equal(size, sizeof rig->blocks[height].state);
        assert_memory_equal(data, rig->blocks[height].state, size);
        free(data);
    }
    rig_free(rig);
}

static void a_chain_can_start_from_a_checkpoint(void **state) {
    (void)state;
    struct hash ids[40], found;
    uint8_t *data;
    size_t size;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    for (uint64_t height = 1; height <= 40; height++)
        ids[height - 1] = rig_block(rig, height)->id;
    for (uint64_t before = 0; before <= 5; before += 5) { /* on an empty chain, and on a lower one */
        rig_reset(rig);
        rig_must_open(rig, LEDGER_FRESH);
        assert_int_equal(rig_work(rig, before), STATUS_OK);
        struct ledger_commit commit = rig_commit_of(rig, 30);
        assert_int_equal(ledger_store_adopt(rig->store, &commit, ids), STATUS_OK);
        assert_int_equal(ledger_store_adopt(rig->store, &commit, ids), STATUS_INVALID); /* not lower now */
        rig->config.deep = true;
        rig_must_open(rig, LEDGER_INTACT);
        assert_int_equal(ledger_store_height(rig->store), 30);
        for (uint64_t height = 1; height <= 30; height++) {
            assert_int_equal(ledger_store_get_block_id(rig->store, height, &found), STATUS_OK);
            assert_true(hash_equal(&found, &ids[height - 1]));
            bool there = height <= before || height == 30;
            assert_int_equal(ledger_store_get_block(rig->store, height, &data, &size, NULL),
                             there ? STATUS_OK : STATUS_INVALID);
            if (there)
                free(data);
        }
        assert_int_equal(rig_commit(rig, 31), STATUS_OK);
        rig_must_open(rig, LEDGER_INTACT);
        assert_int_equal(ledger_store_height(rig->store), 31);
        rig->config.deep = false;
    }
    ids[30].bytes[0] ^= 1; /* a checkpoint of another chain */
    struct ledger_commit commit = rig_commit_of(rig, 40);
    assert_int_equal(ledger_store_adopt(rig->store, &commit, ids), STATUS_FAILED);
    rig_free(rig);
}

static void a_blob_is_what_its_hash_says(void **state) {
    (void)state;
    struct rig *rig = rig_new(500, DURABILITY_POWER);
    uint8_t data[RIG_BLOB_BYTES];
    struct hash hash = rig_blob(1, data);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(ledger_store_put_blob(rig->store, &hash, data, sizeof data - 1), STATUS_INVALID);
    assert_false(ledger_store_has_blob(rig->store, &hash));
    for (int again = 0; again < 2; again++)
        assert_int_equal(ledger_store_put_blob(rig->store, &hash, data, sizeof data), STATUS_OK);
    assert_true(ledger_store_has_blob(rig->store, &hash));
    for (int again = 0; again < 2; again++)
        assert_int_equal(ledger_store_drop_blob(rig->store, &hash), STATUS_OK);
    assert_false(ledger_store_has_blob(rig->store, &hash));
    rig_free(rig);
}

/* ------------------------------------------------------------------------------------- crash points */

struct countdown {
    uint32_t left; /* calls to live */
    char died_at[40];
};

static bool die_when_counted_down(void *context, const char *point) {
    struct countdown *countdown = context;
    if (--countdown->left > 0)
        return false;
    snprintf(countdown->died_at, sizeof countdown->died_at, "%s", point);
    return true;
}

static void a_process_may_die_at_every_point(void **state) {
    (void)state;
    static const char *const names[] = {
        "votes-before", "votes-inside", "votes-committed", "votes-sentinel", "blob-before", "blob-inside",
        "blob-after",   "chain-inside", "chain-committed", "chain-sentinel", "drop-inside", "drop-after"};
    uint32_t died[sizeof names / sizeof *names] = {0};
    struct rig *rig = rig_new(9000, DURABILITY_POWER);
    for (uint32_t life = 1;; life++) {
        struct countdown countdown = {.left = life};
        rig_reset(rig);
        rig_must_open(rig, LEDGER_FRESH);
        ledger_store_set_crash_point(rig->store, die_when_counted_down, &countdown);
        enum status status = rig_work(rig, 4);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_STOPPED);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            died[i] += strcmp(names[i], countdown.died_at) == 0;
        struct ledger_votes votes;
        assert_int_equal(rig_put_blob(rig, 9), STATUS_STOPPED); /* nobody there any more */
        assert_int_equal(ledger_store_get_votes(rig->store, &votes), STATUS_STOPPED);
        rig->config.restarted = true;
        bool untouched = life <= 2; /* before the first commit */
        rig_must_open(rig, untouched ? LEDGER_FRESH : LEDGER_INTACT);
        rig->config.restarted = false;
        rig_check(rig);
        assert_int_equal(rig_work(rig, 5), STATUS_OK);
        rig_check(rig);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(died[i] > 0);
    rig_free(rig);
}

static void a_vote_is_durable_before_the_call_returns_and_not_earlier(void **state) {
    (void)state;
    static const struct {
        const char *point;
        bool kept;
    } cases[] = {{"votes-before", false},
                 {"votes-inside", false},
                 {"votes-committed", true},
                 {"votes-sentinel", true}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct countdown countdown = {.left = i + 1};
        struct ledger_votes votes;
        struct rig *rig = rig_new(500, DURABILITY_POWER);
        rig_must_open(rig, LEDGER_FRESH);
        ledger_store_set_crash_point(rig->store, die_when_counted_down, &countdown);
        assert_int_equal(rig_vote(rig, 1, VOTE_PREVOTE), STATUS_STOPPED);
        assert_string_equal(countdown.died_at, cases[i].point);
        rig_kill(rig);
        ledger_disk_lose_power(rig->disk, i);
        rig_must_open(rig, cases[i].kept ? LEDGER_INTACT : LEDGER_FRESH);
        assert_int_equal(ledger_store_get_votes(rig->store, &votes),
                         cases[i].kept ? STATUS_OK : STATUS_INVALID);
        rig_free(rig);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_is_fresh_and_empty),
        cmocka_unit_test(what_was_written_is_there_after_opening_again),
        cmocka_unit_test(every_field_of_the_votes_comes_back),
        cmocka_unit_test(votes_go_forward_or_are_the_same_bytes),
        cmocka_unit_test(the_locked_and_the_valid_block_are_kept_until_neither_is),
        cmocka_unit_test(a_commit_follows_the_tip_or_is_the_tip),
        cmocka_unit_test(states_are_the_tip_and_the_newest_checkpoints),
        cmocka_unit_test(a_chain_can_start_from_a_checkpoint),
        cmocka_unit_test(a_blob_is_what_its_hash_says),
        cmocka_unit_test(a_process_may_die_at_every_point),
        cmocka_unit_test(a_vote_is_durable_before_the_call_returns_and_not_earlier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
