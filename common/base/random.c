#include "common/base/random.h"

#include <math.h>

static uint64_t splitmix_next(uint64_t *x) {
    *x += 0x9e3779b97f4a7c15u;
    return random_mix(*x);
}

void random_init(struct random_stream *stream, uint64_t seed, uint64_t node, uint64_t purpose) {
    uint64_t x = random_mix(seed + 0x9e3779b97f4a7c15u);
    x = random_mix(x ^ (node + 0x9e3779b97f4a7c15u));
    x = random_mix(x ^ (purpose + 0x9e3779b97f4a7c15u));
    for (int i = 0; i < 4; i++)
        stream->state[i] = splitmix_next(&x);
}

double random_exponential(struct random_stream *stream, double mean) {
    return -mean * log1p(-random_uniform(stream));
}

double random_normal(struct random_stream *stream) {
    for (;;) {
        double u = 2.0 * random_uniform(stream) - 1.0;
        double v = 2.0 * random_uniform(stream) - 1.0;
        double s = u * u + v * v;
        if (s > 0.0 && s < 1.0)
            return u * sqrt(-2.0 * log(s) / s);
    }
}
