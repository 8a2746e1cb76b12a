#include "common/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum status error_set(struct error *error, enum status status, const char *format, ...) {
    if (error == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

enum status error_set_errno(struct error *error, enum status status, const char *format, ...) {
    int saved_errno = errno;
    if (error == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof error->text - used, ": %s", strerror(saved_errno));
    return status;
}

int status_exit_code(enum status status) {
    switch (status) {
    case STATUS_OK:
        return 0;
    case STATUS_INVALID:
        return 2;
    case STATUS_IO:
    case STATUS_UNSUPPORTED:
    case STATUS_MEMORY:
        return 4;
    case STATUS_PEER:
        return 5;
    case STATUS_STOPPED:
        return 130;
    case STATUS_FULL:
    case STATUS_LIMIT:
    case STATUS_FAILED:
        return 1;
    }
    return 1;
}

const char *status_name(enum status status) {
    static const char *const names[] = {"ok",   "invalid", "io",          "full",   "limit",
                                        "peer", "stopped", "unsupported", "memory", "failed"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}
