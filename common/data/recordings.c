#include "common/data/recordings.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/resample.h"
#include "common/data/vibration.h"

#define PEAK_COUNTS 32000.0
#define FULL_SCALE_COUNTS 32768.0
#define SECONDS_MIN 1.0

/* A recording while it is being read: still in its own unit. */
struct raw_recording {
    float *values; /* owned */
    size_t count;
    float peak;
};

static void raw_close(struct raw_recording *raw, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(raw[i].values);
    free(raw);
}

/* The rate from the index, else from the file, else from its name. Two sources that differ are an error. */
static enum status rate_of(const struct recording_entry *entry, const struct vibration *vibration,
                           const char *path, double *rate_hz, struct error *error) {
    double given = entry->sample_rate_hz, found = vibration->sample_rate_hz;
    if (given > 0.0 && found > 0.0 && fabs(given - found) > 1e-3 * given)
        return error_set(error, STATUS_INVALID, "%s: the file says %g Hz, the index %g Hz; mend the index",
                         path, found, given);
    *rate_hz = given > 0.0 ? given : found > 0.0 ? found : recording_rate_of_name(entry->file);
    if (!(*rate_hz > 0.0))
        return error_set(
            error, STATUS_INVALID,
            "%s: its sample rate is not known; give a column sample_rate_hz in index.csv, or put a part "
            "such as 12k into its name",
            path);
    return STATUS_OK;
}

static void scale_to_unit(struct vibration *vibration, double unit_per_count) {
    double scale = (vibration->full_scale ? FULL_SCALE_COUNTS : 1.0) * unit_per_count;
    for (size_t i = 0; unit_per_count > 0.0 && i < vibration->count; i++)
        vibration->samples[i] = (float)(vibration->samples[i] * scale);
}

static enum status raw_check(struct raw_recording *raw, double sample_rate_hz, const char *path,
                             struct error *error) {
    float low = raw->values[0], high = raw->values[0];
    bool finite = true; /* scaling may have gone beyond float */
    for (size_t i = 0; i < raw->count; i++) {
        finite = finite && isfinite(raw->values[i]);
        low = fminf(low, raw->values[i]);
        high = fmaxf(high, raw->values[i]);
    }
    raw->peak = fmaxf(fabsf(low), fabsf(high));
    if ((double)raw->count < SECONDS_MIN * sample_rate_hz)
        return error_set(
            error, STATUS_INVALID,
            "%s: lasts %.3f s (what the filter takes at its ends not counted), expected %.0f s or more", path,
            (double)raw->count / sample_rate_hz, SECONDS_MIN);
    if (!(high - low > 1e-6f * raw->peak) || !finite)
        return error_set(error, STATUS_INVALID, "%s: is constant or not finite: no vibration in it", path);
    return STATUS_OK;
}

static enum status raw_read(const struct recording_entry *entry, const char *path, double sample_rate_hz,
                            struct raw_recording *raw, struct error *error) {
    struct vibration vibration;
    double rate_hz = 0.0;
    TRY(vibration_read(path, &vibration, error));
    scale_to_unit(&vibration, entry->unit_per_count);
    enum status status = rate_of(entry, &vibration, path, &rate_hz, error);
    struct error cause = {0};
    if (status == STATUS_OK) {
        status = resample(vibration.samples, vibration.count, rate_hz, sample_rate_hz, &raw->values,
                          &raw->count, &cause);
        if (status != STATUS_OK)
            error_set(error, status, "%s: %s", path, cause.text);
    }
    vibration_close(&vibration);
    return status == STATUS_OK ? raw_check(raw, sample_rate_hz, path, error) : status;
}

static enum status quantise(const struct raw_recording *raw, double unit_per_count,
                            struct recording *recording, struct error *error) {
    recording->samples = malloc(raw->count * sizeof(*recording->samples));
    if (recording->samples == NULL)
        return error_set(error, STATUS_MEMORY, "%s: no memory for %zu samples", recording->file, raw->count);
    recording->count = raw->count;
    for (size_t i = 0; i < raw->count; i++)
        recording->samples[i] = (int16_t)lrint(raw->values[i] / unit_per_count);
    return STATUS_OK;
}

static enum status read_all(const char *dir, const struct recording_index *index,
                            struct recordings *recordings, struct raw_recording *raw, struct error *error) {
    float peak = 0.0f;
    for (size_t i = 0; i < index->count; i++) {
        char path[1024];
        if (snprintf(path, sizeof(path), "%s/%s", dir, index->entries[i].file) >= (int)sizeof(path))
            return error_set(error, STATUS_INVALID, "%s: path too long", index->entries[i].file);
        TRY(raw_read(&index->entries[i], path, recordings->sample_rate_hz, &raw[i], error));
        peak = fmaxf(peak, raw[i].peak);
    }
    recordings->unit_per_count = peak / PEAK_COUNTS;
    for (size_t i = 0; i < index->count; i++) {
        struct recording *recording = &recordings->items[recordings->count++];
        snprintf(recording->file, sizeof(recording->file), "%s", index->entries[i].file);
        recording->class = index->entries[i].class;
        TRY(quantise(&raw[i], recordings->unit_per_count, recording, error));
    }
    return STATUS_OK;
}

enum status recordings_open(const char *dir, double sample_rate_hz, struct recordings *recordings,
                            struct error *error) {
    struct recording_index index;
    *recordings = (struct recordings){.sample_rate_hz = sample_rate_hz};
    TRY(recording_index_open(dir, &index, error));
    enum status status = STATUS_MEMORY;
    struct raw_recording *raw = calloc(index.count, sizeof(*raw));
    recordings->items = calloc(index.count, sizeof(*recordings->items));
    if (raw == NULL || recordings->items == NULL)
        error_set(error, status, "%s: no memory for %zu recordings", dir, index.count);
    else
        status = read_all(dir, &index, recordings, raw, error);
    if (raw != NULL)
        raw_close(raw, index.count);
    recording_index_close(&index);
    if (status != STATUS_OK)
        recordings_close(recordings);
    return status;
}

void recordings_close(struct recordings *recordings) {
    for (size_t i = 0; i < recordings->count; i++)
        free(recordings->items[i].samples);
    free(recordings->items);
    *recordings = (struct recordings){0};
}

struct recording_range recording_split(const struct recording *recording, enum bearing_split split,
                                       size_t window_count) {
    struct recording_range all = {0, recording->count}, none = {0, 0};
    if (window_count > recording->count)
        return none;
    size_t half = recording->count / 2;
    if (split == BEARING_ALL)
        return all;
    if (half < window_count)
        return split == BEARING_TEST ? all : none;
    return split == BEARING_TRAIN ? (struct recording_range){0, half}
                                  : (struct recording_range){half, recording->count - half};
}

/* The `wanted`-th recording of `class` that holds a window, or how many there are when `wanted` is beyond. */
static size_t eligible(const struct recordings *recordings, enum bearing_split split,
                       const struct recording_window *window, size_t wanted, size_t *chosen) {
    size_t found = 0;
    for (size_t i = 0; i < recordings->count; i++) {
        const struct recording *recording = &recordings->items[i];
        if (recording->class != window->class || recording_split(recording, split, window->count).count == 0)
            continue;
        if (found == wanted)
            *chosen = i;
        found++;
    }
    return found;
}

bool recordings_window(const struct recordings *recordings, enum bearing_split split,
                       struct random_stream *stream, struct recording_window *window) {
    size_t counts[BEARING_CLASS_COUNT], chosen = 0, present = 0;
    enum bearing_class classes[BEARING_CLASS_COUNT];
    assert(window->count > 0);
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++) {
        window->class = (enum bearing_class) class;
        counts[class] = eligible(recordings, split, window, SIZE_MAX, &chosen);
        if (counts[class] > 0)
            classes[present++] = window->class;
    }
    if (present == 0)
        return false;
    window->class = classes[random_below(stream, present)];
    eligible(recordings, split, window, random_below(stream, counts[window->class]), &chosen);
    const struct recording *recording = &recordings->items[chosen];
    struct recording_range range = recording_split(recording, split, window->count);
    size_t start = range.start + random_below(stream, range.count - window->count + 1);
    memcpy(window->samples, recording->samples + start, window->count * sizeof(*window->samples));
    return true;
}
