/* Goal: a run directory holds what was recorded, whatever ends the run, and says how it ended.
 * Method: sample runs are written into scratch folders and read back with SQLite and jansson; ends are a
 * clean close, a killed process, a file size limit (as a full disk), and folders that cannot be made. */
#include "tests/record/scratch.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/record/manifest.h"
#include "common/record/schema.h"
#include "common/record/summary.h"
#include "tests/record/sample_run.h"

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

static int64_t query(const char *dir, const char *sql) {
    char path[DURABLE_PATH_MAX];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    snprintf(path, sizeof path, "%s/metrics.sqlite", dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void expect_manifest(const char *dir, const char *key, const char *value) {
    json_t *manifest = NULL;
    struct error error = {0};
    must(manifest_load(dir, &manifest, &error), &error);
    assert_string_equal(manifest_text(manifest, key, "(none)"), value);
    json_decref(manifest);
}

static bool exists(const char *dir, const char *name) {
    char path[DURABLE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static struct sample_run run; /* large, and borrowed by the record */

static void a_finished_run_leaves_its_scenario_manifest_and_metrics(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 12, &error), &error);
    struct arena arena;
    arena_init(&arena);
    char *text = scratch_read(scratch->run, "scenario.yaml");
    assert_string_equal(text, scenario_print(&run.scenario, &arena, NULL));
    free(text);
    arena_close(&arena);
    expect_manifest(scratch->run, "status", "finished");
    expect_manifest(scratch->run, "seed", "7");
    expect_manifest(scratch->run, "transport", "mpi");
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM tasks"), 12 * SAMPLE_DEVICES);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM nodes"), SAMPLE_NODES);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM link_totals"), SAMPLE_LINKS);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM faults"), 4);
    assert_int_equal(query(scratch->run, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_false(exists(scratch->run, ".reserve"));
    assert_false(exists(scratch->run, "metrics.sqlite-wal"));
}

static void the_digest_is_64_hex_digits(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    must(sample_write(&run, scratch->run, 7, 1, &error), &error);
    char expected[DIGEST_TEXT_SIZE];
    digest_text(run.outcome.digest, expected);
    assert_int_equal(strlen(expected), 64);
    assert_string_equal(expected + 48, "0000000000000007");
    expect_manifest(scratch->run, "digest", expected);
}

static void the_manifest_says_what_made_the_run(void **state) {
    const struct scratch *scratch = *state;
    static const char *const keys[] = {
        "version", "commit",    "compiler",  "flags",   "variant",     "libraries", "host",
        "seed",    "transport", "processes", "clock",   "status",      "message",   "digest",
        "wall_s",  "startup_s", "events",    "windows", "started_utc", "ended_utc", "command_line"};
    struct error error = {0};
    json_t *manifest = NULL;
    must(sample_write(&run, scratch->run, 7, 1, &error), &error);
    must(manifest_load(scratch->run, &manifest, &error), &error);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(manifest, keys[i]) == NULL)
            fail_msg("the manifest lacks %s", keys[i]);
    assert_non_null(json_object_get(json_object_get(manifest, "host"), "cpu"));
    assert_non_null(json_object_get(json_object_get(manifest, "libraries"), "sqlite"));
    json_decref(manifest);
}

static void a_folder_that_holds_something_is_refused_and_left_alone(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct record *record = NULL;
    sample_open(&run, scratch->dir, 7, 1);
    scratch_write(scratch->dir, "thesis.txt", "mine", 4);
    assert_int_equal(record_open(&run.config, &record, &error), STATUS_INVALID);
    assert_null(record);
    assert_non_null(strstr(error.text, "not empty"));
    assert_true(exists(scratch->dir, "thesis.txt"));
    assert_false(exists(scratch->dir, "manifest.json"));
}

static void a_folder_that_cannot_be_made_is_an_io_error_that_names_it(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct record *record = NULL;
    char below_file[DURABLE_PATH_MAX];
    scratch_write(scratch->dir, "file", "", 0);
    snprintf(below_file, sizeof below_file, "%s/file/run", scratch->dir);
    sample_open(&run, below_file, 7, 1);
    assert_int_equal(record_open(&run.config, &record, &error), STATUS_IO);
    assert_non_null(strstr(error.text, below_file));
    assert_int_equal(status_exit_code(error.status), 4);
}

static void rows_that_name_what_is_not_there_are_refused(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct record *record = NULL;
    struct row good = {.kind = ROW_NODE, .as.node = {.node = 0}}, bad[4] = {{.kind = ROW_NODE}};
    bad[0].as.node.node = SAMPLE_NODES;
    bad[1] = (struct row){.kind = ROW_LINK, .as.link = {.link = SAMPLE_LINKS}};
    bad[2] = (struct row){.kind = ROW_FAULT, .as.fault = {.fault = 3}};
    bad[3] = (struct row){.kind = ROW_TASK, .as.task.task.device = UINT32_MAX};
    sample_open(&run, scratch->run, 7, 1);
    must(record_open(&run.config, &record, &error), &error);
    for (int i = 0; i < 4; i++)
        assert_int_equal(record_row(record, &bad[i], &error), STATUS_INVALID);
    must(record_row(record, &good, &error), &error);
    must(record_close(record, &run.outcome, &error), &error);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM node_totals"), 1);
}

static struct row series_of(uint32_t node, uint32_t step, double value) {
    return (struct row){.kind = ROW_SERIES,
                        .as.series = {.node = node, .name = "loss", .step = step, .value = value}};
}

static struct row result_of(uint32_t node, const char *name, double value) {
    struct row row = {.kind = ROW_RESULT, .as.result = {.node = node, .unit = "J", .value = value}};
    snprintf(row.as.result.name, sizeof row.as.result.name, "%s", name);
    return row;
}

static void what_nodes_measure_is_kept_and_the_last_figure_counts(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct record *record = NULL;
    const struct row rows[] = {series_of(3, 0, 4.5),       series_of(3, 1, NAN),
                               series_of(3, 2, -INFINITY), series_of(3, UINT32_MAX, -2),
                               result_of(3, "energy", 1),  result_of(3, "energy", 2),
                               result_of(4, "energy", 3),  result_of(3, "not_finite", INFINITY)};
    struct row stranger = series_of(SAMPLE_NODES, 0, 1);
    sample_open(&run, scratch->run, 7, 1);
    must(record_open(&run.config, &record, &error), &error);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        must(record_row(record, &rows[i], &error), &error);
    assert_int_equal(record_row(record, &stranger, &error), STATUS_INVALID);
    stranger = result_of(SAMPLE_NODES, "energy", 1);
    assert_int_equal(record_row(record, &stranger, &error), STATUS_INVALID);
    must(record_close(record, &run.outcome, &error), &error);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM series WHERE name = 'loss'"), 4);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM series WHERE value IS NULL"), 2);
    assert_int_equal(query(scratch->run, "SELECT step FROM series WHERE value = -2"), UINT32_MAX);
    assert_int_equal(query(scratch->run, "SELECT SUM(value) FROM results WHERE name = 'energy'"), 5);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM results WHERE value IS NULL"), 1);
    assert_int_equal(query(scratch->run, "SELECT COUNT(*) FROM results WHERE unit = 'J'"), 3);
}

static void stopped_and_failed_runs_say_so(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    static const struct {
        enum status status;
        const char *name;
    } ends[] = {{STATUS_STOPPED, "stopped"}, {STATUS_PEER, "failed"}};
    for (int i = 0; i < 2; i++) {
        char dir[400];
        struct record *record = NULL;
        snprintf(dir, sizeof dir, "%s-%d", scratch->run, i);
        sample_open(&run, dir, 7, 1);
        must(record_open(&run.config, &record, &error), &error);
        expect_manifest(dir, "status", "running");
        run.outcome.status = ends[i].status;
        run.outcome.message = "because \"it\" said so";
        must(record_close(record, &run.outcome, &error), &error);
        expect_manifest(dir, "status", ends[i].name);
        expect_manifest(dir, "message", "because \"it\" said so");
    }
}

static struct row numbered_task(uint32_t slot) {
    struct row row = {.kind = ROW_TASK};
    row.as.task = (struct row_task){.task = {.device = SAMPLE_GATEWAYS, .slot = slot, .born_ns = slot},
                                    .answered_ns = slot};
    return row;
}

/* The child is the director of a run; it is killed with 1,000 rows committed and 10 more that are not. */
static void what_was_flushed_survives_a_killed_process(void **state) {
    const struct scratch *scratch = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct record *record = NULL;
        sample_open(&run, scratch->run, 7, 20);
        if (record_open(&run.config, &record, NULL) != STATUS_OK)
            _exit(1);
        for (uint32_t i = 0; i < 1010; i++) {
            struct row row = numbered_task(i);
            if (record_row(record, &row, NULL) != STATUS_OK ||
                (i == 999 && record_flush(record, NULL) != STATUS_OK))
                _exit(1);
        }
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));
    struct summary summary;
    struct error error = {0};
    must(summary_load(scratch->run, &summary, &error), &error);
    assert_int_equal(summary.born, 1000);
    json_t *manifest = NULL;
    must(manifest_load(scratch->run, &manifest, &error), &error);
    assert_string_equal(manifest_text(manifest, "status", ""), "running");
    assert_string_equal(manifest_status_now(manifest), "killed");
    json_decref(manifest);
}

/* A limit on the size of files stands for a full disk: writes beyond it fail, smaller files still fit. */
static void a_full_disk_keeps_committed_rows_and_says_so(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0}, last = {0};
    struct record *record = NULL;
    struct rlimit before, limit;
    sample_open(&run, scratch->run, 7, 20);
    must(record_open(&run.config, &record, &error), &error);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)2 << 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    uint32_t committed = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < 400000 && status == STATUS_OK; i++) {
        struct row row = numbered_task(i);
        status = record_row(record, &row, &error);
        if (status == STATUS_OK && i % 100 == 99 && (status = record_flush(record, &error)) == STATUS_OK)
            committed = i + 1;
    }
    struct row late = numbered_task(1);
    assert_int_equal(record_row(record, &late, NULL), STATUS_IO); /* the failure sticks */
    enum status closed = record_close(record, &run.outcome, &last);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, STATUS_IO);
    assert_int_equal(closed, STATUS_IO);
    assert_non_null(strstr(error.text, "metrics.sqlite"));
    assert_string_equal(error.text, last.text);
    assert_true(committed > 0);
    assert_true(query(scratch->run, "SELECT COUNT(*) FROM tasks") >= committed);
    expect_manifest(scratch->run, "status", "failed");
    expect_manifest(scratch->run, "message", error.text);
}

static void closing_nothing_is_fine(void **state) {
    (void)state;
    assert_int_equal(record_close(NULL, NULL, NULL), STATUS_OK);
}

static void times_that_never_came_are_null(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct record *record = NULL;
    struct row row = numbered_task(0);
    row.as.task.answered_ns = row.as.task.closed_form_ns = row.as.task.task.uplink_start_ns = VTIME_NEVER;
    sample_open(&run, scratch->run, 7, 1);
    must(record_open(&run.config, &record, &error), &error);
    must(record_row(record, &row, &error), &error);
    must(record_close(record, &run.outcome, &error), &error);
    assert_int_equal(query(scratch->run,
                           "SELECT answered_ns IS NULL AND closed_form_ns IS NULL AND uplink_start_ns IS"
                           " NULL AND gathered_ns = 0 FROM tasks"),
                     1);
    assert_int_equal(query(scratch->run, "SELECT outcome = 'in-flight' AND delay_ms IS NULL FROM v_tasks"),
                     1);
}

static void the_views_agree_with_the_summary(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    must(sample_write(&run, scratch->run, 11, 30, &error), &error);
    must(summary_load(scratch->run, &summary, &error), &error);
    assert_int_equal(query(scratch->run, "SELECT SUM(done) FROM v_delay_by_level"), summary.done);
    assert_int_equal(query(scratch->run, "SELECT SUM(done) FROM v_delay_by_place"), summary.done);
    assert_int_equal(query(scratch->run, "SELECT SUM(dropped) FROM v_slots"), summary.dropped);
    assert_int_equal(query(scratch->run, "SELECT SUM(right) FROM v_tasks"), summary.right);
    assert_int_equal(query(scratch->run, "SELECT MAX(ABS(measured_ns - closed_form_ns)) FROM v_tasks"),
                     (int64_t)summary.closed_max_ns);
    assert_int_equal(query(scratch->run, "SELECT SUM(cut) FROM v_links"), summary.cut);
}

/* The section of `table` in the page must name each of its columns. */
static void expect_documented(const char *page, sqlite3 *db, const char *table) {
    char sql[128], heading[80];
    sqlite3_stmt *statement = NULL;
    snprintf(heading, sizeof heading, "### %s\n", table);
    const char *section = strstr(page, heading);
    if (section == NULL) {
        fail_msg("docs/reference/record.md has no section for %s", table);
        return; /* not reached: for readers that do not know that a failure does not come back */
    }
    const char *after = strstr(section + strlen(heading), "\n### ");
    size_t length = after != NULL ? (size_t)(after - section) : strlen(section);
    snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        char quoted[96];
        snprintf(quoted, sizeof quoted, "`%s`", sqlite3_column_name(statement, column));
        if (memmem(section, length, quoted, strlen(quoted)) == NULL)
            fail_msg("docs/reference/record.md does not name %s of %s", quoted, table);
    }
    sqlite3_finalize(statement);
}

/* The documentation is part of the contract: a column that it does not name fails here. */
static void every_table_and_column_is_documented(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    char path[DURABLE_PATH_MAX], *page = NULL;
    size_t size = 0;
    sqlite3 *db = NULL;
    if (access("docs/reference/record.md", R_OK) != 0) {
        print_message("skipped: docs/reference/record.md is not below the current folder\n");
        skip();
    }
    must(durable_read("docs/reference/record.md", (size_t)1 << 20, &page, &size, &error), &error);
    must(sample_write(&run, scratch->run, 7, 1, &error), &error);
    snprintf(path, sizeof path, "%s/metrics.sqlite", scratch->run);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; schema_tables[i] != NULL; i++)
        expect_documented(page, db, schema_tables[i]);
    sqlite3_close(db);
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_finished_run_leaves_its_scenario_manifest_and_metrics),
        SCRATCH_TEST(the_digest_is_64_hex_digits),
        SCRATCH_TEST(the_manifest_says_what_made_the_run),
        SCRATCH_TEST(a_folder_that_holds_something_is_refused_and_left_alone),
        SCRATCH_TEST(a_folder_that_cannot_be_made_is_an_io_error_that_names_it),
        SCRATCH_TEST(rows_that_name_what_is_not_there_are_refused),
        SCRATCH_TEST(what_nodes_measure_is_kept_and_the_last_figure_counts),
        SCRATCH_TEST(stopped_and_failed_runs_say_so),
        SCRATCH_TEST(what_was_flushed_survives_a_killed_process),
        SCRATCH_TEST(a_full_disk_keeps_committed_rows_and_says_so),
        SCRATCH_TEST(closing_nothing_is_fine),
        SCRATCH_TEST(times_that_never_came_are_null),
        SCRATCH_TEST(the_views_agree_with_the_summary),
        SCRATCH_TEST(every_table_and_column_is_documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
