#include "common/learn/normaliser.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NORMALISED_MAX 10
#define VARIANCE_FLOOR 1e-8

enum status normaliser_init(struct normaliser *normaliser, uint32_t size) {
    *normaliser = (struct normaliser){.size = size};
    normaliser->mean = calloc(2 * (size_t)size + 1, sizeof *normaliser->mean);
    if (normaliser->mean == NULL)
        return STATUS_MEMORY;
    normaliser->squares = normaliser->mean + size;
    return STATUS_OK;
}

void normaliser_close(struct normaliser *normaliser) {
    free(normaliser->mean);
    *normaliser = (struct normaliser){0};
}

void normaliser_clear(struct normaliser *normaliser) {
    normaliser->count = 0;
    memset(normaliser->mean, 0, 2 * (size_t)normaliser->size * sizeof *normaliser->mean);
}

void normaliser_collect(struct normaliser *normaliser, const real *row) {
    double count = (double)++normaliser->count;
    for (uint32_t i = 0; i < normaliser->size; i++) {
        double before = (double)row[i] - normaliser->mean[i];
        normaliser->mean[i] += before / count;
        normaliser->squares[i] += before * ((double)row[i] - normaliser->mean[i]);
    }
}

void normaliser_merge(struct normaliser *into, const struct normaliser *from) {
    assert(into->size == from->size);
    if (from->count == 0)
        return;
    double a = (double)into->count, b = (double)from->count, total = a + b;
    for (uint32_t i = 0; i < into->size; i++) {
        double distance = from->mean[i] - into->mean[i];
        into->mean[i] += distance * (b / total);
        into->squares[i] += from->squares[i] + distance * distance * (a * b / total);
    }
    into->count += from->count;
}

void normaliser_merge_all(struct normaliser *all, uint32_t count) {
    for (uint64_t width = 1; width < count; width *= 2)
        for (uint64_t left = 0; left + width < count; left += 2 * width)
            normaliser_merge(&all[left], &all[left + width]);
}

double normaliser_deviation(const struct normaliser *normaliser, uint32_t index) {
    if (normaliser->count < 2)
        return 1.0;
    return sqrt(normaliser->squares[index] / (double)normaliser->count + VARIANCE_FLOOR);
}

void normaliser_apply(const struct normaliser *normaliser, const real *x, size_t rows, real *y) {
    size_t size = normaliser->size;
    if (normaliser->count < 2) {
        memmove(y, x, rows * size * sizeof *y);
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        double mean = normaliser->mean[i], scale = 1.0 / normaliser_deviation(normaliser, i);
        for (size_t row = 0; row < rows; row++) {
            double value = ((double)x[row * size + i] - mean) * scale;
            value = value > NORMALISED_MAX ? NORMALISED_MAX : value;
            y[row * size + i] = (real)(value < -NORMALISED_MAX ? -NORMALISED_MAX : value);
        }
    }
}

size_t normaliser_saved_bytes(const struct normaliser *normaliser) {
    return 4 + 8 + 2 * (size_t)normaliser->size * 8;
}

void normaliser_save(const struct normaliser *normaliser, struct bytes_writer *writer) {
    bytes_put_u32(writer, normaliser->size);
    bytes_put_u64(writer, normaliser->count);
    for (size_t i = 0; i < 2 * (size_t)normaliser->size; i++)
        bytes_put_f64(writer, normaliser->mean[i]);
}

enum status normaliser_load(struct normaliser *normaliser, struct bytes_reader *reader) {
    if (bytes_get_u32(reader) != normaliser->size)
        return STATUS_INVALID;
    normaliser->count = bytes_get_u64(reader);
    bool sound = true;
    for (size_t i = 0; i < 2 * (size_t)normaliser->size; i++) {
        double value = normaliser->mean[i] = bytes_get_f64(reader);
        sound = sound && isfinite(value) && (i < normaliser->size || value >= 0);
    }
    return sound && !reader->failed ? STATUS_OK : STATUS_INVALID;
}
