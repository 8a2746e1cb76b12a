/* Goal: the trace parser takes exactly the format it documents, and chances are numbered and timed as if the
 * file were repeated for ever. Method: a table of bad texts with the line that must be named; a naive walk
 * over all chances. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/trace_file.h"
#include "common/time/vtime.h"

#define MS VTIME_NS_PER_MS

static enum status parse(const char *text, struct trace_file *trace, struct error *error) {
    return trace_file_parse(text, strlen(text), "uplink.trace", trace, error);
}

static void good_texts_are_read(void **state) {
    (void)state;
    static const char *const texts[] = {"0\n1\n1\n40\n", "0\n1\n1\n40", "0\r\n1\r\n1\r\n40\r\n",
                                        "00\n01\n1\n040\n"};
    static const uint32_t expected[] = {0, 1, 1, 40};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct trace_file trace;
        assert_int_equal(parse(texts[i], &trace, NULL), STATUS_OK);
        assert_int_equal(trace.count, 4);
        assert_int_equal(trace.period_ms, 40);
        assert_memory_equal(trace.stamps_ms, expected, sizeof expected);
        assert_true(fabs(trace_file_rate_bps(&trace) - 4 * 12000 / 0.040) < 1e-6);
        trace_file_close(&trace);
        trace_file_close(&trace);
    }
}

static void bad_texts_are_refused_with_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *part;
    } bad[] = {{"", "no length"},
               {"0\n0\n", "no length"},
               {"1\n\n2\n", ":2: a blank line"},
               {"1\n2\n1\n", ":3: the stamp is smaller"},
               {"1\n-2\n", ":2: a character"},
               {"1\n 2\n", ":2: a character"},
               {"1.5\n", ":1: a character"},
               {"1\n2x\n", ":2: a character"},
               {"# x\n1\n", ":1: a character"},
               {"1\r2\n", ":1: a character"},
               {"\n", ":1: a blank line"},
               {"1\n2000000001\n", ":2: the stamp is above"},
               {"99999999999999999999999999999999\n", ":1: the stamp is above"},
               {"1\n2\r", ":2: a character"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trace_file trace;
        struct error error = {0};
        assert_int_equal(parse(bad[i].text, &trace, &error), STATUS_INVALID);
        assert_null(trace.stamps_ms);
        if (strstr(error.text, bad[i].part) == NULL)
            fail_msg("case %zu: '%s' does not say '%s'", i, error.text, bad[i].part);
    }
}

static void more_lines_than_the_bound_are_refused(void **state) {
    (void)state;
    size_t lines = (size_t)TRACE_STAMPS_MAX + 1;
    char *text = malloc(2 * lines);
    assert_non_null(text);
    for (size_t i = 0; i < lines; i++) {
        text[2 * i] = '7';
        text[2 * i + 1] = '\n';
    }
    struct trace_file trace;
    assert_int_equal(trace_file_parse(text, 2 * lines, "x", &trace, NULL), STATUS_INVALID);
    assert_int_equal(trace_file_parse(text, 2 * lines - 2, "x", &trace, NULL), STATUS_OK);
    assert_int_equal(trace.count, TRACE_STAMPS_MAX);
    trace_file_close(&trace);
    free(text);
}

static void chances_are_found_as_by_walking_over_all_of_them(void **state) {
    (void)state;
    static const char *const texts[] = {"0\n0\n1\n1\n1\n7\n7\n", "5\n", "3\n3\n3\n", "0\n4\n"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        struct trace_file trace;
        assert_int_equal(parse(texts[t], &trace, NULL), STATUS_OK);
        int64_t before_ns = 0;
        for (uint64_t i = 0; i < 200; i++) {
            int64_t time_ns = trace_file_time_ns(&trace, i);
            int64_t expected_ns =
                (int64_t)(i / trace.count * trace.period_ms + trace.stamps_ms[i % trace.count]) * MS;
            assert_int_equal(time_ns, expected_ns);
            assert_true(time_ns >= before_ns);
            before_ns = time_ns;
        }
        for (int64_t time_ns = -1; time_ns < 40 * MS;
             time_ns += time_ns % MS == 0 ? 1 : MS / 2 - 1 + (time_ns < 0)) {
            uint64_t first = 0;
            while (trace_file_time_ns(&trace, first) <= time_ns)
                first++;
            assert_int_equal(trace_file_after(&trace, time_ns), first);
        }
        assert_int_equal(trace_file_time_ns(&trace, UINT64_MAX), VTIME_NEVER);
        trace_file_close(&trace);
    }
}

static void missing_files_and_directories_are_input_errors(void **state) {
    (void)state;
    struct trace_file trace;
    struct error error = {0};
    assert_int_equal(trace_file_load("/nonexistent/uplink.trace", &trace, &error), STATUS_IO);
    assert_non_null(strstr(error.text, "/nonexistent/uplink.trace"));
    assert_int_equal(trace_file_load("/", &trace, &error), STATUS_IO);
    assert_int_equal(trace_file_load("/dev/zero", &trace, &error), STATUS_INVALID); /* endless: bounded */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_read),
        cmocka_unit_test(bad_texts_are_refused_with_their_line),
        cmocka_unit_test(more_lines_than_the_bound_are_refused),
        cmocka_unit_test(chances_are_found_as_by_walking_over_all_of_them),
        cmocka_unit_test(missing_files_and_directories_are_input_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
