/* golden: vectors that another library computed, held against the learning core in both precisions.
 *
 * `tierbed verify golden DIR` runs, for every file of the directory, the check that golden_table names for
 * it, once compiled in single and once in double precision (cli/golden_*.c are compiled twice, as
 * common/learn/ is; golden.c, which reads files and reports, once). A check reads inputs by key, computes,
 * and says what it expects where:
 *
 *   struct golden_tensor x = golden_tensor(golden, one, "x");
 *   real *y = golden_room(golden, x.count);
 *   if (golden->failed)
 *       return;
 *   activation_forward(ACTIVATION_TANH, x.data, x.count, y);
 *   golden_expect(golden, one, "y", y, x.count);
 *
 * It takes every size from the file: other sets with the same keys must do. The first problem of a file is
 * kept with its place (`failed`, `problem`); results of later reads are then zeros of the size asked for
 * where a size is asked for, else empty. Memory lives until the file is done. */
#ifndef TIERBED_CLI_GOLDEN_H
#define TIERBED_CLI_GOLDEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/learn/real.h"

/* ---- one file in one precision ---- */

struct golden_result {
    const char *file, *precision; /* "dense.json", "fp32" */
    const char *path;             /* "cases[2].dW" */
    size_t count;                 /* values compared */
    double error;                 /* largest |got - expected|; NaN when something got is not a number */
    double used;                  /* largest share of the tolerance, 1 just passes */
    bool passed;
};

struct golden {
    const char *file, *precision;
    double relative, absolute; /* tolerance: |got - expected| <= absolute + relative |expected| */
    void (*visit)(const struct golden_result *result, void *context);
    void *context;
    struct arena arena;
    bool failed;
    char problem[640]; /* "cases[2].x.shape: expected 35 values, found 34" */
};

/* A place in the file. */
struct golden_node {
    const json_t *json; /* borrowed; NULL after a problem */
    const char *path;
};

struct golden_file {
    const char *name;
    void (*check)(struct golden *golden, struct golden_node root);
};

/* One row a file, ends with a NULL name; the second is the same table compiled in double precision. */
extern const struct golden_file golden_table[], golden_table_fp64[];

/* Keeps the first problem: "PATH: text". */
void golden_refuse(struct golden *golden, struct golden_node node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- places ---- */

/* A member, which must be there. */
struct golden_node golden_get(struct golden *golden, struct golden_node node, const char *key);
bool golden_has(struct golden_node node, const char *key);
/* Length of an array, and its entries. */
size_t golden_length(struct golden *golden, struct golden_node node);
struct golden_node golden_at(struct golden *golden, struct golden_node node, size_t index);

/* ---- values; key NULL: the node itself ---- */

#define GOLDEN_RANK_MAX 4
#define GOLDEN_COUNT_MAX 10000000

struct golden_tensor {
    size_t rank, shape[GOLDEN_RANK_MAX], count; /* shape beyond rank: 1 */
    real *data;
};

double golden_number(struct golden *golden, struct golden_node node, const char *key);
/* A whole number in 0 .. maximum. */
size_t golden_count(struct golden *golden, struct golden_node node, const char *key, size_t maximum);
/* "" after a problem. */
const char *golden_text(struct golden *golden, struct golden_node node, const char *key);
/* {"shape": [...], "data": [...]}, or an array of numbers (rank 1). Empty (rank 0, count 0) after a problem.
 */
struct golden_tensor golden_tensor(struct golden *golden, struct golden_node node, const char *key);
/* As golden_tensor with exactly `count` values of any shape. */
real *golden_reals(struct golden *golden, struct golden_node node, const char *key, size_t count);
/* A weight that the file holds as [out][in], as [in][out]. */
real *golden_weight(struct golden *golden, struct golden_node node, const char *key, size_t in, size_t out);
/* `count` whole numbers below `limit`. */
uint32_t *golden_indices(struct golden *golden, struct golden_node node, const char *key, size_t count,
                         size_t limit);
/* `count` entries true or false, 1 or 0. */
uint8_t *golden_flags(struct golden *golden, struct golden_node node, const char *key, size_t count);
/* Zeros. */
real *golden_room(struct golden *golden, size_t count);

/* ---- expectations: the node holds what must come out; nothing happens after a problem ---- */

void golden_expect(struct golden *golden, struct golden_node node, const char *key, const real *got,
                   size_t count);
/* got [in][out], in the file [out][in]. */
void golden_expect_weight(struct golden *golden, struct golden_node node, const char *key, const real *got,
                          size_t in, size_t out);
void golden_expect_number(struct golden *golden, struct golden_node node, const char *key, double got);
/* Whole numbers, exactly. */
void golden_expect_indices(struct golden *golden, struct golden_node node, const char *key,
                           const uint32_t *got, size_t count);
/* The same of an array of arrays; shape: rows, entries of each. */
void golden_expect_index_rows(struct golden *golden, struct golden_node node, const char *key,
                              const uint32_t *got, const size_t shape[2]);

/* ---- the command ---- */

struct golden_options {
    bool json;  /* one object on stdout instead of lines */
    bool quiet; /* lines only for what does not hold, and one for each file */
};

/* Checks every file of a directory. Returns the exit code: 4 something cannot be read, 2 a file is malformed,
 * 1 a value differs, 3 a file is unknown, 0 everything holds; the first of these that applies. */
int golden_verify(const char *directory, const struct golden_options *options);

#endif
