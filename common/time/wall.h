/* wall: the one place that asks how late it really is. For waiting, progress and measurements; never for what
 * a run computes. */
#ifndef TIERBED_TIME_WALL_H
#define TIERBED_TIME_WALL_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds and seconds on the monotonic clock. */
static inline int64_t wall_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline double wall_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
