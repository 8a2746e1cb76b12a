/* Goal: what nodes measure of themselves shows in the summary, in its JSON and in the exports, and a run made
 * before there were such tables still reads. Method: a few values that can be checked by hand; tables that
 * are taken away again. */
#include "tests/record/scratch.h"

#include <math.h>
#include <sqlite3.h>

#include "common/record/export.h"
#include "common/record/summary.h"
#include "tests/record/sample_run.h"

static struct sample_run run;
static struct summary summary;

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

static struct row series_of(uint32_t node, const char *name, uint32_t step, double value) {
    struct row row = {.kind = ROW_SERIES, .as.series = {.node = node, .step = step, .value = value}};
    snprintf(row.as.series.name, sizeof row.as.series.name, "%s", name);
    return row;
}

static struct row result_of(uint32_t node, const char *name, const char *unit, double value) {
    struct row row = {.kind = ROW_RESULT, .as.result = {.node = node, .value = value}};
    snprintf(row.as.result.name, sizeof row.as.result.name, "%s", name);
    snprintf(row.as.result.unit, sizeof row.as.result.unit, "%s", unit);
    return row;
}

static void write_rows(const char *dir, const struct row *rows, size_t count) {
    struct record *record = NULL;
    struct error error = {0};
    sample_open(&run, dir, 3, 1);
    must(record_open(&run.config, &record, &error), &error);
    for (size_t i = 0; i < count; i++)
        must(record_row(record, &rows[i], &error), &error);
    must(record_close(record, &run.outcome, &error), &error);
}

static void write_sample(const char *dir) {
    const struct row rows[] = {
        series_of(2, "reward", 10, -5),    series_of(2, "reward", 20, -3), /* the last of node 2 */
        series_of(1, "reward", 20, -7),    series_of(1, "reward", 10, -9),
        series_of(1, "reward", 30, -1), /* the last of node 1 */
        series_of(1, "loss", 0, 1),        series_of(1, "loss", 1, NAN),
        series_of(1, "loss", 2, INFINITY), result_of(1, "energy", "J", 2),
        result_of(2, "energy", "J", 5),    result_of(1, "diverged", "", NAN)};
    write_rows(dir, rows, sizeof rows / sizeof *rows);
}

static void load(const char *dir) {
    struct error error = {0};
    must(summary_load(dir, &summary, &error), &error);
}

static void results_of_several_nodes_are_averaged(void **state) {
    const struct scratch *scratch = *state;
    write_sample(scratch->run);
    load(scratch->run);
    assert_int_equal(summary.result_count, 2);
    const struct summary_result *energy = summary_result(&summary, "energy");
    assert_non_null(energy);
    assert_string_equal(energy->unit, "J");
    assert_int_equal(energy->nodes, 2);
    assert_true(energy->mean == 3.5 && energy->least == 2 && energy->most == 5);
    assert_true(isnan(summary_result(&summary, "diverged")->mean));
    assert_null(summary_result(&summary, "reward"));
}

static void a_series_ends_with_the_value_of_its_last_step(void **state) {
    const struct scratch *scratch = *state;
    write_sample(scratch->run);
    load(scratch->run);
    assert_int_equal(summary.series_count, 2);
    const struct summary_series *loss = &summary.series[0], *reward = &summary.series[1];
    assert_string_equal(loss->name, "loss");
    assert_true(isnan(loss->last));
    assert_int_equal(loss->not_finite, 2);
    assert_int_equal(loss->steps, 3);
    assert_string_equal(reward->name, "reward");
    assert_int_equal(reward->nodes, 2);
    assert_int_equal(reward->values, 5);
    assert_int_equal(reward->steps, 3);
    assert_int_equal(reward->last_step, 30);
    assert_true(reward->last == -2); /* mean of -3 and -1 */
}

static void text_and_json_say_the_same(void **state) {
    const struct scratch *scratch = *state;
    char text[8192] = "";
    write_sample(scratch->run);
    load(scratch->run);
    FILE *stream = fmemopen(text, sizeof text, "w");
    summary_print_text(&summary, stream);
    fclose(stream);
    assert_non_null(strstr(text, "energy                   3.5 J (mean of 2 nodes; 2 to 5)"));
    assert_non_null(strstr(text, "diverged                 not finite"));
    assert_non_null(strstr(text, "reward                   last -2 at step 30, 3 steps of 2 nodes"));
    assert_non_null(strstr(text, "2 values not finite"));
    assert_null(strstr(text, "nan"));
    json_t *json = summary_to_json(&summary);
    const json_t *results = json_object_get(json, "results");
    const json_t *reward = json_object_get(json_object_get(json, "series"), "reward");
    assert_true(json_number_value(json_object_get(json_object_get(results, "energy"), "value")) == 3.5);
    assert_true(json_is_null(json_object_get(json_object_get(results, "diverged"), "value")));
    assert_true(json_number_value(json_object_get(reward, "last")) == -2);
    assert_int_equal(json_integer_value(json_object_get(reward, "last_step")), 30);
    json_decref(json);
}

static void more_names_than_fit_are_counted(void **state) {
    const struct scratch *scratch = *state;
    static struct row rows[2 * (SUMMARY_RESULTS_MAX + 3)];
    size_t count = 0;
    for (unsigned i = 0; i < SUMMARY_RESULTS_MAX + 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "name_%03u", i);
        rows[count++] = result_of(0, name, "", i);
        rows[count++] = series_of(0, name, 0, i);
    }
    write_rows(scratch->run, rows, count);
    load(scratch->run);
    assert_int_equal(summary.result_count, SUMMARY_RESULTS_MAX);
    assert_int_equal(summary.series_count, SUMMARY_SERIES_MAX);
    assert_int_equal(summary.result_names, SUMMARY_RESULTS_MAX + 3);
    assert_int_equal(summary.series_names, SUMMARY_RESULTS_MAX + 3);
    assert_string_equal(summary.results[SUMMARY_RESULTS_MAX - 1].name, "name_127");
}

static void exports_have_every_value_in_order(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    write_sample(scratch->run);
    must(export_csv(scratch->run, scratch->dir, &error), &error);
    char *series = scratch_read(scratch->dir, "series.csv"),
         *results = scratch_read(scratch->dir, "results.csv");
    assert_string_equal(series, "node_id,name,step,value\r\n"
                                "1,loss,0,1\r\n1,loss,1,\r\n1,loss,2,\r\n"
                                "1,reward,10,-9\r\n1,reward,20,-7\r\n1,reward,30,-1\r\n"
                                "2,reward,10,-5\r\n2,reward,20,-3\r\n");
    assert_string_equal(results, "node_id,name,value,unit\r\n"
                                 "1,diverged,,\r\n1,energy,2,J\r\n2,energy,5,J\r\n");
    free(series);
    free(results);
}

static void a_run_without_these_tables_still_reads(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    char path[DURABLE_PATH_MAX];
    sqlite3 *db = NULL;
    write_sample(scratch->run);
    assert_int_equal(durable_path(path, scratch->run, "metrics.sqlite", NULL), STATUS_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE series; DROP TABLE results", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    load(scratch->run);
    assert_int_equal(summary.result_names, 0);
    assert_int_equal(summary.series_names, 0);
    must(export_csv(scratch->run, scratch->dir, &error), &error);
    assert_int_equal(durable_path(path, scratch->dir, "series.csv", NULL), STATUS_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(durable_path(path, scratch->dir, "tasks.csv", NULL), STATUS_OK);
    assert_int_equal(access(path, F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {SCRATCH_TEST(results_of_several_nodes_are_averaged),
                                       SCRATCH_TEST(a_series_ends_with_the_value_of_its_last_step),
                                       SCRATCH_TEST(text_and_json_say_the_same),
                                       SCRATCH_TEST(more_names_than_fit_are_counted),
                                       SCRATCH_TEST(exports_have_every_value_in_order),
                                       SCRATCH_TEST(a_run_without_these_tables_still_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
