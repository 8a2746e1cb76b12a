/* resample: changes the sample rate of a whole recording by a ratio of integers, with an anti-alias filter.
 */
#ifndef TIERBED_DATA_RESAMPLE_H
#define TIERBED_DATA_RESAMPLE_H

#include <stddef.h>

#include "common/base/error.h"

/* Resamples `count` values at `rate_in_hz` to `rate_out_hz` by a polyphase FIR filter: linear phase, Kaiser
 * window, pass band to 0.925 of the lower Nyquist frequency, stop band (-80 dB) from that frequency on.
 * Values whose filter would reach over an end of the record are not made, so the output is a little shorter
 * than the input. Equal rates copy. `out` is owned by the caller. STATUS_INVALID: the record is shorter than
 * the filter, or no ratio of integers up to 4096 comes within 1e-7 of the rates. */
enum status resample(const float *in, size_t count, double rate_in_hz, double rate_out_hz, float **out,
                     size_t *out_count, struct error *error);

#endif
