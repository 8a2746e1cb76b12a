/* Goal: a failure carries its status and its sentence, cut rather than overrun, and maps to the documented
 * exit code. Method: sets errors with short, long and no destinations, and walks all statuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/error.h"

static void error_set_writes_the_sentence_and_returns_the_status(void **state) {
    (void)state;
    struct error error = {0};
    assert_int_equal(error_set(&error, STATUS_IO, "cannot open %s, line %d", "a.yaml", 7), STATUS_IO);
    assert_int_equal(error.status, STATUS_IO);
    assert_string_equal(error.text, "cannot open a.yaml, line 7");
}

static void no_destination_is_fine_and_still_returns_the_status(void **state) {
    (void)state;
    assert_int_equal(error_set(NULL, STATUS_FULL, "%s", "ignored"), STATUS_FULL);
    errno = ENOENT;
    assert_int_equal(error_set_errno(NULL, STATUS_IO, "%s", "ignored"), STATUS_IO);
}

static void error_set_errno_says_what_the_system_said(void **state) {
    (void)state;
    struct error error = {0};
    errno = ENOSPC;
    assert_int_equal(error_set_errno(&error, STATUS_IO, "cannot write %s", "x"), STATUS_IO);
    char expected[128];
    snprintf(expected, sizeof expected, "cannot write x: %s", strerror(ENOSPC));
    assert_string_equal(error.text, expected);
}

static void text_that_does_not_fit_is_cut(void **state) {
    (void)state;
    struct {
        struct error error;
        char guard[16];
    } place;
    memset(&place, 0x5a, sizeof place);
    char longer[3000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    error_set(&place.error, STATUS_LIMIT, "%s", longer);
    assert_int_equal(strlen(place.error.text), sizeof place.error.text - 1);
    errno = EACCES;
    error_set_errno(&place.error, STATUS_IO, "%s", longer);
    assert_int_equal(strlen(place.error.text), sizeof place.error.text - 1);
    for (size_t i = 0; i < sizeof place.guard; i++)
        assert_int_equal(place.guard[i], 0x5a);
}

static void every_status_has_a_name_and_its_documented_exit_code(void **state) {
    (void)state;
    static const struct {
        enum status status;
        const char *name;
        int exit_code;
    } rows[] = {
        {STATUS_OK, "ok", 0},
        {STATUS_INVALID, "invalid", 2},
        {STATUS_IO, "io", 4},
        {STATUS_FULL, "full", 1},
        {STATUS_LIMIT, "limit", 1},
        {STATUS_PEER, "peer", 5},
        {STATUS_STOPPED, "stopped", 130},
        {STATUS_UNSUPPORTED, "unsupported", 4},
        {STATUS_MEMORY, "memory", 4},
        {STATUS_FAILED, "failed", 1},
    };
    assert_int_equal(sizeof rows / sizeof *rows, STATUS_FAILED + 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(status_name(rows[i].status), rows[i].name);
        assert_int_equal(status_exit_code(rows[i].status), rows[i].exit_code);
    }
    assert_string_equal(status_name((enum status)99), "unknown");
    assert_int_equal(status_exit_code((enum status)99), 1);
}

static int steps;

static enum status step(enum status status) {
    steps++;
    return status;
}

static enum status two_steps(enum status first, enum status second) {
    TRY(step(first));
    TRY(step(second));
    return STATUS_OK;
}

static void try_passes_the_first_failure_up_and_goes_no_further(void **state) {
    (void)state;
    steps = 0;
    assert_int_equal(two_steps(STATUS_PEER, STATUS_IO), STATUS_PEER);
    assert_int_equal(steps, 1);
    assert_int_equal(two_steps(STATUS_OK, STATUS_IO), STATUS_IO);
    assert_int_equal(two_steps(STATUS_OK, STATUS_OK), STATUS_OK);
    assert_int_equal(steps, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_set_writes_the_sentence_and_returns_the_status),
        cmocka_unit_test(no_destination_is_fine_and_still_returns_the_status),
        cmocka_unit_test(error_set_errno_says_what_the_system_said),
        cmocka_unit_test(text_that_does_not_fit_is_cut),
        cmocka_unit_test(every_status_has_a_name_and_its_documented_exit_code),
        cmocka_unit_test(try_passes_the_first_failure_up_and_goes_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
