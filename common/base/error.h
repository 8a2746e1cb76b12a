/* error: how a failure of the world is reported.
 *
 * A function that can fail returns `enum status`; callers must look at it. Those that can say more take a
 * `struct error *` (may be NULL) and write one sentence: what failed, where, and what to try. A programmer's
 * mistake is an assert, never a status. Only main() turns a status into an exit code (status_exit_code). */
#ifndef TIERBED_BASE_ERROR_H
#define TIERBED_BASE_ERROR_H

#include <stdarg.h>

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,     /* the input is wrong: scenario, argument, message, file content */
    STATUS_IO,          /* the system refused: disk full, no permission, missing file */
    STATUS_FULL,        /* a bounded queue or buffer has no room */
    STATUS_LIMIT,       /* a bound that guards against runaway was reached */
    STATUS_PEER,        /* another process died or does not answer */
    STATUS_STOPPED,     /* the user asked to stop (Ctrl-C, SIGTERM) */
    STATUS_UNSUPPORTED, /* valid, but this build or machine cannot do it */
    STATUS_MEMORY,      /* allocation failed */
    STATUS_FAILED       /* a check ran and did not hold */
};

struct error {
    enum status status;
    char text[1024];
};

/* Writes a printf-style sentence into `error` (NULL: ignored) and returns `status`, so that a caller can
 * `return error_set(error, STATUS_IO, ...)`. Text that does not fit is cut, never overrun. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, and appends ": " and strerror(errno). */
enum status error_set_errno(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The documented process exit code: 0 ok, 1 failed check or run, 2 invalid input or usage, 4 I/O, memory or
 * unsupported, 5 a peer process died, 130 stopped by the user. (3 is reserved for "unknown case" of verify.)
 */
int status_exit_code(enum status status);

const char *status_name(enum status status);

/* Passes a failure up to the caller. */
#define TRY(expression)                                                                                      \
    do {                                                                                                     \
        enum status try_status_ = (expression);                                                              \
        if (try_status_ != STATUS_OK)                                                                        \
            return try_status_;                                                                              \
    } while (0)

#endif
