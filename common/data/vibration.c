#include "common/data/vibration.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

void vibration_close(struct vibration *vibration) {
    free(vibration->samples);
    *vibration = (struct vibration){0};
}

static enum status read_open_file(int fd, const char *path, size_t size_max, uint8_t **data, size_t *size,
                                  struct error *error) {
    struct stat info;
    if (fstat(fd, &info) != 0)
        return error_set_errno(error, STATUS_IO, "%s: cannot be examined", path);
    if (!S_ISREG(info.st_mode))
        return error_set(error, STATUS_IO, "%s: is not a regular file", path);
    if ((uint64_t)info.st_size > size_max)
        return error_set(error, STATUS_LIMIT, "%s: %lld bytes, expected at most %zu; split the record", path,
                         (long long)info.st_size, size_max);
    size_t wanted = (size_t)info.st_size, got = 0;
    uint8_t *bytes = malloc(wanted + 1);
    if (bytes == NULL)
        return error_set(error, STATUS_MEMORY, "%s: no memory for %zu bytes", path, wanted);
    while (got < wanted) {
        ssize_t n = read(fd, bytes + got, wanted - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    if (got < wanted) {
        free(bytes);
        return error_set_errno(error, STATUS_IO, "%s: could be read only to byte %zu of %zu", path, got,
                               wanted);
    }
    *data = bytes;
    *size = got;
    return STATUS_OK;
}

enum status file_read_all(const char *path, size_t size_max, uint8_t **data, size_t *size,
                          struct error *error) {
    /* O_NONBLOCK: opening a FIFO that somebody left in the directory must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(error, STATUS_IO, "%s: cannot be opened for reading", path);
    enum status status = read_open_file(fd, path, size_max, data, size, error);
    close(fd);
    return status;
}

static const char *extension_of(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    return dot == NULL || (slash != NULL && dot < slash) ? "" : dot;
}

bool vibration_is_known(const char *path) {
    const char *extension = extension_of(path);
    return strcasecmp(extension, ".wav") == 0 || strcasecmp(extension, ".mat") == 0 ||
           strcasecmp(extension, ".csv") == 0;
}

static enum status check_values(const struct vibration *vibration, const char *path, struct error *error) {
    if (vibration->count == 0)
        return error_set(error, STATUS_INVALID, "%s: holds no samples", path);
    for (size_t i = 0; i < vibration->count; i++)
        if (!isfinite(vibration->samples[i]))
            return error_set(error, STATUS_INVALID, "%s: sample %zu is not a finite number", path, i);
    return STATUS_OK;
}

enum status vibration_read(const char *path, struct vibration *vibration, struct error *error) {
    struct vibration read = {0};
    enum status status;
    if (!vibration_is_known(path))
        return error_set(error, STATUS_INVALID, "%s: expected a file named *.wav, *.mat or *.csv", path);
    if (strcasecmp(extension_of(path), ".mat") == 0) {
        status = mat_read(path, &read, error);
    } else {
        uint8_t *data = NULL;
        size_t size = 0;
        TRY(file_read_all(path, VIBRATION_BYTES_MAX, &data, &size, error));
        status = (strcasecmp(extension_of(path), ".wav") == 0 ? wav_decode : csv_decode)(data, size, path,
                                                                                         &read, error);
        free(data);
    }
    if (status == STATUS_OK)
        status = check_values(&read, path, error);
    if (status != STATUS_OK) {
        vibration_close(&read);
        return status;
    }
    *vibration = read;
    return STATUS_OK;
}
