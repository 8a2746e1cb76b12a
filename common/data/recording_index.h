/* recording_index: which files of a directory are recordings, and what is known of each. */
#ifndef TIERBED_DATA_RECORDING_INDEX_H
#define TIERBED_DATA_RECORDING_INDEX_H

#include "common/base/error.h"
#include "common/data/bearing.h"

#define RECORDING_FILE_MAX 256
#define RECORDINGS_MAX 4096

struct recording_entry {
    char file[RECORDING_FILE_MAX]; /* relative to the directory */
    enum bearing_class class;
    double unit_per_count; /* 0: not given */
    double sample_rate_hz; /* 0: not given */
};

struct recording_index {
    struct recording_entry *entries; /* owned; in the order of index.csv, else sorted by name */
    size_t count;
};

/* Reads DIR/index.csv when there is one: a header with `file` and `fault` (normal, inner, outer, ball) and
 * optionally `g_per_count` (of 16 bits) and `sample_rate_hz`; other columns are ignored. Without it, takes
 * every .wav, .mat and .csv file and finds class and rate in its name. Errors name the file, the line, what
 * was expected and what to do. */
enum status recording_index_open(const char *dir, struct recording_index *index, struct error *error);
void recording_index_close(struct recording_index *index);

/* Parses the text of an index; `name` stands for the file in messages. */
enum status recording_index_decode(const uint8_t *text, size_t size, const char *name,
                                   struct recording_index *index, struct error *error);

/* The class that a file name tells: a word (normal, inner, outer, ball) or a CWRU code (Normal_0, IR014,
 * OR021@6, B007). BEARING_CLASS_COUNT: none. */
enum bearing_class recording_class_of_name(const char *file);

/* The rate that a file name tells by a part such as 12k or 48k; 0: none. */
double recording_rate_of_name(const char *file);

#endif
