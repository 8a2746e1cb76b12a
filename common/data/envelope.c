#include "common/data/envelope.h"

#include <assert.h>
#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TAPER_PART 40 /* one part in 40 of the window rises, one falls */

struct band_plan {
    struct envelope_bins bins;
    size_t length; /* of the transforms: at least the band and the highest line */
    fftw_plan to_time, to_lines;
};

struct envelope {
    size_t count, spectrum_count, line_bins, band_count;
    fftw_plan forward;
    double *signal; /* [count] */
    double *taper;  /* [taper_count] the window's rise; its fall is the same backwards */
    size_t taper_count;
    fftw_complex *spectrum;  /* [spectrum_count] */
    double *power_sum;       /* [spectrum_count + 1] running sum of the power */
    fftw_complex *band;      /* [largest length] */
    double *squared;         /* [largest length] */
    fftw_complex *lines;     /* [largest length / 2 + 1] */
    double *line_power;      /* [line_bins + 1] */
    struct band_plan *bands; /* [band_count] */
};

/* The least length from `least` up whose only factors are 2, 3 and 5: those FFTW transforms fastest. */
static size_t smooth_length(size_t least) {
    for (size_t length = least;; length++) {
        size_t rest = length;
        for (size_t factor = 2; factor <= 5; factor++)
            while (rest % factor == 0)
                rest /= factor;
        if (rest == 1)
            return length;
    }
}

static bool buffers_open(struct envelope *envelope, size_t length_max) {
    envelope->signal = fftw_alloc_real(envelope->count);
    envelope->taper = fftw_alloc_real(envelope->taper_count + 1);
    envelope->spectrum = fftw_alloc_complex(envelope->spectrum_count);
    envelope->power_sum = fftw_alloc_real(envelope->spectrum_count + 1);
    envelope->band = fftw_alloc_complex(length_max);
    envelope->squared = fftw_alloc_real(length_max);
    envelope->lines = fftw_alloc_complex(length_max / 2 + 1);
    envelope->line_power = fftw_alloc_real(envelope->line_bins + 1);
    return envelope->signal && envelope->taper && envelope->spectrum && envelope->power_sum &&
           envelope->band && envelope->squared && envelope->lines && envelope->line_power;
}

static bool plans_open(struct envelope *envelope) {
    envelope->forward =
        fftw_plan_dft_r2c_1d((int)envelope->count, envelope->signal, envelope->spectrum, FFTW_ESTIMATE);
    bool ok = envelope->forward != NULL;
    for (size_t i = 0; i < envelope->band_count; i++) {
        struct band_plan *band = &envelope->bands[i];
        int length = (int)band->length;
        band->to_time =
            fftw_plan_dft_1d(length, envelope->band, envelope->band, FFTW_BACKWARD, FFTW_ESTIMATE);
        band->to_lines = fftw_plan_dft_r2c_1d(length, envelope->squared, envelope->lines, FFTW_ESTIMATE);
        ok = ok && band->to_time != NULL && band->to_lines != NULL;
    }
    return ok;
}

enum status envelope_open(size_t count, const struct envelope_bins *bands, size_t band_count,
                          size_t line_bins, struct envelope **out, struct error *error) {
    assert(count >= 2 && count <= 1u << 26 && band_count > 0 && line_bins > 0);
    *out = NULL;
    struct envelope *envelope = calloc(1, sizeof(*envelope));
    if (envelope == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the envelope of %zu samples", count);
    envelope->count = count;
    envelope->spectrum_count = count / 2 + 1;
    envelope->line_bins = line_bins;
    envelope->taper_count = count / TAPER_PART;
    envelope->bands = calloc(band_count, sizeof(*envelope->bands));
    envelope->band_count = envelope->bands == NULL ? 0 : band_count;
    size_t length_max = 0;
    for (size_t i = 0; i < envelope->band_count; i++) {
        assert(bands[i].low < bands[i].high && bands[i].high <= envelope->spectrum_count);
        /* Lags of the squared envelope reach one band width; those beyond the length fold back, above
         * line_bins. */
        envelope->bands[i].bins = bands[i];
        envelope->bands[i].length = smooth_length(bands[i].high - bands[i].low + line_bins + 1);
        if (envelope->bands[i].length > length_max)
            length_max = envelope->bands[i].length;
    }
    if (envelope->band_count == 0 || !buffers_open(envelope, length_max) || !plans_open(envelope)) {
        envelope_close(envelope);
        return error_set(error, STATUS_MEMORY, "no memory for the envelope of %zu samples", count);
    }
    for (size_t i = 0; i < envelope->taper_count; i++)
        envelope->taper[i] = 0.5 - 0.5 * cos(acos(-1.0) * ((double)i + 0.5) / (double)envelope->taper_count);
    *out = envelope;
    return STATUS_OK;
}

void envelope_close(struct envelope *envelope) {
    if (envelope == NULL)
        return;
    for (size_t i = 0; i < envelope->band_count; i++) {
        fftw_destroy_plan(envelope->bands[i].to_time);
        fftw_destroy_plan(envelope->bands[i].to_lines);
    }
    fftw_destroy_plan(envelope->forward);
    fftw_free(envelope->signal);
    fftw_free(envelope->taper);
    fftw_free(envelope->spectrum);
    fftw_free(envelope->power_sum);
    fftw_free(envelope->band);
    fftw_free(envelope->squared);
    fftw_free(envelope->lines);
    fftw_free(envelope->line_power);
    free(envelope->bands);
    free(envelope);
}

/* C11 lets a double complex be used as an array of two doubles; plain products avoid the slow path for
 * infinities. */
static inline double power_of(fftw_complex z) {
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

static void whiten(struct envelope *envelope, size_t whiten_bins) {
    size_t half = whiten_bins / 2, count = envelope->spectrum_count;
    for (size_t k = 0; k < count; k++) {
        size_t from = k > half ? k - half : 0, to = k + half + 1 < count ? k + half + 1 : count;
        double mean = (envelope->power_sum[to] - envelope->power_sum[from]) / (double)(to - from);
        double *bin = (double *)&envelope->spectrum[k];
        double scale = mean > 0.0 ? 1.0 / sqrt(mean) : 0.0;
        bin[0] *= scale;
        bin[1] *= scale;
    }
}

double envelope_load(struct envelope *envelope, const int16_t *samples, size_t whiten_bins) {
    assert(whiten_bins > 0);
    size_t count = envelope->count;
    for (size_t i = 0; i < count; i++)
        envelope->signal[i] = samples[i];
    for (size_t i = 0; i < envelope->taper_count; i++) {
        envelope->signal[i] *= envelope->taper[i];
        envelope->signal[count - 1 - i] *= envelope->taper[i];
    }
    fftw_execute(envelope->forward);
    envelope->spectrum[0] = 0.0;
    envelope->power_sum[0] = 0.0;
    for (size_t k = 0; k < envelope->spectrum_count; k++)
        envelope->power_sum[k + 1] = envelope->power_sum[k] + power_of(envelope->spectrum[k]);
    whiten(envelope, whiten_bins);
    return envelope->power_sum[envelope->spectrum_count];
}

const double *envelope_lines(struct envelope *envelope, size_t band_index, double *excess) {
    assert(band_index < envelope->band_count);
    const struct band_plan *band = &envelope->bands[band_index];
    size_t width = band->bins.high - band->bins.low, length = band->length;
    memcpy(envelope->band, envelope->spectrum + band->bins.low, width * sizeof(*envelope->band));
    memset(envelope->band + width, 0, (length - width) * sizeof(*envelope->band));
    fftw_execute(band->to_time);
    double sum = 0.0, square_sum = 0.0;
    for (size_t i = 0; i < length; i++) {
        double squared = power_of(envelope->band[i]);
        envelope->squared[i] = squared;
        sum += squared;
        square_sum += squared * squared;
    }
    *excess = sum > 0.0 ? (double)length * square_sum / (sum * sum) - 2.0 : 0.0;
    fftw_execute(band->to_lines);
    for (size_t k = 0; k <= envelope->line_bins; k++)
        envelope->line_power[k] = power_of(envelope->lines[k]);
    return envelope->line_power;
}
