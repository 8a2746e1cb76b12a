/* mat: records in MATLAB files. Levels 5 and 7 are decoded by mat5.c; level 7.3 is HDF5 and read by libmatio.
 */
#include <matio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/vibration.h"

#define CWRU_SUFFIX "_DE_time" /* drive-end accelerometer in the files of Case Western Reserve University */
#define LEVEL5_HEADER 128      /* also before the HDF5 of level 7.3 */
#define DEFLATE_RATIO_MAX 1032 /* zlib cannot expand more than this */

static bool is_numeric(enum matio_classes class) {
    return class >= MAT_C_DOUBLE && class <= MAT_C_UINT64;
}

static size_t element_count(const matvar_t *variable) {
    size_t count = 1;
    for (int i = 0; i < variable->rank; i++) {
        if (variable->dims[i] == 0 || count > VIBRATION_SAMPLES_MAX / variable->dims[i])
            return 0;
        count *= variable->dims[i];
    }
    return count;
}

/* A vector: two dimensions, one of them 1, more than one element. */
static bool is_vector(const matvar_t *variable) {
    return variable->rank == 2 && variable->dims != NULL && is_numeric(variable->class_type) &&
           !variable->isComplex && element_count(variable) > 1 &&
           (variable->dims[0] == 1 || variable->dims[1] == 1);
}

static bool ends_with(const char *text, const char *suffix) {
    size_t length = strlen(text), suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* Name of the variable to read, owned by the caller; NULL when there is none. Only headers are read here; one
 * that claims more than `bytes_max` is passed over, before libmatio takes memory for it. */
static char *variable_choose(mat_t *file, size_t bytes_max) {
    char *chosen = NULL;
    for (matvar_t *variable; (variable = Mat_VarReadNextInfo(file)) != NULL; Mat_VarFree(variable)) {
        if (variable->name == NULL || variable->name[0] == '\0' || !is_vector(variable) ||
            element_count(variable) > bytes_max / Mat_SizeOfClass((int)variable->class_type))
            continue;
        bool wanted = ends_with(variable->name, CWRU_SUFFIX);
        if (chosen == NULL || wanted) {
            free(chosen);
            chosen = strdup(variable->name);
        }
        if (wanted) {
            Mat_VarFree(variable);
            break;
        }
    }
    return chosen;
}

#define COPY_AS(type)                                                                                        \
    for (size_t i = 0; i < count; i++)                                                                       \
    samples[i] = (float)((const type *)data)[i]

static bool values_copy(const matvar_t *variable, float *samples, size_t count) {
    const void *data = variable->data;
    switch (variable->class_type) {
    case MAT_C_DOUBLE:
        COPY_AS(double);
        return true;
    case MAT_C_SINGLE:
        COPY_AS(float);
        return true;
    case MAT_C_INT8:
        COPY_AS(int8_t);
        return true;
    case MAT_C_UINT8:
        COPY_AS(uint8_t);
        return true;
    case MAT_C_INT16:
        COPY_AS(int16_t);
        return true;
    case MAT_C_UINT16:
        COPY_AS(uint16_t);
        return true;
    case MAT_C_INT32:
        COPY_AS(int32_t);
        return true;
    case MAT_C_UINT32:
        COPY_AS(uint32_t);
        return true;
    case MAT_C_INT64:
        COPY_AS(int64_t);
        return true;
    case MAT_C_UINT64:
        COPY_AS(uint64_t);
        return true;
    default:
        return false;
    }
}

static enum status variable_take(const matvar_t *variable, const char *path, struct vibration *vibration,
                                 struct error *error) {
    size_t count = element_count(variable);
    if (count == 0 || !is_vector(variable) || variable->data == NULL || variable->data_size <= 0 ||
        variable->nbytes < count * (size_t)variable->data_size ||
        (size_t)variable->data_size != Mat_SizeOfClass((int)variable->class_type))
        return error_set(error, STATUS_INVALID, "%s: variable %s cannot be read; the file may be cut short",
                         path, variable->name);
    float *samples = malloc(count * sizeof(*samples));
    if (samples == NULL)
        return error_set(error, STATUS_MEMORY, "%s: no memory for %zu samples", path, count);
    if (!values_copy(variable, samples, count)) {
        free(samples);
        return error_set(error, STATUS_INVALID, "%s: variable %s is not numeric", path, variable->name);
    }
    *vibration = (struct vibration){.samples = samples, .count = count};
    return STATUS_OK;
}

static enum status open_file_read(mat_t *file, size_t size, const char *path, struct vibration *vibration,
                                  struct error *error) {
    char *name = variable_choose(file, size * DEFLATE_RATIO_MAX);
    if (name == NULL)
        return error_set(
            error, STATUS_INVALID,
            "%s: expected a variable called *%s or another numeric vector; it has none, or is cut short",
            path, CWRU_SUFFIX);
    matvar_t *variable = Mat_Rewind(file) == 0 ? Mat_VarRead(file, name) : NULL;
    enum status status = STATUS_INVALID;
    if (variable == NULL)
        error_set(error, status, "%s: variable %s cannot be read; the file may be cut short", path, name);
    else
        status = variable_take(variable, path, vibration, error);
    Mat_VarFree(variable);
    free(name);
    return status;
}

/* libmatio reports a damaged file on stderr unless told otherwise; the status says it already. */
static void quiet(int level, char *message) { // NOLINT(readability-non-const-parameter): libmatio's type
    (void)level;
    (void)message;
}

static enum status hdf5_read(const char *path, size_t size, struct vibration *vibration,
                             struct error *error) {
    Mat_LogInitFunc("tierbed", quiet);
    mat_t *file = Mat_Open(path, MAT_ACC_RDONLY);
    if (file == NULL)
        return error_set(error, STATUS_INVALID, "%s: is not a MATLAB file that libmatio can read", path);
    enum status status = open_file_read(file, size, path, vibration, error);
    Mat_Close(file);
    return status;
}

enum status mat_read(const char *path, struct vibration *vibration, struct error *error) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    TRY(file_read_all(path, VIBRATION_BYTES_MAX, &bytes, &size, error));
    bool is_hdf5 = size >= LEVEL5_HEADER && memcmp(bytes + 124, "\x00\x02IM", 4) == 0;
    enum status status = is_hdf5 ? STATUS_OK : mat5_decode(bytes, size, path, vibration, error);
    free(bytes);
    return is_hdf5 ? hdf5_read(path, size, vibration, error) : status;
}
