/* random: hash-seeded random streams, one per (seed, node, purpose).
 *
 * The generator is xoshiro256++ (Blackman and Vigna, 2019), its state filled by SplitMix64 from a hash of the
 * key, so that streams of different nodes and purposes are independent and none depends on how nodes are
 * placed on processes. Not for cryptography (libsodium serves there). */
#ifndef TIERBED_BASE_RANDOM_H
#define TIERBED_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* What a stream is for. Append only: the number is part of every stream's key, so reordering changes results.
 */
enum random_purpose {
    RANDOM_TASK = 1,   /* criticality and content of tasks */
    RANDOM_DATA,       /* vibration generator, choice of records */
    RANDOM_POLICY,     /* random decisions */
    RANDOM_CHANNEL,    /* Markov channel, gains */
    RANDOM_LOSS,       /* loss processes */
    RANDOM_JITTER,     /* delay jitter, reordering, duplication, corruption */
    RANDOM_PHASE,      /* start offsets */
    RANDOM_BENCH,      /* benchmarks (PHOLD) */
    RANDOM_TEST,       /* tests */
    RANDOM_EXPLORE,    /* actions in training */
    RANDOM_MINIBATCH,  /* which samples an update sees, in which order */
    RANDOM_INITIALISE, /* first weights */
    RANDOM_GATE,       /* noise of gates (mixture of experts) */
    RANDOM_EVALUATE,   /* actions in evaluation */
    RANDOM_PLACE,      /* positions of nodes */
    RANDOM_BOOTSTRAP,  /* resamples of a confidence interval */
    RANDOM_CAMPAIGN,   /* faults of a campaign */
    RANDOM_LOAD        /* when validators submit transactions for measurements, and what is in them */
};

struct random_stream {
    uint64_t state[4];
};

static inline uint64_t random_mix(uint64_t x) { /* SplitMix64 finaliser */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Starts the stream of (seed, node, purpose). `purpose` is an enum random_purpose, optionally with an index
 * of the caller's in the upper 32 bits (for example one stream per link: purpose | (uint64_t)link << 32). */
void random_init(struct random_stream *stream, uint64_t seed, uint64_t node, uint64_t purpose);

static inline uint64_t random_rotl(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

static inline uint64_t random_next(struct random_stream *stream) {
    uint64_t *s = stream->state;
    uint64_t result = random_rotl(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = random_rotl(s[3], 45);
    return result;
}

/* Uniform in [0, 1), 53 bits. */
static inline double random_uniform(struct random_stream *stream) {
    return (double)(random_next(stream) >> 11) * 0x1.0p-53;
}

/* Uniform integer in [0, bound), bound > 0; multiply-shift (bias below 2^-32 for bound < 2^32). */
static inline uint64_t random_below(struct random_stream *stream, uint64_t bound) {
    return (uint64_t)(((unsigned __int128)random_next(stream) * bound) >> 64);
}

static inline bool random_chance(struct random_stream *stream, double probability) {
    return random_uniform(stream) < probability;
}

/* Exponential with the given mean (> 0). */
double random_exponential(struct random_stream *stream, double mean);

/* Normal with mean 0 and standard deviation 1 (polar method of Marsaglia; no cached second value). */
double random_normal(struct random_stream *stream);

#endif
