/* Goal: a run that need not outlive the machine waits for the disk only when it is closed; any other run does
 * so all along. Method: this program's own fsync and fdatasync stand before those of the C library, for
 * SQLite too, and count. */
#include "tests/record/scratch.h"

#include <sqlite3.h>
#include <stdbool.h>

#include "tests/record/sample_run.h"

static unsigned sync_count;

int fsync(int descriptor) {
    (void)descriptor;
    sync_count++;
    return 0;
}

int fdatasync(int descriptor) {
    (void)descriptor;
    sync_count++;
    return 0;
}

static struct sample_run run;

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s", error->text);
}

/* Records a run of 100,000 values, far more than one transaction, flushed in between; returns the syncs up to
 * the moment before it is closed, and in `closing` those after. */
static unsigned syncs_of(const char *dir, bool durable, unsigned *closing) {
    struct record *record = NULL;
    struct error error = {0};
    sample_open(&run, dir, 7, 1);
    run.config.durable = durable;
    sync_count = 0;
    must(record_open(&run.config, &record, &error), &error);
    for (uint32_t step = 0; step < 100000; step++) {
        struct row row = {.kind = ROW_SERIES, .as.series = {.name = "loss", .step = step, .value = step}};
        must(record_row(record, &row, &error), &error);
        if (step % 10000 == 0)
            must(record_flush(record, &error), &error);
    }
    unsigned before = sync_count;
    must(record_close(record, &run.outcome, &error), &error);
    *closing = sync_count - before;
    return before;
}

static int64_t values_in(const char *dir) {
    char path[DURABLE_PATH_MAX];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(durable_path(path, dir, "metrics.sqlite", NULL), STATUS_OK);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT COUNT(*) FROM series", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

static void a_relaxed_run_is_synced_when_it_is_closed_and_not_before(void **state) {
    const struct scratch *scratch = *state;
    unsigned closing = 0;
    assert_int_equal(syncs_of(scratch->run, false, &closing), 0);
    assert_true(closing >= 3); /* scenario, manifest and metrics */
    assert_int_equal(values_in(scratch->run), 100000);
}

static void a_durable_run_is_synced_all_along(void **state) {
    const struct scratch *scratch = *state;
    unsigned closing = 0;
    assert_true(syncs_of(scratch->run, true, &closing) >= 8);
    assert_true(closing >= 2);
    assert_int_equal(values_in(scratch->run), 100000);
}

int main(void) {
    const struct CMUnitTest tests[] = {SCRATCH_TEST(a_relaxed_run_is_synced_when_it_is_closed_and_not_before),
                                       SCRATCH_TEST(a_durable_run_is_synced_all_along)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
