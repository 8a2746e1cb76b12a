/* diagnosis: the parameters of the envelope-spectrum diagnosis, in one place, so that they can be
 * re-estimated from labelled windows without touching the method. The method itself is declared in bearing.h
 * and told in docs/data.md. */
#ifndef TIERBED_DATA_DIAGNOSIS_H
#define TIERBED_DATA_DIAGNOSIS_H

#include "common/data/bearing.h"

#define DIAGNOSIS_BANDS_MAX 8

struct diagnosis_band {
    double low_hz, high_hz;
};

struct diagnosis_config {
    double shaft_hz;
    struct diagnosis_band bands[DIAGNOSIS_BANDS_MAX]; /* the best band counts for each class */
    size_t band_count; /* a band is cut at band_top of Nyquist's frequency, and left out when half is lost */
    double band_top;
    double whiten_hz; /* the spectrum is divided by its rms over this width, so that no tone dominates */
    double tolerance; /* a line may lie this far (relative) from its nominal frequency: slip, speed error */
    double tolerance_hz;   /* and this far besides: the resolution of the window */
    double shaft_guard_hz; /* multiples of the shaft speed are not looked at, this far to either side */
    double floor_hz;       /* the noise floor is taken over this distance to either side of a line */
    double line_cap;       /* no single line scores more than this (nats) */
    double line_threshold; /* a class needs this score (nats) to be told from normal */
    struct diagnosis_band impulse_band; /* looked at for impacts without period; left out as bands are */
    double
        impulse_threshold; /* excess kurtosis of the envelope from which impacts without period mean a ball */
    double confidence_scale; /* nats by which the best class must lead for a confidence of 0.73 */
};

/* The parameters behind diagnosis_open, tuned as docs/data.md says. */
struct diagnosis_config diagnosis_config_default(double shaft_hz);

/* As diagnosis_open, with explicit parameters. STATUS_INVALID when no band lies below Nyquist's frequency,
 * when a window is too short to tell the lines apart (under 20 turns of the shaft), or when a parameter is
 * not positive. */
enum status diagnosis_open_with(const struct diagnosis_config *config, size_t count, double sample_rate_hz,
                                struct diagnosis_plan **plan, struct error *error);

/* The features behind the last diagnosis_run, for tuning and tests. */
struct diagnosis_features {
    double line_score[BEARING_CLASS_COUNT]; /* nats above chance; [BEARING_NORMAL] is 0 */
    double impulse; /* excess kurtosis of the impulse band; -2 when there is no such band */
};

/* The features of one window, without a decision. STATUS_INVALID as diagnosis_run. */
enum status diagnosis_measure(struct diagnosis_plan *plan, const int16_t *samples, size_t count);
/* What the features mean under the thresholds of `config`; nothing else of it is looked at but
 * confidence_scale. diagnosis_run is diagnosis_measure and this. */
void diagnosis_decide(const struct diagnosis_config *config, const struct diagnosis_features *features,
                      struct diagnosis *result);
/* Other thresholds for the runs to come, those of `config`. They must be positive. */
void diagnosis_retune(struct diagnosis_plan *plan, const struct diagnosis_config *config);

const struct diagnosis_features *diagnosis_last_features(const struct diagnosis_plan *plan);

#endif
