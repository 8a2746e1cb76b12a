/* pacer: holds events until their time on the real clock, optionally scaled, and says how late they were.
 *
 * Virtual time t is due at epoch + (t - begin) / speed: the run begins at begin. The epoch is the director's
 * first grant, as nearly as this process can know it: every grant says how long ago that was, and the least
 * sum over grants counts. */
#ifndef TIERBED_TIME_PACER_H
#define TIERBED_TIME_PACER_H

#include <stdint.h>

#define PACER_BUCKETS 400u /* lateness from 1 us to 1e4 s, 40 buckets a decade */

struct pacer {
    double speed; /* virtual seconds per wall second; 0: virtual clock, never holds */
    int64_t begin_ns;
    int64_t epoch_ns;
    uint64_t buckets[PACER_BUCKETS];
    uint64_t count;
    double late_max_s;
};

void pacer_init(struct pacer *pacer, double speed, int64_t begin_ns);

/* A grant was sent `elapsed_ns` after the first one. */
void pacer_hear(struct pacer *pacer, int64_t elapsed_ns);

/* Sleeps until virtual `time_ns` is due, then counts how late it is. Returns at once with speed 0. */
void pacer_hold(struct pacer *pacer, int64_t time_ns);

/* Lateness below which a part `quantile` in (0, 1] of all events stayed, in s, to the upper edge of a bucket
 * (6 %). */
double pacer_quantile_s(const struct pacer *pacer, double quantile);

#endif
