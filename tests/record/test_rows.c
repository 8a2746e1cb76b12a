/* Goal: rows cross processes unchanged, and what is not a row is refused without reading past its end.
 * Method: rows of every kind with a different value in every field are encoded and decoded; every shorter
 * input and every value out of range must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/scenario.h"
#include "common/record/rows.h"
#include "common/time/vtime.h"

static struct row task_row(void) {
    struct row row = {.kind = ROW_TASK};
    row.as.task = (struct row_task){.task = {.device = 1,
                                             .slot = UINT32_MAX,
                                             .level = 3,
                                             .true_class = 2,
                                             .born_ns = 5,
                                             .gathered_ns = 6,
                                             .decided_ns = 7,
                                             .uplink_start_ns = 8,
                                             .uplink_end_ns = 9,
                                             .compute_start_ns = 10,
                                             .compute_end_ns = -11},
                                    .answered_ns = VTIME_NEVER,
                                    .place = PLACE_EDGE,
                                    .drop = DROP_BAD_WINDOW,
                                    .class = 1,
                                    .confidence = 0.75,
                                    .energy_device_j = 1.5,
                                    .energy_gateway_j = 2.5,
                                    .energy_uplink_j = 3.5,
                                    .energy_edge_j = -0.0,
                                    .closed_form_ns = 123456789,
                                    .deadline_ns = 1000000000};
    return row;
}

static struct row node_row(void) {
    struct row row = {.kind = ROW_NODE};
    row.as.node = (struct row_node){1, 2, 3, 4, 5, 6, 7, 8, 9, UINT64_MAX, -10, DBL_MIN,
                                    JOIN_WRONG_ROLE, 11, 12, 13, 14};
    return row;
}

static struct row link_row(void) {
    struct row row = {.kind = ROW_LINK};
    row.as.link = (struct row_link){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14.5, 15.5, 16.5, 17.5, 18};
    return row;
}

static struct row fault_row(void) {
    struct row row = {.kind = ROW_FAULT};
    row.as.fault = (struct row_fault){INT64_MIN, 2, UINT32_MAX, 1, 5};
    return row;
}

static struct row process_row(void) {
    struct row row = {.kind = ROW_PROCESS};
    row.as.process = (struct row_process){1, 2, 3, 4, 5, 6, 7.5, 8.5, 9, 10.5, 11.5, DBL_MAX};
    return row;
}

static struct row series_row(void) {
    struct row row = {.kind = ROW_SERIES};
    row.as.series = (struct row_series){1, "a_name_that_takes_all_31_bytes_", 3, -4.5};
    return row;
}

static struct row result_row(void) {
    struct row row = {.kind = ROW_RESULT};
    row.as.result =
        (struct row_result){1, "the_longest_name_of_a_result_39_bytes__", "kbit/s per node", DBL_MAX};
    return row;
}

static struct row handler_row(void) {
    struct row row = {.kind = ROW_HANDLER};
    row.as.handler = (struct row_handler){3, "the_longest_name_of_a_handler_3", UINT64_MAX, 0.25, 1.5};
    return row;
}

static struct row row_of(enum row_kind kind) {
    struct row (*const makers[ROW_KIND_COUNT])(void) = {
        NULL, task_row, node_row, link_row, fault_row, process_row, series_row, result_row, handler_row};
    return makers[kind]();
}

static size_t encode(const struct row *row, uint8_t *data) {
    struct bytes_writer writer = bytes_writer_over(data, ROW_BYTES_MAX);
    row_encode(&writer, row);
    assert_false(writer.failed);
    return writer.used;
}

/* Structs have padding: the encodings are compared, and a few fields of each kind directly. */
static void rows_of_every_kind_come_back_unchanged(void **state) {
    (void)state;
    for (int kind = ROW_TASK; kind < ROW_KIND_COUNT; kind++) {
        uint8_t data[ROW_BYTES_MAX], again[ROW_BYTES_MAX];
        struct row row = row_of((enum row_kind)kind), back;
        size_t size = encode(&row, data);
        struct bytes_reader reader = bytes_reader_over(data, size);
        assert_int_equal(row_decode(&reader, &back), STATUS_OK);
        assert_true(bytes_done(&reader));
        assert_int_equal(back.kind, kind);
        assert_int_equal(encode(&back, again), size);
        assert_memory_equal(data, again, size);
    }
}

static void fields_do_not_change_places(void **state) {
    (void)state;
    uint8_t data[ROW_BYTES_MAX];
    struct row back, row = link_row();
    struct bytes_reader reader = bytes_reader_over(data, encode(&row, data));
    assert_int_equal(row_decode(&reader, &back), STATUS_OK);
    assert_int_equal(back.as.link.cut, 10);
    assert_int_equal(back.as.link.busy_ns, 13);
    assert_true(back.as.link.wait_s == 17.5);
    assert_int_equal(back.as.link.queue_peak, 18);
    row = task_row();
    reader = bytes_reader_over(data, encode(&row, data));
    assert_int_equal(row_decode(&reader, &back), STATUS_OK);
    assert_int_equal(back.as.task.task.compute_end_ns, -11);
    assert_true(back.as.task.energy_uplink_j == 3.5);
    assert_int_equal(back.as.task.deadline_ns, 1000000000);
}

static void a_fault_row_has_its_published_bytes(void **state) {
    (void)state;
    static const uint8_t expected[] = {4,    0,    0,    0,    0, 0, 0, 0, 0x80, 2, 0, 0, 0,
                                       0xff, 0xff, 0xff, 0xff, 1, 5, 0, 0, 0,    0, 0, 0, 0};
    uint8_t data[ROW_BYTES_MAX];
    struct row row = fault_row();
    assert_int_equal(encode(&row, data), sizeof expected);
    assert_memory_equal(data, expected, sizeof expected);
}

static void every_shorter_row_is_refused(void **state) {
    (void)state;
    for (int kind = ROW_TASK; kind < ROW_KIND_COUNT; kind++) {
        uint8_t data[ROW_BYTES_MAX];
        struct row row = row_of((enum row_kind)kind), back;
        size_t size = encode(&row, data);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = malloc(cut + 1); /* on the heap, so that a sanitizer sees a read past the end */
            assert_non_null(exact);
            memcpy(exact, data, cut);
            struct bytes_reader reader = bytes_reader_over(exact, cut);
            assert_int_equal(row_decode(&reader, &back), STATUS_INVALID);
            assert_true(reader.failed);
            free(exact);
        }
    }
}

static void unknown_kinds_are_refused(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        uint8_t data[ROW_BYTES_MAX] = {(uint8_t)kind};
        struct row back;
        struct bytes_reader reader = bytes_reader_over(data, sizeof data);
        bool known = kind >= ROW_TASK && kind < ROW_SERIES; /* of zeros a name cannot be made */
        assert_int_equal(row_decode(&reader, &back), known ? STATUS_OK : STATUS_INVALID);
    }
}

static void expect_refused(const struct row *row) {
    uint8_t data[ROW_BYTES_MAX];
    struct row back;
    struct bytes_reader reader = bytes_reader_over(data, encode(row, data));
    assert_int_equal(row_decode(&reader, &back), STATUS_INVALID);
}

static void values_out_of_range_are_refused(void **state) {
    (void)state;
    struct row row = task_row();
    row.as.task.place = PLACE_COUNT;
    expect_refused(&row);
    row = task_row();
    row.as.task.drop = DROP_REASON_COUNT;
    expect_refused(&row);
    row = task_row();
    row.as.task.task.level = SCENARIO_LEVELS_MAX;
    expect_refused(&row);
    row = fault_row();
    row.as.fault.begin = 2;
    expect_refused(&row);
}

static void expect_name(const char *name, bool valid) {
    assert_int_equal(row_name_valid(name, ROW_SERIES_NAME_MAX), valid);
}

static void names_and_units_are_plain_and_bounded(void **state) {
    (void)state;
    expect_name("loss", true);
    expect_name("q_2_max", true);
    expect_name("0123456789012345678901234567890", true);
    expect_name("01234567890123456789012345678901", false);
    expect_name("", false);
    expect_name("Loss", false);
    expect_name("a b", false);
    expect_name("caf\xc3\xa9", false);
    assert_true(row_name_valid("012345678901234567890123456789012345678", ROW_RESULT_NAME_MAX));
    assert_false(row_name_valid("0123456789012345678901234567890123456789", ROW_RESULT_NAME_MAX));
    assert_true(row_unit_valid(""));
    assert_true(row_unit_valid("J per task"));
    assert_true(row_unit_valid("123456789012345"));
    assert_false(row_unit_valid("1234567890123456"));
    assert_false(row_unit_valid("a\nb"));
    assert_false(row_unit_valid("\xc2\xb5s"));
}

/* Bytes that no encoder of ours makes: each is one change away from a good row. */
static void names_that_are_none_are_refused_by_the_decoder(void **state) {
    (void)state;
    struct row rows[] = {series_row(), result_row(), handler_row()};
    for (size_t i = 0; i < 3; i++) {
        static const struct {
            size_t at;
            uint8_t value;
        } changes[] = {{5, 0}, {5, 40}, {5, 255}, {6, 'A'}, {7, 0}, {8, 0xff}};
        for (size_t change = 0; change < sizeof changes / sizeof *changes; change++) {
            uint8_t data[ROW_BYTES_MAX] = {0};
            struct row back;
            size_t size = encode(&rows[i], data);
            data[changes[change].at] = changes[change].value;
            struct bytes_reader reader = bytes_reader_over(data, size);
            assert_int_equal(row_decode(&reader, &back), STATUS_INVALID);
        }
    }
    uint8_t data[ROW_BYTES_MAX];
    struct row back;
    struct bytes_reader reader = bytes_reader_over(data, encode(&rows[1], data));
    data[5 + 1 + ROW_RESULT_NAME_MAX + 1] = '\n'; /* first byte of the unit */
    assert_int_equal(row_decode(&reader, &back), STATUS_INVALID);
}

static void values_that_are_not_finite_come_back_as_they_are(void **state) {
    (void)state;
    const double values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        uint8_t data[ROW_BYTES_MAX];
        struct row row = series_row(), back;
        row.as.series.value = values[i];
        struct bytes_reader reader = bytes_reader_over(data, encode(&row, data));
        assert_int_equal(row_decode(&reader, &back), STATUS_OK);
        assert_memory_equal(&back.as.series.value, &values[i], sizeof values[i]);
    }
}

static void rows_follow_each_other_in_one_buffer(void **state) {
    (void)state;
    uint8_t data[4 * ROW_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    struct row rows[] = {process_row(), fault_row(), task_row()}, back;
    for (size_t i = 0; i < 3; i++)
        row_encode(&writer, &rows[i]);
    struct bytes_reader reader = bytes_reader_over(data, writer.used);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(row_decode(&reader, &back), STATUS_OK);
        assert_int_equal(back.kind, rows[i].kind);
    }
    assert_true(bytes_done(&reader));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_of_every_kind_come_back_unchanged),
                                       cmocka_unit_test(fields_do_not_change_places),
                                       cmocka_unit_test(a_fault_row_has_its_published_bytes),
                                       cmocka_unit_test(every_shorter_row_is_refused),
                                       cmocka_unit_test(unknown_kinds_are_refused),
                                       cmocka_unit_test(values_out_of_range_are_refused),
                                       cmocka_unit_test(names_and_units_are_plain_and_bounded),
                                       cmocka_unit_test(names_that_are_none_are_refused_by_the_decoder),
                                       cmocka_unit_test(values_that_are_not_finite_come_back_as_they_are),
                                       cmocka_unit_test(rows_follow_each_other_in_one_buffer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
