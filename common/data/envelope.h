/* envelope: the spectrum of the squared envelope of one frequency band of a real signal.
 *
 * The spectrum of the signal is taken once and whitened; each band is then cut out, moved to frequency zero
 * and brought back to time at the lowest rate that keeps the wanted envelope frequencies free of aliases.
 * Shifting does not change the envelope, so this is the analytic signal at a fraction of its cost. */
#ifndef TIERBED_DATA_ENVELOPE_H
#define TIERBED_DATA_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct envelope; /* opaque: FFTW plans and buffers for one count */

struct envelope_bins {
    size_t low, high; /* bins of the signal's spectrum, low <= bin < high */
};

/* Plans for `count` samples, the given bands (each not empty, high <= count / 2), and envelope lines up to
 * `line_bins` bins. Plans are FFTW_ESTIMATE: no measurement, so the same plan and the same bits on every run.
 * Not thread-safe. */
enum status envelope_open(size_t count, const struct envelope_bins *bands, size_t band_count,
                          size_t line_bins, struct envelope **envelope, struct error *error);
void envelope_close(struct envelope *envelope); /* safe on NULL */

/* Tapers the ends of `count` samples (a fortieth each, raised cosine: without it a strong tone that does not
 * fit the window leaves a step at its ends, which looks like an impact), transforms them and divides each bin
 * by the rms of the `whiten_bins` bins around it. Returns the power before whitening, summed over all bins
 * but the mean: 0 for a constant signal. */
double envelope_load(struct envelope *envelope, const int16_t *samples, size_t whiten_bins);

/* Power of the squared envelope of band `band_index`, bins 0 .. line_bins of the window's own resolution,
 * borrowed until the next call; `excess` gets the excess kurtosis of the complex signal, E|z|^4 / (E|z|^2)^2
 * - 2: 0 for Gaussian noise, -1 for a steady tone, large for impacts. */
const double *envelope_lines(struct envelope *envelope, size_t band_index, double *excess);

#endif
