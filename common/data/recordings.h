/* recordings: every recording of a directory, at one sample rate and one scale, ready to be cut into windows.
 */
#ifndef TIERBED_DATA_RECORDINGS_H
#define TIERBED_DATA_RECORDINGS_H

#include <stdbool.h>

#include "common/base/random.h"
#include "common/data/recording_index.h"

struct recording {
    char file[RECORDING_FILE_MAX];
    enum bearing_class class;
    int16_t *samples; /* owned */
    size_t count;
};

struct recordings {
    struct recording *items; /* owned */
    size_t count;
    double sample_rate_hz;
    double unit_per_count; /* one factor for all, so that levels stay comparable and none clips */
};

/* Reads and resamples all recordings of `dir`. Each must last a second or more and not be constant. */
enum status recordings_open(const char *dir, double sample_rate_hz, struct recordings *recordings,
                            struct error *error);
void recordings_close(struct recordings *recordings);

struct recording_window {
    int16_t *samples; /* borrowed, to be filled */
    size_t count;
    enum bearing_class class;
};

struct recording_range {
    size_t start, count;
};

/* The samples of `recording` that belong to `split`: its first half in time to BEARING_TRAIN, the second to
 * BEARING_TEST, so that no window is in both. A recording whose half is shorter than a window belongs to
 * BEARING_TEST whole; it is then never trained on. count is 0 when no window of `window_count` fits. */
struct recording_range recording_split(const struct recording *recording, enum bearing_split split,
                                       size_t window_count);

/* A window at a random start of a random recording; each class that has any is equally likely. Draws only
 * from `stream`. False, and nothing written, when no recording holds so long a window. */
bool recordings_window(const struct recordings *recordings, enum bearing_split split,
                       struct random_stream *stream, struct recording_window *window);

#endif
