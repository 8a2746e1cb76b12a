#include "common/data/diagnosis.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/data/envelope.h"

#define TURNS_MIN 20.0 /* turns of the shaft in a window: lines 1 order apart are then 20 bins apart */
#define TURNS_MAX 1e6
#define BAND_BINS_MIN 16.0
#define FLOOR_CUT 3.0    /* bins above this many means are lines, not floor */
#define FLOOR_KEPT 0.843 /* mean of an exponential variable below three times its mean, over its mean */

/* One expected line: order (times the shaft speed) and the line whose presence it needs. Of a harmonic or a
 * sideband no more is counted than of the strongest base line, so that a chance hit or another fault's line
 * proves nothing. */
struct line {
    double order;
    bool base;
};

#define LINES_MAX 10

struct line_family {
    size_t count;
    struct line lines[LINES_MAX];
};

/* Outer race: fixed in the load zone, plain harmonics. Inner race: turns through the load zone, sidebands at
 * the shaft speed. Ball: strikes both races in each of its turns and is carried through the load zone by the
 * cage. */
static const struct line_family families[BEARING_CLASS_COUNT] = {
    [BEARING_INNER] = {8,
                       {{BEARING_BPFI, true},
                        {2 * BEARING_BPFI, true},
                        {3 * BEARING_BPFI, false},
                        {BEARING_BPFI - 1, false},
                        {BEARING_BPFI + 1, false},
                        {2 * BEARING_BPFI - 1, false},
                        {2 * BEARING_BPFI + 1, false},
                        {3 * BEARING_BPFI - 1, false}}},
    [BEARING_OUTER] = {4,
                       {{BEARING_BPFO, true},
                        {2 * BEARING_BPFO, true},
                        {3 * BEARING_BPFO, false},
                        {4 * BEARING_BPFO, false}}},
    [BEARING_BALL] = {8,
                      {{2 * BEARING_BSF, true},
                       {2 * BEARING_BSF - BEARING_FTF, true},
                       {2 * BEARING_BSF + BEARING_FTF, true},
                       {4 * BEARING_BSF, false},
                       {4 * BEARING_BSF - BEARING_FTF, false},
                       {4 * BEARING_BSF + BEARING_FTF, false},
                       {BEARING_BSF, false},
                       {BEARING_FTF, false}}},
};

struct diagnosis_plan {
    struct diagnosis_config config;
    size_t count;
    double bin_hz;
    size_t whiten_bins, floor_bins, line_bins;
    size_t
        band_count; /* bands looked at for lines; the band for impulses follows them in the envelope's list */
    bool impulse_seen;
    struct envelope *envelope;
    struct diagnosis_features features;
};

struct diagnosis_config diagnosis_config_default(double shaft_hz) {
    return (struct diagnosis_config){
        .shaft_hz = shaft_hz,
        .bands = {{100.0, 1950.0}, {200.0, 1100.0}, {900.0, 1950.0}, {2000.0, 4000.0}, {3500.0, 5500.0}},
        .band_count = 5,
        .band_top = 0.98,
        .whiten_hz = 101.0,
        .tolerance = 0.004,
        .tolerance_hz = 0.5,
        .shaft_guard_hz = 1.0,
        .floor_hz = 20.0,
        .line_cap = 20.0,
        .line_threshold = 4.5,
        .impulse_band = {1300.0, 1950.0},
        .impulse_threshold = 0.2,
        .confidence_scale = 1.0};
}

static double order_max(void) {
    double most = 0.0;
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        for (size_t i = 0; i < families[class].count; i++)
            most = fmax(most, families[class].lines[i].order);
    return most;
}

static enum status config_check(const struct diagnosis_config *config, size_t count, double rate_hz,
                                struct error *error) {
    double positive[] = {config->shaft_hz,          config->band_top,         config->whiten_hz,
                         config->floor_hz,          config->line_cap,         config->line_threshold,
                         config->impulse_threshold, config->confidence_scale, rate_hz};
    for (size_t i = 0; i < sizeof(positive) / sizeof(*positive); i++)
        if (!(positive[i] > 0.0) || !isfinite(positive[i]))
            return error_set(error, STATUS_INVALID,
                             "diagnosis: parameter %zu is %g, expected a positive number", i, positive[i]);
    if (!(config->tolerance >= 0.0 && config->tolerance < 0.1 && config->tolerance_hz >= 0.0 &&
          config->shaft_guard_hz >= 0.0) ||
        config->band_count == 0 || config->band_count > DIAGNOSIS_BANDS_MAX)
        return error_set(error, STATUS_INVALID,
                         "diagnosis: a tolerance or the number of bands is out of range");
    double turns = (double)count / rate_hz * config->shaft_hz;
    if (turns < TURNS_MIN || turns > TURNS_MAX || count > 1u << 26)
        return error_set(
            error, STATUS_INVALID,
            "diagnosis: a window of %zu samples at %g Hz holds %.1f turns of a shaft of %g Hz; the lines "
            "need %g or more: make the window longer",
            count, rate_hz, turns, config->shaft_hz, TURNS_MIN);
    return STATUS_OK;
}

/* A band in bins of the window. False when Nyquist's frequency cuts off more than half of it. */
static bool band_in_bins(const struct diagnosis_config *config, struct diagnosis_band band, double rate_hz,
                         double bin_hz, struct envelope_bins *bins) {
    double top_hz = fmin(config->band_top, 0.999) * rate_hz / 2.0;
    double low = fmax(band.low_hz, bin_hz), high = fmin(band.high_hz, top_hz);
    if (!(high - low >= 0.5 * (band.high_hz - low)) || high - low < BAND_BINS_MIN * bin_hz)
        return false;
    *bins = (struct envelope_bins){(size_t)ceil(low / bin_hz), (size_t)floor(high / bin_hz)};
    return true;
}

static size_t bins_of(double width_hz, double bin_hz) {
    return (size_t)fmax(1.0, round(width_hz / bin_hz));
}

enum status diagnosis_open_with(const struct diagnosis_config *config, size_t count, double sample_rate_hz,
                                struct diagnosis_plan **out, struct error *error) {
    *out = NULL;
    TRY(config_check(config, count, sample_rate_hz, error));
    double bin_hz = sample_rate_hz / (double)count;
    struct envelope_bins bins[DIAGNOSIS_BANDS_MAX + 1];
    size_t band_count = 0;
    for (size_t i = 0; i < config->band_count; i++)
        band_count += band_in_bins(config, config->bands[i], sample_rate_hz, bin_hz, &bins[band_count]);
    bool impulse_seen = band_in_bins(config, config->impulse_band, sample_rate_hz, bin_hz, &bins[band_count]);
    double line_top_hz = order_max() * config->shaft_hz * (1.0 + config->tolerance) + config->tolerance_hz;
    size_t line_bins = (size_t)ceil((line_top_hz + config->floor_hz) / bin_hz) + 2;
    if (band_count == 0 || line_bins >= count / 2)
        return error_set(
            error, STATUS_INVALID,
            "diagnosis: at %g Hz no band lies below Nyquist's frequency, or lines up to %.0f Hz do not: "
            "sample faster",
            sample_rate_hz, line_top_hz);
    struct diagnosis_plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for a diagnosis plan");
    *plan = (struct diagnosis_plan){.config = *config,
                                    .count = count,
                                    .bin_hz = bin_hz,
                                    .line_bins = line_bins,
                                    .band_count = band_count,
                                    .impulse_seen = impulse_seen,
                                    .whiten_bins = bins_of(config->whiten_hz, bin_hz),
                                    .floor_bins = bins_of(config->floor_hz, bin_hz)};
    enum status status =
        envelope_open(count, bins, band_count + impulse_seen, line_bins, &plan->envelope, error);
    if (status != STATUS_OK) {
        free(plan);
        return status;
    }
    *out = plan;
    return STATUS_OK;
}

enum status diagnosis_open(size_t count, double sample_rate_hz, double shaft_hz, struct diagnosis_plan **plan,
                           struct error *error) {
    struct diagnosis_config config = diagnosis_config_default(shaft_hz);
    return diagnosis_open_with(&config, count, sample_rate_hz, plan, error);
}

void diagnosis_close(struct diagnosis_plan *plan) {
    if (plan == NULL)
        return;
    envelope_close(plan->envelope);
    free(plan);
}

const struct diagnosis_features *diagnosis_last_features(const struct diagnosis_plan *plan) {
    return &plan->features;
}

/* Mean power around bin `centre` without the lines in it: the mean of what lies below FLOOR_CUT means,
 * corrected for the cut. */
static double floor_power(const struct diagnosis_plan *plan, const double *power, size_t centre) {
    size_t from = centre > plan->floor_bins + 1 ? centre - plan->floor_bins : 1; /* bin 0 is the mean */
    size_t to =
        centre + plan->floor_bins + 1 < plan->line_bins ? centre + plan->floor_bins + 1 : plan->line_bins;
    double limit = INFINITY, mean = 0.0;
    for (int pass = 0; pass < 3; pass++) {
        double sum = 0.0;
        size_t kept = 0;
        for (size_t k = from; k < to; k++) {
            sum += power[k] < limit ? power[k] : 0.0;
            kept += power[k] < limit;
        }
        mean = kept > 0 ? sum / (double)kept / (pass > 0 ? FLOOR_KEPT : 1.0) : 0.0;
        limit = FLOOR_CUT * mean;
    }
    return mean;
}

static bool near_shaft_multiple(const struct diagnosis_plan *plan, double frequency_hz) {
    double order = frequency_hz / plan->config.shaft_hz;
    return fabs(order - round(order)) * plan->config.shaft_hz < plan->config.shaft_guard_hz;
}

/* Score of one line in nats. In noise alone the power of a bin is exponentially distributed about the floor,
 * so the largest of K bins exceeds p floors with probability about K exp(-p): p - ln K is how unlikely chance
 * is. */
static double line_score(const struct diagnosis_plan *plan, const double *power, double order) {
    const struct diagnosis_config *config = &plan->config;
    double centre_hz = order * config->shaft_hz,
           reach_hz = centre_hz * config->tolerance + config->tolerance_hz;
    size_t from = (size_t)fmax(1.0, floor((centre_hz - reach_hz) / plan->bin_hz + 0.5));
    size_t to = (size_t)floor((centre_hz + reach_hz) / plan->bin_hz + 0.5);
    double most = 0.0;
    size_t looked = 0;
    for (size_t k = from; k <= to && k <= plan->line_bins; k++) {
        if (near_shaft_multiple(plan, (double)k * plan->bin_hz))
            continue;
        most = fmax(most, power[k]);
        looked++;
    }
    double floor_mean = floor_power(plan, power, (from + to) / 2);
    if (looked == 0 || !(floor_mean > 0.0))
        return 0.0;
    return fmin(config->line_cap, fmax(0.0, most / floor_mean - log((double)looked)));
}

static double family_score(const struct diagnosis_plan *plan, const double *power,
                           const struct line_family *family) {
    double score[LINES_MAX], base = 0.0, sum = 0.0;
    for (size_t i = 0; i < family->count; i++) {
        score[i] = line_score(plan, power, family->lines[i].order);
        base = family->lines[i].base ? fmax(base, score[i]) : base;
    }
    for (size_t i = 0; i < family->count; i++)
        sum += fmin(score[i], base);
    return sum / (double)family->count;
}

static void features_of(struct diagnosis_plan *plan) {
    struct diagnosis_features *features = &plan->features;
    *features = (struct diagnosis_features){.impulse = -2.0};
    for (size_t b = 0; b < plan->band_count; b++) {
        double excess;
        const double *power = envelope_lines(plan->envelope, b, &excess);
        for (int class = BEARING_INNER; class < BEARING_CLASS_COUNT; class ++)
            features->line_score[class] =
                fmax(features->line_score[class], family_score(plan, power, &families[class]));
    }
    if (plan->impulse_seen)
        envelope_lines(plan->envelope, plan->band_count, &features->impulse);
}

/* Lines decide when there are any. Impacts without the period of a race are taken for a ball: its spot meets
 * the races only while its spin axis lets it, so its impacts come and go. */
void diagnosis_decide(const struct diagnosis_config *config, const struct diagnosis_features *features,
                      struct diagnosis *result) {
    *result = (struct diagnosis){.class = BEARING_NORMAL};
    double best_line = 0.0;
    for (int class = BEARING_INNER; class < BEARING_CLASS_COUNT; class ++) {
        result->score[class] = features->line_score[class];
        best_line = fmax(best_line, result->score[class]);
    }
    result->score[BEARING_NORMAL] = config->line_threshold;
    if (best_line < config->line_threshold)
        result->score[BEARING_BALL] =
            fmax(result->score[BEARING_BALL],
                 config->line_threshold * fmax(0.0, features->impulse) / config->impulse_threshold);
    double second = -INFINITY;
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        if (result->score[class] > result->score[result->class])
            result->class = (enum bearing_class) class;
    for (int class = 0; class < BEARING_CLASS_COUNT; class ++)
        if (class != (int)result->class)
            second = fmax(second, result->score[class]);
    double lead = result->score[result->class] - second;
    /* Rounded: FFTW picks its code by the CPU, so the last bits may differ from one machine to another. */
    result->confidence = rint(1e6 / (1.0 + exp(-lead / config->confidence_scale))) * 1e-6;
}

static bool is_constant(const int16_t *samples, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (samples[i] != samples[0])
            return false;
    return true;
}

void diagnosis_retune(struct diagnosis_plan *plan, const struct diagnosis_config *config) {
    assert(config->line_threshold > 0.0 && config->impulse_threshold > 0.0);
    plan->config.line_threshold = config->line_threshold;
    plan->config.impulse_threshold = config->impulse_threshold;
}

enum status diagnosis_measure(struct diagnosis_plan *plan, const int16_t *samples, size_t count) {
    if (count != plan->count || is_constant(samples, count))
        return STATUS_INVALID;
    envelope_load(plan->envelope, samples, plan->whiten_bins);
    features_of(plan);
    return STATUS_OK;
}

enum status diagnosis_run(struct diagnosis_plan *plan, const int16_t *samples, size_t count,
                          struct diagnosis *result) {
    *result = (struct diagnosis){0};
    TRY(diagnosis_measure(plan, samples, count));
    diagnosis_decide(&plan->config, &plan->features, result);
    return STATUS_OK;
}
