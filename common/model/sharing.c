#include "common/model/sharing.h"

#include <assert.h>
#include <math.h>

/* Two remainders this close are equal: the lower index wins, not the last bit of a quotient. */
#define REMAINDER_TOLERANCE 1e-12

/* What is due to device i less what it holds. */
struct split {
    const double *rates;
    size_t count;
    double total; /* of rates */
    uint32_t subchannel_count;
    uint32_t *held;
};

static double quota(const struct split *split, size_t i) {
    return split->subchannel_count * (split->rates[i] / split->total);
}

static double remainder_of(const struct split *split, size_t i) {
    return quota(split, i) - split->held[i];
}

static size_t most_short(const struct split *split) {
    size_t best = 0;
    for (size_t i = 1; i < split->count; i++)
        if (remainder_of(split, i) > remainder_of(split, best) + REMAINDER_TOLERANCE)
            best = i;
    return best;
}

/* Among those that can spare one: the one that holds most above its due, the highest index of equals. */
static size_t most_over(const struct split *split) {
    size_t best = split->count;
    for (size_t i = 0; i < split->count; i++) {
        if (split->held[i] <= 1)
            continue;
        if (best == split->count || remainder_of(split, i) < remainder_of(split, best) + REMAINDER_TOLERANCE)
            best = i;
    }
    assert(best < split->count); /* device_count <= subchannel_count */
    return best;
}

void sharing_subchannels(const double *rates, size_t device_count, uint32_t subchannel_count,
                         uint32_t *subchannels) {
    assert(device_count >= 1 && device_count <= subchannel_count);
    struct split split = {.rates = rates, .count = device_count, .subchannel_count = subchannel_count};
    split.held = subchannels;
    for (size_t i = 0; i < device_count; i++) {
        assert(rates[i] > 0.0);
        split.total += rates[i];
    }
    uint64_t held_total = 0;
    for (size_t i = 0; i < device_count; i++) {
        double whole = floor(quota(&split, i) + REMAINDER_TOLERANCE);
        subchannels[i] = whole < 1.0 ? 1 : (uint32_t)whole;
        held_total += subchannels[i];
    }
    for (; held_total < subchannel_count; held_total++)
        subchannels[most_short(&split)]++;
    for (; held_total > subchannel_count; held_total--) /* the guaranteed ones were more than there is */
        subchannels[most_over(&split)]--;
}

void sharing_clock_optimum(const double *weighted_cycles, size_t count, double clock_max_hz,
                           double *clock_hz) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        assert(weighted_cycles[i] >= 0.0);
        clock_hz[i] = sqrt(weighted_cycles[i]);
        total += clock_hz[i];
    }
    for (size_t i = 0; i < count && total > 0.0; i++)
        clock_hz[i] *= clock_max_hz / total;
}

/* log(1 + x) - x / (1 + x), without cancellation for small x. */
static double log_excess(double x) {
    if (x < 1e-3)
        return x * x * (1.0 / 2.0 - x * (2.0 / 3.0 - x * (3.0 / 4.0 - x * (4.0 / 5.0))));
    return log1p(x) - x / (1.0 + x);
}

/* -d/db of w s / (b log2(1 + a/b)): what one more Hz gains. Falls from infinity to 0 as b grows. */
static double marginal_gain(double weighted_bits, double snr_hz, double bandwidth_hz) {
    double x = snr_hz / bandwidth_hz;
    double rate_nats = bandwidth_hz * log1p(x);
    return weighted_bits * log_excess(x) * log(2.0) / (rate_nats * rate_nats);
}

#define BISECTIONS 100

/* The bandwidth in (0, max] at which the marginal gain has fallen to `price`. */
static double band_at_price(double weighted_bits, double snr_hz, double bandwidth_max_hz, double price) {
    if (weighted_bits == 0.0)
        return 0.0;
    if (marginal_gain(weighted_bits, snr_hz, bandwidth_max_hz) >= price)
        return bandwidth_max_hz;
    double low = 0.0, high = bandwidth_max_hz;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = 0.5 * (low + high);
        if (marginal_gain(weighted_bits, snr_hz, middle) >= price)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double bands_at_price(const double *weighted_bits, const double *snr_hz, size_t count,
                             double bandwidth_max_hz, double price, double *bandwidth_hz) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        bandwidth_hz[i] = band_at_price(weighted_bits[i], snr_hz[i], bandwidth_max_hz, price);
        total += bandwidth_hz[i];
    }
    return total;
}

static double highest_gain(const double *weighted_bits, const double *snr_hz, size_t count,
                           double bandwidth_hz) {
    double highest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (weighted_bits[i] > 0.0)
            highest = fmax(highest, marginal_gain(weighted_bits[i], snr_hz[i], bandwidth_hz));
    return highest;
}

void sharing_band_optimum(const double *weighted_bits, const double *snr_hz, size_t count,
                          double bandwidth_max_hz, double *bandwidth_hz) {
    assert(bandwidth_max_hz > 0.0);
    if (count == 0)
        return;
    /* At the lowest price somebody takes the whole band, at the highest nobody takes more than an equal
     * share. */
    double low = highest_gain(weighted_bits, snr_hz, count, bandwidth_max_hz);
    double high = highest_gain(weighted_bits, snr_hz, count, bandwidth_max_hz / (double)count);
    double total = 0.0;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = 0.5 * (low + high);
        total = bands_at_price(weighted_bits, snr_hz, count, bandwidth_max_hz, middle, bandwidth_hz);
        if (total >= bandwidth_max_hz)
            low = middle;
        else
            high = middle;
    }
    for (size_t i = 0; i < count && total > 0.0; i++)
        bandwidth_hz[i] *= bandwidth_max_hz / total; /* the last rounding errors */
}
