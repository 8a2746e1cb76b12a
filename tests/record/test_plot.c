/* Goal: a plot shows every value at its place, leaves out what is not there, and is the same text every time.
 * Method: small plots whose places are known; coordinates are read back from the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record/plot.h"
#include "common/record/plot_axis.h"

static const double three_x[] = {1, 2, 3};

/* A panel of one or two series of three points. */
struct small {
    struct plot_series series[2];
    struct plot_panel panel;
    struct plot plot;
    struct markup out;
};

static void draw(struct small *small, const double *values, uint32_t series_count) {
    for (uint32_t i = 0; i < series_count; i++)
        small->series[i] = (struct plot_series){.label = i == 0 ? "first & last" : "second",
                                                .x = three_x,
                                                .value = values + 3 * i,
                                                .low = values + 3 * i,
                                                .high = values + 3 * i,
                                                .count = 3};
    small->panel.title = "panel";
    small->panel.x_label = "load";
    small->panel.y_label = "ms";
    small->panel.series = small->series;
    small->panel.series_count = series_count;
    small->plot = (struct plot){
        .title = "<title>", .note = "", .description = "", .panels = &small->panel, .panel_count = 1};
    markup_init(&small->out);
    plot_write(&small->out, &small->plot);
    assert_non_null(small->out.data);
}

static unsigned count_of(const char *text, const char *word) {
    unsigned count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

static void a_plot_is_a_file_of_its_own_with_its_words_escaped(void **state) {
    (void)state;
    static const double values[] = {1, 2, 3};
    struct small small = {0};
    draw(&small, values, 1);
    assert_int_equal(strncmp(small.out.data, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39), 0);
    assert_non_null(strstr(small.out.data, "<style>"));
    assert_non_null(strstr(small.out.data, "&lt;title&gt;"));
    assert_non_null(strstr(small.out.data, "first &amp; last"));
    assert_string_equal(small.out.data + small.out.used - 7, "</svg>\n");
    markup_close(&small.out);
}

static void the_same_values_give_the_same_bytes(void **state) {
    (void)state;
    static const double values[] = {1, 2, 3, 0.1, 1e-9, 12345.678};
    struct small first = {0}, second = {0};
    draw(&first, values, 2);
    draw(&second, values, 2);
    assert_string_equal(first.out.data, second.out.data);
    markup_close(&first.out);
    markup_close(&second.out);
}

static void values_that_are_missing_are_left_out_and_split_the_line(void **state) {
    (void)state;
    const double all[] = {1, 2, 3}, gap[] = {1, NAN, 3}, none[] = {NAN, NAN, NAN};
    struct small small = {0};
    draw(&small, all, 1);
    assert_int_equal(count_of(small.out.data, "<circle"), 3);
    assert_int_equal(count_of(small.out.data, "class=\"line"), 1);
    markup_close(&small.out);
    draw(&small, gap, 1);
    assert_int_equal(count_of(small.out.data, "<circle"), 2);
    assert_int_equal(count_of(small.out.data, "class=\"line"), 0);
    assert_null(strstr(small.out.data, "nan"));
    markup_close(&small.out);
    draw(&small, none, 1);
    assert_int_equal(count_of(small.out.data, "<circle"), 0);
    markup_close(&small.out);
}

/* y of the n-th circle. */
static double circle_y(const char *text, int n) {
    for (; n >= 0; n--)
        text = strstr(text, "<circle") + 7;
    return strtod(strstr(text, "cy=\"") + 4, NULL);
}

static void a_greater_value_stands_higher_in_proportion(void **state) {
    (void)state;
    static const double values[] = {0, 5, 10};
    struct small small = {0};
    draw(&small, values, 1);
    double low = circle_y(small.out.data, 0), middle = circle_y(small.out.data, 1),
           high = circle_y(small.out.data, 2);
    assert_true(low > middle && middle > high);
    assert_true(fabs((low - middle) - (middle - high)) < 0.02);
    markup_close(&small.out);
}

static void on_a_logarithmic_axis_equal_factors_are_equal_lengths_and_zero_is_left_out(void **state) {
    (void)state;
    static const double values[] = {1, 10, 100}, zero[] = {0, 10, 100};
    struct small small = {.panel = {.logarithmic_y = true}};
    draw(&small, values, 1);
    double low = circle_y(small.out.data, 0), middle = circle_y(small.out.data, 1),
           high = circle_y(small.out.data, 2);
    assert_true(fabs((low - middle) - (middle - high)) < 0.02);
    markup_close(&small.out);
    draw(&small, zero, 1);
    assert_int_equal(count_of(small.out.data, "<circle"), 2);
    markup_close(&small.out);
}

static void bars_stand_on_zero_with_an_interval_each(void **state) {
    (void)state;
    static const double values[] = {50, 60, 70, 55, 65, 75};
    static const char *const names[] = {"small", "middle", "large"};
    struct small small = {.panel = {.names = names, .name_count = 3}};
    draw(&small, values, 2);
    assert_int_equal(count_of(small.out.data, "class=\"bar"), 6 + 2); /* and two in the legend */
    assert_int_equal(count_of(small.out.data, "class=\"whisker\""), 6);
    assert_non_null(strstr(small.out.data, ">0</text>"));
    assert_non_null(strstr(small.out.data, ">middle</text>"));
    markup_close(&small.out);
}

static void axes_end_at_round_numbers_and_hold_all_values(void **state) {
    (void)state;
    static const double cases[][2] = {{0, 0},       {3, 3},     {-5, 7},        {0.97, 1.03},   {1e-9, 2e-9},
                                      {-1e9, -1e3}, {99, 1234}, {1e299, 1e299}, {-1e300, 1e299}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plot_range range = plot_range_empty();
        plot_range_take(&range, cases[i], 2, false);
        struct plot_axis axis = plot_axis_over(range, false, false);
        assert_true(isfinite(axis.low) && isfinite(axis.high) && axis.low < axis.high);
        assert_true(axis.low <= range.low || range.low > range.high);
        assert_true(axis.high >= range.high * (1 - 1e-9) || range.high < 0 || range.low > range.high);
        assert_in_range(axis.tick_count, 2, 14);
    }
}

static void an_axis_of_decades_is_marked_at_decades(void **state) {
    (void)state;
    static const double ends[] = {0.003, 45000}, far[] = {1e-250, 1e250};
    struct plot_range range = plot_range_empty();
    plot_range_take(&range, ends, 2, true);
    struct plot_axis axis = plot_axis_over(range, true, false);
    assert_true(axis.low <= 0.003 && axis.high >= 45000);
    assert_int_equal(axis.tick_count, 7); /* 0.01 to 10,000 */
    plot_range_take(&range, far, 2, true);
    axis = plot_axis_over(range, true, false);
    assert_in_range(axis.tick_count, 3, 12);
}

static void numbers_at_an_axis_never_touch(void **state) {
    (void)state;
    double points[40];
    struct plot_range range = plot_range_empty();
    for (int i = 0; i < 40; i++)
        points[i] = 1000 + 37 * i;
    plot_range_take(&range, points, 40, false);
    struct plot_axis axis = plot_axis_of_points(range, points, 40, false);
    axis.from = 0;
    axis.to = 400;
    plot_axis_thin(&axis);
    assert_in_range(axis.tick_count, 5, 13);
    for (uint32_t i = 1; i < axis.tick_count; i++)
        assert_true(plot_axis_at(&axis, axis.ticks[i]) - plot_axis_at(&axis, axis.ticks[i - 1]) >= 28);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plot_is_a_file_of_its_own_with_its_words_escaped),
        cmocka_unit_test(the_same_values_give_the_same_bytes),
        cmocka_unit_test(values_that_are_missing_are_left_out_and_split_the_line),
        cmocka_unit_test(a_greater_value_stands_higher_in_proportion),
        cmocka_unit_test(on_a_logarithmic_axis_equal_factors_are_equal_lengths_and_zero_is_left_out),
        cmocka_unit_test(bars_stand_on_zero_with_an_interval_each),
        cmocka_unit_test(axes_end_at_round_numbers_and_hold_all_values),
        cmocka_unit_test(an_axis_of_decades_is_marked_at_decades),
        cmocka_unit_test(numbers_at_an_axis_never_touch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
