/* vibration: one recorded signal, and the readers of the file formats it comes in.
 *
 * Every reader is bounded: it looks at nothing outside the bytes it is given and refuses signals of more than
 * VIBRATION_SAMPLES_MAX samples or with a value that is not a finite number. */
#ifndef TIERBED_DATA_VIBRATION_H
#define TIERBED_DATA_VIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define VIBRATION_SAMPLES_MAX ((size_t)1 << 26)
#define VIBRATION_BYTES_MAX ((size_t)1 << 29)

struct vibration {
    float *samples; /* owned */
    size_t count;
    double sample_rate_hz; /* 0: the file does not say */
    bool full_scale; /* true: 1.0 is the full scale of the recorder (WAV); false: in the file's own unit */
};

void vibration_close(struct vibration *vibration); /* safe twice */

/* Reads a file by its extension, .wav, .mat or .csv in any case. STATUS_IO: cannot be read; STATUS_INVALID:
 * says what is wrong in it and what was expected. `vibration` is set only on STATUS_OK. */
enum status vibration_read(const char *path, struct vibration *vibration, struct error *error);

/* True when `path` ends in an extension that vibration_read knows. */
bool vibration_is_known(const char *path);

/* RIFF/WAVE: PCM of 8, 16, 24 or 32 bits or 32-bit float, also in the extensible form; the first channel is
 * taken. `name` stands for the file in messages. A data chunk cut short by the end of the file is refused. */
enum status wav_decode(const uint8_t *data, size_t size, const char *name, struct vibration *vibration,
                       struct error *error);

/* CSV or text columns separated by comma, semicolon, tab or space; lines that begin with # and one header
 * line are skipped, except that `# sample_rate_hz=12000` is understood. The first column is taken, unless it
 * is called `time` or `t`: then the second is, and the rate follows from the times. */
enum status csv_decode(const uint8_t *data, size_t size, const char *name, struct vibration *vibration,
                       struct error *error);

/* MATLAB files: the variable called *_DE_time, else the first real numeric vector. mat5_decode takes levels 5
 * and 7 from memory; mat_read takes those and, through libmatio, level 7.3. Level 4 is refused. */
enum status mat5_decode(const uint8_t *data, size_t size, const char *name, struct vibration *vibration,
                        struct error *error);
enum status mat_read(const char *path, struct vibration *vibration, struct error *error);

/* Reads a whole file of at most `size_max` bytes; the caller frees `data`. */
enum status file_read_all(const char *path, size_t size_max, uint8_t **data, size_t *size,
                          struct error *error);

#endif
