/* files: what the data tests write for the readers: a scratch directory and small recordings in every format. */
#ifndef TIERBED_TESTS_DATA_FILES_H
#define TIERBED_TESTS_DATA_FILES_H

#include <dirent.h>
#include <matio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/bytes.h"

struct scratch {
    char dir[256];
    char path[600]; /* of the file last named */
};

static inline void scratch_open(struct scratch *scratch) {
    const char *base = getenv("TMPDIR");
    snprintf(scratch->dir, sizeof(scratch->dir), "%.200s/tierbed-data-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(scratch->dir));
}

static inline const char *scratch_path(struct scratch *scratch, const char *name) {
    snprintf(scratch->path, sizeof(scratch->path), "%s/%s", scratch->dir, name);
    return scratch->path;
}

static inline void scratch_close(struct scratch *scratch) {
    DIR *stream = opendir(scratch->dir);
    for (struct dirent *item; stream != NULL && (item = readdir(stream)) != NULL;)
        if (item->d_name[0] != '.')
            remove(scratch_path(scratch, item->d_name));
    if (stream != NULL)
        closedir(stream);
    assert_int_equal(rmdir(scratch->dir), 0);
}

static inline void scratch_write(struct scratch *scratch, const char *name, const void *data, size_t size) {
    FILE *file = fopen(scratch_path(scratch, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void scratch_write_text(struct scratch *scratch, const char *name, const char *text) {
    scratch_write(scratch, name, text, strlen(text));
}

struct wav_shape {
    uint16_t format, channels, bits;
    uint32_t rate_hz;
};

/* Writes a WAV file of `frames` whole frames into `out`; returns its size. */
static inline size_t wav_make(struct wav_shape shape, const uint8_t *frames, size_t size, uint8_t *out,
                              size_t capacity) {
    struct bytes_writer writer = bytes_writer_over(out, capacity);
    uint16_t frame_bytes = (uint16_t)(shape.channels * (shape.bits / 8));
    bytes_put(&writer, "RIFF", 4);
    bytes_put_u32(&writer, (uint32_t)(36 + size));
    bytes_put(&writer, "WAVEfmt ", 8);
    bytes_put_u32(&writer, 16);
    bytes_put_u16(&writer, shape.format);
    bytes_put_u16(&writer, shape.channels);
    bytes_put_u32(&writer, shape.rate_hz);
    bytes_put_u32(&writer, shape.rate_hz * frame_bytes);
    bytes_put_u16(&writer, frame_bytes);
    bytes_put_u16(&writer, shape.bits);
    bytes_put(&writer, "data", 4);
    bytes_put_u32(&writer, (uint32_t)size);
    bytes_put(&writer, frames, size);
    assert_false(writer.failed);
    return writer.used;
}

/* A WAV file of mono 16-bit samples. */
static inline void scratch_write_wav(struct scratch *scratch, const char *name, const int16_t *samples, size_t count,
                                     uint32_t rate_hz) {
    size_t capacity = 2 * count + 64;
    uint8_t *frames = malloc(2 * count + 1), *file = malloc(capacity);
    assert_true(frames != NULL && file != NULL);
    for (size_t i = 0; i < count; i++) {
        frames[2 * i] = (uint8_t)((uint16_t)samples[i] & 0xff);
        frames[2 * i + 1] = (uint8_t)((uint16_t)samples[i] >> 8);
    }
    size_t size = wav_make((struct wav_shape){1, 1, 16, rate_hz}, frames, 2 * count, file, capacity);
    scratch_write(scratch, name, file, size);
    free(frames);
    free(file);
}

/* A MATLAB file with one real matrix of `rows` x `columns`. */
static inline void scratch_write_mat(struct scratch *scratch, const char *name, const char *variable, double *values,
                                     size_t rows, size_t columns) {
    mat_t *file = Mat_CreateVer(scratch_path(scratch, name), NULL, MAT_FT_MAT5);
    size_t dims[2] = {rows, columns};
    matvar_t *matrix = Mat_VarCreate(variable, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, values, 0);
    assert_true(file != NULL && matrix != NULL);
    assert_int_equal(Mat_VarWrite(file, matrix, MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(matrix);
    Mat_Close(file);
}

#endif
