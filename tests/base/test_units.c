/* Goal: values with units are read exactly and printed so that they read back to the same bits. Method:
 * values whose result is known by hand, one for every unit; every kind of mistake; then seeded random values
 * of every dimension, over the whole range of double and int64_t, printed and read again. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/base/units.h"

struct quantity {
    const char *text;
    enum unit_dimension dimension;
    double value;
};

static void every_unit_has_its_scale(void **state) {
    (void)state;
    static const struct quantity known[] = {
        {"0.5", UNIT_PLAIN, 0.5},
        {"-2e3", UNIT_PLAIN, -2000},
        {"5 %", UNIT_RATIO, 0.05},
        {"50 ppm", UNIT_RATIO, 5e-5},
        {"-100 %", UNIT_RATIO, -1.0},
        {"0.1", UNIT_RATIO, 0.1},
        {"6 dB", UNIT_DECIBEL, 6},
        {"4e-13", UNIT_GAIN, 4e-13},
        {"64 kbit", UNIT_DATA, 64000},
        {"64kbit", UNIT_DATA, 64000},
        {"7 bit", UNIT_DATA, 7},
        {"2 Mbit", UNIT_DATA, 2e6},
        {"3 Gbit", UNIT_DATA, 3e9},
        {"1 B", UNIT_DATA, 8},
        {"1.5 kB", UNIT_DATA, 12000},
        {"50 MB", UNIT_DATA, 4e8},
        {"1 GB", UNIT_DATA, 8e9},
        {"9600 bit/s", UNIT_RATE, 9600},
        {"1 kbit/s", UNIT_RATE, 1000},
        {"5.68 Mbit/s", UNIT_RATE, 5.68e6},
        {"10 Gbit/s", UNIT_RATE, 1e10},
        {"1 B/s", UNIT_RATE, 8},
        {"1 kB/s", UNIT_RATE, 8e3},
        {"1 MB/s", UNIT_RATE, 8e6},
        {"1 GB/s", UNIT_RATE, 8e9},
        {"50 Hz", UNIT_FREQUENCY, 50},
        {"4 kHz", UNIT_FREQUENCY, 4000},
        {"5 MHz", UNIT_FREQUENCY, 5e6},
        {"2.4 GHz", UNIT_FREQUENCY, 2.4e9},
        {"3 nW", UNIT_POWER, 3e-9},
        {"3 uW", UNIT_POWER, 3e-6},
        {"100 mW", UNIT_POWER, 0.1},
        {"1 W", UNIT_POWER, 1},
        {"2 kW", UNIT_POWER, 2000},
        {"4e-20 W/Hz", UNIT_POWER_DENSITY, 4e-20},
        {"3 nJ", UNIT_ENERGY, 3e-9},
        {"3 uJ", UNIT_ENERGY, 3e-6},
        {"3 mJ", UNIT_ENERGY, 3e-3},
        {"3 J", UNIT_ENERGY, 3},
        {"3 kJ", UNIT_ENERGY, 3e3},
        {"3 MJ", UNIT_ENERGY, 3e6},
        {"5 mm", UNIT_LENGTH, 5e-3},
        {"120 m", UNIT_LENGTH, 120},
        {"1.2 km", UNIT_LENGTH, 1200},
        {"1 FLOP", UNIT_WORK, 1},
        {"1 kFLOP", UNIT_WORK, 1e3},
        {"1 MFLOP", UNIT_WORK, 1e6},
        {"10 GFLOP", UNIT_WORK, 1e10},
        {"1 TFLOP", UNIT_WORK, 1e12},
        {"1 PFLOP", UNIT_WORK, 1e15},
        {"1 FLOP/s", UNIT_SPEED, 1},
        {"1 kFLOP/s", UNIT_SPEED, 1e3},
        {"1 MFLOP/s", UNIT_SPEED, 1e6},
        {"768 GFLOP/s", UNIT_SPEED, 768e9},
        {"20.31 TFLOP/s", UNIT_SPEED, 20.31e12},
        {"1 PFLOP/s", UNIT_SPEED, 1e15},
        {"1 FLOP/bit", UNIT_INTENSITY, 1},
        {"1 kFLOP/bit", UNIT_INTENSITY, 1e3},
        {"3.12 MFLOP/bit", UNIT_INTENSITY, 3.12e6},
        {"1 GFLOP/bit", UNIT_INTENSITY, 1e9},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double value = -1;
        if (units_parse(known[i].text, known[i].dimension, &value, NULL) != STATUS_OK ||
            value != known[i].value)
            fail_msg("`%s` gave %.17g, expected %.17g", known[i].text, value, known[i].value);
    }
}

static void decibels_become_powers(void **state) {
    (void)state;
    static const struct quantity known[] = {{"0 dBm", UNIT_POWER, 1e-3},
                                            {"30 dBm", UNIT_POWER, 1},
                                            {"-114 dBm", UNIT_POWER, 3.9810717055349565e-15},
                                            {"-174 dBm/Hz", UNIT_POWER_DENSITY, 3.981071705534985e-21},
                                            {"-30 dB", UNIT_GAIN, 1e-3}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double value = 0;
        assert_int_equal(units_parse(known[i].text, known[i].dimension, &value, NULL), STATUS_OK);
        assert_true(fabs(value / known[i].value - 1) < 1e-13);
    }
}

static void times_are_exact_nanoseconds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t time_ns;
    } known[] = {{"0.1 ms", 100000},
                 {"0 s", 0},
                 {"1 ns", 1},
                 {"10 us", 10000},
                 {"1.5 us", 1500},
                 {"0.000000001 s", 1},
                 {"1e-9 s", 1},
                 {"1.000 ns", 1},
                 {"2 min", 120000000000},
                 {"1 h", 3600000000000},
                 {"0.3 s", 300000000},
                 {"0.82 s", 820000000},
                 {"123456789.123456789 s", 123456789123456789},
                 {"9223372036.854775807 s", INT64_MAX},
                 {"9223372036854775807 ns", INT64_MAX},
                 {"-5 ms", -5000000},
                 {"0e99 s", 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t time_ns = -1;
        if (units_parse_time(known[i].text, &time_ns, NULL) != STATUS_OK || time_ns != known[i].time_ns)
            fail_msg("`%s` gave %" PRId64 " ns, expected %" PRId64, known[i].text, time_ns, known[i].time_ns);
    }
}

static void mistakes_say_what_was_expected(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum unit_dimension dimension;
        const char *part; /* of the message */
    } wrong[] = {
        {"5", UNIT_RATE, "expected a data rate such as `5 Mbit/s`, got `5` without a unit"},
        {"0", UNIT_DATA, "without a unit"},
        {"5 MHz", UNIT_RATE, "got `5 MHz`, which is a frequency"},
        {"5 Mbps", UNIT_RATE, "unknown unit `Mbps`; did you mean `Mbit/s`?"},
        {"5 Mb", UNIT_DATA, "did you mean `Mbit`?"}, /* not MB, which is eight times as much */
        {"3 sec", UNIT_DATA, "unknown unit `sec`"},
        {"5 mbit", UNIT_DATA, "did you mean `Mbit`?"},
        {"5 s", UNIT_PLAIN, "a plain number"},
        {"fast", UNIT_RATE, "got `fast`"},
        {"", UNIT_RATE, "got ``"},
        {"nan", UNIT_PLAIN, "a plain number"},
        {"inf W", UNIT_POWER, "a power"},
        {"0x10 bit", UNIT_DATA, "unknown unit"},
        {"1,5 s", UNIT_FREQUENCY, "a frequency"},
        {"1 2 bit", UNIT_DATA, "unknown unit"},
        {".5", UNIT_PLAIN, "a plain number"},
        {"1e999 W", UNIT_POWER, "too large"},
        {"1e99999999999999999999 W", UNIT_POWER, "too large"},
        {"9999 dB", UNIT_GAIN, "too large"},
        {"5 \x01\xff", UNIT_DATA, "unknown unit `??`"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {.text = ""};
        double value = 42;
        assert_int_equal(units_parse(wrong[i].text, wrong[i].dimension, &value, &error), STATUS_INVALID);
        if (strstr(error.text, wrong[i].part) == NULL)
            fail_msg("`%s`: the message `%s` lacks `%s`", wrong[i].text, error.text, wrong[i].part);
        assert_true(value == 42); /* a failure leaves the target alone */
    }
}

static void times_finer_or_longer_than_the_clock_are_refused(void **state) {
    (void)state;
    static const char *const finer[] = {"0.5 ns", "0.0001 us", "1e-10 s", "1.0000000001 s", "1e-9999 s"};
    static const char *const longer[] = {"9223372036854775808 ns", "1e11 s", "300000000 h", "1e9999 s",
                                         "99999999999999999999999999999999999999999999999999 h"};
    struct error error;
    int64_t time_ns;
    for (size_t i = 0; i < sizeof finer / sizeof *finer; i++) {
        assert_int_equal(units_parse_time(finer[i], &time_ns, &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, "finer than the clock"));
    }
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        assert_int_equal(units_parse_time(longer[i], &time_ns, &error), STATUS_INVALID);
        assert_non_null(strstr(error.text, "longer than the clock"));
    }
}

static void values_print_as_people_write_them(void **state) {
    (void)state;
    static const struct quantity known[] = {{"64 kbit", UNIT_DATA, 64000},
                                            {"0 bit", UNIT_DATA, 0},
                                            {"5 Mbit/s", UNIT_RATE, 5e6},
                                            {"5.68 Mbit/s", UNIT_RATE, 5.68e6},
                                            {"20.31 TFLOP/s", UNIT_SPEED, 20.31e12},
                                            {"4e-20 W/Hz", UNIT_POWER_DENSITY, 4e-20},
                                            {"3.12 MFLOP/bit", UNIT_INTENSITY, 3.12e6},
                                            {"1 uW", UNIT_POWER, 1e-6},
                                            {"0.3", UNIT_RATIO, 0.3},
                                            {"-6 dB", UNIT_DECIBEL, -6},
                                            {"2e-13", UNIT_GAIN, 2e-13},
                                            {"1e15 bit/s", UNIT_RATE, 1e15}};
    static const struct {
        int64_t time_ns;
        const char *text;
    } times[] = {{0, "0 s"},
                 {1, "1 ns"},
                 {10000, "10 us"},
                 {1500, "1.5 us"},
                 {1000000000, "1 s"},
                 {820000000, "820 ms"},
                 {3600000000000, "1 h"},
                 {60000000000, "60 s"},
                 {5000000000, "5 s"},
                 {-1000000, "-1 ms"},
                 {1000000001, "1.000000001 s"}};
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(units_print(known[i].value, known[i].dimension, text), known[i].text);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_string_equal(units_print_time(times[i].time_ns, text), times[i].text);
}

/* Any double: random bits, or a short decimal as people write. */
static double random_value(struct random_stream *stream) {
    union {
        uint64_t bits;
        double value;
    } any;
    do
        any.bits = random_next(stream);
    while (!isfinite(any.value));
    if (random_chance(stream, 0.5))
        any.value = (double)random_below(stream, 100000) * pow(10, (double)random_below(stream, 30) - 15);
    return any.value;
}

static void printed_values_read_back_to_the_same_bits(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 7, 0, RANDOM_TEST);
    for (int i = 0; i < 60000; i++) {
        enum unit_dimension dimension = (enum unit_dimension)random_below(&stream, UNIT_DIMENSION_COUNT);
        if (dimension == UNIT_TIME)
            continue;
        double value = random_value(&stream), back;
        char text[UNITS_TEXT_MAX];
        units_print(value, dimension, text);
        if (units_parse(text, dimension, &back, NULL) != STATUS_OK ||
            memcmp(&back, &value, sizeof value) != 0)
            fail_msg("%.17g printed as `%s`, read as %.17g", value, text, back);
    }
}

static void printed_times_read_back_to_the_same_nanosecond(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 8, 0, RANDOM_TEST);
    for (int i = 0; i < 100000; i++) {
        int64_t time_ns = (int64_t)(random_next(&stream) >> (1 + random_below(&stream, 62))), back;
        if (random_chance(&stream, 0.3))
            time_ns = time_ns / 1000000 * 1000000;
        if (random_chance(&stream, 0.5))
            time_ns = -time_ns;
        char text[UNITS_TEXT_MAX];
        units_print_time(time_ns, text);
        if (units_parse_time(text, &back, NULL) != STATUS_OK || back != time_ns)
            fail_msg("%" PRId64 " ns printed as `%s`, read as %" PRId64, time_ns, text, back);
    }
}

static void every_dimension_has_an_example_that_parses(void **state) {
    (void)state;
    for (int i = 0; i < UNIT_DIMENSION_COUNT; i++) {
        char example[64], pattern[UNITS_PATTERN_MAX];
        int64_t time_ns;
        double value;
        enum unit_dimension dimension = (enum unit_dimension)i;
        snprintf(example, sizeof example, "%s", units_example(dimension));
        example[strcspn(example, "`")] = '\0'; /* the first of two */
        enum status status = dimension == UNIT_TIME ? units_parse_time(example, &time_ns, NULL)
                                                    : units_parse(example, dimension, &value, NULL);
        assert_int_equal(status, STATUS_OK);
        assert_true(strlen(units_name(dimension)) > 3);
        units_pattern(dimension, pattern);
        assert_string_equal(pattern + strlen(pattern) - 2, ")$"); /* not cut */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_has_its_scale),
        cmocka_unit_test(decibels_become_powers),
        cmocka_unit_test(times_are_exact_nanoseconds),
        cmocka_unit_test(mistakes_say_what_was_expected),
        cmocka_unit_test(times_finer_or_longer_than_the_clock_are_refused),
        cmocka_unit_test(values_print_as_people_write_them),
        cmocka_unit_test(printed_values_read_back_to_the_same_bits),
        cmocka_unit_test(printed_times_read_back_to_the_same_nanosecond),
        cmocka_unit_test(every_dimension_has_an_example_that_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
