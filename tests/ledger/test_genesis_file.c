/* Goal: the genesis beside a ledger is written once, read back as it was, and never taken for another one.
 * Method: a folder of the test's own; the file is cut, lengthened and changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/ledger/genesis_file.h"
#include "common/record/durable.h"
#include "tests/lib/ledger_rig.h"

struct fixture {
    struct ledger_rig rig;
    char root[64], dir[80], path[100];
};

static int open_fixture(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    ledger_rig_open(&fixture->rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    snprintf(fixture->root, sizeof fixture->root, "/tmp/tierbed-genesis-XXXXXX");
    assert_non_null(mkdtemp(fixture->root));
    snprintf(fixture->dir, sizeof fixture->dir, "%s/ledger", fixture->root);
    snprintf(fixture->path, sizeof fixture->path, "%s/%s", fixture->dir, GENESIS_FILE);
    *state = fixture;
    return 0;
}

static int close_fixture(void **state) {
    struct fixture *fixture = *state;
    (void)unlink(fixture->path);
    (void)rmdir(fixture->dir);
    assert_int_equal(rmdir(fixture->root), 0); /* nothing else was left there */
    ledger_rig_close(&fixture->rig);
    free(fixture);
    return 0;
}

static void what_is_written_is_read_back(void **state) {
    struct fixture *fixture = *state;
    const struct genesis *genesis = &fixture->rig.genesis;
    struct genesis read;
    struct public_key *senders;
    assert_int_equal(genesis_write(fixture->dir, genesis, NULL), STATUS_OK);
    assert_int_equal(genesis_read(fixture->dir, &read, &senders, NULL), STATUS_OK);
    assert_memory_equal(&read.chain_id, &genesis->chain_id, sizeof read.chain_id);
    assert_int_equal(read.sender_count, 6);
    assert_memory_equal(senders, genesis->senders, 6 * sizeof *senders);
    assert_ptr_equal(read.senders, senders);
    free(senders);
}

static void the_same_genesis_may_be_written_again_and_another_may_not(void **state) {
    struct fixture *fixture = *state;
    struct genesis other = fixture->rig.genesis;
    struct error error = {0};
    assert_int_equal(genesis_write(fixture->dir, &fixture->rig.genesis, NULL), STATUS_OK);
    assert_int_equal(genesis_write(fixture->dir, &fixture->rig.genesis, NULL), STATUS_OK);
    other.params.seed++;
    genesis_seal(&other);
    assert_int_equal(genesis_write(fixture->dir, &other, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "another chain"));
}

static void a_file_that_is_missing_cut_or_longer_is_no_genesis(void **state) {
    struct fixture *fixture = *state;
    struct genesis read;
    struct public_key *senders;
    char *data;
    size_t size;
    assert_int_equal(genesis_read(fixture->dir, &read, &senders, NULL), STATUS_IO);
    assert_null(senders);
    assert_int_equal(genesis_write(fixture->dir, &fixture->rig.genesis, NULL), STATUS_OK);
    assert_int_equal(durable_read(fixture->path, 1u << 20, &data, &size, NULL), STATUS_OK);
    for (size_t cut = 0; cut < size; cut += 17) {
        assert_int_equal(durable_write_unsynced(fixture->path, data, cut, NULL), STATUS_OK);
        assert_int_equal(genesis_read(fixture->dir, &read, &senders, NULL), STATUS_INVALID);
        assert_null(senders);
    }
    /* durable_read ends the text with a zero: one byte too many */
    assert_int_equal(durable_write_unsynced(fixture->path, data, size + 1, NULL), STATUS_OK);
    assert_int_equal(genesis_read(fixture->dir, &read, &senders, NULL), STATUS_INVALID);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(the_same_genesis_may_be_written_again_and_another_may_not,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_file_that_is_missing_cut_or_longer_is_no_genesis, open_fixture,
                                        close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
