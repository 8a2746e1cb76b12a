/* bearing: windows of bearing vibration with known condition, from the generator or from records, and their
 * diagnosis by envelope spectrum. */
#ifndef TIERBED_DATA_BEARING_H
#define TIERBED_DATA_BEARING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"

enum bearing_class { BEARING_NORMAL = 0, BEARING_INNER, BEARING_OUTER, BEARING_BALL, BEARING_CLASS_COUNT };

const char *bearing_class_name(enum bearing_class class);

/* Fault frequencies as multiples of the shaft speed (SKF 6205-2RS). */
#define BEARING_BPFI 5.4152
#define BEARING_BPFO 3.5848
#define BEARING_BSF 2.357
#define BEARING_FTF 0.39828

struct bearing_source; /* opaque; read-only after opening, one per process is enough */

/* Opens the generator or reads every record of config->dir (index.csv names them; WAV, .mat, CSV), resampled
 * to `sample_rate_hz`. STATUS_IO / STATUS_INVALID say which file and what to do. */
enum status bearing_source_open(const struct scenario_data *config, double sample_rate_hz, uint64_t seed,
                                struct bearing_source **source, struct error *error);
void bearing_source_close(struct bearing_source *source);

/* Which part of the records windows are cut from: the first or the second half of each in time, so that
 * thresholds can be estimated on one and judged on the other. Generated windows have no halves: there, split
 * by seed. */
enum bearing_split { BEARING_ALL = 0, BEARING_TRAIN, BEARING_TEST };

/* Restricts the source; BEARING_ALL after opening. */
void bearing_source_restrict(struct bearing_source *source, enum bearing_split split);

/* Whether windows of `count` samples can be cut: STATUS_INVALID says which records are too short. Always so
 * for the generator. To be asked before the first bearing_source_window of that count. */
enum status bearing_source_check(const struct bearing_source *source, size_t count, struct error *error);

/* The window of `device` in `slot`: a pure function of (seed, device, slot), whoever asks and in whatever
 * order. The class is drawn uniformly; records are cut at a random start. That a record holds `count` samples
 * is asserted (ask bearing_source_check first). */
void bearing_source_window(const struct bearing_source *source, uint32_t device, uint32_t slot,
                           int16_t *samples, size_t count, enum bearing_class *class);

struct diagnosis {
    enum bearing_class class;
    double confidence; /* in (0, 1] */
    double score[BEARING_CLASS_COUNT];
};

struct diagnosis_plan; /* opaque: FFT plans, window, filter for one (count, rate, shaft speed); reusable, not
                          shared */

enum status diagnosis_open(size_t count, double sample_rate_hz, double shaft_hz, struct diagnosis_plan **plan,
                           struct error *error);
void diagnosis_close(struct diagnosis_plan *plan);

/* Diagnoses one window. Deterministic. STATUS_INVALID when the window is constant or `count` is not the
 * plan's. */
enum status diagnosis_run(struct diagnosis_plan *plan, const int16_t *samples, size_t count,
                          struct diagnosis *result);

#endif
