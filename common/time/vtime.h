/* vtime: virtual time is a signed 64-bit count of nanoseconds since the start of the run. */
#ifndef TIERBED_TIME_VTIME_H
#define TIERBED_TIME_VTIME_H

#include <math.h>
#include <stdint.h>

#define VTIME_NEVER INT64_MAX
#define VTIME_NS_PER_S INT64_C(1000000000)
#define VTIME_NS_PER_MS INT64_C(1000000)
#define VTIME_NS_PER_US INT64_C(1000)

/* Seconds to nanoseconds, rounded to nearest (ties away from zero). `seconds` within +-9.2e9. */
static inline int64_t vtime_from_s(double seconds) {
    return (int64_t)llround(seconds * 1e9);
}

static inline double vtime_to_s(int64_t time_ns) {
    return (double)time_ns * 1e-9;
}

#endif
