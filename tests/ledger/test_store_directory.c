/* Goal: in a directory the store is what it is on a disk in memory, for one process at a time; a process that
 * is killed leaves everything it was told; a copied or emptied directory is found out; somebody may look on
 * without disturbing. Method: directories below /tmp, and processes that are forked, refused and killed. */
#include "tests/ledger/store_rig.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk) {
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int make_directory(void **state) {
    static char path[] = "/tmp/tierbed-store-XXXXXX";
    strcpy(path + strlen(path) - 6, "XXXXXX");
    *state = mkdtemp(path);
    return *state == NULL;
}

static int remove_directory(void **state) {
    return nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void use_directory(struct rig *rig, const char *dir) {
    rig->config.dir = dir;
    rig->config.disk = NULL;
}

static void a_directory_serves_as_a_disk(void **state) {
    for (int durability = DURABILITY_POWER; durability <= DURABILITY_PROCESS; durability++) {
        char dir[300];
        struct rig *rig = rig_new(30000, (enum ledger_durability)durability);
        snprintf(dir, sizeof dir, "%s/made/for/%d", (char *)*state, durability);
        use_directory(rig, dir);
        rig_must_open(rig, LEDGER_FRESH);
        assert_int_equal(rig_work(rig, 4), STATUS_OK);
        rig_must_open(rig, LEDGER_INTACT);
        rig_check(rig);
        assert_int_equal(rig_work(rig, 8), STATUS_OK);
        rig->config.deep = true;
        rig_must_open(rig, LEDGER_INTACT);
        rig_check(rig);
        rig_free(rig);
    }
}

static void a_second_process_is_refused(void **state) {
    struct rig *rig = rig_new(500, DURABILITY_PROCESS);
    struct ledger_store *second = NULL;
    int exit_status = 0;
    use_directory(rig, *state);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(rig_work(rig, 2), STATUS_OK);
    pid_t child = fork();
    if (child == 0)
        _exit(ledger_store_open(&rig->config, &second, NULL) == STATUS_IO ? 0 : 1);
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    assert_int_equal(ledger_store_open(&rig->config, &second, &rig->error), STATUS_IO);
    assert_non_null(strstr(rig->error.text, "another process"));
    assert_int_equal(rig_work(rig, 4), STATUS_OK); /* the first is not disturbed */
    rig_must_open(rig, LEDGER_INTACT);
    rig_free(rig);
}

static void copy_file(const char *from, const char *to, const char *name) {
    static uint8_t data[1 << 20];
    char path[400];
    snprintf(path, sizeof path, "%s/%s", from, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, sizeof data, file);
    assert_true(feof(file));
    fclose(file);
    snprintf(path, sizeof path, "%s/%s", to, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void a_copied_directory_is_amnesia_a_renamed_one_is_not(void **state) {
    static const char *const names[] = {"votes.db", "votes.db-wal", "chain.db", "chain.db-wal", "sentinel"};
    char first[300], renamed[300], copied[300];
    struct rig *rig = rig_new(500, DURABILITY_PROCESS);
    snprintf(first, sizeof first, "%s/first", (char *)*state);
    snprintf(renamed, sizeof renamed, "%s/renamed", (char *)*state);
    snprintf(copied, sizeof copied, "%s/copied", (char *)*state);
    use_directory(rig, first);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(rig_work(rig, 3), STATUS_OK);
    rig_kill(rig);
    assert_int_equal(rename(first, renamed), 0);
    use_directory(rig, renamed);
    rig_must_open(rig, LEDGER_INTACT);
    rig_check(rig);
    rig_kill(rig);
    assert_int_equal(mkdir(copied, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        copy_file(renamed, copied, names[i]);
    use_directory(rig, copied);
    rig_must_open(rig, LEDGER_AMNESIA);
    assert_int_equal(ledger_store_height(rig->store), 3); /* the chain itself is proven by certificates */
    assert_int_equal(rig_vote(rig, 4, VOTE_PREVOTE), STATUS_INVALID);
    rig_free(rig);
}

static void a_file_unlinked_from_the_directory_stops_the_validator(void **state) {
    static const char *const names[] = {"votes.db", "votes.db-wal", "sentinel"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char dir[300], path[400];
        struct rig *rig = rig_new(500, DURABILITY_PROCESS);
        snprintf(dir, sizeof dir, "%s/%zu", (char *)*state, i);
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        use_directory(rig, dir);
        rig_must_open(rig, LEDGER_FRESH);
        assert_int_equal(rig_work(rig, 2), STATUS_OK);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rig_vote(rig, 3, VOTE_PREVOTE), STATUS_IO);
        assert_non_null(strstr(ledger_store_reason(rig->store), "removed"));
        rig_must_open(rig, LEDGER_AMNESIA);
        rig_free(rig);
    }
}

/* The child says each step that was acknowledged, and is killed in the middle of the next ones. */
static void write_and_tell(struct rig *rig, int told) {
    if (rig_open(rig) != STATUS_OK)
        _exit(1);
    for (uint64_t height = 1; height <= 100; height++) {
        for (uint8_t step = VOTE_PREVOTE; step <= VOTE_PRECOMMIT; step++)
            if (rig_vote(rig, height, step) != STATUS_OK || write(told, &step, 1) != 1)
                _exit(1);
        uint8_t committed = 9;
        if (rig_commit(rig, height) != STATUS_OK || write(told, &committed, 1) != 1)
            _exit(1);
    }
    _exit(0);
}

static void what_a_killed_process_was_told_is_there(void **state) {
    struct rig *rig = rig_new(30000, DURABILITY_PROCESS);
    use_directory(rig, *state);
    int pipes[2];
    uint8_t told;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0)
        write_and_tell(rig, pipes[1]);
    close(pipes[1]);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(read(pipes[0], &told, 1), 1);
        if (i + 1 == 100)
            kill(child, SIGKILL);
        if (told == 9)
            rig->height++;
        else {
            rig->signed_height = rig->height + 1;
            rig->signed_step = told;
        }
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(pipes[0], &told, 1) == 1) { /* what it said before it was dead */
        if (told == 9)
            rig->height++;
        else {
            rig->signed_height = rig->height + 1;
            rig->signed_step = told;
        }
    }
    close(pipes[0]);
    rig->config.deep = true;
    rig_must_open(rig, LEDGER_INTACT);
    rig_check(rig);
    assert_int_equal(rig_work(rig, ledger_store_height(rig->store) + 3), STATUS_OK);
    rig_free(rig);
}

/* ---------------------------------------------------------------------------------------- reading only */

static void a_reader_beside_the_writer_sees_what_is_committed(void **state) {
    struct rig *rig = rig_new(30000, DURABILITY_PROCESS);
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        struct ledger_store *reader;
        uint8_t data[RIG_BLOB_BYTES], *found;
        size_t size;
        struct hash hash = rig_blob(1, data);
        if (in_memory == 0)
            use_directory(rig, *state);
        else
            rig->config = (struct ledger_store_config){.disk = rig->disk, .durability = DURABILITY_PROCESS};
        rig_must_open(rig, LEDGER_FRESH);
        for (uint64_t height = 1; height <= 5; height++) {
            assert_int_equal(rig_work(rig, height), STATUS_OK);
            struct ledger_store_config config = rig->config;
            config.read_only = true;
            assert_int_equal(ledger_store_open(&config, &reader, &rig->error), STATUS_OK);
            assert_int_equal(ledger_store_condition(reader), LEDGER_INTACT);
            assert_int_equal(ledger_store_height(reader), height);
            struct ledger_store *writer = rig->store;
            rig->store = reader;
            rig_check(rig);
            assert_int_equal(rig_vote(rig, height + 1, VOTE_PREVOTE), STATUS_INVALID);
            assert_int_equal(rig_commit(rig, height + 1), STATUS_INVALID);
            assert_int_equal(rig_put_blob(rig, 99), STATUS_INVALID);
            assert_int_equal(ledger_store_checkpoint(reader), STATUS_INVALID);
            assert_int_equal(ledger_store_get_blob(reader, &hash, &found, &size), STATUS_OK);
            free(found);
            rig_kill(rig);
            rig->store = writer;
        }
        rig_must_open(rig, LEDGER_INTACT);
        rig->height = rig->signed_height = 0;
        rig_kill(rig);
    }
    rig_free(rig);
}

static void there_is_nothing_to_read_where_no_ledger_is(void **state) {
    struct ledger_store *store;
    struct error error;
    char missing[300], path[300];
    snprintf(missing, sizeof missing, "%s/missing", (char *)*state);
    const char *const dirs[] = {*state, missing};
    for (size_t i = 0; i < 2; i++) {
        struct ledger_store_config config = {.dir = dirs[i], .read_only = true};
        assert_int_equal(ledger_store_open(&config, &store, &error), STATUS_INVALID);
        assert_null(store);
    }
    snprintf(path, sizeof path, "%s/votes.db", (char *)*state);
    assert_int_not_equal(access(missing, F_OK), 0); /* nothing was made */
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_directory_serves_as_a_disk, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_second_process_is_refused, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_copied_directory_is_amnesia_a_renamed_one_is_not, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_file_unlinked_from_the_directory_stops_the_validator,
                                        make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_a_killed_process_was_told_is_there, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_reader_beside_the_writer_sees_what_is_committed, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(there_is_nothing_to_read_where_no_ledger_is, make_directory,
                                        remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
