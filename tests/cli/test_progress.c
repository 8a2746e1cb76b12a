/* Goal: progress says where a run is, at a bounded rate, in plain lines when nobody watches a terminal, and
 * nothing at all when quiet. Method: a memory stream and hand-made clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/progress.h"

#define SECOND INT64_C(1000000000)

static int count_lines(const char *text) {
    int lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void the_text_gives_time_share_rate_and_time_left(void **state) {
    (void)state;
    struct progress progress;
    char text[160];
    progress_init(&progress, NULL, 200 * SECOND, false);
    progress_update(&progress, 50 * SECOND, 10.0);
    progress_text(&progress, text, sizeof text);
    assert_string_equal(text, " 25%  50.0 s of 200.0 s virtual  5x real time  0:30 left");
    progress_update(&progress, 100 * SECOND, 20000.0);
    progress_text(&progress, text, sizeof text);
    assert_string_equal(text, " 50%  100.0 s of 200.0 s virtual  0.005x real time  5:33:20 left");
}

static void before_anything_happened_no_rate_is_claimed(void **state) {
    (void)state;
    struct progress progress;
    char text[160];
    progress_init(&progress, NULL, 200 * SECOND, false);
    progress_text(&progress, text, sizeof text);
    assert_string_equal(text, "  0%  0.0 s of 200.0 s virtual");
    progress_update(&progress, 0, 3.0);
    progress_text(&progress, text, sizeof text);
    assert_string_equal(text, "  0%  0.0 s of 200.0 s virtual");
}

static void time_beyond_the_end_counts_as_the_end(void **state) {
    (void)state;
    struct progress progress;
    char text[160];
    progress_init(&progress, NULL, 10 * SECOND, false);
    progress_update(&progress, INT64_MAX, 1.0);
    progress_text(&progress, text, sizeof text);
    assert_string_equal(text, "100%  10.0 s of 10.0 s virtual  10x real time  0:00 left");
}

static void a_small_buffer_is_never_overrun(void **state) {
    (void)state;
    struct progress progress;
    progress_init(&progress, NULL, 200 * SECOND, false);
    progress_update(&progress, 50 * SECOND, 10.0);
    for (size_t size = 1; size < 80; size++) {
        char text[96];
        memset(text, 'g', sizeof text);
        progress_text(&progress, text, size);
        assert_true(strlen(text) < size);
        assert_int_equal(text[size], 'g');
    }
}

static void without_a_terminal_a_line_comes_every_five_seconds(void **state) {
    (void)state;
    char *output = NULL;
    size_t size = 0;
    FILE *stream = fopen("/dev/null", "w"); /* isatty wants a descriptor, which a memory stream has not */
    assert_non_null(stream);
    struct progress progress;
    progress_init(&progress, stream, 100 * SECOND, false);
    fclose(stream);
    assert_false(progress.bar);
    progress.stream = open_memstream(&output, &size);
    stream = progress.stream;
    for (int tenth = 0; tenth <= 200; tenth++) /* 20 s of real time */
        progress_update(&progress, tenth * SECOND / 2, tenth / 10.0);
    fflush(stream);
    assert_int_equal(count_lines(output), 4);
    progress_done(&progress);
    fflush(stream);
    assert_int_equal(count_lines(output), 4);
    assert_non_null(strstr(output, "100%"));
    assert_null(strchr(output, '\r'));
    assert_null(strchr(output, '\033'));
    fclose(stream);
    free(output);
}

static void a_short_run_needs_no_line_without_a_terminal(void **state) {
    (void)state;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct progress progress;
    progress_init(&progress, stream, 10 * SECOND, false);
    progress_update(&progress, 9 * SECOND, 4.9);
    progress_done(&progress);
    assert_int_equal(ftell(stream), 0);
    fclose(stream);
}

static void a_bar_is_drawn_ten_times_a_second_at_most_and_taken_away(void **state) {
    (void)state;
    char *output = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&output, &size);
    assert_non_null(stream);
    struct progress progress;
    progress_init(&progress, NULL, 100 * SECOND, false);
    progress.stream = stream;
    progress.bar = true;
    for (int i = 0; i <= 1000; i++) /* one second of real time */
        progress_update(&progress, i * SECOND / 10, i / 1000.0);
    progress_done(&progress);
    fclose(stream);
    int drawn = 0;
    for (const char *at = output; *at != '\0'; at++)
        drawn += *at == '[' && (at[1] == '#' || at[1] == ' ');
    assert_in_range(drawn, 9, 11);
    assert_int_equal(count_lines(output), 0);
    assert_string_equal(output + strlen(output) - 4, "\r\033[K");
    free(output);
}

static void quiet_prints_nothing(void **state) {
    (void)state;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct progress progress;
    progress_init(&progress, stream, 10 * SECOND, true);
    for (int i = 0; i < 100; i++)
        progress_update(&progress, i * SECOND / 10, i);
    progress_done(&progress);
    assert_int_equal(ftell(stream), 0);
    fclose(stream);
}

static void done_without_any_update_prints_nothing(void **state) {
    (void)state;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct progress progress;
    progress_init(&progress, stream, 10 * SECOND, false);
    progress_done(&progress);
    progress_done(&progress);
    assert_int_equal(ftell(stream), 0);
    fclose(stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_gives_time_share_rate_and_time_left),
        cmocka_unit_test(before_anything_happened_no_rate_is_claimed),
        cmocka_unit_test(time_beyond_the_end_counts_as_the_end),
        cmocka_unit_test(a_small_buffer_is_never_overrun),
        cmocka_unit_test(without_a_terminal_a_line_comes_every_five_seconds),
        cmocka_unit_test(a_short_run_needs_no_line_without_a_terminal),
        cmocka_unit_test(a_bar_is_drawn_ten_times_a_second_at_most_and_taken_away),
        cmocka_unit_test(quiet_prints_nothing),
        cmocka_unit_test(done_without_any_update_prints_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
