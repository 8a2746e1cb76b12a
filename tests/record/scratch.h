/* scratch: a folder of its own for each test, gone afterwards; and the cmocka includes in their order. */
#ifndef TIERBED_TESTS_RECORD_SCRATCH_H
#define TIERBED_TESTS_RECORD_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/record/durable.h"

struct scratch {
    char dir[256];        /* exists */
    char run[300];        /* dir/run: does not exist yet */
};

static inline int scratch_remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk) {
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline int scratch_setup(void **state) {
    struct scratch *scratch = calloc(1, sizeof *scratch);
    const char *base = getenv("TMPDIR");
    assert_non_null(scratch);
    snprintf(scratch->dir, sizeof scratch->dir, "%s/tierbed-record-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(scratch->dir));
    snprintf(scratch->run, sizeof scratch->run, "%s/run", scratch->dir);
    *state = scratch;
    return 0;
}

static inline int scratch_teardown(void **state) {
    struct scratch *scratch = *state;
    nftw(scratch->dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(scratch);
    return 0;
}

/* The whole file DIR/NAME as text; the caller frees it. */
static inline char *scratch_read(const char *dir, const char *name) {
    char path[DURABLE_PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    struct error error = {0};
    assert_int_equal(durable_path(path, dir, name, &error), STATUS_OK);
    if (durable_read(path, (size_t)64 << 20, &text, &size, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    return text;
}

static inline void scratch_write(const char *dir, const char *name, const void *data, size_t size) {
    char path[DURABLE_PATH_MAX];
    assert_int_equal(durable_path(path, dir, name, NULL), STATUS_OK);
    assert_int_equal(durable_write(path, data, size, NULL), STATUS_OK);
}

#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#endif
