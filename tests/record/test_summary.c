/* Goal: the summary says what the rows say, in whatever order they came, and refuses what is no record.
 * Method: a handful of tasks with numbers that can be checked by hand; a sample run with its own counts;
 * damaged files. */
#include "tests/record/scratch.h"

#include <math.h>
#include <sqlite3.h>

#include "common/record/export.h"
#include "common/record/summary.h"
#include "tests/record/sample_run.h"

static struct sample_run run;

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

/* Done at the gateway after `delay_ns`, right, one ns beside its closed form when `slot` is odd. */
static struct row local_task(uint32_t slot, int64_t delay_ns) {
    struct row row = {.kind = ROW_TASK};
    int64_t born_ns = (int64_t)slot * VTIME_NS_PER_S;
    row.as.task = (struct row_task){.task = {.device = SAMPLE_GATEWAYS,
                                             .slot = slot,
                                             .true_class = 1,
                                             .born_ns = born_ns,
                                             .gathered_ns = born_ns + 10,
                                             .decided_ns = born_ns + 20,
                                             .uplink_start_ns = VTIME_NEVER,
                                             .uplink_end_ns = VTIME_NEVER,
                                             .compute_start_ns = born_ns + 20,
                                             .compute_end_ns = born_ns + delay_ns - 10},
                                    .answered_ns = born_ns + delay_ns,
                                    .place = PLACE_GATEWAY,
                                    .class = 1,
                                    .energy_gateway_j = 0.25,
                                    .closed_form_ns = delay_ns - 30 + slot % 2,
                                    .deadline_ns = VTIME_NS_PER_S};
    return row;
}

static struct row edge_task(uint32_t slot, int64_t gap_ns) {
    struct row row = local_task(slot, 100 * VTIME_NS_PER_MS);
    struct row_task *task = &row.as.task;
    task->place = PLACE_EDGE;
    task->task.uplink_start_ns = task->task.decided_ns + 1000;
    task->task.uplink_end_ns = task->task.uplink_start_ns + 5000;
    task->task.compute_start_ns = task->task.uplink_end_ns + 700; /* propagation: not in the closed form */
    task->task.compute_end_ns = task->task.compute_start_ns + 300;
    task->closed_form_ns = 1000 + 5000 + 300 + gap_ns;
    return row;
}

static void write_rows(const char *dir, const struct row *rows, size_t count, bool reversed) {
    struct record *record = NULL;
    struct error error = {0};
    sample_open(&run, dir, 3, 100);
    must(record_open(&run.config, &record, &error), &error);
    for (size_t i = 0; i < count; i++)
        must(record_row(record, &rows[reversed ? count - 1 - i : i], &error), &error);
    must(record_close(record, &run.outcome, &error), &error);
}

static void load(const char *dir, struct summary *summary) {
    struct error error = {0};
    must(summary_load(dir, summary, &error), &error);
}

static void percentiles_are_by_nearest_rank(void **state) {
    const struct scratch *scratch = *state;
    struct row rows[100];
    struct summary summary;
    for (uint32_t i = 0; i < 100; i++) /* 1..100 ms, not in order */
        rows[i] = local_task(i, (int64_t)((i * 37) % 100 + 1) * VTIME_NS_PER_MS);
    write_rows(scratch->run, rows, 100, false);
    load(scratch->run, &summary);
    assert_int_equal(summary.delay.count, 100);
    assert_true(fabs(summary.delay.p50_ms - 50) < 1e-9);
    assert_true(fabs(summary.delay.p99_ms - 99) < 1e-9);
    assert_true(fabs(summary.delay.max_ms - 100) < 1e-9);
    assert_true(fabs(summary.delay.mean_ms - 50.5) < 1e-9);
    assert_true(fabs(summary.service.p50_ms - (50 - 30e-6)) < 1e-9);
    assert_true(fabs(summary.energy_gateway_j - 25) < 1e-9);
}

static void one_task_is_all_of_its_percentiles(void **state) {
    const struct scratch *scratch = *state;
    struct row row = local_task(0, 7 * VTIME_NS_PER_MS);
    struct summary summary;
    write_rows(scratch->run, &row, 1, false);
    load(scratch->run, &summary);
    assert_true(summary.delay.p50_ms == 7 && summary.delay.p99_ms == 7 && summary.delay.mean_ms == 7);
}

static void agreement_with_the_closed_form_is_to_the_nanosecond(void **state) {
    const struct scratch *scratch = *state;
    struct row rows[5] = {local_task(0, VTIME_NS_PER_MS), local_task(1, VTIME_NS_PER_MS), edge_task(2, 0),
                          edge_task(3, -1), edge_task(4, 2)};
    struct summary summary;
    write_rows(scratch->run, rows, 5, false);
    load(scratch->run, &summary);
    assert_int_equal(summary.closed_count, 5);
    assert_int_equal(summary.closed_within_1_ns, 4);
    assert_true(summary.closed_max_ns == 2);
    assert_true(fabs(summary.closed_mean_ns - (0 + 1 + 0 + 1 + 2) / 5.0) < 1e-12);
}

static void outcomes_are_counted_apart(void **state) {
    const struct scratch *scratch = *state;
    struct row rows[5];
    struct summary summary;
    for (uint32_t i = 0; i < 5; i++)
        rows[i] = local_task(i, VTIME_NS_PER_MS);
    rows[1].as.task.drop = DROP_DEADLINE; /* processed, and wrong */
    rows[1].as.task.class = 3;
    rows[2].as.task.drop = DROP_EDGE_FULL; /* not processed: its class means nothing */
    rows[3].as.task.answered_ns = VTIME_NEVER;
    write_rows(scratch->run, rows, 5, false);
    load(scratch->run, &summary);
    assert_int_equal(summary.born, 5);
    assert_int_equal(summary.done, 2);
    assert_int_equal(summary.dropped, 2);
    assert_int_equal(summary.in_flight, 1);
    assert_int_equal(summary.drop[DROP_DEADLINE], 1);
    assert_int_equal(summary.drop[DROP_EDGE_FULL], 1);
    assert_int_equal(summary.processed, 3);
    assert_int_equal(summary.right, 2);
    assert_int_equal(summary.confusion[1][3], 1);
    assert_int_equal(summary.unreported, 100 * SAMPLE_DEVICES - 5);
}

static void the_sample_run_has_its_own_numbers(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    must(sample_write(&run, scratch->run, 5, 40, &error), &error);
    load(scratch->run, &summary);
    assert_int_equal(summary.born, 40 * SAMPLE_DEVICES);
    assert_int_equal(summary.done, run.done);
    assert_int_equal(summary.dropped, run.dropped);
    assert_int_equal(summary.at_gateway + summary.at_edge, run.done);
    assert_int_equal(summary.unreported, 0);
    assert_int_equal(summary.closed_within_1_ns, summary.closed_count);
    assert_true(fabs(summary.busy_gateway - 0.31) < 1e-9);
    assert_true(fabs(summary.busy_edge - 0.012) < 1e-9);
    /* 4 x slots packets of 60 ms on each uplink */
    assert_true(fabs(summary.busy_uplink - 40 * 4 * 0.06 / 41) < 1e-9);
    assert_true(fabs(summary_wait_share(&summary) - 0.3125) < 1e-9);
    assert_true(fabs(summary_speed_up(&summary) - 41 / 0.412) < 1e-6);
    assert_int_equal(summary.faults, 3);
    assert_int_equal(summary.crashes, 1);
    assert_int_equal(summary.devices, SAMPLE_DEVICES);
}

static void the_order_of_rows_changes_nothing(void **state) {
    const struct scratch *scratch = *state;
    struct row rows[60];
    char other[400];
    struct summary summaries[2];
    for (uint32_t i = 0; i < 60; i++) {
        rows[i] = i % 3 == 0 ? edge_task(i, 0) : local_task(i, (int64_t)(i * 7919 % 97 + 1) * 1000003);
        rows[i].as.task.energy_gateway_j = 0.1 * (i + 1); /* sums of such numbers depend on their order */
    }
    snprintf(other, sizeof other, "%s-reversed", scratch->run);
    write_rows(scratch->run, rows, 60, false);
    write_rows(other, rows, 60, true);
    load(scratch->run, &summaries[0]);
    load(other, &summaries[1]);
    json_t *first = summary_to_json(&summaries[0]), *second = summary_to_json(&summaries[1]);
    assert_non_null(first);
    assert_true(json_equal(first, second));
    json_decref(first);
    json_decref(second);
}

static void what_was_not_recorded_is_not_a_number(void **state) {
    const struct scratch *scratch = *state;
    struct summary summary;
    write_rows(scratch->run, NULL, 0, false);
    load(scratch->run, &summary);
    assert_true(isnan(summary.busy_gateway) && isnan(summary.busy_uplink) && isnan(summary.busy_edge));
    assert_true(isnan(summary.delay.p50_ms) && isnan(summary.closed_max_ns) &&
                isnan(summary_accuracy(&summary)));
    json_t *json = summary_to_json(&summary);
    assert_true(json_is_null(json_object_get(json_object_get(json, "utilisation"), "edge")));
    assert_true(json_is_null(json_object_get(json_object_get(json, "delay"), "p50_ms")));
    json_decref(json);
    char text[8192] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    summary_print_text(&summary, stream);
    fclose(stream);
    assert_non_null(strstr(text, "no task was done"));
    assert_non_null(strstr(text, "not recorded"));
    assert_null(strstr(text, "nan"));
}

static void wall_clock_runs_show_their_lateness(void **state) {
    const struct scratch *scratch = *state;
    struct record *record = NULL;
    struct error error = {0};
    struct summary summary;
    struct row row = {.kind = ROW_PROCESS,
                      .as.process = {.late_p50_s = 0.001, .late_p99_s = 0.002, .late_max_s = 0.5}};
    sample_open(&run, scratch->run, 3, 1);
    run.config.clock = "wall";
    must(record_open(&run.config, &record, &error), &error);
    must(record_row(record, &row, &error), &error);
    must(record_close(record, &run.outcome, &error), &error);
    load(scratch->run, &summary);
    char text[8192] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    summary_print_text(&summary, stream);
    fclose(stream);
    assert_non_null(strstr(text, "lateness"));
    assert_non_null(strstr(text, "500.000 ms"));
}

static void what_is_no_record_is_refused(void **state) {
    const struct scratch *scratch = *state;
    struct summary summary;
    struct error error = {0};
    assert_int_equal(summary_load(scratch->run, &summary, &error), STATUS_IO);
    assert_non_null(strstr(error.text, "metrics.sqlite"));
    scratch_write(scratch->dir, "metrics.sqlite", "this is no database, however long one makes it", 46);
    assert_int_equal(summary_load(scratch->dir, &summary, &error), STATUS_INVALID);
    scratch_write(scratch->dir, "metrics.sqlite", "", 0); /* an empty file is an empty database */
    assert_int_equal(summary_load(scratch->dir, &summary, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "schema version"));
}

/* Every page but the first is overwritten in turn: reading ends with a status, never with a crash or a hang.
 */
static void damaged_pages_end_in_a_status(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    struct summary summary;
    char path[DURABLE_PATH_MAX], *data = NULL;
    size_t size = 0, refused = 0;
    must(sample_write(&run, scratch->run, 5, 10, &error), &error);
    snprintf(path, sizeof path, "%s/metrics.sqlite", scratch->run);
    must(durable_read(path, (size_t)64 << 20, &data, &size, &error), &error);
    for (size_t page = 4096; page + 4096 <= size; page += 4096) {
        char kept[4096];
        memcpy(kept, data + page, sizeof kept);
        memset(data + page, (int)(page >> 12 & 0xff) ^ 0xa5, sizeof kept);
        scratch_write(scratch->run, "metrics.sqlite", data, size);
        enum status status = summary_load(scratch->run, &summary, &error);
        assert_true(status == STATUS_OK || status == STATUS_INVALID || status == STATUS_IO);
        refused += status != STATUS_OK;
        memcpy(data + page, kept, sizeof kept);
    }
    assert_true(refused > 5);
    free(data);
}

static void exported_tables_have_a_header_and_every_row(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    char out[400];
    must(sample_write(&run, scratch->run, 5, 10, &error), &error);
    snprintf(out, sizeof out, "%s/deep/tables", scratch->dir);
    must(export_csv(scratch->run, out, &error), &error);
    char *tasks = scratch_read(out, "tasks.csv"), *meta = scratch_read(out, "meta.csv");
    size_t lines = 0;
    for (const char *at = tasks; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 1 + 10 * SAMPLE_DEVICES);
    assert_int_equal(strncmp(tasks, "device_id,slot,level,true_class,born_ns,", 40), 0);
    assert_non_null(strstr(meta, "\r\nseed,5\r\n"));
    free(tasks);
    free(meta);
}

int main(void) {
    const struct CMUnitTest tests[] = {SCRATCH_TEST(percentiles_are_by_nearest_rank),
                                       SCRATCH_TEST(one_task_is_all_of_its_percentiles),
                                       SCRATCH_TEST(agreement_with_the_closed_form_is_to_the_nanosecond),
                                       SCRATCH_TEST(outcomes_are_counted_apart),
                                       SCRATCH_TEST(the_sample_run_has_its_own_numbers),
                                       SCRATCH_TEST(the_order_of_rows_changes_nothing),
                                       SCRATCH_TEST(what_was_not_recorded_is_not_a_number),
                                       SCRATCH_TEST(wall_clock_runs_show_their_lateness),
                                       SCRATCH_TEST(what_is_no_record_is_refused),
                                       SCRATCH_TEST(damaged_pages_end_in_a_status),
                                       SCRATCH_TEST(exported_tables_have_a_header_and_every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
