/* vectors: published test vectors, checked against the functions of common/model.
 *
 * A vector names a case, gives inputs and expects outputs. One table (vectors.c) maps a case to the function
 * that computes it; the functions are in vectors_<paper>.c, read their inputs through struct vector_reader
 * (which checks type, range and length and remembers the first problem with its JSON path), and put what they
 * computed into a JSON object of the same shape as the file's outputs. vectors_compare.c holds the two
 * against each other. */
#ifndef TIERBED_CLI_VECTORS_H
#define TIERBED_CLI_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

/* ---- inputs ---- */

/* What a number may be. Magnitudes other than 0 lie in 1e-40 .. 1e40, so that no product of a model
 * overflows. */
enum vector_range {
    VECTOR_ANY,          /* any sign */
    VECTOR_NON_NEGATIVE, /* >= 0 */
    VECTOR_POSITIVE,     /* > 0 */
    VECTOR_UNIT,         /* 0 .. 1 */
    VECTOR_DECIBEL,      /* -400 .. 400: dB or dBm */
    VECTOR_DISTANCE,     /* 1e-3 .. 1e9 m */
    VECTOR_EXPONENT,     /* -10 .. 10 */
    VECTOR_ARGUMENT      /* -1e6 .. 1e6: what goes into an exponential */
};

#define VECTOR_ARRAY_MAX 10000 /* entries of one array, also of a matrix */

struct vector_reader {
    const json_t *inputs;
    const char *path;    /* where `inputs` is in the file: "$.vectors[3].inputs" */
    struct arena *arena; /* arrays live here */
    json_t *used;        /* keys that were asked for */
    bool failed;         /* a problem was found: results of later calls are only placeholders */
    char problem[640];   /* "$.vectors[3].inputs.W: expected a number > 0, found -5" */
};

struct vector_numbers {
    const double *values;
    size_t count;
};

struct vector_matrix {
    const double *values; /* row-major */
    size_t rows, columns;
};

double vector_number(struct vector_reader *reader, const char *key, enum vector_range range);
/* A constant of the published system that a file may override. */
double vector_number_or(struct vector_reader *reader, const char *key, enum vector_range range,
                        double published);
/* A whole number in minimum .. maximum (written 3 or 3.0). */
uint32_t vector_count(struct vector_reader *reader, const char *key, uint32_t minimum, uint32_t maximum);
uint32_t vector_count_or(struct vector_reader *reader, const char *key, uint32_t maximum, uint32_t published);
struct vector_numbers vector_numbers(struct vector_reader *reader, const char *key, enum vector_range range);
/* An array that must have `count` entries. */
const double *vector_numbers_of(struct vector_reader *reader, const char *key, enum vector_range range,
                                size_t count);
/* An array of `count` entries 0 or 1. */
const uint8_t *vector_flags_of(struct vector_reader *reader, const char *key, size_t count);
/* Rows of equal length, at least 1 x 1. */
struct vector_matrix vector_matrix(struct vector_reader *reader, const char *key, enum vector_range range);
/* The sum over an array of arrays of any lengths, each number in `range`; *rows = number of inner arrays. */
double vector_nested_sum(struct vector_reader *reader, const char *key, enum vector_range range,
                         size_t *rows);
/* A text that, if present, must be `expected`. */
void vector_expect_text(struct vector_reader *reader, const char *key, const char *expected);
/* Refuses the inputs: the model cannot compute them. Keeps the first problem only. */
void vector_refuse(struct vector_reader *reader, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- outputs: names are those of the files ---- */

/* A double as JSON; what JSON cannot hold becomes the text "nan", "inf" or "-inf". New reference. */
json_t *vector_json_number(double value);
void vector_give(json_t *outputs, const char *name, double value);
void vector_give_count(json_t *outputs, const char *name, int64_t value);
void vector_give_numbers(json_t *outputs, const char *name, const double *values, size_t count);
void vector_give_flags(json_t *outputs, const char *name, const uint8_t *values, size_t count);
void vector_give_matrix(json_t *outputs, const char *name, const double *values, size_t rows, size_t columns);

/* ---- cases ---- */

/* An output whose published value is known less exactly than the file's rtol says. */
struct vector_tolerance {
    const char *output; /* NULL ends a list */
    double rtol;
};

struct vector_case {
    const char *name;
    const char *equations;                                          /* paper and equation numbers */
    void (*compute)(struct vector_reader *inputs, json_t *outputs); /* returns early when inputs->failed */
    const struct vector_tolerance *tolerances; /* NULL: the rtol of the file for all outputs */
};

extern const struct vector_case vector_cases[]; /* ends with a NULL name */
const struct vector_case *vector_case_find(const char *name);

/* ---- comparison ---- */

struct vector_comparison {
    const char *path;       /* "R[2]", "M_moe.k1_l2" */
    const json_t *expected; /* borrowed */
    const json_t *got;      /* borrowed, NULL = not computed */
    double relative_error;  /* NaN when there is none (counts, texts, not computed) */
    const char *verdict;    /* "ok", "MISMATCH", "not computed", "wrong length", "not comparable" */
    bool passed;
};

/* Compares every value of `expected` (of which a file may hold a subset) with `got`: whole numbers exactly,
 * others by |got - expected| <= rtol |expected|, an expected 0 to 1e-15, null with what is not finite or not
 * computed. `tolerances` (or NULL) widens rtol for single outputs. Calls `visit` for each; returns the number
 * that did not pass. */
typedef void (*vector_visitor)(const struct vector_comparison *comparison, void *context);
size_t vector_compare(const json_t *expected, const json_t *got, double rtol,
                      const struct vector_tolerance *tolerances, vector_visitor visit, void *context);

/* ---- files ---- */

struct vector_options {
    bool json;  /* one object on stdout instead of lines */
    bool quiet; /* lines only for what did not pass */
    bool list;  /* print the known cases instead */
};

/* Checks all files and reports. Returns the exit code: 4 a file cannot be read, 2 one is malformed, 1 a
 * mismatch, 3 an unknown case, 0 everything passed; the first of these that applies. */
int vectors_verify(char *const *paths, size_t path_count, const struct vector_options *options);

/* As vectors_verify for a file that is in memory already (`name` stands for its path): for tests and fuzzing.
 */
int vectors_verify_text(const char *name, const char *text, size_t size,
                        const struct vector_options *options);

#endif
