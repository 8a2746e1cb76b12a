#include "common/base/units.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define NUMBER_LETTERS_MAX 60 /* longest number accepted; keeps every digit in a bounded buffer */
#define EXPONENT_MAX 9999     /* far beyond double; keeps sums of exponents small */

enum unit_scale {
    SCALE_PRINTED,   /* value * factor * 10^exponent, also used for printing */
    SCALE_READ_ONLY, /* the same, understood but never printed */
    SCALE_DECIBEL    /* 10^(value / 10) * 10^exponent */
};

struct unit {
    const char *symbol;
    enum unit_dimension dimension;
    int exponent;
    int factor;
    enum unit_scale scale;
};

/* Smallest first within a dimension. Factors are powers of two or used for integer times only, so scaling by
 * them rounds nothing. */
static const struct unit units[] = {
    {"", UNIT_PLAIN, 0, 1, SCALE_PRINTED},
    {"%", UNIT_RATIO, -2, 1, SCALE_READ_ONLY},
    {"ppm", UNIT_RATIO, -6, 1, SCALE_READ_ONLY},
    {"", UNIT_RATIO, 0, 1, SCALE_PRINTED},
    {"", UNIT_GAIN, 0, 1, SCALE_PRINTED},
    {"dB", UNIT_GAIN, 0, 1, SCALE_DECIBEL},
    {"dB", UNIT_DECIBEL, 0, 1, SCALE_PRINTED},
    {"bit", UNIT_DATA, 0, 1, SCALE_PRINTED},
    {"kbit", UNIT_DATA, 3, 1, SCALE_PRINTED},
    {"Mbit", UNIT_DATA, 6, 1, SCALE_PRINTED},
    {"Gbit", UNIT_DATA, 9, 1, SCALE_PRINTED},
    {"B", UNIT_DATA, 0, 8, SCALE_READ_ONLY},
    {"kB", UNIT_DATA, 3, 8, SCALE_READ_ONLY},
    {"MB", UNIT_DATA, 6, 8, SCALE_READ_ONLY},
    {"GB", UNIT_DATA, 9, 8, SCALE_READ_ONLY},
    {"bit/s", UNIT_RATE, 0, 1, SCALE_PRINTED},
    {"kbit/s", UNIT_RATE, 3, 1, SCALE_PRINTED},
    {"Mbit/s", UNIT_RATE, 6, 1, SCALE_PRINTED},
    {"Gbit/s", UNIT_RATE, 9, 1, SCALE_PRINTED},
    {"B/s", UNIT_RATE, 0, 8, SCALE_READ_ONLY},
    {"kB/s", UNIT_RATE, 3, 8, SCALE_READ_ONLY},
    {"MB/s", UNIT_RATE, 6, 8, SCALE_READ_ONLY},
    {"GB/s", UNIT_RATE, 9, 8, SCALE_READ_ONLY},
    {"Hz", UNIT_FREQUENCY, 0, 1, SCALE_PRINTED},
    {"kHz", UNIT_FREQUENCY, 3, 1, SCALE_PRINTED},
    {"MHz", UNIT_FREQUENCY, 6, 1, SCALE_PRINTED},
    {"GHz", UNIT_FREQUENCY, 9, 1, SCALE_PRINTED},
    {"ns", UNIT_TIME, 0, 1, SCALE_PRINTED},
    {"us", UNIT_TIME, 3, 1, SCALE_PRINTED},
    {"ms", UNIT_TIME, 6, 1, SCALE_PRINTED},
    {"s", UNIT_TIME, 9, 1, SCALE_PRINTED},
    {"min", UNIT_TIME, 10, 6, SCALE_PRINTED},
    {"h", UNIT_TIME, 11, 36, SCALE_PRINTED},
    {"nW", UNIT_POWER, -9, 1, SCALE_PRINTED},
    {"uW", UNIT_POWER, -6, 1, SCALE_PRINTED},
    {"mW", UNIT_POWER, -3, 1, SCALE_PRINTED},
    {"W", UNIT_POWER, 0, 1, SCALE_PRINTED},
    {"kW", UNIT_POWER, 3, 1, SCALE_PRINTED},
    {"dBm", UNIT_POWER, -3, 1, SCALE_DECIBEL},
    {"W/Hz", UNIT_POWER_DENSITY, 0, 1, SCALE_PRINTED},
    {"dBm/Hz", UNIT_POWER_DENSITY, -3, 1, SCALE_DECIBEL},
    {"nJ", UNIT_ENERGY, -9, 1, SCALE_PRINTED},
    {"uJ", UNIT_ENERGY, -6, 1, SCALE_PRINTED},
    {"mJ", UNIT_ENERGY, -3, 1, SCALE_PRINTED},
    {"J", UNIT_ENERGY, 0, 1, SCALE_PRINTED},
    {"kJ", UNIT_ENERGY, 3, 1, SCALE_PRINTED},
    {"MJ", UNIT_ENERGY, 6, 1, SCALE_PRINTED},
    {"mm", UNIT_LENGTH, -3, 1, SCALE_PRINTED},
    {"m", UNIT_LENGTH, 0, 1, SCALE_PRINTED},
    {"km", UNIT_LENGTH, 3, 1, SCALE_PRINTED},
    {"FLOP", UNIT_WORK, 0, 1, SCALE_PRINTED},
    {"kFLOP", UNIT_WORK, 3, 1, SCALE_PRINTED},
    {"MFLOP", UNIT_WORK, 6, 1, SCALE_PRINTED},
    {"GFLOP", UNIT_WORK, 9, 1, SCALE_PRINTED},
    {"TFLOP", UNIT_WORK, 12, 1, SCALE_PRINTED},
    {"PFLOP", UNIT_WORK, 15, 1, SCALE_PRINTED},
    {"FLOP/s", UNIT_SPEED, 0, 1, SCALE_PRINTED},
    {"kFLOP/s", UNIT_SPEED, 3, 1, SCALE_PRINTED},
    {"MFLOP/s", UNIT_SPEED, 6, 1, SCALE_PRINTED},
    {"GFLOP/s", UNIT_SPEED, 9, 1, SCALE_PRINTED},
    {"TFLOP/s", UNIT_SPEED, 12, 1, SCALE_PRINTED},
    {"PFLOP/s", UNIT_SPEED, 15, 1, SCALE_PRINTED},
    {"FLOP/bit", UNIT_INTENSITY, 0, 1, SCALE_PRINTED},
    {"kFLOP/bit", UNIT_INTENSITY, 3, 1, SCALE_PRINTED},
    {"MFLOP/bit", UNIT_INTENSITY, 6, 1, SCALE_PRINTED},
    {"GFLOP/bit", UNIT_INTENSITY, 9, 1, SCALE_PRINTED},
};

#define UNIT_COUNT (sizeof units / sizeof *units)

static const struct {
    const char *name, *example;
} dimensions[UNIT_DIMENSION_COUNT] = {
    [UNIT_PLAIN] = {"a plain number", "0.5"},
    [UNIT_RATIO] = {"a fraction", "0.05` or `5 %"},
    [UNIT_GAIN] = {"a gain", "4e-13` or `-124 dB"},
    [UNIT_DECIBEL] = {"a ratio in decibel", "6 dB"},
    [UNIT_DATA] = {"a data size", "64 kbit"},
    [UNIT_RATE] = {"a data rate", "5 Mbit/s"},
    [UNIT_FREQUENCY] = {"a frequency", "5 MHz"},
    [UNIT_TIME] = {"a time", "0.1 ms"},
    [UNIT_POWER] = {"a power", "1 W` or `20 dBm"},
    [UNIT_POWER_DENSITY] = {"a power density", "4e-20 W/Hz` or `-164 dBm/Hz"},
    [UNIT_ENERGY] = {"an energy", "3 J"},
    [UNIT_LENGTH] = {"a length", "120 m"},
    [UNIT_WORK] = {"an amount of work", "10 GFLOP"},
    [UNIT_SPEED] = {"a computing speed", "20 TFLOP/s"},
    [UNIT_INTENSITY] = {"a computing intensity", "3 MFLOP/bit"},
};

const char *units_name(enum unit_dimension dimension) {
    assert((unsigned)dimension < UNIT_DIMENSION_COUNT);
    return dimensions[dimension].name;
}

const char *units_example(enum unit_dimension dimension) {
    assert((unsigned)dimension < UNIT_DIMENSION_COUNT);
    return dimensions[dimension].example;
}

/* A decimal number taken apart: (-1)^negative * digits * 10^exponent. */
struct decimal {
    bool negative;
    char digits[NUMBER_LETTERS_MAX + 1]; /* no point, so that no locale matters */
    int exponent;
};

static size_t digits_at(const char *text) {
    return strspn(text, "0123456789");
}

static void append_digits(struct decimal *decimal, const char *text, size_t count) {
    size_t used = strlen(decimal->digits);
    memcpy(decimal->digits + used, text, count);
    decimal->digits[used + count] = '\0';
}

/* The exponent at `text` ("e-13"), 0 letters when there is none. */
static size_t exponent_at(const char *text, int *exponent) {
    *exponent = 0;
    if (*text != 'e' && *text != 'E')
        return 0;
    size_t sign = text[1] == '-' || text[1] == '+';
    size_t count = digits_at(text + 1 + sign);
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count && *exponent <= EXPONENT_MAX; i++)
        *exponent = *exponent * 10 + (text[1 + sign + i] - '0');
    if (*exponent > EXPONENT_MAX)
        *exponent = EXPONENT_MAX;
    if (text[1] == '-')
        *exponent = -*exponent;
    return 1 + sign + count;
}

/* Reads the number that `text` begins with. Returns its length in letters, 0 when there is none. */
static size_t decimal_read(const char *text, struct decimal *decimal) {
    memset(decimal, 0, sizeof *decimal);
    size_t at = *text == '-' || *text == '+';
    decimal->negative = *text == '-';
    size_t whole = digits_at(text + at);
    size_t fraction = whole > 0 && text[at + whole] == '.' ? digits_at(text + at + whole + 1) : 0;
    if (whole == 0 || whole + fraction > NUMBER_LETTERS_MAX)
        return 0;
    append_digits(decimal, text + at, whole);
    at += whole;
    if (fraction > 0) {
        append_digits(decimal, text + at + 1, fraction);
        at += fraction + 1;
    }
    at += exponent_at(text + at, &decimal->exponent);
    decimal->exponent -= (int)fraction;
    return at;
}

static double decimal_value(const struct decimal *decimal, int shift) {
    char text[NUMBER_LETTERS_MAX + 24];
    snprintf(text, sizeof text, "%s%se%d", decimal->negative ? "-" : "", decimal->digits,
             decimal->exponent + shift);
    return strtod(text, NULL);
}

static const struct unit *unit_of(const char *symbol, enum unit_dimension dimension) {
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (units[i].dimension == dimension && strcmp(units[i].symbol, symbol) == 0)
            return &units[i];
    return NULL;
}

/* Other spellings, by what their writers mean: closeness of letters would take `Mb` for `MB`. Not accepted,
 * because some readers take them for something else. */
static const struct {
    const char *spelling, *symbol;
} foreign[] = {
    {"b", "bit"},       {"kb", "kbit"},      {"Kb", "kbit"},        {"Mb", "Mbit"},
    {"Gb", "Gbit"},     {"bits", "bit"},     {"bytes", "B"},        {"KB", "kB"},
    {"bps", "bit/s"},   {"kbps", "kbit/s"},  {"Mbps", "Mbit/s"},    {"Gbps", "Gbit/s"},
    {"kb/s", "kbit/s"}, {"Mb/s", "Mbit/s"},  {"Gb/s", "Gbit/s"},    {"sec", "s"},
    {"msec", "ms"},     {"usec", "us"},      {"\xc2\xb5s", "us"},   {"\xce\xbcs", "us"},
    {"minutes", "min"}, {"FLOPS", "FLOP/s"}, {"GFLOPS", "GFLOP/s"}, {"TFLOPS", "TFLOP/s"},
};

/* The unit of `dimension` that `symbol` was probably meant to be, NULL when there is none. */
static const char *guess_unit(const char *symbol, enum unit_dimension dimension) {
    struct text_closest search = text_closest_to(symbol);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(foreign[i].spelling, symbol) == 0 && unit_of(foreign[i].symbol, dimension) != NULL)
            return foreign[i].symbol;
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (units[i].dimension == dimension && *units[i].symbol != '\0')
            text_closest_offer(&search, units[i].symbol);
    return search.best;
}

static enum unit_dimension dimension_of(const char *symbol) {
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (strcmp(units[i].symbol, symbol) == 0)
            return units[i].dimension;
    return UNIT_DIMENSION_COUNT;
}

/* Why `symbol` is not a unit of `dimension`. */
static void wrong_unit(const char *text, const char *symbol, enum unit_dimension dimension,
                       struct error *error) {
    char got[TEXT_QUOTED_MAX], unit[TEXT_QUOTED_MAX];
    text_quote(text, strlen(text), got);
    text_quote(symbol, strlen(symbol), unit);
    const char *name = units_name(dimension), *example = units_example(dimension);
    const char *guess = guess_unit(symbol, dimension);
    enum unit_dimension other = dimension_of(symbol);
    if (*symbol == '\0')
        error_set(error, STATUS_INVALID, "expected %s such as `%s`, got `%s` without a unit", name, example,
                  got);
    else if (dimension == UNIT_PLAIN)
        error_set(error, STATUS_INVALID, "expected %s such as `%s` without a unit, got `%s`", name, example,
                  got);
    else if (other != UNIT_DIMENSION_COUNT)
        error_set(error, STATUS_INVALID, "expected %s such as `%s`, got `%s`, which is %s", name, example,
                  got, units_name(other));
    else
        error_set(error, STATUS_INVALID,
                  "expected %s such as `%s`, got `%s` with the unknown unit `%s`%s%s%s", name, example, got,
                  unit, guess != NULL ? "; did you mean `" : "", guess != NULL ? guess : "",
                  guess != NULL ? "`?" : "");
}

/* Splits `text` into number and unit; NULL with `error` filled when it is none of `dimension`. */
static const struct unit *read_quantity(const char *text, enum unit_dimension dimension,
                                        struct decimal *decimal, struct error *error) {
    size_t used = decimal_read(text, decimal);
    char got[TEXT_QUOTED_MAX];
    if (used == 0) {
        error_set(error, STATUS_INVALID, "expected %s such as `%s`, got `%s`", units_name(dimension),
                  units_example(dimension), text_quote(text, strlen(text), got));
        return NULL;
    }
    const char *symbol = text + used + strspn(text + used, " ");
    const struct unit *unit = unit_of(symbol, dimension);
    if (unit == NULL)
        wrong_unit(text, symbol, dimension, error);
    return unit;
}

enum status units_parse(const char *text, enum unit_dimension dimension, double *value, struct error *error) {
    assert((unsigned)dimension < UNIT_DIMENSION_COUNT && dimension != UNIT_TIME);
    struct decimal decimal;
    const struct unit *unit = read_quantity(text, dimension, &decimal, error);
    if (unit == NULL)
        return STATUS_INVALID;
    double result = unit->scale == SCALE_DECIBEL ? pow(10, decimal_value(&decimal, 0) / 10 + unit->exponent)
                                                 : decimal_value(&decimal, unit->exponent) * unit->factor;
    char got[TEXT_QUOTED_MAX];
    if (!isfinite(result))
        return error_set(error, STATUS_INVALID, "`%s` is too large to compute with",
                         text_quote(text, strlen(text), got));
    *value = result;
    return STATUS_OK;
}

/* digits * factor * 10^exponent as an integer. False when it is none (`exact` false) or beyond int64_t. */
static bool decimal_integer(const struct decimal *decimal, const struct unit *unit, int64_t *result,
                            bool *exact) {
    unsigned __int128 value = 0;
    *exact = true;
    int exponent = decimal->exponent + unit->exponent;
    for (const char *digit = decimal->digits; *digit != '\0'; digit++) {
        if (value > (unsigned __int128)1 << 120)
            return false;
        value = value * 10 + (unsigned)(*digit - '0');
    }
    value *= (unsigned)unit->factor;
    for (; exponent < 0 && value != 0; exponent++) {
        if (value % 10 != 0)
            return *exact = false;
        value /= 10;
    }
    for (; exponent > 0 && value != 0 && value <= INT64_MAX; exponent--)
        value *= 10;
    if (value > INT64_MAX)
        return false;
    *result = decimal->negative ? -(int64_t)value : (int64_t)value;
    return true;
}

enum status units_parse_time(const char *text, int64_t *time_ns, struct error *error) {
    struct decimal decimal;
    const struct unit *unit = read_quantity(text, UNIT_TIME, &decimal, error);
    bool exact;
    if (unit == NULL)
        return STATUS_INVALID;
    if (decimal_integer(&decimal, unit, time_ns, &exact))
        return STATUS_OK;
    char got[TEXT_QUOTED_MAX];
    text_quote(text, strlen(text), got);
    return exact
               ? error_set(error, STATUS_INVALID, "`%s` is longer than the clock can count (292 years)", got)
               : error_set(error, STATUS_INVALID,
                           "`%s` is finer than the clock, which counts whole nanoseconds", got);
}

/* "1e+06" -> "1e6", "4e-07" -> "4e-7". */
static void shorten_exponent(char *number) {
    char *mark = strchr(number, 'e');
    if (mark == NULL)
        return;
    char *from = mark + 1, *to = mark + 1;
    if (*from == '-')
        *to++ = *from;
    from++;
    from += strspn(from, "0");
    memmove(to, from, strlen(from) + 1);
}

/* One way to write a value. Fewer letters are better, then a natural mantissa, then the larger unit. */
struct candidate {
    char text[UNITS_TEXT_MAX];
    size_t letters;
    bool natural; /* mantissa in [1, 1000) */
};

static void consider(struct candidate *best, const struct candidate *other) {
    bool better = best->letters == 0 || other->letters < best->letters ||
                  (other->letters == best->letters && other->natural >= best->natural);
    if (better)
        *best = *other;
}

/* Writes `value` in `unit` with the fewest digits that read back; false when none do (division rounded). */
static bool print_in_unit(double value, const struct unit *unit, struct candidate *candidate) {
    double mantissa =
        unit->exponent >= 0 ? value / pow(10, unit->exponent) : value * pow(10, -unit->exponent);
    for (int digits = 15; digits <= 17; digits++) {
        char number[32];
        snprintf(number, sizeof number, "%.*g", digits, mantissa);
        shorten_exponent(number);
        int letters = snprintf(candidate->text, sizeof candidate->text, "%s%s%s", number,
                               *unit->symbol != '\0' ? " " : "", unit->symbol);
        double back = NAN;
        if (units_parse(candidate->text, unit->dimension, &back, NULL) == STATUS_OK && back == value) {
            candidate->letters = (size_t)letters;
            candidate->natural = fabs(mantissa) >= 1 && fabs(mantissa) < 1000;
            return true;
        }
    }
    return false;
}

const char *units_print(double value, enum unit_dimension dimension, char text[UNITS_TEXT_MAX]) {
    assert((unsigned)dimension < UNIT_DIMENSION_COUNT && dimension != UNIT_TIME && isfinite(value));
    struct candidate best = {.letters = 0};
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        struct candidate candidate;
        const struct unit *unit = &units[i];
        if (unit->dimension != dimension || unit->scale != SCALE_PRINTED ||
            (value == 0 && unit->exponent != 0))
            continue;
        if (print_in_unit(value, unit, &candidate))
            consider(&best, &candidate);
    }
    assert(best.letters > 0);
    return memcpy(text, best.text, UNITS_TEXT_MAX);
}

/* `magnitude` ns as a decimal in `unit`, without trailing zeros. False when it is no decimal there (50 s in
 * min). */
static bool print_time_in_unit(uint64_t magnitude, bool negative, const struct unit *unit,
                               struct candidate *candidate) {
    uint64_t scale = (uint64_t)unit->factor;
    for (int i = 0; i < unit->exponent; i++)
        scale *= 10;
    uint64_t whole = magnitude / scale, rest = magnitude % scale;
    char fraction[24] = "";
    int digits = unit->exponent;
    if (rest != 0 && unit->factor != 1)
        return false;
    for (; rest != 0 && rest % 10 == 0; digits--)
        rest /= 10;
    if (rest != 0)
        snprintf(fraction, sizeof fraction, ".%0*" PRIu64, digits, rest);
    int letters = snprintf(candidate->text, sizeof candidate->text, "%s%" PRIu64 "%s %s", negative ? "-" : "",
                           whole, fraction, unit->symbol);
    candidate->letters = (size_t)letters;
    candidate->natural = whole >= 1 && whole < 1000;
    return true;
}

const char *units_print_time(int64_t time_ns, char text[UNITS_TEXT_MAX]) {
    assert(time_ns > INT64_MIN);
    uint64_t magnitude = (uint64_t)llabs(time_ns);
    struct candidate best = {.letters = 0};
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        struct candidate candidate = {.letters = 0};
        const struct unit *unit = &units[i];
        if (unit->dimension != UNIT_TIME || (time_ns == 0 && strcmp(unit->symbol, "s") != 0))
            continue;
        if (print_time_in_unit(magnitude, time_ns < 0, unit, &candidate))
            consider(&best, &candidate);
    }
    return memcpy(text, best.text, UNITS_TEXT_MAX);
}

const char *units_pattern(enum unit_dimension dimension, char pattern[UNITS_PATTERN_MAX]) {
    int used = snprintf(pattern, UNITS_PATTERN_MAX, "^[+-]?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)? *(");
    bool first = true;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (units[i].dimension != dimension)
            continue;
        used += snprintf(pattern + used, UNITS_PATTERN_MAX - (size_t)used, "%s%s", first ? "" : "|",
                         units[i].symbol);
        first = false;
    }
    snprintf(pattern + used, UNITS_PATTERN_MAX - (size_t)used, ")$");
    return pattern;
}
