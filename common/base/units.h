/* units: values with units, as people write them in scenario files, to SI and back.
 *
 * A value with a dimension needs its unit (`5 Mbit/s`); only plain numbers have none. Conversion is exact: a
 * double is rounded once, from the decimal digits already scaled; a time is an integer count of nanoseconds
 * and nothing finer is accepted. The inverse prints the shortest text that parses back to the same bits.
 * Values in dBm and dBm/Hz go through pow() and are as exact as that. No locale is consulted. */
#ifndef TIERBED_BASE_UNITS_H
#define TIERBED_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum unit_dimension {
    UNIT_PLAIN = 0,     /* a number without unit */
    UNIT_RATIO,         /* a number, percent or ppm: 5 % is 0.05 */
    UNIT_GAIN,          /* a power ratio, or dB: -30 dB is 0.001 */
    UNIT_DECIBEL,       /* dB, kept as dB */
    UNIT_DATA,          /* bit */
    UNIT_RATE,          /* bit/s */
    UNIT_FREQUENCY,     /* Hz */
    UNIT_TIME,          /* ns: units_parse_time and units_print_time only */
    UNIT_POWER,         /* W */
    UNIT_POWER_DENSITY, /* W/Hz */
    UNIT_ENERGY,        /* J */
    UNIT_LENGTH,        /* m */
    UNIT_WORK,          /* FLOP */
    UNIT_SPEED,         /* FLOP/s */
    UNIT_INTENSITY,     /* FLOP/bit */
    UNIT_DIMENSION_COUNT
};

#define UNITS_TEXT_MAX 48     /* room for any printed value */
#define UNITS_PATTERN_MAX 256 /* room for any pattern */

/* Parses a zero-terminated text such as `64 kbit` (spaces between number and unit are optional) into SI. A
 * failure is STATUS_INVALID with a sentence saying what was expected, an example and what is wrong. A value
 * beyond the range of double is one too. `dimension` is not UNIT_TIME. */
enum status units_parse(const char *text, enum unit_dimension dimension, double *value, struct error *error);

/* The same for times (ns, us, ms, s, min, h), into whole nanoseconds. */
enum status units_parse_time(const char *text, int64_t *time_ns, struct error *error);

/* Writes the shortest text with unit that parses back to the same double (finite; not UNIT_TIME) or time.
 * Returns `text`. */
const char *units_print(double value, enum unit_dimension dimension, char text[UNITS_TEXT_MAX]);
const char *units_print_time(int64_t time_ns, char text[UNITS_TEXT_MAX]);

/* "a data rate", "5 Mbit/s", and an ECMA regular expression of all texts accepted; static except the pattern.
 */
const char *units_name(enum unit_dimension dimension);
const char *units_example(enum unit_dimension dimension);
const char *units_pattern(enum unit_dimension dimension, char pattern[UNITS_PATTERN_MAX]);

#endif
